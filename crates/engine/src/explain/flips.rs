//! The sentence that says what would change the label, from `nearest_exit` (regimes §10.2).

use super::evidence::hours;
use super::facts::Facts;
use super::numbers::{Style, count_word, written_apart};
use crate::catalogue::Feature;
use crate::rules::{Dated, DwellCounts, Ruled, moves_every, step_of};
use barograph_domain::snapshot::Flip;
use barograph_domain::{AxisState, HeldBy, Kind, RiskRegime, Span};

/// What would change the published label.
pub(super) fn sentence(facts: &Facts<'_>) -> String {
    let label = facts.axis.label;
    if facts.axis.held_by == HeldBy::Dwell {
        return by_itself(facts);
    }
    // Nothing was said of the label where it is NORMAL.
    let (it, would) = match label {
        RiskRegime::Normal => ("The risk label", "change the risk label"),
        _ => ("It", "clear it"),
    };
    let Some(exit) = &facts.exit else {
        return format!("No single reading alone would {would}.");
    };
    let (if_so, a_move) = condition(facts, exit);
    let cadence = Span::secs(exit.cadence_s);
    let stands = stands(exit.readings, a_move, cadence);
    // A wait longer than the readings themselves is worth saying.
    let dwell = Span::secs(exit.dwell_left_s);
    let waits = dwell > time_of(exit.readings, cadence);
    let earliest = if waits { format!(", in {} at the earliest", dwell.spoken()) } else { String::new() };
    let verb = match (exit.label, exit.label.severity() < label.severity()) {
        (RiskRegime::Unknown, _) => return format!("There would be no risk reading if {if_so}."),
        (_, true) => "clear to",
        (_, false) => "turn to",
    };
    format!("{it} would {verb} {} if {if_so}{stands}{earliest}.", exit.label.spoken())
}

/// More readings than these are said as the time they take.
const COUNTED: u32 = 9;

/// The time that so many readings take.
fn time_of(readings: u32, cadence: Span) -> Span {
    cadence.times(i64::from(readings))
}

/// " and stayed there for two readings", with how far apart these are where that is more than a minute. A move within an hour
/// cannot "stay there": it is read again.
pub(super) fn stands(readings: u32, a_move: bool, cadence: Span) -> String {
    let many = match readings {
        n if n > COUNTED => time_of(n, cadence).spoken(),
        n => counted(&count_word(n), "readings", cadence),
    };
    match (readings, a_move) {
        (0 | 1, _) => String::new(),
        (_, true) => format!(" for {many}"),
        (_, false) => format!(" and stayed there for {many}"),
    }
}

/// "two readings", "two hourly readings", "two readings 8 h apart", "one more reading within 8 h"
fn counted(count: &str, readings: &str, cadence: Span) -> String {
    match cadence {
        c if c <= Span::mins(1) => format!("{count} {readings}"),
        c if c == Span::hours(1) => format!("{count} hourly {readings}"),
        c if readings == "reading" => format!("{count} reading within {}", c.spoken()),
        c => format!("{count} {readings} {} apart", c.spoken()),
    }
}

/// The changes that are nearest to a label, with how far apart readings are that count.
pub(super) fn timed<L: Ruled>(
    facts: &Facts<'_>,
    axis: &AxisState<L>,
    changes: (Option<Flip<L>>, Option<Flip<L>>),
) -> (Option<Flip<L>>, Option<Flip<L>>) {
    let with_cadence = |flip: Flip<L>| Flip { cadence_s: cadence(facts, axis, flip.label).as_secs(), ..flip };
    (changes.0.map(with_cadence), changes.1.map(with_cadence))
}

/// How often a reading comes that counts on the way from one label to another: as often as the most frequent input of their rules,
/// and of what is read now, where only what is new counts; else every minute. A label of no rule has none of its own.
fn cadence<L: Ruled>(facts: &Facts<'_>, axis: &AxisState<L>, to: L) -> Span {
    let minute = Span::mins(1);
    if facts.ctx.book.dwell == DwellCounts::Minutes {
        return minute;
    }
    let mut fastest: Option<Span> = None;
    let read = Dated::new(facts.ctx.book, facts.cells, facts.ctx.streams);
    let mut look = |feature: Feature| {
        fastest = fastest.into_iter().chain(moves_every(facts.ctx.book, &read, feature)).min();
    };
    for rule in L::of(facts.ctx.book).rules().iter().filter(|r| [axis.label, axis.raw_label, to].contains(&r.label)) {
        rule.each_counted(facts.ctx.book.dwell, &mut look);
    }
    fastest.unwrap_or(minute).max(minute)
}

/// Kept by dwell: the label changes with nothing changed.
fn by_itself(facts: &Facts<'_>) -> String {
    let raw = facts.axis.raw_label;
    let book = facts.ctx.book.risk();
    let cadence = cadence(facts, &facts.axis, raw);
    // How much longer is not said: what has been waited for is in no field of the payload.
    let read = Dated::new(facts.ctx.book, facts.cells, facts.ctx.streams);
    let step = step_of(facts.ctx.book, &read, facts.now.fired, facts.axis.label);
    let needed = book.readings(facts.axis.label, raw, facts.now.fired, step);
    let left = needed.saturating_sub(book.waited(&facts.axis, raw));
    let calmer = raw.severity() < facts.axis.label.severity();
    let minimum_over = facts.moment - facts.axis.since >= book.min_dwell(facts.axis.label);
    let what = if calmer { "clear" } else { "change" };
    let says = format!("About to {what}: the latest reading says {}", raw.spoken());
    match left {
        n if n > COUNTED && calmer => {
            format!("Not over yet: the latest reading says {}; it clears after enough calmer readings.", raw.spoken())
        }
        n if n > COUNTED => {
            format!("The latest reading says {}; it takes more such readings to change the label.", raw.spoken())
        }
        _ if calmer && !minimum_over => format!("{says}; it clears once the minimum stay is over."),
        0 | 1 => format!("{says}; {} confirms it.", counted("one more", "reading", cadence)),
        n => format!("{says}; {} confirm it.", counted(&format!("{} more", count_word(n)), "readings", cadence)),
    }
}

/// "{name} rose above {needed}", in the words of the feature; and whether it reports a move rather than a level.
pub(super) fn condition<L>(facts: &Facts<'_>, flip: &Flip<L>) -> (String, bool) {
    let Some(feature) = Feature::from_id(flip.feature) else { return (flip.feature.to_owned(), false) };
    let up = flip.needed > flip.value;
    let outward = flip.needed.abs() > flip.value.abs();
    let needed = written_apart(Style::of(feature), flip.threshold, flip.value);
    let crossed = if up { "rose above" } else { "fell below" };
    let level = match feature {
        Feature::FundingZscore24h => {
            let by_settlements = facts.cell(feature).kind == Kind::Proxy;
            let (what, whose) = if by_settlements { ("settled funding", "week") } else { ("funding", "day") };
            let side = if flip.needed < 0.0 { "below" } else { "above" };
            if outward {
                format!("{what} moved more than {needed} {side} its {whose}")
            } else {
                format!("{what} came back within {needed} of its {whose}")
            }
        }
        Feature::OiDelta1h | Feature::OiDelta4h | Feature::OiDelta24h => {
            if flip.percentile.is_none() && by_size(facts, feature) {
                let size = written_apart(Style::Percent, flip.threshold.abs(), flip.value.abs());
                let moved = match (outward, up) {
                    (true, true) => "rose more than",
                    (true, false) => "fell more than",
                    (false, _) => "moved less than",
                };
                return (format!("open interest {moved} {size} in {}", hours(feature)), true);
            }
            format!("open interest growth in {} {crossed} {needed}", hours(feature))
        }
        _ => format!("{} {crossed} {needed}", feature.spec().spoken),
    };
    (level, false)
}

/// The book compares the size of this feature, not its sign.
fn by_size(facts: &Facts<'_>, feature: Feature) -> bool {
    let mut found = false;
    facts.each_clause(|c| found |= c.feature == feature && c.abs);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_say_how_far_apart_they_are() {
        for (cadence, confirm, stay) in [
            (Span::mins(1), ["one more reading", "two more readings"], " and stayed there for two readings"),
            (
                Span::hours(1),
                ["one more hourly reading", "two more hourly readings"],
                " and stayed there for two hourly readings",
            ),
            (
                Span::hours(8),
                ["one more reading within 8 h", "two more readings 8 h apart"],
                " and stayed there for two readings 8 h apart",
            ),
        ] {
            let one = counted("one more", "reading", cadence);
            assert_eq!([one, counted("two more", "readings", cadence)], confirm);
            assert_eq!(stands(2, false, cadence), stay);
            assert_eq!(stands(1, false, cadence), "");
        }
    }
}
