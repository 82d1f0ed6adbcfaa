//! What a reader of the site sees of an article: its fields, and whether it is shown.

use std::io::Read;

use cap_std::fs::Dir;
use galley_domain::{Fault, FaultCode};
use uuid::Uuid;

use super::{INDEX, ROOT, SiteFolder, TEMP, find, settle, sweep, sync_dir, take_turn, write_new};
use crate::{
    front_matter::{hidden, read},
    io_fault::fault,
    post::Post,
    remote::RemoteFields,
};

/// Front matter and text; more than anything that we write.
const MAX_INDEX: u64 = (Post::MAX_BODY_BYTES as u64) * 2;

impl SiteFolder {
    /// What stands in the article's file.
    pub fn read(&self, article_id: Uuid) -> Result<Option<RemoteFields>, Fault> {
        let Some(root) = self.open()? else { return Ok(None) };
        find(&root, article_id)?.map(|found| fields(&root, &found.folder)).transpose()
    }

    /// Hides the article from the generator, in its place; false when it is not there.
    pub fn unpublish(&self, article_id: Uuid) -> Result<bool, Fault> {
        let Some(root) = self.open()? else { return Ok(false) };
        let _turn = take_turn(&root)?;
        sweep(&root)?;
        let Some(there) = find(&root, article_id)? else { return Ok(false) };
        if there.stamp.is_draft {
            return Ok(true);
        }
        let path = format!("{}/{INDEX}", there.folder);
        let text = hidden(&text_of(&root, &path)?, self.style);
        let folder = root.open_dir(&there.folder).map_err(|e| fault("open", &there.folder, &e))?;
        let temp = format!("{TEMP}{article_id}-hidden");
        root.create_dir(&temp).map_err(|e| fault("create", &temp, &e))?;
        let moved = (|| {
            let staged = root.open_dir(&temp).map_err(|e| fault("open", &temp, &e))?;
            write_new(&staged, INDEX, text.as_bytes(), &path)?;
            staged.rename(INDEX, &folder, INDEX).map_err(|e| fault("write", &path, &e))?;
            sync_dir(&folder, &there.folder)?;
            root.remove_dir_all(&temp).map_err(|e| fault("remove", &temp, &e))
        })();
        settle(&root, &temp, moved)?;
        Ok(true)
    }

    /// Writes a file and takes it away again.
    pub fn try_out(&self) -> Result<(), Fault> {
        let root = self.open_or_create()?;
        let _turn = take_turn(&root)?;
        sweep(&root)?;
        let temp = format!("{TEMP}probe");
        write_new(&root, &temp, b"A file that Galley wrote to see whether it can.\n", ROOT)?;
        root.remove_file(&temp).map_err(|e| fault("remove a file from", ROOT, &e))
    }
}

pub(super) fn fields(root: &Dir, folder: &str) -> Result<RemoteFields, Fault> {
    read_fields(&text_of(root, &format!("{folder}/{INDEX}"))?, folder)
}

/// Of a text that stands in this folder, or would.
pub(super) fn read_fields(text: &str, folder: &str) -> Result<RemoteFields, Fault> {
    read(text, folder).map_err(|why| {
        let path = format!("{folder}/{INDEX}");
        let message = format!("the front matter of {path} cannot be read; mend it, or publish the article again");
        Fault::permanent(FaultCode::WorkflowError, message).with_detail(why)
    })
}

fn text_of(root: &Dir, path: &str) -> Result<String, Fault> {
    let mut bytes = Vec::new();
    let file = root.open(path).map_err(|e| fault("read", path, &e))?;
    file.take(MAX_INDEX + 1).read_to_end(&mut bytes).map_err(|e| fault("read", path, &e))?;
    if bytes.len() as u64 > MAX_INDEX {
        let message = format!("{path} has grown beyond the {} MiB that are read; shorten it", MAX_INDEX >> 20);
        return Err(Fault::permanent(FaultCode::WorkflowError, message));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
