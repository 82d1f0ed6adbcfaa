//! What each operation asks of its principal, in one table: derived from the arguments of the operations, so that it cannot
//! say anything else than what is checked.

use std::fmt::Write;

use galley_domain::{Permission, Scope};
use poem_openapi::{OpenApi, registry::MetaOperation};

use super::{auth::Class, rate::RateClass};

/// What a principal must hold for an operation.
pub trait Right: Send + Sync + 'static {
    const PERMISSION: Permission;
    /// Any one of them is enough.
    const SCOPES: &'static [Scope];
}

/// Declares each right as a type, which operations name as the type of an argument.
macro_rules! rights {
    ($($(#[doc = $about:literal])* $name:ident = $permission:ident, $($scope:ident)|+;)*) => {
        $(
            $(#[doc = $about])*
            pub struct $name;

            impl Right for $name {
                const PERMISSION: Permission = Permission::$permission;
                const SCOPES: &'static [Scope] = &[$(Scope::$scope),+];
            }
        )*
    };
}

rights! {
    ArticlesRead = Read, Articles;
    ArticlesWrite = Write, Articles;
    /// Projects and what is in them.
    ProjectsRead = Read, Projects | Content;
    ProjectsWrite = Write, Projects | Content;
    PublishRead = Read, Publish;
    PublishWrite = Write, Publish;
    /// What shows or holds secrets.
    SecretsRead = Read, Admin;
    SecretsWrite = Write, Admin;
}

/// Stands among the security schemes of an operation before the words of its right, and after them.
const MARK: &str = "@right";

/// Permission, class and scopes as words, between two marks.
pub fn words<R: Right, C: Class>() -> Vec<&'static str> {
    let scopes = R::SCOPES.iter().map(|scope| scope.as_str());
    [MARK, R::PERMISSION.as_str(), C::CLASS.as_str()].into_iter().chain(scopes).chain([MARK]).collect()
}

/// What a principal must hold, and which budget of calls is drawn on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needed {
    pub permission: &'static str,
    /// Any one of them is enough.
    pub scopes: Vec<&'static str>,
    pub class: &'static str,
}

impl Needed {
    /// What the arguments of an operation say; `None` for what is public.
    pub fn of(operation: &MetaOperation) -> Option<Self> {
        let schemes = operation.security.iter().flat_map(|one| one.keys().copied());
        let mut words = schemes.skip_while(|scheme| *scheme != MARK).skip(1).take_while(|scheme| *scheme != MARK);
        let (permission, class) = (words.next()?, words.next()?);
        Some(Self { permission, scopes: words.collect(), class })
    }

    pub fn costs(&self) -> bool {
        self.class == RateClass::Ai.as_str()
    }
}

/// Leaves the security schemes that the description has.
pub fn strip(operation: &mut MetaOperation) {
    let at = operation.security.iter().position(|one| one.contains_key(MARK));
    operation.security.truncate(at.unwrap_or(usize::MAX));
}

/// A line of the table.
#[derive(Debug, Clone)]
pub struct Line {
    pub method: String,
    pub path: String,
    pub needed: Option<Needed>,
}

/// All operations of an API, sorted by path and method.
pub fn table<A: OpenApi>() -> Vec<Line> {
    let paths = A::meta().into_iter().flat_map(|api| api.paths);
    let mut lines: Vec<Line> = paths
        .flat_map(|path| {
            let line = move |operation: MetaOperation| Line {
                method: operation.method.to_string(),
                path: path.path.clone(),
                needed: Needed::of(&operation),
            };
            path.operations.into_iter().map(line).collect::<Vec<_>>()
        })
        .collect();
    lines.sort_by(|a, b| (&a.path, &a.method).cmp(&(&b.path, &b.method)));
    lines
}

/// The table as `docs/rights.md` has it.
pub fn page(lines: &[Line]) -> String {
    let mut text = String::from(
        "# Who may call what\n\nWritten from the code; the test `the_rights_are_documented` says how to write it anew. \
         `write` includes what deletes.\nThe scope `admin` includes all others. The class is the budget of calls a minute \
         that an operation draws on.\n\nWhoever asks with an API key acts within the key's \
         organization. What reaches across organizations (the first start,\ngrants of credits, envelope keys, sweeping) \
         belongs to the operator of the machine and to Galley itself. No key may ask\nfor it, and of all of it only the \
         figures of `/metrics` are served over HTTP,\nto everybody on the machine or to whoever has `metrics.token`. The \
         events of a task are also for those who have a token that\n`POST …/events/token` made for it.\n\n| operation | permission | scope | class |\n|---|---|---|---|\n",
    );
    for line in lines {
        let (permission, scopes, class) = match &line.needed {
            Some(needed) => (needed.permission, needed.scopes.join(" or "), needed.class),
            None => ("public", String::new(), ""),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| `{} {}` | {permission} | {scopes} | {class} |", line.method, line.path);
    }
    text
}
