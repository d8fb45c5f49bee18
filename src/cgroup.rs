//! Control groups of our own: a process can lose its parent, its session, its mark and every descriptor, but leaves the
//! group that it was born in only if it is let.
//!
//! Only version 2 of control groups is used, and of it only what needs no controller: who is in a group, `cgroup.kill`,
//! and birth in one (`CLONE_INTO_CGROUP`). Wherever something is missing there is no group, and a tree is found by
//! walking it.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;

use crate::core::bot::BotName;
use crate::core::record::RunRecord;
use crate::process;

/// One run's control group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    path: PathBuf,
}

/// Where control groups can be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mount {
    /// The group that is seen there.
    root: PathBuf,
    point: PathBuf,
}

impl Group {
    /// The group that a run is to have, where groups are ours to make. It is to be written down before it is made.
    pub fn plan(bot: &BotName, run: &str) -> Option<Self> {
        Some(Self { path: ours()?.join(name(bot, run)) })
    }

    /// Makes it. False if that cannot be done, or somebody else has made it.
    pub fn make(&self) -> bool {
        fs::create_dir(&self.path).is_ok()
    }

    /// The group of a run, if this process is in it.
    pub fn around(pid: i32, bot: &BotName, run: &str) -> Option<Self> {
        let inside = parse_current(&fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?)?;
        let name = name(bot, run);
        let named = |path: &&Path| path.file_name().is_some_and(|last| *last == *name);
        folder(inside.ancestors().find(named)?, mounts()).map(|path| Self { path })
    }

    /// The group that a run was born in, if it is still there.
    pub fn of(record: &RunRecord) -> Option<Self> {
        let path = record.cgroup.as_ref()?;
        let plain = path.is_absolute() && path.components().all(|part| !matches!(part, Component::ParentDir));
        let named = path.file_name().is_some_and(|last| *last == *name(&record.bot, &record.run));
        let below = mounts().iter().any(|mount| path.starts_with(&mount.point));
        (plain && named && below && path.is_dir()).then(|| Self { path: path.clone() })
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its folder, open for somebody to be born in.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn open(&self) -> io::Result<OwnedFd> {
        let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::CLOEXEC;
        Ok(rustix::fs::open(&self.path, flags, rustix::fs::Mode::empty())?)
    }

    /// Moves a process that was born elsewhere into it; what it starts from now on is born here. False if it will not be
    /// moved. The kernel takes its time: some 15 ms.
    pub fn take_in(&self, pid: i32) -> bool {
        fs::write(self.path.join("cgroup.procs"), pid.to_string()).is_ok()
    }

    /// Every process in it and in the groups that were made in it.
    pub fn members(&self) -> Vec<i32> {
        let mut found = Vec::new();
        let mut folders = vec![self.path.clone()];
        while let Some(folder) = folders.pop() {
            let list = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
            // 0 is a process that our PID namespace has no number for.
            found.extend(list.lines().filter_map(|pid| pid.parse::<i32>().ok()).filter(|pid| *pid > 0));
            folders.extend(below(&folder));
        }
        found
    }

    /// Whether the kernel says that nobody is in it.
    pub fn is_empty(&self) -> bool {
        match fs::read_to_string(self.path.join("cgroup.events")) {
            Ok(events) => events.lines().any(|line| line == "populated 0"),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }

    /// Who lives in it besides those who are known (in order) and ourselves. A keeper that a bot started has a bot of its
    /// own: neither of them is meant.
    pub fn living(&self, known: &[i32]) -> Vec<i32> {
        if self.is_empty() {
            return Vec::new();
        }
        let me = std::process::id() as i32;
        let is_new = |pid: &i32| *pid != me && known.binary_search(pid).is_err();
        let found: Vec<i32> = self.members().into_iter().filter(is_new).collect();
        let keepers: Vec<i32> = found.iter().copied().filter(|pid| process::is_keeper(*pid)).collect();
        let kept: HashSet<i32> =
            keepers.iter().flat_map(|keeper| process::descendants(*keeper)).chain(keepers.iter().copied()).collect();
        found
            .into_iter()
            .filter(|pid| !kept.contains(pid) && process::stat(*pid).is_some_and(process::Stat::is_alive))
            .collect()
    }

    /// Sends SIGKILL to everybody in it at once, with whom nobody can be born meanwhile (Linux 5.14). False, and nobody
    /// has been sent anything, if that cannot be done or would hit a keeper.
    pub fn kill(&self) -> bool {
        let me = std::process::id() as i32;
        let spared = |pid: &i32| *pid == me || process::is_keeper(*pid);
        !self.members().iter().any(spared) && fs::write(self.path.join("cgroup.kill"), "1").is_ok()
    }

    /// Removes it with all that were made in it. False if somebody is in it, or it is not ours to remove.
    pub fn remove(&self) -> bool {
        remove(&self.path)
    }
}

/// Takes us out of the group of a bot that calls us: what we start is none of that bot's tree. Elsewhere we stay.
pub fn leave() {
    if let Some(current) = current()
        && let Some(outside) = outside_groups(&current)
        && let Some(folder) = folder(&outside, mounts())
    {
        // If it cannot be done, no group with us in it is ever killed as one.
        let _ = fs::write(folder.join("cgroup.procs"), "0");
    }
}

/// The folder in which groups are ours to make: our own group's, if it is not a bot's, and whoever manages this machine's
/// groups has given it away.
fn ours() -> Option<PathBuf> {
    let current = current().filter(|current| outside_groups(current).is_none())?;
    let folder = folder(&current, mounts())?;
    let writable = rustix::fs::access(&folder, rustix::fs::Access::WRITE_OK).is_ok();
    // As systemd's "Control Group APIs and Delegation" has it: below a group without Delegate= nobody makes others.
    let given = || is_delegated(&folder) || !Path::new("/run/systemd/system").is_dir();
    (writable && given()).then_some(folder)
}

/// Whether systemd has marked a group as given away; only root can see the older of the two marks.
fn is_delegated(folder: &Path) -> bool {
    ["user.delegate", "trusted.delegate"].iter().any(|mark| {
        let mut value = [0_u8; 8];
        rustix::fs::getxattr(folder, *mark, &mut value).is_ok_and(|length| value[..length] == *b"1")
    })
}

fn name(bot: &BotName, run: &str) -> String {
    format!("botwarden.{}.{run}", bot.as_str())
}

/// Whether a group has the name of a run's; `botwarden.service` has not.
fn is_groups_name(name: &str) -> bool {
    let run = name.strip_prefix("botwarden.").and_then(|rest| rest.rsplit_once('.')).map_or("", |(_, run)| run);
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parts = run.split_once('T').and_then(|(day, rest)| Some((day, rest.split_once('-')?)));
    parts.is_some_and(|(day, (time, number))| digits(day, 8) && digits(time, 9) && digits(number, 4))
}

/// The group that the outermost bot's group on the way to this one was made in; nothing if there is none.
fn outside_groups(group: &Path) -> Option<PathBuf> {
    let groups = |path: &Path| path.file_name().and_then(|name| name.to_str()).is_some_and(is_groups_name);
    group.ancestors().filter(|path| groups(path)).last().and_then(Path::parent).map(Path::to_owned)
}

/// Our own group, as it is called where its mount has its root.
fn current() -> Option<PathBuf> {
    parse_current(&fs::read_to_string("/proc/self/cgroup").ok()?)
}

fn parse_current(text: &str) -> Option<PathBuf> {
    text.lines().find_map(|line| line.strip_prefix("0::/")).map(|path| Path::new("/").join(path))
}

fn mounts() -> &'static [Mount] {
    static MOUNTS: OnceLock<Vec<Mount>> = OnceLock::new();
    MOUNTS.get_or_init(|| parse_mounts(&fs::read_to_string("/proc/self/mountinfo").unwrap_or_default()))
}

/// `proc_pid_mountinfo(5)`: root and mount point are the fourth and fifth field; what kind of file system it is stands
/// behind a lone hyphen.
fn parse_mounts(text: &str) -> Vec<Mount> {
    let mount = |line: &str| {
        let (place, kind) = line.split_once(" - ")?;
        let mut fields = place.split(' ').skip(3);
        let (root, point) = (fields.next()?, fields.next()?);
        (kind.split(' ').next() == Some("cgroup2"))
            .then(|| Mount { root: unescape(root).into(), point: unescape(point).into() })
    };
    text.lines().filter_map(mount).collect()
}

/// Blanks, tabs, newlines and backslashes stand as `\040` and the like.
fn unescape(field: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(field.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}

/// Where a group is seen, if it is.
fn folder(group: &Path, mounts: &[Mount]) -> Option<PathBuf> {
    if group.components().any(|part| part == Component::ParentDir) {
        return None;
    }
    mounts.iter().find_map(|mount| {
        let inside = group.strip_prefix(&mount.root).ok()?;
        let plain = inside.as_os_str().is_empty();
        Some(if plain { mount.point.clone() } else { mount.point.join(inside) })
    })
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()).collect()
}

fn remove(folder: &Path) -> bool {
    // Most have none in them, and are gone at once.
    fs::remove_dir(folder).is_ok() || {
        for inner in below(folder) {
            remove(&inner);
        }
        match fs::remove_dir(folder) {
            Ok(()) => true,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "\
        31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n\
        37 31 0:34 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer\n\
        41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:9 - cgroup2 cgroup2 rw\n\
        not a mount\n";

    fn path(text: &str) -> PathBuf {
        text.into()
    }

    #[test]
    fn the_mount_is_found_wherever_it_is() {
        let found = |text: &str| parse_mounts(text).pop().map(|mount| mount.point);
        assert_eq!(found(HYBRID), Some(path("/sys/fs/cgroup/unified")));
        assert_eq!(found("30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"), Some(path("/sys/fs/cgroup")));
        assert_eq!(found("30 23 0:26 / /my\\040groups rw - cgroup2 none rw\n"), Some(path("/my groups")));
        assert_eq!(found("30 23 0:26 / /cgroup2 rw - tmpfs cgroup2 rw\n"), None);
        assert_eq!(found(""), None);
    }

    #[test]
    fn our_own_group_is_the_one_of_version_2() {
        assert_eq!(parse_current("4:memory:/a\n1:name=systemd:/b\n0::/c/d\n"), Some(path("/c/d")));
        assert_eq!(parse_current("0::/\n"), Some(path("/")));
        assert_eq!(parse_current("4:memory:/a\n"), None);
    }

    #[test]
    fn a_group_is_seen_below_its_mount() {
        let mount = |root: &str| [Mount { root: root.into(), point: path("/cg") }];
        assert_eq!(folder(Path::new("/"), &mount("/")), Some(path("/cg")));
        assert_eq!(folder(Path::new("/a/b"), &mount("/")), Some(path("/cg/a/b")));
        assert_eq!(folder(Path::new("/a/b"), &mount("/a")), Some(path("/cg/b")));
        assert_eq!(folder(Path::new("/a"), &mount("/b")), None, "not seen there");
        assert_eq!(folder(Path::new("/../a"), &mount("/")), None, "outside our namespace");
        assert_eq!(folder(Path::new("/a"), &[]), None);
    }

    #[test]
    fn a_bots_group_is_known_by_its_name_and_a_unit_is_none() {
        let run = "20261122T042407123-0af3";
        for bot in ["grid", "a.b", "momentum@2"] {
            let bot: BotName = bot.parse().expect("a good name");
            assert!(is_groups_name(&name(&bot, run)), "{bot:?}");
        }
        for other in ["botwarden.service", "botwarden.a.service", "botwarden", "a.20261122T042407123-0af3", ""] {
            assert!(!is_groups_name(other), "{other}");
        }
        let outside = |path: &str| outside_groups(Path::new(path));
        assert_eq!(outside("/system.slice/botwarden.service"), None);
        assert_eq!(outside(&format!("/a/botwarden.x.{run}")), Some(path("/a")));
        assert_eq!(outside(&format!("/botwarden.x.{run}/own/botwarden.y.{run}")), Some(path("/")));
    }

    #[test]
    fn a_record_names_no_other_group_than_its_runs() {
        let bot: BotName = "a".parse().expect("a good name");
        let of = |path: &str| {
            Group::of(&RunRecord {
                run: "r".into(),
                cgroup: Some(path.into()),
                ..RunRecord::unknown(bot.clone(), jiff::Timestamp::UNIX_EPOCH)
            })
        };
        assert_eq!(of("/"), None);
        assert_eq!(of("/tmp"), None);
        assert_eq!(of("/tmp/botwarden.a.r"), None);
        assert_eq!(of("botwarden.a.r"), None);
    }
}
