//! Publishing an article: one post, whatever happens on the way.

use std::collections::HashMap;

use galley_domain::{Fault, FaultCode};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    WordPress,
    content::{ContentForm, Shown, render},
    locks::alone,
    marker::{self, Marker},
    media::{self, Media},
    posts::{self, RemotePost},
    seo, terms,
};
use crate::{
    post::{Post, Visibility},
    probe::TermKind,
    remote::{Known, Published, RemoteFields, RemoteStatus, SeoOutcome},
};

impl WordPress {
    pub(super) async fn put(&self, post: &Post, known: Option<&Known>) -> Result<Published, Fault> {
        post.check()?;
        let _alone = alone(self.site.key(&post.article_id.to_string())).await;
        let there = posts::find(&self.site, post.article_id, known, Some(&post.slug)).await?;
        let mut warnings = Vec::new();
        if let Some(there) = &there {
            refuse(there, post)?;
            if is_there(there, post, known) {
                return self.published(there, post, true, SeoOutcome::Unknown, warnings).await;
            }
        } else if let Some(known) = known {
            warnings.push(format!("post {} was gone; the article was published anew", known.external_id));
        }
        let fields = self.fields(post, there.as_ref(), known, &mut warnings).await?;
        let id = there.as_ref().map(|there| there.id);
        let written = posts::write(&self.site, id, &fields).await;
        let mut written = written.map_err(|failure| failure.into_fault("publish the article"))?;
        let made = written.id;
        if there.is_none() {
            written = self.only_one(written, post, &mut warnings).await?;
            if written.slug() != post.slug && !matches!(written.status(), RemoteStatus::Draft | RemoteStatus::Pending) {
                warnings.push(format!(
                    "the name {} is taken there; post {} is called {}",
                    post.slug,
                    written.id,
                    written.slug()
                ));
            }
        }
        if written.status() == RemoteStatus::Private {
            warnings.push(format!("somebody there made post {} private; it stays so", written.id));
        } else if !is_seen(&written, post.visibility) {
            warnings.push(format!("the site made post {} {}", written.id, written.status()));
        }
        let seo = seo::write(&self.site, &written, &post.seo).await;
        warnings.extend(seo.warning);
        // Of two who made it, the other one did.
        self.published(&written, post, written.id != made, seo.outcome, warnings).await
    }

    /// All that is sent, with its terms and pictures there.
    async fn fields(
        &self,
        post: &Post,
        there: Option<&RemotePost>,
        known: Option<&Known>,
        warnings: &mut Vec<String>,
    ) -> Result<Value, Fault> {
        let may_create = self.settings.create_terms;
        let site = &self.site;
        let mut categories = terms::ids_of(site, TermKind::Category, &post.categories, may_create, warnings).await?;
        categories.extend(post.category_ids.iter().filter(|id| **id > 0));
        categories.dedup();
        let tags = terms::ids_of(site, TermKind::Tag, &post.tags, may_create, warnings).await?;
        let pictures = self.pictures(post, known).await?;
        let shown: HashMap<String, Shown> = pictures
            .iter()
            .map(|(name, (media, caption))| {
                let picture = media.picture();
                (name.clone(), Shown { id: media.id, url: picture.url, caption: caption.clone() })
            })
            .collect();
        let as_blocks = self.writes_blocks().await?;
        let mark = Marker { article: post.article_id, version: post.version, fingerprint: post.fingerprint() };
        let content = marker::marked(&render(post, &shown, as_blocks), &mark, as_blocks);
        let cover = post.cover().and_then(|cover| pictures.get(&cover.name)).map_or(0, |(media, _)| media.id);
        // HTML there: a sign of less-than would be taken for a tag, and out.
        let mut fields = Map::from_iter([
            ("title".to_owned(), html_text(&post.title).into()),
            ("content".to_owned(), content.into()),
        ]);
        let before = known.and_then(|known| known.fields.as_ref());
        let mut put = |key: &str, is_given: bool, was_given: bool, value: Value| {
            // What the article does not have and did not have is theirs to choose.
            if is_given || was_given {
                fields.insert(key.to_owned(), value);
            }
        };
        let was = |has: fn(&RemoteFields) -> bool| before.is_some_and(has);
        put("excerpt", !post.excerpt.is_empty(), was(|f| !f.excerpt.is_empty()), html_text(&post.excerpt).into());
        put("tags", !tags.is_empty(), was(|f| !f.tags.is_empty()), json!(tags));
        put("featured_media", cover > 0, was(|f| f.featured.is_some()), cover.into());
        put("categories", !categories.is_empty(), false, json!(categories));
        // The address of an article that is there stays.
        put("slug", there.is_none(), false, post.slug.clone().into());
        visible(&mut fields, post, there);
        let fields = Value::Object(fields);
        Ok(fields)
    }

    /// Each picture on the site, by the name that the text has for it, with what stands below it.
    async fn pictures(&self, post: &Post, known: Option<&Known>) -> Result<HashMap<String, (Media, String)>, Fault> {
        let mut found = HashMap::new();
        for asset in &post.assets {
            let media = media::ensure(&self.site, asset, known).await?;
            found.insert(asset.name.clone(), (media, asset.caption_with_credit()));
        }
        Ok(found)
    }

    pub(super) async fn writes_blocks(&self) -> Result<bool, Fault> {
        Ok(match self.settings.form {
            ContentForm::Blocks => true,
            ContentForm::Html => false,
            ContentForm::Auto => self.has_block_editor().await?,
        })
    }

    /// Of two processes that made the post at once, the one with the higher number takes its own back.
    async fn only_one(&self, made: RemotePost, post: &Post, warnings: &mut Vec<String>) -> Result<RemotePost, Fault> {
        let found = posts::marked(&self.site, post.article_id).await;
        let found = found.map_err(|failure| failure.into_fault("look for copies of the article"))?;
        let Some(first) =
            found.into_iter().filter(|other| !other.is_trashed() && other.id < made.id).min_by_key(|p| p.id)
        else {
            return Ok(made);
        };
        let removed = posts::remove(&self.site, made.id, true).await;
        removed.map_err(|failure| failure.into_fault("remove a copy of the article"))?;
        warnings.push(format!("post {} was made at the same moment; the copy {} was removed", first.id, made.id));
        Ok(first)
    }

    async fn published(
        &self,
        there: &RemotePost,
        post: &Post,
        already_there: bool,
        seo_meta: SeoOutcome,
        warnings: Vec<String>,
    ) -> Result<Published, Fault> {
        let fields = self.fields_of(there).await?;
        Ok(Published {
            external_id: there.id.to_string(),
            url: there.link.clone(),
            slug: there.slug(),
            status: there.status(),
            version: post.version,
            already_there,
            seo_meta,
            fields,
            warnings,
        })
    }

    /// A post with its terms and its picture by name.
    pub(super) async fn fields_of(&self, post: &RemotePost) -> Result<RemoteFields, Fault> {
        let featured = media::by_id(&self.site, post.featured_media).await;
        Ok(RemoteFields {
            title: post.title(),
            content: marker::without(&post.content.raw),
            excerpt: crate::markup::decoded(&post.excerpt.raw),
            slug: post.slug(),
            status: post.status(),
            categories: terms::names_of(&self.site, TermKind::Category, &post.categories).await?,
            tags: terms::names_of(&self.site, TermKind::Tag, &post.tags).await?,
            featured: featured.map_err(|failure| failure.into_fault("show the featured picture"))?,
            date: post.date(),
        })
    }

    pub(super) async fn find(&self, article: Uuid, known: Option<&Known>) -> Result<Option<RemotePost>, Fault> {
        posts::find(&self.site, article, known, None).await
    }
}

fn html_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// What is there and must stay as it is.
pub(super) fn refuse(there: &RemotePost, post: &Post) -> Result<(), Fault> {
    if there.is_trashed() {
        let message = format!(
            "post {} of the article is in the site's trash; restore it there, or delete it for good and publish again",
            there.id
        );
        return Err(Fault::permanent(FaultCode::WorkflowError, message));
    }
    let version = there.version();
    if version > post.version {
        let message = format!(
            "post {} is version {version}, newer than version {}; publish the older text as a new version",
            there.id, post.version
        );
        return Err(Fault::permanent(FaultCode::WorkflowError, message));
    }
    Ok(())
}

/// This version with these fields, seen by whom it should be. A post that our records do not know yet may have been left
/// half done by an answer that was lost, so it must also have what is set after the text.
pub(super) fn is_there(there: &RemotePost, post: &Post, known: Option<&Known>) -> bool {
    let Some(mark) = there.marker() else { return false };
    let is_whole = (post.cover().is_none() || there.featured_media > 0)
        && (post.tags.is_empty() || !there.tags.is_empty())
        && (post.categories.is_empty() || !there.categories.is_empty());
    mark.version == post.version
        && mark.fingerprint == post.fingerprint()
        && is_seen(there, post.visibility)
        && !post.overwrite
        && (known.is_some() || is_whole)
}

fn is_seen(there: &RemotePost, visibility: Visibility) -> bool {
    match (there.status(), visibility) {
        (RemoteStatus::Published | RemoteStatus::Private, Visibility::Publish)
        | (RemoteStatus::Draft, Visibility::Draft)
        | (RemoteStatus::Pending, Visibility::Pending) => true,
        // Its time may have come meanwhile.
        (RemoteStatus::Future | RemoteStatus::Published, Visibility::Future(at)) => {
            there.date().is_some_and(|date| date.timestamp() == at.timestamp())
        }
        _ => false,
    }
}

/// Status and date. A date without one is the site's to choose, so no clock but its own decides.
fn visible(fields: &mut Map<String, Value>, post: &Post, there: Option<&RemotePost>) {
    let stands = there.map(RemotePost::status);
    let status = match post.visibility {
        // Somebody there has closed it; only an explicit wish opens it again.
        Visibility::Publish if stands == Some(RemoteStatus::Private) && !post.overwrite => "private",
        Visibility::Publish => "publish",
        Visibility::Draft => "draft",
        Visibility::Pending => "pending",
        Visibility::Future(_) => "future",
    };
    fields.insert("status".to_owned(), status.into());
    match (post.visibility, stands) {
        (Visibility::Future(at), _) => {
            fields.insert("date_gmt".to_owned(), at.format("%Y-%m-%dT%H:%M:%S").to_string().into());
        }
        // With its date ahead, WordPress would keep it waiting.
        (Visibility::Publish, Some(RemoteStatus::Future)) => {
            fields.insert("date_gmt".to_owned(), Value::Null);
        }
        _ => {}
    }
}
