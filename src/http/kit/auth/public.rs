//! What is open to everybody, and how it is counted: by the address, since there is no key.

use std::{sync::Arc, time::Instant};

use poem::{Request, RequestBody};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use super::front;
use crate::http::kit::{
    context::{self, RequestContext},
    problem::Problem,
    state::Front,
};

/// Counts a call without a key for its address; 429 after too many.
pub(super) fn visit(front: &Front, context: &RequestContext) -> Result<(), Problem> {
    let rate = front.rates.visit(context.address, Instant::now());
    // Set once: each request is counted once.
    let _ = context.rate.set(rate);
    if rate.allowed {
        return Ok(());
    }
    let detail = format!("this address has used its {} calls of this minute", rate.limit);
    Err(Problem::too_many(detail, rate.reset))
}

/// Says out loud that an operation is for everybody.
pub struct Public(pub Arc<Front>, pub Arc<RequestContext>);

impl Public {
    /// Counts the call for its address, where an answer costs more than a glance; 429 after too many.
    pub fn count(&self) -> Result<(), Problem> {
        visit(&self.0, &self.1)
    }
}

impl<'a> ApiExtractor<'a> for Public {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        Ok(Self(Arc::clone(front(request)?), Arc::clone(context::of(request)?)))
    }
}
