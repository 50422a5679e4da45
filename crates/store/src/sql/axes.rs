//! Changes of the labels of the trend, volatility and heat axes, beside those of the risk axis and by the same rules: they
//! belong to a segment and count inside its parts. Only the view `regimes` reads them; what is published comes from rows.

use super::db::{Connection, params};
use super::fault::Inner;
use super::segment;
use crate::schema::insert;
use barograph_domain::{Label, MinuteRow, Ts};

/// The axes beside risk, as stored.
const AXES: [&str; 3] = ["trend", "volatility", "heat"];

/// Labels of those axes; none before the first row.
pub(super) type Labels = [Option<&'static str>; 3];

/// A change of some of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct LabelsChanged {
    pub(super) ts: Ts,
    pub(super) before: Labels,
    pub(super) after: Labels,
}

/// The published labels of a row.
pub(super) fn of(row: &MinuteRow) -> Labels {
    [Some(row.trend.label.word()), Some(row.volatility.label.word()), Some(row.heat.label.word())]
}

fn known(axis: usize, word: &str) -> Option<&'static str> {
    use barograph_domain::{HeatRegime, TrendRegime, VolRegime};
    match axis {
        0 => TrendRegime::of_word(word).map(Label::word),
        1 => VolRegime::of_word(word).map(Label::word),
        _ => HeatRegime::of_word(word).map(Label::word),
    }
}

/// Stores what turned.
pub(super) fn store(conn: &Connection, segment: i64, turned: &LabelsChanged) -> Inner<()> {
    for ((axis, before), after) in AXES.iter().zip(turned.before).zip(turned.after) {
        if before == after {
            continue;
        }
        let (sql, row) = insert!(axis_changes or Update {
            segment, ts: turned.ts.0, axis: *axis, before, after: after.unwrap_or("UNKNOWN"),
        });
        conn.execute(sql, row)?;
    }
    Ok(())
}

/// The labels in force just before a minute.
pub(super) fn before(conn: &Connection, run: i64, before: Ts) -> Inner<Labels> {
    let last = Ts(before.0.saturating_sub(1));
    let mut labels = Labels::default();
    for part in segment::parts(conn, run)?.into_iter().rev() {
        let Some(part) = part.within(Ts::MIN, last) else { continue };
        for (axis, name) in AXES.iter().enumerate().filter(|(axis, _)| labels[*axis].is_none()).collect::<Vec<_>>() {
            let mut statement = conn.prepare(
                "SELECT after FROM axis_changes WHERE segment = ?1 AND ts >= ?2 AND ts < ?3 AND axis = ?4
                 ORDER BY ts DESC LIMIT 1",
            )?;
            let mut rows = statement.query(params![part.id, part.from.0, part.until.0, *name])?;
            if let Some(row) = rows.next()? {
                labels[axis] = known(axis, &row.get::<String>(0)?);
            }
        }
        if labels.iter().all(Option::is_some) {
            break;
        }
    }
    Ok(labels)
}

/// Says anew what turns at a row: what is before it has changed.
pub(super) fn settle(conn: &Connection, run: i64, segment: i64, row: &MinuteRow) -> Inner<()> {
    conn.prepare("DELETE FROM axis_changes WHERE segment = ?1 AND ts = ?2")?.execute([segment, row.ts.0])?;
    let turned = LabelsChanged { ts: row.ts, before: before(conn, run, row.ts)?, after: of(row) };
    store(conn, segment, &turned)
}
