//! Templates that blog posts are made from.

use galley_services::{TemplateEdit, TemplateSection};
use galley_store::rows;
use poem_openapi::{OpenApi, param::Path};
use uuid::Uuid;

use crate::http::{
    Area,
    kit::{
        auth::{Auth, Content, ProjectsRead, ProjectsWrite},
        body::Body,
        envelope::views,
        fields::{Patch, fields},
        header::IdempotencyKey,
        problem::Problem,
        reply::{Created, NoContent, Outcome, Reply},
        scalar::{Id, Moment, Nullable},
        values::{FreeObject, Integer, List, Text},
        view::view,
    },
};

pub struct Templates;

#[OpenApi(prefix_path = "/api/v1", tag = "Area::Publishing")]
impl Templates {
    /// List blog templates
    ///
    /// All of them, newest first.
    #[oai(path = "/blog-templates", method = "get", operation_id = "list_blog_templates")]
    async fn list(&self, auth: Auth<ProjectsRead>) -> Outcome<Vec<BlogTemplate>> {
        Ok(Reply::new(views(auth.services().blog_templates(auth.org()).await?)?))
    }

    /// Create a blog template
    ///
    /// The default is what posts are made from that name none; there is at most one, so it takes that from another.
    #[oai(path = "/blog-templates", method = "post", operation_id = "create_blog_template")]
    async fn create(
        &self,
        auth: Auth<ProjectsWrite, Content>,
        key: IdempotencyKey,
        body: Body<CreateBlogTemplate>,
    ) -> Outcome<BlogTemplate, Created> {
        let key = key.with(&body.canonical)?;
        let answer = auth.services().create_blog_template(auth.org(), body.value.into(), key.as_ref()).await?;
        let location = format!("/api/v1/blog-templates/{}", answer.value.id);
        Ok(Reply::of(answer, BlogTemplate::from).at(&location))
    }

    /// Get a blog template
    ///
    /// With its sections.
    #[oai(path = "/blog-templates/:template_id", method = "get", operation_id = "get_blog_template")]
    async fn get(&self, auth: Auth<ProjectsRead>, template_id: Path<Id>) -> Outcome<BlogTemplate> {
        Ok(Reply::new(auth.services().blog_template(auth.org(), template_id.0.0).await?.into()))
    }

    /// Change a blog template
    ///
    /// What is left out stays. Posts that were made from it stay as they are.
    #[oai(path = "/blog-templates/:template_id", method = "patch", operation_id = "update_blog_template")]
    async fn update(
        &self,
        auth: Auth<ProjectsWrite, Content>,
        template_id: Path<Id>,
        body: Body<UpdateBlogTemplate>,
    ) -> Outcome<BlogTemplate> {
        let row = auth.services().edit_blog_template(auth.org(), template_id.0.0, body.value.into()).await?;
        Ok(Reply::new(row.into()))
    }

    /// Delete a blog template
    ///
    /// Posts that were made from it keep their text.
    #[oai(path = "/blog-templates/:template_id", method = "delete", operation_id = "delete_blog_template")]
    async fn delete(&self, auth: Auth<ProjectsWrite, Content>, template_id: Path<Id>) -> Result<NoContent, Problem> {
        auth.services().delete_blog_template(auth.org(), template_id.0.0).await?;
        Ok(NoContent)
    }
}

type Name = Text<1, 200>;
type Instructions = Text<0, 4000>;

fields! {
    /// A section of the posts that are made from a template.
    pub struct BlogTemplateSection: ignores_unknown {
        heading: Text<1, 200>,
        /// What to say there.
        instructions: Option<Text<0, 1000>>,
        /// About so many.
        words: Option<Integer<1, 10_000>>,
    }
}

fields! {
    /// What posts are to consist of.
    pub struct BlogTemplateStructure: ignores_unknown {
        /// In their order; at most 40.
        sections: Option<List<BlogTemplateSection, 40>>,
    }
}

fields! {
    /// A template to create.
    pub struct CreateBlogTemplate: ignores_unknown {
        /// 1 to 200 characters.
        name: Name,
        description: Option<Text<0, 2000>>,
        /// How to write; for example professional.
        tone: Option<Text<1, 100>>,
        structure: Option<BlogTemplateStructure>,
        /// What else the writer should know.
        custom_instructions: Option<Instructions>,
        is_default: bool = false,
    }
}

fields! {
    /// Changes to a template; what is left out stays.
    pub struct UpdateBlogTemplate: ignores_unknown {
        /// 1 to 200 characters.
        name: Patch<Name>,
        description: Patch<Text<0, 2000>>,
        /// Null: none is said.
        tone: Patch<Nullable<Text<1, 100>>>,
        structure: Patch<BlogTemplateStructure>,
        custom_instructions: Patch<Instructions>,
        is_default: Patch<bool>,
    }
}

impl From<BlogTemplateSection> for TemplateSection {
    fn from(section: BlogTemplateSection) -> Self {
        Self {
            heading: section.heading.0,
            instructions: section.instructions.map(|text| text.0).unwrap_or_default(),
            words: section.words.and_then(|words| u32::try_from(words.0).ok()),
        }
    }
}

fn sections(structure: BlogTemplateStructure) -> Vec<TemplateSection> {
    structure.sections.map(|list| list.0.into_iter().map(Into::into).collect()).unwrap_or_default()
}

impl From<CreateBlogTemplate> for TemplateEdit {
    fn from(body: CreateBlogTemplate) -> Self {
        Self {
            name: Some(body.name.0),
            description: body.description.map(|text| text.0),
            tone: Some(body.tone.map(|tone| tone.0)),
            sections: body.structure.map(sections),
            custom_instructions: body.custom_instructions.map(|text| text.0),
            is_default: Some(body.is_default),
        }
    }
}

impl From<UpdateBlogTemplate> for TemplateEdit {
    fn from(body: UpdateBlogTemplate) -> Self {
        Self {
            name: body.name.0.map(|name| name.0),
            description: body.description.0.map(|text| text.0),
            tone: body.tone.0.map(|tone| tone.0.map(|tone| tone.0)),
            sections: body.structure.0.map(sections),
            custom_instructions: body.custom_instructions.0.map(|text| text.0),
            is_default: body.is_default.0,
        }
    }
}

view! {
    /// What blog posts are made from.
    pub struct BlogTemplate of rows::BlogTemplate as row {
        id: Uuid,
        organization_id: Uuid = row.org_id,
        name: String,
        description: String,
        tone: Nullable<String>,
        /// `sections`, each with `heading`, `instructions` and `words`.
        structure: FreeObject,
        custom_instructions: String,
        is_default: bool,
        created_at: Moment,
        updated_at: Moment,
    }
}
