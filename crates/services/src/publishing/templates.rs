//! Templates of blog posts.

use galley_domain::OrgId;
use galley_store::{NewTemplate, rows};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::{
    Services,
    error::{Missing, ServiceError},
    idempotency::{Answer, IdempotencyKey, once},
};

/// A template to make, or changes to one; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct TemplateEdit {
    pub name: Option<String>,
    pub description: Option<String>,
    pub tone: Option<Option<String>>,
    pub sections: Option<Vec<TemplateSection>>,
    pub custom_instructions: Option<String>,
    pub is_default: Option<bool>,
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

impl TemplateEdit {
    fn apply(self, template: &mut rows::BlogTemplate) {
        fn set<T>(field: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *field = value;
            }
        }
        set(&mut template.name, self.name);
        set(&mut template.description, self.description);
        set(&mut template.tone, self.tone);
        set(&mut template.structure, self.sections.map(structure));
        set(&mut template.custom_instructions, self.custom_instructions);
        set(&mut template.is_default, self.is_default);
    }
}

fn structure(sections: Vec<TemplateSection>) -> Json {
    if sections.is_empty() { Json::Object(Map::new()) } else { json!({ "sections": sections }) }
}

/// The sections that a stored template names.
pub(crate) fn sections_of(template: &rows::BlogTemplate) -> Vec<TemplateSection> {
    serde_json::from_value(template.structure["sections"].clone()).unwrap_or_default()
}

impl Services {
    /// Newest first.
    pub async fn blog_templates(&self, org: OrgId) -> Result<Vec<rows::BlogTemplate>, ServiceError> {
        Ok(self.store.tenant(org).blog_templates().await?)
    }

    pub async fn blog_template(&self, org: OrgId, id: Uuid) -> Result<rows::BlogTemplate, ServiceError> {
        self.store.tenant(org).blog_template(id).await?.ok_or(ServiceError::NotFound(Missing::Template))
    }

    /// One that is the default takes that from whichever was it.
    pub async fn create_blog_template(
        &self,
        org: OrgId,
        edit: TemplateEdit,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<rows::BlogTemplate>, ServiceError> {
        let tx = self.store.begin(org).await?;
        once(tx, key, |tx| async move {
            tx.hold_slug("blog_templates").await?;
            let is_default = edit.is_default.unwrap_or(false);
            if is_default {
                tx.clear_default_blog_template().await?;
            }
            let new = NewTemplate {
                name: edit.name.unwrap_or_default(),
                description: edit.description.unwrap_or_default(),
                tone: edit.tone.flatten(),
                structure: structure(edit.sections.unwrap_or_default()),
                custom_instructions: edit.custom_instructions.unwrap_or_default(),
                is_default,
            };
            let template = tx.insert_blog_template(new).await?;
            Ok((tx, template))
        })
        .await
    }

    pub async fn edit_blog_template(
        &self,
        org: OrgId,
        id: Uuid,
        edit: TemplateEdit,
    ) -> Result<rows::BlogTemplate, ServiceError> {
        let tx = self.store.begin(org).await?;
        tx.hold_slug("blog_templates").await?;
        let mut template = tx.lock_blog_template(id).await?.ok_or(ServiceError::NotFound(Missing::Template))?;
        if edit.is_default == Some(true) && !template.is_default {
            tx.clear_default_blog_template().await?;
        }
        edit.apply(&mut template);
        let template = tx.save_blog_template(template).await?;
        tx.commit().await?;
        Ok(template)
    }

    /// Posts that were made from it keep their text.
    pub async fn delete_blog_template(&self, org: OrgId, id: Uuid) -> Result<(), ServiceError> {
        let tx = self.store.begin(org).await?;
        let found = tx.delete_blog_template(id).await?;
        tx.commit().await?;
        if found { Ok(()) } else { Err(ServiceError::NotFound(Missing::Template)) }
    }
}
