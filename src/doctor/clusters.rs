//! Whether the chunks of every cluster could be put back: SQLite writes its file, and makes others in the same folder; and
//! the table has to be what the configuration says.

use std::path::Path;
use std::time::Duration;

use rustix::fs::{Access, AtFlags, CWD, accessat};

use crate::clock;
use crate::cluster::sight::user;
use crate::cluster::{Answer, Errand, Failure, Obstacle, Question};
use crate::core::readiness::Check;
use crate::paths::words;
use crate::readers::Readers;

use super::subject::Subject;

/// No database is waited for longer.
const WITHIN: Duration = Duration::from_secs(1);
/// Whoever took this long has a table that takes its time, and is not broken for that.
const SLOW: Duration = Duration::from_millis(700);

/// What is the matter with one.
enum Trouble {
    Bad(String),
    /// It may be asked for its chunks, and nobody knows with what result.
    Unsure(String),
}

/// Whether each database may be written by us, and its folder too, and has the table that is configured.
pub(super) fn writable(subject: &Subject) -> Vec<Check> {
    let name = "clusters";
    let readers = Readers::new();
    let asked: Vec<_> = subject
        .clusters
        .iter()
        .map(|cluster| {
            let trouble = trouble(&cluster.database);
            let user = user(cluster, &subject.specs);
            let errand = Errand::Look { known: None };
            let question = Question { cluster: cluster.clone(), user, errand, within: WITHIN };
            (cluster, trouble.ok_or_else(|| readers.ask(question)))
        })
        .collect();
    let asked_at = clock::now();
    let (mut bad, mut unsure) = (Vec::new(), Vec::new());
    for (cluster, asked) in asked {
        let trouble = match asked {
            Ok(trouble) => Some(Trouble::Bad(trouble)),
            Err(pending) => match pending.wait(asked_at.plus(WITHIN)) {
                Answer::Read(_) | Answer::Unchanged | Answer::PutBack { .. } => None,
                // Whoever makes it has not begun: there is nothing to put back.
                Answer::Failed(Failure { obstacle: Obstacle::Missing, why }) => Some(Trouble::Unsure(why)),
                // For the moment: whoever has it locked may be done by then, and a big table takes its time.
                Answer::Failed(Failure { obstacle: Obstacle::Locked, why }) => Some(Trouble::Unsure(why)),
                Answer::Failed(failure) if clock::now().since(asked_at) >= SLOW => Some(Trouble::Unsure(failure.why)),
                Answer::Failed(failure) => Some(Trouble::Bad(failure.why)),
            },
        };
        match trouble {
            None => {}
            Some(Trouble::Bad(why)) => bad.push(format!("{}: {why}", cluster.name)),
            Some(Trouble::Unsure(why)) => unsure.push(format!("{}: {why}", cluster.name)),
        }
    }
    let mut checks = vec![match (bad.is_empty(), subject.clusters.len()) {
        (false, _) => Check::bad(name, format!("chunks cannot be put back: {}", bad.join("; "))),
        (true, 0) => Check::good(name, "none is configured"),
        (true, 1) => Check::good(name, "the one there is can be written"),
        (true, many) => Check::good(name, format!("all {many} can be written")),
    }];
    if !unsure.is_empty() {
        checks.push(Check::warning(name, format!("could not be counted: {}", unsure.join("; "))));
    }
    checks
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
