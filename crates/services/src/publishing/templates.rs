//! Templates of blog posts.

use galley_store::rows;
use serde_json::{Map, Value as Json, json};

use crate::{
    error::ServiceError,
    kept::{Change, Resource, edit, resource},
};

edit! {
    /// A template to make, or changes to one.
    pub struct TemplateEdit of rows::BlogTemplate {
        name: String,
        description: String,
        tone: Option<String>,
        structure: Sections,
        custom_instructions: String,
        is_default: bool,
    }
}

/// What a section of a post made from a template is to be.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TemplateSection {
    pub heading: String,
    #[serde(default)]
    pub instructions: String,
    #[serde(default)]
    pub words: Option<u32>,
}

/// The sections of a template, in their order.
#[derive(Debug, Clone, Default)]
pub struct Sections(pub Vec<TemplateSection>);

impl From<Sections> for Json {
    fn from(Sections(sections): Sections) -> Self {
        if sections.is_empty() { Self::Object(Map::new()) } else { json!({ "sections": sections }) }
    }
}

/// The sections that a stored template names.
pub(crate) fn sections_of(template: &rows::BlogTemplate) -> Vec<TemplateSection> {
    serde_json::from_value(template.structure["sections"].clone()).unwrap_or_default()
}

impl Resource for rows::BlogTemplate {
    resource!(Template, at most 500 "templates");
    type Edit = TemplateEdit;

    /// One that is the default takes that from whichever was it.
    async fn apply(at: &Change<'_>, edit: TemplateEdit, row: &mut Self) -> Result<(), ServiceError> {
        if at.is_new {
            row.structure = Sections::default().into();
        }
        if edit.is_default == Some(true) && !row.is_default {
            at.tx.clear_default_blog_template().await?;
        }
        edit.write(row);
        Ok(())
    }
}
