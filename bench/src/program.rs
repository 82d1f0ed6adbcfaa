//! The program under test.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::world::Database;

/// The one that was named, or else one that is built or found.
pub async fn find(named: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    match named {
        Some(path) => Ok(path),
        None => build().await,
    }
}

/// The program on a database, with these arguments and settings and nothing of this machine's own configuration.
pub fn command(
    galley: &Path,
    arguments: &[&str],
    folder: &Path,
    database: &Database,
    settings: &[(&str, &str)],
) -> Command {
    let mut command = Command::new(galley);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GALLEY_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).envs(settings.iter().copied()).arg("--data").arg(folder.join("up"));
    command.current_dir(folder).env("DATABASE_URL", &database.url).stderr(std::process::Stdio::null());
    command
}

/// The program as the sources are now when cargo runs us, else the one that lies beside us.
async fn build() -> anyhow::Result<PathBuf> {
    if let Some(cargo) = std::env::var_os("CARGO") {
        let mut command = Command::new(cargo);
        command.args(["build", "-p", "galley", "--bin", "galley"]);
        if !cfg!(debug_assertions) {
            command.arg("--release");
        }
        let ended = command.status().await?;
        anyhow::ensure!(ended.success(), "the program could not be built; name one with --galley FILE");
    }
    let path = std::env::current_exe()?.with_file_name("galley");
    anyhow::ensure!(path.is_file(), "{} does not exist; build it, or name one with --galley FILE", path.display());
    Ok(path)
}
