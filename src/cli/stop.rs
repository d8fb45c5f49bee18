//! `stop`, `kill` and `restart`.

use jiff::Timestamp;

use crate::act::{self, How, START_WAIT, STILL_STARTING};
use crate::clock;
use crate::core::bot::{BotName, BotSpec, Mode};
use crate::core::code::Code;
use crate::core::report::{BotReport, Report, StopOutcome};
use crate::core::status::RecordSeen;
use crate::latch;
use crate::record;

use super::args::Scope;
use super::ask::confirm;
use super::desk::Desk;
use super::interrupt::leave_on_interrupt;
use super::output::Output;
use super::scope::{configured, known};

/// Stops or kills the bots of a scope.
pub(super) fn stop(desk: &Desk, scope: &Scope, how: How, output: Output) -> Code {
    let names = match known(desk, scope, output) {
        Ok(names) => names,
        Err(why) => return output.refuse(how.word(), Code::Usage, &why),
    };
    if how == How::Kill {
        let modes: Vec<_> = names.iter().map(|name| (name.clone(), mode(desk, name))).collect();
        if let Err(why) = confirm(desk, "kill", &modes) {
            return output.refuse("kill", Code::Usage, &why);
        }
    }
    let begun = clock::wall();
    leave_on_interrupt(output, how.word());
    let bots = act::stop(&desk.home, &names, how, &desk.by);
    tell(desk, how.word(), begun, bots, output)
}

/// Stops the bots of a scope and starts them anew.
pub(super) fn restart(desk: &Desk, scope: &Scope, output: Output) -> Code {
    let specs = match configured(desk, scope, output) {
        Ok(specs) => specs,
        Err(why) => return output.refuse("restart", Code::Usage, &why),
    };
    if latch::is_latched(&desk.home) {
        return output.refuse(
            "restart",
            Code::Latched,
            "the emergency stop is latched: nothing starts until it is reset",
        );
    }
    let modes: Vec<_> = specs.iter().map(|spec| (spec.name.clone(), riskier_mode(desk, spec))).collect();
    if let Err(why) = confirm(desk, "restart", &modes) {
        return output.refuse("restart", Code::Usage, &why);
    }
    let begun = clock::wall();
    leave_on_interrupt(output, "restart");
    let bots = act::restart(&desk.home, &specs, &desk.by, START_WAIT);
    tell(desk, "restart", begun, bots, output)
}

/// The mode of what a kill ends; none if it cannot be known.
fn mode(desk: &Desk, name: &BotName) -> Option<Mode> {
    match record::read(&desk.home.bot(name)) {
        RecordSeen::Read(record) if record.ended.is_none() => Some(record.mode),
        RecordSeen::Read(_) | RecordSeen::None => {
            desk.config.as_ref().and_then(|config| config.bot(name)).map(|spec| spec.mode)
        }
        // It may live, and as what only its record could say.
        RecordSeen::Unreadable(_) => None,
    }
}

/// A restart ends one run and begins another: the mode in which more is at stake, none if it cannot be known.
fn riskier_mode(desk: &Desk, spec: &BotSpec) -> Option<Mode> {
    match record::read(&desk.home.bot(&spec.name)) {
        RecordSeen::Read(record) if record.ended.is_none() => Some(record.mode.max(spec.mode)),
        RecordSeen::Read(_) | RecordSeen::None => Some(spec.mode),
        RecordSeen::Unreadable(_) => None,
    }
}

fn tell(desk: &Desk, action: &str, begun: Timestamp, bots: Vec<BotReport>, output: Output) -> Code {
    let code = Code::worst(bots.iter().map(|bot| code(action, bot)));
    let duration_ms = clock::wall().duration_since(begun).as_millis();
    let width = bots.iter().map(|bot| bot.name.as_str().len()).max().unwrap_or_default();
    for bot in &bots {
        let text = format!("{:width$}  {}", bot.name, sentence(action, bot));
        match bot.outcome {
            StopOutcome::Stopped | StopOutcome::NotRunning => output.line(&text),
            StopOutcome::Survived => output.line(&output.red(&text)),
        }
        for note in &bot.notes {
            output.line(&format!("{:width$}  {note}", ""));
        }
        for error in &bot.errors {
            output.complain(&format!("{}: {error}", bot.name));
        }
    }
    output.object(&Report {
        schema: 1,
        action: action.to_owned(),
        ok: code == Code::Done,
        exit_code: code.number(),
        at: begun,
        duration_ms: u64::try_from(duration_ms).unwrap_or_default(),
        latched: None,
        scope: Some(bots.iter().map(|bot| bot.name.as_str()).collect::<Vec<_>>().join(" ")),
        by: Some(desk.by.clone()),
        reason: None,
        bots,
        clusters: Vec::new(),
        errors: Vec::new(),
    });
    code
}

fn code(action: &str, bot: &BotReport) -> Code {
    if bot.outcome == StopOutcome::Survived {
        return Code::Survived;
    }
    if bot.errors.iter().any(|error| error == "the emergency stop is latched") {
        return Code::Latched;
    }
    if action == "restart" && bot.notes.iter().any(|note| note == STILL_STARTING) {
        return Code::StillWorking;
    }
    if !bot.errors.is_empty() || (action == "restart" && !bot.restarted) { Code::Failed } else { Code::Done }
}

fn sentence(action: &str, bot: &BotReport) -> String {
    match bot.outcome {
        StopOutcome::NotRunning if action == "restart" => "was not running".to_owned(),
        StopOutcome::NotRunning => "nothing was running".to_owned(),
        StopOutcome::Survived => "NOT STOPPED: something of it lives, or may".to_owned(),
        StopOutcome::Stopped => {
            let ended: Vec<String> = bot
                .processes
                .iter()
                .map(|process| format!("pid {} by {}", process.pid, process.ended_by.as_deref().unwrap_or("itself")))
                .collect();
            match ended.as_slice() {
                [] => "stopped; nothing of it lives".to_owned(),
                [one] => format!("stopped ({one}); nothing of it lives"),
                [first, ..] => format!("stopped {} processes ({first}, ...); nothing of it lives", ended.len()),
            }
        }
    }
}
