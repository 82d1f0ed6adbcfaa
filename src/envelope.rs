//! The envelope keys: those of the configuration, and the one in the data folder, which is made once.

use std::{
    fs::{File, Permissions},
    io::{ErrorKind, Read, Write},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::Context;
use galley_domain::Hidden;
use galley_vault::Keyring;

use crate::config::Config;

const FILE: &str = "envelope.key";
/// A key with room for spaces around it.
const MOST_BYTES: u64 = 256;

/// Where the key is that nobody configured.
pub fn path(config: &Config) -> PathBuf {
    config.data.join(FILE)
}

/// The keys that are there; `None` when there are none.
///
/// # Errors
/// When one of them cannot be used; the message names its setting or its file.
pub fn found(config: &Config) -> anyhow::Result<Option<Keyring>> {
    let file = read(&path(config))?;
    let (current, further) = match (&config.secrets.key, file) {
        // Whoever goes over to a key of the configuration still has what the file's key has sealed.
        (Some(key), file) => (key.clone(), file),
        (None, Some(key)) if config.database.url.is_none() => (key, None),
        (None, _) => {
            anyhow::ensure!(
                config.secrets.previous_keys.is_empty() || config.database.url.is_none(),
                "secrets.previous_keys is set, but secrets.key is not; set it, or make one with: galley secrets new-key"
            );
            return Ok(None);
        }
    };
    Ok(Some(Keyring::new(&current, config.secrets.previous_keys.iter().chain(&further))?))
}

/// The keys. Where the private Postgres is used and no key is configured, one is made in the data folder.
pub fn keyring(config: &Config) -> anyhow::Result<Option<Keyring>> {
    if config.secrets.key.is_none() && config.database.url.is_none() {
        make(&path(config))?;
    }
    found(config)
}

fn read(path: &Path) -> anyhow::Result<Option<Hidden>> {
    let shown = path.display();
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.with_context(|| format!("the envelope key {shown} cannot be read"))?,
    };
    let metadata = file.metadata().with_context(|| format!("the envelope key {shown} cannot be read"))?;
    anyhow::ensure!(metadata.is_file(), "the envelope key {shown} is not a file");
    anyhow::ensure!(metadata.mode() & 0o077 == 0, "others can read the envelope key {shown}; run: chmod 600 {shown}");
    let mut text = String::new();
    file.take(MOST_BYTES)
        .read_to_string(&mut text)
        .with_context(|| format!("the envelope key {shown} cannot be read"))?;
    let text = Hidden::new(text);
    // Said here with the file's name: to the ring it is a key of a setting.
    Keyring::new(&text, []).map_err(|_| {
        anyhow::anyhow!("{shown} does not hold a key of 32 bytes in Base64; bring the file back from a backup")
    })?;
    Ok(Some(text))
}

/// Makes the file unless it is there. Of two at once one does; a file that is seen is whole.
fn make(path: &Path) -> anyhow::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let shown = path.display();
    let failed = || format!("the envelope key {shown} cannot be made");
    let folder = path.parent().unwrap_or(Path::new("."));
    let key = galley_vault::new_key()?;
    std::fs::create_dir_all(folder).with_context(failed)?;
    let mut file = tempfile::Builder::new()
        .prefix(".envelope-")
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(folder)
        .with_context(failed)?;
    file.write_all(key.expose().as_bytes()).and_then(|()| file.write_all(b"\n")).with_context(failed)?;
    file.as_file().sync_all().with_context(failed)?;
    match file.persist_noclobber(path) {
        Ok(_) => File::open(folder).and_then(|folder| folder.sync_all()).with_context(failed),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.error).with_context(failed),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there")]
mod tests {
    use std::{collections::BTreeSet, sync::Barrier};

    use super::*;

    fn config(dir: &Path) -> Config {
        Config { data: dir.to_owned(), ..Config::default() }
    }

    fn id(config: &Config) -> String {
        keyring(config).unwrap().unwrap().current().to_string()
    }

    #[test]
    fn two_starts_at_once_have_one_key_and_later_ones_keep_it() {
        let dir = tempfile::tempdir().unwrap();
        let config = config(dir.path());
        assert!(found(&config).unwrap().is_none());
        let barrier = Barrier::new(8);
        let ids: BTreeSet<String> = std::thread::scope(|scope| {
            let start = || {
                barrier.wait();
                id(&config)
            };
            let starts: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert_eq!(ids, BTreeSet::from([id(&config)]));
        let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, [FILE], "no unfinished file is left");
        assert_eq!(std::fs::metadata(path(&config)).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_configured_key_goes_first_and_the_file_still_opens() {
        let dir = tempfile::tempdir().unwrap();
        let mut config = config(dir.path());
        let from_file = id(&config);
        config.secrets.key = Some(galley_vault::new_key().unwrap());
        let ring = keyring(&config).unwrap().unwrap();
        assert_ne!(ring.current().as_str(), from_file);
        assert_eq!(ring.previous().map(ToString::to_string).collect::<Vec<_>>(), [from_file]);
    }

    #[test]
    fn a_foreign_database_gets_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let mut config = config(dir.path());
        config.database.url = Some(Hidden::new("postgres://elsewhere/galley"));
        assert!(keyring(&config).unwrap().is_none() && !path(&config).exists());
        config.secrets.previous_keys = vec![galley_vault::new_key().unwrap()];
        let error = keyring(&config).unwrap_err().to_string();
        assert!(error.contains("secrets.key is not"), "{error}");
        config.secrets.key = Some(galley_vault::new_key().unwrap());
        assert!(keyring(&config).unwrap().is_some() && !path(&config).exists());
    }

    #[test]
    fn a_bad_file_is_named_and_neither_shown_nor_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let config = config(dir.path());
        let write = |text: &[u8], mode| {
            std::fs::write(path(&config), text).unwrap();
            std::fs::set_permissions(path(&config), Permissions::from_mode(mode)).unwrap();
            format!("{:#}", keyring(&config).unwrap_err())
        };
        for text in [&b""[..], b"planted", &[0xff; 40], &[b'A'; 4000]] {
            let error = write(text, 0o600);
            assert!(error.contains(FILE) && !error.contains("planted"), "{error}");
            assert_eq!(std::fs::read(path(&config)).unwrap(), text);
        }
        let key = galley_vault::new_key().unwrap();
        let error = write(key.expose().as_bytes(), 0o640);
        assert!(error.contains("chmod 600") && !error.contains(key.expose()), "{error}");
    }
}
