//! Whose clients ask under a path: the documents differ in how an answer and an error are wrapped.

/// A document whose way of answering a path follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Bare objects and the problem alone: 000, 002, and what is ours.
    Bare,
    /// 001, the Articles API: errors carry `success: false`, `error: {code, message}` and `meta`.
    Articles,
    /// 003, content from IdeaClouds: errors carry `error: {code, message}` with words of its own.
    IdeaClouds,
    /// 004, planner, writer and automation: errors carry `success: false` and `error` as a text.
    Planner,
}

/// Paths by document; the longest that fits counts, and what fits none is [`Dialect::Bare`].
const PATHS: [(&str, Dialect); 24] = [
    ("/api/v1/articles", Dialect::Articles),
    ("/api/v1/social", Dialect::Articles),
    ("/api/v1/user", Dialect::Articles),
    ("/public", Dialect::IdeaClouds),
    ("/v1/public", Dialect::IdeaClouds),
    ("/api/v1/auth/account", Dialect::Planner),
    ("/api/v1/auth/groups", Dialect::Planner),
    ("/api/v1/auth/industries", Dialect::Planner),
    ("/api/v1/auth/password", Dialect::Planner),
    ("/api/v1/auth/register", Dialect::Planner),
    ("/api/v1/auth/sectors", Dialect::Planner),
    ("/api/v1/auth/seed-keywords", Dialect::Planner),
    ("/api/v1/auth/sites", Dialect::Planner),
    ("/api/v1/auth/token", Dialect::Planner),
    ("/api/v1/auth/users", Dialect::Planner),
    ("/api/v1/automation", Dialect::Planner),
    ("/api/v1/billing/usage", Dialect::Planner),
    ("/api/v1/integration", Dialect::Planner),
    ("/api/v1/linker", Dialect::Planner),
    ("/api/v1/optimizer", Dialect::Planner),
    ("/api/v1/planner", Dialect::Planner),
    ("/api/v1/publisher", Dialect::Planner),
    ("/api/v1/system", Dialect::Planner),
    ("/api/v1/writer", Dialect::Planner),
];

/// The paths of 002, whose clients send parameters that no document names.
const OF_002: [&str; 15] = [
    "/api/v1/api-keys",
    "/api/v1/auth",
    "/api/v1/billing",
    "/api/v1/blog-connections",
    "/api/v1/blog-templates",
    "/api/v1/invitations",
    "/api/v1/jobs",
    "/api/v1/organization",
    "/api/v1/projects",
    "/api/v1/reference",
    "/api/v1/stock-photo-keys",
    "/api/v1/stock-photos",
    "/api/v1/store-connections",
    "/api/v1/usage",
    "/api/v1/users",
];

fn fits(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether parameters of the address that are unknown under this path are errors. On the paths of 001 to 004 they are
/// ignored: their clients may be newer than the documents.
pub fn refuses_unknown_parameters(path: &str) -> bool {
    Dialect::of(path) == Dialect::Bare && !OF_002.iter().any(|prefix| fits(path, prefix))
}

impl Dialect {
    pub fn of(path: &str) -> Self {
        let found = PATHS.iter().filter(|(prefix, _)| fits(path, prefix)).max_by_key(|(prefix, _)| prefix.len());
        found.map_or(Self::Bare, |(_, dialect)| *dialect)
    }
}

#[cfg(test)]
mod tests {
    use super::{Dialect, refuses_unknown_parameters};

    #[test]
    fn unknown_parameters_are_refused_where_no_other_document_speaks() {
        for path in ["/api/v1/tasks", "/api/v1/tasks/7/events", "/api/v1/files", "/api/v1/usages"] {
            assert!(refuses_unknown_parameters(path), "{path}");
        }
        for path in
            ["/api/v1/articles/7", "/public/content", "/api/v1/writer/tasks", "/api/v1/projects/7", "/api/v1/usage"]
        {
            assert!(!refuses_unknown_parameters(path), "{path}");
        }
    }

    #[test]
    fn a_path_belongs_to_one_document() {
        for (path, dialect) in [
            ("/api/v1/tasks", Dialect::Bare),
            ("/api/v1/articles", Dialect::Articles),
            ("/api/v1/articles/7/status", Dialect::Articles),
            ("/api/v1/articlesque", Dialect::Bare),
            ("/api/v1/user/credits", Dialect::Articles),
            ("/public/content/7", Dialect::IdeaClouds),
            ("/v1/public/content", Dialect::IdeaClouds),
            ("/api/v1/writer/tasks", Dialect::Planner),
            ("/api/v1/auth/login", Dialect::Bare),
            ("/", Dialect::Bare),
        ] {
            assert_eq!(Dialect::of(path), dialect, "{path}");
        }
    }
}
