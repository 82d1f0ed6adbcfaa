//! Follow: brings the folder of a static site to what has become of an article.

use std::sync::Arc;

use async_trait::async_trait;
use galley_destinations::Removal;
use galley_domain::{publishing::FOLLOW, task::StepKind};
use galley_engine::{Output, Step, StepContext, StepError};
use galley_services::{InFolder, folder_post};
use serde_json::json;

use crate::steps::Toolbox;

/// An article that is changed more often than that while it is written is followed by the jobs of those changes.
const MOST_LOOKS: usize = 5;

pub(crate) struct Follow(pub(crate) Arc<Toolbox>);

#[async_trait]
impl Step for Follow {
    fn kind(&self) -> StepKind {
        FOLLOW
    }

    async fn run(&self, cx: &StepContext) -> Result<Output, StepError> {
        let Toolbox { services, destination: Some(folder), .. } = &*self.0 else { return Ok(Output::default()) };
        let (org, id) = (cx.org()?, cx.subject()?);
        let (mut seen, mut done) = (None, "nothing");
        // Two of these may run at once. Whoever wrote last looks once more, so that an older look never has the last word.
        for _ in 0..MOST_LOOKS {
            let now = services.in_folder(org, id).await?;
            if seen.as_ref() == Some(&now.mark()) {
                break;
            }
            seen = Some(now.mark());
            done = match now {
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
        }
        Ok(Output::of(json!({ "folder": done })))
    }
}
