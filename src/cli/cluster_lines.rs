//! Clusters in lines: how they stand, and what was done to them.

use jiff::Timestamp;

use crate::cluster::sight::Sight;
use crate::core::cluster::ClusterSpec;
use crate::core::cluster_status::{ChunkStatus, ClusterState, ClusterStatus, Hold};
use crate::core::crew::{Life, Member};
use crate::core::report::Report;
use crate::core::words::span;

use super::cell::{cell, one_line};
use super::output::Output;

/// So many chunks are shown of each worker, and so many failed ones.
const CHUNKS: usize = 3;
/// So many workers are shown.
const WORKERS: usize = 20;
/// A reading without an index that takes this many milliseconds is worth an index.
const WORTH_AN_INDEX: u64 = 100;

/// What was seen of a cluster, and what may be said of it.
pub(super) struct Seen {
    /// What was seen.
    pub(super) sight: Sight,
    /// What may be said.
    pub(super) status: ClusterStatus,
}

/// Shows them, each with all there is to say.
pub(super) fn show(seen: &[Seen], now: Timestamp, output: Output) {
    let width = seen.iter().map(|seen| seen.status.name.as_str().len()).max().unwrap_or_default();
    for (place, seen) in seen.iter().enumerate() {
        if place > 0 {
            output.line("");
        }
        show_head(&seen.status, width, output);
        for line in details(seen, now) {
            output.line(&line);
        }
    }
}

/// Shows one line of each.
pub(super) fn show_heads(all: &[ClusterStatus], output: Output) {
    let width = all.iter().map(|status| status.name.as_str().len()).max().unwrap_or_default();
    for status in all {
        show_head(status, width, output);
    }
}

fn show_head(status: &ClusterStatus, width: usize, output: Output) {
    let line = head(status, width);
    let is_alarming = matches!(status.state, ClusterState::Stale | ClusterState::Unknown);
    output.line(&if is_alarming { output.red(&line) } else { line });
}

/// Shows what became of clusters: results on standard output, what went wrong on standard error.
pub(super) fn show_reports(report: &Report, output: Output) {
    let width = report.clusters.iter().map(|cluster| cluster.name.as_str().len()).max().unwrap_or_default();
    for cluster in &report.clusters {
        let line = format!("{:width$}  {}", cluster.name, cluster.told(&report.action));
        let is_alarming = cluster.unasked || !cluster.errors.is_empty();
        output.line(&if is_alarming { output.red(&line) } else { line });
        for note in &cluster.notes {
            output.line(&one_line(&format!("  {}: {note}", cluster.name)));
        }
        for error in &cluster.errors {
            output.complain(&one_line(&format!("{}: {error}", cluster.name)));
        }
    }
}

/// `sweep  STALE       12 of 40 completed (30.0 %), 3 running (3 stale), 24 pending; 3 stale: sweep-worker@1 does not live`.
fn head(status: &ClusterStatus, width: usize) -> String {
    let state = status.state.word().to_uppercase();
    // What the note says in more words is not said twice.
    let notes: Vec<&str> = status.note.split("; ").filter(|note| !note.is_empty()).collect();
    let is_told =
        |part: &str| notes.iter().any(|note| note.strip_prefix(part).is_some_and(|rest| !rest.starts_with(' ')));
    let counts: Vec<String> = counts(status).into_iter().filter(|part| !is_told(part)).collect();
    let both = [counts.join(", "), one_line(&status.note)];
    let both: Vec<String> = both.into_iter().filter(|text| !text.is_empty()).collect();
    format!("{:width$}  {state:<10}  {}", status.name, both.join("; "))
}

fn counts(status: &ClusterStatus) -> Vec<String> {
    let (Some(total), Some(completed)) = (status.total, status.completed) else {
        return vec!["chunks unknown".to_owned()];
    };
    let mut parts = vec![match percent(completed, total) {
        Some(percent) => format!("{completed} of {total} completed ({percent})"),
        None => "no chunks".to_owned(),
    }];
    let running = status.running.filter(|count| *count > 0).map(|count| match status.stale {
        Some(0) | None => format!("{count} running"),
        Some(stale) => format!("{count} running ({stale} stale)"),
    });
    let more = |count: Option<u64>, what: &str| count.filter(|count| *count > 0).map(|count| format!("{count} {what}"));
    parts.extend(running);
    parts.extend(more(status.pending, "pending"));
    parts.extend(more(status.failed, "failed"));
    // Those in a state that is not configured stand in the note.
    parts
}

/// Never 100 before it is all: what is cut off is left away.
fn percent(part: u64, whole: u64) -> Option<String> {
    let tenths = u128::from(part.min(whole)) * 1000 / u128::from((whole > 0).then_some(whole)?);
    Some(format!("{}.{} %", tenths / 10, tenths % 10))
}

fn details(seen: &Seen, now: Timestamp) -> Vec<String> {
    let Seen { sight, status } = seen;
    let mut lines = vec![format!("  crew          {}", crew(sight, status))];
    if let (Some(total), Some(tested)) = (status.combinations.total, status.combinations.tested) {
        let share = percent(tested, total).map(|percent| format!(" ({percent})")).unwrap_or_default();
        lines.push(format!("  combinations  {tested} of {total} tested{share}"));
    }
    if status.error.is_none() {
        lines.push(format!("  rate          {}", rate(status)));
    }
    if let (Some(at), Some(ms)) = (status.read_at, status.read_ms) {
        let age = now.duration_since(at).as_secs().max(0).unsigned_abs();
        lines.push(format!("  read          {} ago, in {ms} ms", span(age)));
    }
    if let Ok(census) = &sight.reading
        && !census.indexed
        && let Some(ms) = status.read_ms.filter(|ms| *ms >= WORTH_AN_INDEX)
    {
        lines.push(format!("  {}", one_line(&hint(&sight.cluster, ms))));
    }
    lines.extend(running(&status.chunks));
    lines.extend(failed(&status.chunks));
    lines
}

/// `1 of 2 workers alive (sweep-worker@1), coordinator sweep-coordinator gone`.
fn crew(sight: &Sight, status: &ClusterStatus) -> String {
    let called = |member: &Member| {
        let life = match member.life {
            Life::Lives => "alive",
            Life::Gone => "gone",
            Life::Unknown => "unknown",
        };
        format!("{} {life}", member.name)
    };
    let workers = match status.workers {
        0 => "no workers are configured".to_owned(),
        all => {
            let each: Vec<String> = sight.crew.workers.iter().take(WORKERS).map(called).collect();
            let more = if all > WORKERS { ", ..." } else { "" };
            format!("{} of {all} workers alive ({}{more})", status.workers_alive, each.join(", "))
        }
    };
    match &sight.crew.coordinator {
        Some(member) => format!("coordinator {}, {workers}", called(member)),
        None => workers,
    }
}

fn rate(status: &ClusterStatus) -> String {
    let Some(rate) = status.per_minute else {
        return "not known yet: it takes two readings, some seconds apart".to_owned();
    };
    let left = match status.eta_s {
        Some(0) => "nothing is left".to_owned(),
        Some(seconds) => format!("{} left", span(seconds)),
        None => "no end in sight".to_owned(),
    };
    format!("{rate:.1} chunks a minute, {left}")
}

/// What the owner of a file can do about readings that cost much.
fn hint(cluster: &ClusterSpec, ms: u64) -> String {
    let (table, status) = (&cluster.table, &cluster.columns.status);
    let index = quoted(&format!("{table}_{status}"));
    format!(
        "no index on {status}: each reading takes {ms} ms; its owner may run: CREATE INDEX {index} ON {}({})",
        quoted(table),
        quoted(status)
    )
}

/// A name as a statement may have it.
fn quoted(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if begins && name.chars().all(is_plain) { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// The running chunks, by worker: those that have run longest first.
fn running(chunks: &[ChunkStatus]) -> Vec<String> {
    let mut workers: Vec<(Option<&str>, Vec<&ChunkStatus>)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for chunk in chunks.iter().filter(|chunk| chunk.hold.is_some()) {
        let worker = chunk.worker.as_deref();
        let place = *places.entry(worker).or_insert_with(|| {
            workers.push((worker, Vec::new()));
            workers.len() - 1
        });
        workers[place].1.push(chunk);
    }
    // What somebody must look at comes first, and is not among those that are only counted.
    for (_, chunks) in &mut workers {
        chunks.sort_by_key(|chunk| !chunk.stale);
    }
    workers.sort_by_key(|(_, chunks)| chunks.iter().all(|chunk| !chunk.stale));
    let mut lines = Vec::new();
    for (worker, chunks) in workers.iter().take(WORKERS) {
        let bad = chunks.iter().filter(|chunk| chunk.stale).count();
        let bad = if bad > 0 { format!(", {bad} stale") } else { String::new() };
        let worker = worker.map_or_else(|| "nobody named".to_owned(), cell);
        lines.push(format!("  {worker}: {} running{bad}", chunks.len()));
        lines.extend(aligned(&chunks[..chunks.len().min(CHUNKS)]));
        lines.extend(more(chunks.len(), CHUNKS, "    and", ""));
    }
    lines.extend(more(workers.len(), WORKERS, "  and", " workers"));
    lines
}

/// `    chunk 17  claimed 3h12m ago  STALE  sweep-worker@1 does not live`.
fn aligned(chunks: &[&ChunkStatus]) -> Vec<String> {
    let rows: Vec<[String; 4]> = chunks
        .iter()
        .map(|chunk| {
            let word = chunk.hold.map_or("", Hold::word);
            let why = chunk.why.as_deref().map(one_line).unwrap_or_default();
            // The word stands before it already.
            let why =
                why.strip_prefix(word).map_or(why.as_str(), |rest| rest.trim_start_matches([':', ' '])).to_owned();
            let word = if chunk.stale { word.to_uppercase() } else { word.to_owned() };
            [cell(&chunk.id), age(chunk), word, why]
        })
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let (ids, ages, words) = (width(0), width(1), width(2));
    rows.iter()
        .map(|[id, age, word, why]| format!("    chunk {id:<ids$}  {age:<ages$}  {word:<words$}  {why}"))
        .collect()
}

fn age(chunk: &ChunkStatus) -> String {
    chunk.age_s.map_or_else(|| "claimed at no known time".to_owned(), |age| format!("claimed {} ago", span(age)))
}

/// The failed ones.
fn failed(chunks: &[ChunkStatus]) -> Vec<String> {
    let all: Vec<&ChunkStatus> = chunks.iter().filter(|chunk| chunk.hold.is_none()).collect();
    if all.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![format!("  failed: {}", all.len())];
    lines.extend(all.iter().take(CHUNKS).map(|chunk| {
        let worker = chunk.worker.as_deref().map(|worker| format!(" by {}", cell(worker))).unwrap_or_default();
        let at = chunk.age_s.map(|age| format!(" {} ago", span(age))).unwrap_or_default();
        let claimed = if worker.is_empty() && at.is_empty() { "" } else { "  claimed" };
        format!("    chunk {}{claimed}{worker}{at}", cell(&chunk.id))
    }));
    lines.extend(more(all.len(), CHUNKS, "    and", ""));
    lines
}

fn more(all: usize, shown: usize, before: &str, after: &str) -> Option<String> {
    (all > shown).then(|| format!("{before} {} more{after}", all - shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(id: &str, worker: Option<&str>, hold: Option<Hold>) -> ChunkStatus {
        ChunkStatus {
            id: id.into(),
            status: if hold.is_some() { "running" } else { "failed" },
            worker: worker.map(str::to_owned),
            started_at: None,
            heard_at: None,
            age_s: Some(11_520),
            hold,
            stale: hold.is_some_and(|hold| hold != Hold::Held),
            why: hold.map(|_| "w\u{1b}[2J does not live".to_owned()),
        }
    }

    #[test]
    fn chunks_are_told_by_worker_and_a_few_of_each() {
        let mut chunks: Vec<ChunkStatus> =
            (8..22).map(|id| chunk(&id.to_string(), Some("w\u{202e}1"), Some(Hold::Stale))).collect();
        chunks.insert(1, chunk("7", None, Some(Hold::Held)));
        let lines = running(&chunks);
        assert_eq!(
            lines,
            [
                "  w<202e>1: 14 running, 14 stale",
                "    chunk 8   claimed 3h12m ago  STALE  w^[[2J does not live",
                "    chunk 9   claimed 3h12m ago  STALE  w^[[2J does not live",
                "    chunk 10  claimed 3h12m ago  STALE  w^[[2J does not live",
                "    and 11 more",
                "  nobody named: 1 running",
                "    chunk 7  claimed 3h12m ago  held  w^[[2J does not live",
            ]
        );
        let many: Vec<ChunkStatus> = (0..25).map(|id| chunk("1", Some(&format!("w{id}")), Some(Hold::Held))).collect();
        assert_eq!(running(&many).last().map(String::as_str), Some("  and 5 more workers"));
        let mut given_up: Vec<ChunkStatus> = (0..4).map(|id| chunk(&id.to_string(), Some("w"), None)).collect();
        given_up.push(ChunkStatus { age_s: None, ..chunk("x", None, None) });
        let lines = failed(&given_up);
        assert_eq!((lines[0].as_str(), lines[4].as_str()), ("  failed: 5", "    and 2 more"));
        assert_eq!(lines[1], "    chunk 0  claimed by w 3h12m ago");
        assert_eq!(failed(&given_up[4..])[1], "    chunk x");
    }

    #[test]
    fn nothing_is_all_before_it_is_all_and_names_are_quoted_where_they_must_be() {
        for (part, whole, told) in
            [(0, 0, None), (0, 3, Some("0.0 %")), (9999, 10_000, Some("99.9 %")), (3, 3, Some("100.0 %"))]
        {
            assert_eq!(percent(part, whole).as_deref(), told);
        }
        assert_eq!(quoted("chunks_2"), "chunks_2");
        assert_eq!(quoted("my \"chunks\""), "\"my \"\"chunks\"\"\"");
        assert_eq!(quoted("2nd"), "\"2nd\"");
    }
}
