//! Whether the chunks of every cluster could be put back: whoever would do it looks at its table, and at what SQLite would
//! write, and changes nothing.

use std::time::Duration;

use crate::clock;
use crate::cluster::sight::user;
use crate::cluster::{Answer, Errand, Failure, Obstacle, Question};
use crate::core::readiness::Check;
use crate::readers::Readers;

use super::subject::Subject;

/// No database is waited for longer.
const WITHIN: Duration = Duration::from_secs(1);
/// Whoever took this long may have had no time to answer, and is not broken for that.
const SLOW: Duration = Duration::from_millis(700);

/// What is the matter with one.
enum Trouble {
    Bad(String),
    /// It may be asked for its chunks, and nobody knows with what result.
    Unsure(String),
}

/// Whether each database has the table that is configured, and could be written by the user that its bots run as.
pub(super) fn writable(subject: &Subject) -> Vec<Check> {
    let name = "clusters";
    let readers = Readers::new();
    let asked: Vec<_> = subject
        .clusters
        .iter()
        .map(|cluster| {
            let user = user(cluster, &subject.specs);
            let question = Question { cluster: cluster.clone(), user, errand: Errand::Check, within: WITHIN };
            (cluster, readers.ask(question))
        })
        .collect();
    let asked_at = clock::now();
    let (mut bad, mut unsure) = (Vec::new(), Vec::new());
    for (cluster, pending) in asked {
        let answer = pending.wait(asked_at.plus(WITHIN));
        match trouble(answer, clock::now().since(asked_at)) {
            None => {}
            Some(Trouble::Bad(why)) => bad.push(format!("{}: {why}", cluster.name)),
            Some(Trouble::Unsure(why)) => unsure.push(format!("{}: {why}", cluster.name)),
        }
    }
    let mut all = bad;
    let is_bad = !all.is_empty();
    all.append(&mut unsure);
    vec![match (all.is_empty(), subject.clusters.len()) {
        (false, _) if is_bad => Check::bad(name, format!("chunks cannot be put back: {}", all.join("; "))),
        (false, _) => Check::warning(name, format!("whether chunks can be put back is unknown: {}", all.join("; "))),
        (true, 0) => Check::good(name, "none is configured"),
        (true, 1) => Check::good(name, "the one there is can be written"),
        (true, many) => Check::good(name, format!("all {many} can be written")),
    }]
}

/// What an answer that took so long tells.
fn trouble(answer: Answer, took: Duration) -> Option<Trouble> {
    let Failure { obstacle, why } = match answer {
        Answer::Ready | Answer::Read(_) | Answer::Unchanged | Answer::PutBack { .. } => return None,
        Answer::Failed(failure) => failure,
    };
    Some(match obstacle {
        // For the moment: whoever makes its tables has not begun, or whoever has it locked may be done by then.
        Obstacle::Missing | Obstacle::Locked => Trouble::Unsure(why),
        Obstacle::Silent | Obstacle::Other if took >= SLOW => Trouble::Unsure(why),
        Obstacle::Silent | Obstacle::Other => Trouble::Bad(why),
    })
}
