//! Pictures of what an article is written from: images of the article that know their source and their place in it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    entity::images::Model,
    error::StoreError,
    images::{NewImage, number},
    scope::TenantTx,
    sql,
};

/// Where a picture stands in its source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImagePlace {
    /// Bytes of the source's text before it.
    pub at: usize,
    /// The nearest heading above it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heading: Option<String>,
    /// May be empty.
    pub caption: String,
    /// Where it was fetched from; none of a picture that a file had in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// A picture to keep with its source.
#[derive(Debug, Clone)]
pub struct NewSourceImage {
    pub image: NewImage,
    /// The number of the source within its run.
    pub source: u32,
    pub place: ImagePlace,
}

/// A run that reads the same again finds the same pictures; they belong to its sources then. Of a picture that the text has
/// shown meanwhile nothing else changes.
const PUT: &str = "
INSERT INTO images (id, org_id, article_id, source, kind, width, height, file_size, sha256, blob, variants, stored_bytes,
    alt_text, credit, is_featured, position, source_id, place)
SELECT $6, $1, a.id, 'article', $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, false,
    (SELECT coalesce(max(i.position) + 1, 0) FROM images i WHERE i.org_id = $1 AND i.article_id = $2), s.id, $17
FROM articles a JOIN research_sources s ON s.org_id = $1 AND s.task_id = $3 AND s.run = $4 AND s.number = $5
WHERE a.org_id = $1 AND a.id = $2
    AND (SELECT count(*) FROM images i WHERE i.org_id = $1 AND i.article_id = $2 AND i.id <> $6) < $18
ON CONFLICT (id) DO UPDATE SET source_id = excluded.source_id, place = excluded.place, updated_at = now()
    WHERE images.org_id = $1 AND images.article_id = $2";

impl Model {
    /// Of a picture of a source.
    pub fn place_in_source(&self) -> Result<Option<ImagePlace>, StoreError> {
        Ok(self.place.clone().map(serde_json::from_value).transpose()?)
    }
}

impl TenantTx {
    /// Keeps pictures of the sources that a run of a task has read, as long as the article has fewer than `most` images.
    /// They are never featured by themselves. How many are kept now.
    pub async fn add_source_images(
        &self,
        (task, run): (Uuid, i32),
        images: &[NewSourceImage],
        most: usize,
    ) -> Result<u64, StoreError> {
        let mut kept = 0;
        for NewSourceImage { image, source, place } in images {
            let values = [
                self.org_value(),
                image.article.into(),
                task.into(),
                run.into(),
                i32::try_from(*source).unwrap_or(i32::MAX).into(),
                image.id.into(),
                image.kind.as_str().into(),
                number::<i32>(image.width)?.into(),
                number::<i32>(image.height)?.into(),
                number::<i64>(image.file_size)?.into(),
                image.sha256.as_str().into(),
                image.blob.as_str().into(),
                serde_json::to_value(&image.variants)?.into(),
                number::<i64>(image.stored_bytes)?.into(),
                image.alt_text.as_str().into(),
                image.credit.clone().into(),
                serde_json::to_value(place)?.into(),
                i64::try_from(most).unwrap_or(i64::MAX).into(),
            ];
            kept += sql::execute(&self.conn, PUT, values).await?;
        }
        Ok(kept)
    }
}
