//! Texts of files that were read lately. What was uploaded is mostly ordered from at once, and often several times, and
//! reading it again takes a process and as long as the first time.

use std::sync::{Arc, Mutex, PoisonError};

use galley_files::{Extracted, Picture, PictureContent};
use hashlink::LruCache;

/// Bytes that all texts may take.
const MOST: usize = 32 << 20;
/// One that is longer is read again.
const LONGEST: usize = MOST / 8;
/// What an entry takes beside its texts.
const FRAME: usize = 256;

/// Cheap to clone; clones share the texts.
#[derive(Debug, Clone)]
pub(crate) struct ReadTexts(Arc<Mutex<Texts>>);

/// By where the content is stored, which says the organization and the content, and by name, which decides how it is read.
#[derive(Debug)]
struct Texts {
    by_file: LruCache<(String, String), Arc<Extracted>>,
    bytes: usize,
}

impl Default for ReadTexts {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Texts { by_file: LruCache::new_unbounded(), bytes: 0 })))
    }
}

impl ReadTexts {
    pub fn get(&self, blob: &str, name: &str) -> Option<Extracted> {
        let mut texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = texts.by_file.get(&(blob.to_owned(), name.to_owned())).map(Arc::clone);
        drop(texts);
        found.map(|text| Extracted::clone(&text))
    }

    pub fn keep(&self, blob: &str, name: &str, text: &Extracted) {
        let key = (blob.to_owned(), name.to_owned());
        let bytes = size(&key, text);
        if bytes > LONGEST {
            return;
        }
        let text = Arc::new(text.clone());
        let mut texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = texts.by_file.remove(&key) {
            texts.bytes -= size(&key, &before);
        }
        texts.by_file.insert(key, text);
        texts.bytes += bytes;
        while texts.bytes > MOST
            && let Some((key, oldest)) = texts.by_file.remove_lru()
        {
            texts.bytes -= size(&key, &oldest);
        }
    }
}

fn size((blob, name): &(String, String), text: &Extracted) -> usize {
    let warnings: usize = text.warnings.iter().map(String::len).sum();
    let title = text.title.as_ref().map_or(0, String::len);
    let picture = |picture: &Picture| {
        let content = match &picture.content {
            PictureContent::Address(address) => address.len(),
            PictureContent::Bytes(bytes) => bytes.len(),
        };
        content + picture.alt.len() + picture.caption.len() + FRAME
    };
    let pictures: usize = text.pictures.list.iter().map(picture).sum();
    blob.len() + name.len() + text.text.len() + title + warnings + pictures + FRAME
}

#[cfg(test)]
mod tests {
    use galley_files::FileKind;

    use super::*;

    fn text(bytes: usize) -> Extracted {
        let text = "a".repeat(bytes);
        Extracted {
            kind: FileKind::Text,
            title: None,
            text,
            warnings: Vec::new(),
            truncated: false,
            pictures: Default::default(),
        }
    }

    #[test]
    fn the_oldest_go_when_there_is_no_more_room() {
        let texts = ReadTexts::default();
        let name = |at: usize| format!("org/{at}");
        let bytes = LONGEST - 1_000;
        for at in 0..20 {
            texts.keep(&name(at), "a.md", &text(bytes));
            // Somebody asks for the first one again and again.
            assert_eq!(texts.get(&name(0), "a.md").map(|text| text.text.len()), Some(bytes), "after {at}");
        }
        assert!(texts.get(&name(1), "a.md").is_none() && texts.get(&name(19), "a.md").is_some());
        assert!(texts.get(&name(19), "a.csv").is_none(), "the name decides how it is read");
        let kept = |texts: &ReadTexts| texts.0.lock().unwrap_or_else(PoisonError::into_inner).bytes;
        assert!(kept(&texts) <= MOST && kept(&texts) > MOST - LONGEST);
        let before = kept(&texts);
        texts.keep(&name(19), "a.md", &text(bytes));
        assert_eq!(kept(&texts), before, "once");
        texts.keep("org/long", "a.md", &text(LONGEST));
        assert!(texts.get("org/long", "a.md").is_none());
    }
}
