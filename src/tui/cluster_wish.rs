//! What an operator wants done to clusters: which chunks are meant, whether they may be touched, whether it must be asked
//! about first. What is asked about are the claims as they were then, so that nothing that is claimed meanwhile is hit.

use std::collections::BTreeMap;

use crate::core::bot::{BotName, Mode};
use crate::core::cluster::ClusterSpec;
use crate::core::cluster_status::Hold;
use crate::core::report::LATCHED;
use crate::core::state::State;

use super::cluster_deed::{ClusterWish, NONE};
use super::clusters::{ChunkRow, Cluster, RowId};
use super::deed::{self, Deed, Guard, Target};
use super::effect::{Effect, tell, ticket};
use super::message::Ticket;
use super::model::{About, ConfirmedClusters, Dialog, Doing, Focus, MISTAKES, Model, Tone};
use super::stops::Begun;
use super::text::plural;
use super::whom;
use super::wish::{LATCHED_HERE, is_busy};

/// Somebody wants this done to the cluster under the cursor, or to chunks.
pub(super) fn want(model: &mut Model, effects: &mut Vec<Effect>, deed: Deed) {
    if model.fixed.read_only {
        let what =
            if deed == Deed::Requeue { "requeue chunks".to_owned() } else { format!("{} a cluster", deed.verb()) };
        tell(model, effects, Tone::Plain, format!("read-only: nothing here can {what}"));
        return;
    }
    if deed.starts() && model.emergency.is_latched() {
        tell(model, effects, Tone::Bad, LATCHED_HERE);
        return;
    }
    if deed.starts() && model.mistakes.is_some() {
        tell(model, effects, Tone::Bad, MISTAKES);
        return;
    }
    if is_busy(model, effects) {
        return;
    }
    // Whoever marked chunks means those, and not the one that the cursor happens to be on.
    let gone = deed == Deed::Requeue && std::mem::take(&mut model.clusters.marks_gone);
    let wish = match deed {
        _ if model.clusters.is_empty() => Err(NONE.to_owned()),
        Deed::Requeue if gone => Err("the marked chunks are gone".to_owned()),
        Deed::Requeue => requeue(model),
        Deed::Start => start(model),
        Deed::Stop | Deed::Climb | Deed::Kill | Deed::Restart | Deed::Adopt | Deed::Cancel => stop(model),
    };
    let wish = match wish {
        Ok(wish) => wish,
        Err(why) => {
            tell(model, effects, Tone::Bad, why);
            return;
        }
    };
    match guard(model, &wish) {
        Some(guard) => {
            if deed.starts() {
                // So that the question is soon asked about what the file says, and not only about what it said.
                effects.push(Effect::Look(ticket(model)));
            }
            model.focus = Focus::Asking(Dialog { about: About::Clusters(wish), guard, typed: String::new() });
        }
        None => look_again(model, effects, wish),
    }
}

/// What stands before it: what stands before the same deed on its bots, and a question where work is thrown away.
fn guard(model: &Model, wish: &ClusterWish) -> Option<Guard> {
    let held = || {
        let clusters = wish.clusters.iter().filter_map(|spec| model.clusters.cluster(&spec.name));
        clusters.flat_map(|cluster| &cluster.rows).any(|row| row.hold.is_some() && !row.stale)
    };
    if wish.deed == Deed::Requeue || (wish.deed == Deed::Stop && held()) {
        return Some(Guard::YesNo);
    }
    deed::guard(wish.deed, &wish.bots)
}

/// The cluster under the cursor, if nothing is being done to it.
fn meant(model: &Model, deed: Deed) -> Result<&Cluster, String> {
    let (cluster, _) = whom::cluster(model).ok_or(NONE)?;
    let name = cluster.name();
    let busy = model.doing.values().find(|doing| doing.clusters.contains(name) && doing.deed == deed);
    match busy {
        Some(doing) => Err(format!("{name} waits: it was asked to {} already", doing.deed.verb())),
        None => Ok(cluster),
    }
}

/// The bots of a cluster, as this deed would find them.
fn bots_of(model: &Model, deed: Deed, spec: &ClusterSpec) -> Vec<Target> {
    spec.bots().filter_map(|name| model.target(deed, name)).collect()
}

fn stop(model: &Model) -> Result<ClusterWish, String> {
    let cluster = meant(model, Deed::Stop)?;
    let now = model.now.mono;
    let chunks = match (cluster.running(now), cluster.why_unknown(now)) {
        (Some(running), _) => format!("{} -> pending first.", plural(running, "running chunk")),
        (None, Some(why)) => format!("Running chunks -> pending first; how many is unknown: {why}."),
        (None, None) => "Running chunks -> pending first.".to_owned(),
    };
    let bots = bots_of(model, Deed::Stop, &cluster.spec);
    let story = vec![
        chunks,
        format!("Then {} told to stop, by their ladders of signals.", are(bots.len())),
        "Open positions stay open.".to_owned(),
    ];
    Ok(wish(Deed::Stop, &cluster.spec, bots, story))
}

fn are(bots: usize) -> String {
    if bots == 1 { "its bot is".to_owned() } else { format!("its {bots} bots are") }
}

fn start(model: &Model) -> Result<ClusterWish, String> {
    let cluster = meant(model, Deed::Start)?;
    let name = cluster.name();
    if let Some(missing) = cluster.spec.bots().find(|bot| model.spec(bot).is_none()) {
        return Err(format!("{name}: {missing} is not in the configuration"));
    }
    let bots: Vec<Target> = bots_of(model, Deed::Start, &cluster.spec)
        .into_iter()
        .filter(|bot| model.is_stale() || !matches!(bot.state, State::Running | State::Starting))
        .collect();
    // Of those that may be at work elsewhere none is put back by a start.
    let stale = cluster.rows.iter().filter(|row| row.hold == Some(Hold::Stale)).count() as u64;
    if bots.is_empty() && stale == 0 {
        return Err(format!("{name}: every bot of it runs already"));
    }
    let story = vec![
        format!("{} -> pending first.", plural(stale, "stale chunk")),
        "Then its bots are started with what the configuration says now.".to_owned(),
    ];
    Ok(wish(Deed::Start, &cluster.spec, bots, story))
}

fn wish(deed: Deed, spec: &ClusterSpec, bots: Vec<Target>, story: Vec<String>) -> ClusterWish {
    let named = bots.iter().map(Target::line).collect();
    ClusterWish { deed, clusters: vec![spec.clone()], bots, chunks: Vec::new(), unverified: false, named, story }
}

/// The marked chunks, else the one under the cursor, else all stale ones of the cluster under it.
fn requeue(model: &Model) -> Result<ClusterWish, String> {
    meant(model, Deed::Requeue)?;
    let book = &model.clusters;
    let chosen: Vec<RowId> = match (&book.cursor, book.marked.is_empty()) {
        (_, false) => book.marked.iter().cloned().collect(),
        (Some(id), true) if id.chunk.is_some() => vec![id.clone()],
        (_, true) => Vec::new(),
    };
    let mut by_cluster: BTreeMap<&BotName, Vec<&ChunkRow>> = BTreeMap::new();
    for id in &chosen {
        if let Some(row) = book.row(id) {
            by_cluster.entry(&id.cluster).or_default().push(row);
        }
    }
    if chosen.is_empty() {
        let cluster = meant(model, Deed::Requeue)?;
        by_cluster.insert(cluster.name(), cluster.stale().collect());
    }
    let mut asked = ClusterWish {
        deed: Deed::Requeue,
        clusters: Vec::new(),
        bots: Vec::new(),
        chunks: Vec::new(),
        unverified: false,
        named: Vec::new(),
        story: Vec::new(),
    };
    let many = by_cluster.len() > 1;
    for (name, rows) in by_cluster {
        let Some(cluster) = book.cluster(name) else { continue };
        if let Some(why) = cluster.why_unknown(model.now.mono) {
            return Err(format!("{name} cannot be read, so nothing is put back: {why}"));
        }
        if rows.is_empty() {
            return Err(format!("{name} has no stale chunk"));
        }
        if let Some(held) = rows.iter().find(|row| !row.is_free()) {
            return Err(format!("chunk {} is not put back: {}", held.id, held.why));
        }
        asked.unverified |= rows.iter().any(|row| row.hold == Some(Hold::Unverified));
        let of = if many { format!("{name}  ") } else { String::new() };
        asked.named.extend(rows.iter().map(|row| format!("{of}{}", line(row))));
        asked.chunks.push((name.clone(), rows.iter().map(|row| row.claim.clone()).collect()));
        asked.clusters.push(cluster.spec.clone());
    }
    if asked.unverified {
        asked.story.push(
            "Some may be worked on by somebody who is not known on this box: that work would be done twice.".to_owned(),
        );
    }
    asked.story.push(Deed::Requeue.story().to_owned());
    asked.story.push("What was claimed anew or finished meanwhile is left alone.".to_owned());
    Ok(asked)
}

/// A chunk in a line of the question.
fn line(row: &ChunkRow) -> String {
    let why = if row.why.is_empty() { String::new() } else { format!("  {}", row.why) };
    format!("chunk {}  {}  of {}{why}", row.id, row.word(), row.worker)
}

/// Why yes will be refused as things are now; nothing if it will not.
pub fn changed(model: &Model, wish: &ClusterWish) -> Option<String> {
    if wish.deed == Deed::Requeue {
        let held = wish.chunks.iter().find_map(|(name, chunks)| {
            let cluster = model.clusters.cluster(name)?;
            let is_held = |row: &&ChunkRow| !row.is_free() && chunks.contains(&row.claim);
            cluster.rows.iter().find(is_held)
        });
        return held.map(|row| format!("chunk {} is {}", row.id, row.why));
    }
    if wish.deed.starts() && model.emergency.is_latched() {
        return Some(LATCHED.to_owned());
    }
    if wish.deed.starts() && model.mistakes.is_some() {
        return Some(MISTAKES.to_owned());
    }
    let other = |spec: &&ClusterSpec| model.clusters.cluster(&spec.name).is_none_or(|now| now.spec != **spec);
    if let Some(spec) = wish.clusters.iter().find(other) {
        return Some(format!("{} is configured in another way now", spec.name));
    }
    wish.bots.iter().find_map(|target| {
        let now = model.target(wish.deed, &target.name);
        let what = if wish.deed.starts() {
            target.changed(wish.deed, now.as_ref())
        } else {
            // Who has ended meanwhile is no reason not to end the others; whoever trades with real money now is one.
            let is_live = |mode: Option<Mode>| mode.is_none_or(|mode| mode == Mode::Live);
            let is_now = now.as_ref().is_some_and(|now| is_live(now.mode)) && !is_live(target.mode);
            is_now.then(|| "is LIVE now".to_owned())
        };
        what.map(|what| format!("{} {what}", target.name))
    })
}

/// Somebody said yes.
pub(super) fn confirmed(model: &mut Model, effects: &mut Vec<Effect>, wish: ClusterWish) {
    if wish.deed != Deed::Requeue {
        look_again(model, effects, wish);
        return;
    }
    // Whoever puts chunks back looks again by himself, in one transaction with what he does.
    match changed(model, &wish) {
        Some(what) => tell(model, effects, Tone::Bad, format!("{} refused: {what}", wish.what())),
        None => carry_out(model, effects, wish),
    }
}

/// Does it once the bots, and the configuration, were looked at again and are still the same.
fn look_again(model: &mut Model, effects: &mut Vec<Effect>, wish: ClusterWish) {
    let ticket = ticket(model);
    effects.push(Effect::Look(ticket));
    model.confirmed_cluster = Some(ConfirmedClusters { ticket, wish, at: model.now.mono });
}

/// The bots were looked at again: what was confirmed is done, unless something has changed.
pub(super) fn fresh(model: &mut Model, effects: &mut Vec<Effect>, ticket: Ticket) {
    let Some(confirmed) = model.confirmed_cluster.take_if(|confirmed| confirmed.ticket == ticket) else { return };
    match changed(model, &confirmed.wish) {
        Some(what) => tell(model, effects, Tone::Bad, format!("{} refused: {what}", confirmed.wish.what())),
        None => carry_out(model, effects, confirmed.wish),
    }
}

fn carry_out(model: &mut Model, effects: &mut Vec<Effect>, wish: ClusterWish) {
    let ticket = ticket(model);
    tell(model, effects, Tone::Plain, format!("asked: {}", wish.what()));
    let clusters = wish.names();
    // Where only chunks are meant, nothing happens to their bots.
    let bots = wish.clusters.iter().filter(|_| wish.deed != Deed::Requeue).flat_map(ClusterSpec::bots);
    let names: Vec<BotName> = bots.cloned().collect();
    if wish.deed.is_watched() {
        let begun = |target: &Target| Begun { name: target.name.clone(), mode: target.mode, chosen: None };
        let bots: Vec<Begun> = wish.bots.iter().map(begun).collect();
        model.stops.begin(ticket, wish.deed, &bots, model.now.mono);
        model.stops.about_clusters(ticket, &clusters);
    }
    if wish.deed == Deed::Requeue {
        model.clusters.unmark();
    }
    model.doing.insert(ticket, Doing { deed: wish.deed, names, clusters });
    let all = model.clusters.all().iter().map(|cluster| cluster.spec.clone()).collect();
    effects.push(Effect::ActOnClusters {
        ticket,
        deed: wish.deed,
        clusters: wish.clusters,
        all,
        bots: model.specs.clone(),
        chunks: wish.chunks,
        unverified: wish.unverified,
    });
}
