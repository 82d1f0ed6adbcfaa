//! What the step that publishes works with, and what it brings.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use galley_destinations::{
    Destination, Known, Post, Published, RemoteFields, SeoMeta, Visibility as Shown, differences,
};
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
    /// Of the article, as far as our records know what stands there.
    pub known_version: Option<i32>,
    /// How late it is, and until when it is tried, of one that was promised.
    late: Option<(TimeDelta, TimeDelta)>,
}

impl PublicationWork {
    /// As what the article is to stand there.
    pub fn shown(&self) -> Shown {
        shown_as(*self.publication.visibility, self.publication.due_at)
    }

    /// A promise outlasts a site that is away, as long as it may come late; that costs no attempt.
    pub fn put_off(&self, fault: Fault) -> StepError {
        match self.late {
            Some((late, most)) if late < most => {
                let wait = (late / 4).clamp(SOONEST, LATEST).min(most - late + SOONEST);
                tracing::warn!(publication = %self.publication.id, %fault, "its site is away; it is tried again");
                StepError::Snooze(wait.to_std().unwrap_or(REWRITTEN_WAIT))
            }
            _ => fault.into(),
        }
    }
}

const SOONEST: TimeDelta = TimeDelta::seconds(10);
const LATEST: TimeDelta = TimeDelta::minutes(10);

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
    Fault::permanent(FaultCode::Conflict, message).into()
}

impl Services {
    /// Marks the publication as under way and gathers what it needs. What keeps it from going out is a permanent fault: a
    /// missed hour, the gate, a project in the trash.
    pub async fn publication_work(&self, step: &ClaimedStep) -> Result<PublicationWork, StepError> {
        let (org, task) = step.owner().ok_or(StoreError::LeaseLost)?;
        let row = self.store.tenant(org).task(task).await?.ok_or(StoreError::LeaseLost)?;
        let Input { publication_id } = serde_json::from_value(row.input).map_err(StoreError::from)?;
        let (publication, article, connection) = self.begin_publication(org, step, publication_id).await?;
        let tenant = self.store.tenant(org);
        let placed = tenant.placed(article.id, connection.id).await?;
        let known_version = placed.as_ref().and_then(|placed| placed.version);
        let known = known(placed)?;
        let promise: Option<Promise> =
            article.schedule.clone().map(serde_json::from_value).transpose().map_err(StoreError::from)?;
        let late = match (publication.due_at, promise) {
            (Some(due), Some(promise)) => Some((tenant.now().await? - due, promise.may_be_late())),
            _ => None,
        };
        let blog = self.blog(org, &connection).await.map_err(step_error)?;
        Ok(PublicationWork { publication, article, connection, blog, known, known_version, late })
    }

    /// Whether the text that stands there is one that we have sent, and whose call was given up before its end was known: it
    /// bears the mark of a newer version than our records know, and is its text.
    pub async fn is_our_own(&self, work: &PublicationWork, there: &RemoteFields) -> Result<bool, StepError> {
        let (article, known) = (&work.article, work.known.as_ref());
        let Some(found) = work.blog.look_up(article.id, known).await? else { return Ok(false) };
        let version = i32::try_from(found.version).unwrap_or(i32::MAX);
        if work.known_version.is_none_or(|recorded| version <= recorded) {
            return Ok(false);
        }
        let org = OrgId(article.org_id);
        let Some(sent) = self.store.tenant(org).article_version(article.id, version).await? else { return Ok(false) };
        let sent = rows::Article { title: sent.title, content_markdown: sent.content_markdown, ..article.clone() };
        let form = work.blog.preview(post_of(&sent, Shown::Publish, Assets::none(&sent)), known).await?.local;
        Ok(differences(&form, there).iter().all(|one| !matches!(one.field.as_str(), "title" | "content")))
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
        let shown = shown_as(*publication.visibility, publication.due_at);
        let assets = self.assets_of(org, article).await?;
        let post = post_of(article, shown, assets);
        Ok(Post { overwrite: publication.force, ..post })
    }
}

/// The fields that were changed there since they were sent, but for those that are what is to be sent now: over these
/// nothing gets lost, and they may be what a call of ours has brought about whose answer nobody has seen.
pub async fn changed_by_others(
    blog: &Arc<dyn Destination>,
    article: &rows::Article,
    shown: Shown,
    known: &Known,
    there: &RemoteFields,
) -> Result<Vec<String>, Fault> {
    let Some(sent) = &known.fields else { return Ok(Vec::new()) };
    let changed: Vec<String> = differences(sent, there).into_iter().map(|one| one.field).collect();
    if changed.is_empty() {
        return Ok(changed);
    }
    let wanted = blog.preview(post_of(article, shown, Assets::none(article)), Some(known)).await?.local;
    let other: Vec<String> = differences(&wanted, there).into_iter().map(|one| one.field).collect();
    Ok(changed.into_iter().filter(|field| other.contains(field)).collect())
}

pub(crate) fn shown_as(visibility: Visibility, due: Option<DateTime<Utc>>) -> Shown {
    match visibility {
        Visibility::Future => due.map_or(Shown::Publish, Shown::Future),
        Visibility::Publish => Shown::Publish,
        Visibility::Draft => Shown::Draft,
        Visibility::Pending => Shown::Pending,
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
