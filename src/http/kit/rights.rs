//! What each operation asks of its caller, in one table: derived from the arguments of the operations, so that it cannot
//! say anything else than what is checked.

use std::fmt::Write;

use poem_openapi::{OpenApi, registry::MetaOperation};

use super::{
    auth::{Class, Right},
    rate::RateClass,
};

/// Stands among the security schemes of an operation before the three words of its right.
pub const MARK: &str = "@right";

/// Permission, scope and class as words.
pub fn words<R: Right, C: Class>() -> [&'static str; 3] {
    [R::PERMISSION.as_str(), R::SCOPE.as_str(), C::CLASS.as_str()]
}

/// What a caller must hold, and which budget of calls is drawn on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needed {
    pub permission: &'static str,
    pub scope: &'static str,
    pub class: &'static str,
}

impl Needed {
    /// What the arguments of an operation say; `None` for what is public.
    pub fn of(operation: &MetaOperation) -> Option<Self> {
        let schemes: Vec<&'static str> = operation.security.iter().flat_map(|one| one.keys().copied()).collect();
        let at = schemes.iter().position(|scheme| *scheme == MARK)?;
        let [permission, scope, class] = schemes.get(at + 1..at + 4)?.try_into().ok()?;
        Some(Self { permission, scope, class })
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
         that an operation draws on.\n\n| operation | permission | scope | class |\n|---|---|---|---|\n",
    );
    for line in lines {
        let (permission, scope, class) =
            line.needed.map_or(("public", "", ""), |needed| (needed.permission, needed.scope, needed.class));
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| `{} {}` | {permission} | {scope} | {class} |", line.method, line.path);
    }
    text
}
