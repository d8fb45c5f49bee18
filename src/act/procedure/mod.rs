//! Carries the stop procedure out: one course a bot, side by side, and one report for all of them.
//!
//! A stopper does this in a process of its own, so that it goes on when whoever asked is gone; where no stopper can be
//! started, whoever asked does it itself.

mod alone;
mod anew;
mod beside;
mod board;
mod cancel;
mod chunks;
mod common;
mod crew;
mod emergency;
mod ending;
mod flush;
mod gate;
mod hold;
mod keeper;
mod latching;
mod means;
mod milestones;
mod minder;
mod muster;
mod order;
mod over_api;
mod paper;
mod part;
mod passes;
mod reach;
mod roll;
mod setting;
mod settled;
mod settling;
mod shout;
mod stray;
mod summary;
mod talk;
mod tally;
mod venue;
mod walk;
mod whole;

use std::sync::Mutex;

use crate::clock;
use crate::config::last_good;
use crate::core::bot::BotName;
use crate::core::cluster::ClusterSpec;
use crate::core::report::Report;
use crate::paths::Home;
use crate::readers::Readers;

use super::whole_desk;
use cancel::cancel;
use chunks::Chunks;
use common::Common;
pub use emergency::{Carried, carry_out_emergency};
use ending::end;
pub use order::{Before, CLUSTER_STOP, Chosen, ESTOP, EmergencyOrder, Errand, StopOrder, StopWord, Work};
use part::Ground;
use passes::Passes;
use roll::Roll;
use setting::Places;

/// Carries an order out, and says how it goes. Comes back with the report that was the last word.
pub fn carry_out(order: &StopOrder, tell: &mut (dyn FnMut(&StopWord) + Send)) -> Report {
    let home = Home::at(order.home.clone());
    let lock = paper::make_folder(&home, &order.id);
    let (at, begun) = (clock::wall(), clock::now());
    let specs = match &order.specs {
        Some(specs) => specs.clone(),
        None => whole_desk(&home, &order.fresh),
    };
    let passes = Passes::new(&home, &specs);
    let tell = Mutex::new(tell);
    let say = |word: &StopWord| {
        let mut tell = tell.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        (*tell)(word);
    };
    let readers = Readers::new();
    let (places, roll) = (Places::default(), Roll::default());
    let clusters = order.clusters.clone().unwrap_or_else(|| last_good_clusters(&home));
    let chunks = Chunks::new(&Ground { home: &home, readers: &readers, specs: &specs, order, say: &say }, &clusters);
    let common = Common {
        places: &places,
        home: &home,
        specs: &specs,
        order,
        passes: &passes,
        readers: &readers,
        begun,
        roll: &roll,
        chunks: &chunks,
        say: &say,
    };
    let one = |name: &BotName| {
        let spec = specs.iter().find(|spec| spec.name == *name);
        let mut report = match &order.work {
            Work::End(wish) => end(&common, *wish, name, spec, None),
            Work::Cancel(chosen) => cancel(&common, chosen, name),
        };
        chunks.note(&mut report);
        paper::keep(&home, order, &mut report);
        say(&StopWord::Bot(Box::new(report.clone())));
        chunks.ended(&report);
        report
    };
    let bots = std::thread::scope(|scope| {
        chunks.begin(scope, || ());
        side_by_side(&order.bots, one)
    });
    let mut report = Report::of(order.action(), &order.by, at, bots);
    report.add_clusters(chunks.reports());
    report.duration_ms = clock::millis(clock::now().since(begun));
    paper::keep_whole(&home, &order.id, &mut report);
    // It is over, whether or not whoever asked has heard it yet.
    drop(lock);
    say(&StopWord::Over(Box::new(report.clone())));
    report
}

/// The clusters of the last good configuration; none where there is none.
fn last_good_clusters(home: &Home) -> Vec<ClusterSpec> {
    last_good::read(home).map(|config| config.clusters).unwrap_or_default()
}

fn side_by_side<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let work = &work;
    std::thread::scope(|scope| {
        let threads: Vec<_> = items
            .iter()
            .map(|item| {
                // A machine without room for a thread is one on which things need to be stopped.
                let thread = std::thread::Builder::new().spawn_scoped(scope, move || work(item));
                thread.map_err(|_| work(item))
            })
            .collect();
        threads.into_iter().filter_map(|thread| thread.map_or_else(Some, |thread| thread.join().ok())).collect()
    })
}
