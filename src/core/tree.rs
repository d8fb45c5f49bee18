//! Which processes of a tree a signal goes to.

use std::collections::HashMap;

use super::lifecycle::Reach;

/// What a process most likely knows of a signal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Told {
    /// Nothing.
    #[default]
    No,
    /// It was left to somebody else to tell it: an ancestor, or an init system that tells everybody.
    Left,
    /// We have sent it.
    Yes,
}

/// One process of a tree, with what matters for a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its number.
    pub pid: i32,
    /// Its parent's.
    pub parent: i32,
    /// Whether it catches the signal in question.
    pub catches: bool,
    /// What it knows of it.
    pub told: Told,
}

/// What is to be done with each member now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// These are sent the signal.
    pub send: Vec<i32>,
    /// These are left to somebody else to tell.
    pub leave: Vec<i32>,
}

/// Who is sent the signal now, and who is left to others.
///
/// [`Reach::Heads`] leaves out whoever has an ancestor in the tree that catches the signal. Such an ancestor tells its
/// own children (a forwarder such as `timeout` or `tini`, a bot with a pool of workers), and a child that hears it twice
/// may break off its cleanup: freqtrade does. A wrapper that does not catch the signal tells nobody, so its children
/// are told directly. Who was left to others and catches the signal may be in the middle of its cleanup, even when those
/// others are gone; who does not catch it would be dead if it had been told, so it was not.
pub fn plan(members: &[Member], reach: Reach) -> Plan {
    let pids = |wanted: &dyn Fn(&Member) -> bool| -> Vec<i32> {
        members.iter().filter(|member| wanted(member)).map(|member| member.pid).collect()
    };
    match reach {
        Reach::Nobody => Plan { send: Vec::new(), leave: pids(&|member| member.told == Told::No) },
        Reach::All => Plan { send: pids(&|_| true), leave: Vec::new() },
        Reach::Rest => Plan { send: pids(&|member| member.told != Told::Yes), leave: Vec::new() },
        Reach::Heads => {
            let by_pid: HashMap<i32, &Member> = members.iter().map(|member| (member.pid, member)).collect();
            let shielded = |member: &Member| is_told_by_an_ancestor(member, &by_pid);
            Plan {
                send: pids(&|member| {
                    !shielded(member)
                        && match member.told {
                            Told::No => true,
                            Told::Left => !member.catches,
                            Told::Yes => false,
                        }
                }),
                leave: pids(&|member| member.told == Told::No && shielded(member)),
            }
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
        Member { pid, parent, catches, told: Told::No }
    }

    fn sent(members: &[Member], reach: Reach) -> Vec<i32> {
        plan(members, reach).send
    }

    #[test]
    fn a_wrapper_that_catches_nothing_does_not_shield_its_child() {
        let tree = [member(10, 1, false), member(11, 10, true)];
        assert_eq!(plan(&tree, Reach::Heads), Plan { send: vec![10, 11], leave: vec![] });
    }

    #[test]
    fn a_bot_that_catches_it_tells_its_own_workers() {
        let tree = [member(10, 1, true), member(11, 10, false), member(12, 11, false)];
        assert_eq!(plan(&tree, Reach::Heads), Plan { send: vec![10], leave: vec![11, 12] });
    }

    #[test]
    fn who_was_left_to_a_forwarder_that_is_gone_may_be_cleaning_up() {
        let bot = Member { told: Told::Left, ..member(11, 1, true) };
        assert_eq!(sent(&[bot], Reach::Heads), [0; 0]);
        assert_eq!(sent(&[bot], Reach::Rest), [11]);
    }

    #[test]
    fn who_would_be_dead_if_it_had_been_told_was_not() {
        let sleeper = Member { told: Told::Left, ..member(11, 1, false) };
        assert_eq!(sent(&[sleeper], Reach::Heads), [11]);
    }

    #[test]
    fn who_has_had_it_is_not_told_again() {
        let tree = [Member { told: Told::Yes, ..member(10, 1, false) }, member(11, 10, false)];
        assert_eq!(sent(&tree, Reach::Heads), [11]);
        assert_eq!(sent(&tree, Reach::Rest), [11]);
        assert_eq!(sent(&tree, Reach::All), [10, 11]);
        assert_eq!(plan(&tree, Reach::Nobody), Plan { send: vec![], leave: vec![11] });
    }

    #[test]
    fn parents_that_name_each_other_end_nothing_but_the_search() {
        let tree = [member(10, 11, false), member(11, 10, false)];
        assert_eq!(sent(&tree, Reach::Heads), [10, 11]);
    }
}
