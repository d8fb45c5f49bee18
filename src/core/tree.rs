//! Which processes of a tree a signal goes to.

use std::collections::HashMap;

use super::lifecycle::Reach;

/// One process of a tree, with what matters for a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its number.
    pub pid: i32,
    /// Its parent's.
    pub parent: i32,
    /// Whether it catches the signal in question.
    pub catches: bool,
    /// Whether it was sent the signal before.
    pub had: bool,
}

/// The members that the signal is to be sent to now.
///
/// [`Reach::Heads`] leaves out whoever has an ancestor in the tree that catches the signal. Such an ancestor tells its
/// own children (a forwarder such as `timeout` or `tini`, a bot with a pool of workers), and a child that hears it twice
/// may break off its cleanup: freqtrade does. A wrapper that does not catch the signal tells nobody, so its children
/// are told directly.
pub fn targets(members: &[Member], reach: Reach) -> Vec<i32> {
    match reach {
        Reach::Nobody => Vec::new(),
        Reach::All => members.iter().map(|member| member.pid).collect(),
        Reach::Rest => members.iter().filter(|member| !member.had).map(|member| member.pid).collect(),
        Reach::Heads => {
            let by_pid: HashMap<i32, &Member> = members.iter().map(|member| (member.pid, member)).collect();
            members
                .iter()
                .filter(|member| !member.had && !is_told_by_an_ancestor(member, &by_pid))
                .map(|member| member.pid)
                .collect()
        }
    }
}

fn is_told_by_an_ancestor(member: &Member, by_pid: &HashMap<i32, &Member>) -> bool {
    let mut seen = 0;
    let mut parent = member.parent;
    while let Some(ancestor) = by_pid.get(&parent) {
        seen += 1;
        if ancestor.catches || seen > by_pid.len() {
            return ancestor.catches;
        }
        parent = ancestor.parent;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(pid: i32, parent: i32, catches: bool) -> Member {
        Member { pid, parent, catches, had: false }
    }

    #[test]
    fn a_wrapper_that_catches_nothing_does_not_shield_its_child() {
        let tree = [member(10, 1, false), member(11, 10, true)];
        assert_eq!(targets(&tree, Reach::Heads), [10, 11]);
    }

    #[test]
    fn a_bot_that_catches_it_tells_its_own_workers() {
        let tree = [member(10, 1, true), member(11, 10, false), member(12, 11, false)];
        assert_eq!(targets(&tree, Reach::Heads), [10]);
    }

    #[test]
    fn who_has_had_it_is_not_told_again() {
        let tree = [Member { had: true, ..member(10, 1, false) }, member(11, 10, false)];
        assert_eq!(targets(&tree, Reach::Heads), [11]);
        assert_eq!(targets(&tree, Reach::Rest), [11]);
        assert_eq!(targets(&tree, Reach::All), [10, 11]);
        assert_eq!(targets(&tree, Reach::Nobody), [0; 0]);
    }

    #[test]
    fn parents_that_name_each_other_end_nothing_but_the_search() {
        let tree = [member(10, 11, false), member(11, 10, false)];
        assert_eq!(targets(&tree, Reach::Heads), [10, 11]);
    }
}
