//! The publisher: records of what was published where, publishing many texts at once, sites as everybody may read them.

use galley_domain::publishing::{DeploymentStatus, PublicationState};
use galley_services::{DeployRequest, Deployed, SiteName};
use galley_store::{DeploymentFilter, PublicationFilter};
use poem_openapi::OpenApi;
use uuid::Uuid;

pub mod body;
pub mod definition;
pub mod view;

use body::{CreateRecord, Destination, PublishContents};
use definition::{DefinitionAnswer, SiteDefinition};
use view::{Deployment, PublishStatus, Published, PublishingRecord};

use crate::http::{
    Area,
    kit::{
        auth::{Auth, Content, Public, PublishRead, PublishWrite},
        body::Body,
        envelope::{PlannerAnswer, PlannerList},
        fields::fields,
        header::{IdempotencyKey, IfNoneMatch},
        page::{ByNumber, Page},
        problem::Problem,
        query::Query,
        reply::{Accepted, Created, Outcome, Reply},
        scalar::{Vocabulary, Word},
        values::Text,
    },
};
use galley_domain::order::Violations;

pub struct Publisher;

#[OpenApi(prefix_path = "/api/v1", tag = "Area::Publishing")]
impl Publisher {
    /// List publishing records
    ///
    /// Each publication of a text, newest first, also those that somebody else has made.
    #[oai(path = "/publisher/records", method = "get", operation_id = "list_publishing_records")]
    async fn records(
        &self,
        auth: Auth<PublishRead>,
        Query(query): Query<RecordQuery>,
    ) -> Outcome<PlannerList<PublishingRecord>> {
        let filter = PublicationFilter {
            article_id: query.content_id,
            project_id: query.site_id,
            deployment_id: None,
            destination: query.destination.map(|word| word.0.word().to_owned()),
            status: query.status.map(|status| status.0),
            limit: query.page.limit,
            offset: query.page.offset,
        };
        let (rows, total) = auth.services().publishing_records(auth.org(), &filter).await?;
        Ok(Reply::new(PlannerList::page(rows, total, &query.page, auth.context())?))
    }

    /// Record a publication
    ///
    /// Notes one that was made elsewhere; nothing is published. With an `external_id` the next publication of the text to
    /// that destination goes to that post.
    #[oai(path = "/publisher/records", method = "post", operation_id = "create_publishing_record")]
    async fn record(
        &self,
        auth: Auth<PublishWrite, Content>,
        key: IdempotencyKey,
        body: Body<CreateRecord>,
    ) -> Outcome<PlannerAnswer<PublishingRecord>, Created> {
        let key = key.with(&body.canonical)?;
        let answer = auth.services().create_record(auth.org(), body.value.into(), key.as_ref()).await?;
        Ok(Reply::of(answer, |record| PlannerAnswer::of(record.into(), auth.context())))
    }

    /// List deployments
    ///
    /// One for each call to publish and each site, newest first.
    #[oai(path = "/publisher/deployments", method = "get", operation_id = "list_deployments")]
    async fn deployments(
        &self,
        auth: Auth<PublishRead>,
        Query(query): Query<DeploymentQuery>,
    ) -> Outcome<PlannerList<Deployment>> {
        let DeploymentQuery { site_id, status, page } = query;
        let status = status.map(|status| status.0);
        let filter = DeploymentFilter { project_id: site_id, status, limit: page.limit, offset: page.offset };
        let (rows, total) = auth.services().deployments(auth.org(), &filter).await?;
        Ok(Reply::new(PlannerList::page(rows, total, &page, auth.context())?))
    }

    /// Publish texts
    ///
    /// Each text goes to each destination, now or at an hour. A text that cannot go leaves a failed record that says why;
    /// when none can go it is a CONFLICT that names each reason.
    #[oai(path = "/publisher/publish", method = "post", operation_id = "publish_contents")]
    async fn publish(
        &self,
        auth: Auth<PublishWrite, Content>,
        key: IdempotencyKey,
        body: Body<PublishContents>,
    ) -> Outcome<PlannerAnswer<Published>, Accepted> {
        let key = key.with(&body.canonical)?;
        let request = DeployRequest::from(body.value);
        let deployed = auth.services().deploy(&auth.principal, request, auth.trace_id(), key.as_ref()).await?;
        let location = format!("/api/v1/publisher/publish/status?publish_id={}", deployed.publish_id);
        let answer = galley_services::Answer { replayed: deployed.replayed, value: deployed };
        let view = |deployed: Deployed| PlannerAnswer::of(Published::from(deployed), auth.context());
        Ok(Reply::of(answer, view).at(&location))
    }

    /// Get what came of publishing
    ///
    /// Of a call, or of the newest call about a text.
    #[oai(path = "/publisher/publish/status", method = "get", operation_id = "get_publish_status")]
    async fn status(
        &self,
        auth: Auth<PublishRead>,
        Query(query): Query<StatusQuery>,
    ) -> Outcome<PlannerAnswer<PublishStatus>> {
        let services = auth.services();
        let deployed = match (query.publish_id, query.content_id) {
            (Some(publish), _) => services.deployed(auth.org(), publish).await?,
            (None, content) => services.deployed_content(auth.org(), content.unwrap_or_default()).await?,
        };
        Ok(Reply::new(PlannerAnswer::of(deployed.into(), auth.context())))
    }

    /// Get the definition of a site
    ///
    /// The published texts of a site whose owner has opened it with the setting `public_site_definition`: at most the
    /// newest 1,000, and of these no more than 8 MiB of text. What a site of it shows only to those who work there is left
    /// out. No key needed; calls count by address.
    #[oai(path = "/publisher/site-definition", method = "get", operation_id = "get_site_definition")]
    async fn definition(
        &self,
        public: Public,
        Query(query): Query<DefinitionQuery>,
        if_none_match: IfNoneMatch,
    ) -> Result<DefinitionAnswer, Problem> {
        public.count()?;
        let services = &public.0.state.services;
        let site = services.open_site(&query.name()).await?;
        let tag = site.tag.clone();
        if if_none_match.names(&tag) {
            return Ok(DefinitionAnswer { tag, body: None });
        }
        let definition = SiteDefinition::try_from(services.site_definition(site).await?)?;
        Ok(DefinitionAnswer { tag, body: Some(PlannerAnswer::of(definition, &public.1)) })
    }
}

fields! {
    /// Which records to list.
    pub struct RecordQuery {
        site_id: Option<Uuid>,
        content_id: Option<Uuid>,
        destination: Option<Word<Destination>>,
        status: Option<Word<PublicationState>>,
        page: Page<ByNumber>,
    }
}

fields! {
    /// Which deployments to list.
    pub struct DeploymentQuery {
        site_id: Option<Uuid>,
        status: Option<Word<DeploymentStatus>>,
        page: Page<ByNumber>,
    }
}

fields! {
    /// What to look at: a call, or a text.
    pub struct StatusQuery {
        /// As the call to publish answered.
        publish_id: Option<Uuid>,
        /// The newest call about this text.
        content_id: Option<Uuid>,
    }
    check |query: &StatusQuery, wrong: &mut Violations| {
        let is_bare = query.publish_id.is_none() && query.content_id.is_none();
        wrong.check(is_bare, "publish_id", "is required, or content_id");
    };
}

fields! {
    /// Which site: by its id, or by its slug.
    pub struct DefinitionQuery {
        site_id: Option<Uuid>,
        site_slug: Option<Text<1, 300>>,
    }
    check |query: &DefinitionQuery, wrong: &mut Violations| {
        let is_bare = query.site_id.is_none() && query.site_slug.is_none();
        wrong.check(is_bare, "site_id", "is required, or site_slug");
    };
}

impl DefinitionQuery {
    fn name(self) -> SiteName {
        match (self.site_id, self.site_slug) {
            (None, Some(slug)) => SiteName::Slug(slug.0),
            (id, _) => SiteName::Id(id.unwrap_or_default()),
        }
    }
}
