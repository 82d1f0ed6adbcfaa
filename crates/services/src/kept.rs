//! What clients make, list, change and remove as they like: the same use cases for each kind of row. A kind says what is
//! particular to it ([`Resource`]); its changes are declared once ([`edit!`](crate::kept::edit)).

use std::future::Future;

use galley_domain::OrgId;
use galley_store::{Kept, TenantTx};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{
    Services,
    error::{Missing, ServiceError},
    idempotency::{Answer, IdempotencyKey, once},
};

/// A kind of row that clients keep.
pub trait Resource: Kept + Default + Serialize + DeserializeOwned + 'static {
    const MISSING: Missing;
    /// How many an organization may have.
    const MOST: u64;
    /// What they are called when there are too many.
    const PLURAL: &'static str;
    /// What clients say of it when they make or change it.
    type Edit: Send;

    fn set_id(&mut self, id: Uuid);

    /// False for rows of the same table that are of another kind.
    fn belongs(&self) -> bool {
        true
    }

    /// Changes the row as it is to be stored, and writes what goes with it. Others of the organization wait meanwhile.
    fn apply(
        at: &Change<'_>,
        edit: Self::Edit,
        row: &mut Self,
    ) -> impl Future<Output = Result<(), ServiceError>> + Send;

    /// Removes what goes with the row, or refuses.
    fn removed(_at: &Change<'_>, _row: &Self) -> impl Future<Output = Result<(), ServiceError>> + Send {
        std::future::ready(Ok(()))
    }
}

/// Where a row is changed.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    pub services: &'a Services,
    pub tx: &'a TenantTx,
    /// There was no such row before.
    pub is_new: bool,
}

impl Services {
    /// All of them, the newest first.
    pub async fn list<R: Resource>(&self, org: OrgId) -> Result<Vec<R>, ServiceError> {
        let mut rows = self.store.tenant(org).all::<R>().await?;
        rows.retain(R::belongs);
        Ok(rows)
    }

    /// A page of them, the newest first, with the number of all. There are few, so that all are read.
    pub async fn list_page<R: Resource>(
        &self,
        org: OrgId,
        limit: u64,
        offset: u64,
    ) -> Result<(Vec<R>, u64), ServiceError> {
        let rows = self.list::<R>(org).await?;
        let total = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        let of = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        Ok((rows.into_iter().skip(of(offset)).take(of(limit)).collect(), total))
    }

    pub async fn get<R: Resource>(&self, org: OrgId, id: Uuid) -> Result<R, ServiceError> {
        self.store.tenant(org).one(id).await?.filter(R::belongs).ok_or(ServiceError::NotFound(R::MISSING))
    }

    pub async fn create<R: Resource>(
        &self,
        org: OrgId,
        edit: R::Edit,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<R>, ServiceError> {
        let tx = self.store.begin(org).await?;
        once(tx, key, |tx| async move {
            tx.hold_slug(R::table()).await?;
            if tx.how_many::<R>().await? >= R::MOST {
                let text =
                    format!("there are {} {} already, the most there may be; remove one first", R::MOST, R::PLURAL);
                return Err(ServiceError::Conflict(text));
            }
            let mut row = R::default();
            row.set_id(Uuid::now_v7());
            R::apply(&Change { services: self, tx: &tx, is_new: true }, edit, &mut row).await?;
            let row = tx.add(row).await?;
            Ok((tx, row))
        })
        .await
    }

    pub async fn edit<R: Resource>(&self, org: OrgId, id: Uuid, edit: R::Edit) -> Result<R, ServiceError> {
        let tx = self.store.begin(org).await?;
        tx.hold_slug(R::table()).await?;
        let mut row = tx.hold(id).await?.filter(R::belongs).ok_or(ServiceError::NotFound(R::MISSING))?;
        R::apply(&Change { services: self, tx: &tx, is_new: false }, edit, &mut row).await?;
        let row = tx.put(row).await?;
        tx.commit().await?;
        Ok(row)
    }

    pub async fn remove<R: Resource>(&self, org: OrgId, id: Uuid) -> Result<(), ServiceError> {
        let tx = self.store.begin(org).await?;
        let row = tx.hold(id).await?.filter(R::belongs).ok_or(ServiceError::NotFound(R::MISSING))?;
        R::removed(&Change { services: self, tx: &tx, is_new: false }, &row).await?;
        tx.remove::<R>(id).await?;
        Ok(tx.commit().await?)
    }
}

/// Declares what may be changed of a row; `None` leaves a field as it is. Each is a field of the row of the same name, but
/// for those behind `besides`.
///
/// ```ignore
/// edit! {
///     /// Changes to a tone.
///     pub struct ToneEdit of rows::Tone {
///         name: String,
///     } besides {
///         secret: Hidden,
///     }
/// }
/// ```
macro_rules! edit {
    (
        $(#[doc = $about:literal])*
        pub struct $name:ident of $row:ty {
            $($(#[doc = $doc:literal])* $field:ident: $type:ty),* $(,)?
        } $(besides {
            $($(#[doc = $other_doc:literal])* $other:ident: $other_type:ty),* $(,)?
        })?
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, Default)]
        pub struct $name {
            $($(#[doc = $doc])* pub $field: Option<$type>,)*
            $($($(#[doc = $other_doc])* pub $other: Option<$other_type>,)*)?
        }

        impl $name {
            /// Writes what is there into the row.
            fn write(self, row: &mut $row) {
                $(if let Some(value) = self.$field {
                    row.$field = value.into();
                })*
            }
        }
    };
}
pub(crate) use edit;

/// Says what is particular to a kind of row.
macro_rules! resource {
    ($missing:ident, at most $most:literal $plural:literal) => {
        const MISSING: $crate::error::Missing = $crate::error::Missing::$missing;
        const MOST: u64 = $most;
        const PLURAL: &'static str = $plural;

        fn set_id(&mut self, id: uuid::Uuid) {
            self.id = id;
        }
    };
}
pub(crate) use resource;
