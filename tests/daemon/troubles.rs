//! What hinders a start, each told in one sentence with its cause and the way out.

use std::{
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    process::{Command, Output},
};

use galley_testkit::TestDatabase;

fn told(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    let said: Vec<&str> = text.lines().filter(|line| line.starts_with("galley: ")).collect();
    assert!(!output.status.success() && said.len() == 1, "{text}");
    assert!(text.trim_end().ends_with(said[0]), "one line, and the last: {text}");
    said[0].to_owned()
}

fn galley(data: &Path, database: Option<&str>, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_galley"));
    command.env_remove("DATABASE_URL").arg("--data").arg(data).args(args);
    if let Some(url) = database {
        command.env("DATABASE_URL", url);
    }
    command
}

#[tokio::test]
async fn a_taken_port_is_told_with_the_flag_for_another() {
    let (database, dir) = (TestDatabase::new().await, tempfile::tempdir().unwrap());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for command in ["up", "api"] {
        let output = galley(dir.path(), Some(&database.url), &[command, "--listen", &address]).output().unwrap();
        let said = told(&output);
        assert!(said.contains(&address) && said.contains("--listen") && said.contains("in use"), "{said}");
    }
}

/// The test cluster asks nobody for a password, so a server of our own refuses it, as Postgres does.
#[test]
fn a_wrong_password_is_told_with_the_setting_and_not_repeated() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut read = [0; 4096];
            let refusal = b"SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user \"galley\"\0\0";
            let length = u32::try_from(refusal.len() + 4).unwrap().to_be_bytes();
            // The greeting; then the password in the clear is asked for, and refused.
            let _ = stream.read(&mut read);
            let _ = stream.write_all(b"R\0\0\0\x08\0\0\0\x03");
            let _ = stream.read(&mut read);
            let _ = stream.write_all(&[b"E", &length[..], refusal].concat());
        }
    });
    let dir = tempfile::tempdir().unwrap();
    let url = format!("postgres://galley:planted@127.0.0.1:{port}/galley?sslmode=disable");
    for args in [&["keys", "list"][..], &["up", "--listen", "127.0.0.1:0"]] {
        let said = told(&galley(dir.path(), Some(&url), args).output().unwrap());
        assert!(
            said.contains(
                "password authentication failed for user \"galley\"; check user and password in DATABASE_URL"
            ),
            "{said}"
        );
        assert!(!said.contains("planted"), "{said}");
    }
}

#[tokio::test]
async fn a_newer_schema_is_told_with_both_ways_out() {
    let (database, dir) = (TestDatabase::new().await, tempfile::tempdir().unwrap());
    database.execute("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m99991231_000100_later', 0)").await;
    for args in [&["keys", "list"][..], &["migrate"], &["up", "--listen", "127.0.0.1:0"]] {
        let said = told(&galley(dir.path(), Some(&database.url), args).output().unwrap());
        assert!(
            said.contains("m99991231_000100_later") && said.contains("start the newer version, or restore"),
            "{said}"
        );
    }
}

/// A limit for the size of files holds for everybody; a file system that is full needs root.
#[test]
fn a_disk_that_takes_no_more_is_told_with_the_way_out() {
    let dir = tempfile::tempdir().unwrap();
    let script = "ulimit -f 500; exec \"$0\" --data \"$1\" keys list";
    let mut command = Command::new("sh");
    command.env_remove("DATABASE_URL").args(["-c", script, env!("CARGO_BIN_EXE_galley")]).arg(dir.path().join("data"));
    let said = told(&command.output().unwrap());
    assert!(said.contains("File too large; raise the limit for the size of files (ulimit -f)"), "{said}");

    let small = dir.path().join("small");
    std::fs::create_dir(&small).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=20m,mode=755", "tmpfs"]).arg(&small).output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        eprintln!("no small file system could be mounted; nothing is tested of a full one");
        return;
    }
    std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let output = galley(&small.join("data"), None, &["keys", "list"]).output().unwrap();
    let unmounted = Command::new("umount").arg(&small).status().unwrap();
    let said = told(&output);
    assert!(unmounted.success());
    assert!(
        said.contains("No space left on device; free some space, or choose another data folder with --data"),
        "{said}"
    );
}
