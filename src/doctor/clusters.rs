//! Whether the chunks of every cluster could be put back: SQLite writes its file, and makes others in the same folder.

use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, accessat};

use crate::core::readiness::Check;
use crate::paths::words;

use super::subject::Subject;

/// Whether each database may be written by us, and its folder too.
pub(super) fn writable(subject: &Subject) -> Vec<Check> {
    let name = "clusters";
    let troubles: Vec<String> = subject
        .clusters
        .iter()
        .filter_map(|cluster| Some(format!("{}: {}", cluster.name, trouble(&cluster.database)?)))
        .collect();
    vec![match (troubles.is_empty(), subject.clusters.len()) {
        (false, _) => Check::bad(name, format!("chunks cannot be put back: {}", troubles.join("; "))),
        (true, 0) => Check::good(name, "none is configured"),
        (true, 1) => Check::good(name, "the one there is can be written"),
        (true, many) => Check::good(name, format!("all {many} can be written")),
    }]
}

fn trouble(database: &Path) -> Option<String> {
    let folder = database.parent().unwrap_or(Path::new("/"));
    let wanted = [(database, Access::WRITE_OK | Access::READ_OK), (folder, Access::WRITE_OK | Access::EXEC_OK)];
    wanted.iter().find_map(|(path, access)| {
        // Asked as whom we would write, not as whoever has called us (faccessat(2)).
        let errno = accessat(CWD, *path, *access, AtFlags::EACCESS).err()?;
        Some(format!("{}: {}", path.display(), words(&errno.into())))
    })
}
