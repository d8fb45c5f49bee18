//! `start` and `up`.

use crate::act::{self, NOTHING_TO_ADOPT, START_WAIT};
use crate::core::bot::BotName;
use crate::core::code::Code;
use crate::core::report::{StartOutcome, StartReport, StartedBot};
use crate::latch;

use super::args::Scope;
use super::ask::confirm;
use super::desk::Desk;
use super::interrupt::leave_on_interrupt;
use super::output::Output;
use super::scope::{configured, known};

/// Starts the bots of a scope.
pub(super) fn start(desk: &Desk, scope: &Scope, output: Output) -> Code {
    let specs = match configured(desk, scope, output) {
        Ok(specs) => specs,
        Err(why) => return output.refuse("start", Code::Usage, &why),
    };
    if latch::is_latched(&desk.home) {
        let names: Vec<BotName> = specs.iter().map(|spec| spec.name.clone()).collect();
        act::latch_refuses(&desk.home, "start", &names, &desk.by);
        return output.refuse(
            "start",
            Code::Latched,
            "the emergency stop is latched: nothing starts until it is reset",
        );
    }
    let modes: Vec<_> = specs.iter().map(|spec| (spec.name.clone(), Some(spec.mode))).collect();
    if let Err(why) = confirm(desk, "start", &modes) {
        return output.refuse("start", Code::Usage, &why);
    }
    leave_on_interrupt(output, "start");
    tell("start", &act::start(&desk.home, &specs, &desk.by, START_WAIT), output)
}

/// Takes bots that live without a keeper under one.
pub(super) fn adopt(desk: &Desk, scope: &Scope, output: Output) -> Code {
    let names = match known(desk, scope, output) {
        Ok(names) => names,
        Err(why) => return output.refuse("adopt", Code::Usage, &why),
    };
    if latch::is_latched(&desk.home) {
        act::latch_refuses(&desk.home, "adopt", &names, &desk.by);
        return output.refuse(
            "adopt",
            Code::Latched,
            "the emergency stop is latched: nothing is adopted until it is reset",
        );
    }
    leave_on_interrupt(output, "adopt");
    let specs = desk.config.as_ref().map(|config| config.bots.as_slice()).unwrap_or_default();
    let mut bots = act::adopt(&desk.home, specs, &names, &desk.by, START_WAIT);
    if scope.bots.is_empty() {
        // Of all, or of a group, those that are at rest were not meant.
        bots.retain(|bot| bot.message != NOTHING_TO_ADOPT);
    }
    tell("adopt", &bots, output)
}

/// Starts what should be running and takes orphans back. Says nothing when there is nothing to do.
pub(super) fn up(desk: &Desk, output: Output) -> Code {
    let all = Scope { all: true, ..Scope::default() };
    let specs = match configured(desk, &all, output) {
        Ok(specs) => specs,
        Err(why) => return output.refuse("up", Code::Usage, &why),
    };
    if latch::is_latched(&desk.home) {
        act::latch_refuses_up(&desk.home, &desk.by);
        return output.refuse("up", Code::Latched, "the emergency stop is latched: nothing starts until it is reset");
    }
    leave_on_interrupt(output, "up");
    tell("up", &act::up(&desk.home, &specs, &desk.by, START_WAIT), output)
}

fn tell(action: &str, bots: &[StartedBot], output: Output) -> Code {
    let code = Code::worst(bots.iter().map(|bot| code(bot.outcome)));
    let width = bots.iter().map(|bot| bot.name.as_str().len()).max().unwrap_or_default();
    for bot in bots {
        let text = format!("{:width$}  {}", bot.name, bot.message);
        match bot.outcome {
            StartOutcome::Started | StartOutcome::Adopted | StartOutcome::AlreadyRunning => output.line(&text),
            StartOutcome::StillStarting | StartOutcome::Failed | StartOutcome::Refused | StartOutcome::Latched => {
                output.complain(&text);
            }
        }
    }
    output.object(&StartReport {
        schema: 1,
        action: action.to_owned(),
        ok: code == Code::Done,
        exit_code: code.number(),
        bots: bots.to_vec(),
        errors: Vec::new(),
    });
    code
}

fn code(outcome: StartOutcome) -> Code {
    match outcome {
        StartOutcome::Started | StartOutcome::Adopted | StartOutcome::AlreadyRunning => Code::Done,
        StartOutcome::StillStarting => Code::StillWorking,
        StartOutcome::Failed | StartOutcome::Refused => Code::Failed,
        StartOutcome::Latched => Code::Latched,
    }
}
