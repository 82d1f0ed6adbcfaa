//! What every destination can do. A connector implements this and passes the conformance suite of the test kit.

use std::fmt::Debug;

use async_trait::async_trait;
use galley_domain::{Fault, FaultCode};
use uuid::Uuid;

use crate::{
    folder::{Existing, Published, SiteFolder},
    front_matter::FrontMatterStyle,
    post::Post,
};

/// Where articles are published: a folder, a blog.
///
/// Each call may be repeated: what is there already is found by the article's id and not made twice. Faults say whether
/// the same call may succeed later. After a fault that may go away nobody knows whether it was done; [`Self::look_up`] says.
#[async_trait]
pub trait Destination: Debug + Send + Sync + 'static {
    /// Its name in the ledger of what was published where.
    fn name(&self) -> &str;

    /// Puts the article there, or brings what is there to this version, in its place.
    async fn publish(&self, post: Post) -> Result<Published, Fault>;

    /// What is there of the article; changes nothing.
    async fn look_up(&self, article: Uuid) -> Result<Option<Existing>, Fault>;

    /// Brings an article that is there to this version. One that is not there is a permanent fault: somebody took it away.
    async fn update(&self, post: Post) -> Result<Published, Fault> {
        match self.look_up(post.article_id).await? {
            Some(_) => self.publish(post).await,
            None => {
                let message = "the article is no longer at its destination; publish it again";
                Err(Fault::permanent(FaultCode::WorkflowError, message))
            }
        }
    }

    /// Takes the article away; false when it was not there.
    async fn remove(&self, article: Uuid) -> Result<bool, Fault>;

    /// Removes what killed processes left half done.
    async fn tidy(&self) -> Result<(), Fault> {
        Ok(())
    }
}

/// A folder of Markdown with front matter, for a static site generator.
#[derive(Debug, Clone)]
pub struct FolderDestination(SiteFolder);

impl FolderDestination {
    /// `root` is made by the first publication. E.g. Hugo's `content/posts`.
    pub fn new(root: std::path::PathBuf, style: FrontMatterStyle) -> Self {
        Self(SiteFolder::new(root, style))
    }

    /// The disk blocks, so it is not touched on a thread of the runtime.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&SiteFolder) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let folder = self.0.clone();
        match tokio::task::spawn_blocking(move || work(&folder)).await {
            Ok(done) => done,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(error) => Err(Fault::transient(FaultCode::WorkflowError, "the process stops").with_detail(error)),
        }
    }
}

#[async_trait]
impl Destination for FolderDestination {
    fn name(&self) -> &str {
        "folder"
    }

    async fn publish(&self, post: Post) -> Result<Published, Fault> {
        self.blocking(move |folder| folder.publish(&post)).await
    }

    async fn look_up(&self, article: Uuid) -> Result<Option<Existing>, Fault> {
        self.blocking(move |folder| folder.look_up(article)).await
    }

    async fn remove(&self, article: Uuid) -> Result<bool, Fault> {
        self.blocking(move |folder| folder.remove(article)).await
    }

    async fn tidy(&self) -> Result<(), Fault> {
        self.blocking(SiteFolder::clear).await
    }
}
