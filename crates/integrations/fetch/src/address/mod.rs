//! Where Galley may read. A client's link must not reach the operator's own network: the link is checked when it is
//! ordered ([`check_link`]), and every address is checked again where the connection is made ([`crate::dns`]).

mod ip;
mod link;
mod policy;

pub use ip::is_public;
pub(crate) use link::check_url;
pub use link::{LinkError, MAX_LINK_CHARS, check_link};
pub use policy::{ALLOW_SETTING, HostRule, Policy, RuleError};
