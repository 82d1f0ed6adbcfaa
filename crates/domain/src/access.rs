//! Who asks, and what they may do: principals with their permissions and scopes, and the operator of the machine.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::text_enum;

/// The tenant. Everything has its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrgId(pub Uuid);

impl std::fmt::Display for OrgId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

text_enum! {
    /// What a user may do in the organization.
    Role { Owner = "owner", Admin = "admin", Editor = "editor", Viewer = "viewer" }
}

text_enum! {
    Permission { Read = "read", Write = "write" }
}

text_enum! {
    Scope {
        Articles = "articles",
        Content = "content",
        Projects = "projects",
        Publish = "publish",
        Admin = "admin",
    }
}

/// Who is asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    /// Whoever presented the API key with this id.
    Key(Uuid),
    /// A person who signed in, by the id of the user. Nothing makes one before there are accounts.
    User(Uuid),
    /// Whoever holds the machine, at work within one organization; see [`Operator::within`].
    Operator,
    /// Galley itself: a schedule that came due, nobody being there to ask.
    System,
}

/// Who is asking, in which organization, and what they may do there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    pub org: OrgId,
    pub who: Who,
    pub permissions: Vec<Permission>,
    pub scopes: Vec<Scope>,
}

impl Principal {
    /// Galley itself, at work for an organization.
    pub fn system(org: OrgId) -> Self {
        Self::unlimited(org, Who::System)
    }

    fn unlimited(org: OrgId, who: Who) -> Self {
        Self { org, who, permissions: Permission::ALL.to_vec(), scopes: Scope::ALL.to_vec() }
    }

    /// `admin` includes every other scope.
    pub fn may(&self, permission: Permission, scope: Scope) -> bool {
        self.permissions.contains(&permission) && (self.scopes.contains(&scope) || self.scopes.contains(&Scope::Admin))
    }

    /// The key that was presented, under which orders are noted; None when there was none.
    pub fn key(&self) -> Option<Uuid> {
        match self.who {
            Who::Key(id) => Some(id),
            Who::User(_) | Who::Operator | Who::System => None,
        }
    }
}

/// Whoever holds the machine. Belongs to no organization: the use cases across all of them, and those that no member of
/// one may have, ask for this value. Only the command line makes one, which `tests/house.rs` makes sure of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operator(());

impl Operator {
    /// Whoever may start this program with its configuration has the machine, and all that is on it.
    pub fn of_this_machine() -> Self {
        Self(())
    }

    /// The operator as one who asks within an organization, with every right there.
    pub fn within(self, org: OrgId) -> Principal {
        Principal::unlimited(org, Who::Operator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_needs_both_permission_and_scope() {
        let principal = |permissions: &[Permission], scopes: &[Scope]| Principal {
            org: OrgId(Uuid::nil()),
            who: Who::Key(Uuid::nil()),
            permissions: permissions.to_vec(),
            scopes: scopes.to_vec(),
        };
        use Permission::{Read, Write};
        assert!(principal(&[Read], &[Scope::Articles]).may(Read, Scope::Articles));
        assert!(!principal(&[Read], &[Scope::Articles]).may(Write, Scope::Articles));
        assert!(!principal(&[Read, Write], &[Scope::Content]).may(Read, Scope::Articles));
        assert!(principal(&[Read], &[Scope::Admin]).may(Read, Scope::Articles));
        assert!(!principal(&[Read], &[Scope::Admin]).may(Write, Scope::Articles), "admin is a scope, not a permission");
    }
    #[test]
    fn only_a_key_is_noted_as_one() {
        let (org, id) = (OrgId(Uuid::from_u128(1)), Uuid::from_u128(2));
        let principal = |who| Principal { who, ..Principal::system(org) };
        assert_eq!(principal(Who::Key(id)).key(), Some(id));
        for who in [Who::User(id), Who::Operator, Who::System] {
            assert_eq!(principal(who).key(), None, "{who:?}");
        }
    }

    #[test]
    fn the_operator_has_every_right_in_the_organization_that_was_named_and_is_told_from_the_system() {
        let org = OrgId(Uuid::from_u128(1));
        let operator = Operator::of_this_machine().within(org);
        assert_eq!((operator.org, operator.who), (org, Who::Operator));
        assert_ne!(operator, Principal::system(org));
        for permission in Permission::ALL {
            assert!(Scope::ALL.iter().all(|scope| operator.may(*permission, *scope)), "{permission}");
        }
    }
}
