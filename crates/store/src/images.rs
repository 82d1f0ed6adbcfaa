//! Pictures of articles: what is known of them. The bytes are in the file store.

use std::collections::BTreeMap;

use galley_domain::image::ImageSource;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{
    entity::images::{ActiveModel, Column, Entity, Model},
    error::StoreError,
    files::NewFile,
    scope::{Scoped, TenantTx},
    sql,
    words::TextEnum,
};

/// A picture in one of its smaller sizes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredVariant {
    /// Where its bytes are in the file store.
    pub blob: String,
    /// `jpeg` or `webp`.
    pub kind: String,
    pub width: u32,
    pub height: u32,
    /// In bytes.
    pub size: u64,
    pub sha256: String,
}

#[derive(Debug, Clone)]
pub struct NewImage {
    pub id: Uuid,
    pub article: Uuid,
    pub source: ImageSource,
    pub kind: String,
    pub width: u32,
    pub height: u32,
    pub file_size: u64,
    pub sha256: String,
    pub blob: String,
    pub variants: BTreeMap<String, StoredVariant>,
    /// Of all bytes that belong to the picture alone.
    pub stored_bytes: u64,
    /// Not empty.
    pub alt_text: String,
    pub credit: Option<Json>,
    /// The file that has the bytes, where they are not the picture's own.
    pub file: Option<Uuid>,
}

/// A file with a title card in it.
#[derive(Debug, Clone, Copy)]
pub struct NewCard<'a> {
    pub file: &'a NewFile,
    pub width: u32,
    pub height: u32,
    /// Not empty.
    pub alt_text: &'a str,
}

/// The sizes that were made of the older card go with it.
const PUT_CARD: &str = "
INSERT INTO images (id, org_id, article_id, source, kind, width, height, file_size, sha256, blob, stored_bytes, alt_text,
    is_featured, position, file_id)
SELECT $3, $1, a.id, 'card', $11, $4, $5, $6, $7, $8, 0, $9,
    NOT EXISTS (SELECT FROM images i WHERE i.org_id = $1 AND i.article_id = $2 AND i.is_featured),
    (SELECT coalesce(max(i.position) + 1, 0) FROM images i WHERE i.org_id = $1 AND i.article_id = $2), $10
FROM articles a WHERE a.org_id = $1 AND a.id = $2
ON CONFLICT (org_id, article_id) WHERE source = 'card' DO UPDATE SET kind = excluded.kind, width = excluded.width,
    height = excluded.height, file_size = excluded.file_size, sha256 = excluded.sha256, blob = excluded.blob,
    variants = '{}', stored_bytes = 0, alt_text = excluded.alt_text, file_id = excluded.file_id, updated_at = now()";

/// Cards from before there were pictures are covers only.
const CARD_FILES: &str = "
SELECT file_id AS id FROM images WHERE org_id = $1 AND article_id = $2 AND file_id IS NOT NULL
UNION
SELECT cover_file_id FROM articles WHERE org_id = $1 AND id = $2 AND cover_file_id IS NOT NULL";

const RELEASE_CARD: &str = "
DELETE FROM files WHERE org_id = $1 AND id = $2
    AND NOT EXISTS (SELECT FROM articles a WHERE a.org_id = $1 AND a.cover_file_id = $2)
    AND NOT EXISTS (SELECT FROM images i WHERE i.org_id = $1 AND i.file_id = $2)";

const OF_PROJECT: &str = "
SELECT i.* FROM images i JOIN articles a ON a.id = i.article_id
WHERE i.org_id = $1 AND a.org_id = $1 AND a.project_id = $2";

/// Sizes of pictures are far below the end of these columns.
pub(crate) fn number<T: TryFrom<u64>>(size: impl Into<u64>) -> Result<T, StoreError> {
    let size = size.into();
    T::try_from(size).map_err(|_| StoreError::Unreadable(format!("a picture with the measure {size}")))
}

impl Model {
    /// By name, such as `thumb_webp`.
    pub fn stored_variants(&self) -> Result<BTreeMap<String, StoredVariant>, StoreError> {
        Ok(serde_json::from_value(self.variants.clone())?)
    }
}

impl<C: ConnectionTrait> Scoped<C> {
    pub async fn image(&self, id: Uuid) -> Result<Option<Model>, StoreError> {
        self.get::<Entity>(id).await
    }

    /// The pictures of these articles, by article and in their order.
    pub async fn images(&self, articles: &[Uuid]) -> Result<Vec<Model>, StoreError> {
        let of_articles = self.find::<Entity>().filter(Column::ArticleId.is_in(articles.iter().copied()));
        let sorted = of_articles.order_by_asc(Column::ArticleId).order_by_asc(Column::Position);
        Ok(sorted.order_by_asc(Column::Id).all(&self.conn).await?)
    }

    /// The pictures of a project's articles, in no particular order.
    pub async fn images_of_project(&self, project: Uuid) -> Result<Vec<Model>, StoreError> {
        sql::rows(&self.conn, OF_PROJECT, [self.org_value(), project.into()]).await
    }

    /// The featured picture of each of these articles that has one.
    pub async fn featured_images(&self, articles: &[Uuid]) -> Result<Vec<Model>, StoreError> {
        let of_articles = self.find::<Entity>().filter(Column::ArticleId.is_in(articles.iter().copied()));
        Ok(of_articles.filter(Column::IsFeatured.eq(true)).order_by_asc(Column::ArticleId).all(&self.conn).await?)
    }
}

impl TenantTx {
    /// Puts a picture behind the others of its article, whose row the caller has locked. It becomes the featured one where
    /// there is none, and in the place of the title card where it is the first that somebody chose.
    pub async fn insert_image(&self, new: NewImage) -> Result<Model, StoreError> {
        let others = self.images(&[new.article]).await?;
        let has_featured = others.iter().any(|other| other.is_featured);
        // Nobody chose the title card, nor what the sources have shown until it is featured.
        let is_first_chosen = others.iter().all(|other| match other.source.0 {
            ImageSource::Card => true,
            ImageSource::Article => !other.is_featured,
            _ => false,
        });
        if has_featured && is_first_chosen {
            self.feature_image(new.article, None).await?;
        }
        let row = ActiveModel {
            id: Set(new.id),
            article_id: Set(new.article),
            source: Set(TextEnum(new.source)),
            kind: Set(new.kind),
            width: Set(number(new.width)?),
            height: Set(number(new.height)?),
            file_size: Set(number(new.file_size)?),
            sha256: Set(new.sha256),
            blob: Set(new.blob),
            variants: Set(serde_json::to_value(new.variants)?),
            stored_bytes: Set(number(new.stored_bytes)?),
            alt_text: Set(new.alt_text),
            credit: Set(new.credit),
            is_featured: Set(!has_featured || is_first_chosen),
            position: Set(others.last().map_or(0, |last| last.position.saturating_add(1))),
            file_id: Set(new.file),
            ..Default::default()
        };
        self.insert::<Entity>(row).await
    }

    /// Notes the smaller sizes of a picture, which had none; `bytes` is what they take. False when the picture is gone, or
    /// no longer the one in `blob` that they were made of.
    pub async fn set_image_variants(
        &self,
        id: Uuid,
        blob: &str,
        variants: &BTreeMap<String, StoredVariant>,
        bytes: u64,
    ) -> Result<bool, StoreError> {
        let row = ActiveModel {
            variants: Set(serde_json::to_value(variants)?),
            stored_bytes: Set(number(bytes)?),
            ..Default::default()
        };
        let one = self.updating::<Entity>().set(row).filter(Column::Id.eq(id)).filter(Column::Blob.eq(blob));
        Ok(one.exec(&self.conn).await?.rows_affected == 1)
    }

    /// Makes one of its pictures, or none, the featured one of an article whose row the caller has locked. False when the
    /// article has no such picture.
    pub async fn feature_image(&self, article: Uuid, image: Option<Uuid>) -> Result<bool, StoreError> {
        let plain = ActiveModel { is_featured: Set(false), ..Default::default() };
        let of_article = self.updating::<Entity>().set(plain).filter(Column::ArticleId.eq(article));
        of_article.filter(Column::IsFeatured.eq(true)).exec(&self.conn).await?;
        let Some(image) = image else { return Ok(true) };
        let featured = ActiveModel { is_featured: Set(true), ..Default::default() };
        let one = self.updating::<Entity>().set(featured).filter(Column::ArticleId.eq(article));
        Ok(one.filter(Column::Id.eq(image)).exec(&self.conn).await?.rows_affected == 1)
    }

    /// The picture that was there. Its effects go with it.
    pub async fn delete_image(&self, id: Uuid) -> Result<Option<Model>, StoreError> {
        let Some(found) = self.lock::<Entity>(id).await? else { return Ok(None) };
        self.delete_effects(id).await?;
        Ok(self.delete::<Entity>(id).await?.then_some(found))
    }

    /// Makes a file the title card of an article, in the place of an older one, whose file goes. The caller has locked the
    /// article's row; one that is gone gets none.
    pub async fn put_card(&self, article: Uuid, card: NewCard<'_>) -> Result<(), StoreError> {
        let NewCard { file, width, height, alt_text } = card;
        let values = [
            self.org_value(),
            article.into(),
            Uuid::now_v7().into(),
            number::<i32>(width)?.into(),
            number::<i32>(height)?.into(),
            number::<i64>(file.size)?.into(),
            file.sha256.as_str().into(),
            file.blob.as_str().into(),
            alt_text.into(),
            file.id.into(),
            file.kind.as_str().into(),
        ];
        let before = self.card_files(article).await?;
        sql::execute(&self.conn, PUT_CARD, values).await?;
        self.release_cards(before.into_iter().filter(|before| *before != file.id).collect()).await
    }

    /// The files that hold the title card of an article.
    pub(crate) async fn card_files(&self, article: Uuid) -> Result<Vec<Uuid>, StoreError> {
        let rows = sql::all(&self.conn, CARD_FILES, [self.org_value(), article.into()]).await?;
        rows.iter().map(|row| Ok(row.try_get("", "id")?)).collect()
    }

    /// Removes files that held a title card, but for those that an article or a picture still shows. Their bytes are swept:
    /// another card may have the same.
    pub(crate) async fn release_cards(&self, files: Vec<Uuid>) -> Result<(), StoreError> {
        for file in files {
            let values = [self.org_value(), file.into()];
            if sql::execute(&self.conn, RELEASE_CARD, values).await? > 0 {
                self.delete_effects(file).await?;
            }
        }
        Ok(())
    }
}
