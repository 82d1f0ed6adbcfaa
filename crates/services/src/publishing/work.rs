//! What the step that publishes works with, and what it brings.

use std::{sync::Arc, time::Duration};

use galley_destinations::{Destination, Known, Post, Published, SeoMeta, Visibility as Shown};
use galley_domain::{
    Fault, FaultCode, OrgId,
    article::ArticleStatus,
    publishing::{PublicationState, Visibility},
};
use galley_engine::StepError;
use galley_store::{ClaimedStep, NewStep, StoreError, TextEnum, rows};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{assets::Assets, gate, known, missed::Promise};
use crate::{Services, error::ServiceError};

/// What is written anew goes out when it is there.
const REWRITTEN_WAIT: Duration = Duration::from_secs(20);

/// The input of the task.
#[derive(Debug, Deserialize)]
struct Input {
    publication_id: Uuid,
}

/// A publication that is to be sent.
#[derive(Debug)]
pub struct PublicationWork {
    pub publication: rows::Publication,
    pub article: rows::Article,
    pub connection: rows::Connection,
    pub blog: Arc<dyn Destination>,
    /// What our records say of the article there.
    pub known: Option<Known>,
}

/// What the step brings.
#[derive(Debug, Clone)]
pub struct SentPublication {
    pub publication: Uuid,
    pub version: i32,
    pub published: Published,
    /// Lets the folder of a static site follow.
    pub follow: Vec<NewStep>,
}

fn refused(message: impl Into<String>) -> StepError {
    Fault::permanent(FaultCode::WorkflowError, message).into()
}

impl Services {
    /// Marks the publication as under way and gathers what it needs. What keeps it from going out is a permanent fault: a
    /// missed hour, the gate, a project in the trash.
    pub async fn publication_work(&self, step: &ClaimedStep) -> Result<PublicationWork, StepError> {
        let (org, task) = step.owner().ok_or(StoreError::LeaseLost)?;
        let row = self.store.tenant(org).task(task).await?.ok_or(StoreError::LeaseLost)?;
        let Input { publication_id } = serde_json::from_value(row.input).map_err(StoreError::from)?;
        let (publication, article, connection) = self.begin_publication(org, step, publication_id).await?;
        let known = known(self.store.tenant(org).placed(article.id, connection.id).await?)?;
        let blog = self.blog(org, &connection).await.map_err(step_error)?;
        Ok(PublicationWork { publication, article, connection, blog, known })
    }

    async fn begin_publication(
        &self,
        org: OrgId,
        step: &ClaimedStep,
        id: Uuid,
    ) -> Result<(rows::Publication, rows::Article, rows::Connection), StepError> {
        let tx = self.store.begin(org).await?;
        tx.hold_fence(step.fence).await?;
        let found = tx.publication(id).await?.ok_or_else(|| refused("the publication was removed"))?;
        let article = tx.lock_article(found.article_id).await?.ok_or_else(|| refused("the article was deleted"))?;
        let mut publication = tx.lock_publication(id).await?.ok_or_else(|| refused("the publication was removed"))?;
        let promise: Option<Promise> =
            article.schedule.clone().map(serde_json::from_value).transpose().map_err(StoreError::from)?;
        let is_first = *publication.status == PublicationState::Pending;
        if let (Some(promise), Some(due), true) = (&promise, publication.due_at, is_first)
            && let Some(why) = promise.refuses(due, tx.now().await?)
        {
            publication.metadata["missed"] = json!(true);
            tx.save_publication(publication).await?;
            tx.commit().await?;
            return Err(refused(why));
        }
        crate::projects::refuse_trashed(&tx, article.project_id).await.map_err(step_error)?;
        if article.rewrite_task_id.is_some() {
            return Err(StepError::Snooze(REWRITTEN_WAIT));
        }
        if article.status == ArticleStatus::Archived.as_str() {
            return Err(refused("the article was archived"));
        }
        gate::check(&tx, &article).await.map_err(step_error)?;
        let connection = match publication.connection_id {
            Some(connection) => tx.one::<rows::Connection>(connection).await?.filter(|connection| connection.is_active),
            None => None,
        };
        let connection = connection.ok_or_else(|| refused("the connection was removed or is no longer active"))?;
        publication.status = TextEnum(PublicationState::Publishing);
        let publication = tx.save_publication(publication).await?;
        tx.commit().await?;
        Ok((publication, article, connection))
    }

    /// The article as it is put there.
    pub async fn post_message(&self, org: OrgId, work: &PublicationWork) -> Result<Post, StepError> {
        let PublicationWork { publication, article, .. } = work;
        let shown = match *publication.visibility {
            Visibility::Publish => Shown::Publish,
            Visibility::Draft => Shown::Draft,
            Visibility::Pending => Shown::Pending,
        };
        let assets = self.assets_of(org, article).await?;
        let post = post_of(article, shown, assets);
        Ok(Post { overwrite: publication.force, ..post })
    }
}

/// An article as destinations take it.
pub fn post_of(article: &rows::Article, visibility: Shown, assets: Assets) -> Post {
    Post {
        article_id: article.id,
        version: u32::try_from(article.version).unwrap_or(0),
        slug: article.slug.clone(),
        title: article.title.clone(),
        excerpt: article.excerpt.clone().unwrap_or_default(),
        seo: SeoMeta {
            title: article.seo_title.clone(),
            description: article.seo_description.clone(),
            focus_keyword: article
                .focus_keyword
                .clone()
                .or_else(|| article.keywords.first().cloned())
                .unwrap_or_default(),
        },
        keywords: article.keywords.clone(),
        categories: article.categories.clone(),
        category_ids: article.wp_category_ids.iter().filter_map(|id| u64::try_from(*id).ok()).collect(),
        tags: article.tags.clone(),
        language: article.language.clone(),
        date: article.published_at.unwrap_or(article.created_at),
        modified: Some(article.updated_at),
        visibility,
        overwrite: false,
        markdown_body: without_title(&assets.markdown).to_owned(),
        assets: assets.list,
    }
}

/// The same for a folder, whose generators make pages of keywords.
pub fn folder_post(article: &rows::Article, visibility: Shown, assets: Assets) -> Post {
    let post = post_of(article, visibility, assets);
    let tags = if post.tags.is_empty() { post.keywords.clone() } else { post.tags.clone() };
    // It has no place for a title of its own and a keyphrase.
    let seo = SeoMeta { description: post.seo.description.clone(), ..SeoMeta::default() };
    Post { tags, seo, date: article.created_at, ..post }
}

/// Themes set the title themselves.
fn without_title(markdown: &str) -> &str {
    match markdown.split_once('\n') {
        Some((first, rest)) if first.starts_with("# ") => rest.trim_start(),
        _ => markdown,
    }
}

/// A refusal of a use case as the end of a step.
pub(crate) fn step_error(error: ServiceError) -> StepError {
    match error {
        ServiceError::Store(error) => error.into(),
        ServiceError::Outside(fault) => fault.into(),
        ServiceError::Refused(text, reasons) => {
            let reasons: Vec<String> = reasons.into_iter().map(|reason| reason.message).collect();
            refused(format!("{text}: {}", reasons.join("; ")))
        }
        other => refused(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::without_title;

    #[test]
    fn only_a_title_at_the_top_goes() {
        assert_eq!(without_title("# A\n\ntext\n\n# B"), "text\n\n# B");
        assert_eq!(without_title("text\n# B"), "text\n# B");
        assert_eq!(without_title("## A\ntext"), "## A\ntext");
    }
}
