//! What the step that publishes works with, and what it brings.

use std::{sync::Arc, time::Duration};

use galley_destinations::{Asset, AssetRole, Destination, Known, Post, Published, SeoMeta, Visibility as Shown};
use galley_domain::{
    Fault, FaultCode, OrgId,
    article::ArticleStatus,
    image::ImageSource,
    publishing::{PublicationState, Visibility},
};
use galley_engine::StepError;
use galley_store::{ClaimedStep, NewStep, StoreError, TextEnum, rows};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{gate, known, missed::Promise};
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
        // Under the lock of the article, so this is what goes out: a sync compares it with what is there later.
        publication.metadata["beside"] = tx.beside(article.id).await?;
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
        let assets = self.cover_of(org, article).await?.into_iter().collect();
        let post = post_of(article, shown, assets);
        Ok(Post { overwrite: publication.force, ..post })
    }

    /// The picture that leads the article, with its alt text.
    pub async fn cover_of(&self, org: OrgId, article: &rows::Article) -> Result<Option<Asset>, StepError> {
        let featured = self.store.tenant(org).featured_images(&[article.id]).await?.pop();
        if let Some(image) = featured.filter(|image| image.source.0 != ImageSource::Card) {
            return self.featured_asset(&image).await.map(Some);
        }
        let Some(cover) = article.cover_file_id else { return Ok(None) };
        match self.file_bytes(org, cover).await {
            Ok((_, bytes)) => Ok(Some(Asset {
                name: "cover.png".into(),
                bytes: bytes.to_vec(),
                alt: article.cover_alt.clone().unwrap_or_default(),
                caption: String::new(),
                credit: String::new(),
                role: AssetRole::Cover,
            })),
            Err(ServiceError::Store(error)) => Err(error.into()),
            Err(ServiceError::Blob(error)) => {
                let fault = Fault::transient(FaultCode::WorkflowError, "the store of files does not answer");
                Err(fault.with_detail(error).into())
            }
            Err(error) => {
                let fault = Fault::permanent(FaultCode::WorkflowError, "the cover of the article is gone");
                Err(fault.with_detail(error).into())
            }
        }
    }
}

impl Services {
    /// A picture that was chosen for the article.
    async fn featured_asset(&self, image: &rows::Image) -> Result<Asset, StepError> {
        let bytes = self.blobs.get(&image.blob).await.map_err(|error| {
            let fault = Fault::transient(FaultCode::WorkflowError, "the store of files does not answer");
            fault.with_detail(error)
        })?;
        let end = if image.kind == "jpeg" { "jpg" } else { image.kind.as_str() };
        let credit = image.credit.as_ref().and_then(|credit| credit["photographer"].as_str());
        Ok(Asset {
            name: format!("cover.{end}"),
            bytes: bytes.to_vec(),
            alt: image.alt_text.clone(),
            caption: String::new(),
            credit: credit.unwrap_or_default().to_owned(),
            role: AssetRole::Cover,
        })
    }
}

/// An article as destinations take it.
pub fn post_of(article: &rows::Article, visibility: Shown, assets: Vec<Asset>) -> Post {
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
        markdown_body: without_title(&article.content_markdown).to_owned(),
        assets,
    }
}

/// The same for a folder, whose generators make pages of keywords.
pub fn folder_post(article: &rows::Article, visibility: Shown, assets: Vec<Asset>) -> Post {
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
