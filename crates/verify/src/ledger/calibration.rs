//! Probabilities from what followed in alike moments: same label, as far from what asserts the event (regimes §7).
//!
//! Resolved forecasts are counted per market, group and all ([`super::followed`]); once a day five wide bins of margin are cut at the
//! quintiles. A probability is a frequency with Jeffreys smoothing, monotone in the margin where the label asserts the event. Without
//! enough history there is none. What was counted only after a moment never enters it.

use super::followed::{Followed, Wide};
use barograph_domain::Ts;
use barograph_domain::forecast::{
    Abstention, CalibrationScope, ForecastEvent, Stated, WindowOutcome, frequency_interval,
};
use serde::{Deserialize, Serialize};

pub use super::followed::bin_of;

/// A wider interval is no statement.
const WIDTH_MAX: f64 = 0.5;

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
    /// By number of their owner.
    of: Vec<Histories>,
}

/// What followed the labels of one owner.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
struct Histories {
    /// Event and label of each, in order.
    keys: Vec<(ForecastEvent, u8)>,
    of: Vec<History>,
}

#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
struct History {
    followed: Followed,
    /// Something was counted since the table was made.
    grown: bool,
    /// Made at the beginning of a day; `None` where the first case came later.
    table: Option<Table>,
}

/// What a label's history gives on a day.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
enum Table {
    Bins(Vec<Wide>),
    Abstains(Abstention),
}

impl Histories {
    fn entry(&mut self, event: ForecastEvent, label: u8) -> &mut History {
        let at = self.keys.binary_search(&(event, label)).unwrap_or_else(|at| {
            self.keys.insert(at, (event, label));
            self.of.insert(at, History::default());
            at
        });
        &mut self.of[at]
    }

    fn table(&self, event: ForecastEvent, label: u8) -> Option<&Table> {
        let at = self.keys.binary_search(&(event, label)).ok()?;
        self.of.get(at)?.table.as_ref()
    }
}

impl CalibrationTables {
    /// A forecast resolved. `bin` is that of the margin at its issue, 0 where the event has none.
    pub(super) fn count(
        &mut self,
        owners: [Owner; 2],
        (event, label, bin): (ForecastEvent, u8, u8),
        outcome: WindowOutcome,
        window: (Ts, Ts),
    ) {
        let Some(outcome) = super::references::position(outcome) else { return };
        for owner in [ALL, owners[0], owners[1]] {
            let owner = owner as usize;
            if self.of.len() <= owner {
                self.of.resize_with(owner + 1, Histories::default);
            }
            let history = self.of[owner].entry(event, label);
            history.followed.count(event, bin, outcome, window);
            history.grown = true;
        }
    }

    /// A new day: tables are made of what has resolved by now and still counts.
    pub(super) fn refit(&mut self, now: Ts) {
        for histories in &mut self.of {
            for ((event, label), history) in histories.keys.iter().zip(&mut histories.of) {
                let shrunk = history.followed.forget(*event, now);
                if core::mem::take(&mut history.grown) || shrunk {
                    history.table = Some(match history.followed.wide(asserts(*event, *label)) {
                        Ok(bins) => Table::Bins(bins),
                        Err(why) => Table::Abstains(why),
                    });
                }
            }
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
            match self.of.get(owner as usize).and_then(|histories| histories.table(event, label)) {
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
    use barograph_domain::{RiskRegime, Span};

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
