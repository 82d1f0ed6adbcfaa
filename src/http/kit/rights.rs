//! What each operation asks of its principal, in one table: derived from the arguments of the operations, so that it cannot
//! say anything else than what is checked.

use std::fmt::Write;

use galley_domain::{Permission, Principal, Scope, article, publishing, publishing::site_sync};
use galley_services::pipelines::images;
use poem::http::StatusCode;
use poem_openapi::{OpenApi, registry::MetaOperation};

use super::{
    auth::Class,
    problem::{Code, Problem},
    rate::RateClass,
};

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
    /// Tasks of any kind; the kind of the one that is asked for decides which scope it takes ([`KINDS`]).
    TasksRead = Read, Articles | Projects | Content | Publish;
    TasksWrite = Write, Articles | Projects | Content | Publish;
    /// What shows or holds secrets.
    SecretsRead = Read, Admin;
    SecretsWrite = Write, Admin;
}

/// 403 unless the principal has the permission and one of the scopes.
pub fn demand(principal: &Principal, permission: Permission, scopes: &[Scope]) -> Result<(), Problem> {
    if scopes.iter().any(|scope| principal.may(permission, *scope)) {
        return Ok(());
    }
    let detail = format!("this key needs the permission {permission} and the scope {}", joined(scopes));
    Err(Problem::new(StatusCode::FORBIDDEN, Code::Forbidden, detail))
}

fn joined(scopes: &[Scope]) -> String {
    scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" or ")
}

/// Which scopes open the tasks of a kind. Any one of them is enough.
pub struct KindScopes {
    pub kind: &'static str,
    about: &'static str,
    read: &'static [Scope],
    write: &'static [Scope],
}

/// What writes a text belongs to whoever may write texts. What sends texts to a site belongs to whoever may publish; those
/// who see the posts of a project see it, too, because it is their `job_id`.
pub const KINDS: [KindScopes; 4] = [
    KindScopes { kind: article::TASK, about: "writing a text", read: TEXTS, write: TEXTS },
    KindScopes { kind: images::TASK, about: "making a picture", read: TEXTS, write: TEXTS },
    KindScopes { kind: publishing::TASK, about: "publishing a text, now or at its hour", read: SITES, write: PUBLISH },
    KindScopes { kind: site_sync::TASK, about: "bringing a site and its texts into line", read: SITES, write: PUBLISH },
];
const TEXTS: &[Scope] = &[Scope::Articles, Scope::Projects, Scope::Content];
const SITES: &[Scope] = &[Scope::Projects, Scope::Content, Scope::Publish];
const PUBLISH: &[Scope] = &[Scope::Publish];

fn scopes_of(kind: &str, permission: Permission) -> &'static [Scope] {
    // A kind that is not listed is the most guarded one, until somebody says otherwise.
    let of = |row: &KindScopes| if permission == Permission::Read { row.read } else { row.write };
    KINDS.iter().find(|row| row.kind == kind).map_or(&[Scope::Admin], of)
}

/// 403 unless the principal may do this with tasks of this kind.
pub fn demand_of_kind(principal: &Principal, permission: Permission, kind: &str) -> Result<(), Problem> {
    demand(principal, permission, scopes_of(kind, permission))
}

/// Which kinds a list shows: the one that was asked for, or all that the principal may see; `None` is each and every one. Of a
/// kind that nobody knows there are no tasks, which is no refusal.
pub fn listed_kinds(principal: &Principal, asked: Option<&str>) -> Result<Option<Vec<String>>, Problem> {
    if let Some(kind) = asked {
        if KINDS.iter().any(|row| row.kind == kind) {
            demand_of_kind(principal, Permission::Read, kind)?;
        }
        return Ok(Some(vec![kind.to_owned()]));
    }
    if principal.may(Permission::Read, Scope::Admin) {
        return Ok(None);
    }
    let readable = KINDS.iter().filter(|row| demand_of_kind(principal, Permission::Read, row.kind).is_ok());
    Ok(Some(readable.map(|row| row.kind.to_owned()).collect()))
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
         events of a task are also for those who have a token that\n`POST …/events/token` made for it. What a site tells \
         (`POST /integration/webhook/wordpress`, `POST …/update_structure`) is also\nfor the site itself, with the `webhook_secret` of \
         its integration or a signature made with it, and for no other\nintegration. A feed of the calendar is for whoever has its \
         address; by its id it takes a key with the permission read and the\nscope publish.\n\n| operation | permission | scope | class |\n|---|---|---|---|\n",
    );
    for line in lines {
        let (permission, scopes, class) = match &line.needed {
            Some(needed) => (needed.permission, needed.scopes.join(" or "), needed.class),
            None => ("public", String::new(), ""),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| `{} {}` | {permission} | {scopes} | {class} |", line.method, line.path);
    }
    text + &page_of_kinds()
}

fn page_of_kinds() -> String {
    let mut text = String::from(
        "\n## Tasks, by their kind\n\nA task and the job of the same id are one thing. The operations on one (`/tasks/{task_id}`, its events, \
         steps and articles, pause,\nresume and cancel, `/jobs/{job_id}` and its cancel) ask for the scope of its kind, and `GET /tasks` \
         lists the kinds that the key\nmay read. Without the scope the answer is 403.\n\n\
         | kind | what it does | read with the scope | write (pause, resume, cancel) with the scope |\n|---|---|---|---|\n",
    );
    for KindScopes { kind, about, read, write } in &KINDS {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| `{kind}` | {about} | {} | {} |", joined(read), joined(write));
    }
    text.push_str(
        "\n`DELETE …/blog-posts/{post_id}?remote=trash` changes a site, so it needs the scope publish besides the one in the \
         table above.\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_those_of_pipelines_and_others_are_for_admins() {
        let registry = galley_services::pipelines::registry();
        for row in &KINDS {
            assert!(registry.pipeline(row.kind).is_ok(), "{} is a kind of task", row.kind);
        }
        assert_eq!(scopes_of("toy", Permission::Read), &[Scope::Admin]);
    }
}
