//! The folder destination: `<root>/<slug>/index.md` with the pictures beside it.
//!
//! A new article is written into `.galley-tmp-…` beside its place and moved there with one rename. An update moves the
//! new pictures in first and `index.md` last, each by a rename, so a reader sees the old text or the new one, never
//! half of either; files that others put into the folder are left alone. Whatever a killed process left behind is
//! cleared by the next publish, or by [`SiteFolder::clear`]. All paths are opened through `cap-std`, which cannot leave the root, also not through
//! a symbolic link.

mod destination;
mod files;
mod places;
mod state;

use std::{io::ErrorKind, path::PathBuf};

use cap_std::{ambient_authority, fs::Dir};
use galley_domain::{Fault, FaultCode};
use uuid::Uuid;

use crate::{
    front_matter::{FrontMatterStyle, document, is_hidden},
    io_fault::fault,
    post::Post,
    remote::{Existing, Known, Preview, PreviewAction, Published, RemoteStatus, SeoOutcome},
};
pub use destination::FolderDestination;
use files::{ours, remove_file, remove_old, settle, sync_dir, take_out, tidy, write_new};
use places::{Found, find, sweep, take_turn, vacant};

const INDEX: &str = "index.md";
const TEMP: &str = ".galley-tmp-";
/// Names of the pictures that an update is about to move in; there only while one runs or after it was killed.
const PENDING: &str = ".galley-pending";
/// How the root is called in messages: its place on the machine is nobody's business.
const ROOT: &str = "the publication folder";
/// The front matter that we write is far shorter.
const MAX_HEAD: u64 = 256 << 10;

/// A folder of a static site, e.g. Hugo's `content/posts`. Calls block on the disk; make them off the async threads.
/// Any number of processes may publish into one folder at once, they take turns.
#[derive(Debug, Clone)]
pub(crate) struct SiteFolder {
    root: PathBuf,
    style: FrontMatterStyle,
}

impl SiteFolder {
    /// Touches nothing; the folder is created by the first [`publish`](Self::publish).
    pub fn new(root: PathBuf, style: FrontMatterStyle) -> Self {
        Self { root, style }
    }

    /// Writes the post, once: what is there already, of this version and with these very fields, is not written again; what
    /// a killed update to it left is removed.
    ///
    /// Of a slug that another article or a foreign folder has taken, `-2`, `-3` … is used. A published article keeps
    /// its folder also when its slug changes later.
    ///
    /// # Errors
    /// Permanent: a bad or oversized post, a newer version is there, a foreign file in the place of a picture or of the
    /// folder. Transient: no permission, a read-only or full disk, another process that writes too long, other IO errors.
    pub fn publish(&self, post: &Post, known: Option<&Known>) -> Result<Published, Fault> {
        post.check()?;
        let root = self.open_or_create()?;
        let _turn = take_turn(&root)?;
        sweep(&root)?;
        let (folder, already_there) = match find(&root, post.article_id)? {
            Some(there) if is_there(&there, post) => {
                tidy(&root, &there, post)?;
                (there.folder, true)
            }
            Some(there) if there.stamp.version > post.version => return Err(newer(&there, post)),
            Some(there) => {
                self.replace(&root, &there, post)?;
                (there.folder, false)
            }
            None => {
                let folder = self.create(&root, post)?;
                let warnings = new_place(post, &folder, known);
                return self.published(&root, &folder, post, false, warnings);
            }
        };
        self.published(&root, &folder, post, already_there, Vec::new())
    }

    /// What [`publish`](Self::publish) would do, with its refusals that can be told without writing.
    pub fn preview(&self, post: &Post, known: Option<&Known>) -> Result<Preview, Fault> {
        post.check()?;
        let root = self.open()?;
        let there = root.as_ref().map(|root| find(root, post.article_id)).transpose()?.flatten();
        let mut warnings = Vec::new();
        let (action, folder) = match (&there, &root) {
            (Some(there), _) if is_there(there, post) => (PreviewAction::None, there.folder.clone()),
            (Some(there), _) if there.stamp.version > post.version => return Err(newer(there, post)),
            (Some(there), _) => (PreviewAction::Update, there.folder.clone()),
            (None, root) => {
                let folder = root.as_ref().map_or_else(|| Ok(post.slug.clone()), |root| vacant(root, &post.slug))?;
                warnings = new_place(post, &folder, known);
                (PreviewAction::Create, folder)
            }
        };
        let text = document(post, &folder, self.style);
        let remote = match (&there, &root) {
            (Some(there), Some(root)) => Some(state::fields(root, &there.folder)?),
            _ => None,
        };
        let local = state::read_fields(&text, &folder)?;
        Ok(Preview { action, target: there.map(existing), local, remote, warnings })
    }

    fn published(
        &self,
        root: &Dir,
        folder: &str,
        post: &Post,
        already_there: bool,
        mut warnings: Vec<String>,
    ) -> Result<Published, Fault> {
        if let crate::Visibility::Future(at) = post.visibility {
            warnings
                .push(format!("a folder publishes nothing by itself; publish the article again at {at} to show it"));
        }
        let fields = state::fields(root, folder)?;
        Ok(Published {
            external_id: format!("{folder}/{INDEX}"),
            url: format!("{folder}/"),
            slug: folder.to_owned(),
            status: fields.status,
            version: post.version,
            already_there,
            // The description is in the front matter; a title of its own and a keyphrase have no place there.
            seo_meta: if post.seo.title.is_empty() && post.seo.focus_keyword.is_empty() {
                SeoOutcome::Written
            } else {
                SeoOutcome::NotSupported
            },
            fields,
            warnings,
        })
    }

    /// Looks for the article without writing anything: what an interrupted publication finds out before it repeats.
    pub fn look_up(&self, article_id: Uuid) -> Result<Option<Existing>, Fault> {
        let Some(root) = self.open()? else { return Ok(None) };
        Ok(find(&root, article_id)?.map(existing))
    }

    /// Takes the article out of the folder; false when it is not there. Files that others put beside it stay.
    pub fn remove(&self, article_id: Uuid) -> Result<bool, Fault> {
        let Some(root) = self.open()? else { return Ok(false) };
        let _turn = take_turn(&root)?;
        sweep(&root)?;
        let mut removed = false;
        // Copies that somebody made of it are the article too.
        while let Some(there) = find(&root, article_id)? {
            take_out(&root, &there)?;
            removed = true;
        }
        Ok(removed)
    }

    /// Removes what killed processes left half-written, also when nobody publishes any more. Waits for its turn like
    /// [`publish`](Self::publish); a folder that is not there is clean.
    pub fn clear(&self) -> Result<(), Fault> {
        let Some(root) = self.open()? else { return Ok(()) };
        let _turn = take_turn(&root)?;
        sweep(&root)
    }

    /// `None` where nothing has been published yet.
    fn open(&self) -> Result<Option<Dir>, Fault> {
        match Dir::open_ambient_dir(&self.root, ambient_authority()) {
            Ok(root) => Ok(Some(root)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(fault("open", ROOT, &error)),
        }
    }

    fn open_or_create(&self) -> Result<Dir, Fault> {
        Dir::create_ambient_dir_all(&self.root, ambient_authority()).map_err(|e| fault("create", ROOT, &e))?;
        Dir::open_ambient_dir(&self.root, ambient_authority()).map_err(|e| fault("open", ROOT, &e))
    }

    fn create(&self, root: &Dir, post: &Post) -> Result<String, Fault> {
        let folder = vacant(root, &post.slug)?;
        let temp = self.stage(root, &folder, post)?;
        point("staged");
        settle(root, &temp, root.rename(&temp, root, &folder).map_err(|e| fault("create", &folder, &e)))?;
        sync_dir(root, ROOT)?;
        Ok(folder)
    }

    fn replace(&self, root: &Dir, there: &Found, post: &Post) -> Result<(), Fault> {
        let folder = root.open_dir(&there.folder).map_err(|e| fault("open", &there.folder, &e))?;
        let ours = ours(&folder, there, post)?;
        let temp = self.stage(root, &there.folder, post)?;
        point("staged");
        settle(root, &temp, self.move_in(root, &temp, &folder, there, post, &ours))
    }

    /// Moves the staged files over the old ones, the text last, then removes what the new version no longer has.
    fn move_in(
        &self,
        root: &Dir,
        temp: &str,
        folder: &Dir,
        there: &Found,
        post: &Post,
        ours: &[String],
    ) -> Result<(), Fault> {
        let staged = root.open_dir(temp).map_err(|e| fault("open", temp, &e))?;
        let place = |name: &str| format!("{}/{name}", there.folder);
        let mut names: Vec<&str> = ours.iter().map(String::as_str).collect();
        names.extend(post.assets.iter().map(|a| a.name.as_str()));
        remove_file(folder, PENDING, &place(PENDING))?;
        write_new(folder, PENDING, names.join("\n").as_bytes(), &place(PENDING))?;
        for asset in &post.assets {
            staged.rename(&asset.name, folder, &asset.name).map_err(|e| fault("write", &place(&asset.name), &e))?;
            point("asset-moved");
        }
        point("assets-moved");
        sync_dir(folder, &there.folder)?;
        staged.rename(INDEX, folder, INDEX).map_err(|e| fault("write", &place(INDEX), &e))?;
        sync_dir(folder, &there.folder)?;
        point("index-moved");
        remove_old(folder, there, post, ours)?;
        root.remove_dir_all(temp).map_err(|e| fault("remove", temp, &e))
    }

    /// Writes the whole post into a new temporary folder, down to the disk; returns its name.
    fn stage(&self, root: &Dir, folder: &str, post: &Post) -> Result<String, Fault> {
        let temp = format!("{TEMP}{}-v{}", post.article_id, post.version);
        root.create_dir(&temp).map_err(|e| fault("create", &temp, &e))?;
        let written = (|| {
            let dir = root.open_dir(&temp).map_err(|e| fault("open", &temp, &e))?;
            for asset in &post.assets {
                write_new(&dir, &asset.name, asset.payload(), &format!("{folder}/{}", asset.name))?;
                point("asset-staged");
            }
            let text = document(post, folder, self.style);
            write_new(&dir, INDEX, text.as_bytes(), &format!("{folder}/{INDEX}"))?;
            sync_dir(&dir, folder)
        })();
        settle(root, &temp, written)?;
        Ok(temp)
    }
}

/// This version with these fields, shown or hidden as it should be. Files of old say nothing of their fields.
fn is_there(there: &Found, post: &Post) -> bool {
    let stamp = &there.stamp;
    let same_fields = stamp.fingerprint.as_ref().is_none_or(|fields| *fields == post.fingerprint());
    stamp.version == post.version && same_fields && stamp.is_draft == is_hidden(post.visibility) && !post.overwrite
}

fn existing(found: Found) -> Existing {
    Existing {
        external_id: format!("{}/{INDEX}", found.folder),
        url: format!("{}/", found.folder),
        version: found.stamp.version,
        status: if found.stamp.is_draft { RemoteStatus::Draft } else { RemoteStatus::Published },
        slug: found.folder,
    }
}

fn newer(there: &Found, post: &Post) -> Fault {
    let message = format!(
        "{}/{INDEX} is version {}, newer than version {}; publish the older text as a new version",
        there.folder, there.stamp.version, post.version
    );
    Fault::permanent(FaultCode::WorkflowError, message)
}

/// What is to be said of an article that was not there.
fn new_place(post: &Post, folder: &str, known: Option<&Known>) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(known) = known {
        warnings.push(format!("{} was gone; the article was published anew", known.external_id));
    }
    if folder != post.slug {
        warnings.push(format!("the name {} is taken there; the article is called {folder}", post.slug));
    }
    warnings
}

/// A place where the tests kill the process.
#[cfg(test)]
fn point(name: &str) {
    if std::env::var("GALLEY_TEST_DIE_AT").is_ok_and(|at| at == name) {
        std::process::abort();
    }
}

#[cfg(not(test))]
fn point(_name: &str) {}

#[cfg(test)]
mod tests;
