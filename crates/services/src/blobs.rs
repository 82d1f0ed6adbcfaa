//! The bytes of files: a folder now, any `object_store` later. Named by content, so that a second copy costs nothing.

use std::{
    path::{Path as FsPath, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use galley_domain::OrgId;
use object_store::{ObjectStore, ObjectStoreExt, local::LocalFileSystem, path::Path};
use sha2::{Digest, Sha256};

#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    #[error("the file store does not have this file any more")]
    Gone,
    #[error("the file store failed: {0}")]
    Failed(#[source] object_store::Error),
    #[error("the file store's folder cannot be made: {0}")]
    Folder(#[source] std::io::Error),
    #[error("the file store's folder cannot be swept: {0}")]
    Sweep(#[source] std::io::Error),
}

impl From<object_store::Error> for BlobError {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::Gone,
            other => Self::Failed(other),
        }
    }
}

#[derive(Debug, Clone)]
pub struct Blobs {
    inner: Arc<dyn ObjectStore>,
    root: PathBuf,
}

/// A stored blob: its name in the store and its SHA-256 in hex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    pub blob: String,
    pub sha256: String,
}

impl Blobs {
    /// Files in a folder, which is made when missing.
    pub fn folder(root: &FsPath) -> Result<Self, BlobError> {
        std::fs::create_dir_all(root).map_err(BlobError::Folder)?;
        Ok(Self { inner: Arc::new(LocalFileSystem::new_with_prefix(root)?), root: root.to_owned() })
    }

    /// Stores bytes once per organization and content; writing the same again changes nothing.
    pub async fn put(&self, org: OrgId, bytes: Bytes) -> Result<Put, BlobError> {
        let sha256 = hex(&Sha256::digest(&bytes));
        let blob = format!("{org}/{}/{sha256}", &sha256[..2]);
        self.inner.put(&Path::from(blob.as_str()), bytes.into()).await?;
        Ok(Put { blob, sha256 })
    }

    pub(crate) fn root(&self) -> &FsPath {
        &self.root
    }

    pub async fn get(&self, blob: &str) -> Result<Bytes, BlobError> {
        Ok(self.inner.get(&Path::from(blob)).await?.bytes().await?)
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
