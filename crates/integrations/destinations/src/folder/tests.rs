use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
};

use chrono::DateTime;
use tempfile::TempDir;

use super::places::unread;
use super::*;
use crate::{
    Picture, RemoteFields, SeoMeta, Visibility,
    front_matter::stamp,
    post::{
        Asset, AssetRole,
        tests::{asset, post},
    },
};

fn site() -> (TempDir, SiteFolder) {
    let dir = TempDir::new().unwrap();
    let destination = SiteFolder::new(dir.path().join("posts"), FrontMatterStyle::Hugo);
    (dir, destination)
}

/// Every file below the root with its text, links as `-> target`.
fn files(root: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().display().to_string();
            if path.is_symlink() {
                found.insert(name, format!("-> {}", fs::read_link(&path).unwrap().display()));
            } else if path.is_dir() {
                open.push(path);
            } else {
                found.insert(name, String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned());
            }
        }
    }
    found
}

fn names(destination: &SiteFolder) -> Vec<String> {
    files(&destination.root).into_keys().collect()
}

fn other(number: u128) -> Post {
    Post { article_id: Uuid::from_u128(number), ..post() }
}

fn picture(name: &str, bytes: &[u8]) -> Asset {
    asset(name, bytes, "", AssetRole::Inline)
}

/// Version 2 of the example: one picture changed, one gone, one new.
fn second() -> Post {
    Post {
        version: 2,
        markdown_body: "Second text.".into(),
        assets: vec![picture("cover.png", b"new cover"), picture("map.png", b"map")],
        ..post()
    }
}

const FIRST: [&str; 4] = [".galley-lock", "better-coffee/cover.png", "better-coffee/cup.png", "better-coffee/index.md"];
const SECOND: [&str; 4] =
    [".galley-lock", "better-coffee/cover.png", "better-coffee/index.md", "better-coffee/map.png"];

#[test]
fn publishes_once() {
    let (_dir, site) = site();
    assert_eq!(site.look_up(post().article_id).unwrap(), None);
    assert_eq!(site.read(post().article_id).unwrap(), None);
    let first = site.publish(&post(), None).unwrap();
    let fields = RemoteFields {
        title: "Better coffee".into(),
        content: post().markdown_body,
        excerpt: "How to brew it.".into(),
        slug: "better-coffee".into(),
        status: RemoteStatus::Published,
        categories: vec![],
        tags: post().tags,
        featured: Some(Picture { id: "cover.png".into(), url: "cover.png".into(), alt: "Cover".into() }),
        date: Some(post().date),
    };
    let expected = Published {
        external_id: "better-coffee/index.md".into(),
        url: "better-coffee/".into(),
        slug: "better-coffee".into(),
        status: RemoteStatus::Published,
        version: 1,
        already_there: false,
        seo_meta: SeoOutcome::Written,
        fields: fields.clone(),
        warnings: vec![],
    };
    assert_eq!(first, expected);
    assert_eq!(names(&site), FIRST);
    let found = site.look_up(post().article_id).unwrap().unwrap();
    assert_eq!((found.external_id.as_str(), found.version), ("better-coffee/index.md", 1));
    assert_eq!((found.url.as_str(), found.slug.as_str()), ("better-coffee/", "better-coffee"));
    assert_eq!(site.read(post().article_id).unwrap(), Some(fields));

    let before = fs::metadata(site.root.join("better-coffee/index.md")).unwrap();
    let again = site.publish(&Post { date: DateTime::UNIX_EPOCH, ..post() }, None).unwrap();
    assert_eq!(again, Published { already_there: true, ..first });
    let after = fs::metadata(site.root.join("better-coffee/index.md")).unwrap();
    assert_eq!(before.modified().unwrap(), after.modified().unwrap());
}

#[test]
fn other_fields_of_the_same_version_are_written() {
    let (_dir, site) = site();
    site.publish(&post(), None).unwrap();
    let categories = vec!["Drinks > Hot".to_owned()];
    let done = site.publish(&Post { categories: categories.clone(), ..post() }, None).unwrap();
    assert!(!done.already_there);
    assert_eq!(site.read(post().article_id).unwrap().unwrap().categories, categories);
    let index = site.root.join("better-coffee/index.md");
    let edited = fs::read_to_string(&index).unwrap().replace("Water first.", "Milk first.");
    fs::write(&index, edited).unwrap();
    let kept = site.publish(&Post { categories: categories.clone(), ..post() }, None).unwrap();
    assert!(kept.already_there && kept.fields.content.starts_with("Milk"), "others may edit it");
    let over = site.publish(&Post { categories, overwrite: true, ..post() }, None).unwrap();
    assert!(!over.already_there && over.fields.content.starts_with("Water"));
}

#[test]
fn an_article_is_hidden_and_shown_again_in_its_place() {
    for style in [FrontMatterStyle::Hugo, FrontMatterStyle::Jekyll, FrontMatterStyle::AstroEleventy] {
        let dir = TempDir::new().unwrap();
        let site = SiteFolder::new(dir.path().join("posts"), style);
        assert!(!site.unpublish(post().article_id).unwrap());
        let shown = site.publish(&post(), None).unwrap();
        let index = site.root.join("better-coffee/index.md");
        let before = fs::read_to_string(&index).unwrap();
        assert!(site.unpublish(post().article_id).unwrap());
        let found = site.look_up(post().article_id).unwrap().unwrap();
        assert_eq!(
            (found.status, found.version, found.external_id.as_str()),
            (RemoteStatus::Draft, 1, "better-coffee/index.md")
        );
        assert_eq!(names(&site), FIRST);
        let text = fs::read_to_string(&index).unwrap();
        assert!(text.ends_with(&post().markdown_body), "{text}");
        let lines = text.lines().filter(|line| line.starts_with("draft:") || line.starts_with("published:"));
        assert_eq!(lines.count(), 1, "{text}");
        assert!(site.unpublish(post().article_id).unwrap(), "a draft stays one");
        assert_eq!(fs::read_to_string(&index).unwrap(), text);
        let again = site.publish(&post(), None).unwrap();
        assert!(!again.already_there);
        assert_eq!(again.external_id, shown.external_id);
        assert_eq!(fs::read_to_string(&index).unwrap(), before);
    }
}

#[test]
fn what_has_a_time_is_hidden_and_says_so() {
    let (_dir, site) = site();
    let at = DateTime::from_timestamp(4_000_000_000, 0).unwrap();
    let done = site.publish(&Post { visibility: Visibility::Future(at), ..post() }, None).unwrap();
    assert_eq!((done.status, done.fields.date), (RemoteStatus::Draft, Some(at)));
    assert!(done.warnings[0].starts_with("a folder publishes nothing by itself"), "{:?}", done.warnings);
    let done = site.publish(&post(), None).unwrap();
    assert_eq!((done.status, done.already_there, done.warnings.len()), (RemoteStatus::Published, false, 0));
}

#[test]
fn what_is_different_from_what_was_wanted_is_told() {
    let (_dir, site) = site();
    let known = Known {
        external_id: "old/index.md".into(),
        url: "old/".into(),
        slug: "old".into(),
        mark: None,
        fields: None,
        version: 0,
    };
    fs::create_dir_all(site.root.join("better-coffee")).unwrap();
    let done = site.publish(&post(), Some(&known)).unwrap();
    assert_eq!(
        done.warnings,
        [
            "old/index.md was gone; the article was published anew",
            "the name better-coffee is taken there; the article is called better-coffee-2"
        ]
    );
    let seo = SeoMeta { focus_keyword: "coffee".into(), ..post().seo };
    let done = site.publish(&Post { version: 2, seo, ..post() }, Some(&known)).unwrap();
    assert_eq!((done.seo_meta, done.warnings.len()), (SeoOutcome::NotSupported, 0));
}

#[test]
fn front_matter_that_is_broken_is_a_fault_that_says_so() {
    let (_dir, site) = site();
    site.publish(&post(), None).unwrap();
    let index = site.root.join("better-coffee/index.md");
    let text = fs::read_to_string(&index).unwrap();
    fs::write(&index, text.replace("title: ", "title: \"a\" b: [")).unwrap();
    let fault = site.read(post().article_id).unwrap_err();
    assert!(!fault.is_transient());
    assert!(fault.to_string().starts_with("the front matter of better-coffee/index.md cannot be read"), "{fault}");
    fs::write(&index, format!("{text}{}", "x".repeat(5 << 20))).unwrap();
    let fault = site.read(post().article_id).unwrap_err();
    assert!(fault.to_string().contains("beyond the 4 MiB"), "{fault}");
}

#[test]
fn a_new_version_replaces_the_old_one_and_only_that() {
    let (_dir, site) = site();
    site.publish(&post(), None).unwrap();
    fs::write(site.root.join("better-coffee/notes.txt"), "mine").unwrap();
    let done = site.publish(&Post { slug: "another-slug".into(), ..second() }, None).unwrap();
    assert_eq!((done.external_id.as_str(), done.already_there), ("better-coffee/index.md", false));
    let files = files(&site.root);
    let mut expected = SECOND.to_vec();
    expected.push("better-coffee/notes.txt");
    assert_eq!(files.keys().collect::<Vec<_>>(), expected);
    assert_eq!(files["better-coffee/cover.png"], "new cover");
    assert!(files["better-coffee/index.md"].ends_with("Second text.\n"));
    assert!(files["better-coffee/index.md"].contains("slug: \"better-coffee\""));
    assert_eq!(site.look_up(post().article_id).unwrap().unwrap().version, 2);

    let older = site.publish(&post(), None).unwrap_err();
    assert!(!older.is_transient());
    assert_eq!(
        older.to_string(),
        "better-coffee/index.md is version 2, newer than version 1; publish the older text as a new version"
    );
}

#[test]
fn a_taken_slug_gets_a_suffix_and_keeps_it() {
    let (_dir, site) = site();
    fs::create_dir_all(site.root.join("better-coffee")).unwrap();
    fs::write(site.root.join("better-coffee/index.md"), "---\ntitle: mine\n---\n").unwrap();
    fs::write(site.root.join("better-coffee-2"), "a file").unwrap();
    assert_eq!(site.publish(&other(7), None).unwrap().external_id, "better-coffee-3/index.md");
    assert_eq!(site.publish(&other(8), None).unwrap().external_id, "better-coffee-4/index.md");
    fs::remove_file(site.root.join("better-coffee-2")).unwrap();
    assert_eq!(site.publish(&Post { version: 2, ..other(7) }, None).unwrap().external_id, "better-coffee-3/index.md");
    assert!(site.publish(&other(8), None).unwrap().already_there);
    let text = &files(&site.root)["better-coffee/index.md"];
    assert_eq!(text, "---\ntitle: mine\n---\n");
    for number in 2..=99 {
        let _ = fs::create_dir(site.root.join(format!("better-coffee-{number}")));
    }
    let full = site.publish(&other(9), None).unwrap_err();
    assert!(full.to_string().contains("give the article another slug"), "{full}");
}

#[test]
fn of_copies_the_newest_counts() {
    let (_dir, site) = site();
    site.publish(&post(), None).unwrap();
    fs::create_dir(site.root.join("a-copy")).unwrap();
    fs::copy(site.root.join("better-coffee/index.md"), site.root.join("a-copy/index.md")).unwrap();
    assert_eq!(site.look_up(post().article_id).unwrap().unwrap().external_id, "a-copy/index.md");
    site.publish(&Post { version: 2, ..post() }, None).unwrap();
    fs::rename(site.root.join("a-copy"), site.root.join("z-a-long-name-of-a-copy")).unwrap();
    assert_eq!(site.look_up(post().article_id).unwrap().unwrap().external_id, "z-a-long-name-of-a-copy/index.md");
}

#[test]
fn foreign_files_are_not_overwritten() {
    let (_dir, site) = site();
    site.publish(&post(), None).unwrap();
    fs::write(site.root.join("better-coffee/map.png"), "mine").unwrap();
    let refused = site.publish(&second(), None).unwrap_err();
    assert!(!refused.is_transient());
    assert!(refused.to_string().starts_with("better-coffee/map.png is not from Galley"), "{refused}");
    assert_eq!(files(&site.root)["better-coffee/map.png"], "mine");
    assert_eq!(site.look_up(post().article_id).unwrap().unwrap().version, 1);
}

#[test]
fn names_in_an_edited_front_matter_remove_nothing_outside() {
    let (dir, site) = site();
    site.publish(&post(), None).unwrap();
    fs::write(dir.path().join("precious.png"), "x").unwrap();
    let index = site.root.join("better-coffee/index.md");
    let edited = fs::read_to_string(&index).unwrap();
    let edited = edited.replace("\"cup.png\"]", "\"../../precious.png\", \"..\", \"index.md\"]");
    fs::write(&index, edited).unwrap();
    site.publish(&second(), None).unwrap();
    assert!(dir.path().join("precious.png").exists());
    assert_eq!(site.look_up(post().article_id).unwrap().unwrap().version, 2);
}

#[cfg(unix)]
#[test]
fn symbolic_links_lead_nowhere() {
    use std::os::unix::fs::symlink;
    let (dir, site) = site();
    let outside = dir.path().join("outside");
    fs::create_dir_all(&outside).unwrap();
    fs::create_dir_all(&site.root).unwrap();
    // A link in the place of the folder is taken, wherever it leads; so is one that leads nowhere.
    symlink(&outside, site.root.join("better-coffee")).unwrap();
    symlink("nowhere", site.root.join("better-coffee-2")).unwrap();
    assert_eq!(site.publish(&post(), None).unwrap().external_id, "better-coffee-3/index.md");
    // An article behind a link is not found, so it is not replaced either.
    fs::copy(site.root.join("better-coffee-3/index.md"), outside.join("index.md")).unwrap();
    assert_eq!(site.look_up(post().article_id).unwrap().unwrap().external_id, "better-coffee-3/index.md");
    // A picture that was made a link is replaced itself, not what it leads to.
    fs::write(outside.join("precious"), "x").unwrap();
    fs::remove_file(site.root.join("better-coffee-3/cover.png")).unwrap();
    symlink(outside.join("precious"), site.root.join("better-coffee-3/cover.png")).unwrap();
    site.publish(&second(), None).unwrap();
    assert_eq!(files(&site.root)["better-coffee-3/cover.png"], "new cover");
    assert_eq!(fs::read_to_string(outside.join("precious")).unwrap(), "x");
    // A left-over that is a link goes, what it leads to stays.
    symlink(&outside, site.root.join(".galley-tmp-link")).unwrap();
    site.publish(&other(5), None).unwrap();
    assert!(outside.join("precious").exists() && !site.root.join(".galley-tmp-link").is_symlink());
    // The lock cannot be made to write elsewhere.
    fs::remove_file(site.root.join(".galley-lock")).unwrap();
    symlink(outside.join("lock"), site.root.join(".galley-lock")).unwrap();
    assert!(site.publish(&other(6), None).is_err());
    assert!(!outside.join("lock").exists());
}

#[test]
fn leftovers_are_swept() {
    let (_dir, site) = site();
    fs::create_dir_all(site.root.join(".galley-tmp-old/sub")).unwrap();
    fs::write(site.root.join(".galley-tmp-old/sub/a.png"), "x").unwrap();
    fs::write(site.root.join(".galley-tmp-file"), "x").unwrap();
    assert_eq!(site.look_up(post().article_id).unwrap(), None);
    site.publish(&post(), None).unwrap();
    assert_eq!(names(&site), FIRST);
}

#[test]
fn two_at_once_write_one() {
    let (_dir, site) = site();
    let results: Vec<_> = thread::scope(|scope| {
        let runs: Vec<_> = (0..8).map(|_| scope.spawn(|| site.publish(&post(), None).unwrap())).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert_eq!(results.iter().filter(|r| !r.already_there).count(), 1);
    assert!(results.iter().all(|r| r.external_id == "better-coffee/index.md"));
    assert_eq!(names(&site), FIRST);
}

#[test]
fn many_articles_of_one_slug_at_once_all_get_a_place() {
    let (_dir, site) = site();
    let mut paths: Vec<_> = thread::scope(|scope| {
        let site = &site;
        let runs: Vec<_> =
            (0..8).map(|n| scope.spawn(move || site.publish(&other(n), None).unwrap().external_id)).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), 8);
}

/// A reader that looks all the time while versions change sees whole texts only, and never no text.
#[test]
fn a_reader_never_sees_half() {
    let (_dir, site) = site();
    let version = |n: u32| Post { version: n, markdown_body: format!("{n}").repeat(60_000), ..post() };
    site.publish(&version(1), None).unwrap();
    thread::scope(|scope| {
        let writer = scope.spawn(|| (2..=9).for_each(|n| drop(site.publish(&version(n), None).unwrap())));
        while !writer.is_finished() {
            let text = fs::read_to_string(site.root.join("better-coffee/index.md")).unwrap();
            let stamp = stamp(&text).unwrap();
            assert!(text.ends_with(&format!("\n\n{}\n", stamp.version.to_string().repeat(60_000))));
        }
    });
}

#[test]
fn faults_are_typed_and_name_a_relative_path() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("file"), "x").unwrap();
    let site = SiteFolder::new(dir.path().join("file/posts"), FrontMatterStyle::Hugo);
    for fault in [site.publish(&post(), None).unwrap_err(), site.look_up(post().article_id).unwrap_err()] {
        assert!(!fault.is_transient());
        assert!(fault.to_string().contains("the publication folder: something on the way is a file"), "{fault}");
        assert!(!fault.to_string().contains(dir.path().to_str().unwrap()));
    }
    // A folder in the place of the picture of an update: the old version stays whole.
    let (_dir, site) = self::site();
    site.publish(&post(), None).unwrap();
    fs::remove_file(site.root.join("better-coffee/cover.png")).unwrap();
    fs::create_dir(site.root.join("better-coffee/cover.png")).unwrap();
    let fault = site.publish(&second(), None).unwrap_err();
    assert!(
        !fault.is_transient() && fault.to_string().starts_with("cannot write better-coffee/cover.png: "),
        "{fault}"
    );
    assert_eq!(site.look_up(post().article_id).unwrap().unwrap().version, 1);
    assert!(names(&site).iter().all(|n| !n.starts_with(TEMP)));
    let fault = site.publish(&Post { slug: "../x".into(), ..post() }, None).unwrap_err();
    assert_eq!(fault.code(), FaultCode::ValidationError);
}

/// `/sys` takes no folders, not even from root: read-only or not permitted, both may pass.
#[cfg(target_os = "linux")]
#[test]
fn no_permission_is_transient() {
    let site = SiteFolder::new("/sys/galley-test".into(), FrontMatterStyle::Hugo);
    let fault = site.publish(&post(), None).unwrap_err();
    assert!(fault.is_transient(), "{fault}");
    assert!(fault.to_string().starts_with("cannot create the publication folder: "), "{fault}");
}

/// What the killed process runs: not a test by itself, see [`publish_and_die`].
#[test]
#[ignore = "started by the tests that kill a process"]
fn victim() {
    let root = std::env::var("GALLEY_TEST_ROOT").expect("set by the test that starts this one");
    let site = SiteFolder::new(root.into(), FrontMatterStyle::Hugo);
    let post = if std::env::var("GALLEY_TEST_VERSION").is_ok_and(|v| v == "2") { second() } else { post() };
    site.publish(&post, None).unwrap();
}

/// Publishes in a process of its own, which aborts at `point`: no destructor and no clean-up runs.
fn publish_and_die(site: &SiteFolder, version: u32, point: &str) {
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["folder::tests::victim", "--exact", "--ignored"])
        .env("GALLEY_TEST_ROOT", &site.root)
        .env("GALLEY_TEST_VERSION", version.to_string())
        .env("GALLEY_TEST_DIE_AT", point)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.code().is_none() || !cfg!(unix), "the process was to be killed at {point}, it ended with {status}");
}

#[test]
fn a_process_killed_while_creating_leaves_nothing_to_see() {
    for point in ["asset-staged", "staged"] {
        let (_dir, site) = site();
        publish_and_die(&site, 1, point);
        assert!(names(&site).iter().all(|n| n.starts_with('.')), "{point}: {:?}", names(&site));
        assert_eq!(site.look_up(post().article_id).unwrap(), None, "{point}");
        assert!(!site.publish(&post(), None).unwrap().already_there, "{point}");
        assert_eq!(names(&site), FIRST, "{point}");
    }
}

#[test]
fn what_a_killed_process_left_goes_also_when_nobody_publishes() {
    let (_dir, site) = site();
    site.clear().unwrap();
    assert!(!site.root.exists(), "a folder that is not there is not made");
    publish_and_die(&site, 1, "staged");
    assert_ne!(names(&site), [".galley-lock"], "the killed process left something");
    site.clear().unwrap();
    assert_eq!(names(&site), [".galley-lock"]);
}

#[test]
fn a_process_killed_while_replacing_leaves_one_whole_text() {
    for (point, version) in
        [("asset-staged", 1), ("staged", 1), ("asset-moved", 1), ("assets-moved", 1), ("index-moved", 2)]
    {
        let (_dir, site) = site();
        site.publish(&post(), None).unwrap();
        publish_and_die(&site, 2, point);
        assert_eq!(site.look_up(post().article_id).unwrap().unwrap().version, version, "{point}");
        let next = site.publish(&Post { version: 3, ..second() }, None).unwrap();
        assert!(!next.already_there);
        assert_eq!(names(&site), SECOND, "{point}");
    }
}

#[test]
fn the_same_version_again_removes_what_a_killed_update_to_it_left() {
    let (_dir, site) = site();
    site.publish(&post(), None).unwrap();
    publish_and_die(&site, 2, "index-moved");
    assert!(names(&site).contains(&format!("better-coffee/{PENDING}")) && names(&site).contains(&FIRST[2].to_owned()));
    assert!(site.publish(&second(), None).unwrap().already_there);
    assert_eq!(names(&site), SECOND);
}

#[test]
fn a_folder_that_is_closed_to_us_is_passed_over() {
    let read = |kind: ErrorKind| unread("theirs/index.md", &kind.into()).map(|stamp| stamp.is_none());
    assert_eq!(read(ErrorKind::PermissionDenied).ok(), Some(true));
    assert_eq!(read(ErrorKind::NotFound).ok(), Some(true));
    assert!(read(ErrorKind::Other).unwrap_err().is_transient());
}

/// The killed update brought a picture that the text of version 1 does not know; it is ours all the same.
#[test]
fn after_a_kill_another_version_can_follow() {
    let (_dir, site) = site();
    site.publish(&post(), None).unwrap();
    publish_and_die(&site, 2, "assets-moved");
    assert_eq!(files(&site.root)["better-coffee/map.png"], "map");
    site.publish(&Post { version: 3, assets: vec![picture("map.png", b"another map")], ..second() }, None).unwrap();
    assert_eq!(files(&site.root)["better-coffee/map.png"], "another map");
    assert_eq!(names(&site), [".galley-lock", "better-coffee/index.md", "better-coffee/map.png"]);
}

#[test]
fn an_article_is_taken_out_and_what_others_put_beside_it_stays() {
    let (_dir, destination) = site();
    destination.publish(&post(), None).unwrap();
    destination.publish(&other(9), None).unwrap();
    let there = destination.look_up(post().article_id).unwrap().unwrap();
    let folder = destination.root.join(there.external_id.trim_end_matches("/index.md"));
    fs::write(folder.join("notes.txt"), "mine").unwrap();
    assert!(destination.remove(post().article_id).unwrap());
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "only the foreign file is left");
    assert!(destination.remove(Uuid::from_u128(9)).unwrap());
    assert!(!destination.remove(Uuid::from_u128(9)).unwrap());
    assert_eq!(fs::read_dir(&destination.root).unwrap().filter(|e| e.as_ref().unwrap().path().is_dir()).count(), 1);
}
