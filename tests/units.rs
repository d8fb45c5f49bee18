//! The systemd units start what should run, and never end a keeper or a bot by being stopped or restarted.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr)] // What helps a test may fail like one, and say so.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The settings of a unit, in order: section, key, value. A line that ends with a backslash goes on in the next.
fn settings(text: &str) -> Result<Vec<(String, String, String)>, String> {
    let mut found = Vec::new();
    let mut section = String::new();
    let joined = text.replace("\\\n", " ");
    for line in joined.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';'])) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name.clone_into(&mut section);
        } else if let Some((key, value)) = line.split_once('=').filter(|_| !section.is_empty()) {
            found.push((section.clone(), key.trim().to_owned(), value.trim().to_owned()));
        } else {
            return Err(format!("no setting: {line}"));
        }
    }
    Ok(found)
}

/// Everything in a unit by which it could end what it started, or not start it.
fn faults(text: &str) -> Vec<String> {
    let settings = match settings(text) {
        Ok(settings) => settings,
        Err(fault) => return vec![fault],
    };
    let mut faults = Vec::new();
    let value = |section: &str, key: &str| -> Option<&str> {
        settings.iter().find(|(s, k, _)| s == section && k == key).map(|(_, _, value)| value.as_str())
    };
    for (section, key, wanted) in [
        ("Service", "Type", "oneshot"),
        ("Service", "RemainAfterExit", "yes"),
        ("Service", "KillMode", "process"),
        ("Service", "SendSIGKILL", "no"),
        ("Service", "OOMPolicy", "continue"),
        ("Service", "Delegate", "yes"),
    ] {
        if value(section, key) != Some(wanted) {
            faults.push(format!("[{section}] needs {key}={wanted}"));
        }
    }
    if !value("Service", "ExecStart").is_some_and(|start| start.ends_with("/botwarden up")) {
        faults.push("[Service] needs ExecStart=.../botwarden up".into());
    }
    if value("Service", "TimeoutStartSec").is_none() {
        faults.push("[Service] needs TimeoutStartSec: a oneshot has no limit of its own".into());
    }
    if value("Install", "WantedBy").is_none() {
        faults.push("[Install] needs WantedBy".into());
    }
    for (section, key, value) in &settings {
        if !["Unit", "Service", "Install"].contains(&section.as_str()) {
            faults.push(format!("no such section: [{section}]"));
        }
        if key == "Restart" {
            faults.push("Restart= would run `up` against whoever stopped a bot".into());
        }
        // What a stop of the unit runs must first ask whether the machine shuts down, and never be botwarden itself:
        // that would mark every bot as stopped by an operator.
        if key.starts_with("ExecStop") && (!value.contains("= stopping || exit 0;") || value.contains("botwarden ")) {
            faults.push(format!("{key} acts although the machine does not shut down: {value}"));
        }
    }
    faults
}

fn units() -> [PathBuf; 2] {
    ["botwarden.service", "botwarden-user.service"]
        .map(|name| Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name))
}

#[test]
fn the_units_never_end_what_they_started() {
    for unit in units() {
        let text = std::fs::read_to_string(&unit).expect("the unit");
        let faults = faults(&text);
        assert!(faults.is_empty(), "{}: {}", unit.display(), faults.join("; "));
    }
}

#[test]
fn a_unit_that_would_is_found_out() {
    let good = std::fs::read_to_string(&units()[0]).expect("the unit");
    for (from, to) in [
        ("KillMode=process", "KillMode=control-group"),
        ("KillMode=process\n", ""),
        ("SendSIGKILL=no", "SendSIGKILL=yes"),
        ("RemainAfterExit=yes", "RemainAfterExit=yes\nRestart=on-failure"),
        ("= stopping || exit 0;", "= stopping;"),
        ("/botwarden up", "/botwarden start --all"),
        ("[Install]", "[Instal]"),
        ("Type=oneshot", "Type oneshot"),
        ("TimeoutStartSec=5min\n", ""),
    ] {
        assert!(good.contains(from), "{from}");
        assert!(!faults(&good.replace(from, to)).is_empty(), "{from} -> {to}");
    }
}

#[test]
fn systemd_itself_understands_them() {
    let folder = tempfile::tempdir().expect("a folder");
    for (unit, kind) in units().into_iter().zip(["--system", "--user"]) {
        // Its binary and its user are not on this machine.
        let text = std::fs::read_to_string(&unit).expect("the unit");
        let text: String = text
            .lines()
            .map(|line| if line.starts_with("ExecStart=") { "ExecStart=/bin/true" } else { line })
            .filter(|line| !line.starts_with("User="))
            .flat_map(|line| [line, "\n"])
            .collect();
        let copy = folder.path().join(unit.file_name().expect("a name"));
        std::fs::write(&copy, text).expect("written");
        let verified = Command::new("systemd-analyze")
            .args(["verify", "--man=no", kind])
            .arg(&copy)
            .env("XDG_RUNTIME_DIR", folder.path())
            .output();
        match verified {
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                // Other units of this machine may be wrong, and a container may have no systemd to ask.
                let faults: Vec<&str> = said
                    .lines()
                    .filter(|line| line.contains(&*copy.to_string_lossy()) || line.starts_with("botwarden"))
                    .collect();
                assert!(faults.is_empty(), "{}", faults.join("\n"));
                if !output.status.success() {
                    eprintln!("skipped: systemd-analyze {kind} gave no verdict here: {said}");
                }
            }
            Err(error) => eprintln!("skipped: no systemd-analyze here ({error})"),
        }
    }
}
