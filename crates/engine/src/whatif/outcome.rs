//! What happened after a label was entered: events of verification §2 that stored readings and prices can show, and how a label
//! did as their forecast.
//!
//! [`Outcomes`] is the seam: here outcomes come from stored readings; a ledger's are judged by the same [`judge`]. An outcome
//! from incomplete data is none. `squeeze_4h` is left out: its liquidations are measured against a month of their own sums, which
//! no stored reading holds.

use super::column::ReadingColumn;
use super::history::StoredHistory;
use super::skill::DayLosses;
use crate::catalogue::Feature;
use barograph_domain::math::ln;
use barograph_domain::{Span, State, Ts};
use serde::{Deserialize, Serialize};

const MINUTE: Span = Span::mins(1);
/// Outcomes are scored on this grid (verification §3).
const GRID: Span = Span::mins(5);
/// `hv_1h`: realised volatility of the hour above this.
const HV_ABOVE: f64 = 0.80;
/// `chop_4h`: realised volatility above this, and an efficiency ratio below that.
const CHOP_VOL_ABOVE: f64 = 0.50;
const CHOP_EFFICIENCY_BELOW: f64 = 0.20;

/// Outcomes of one event at one market.
pub trait Outcomes {
    /// Id of the event (verification §2).
    fn event(&self) -> &str;
    /// How far a forecast of it looks ahead.
    fn horizon(&self) -> Span;
    /// Did it happen within the horizon after a moment? `None` where nobody can say.
    fn happened(&self, t: Ts) -> Option<bool>;
    /// When it began, ascending: the first minutes of its maximal runs, of which those nearer than a horizon are one.
    fn onsets(&self) -> &[Ts];
    /// Of all moments on the 5-minute grid that can be judged: how often it happened, and of how many.
    fn base(&self) -> (u64, u64);
    /// The moments of the 5-minute grid that can be judged, ascending, each with whether it happened; a horizon before the stretch
    /// included.
    fn grid(&self) -> &[(Ts, bool)];
}

/// How the entries of a label did as forecasts of an event; adds up over markets.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Hits {
    /// Entries of the label.
    pub alerts: u64,
    /// Those whose outcome is known.
    pub resolved: u64,
    /// Those that the event followed.
    pub hits: u64,
    /// Times that the event began within the stretch.
    pub events: u64,
    /// Events that an entry preceded, within the horizon up to the onset.
    pub preceded: u64,
    /// Events at whose onset the label was in force, whenever it was entered.
    pub in_force: u64,
    /// Minutes from the first such entry to the onset.
    pub leads: Vec<i64>,
    /// Moments of the 5-minute grid that the event followed, and those that can be judged.
    pub base: [u64; 2],
    /// How far its forecasts were off, beside those of persistence.
    pub losses: DayLosses,
}

impl Hits {
    /// Adds another market's.
    pub fn add(&mut self, other: &Self) {
        self.alerts += other.alerts;
        self.resolved += other.resolved;
        self.hits += other.hits;
        self.events += other.events;
        self.preceded += other.preceded;
        self.in_force += other.in_force;
        self.leads.extend_from_slice(&other.leads);
        self.base = [self.base[0] + other.base[0], self.base[1] + other.base[1]];
        self.losses.add(&other.losses);
    }
}

/// The middle of some numbers; of two the mean, rounded down.
#[must_use]
pub fn median(numbers: &[i64]) -> Option<i64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    let middle = sorted.len() / 2;
    match (sorted.get(middle), sorted.len() % 2) {
        (Some(m), 1) => Some(*m),
        (Some(m), _) => sorted.get(middle.checked_sub(1)?).map(|below| (below + m).div_euclid(2)),
        (None, _) => None,
    }
}

/// Judges entries of a label between `from` and `until` by what happened. `in_force`: was the label published at a moment?
#[must_use]
pub fn judge(outcomes: &dyn Outcomes, entries: &[Ts], in_force: impl Fn(Ts) -> bool, (from, until): (Ts, Ts)) -> Hits {
    let h = outcomes.horizon();
    let inside = |t: &&Ts| from <= **t && **t < until;
    let (happened, judged) = outcomes.base();
    let mut out = Hits { base: [happened, judged], ..Hits::default() };
    for entry in entries.iter().filter(inside) {
        out.alerts += 1;
        if let Some(o) = outcomes.happened(*entry) {
            out.resolved += 1;
            out.hits += u64::from(o);
        }
    }
    // An onset nearer to the beginning than a horizon may have had an entry that is not counted.
    for onset in outcomes.onsets().iter().filter(|t| from + h <= **t && **t < until) {
        out.events += 1;
        out.in_force += u64::from(in_force(*onset));
        let first = entries.partition_point(|e| *e < *onset - h);
        if let Some(entry) = entries.get(first).filter(|e| **e <= *onset) {
            out.preceded += 1;
            out.leads.push((*onset - *entry).0.div_euclid(MINUTE.0));
        }
    }
    out
}

/// What followed a row.
type Ask<'a> = Box<dyn Fn(u32) -> Option<bool> + 'a>;

/// An event as stored rows show it.
pub struct ObservedEvent<'a> {
    event: &'static str,
    horizon: Span,
    history: &'a StoredHistory,
    ask: Ask<'a>,
    onsets: Vec<Ts>,
    base: (u64, u64),
    grid: Vec<(Ts, bool)>,
}

impl core::fmt::Debug for ObservedEvent<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ObservedEvent")
            .field("event", &self.event)
            .field("onsets", &self.onsets)
            .finish_non_exhaustive()
    }
}

impl Outcomes for ObservedEvent<'_> {
    fn event(&self) -> &str {
        self.event
    }
    fn horizon(&self) -> Span {
        self.horizon
    }
    fn happened(&self, t: Ts) -> Option<bool> {
        (self.ask)(self.history.row_of(t, self.history.row_at(t))?)
    }
    fn onsets(&self) -> &[Ts] {
        &self.onsets
    }
    fn base(&self) -> (u64, u64) {
        self.base
    }
    fn grid(&self) -> &[(Ts, bool)] {
        &self.grid
    }
}

impl<'a> ObservedEvent<'a> {
    /// Of rows and what followed each, in order: those between `from` and `until`, and a horizon before them.
    fn new(
        event: &'static str,
        horizon: Span,
        history: &'a StoredHistory,
        followed: impl Iterator<Item = (Ts, Option<bool>)>,
        ask: Ask<'a>,
        (from, until): (Ts, Ts),
    ) -> Self {
        let mut out = Self { event, horizon, history, ask, onsets: Vec::new(), base: (0, 0), grid: Vec::new() };
        // The end of the last run of the condition.
        let mut last: Option<Ts> = None;
        for (ts, o) in followed.filter(|(ts, _)| *ts >= from - horizon && *ts < until) {
            let Some(o) = o else { continue };
            if ts.floor(GRID) == ts {
                out.grid.push((ts, o));
                let counts = u64::from(ts >= from);
                out.base = (out.base.0 + counts * u64::from(o), out.base.1 + counts);
            }
            if o {
                let seen = ts + horizon;
                if last.is_none_or(|last| seen - last >= horizon) {
                    out.onsets.push(seen);
                }
                last = Some(seen);
            }
        }
        out
    }
}

/// `hv_1h`: `realized_vol_1h`, an hour later, above 0.80. `None` where the run has no such reading.
#[must_use]
pub fn hv_1h(history: &StoredHistory, range: (Ts, Ts)) -> Option<ObservedEvent<'_>> {
    let vol = numbers(history, Feature::RealizedVol1h)?;
    let mut high = vec![None; history.ts.len()];
    for (start, end, _) in vol.standing.iter().filter(|(.., s)| matches!(s.state, State::Ready)) {
        let rows = index(start)..index(end);
        for (out, x) in high.get_mut(rows.clone())?.iter_mut().zip(vol.values.get(rows)?) {
            *out = Some(*x > HV_ABOVE);
        }
    }
    let hour = Span::hours(1);
    let ask = move |row: u32| high.get(index(later(history, row, hour)?)).copied().flatten();
    let followed: Vec<_> = (0_u32..).zip(&history.ts).map(|(row, ts)| (*ts, ask(row))).collect();
    Some(ObservedEvent::new("hv_1h", hour, history, followed.into_iter(), Box::new(ask), range))
}

/// `chop_4h`: over the four hours after, an efficiency ratio of 5-minute steps below 0.20 and `realized_vol_4h` above 0.50.
/// `None` where the run has no such reading or no prices.
#[must_use]
pub fn chop_4h(history: &StoredHistory, range: (Ts, Ts)) -> Option<ObservedEvent<'_>> {
    numbers(history, Feature::RealizedVol4h)?;
    (history.price.len() == history.ts.len()).then_some(())?;
    let path = Path::of(history);
    let followed = (0..path.rows.len()).map(|at| (path.ts[at], path.choppy(history, at)));
    let ask = Box::new(move |row| choppy(history, row));
    Some(ObservedEvent::new("chop_4h", FOUR_HOURS, history, followed, ask, range))
}

/// `chop_4h` moves in so many steps.
const STEPS: usize = 48;
const FOUR_HOURS: Span = Span::hours(4);

/// Prices on the 5-minute grid, with the way they went so far.
struct Path {
    rows: Vec<u32>,
    ts: Vec<Ts>,
    log: Vec<f64>,
    /// Sum of the sizes of all steps up to here.
    way: Vec<f64>,
}

impl Path {
    /// Of the rows on the grid that have a price.
    fn of(history: &StoredHistory) -> Self {
        let mut out = Self { rows: Vec::new(), ts: Vec::new(), log: Vec::new(), way: Vec::new() };
        for ((row, ts), price) in (0_u32..).zip(&history.ts).zip(&history.price) {
            if ts.floor(GRID) != *ts || *price <= 0.0 {
                continue;
            }
            let log = ln(*price);
            let step = out.log.last().map_or(0.0, |before| (log - before).abs());
            out.way.push(out.way.last().copied().unwrap_or(0.0) + step);
            out.rows.push(row);
            out.ts.push(*ts);
            out.log.push(log);
        }
        out
    }
    /// What followed the moment at this place; none where a price of the four hours is missing.
    fn choppy(&self, history: &StoredHistory, at: usize) -> Option<bool> {
        let end = at + STEPS;
        (*self.ts.get(end)? == self.ts[at] + FOUR_HOURS).then_some(())?;
        let vol = history.columns.get(&Feature::RealizedVol4h)?.ready(self.rows[end])?;
        let way = self.way[end] - self.way[at];
        Some(is_chop(vol, self.log[end] - self.log[at], way))
    }
}

fn is_chop(vol: f64, moved: f64, way: f64) -> bool {
    vol > CHOP_VOL_ABOVE && way > 0.0 && moved.abs() / way < CHOP_EFFICIENCY_BELOW
}

/// The same from any minute on.
fn choppy(history: &StoredHistory, row: u32) -> Option<bool> {
    let end = later(history, row, FOUR_HOURS)?;
    let vol = history.columns.get(&Feature::RealizedVol4h)?.ready(end)?;
    let log = |row: u32| history.price.get(index(row)).filter(|p| **p > 0.0).map(|p| ln(*p));
    let (first, mut way) = (log(row)?, 0.0);
    let mut before = first;
    for step in 1..=48 {
        let next = log(later(history, row, GRID.times(step))?)?;
        way += (next - before).abs();
        before = next;
    }
    Some(is_chop(vol, before - first, way))
}

/// A column with its numbers.
fn numbers(history: &StoredHistory, feature: Feature) -> Option<&ReadingColumn> {
    history.columns.get(&feature).filter(|c| c.values.len() == history.ts.len())
}

fn index(row: u32) -> usize {
    usize::try_from(row).unwrap_or(usize::MAX)
}

/// The row so much later than a row: as many rows on where none is missing, else looked for.
fn later(history: &StoredHistory, row: u32, by: Span) -> Option<u32> {
    let ts = *history.ts.get(usize::try_from(row).ok()?)?;
    let rows = u32::try_from(by.0.div_euclid(MINUTE.0)).ok()?;
    history.row_of(ts + by, row.saturating_add(rows))
}

#[cfg(test)]
mod tests {
    use super::super::Builder;
    use super::*;
    use barograph_domain::{Cell, Kind, MinuteRow};

    /// Minutes whose price and volatility are given, by number.
    fn made(count: i64, of: impl Fn(i64) -> (f64, f64)) -> StoredHistory {
        let mut builder = Builder::new(vec![Feature::RealizedVol1h, Feature::RealizedVol4h]);
        for n in 0..count {
            let (price, vol) = of(n);
            let cells = vec![Cell::ready_at(vol, minute(n), Kind::Measured); 2];
            builder.push(&MinuteRow { cells, price: Some(price), ..MinuteRow::bare(minute(n)) }, &[]);
        }
        builder.finish()
    }

    #[test]
    fn an_hour_of_high_volatility_is_seen_an_hour_before_its_end() {
        let history = made(600, |n| (100.0, if (200..230).contains(&n) || n == 250 || n == 400 { 0.81 } else { 0.8 }));
        let hv = hv_1h(&history, (minute(0), minute(600))).unwrap();
        // 250 is nearer than an hour to 229: one event; 400 is another.
        assert_eq!(hv.onsets(), [minute(200), minute(400)]);
        for (n, want) in [(139, Some(false)), (140, Some(true)), (169, Some(true)), (170, Some(false)), (540, None)] {
            assert_eq!(hv.happened(minute(n)), want, "{n}");
        }
        // Of the 108 moments of the grid that have an hour behind them: 140 to 165, 190, 340.
        assert_eq!(hv.base(), (8, 108));
    }

    #[test]
    fn a_way_that_leads_nowhere_is_chop_where_it_is_volatile() {
        // Up and down by a hundredth every five minutes, then steadily up; volatile throughout but for the first hours.
        let price = |n: i64| {
            if n < 1_000 {
                if n / 5 % 2 == 0 { 100.0 } else { 101.0 }
            } else {
                100.0 + f64::from(u32::try_from(n / 5 - 200).unwrap())
            }
        };
        let history = made(2_000, |n| (price(n), if n < 400 { 0.5 } else { 0.6 }));
        let chop = chop_4h(&history, (minute(0), minute(2_000))).unwrap();
        for (n, want) in [(155, Some(false)), (160, Some(true)), (700, Some(true)), (1_200, Some(false)), (1_765, None)]
        {
            assert_eq!(chop.happened(minute(n)), want, "{n}");
        }
        assert_eq!(chop.onsets(), [minute(400)]);
        let by_grid = (0..400).filter_map(|k| choppy(&history, u32::try_from(k * 5).unwrap()));
        assert_eq!(chop.base().1, by_grid.clone().count() as u64);
        assert_eq!(chop.base().0, by_grid.filter(|o| *o).count() as u64);
    }

    struct Fixed(Vec<Ts>);

    impl Outcomes for Fixed {
        fn event(&self) -> &'static str {
            "hv_1h"
        }
        fn horizon(&self) -> Span {
            Span::hours(1)
        }
        fn happened(&self, t: Ts) -> Option<bool> {
            (t < minute(900)).then(|| self.0.iter().any(|onset| t < *onset && *onset <= t + Span::hours(1)))
        }
        fn onsets(&self) -> &[Ts] {
            &self.0
        }
        fn base(&self) -> (u64, u64) {
            (1, 10)
        }
        fn grid(&self) -> &[(Ts, bool)] {
            &[]
        }
    }

    fn minute(n: i64) -> Ts {
        Ts(0) + Span::mins(n)
    }

    #[test]
    fn entries_are_matched_to_onsets_within_the_horizon() {
        let outcomes = Fixed(vec![minute(100), minute(300), minute(500)]);
        let entries = [minute(50), minute(90), minute(300), minute(439), minute(950)];
        let hits = judge(&outcomes, &entries, |t| t == minute(500), (minute(0), minute(1_000)));
        // 439 lies 61 minutes before its onset, that of 300 is in its own minute, that of 950 cannot be judged.
        assert_eq!((hits.alerts, hits.resolved, hits.hits), (5, 4, 2));
        assert_eq!((hits.events, hits.preceded, hits.in_force), (3, 2, 1));
        assert_eq!((hits.leads.as_slice(), median(&hits.leads)), (&[50, 0][..], Some(25)));
    }

    #[test]
    fn the_middle_of_some_numbers() {
        for (numbers, want) in [(&[][..], None), (&[3], Some(3)), (&[9, 1, 4], Some(4)), (&[5, 0], Some(2))] {
            assert_eq!(median(numbers), want, "{numbers:?}");
        }
    }
}
