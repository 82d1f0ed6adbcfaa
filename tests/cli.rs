//! The command line as a user meets it, with its own private Postgres.

use std::{
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

fn galley(data: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_galley"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("DATABASE_URL");
    command.arg("--data").arg(data).args(args).output().unwrap()
}

fn text_of(output: &Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const FIRST: [&str; 12] = [
    "write",
    "How Sela Ridge grows, roasts and brews its coffee",
    "--file",
    "samples/brew-guide.pdf",
    "samples/cooperative-report.docx",
    "samples/harvest.xlsx",
    "samples/tasting-notes.html",
    "samples/faq.md",
    "--min-words",
    "600",
    "--max-words",
    "900",
];

#[test]
fn one_command_writes_an_article_and_a_second_one_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut articles = Vec::new();
    for run in ["one", "two"] {
        let out = dir.path().join(run);
        let output = galley(&data, &[&FIRST[..], &["--out", out.to_str().unwrap()]].concat());
        assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
        for name in ["article.md", "sources.md", "task.json", "cover.png"] {
            assert!(out.join(name).is_file(), "{name} is there");
        }
        assert!(text(&output.stderr).contains("research"), "progress is shown: {}", text(&output.stderr));
        articles.push(std::fs::read_to_string(out.join("article.md")).unwrap());
    }
    assert_eq!(articles[0], articles[1]);
    assert!(articles[0].starts_with("---\ntitle: ") && articles[0].contains("\n## Sources\n"));
    let task: serde_json::Value =
        serde_json::from_slice(&std::fs::read(dir.path().join("one/task.json")).unwrap()).unwrap();
    assert_eq!(task["status"], "completed");
    assert_eq!(task["claims"]["unsupported"], 0);
    assert!(task["steps"].as_array().unwrap().iter().all(|step| step["attempts"] == 1));

    let nothing = galley(&data, &["write", "--resume"]);
    assert!(!nothing.status.success());
    assert!(text(&nothing.stderr).contains("nothing to resume"), "{}", text(&nothing.stderr));
    let refused = galley(&data, &["write", "Tea", "--tone", "angry", "--min-words", "5"]);
    let said = text(&refused.stderr);
    assert!(!refused.status.success() && said.contains("--tone") && said.contains("--min-words"), "{said}");
    let without = galley(&data, &["write", "Tea"]);
    assert!(text(&without.stderr).contains("composes from sources"), "{}", text(&without.stderr));
    let doctor = galley(&data, &["doctor"]);
    assert!(doctor.status.success(), "{}", text(&doctor.stdout));
    let key = galley(&data, &["keys", "create", "--name", "ci"]);
    assert!(text(&key.stdout).starts_with("gk_"), "{}", text(&key.stderr));
    let listed = text(&galley(&data, &["keys", "list"]).stdout);
    assert!(listed.contains("ci") && !listed.contains(text(&key.stdout).trim()), "{listed}");
    let nobody = "00000000-0000-0000-0000-000000000001";
    for (args, words) in [(["keys", "revoke"], "API key"), (["schedules", "show"], "schedule")] {
        let missing = galley(&data, &[&args[..], &[nobody]].concat());
        let said = format!("galley: there is no such {words}, or it belongs to another organization\n");
        assert_eq!((missing.status.success(), text(&missing.stderr)), (false, said));
    }
}

#[test]
fn wrong_configuration_names_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("galley.toml");
    std::fs::write(&file, "[writer]\nkind = \"openai\"\ncolour = \"red\"\n").unwrap();
    let output = galley(dir.path(), &["--config", file.to_str().unwrap(), "config", "show"]);
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("colour"), "{}", text(&output.stderr));
    let missing = galley(dir.path(), &["--config", "nowhere.toml", "config", "show"]);
    assert!(text(&missing.stderr).contains("nowhere.toml does not exist"), "{}", text(&missing.stderr));
}

#[test]
fn shown_configuration_has_no_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_galley"));
    command.current_dir(dir.path()).env_remove("DATABASE_URL");
    let output = command.env("GALLEY_WRITER__API_KEY", "sk-planted-secret").args(["config", "show"]).output().unwrap();
    let shown = text(&output.stdout);
    assert!(output.status.success() && shown.contains("api_key = \"********\""), "{shown}{}", text(&output.stderr));
    assert!(!shown.contains("planted"));
}

/// What a command says with these variables, on both of its outputs.
fn said(variables: &[(&str, &str)], args: &[&str]) -> (bool, String) {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_galley"));
    command.current_dir(dir.path()).env_remove("DATABASE_URL").envs(variables.iter().copied());
    let output = command.args(args).output().unwrap();
    (output.status.success(), text(&output.stdout) + &text(&output.stderr))
}

#[test]
fn no_kind_of_secret_is_shown() {
    let show = &["config", "show"];
    for secret in ["12345678", "0x7e1", "1e5", "true", "[1234567]", "{a=1234567}", "\"1234567\"", "'1234567'"] {
        let (well, shown) = said(&[("GALLEY_WRITER__API_KEY", secret), ("GALLEY_SEARCH__KEY", secret)], show);
        assert!(well && shown.contains("api_key = \"********\""), "{secret}: {shown}");
        // `true` stands elsewhere too.
        assert!(secret == "true" || !shown.contains(secret), "{shown}");
        assert!(!shown.contains("1234567"), "{shown}");
    }
    let (well, shown) = said(&[("GALLEY_SEARCH__URL", "http://me:planted@127.0.0.1:1/")], show);
    assert!(well && !shown.contains("planted"), "{shown}");
    for (name, setting) in
        [("GALLEY_WRITER__BASE_URL", "writer.base_url"), ("GALLEY_LOG__OTLP_ENDPOINT", "log.otlp_endpoint")]
    {
        let (well, shown) = said(&[(name, "http://me:planted@127.0.0.1:1/v1")], show);
        assert!(!well && shown.contains(setting) && !shown.contains("planted"), "{shown}");
    }
}

#[test]
fn a_secret_in_a_file_is_not_repeated_by_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("galley.toml");
    for (secret, good) in [("12345678", true), ("1234567.5", true), ("[\"12345678\"]", false), ("true", false)] {
        std::fs::write(&file, format!("[writer]\napi_key = {secret}\n")).unwrap();
        let output = galley(dir.path(), &["--config", file.to_str().unwrap(), "config", "show"]);
        let shown = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.success(), good, "{secret}: {shown}");
        assert!(!shown.contains("1234567"), "{shown}");
        assert!(good || shown.contains("api_key"), "it names the setting: {shown}");
    }
}

#[test]
fn a_secret_in_a_wrong_place_of_the_configuration_is_not_repeated() {
    let show = &["config", "show"];
    for (name, setting) in [
        ("GALLEY_WRITER", "writer"),
        ("GALLEY_SECRETS", "secrets"),
        ("GALLEY_WRITER__MAX_TOKENS", "writer.max_tokens"),
        ("GALLEY_ENGINE__CONCURRENCY", "engine.concurrency"),
    ] {
        let (well, shown) = said(&[(name, "sk-planted")], show);
        assert!(!well && shown.to_lowercase().contains(setting) && !shown.contains("planted"), "{name}: {shown}");
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("galley.toml");
    for text in ["[writer]\napi_key = sk-planted\n", "[writer]\napi_key = \"sk-planted\n", "[writer]\nsk-planted\n"] {
        std::fs::write(&file, text).unwrap();
        let output = galley(dir.path(), &["--config", file.to_str().unwrap(), "config", "show"]);
        let shown = text_of(&output);
        assert!(!output.status.success() && !shown.contains("planted"), "{shown}");
        assert!(shown.contains("galley.toml, line 2") && shown.contains("quotes"), "{shown}");
    }
}

#[test]
fn envelope_keys_are_read_in_every_form_and_never_shown() {
    let (well, one) = said(&[], &["secrets", "new-key"]);
    let (_, two) = said(&[], &["secrets", "new-key"]);
    let (one, two) = (one.trim(), two.trim());
    assert!(well && one.len() == 44 && one != two, "{one}");
    for list in [format!("{one},{two}"), format!("[\"{one}\", \"{two}\"]"), one.to_owned()] {
        let (well, shown) =
            said(&[("GALLEY_SECRETS__KEY", one), ("GALLEY_SECRETS__PREVIOUS_KEYS", &list)], &["config", "show"]);
        assert!(well && shown.contains("key = \"********\"") && shown.contains("previous_keys = ["), "{shown}");
        assert!(!shown.contains(&one[..8]) && !shown.contains(&two[..8]), "{shown}");
    }
    let (well, shown) = said(&[("GALLEY_SECRETS__KEY", "planted")], &["secrets", "status"]);
    assert!(
        !well && shown.contains("secrets.key") && shown.contains("new-key") && !shown.contains("planted"),
        "{shown}"
    );
}

/// With nothing configured: the first start makes a key, and a rotation to a configured one lets the file go.
#[test]
fn a_secret_is_kept_under_a_key_that_is_made_once() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let run = |args: &[&str], input: &str, variables: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_galley"));
        command.current_dir(dir.path()).env_remove("DATABASE_URL").envs(variables.iter().copied());
        command.arg("--data").arg(&data).args(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.success(), text_of(&output))
    };
    let set = &["secrets", "set", "model-key"][..];
    for (input, good) in [("sk-own\r\n", true), ("", false), ("two words", false)] {
        let (well, shown) = run(set, input, &[]);
        assert_eq!(well, good, "{shown}");
        assert!(good || shown.contains("model-key"), "{shown}");
        assert!(!shown.contains("sk-own") && !shown.contains("two words"), "{shown}");
    }
    let file = data.join("envelope.key");
    let key = std::fs::read_to_string(&file).unwrap();
    let (well, shown) = run(&["secrets", "status"], "", &[]);
    assert!(well && shown.contains("current   1 secrets") && !shown.contains(key.trim()), "{shown}");

    let (_, new) = said(&[], &["secrets", "new-key"]);
    let configured = &[("GALLEY_SECRETS__KEY", new.trim())][..];
    let (_, shown) = run(&["secrets", "status"], "", configured);
    assert!(shown.contains("previous  1 secrets; move them"), "{shown}");
    for moved in ["1 secrets moved", "0 secrets moved"] {
        let (well, shown) = run(&["secrets", "rotate"], "", configured);
        assert!(well && shown.contains(moved), "{shown}");
    }
    let (_, shown) = run(&["secrets", "status"], "", configured);
    assert!(shown.contains("this key can go"), "{shown}");
    // Without the new key, what it sealed is missing, and a rotation says which it cannot open.
    let (well, shown) = run(&["secrets", "status"], "", &[]);
    assert!(!well && shown.contains("MISSING"), "{shown}");
    let (well, shown) = run(&["secrets", "rotate"], "", &[]);
    assert!(!well && shown.contains("1 could not be") && shown.contains("secrets.previous_keys"), "{shown}");
    let (well, shown) = run(&["secrets", "remove", "model-key"], "", &[]);
    assert!(well, "{shown}");
    let (well, shown) = run(&["secrets", "remove", "model-key"], "", &[]);
    assert!(!well && shown.contains("no such"), "{shown}");
    let (well, shown) = run(&[set, &["--organization", &"0".repeat(32)]].concat(), "sk-own", &[]);
    assert!(!well && shown.contains("--organization"), "{shown}");
}

#[test]
fn budgets_can_be_set_within_bounds() {
    let show = &["config", "show"];
    let (well, shown) = said(&[], show);
    let published =
        ["ai_per_minute = 60", "content_per_minute = 100", "general_per_minute = 300", "auth_per_minute = 20"];
    assert!(well && published.iter().all(|line| shown.contains(line)), "the published ones hold: {shown}");
    let (well, shown) = said(&[("GALLEY_LIMITS__AI_PER_MINUTE", "5")], show);
    assert!(well && shown.contains("ai_per_minute = 5  # GALLEY_LIMITS__AI_PER_MINUTE\n"), "{shown}");
    for (name, wrong) in [("AI", "0"), ("CONTENT", "1000001"), ("GENERAL", "-1"), ("AUTH", "many")] {
        let (well, shown) = said(&[(&format!("GALLEY_LIMITS__{name}_PER_MINUTE"), wrong)], show);
        let setting = format!("{}_per_minute", name.to_lowercase());
        assert!(!well && shown.to_lowercase().contains(&setting), "{wrong}: {shown}");
    }
}

#[test]
fn wrong_arguments_are_refused_before_anything_starts() {
    for days in ["100000000", "0"] {
        let (well, shown) = said(&[], &["keys", "create", "--days", days]);
        assert!(!well && shown.contains("36500") && !shown.contains("panicked"), "{shown}");
    }
    for further in [["--keyword", "tea"], ["--tone", "casual"], ["--min-words", "300"]] {
        let (well, shown) = said(&[], &[&["write", "--resume"], &further[..]].concat());
        assert!(!well && shown.contains("cannot be used with") && shown.contains(further[0]), "{shown}");
    }
}

#[test]
fn a_database_that_cannot_be_had_is_told_in_one_sentence() {
    let admin = tokio::runtime::Runtime::new().unwrap().block_on(galley_testkit::admin_url());
    let unknown = admin.replace("/postgres?", "/nobody_made_this?");
    assert_ne!(admin, unknown);
    for (url, cause) in [
        ("postgres://a:secret@127.0.0.1:1/x", "the database at 127.0.0.1:1 cannot be reached: "),
        (unknown.as_str(), "database \"nobody_made_this\" does not exist"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_galley"));
        command.env("DATABASE_URL", url).arg("--data").arg(dir.path());
        let output = command.args(["keys", "list"]).output().unwrap();
        let told = text(&output.stderr);
        assert!(!output.status.success() && told.contains(cause) && told.trim().lines().count() == 1, "{told}");
        assert_eq!(told.matches("cannot be reached").count(), 1, "said once: {told}");
        assert!(!told.contains("secret"), "{told}");
    }
}
