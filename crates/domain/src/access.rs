//! Who may do what: permissions and scopes of API keys.

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

/// Who is asking, as the verifier found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub org: OrgId,
    pub key: Uuid,
    pub permissions: Vec<Permission>,
    pub scopes: Vec<Scope>,
}

impl Caller {
    /// `admin` includes every other scope.
    pub fn may(&self, permission: Permission, scope: Scope) -> bool {
        self.permissions.contains(&permission) && (self.scopes.contains(&scope) || self.scopes.contains(&Scope::Admin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_needs_both_permission_and_scope() {
        let caller = |permissions: &[Permission], scopes: &[Scope]| Caller {
            org: OrgId(Uuid::nil()),
            key: Uuid::nil(),
            permissions: permissions.to_vec(),
            scopes: scopes.to_vec(),
        };
        use Permission::{Read, Write};
        assert!(caller(&[Read], &[Scope::Articles]).may(Read, Scope::Articles));
        assert!(!caller(&[Read], &[Scope::Articles]).may(Write, Scope::Articles));
        assert!(!caller(&[Read, Write], &[Scope::Content]).may(Read, Scope::Articles));
        assert!(caller(&[Read], &[Scope::Admin]).may(Read, Scope::Articles));
        assert!(!caller(&[Read], &[Scope::Admin]).may(Write, Scope::Articles), "admin is a scope, not a permission");
    }
}
