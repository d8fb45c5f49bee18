//! The latch of an emergency stop under way: made, taken by the disk, kept, lifted again by a drill; and the stages that are
//! not those of single bots.

use std::time::Duration;

use crate::core::emergency::{Depth, Input};
use crate::core::progress::Standing;
use crate::core::stop::Stage;
use crate::latch;
use crate::paths::words;

use super::crew::Work;
use super::hold;

/// The disk has this long to take the latch before that is said; it may take it later all the same.
pub(super) const FSYNC: Duration = Duration::from_millis(500);

impl Work<'_> {
    /// Somebody may have lifted it, by hand or where nobody could see that this goes on.
    pub(super) fn keep_the_latch(&mut self) {
        if self.order.drill || self.no_latch.is_some() || latch::is_latched(self.common.home) {
            return;
        }
        match hold::make_again(self.common.home, self.order) {
            Ok(()) => {
                self.whole.error("the latch was lifted while everything was being stopped: it is made again".into());
            }
            Err(error) => self.no_latch = Some(format!("it was lifted meanwhile, and {}", words(&error))),
        }
    }

    pub(super) fn latch(&mut self) -> bool {
        if self.no_latch.is_some() {
            match hold::make_again(self.common.home, self.order) {
                Ok(()) => self.no_latch = None,
                Err(error) => self.no_latch = Some(words(&error)),
            }
        }
        match &self.no_latch {
            None => {
                let standing = if self.synced.is_some() { Standing::UnderWay } else { Standing::Done };
                self.whole.stage(Stage::Lock, standing, "latch written");
            }
            Some(why) => {
                self.whole.stage(Stage::Lock, Standing::Failed, format!("THE LATCH CANNOT BE WRITTEN: {why}"));
            }
        }
        self.no_latch.is_none()
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
        if self.no_latch.is_none() {
            self.whole.stage(Stage::Lock, Standing::Done, text);
        }
    }

    pub(super) fn put_back(&self) -> Input {
        let text = match self.clusters {
            0 => "no cluster is configured".to_owned(),
            count => format!("{count} configured: their chunks are not put back by this version"),
        };
        self.whole.stage(Stage::Chunks, Standing::Skipped, text);
        Input::PutBack
    }

    pub(super) fn show_verify(&self, depth: Depth) {
        match (depth, &self.no_latch) {
            (Depth::Known, _) => {}
            (Depth::All, None) => {
                self.whole.stage(Stage::Verify, Standing::UnderWay, "everything is looked at once more");
            }
            (Depth::All, Some(_)) => {
                let text = "without a latch: what is started again is looked for, for a minute";
                self.whole.stage(Stage::Verify, Standing::UnderWay, text);
            }
        }
    }

    pub(super) fn lift(&mut self) -> Input {
        let home = self.common.home;
        let is_ours = latch::look(home).latch().is_some_and(|latch| latch.drill && latch.id == self.order.id);
        if !is_ours {
            self.whole.error("the latch of the drill became another one, and was left alone".into());
        } else if let Err(error) = latch::lift(home) {
            let why = format!("the latch of the drill cannot be lifted again: {}", words(&error));
            self.whole.error(why);
        } else {
            self.lifted = true;
        }
        Input::Lifted
    }
}
