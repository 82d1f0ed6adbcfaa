//! The ledger of effects outside of the database: `intended → sent → confirmed | unknown | failed`.

use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, QueryFilter};
use uuid::Uuid;

use crate::{
    entity::publications,
    error::StoreError,
    scope::{Scoped, TenantTx},
    sql,
};

/// How far a publication came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublicationState {
    Intended,
    Sent,
    Confirmed,
    Unknown,
    Failed,
}

impl PublicationState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Intended => "intended",
            Self::Sent => "sent",
            Self::Confirmed => "confirmed",
            Self::Unknown => "unknown",
            Self::Failed => "failed",
        }
    }
}

impl std::str::FromStr for PublicationState {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        [Self::Intended, Self::Sent, Self::Confirmed, Self::Unknown, Self::Failed]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| StoreError::Unreadable(format!("publication state '{text}'")))
    }
}

impl<C: ConnectionTrait> Scoped<C> {
    pub async fn publication(
        &self,
        article: Uuid,
        destination: &str,
        version: i32,
    ) -> Result<Option<publications::Model>, StoreError> {
        Ok(self
            .find::<publications::Entity>()
            .filter(publications::Column::ArticleId.eq(article))
            .filter(publications::Column::Destination.eq(destination))
            .filter(publications::Column::Version.eq(version))
            .one(&self.conn)
            .await?)
    }
}

impl TenantTx {
    /// Writes the intention down, or finds the one that an earlier attempt wrote.
    pub async fn intend_publication(
        &self,
        article: Uuid,
        task: Option<Uuid>,
        destination: &str,
        version: i32,
    ) -> Result<publications::Model, StoreError> {
        sql::execute(
            &self.conn,
            "INSERT INTO publications (id, org_id, article_id, task_id, destination, version, state)
             VALUES ($1, $2, $3, $4, $5, $6, 'intended') ON CONFLICT (article_id, destination, version) DO NOTHING",
            [Uuid::now_v7().into(), self.org_value(), article.into(), task.into(), destination.into(), version.into()],
        )
        .await?;
        self.publication(article, destination, version)
            .await?
            .ok_or_else(|| StoreError::Unreadable("a publication vanished".into()))
    }

    pub async fn mark_publication(
        &self,
        id: Uuid,
        state: PublicationState,
        remote_ref: Option<&str>,
        error: Option<&str>,
    ) -> Result<(), StoreError> {
        let mut row = publications::ActiveModel {
            state: Set(state.as_str().to_owned()),
            error: Set(error.map(str::to_owned)),
            ..Default::default()
        };
        if let Some(place) = remote_ref {
            row.remote_ref = Set(Some(place.to_owned()));
        }
        self.update::<publications::Entity>(id, row).await?;
        Ok(())
    }
}
