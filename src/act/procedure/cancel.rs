//! Cancels orders of one bot, which goes on.

use crate::core::bot::BotName;
use crate::core::ledger::{Ledger, Which};
use crate::core::progress::Standing;
use crate::core::report::{BotReport, OrdersReport};
use crate::core::stop::Stage;

use super::board::Board;
use super::common::Common;
use super::order::Chosen;
use super::over_api::{self, Then};
use super::setting::Setting;
use super::settled::{settle, show};
use super::venue::Venue;

use crate::act::audit;

/// Cancels the orders of a bot: all of them, or those that were chosen.
pub(super) fn cancel(common: &Common<'_>, chosen: &[Chosen], name: &BotName) -> BotReport {
    let begun = crate::clock::now();
    let setting = Setting::of(common.home, name, common.specs, common.places);
    let board = Board::new(name.clone(), true, common.say);
    for stage in [Stage::Lock, Stage::Chunks, Stage::Signal, Stage::Flush, Stage::Empty] {
        board.stage(stage, Standing::Skipped, "");
    }
    let mut report = BotReport { mode: setting.mode, ..BotReport::of_orders(name.clone()) };
    board.write(|progress| progress.mode = setting.mode);
    report.errors.extend(audit(common.home, name, "cancel", &common.order.by, common.order.tty.as_deref()));
    let which = chosen.iter().find(|chosen| chosen.bot == *name);
    let which = which.map_or(Which::All, |chosen| Which::These(chosen.orders.clone()));
    let mut venue = Venue::new(common.home, &setting, common.readers, which);
    if !setting.shared_with.is_empty() {
        let others: Vec<&str> = setting.shared_with.iter().map(BotName::as_str).collect();
        report.notes.push(format!("orders of {} are read from the same place: they are meant too", others.join(", ")));
    }
    if venue.is_readable() {
        let time = venue.time();
        let tell = &mut |ledger: &Ledger, what: &str| show(&board, ledger, what, None);
        if let Some(api) = setting.api()
            && venue.read(time)
            && !venue.ledger.to_cancel().is_empty()
        {
            report.notes.extend(over_api::cancel(&mut venue, api, Then::Stay, tell));
        }
        let _alone = venue.alone(tell);
        venue.cancel(time, tell);
        report.orders = venue.ledger.report(true);
        let settled = settle(&venue, report.orders.as_ref());
        report.unasked = settled.unasked;
        report.errors.extend(settled.errors);
        report.notes.extend(settled.notes);
        let open = report.orders.as_ref().is_some_and(|orders| orders.unconfirmed > 0);
        if open && setting.cancel.is_none() && setting.api().is_none() {
            report.errors.push("only the bot itself can cancel them: it has no cancel command".into());
        }
        let known = venue.ledger.is_current();
        for name in venue.ledger.nobody_is_called().into_iter().filter(|_| known) {
            let name = crate::config::visible(name);
            report.notes.push(format!("no open order of it is called {name}: gone already, or never there"));
        }
    } else {
        report.errors.push("its orders are unknown: no source of them is configured; nothing was canceled".into());
    }
    let standing = if report.errors.is_empty() { Standing::Done } else { Standing::Failed };
    let summary = report.orders.as_ref().map_or_else(String::new, OrdersReport::summary);
    board.stage(Stage::Cancel, standing, summary);
    board.stage(Stage::Verify, standing, "");
    for error in &report.errors {
        board.error(error);
    }
    board.stage(Stage::Report, Standing::Done, "");
    board.end();
    report.duration_ms = crate::clock::millis(crate::clock::now().since(begun));
    report
}
