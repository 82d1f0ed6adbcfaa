//! Connections to blogs.

use galley_destinations as destinations;
use galley_domain::Hidden;
use galley_services::{ConnectionEdit, ConnectionRequest};
use galley_store::rows;
use poem_openapi::{Object, OpenApi, param::Path};
use uuid::Uuid;

use crate::http::{
    Area,
    kit::{
        auth::{Auth, Content, PublishRead, PublishWrite},
        body::Body,
        envelope::views,
        fields::{Patch, fields},
        header::IdempotencyKey,
        problem::Problem,
        query::Query,
        reply::{Asked, Created, NoContent, Outcome, Reply},
        scalar::{Id, Moment, Nullable, Word},
        values::{Link, Text},
        view::view,
    },
};

pub struct BlogConnections;

#[OpenApi(prefix_path = "/api/v1", tag = "Area::Publishing")]
impl BlogConnections {
    /// List blog connections
    ///
    /// All of them, newest first.
    #[oai(path = "/blog-connections", method = "get", operation_id = "list_blog_connections")]
    async fn list(&self, auth: Auth<PublishRead>) -> Outcome<Vec<BlogConnection>> {
        Ok(Reply::new(views(auth.services().blog_connections(auth.org()).await?)?))
    }

    /// Create a blog connection
    ///
    /// Nothing is asked of the site; `POST …/test` does. The password is stored encrypted and never shown again. The same
    /// site and user a second time is a CONFLICT.
    #[oai(path = "/blog-connections", method = "post", operation_id = "create_blog_connection")]
    async fn create(
        &self,
        auth: Auth<PublishWrite, Content>,
        key: IdempotencyKey,
        body: Body<CreateBlogConnection>,
    ) -> Outcome<BlogConnection, Created> {
        let key = key.with(&body.canonical)?;
        let answer = auth.services().create_blog_connection(auth.org(), body.value.into(), key.as_ref()).await?;
        let location = format!("/api/v1/blog-connections/{}", answer.value.id);
        Ok(Reply::of(answer, BlogConnection::from).at(&location))
    }

    /// Get a blog connection
    ///
    /// Without its password.
    #[oai(path = "/blog-connections/:connection_id", method = "get", operation_id = "get_blog_connection")]
    async fn get(&self, auth: Auth<PublishRead>, connection_id: Path<Id>) -> Outcome<BlogConnection> {
        Ok(Reply::new(auth.services().blog_connection(auth.org(), connection_id.0.0).await?.into()))
    }

    /// Change a blog connection
    ///
    /// What is left out stays. Another site or another user needs the password, too: a stored one is never sent elsewhere.
    #[oai(path = "/blog-connections/:connection_id", method = "patch", operation_id = "update_blog_connection")]
    async fn update(
        &self,
        auth: Auth<PublishWrite, Content>,
        connection_id: Path<Id>,
        body: Body<UpdateBlogConnection>,
    ) -> Outcome<BlogConnection> {
        let row = auth.services().edit_blog_connection(auth.org(), connection_id.0.0, body.value.into()).await?;
        Ok(Reply::new(row.into()))
    }

    /// Test a blog connection
    ///
    /// Tries out what is needed to publish, with evidence and advice for each part; a draft that it makes for that is
    /// removed again. That something fails is an answer: `success` tells. At most 30 s.
    #[oai(path = "/blog-connections/:connection_id/test", method = "post", operation_id = "test_blog_connection")]
    async fn test(&self, auth: Auth<PublishWrite, Content>, connection_id: Path<Id>) -> Outcome<BlogConnectionTest> {
        let connection = auth.services().blog_connection(auth.org(), connection_id.0.0).await?;
        Ok(Reply::new(auth.services().test_connection(auth.org(), &connection).await?.into()))
    }

    /// List the categories of a blog
    ///
    /// As the site said within the last hour, or as it says now.
    #[oai(path = "/blog-connections/:connection_id/categories", method = "get", operation_id = "list_blog_categories")]
    async fn categories(
        &self,
        auth: Auth<PublishRead>,
        connection_id: Path<Id>,
        Query(query): Query<CategoryQuery>,
    ) -> Outcome<Vec<BlogCategory>, Asked> {
        let terms = auth.services().blog_categories(auth.org(), connection_id.0.0, query.refresh).await?;
        Ok(Reply::new(terms.into_iter().map(BlogCategory::from).collect()))
    }

    /// Delete a blog connection
    ///
    /// What was published through it stays. While a post or a schedule is to go through it, that is a CONFLICT.
    #[oai(path = "/blog-connections/:connection_id", method = "delete", operation_id = "delete_blog_connection")]
    async fn delete(&self, auth: Auth<PublishWrite, Content>, connection_id: Path<Id>) -> Result<NoContent, Problem> {
        auth.services().delete_blog_connection(auth.org(), connection_id.0.0).await?;
        Ok(NoContent)
    }
}

type Name = Text<1, 200>;
type Password = Text<1, 600>;

fields! {
    /// How to show categories.
    pub struct CategoryQuery {
        /// Ask the site again.
        refresh: bool = false,
    }
}

fields! {
    /// A blog, and who publishes there.
    pub struct CreateBlogConnection: ignores_unknown {
        /// 1 to 200 characters.
        name: Name,
        /// The address of the site: https, without a login or a query. The operator can allow http and private addresses by
        /// name.
        site_url: Link,
        username: Name,
        /// An application password of that user, with or without the blanks that WordPress shows in it.
        app_password: Password,
    }
}

fields! {
    /// Changes to a blog connection; what is left out stays.
    pub struct UpdateBlogConnection: ignores_unknown {
        /// 1 to 200 characters.
        name: Patch<Name>,
        site_url: Patch<Link>,
        username: Patch<Name>,
        app_password: Patch<Password>,
        /// Nothing is published through one that is not active.
        is_active: Patch<bool>,
    }
}

impl From<CreateBlogConnection> for ConnectionRequest {
    fn from(body: CreateBlogConnection) -> Self {
        Self {
            name: body.name.0,
            site_url: body.site_url.0,
            username: body.username.0,
            password: Hidden::new(body.app_password.0),
        }
    }
}

impl From<UpdateBlogConnection> for ConnectionEdit {
    fn from(body: UpdateBlogConnection) -> Self {
        Self {
            name: body.name.0.map(|name| name.0),
            site_url: body.site_url.0.map(|url| url.0),
            username: body.username.0.map(|name| name.0),
            password: body.app_password.0.map(|password| Hidden::new(password.0)),
            is_active: body.is_active.0,
        }
    }
}

view! {
    /// A blog that can be published to.
    pub struct BlogConnection of rows::Connection as row {
        id: Uuid,
        name: String,
        site_url: String,
        username: String,
        is_active: bool,
        /// Whether the site has said its categories.
        has_categories: bool = row.categories.is_some(),
        categories_cached_at: Nullable<Moment>,
        /// When something was last published through it.
        last_synced_at: Nullable<Moment>,
        created_at: Moment,
        updated_at: Moment,
    }
}

/// A category of a blog.
#[derive(Debug, Object)]
pub struct BlogCategory {
    id: u64,
    name: String,
    slug: String,
    /// Posts that have it.
    count: u64,
    /// 0 at the top.
    parent: u64,
}

impl From<destinations::Term> for BlogCategory {
    fn from(term: destinations::Term) -> Self {
        let destinations::Term { id, name, slug, count, parent } = term;
        Self { id, name, slug, count, parent }
    }
}

/// What came of trying out a connection.
#[derive(Debug, Object)]
pub struct BlogConnectionTest {
    /// Posts can be published.
    success: bool,
    /// That it works, or what does not and the way out.
    message: String,
    site_name: Nullable<String>,
    wp_version: Nullable<String>,
    /// Of the user there.
    role: Nullable<String>,
    capabilities: Vec<Capability>,
}

/// One thing that was tried out.
#[derive(Debug, Object)]
#[oai(rename = "ConnectionCapability")]
pub struct Capability {
    id: Word<destinations::CapabilityId>,
    status: Word<destinations::CapabilityStatus>,
    /// What was seen.
    evidence: String,
    /// What to do about it; empty where nothing has to be done.
    help: String,
}

impl From<destinations::Capability> for Capability {
    fn from(capability: destinations::Capability) -> Self {
        let destinations::Capability { id, status, evidence, help } = capability;
        Self { id: Word(id), status: Word(status), evidence, help }
    }
}

impl From<destinations::Probe> for BlogConnectionTest {
    fn from(probe: destinations::Probe) -> Self {
        Self {
            success: probe.success,
            message: probe.message,
            site_name: probe.site_name.into(),
            wp_version: probe.version.into(),
            role: probe.role.into(),
            capabilities: probe.capabilities.into_iter().map(Capability::from).collect(),
        }
    }
}
