//! Follow: brings the folder of a static site to what has become of an article.

use std::sync::Arc;

use async_trait::async_trait;
use galley_destinations::Removal;
use galley_domain::{publishing::FOLLOW, task::StepKind};
use galley_engine::{Output, Step, StepContext, StepError};
use galley_services::{InFolder, folder_post};
use serde_json::json;

use crate::steps::Toolbox;

pub(crate) struct Follow(pub(crate) Arc<Toolbox>);

#[async_trait]
impl Step for Follow {
    fn kind(&self) -> StepKind {
        FOLLOW
    }

    async fn run(&self, cx: &StepContext) -> Result<Output, StepError> {
        let Toolbox { services, destination: Some(folder), .. } = &*self.0 else { return Ok(Output::default()) };
        let (org, id) = (cx.org()?, cx.subject()?);
        let done = match services.in_folder(org, id).await? {
            InFolder::AsItIs => "nothing",
            InFolder::Nothing => match folder.remove(id, None, Removal::Delete).await? {
                true => "removed",
                false => "nothing",
            },
            InFolder::Article(article, shown) => {
                let assets = services.assets_of(org, &article).await?;
                folder.publish(folder_post(&article, shown, assets), None).await?;
                "written"
            }
        };
        Ok(Output::of(json!({ "folder": done })))
    }
}
