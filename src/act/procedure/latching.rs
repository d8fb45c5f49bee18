//! The latch of an emergency stop under way: made, taken by the disk, kept, and lifted again by a drill.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use crate::core::progress::Standing;
use crate::core::stop::Stage;
use crate::latch;
use crate::paths::{Home, words};

use super::hold;
use super::order::EmergencyOrder;
use super::whole::Whole;

/// The disk has this long to take the latch before that is said; it may take it later all the same.
pub(super) const FSYNC: Duration = Duration::from_millis(500);

/// The latch of one emergency stop.
pub(super) struct Latching<'a> {
    pub(super) home: &'a Home,
    pub(super) order: &'a EmergencyOrder,
    pub(super) whole: &'a Whole<'a>,
    /// Why there is none.
    pub(super) trouble: Option<String>,
    /// What the disk says, once it has taken it.
    pub(super) synced: Option<Receiver<Result<(), String>>>,
    /// Whether it was lifted again.
    pub(super) lifted: bool,
}

impl Latching<'_> {
    /// Somebody may have lifted it, by hand or where nobody could see that this goes on.
    pub(super) fn keep(&mut self) {
        if self.order.drill || self.trouble.is_some() || latch::is_latched(self.home) {
            return;
        }
        match hold::make_again(self.home, self.order) {
            Ok(()) => {
                self.whole.error("the latch was lifted while everything was being stopped: it is made again".into());
            }
            Err(error) => self.trouble = Some(format!("it was lifted meanwhile, and {}", words(&error))),
        }
    }

    /// Whether it is there; where it could not be made, that is tried again.
    pub(super) fn make(&mut self) -> bool {
        if self.trouble.is_some() {
            match hold::make_again(self.home, self.order) {
                Ok(()) => self.trouble = None,
                Err(error) => self.trouble = Some(words(&error)),
            }
        }
        match &self.trouble {
            None => {
                let standing = if self.synced.is_some() { Standing::UnderWay } else { Standing::Done };
                self.whole.stage(Stage::Lock, standing, "latch written");
            }
            Some(why) => {
                self.whole.stage(Stage::Lock, Standing::Failed, format!("THE LATCH CANNOT BE WRITTEN: {why}"));
            }
        }
        self.trouble.is_none()
    }

    /// What the disk says of the latch, as soon as it does.
    pub(super) fn show_sync(&mut self, begun: bool) {
        let Some(synced) = &self.synced else { return };
        let text = match synced.try_recv() {
            Ok(Ok(())) => "latch written, fsync ok".to_owned(),
            Ok(Err(why)) => format!("latch written; the disk did not take it: {why}"),
            Err(_) if begun => return,
            Err(_) => "latch written; the disk has not taken it in half a second".to_owned(),
        };
        self.synced = None;
        if self.trouble.is_none() {
            self.whole.stage(Stage::Lock, Standing::Done, text);
        }
    }

    /// A drill lifts its own again, if it still is its own.
    pub(super) fn lift(&mut self) {
        let home = self.home;
        let is_ours = latch::look(home).latch().is_some_and(|latch| latch.drill && latch.id == self.order.id);
        if !is_ours {
            self.whole.error("the latch of the drill became another one, and was left alone".into());
        } else if let Err(error) = latch::lift(home) {
            let why = format!("the latch of the drill cannot be lifted again: {}", words(&error));
            self.whole.error(why);
        } else {
            self.lifted = true;
        }
    }
}
