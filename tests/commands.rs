//! Small commands as a user meets them: keys, credits, what is printed into a closed pipe.

use std::{
    path::Path,
    process::{Command, Output},
};

use galley_testkit::TestDatabase;

/// With a database of its own, and none of the machine's settings.
fn galley(database: &TestDatabase, data: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_galley"));
    command.current_dir(data).env("DATABASE_URL", &database.url).arg("--data").arg(data).args(args);
    command
}

fn said(output: &Output) -> (bool, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout) + &text(&output.stderr))
}

#[tokio::test]
async fn keys_have_every_right_unless_told_otherwise_and_are_listed_with_their_end() {
    let (database, dir) = (TestDatabase::new().await, tempfile::tempdir().unwrap());
    let run = |args: &[&str]| {
        let (well, text) = said(&galley(&database, dir.path(), args).output().unwrap());
        assert!(well, "{text}");
        text
    };
    run(&["keys", "create", "--name", "all"]);
    run(&["keys", "create", "--name", "few", "--permissions", "read", "--scopes", "articles,content", "--days", "1"]);
    run(&["keys", "create", "--name", "old", "--days", "1"]);
    database.execute("UPDATE api_keys SET expires_at = now() - interval '1 minute' WHERE name = 'old'").await;
    let listed = run(&["keys", "list"]);
    let lines: Vec<&str> = listed.lines().collect();
    let head = lines[0].split("  ").filter(|cell| !cell.is_empty()).map(str::trim).collect::<Vec<_>>();
    assert_eq!(head, ["ID", "KEY", "PERMISSIONS", "SCOPES", "STATE", "EXPIRES", "LAST USED", "NAME"], "{listed}");
    for (line, words) in [
        (1, ["read,write", "articles,content,projects,publish,admin", "in force", "never"]),
        (2, ["read  ", "articles,content  ", "in force", "UTC"]),
        (3, ["read,write", "admin", "expired", "UTC"]),
    ] {
        assert!(words.iter().all(|word| lines[line].contains(word)), "{words:?} in {}", lines[line]);
    }
    assert!(lines[1].ends_with("all") && lines[2].ends_with("few"), "{listed}");
}

#[tokio::test]
async fn credits_that_no_balance_can_hold_are_refused_with_the_limit() {
    let (database, dir) = (TestDatabase::new().await, tempfile::tempdir().unwrap());
    for wrong in ["99999999999999", "0", "-5", "1e400", "0.0000001", "many"] {
        // The minus is an amount, not a flag.
        let output = galley(&database, dir.path(), &["credits", "grant", "--", wrong]).output().unwrap();
        let (well, text) = said(&output);
        assert!(!well && text.contains("up to 999999999999") && text.contains("six decimals"), "{wrong}: {text}");
    }
    let (well, text) = said(&galley(&database, dir.path(), &["credits", "grant", "999999999999"]).output().unwrap());
    assert!(!well && text.contains("this one is 10000; grant at most 999999989999"), "{text}");
    let (well, text) = said(&galley(&database, dir.path(), &["credits", "grant", "999999989999"]).output().unwrap());
    assert!(well && text.contains("balance 999999999999,"), "{text}");
}

/// `galley doctor | head -1` has ended before the second line.
#[tokio::test]
async fn a_reader_that_has_gone_is_no_panic_and_a_full_disk_is_an_error() {
    let (database, dir) = (TestDatabase::new().await, tempfile::tempdir().unwrap());
    for args in [
        &["doctor"][..],
        &["config", "show"],
        &["openapi"],
        &["keys", "create"],
        &["keys", "list"],
        &["schedules", "list"],
        &["credits", "show"],
        &["secrets", "new-key"],
        &["migrate"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = galley(&database, dir.path(), args).stdout(writer).output().unwrap();
        let (well, text) = said(&output);
        assert!(well && !text.contains("panicked"), "{args:?}: {text}");
        if cfg!(target_os = "linux") && args != ["keys", "create"] && args != ["schedules", "list"] {
            let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
            let output = galley(&database, dir.path(), args).stdout(full).output().unwrap();
            let (well, text) = said(&output);
            assert!(!well && text.starts_with("galley: not all of the output could be written"), "{args:?}: {text}");
        }
    }
}

#[tokio::test]
async fn every_setting_is_shown_with_where_it_comes_from() {
    let (database, dir) = (TestDatabase::new().await, tempfile::tempdir().unwrap());
    let file = dir.path().join("mine.toml");
    std::fs::write(
        &file,
        "[writer]\nmodel = \"m\"\ntemperature = 0.3\n[pools]\nmodels = 9\n[log]\nfilter = \"info\"\n",
    )
    .unwrap();
    let mut command = galley(&database, dir.path(), &["--config", file.to_str().unwrap(), "config", "show"]);
    command.envs([
        ("GALLEY_LIMITS__STREAMS", "7"),
        ("GALLEY_SEARCH__KEY", "123"),
        ("GALLEY_STEPS__DRAFT__CONCURRENCY", "3"),
        ("GALLEY_LOG", "warn"),
        ("GALLEY_LISTEN", "127.0.0.1:1"),
    ]);
    let (well, shown) = said(&command.output().unwrap());
    assert!(well, "{shown}");
    for line in [
        "model = \"m\"  # file mine.toml\n",
        "temperature = 0.3  # file ",
        "models = 9  # file ",
        "filter = \"warn\"  # GALLEY_LOG\n",
        "streams = 7  # GALLEY_LIMITS__STREAMS\n",
        "key = \"********\"  # GALLEY_SEARCH__KEY\n",
        "concurrency = 3  # GALLEY_STEPS__DRAFT__CONCURRENCY\n",
        "listen = \"127.0.0.1:1\"  # GALLEY_LISTEN\n",
        "url = \"********\"  # DATABASE_URL\n",
        "  # flag --data\n",
        "streams_per_key = 50  # default\n",
        "# folder is not set: site in the data folder\n",
    ] {
        assert!(shown.contains(line), "{line} in {shown}");
    }
    // It can be a file again.
    std::fs::write(&file, shown.replace("********", "postgres://127.0.0.1/x")).unwrap();
    let (well, again) =
        said(&galley(&database, dir.path(), &["--config", file.to_str().unwrap(), "config", "show"]).output().unwrap());
    assert!(well && again.contains("streams = 7  # file "), "{again}");
}
