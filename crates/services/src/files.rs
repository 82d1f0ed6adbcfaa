//! Uploads: checked by content before anything is stored.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use galley_domain::OrgId;
use galley_files::{Extracted, FileError, Limits};
use galley_store::{FileFilter, NewFile, rows};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Services,
    blobs::Pieces,
    error::{Missing, ServiceError},
    idempotency::{Answer, IdempotencyKey, once},
};

/// The largest file that is taken.
pub const MAX_UPLOAD_BYTES: usize = 20 * 1024 * 1024;
const MAX_NAME_CHARS: usize = 255;

#[derive(Debug, Clone)]
pub struct Upload {
    pub name: String,
    pub bytes: Bytes,
}

/// What is known of a stored file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFile {
    pub id: Uuid,
    pub name: String,
    /// `pdf`, `docx`, `xlsx`, `csv`, `txt`, `md`, `html`.
    pub kind: String,
    pub size: u64,
    pub sha256: String,
}

impl From<rows::File> for StoredFile {
    fn from(row: rows::File) -> Self {
        Self {
            id: row.id,
            name: row.name,
            kind: row.kind,
            size: u64::try_from(row.size).unwrap_or(0),
            sha256: row.sha256,
        }
    }
}

/// A file as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedFile {
    pub file: StoredFile,
    pub created_at: DateTime<Utc>,
    /// Orders that have not ended and read it.
    pub used_by: u64,
}

/// The last part of a path that a client may have sent, without what a terminal or a file system would stumble over.
fn plain_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let cleaned: String = last.chars().filter(|symbol| !symbol.is_control()).take(MAX_NAME_CHARS).collect();
    let cleaned = cleaned.trim().trim_start_matches('.').to_owned();
    if cleaned.is_empty() { "file".to_owned() } else { cleaned }
}

/// Not under a lock: those who upload in the same moment may exceed it by a file each, and none of them waits for the other.
pub(crate) fn check_quota(taken: u64, more: u64, quota: u64) -> Result<(), ServiceError> {
    if taken.saturating_add(more) <= quota {
        return Ok(());
    }
    let mb = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    Err(ServiceError::Conflict(format!(
        "the files and images of this organization take {:.1} of {:.1} MB, and this one has {:.1} MB; delete files that are not needed any \
         more (DELETE /api/v1/files/{{file_id}}), or have the operator allow more (limits.files_mb)",
        mb(taken),
        mb(quota),
        mb(more)
    )))
}

impl Services {
    /// Stores a file that research can read. What it is, is told from its content; a file that nothing can be read from
    /// (empty, encrypted, damaged, of an unknown type) is refused here, where the client still listens.
    pub async fn upload(
        &self,
        org: OrgId,
        upload: Upload,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<StoredFile>, ServiceError> {
        let name = plain_name(&upload.name);
        if upload.bytes.len() > MAX_UPLOAD_BYTES {
            let text =
                format!("'{name}' has {} bytes; the most that is taken is {MAX_UPLOAD_BYTES}", upload.bytes.len());
            return Err(ServiceError::field("file", text));
        }
        let read = self.readers.file(upload.bytes.clone(), &name, Limits::default()).await;
        let read = read.map_err(|error| match error {
            FileError::ReaderFailed { .. } => ServiceError::Unavailable(format!("'{name}': {error}")),
            error => ServiceError::field("file", format!("'{name}': {error}")),
        })?;
        let size = upload.bytes.len() as u64;
        let put = self.blobs.put(org, upload.bytes).await?;
        self.read_texts.keep(&put.blob, &name, &read);
        let file = NewFile {
            id: Uuid::now_v7(),
            name,
            kind: read.kind.as_str().to_owned(),
            size,
            sha256: put.sha256,
            blob: put.blob,
        };
        let tx = self.store.begin(org).await?;
        let quota = self.settings.files_quota;
        once(tx, key, |tx| async move {
            check_quota(tx.bytes_of_files().await?, file.size, quota)?;
            tx.insert_file(file.clone()).await?;
            let NewFile { id, name, kind, size, sha256, .. } = file;
            Ok((tx, StoredFile { id, name, kind, size, sha256 }))
        })
        .await
    }

    /// Uploads and covers, newest first, with the number of all that match.
    pub async fn list_files(&self, org: OrgId, filter: &FileFilter) -> Result<(Vec<ListedFile>, u64), ServiceError> {
        let tenant = self.store.tenant(org);
        let (files, total) = tenant.list_files(filter).await?;
        let readers = tenant.file_readers(files.iter().map(|file| file.id).collect()).await?;
        let listed = files.into_iter().map(|row| ListedFile {
            created_at: row.created_at,
            used_by: readers.get(&row.id).copied().unwrap_or(0),
            file: row.into(),
        });
        Ok((listed.collect(), total))
    }

    pub async fn get_file(&self, org: OrgId, id: Uuid) -> Result<ListedFile, ServiceError> {
        let tenant = self.store.tenant(org);
        let row = tenant.file(id).await?.ok_or(ServiceError::NotFound(Missing::File))?;
        let used_by = tenant.file_readers(vec![id]).await?.remove(&id).unwrap_or(0);
        Ok(ListedFile { created_at: row.created_at, used_by, file: row.into() })
    }

    /// Removes a file that no unfinished order reads and no article shows. What was read of it stays with its claims. The
    /// bytes go with the next sweep: another upload of the same content may be on its way.
    pub async fn delete_file(&self, org: OrgId, id: Uuid) -> Result<(), ServiceError> {
        let tx = self.store.begin(org).await?;
        tx.lock_file(id).await?.ok_or(ServiceError::NotFound(Missing::File))?;
        if tx.file_readers(vec![id]).await?.contains_key(&id) {
            let text = "an order that has not ended reads this file; wait for it or cancel it";
            return Err(ServiceError::Conflict(text.into()));
        }
        if tx.is_cover(id).await? {
            return Err(ServiceError::Conflict(
                "an article shows this file as its cover; delete the article first".into(),
            ));
        }
        tx.delete_file(id).await?;
        Ok(tx.commit().await?)
    }

    /// Reads the text of a file, unless it was read lately.
    pub async fn read_file(
        &self,
        org: OrgId,
        id: Uuid,
    ) -> Result<(rows::File, Result<Extracted, FileError>), ServiceError> {
        let file = self.store.tenant(org).file(id).await?.ok_or(ServiceError::NotFound(Missing::File))?;
        if let Some(read) = self.read_texts.get(&file.blob, &file.name) {
            return Ok((file, Ok(read)));
        }
        let source = self.blobs.source(&file.blob).await?;
        let read = self.readers.file(source, &file.name, Limits::default()).await;
        if let Ok(read) = &read {
            self.read_texts.keep(&file.blob, &file.name, read);
        }
        Ok((file, read))
    }

    /// The bytes of a file.
    pub async fn file_bytes(&self, org: OrgId, id: Uuid) -> Result<(rows::File, Bytes), ServiceError> {
        let file = self.store.tenant(org).file(id).await?.ok_or(ServiceError::NotFound(Missing::File))?;
        let bytes = self.blobs.get(&file.blob).await?;
        Ok((file, bytes))
    }

    /// The bytes of a file piece by piece, so that a reader who is slow keeps a piece in memory and not the whole.
    pub async fn file_pieces(&self, org: OrgId, id: Uuid) -> Result<(rows::File, Pieces), ServiceError> {
        let file = self.store.tenant(org).file(id).await?.ok_or(ServiceError::NotFound(Missing::File))?;
        let pieces = self.blobs.pieces(&file.blob, file.size.unsigned_abs()).await?;
        Ok((file, pieces))
    }
}

#[cfg(test)]
mod tests {
    use super::plain_name;

    #[test]
    fn names_lose_their_path_and_control_characters() {
        assert_eq!(plain_name("../../etc/passwd"), "passwd");
        assert_eq!(plain_name("C:\\temp\\report.docx"), "report.docx");
        assert_eq!(plain_name("..\u{7}.hidden"), "hidden");
        assert_eq!(plain_name("/"), "file");
        assert_eq!(plain_name(&"x".repeat(999)).len(), 255);
    }
}
