//! The folder as a destination: its work, off the threads of the runtime.

use std::path::PathBuf;

use async_trait::async_trait;
use galley_domain::{Fault, FaultCode};
use uuid::Uuid;

use super::SiteFolder;
use crate::{
    Capability, CapabilityId, CapabilityStatus, Destination, Existing, FrontMatterStyle, Known, Post, Preview, Probe,
    Published, RemoteFields, Removal,
};

/// A folder of Markdown with front matter, for a static site generator.
#[derive(Debug, Clone)]
pub struct FolderDestination(SiteFolder);

impl FolderDestination {
    /// `root` is made by the first publication. E.g. Hugo's `content/posts`.
    pub fn new(root: PathBuf, style: FrontMatterStyle) -> Self {
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

    async fn publish(&self, post: Post, known: Option<&Known>) -> Result<Published, Fault> {
        let known = known.cloned();
        self.blocking(move |folder| folder.publish(&post, known.as_ref())).await
    }

    async fn preview(&self, post: Post, known: Option<&Known>) -> Result<Preview, Fault> {
        let known = known.cloned();
        self.blocking(move |folder| folder.preview(&post, known.as_ref())).await
    }

    async fn look_up(&self, article: Uuid, _known: Option<&Known>) -> Result<Option<Existing>, Fault> {
        self.blocking(move |folder| folder.look_up(article)).await
    }

    async fn read(&self, article: Uuid, _known: Option<&Known>) -> Result<Option<RemoteFields>, Fault> {
        self.blocking(move |folder| folder.read(article)).await
    }

    async fn unpublish(&self, article: Uuid, _known: Option<&Known>) -> Result<bool, Fault> {
        self.blocking(move |folder| folder.unpublish(article)).await
    }

    /// A folder has no trash.
    async fn remove(&self, article: Uuid, _known: Option<&Known>, _how: Removal) -> Result<bool, Fault> {
        self.blocking(move |folder| folder.remove(article)).await
    }

    async fn probe(&self) -> Probe {
        let tried = self.blocking(SiteFolder::try_out).await;
        let (status, evidence, help) = match &tried {
            Ok(()) => (CapabilityStatus::Ok, "a file was written and removed again".to_owned(), String::new()),
            Err(fault) => {
                let help = "let the user that runs Galley write into the folder, or choose another one";
                (CapabilityStatus::Failed, fault.to_string(), help.to_owned())
            }
        };
        let capability = |id| Capability { id, status, evidence: evidence.clone(), help: help.clone() };
        Probe {
            success: tried.is_ok(),
            message: tried.map_or_else(|fault| fault.to_string(), |()| "the folder can be written to".to_owned()),
            site_name: None,
            version: None,
            role: None,
            capabilities: vec![capability(CapabilityId::Upload), capability(CapabilityId::Publish)],
        }
    }

    async fn tidy(&self) -> Result<(), Fault> {
        self.blocking(SiteFolder::clear).await
    }
}
