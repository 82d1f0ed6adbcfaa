//! Uploads of any kind under any name: what they are is told, what is read keeps its form.
#![no_main]

use galley_files::{extract, sniff};
use galley_fuzz::{LIMITS, check_subset, must_be_cheap, must_be_quick, tolerate_panics_of_libraries};
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 8] = ["a", "a.txt", "a.csv", "a.tsv", "a.md", "a.html", "a.docx", "a.pdf"];

fuzz_target!(init: tolerate_panics_of_libraries(), |data: &[u8]| {
    let Some((first, bytes)) = data.split_first() else { return };
    let name = NAMES[usize::from(*first) % NAMES.len()];
    let kind = sniff(bytes, name);
    let Some(read) = must_be_quick(must_be_cheap(|| extract(bytes, name, &LIMITS))) else { return };
    assert_eq!(kind, Ok(read.kind));
    check_subset(&read.text);
    assert!(read.title.is_none_or(|title| !title.is_empty() && !title.contains('\n')));
});
