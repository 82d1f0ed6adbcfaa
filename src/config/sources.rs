//! Where settings come from, and what each source is called.

use std::path::Path;

use anyhow::Context;
use figment::{
    Error, Figment, Metadata, Profile, Provider,
    providers::{Env, Format, Serialized, Toml},
    value::{Dict, Map, Value},
};
use serde::Serialize;

use super::{Config, DEFAULT_FILE};

/// Where secrets stand. Their environment variables are taken as they are: what looks like a number is none.
const SECRETS: [&str; 13] = [
    "database.url",
    "database.direct_url",
    "writer.api_key",
    "judge.api_key",
    "embeddings.api_key",
    "search.url",
    "search.key",
    "secrets.key",
    "metrics.token",
    "storage.access_key_id",
    "storage.secret_access_key",
    "photos.key",
    "images.api_key",
];
const DATABASE_VARIABLES: [(&str, &str); 2] =
    [("DATABASE_URL", "database.url"), ("DATABASE_DIRECT_URL", "database.direct_url")];
const DEFAULT: &str = "default";
const ENVIRONMENT: &str = "environment";

/// Settings from the command line: TOML path and value.
#[derive(Debug, Clone, Default)]
pub struct Flags(Vec<(String, Value)>);

impl Flags {
    /// Sets `path` when the flag was given.
    #[must_use]
    pub fn set<T: Serialize>(mut self, path: &str, value: Option<T>) -> Self {
        if let Some(value) = value.and_then(|value| Value::serialize(value).ok()) {
            self.0.push((path.to_owned(), value));
        }
        self
    }
}

/// A source under the name that `config show` gives it.
struct Named<P>(String, P);

impl<P: Provider> Provider for Named<P> {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.0.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        self.1.data()
    }
}

/// All sources, each over those before it. `file`: a named file must exist; the default one may be missing.
#[derive(Debug)]
pub struct Sources(pub(super) Figment);

impl Sources {
    pub fn new(file: Option<&Path>, flags: Flags) -> anyhow::Result<Self> {
        let mut figment = Figment::from(Named(DEFAULT.to_owned(), Serialized::defaults(Config::default())));
        let found = file.or_else(|| Some(Path::new(DEFAULT_FILE)).filter(|file| file.exists()));
        if let Some(path) = found {
            anyhow::ensure!(path.is_file(), "the configuration file {} does not exist", path.display());
            check_form(path)?;
            // Under its own name: errors say in which file they are.
            figment = figment.merge(Toml::file_exact(path));
        }
        for (name, setting) in DATABASE_VARIABLES {
            if let Some(url) = std::env::var(name).ok().filter(|url| !url.is_empty()) {
                figment = figment.merge(Named(name.to_owned(), Serialized::default(setting, url)));
            }
        }
        let environment = Env::prefixed("GALLEY_")
            .ignore(&["LOG", "CONFIG", "POSTGRES_USER"])
            .filter(|name| !name.starts_with("test_"))
            .split("__");
        let secrets: Vec<(String, String)> = environment
            .iter()
            .map(|(name, text)| (name.to_string(), text))
            .filter(|(name, text)| SECRETS.contains(&name.as_str()) && !is_quoted(text))
            .collect();
        figment = figment.merge(environment);
        for (name, text) in secrets {
            figment = figment.merge(Named(ENVIRONMENT.to_owned(), Serialized::default(&name, text)));
        }
        for (path, value) in flags.0 {
            let flag = format!("flag --{}", path.rsplit('.').next().unwrap_or(&path));
            figment = figment.merge(Named(flag, Serialized::default(&path, value)));
        }
        Ok(Self(figment))
    }

    /// What gave the setting with this path its value.
    pub(super) fn origin(&self, path: &str) -> String {
        let Some(metadata) = self.0.find_metadata(path) else { return DEFAULT.to_owned() };
        match &metadata.source {
            Some(source) => format!("file {source}"),
            None if metadata.name == ENVIRONMENT || metadata.name.contains("environment variable") => {
                format!("GALLEY_{}", path.to_uppercase().replace('.', "__"))
            }
            None => metadata.name.to_string(),
        }
    }
}

/// Reads a file for its form alone: the parser's own message would show the line, which may hold a secret without quotes.
fn check_form(path: &Path) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let Err(error) = text.parse::<toml::Table>() else { return Ok(()) };
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or("");
    let line = before.matches('\n').count() + 1;
    anyhow::bail!("{}, line {line}: this is no TOML; texts need quotes: name = \"text\"", path.display())
}

/// A text in quotes of its own, which the environment may have as a file does.
fn is_quoted(text: &str) -> bool {
    matches!(text.parse(), Ok(Value::String(_, inner)) if inner.len() < text.trim().len())
}
