//! Secrets of organizations, as ciphertext. What is in them is the vault's business.

use galley_domain::OrgId;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DerivePartialModel, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::{
    entity::secrets,
    error::StoreError,
    scope::{Scoped, System, TenantTx, Tx},
    sql,
};

/// A secret as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, DerivePartialModel)]
#[sea_orm(entity = "secrets::Entity")]
pub struct StoredSecret {
    pub org_id: Uuid,
    pub id: Uuid,
    /// What it is for, for example `model_key`.
    pub purpose: String,
    /// Which one of its purpose.
    pub name: String,
    /// The envelope key over `wrapped_key`.
    pub key_id: String,
    /// At most 256 bytes.
    pub wrapped_key: Vec<u8>,
    /// At most 8,448 bytes.
    pub sealed: Vec<u8>,
}

/// What rotating a batch brings for one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrapped {
    pub key_id: String,
    pub wrapped_key: Vec<u8>,
}

/// How far a rotation has come: the last row that it looked at.
pub type SecretCursor = (Uuid, Uuid);

impl<C: ConnectionTrait> Scoped<C> {
    pub async fn secret(&self, purpose: &str, name: &str) -> Result<Option<StoredSecret>, StoreError> {
        let query = self.find::<secrets::Entity>().filter(called(purpose, name));
        Ok(query.into_partial_model().one(&self.conn).await?)
    }

    /// Which of these names have a secret of this purpose.
    pub async fn secret_names(&self, purpose: &str, names: Vec<String>) -> Result<Vec<String>, StoreError> {
        let named = self.find::<secrets::Entity>().filter(secrets::Column::Purpose.eq(purpose));
        let named = named.filter(secrets::Column::Name.is_in(names)).select_only().column(secrets::Column::Name);
        Ok(named.into_tuple().all(&self.conn).await?)
    }
}

fn called(purpose: &str, name: &str) -> Condition {
    Condition::all().add(secrets::Column::Purpose.eq(purpose)).add(secrets::Column::Name.eq(name))
}

impl TenantTx {
    /// Stores a secret, in the place of the one of this purpose and name if there is one.
    pub async fn put_secret(&self, secret: StoredSecret) -> Result<(), StoreError> {
        sql::execute(
            &self.conn,
            "INSERT INTO secrets (org_id, id, purpose, name, key_id, wrapped_key, sealed)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (org_id, purpose, name) DO UPDATE SET
             id = excluded.id, key_id = excluded.key_id, wrapped_key = excluded.wrapped_key, sealed = excluded.sealed,
             updated_at = now()",
            [
                self.org_value(),
                secret.id.into(),
                secret.purpose.into(),
                secret.name.into(),
                secret.key_id.into(),
                secret.wrapped_key.into(),
                secret.sealed.into(),
            ],
        )
        .await?;
        Ok(())
    }

    /// True when there was one.
    pub async fn delete_secret(&self, purpose: &str, name: &str) -> Result<bool, StoreError> {
        let gone = self.deleting::<secrets::Entity>().filter(called(purpose, name)).exec(&self.conn).await?;
        Ok(gone.rows_affected == 1)
    }
}

/// Rows of the next batch, whatever becomes of them until they are locked. Two rotations and whoever sets a secret lock in
/// one order.
const NEXT: &str = "
SELECT org_id, id, purpose, name, key_id, wrapped_key, sealed FROM secrets
WHERE key_id <> $1 AND (org_id, id) > ($2, $3) ORDER BY org_id, id LIMIT $4";

const LOCK: &str = "
SELECT org_id, id, purpose, name, key_id, wrapped_key, sealed FROM secrets
WHERE key_id <> $1 AND (org_id, id) IN (SELECT * FROM unnest($2::uuid[], $3::uuid[]))
ORDER BY org_id, id FOR UPDATE";

impl System {
    /// How many secrets of all organizations there are under each envelope key.
    pub async fn secret_keys(&self) -> Result<Vec<(String, i64)>, StoreError> {
        let rows =
            sql::all(&self.db, "SELECT key_id, count(*) AS secrets FROM secrets GROUP BY key_id ORDER BY key_id", [])
                .await?;
        rows.iter().map(|row| Ok((row.try_get("", "key_id")?, row.try_get("", "secrets")?))).collect()
    }

    /// Gives the next secrets that are not under the key `current` to `rewrap` and stores what it makes of their data keys,
    /// all in one transaction; a row that `rewrap` gives nothing for stays as it is. Rows that somebody else has just
    /// rewrapped, set or removed are left out.
    ///
    /// The answer is where the next batch begins, or nothing when there are no more.
    pub async fn rewrap_secrets(
        &self,
        current: &str,
        after: Option<SecretCursor>,
        limit: u32,
        mut rewrap: impl FnMut(StoredSecret) -> Option<Rewrapped> + Send,
    ) -> Result<Option<SecretCursor>, StoreError> {
        let tx = Tx::new(self.db.begin().await?, self.announcer.clone());
        let (org, id) = after.unwrap_or((Uuid::nil(), Uuid::nil()));
        let next: Vec<StoredSecret> =
            sql::rows(&tx, NEXT, [current.into(), org.into(), id.into(), i64::from(limit).into()]).await?;
        let Some(last) = next.last().map(|row| (row.org_id, row.id)) else { return Ok(None) };
        let (orgs, ids): (Vec<Uuid>, Vec<Uuid>) = next.iter().map(|row| (row.org_id, row.id)).unzip();
        let locked: Vec<StoredSecret> = sql::rows(&tx, LOCK, [current.into(), orgs.into(), ids.into()]).await?;
        for row in locked {
            let (org, id) = (row.org_id, row.id);
            let Some(rewrapped) = rewrap(row) else { continue };
            sql::execute(
                &tx,
                "UPDATE secrets SET key_id = $3, wrapped_key = $4 WHERE org_id = $1 AND id = $2",
                [org.into(), id.into(), rewrapped.key_id.into(), rewrapped.wrapped_key.into()],
            )
            .await?;
        }
        tx.commit().await?;
        Ok(Some(last))
    }
}

impl StoredSecret {
    pub fn org(&self) -> OrgId {
        OrgId(self.org_id)
    }
}
