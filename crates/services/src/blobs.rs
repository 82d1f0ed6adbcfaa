//! The bytes of files and pictures: in a folder, or in a bucket of S3 and what speaks like it. Those of files are named by
//! content, so that a second copy costs nothing; those of a picture by its id, so that they can go with it at once.

use std::{
    fs::Permissions,
    future::ready,
    io,
    os::unix::fs::PermissionsExt,
    path::{Path as FsPath, PathBuf},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use galley_domain::{Hidden, OrgId};
use galley_files::Source;
use object_store::{
    ClientOptions, GetResultPayload, ObjectStore, ObjectStoreExt, RetryConfig, aws::AmazonS3Builder,
    local::LocalFileSystem, path::Path,
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    #[error("the file store does not have this file any more")]
    Gone,
    #[error("the file store failed: {0}")]
    Failed(#[source] object_store::Error),
    #[error("the file store's folder cannot be made or written to: {0}")]
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

/// What is uploaded is nobody else's business.
const MODE: u32 = 0o640;
/// Bytes that are read from a blob at once.
const PIECE: u64 = 128 * 1024;

/// The bytes of a file, piece by piece.
pub type Pieces = BoxStream<'static, io::Result<Bytes>>;

/// How long one call of a bucket may take, and all attempts at it together.
const CALL: Duration = Duration::from_secs(20);
const CALLS: Duration = Duration::from_secs(30);

#[derive(Debug, Clone)]
pub struct Blobs {
    inner: Arc<dyn ObjectStore>,
    /// None for a bucket.
    root: Option<PathBuf>,
}

/// A bucket of S3, or of a server that speaks like it.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// Without it that of AWS in the region.
    pub endpoint: Option<String>,
    pub name: String,
    pub region: String,
    pub access_key_id: Hidden,
    pub secret_access_key: Hidden,
    /// The bucket's name stands in the path, not in the host.
    pub path_style: bool,
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
        Ok(Self { inner: Arc::new(LocalFileSystem::new_with_prefix(root)?), root: Some(root.to_owned()) })
    }

    /// Objects in a bucket, which has to be there. Nothing is asked of it yet.
    pub fn bucket(bucket: &Bucket) -> Result<Self, BlobError> {
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&bucket.name)
            .with_region(&bucket.region)
            .with_access_key_id(bucket.access_key_id.expose())
            .with_secret_access_key(bucket.secret_access_key.expose())
            .with_virtual_hosted_style_request(!bucket.path_style)
            .with_client_options(ClientOptions::new().with_timeout(CALL))
            .with_retry(RetryConfig { max_retries: 3, retry_timeout: CALLS, ..RetryConfig::default() });
        if let Some(endpoint) = &bucket.endpoint {
            builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
        }
        Ok(Self { inner: Arc::new(builder.build()?), root: None })
    }

    /// Whether bytes can be stored, read and removed.
    pub async fn check(&self) -> Result<(), BlobError> {
        let probe = format!("probe/{}", Uuid::now_v7());
        let bytes = Bytes::from_static(b"galley");
        self.inner.put(&Path::from(probe.as_str()), bytes.clone().into()).await?;
        let read = self.get(&probe).await;
        self.remove(&[probe]).await?;
        match read? == bytes {
            true => Ok(()),
            false => Err(BlobError::Gone),
        }
    }

    /// Stores bytes once per organization and content; writing the same again changes nothing.
    pub async fn put(&self, org: OrgId, bytes: Bytes) -> Result<Put, BlobError> {
        let sha256 = hex(&Sha256::digest(&bytes));
        let blob = format!("{org}/{}/{sha256}", &sha256[..2]);
        self.write(&blob, bytes).await?;
        Ok(Put { blob, sha256 })
    }

    /// Stores bytes that belong to a picture alone. `part` names them among the others of the picture: `thumb.webp`.
    pub(crate) async fn put_of_image(
        &self,
        org: OrgId,
        image: Uuid,
        part: &str,
        bytes: Bytes,
    ) -> Result<Put, BlobError> {
        let (sha256, image) = (hex(&Sha256::digest(&bytes)), image.to_string());
        // By the end of the id: it begins with the time.
        let blob = format!("{org}/{}/{image}.{part}", &image[image.len() - 2..]);
        self.write(&blob, bytes).await?;
        Ok(Put { blob, sha256 })
    }

    async fn write(&self, blob: &str, bytes: Bytes) -> Result<(), BlobError> {
        self.inner.put(&Path::from(blob), bytes.into()).await?;
        let Some(root) = &self.root else { return Ok(()) };
        match tokio::fs::set_permissions(root.join(blob), Permissions::from_mode(MODE)).await {
            // The sweep may have taken it meanwhile.
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(BlobError::Folder(error)),
            _ => Ok(()),
        }
    }

    /// Removes blobs; one that is gone is fine. All are tried, and the first failure is told.
    pub(crate) async fn remove(&self, blobs: &[String]) -> Result<(), BlobError> {
        let mut failed = Ok(());
        for blob in blobs {
            match self.inner.delete(&Path::from(blob.as_str())).await {
                Err(error) if !matches!(error, object_store::Error::NotFound { .. }) => {
                    failed = failed.and(Err(error.into()));
                }
                _ => {}
            }
        }
        failed
    }

    /// The folder, if it is one.
    pub(crate) fn root(&self) -> Option<&FsPath> {
        self.root.as_deref()
    }

    pub(crate) fn objects(&self) -> &dyn ObjectStore {
        self.inner.as_ref()
    }

    pub async fn get(&self, blob: &str) -> Result<Bytes, BlobError> {
        Ok(self.inner.get(&Path::from(blob)).await?.bytes().await?)
    }

    /// A blob for a reader: the open file where the store is a folder, so that its bytes never come into this process.
    pub(crate) async fn source(&self, blob: &str) -> Result<Source, BlobError> {
        let found = self.inner.get(&Path::from(blob)).await?;
        Ok(match found.payload {
            GetResultPayload::File(file, _) => file.into(),
            GetResultPayload::Stream(_) => found.bytes().await?.into(),
        })
    }

    /// A blob of `size` bytes, read as it is asked for. The first piece is read at once, so that a blob that is gone is
    /// an error here. Between pieces no file is open and at most one piece is in memory, however slow the reader is.
    pub async fn pieces(&self, blob: &str, size: u64) -> Result<Pieces, BlobError> {
        let (blobs, path) = (self.clone(), Path::from(blob));
        let first = blobs.piece(&path, 0, size).await?;
        let read = first.len() as u64;
        let rest = stream::unfold(read, move |from| {
            let (blobs, path) = (blobs.clone(), path.clone());
            async move {
                if from >= size {
                    return None;
                }
                match blobs.piece(&path, from, size).await {
                    Ok(piece) => {
                        let next = from + piece.len() as u64;
                        Some((Ok(piece), next))
                    }
                    Err(error) => Some((Err(io::Error::other(error)), size)),
                }
            }
        });
        Ok(stream::once(ready(Ok(first))).chain(rest).boxed())
    }

    async fn piece(&self, path: &Path, from: u64, size: u64) -> Result<Bytes, BlobError> {
        Ok(self.inner.get_range(path, from..size.min(from + PIECE)).await?)
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

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;

    use super::*;

    #[tokio::test]
    async fn pieces_are_the_whole_and_what_is_gone_is_said_at_once_or_when_it_is_missed() {
        let folder = tempfile::tempdir().expect("a folder");
        let blobs = Blobs::folder(folder.path()).expect("made");
        let org = OrgId(uuid::Uuid::nil());
        for length in [1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE] {
            let bytes: Bytes = (0..length).map(|at| (at % 251) as u8).collect();
            let put = blobs.put(org, bytes.clone()).await.expect("stored");
            let pieces: Vec<Bytes> =
                blobs.pieces(&put.blob, length).await.expect("there").try_collect().await.expect("read");
            assert_eq!(pieces.len() as u64, length.div_ceil(PIECE), "{length}");
            assert!(pieces.concat() == bytes, "{length}");
        }
        let put = blobs.put(org, vec![7; 2 * PIECE as usize].into()).await.expect("stored");
        let mut pieces = blobs.pieces(&put.blob, 2 * PIECE).await.expect("there");
        assert!(pieces.next().await.is_some_and(|first| first.is_ok()));
        std::fs::remove_file(folder.path().join(&put.blob)).expect("removed");
        assert!(pieces.next().await.is_some_and(|second| second.is_err()), "a cut is no end");
        assert!(pieces.next().await.is_none());
        assert!(matches!(blobs.pieces(&put.blob, 2 * PIECE).await, Err(BlobError::Gone)));
    }
}
