//! Server-sent events out of bytes.
//!
//! The crate `eventsource-stream` wants UTF-8. Servers that send each token as it comes do not always give it: the halves
//! of a character can stand in the strings of two events. So events are cut out of the bytes, and [`super::halves`] joins
//! the text.

/// One event as the server wrote it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Event {
    /// The name behind `event:`; empty for most.
    pub name: String,
    /// The lines behind `data:`.
    pub data: Vec<u8>,
}

/// Cuts events out of bytes that come in any pieces.
#[derive(Debug, Default)]
pub(crate) struct Events {
    line: Vec<u8>,
    event: Event,
    has_data: bool,
    /// The last byte was a carriage return: a line feed behind it ends no second line.
    after_return: bool,
    /// Bytes before the first line end, where a byte order mark may stand.
    begun: bool,
    /// Lines that are no part of an event, such as a bare JSON object where a stream should be.
    pub stray: Vec<u8>,
}

/// How much of what is no event is kept.
const MOST_STRAY: usize = 256 << 10;

impl Events {
    /// Takes bytes in and gives the events that they complete.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut out = Vec::new();
        for &byte in bytes {
            let second = std::mem::take(&mut self.after_return) && byte == b'\n';
            match byte {
                b'\n' if second => {}
                b'\n' | b'\r' => {
                    self.after_return = byte == b'\r';
                    out.extend(self.end_line());
                }
                _ => self.line.push(byte),
            }
        }
        out
    }

    /// What stands there when no more bytes come: some servers leave the last blank line out.
    pub(crate) fn end(&mut self) -> Option<Event> {
        self.end_line().or_else(|| self.dispatch())
    }

    fn end_line(&mut self) -> Option<Event> {
        let mut line = std::mem::take(&mut self.line);
        if !std::mem::replace(&mut self.begun, true) && line.starts_with("\u{feff}".as_bytes()) {
            line.drain(..3);
        }
        if line.is_empty() {
            return self.dispatch();
        }
        let (field, value) = match line.iter().position(|b| *b == b':') {
            Some(at) => (&line[..at], line[at + 1..].strip_prefix(b" ").unwrap_or(&line[at + 1..])),
            None => (&line[..], &b""[..]),
        };
        match field {
            b"data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.event.data.push(b'\n');
                }
                self.event.data.extend_from_slice(value);
            }
            b"event" => self.event.name = String::from_utf8_lossy(value).trim().to_lowercase(),
            // a comment
            b"" | b"id" | b"retry" => {}
            _ if self.stray.len() < MOST_STRAY => {
                self.stray.extend_from_slice(&line);
                self.stray.push(b'\n');
            }
            _ => {}
        }
        None
    }

    fn dispatch(&mut self) -> Option<Event> {
        let event = std::mem::take(&mut self.event);
        std::mem::take(&mut self.has_data).then_some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &[u8], size: usize) -> Vec<(String, Vec<u8>)> {
        let mut events = Events::default();
        let mut out: Vec<Event> = text.chunks(size).flat_map(|part| events.push(part)).collect();
        out.extend(events.end());
        out.into_iter().map(|event| (event.name, event.data)).collect()
    }

    #[test]
    fn the_pieces_and_line_ends_change_nothing() {
        for text in [
            &b"data: a\ndata: b\n\n: wait\n\nevent: Error\ndata:{}\n\ndata: [DONE]"[..],
            b"\xef\xbb\xbfdata: a\r\ndata: b\r\n\r\n: wait\r\n\r\nevent: error\r\ndata: {}\r\n\r\ndata: [DONE]\r\n\r\n",
            b"data: a\rdata: b\r\rid: 3\revent: error\rdata: {}\r\rretry: 5\rdata: [DONE]\r\r",
        ] {
            let pair = |name: &str, data: &str| (name.to_owned(), data.as_bytes().to_vec());
            for size in [1, 2, 3, 7, 500] {
                assert_eq!(all(text, size), [pair("", "a\nb"), pair("error", "{}"), pair("", "[DONE]")], "{size}");
            }
        }
    }

    #[test]
    fn what_is_no_event_is_kept_aside() {
        let mut events = Events::default();
        assert!(events.push(b"{\"error\": \"no\"}\n\n").is_empty() && events.end().is_none());
        assert_eq!(events.stray, b"{\"error\": \"no\"}\n");
    }
}
