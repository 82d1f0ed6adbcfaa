//! Categories and tags: found by name, made once, read back as names.

use std::collections::HashMap;

use galley_domain::Fault;
use serde::Deserialize;
use serde_json::json;

use super::{
    client::Body,
    failure::Failure,
    locks::alone,
    site::{PAGE, Site, read},
};
use crate::{
    differences::term_key,
    markup::decoded,
    probe::{Term, TermKind},
};

const FIELDS: &str = "id,name,slug,count,parent";
/// Deeper categories are named from there on.
const DEEPEST: usize = 8;

#[derive(Debug, Clone, Deserialize)]
struct RemoteTerm {
    id: u64,
    name: String,
    #[serde(default)]
    slug: String,
    #[serde(default)]
    count: u64,
    #[serde(default)]
    parent: u64,
}

impl RemoteTerm {
    fn name(&self) -> String {
        decoded(&self.name)
    }
}

fn route(kind: TermKind) -> &'static str {
    match kind {
        TermKind::Category => "wp/v2/categories",
        TermKind::Tag => "wp/v2/tags",
    }
}

/// All of a kind.
pub(super) async fn all(site: &Site, kind: TermKind) -> Result<Vec<Term>, Fault> {
    let terms: Vec<RemoteTerm> = site
        .list(route(kind), &[("_fields", FIELDS), ("orderby", "id")])
        .await
        .map_err(|failure| failure.into_fault("list its categories and tags"))?;
    let term = |term: RemoteTerm| Term {
        name: term.name(),
        id: term.id,
        slug: term.slug,
        count: term.count,
        parent: term.parent,
    };
    Ok(terms.into_iter().map(term).collect())
}

/// The numbers of these names, in their order. What is not there is made if `may_create`; what cannot be made is said in
/// `warnings`.
pub(super) async fn ids_of(
    site: &Site,
    kind: TermKind,
    names: &[String],
    may_create: bool,
    warnings: &mut Vec<String>,
) -> Result<Vec<u64>, Fault> {
    let mut ids = Vec::new();
    for name in names {
        match id_of(site, kind, name, may_create).await? {
            Ok(id) if ids.contains(&id) => {}
            Ok(id) => ids.push(id),
            Err(why) => warnings.push(format!("the {kind} \"{name}\" {why}")),
        }
    }
    Ok(ids)
}

/// The number of one name, or why there is none.
async fn id_of(site: &Site, kind: TermKind, name: &str, may_create: bool) -> Result<Result<u64, String>, Fault> {
    let parts: Vec<&str> = match kind {
        TermKind::Category => name.split('>').map(str::trim).collect(),
        // Tags have no hierarchy; the sign is part of the name.
        TermKind::Tag => vec![name.trim()],
    };
    let mut parent = 0;
    for part in parts {
        let _alone = alone(site.key(&format!("{kind} {}", term_key(part)))).await;
        let doing = format!("look for the {kind} \"{part}\"");
        let found = find(site, kind, part, parent).await.map_err(|failure| failure.into_fault(&doing))?;
        parent = match found {
            Some(id) => id,
            None if !may_create => return Ok(Err("is not there, and none are made".to_owned())),
            None => match create(site, kind, part, parent).await {
                Ok(id) => id,
                Err(failure) if failure.is_forbidden() => {
                    let user = site.client().user();
                    return Ok(Err(format!("is not there, and {user} may not make it")));
                }
                Err(failure) => return Err(failure.into_fault(&format!("make the {kind} \"{part}\""))),
            },
        };
    }
    Ok(Ok(parent))
}

/// The site searches in names as it stores them, with entities; where that finds nothing, [`create`] learns the number.
async fn find(site: &Site, kind: TermKind, name: &str, parent: u64) -> Result<Option<u64>, Failure> {
    let stored = decoded(name).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let below = parent.to_string();
    let mut query = vec![("search", stored.as_str()), ("per_page", PAGE), ("_fields", FIELDS)];
    if kind == TermKind::Category {
        query.push(("parent", below.as_str()));
    }
    let terms: Vec<RemoteTerm> = read(site.get(route(kind), &query).await?.json)?;
    let wanted = term_key(name);
    Ok(terms.into_iter().find(|term| term_key(&term.name) == wanted && term.parent == parent).map(|term| term.id))
}

/// Of two who make the same one at once, the site refuses one and names the number.
async fn create(site: &Site, kind: TermKind, name: &str, parent: u64) -> Result<u64, Failure> {
    let mut fields = json!({ "name": decoded(name) });
    if parent > 0 {
        fields["parent"] = parent.into();
    }
    match site.post(route(kind), &[("_fields", FIELDS)], Body::Json(&fields)).await {
        Ok(answer) => Ok(read::<RemoteTerm>(answer.json)?.id),
        Err(failure) => match failure.refusal() {
            Some(refusal) if refusal.code == "term_exists" => refusal.term.ok_or(failure),
            _ => Err(failure),
        },
    }
}

/// The names of these numbers, categories with those above them.
pub(super) async fn names_of(site: &Site, kind: TermKind, ids: &[u64]) -> Result<Vec<String>, Fault> {
    let mut known: HashMap<u64, RemoteTerm> = HashMap::new();
    let mut missing: Vec<u64> = ids.to_vec();
    for _ in 0..DEEPEST {
        missing.retain(|id| *id > 0 && !known.contains_key(id));
        if missing.is_empty() {
            break;
        }
        let include = missing.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
        let terms: Vec<RemoteTerm> = site
            .list(route(kind), &[("include", &include), ("_fields", FIELDS)])
            .await
            .map_err(|failure| failure.into_fault("name its categories and tags"))?;
        missing = terms.iter().map(|term| term.parent).collect();
        known.extend(terms.into_iter().map(|term| (term.id, term)));
    }
    Ok(ids.iter().filter_map(|id| path(*id, &known)).collect())
}

fn path(id: u64, known: &HashMap<u64, RemoteTerm>) -> Option<String> {
    let mut term = known.get(&id)?;
    let mut names = vec![term.name()];
    while let Some(above) = known.get(&term.parent).filter(|_| names.len() < DEEPEST) {
        names.push(above.name());
        term = above;
    }
    names.reverse();
    Some(names.join(" > "))
}
