//! Who belongs to a tree whose parent we are not: what descends from a proven process, and what shares a session with
//! it that could only have been made inside the tree.

use std::collections::{HashMap, HashSet};

/// A living process, as far as kinship goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its number.
    pub pid: i32,
    /// Its parent's.
    pub parent: i32,
    /// Its session's.
    pub session: i32,
}

/// Everybody of `rows` who is of the tree, given those who were `proven` to be.
///
/// A session counts if its leader is of the tree. `own_session` is the one that a bot of ours was put into when it was
/// spawned: it counts for as long as anybody proven is in it, for the number of a session is not given away while it
/// has a member (`setsid(2)`, and the kernel's reference on the number). Any other session may be a terminal's, and
/// have its operator in it. `apart` are processes that are never of the tree, keepers of other bots above all; nothing
/// is reached through them.
#[expect(clippy::implicit_hasher, reason = "there is one caller")]
pub fn kin(rows: &[Row], proven: &HashSet<i32>, own_session: Option<i32>, apart: impl Fn(i32) -> bool) -> HashSet<i32> {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    let mut sessions: HashMap<i32, Vec<i32>> = HashMap::new();
    for row in rows {
        children.entry(row.parent).or_default().push(row.pid);
        sessions.entry(row.session).or_default().push(row.pid);
    }
    let mut next: Vec<i32> = rows.iter().map(|row| row.pid).filter(|pid| proven.contains(pid)).collect();
    let own = own_session
        .filter(|own| sessions.get(own).is_some_and(|members| members.iter().any(|pid| proven.contains(pid))));
    next.extend(own.and_then(|own| sessions.get(&own)).into_iter().flatten());
    let mut found = HashSet::new();
    while let Some(pid) = next.pop() {
        if found.contains(&pid) || (apart(pid) && !proven.contains(&pid)) {
            continue;
        }
        found.insert(pid);
        next.extend(children.get(&pid).into_iter().flatten());
        next.extend(sessions.get(&pid).into_iter().flatten());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// pid, parent, session
    fn rows(rows: &[(i32, i32, i32)]) -> Vec<Row> {
        rows.iter().map(|(pid, parent, session)| Row { pid: *pid, parent: *parent, session: *session }).collect()
    }

    fn of(table: &[(i32, i32, i32)], proven: &[i32], own: Option<i32>) -> Vec<i32> {
        let mut found: Vec<i32> =
            kin(&rows(table), &proven.iter().copied().collect(), own, |pid| pid == 99).into_iter().collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn what_descends_from_it_is_its_own() {
        assert_eq!(of(&[(10, 1, 10), (11, 10, 10), (12, 11, 12), (20, 1, 20)], &[10], None), [10, 11, 12]);
    }

    #[test]
    fn whoever_fled_its_parents_is_known_by_a_session_that_a_member_leads() {
        assert_eq!(of(&[(10, 1, 10), (12, 1, 10)], &[10], None), [10, 12]);
        assert_eq!(of(&[(10, 1, 10), (11, 10, 11), (12, 1, 11)], &[10], None), [10, 11, 12]);
    }

    #[test]
    fn the_terminal_of_whoever_started_a_stray_is_not_of_its_tree() {
        assert_eq!(of(&[(5, 1, 5), (10, 5, 5), (11, 5, 5)], &[10], None), [10]);
    }

    #[test]
    fn the_session_that_a_bot_was_spawned_into_outlives_its_leader() {
        let left = [(12, 1, 10), (13, 1, 10), (20, 1, 20)];
        assert_eq!(of(&left, &[12], Some(10)), [12, 13]);
        assert_eq!(of(&left, &[], Some(10)), [0; 0], "nobody proves that the number is still that session's");
        assert_eq!(of(&left, &[12], None), [12]);
    }

    #[test]
    fn nothing_is_reached_through_what_stands_apart() {
        assert_eq!(of(&[(10, 1, 10), (99, 10, 99), (100, 99, 100)], &[10], None), [10]);
    }

    #[test]
    fn parents_that_name_each_other_end_nothing_but_the_search() {
        assert_eq!(of(&[(10, 11, 1), (11, 10, 1)], &[10], None), [10, 11]);
    }
}
