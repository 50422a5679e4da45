//! Retention (A22): explicit, counted from the newest row, completed by the next call.

use super::rows::{One, changes, minute, one, replace, rows, stored};
use super::sample::{self, START};
use super::{Factory, hash, open};
use crate::{Pruned, Retention};
use barograph_domain::{MinuteRow, Span};

const DAYS: i64 = 8;
const KEEP: Span = Span::days(5);

fn market() -> (One, Vec<MinuteRow>) {
    (one(), rows(DAYS * 1440 + 17, 1))
}

fn retention() -> Retention {
    Retention { minute_rows: KEEP, ..Retention::default() }
}

fn kept(rows: &[MinuteRow]) -> Vec<MinuteRow> {
    let newest = rows[rows.len() - 1].ts;
    let changes = changes(rows);
    let stays = |r: &&MinuteRow| {
        r.ts >= (newest - KEEP).floor(Span::hours(1))
            || r.ts.floor(Span::mins(5)) == r.ts
            || changes.iter().any(|c| c.ts == r.ts)
    };
    rows.iter().filter(stays).cloned().collect()
}

/// To the 5-minute grid and the minutes of label changes; label changes themselves all stay.
pub fn old_rows_are_thinned(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let (one, rows) = market();
    replace(&mut *writer, &one, None, &rows);
    assert_eq!(writer.prune(&Retention::default()).unwrap(), Pruned::default(), "90 days are kept by default");
    assert_eq!(reader.thinned_until(&one.spec.key).unwrap(), None);
    let want = kept(&rows);
    assert!(want.len() < rows.len());
    let pruned = writer.prune(&retention()).unwrap();
    assert_eq!(pruned, Pruned { rows: (rows.len() - want.len()) as u64, ..Pruned::default() });
    assert!(stored(&*reader, &one) == want);
    let cutoff = (rows[rows.len() - 1].ts - KEEP).floor(Span::hours(1));
    assert_eq!(reader.thinned_until(&one.spec.key).unwrap(), Some(cutoff));
    let labels = reader.label_changes(&one.spec.key, crate::Range::ALL, usize::MAX, None).unwrap().items;
    assert_eq!(labels, changes(&rows));
    assert_eq!(reader.runs(None).unwrap()[0].rows, want.len() as u64);
    hash(&*reader);
}

/// Until newer rows come.
pub fn pruning_again_changes_nothing(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let (one, rows) = market();
    replace(&mut *writer, &one, None, &rows[..7 * 1440]);
    writer.prune(&retention()).unwrap();
    let before = hash(&*reader);
    assert_eq!(writer.prune(&retention()).unwrap(), Pruned::default());
    assert_eq!(hash(&*reader), before);
    replace(&mut *writer, &one, Some(minute(7 * 1440 + 1)), &rows[7 * 1440..]);
    writer.prune(&retention()).unwrap();
    assert!(stored(&*reader, &one) == kept(&rows));
}

/// Counted from the newest point of each stream.
pub fn points_go_only_when_asked(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let mut events = sample::events(&one.streams, 3000, 1);
    events.iter_mut().step_by(11).for_each(|e| e.recv_ts = e.recv_ts + Span::mins(90));
    writer.insert_points(&one.instruments, &one.streams, &events).unwrap();
    let before = hash(&*reader);
    assert_eq!(writer.prune(&retention()).unwrap(), Pruned::default());
    assert_eq!(hash(&*reader), before);
    let keep = Retention { points: Some(Span::mins(600)), ..retention() };
    let stays = |e: &&barograph_domain::Event| e.event_ts >= START + Span::mins(2400);
    let mut want: Vec<_> = events.iter().filter(stays).copied().collect();
    want.sort_by(barograph_domain::Event::order);
    let pruned = writer.prune(&keep).unwrap();
    assert_eq!(pruned.points, (events.len() - want.len()) as u64);
    let left: Vec<_> = reader.events(&one.streams, None, None).unwrap().map(|e| e.unwrap()).collect();
    assert_eq!(left, want);
    hash(&*reader);
    assert_eq!(writer.prune(&keep).unwrap(), Pruned::default());
}

/// From the middle of an old hour on; the label in force there is still known.
pub fn a_thinned_run_can_be_replaced(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let (one, rows) = market();
    replace(&mut *writer, &one, None, &rows);
    writer.prune(&retention()).unwrap();
    let from = 24 * 60 + 33;
    let new = &rows[from..];
    replace(&mut *writer, &one, Some(new[0].ts), new);
    let old: Vec<MinuteRow> = kept(&rows).into_iter().filter(|r| r.ts < new[0].ts).collect();
    let want: Vec<MinuteRow> = old.into_iter().chain(new.iter().cloned()).collect();
    assert!(stored(&*reader, &one) == want);
    let labels = reader.label_changes(&one.spec.key, crate::Range::ALL, usize::MAX, None).unwrap().items;
    assert_eq!(labels, changes(&rows));
    hash(&*reader);
    writer.prune(&retention()).unwrap();
    assert!(stored(&*reader, &one) == kept(&rows));
}
