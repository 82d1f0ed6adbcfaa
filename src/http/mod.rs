//! The front: HTTP in, one use case called, HTTP out.
//!
//! | folder | holds |
//! |---|---|
//! | [`tasks`] | orders of work, running them again, what happens in them |
//! | [`articles`] | what came of them: generation, versions, claims |
//! | [`files`] | uploads and covers |
//! | [`projects`] | what articles and products belong to |
//! | [`publishing`] | blogs, posts and their templates |
//! | [`automation`] | what comes again by itself |
//! | [`publishing`] | the images of posts, stock photos |
//! | [`webhooks`] | endpoints that are told what happens, and what was sent to them |
//! | [`billing`] | the budget |
//! | [`system`] | health, figures, the documentation; public |
//! | [`kit`] | what all of them share |
//! | [`reading`] | the readers without a server, for those who test them from outside |
//!
//! Architecture invariant: a handler reaches the use cases only through [`kit::auth::Auth`] or [`kit::auth::Public`], so
//! an operation that declares no right has nothing to work with and does not compile.

mod articles;
mod automation;
mod billing;
mod files;
mod kit;
mod projects;
mod publishing;
pub mod reading;
mod system;
mod tasks;
mod webhooks;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use poem::{EndpointExt, Response, endpoint::BoxEndpoint};
use poem_openapi::{LicenseObject, OpenApiService, Tags};

// The kit that resources are declared with. Public, because it holds what documents need that are not built yet.
pub use kit::{
    connections::serve,
    rate::RateLimits,
    state::{AppState, ExtraMetrics, HttpLimits, MetricsAccess},
};
pub use kit::{envelope, fields, page, values};

use articles::{Articles, claims::Claims, generate::Generate, versions::Versions};
use automation::schedules::Schedules;
use billing::credits::Credits;
use files::Files;
use kit::{document, middleware::Middleware, places, rights, routes::Routes};
use projects::Projects;
use publishing::{
    calendar::Calendar,
    connections::{BlogConnections, Blogs},
    drift::Drifts,
    feeds::{CalendarFeeds, IssuedFeeds},
    generate::GeneratedImages,
    images::Images,
    integrations::{Integrations, sync::Syncs},
    links::ImageContents,
    posts::Posts,
    publisher::Publisher,
    score::Scores,
    stock_photos::{StockPhotoKeys, StockPhotos},
    templates::Templates,
};
use system::health::Health;
use tasks::{
    Tasks,
    events::{Events, examples},
    jobs::Jobs,
    retry::{Retries, RetryForm},
};
use webhooks::{Webhooks, deliveries::Deliveries};

/// Every operation, by area. A tuple holds at most 16, so areas nest.
type Api = (
    // tasks/
    (Tasks, Jobs, Retries, Events),
    // articles/
    (Articles, Generate, Versions, Claims),
    // files/
    Files,
    // projects/
    Projects,
    // publishing/
    (Posts, Drifts, Scores, Calendar, CalendarFeeds, IssuedFeeds),
    (BlogConnections, Blogs, Templates, Integrations, Syncs, Publisher),
    (Images, GeneratedImages, ImageContents, StockPhotos, StockPhotoKeys),
    // automation/
    Schedules,
    // webhooks/
    (Webhooks, Deliveries),
    // billing/
    Credits,
    // system/
    Health,
);

/// What may be sent to run a task again, by its kind.
const RETRY_FORMS: &[RetryForm] = &[articles::retry::RETRY];

fn api() -> Api {
    (
        (Tasks, Jobs, Retries, Events),
        (Articles, Generate, Versions, Claims),
        Files,
        Projects,
        (Posts, Drifts, Scores, Calendar, CalendarFeeds, IssuedFeeds),
        (BlogConnections, Blogs, Templates, Integrations, Syncs, Publisher),
        (Images, GeneratedImages, ImageContents, StockPhotos, StockPhotoKeys),
        Schedules,
        (Webhooks, Deliveries),
        Credits,
        Health,
    )
}

#[derive(Tags)]
enum Area {
    /// Orders of work. A task runs through research, outline, drafting, SEO, image and sync.
    Tasks,
    /// The articles that tasks bring, with their versions and what each sentence rests on.
    Articles,
    /// Uploads to write from, and cover images.
    Files,
    /// The bodies of work that articles and products belong to.
    Projects,
    /// Blogs, the posts that go there, and what they are made from.
    Publishing,
    /// The images of posts, and stock photos to choose them from.
    Images,
    /// Orders that come again and again, in the wall time of a zone.
    Schedules,
    /// Endpoints that are told what happens, as Standard Webhooks describes it, and the log of what was sent.
    Webhooks,
    /// What the organization may spend.
    Credits,
    /// For those who run the service. No key needed.
    Operation,
}

fn service() -> OpenApiService<Routes<Api>, ()> {
    OpenApiService::new(Routes(api()), "Galley", env!("CARGO_PKG_VERSION"))
        .server("/")
        .description(include_str!("system/introduction.md"))
        .license(LicenseObject::new("MIT OR Apache-2.0"))
}

/// The OpenAPI description of every operation as indented JSON with a newline at its end. The same program gives the
/// same text.
pub fn spec() -> String {
    let text = service().spec();
    document::complete(&text, &rights::table::<Api>(), &[examples::stream()]).unwrap_or(text) + "\n"
}

/// Who may call what, as `docs/rights.md` has it.
pub fn rights() -> String {
    rights::page(&rights::table::<Api>())
}

/// The whole front, for a listener or for a test client in the same process. It never returns an error:
/// whatever goes wrong is a response already.
pub fn app(state: AppState) -> BoxEndpoint<'static, Response> {
    let front = state.into_front();
    let routes = places::Tidied::new(places::Places::of(service())).data(Arc::clone(&front));
    Middleware::new(routes, &front.state.limits, Arc::clone(&front.metrics)).boxed()
}
