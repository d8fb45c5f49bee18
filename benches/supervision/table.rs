//! The table that is printed: each row with its floor, our figure beside its goal, and the peers.

use std::collections::BTreeMap;
use std::fs;

use crate::hands::Hands;
use crate::options::Options;
use crate::rows::{Cell, Goal, Row};
use crate::subjects::{Role, Subject};
use crate::topics::Topic;

/// Figures as they come in.
pub struct Table {
    floor: &'static str,
    ours: &'static str,
    peers: Vec<&'static str>,
    head: String,
    cells: BTreeMap<(Row, &'static str), Cell>,
}

impl Table {
    /// An empty one.
    pub fn new(subjects: &[Box<dyn Subject>], missing: &[&str], options: &Options, hands: &Hands) -> Self {
        let of =
            |role: Role| subjects.iter().filter(move |subject| subject.role() == role).map(|subject| subject.name());
        Self {
            floor: of(Role::Floor).next().unwrap_or_default(),
            ours: of(Role::Ours).next().unwrap_or_default(),
            peers: of(Role::Peer).collect(),
            head: head(subjects, missing, options, hands),
            cells: BTreeMap::new(),
        }
    }

    /// Enters what was measured, beside what was measured before.
    pub fn enter(&mut self, subject: &'static str, figures: Vec<(Row, Cell)>) {
        for (row, cell) in figures {
            match (self.cells.get_mut(&(row, subject)), cell) {
                (Some(Cell::Figures(sample)), Cell::Figures(more)) => sample.extend(more),
                // What has failed once has failed.
                (Some(Cell::Words(_)), Cell::Figures(_)) => {}
                (_, cell) => drop(self.cells.insert((row, subject), cell)),
            }
        }
    }

    /// All of it.
    pub fn text(&self, topics: &[Topic]) -> String {
        let titles = ["what (p50, and the greatest of so many)", self.floor, self.ours, "goal", ""];
        let mut lines: Vec<Vec<String>> =
            vec![titles.iter().chain(&self.peers).map(|title| (*title).to_owned()).collect()];
        lines.extend(
            Row::ALL.into_iter().filter(|row| topics.contains(&row.description().topic)).map(|row| self.line(row)),
        );
        format!("{} Load after: {}.\n\n{}", self.head, load(), aligned(&lines))
    }

    fn line(&self, row: Row) -> Vec<String> {
        let said = row.description();
        let what = if said.unit.is_empty() { said.what.to_owned() } else { format!("{}, {}", said.what, said.unit) };
        let mut ours = self.shown(row, self.ours);
        if let (Goal::TimesFloor(_) | Goal::Floor(_), Some(ratio)) = (said.goal, self.ratio(row)) {
            ours = format!("{ours} = {ratio:.2}x");
        }
        let mut line = vec![what, self.shown(row, self.floor), ours, goal(said.goal), self.verdict(row).to_owned()];
        line.extend(self.peers.iter().map(|peer| self.shown(row, peer)));
        line
    }

    fn cell(&self, row: Row, subject: &'static str) -> Option<&Cell> {
        self.cells.get(&(row, subject))
    }

    fn shown(&self, row: Row, subject: &'static str) -> String {
        match self.cell(row, subject) {
            Some(Cell::Figures(sample)) if sample.count() > 1 => {
                format!("{} ({} of {})", figure(sample.median()), figure(sample.max()), sample.count())
            }
            Some(Cell::Figures(sample)) => figure(sample.median()),
            Some(Cell::Words(words)) => words.clone(),
            None => "-".into(),
        }
    }

    fn median(&self, row: Row, subject: &'static str) -> Option<f64> {
        match self.cell(row, subject)? {
            Cell::Figures(sample) => Some(sample.median()),
            Cell::Words(_) => None,
        }
    }

    fn ratio(&self, row: Row) -> Option<f64> {
        Some(self.median(row, self.ours)? / self.median(row, self.floor)?)
    }

    fn verdict(&self, row: Row) -> &'static str {
        let met = match row.description().goal {
            Goal::None => return "",
            Goal::Under(most) => self.median(row, self.ours).map(|ours| ours < most),
            Goal::AtMost(most) => self.median(row, self.ours).map(|ours| ours <= most),
            Goal::UnderPeer(peer) => {
                self.median(row, self.ours).zip(self.median(row, peer)).map(|(ours, theirs)| ours < theirs)
            }
            Goal::TimesFloor(times) => self.ratio(row).map(|ratio| ratio <= times),
            Goal::Floor(noise) => self.ratio(row).map(|ratio| ratio >= 1.0 - noise),
            Goal::Words(words) => self.cell(row, self.ours).map(|cell| *cell == Cell::word(words)),
        };
        match met {
            Some(true) => "met",
            Some(false) => "missed",
            None => "unknown",
        }
    }
}

fn goal(goal: Goal) -> String {
    match goal {
        Goal::None => "none".into(),
        Goal::Under(most) => format!("under {most}"),
        Goal::AtMost(most) => format!("{most}"),
        Goal::UnderPeer(peer) => format!("under {peer}"),
        Goal::TimesFloor(times) => format!("{times}x floor"),
        Goal::Floor(noise) => format!("1.0x floor (-{:.0} %)", noise * 100.0),
        Goal::Words(_) => "all three".into(),
    }
}

fn figure(figure: f64) -> String {
    match figure {
        0.0 => "0".into(),
        small if small < 10.0 => format!("{small:.2}"),
        middling if middling < 100.0 => format!("{middling:.1}"),
        large => format!("{large:.0}"),
    }
}

/// Where it was measured, who was compared, and who could not be.
fn head(subjects: &[Box<dyn Subject>], missing: &[&str], options: &Options, hands: &Hands) -> String {
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let mut compared: Vec<String> = subjects
        .iter()
        .filter(|subject| subject.role() != Role::Floor)
        .map(|subject| format!("{} {}", subject.name(), subject.version(hands)))
        .collect();
    compared.extend(missing.iter().map(|name| format!("{name}: not installed")));
    let quick = if options.quick { "\nQuick: too few repetitions to compare by." } else { "" };
    format!("Linux {}, {cores} cores; {}.{quick}\nLoad before: {}.", kernel.trim(), compared.join(", "), load())
}

/// How many processes of the whole machine wanted a core in the last minute: whatever else ran is noise in every figure.
fn load() -> String {
    fs::read_to_string("/proc/loadavg").unwrap_or_default().split(' ').next().unwrap_or_default().to_owned()
}

fn aligned(lines: &[Vec<String>]) -> String {
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
    let shown: Vec<String> = lines
        .iter()
        .map(|line| {
            let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            cells.join("  ").trim_end().to_owned()
        })
        .collect();
    shown.join("\n")
}
