//! What has started a process that no keeper of ours has: a unit of systemd, cron, or whatever else stands above it.

use crate::process;

/// What runs other people's programs by itself, by its short name: worth more to whoever wonders than the shell between.
const LAUNCHERS: [&str; 9] =
    ["cron", "crond", "atd", "anacron", "fcron", "supervisord", "runsvdir", "s6-supervise", "containerd-shim"];

/// No tree is deeper.
const DEEPEST: usize = 64;

/// What owns a process, as a phrase: `the unit momentum.service`, `cron (pid 811)`; nothing where nobody can be named.
pub fn owner(pid: i32) -> Option<String> {
    let groups = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    if let Some(unit) = unit_of(&groups) {
        return Some(format!("the unit {unit}"));
    }
    launcher(&above(pid)).map(|(pid, name)| format!("{name} (pid {pid})"))
}

/// The innermost unit in the text of a `cgroup` file (cgroups(7)). A session and the manager of a user are no answer: that
/// is where everything is that somebody has started by hand.
fn unit_of(groups: &str) -> Option<&str> {
    groups.lines().find_map(|line| {
        let path = line.splitn(3, ':').nth(2)?;
        path.rsplit('/').find(|part| {
            let is_unit = [".service", ".scope"].iter().any(|kind| part.ends_with(kind));
            let is_everybody = part.starts_with("session-") || part.starts_with("user@") || *part == "init.scope";
            is_unit && !is_everybody
        })
    })
}

/// Whoever stands above a process, the nearest first: number and name. Neither the first process nor ours are among them.
fn above(pid: i32) -> Vec<(i32, String)> {
    let mut found = Vec::new();
    let mut next = process::stat(pid).map_or(0, |stat| stat.parent);
    while next > 1 && found.len() < DEEPEST {
        if !process::is_keeper(next) {
            found.extend(process::short_name(next).map(|name| (next, name)));
        }
        next = process::stat(next).map_or(0, |stat| stat.parent);
    }
    found
}

/// Whom to name of these.
fn launcher(above: &[(i32, String)]) -> Option<&(i32, String)> {
    above.iter().find(|(_, name)| LAUNCHERS.iter().any(|launcher| name == launcher)).or(above.first())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_unit_owns_a_process() {
        let table = [
            ("0::/system.slice/momentum.service\n", Some("momentum.service")),
            ("0::/system.slice/cron.service/worker\n", Some("cron.service")),
            ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/bot.service\n", Some("bot.service")),
            ("0::/user.slice/user-1000.slice/session-3.scope\n", None),
            ("0::/user.slice/user-1000.slice/user@1000.service\n", None),
            ("12:cpu:/\n1:name=systemd:/system.slice/old.service\n0::/\n", Some("old.service")),
            ("0::/init.scope\n", None),
            ("0::/\n", None),
            ("0::/a:b/with.colon.service\n", Some("with.colon.service")),
            ("nonsense", None),
            ("", None),
        ];
        for (groups, unit) in table {
            assert_eq!(unit_of(groups), unit, "{groups:?}");
        }
    }

    #[test]
    fn what_runs_programs_by_itself_is_named_before_the_shell_between() {
        let line = |names: &[&str]| -> Vec<(i32, String)> {
            names.iter().enumerate().map(|(at, name)| (at as i32 + 10, (*name).to_owned())).collect()
        };
        assert_eq!(launcher(&line(&["sh", "cron"])), Some(&(11, "cron".to_owned())));
        assert_eq!(launcher(&line(&["bash", "sshd"])), Some(&(10, "bash".to_owned())));
        assert_eq!(launcher(&[]), None);
    }

    #[test]
    fn we_are_owned_by_somebody_or_by_nobody_who_can_be_named() {
        // Neither may fail, whatever there is above us.
        let _ = owner(std::process::id() as i32);
        assert_eq!(owner(-1), None);
    }
}
