//! Whether the processes of every bot may be signalled by us.

use nix::unistd::User;
use rustix::process::{Pid, geteuid, test_kill_process};

use crate::core::readiness::Check;
use crate::process;

use super::subject::{Bot, Subject};

/// Whether we may signal whoever lives, and whoever would run as another user.
pub(super) fn signalled(subject: &Subject) -> Vec<Check> {
    let name = "users";
    let troubles: Vec<String> =
        subject.bots.iter().filter_map(|bot| Some(format!("{}: {}", bot.name, trouble(bot)?))).collect();
    vec![if troubles.is_empty() {
        Check::good(name, "every bot may be signalled")
    } else {
        Check::bad(name, troubles.join("; "))
    }]
}

fn trouble(bot: &Bot) -> Option<String> {
    let main = bot.record.as_ref().and_then(|record| record.process.as_ref()).filter(|main| process::is_alive(main));
    if let Some(pid) = main.and_then(|main| Pid::from_raw(main.pid)) {
        // Asks whether a signal could be sent, and sends none (kill(2), signal 0).
        if test_kill_process(pid) == Err(rustix::io::Errno::PERM) {
            return Some(format!("pid {} runs as another user and may not be signalled by us", pid.as_raw_nonzero()));
        }
        return None;
    }
    let user = bot
        .spec
        .as_ref()
        .map_or_else(|| bot.record.as_ref().and_then(|record| record.user.as_ref()), |spec| spec.user.as_ref())?;
    if geteuid().is_root() {
        return None;
    }
    match User::from_name(user) {
        Ok(Some(found)) if found.uid.as_raw() == geteuid().as_raw() => None,
        Ok(_) | Err(_) => Some(format!("it runs as {user}, whose processes only root and {user} may signal")),
    }
}
