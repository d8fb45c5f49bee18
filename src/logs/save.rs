//! Writes everything that a view shows into a file of its own.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::lane::Raw;
use super::pager::{Page, Pager};
use super::well::{Place, Well};
use super::{lane, named};

/// So many lines are written at one time.
const LINES: usize = 4000;

/// Writes every line of these wells that is shown into this file, which must not be there yet; each behind its name
/// where there are names. How many there are.
///
/// # Errors
/// In a sentence that names what cannot be read or written; what was begun is removed then.
pub fn save(
    wells: Vec<Well>,
    names: &[String],
    least: Option<crate::core::level::Level>,
    path: &Path,
) -> Result<(PathBuf, u64), String> {
    let options = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let file = options.map_err(|error| {
        if error.kind() == io::ErrorKind::AlreadyExists {
            return format!("{} is there already; S with another name", path.display());
        }
        named(path, error).to_string()
    })?;
    let mut out = BufWriter::with_capacity(1 << 20, file);
    let mut pager = Pager::new(wells, least, LINES);
    let written = write(&mut pager, names, &mut out, path).and_then(|lines| {
        out.flush().and_then(|()| out.get_ref().sync_all()).map_err(|error| named(path, error)).map(|()| lines)
    });
    match written {
        Ok(lines) => Ok((path.to_owned(), lines)),
        Err(error) => Err(match std::fs::remove_file(path) {
            Ok(()) => format!("{error}; nothing is left of it"),
            Err(_) => format!("{error}; {} holds a part of it", path.display()),
        }),
    }
}

fn write(pager: &mut Pager, names: &[String], out: &mut impl Write, path: &Path) -> io::Result<u64> {
    let ends: Vec<Place> = pager.lanes.iter().map(|lane| lane.well.end()).collect::<io::Result<_>>()?;
    let mut count = 0;
    let mut headings = vec![None; ends.len()];
    pager.first(LINES);
    loop {
        let lines = loop {
            match pager.step() {
                Some(Page::Anew { lines, .. } | Page::Back(lines, _)) => break lines,
                Some(Page::Front(..)) | None => {}
            }
        };
        let is_later = |line: &Raw| ends.get(line.lane).is_some_and(|end| line.start >= *end);
        if lines.iter().all(is_later) {
            break;
        }
        for line in &lines {
            if is_later(line) {
                continue;
            }
            if line.ours {
                say(line, names, &mut headings, out).map_err(|error| named(path, error))?;
                continue;
            }
            if let Some(name) = names.get(line.lane) {
                write!(out, "{name} | ").map_err(|error| named(path, error))?;
            }
            write_line(pager, line, out, path)?;
            count += 1;
        }
        pager.newer_lines(LINES);
    }
    if let Some(trouble) = pager.lanes.iter().find_map(|lane| lane.well.failure()) {
        return Err(io::Error::other(trouble.to_owned()));
    }
    Ok(count)
}

/// Writes what we say where something was removed, behind which run that was. Where nothing is missing the file has the
/// bot's own words alone.
fn say(line: &Raw, names: &[String], headings: &mut [Option<Raw>], out: &mut impl Write) -> io::Result<()> {
    let Some(heading) = headings.get_mut(line.lane) else { return Ok(()) };
    if line.start.at == 0 {
        *heading = Some(line.clone());
        return Ok(());
    }
    let heading = heading.take().filter(|heading| heading.start.run == line.start.run);
    for said in heading.iter().chain([line]) {
        if let Some(name) = names.get(line.lane) {
            write!(out, "{name} | ")?;
        }
        out.write_all(&said.bytes)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn write_line(pager: &mut Pager, line: &Raw, out: &mut impl Write, path: &Path) -> io::Result<()> {
    let write = |out: &mut dyn Write, bytes: &[u8]| out.write_all(bytes).map_err(|error| named(path, error));
    if line.size <= lane::LONGEST as u64 {
        write(out, &line.bytes)?;
        return write(out, b"\n");
    }
    let Some(lane) = pager.lanes.get_mut(line.lane) else { return Ok(()) };
    let mut block = vec![0; 256 << 10];
    let (mut at, end) = (line.start.offset(), line.end.offset());
    let mut last = 0;
    while at < end {
        let length = (end - at).min(block.len() as u64) as usize;
        let block = block.get_mut(..length).unwrap_or_default();
        lane.well.fill(line.start.run, at, block)?;
        write(out, block)?;
        last = block.last().copied().unwrap_or(last);
        at += length as u64;
    }
    if last == b'\n' { Ok(()) } else { write(out, b"\n") }
}
