//! What a step reads before it starts: small rows that earlier steps left.

use galley_domain::{
    OrgId,
    article::{DRAFT, OUTLINE},
    order::ArticleOrder,
    task::StepKind,
    writing::{Outline, SectionText, Snapshot},
};
use galley_store::{StoreError, rows};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::Services;

/// Stored sources as the writers know them.
pub(crate) fn snapshots(rows: &[rows::Source]) -> Result<Vec<Snapshot>, StoreError> {
    rows.iter()
        .map(|row| {
            Ok(Snapshot {
                number: u32::try_from(row.number).unwrap_or(0),
                title: row.title.clone(),
                origin: serde_json::from_value(row.origin.clone())?,
                language: row.language.clone(),
                text: row.text.clone(),
            })
        })
        .collect()
}

impl Services {
    pub async fn order_of(&self, org: OrgId, task: Uuid) -> Result<ArticleOrder, StoreError> {
        let row = self.store.tenant(org).task(task).await?.ok_or(StoreError::LeaseLost)?;
        Ok(serde_json::from_value(row.input)?)
    }

    pub async fn snapshots_of(&self, org: OrgId, task: Uuid) -> Result<Vec<Snapshot>, StoreError> {
        snapshots(&self.store.tenant(org).sources(task).await?)
    }

    pub async fn outline_of(&self, org: OrgId, task: Uuid) -> Result<Outline, StoreError> {
        let mut outlines = self.outputs(org, task, OUTLINE, 1).await?;
        outlines.pop().ok_or_else(|| StoreError::Unreadable("the outline of this task is gone".into()))
    }

    /// All sections in order, or an error when one is not there.
    pub async fn sections_of(&self, org: OrgId, task: Uuid, expected: usize) -> Result<Vec<SectionText>, StoreError> {
        let sections: Vec<SectionText> = self.outputs(org, task, DRAFT, expected).await?;
        if sections.len() == expected {
            Ok(sections)
        } else {
            let text = format!("{} of {expected} sections of this task are there", sections.len());
            Err(StoreError::Unreadable(text))
        }
    }

    async fn outputs<T: DeserializeOwned>(
        &self,
        org: OrgId,
        task: Uuid,
        kind: StepKind,
        expected: usize,
    ) -> Result<Vec<T>, StoreError> {
        let rows = self.store.tenant(org).outputs(task, kind, expected).await?;
        rows.into_iter().filter_map(|row| row.output).map(|json| Ok(serde_json::from_value(json)?)).collect()
    }

    pub async fn article_of(&self, org: OrgId, task: Uuid) -> Result<rows::Article, StoreError> {
        let tenant = self.store.tenant(org);
        let row = tenant.task(task).await?.ok_or(StoreError::LeaseLost)?;
        let article = match row.subject_id {
            Some(id) => tenant.article(id).await?,
            None => None,
        };
        article.ok_or(StoreError::LeaseLost)
    }
}
