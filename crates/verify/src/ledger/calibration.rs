//! Probabilities from what followed in alike moments: same label, as far from what asserts the event (regimes §7).
//!
//! Resolved forecasts are counted in narrow bins of the event's margin, per market, group and all; once a day five wide bins are cut
//! from them at the quintiles. A probability is a frequency with Jeffreys smoothing, monotone in the margin where the label asserts
//! the event. Without enough history there is none. What was counted only after a moment never enters it. What has a
//! memory ([`ForecastEvent::memory`]) is forgotten an era at a time, everything else never (ADR 35).

use barograph_domain::forecast::{
    Abstention, CLASSES, CalibrationScope, ForecastEvent, Stated, WindowOutcome, frequency_interval,
};
use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Lower edges of the narrow bins of margin, in scale units: negative where the event is not asserted.
const EDGES: [f64; 30] = [
    f64::NEG_INFINITY,
    -25.0,
    -10.0,
    -8.0,
    -6.0,
    -5.0,
    -4.0,
    -3.0,
    -2.5,
    -2.0,
    -1.5,
    -1.0,
    -0.7,
    -0.4,
    -0.2,
    0.0,
    0.2,
    0.4,
    0.7,
    1.0,
    1.5,
    2.0,
    2.5,
    3.0,
    4.0,
    5.0,
    6.0,
    8.0,
    10.0,
    25.0,
];
/// Counts that are forgotten are let go an era at a time.
const ERA: Span = Span::days(15);
/// Wide bins: fifths of the history.
const WIDE: usize = 5;
/// Resolved forecasts of a label that a probability needs.
const FORECASTS_MIN: u32 = 100;
/// Windows of them that do not overlap.
const EPISODES_MIN: u32 = 30;
/// A wider interval is no statement.
const WIDTH_MAX: f64 = 0.5;
/// Outcomes that an event may have, at most.
const OUTCOMES: usize = CLASSES;

/// Narrow bin of a margin.
#[must_use]
pub fn bin_of(margin: f64) -> u8 {
    u8::try_from(EDGES.partition_point(|e| *e <= margin).saturating_sub(1)).unwrap_or(0)
}

/// One narrow bin in an era.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
struct Narrow {
    /// Resolved forecasts by outcome.
    by: [u32; OUTCOMES],
    /// Windows of them that do not overlap.
    separate: u32,
}

impl Narrow {
    fn cases(&self) -> u32 {
        self.by.iter().sum()
    }

    fn add(&mut self, other: &Self) {
        for (sum, n) in self.by.iter_mut().zip(other.by) {
            *sum = sum.saturating_add(n);
        }
        self.separate = self.separate.saturating_add(other.separate);
    }
}

/// What followed one label in one era.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
struct Era {
    number: u32,
    /// Narrow bins that have cases, in order.
    bins: Vec<(u8, Narrow)>,
    /// Windows of all bins together that do not overlap.
    separate: u32,
}

impl Era {
    fn narrow(&mut self, bin: u8) -> &mut Narrow {
        let at = self.bins.binary_search_by_key(&bin, |(b, _)| *b).unwrap_or_else(|at| {
            self.bins.insert(at, (bin, Narrow::default()));
            at
        });
        &mut self.bins[at].1
    }
}

/// What followed one label.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
struct Followed {
    /// Oldest first; the last is under way.
    eras: VecDeque<Era>,
    /// Minute until which the last window lasts that overlaps no earlier one: of all bins, and of each that has any.
    busy_until: u32,
    bins_busy_until: Vec<(u8, u32)>,
}

fn minute_of(t: Ts) -> u32 {
    u32::try_from(t.0.div_euclid(Span::mins(1).0)).unwrap_or(0)
}

/// Number of the era of a moment; one for all time where nothing is forgotten.
fn era_of(event: ForecastEvent, t: Ts) -> u32 {
    if event.memory().is_some() { u32::try_from(t.0.div_euclid(ERA.0)).unwrap_or(0) } else { 0 }
}

/// The first era that still counts at a moment: with the one under way they last as long as the memory of the event.
fn first_era(event: ForecastEvent, now: Ts) -> u32 {
    let eras = event.memory().map_or(1, |memory| memory.0 / ERA.0);
    era_of(event, now).saturating_sub(u32::try_from(eras - 1).unwrap_or(0))
}

/// Whether a window begins after the last separate one has ended; it is the last one then.
fn apart(busy_until: &mut u32, (from, until): (u32, u32)) -> bool {
    let apart = from >= *busy_until;
    if apart {
        *busy_until = until;
    }
    apart
}

impl Followed {
    fn count(&mut self, era: u32, bin: u8, outcome: usize, (issued, until): (Ts, Ts)) {
        if self.eras.back().is_none_or(|last| last.number < era) {
            self.eras.push_back(Era { number: era, ..Era::default() });
        }
        let window = (minute_of(issued), minute_of(until));
        let at = self.bins_busy_until.binary_search_by_key(&bin, |(b, _)| *b).unwrap_or_else(|at| {
            self.bins_busy_until.insert(at, (bin, 0));
            at
        });
        let separate = apart(&mut self.busy_until, window);
        let separate_in_bin = apart(&mut self.bins_busy_until[at].1, window);
        let Some(era) = self.eras.back_mut() else { return };
        era.separate = era.separate.saturating_add(u32::from(separate));
        let narrow = era.narrow(bin);
        narrow.separate = narrow.separate.saturating_add(u32::from(separate_in_bin));
        if let Some(n) = narrow.by.get_mut(outcome) {
            *n = n.saturating_add(1);
        }
    }

    /// Lets go of the eras before one.
    fn reach(&mut self, first: u32) {
        while self.eras.front().is_some_and(|e| e.number < first) {
            self.eras.pop_front();
        }
    }

    /// All eras together, by narrow bin.
    fn sum(&self) -> ([Narrow; EDGES.len()], u32) {
        let mut bins = [Narrow::default(); EDGES.len()];
        for (bin, narrow) in self.eras.iter().flat_map(|e| &e.bins) {
            bins[usize::from(*bin)].add(narrow);
        }
        (bins, self.eras.iter().map(|e| e.separate).sum())
    }

    /// Five bins of about as many cases each, in order of margin.
    fn wide(&self, asserted: bool) -> Result<Vec<Wide>, Abstention> {
        let (bins, separate) = self.sum();
        let all: u32 = bins.iter().map(Narrow::cases).sum();
        if all < FORECASTS_MIN {
            return Err(Abstention::FewForecasts);
        }
        if separate < EPISODES_MIN {
            return Err(Abstention::FewEpisodes);
        }
        let seen = |o: usize| bins.iter().any(|b| b.by[o] > 0);
        if (0..OUTCOMES).filter(|o| seen(*o)).count() < 2 {
            return Err(Abstention::OneOutcome);
        }
        let mut out: Vec<Wide> = Vec::with_capacity(WIDE);
        let (mut open, mut done) = (Wide::default(), 0_u32);
        for (at, narrow) in bins.iter().enumerate() {
            let bin = u8::try_from(at).unwrap_or(u8::MAX);
            for (sum, n) in open.by.iter_mut().zip(narrow.by) {
                *sum += n;
            }
            open.separate = open.separate.max(narrow.separate);
            open.last = bin;
            let part = u32::try_from(out.len() + 1).unwrap_or(u32::MAX);
            let share = u64::from(all) * u64::from(part);
            if out.len() + 1 < WIDE && u64::from(done + open.cases()) * WIDE as u64 >= share && open.cases() > 0 {
                done += open.cases();
                out.push(core::mem::take(&mut open));
            }
        }
        if open.cases() > 0 {
            out.push(open);
        } else if let Some(last) = out.last_mut() {
            last.last = open.last;
        }
        for wide in &mut out {
            wide.smooth();
        }
        if asserted {
            pool(&mut out);
        }
        Ok(out)
    }
}

/// One wide bin.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
struct Wide {
    /// The last narrow bin in it.
    last: u8,
    by: [u32; OUTCOMES],
    separate: u32,
    /// Probability that the event happens.
    p: f64,
}

impl Wide {
    fn cases(&self) -> u32 {
        self.by.iter().sum()
    }

    fn smooth(&mut self) {
        self.p = (f64::from(self.by[1]) + 0.5) / (f64::from(self.cases()) + 1.0);
    }

    fn classes(&self) -> [f64; CLASSES] {
        let n = f64::from(self.cases()) + 0.5 * CLASSES as f64;
        self.by.map(|k| (f64::from(k) + 0.5) / n)
    }
}

/// Pool adjacent violators: never less likely at a larger margin; weights are numbers of cases.
fn pool(bins: &mut [Wide]) {
    let mut blocks: Vec<(f64, f64, usize)> = Vec::with_capacity(bins.len());
    for bin in bins.iter() {
        let weight = f64::from(bin.cases());
        blocks.push((bin.p, weight, 1));
        while let [.., (p, w, n), (q, v, m)] = blocks[..]
            && p > q
        {
            blocks.truncate(blocks.len() - 2);
            blocks.push(((p * w + q * v) / (w + v), w + v, n + m));
        }
    }
    let pooled = blocks.into_iter().flat_map(|(p, _, n)| core::iter::repeat_n(p, n));
    for (bin, p) in bins.iter_mut().zip(pooled) {
        bin.p = p;
    }
}

/// Does this label say that the event comes (regimes §7, "asserts a level event")?
#[must_use]
pub fn asserts(event: ForecastEvent, label: u8) -> bool {
    match event {
        ForecastEvent::VolClass24h => false,
        _ => event.axis().is_some_and(|axis| ForecastEvent::asserted(axis, label) == Some(event)),
    }
}

/// Whose history is looked at: 0 all, 1 to 3 the groups, from 4 on the markets by their numbers.
type Owner = u32;

const ALL: Owner = 0;
const FIRST_MARKET: Owner = 4;

/// Number of a market's own history.
pub(super) fn of_market(market: usize) -> Owner {
    u32::try_from(market).unwrap_or(u32::MAX - FIRST_MARKET) + FIRST_MARKET
}

/// Number of a group's history.
pub(super) fn of_group(group: usize) -> Owner {
    u32::try_from(group).unwrap_or(0) + 1
}

/// What a probability rests on.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Basis {
    /// What is stated.
    pub stated: Stated,
    /// Whose history it comes from.
    pub scope: CalibrationScope,
    /// Resolved forecasts that were alike.
    pub cases: u32,
    /// Windows of them that do not overlap.
    pub separate: u32,
}

/// Counts and the day's tables.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct CalibrationTables {
    followed: BTreeMap<(Owner, ForecastEvent, u8), Followed>,
    tables: BTreeMap<(Owner, ForecastEvent, u8), Table>,
}

/// What a label's history gives on a day.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
enum Table {
    Bins(Vec<Wide>),
    Abstains(Abstention),
}

impl CalibrationTables {
    /// A forecast resolved. `bin` is that of the margin at its issue, 0 where the event has none.
    pub(super) fn count(
        &mut self,
        owners: [Owner; 2],
        (event, label, bin): (ForecastEvent, u8, u8),
        outcome: WindowOutcome,
        (issued, until): (Ts, Ts),
    ) {
        let Some(outcome) = super::references::position(outcome) else { return };
        for owner in [ALL, owners[0], owners[1]] {
            let followed = self.followed.entry((owner, event, label)).or_default();
            followed.count(era_of(event, until), bin, outcome, (issued, until));
        }
    }

    /// A new day: tables are made of what has resolved by now and still counts.
    pub(super) fn refit(&mut self, now: Ts) {
        self.tables.clear();
        for (key, followed) in &mut self.followed {
            followed.reach(first_era(key.1, now));
            let (_, event, label) = *key;
            let table = match followed.wide(asserts(event, label)) {
                Ok(bins) => Table::Bins(bins),
                Err(why) => Table::Abstains(why),
            };
            self.tables.insert(*key, table);
        }
    }

    /// What the day's tables say of a moment with this label and margin: of the market itself, else its group, else of all.
    pub(super) fn state(
        &self,
        owners: [Owner; 2],
        (event, label, bin): (ForecastEvent, u8, u8),
    ) -> Result<Basis, Abstention> {
        let mut why = Abstention::FewForecasts;
        let scopes =
            [(owners[0], CalibrationScope::Market), (owners[1], CalibrationScope::Group), (ALL, CalibrationScope::All)];
        for (owner, scope) in scopes {
            match self.tables.get(&(owner, event, label)) {
                Some(Table::Bins(bins)) => {
                    let wide = bins.iter().find(|w| bin <= w.last).or(bins.last()).ok_or(why)?;
                    return stated(event, wide, scope);
                }
                Some(Table::Abstains(reason)) => why = *reason,
                None => {}
            }
        }
        Err(why)
    }
}

fn stated(event: ForecastEvent, wide: &Wide, scope: CalibrationScope) -> Result<Basis, Abstention> {
    let (cases, separate) = (wide.cases(), wide.separate);
    if event == ForecastEvent::VolClass24h {
        return Ok(Basis { stated: Stated::Classes(wide.classes()), scope, cases, separate });
    }
    let [low, high] = frequency_interval(wide.p, separate);
    if high - low > WIDTH_MAX {
        return Err(Abstention::WideInterval);
    }
    Ok(Basis { stated: Stated::Probability(wide.p), scope, cases, separate })
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::RiskRegime;

    const EVENT: ForecastEvent = ForecastEvent::HighVol1h;
    const HIGH_VOL: u8 = RiskRegime::HighVol as u8;

    /// Some hours of forecasts, the larger the margin the likelier.
    fn filled(hours: i64) -> CalibrationTables {
        let mut c = CalibrationTables::default();
        for h in 0..hours {
            let margin = f64::from(u8::try_from(h % 5).unwrap()) / 4.0;
            let outcome = if (h / 5 * 7) % 10 < h % 5 * 2 { WindowOutcome::Happened } else { WindowOutcome::Missed };
            let issued = Ts(0) + Span::hours(h);
            let key = (EVENT, HIGH_VOL, bin_of(margin));
            c.count([of_market(0), of_group(0)], key, outcome, (issued, issued + Span::hours(1)));
        }
        c.refit(Ts(0) + Span::hours(hours));
        c
    }

    fn p(c: &CalibrationTables, owners: [Owner; 2], margin: f64) -> Result<(f64, CalibrationScope), Abstention> {
        let basis = c.state(owners, (EVENT, HIGH_VOL, bin_of(margin)))?;
        let Stated::Probability(p) = basis.stated else { return Err(Abstention::NotModelled) };
        Ok((p, basis.scope))
    }

    #[test]
    fn nothing_is_said_before_a_hundred_cases_and_thirty_windows() {
        let own = [of_market(0), of_group(0)];
        assert_eq!(p(&filled(99), own, 1.0), Err(Abstention::FewForecasts));
        assert!(p(&filled(1_000), own, 1.0).is_ok());
        let mut crowded = CalibrationTables::default();
        for n in 0..1_000_i64 {
            let outcome = if n % 2 == 0 { WindowOutcome::Happened } else { WindowOutcome::Missed };
            let issued = Ts(0) + Span::mins(n);
            crowded.count(own, (EVENT, HIGH_VOL, 3), outcome, (issued, issued + Span::hours(1)));
        }
        crowded.refit(Ts(0) + Span::mins(1_060));
        assert_eq!(p(&crowded, own, 1.0), Err(Abstention::FewEpisodes), "1,000 cases in 17 hours");
        let mut same = CalibrationTables::default();
        for n in 0..1_000_i64 {
            let issued = Ts(0) + Span::hours(n);
            same.count(own, (EVENT, HIGH_VOL, 3), WindowOutcome::Missed, (issued, issued + Span::hours(1)));
        }
        same.refit(Ts(0) + Span::hours(1_000));
        assert_eq!(p(&same, own, 1.0), Err(Abstention::OneOutcome));
    }

    #[test]
    fn what_a_label_asserts_is_never_less_likely_at_a_larger_margin() {
        let c = filled(2_000);
        let own = [of_market(0), of_group(0)];
        let found: Vec<f64> = (0..6).map(|m| p(&c, own, f64::from(m) / 4.0).unwrap().0).collect();
        assert!(found.is_sorted(), "{found:?}");
        assert!(found[4] > 0.7 && found[0] < 0.1, "{found:?}");
    }

    #[test]
    fn a_market_without_history_takes_that_of_its_group_and_then_that_of_all() {
        let c = filled(2_000);
        assert_eq!(p(&c, [of_market(0), of_group(0)], 2.0).unwrap().1, CalibrationScope::Market);
        assert_eq!(p(&c, [of_market(1), of_group(0)], 2.0).unwrap().1, CalibrationScope::Group);
        assert_eq!(p(&c, [of_market(1), of_group(2)], 2.0).unwrap().1, CalibrationScope::All);
    }

    /// What is counted during a day changes nothing of that day's statements.
    #[test]
    fn tables_stand_for_a_day() {
        let own = [of_market(0), of_group(0)];
        let mut c = filled(2_000);
        let before = p(&c, own, 2.0);
        for n in 0..500 {
            let issued = Ts(0) + Span::hours(3_000 + n);
            c.count(own, (EVENT, HIGH_VOL, bin_of(2.0)), WindowOutcome::Happened, (issued, issued + Span::hours(1)));
        }
        assert_eq!(p(&c, own, 2.0), before);
        c.refit(Ts(0) + Span::hours(3_500));
        assert!(p(&c, own, 2.0).unwrap().0 > before.unwrap().0);
    }

    /// A hundred days in which an event always came, then a hundred in which it never did, but for the first forecast of each day.
    #[test]
    fn an_hour_forgets_what_was_months_ago_and_a_day_does_not() {
        for (event, said, cases) in [
            (ForecastEvent::HighVol1h, 1.0 / 24.0, 60 * 24..=75 * 24),
            (ForecastEvent::TrendUp24h, 0.52, 4_800..=4_800),
        ] {
            let mut c = CalibrationTables::default();
            let own = [of_market(0), of_group(0)];
            for h in 0..200 * 24 {
                let comes = h < 100 * 24 || h % 24 == 0;
                let outcome = if comes { WindowOutcome::Happened } else { WindowOutcome::Missed };
                let issued = Ts(0) + Span::hours(h);
                c.count(own, (event, 0, 7), outcome, (issued, issued + Span::hours(1)));
            }
            c.refit(Ts(0) + Span::hours(200 * 24));
            let basis = c.state(own, (event, 0, 7)).unwrap();
            let Stated::Probability(p) = basis.stated else { panic!("{basis:?}") };
            assert!((p - said).abs() < 0.01, "{event:?}: {p}");
            assert!(cases.contains(&basis.cases) && basis.separate == basis.cases, "{basis:?}");
            c.refit(Ts(0) + Span::days(280));
            assert_eq!(c.state(own, (event, 0, 7)).is_err(), event == ForecastEvent::HighVol1h, "80 days of nothing");
        }
    }

    #[test]
    fn bins_cover_every_margin() {
        for (margin, bin) in
            [(f64::NEG_INFINITY, 0), (-26.0, 0), (-25.0, 1), (-0.1, 14), (0.0, 15), (0.99, 18), (1.0, 19), (1e9, 29)]
        {
            assert_eq!(bin_of(margin), bin, "{margin}");
        }
        let [low, high] = frequency_interval(0.5, 100);
        assert!((low - 0.418_84).abs() < 1e-3 && (high - 0.581_15).abs() < 1e-3, "{low} {high}");
    }
}
