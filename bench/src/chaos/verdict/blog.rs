//! What stands at the blog, held against what is written of it.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::PgConnection;
use uuid::Uuid;

use super::Fault;
use crate::chaos::blog::{Found, Media, Post};

/// The newest that is known of an article at the blog, as the product looks it up.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Placed {
    article: Uuid,
    external_id: String,
    /// As `published` or `retracted`.
    status: String,
    /// Readers see it.
    is_shown: bool,
}

const PLACED: &str = "
SELECT DISTINCT ON (article_id) article_id, external_id, status, published_at IS NOT NULL
FROM publications WHERE external_id IS NOT NULL AND destination = 'wordpress'
ORDER BY article_id, sent IS NOT NULL DESC, created_at DESC, id DESC";

pub async fn look(connection: &mut PgConnection, found: &Found, faults: &mut Vec<Fault>) -> anyhow::Result<()> {
    let rows: Vec<(Uuid, String, String, bool)> = sqlx::query_as(PLACED).fetch_all(&mut *connection).await?;
    let placed = rows.into_iter().map(|(article, external_id, status, is_shown)| Placed {
        article,
        external_id,
        status,
        is_shown,
    });
    let placed: Vec<Placed> = placed.collect();
    // Of these nobody can say yet what stands there.
    let unsettled: Vec<(Uuid,)> = sqlx::query_as(
        "SELECT DISTINCT subject_id FROM effects WHERE kind IN ('post', 'retraction') AND state IN ('sent', 'unknown')",
    )
    .fetch_all(connection)
    .await?;
    let unsettled = unsettled.into_iter().map(|(article,)| article).collect();
    faults.extend(posts(&found.posts, &placed, &unsettled));
    faults.extend(media(&found.media));
    Ok(())
}

/// One post for each article, as it is written down here, and none that is not.
fn posts(posts: &[Post], placed: &[Placed], unsettled: &BTreeSet<Uuid>) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut say = |check, detail: String| faults.push(Fault::new(check, detail));
    let mut by_article: BTreeMap<Uuid, Vec<&Post>> = BTreeMap::new();
    for post in posts {
        match post.article {
            Some(article) => by_article.entry(article).or_default().push(post),
            None => say("every post at the blog says whose it is", format!("{} does not", post.id)),
        }
    }
    for (article, posts) in by_article.iter().filter(|(_, posts)| posts.len() > 1) {
        let ids: Vec<&str> = posts.iter().map(|post| post.id.as_str()).collect();
        say("an article has one post at the blog", format!("{article} has {}", ids.join(", ")));
    }
    for placed in placed.iter().filter(|placed| !unsettled.contains(&placed.article)) {
        let Placed { article, external_id, status, is_shown } = placed;
        let there = by_article.get(article).into_iter().flatten().find(|post| post.id == *external_id);
        match there.map(|post| post.status.as_str()) {
            None => say("what is said to be at the blog is there", format!("{article} is not there as {external_id}")),
            Some(there) if (there == "publish") != (*is_shown && status == "published") => {
                let here = if *is_shown { "public" } else { "not public" };
                say("a post is public when it is said to be", format!("{article} is {status}, {here}; there {there}"));
            }
            Some(_) => {}
        }
    }
    let known: BTreeSet<Uuid> = placed.iter().map(|placed| placed.article).collect();
    for article in by_article.keys().filter(|article| !known.contains(article) && !unsettled.contains(article)) {
        say("what is at the blog is written down", article.to_string());
    }
    faults
}

/// Each picture is there once, whatever number of posts show it.
fn media(media: &[Media]) -> Vec<Fault> {
    let mut by_hash: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
    for one in media {
        by_hash.entry(one.hash).or_default().push(&one.id);
    }
    let twice = by_hash.into_values().filter(|ids| ids.len() > 1);
    twice.map(|ids| Fault::new("a picture is at the blog once", ids.join(", "))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARTICLE: Uuid = Uuid::from_u128(1);

    fn post(id: &str, status: &str) -> Post {
        Post { id: id.into(), status: status.into(), article: Some(ARTICLE) }
    }

    fn placed(status: &str, is_shown: bool) -> Placed {
        Placed { article: ARTICLE, external_id: "7".into(), status: status.into(), is_shown }
    }

    #[test]
    fn a_blog_that_is_as_it_is_written_down_is_good() {
        let none = BTreeSet::new();
        for (there, here) in [
            (post("7", "publish"), placed("published", true)),
            (post("7", "draft"), placed("published", false)),
            (post("7", "draft"), placed("retracted", false)),
        ] {
            assert_eq!(posts(&[there], &[here], &none), []);
        }
        assert_eq!(posts(&[], &[], &none), []);
        let pictures = [Media { id: "1".into(), hash: 1 }, Media { id: "2".into(), hash: 2 }];
        assert_eq!(media(&pictures), []);
    }

    #[test]
    fn each_check_of_the_blog_can_fail() {
        let nobody = Post { article: None, ..post("8", "publish") };
        let good = placed("published", true);
        let cases: [(Vec<Post>, Vec<Placed>, &str); 7] = [
            (vec![post("7", "publish"), nobody], vec![good.clone()], "every post at the blog says whose it is"),
            (vec![post("7", "publish"), post("8", "trash")], vec![good.clone()], "an article has one post at the blog"),
            (vec![], vec![good.clone()], "what is said to be at the blog is there"),
            (vec![post("8", "publish")], vec![good.clone()], "what is said to be at the blog is there"),
            (vec![post("7", "draft")], vec![good], "a post is public when it is said to be"),
            (vec![post("7", "publish")], vec![placed("retracted", false)], "a post is public when it is said to be"),
            (vec![post("7", "draft")], vec![], "what is at the blog is written down"),
        ];
        for (there, here, check) in cases {
            let found: Vec<_> = posts(&there, &here, &BTreeSet::new()).into_iter().map(|fault| fault.check).collect();
            assert_eq!(found, [check]);
            let excused = posts(&there, &here, &BTreeSet::from([ARTICLE]));
            let always = ["every post at the blog says whose it is", "an article has one post at the blog"];
            assert_eq!(excused.is_empty(), !always.contains(&check), "while it is not settled: {excused:?}");
        }
        let twice = [Media { id: "1".into(), hash: 1 }, Media { id: "2".into(), hash: 1 }];
        assert_eq!(media(&twice), [Fault::new("a picture is at the blog once", "1, 2")]);
    }
}
