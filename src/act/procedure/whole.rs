//! How far an emergency stop has come as a whole, for whoever watches.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::{self, millis};
use crate::core::bot::BotName;
use crate::core::moment::Moment;
use crate::core::overall::Overall;
use crate::core::progress::{StageSeen, Standing};
use crate::core::stop::Stage;

use super::order::{EmergencyOrder, StopWord};

/// The stages that are those of the whole.
const OWN: [Stage; 4] = [Stage::Lock, Stage::Chunks, Stage::Verify, Stage::Report];

/// What is told of the whole.
pub(super) struct Whole<'a> {
    shown: Mutex<Shown>,
    say: &'a (dyn Fn(&StopWord) + Sync),
    begun: Moment,
}

struct Shown {
    overall: Overall,
    times: [(Option<Moment>, Option<Moment>); OWN.len()],
}

impl<'a> Whole<'a> {
    /// One of which nothing is known but who fired it.
    pub(super) fn new(order: &EmergencyOrder, begun: Moment, say: &'a (dyn Fn(&StopWord) + Sync)) -> Self {
        let overall = blank(order);
        Self { shown: Mutex::new(Shown { overall, times: [(None, None); OWN.len()] }), say, begun }
    }

    /// One stage stands so now, and there is this to say of it.
    pub(super) fn stage(&self, stage: Stage, standing: Standing, text: impl Into<String>) {
        let Some(at) = OWN.iter().position(|own| *own == stage) else { return };
        let mut shown = self.lock();
        let now = clock::now();
        let Shown { overall, times } = &mut *shown;
        let (Some(seen), Some((began, ended))) = (overall.stages.get_mut(at), times.get_mut(at)) else { return };
        (seen.standing, seen.text) = (standing, text.into());
        match standing {
            Standing::Ahead => {}
            Standing::UnderWay => (*began, *ended) = (began.or(Some(now)), None),
            Standing::Done | Standing::Skipped | Standing::Failed => {
                (*began, *ended) = (began.or(Some(now)), ended.or(Some(now)));
            }
        }
        self.tell(&mut shown);
    }

    /// Something else is known of it.
    pub(super) fn write(&self, change: impl FnOnce(&mut Overall)) {
        let mut shown = self.lock();
        change(&mut shown.overall);
        self.tell(&mut shown);
    }

    /// Something went wrong beside the bots.
    pub(super) fn error(&self, error: String) {
        self.write(|overall| {
            if !overall.errors.contains(&error) {
                overall.errors.push(error);
            }
        });
    }

    /// Everything that went wrong beside the bots.
    pub(super) fn errors(&self) -> Vec<String> {
        self.lock().overall.errors.clone()
    }

    /// It is about these bots too.
    pub(super) fn meet(&self, bots: &[BotName]) {
        self.write(|overall| {
            let new: Vec<BotName> = bots.iter().filter(|bot| !overall.bots.contains(bot)).cloned().collect();
            overall.bots.extend(new);
        });
    }

    fn tell(&self, shown: &mut Shown) {
        let now = clock::now();
        shown.overall.elapsed_ms = millis(now.since(self.begun));
        for (seen, (began, ended)) in shown.overall.stages.iter_mut().zip(&shown.times) {
            seen.took_ms = began.map(|began| millis(ended.unwrap_or(now).since(began)));
        }
        (self.say)(&StopWord::Overall(Box::new(shown.overall.clone())));
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is told before anything has happened.
pub(super) fn blank(order: &EmergencyOrder) -> Overall {
    let ahead =
        |stage: &Stage| StageSeen { stage: *stage, standing: Standing::Ahead, text: String::new(), took_ms: None };
    Overall {
        id: order.id.clone(),
        by: order.by.clone(),
        reason: order.reason.clone(),
        drill: order.drill,
        carries_on: false,
        at: order.at,
        elapsed_ms: 0,
        stages: OWN.iter().map(ahead).collect(),
        bots: Vec::new(),
        cap_ms: 0,
        errors: Vec::new(),
    }
}
