//! Reads an event file from where it was left: whole lines only, however long the file is, and none that is too long to
//! be one.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// No event is longer: what is, is passed over.
pub(super) const LONGEST: usize = 4 << 20;
/// So much is read at a time.
const BLOCK: usize = 256 << 10;
/// So much of the beginning, and of what stands before a point, is known again.
const HEAD: u64 = 256;
const TAIL: u64 = 1024;

/// How far a file was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Point {
    /// So many bytes.
    pub(super) size: u64,
    /// Whether they end within a line that is passed over.
    pub(super) skipping: bool,
    /// Lines that were passed over so far.
    pub(super) odd: u64,
}

/// A number for what stands before a point: another one, and the file is not the one that was read.
pub(super) fn mark(file: &File, size: u64) -> io::Result<i64> {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for (start, end) in [(0, size.min(HEAD)), (size.saturating_sub(TAIL), size)] {
        let mut bytes = vec![0; (end - start) as usize];
        file.read_exact_at(&mut bytes, start)?;
        for byte in bytes {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    Ok(hash as i64)
}

/// Hands every whole line after this point over, with where it begins, until so many bytes were read or the file ends.
/// `take` says whether a line is an event. What has no line end yet is left until it has.
pub(super) fn lines<E: From<io::Error>>(
    file: &File,
    from: Point,
    most: u64,
    mut take: impl FnMut(u64, &[u8]) -> Result<bool, E>,
) -> Result<Point, E> {
    let mut point = from;
    // What was read and not handed over begins at `point.size`.
    let mut held: Vec<u8> = Vec::new();
    let mut block = vec![0; BLOCK];
    loop {
        let count = match file.read_at(&mut block, point.size + held.len() as u64) {
            Ok(0) => return Ok(point),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        let looked = held.len();
        held.extend_from_slice(&block[..count]);
        let mut begun = 0;
        let mut search = looked;
        while let Some(end) = memchr::memchr(b'\n', &held[search..]).map(|at| search + at) {
            let line = &held[begun..end];
            let start = point.size + begun as u64;
            let is_event = !point.skipping && line.len() <= LONGEST && take(start, line)?;
            // A tear that was closed leaves an empty line or half of one; an empty one is nothing.
            if !is_event && (point.skipping || !line.is_empty()) {
                point.odd += 1;
            }
            point.skipping = false;
            begun = end + 1;
            search = begun;
        }
        point.size += begun as u64;
        held.drain(..begun);
        if point.skipping || held.len() > LONGEST {
            point.skipping = true;
            point.size += held.len() as u64;
            held.clear();
        }
        if point.size - from.size >= most {
            return Ok(point);
        }
    }
}
