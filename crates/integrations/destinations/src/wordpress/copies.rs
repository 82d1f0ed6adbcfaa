//! Copies of an article's post: two processes may have made it at once, and a request that was given up for lost may have
//! been carried out after everybody had looked. What people have made of a post is never removed.

use galley_domain::Fault;

use super::{
    WordPress,
    posts::{self, RemotePost},
};
use crate::post::Post;

impl WordPress {
    /// Leaves one post of the article. `before` is how the post stood before it was written to; a post that was made just
    /// now has none, and is taken back if there is an earlier one. Later ones go if nobody has touched them.
    pub(super) async fn only_one(
        &self,
        written: RemotePost,
        before: Option<&RemotePost>,
        post: &Post,
        warnings: &mut Vec<String>,
    ) -> Result<RemotePost, Fault> {
        let mut names = vec![post.slug.clone(), written.slug()];
        names.dedup();
        let found = posts::copies(&self.site, post.article_id, &names).await;
        let found = found.map_err(|failure| failure.into_fault("look for copies of the article"))?;
        let others: Vec<_> = found.into_iter().filter(|one| !one.is_trashed() && one.id != written.id).collect();
        if before.is_none()
            && let Some(first) = others.iter().find(|other| other.id < written.id)
        {
            let removed = posts::remove(&self.site, written.id, true).await;
            removed.map_err(|failure| failure.into_fault("remove a copy of the article"))?;
            warnings
                .push(format!("post {} was made at the same moment; the copy {} was removed", first.id, written.id));
            return Ok(first.clone());
        }
        for other in others {
            let kept = [Some(&written), before];
            let is_late = other.id > written.id && kept.into_iter().flatten().any(|kept| is_same(&other, kept));
            warnings.push(if is_late { self.without(&other).await } else { doubtful(&other) });
        }
        Ok(written)
    }

    /// Removes a copy, and says what came of it.
    async fn without(&self, copy: &RemotePost) -> String {
        let id = copy.id;
        match posts::remove(&self.site, id, true).await {
            Ok(_) => format!("post {id} was a copy that a request made late; it was removed"),
            Err(failure) => {
                format!("post {id} is a copy that a request made late; {}", failure.into_fault("remove it"))
            }
        }
    }
}

fn doubtful(copy: &RemotePost) -> String {
    format!("post {} bears the mark of this article too; remove it there if it is a copy that nobody wants", copy.id)
}

/// The same version of the same article, in which nobody has changed a thing.
fn is_same(copy: &RemotePost, kept: &RemotePost) -> bool {
    let fields = |post: &RemotePost| {
        let texts = [&post.title.raw, &post.content.raw, &post.excerpt.raw, &post.status].map(String::clone);
        (texts, post.categories.clone(), post.tags.clone(), post.featured_media)
    };
    fields(copy) == fields(kept)
}
