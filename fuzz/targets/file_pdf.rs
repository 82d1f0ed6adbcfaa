//! PDF files: objects, streams, fonts and the page's operators.
#![no_main]

use galley_files::extract;
use galley_fuzz::{LIMITS, check_subset, must_be_cheap, must_be_quick, tolerate_panics_of_libraries};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: tolerate_panics_of_libraries(), |data: &[u8]| {
    let mut bytes = b"%PDF-1.7\n".to_vec();
    bytes.extend_from_slice(data);
    if let Some(read) = must_be_quick(must_be_cheap(|| extract(&bytes, "a.pdf", &LIMITS))) {
        check_subset(&read.text);
    }
});
