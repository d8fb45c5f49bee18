//! Restarting: a stop whose keeper goes on with the next run, which is spawned only once the old tree is empty.

use std::time::Duration;

use crate::client::Client;
use crate::clock;
use crate::core::bot::BotSpec;
use crate::core::moment::Moment;
use crate::core::protocol::{Request, Snapshot};
use crate::core::report::{BotReport, ExitReport, ProcessReport, StartOutcome, StopOutcome, Tier};
use crate::core::state::State;
use crate::paths::{Home, words};
use crate::record;
use crate::survey::{Marked, see};

use super::stop::{GRACE, Stop, ended_by, side_by_side};
use super::{How, audit, start};

/// Stops bots and starts them anew once their trees are empty. One report a bot, in order.
pub fn restart(home: &Home, specs: &[BotSpec], by: &str, wait: Duration) -> Vec<BotReport> {
    let marked = Marked::search(home);
    side_by_side(specs, |spec| Stop::new(home, &spec.name, How::Stop, by, &marked).restart(spec, wait))
}

/// Whether a snapshot that comes after a restart was accepted is still of the run that is being ended.
fn is_of_the_old_run(snapshot: &Snapshot, run: Option<&str>) -> bool {
    match run {
        None => !matches!(snapshot.state, State::Starting | State::Running),
        Some(run) => run == snapshot.run && snapshot.state != State::Starting,
    }
}

/// Restarting: a stop whose keeper goes on with the next run.
impl Stop<'_> {
    fn restart(mut self, spec: &BotSpec, wait: Duration) -> BotReport {
        let name = spec.name.clone();
        self.report.errors.extend(audit(self.home, &name, "restart", self.by));
        self.report.mode = Some(spec.mode);
        let sight = see(self.home, &name, self.marked);
        match sight.verdict.state {
            State::Orphaned => self.take_back(&sight),
            State::Unknown => self.silence(&sight),
            State::Starting
            | State::Running
            | State::Stopping
            | State::Backoff
            | State::Stopped
            | State::Exited
            | State::Crashed
            | State::Failed => {}
        }
        if crate::latch::is_latched(self.home) {
            self.report.errors.push("the emergency stop is latched".into());
            return self.report;
        }
        if let Err(error) = record::clear_down(&self.home.bot(&name)) {
            self.report.errors.push(format!("cannot remove its mark 'down': {}", words(&error)));
            return self.report;
        }
        let sight = see(self.home, &name, self.marked);
        if sight.verdict.state.is_at_rest() {
            self.at_rest(&sight);
            return self.start_anew(spec, wait);
        }
        self.lived = true;
        self.found(Tier::Keeper);
        let request = Request::Restart { by: self.by.to_owned(), spec: Some(Box::new(spec.clone())) };
        // Watched only once it is accepted: then a bot that runs is the new run.
        let asked = Client::call(&self.home.bot(&name)).and_then(|mut client| {
            let before = client.look()?;
            client.ask(&request)?;
            client.watch()?;
            Ok((client, before))
        });
        match asked {
            Ok((client, before)) => {
                self.take_in(&before);
                self.watch_restart(client, spec, wait)
            }
            Err(trouble) => {
                // Stopped by whatever means there are, and started by a keeper of our own version.
                self.report.notes.push(trouble.to_string());
                self.until_at_rest();
                if self.report.outcome == StopOutcome::Survived { self.report } else { self.start_anew(spec, wait) }
            }
        }
    }

    fn watch_restart(mut self, mut client: Client, spec: &BotSpec, wait: Duration) -> BotReport {
        let mut until: Option<Moment> = None;
        let mut run: Option<String> = None;
        let mut patience = clock::now().plus(GRACE);
        loop {
            match client.next(Duration::from_millis(500)) {
                Ok(Some(snapshot)) if until.is_none() && is_of_the_old_run(&snapshot, run.as_deref()) => {
                    run = Some(snapshot.run.clone());
                    let ends = snapshot.ladder_ends_in_ms.map_or(Duration::ZERO, Duration::from_millis);
                    patience = clock::now().plus(ends + GRACE);
                    self.take_in(&snapshot);
                    if snapshot.survived {
                        self.report.errors.push("it will not end: no second copy is started beside it".into());
                        return self.report;
                    }
                    if snapshot.state.is_at_rest() {
                        self.wait_for_the_keeper_to_leave();
                        let sight = see(self.home, &spec.name, self.marked);
                        self.at_rest(&sight);
                        return self.start_anew(spec, wait);
                    }
                }
                Ok(Some(snapshot)) => {
                    self.end_of_the_old_run(&snapshot);
                    let until = *until.get_or_insert_with(|| clock::now().plus(wait));
                    match snapshot.state {
                        State::Running => {
                            self.report.restarted = true;
                            self.report.notes.push(format!("runs again (pid {})", snapshot.pid.unwrap_or_default()));
                            return self.report;
                        }
                        // Somebody else may restart it again meanwhile.
                        State::Starting | State::Stopping if clock::now() < until => {}
                        State::Starting | State::Stopping => return self.not_ready(),
                        State::Stopped
                        | State::Exited
                        | State::Crashed
                        | State::Backoff
                        | State::Failed
                        | State::Orphaned
                        | State::Unknown => {
                            let why = snapshot.last_exit.map_or_else(String::new, |last| format!(": it {}", last.exit));
                            self.report.errors.push(format!("its new run did not come to run{why}"));
                            return self.report;
                        }
                    }
                }
                Ok(None) if until.is_some_and(|until| clock::now() >= until) => return self.not_ready(),
                Ok(None) if until.is_some() || clock::now() < patience => {}
                Ok(None) | Err(_) => {
                    self.until_at_rest();
                    return if self.report.outcome == StopOutcome::Survived {
                        self.report
                    } else {
                        self.start_anew(spec, wait)
                    };
                }
            }
        }
    }

    fn end_of_the_old_run(&mut self, snapshot: &Snapshot) {
        self.report.outcome = StopOutcome::Stopped;
        for seen in &snapshot.before {
            let known = self.report.processes.iter().position(|process| process.pid == seen.pid);
            let report = ProcessReport {
                pid: seen.pid,
                command: seen.command.clone(),
                found_by: Tier::Keeper,
                file: None,
                ended_by: Some(ended_by(seen)),
            };
            match known {
                Some(at) => self.report.processes[at].ended_by = report.ended_by,
                None => self.report.processes.push(report),
            }
        }
        for process in &mut self.report.processes {
            process.ended_by.get_or_insert_with(|| "itself".to_owned());
        }
        if self.report.exit.is_none()
            && let Some(last) = &snapshot.last_exit
        {
            self.report.exit = Some(ExitReport { code: last.exit.code(), signal: last.exit.signal() });
        }
    }

    fn not_ready(mut self) -> BotReport {
        self.report.restarted = true;
        self.report.notes.push(super::STILL_STARTING.into());
        self.report
    }

    fn start_anew(mut self, spec: &BotSpec, wait: Duration) -> BotReport {
        let started = start(self.home, std::slice::from_ref(spec), self.by, wait).into_iter().next();
        match started {
            Some(started) => match started.outcome {
                StartOutcome::Started | StartOutcome::AlreadyRunning | StartOutcome::Adopted => {
                    self.report.restarted = true;
                    self.report.notes.push(started.message);
                }
                StartOutcome::StillStarting => return self.not_ready(),
                StartOutcome::Failed | StartOutcome::Refused | StartOutcome::Latched => {
                    self.report.errors.push(started.message);
                }
            },
            None => self.report.errors.push("it was not started".into()),
        }
        self.report
    }
}
