//! Articles as blog posts of a project: ordered, written anew, changed.

use chrono::NaiveDate;
use galley_domain::{
    OrgId, Principal,
    article::{ArticleStatus, RESEARCH, TASK},
    order::{ArticleOrder, FieldError},
    publishing::{PostStatus, PostType},
};
use galley_engine::StepSeed;
use galley_store::{HoldOutcome, NewOrder, PostCounts, StoreError, TenantTx, TextEnum, rows};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::post_settings::{PostOrder, PostRules, PostSettings};
use crate::{
    ArticleEdit, Services, delivered,
    error::{Missing, ServiceError},
    idempotency::{Answer, IdempotencyKey, once},
    images::PostId,
    projects::refuse_trashed,
};

const MAX_LINKS: usize = 200;

/// A post to order.
#[derive(Debug, Clone)]
pub struct PostRequest {
    pub project: Uuid,
    pub post_type: PostType,
    pub topic: String,
    pub template_id: Option<Uuid>,
    pub wp_category_ids: Vec<i64>,
    pub categories: Vec<String>,
    pub tags: Vec<String>,
    pub planned_for: Option<NaiveDate>,
    /// As the client gave them.
    pub settings: PostSettings,
}

/// Changes to a post; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct PostEdit {
    /// What makes a new version.
    pub text: ArticleEdit,
    pub excerpt: Option<Option<String>>,
    pub topic: Option<String>,
    /// `draft` or `ready`.
    pub status: Option<PostStatus>,
    /// What it shows first; null: nothing.
    pub featured: Option<Option<Featured>>,
    pub focus_keyword: Option<Option<String>>,
    pub categories: Option<Vec<String>>,
    pub tags: Option<Vec<String>>,
    pub wp_category_ids: Option<Vec<i64>>,
    /// Merged key by key; null removes one.
    pub product_links: Option<Map<String, Json>>,
    pub planned_for: Option<Option<NaiveDate>>,
}

/// What a post shows first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Featured {
    /// One of its images.
    Own(Uuid),
    /// A picture at another address.
    Elsewhere(String),
}

impl PostEdit {
    /// Changes what stands beside the text.
    pub(crate) fn apply(&self, article: &mut rows::Article) -> Result<(), ServiceError> {
        fn set<T: Clone>(field: &mut T, value: Option<&T>) {
            if let Some(value) = value {
                field.clone_from(value);
            }
        }
        set(&mut article.excerpt, self.excerpt.as_ref());
        if let Some(featured) = &self.featured {
            // That of a text from a site; from now on one of its own images counts, or none.
            article.featured_url = featured.as_ref().and_then(|featured| match featured {
                Featured::Elsewhere(url) => Some(url.clone()),
                Featured::Own(_) => None,
            });
        }
        set(&mut article.focus_keyword, self.focus_keyword.as_ref());
        set(&mut article.categories, self.categories.as_ref());
        set(&mut article.tags, self.tags.as_ref());
        set(&mut article.wp_category_ids, self.wp_category_ids.as_ref());
        set(&mut article.planned_for, self.planned_for.as_ref());
        if let Some(topic) = &self.topic {
            article.topic = Some(topic.clone());
        }
        if let Some(links) = &self.product_links {
            merge_links(&mut article.product_links, links)?;
        }
        self.status.map_or(Ok(()), |status| set_by_hand(article, status))
    }

    /// Changes which of its pictures it shows first.
    pub(crate) async fn feature(&self, tx: &TenantTx, article: Uuid) -> Result<(), ServiceError> {
        let Some(featured) = &self.featured else { return Ok(()) };
        let image = match featured {
            Some(Featured::Own(image)) => Some(*image),
            // `edit_post` has made an image of the post of it.
            Some(Featured::Elsewhere(_)) => {
                return Err(ServiceError::field("featured_image_url", "must be the link of one of the post's images"));
            }
            None => None,
        };
        match tx.feature_image(article, image).await? {
            true => Ok(()),
            false => Err(ServiceError::field("featured_image_url", "the post has no such image; add it first")),
        }
    }

    fn changes_text(&self) -> bool {
        let ArticleEdit {
            title,
            content,
            slug,
            seo_title,
            seo_description,
            keywords,
            publication_status,
            if_version: _,
        } = &self.text;
        [title, content, slug, seo_title, seo_description].iter().any(|text| text.is_some())
            || keywords.is_some()
            || publication_status.is_some()
    }
}

/// People say that a post is ready, or that it is not; everything else has a call of its own.
fn set_by_hand(article: &mut rows::Article, wanted: PostStatus) -> Result<(), ServiceError> {
    let now = status_of(article)?;
    let has_text = article.version > 0 && delivered::is_delivered(&article.status);
    if !has_text || !matches!(now, PostStatus::Draft | PostStatus::Ready | PostStatus::Failed) {
        let text = format!("the post is {now}; only a draft, ready or failed one with a text can be set to {wanted}");
        return Err(ServiceError::Conflict(text));
    }
    let status = match wanted {
        PostStatus::Ready => ArticleStatus::Approved,
        _ => ArticleStatus::Draft,
    };
    article.publish_error = None;
    article.status = status.as_str().to_owned();
    Ok(())
}

fn merge_links(links: &mut Json, changes: &Map<String, Json>) -> Result<(), ServiceError> {
    let mut merged = links.as_object().cloned().unwrap_or_default();
    for (item, link) in changes {
        match link {
            Json::Null => merged.remove(item),
            Json::String(link) if crate::link_fault(link).is_none() => {
                merged.insert(item.clone(), Json::String(link.clone()))
            }
            _ => {
                return Err(ServiceError::field(
                    format!("product_links.{item}"),
                    "must be an address that begins with http:// or https://, or null",
                ));
            }
        };
    }
    if merged.len() > MAX_LINKS {
        let text = format!("has {} links; give at most {MAX_LINKS}", merged.len());
        return Err(ServiceError::field("product_links", text));
    }
    *links = Json::Object(merged);
    Ok(())
}

/// How a post looks to those who publish: that its publication failed counts as long as nothing else was done.
pub fn status_of(article: &rows::Article) -> Result<PostStatus, StoreError> {
    post_status(&article.status, article.rewrite_task_id.is_some(), article.publish_error.is_some())
}

/// The same of what a list has of it.
pub fn post_status(status: &str, is_rewritten: bool, publish_failed: bool) -> Result<PostStatus, StoreError> {
    let status = status.parse::<ArticleStatus>()?.of_post();
    Ok(match status {
        _ if is_rewritten => PostStatus::Generating,
        PostStatus::Draft | PostStatus::Ready if publish_failed => PostStatus::Failed,
        other => other,
    })
}

impl Services {
    /// Newest first; only those in a state, if one is named.
    pub async fn posts(
        &self,
        org: OrgId,
        project: Uuid,
        status: Option<PostStatus>,
    ) -> Result<Vec<rows::ArticleHead>, ServiceError> {
        self.project(org, project).await?;
        Ok(self.store.tenant(org).posts(project, status).await?.into_iter().map(delivered::head).collect())
    }

    pub async fn post(&self, org: OrgId, project: Uuid, id: Uuid) -> Result<rows::Article, ServiceError> {
        let found = self.store.tenant(org).post(project, id).await?.map(delivered::article);
        found.ok_or(ServiceError::NotFound(Missing::Post))
    }

    pub async fn post_counts(&self, org: OrgId, project: Uuid) -> Result<PostCounts, ServiceError> {
        self.project(org, project).await?;
        Ok(self.store.tenant(org).post_counts(project).await?)
    }

    /// Takes the order of a post.
    pub async fn create_post(
        &self,
        principal: &Principal,
        request: PostRequest,
        trace_id: &str,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<rows::Article>, ServiceError> {
        let tx = self.store.begin_order(principal.org).await?;
        once(tx, key, |tx| async move {
            let project = tx_project(&tx, request.project).await?;
            let template = template(&tx, request.template_id).await?;
            let rules = PostRules { project: &project, template: template.as_ref(), server: &self.settings };
            let PostOrder { order, warnings } = rules.order(&request.topic, &request.settings)?;
            self.refuse_order(&tx, &order).await?;
            let receipt = self.orders.insert(&tx, &order, trace_id, principal.key()).await?;
            tx.warn_task(receipt.task_id, &warnings).await?;
            let id = receipt.subject.ok_or_else(|| StoreError::Unreadable("an order without its article".into()))?;
            let mut article = tx.lock_article(id).await?.ok_or(ServiceError::NotFound(Missing::Post))?;
            article.ai_settings = request.settings.to_json()?;
            article.post_type = TextEnum(request.post_type);
            article.topic = Some(request.topic);
            article.template_id = template.map(|template| template.id);
            article.wp_category_ids = request.wp_category_ids;
            (article.categories, article.tags) = (request.categories, request.tags);
            article.planned_for = request.planned_for;
            let article = tx.save_article(article).await?;
            Ok((tx, article))
        })
        .await
    }

    /// Refuses an order of a post that names what cannot be read, in the words of a post.
    async fn refuse_order(&self, tx: &TenantTx, order: &ArticleOrder) -> Result<(), ServiceError> {
        let mut wrong = self.orders.wrong_references(tx, &order.references()).await?;
        wrong.iter_mut().for_each(within_settings);
        if wrong.is_empty() { Ok(()) } else { Err(ServiceError::Validation(wrong)) }
    }

    /// Writes the text anew, by its settings, which the given ones change, by its template and by its project. The text
    /// that stands stays until the new one is there, and stays when that fails.
    pub async fn regenerate_post(
        &self,
        principal: &Principal,
        (project, id): (Uuid, Uuid),
        given: PostSettings,
        trace_id: &str,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<rows::Article>, ServiceError> {
        self.post(principal.org, project, id).await?;
        let tx = self.store.begin_order(principal.org).await?;
        once(tx, key, |tx| async move {
            let mut article = tx.lock_article(id).await?.ok_or(ServiceError::NotFound(Missing::Post))?;
            let owner = tx_project(&tx, project).await?;
            refuse_unwritable(&article)?;
            let before = order_of(&tx, &article).await?;
            let template = match article.template_id {
                Some(template) => tx.one::<rows::BlogTemplate>(template).await?,
                None => None,
            };
            let settings = given.or(PostSettings::of_post(&article)?);
            let rules = PostRules { project: &owner, template: template.as_ref(), server: &self.settings };
            let next = rules.next_order(before, article.topic.as_deref(), &settings)?;
            self.refuse_order(&tx, &next.order).await?;
            let task_id = self.insert_rewrite(&tx, principal, id, &next, trace_id).await?;
            // One that never had a text is as new.
            if article.status == ArticleStatus::Failed.as_str() {
                article.task_id = Some(task_id);
                article.status = ArticleStatus::Generating.as_str().to_owned();
            } else {
                article.rewrite_task_id = Some(task_id);
            }
            (article.error, article.publish_error) = (None, None);
            article.ai_settings = settings.to_json()?;
            let article = tx.save_article(article).await?;
            Ok((tx, article))
        })
        .await
    }

    /// Orders the next text of a post; its task.
    async fn insert_rewrite(
        &self,
        tx: &TenantTx,
        principal: &Principal,
        article: Uuid,
        next: &PostOrder,
        trace_id: &str,
    ) -> Result<Uuid, ServiceError> {
        let (id, price) = (Uuid::now_v7(), self.settings.prices.generate);
        let written = tx.insert_order(NewOrder {
            id,
            kind: TASK,
            input: serde_json::to_value(&next.order).map_err(StoreError::from)?,
            subject: Some(article),
            price,
            api_key_id: principal.key(),
            parent: None,
            first: self.registry.new_step(StepSeed::new(RESEARCH), trace_id)?,
            run_at: None,
            told: json!({ "article_id": article }),
        });
        if let HoldOutcome::Insufficient { available } = written.await? {
            return Err(ServiceError::InsufficientCredits { needed: price, available });
        }
        tx.warn_task(id, &next.warnings).await?;
        Ok(id)
    }

    /// What is written about the text makes a version; what stands beside it does not. A picture at another address becomes
    /// an image of the post first.
    pub async fn edit_post(
        &self,
        org: OrgId,
        (project, post): (Uuid, Uuid),
        edit: PostEdit,
    ) -> Result<rows::Article, ServiceError> {
        self.post(org, project, post).await?;
        let place = PostId { project, post };
        let (edit, fetched) = self.with_fetched_image(org, place, edit).await?;
        let edited = self.edit_known_post(org, post, edit).await;
        if edited.is_err() {
            self.forget_fetched(org, place, fetched).await;
        }
        edited
    }

    async fn edit_known_post(&self, org: OrgId, id: Uuid, edit: PostEdit) -> Result<rows::Article, ServiceError> {
        let article = match edit.changes_text() {
            true => self.edit_article_and(org, id, edit.text.clone(), Some(&edit)).await?,
            false => self.edit_beside_text(org, id, &edit).await?,
        };
        if edit.focus_keyword.is_some() { self.keep_score(org, article).await } else { Ok(article) }
    }

    /// Keeps the score of a post, which the averages of its project are made of, after it got another keyword to be found for.
    async fn keep_score(&self, org: OrgId, article: rows::Article) -> Result<rows::Article, ServiceError> {
        let Some(scored) = self.score_post(org, &article, None).await? else { return Ok(article) };
        let tx = self.store.begin(org).await?;
        match tx.lock_article(article.id).await? {
            // Another text has a score of its own.
            Some(mut now) if now.version == article.version => {
                now.seo_report = Some(json!(scored.report));
                let now = tx.save_article(now).await?;
                tx.commit().await?;
                Ok(delivered::article(now))
            }
            _ => Ok(article),
        }
    }

    async fn edit_beside_text(&self, org: OrgId, id: Uuid, edit: &PostEdit) -> Result<rows::Article, ServiceError> {
        let tx = self.store.begin(org).await?;
        let mut article = tx.lock_article(id).await?.ok_or(ServiceError::NotFound(Missing::Post))?;
        refuse_trashed(&tx, article.project_id).await?;
        refuse_generating(&article)?;
        edit.apply(&mut article)?;
        edit.feature(&tx, id).await?;
        let article = tx.save_article(article).await?;
        crate::webhooks::tell_article(&tx, event_of(edit), &article).await?;
        self.follow_in_folder(&tx, id).await?;
        tx.commit().await?;
        Ok(delivered::article(article))
    }
}

const NOT_WRITTEN_HERE: &str = "the text was not written here, or its order is gone; order a new post";

pub(crate) fn event_of(edit: &PostEdit) -> galley_webhooks::Event {
    match edit.status {
        Some(PostStatus::Ready) => galley_webhooks::Event::ArticleApproved,
        _ => galley_webhooks::Event::ArticleUpdated,
    }
}

/// Nobody changes what is being written.
pub(crate) fn refuse_generating(article: &rows::Article) -> Result<(), ServiceError> {
    match status_of(article)? {
        PostStatus::Generating => {
            Err(ServiceError::Conflict("the post is being written; wait until its job has ended".into()))
        }
        _ => Ok(()),
    }
}

/// An order's fields stand in the settings of a post.
fn within_settings(error: &mut FieldError) {
    error.field = format!("ai_settings.{}", error.field);
}

/// Nothing is written over what is being published, promised or published.
fn refuse_unwritable(article: &rows::Article) -> Result<(), ServiceError> {
    if article.publication_id.is_some() {
        let text = "a publication of the post is under way; wait until it has ended";
        return Err(ServiceError::Conflict(text.into()));
    }
    match status_of(article)? {
        PostStatus::Draft | PostStatus::Ready | PostStatus::Failed => Ok(()),
        other => {
            let text = format!("the post is {other}; it can be written anew as a draft, ready or failed one");
            Err(ServiceError::Conflict(text))
        }
    }
}

/// What the text of a post was written by.
async fn order_of(tx: &TenantTx, article: &rows::Article) -> Result<ArticleOrder, ServiceError> {
    let missing = || ServiceError::Conflict(NOT_WRITTEN_HERE.into());
    let task = tx.task(article.task_id.ok_or_else(missing)?).await?.ok_or_else(missing)?;
    Ok(serde_json::from_value(task.input).map_err(StoreError::from)?)
}

/// The project is in the path: one that is unknown is missing, one in the trash is a conflict.
async fn tx_project(tx: &TenantTx, project: Uuid) -> Result<rows::Project, ServiceError> {
    let found = tx.project(project).await?.ok_or(ServiceError::NotFound(Missing::Project))?;
    refuse_trashed(tx, Some(project)).await?;
    Ok(found)
}

async fn template(tx: &TenantTx, id: Option<Uuid>) -> Result<Option<rows::BlogTemplate>, ServiceError> {
    let Some(id) = id else { return Ok(tx.default_blog_template().await?) };
    let found = tx.one::<rows::BlogTemplate>(id).await?;
    found.map(Some).ok_or_else(|| ServiceError::field("template_id", format!("there is no template {id}")))
}
