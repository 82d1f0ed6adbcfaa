//! The folder of a static site follows what becomes of articles here: changed, archived, taken back, deleted.

use chrono::{DateTime, Utc};
use galley_destinations::Visibility as Shown;
use galley_domain::{OrgId, article::ArticleStatus, publishing::FOLLOW};
use galley_engine::{StepError, StepSeed};
use galley_store::{NewStep, StoreError, TenantTx, rows};
use uuid::Uuid;

use crate::{Services, delivered};

/// What is to stand in the folder.
#[derive(Debug)]
pub enum InFolder {
    Article(Box<rows::Article>, Shown),
    Nothing,
    /// There never was a text of it, so nothing of it is there.
    AsItIs,
}

impl InFolder {
    /// Tells two looks at an article apart between which it was changed.
    pub fn mark(&self) -> (bool, Option<DateTime<Utc>>) {
        match self {
            Self::Article(article, _) => (true, Some(article.updated_at)),
            Self::Nothing => (false, None),
            Self::AsItIs => (true, None),
        }
    }
}

impl Services {
    /// Lets the folder follow once the transaction stands. The job looks at the article when it runs, so one is as good as
    /// many.
    pub(crate) async fn follow_in_folder(&self, tx: &TenantTx, article: Uuid) -> Result<(), StoreError> {
        tx.add_steps(&self.following(article)?).await
    }

    /// The job that lets the folder follow, if there is a folder.
    pub fn following(&self, article: Uuid) -> Result<Vec<NewStep>, StoreError> {
        if !self.settings.has_folder {
            return Ok(Vec::new());
        }
        let trace = Uuid::new_v4().simple().to_string();
        Ok(vec![self.registry.new_step(StepSeed::new(FOLLOW).about(article), &trace)?])
    }

    /// What is to stand in the folder now. Archived and deleted articles are taken out of it, and those that a blog shows
    /// only to those who work there.
    pub async fn in_folder(&self, org: OrgId, article: Uuid) -> Result<InFolder, StepError> {
        let Some(article) = self.store.tenant(org).article(article).await? else { return Ok(InFolder::Nothing) };
        if article.version == 0 || !delivered::is_delivered(&article.status) {
            return Ok(InFolder::AsItIs);
        }
        if self.store.tenant(org).is_hidden(article.id).await? {
            return Ok(InFolder::Nothing);
        }
        let status: ArticleStatus = article.status.parse().map_err(StoreError::from)?;
        let shown = match status {
            ArticleStatus::Archived => return Ok(InFolder::Nothing),
            ArticleStatus::Published => Shown::Publish,
            _ => Shown::Draft,
        };
        Ok(InFolder::Article(Box::new(article), shown))
    }
}
