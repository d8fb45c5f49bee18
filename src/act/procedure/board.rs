//! How far one bot's stop has come, for whoever watches: several hands write on it, and what changed is said, but not more
//! than a few times a second.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::{self, millis};
use crate::core::bot::BotName;
use crate::core::moment::Moment;
use crate::core::progress::{Progress, StageSeen, Standing};
use crate::core::stop::Stage;

use super::order::StopWord;

/// No more than ten times a second.
const CALM: Duration = Duration::from_millis(100);

/// One bot's stop, as it is shown.
pub(super) struct Board<'a> {
    shown: Mutex<Shown>,
    say: &'a (dyn Fn(&StopWord) + Sync),
    begun: Moment,
    /// Before this, nothing is said: a stop that is over in a moment is not worth the words.
    quiet_until: Moment,
}

struct Shown {
    progress: Progress,
    times: Vec<(Option<Moment>, Option<Moment>)>,
    said: Option<Moment>,
    changed: bool,
}

impl<'a> Board<'a> {
    /// A board on which every stage is still ahead. `at_once`: it is worth watching from the beginning.
    pub(super) fn new(bot: BotName, at_once: bool, say: &'a (dyn Fn(&StopWord) + Sync)) -> Self {
        let begun = clock::now();
        let stages: Vec<StageSeen> = Stage::ALL
            .iter()
            .map(|stage| StageSeen { stage: *stage, standing: Standing::Ahead, text: String::new(), took_ms: None })
            .collect();
        let times = vec![(None, None); stages.len()];
        let progress = Progress { stages, ..Progress::new(bot, None) };
        let shown = Mutex::new(Shown { progress, times, said: None, changed: false });
        let quiet_until = if at_once { begun } else { begun.plus(CALM) };
        Self { shown, say, begun, quiet_until }
    }

    /// Writes something on it.
    pub(super) fn write(&self, change: impl FnOnce(&mut Progress)) {
        let mut shown = self.lock();
        let before = shown.progress.clone();
        change(&mut shown.progress);
        shown.changed |= shown.progress != before;
        self.say_if_due(&mut shown, false);
    }

    /// One stage stands so now, and there is this to say of it.
    pub(super) fn stage(&self, stage: Stage, standing: Standing, text: impl Into<String>) {
        let text = text.into();
        let mut shown = self.lock();
        let Some(at) = shown.progress.stages.iter().position(|seen| seen.stage == stage) else { return };
        let now = clock::now();
        let seen = &mut shown.progress.stages[at];
        let turned = seen.standing != standing;
        if !turned && seen.text == text {
            return;
        }
        (seen.standing, seen.text) = (standing, text);
        shown.changed = true;
        let (began, ended) = &mut shown.times[at];
        match standing {
            Standing::Ahead => {}
            Standing::UnderWay => (*began, *ended) = (began.or(Some(now)), None),
            Standing::Done | Standing::Skipped | Standing::Failed => {
                (*began, *ended) = (began.or(Some(now)), ended.or(Some(now)));
            }
        }
        self.say_if_due(&mut shown, turned);
    }

    /// One stage stands so now; what there is to say of it stays.
    pub(super) fn standing(&self, stage: Stage, standing: Standing) {
        let seen = self.lock().progress.stages.iter().find(|seen| seen.stage == stage).map(|seen| seen.text.clone());
        self.stage(stage, standing, seen.unwrap_or_default());
    }

    /// Something went wrong; every error is kept.
    pub(super) fn error(&self, error: &str) {
        self.write(|progress| {
            if !progress.errors.iter().any(|known| known == error) {
                progress.errors.push(error.to_owned());
            }
        });
    }

    /// Says what has changed and was not said yet.
    pub(super) fn tick(&self) {
        self.say_if_due(&mut self.lock(), false);
    }

    /// Says how it stands now, if that was not said yet: the last word.
    pub(super) fn end(&self) {
        self.say_if_due(&mut self.lock(), true);
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say_if_due(&self, shown: &mut Shown, at_once: bool) {
        let now = clock::now();
        let calm = shown.said.is_none_or(|said| now.since(said) >= CALM);
        if !shown.changed || now < self.quiet_until || !(calm || at_once) {
            return;
        }
        shown.changed = false;
        shown.said = Some(now);
        shown.progress.elapsed_ms = millis(now.since(self.begun));
        for (seen, (began, ended)) in shown.progress.stages.iter_mut().zip(&shown.times) {
            seen.took_ms = began.map(|began| millis(ended.unwrap_or(now).since(began)));
        }
        (self.say)(&StopWord::Progress(Box::new(shown.progress.clone())));
    }
}
