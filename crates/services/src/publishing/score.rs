//! The score of a post with a keyword in view.

use galley_domain::OrgId;
use galley_store::rows;
use galley_text::seo::{SeoInput, SeoReport, score};
use uuid::Uuid;

use super::publish::target;
use crate::{Services, articles::computed, delivered::is_delivered, error::ServiceError};

/// How well a post is made.
#[derive(Debug, Clone)]
pub struct SeoScore {
    pub report: SeoReport,
    pub focus_keyword: Option<String>,
    pub word_count: u32,
}

impl Services {
    /// Nothing is stored, and nothing costs anything.
    pub async fn seo_score(
        &self,
        org: OrgId,
        (project, id): (Uuid, Uuid),
        focus: Option<String>,
    ) -> Result<SeoScore, ServiceError> {
        let post = self.post(org, project, id).await?;
        let scored = self.score_post(org, &post, focus).await?;
        scored.ok_or_else(|| ServiceError::Conflict("the post has no text yet; wait until its job has ended".into()))
    }

    /// The score of a post as it stands, wherever it is shown or asked for: with its focus keyword in view unless another one
    /// is given, and with links told apart by the blog that it would go to. None as long as it has no text.
    pub async fn score_post(
        &self,
        org: OrgId,
        post: &rows::Article,
        focus: Option<String>,
    ) -> Result<Option<SeoScore>, ServiceError> {
        if post.version == 0 || !is_delivered(&post.status) {
            return Ok(None);
        }
        let focus = focus.or_else(|| post.focus_keyword.clone()).or_else(|| post.keywords.first().cloned());
        let site = self.site_of(org, post).await?;
        let post = post.clone();
        let scored = computed(move || {
            let report = score(&SeoInput {
                title: &post.seo_title,
                description: &post.seo_description,
                slug: &post.slug,
                keyphrase: focus.as_deref(),
                keywords: &post.keywords,
                markdown: &post.content_markdown,
                language: &post.language,
                site: site.as_deref(),
            });
            SeoScore { report, focus_keyword: focus, word_count: u32::try_from(post.word_count).unwrap_or(0) }
        });
        Ok(Some(scored.await?))
    }

    /// The address of the blog that the post would be published to; none while nothing says which.
    async fn site_of(&self, org: OrgId, post: &rows::Article) -> Result<Option<String>, ServiceError> {
        let tx = self.store.begin(org).await?;
        let found = target(&tx, post, None).await;
        tx.rollback().await?;
        match found {
            Ok(connection) => Ok(Some(connection.site_url)),
            Err(ServiceError::Conflict(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
