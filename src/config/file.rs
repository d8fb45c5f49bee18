//! Bytes off the disk, within limits: a configuration is a small text file, and anything else is told before it is read.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::paths::words;

/// No configuration and no file of variables is larger.
const LIMIT: u64 = 1 << 20;

/// Opens a regular file; never waits, whatever it turns out to be.
pub(super) fn open(path: &Path) -> Result<(File, std::fs::Metadata), String> {
    let file = File::options()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path)
        .map_err(|error| format!("cannot be read: {}", words(&error)))?;
    let about = file.metadata().map_err(|error| format!("cannot be read: {}", words(&error)))?;
    if about.is_dir() {
        return Err("is a folder, not a file".to_owned());
    }
    if !about.is_file() {
        return Err("is not a regular file".to_owned());
    }
    if about.len() > LIMIT {
        return Err(too_large());
    }
    Ok((file, about))
}

/// Everything in an open file.
pub(super) fn bytes(file: File) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    // It may have grown since its size was asked.
    file.take(LIMIT + 1).read_to_end(&mut bytes).map_err(|error| format!("cannot be read: {}", words(&error)))?;
    if bytes.len() as u64 > LIMIT {
        return Err(too_large());
    }
    Ok(bytes)
}

fn too_large() -> String {
    "is larger than 1 MiB, which no file of this kind is; it was not read".to_owned()
}

/// Whether people other than the owner and the group can read a file (or, worse, write it).
pub(super) fn open_to_others(about: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    about.permissions().mode() & 0o007 != 0
}

/// The text without a byte order mark, which some editors put before it.
pub(super) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}
