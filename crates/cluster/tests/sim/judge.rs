//! What has to be true at the end: the rows, gaps and hours of the store against one process over the journal.

use super::engine::{Engine, Kind, Row, hour_end};
use super::world::World;
use barograph_cluster::{Hole, Watermark};
use barograph_domain::Ts;
use std::collections::{BTreeMap, BTreeSet};

/// The rows of one process, by minute and instrument, with these gaps.
fn alone(world: &World, group: u16, gaps: &[Hole]) -> BTreeMap<(i64, u8), Row> {
    let mut engine = Engine::new(group, world.instruments);
    let mut rows = Vec::new();
    let mut gaps = gaps.iter().peekable();
    for entry in &world.ingest.journal[..world.ingest.synced] {
        while let Some(gap) = gaps.next_if(|gap| entry.stamp > gap.after) {
            engine.gap(*gap);
        }
        if entry.stamp > engine.at {
            engine.step(entry, &mut rows);
        }
    }
    rows.into_iter().map(|row| ((row.minute, row.instrument), row)).collect()
}

pub(crate) fn judge(world: &World) -> Vec<String> {
    let mut wrong = Vec::new();
    for group in 0..world.groups {
        rows(world, group, &mut wrong);
    }
    hours(world, &mut wrong);
    wrong
}

fn rows(world: &World, group: u16, wrong: &mut Vec<String>) {
    let shelf = &world.store.shelves[usize::from(group)];
    let lineages: BTreeSet<&Vec<Hole>> = shelf.rows.values().map(|row| &*row.lineage).collect();
    let truths: BTreeMap<&Vec<Hole>, _> = lineages.into_iter().map(|gaps| (gaps, alone(world, group, gaps))).collect();
    for (key, row) in &shelf.rows {
        let expected = truths[&*row.lineage].get(key).map(|row| row.hash);
        if expected != Some(row.hash) {
            wrong.push(format!("group {group}: row {key:?} is not that of one process with gaps {:?}", row.lineage));
            return;
        }
        if let Some(gap) = row.lineage.iter().find(|gap| !shelf.gaps.contains(gap)) {
            wrong.push(format!("group {group}: row {key:?} lacks {gap:?}, which was not declared"));
            return;
        }
    }
    if let Some(gap) = shelf.gaps.iter().find(|gap| !world.ingest.is_damaged(**gap)) {
        wrong.push(format!("group {group}: {gap:?} was declared and can be read"));
    }
    let within = |stamp: Ts| shelf.gaps.iter().any(|gap| gap.after < stamp && stamp <= gap.until);
    let whole = alone(world, group, &[]);
    if let Some(row) = whole.values().find(|r| !shelf.rows.contains_key(&(r.minute, r.instrument)) && !within(r.stamp))
    {
        wrong.push(format!("group {group}: no row {:?}, and no gap", (row.minute, row.instrument)));
    }
}

fn hours(world: &World, wrong: &mut Vec<String>) {
    for (hour, hash) in &world.store.hours {
        if *hash != world.store.hour(*hour) {
            wrong.push(format!("hour {hour} is not that of the rows"));
        }
    }
    if let Some(hour) = (0..due(world)).find(|hour| !world.store.hours.contains_key(hour)) {
        wrong.push(format!("hour {hour} was not made"));
    }
}

/// So many hours have to be there in the end.
pub(crate) fn due(world: &World) -> i64 {
    let last = world.ingest.journal[..world.ingest.synced].iter().rfind(|e| e.kind == Kind::Tick);
    let mut mark = Watermark::new(1);
    if let Some(last) = last {
        mark.stored(barograph_cluster::GroupId(0), last.stamp);
    }
    (0..).find(|hour| !mark.covers(hour_end(*hour))).unwrap_or_default()
}
