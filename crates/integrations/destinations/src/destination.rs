//! What every destination can do. A connector implements this and passes the conformance suite of the test kit.

use std::fmt::Debug;

use async_trait::async_trait;
use galley_domain::Fault;
use uuid::Uuid;

use crate::{
    listing::{Collection, RemotePage, Structure},
    post::Post,
    probe::{Probe, Term, TermKind},
    remote::{Existing, Known, Preview, Published, RemoteFields, Removal},
};

/// Where articles are published: a folder, a blog.
///
/// Each call may be repeated: what is there already is found by the article's id and not made twice. `known` is what our
/// records say of the article at this destination, if they say anything; it is a hint, and what stands there counts.
///
/// Faults say whether the same call may succeed later. After a fault that may go away nobody knows whether it was done;
/// [`Self::look_up`] says.
#[async_trait]
pub trait Destination: Debug + Send + Sync + 'static {
    /// Its name in the ledger of what was published where.
    fn name(&self) -> &str;

    /// Puts the article there, or brings what is there to this version, in its place. An article that somebody there put
    /// into the trash is a permanent fault: it does not come back against their will. One that was deleted for good is made
    /// anew, with a warning where our records knew it.
    async fn publish(&self, post: Post, known: Option<&Known>) -> Result<Published, Fault>;

    /// What [`Self::publish`] would do, with its refusals; changes nothing.
    async fn preview(&self, post: Post, known: Option<&Known>) -> Result<Preview, Fault>;

    /// What is there of the article, also in the trash; changes nothing.
    async fn look_up(&self, article: Uuid, known: Option<&Known>) -> Result<Option<Existing>, Fault>;

    /// What stands there now, field by field, to be compared with [`Published::fields`]; changes nothing.
    async fn read(&self, article: Uuid, known: Option<&Known>) -> Result<Option<RemoteFields>, Fault>;

    /// Makes a draft of it, which one that is a draft already stays; false when it is not there. Publishing again shows it in
    /// its place.
    async fn unpublish(&self, article: Uuid, known: Option<&Known>) -> Result<bool, Fault>;

    /// Takes the article away; false when it was not there. What is in the trash is there for [`Removal::Delete`] only.
    async fn remove(&self, article: Uuid, known: Option<&Known>, how: Removal) -> Result<bool, Fault>;

    /// What can be done there with this login. Never a fault: what fails is among the answers. It leaves nothing behind.
    async fn probe(&self) -> Probe;

    /// What articles are sorted by there; nothing where names need no list.
    async fn terms(&self, _kind: TermKind) -> Result<Vec<Term>, Fault> {
        Ok(Vec::new())
    }

    /// A page, counted from 1, of the texts that stand there, whoever wrote them; changes nothing. Nothing where texts come
    /// from here only.
    async fn list(&self, _collection: Collection, _page: u32) -> Result<RemotePage, Fault> {
        Ok(RemotePage::default())
    }

    /// How many things of a kind there are; nothing where that is not told.
    async fn count(&self, _collection: Collection) -> Result<Option<u64>, Fault> {
        Ok(None)
    }

    /// What it is made of; nothing where all texts are of one kind.
    async fn structure(&self) -> Result<Structure, Fault> {
        Ok(Structure::default())
    }

    /// Removes what killed processes left half done.
    async fn tidy(&self) -> Result<(), Fault> {
        Ok(())
    }
}
