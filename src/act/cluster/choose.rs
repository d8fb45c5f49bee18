//! Which chunks are put back, of those that were asked for: never one that a live worker holds.

use jiff::Timestamp;

use crate::cluster::Claim;
use crate::cluster::sight::Sight;
use crate::core::chunk::Chunk;
use crate::core::cluster_status::{Checked, Hold};
use crate::core::crew::Who;

/// Which chunks of a cluster are to be put back.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// Every stale one.
    Stale,
    /// Every failed one.
    Failed,
    /// Every stale and every failed one.
    Both,
    /// These, as they were seen when they were chosen.
    These(Vec<Claim>),
    /// Those with these ids, as people write them.
    Named(Vec<String>),
}

/// What is put back, and what is not.
#[derive(Debug, Default)]
pub(super) struct Choice {
    pub(super) claims: Vec<Claim>,
    /// What was chosen by name, and is not put back: sentences.
    pub(super) refused: Vec<String>,
    /// What was left alone otherwise.
    pub(super) notes: Vec<String>,
}

/// What may be put back of a cluster that was just looked at.
pub(super) fn choose(sight: &Sight, wanted: &Wanted, unverified: bool, now: Timestamp) -> Choice {
    let checked = sight.checked(now);
    let failed = sight.reading.as_ref().map(|census| census.failed.as_slice()).unwrap_or_default();
    let mut choice = Choice::default();
    match wanted {
        Wanted::Stale => choice.add_stale(sight, &checked, unverified),
        Wanted::Failed => choice.add_failed(failed),
        Wanted::Both => {
            choice.add_stale(sight, &checked, unverified);
            choice.add_failed(failed);
        }
        Wanted::These(claims) => {
            for claim in claims {
                choice.add_this(sight, &checked, failed, claim, unverified);
            }
        }
        Wanted::Named(ids) => {
            for id in ids {
                choice.add_named(sight, &checked, failed, id, unverified);
            }
        }
    }
    choice
}

impl Choice {
    fn add_stale(&mut self, sight: &Sight, checked: &[Checked], unverified: bool) {
        let mut alone = Vec::new();
        for one in checked {
            match one.hold {
                Hold::Held => {}
                Hold::Overdue => self.notes.push(held(sight, one)),
                Hold::Stale => self.claims.push(Claim::of(&one.chunk, false)),
                Hold::Unverified if unverified => self.claims.push(Claim::of(&one.chunk, false)),
                Hold::Unverified => alone.push(one),
            }
        }
        if let Some(first) = alone.first() {
            self.notes.push(format!(
                "{} left alone: {}; --unverified puts {} back too",
                alone.len(),
                first.why,
                if alone.len() == 1 { "it" } else { "them" }
            ));
        }
    }

    /// Chunks whose ids are the same are put back by one change.
    fn add_claim(&mut self, chunk: &Chunk, failed: bool) {
        let claim = Claim::of(chunk, failed);
        if !self.claims.contains(&claim) {
            self.claims.push(claim);
        }
    }

    fn add_failed(&mut self, failed: &[Chunk]) {
        self.claims.extend(failed.iter().map(|chunk| Claim::of(chunk, true)));
    }

    fn add_this(&mut self, sight: &Sight, checked: &[Checked], failed: &[Chunk], wanted: &Claim, unverified: bool) {
        if wanted.failed {
            match failed.iter().find(|chunk| Claim::of(chunk, true) == *wanted) {
                Some(chunk) => self.claims.push(Claim::of(chunk, true)),
                None => self.notes.push(changed(wanted)),
            }
            return;
        }
        match checked.iter().find(|one| Claim::of(&one.chunk, false) == *wanted) {
            Some(one) => self.add_checked(sight, one, unverified),
            None => self.notes.push(changed(wanted)),
        }
    }

    fn add_named(&mut self, sight: &Sight, checked: &[Checked], failed: &[Chunk], id: &str, unverified: bool) {
        let is_it = |chunk: &Chunk| chunk.id.name() == id;
        let before = self.claims.len() + self.refused.len();
        for one in checked.iter().filter(|one| is_it(&one.chunk)) {
            self.add_checked(sight, one, unverified);
        }
        for chunk in failed.iter().filter(|chunk| is_it(chunk)) {
            self.add_claim(chunk, true);
        }
        if self.claims.len() + self.refused.len() == before {
            self.refused.push(format!("chunk {id}: none that runs or has failed is called so"));
        }
    }

    /// One that was chosen by itself.
    fn add_checked(&mut self, sight: &Sight, one: &Checked, unverified: bool) {
        match one.hold {
            Hold::Stale => self.add_claim(&one.chunk, false),
            Hold::Unverified if unverified => self.add_claim(&one.chunk, false),
            Hold::Unverified => self.refused.push(format!(
                "chunk {} is {}, and its lease has not run out; --unverified puts it back all the same",
                id(one),
                one.why
            )),
            Hold::Held | Hold::Overdue => self.refused.push(held(sight, one)),
        }
    }
}

fn held(sight: &Sight, one: &Checked) -> String {
    let who = match sight.crew.who(one.chunk.worker.word().as_deref()) {
        Who::Lives(who, _) => who,
        Who::Gone(_) | Who::Ended(_) | Who::Unverified(_) => "somebody".to_owned(),
    };
    let lease = if one.hold == Hold::Overdue { ", although its lease ran out" } else { "" };
    format!("chunk {} is held by {who}{lease}: stop that worker first", id(one))
}

fn changed(claim: &Claim) -> String {
    let id = claim.id.name();
    format!("chunk {id} has changed meanwhile, and was left alone")
}

fn id(one: &Checked) -> String {
    one.chunk.id.name()
}
