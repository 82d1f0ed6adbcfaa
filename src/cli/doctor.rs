//! `galley doctor`: what is configured, reachable, missing, and how to fix it.

use std::{net::IpAddr, path::Path, time::Duration};

use galley_domain::task::StepKind;
use galley_private_postgres::State;
use galley_store::{Store, StoreError};
use poem::http::{Uri, uri::Scheme};

use crate::{
    compose,
    config::{Config, SearchKind, StorageKind, WriterKind},
    data_folder, envelope,
    telemetry::{self, Audience},
};

/// A peer that takes longer than this counts as away.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much of a peer's own words is shown.
const MOST_SAID: usize = 200;

/// What one look brought.
struct Finding {
    subject: &'static str,
    result: Result<String, String>,
}

/// Prints a line for each part; the code is 1 when something does not work.
pub async fn run(config: Config) -> anyhow::Result<u8> {
    let _log = telemetry::start(&config.log, Audience::Person)?;
    let [programs, database] = postgres(&config).await;
    let mut findings = vec![
        Finding { subject: "data folder", result: data_folder(&config) },
        Finding { subject: "postgres", result: programs },
        Finding { subject: "database", result: database },
        Finding { subject: "writer", result: writer(&config).await },
        Finding { subject: "search", result: search(&config).await },
    ];
    findings.push(Finding { subject: "storage", result: storage(&config).await });
    findings.push(Finding { subject: "secrets", result: secrets(&config) });
    findings.push(Finding { subject: "publishing", result: publishing(&config) });
    findings.push(Finding { subject: "metrics", result: Ok(metrics(&config).to_owned()) });
    findings.push(Finding { subject: "workers", result: pools(&config) });
    let broken = findings.iter().filter(|finding| finding.result.is_err()).count();
    for Finding { subject, result } in findings {
        match result {
            Ok(text) => println!("ok    {subject:<12} {text}"),
            Err(text) => println!("FAIL  {subject:<12} {text}"),
        }
    }
    Ok(u8::from(broken > 0))
}

/// A bucket is asked to take, give and remove an object; a folder is a part of the data folder.
async fn storage(config: &Config) -> Result<String, String> {
    let storage = &config.storage;
    if storage.kind == StorageKind::Folder {
        return Ok("files are kept in the data folder".into());
    }
    let blobs = compose::blobs(config).map_err(|error| format!("{error:#}"))?;
    let bucket = storage.bucket.as_deref().unwrap_or_default();
    let at = storage.endpoint.as_deref().unwrap_or("AWS");
    match tokio::time::timeout(PATIENCE, blobs.check()).await {
        Ok(Ok(())) => Ok(format!("the bucket {bucket} at {at} takes, gives and removes objects")),
        Ok(Err(error)) => {
            // Servers answer with pages of XML.
            let said = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
            let said: String = said.chars().take(MOST_SAID).collect();
            Err(format!("the bucket {bucket} at {at}: {said}; check [storage], and that the key may write there"))
        }
        Err(_) => Err(format!("the bucket {bucket} at {at} does not answer; check storage.endpoint")),
    }
}

fn data_folder(config: &Config) -> Result<String, String> {
    let shown = config.data.display();
    let note = data_folder::open_to_others(&config.data).map(|open| format!("; {open}")).unwrap_or_default();
    let is_there = writable(&config.data).map_err(|error| {
        format!("{shown} cannot be written to: {error}; let this user write there, or choose another with --data")
    })?;
    Ok(if is_there { format!("{shown}{note}") } else { format!("{shown}; the first start makes it") })
}

/// Whether the folder is there. It makes nothing: what is missing is asked of the folder in which it would be made.
///
/// # Errors
/// When files cannot be put there.
fn writable(folder: &Path) -> std::io::Result<bool> {
    let folder = std::path::absolute(folder)?;
    let existing = folder.ancestors().find(|folder| folder.symlink_metadata().is_ok()).unwrap_or(&folder);
    // It has no name.
    tempfile::tempfile_in(existing)?;
    Ok(existing == folder)
}

/// The programs of the private Postgres, and the database, whoever has it.
async fn postgres(config: &Config) -> [Result<String, String>; 2] {
    if let Some(url) = &config.database.url {
        return [Ok("not needed: DATABASE_URL is set".into()), database(config, url.expose().to_owned()).await];
    }
    let looked = match galley_private_postgres::look(&compose::postgres_settings(config)).await {
        Ok(looked) => looked,
        Err(error) => return [Err(error.to_string()), Err("not looked at: see postgres".into())],
    };
    let home = looked.home.display();
    let database = match (looked.state.url(compose::DATABASE), &looked.state) {
        (Some(url), _) => database(config, url).await,
        (None, State::Missing) => Ok(format!("none yet; the first start makes one in {home}")),
        (None, _) => {
            Ok(format!("the private one in {home}, which does not run; it runs while a command of Galley does"))
        }
    };
    let programs = looked.binaries.map(|found| format!("{} in {}", found.version, found.dir.display()));
    [programs.map_err(|error| error.to_string()), database]
}

async fn database(config: &Config, url: String) -> Result<String, String> {
    let store = Store::connect(&compose::store_settings(config, url)).await.map_err(|error| error.to_string())?;
    let looked = async {
        store.ping().await?;
        Ok::<_, StoreError>((store.pending_migrations().await?, store.connections_allowed().await?))
    }
    .await;
    let (hears, wanted) = (store.hears(), store.connections_wanted());
    if tokio::time::timeout(PATIENCE, store.close()).await.is_err() {
        tracing::warn!("a connection to the database did not close in time");
    }
    let (pending, allowed) = looked.map_err(|error| match error {
        StoreError::OnlyReads => {
            format!("{error}: it is a standby, or set to read only, or its disk is full; let DATABASE_URL lead to one that writes")
        }
        StoreError::Newer(_) => error.to_string(),
        error => format!("{error}; look into the log of the server"),
    })?;
    let mut said = match pending.as_slice() {
        [] => "answers; the schema is up to date".to_owned(),
        pending => format!("answers; {} to apply: galley migrate, or simply galley up", pending.join(", ")),
    };
    if allowed < wanted {
        said += &format!(
            "; it allows us {allowed} connections and a process takes up to {wanted}: allow more, or set \
             database.max_connections to {}",
            allowed.saturating_sub(1).max(1)
        );
    }
    if !hears {
        said += &format!("; {}", compose::DEAF);
    }
    Ok(said)
}

async fn writer(config: &Config) -> Result<String, String> {
    if config.writer.kind == WriterKind::Extractive {
        return Ok("extractive: composes from sources, no model, nothing to pay".into());
    }
    compose::writer(config).map_err(|error| format!("{error:#}"))?;
    let base = config.writer.base_url.clone().unwrap_or_default();
    let answer = tokio::time::timeout(PATIENCE, connect(&base)).await;
    match answer {
        Ok(Ok(())) => Ok(format!("{} at {base} takes connections", config.writer.model.clone().unwrap_or_default())),
        Ok(Err(error)) => Err(format!("{base}: {error}; check writer.base_url and that the server runs")),
        Err(_) => Err(format!("{base} does not answer; check writer.base_url and that the server runs")),
    }
}

async fn connect(base: &str) -> std::io::Result<()> {
    let wrong = |text: &str| std::io::Error::new(std::io::ErrorKind::InvalidInput, text.to_owned());
    let uri: Uri = base.parse().map_err(|_| wrong("not an address"))?;
    let host = uri.host().ok_or_else(|| wrong("not an address"))?;
    let port = uri.port_u16().unwrap_or(if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 });
    // An IPv6 address stands in brackets.
    tokio::net::TcpStream::connect((host.trim_matches(['[', ']']), port)).await.map(drop)
}

async fn search(config: &Config) -> Result<String, String> {
    let provider = compose::search_provider(config).map_err(|error| format!("{error:#}"))?;
    let Some(provider) = provider.filter(|_| config.search.provider != SearchKind::None) else {
        return Ok("none: orders are written from their own links and files".into());
    };
    match tokio::time::timeout(PATIENCE, provider.search("galley proof", "en", 1)).await {
        Ok(Ok(hits)) => Ok(format!("{} answers ({} hit)", provider.name(), hits.len())),
        Ok(Err(fault)) => Err(fault.to_string()),
        Err(_) => Err(format!("{} does not answer; check search.url and that the server runs", provider.name())),
    }
}

fn secrets(config: &Config) -> Result<String, String> {
    let keyring = envelope::found(config).map_err(|error| format!("{error:#}"))?;
    Ok(match keyring {
        Some(keyring) => format!("encrypted under the key {}", keyring.current()),
        None if config.database.url.is_none() => {
            format!("the first start makes a key: {}", envelope::path(config).display())
        }
        None => "no key: organizations cannot store secrets; set secrets.key (galley secrets new-key)".into(),
    })
}

fn publishing(config: &Config) -> Result<String, String> {
    if compose::folder(config).map_err(|error| format!("{error:#}"))?.is_none() {
        return Ok("off".into());
    }
    let folder = config.publish.folder.clone().unwrap_or_else(|| config.data.join("site"));
    let shown = folder.display();
    let is_there = writable(&folder).map_err(|error| {
        format!("{shown} cannot be written to: {error}; let this user write there, or choose another as publish.folder")
    })?;
    let note = if is_there { "" } else { "; the first publication makes it" };
    Ok(format!("a folder for a static site generator: {shown}{note}"))
}

fn metrics(config: &Config) -> &'static str {
    let host = config.listen.rsplit_once(':').map_or(config.listen.as_str(), |(host, _)| host);
    let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let is_local = host == "localhost" || ip.is_ok_and(|ip| ip.to_canonical().is_loopback());
    super::metrics::told(&config.metrics.access(is_local))
}

fn pools(config: &Config) -> Result<String, String> {
    let registry = compose::registry(config).map_err(|error| format!("{error:#}"))?;
    let kinds: Vec<StepKind> = registry.kinds().collect();
    let pools: Vec<String> =
        registry.pools_of(&kinds).into_iter().map(|(pool, slots)| format!("{pool} {slots}")).collect();
    Ok(format!("steps at once: {}", pools.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_is_found_under_every_spelling_of_its_address() {
        let listener = tokio::net::TcpListener::bind("[::1]:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        assert!(connect(&format!("http://[::1]:{port}/v1")).await.is_ok());
        assert!(connect(&format!("http://me:secret@[::1]:{port}/v1")).await.is_ok());
        for wrong in ["", "/v1", "http://"] {
            assert!(connect(wrong).await.is_err(), "{wrong}");
        }
    }

    #[test]
    fn figures_are_open_where_only_this_machine_can_ask() {
        let told = |listen: &str, token: Option<&str>| {
            let mut config = Config { listen: listen.to_owned(), ..Config::default() };
            config.metrics.token = token.map(galley_domain::Hidden::new);
            metrics(&config)
        };
        for local in ["127.0.0.1:8080", "localhost:8080", "[::1]:8080"] {
            assert!(told(local, None).starts_with("open"), "{local}");
            assert!(told(local, Some("t")).starts_with("with metrics.token"), "{local}");
        }
        for open in ["0.0.0.0:8080", "[::]:80", "galley.example:80"] {
            assert!(told(open, None).starts_with("closed"), "{open}");
        }
    }

    #[test]
    fn publishing_is_judged_by_its_folder_alone() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut config = Config { data: dir.path().to_owned(), ..Config::default() };
        // The writer lacks its address, which is its own finding.
        config.writer.kind = WriterKind::Openai;
        assert!(publishing(&config).is_ok());
        let file = dir.path().join("file");
        std::fs::write(&file, "x").expect("a file");
        config.publish.folder = Some(file.join("site"));
        let error = publishing(&config).expect_err("no folder can be there");
        assert!(error.contains("publish.folder"), "{error}");
        config.publish.enabled = false;
        assert_eq!(publishing(&config).as_deref(), Ok("off"));
    }
}
