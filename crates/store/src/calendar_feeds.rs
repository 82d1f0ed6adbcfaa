//! Calendar feeds: read by whoever has the address, until it is revoked.

use galley_domain::OrgId;
use uuid::Uuid;

use crate::{error::StoreError, scope::System, sql};

impl System {
    /// Whose feed a token is for, and of which project.
    pub async fn calendar_feed(&self, hash: Vec<u8>) -> Result<Option<(OrgId, Option<Uuid>)>, StoreError> {
        let found = "SELECT org_id, project_id FROM calendar_feeds WHERE hash = $1";
        let row = sql::one(&self.db, found, [hash.into()]).await?;
        row.map(|row| Ok((OrgId(row.try_get("", "org_id")?), row.try_get("", "project_id")?))).transpose()
    }
}
