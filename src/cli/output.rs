//! What commands print. Unlike the standard library's `println!`, nothing here panics when the reader has gone
//! (`galley doctor | head -1`): the rest has no reader, and the command goes on to its end in order.

use std::{
    fmt::Arguments,
    io::{self, ErrorKind, Write},
    sync::Mutex,
};

use galley_services::ServiceError;

/// Why something did not reach standard output, except that nobody reads it any more.
static FAILED: Mutex<Option<io::Error>> = Mutex::new(None);

/// Takes the place of the standard library's macro in all commands.
macro_rules! print {
    ($($text:tt)*) => { $crate::cli::output::write(format_args!($($text)*)) };
}

/// Takes the place of the standard library's macro in all commands.
macro_rules! println {
    ($($text:tt)*) => { print!("{}\n", format_args!($($text)*)) };
}

pub fn write(text: Arguments<'_>) {
    remember(io::stdout().lock().write_fmt(text));
}

/// Whether all that was printed has arrived, as far as somebody reads it.
pub fn finish() -> io::Result<()> {
    remember(io::stdout().lock().flush());
    let failed = FAILED.lock().ok().and_then(|mut failed| failed.take());
    failed.map_or(Ok(()), Err)
}

fn remember(written: io::Result<()>) {
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
        && let Ok(mut failed) = FAILED.lock()
    {
        failed.get_or_insert(error);
    }
}

/// A refusal with what is wrong, one line for each field.
pub fn explain(error: ServiceError) -> anyhow::Error {
    match error {
        ServiceError::Validation(wrong) => {
            let lines: Vec<String> = wrong.iter().map(|wrong| format!("{}: {}", wrong.field, wrong.message)).collect();
            anyhow::anyhow!("{}", lines.join("\n        "))
        }
        other => other.into(),
    }
}

/// Columns under their names, as wide as their widest cell; the last one has no width.
pub fn table<const N: usize>(names: [&str; N], rows: &[[String; N]]) -> String {
    let cells = || std::iter::once(names.map(str::to_owned)).chain(rows.iter().cloned());
    let widths: Vec<usize> =
        (0..N).map(|column| cells().map(|row| row[column].chars().count()).max().unwrap_or(0)).collect();
    let line = |row: [String; N]| {
        let padded = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    cells().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other() {
        let rows = [["7".to_owned(), "größer".to_owned()], ["1000".to_owned(), "x".to_owned()]];
        assert_eq!(table(["ID", "NAME"], &rows), "ID    NAME\n7     größer\n1000  x\n");
        assert_eq!(table(["ID"], &[]), "ID\n");
    }
}
