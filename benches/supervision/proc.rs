//! The process table: who descends from whom, and what a process uses. And ends of processes that are not our children.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::clock::{self, Nanos};

/// A process that is held on to: its number cannot come to mean another while it is signalled or waited for.
#[derive(Debug)]
pub struct Held {
    pid: i32,
    fd: OwnedFd,
}

impl Held {
    /// Holds on to a descendant of ours; nothing if there is none of that number.
    pub fn ours(pid: i32) -> Option<Self> {
        let fd = pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok()?;
        // Asked after it is held: a number that has gone to a stranger meanwhile is not touched.
        descends_from_us(pid).then_some(Self { pid, fd })
    }

    /// Its number.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Sends a signal; one that has ended does not mind.
    pub fn signal(&self, signal: Signal) {
        let _ = pidfd_send_signal(&self.fd, signal);
    }

    /// Whether it executes no more.
    pub fn has_ended(&self) -> bool {
        self.wait(Duration::ZERO)
    }

    /// When its end was seen; nothing if that did not happen in time.
    pub fn ended(&self, until: Instant) -> Option<Nanos> {
        self.wait(until.saturating_duration_since(Instant::now())).then(clock::now)
    }

    fn wait(&self, time: Duration) -> bool {
        let mut fds = [PollFd::new(&self.fd, PollFlags::IN)];
        let time = Timespec { tv_sec: time.as_secs() as i64, tv_nsec: i64::from(time.subsec_nanos()) };
        matches!(poll(&mut fds, Some(&time)), Ok(1..))
    }
}

/// The parent of a process.
pub fn parent(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in parentheses and may have anything in it.
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

fn descends_from_us(pid: i32) -> bool {
    let us = std::process::id() as i32;
    std::iter::successors(parent(pid), |pid| parent(*pid)).take_while(|pid| *pid > 0).any(|pid| pid == us)
}

/// Every descendant of a process, zombies too; not below those in `without`, which are left out.
pub fn descendants(root: i32, without: &HashSet<i32>) -> Vec<i32> {
    let mut found = Vec::new();
    let mut next = vec![root];
    while let Some(pid) = next.pop() {
        for child in children(pid).into_iter().filter(|child| !without.contains(child)) {
            found.push(child);
            next.push(child);
        }
    }
    found
}

fn children(pid: i32) -> Vec<i32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    threads
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok())
        .flat_map(|list| list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect()
}

/// A process's short name.
pub fn short_name(pid: i32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).map(|name| name.trim_end().to_owned()).unwrap_or_default()
}

/// Memory in KiB; what is shared counts in proportion (`Pss` of `proc_pid_smaps(5)`).
pub fn pss(pid: i32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("Pss:"))?.trim().strip_suffix(" kB")?.parse().ok()
}

/// CPU time that a process has used, threads that have ended too, in milliseconds. It is counted in ticks of 10 ms.
pub fn cpu_millis(pid: i32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(ticks as f64 * 1000.0 / rustix::param::clock_ticks_per_second() as f64)
}

/// What the threads of some processes have used so far.
#[derive(Debug, Default)]
pub struct Used(BTreeMap<(i32, i32), Thread>);

#[derive(Clone, Copy, Debug, Default)]
struct Thread {
    cpu: Nanos,
    switches: u64,
}

impl Used {
    /// As of now.
    pub fn by(processes: &[i32]) -> Self {
        let mut used = BTreeMap::new();
        for process in processes {
            for thread in fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten() {
                let Some(number) = thread.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
                let read = |file: &str| fs::read_to_string(thread.path().join(file)).unwrap_or_default();
                let cpu = read("schedstat").split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0);
                let switches = read("status")
                    .lines()
                    .filter(|line| line.contains("voluntary_ctxt_switches"))
                    .filter_map(|line| line.split_once(':')?.1.trim().parse::<u64>().ok())
                    .sum();
                used.insert((*process, number), Thread { cpu, switches });
            }
        }
        Self(used)
    }

    /// CPU time and context switches since an earlier look.
    pub fn since(&self, earlier: &Self) -> (Duration, u64) {
        self.0.iter().fold((Duration::ZERO, 0), |(cpu, switches), (thread, now)| {
            let before = earlier.0.get(thread).copied().unwrap_or_default();
            (
                cpu + Duration::from_nanos(now.cpu.saturating_sub(before.cpu)),
                switches + now.switches.saturating_sub(before.switches),
            )
        })
    }
}
