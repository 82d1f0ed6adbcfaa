//! Integrations: the sites of projects, what they are made of, and what they tell.

use galley_store::ConnectionFilter;
use poem_openapi::{OpenApi, param::Path};

pub mod body;
pub mod sync;
pub mod view;

use body::{
    CreateIntegration, IntegrationQuery, SiteWebhook, SiteWebhookQuery, TestCollection, UpdateIntegration,
    UpdateStructure,
};
use view::{
    CollectionTest, Integration, IntegrationTest, IssuedIntegration, SiteContentTypes, SiteWebhookAnswer,
    StructureUpdated, SyncHealth,
};

use crate::http::{
    Area,
    kit::{
        auth::{Auth, Content, PublishRead, PublishWrite},
        body::Body,
        envelope::{PlannerAnswer, PlannerList},
        header::IdempotencyKey,
        problem::Problem,
        query::Query,
        reply::{Asked, Created, NoContent, Outcome, Reply},
        scalar::Id,
        site_auth::{SiteAuth, SiteBody},
    },
};

pub struct Integrations;

#[OpenApi(prefix_path = "/api/v1", tag = "Area::Publishing")]
impl Integrations {
    /// List integrations
    ///
    /// The sites of projects, newest first.
    #[oai(path = "/integration", method = "get", operation_id = "list_integrations")]
    async fn list(
        &self,
        auth: Auth<PublishRead>,
        Query(query): Query<IntegrationQuery>,
    ) -> Outcome<PlannerList<Integration>> {
        let IntegrationQuery { site_id, platform, is_active, page } = query;
        let platform = platform.map(|platform| platform.0.into());
        let filter =
            ConnectionFilter { project_id: site_id, platform, is_active, limit: page.limit, offset: page.offset };
        let (rows, total) = auth.services().integrations(auth.org(), &filter).await?;
        Ok(Reply::new(PlannerList::page(rows, total, &page, auth.context())?))
    }

    /// Create an integration
    ///
    /// Nothing is asked of the site; `POST …/test_connection` does. One for each site and platform. With a `username` it is
    /// a blog connection, too: one for the same site and user becomes the integration. The answer shows the secret that
    /// the site calls with, this once.
    #[oai(path = "/integration", method = "post", operation_id = "create_integration")]
    async fn create(
        &self,
        auth: Auth<PublishWrite, Content>,
        /// The same key with the same request gives the first answer again, with null for `webhook_secret`.
        key: IdempotencyKey,
        body: Body<CreateIntegration>,
    ) -> Outcome<PlannerAnswer<IssuedIntegration>, Created> {
        let key = key.with(&body.canonical)?;
        let answer = auth.services().create_integration(auth.org(), body.value.into(), key.as_ref()).await?;
        let location = format!("/api/v1/integration/{}", answer.value.row.id);
        Ok(Reply::of(answer, |view| PlannerAnswer::of(view.into(), auth.context())).at(&location))
    }

    /// Change an integration
    ///
    /// What is left out stays. Another address or another user needs the `api_key`, too: a stored one is never sent
    /// elsewhere.
    #[oai(path = "/integration/:integration_id", method = "put", operation_id = "update_integration")]
    async fn update(
        &self,
        auth: Auth<PublishWrite, Content>,
        integration_id: Path<Id>,
        body: Body<UpdateIntegration>,
    ) -> Outcome<PlannerAnswer<Integration>> {
        let view = auth.services().edit_integration(auth.org(), integration_id.0.0, body.value.into()).await?;
        Ok(Reply::new(PlannerAnswer::of(view.into(), auth.context())))
    }

    /// Delete an integration
    ///
    /// Texts keep what the site calls them. One with a `username` stays as a blog connection. While a post or a schedule is
    /// to go through it, that is a CONFLICT.
    #[oai(path = "/integration/:integration_id", method = "delete", operation_id = "delete_integration")]
    async fn delete(&self, auth: Auth<PublishWrite, Content>, integration_id: Path<Id>) -> Result<NoContent, Problem> {
        auth.services().delete_integration(auth.org(), integration_id.0.0).await?;
        Ok(NoContent)
    }

    /// Test an integration
    ///
    /// Tries out what is needed to publish. That something fails is an answer: `data.success` tells.
    #[oai(path = "/integration/:integration_id/test_connection", method = "post", operation_id = "test_integration")]
    async fn test(
        &self,
        auth: Auth<PublishWrite, Content>,
        integration_id: Path<Id>,
    ) -> Outcome<PlannerAnswer<IntegrationTest>> {
        let tested = auth.services().test_integration(auth.org(), integration_id.0.0).await?;
        Ok(Reply::new(PlannerAnswer::of(tested.into(), auth.context())))
    }

    /// Test a collection of a site
    ///
    /// Whether things of one kind can be read there, and how many there are.
    #[oai(
        path = "/integration/:integration_id/test_collection_connection",
        method = "post",
        operation_id = "test_integration_collection"
    )]
    async fn test_collection(
        &self,
        auth: Auth<PublishWrite, Content>,
        integration_id: Path<Id>,
        body: Body<TestCollection>,
    ) -> Outcome<PlannerAnswer<CollectionTest>> {
        let collection = body.value.collection.0;
        let tested = auth.services().test_collection(auth.org(), integration_id.0.0, collection).await?;
        Ok(Reply::new(PlannerAnswer::of(CollectionTest::of(collection, tested), auth.context())))
    }

    /// Update the structure of a site
    ///
    /// Called by the site's plugin with its `webhook_secret`, or by whoever has a key. Without anything in the body the
    /// site is asked.
    #[oai(
        path = "/integration/:integration_id/update_structure",
        method = "post",
        operation_id = "update_integration_structure"
    )]
    async fn update_structure(
        &self,
        auth: SiteAuth<PublishWrite, Content>,
        integration_id: Path<Id>,
        body: Body<UpdateStructure>,
    ) -> Outcome<PlannerAnswer<StructureUpdated>, Asked> {
        let id = auth.own(integration_id.0.0)?;
        let types = auth.services().update_structure(auth.org, id, body.value.into()).await?;
        Ok(Reply::new(PlannerAnswer::of(types.into(), auth.context())))
    }

    /// Get the structure of a site
    ///
    /// As it was told or asked last, with how many texts of each kind stand there and here.
    #[oai(
        path = "/integration/:integration_id/content_types",
        method = "get",
        operation_id = "get_integration_content_types"
    )]
    async fn content_types(
        &self,
        auth: Auth<PublishRead>,
        integration_id: Path<Id>,
    ) -> Outcome<PlannerAnswer<SiteContentTypes>> {
        let (row, types, counts) = auth.services().content_types(auth.org(), integration_id.0.0).await?;
        Ok(Reply::new(PlannerAnswer::of(SiteContentTypes::of(&row, types, &counts), auth.context())))
    }

    /// Get the health of a site
    ///
    /// How its texts stand, which of them differ, and what happened last.
    #[oai(path = "/integration/:integration_id/sync_health", method = "get", operation_id = "get_integration_health")]
    async fn health(&self, auth: Auth<PublishRead>, integration_id: Path<Id>) -> Outcome<PlannerAnswer<SyncHealth>> {
        let health = auth.services().site_health(auth.org(), integration_id.0.0).await?;
        Ok(Reply::new(PlannerAnswer::of(health.into(), auth.context())))
    }

    /// Take what a WordPress tells
    ///
    /// Called by the site with its `webhook_secret` as a key or in a signature, or by whoever has a key. The same call
    /// again, and one that is older than the last about that post, change nothing.
    #[oai(path = "/integration/webhook/wordpress", method = "post", operation_id = "receive_wordpress_webhook")]
    async fn webhook(
        &self,
        body: SiteBody<PublishWrite, Content, SiteWebhook>,
        Query(query): Query<SiteWebhookQuery>,
    ) -> Outcome<PlannerAnswer<SiteWebhookAnswer>> {
        let from = body.from;
        let integration = from.site.or(query.integration_id).or(body.value.integration_id);
        let call = body.value.call(integration, from.site.is_some());
        let called = from.services().site_call(from.org, call).await?;
        Ok(Reply::new(PlannerAnswer::of(called.into(), from.context())))
    }
}
