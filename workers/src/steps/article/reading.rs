//! Reading one source: a link, a file, a search hit. What cannot be read is a warning, never the end.

use galley_domain::{
    OrgId,
    writing::{Origin, Snapshot},
};
use galley_fetch::{FetchError, Fetcher, Page};
use galley_files::{FileError, Pictures};
use galley_services::{BlobError, ServiceError, Services};
use uuid::Uuid;

use galley_engine::StepError;

/// A source with less than this is a cookie notice or an error page.
const LEAST_WORDS: u32 = 20;

/// What came of one source.
#[derive(Debug)]
pub(crate) enum Reading {
    Text { snapshot: Snapshot, warnings: Vec<String>, pictures: Pictures },
    Nothing { warning: String, transient: bool },
}

pub(crate) async fn link(fetcher: &Fetcher, url: &str) -> Reading {
    of_page(fetcher.fetch(url).await, Origin::Link { url: url.to_owned() })
}

pub(crate) async fn hit(fetcher: &Fetcher, url: &str, query: &str) -> Reading {
    of_page(fetcher.fetch_found(url).await, Origin::Search { url: url.to_owned(), query: query.to_owned() })
}

fn of_page(page: Result<Page, FetchError>, origin: Origin) -> Reading {
    match page {
        Ok(page) => {
            let snapshot = Snapshot { number: 0, title: page.title, origin, language: page.language, text: page.text };
            usable(snapshot, page.warnings, page.pictures)
        }
        Err(error) => {
            tracing::info!(%error, detail = error.detail(), "a link could not be read");
            Reading::Nothing { transient: error.is_transient(), warning: error.to_string() }
        }
    }
}

/// A database that is away is an error; a file that cannot be read is a warning.
pub(crate) async fn file(services: &Services, org: OrgId, id: Uuid) -> Result<Reading, StepError> {
    let (row, read) = match services.read_file(org, id).await {
        Ok(found) => found,
        Err(ServiceError::Store(error)) => return Err(error.into()),
        Err(ServiceError::Blob(error @ BlobError::Failed(_))) => return Err(super::image::store_fault(error).into()),
        Err(error) => {
            tracing::warn!(%error, file = %id, "an uploaded file is gone");
            return Ok(Reading::Nothing { warning: format!("the uploaded file {id} is gone"), transient: false });
        }
    };
    Ok(match read {
        Ok(read) => {
            let title = read.title.unwrap_or_else(|| row.name.clone());
            let warnings = read.warnings.iter().map(|warning| format!("{}: {warning}", row.name)).collect();
            let origin = Origin::File { name: row.name };
            let mut pictures = read.pictures;
            pictures.resolve(None);
            usable(Snapshot { number: 0, title, origin, language: None, text: read.text }, warnings, pictures)
        }
        Err(error) => unread(&row.name, &error),
    })
}

/// A machine that was too busy to read a file in time may be less so later.
fn unread(name: &str, error: &FileError) -> Reading {
    Reading::Nothing { warning: format!("{name}: {error}"), transient: error.is_transient() }
}

fn usable(mut snapshot: Snapshot, warnings: Vec<String>, pictures: Pictures) -> Reading {
    let words = galley_text::word::count(&snapshot.text);
    if words < LEAST_WORDS {
        let warning = format!("{} has only {words} words of text; it was not used", snapshot.origin.label());
        return Reading::Nothing { warning, transient: false };
    }
    // What the text says of its own language beats what its markup claims.
    if let Some(detected) = galley_text::language::detect(&snapshot.text) {
        snapshot.language = Some(detected.to_owned());
    }
    if snapshot.title.trim().is_empty() {
        snapshot.title = snapshot.origin.label().to_owned();
    }
    Reading::Text { snapshot, warnings, pictures }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_reading_that_the_machine_had_no_time_for_is_tried_again() {
        let again = |error| matches!(unread("a.pdf", &error), Reading::Nothing { transient: true, .. });
        assert!(again(FileError::TimedOut { seconds: 15 }));
        assert!(again(FileError::ReaderFailed { detail: "no program".to_owned() }));
        assert!(!again(FileError::Encrypted) && !again(FileError::TooMuchMemory { limit: "512 MiB".to_owned() }));
    }
}
