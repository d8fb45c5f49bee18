//! Who is at the keyboard, and which user a bot is to run as.

use nix::unistd::{Uid, User};

use crate::sys::{Identity, groups_of};

/// Who asks, for the audit: `ana`, `ana@ssh(10.0.0.7)`, `ana(root)` behind sudo.
pub fn asks() -> String {
    let uid = Uid::effective();
    let user = User::from_uid(uid).ok().flatten().map_or_else(|| format!("uid {uid}"), |user| user.name);
    let name = match std::env::var("SUDO_USER") {
        Ok(behind) if uid.is_root() && !behind.is_empty() => format!("{behind}({user})"),
        Ok(_) | Err(_) => user,
    };
    match std::env::var("SSH_CONNECTION").ok().and_then(|text| text.split(' ').next().map(str::to_owned)) {
        Some(from) if !from.is_empty() => format!("{name}@ssh({from})"),
        Some(_) | None => name,
    }
}

/// The terminal of whoever asks, for the audit: `/dev/pts/3`.
pub fn tty() -> Option<String> {
    let of = |name: rustix::io::Result<std::ffi::CString>| name.ok().map(|name| name.to_string_lossy().into_owned());
    let (stdin, stdout, stderr) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
    of(rustix::termios::ttyname(&stdin, Vec::new()))
        .or_else(|| of(rustix::termios::ttyname(&stdout, Vec::new())))
        .or_else(|| of(rustix::termios::ttyname(&stderr, Vec::new())))
}

/// This machine's name.
pub fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// A user to become, with the variables that a login would set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// Its ids.
    pub identity: Identity,
    /// `HOME`, `USER` and `LOGNAME`.
    pub env: Vec<(String, String)>,
}

/// Looks up the user that a bot is to run as; nothing if that is ourselves.
///
/// # Errors
/// With a phrase, if there is no such user or we may not become it.
pub fn to_become(name: &str) -> Result<Option<Other>, String> {
    let user = User::from_name(name)
        .map_err(|errno| format!("the user {name} cannot be looked up: {}", errno.desc()))?
        .ok_or_else(|| format!("there is no user {name}"))?;
    if user.uid == Uid::effective() {
        return Ok(None);
    }
    if !Uid::effective().is_root() {
        return Err(format!("only root can run it as {name}"));
    }
    let groups = groups_of(name, user.gid.as_raw())
        .map_err(|error| format!("the groups of {name} cannot be looked up: {}", crate::paths::words(&error)))?;
    Ok(Some(Other {
        identity: Identity { uid: user.uid.as_raw(), gid: user.gid.as_raw(), groups },
        env: vec![
            ("HOME".into(), user.dir.to_string_lossy().into_owned()),
            ("USER".into(), user.name.clone()),
            ("LOGNAME".into(), user.name),
        ],
    }))
}
