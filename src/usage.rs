//! CPU and memory of whole trees.

use std::collections::BTreeMap;
use std::time::Duration;

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use crate::core::bot::BotName;

/// CPU is a difference: two looks must be this far apart for the first figure.
pub const APART: Duration = sysinfo::MINIMUM_CPU_UPDATE_INTERVAL;

/// What a tree uses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Used {
    /// Percent of one core since the look before; absent at the first one.
    pub cpu_percent: Option<f32>,
    /// Resident memory.
    pub memory_bytes: u64,
    /// Processes.
    pub processes: u32,
}

/// Looks again and again.
#[derive(Default)]
pub struct Usage {
    /// Absent where the process table cannot be read.
    system: Option<System>,
    known: BTreeMap<BotName, Vec<i32>>,
}

impl Usage {
    /// What these trees use now; a tree is the numbers of its processes.
    pub fn look(&mut self, trees: BTreeMap<BotName, Vec<i32>>) -> BTreeMap<BotName, Used> {
        let pids: Vec<Pid> = trees.values().flatten().map(|pid| Pid::from_u32(*pid as u32)).collect();
        let kind = ProcessRefreshKind::nothing().with_cpu().with_memory().without_tasks();
        if self.system.is_none() {
            self.system = System::new().ok();
        }
        let Some(system) = &mut self.system else { return BTreeMap::new() };
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&pids), true, kind);
        let used = trees
            .iter()
            .map(|(name, pids)| {
                let before = self.known.get(name);
                let processes: Vec<_> =
                    pids.iter().filter_map(|pid| system.process(Pid::from_u32(*pid as u32))).collect();
                let seen_before = before.is_some_and(|before| pids.iter().any(|pid| before.contains(pid)));
                let used = Used {
                    cpu_percent: seen_before.then(|| processes.iter().map(|process| process.cpu_usage()).sum()),
                    memory_bytes: processes.iter().map(|process| process.memory()).sum(),
                    processes: processes.len() as u32,
                };
                (name.clone(), used)
            })
            .collect();
        self.known = trees;
        used
    }
}
