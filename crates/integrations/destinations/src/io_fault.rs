//! What the file system says, as typed faults.

use std::io::{Error, ErrorKind};

use galley_domain::{Fault, FaultCode};

/// Turns an error of the file system into a fault. `doing` and `path` (relative to the folder of the destination)
/// say what was tried: "cannot write better-coffee/index.md: …".
pub(crate) fn fault(doing: &str, path: &str, error: &Error) -> Fault {
    let (lasting, why) = match error.kind() {
        ErrorKind::StorageFull => (false, "the disk is full; free some space"),
        ErrorKind::QuotaExceeded => (false, "the disk quota is used up; free some space or raise it"),
        // Of these two somebody may think better within the attempts of the step: a deployment that exchanges the folder, a
        // mount that is repaired.
        ErrorKind::PermissionDenied => (false, "permission denied; let the user that runs Galley write there"),
        ErrorKind::ReadOnlyFilesystem => {
            (false, "the file system is read-only; choose another folder or mount it writable")
        }
        ErrorKind::NotADirectory => (true, "something on the way is a file and not a folder; move it away"),
        ErrorKind::IsADirectory => (true, "what stands there is a folder and not a file; move it away"),
        ErrorKind::InvalidFilename | ErrorKind::InvalidInput => (true, "the file system does not take this name"),
        ErrorKind::FileTooLarge => (true, "the file is larger than the file system takes"),
        ErrorKind::Unsupported => (true, "the file system cannot do that; choose another folder"),
        _ => (false, "the file system failed"),
    };
    let message = format!("cannot {doing} {path}: {why}");
    let fault = if lasting {
        Fault::permanent(FaultCode::WorkflowError, message)
    } else {
        Fault::transient(FaultCode::WorkflowError, message)
    };
    fault.with_detail(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transient_and_permanent_are_told_apart() {
        for (kind, transient, says) in [
            (ErrorKind::StorageFull, true, "disk is full"),
            (ErrorKind::QuotaExceeded, true, "quota"),
            (ErrorKind::Interrupted, true, "failed"),
            (ErrorKind::NotFound, true, "failed"),
            (ErrorKind::PermissionDenied, true, "permission denied"),
            (ErrorKind::ReadOnlyFilesystem, true, "read-only"),
            (ErrorKind::NotADirectory, false, "is a file"),
            (ErrorKind::IsADirectory, false, "is a folder"),
            (ErrorKind::InvalidFilename, false, "name"),
            (ErrorKind::FileTooLarge, false, "larger"),
            (ErrorKind::Unsupported, false, "cannot do that"),
        ] {
            let fault = fault("write", "a/index.md", &kind.into());
            assert_eq!(fault.is_transient(), transient, "{kind}");
            assert!(fault.to_string().starts_with("cannot write a/index.md: "));
            assert!(fault.to_string().contains(says), "{fault}");
        }
    }
}
