//! Decoding, sizing and encoding: off the async threads, within the budget of memory of all readers, and no more at once
//! than there are cores.

use std::sync::Arc;

use bytes::Bytes;
use galley_files::FileError;
use galley_images::{Encoded, Look, Picture, PictureError, PictureLimits, Variant};
use tokio::sync::Semaphore;

use crate::{Services, error::ServiceError};

/// Counts the pictures that are worked on.
#[derive(Debug, Clone)]
pub(crate) struct Pictures(Arc<Semaphore>);

impl Default for Pictures {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self(Arc::new(Semaphore::new(cores)))
    }
}

impl Services {
    /// A picture from anybody's bytes, encoded anew in full and in all smaller sizes. What is wrong with it is said of the
    /// field `file`.
    pub(crate) async fn encoded(&self, bytes: Bytes) -> Result<(Encoded, Vec<Variant>), ServiceError> {
        self.worked_on(bytes, |picture| Ok((picture.encoded()?, picture.variants()?))).await
    }

    /// The smaller sizes alone.
    pub(super) async fn sized(&self, bytes: Bytes) -> Result<Vec<Variant>, ServiceError> {
        self.worked_on(bytes, |picture| picture.variants()).await
    }

    /// Whoever stops waiting does not stop the work: it is short, and keeps its memory and its turn until it is done.
    async fn worked_on<T: Send + 'static>(
        &self,
        bytes: Bytes,
        work: fn(&Picture) -> Result<T, PictureError>,
    ) -> Result<T, ServiceError> {
        const LIMITS: PictureLimits =
            PictureLimits { bytes: galley_images::MAX_PICTURE_BYTES, pixels: galley_images::MAX_PIXELS };
        let looked_at = bytes.clone();
        let look = blocking(move || Look::at(&looked_at, &LIMITS)).await?;
        let memory = self.readers.reserve(look.memory_mb()).await.map_err(|error| match error {
            FileError::TooMuchMemory { limit } => {
                let (width, height, needed) = (look.width, look.height, look.memory_mb());
                let text = format!(
                    "{width} × {height} pixels of this kind need {needed} MiB to be decoded, and there are {limit}; send \
                     it smaller, or have the operator allow more (limits.reading_memory_mb)"
                );
                ServiceError::field("file", text)
            }
            error => ServiceError::Unavailable(error.to_string()),
        })?;
        let turn = Arc::clone(&self.pictures.0).acquire_owned().await;
        let turn = turn.map_err(|error| ServiceError::Unavailable(error.to_string()))?;
        blocking(move || {
            let _held = (memory, turn);
            work(&Picture::read(&bytes, &LIMITS)?)
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PictureError> + Send + 'static,
) -> Result<T, ServiceError> {
    let done = tokio::task::spawn_blocking(work).await;
    // A decoder that panics has met a picture that no encoder wrote.
    done.unwrap_or_else(|_| Err(PictureError::Broken("it cannot be decoded".to_owned()))).map_err(refusal)
}

fn refusal(error: PictureError) -> ServiceError {
    match error {
        PictureError::TooLarge { max, .. } => ServiceError::TooLarge(max),
        PictureError::OtherKind => ServiceError::WrongKind(error.to_string()),
        PictureError::TooManyPixels { .. } | PictureError::Grows { .. } | PictureError::Broken(_) => {
            ServiceError::field("file", error.to_string())
        }
        PictureError::Encoding(_) => ServiceError::Unavailable(error.to_string()),
    }
}
