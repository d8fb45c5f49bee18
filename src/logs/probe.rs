//! Whether a folder's file system can free a part of a file.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::FallocateFlags;
use rustix::io::Errno;

use super::named;

/// Tries to punch a hole in a small file of its own in this folder. Without holes nothing can be archived: the
/// archives would be copies, and the live log would grow all the same.
///
/// # Errors
/// If the trial itself cannot be made, with a sentence that names the file.
pub fn punches_holes(folder: &Path) -> io::Result<bool> {
    let path = folder.join(format!(".holes.{}", rustix::process::getpid().as_raw_nonzero()));
    let trial = || -> io::Result<bool> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        // It is ours alone, and must not stay if we are killed here.
        std::fs::remove_file(&path)?;
        let block = [b'x'; 4096];
        file.write_all_at(&block, 0)?;
        file.write_all_at(&block, 4096)?;
        match rustix::fs::fallocate(&file, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, 0, 4096) {
            Ok(()) => {}
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        // Believe what is there, not what was answered.
        let mut after = [0; 8192];
        file.read_exact_at(&mut after, 0)?;
        Ok(after[..4096].iter().all(|byte| *byte == 0) && after[4096..] == block)
    };
    trial().map_err(|error| named(&path, error))
}
