//! What texts are published and recorded with.

use galley_domain::{order::Violations, publishing::PublicationState};
use galley_services::{DeployRequest, RecordRequest};
use uuid::Uuid;

use crate::http::kit::{
    fields::fields,
    scalar::{Moment, Vocabulary, Word, words},
    values::{FreeObject, Link, List, Text},
};

words! {
    /// Kinds of places. Only what a site has an integration for can be published to.
    pub enum Destination { Wordpress = "wordpress", Ghost = "ghost", Webflow = "webflow", Folder = "folder" }
}

fields! {
    /// A publication that was made elsewhere.
    pub struct CreateRecord {
        content_id: Uuid,
        destination: Word<Destination>,
        /// What the destination calls it.
        external_id: Option<Text<1, 200>>,
        external_url: Option<Link>,
        status: Word<PublicationState> = Word(PublicationState::Pending),
        /// Now when not given, if it is published.
        published_at: Option<Moment>,
        metadata: Option<FreeObject>,
    }
}

impl From<CreateRecord> for RecordRequest {
    fn from(body: CreateRecord) -> Self {
        Self {
            content_id: body.content_id,
            destination: body.destination.0.word(),
            external_id: body.external_id.map(|id| id.0.trim().to_owned()),
            external_url: body.external_url.map(|url| url.0),
            status: body.status.0,
            published_at: body.published_at.map(|time| time.0),
            metadata: body.metadata.map(|metadata| metadata.0).unwrap_or_default(),
        }
    }
}

fields! {
    /// Texts to publish.
    pub struct PublishContents {
        /// One text; or `content_ids`.
        content_id: Option<Uuid>,
        /// 1 to 50 texts.
        content_ids: Option<List<Uuid, 50, 1>>,
        /// By default the site's active integrations.
        destinations: Option<List<Word<Destination>, 4, 1>>,
        /// A time ahead with an offset, at most five years; at once when not given.
        scheduled_at: Option<Text<1, 64>>,
    }
    check |body: &PublishContents, wrong: &mut Violations| {
        let (one, many) = (body.content_id.is_some(), body.content_ids.is_some());
        wrong.check(!one && !many, "content_id", "is required, or content_ids");
        wrong.check(one && many, "content_ids", "is given together with content_id; give one of the two");
    };
}

impl From<PublishContents> for DeployRequest {
    fn from(body: PublishContents) -> Self {
        let one = body.content_id.map(|id| ("content_id".to_owned(), id));
        let many = body.content_ids.map(|ids| ids.0).unwrap_or_default();
        let many = many.into_iter().enumerate().map(|(at, id)| (format!("content_ids[{at}]"), id));
        Self {
            contents: one.into_iter().chain(many).collect(),
            destinations: body.destinations.map(|words| words.0.iter().map(|word| word.0.word().to_owned()).collect()),
            scheduled_at: body.scheduled_at.map(|at| at.0),
        }
    }
}
