//! Process numbers that chunks name, looked up on this box.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::core::chunk::Census;
use crate::core::crew::{Crew, PidSeen};
use crate::process;

/// So many parents are followed.
const GENERATIONS: usize = 64;

/// The process numbers that the running chunks of a reading may mean.
pub fn claimed(census: &Census) -> BTreeSet<i32> {
    census.running.iter().filter_map(|chunk| chunk.worker.word()).flat_map(|word| Crew::numbers(&word)).collect()
}

/// What there is of them on this box, for the desk with this home.
pub fn seen(home: &Path, pids: &BTreeSet<i32>) -> BTreeMap<i32, PidSeen> {
    pids.iter().map(|pid| (*pid, one(home, *pid))).collect()
}

fn one(home: &Path, pid: i32) -> PidSeen {
    let Some(stat) = process::stat(pid).filter(|stat| stat.is_alive()) else { return PidSeen::default() };
    let mut ancestors = Vec::new();
    let mut parent = stat.parent;
    while parent > 1 && ancestors.len() < GENERATIONS {
        ancestors.push(parent);
        parent = process::stat(parent).map_or(0, |stat| stat.parent);
    }
    PidSeen {
        alive: true,
        mark: process::mark(pid).filter(|mark| mark.home == home).map(|mark| mark.bot),
        ancestors,
        command: process::short_name(pid).unwrap_or_default(),
    }
}
