//! The program under test.

use std::path::PathBuf;

use tokio::process::Command;

/// The one that was named, or else one that is built or found.
pub async fn find(named: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    match named {
        Some(path) => Ok(path),
        None => build().await,
    }
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
