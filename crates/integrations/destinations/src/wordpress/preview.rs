//! What publishing would do: the same looks and refusals, and nothing written.

use std::collections::HashMap;

use galley_domain::Fault;

use super::{
    WordPress,
    content::{Shown, render},
    media, posts,
    posts::RemotePost,
    publish::{refuse, taken_back},
    terms,
};
use crate::{
    post::{Asset, Post, Visibility},
    probe::TermKind,
    remote::{Known, Picture, Preview, PreviewAction, RemoteFields, RemoteStatus},
};

impl WordPress {
    pub(super) async fn preview_of(&self, post: &Post, known: Option<&Known>) -> Result<Preview, Fault> {
        post.check()?;
        let there = posts::find(&self.site, post.article_id, known, Some(&post.slug)).await?;
        let mut warnings = Vec::new();
        let action = match &there {
            Some(there) => {
                refuse(there, post)?;
                if self.is_there(there, post, known).await? { PreviewAction::None } else { PreviewAction::Update }
            }
            None => {
                warnings.extend(
                    known.map(|known| format!("post {} is gone; the article would be made anew", known.external_id)),
                );
                PreviewAction::Create
            }
        };
        if !self.settings.create_terms {
            for (kind, names) in [(TermKind::Category, &post.categories), (TermKind::Tag, &post.tags)] {
                terms::ids_of(&self.site, kind, names, false, &mut warnings).await?;
            }
        }
        let remote = match &there {
            Some(there) => Some(self.fields_of(there).await?),
            None => None,
        };
        let local = self.local(post, there.as_ref(), known, remote.as_ref()).await?;
        Ok(Preview { action, target: there.map(|there| there.existing()), local, remote, warnings })
    }

    /// The fields as they would stand there. What would not be sent stays as it is.
    async fn local(
        &self,
        post: &Post,
        there: Option<&RemotePost>,
        known: Option<&Known>,
        remote: Option<&RemoteFields>,
    ) -> Result<RemoteFields, Fault> {
        let pictures = self.found(post).await?;
        let shown = pictures.iter().map(|(name, picture)| (name.clone(), picture.clone())).collect();
        let taken = taken_back(there, known);
        let or_theirs = |ours: Vec<String>, had: bool, theirs: Option<&Vec<String>>| {
            if ours.is_empty() && !had { theirs.cloned().unwrap_or_default() } else { ours }
        };
        let mut categories = post.categories.clone();
        categories.extend(terms::names_of(&self.site, TermKind::Category, &post.category_ids).await?);
        let featured = post.cover().map(|cover| featured(cover, pictures.get(&cover.name)));
        let keeps_excerpt = post.excerpt.is_empty() && !taken.excerpt;
        let keeps_featured = featured.is_none() && !taken.picture;
        Ok(RemoteFields {
            title: post.title.clone(),
            content: render(post, &shown, self.writes_blocks().await?),
            excerpt: remote.filter(|_| keeps_excerpt).map_or(post.excerpt.clone(), |fields| fields.excerpt.clone()),
            slug: there.map_or(post.slug.clone(), RemotePost::slug),
            status: status(post.visibility, there),
            categories: or_theirs(categories, false, remote.map(|fields| &fields.categories)),
            tags: or_theirs(post.tags.clone(), taken.tags, remote.map(|fields| &fields.tags)),
            featured: remote.filter(|_| keeps_featured).map_or(featured, |fields| fields.featured.clone()),
            date: match post.visibility {
                Visibility::Future(at) => Some(at),
                _ => there.and_then(RemotePost::date),
            },
        })
    }

    /// Those of the pictures that the site has.
    async fn found(&self, post: &Post) -> Result<HashMap<String, Shown>, Fault> {
        let mut found = HashMap::new();
        for asset in &post.assets {
            if let Some(picture) = media::look_up(&self.site, asset).await? {
                let id = picture.id.parse().unwrap_or_default();
                let caption = asset.caption_with_credit();
                found.insert(asset.name.clone(), Shown { id, url: picture.url, caption });
            }
        }
        Ok(found)
    }
}

/// A picture that is not there yet has no number.
fn featured(cover: &Asset, shown: Option<&Shown>) -> Picture {
    Picture {
        id: shown.map(|shown| shown.id.to_string()).unwrap_or_default(),
        url: shown.map_or(cover.name.clone(), |shown| shown.url.clone()),
        alt: cover.alt.clone(),
    }
}

fn status(visibility: Visibility, there: Option<&RemotePost>) -> RemoteStatus {
    match visibility {
        Visibility::Publish if there.map(RemotePost::status) == Some(RemoteStatus::Private) => RemoteStatus::Private,
        Visibility::Publish => RemoteStatus::Published,
        Visibility::Draft => RemoteStatus::Draft,
        Visibility::Pending => RemoteStatus::Pending,
        Visibility::Future(_) => RemoteStatus::Future,
    }
}
