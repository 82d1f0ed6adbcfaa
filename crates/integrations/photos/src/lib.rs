//! Stock photos of Pexels: searched with a key, fetched from the hosts that its photos are on.
//!
//! The address of the interface is the operator's word and reached as it is. The address of a photo comes from a client, so it
//! has to be on one of the hosts of the settings, and is reached through the guarded clients, which follow no redirect.
//!
//! Pictures from any other address ([`fetch_picture`]) are fetched by the rules for links, redirects with them.

mod answer;
mod anywhere;
mod pexels;

pub use answer::{FoundPhotos, Photo};
pub use anywhere::{PictureLinkError, fetch_picture};
pub use pexels::{LinkRefused, MAX_PER_PAGE, Orientation, Pexels, PexelsSettings, PhotoQuery, SetupError};
