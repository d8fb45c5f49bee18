//! Bots' logs: archived by keepers, read by everybody else.
//!
//! A bot's output *is* its log file, so nothing here stands between a bot and its disk: a reader or an archivist that
//! is slow, or killed at any moment, costs the bot nothing and loses no line.

pub mod archive;
pub mod file;
pub mod grep;
pub mod harmless;
pub mod lane;
pub mod line;
pub mod pager;
pub mod probe;
pub mod read;
pub mod save;
pub mod seek;
pub mod source;
pub mod well;

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use rustix::fs::SeekFrom;
use rustix::io::Errno;

use crate::core::archive::{Live, Name, Pieces};
use crate::paths::words;

/// The error as a sentence that names the file.
fn named(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {}", path.display(), words(&error)))
}

/// What lies in a log folder; nothing if there is no folder. The sizes of live logs are looked up only if asked for.
fn list(folder: &Path, sizes: bool) -> io::Result<Pieces> {
    let mut pieces = Pieces::default();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(pieces),
        Err(error) => return Err(named(folder, error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| named(folder, error))?;
        match entry.file_name().to_str().and_then(Name::parse) {
            Some(Name::Live(run)) => {
                let size = match sizes.then(|| entry.metadata()).transpose() {
                    Ok(metadata) => metadata.map_or(0, |metadata| metadata.len()),
                    // Removed since it was listed.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(named(&entry.path(), error)),
                };
                pieces.lives.push(Live { run, size });
            }
            Some(Name::Archive(archive)) => pieces.archives.push(archive),
            Some(Name::Unfinished(run)) => pieces.unfinished.push(run),
            None => {}
        }
    }
    pieces.archives.sort();
    pieces.lives.sort();
    Ok(pieces)
}

/// Where a live log begins that has a hole at its head and no archive to say how far that goes (somebody removed them
/// by hand): at the first byte that is no zero, looked for where the hole ends.
fn first_kept(file: &File) -> io::Result<u64> {
    let metadata = file.metadata()?;
    let data = match rustix::fs::seek(file, SeekFrom::Data(0)) {
        Ok(0) | Err(Errno::INVAL | Errno::OPNOTSUPP) => return Ok(0),
        Ok(data) => data,
        // A hole all the way.
        Err(Errno::NXIO) => return Ok(metadata.len()),
        Err(error) => return Err(error.into()),
    };
    // A hole that ends inside a block leaves zeros up to there.
    let mut block = vec![0; metadata.blksize().clamp(512, 64 << 10) as usize];
    let read = file.read_at(&mut block, data)?;
    let zeros = block.iter().take(read).take_while(|byte| **byte == 0).count();
    Ok(data + zeros as u64)
}
