//! Connections to blogs.

use galley_destinations as destinations;
use galley_domain::publishing::{Placements, PostForm};
use galley_services::BlogConnectionEdit;
use galley_store::rows;
use poem_openapi::{Object, OpenApi, param::Path};
use uuid::Uuid;

use crate::http::{
    Area,
    kit::{
        auth::{Auth, Content, PublishRead, PublishWrite},
        fields::{Patch, fields},
        query::Query,
        reply::{Asked, Outcome, Reply},
        resource::resource,
        scalar::{Id, Moment, Nullable, Word},
        values::{Address, Text},
        view::view,
    },
};

resource! {
    pub struct BlogConnections of rows::Connection as BlogConnection in "Area::Publishing" at "/blog-connections";
    read by PublishRead, written by PublishWrite;

    list "/blog-connections" as "list_blog_connections" {
        /// List blog connections
        ///
        /// All of them, newest first.
    }
    create CreateBlogConnection "/blog-connections" as "create_blog_connection" {
        /// Create a blog connection
        ///
        /// Nothing is asked of the site; `POST …/test` does. The password is stored encrypted and never shown again. The same
        /// site and user a second time is a CONFLICT.
    }
    get connection_id "/blog-connections/:connection_id" as "get_blog_connection" {
        /// Get a blog connection
        ///
        /// Without its password.
    }
    update UpdateBlogConnection connection_id "/blog-connections/:connection_id" as "update_blog_connection" {
        /// Change a blog connection
        ///
        /// What is left out stays. Another `site_url` or another user needs the password, too: a stored one is never sent
        /// elsewhere. Once posts were published, another `site_url` needs `placements` as well, or it is a CONFLICT: the ids by
        /// which posts are found there are those of one site.
    }
    delete connection_id "/blog-connections/:connection_id" as "delete_blog_connection" {
        /// Delete a blog connection
        ///
        /// What was published through it stays. While a post or a schedule is to go through it, and while it is the
        /// `default_blog_connection_id` of a project, that is a CONFLICT.
    }
}

/// What is asked of a blog.
pub struct Blogs;

#[OpenApi(prefix_path = "/api/v1", tag = "Area::Publishing")]
impl Blogs {
    /// Test a blog connection
    ///
    /// Tries out what is needed to publish, with evidence and advice for each part; a draft that it makes for that is
    /// removed again. That something fails is an answer: `success` tells. At most 30 s.
    #[oai(path = "/blog-connections/:connection_id/test", method = "post", operation_id = "test_blog_connection")]
    async fn test(&self, auth: Auth<PublishWrite, Content>, connection_id: Path<Id>) -> Outcome<BlogConnectionTest> {
        let connection = auth.services().get::<rows::Connection>(auth.org(), connection_id.0.0).await?;
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
        site_url: Address,
        username: Name,
        /// An application password of that user, with or without the blanks that WordPress shows in it.
        password as "app_password": Password,
        /// How posts are written there: `blocks`, `html`, or `auto` (when not given), blocks where the site has its block editor.
        content_form: Option<Word<PostForm>>,
        /// Whether categories and tags that the site lacks are made there; true when not given.
        create_terms: Option<bool>,
    }
    becomes BlogConnectionEdit;
}

fields! {
    /// Changes to a blog connection; what is left out stays.
    pub struct UpdateBlogConnection: ignores_unknown {
        /// 1 to 200 characters.
        name: Patch<Name>,
        site_url: Patch<Address>,
        username: Patch<Name>,
        password as "app_password": Patch<Password>,
        /// Nothing is published through one that is not active.
        is_active: Patch<bool>,
        content_form: Patch<Word<PostForm>>,
        create_terms: Patch<bool>,
        /// What becomes of published posts with another `site_url`. keep: it is the same site at a new address, and they are
        /// found there. forget: it is another site; they are drafts here, and publishing makes posts there.
        placements: Patch<Word<Placements>>,
    }
    becomes BlogConnectionEdit;
}

view! {
    /// A blog that can be published to.
    pub struct BlogConnection of rows::Connection as row {
        id: Uuid,
        name: String,
        site_url: String,
        username: String,
        is_active: bool,
        content_form: Word<PostForm> = Word(form_of(&row.config)),
        create_terms: bool = row.config["create_terms"] != serde_json::Value::Bool(false),
        /// Whether the site has said its categories.
        has_categories: bool = row.categories.is_some(),
        categories_cached_at: Nullable<Moment>,
        /// When something was last published through it.
        last_synced_at: Nullable<Moment>,
        created_at: Moment,
        updated_at: Moment,
    }
}

/// What stands there that is no form is none, and `auto` is gone by.
fn form_of(config: &serde_json::Value) -> PostForm {
    config["content_form"].as_str().and_then(|form| form.parse().ok()).unwrap_or(PostForm::Auto)
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
