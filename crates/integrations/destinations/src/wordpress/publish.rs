//! Publishing an article: one post, whatever happens on the way.

use std::collections::HashMap;

use galley_domain::{Fault, FaultCode};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    WordPress,
    content::{ContentForm, Shown, render},
    failure::Failure,
    locks::alone,
    marker::{self, Gave, Marker},
    media::{self, Media},
    posts::{self, RemotePost},
    seo, terms,
};
use crate::{
    post::{Post, SeoMeta, Visibility},
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
            if self.is_there(there, post, known).await? {
                return self.confirmed(there, post, known).await;
            }
        } else if let Some(known) = known {
            warnings.push(format!("post {} was gone; the article was published anew", known.external_id));
        }
        let fields = self.fields(post, there.as_ref(), known, &mut warnings).await?;
        let written = self.written(there.as_ref(), &fields, post.visibility).await;
        let written = written.map_err(|failure| failure.into_fault("publish the article"))?;
        let made = written.id;
        let written = self.only_one(written, there.as_ref(), post, &mut warnings).await?;
        if there.is_none() {
            warnings.extend(name_taken(&written, post));
        }
        if written.status() == RemoteStatus::Private {
            warnings.push(format!("somebody there made post {} private; it stays so", written.id));
        } else if !is_seen(&written, post.visibility) {
            warnings.push(format!("the site made post {} {}", written.id, written.status()));
        }
        let seo = seo::write(&self.site, &written, &seo_of(post, &written)).await;
        warnings.extend(seo.warning);
        // Of two who made it, the other one did.
        self.published(&written, post, written.id != made, seo.outcome, warnings).await
    }

    /// The version stands there. Where no answer of ours has said so, one was lost: what comes after the post is done now.
    async fn confirmed(&self, there: &RemotePost, post: &Post, known: Option<&Known>) -> Result<Published, Fault> {
        let mut warnings = Vec::new();
        if is_confirmed(post, known) {
            return self.published(there, post, true, SeoOutcome::Unknown, warnings).await;
        }
        let there = self.only_one(there.clone(), Some(there), post, &mut warnings).await?;
        if known.is_none() {
            warnings.extend(name_taken(&there, post));
        }
        let seo = seo::write(&self.site, &there, &seo_of(post, &there)).await;
        warnings.extend(seo.warning);
        self.published(&there, post, true, seo.outcome, warnings).await
    }

    /// WordPress goes by the date of a post: one that lies ahead, as that of a draft may which was scheduled before, keeps
    /// it waiting. Its own clock decides, so it is asked rather than reckoned.
    async fn written(
        &self,
        there: Option<&RemotePost>,
        fields: &Value,
        visibility: Visibility,
    ) -> Result<RemotePost, Failure> {
        let written = posts::write(&self.site, there.map(|there| there.id), fields).await?;
        if visibility != Visibility::Publish || written.status() != RemoteStatus::Future {
            return Ok(written);
        }
        let now = json!({ "status": "publish", "date_gmt": null });
        posts::write(&self.site, Some(written.id), &now).await
    }

    /// This version with these fields, seen by whom it should be. What no answer of ours has confirmed may have been left
    /// half done by a process or a site that died, so it must also have what is set after the text.
    pub(super) async fn is_there(&self, there: &RemotePost, post: &Post, known: Option<&Known>) -> Result<bool, Fault> {
        let Some(mark) = there.marker() else { return Ok(false) };
        let is_same = mark.version == post.version
            && mark.fingerprint == post.fingerprint()
            && is_seen(there, post.visibility)
            && !post.overwrite;
        Ok(is_same && (is_confirmed(post, known) || self.is_whole(there, post).await?))
    }

    /// Whether it has its picture and its terms. WordPress gives a category of its own to a post that has none.
    async fn is_whole(&self, there: &RemotePost, post: &Post) -> Result<bool, Fault> {
        if post.cover().is_some() && there.featured_media == 0 {
            return Ok(false);
        }
        let terms =
            [(TermKind::Category, &post.categories, &there.categories), (TermKind::Tag, &post.tags, &there.tags)];
        for (kind, names, has) in terms {
            let mut missing = Vec::new();
            let ids = terms::ids_of(&self.site, kind, names, false, &mut missing).await?;
            let would_be_made = self.settings.create_terms && !missing.is_empty();
            if would_be_made || ids.iter().any(|id| !has.contains(id)) {
                return Ok(false);
            }
        }
        Ok(post.category_ids.iter().all(|id| *id == 0 || there.categories.contains(id)))
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
        let cover = post.cover().and_then(|cover| pictures.get(&cover.name)).map_or(0, |(media, _)| media.id);
        // HTML there: a sign of less-than would be taken for a tag, and out.
        let mut fields = Map::from_iter([("title".to_owned(), html_text(&post.title).into())]);
        let mut put = |key: &str, is_given: bool, was_given: bool, value: Value| {
            // What the article does not have and did not have is theirs to choose.
            if is_given || was_given {
                fields.insert(key.to_owned(), value);
            }
        };
        let taken = taken_back(there, known);
        put("excerpt", !post.excerpt.is_empty(), taken.excerpt, html_text(&post.excerpt).into());
        put("tags", !tags.is_empty(), taken.tags, json!(tags));
        put("featured_media", cover > 0, taken.picture, cover.into());
        put("categories", !categories.is_empty(), false, json!(categories));
        // The address of an article that is there stays.
        put("slug", there.is_none(), false, post.slug.clone().into());
        visible(&mut fields, post, there);
        let gave = gives(there, taken, [!post.excerpt.is_empty(), !tags.is_empty(), cover > 0]);
        let (article, version, fingerprint) = (post.article_id, post.version, post.fingerprint());
        let mark = Marker { article, version, fingerprint, gave };
        let content = marker::marked(&render(post, &shown, as_blocks), &mark, as_blocks);
        fields.insert("content".to_owned(), content.into());
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

/// Whether an answer of ours has said that this version stands there whole.
fn is_confirmed(post: &Post, known: Option<&Known>) -> bool {
    known.is_some_and(|known| known.version == post.version)
}

/// What our last publication has set and our records show, so that an article without it takes it back. All else is theirs.
pub(super) fn taken_back(there: Option<&RemotePost>, known: Option<&Known>) -> Gave {
    let gave = Gave::before(there.and_then(RemotePost::marker).as_ref());
    let had = known.and_then(|known| known.fields.as_ref());
    let had = |is: fn(&RemoteFields) -> bool| had.is_some_and(is);
    Gave {
        excerpt: gave.excerpt && had(|fields| !fields.excerpt.is_empty()),
        tags: gave.tags && had(|fields| !fields.tags.is_empty()),
        picture: gave.picture && had(|fields| fields.featured.is_some()),
        ..gave
    }
}

/// What is ours in the post from now on; what could not be taken back stays so. `given` is excerpt, tags and picture.
fn gives(there: Option<&RemotePost>, taken: Gave, given: [bool; 3]) -> Gave {
    let Some(there) = there else {
        return Gave { excerpt: given[0], tags: given[1], picture: given[2], to_theirs: false };
    };
    let before = Gave::before(there.marker().as_ref());
    Gave {
        excerpt: given[0] || (before.excerpt && !taken.excerpt),
        tags: given[1] || (before.tags && !taken.tags),
        picture: given[2] || (before.picture && !taken.picture),
        ..before
    }
}

/// What search engines are told. A post that people have made may have SEO fields of theirs; a title or description that
/// only repeats the article's own was chosen by nobody, and does not replace them.
fn seo_of(post: &Post, there: &RemotePost) -> SeoMeta {
    let mut seo = post.seo.clone();
    if there.marker().is_some_and(|mark| mark.gave.to_theirs) {
        if seo.title.trim() == post.title.trim() {
            seo.title.clear();
        }
        if seo.description.trim() == post.excerpt.trim() {
            seo.description.clear();
        }
    }
    seo
}

/// Drafts get their name when they are published.
fn name_taken(there: &RemotePost, post: &Post) -> Option<String> {
    let has_name = !matches!(there.status(), RemoteStatus::Draft | RemoteStatus::Pending);
    (has_name && there.slug() != post.slug)
        .then(|| format!("the name {} is taken there; post {} is called {}", post.slug, there.id, there.slug()))
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
