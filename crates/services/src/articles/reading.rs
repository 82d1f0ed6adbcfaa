//! Articles as they are read: lists, versions, sources, and what each sentence rests on.

use galley_domain::OrgId;
use galley_store::{ArticleFilter, rows};
use uuid::Uuid;

use crate::{
    Services, delivered,
    error::{Missing, ServiceError},
};

/// One page of articles.
#[derive(Debug, Clone)]
pub struct ArticleList {
    pub rows: Vec<rows::ArticleHead>,
    pub total: u64,
}

/// A claim with the words it rests on.
#[derive(Debug, Clone)]
pub struct ClaimView {
    pub claim: rows::Claim,
    pub source: Option<rows::SourceHead>,
    /// The text of the span.
    pub quote: Option<String>,
}

/// The claims of one version.
#[derive(Debug, Clone)]
pub struct ClaimsReport {
    pub version: i32,
    pub claims: Vec<ClaimView>,
}

impl Services {
    pub async fn article(&self, org: OrgId, id: Uuid) -> Result<rows::Article, ServiceError> {
        let found = self.store.tenant(org).article(id).await?.map(delivered::article);
        found.ok_or(ServiceError::NotFound(Missing::Article))
    }

    pub async fn articles(&self, org: OrgId, filter: &ArticleFilter) -> Result<ArticleList, ServiceError> {
        let (rows, total) = self.store.tenant(org).articles(filter).await?;
        Ok(ArticleList { rows: rows.into_iter().map(delivered::head).collect(), total })
    }

    /// Newest first, with the number of all; none as long as the article has no text to read.
    pub async fn article_versions(
        &self,
        org: OrgId,
        id: Uuid,
        limit: u64,
        offset: u64,
    ) -> Result<(Vec<rows::VersionHead>, u64), ServiceError> {
        if self.article(org, id).await?.version == 0 {
            return Ok((Vec::new(), 0));
        }
        Ok(self.store.tenant(org).article_versions(id, limit, offset).await?)
    }

    /// What was read for an article, without the texts.
    pub async fn article_sources(
        &self,
        org: OrgId,
        article: &rows::Article,
    ) -> Result<Vec<rows::SourceHead>, ServiceError> {
        match article.task_id {
            Some(task) => Ok(self.store.tenant(org).source_heads(task).await?),
            None => Ok(Vec::new()),
        }
    }

    pub async fn article_version(
        &self,
        org: OrgId,
        id: Uuid,
        version: i32,
    ) -> Result<rows::ArticleVersion, ServiceError> {
        let newest = self.article(org, id).await?.version;
        let found = self.store.tenant(org).article_version(id, version).await?.filter(|_| newest > 0);
        found.ok_or(ServiceError::NotFound(Missing::Version))
    }

    /// What each sentence of the current version rests on.
    pub async fn article_claims(&self, org: OrgId, id: Uuid) -> Result<ClaimsReport, ServiceError> {
        let article = self.article(org, id).await?;
        let tenant = self.store.tenant(org);
        let sources = match article.task_id {
            Some(task) => tenant.all_sources(task).await?,
            None => Vec::new(),
        };
        let claims = tenant.claims(id, article.version).await?;
        let claims = claims.into_iter().map(|claim| view(claim, &sources)).collect();
        Ok(ClaimsReport { version: article.version, claims })
    }
}

fn view(claim: rows::Claim, sources: &[rows::Source]) -> ClaimView {
    let source = claim.source_id.and_then(|id| sources.iter().find(|source| source.id == id));
    let span = claim.span_start.zip(claim.span_end);
    let quote = source.zip(span).and_then(|(source, (start, end))| {
        let range = usize::try_from(start).ok()?..usize::try_from(end).ok()?;
        source.text.get(range).map(str::to_owned)
    });
    ClaimView { claim, source: source.map(Into::into), quote }
}
