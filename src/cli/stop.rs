//! `stop`, `kill` and `restart`.

use std::collections::BTreeMap;

use crate::act;
use crate::act::procedure::{StopOrder, StopWord};
use crate::core::bot::{BotName, BotSpec, Mode};
use crate::core::code::Code;
use crate::core::progress::{Progress, StageSeen, Standing};
use crate::core::report::Report;
use crate::core::status::RecordSeen;
use crate::core::stop::{Stage, Wish};
use crate::latch;
use crate::record;

use super::args::Scope;
use super::ask::confirm;
use super::bot_lines;
use super::cluster_lines;
use super::desk::Desk;
use super::interrupt::leave_on_interrupt;
use super::output::Output;
use super::scope::{configured, known};

/// Stops or kills the bots of a scope.
pub(super) fn stop(desk: &Desk, scope: &Scope, wish: Wish, output: Output) -> Code {
    let names = match known(desk, scope, output) {
        Ok(names) => names,
        Err(why) => return output.refuse(wish.word(), Code::Usage, &why),
    };
    if wish == Wish::Kill {
        let modes: Vec<_> = names.iter().map(|name| (name.clone(), mode(desk, name))).collect();
        if let Err(why) = confirm(desk, "kill", &modes) {
            return output.refuse("kill", Code::Usage, &why);
        }
    }
    carry_out(desk, wish, &names, output)
}

/// Stops the bots of a scope and starts them anew.
pub(super) fn restart(desk: &Desk, scope: &Scope, output: Output) -> Code {
    let specs = match configured(desk, scope, output) {
        Ok(specs) => specs,
        Err(why) => return output.refuse("restart", Code::Usage, &why),
    };
    if latch::is_latched(&desk.home) {
        let names: Vec<BotName> = specs.iter().map(|spec| spec.name.clone()).collect();
        act::latch_refuses(&desk.home, "restart", &names, &desk.by);
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
    let names: Vec<BotName> = specs.iter().map(|spec| spec.name.clone()).collect();
    carry_out(desk, Wish::Restart, &names, output)
}

/// The mode of what a kill ends, or whose orders are canceled; none if it cannot be known.
pub(super) fn mode(desk: &Desk, name: &BotName) -> Option<Mode> {
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

/// Has a stopper do it, and shows what it says as it says it: one bot's end does not wait for another's.
fn carry_out(desk: &Desk, wish: Wish, names: &[BotName], output: Output) -> Code {
    let specs = desk.config.as_ref().map(|config| config.bots.as_slice());
    // A bot of a cluster has chunks.
    let clusters = desk.config.as_ref().map(|config| config.clusters.clone());
    watch(&StopOrder { clusters, ..StopOrder::new(&desk.home, wish, names, specs, &desk.by) }, output)
}

/// Has a stopper carry this out, and shows what it says.
pub(super) fn watch(order: &StopOrder, output: Output) -> Code {
    let action = order.work.word();
    leave_on_interrupt(output, order.action());
    let mut told = Told::default();
    let report = act::stop(order, &mut |word| match word {
        StopWord::Waiting { bot, what, .. } => output.remark(&format!("{bot}: {what}")),
        StopWord::Progress(progress) => told.show(progress, output),
        // Said of emergency stops alone.
        StopWord::Overall(_) => {}
        // Its last word stands in the report.
        StopWord::Cluster(cluster) => output.remark(&format!("{}: {}", cluster.name, cluster.short())),
        StopWord::Bot(bot) => bot_lines::show(action, bot, output),
        StopWord::Over(report) => show_rest(report, output),
    });
    output.object(&report);
    report.code()
}

/// What was told of each bot's progress, so that nothing is told twice.
#[derive(Default)]
struct Told(BTreeMap<BotName, Vec<String>>);

impl Told {
    /// Tells of stages that have come to something: one line each, as they do.
    fn show(&mut self, progress: &Progress, output: Output) {
        let told = self.0.entry(progress.bot.clone()).or_default();
        let worth =
            |seen: &&StageSeen| matches!(seen.stage, Stage::Chunks | Stage::Signal | Stage::Cancel | Stage::Flush);
        for seen in progress.stages.iter().filter(worth).filter(|seen| !seen.text.is_empty()) {
            let failed = match seen.standing {
                Standing::Ahead => continue,
                Standing::UnderWay | Standing::Done | Standing::Skipped => "",
                Standing::Failed => "FAILED: ",
            };
            // What is counted down is not told every second.
            let text = seen.text.split("; ").next().unwrap_or_default();
            let line = format!("{} {failed}{text}", seen.stage.word());
            if !told.contains(&line) {
                output.remark(&format!("{}: {line}", progress.bot));
                told.push(line);
            }
        }
    }
}

fn show_rest(report: &Report, output: Output) {
    if report.bots.len() > 1
        && let Some(summary) = report.summary()
    {
        output.line(&format!("together: {summary}"));
    }
    cluster_lines::show_reports(report, output);
    for error in &report.errors {
        output.complain(error);
    }
}
