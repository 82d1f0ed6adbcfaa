//! Settings of files and pictures: where bytes are kept, how long links are good, where stock photos come from.

use galley_domain::Hidden;
use galley_photos::PexelsSettings;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StorageKind {
    Folder,
    S3,
}

/// Where the bytes of files and pictures are.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Storage {
    /// `folder`: `files` in the data folder. `s3`: a bucket.
    pub kind: StorageKind,
    /// Of a server that speaks like S3; AWS in the region when not set.
    pub endpoint: Option<String>,
    pub bucket: Option<String>,
    pub region: String,
    pub access_key_id: Option<Hidden>,
    pub secret_access_key: Option<Hidden>,
    /// The bucket's name stands in the path, not in the host.
    pub path_style: bool,
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            kind: StorageKind::Folder,
            endpoint: None,
            bucket: None,
            region: "us-east-1".into(),
            access_key_id: None,
            secret_access_key: None,
            path_style: true,
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Images {
    /// How long a link to an image is good.
    pub link_seconds: u32,
    /// Of any server with OpenAI's `/images/generations`, with its `/v1`.
    pub base_url: Option<String>,
    pub api_key: Option<Hidden>,
    /// Without it no images are generated.
    pub model: Option<String>,
    /// What the server is called in usage records.
    pub provider: Option<String>,
}

impl Default for Images {
    fn default() -> Self {
        Self { link_seconds: 3_600, base_url: None, api_key: None, model: None, provider: None }
    }
}

/// Pexels.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Photos {
    /// For organizations without a key of their own.
    pub key: Option<Hidden>,
    pub base_url: String,
    /// Hosts that photos are fetched from, with a port where it is not that of the scheme.
    pub image_hosts: Vec<String>,
}

impl Default for Photos {
    fn default() -> Self {
        let image_hosts = vec![PexelsSettings::IMAGE_HOST.to_owned()];
        Self { key: None, base_url: PexelsSettings::BASE_URL.into(), image_hosts }
    }
}

const MOST_LINK_SECONDS: u32 = 7 * 86_400;
const MOST_HOSTS: usize = 20;

impl Storage {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let endpoint = self.endpoint.as_deref();
        anyhow::ensure!(
            endpoint.is_none_or(|url| url.starts_with("https://") || url.starts_with("http://")),
            "storage.endpoint must begin with http:// or https://"
        );
        anyhow::ensure!(
            !endpoint.is_some_and(super::has_login),
            "storage.endpoint holds a login; put it into storage.access_key_id and storage.secret_access_key"
        );
        if self.kind == StorageKind::Folder {
            return Ok(());
        }
        for (name, is_set) in [
            ("bucket", self.bucket.is_some()),
            ("access_key_id", self.access_key_id.is_some()),
            ("secret_access_key", self.secret_access_key.is_some()),
        ] {
            anyhow::ensure!(is_set, "storage.{name} is missing: storage.kind is s3");
        }
        Ok(())
    }
}

impl Images {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            (60..=MOST_LINK_SECONDS).contains(&self.link_seconds),
            "images.link_seconds must be from 60 to {MOST_LINK_SECONDS}"
        );
        anyhow::ensure!(
            !self.base_url.as_deref().is_some_and(super::has_login),
            "images.base_url holds a login; put the key into images.api_key or GALLEY_IMAGES__API_KEY"
        );
        anyhow::ensure!(
            self.base_url.is_some() == self.model.is_some(),
            "images.base_url and images.model go together: set both, or neither"
        );
        Ok(())
    }
}

impl Photos {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            !super::has_login(&self.base_url),
            "photos.base_url holds a login; put the key into photos.key or GALLEY_PHOTOS__KEY"
        );
        anyhow::ensure!(
            (1..=MOST_HOSTS).contains(&self.image_hosts.len()),
            "photos.image_hosts must have 1 to {MOST_HOSTS} hosts"
        );
        Ok(())
    }
}
