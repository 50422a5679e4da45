//! Forecasts that alerts and levels assert, registered at the first grid instant after them (verification §2, its last six rows but
//! for pairs).
//!
//! A level's reaction is judged on prices by the minute and closes by the hour, so on levels of hourly bars alone.

use super::COVERAGE_MIN;
use super::calibration;
use super::fold::Context;
use super::market::{Counted, Market};
use super::minutes::Minutes;
use super::windows::{self, Judged};
use barograph_domain::alert::{AlertChange, Datum};
use barograph_domain::forecast::{
    ForecastEvent, Forecaster, Issue, NotIssued, NotIssuedReason, Resolution, Stated, WindowOutcome,
};
use barograph_domain::level::{LevelChange, LevelEvent};
use barograph_domain::pattern::Family;
use barograph_domain::time::LATENESS;
use barograph_domain::{KnownAlert, Pattern, RiskRegime, Side, Span, Trigger, Ts};
use serde::{Deserialize, Serialize};

/// Bars that a level has for its reaction (features §4.3).
const REACTION: Span = Span::hours(12);
/// Hourly ATR that a close may be through the far side.
const THROUGH: f64 = 0.5;

/// What is registered at the next grid instant.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Asserted {
    /// When it was known.
    known: Ts,
    place: usize,
    event: ForecastEvent,
    subject: Box<str>,
    label: u8,
    raw_label: u8,
    zone: Option<Zone>,
}

/// Where a level lies, and what is known of the bar that touched it.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
struct Zone {
    bottom: f64,
    top: f64,
    /// Where that bar began; of a level that became known its close.
    from: Ts,
    /// Whose stops lie there: longs have theirs below the price.
    longs: Option<bool>,
}

/// What was registered and waits.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Waiting {
    of: Asserted,
    issued: Ts,
    until: Ts,
    /// ATR or funding at the issue; of a level whether price came from above, as 1 or −1 times the ATR.
    by: f64,
    /// A cascade began.
    began: bool,
}

/// All of them.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Seldom {
    asserted: Vec<Asserted>,
    waiting: Vec<Waiting>,
    /// Cascades that have begun since the last grid instant: place, moment, when it was known.
    cascades: Vec<(usize, Ts, Ts)>,
    gone: Vec<usize>,
}

/// Does an alert say that a cascade may come?
fn asserts_cascade(known: &KnownAlert) -> bool {
    let alert = &known.alert;
    match alert.pattern.family() {
        Family::Funding | Family::Basis => true,
        _ => alert.trigger == Some(Trigger::Risk) && entered(known) == Some(RiskRegime::SqueezeRisk.name()),
    }
}

/// The label that an alert says was entered.
fn entered(known: &KnownAlert) -> Option<&str> {
    known.alert.data.iter().find(|(name, _)| name == "to").and_then(|(_, datum)| match datum {
        Datum::Word(word) => Some(word.as_ref()),
        _ => None,
    })
}

fn code<T: PartialEq>(all: &[T], one: &T) -> u8 {
    all.iter().position(|x| x == one).and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX)
}

impl Seldom {
    pub(super) fn alert(&mut self, place: usize, known: &KnownAlert, id: impl FnOnce() -> String) {
        let alert = &known.alert;
        if !matches!(alert.change, AlertChange::Opened | AlertChange::Happened) {
            return;
        }
        if alert.pattern == Pattern::LiquidationCascade {
            self.cascades.push((place, alert.ts, known.known_at));
        }
        // Of the market, not of its data, of the clock or of a pair; what books and trades look like says nothing of moves.
        let silent = [Family::Session, Family::Data, Family::Correlation, Family::Drift, Family::OrderFlow];
        if silent.contains(&alert.pattern.family()) {
            return;
        }
        let subject: Box<str> = id().into();
        let (label, raw_label) = (code(Pattern::ALL, &alert.pattern), alert.severity as u8);
        let known_at = known.known_at;
        let mut one = |event| {
            let subject = subject.clone();
            self.asserted.push(Asserted { known: known_at, place, event, subject, label, raw_label, zone: None });
        };
        one(ForecastEvent::AlertMove1h);
        if asserts_cascade(known) {
            one(ForecastEvent::AlertCascade1h);
        }
        if alert.pattern == Pattern::FundingAnomaly {
            one(ForecastEvent::PostFundRev8h);
        }
    }

    pub(super) fn level(&mut self, place: usize, change: &LevelChange) {
        let level = &change.level;
        let event = match change.event {
            LevelEvent::Known => ForecastEvent::ZoneReach24h,
            LevelEvent::Touched if level.timeframe == Span::hours(1) => ForecastEvent::LevelReact,
            _ => return,
        };
        let from = if change.event == LevelEvent::Touched { change.at - level.timeframe } else { change.at };
        let longs = level.side.map(|s| s == Side::Long);
        self.asserted.push(Asserted {
            known: change.known_at,
            place,
            event,
            subject: level.level_id.as_str().into(),
            label: level.kind as u8,
            raw_label: 0,
            zone: Some(Zone { bottom: level.bottom, top: level.top, from, longs }),
        });
    }

    /// What was said before an instant that begins the ledger.
    pub(super) fn forget(&mut self, ts: Ts) {
        self.asserted.retain(|a| !is_known(a.known, ts));
        self.cascades.retain(|(_, _, known)| !is_known(*known, ts));
    }

    pub(super) fn gone(&mut self, place: usize) {
        self.gone.push(place);
    }

    /// What ended by a moment. Whether a cascade began in it is known by then.
    pub(super) fn resolve(&mut self, markets: &[Market], by: Ts, context: &mut Context<'_>) {
        for (place, at, _) in self.cascades.extract_if(.., |(_, _, known)| is_known(*known, by)) {
            for waiting in self.waiting.iter_mut().filter(|w| w.of.place == place) {
                waiting.began |= waiting.issued < at && at <= waiting.until;
            }
        }
        for waiting in self.waiting.extract_if(.., |w| w.until <= by) {
            if let Some(market) = markets.get(waiting.of.place) {
                let judged = judge(&waiting, market, by);
                context.resolved(&waiting, judged);
            }
        }
    }

    pub(super) fn step(&mut self, markets: &mut [Market], context: &mut Context<'_>) {
        for place in core::mem::take(&mut self.gone) {
            if let Some(market) = markets.get_mut(place) {
                market.void(context.names.position(place), context.step);
            }
            for waiting in self.waiting.extract_if(.., |w| w.of.place == place) {
                context.resolved(&waiting, (WindowOutcome::Void, [None; 2]));
            }
        }
        let ts = context.ts;
        self.resolve(markets, ts, context);
        // What was known with later minutes waits for them, and so does what a market says before its first minute.
        let begun = |place: usize| markets.get(place).is_some_and(|m| m.begun);
        let due = self.asserted.extract_if(.., |a| is_known(a.known, ts) && begun(a.place));
        for asserted in once_each(due) {
            let Some(market) = markets.get(asserted.place) else { continue };
            match begin(&asserted, market, ts) {
                Ok((horizon, by)) => {
                    let waiting = Waiting { of: asserted, issued: ts, until: ts + horizon, by, began: false };
                    context.issued(&waiting, market);
                    self.waiting.push(waiting);
                }
                Err(reason) => {
                    let market = context.names.position(asserted.place);
                    context.step.not_issued.push(NotIssued { event: asserted.event, market, reason });
                }
            }
        }
    }
}

/// Known to the minute that ends at an instant.
fn is_known(known: Ts, ts: Ts) -> bool {
    known <= ts + LATENESS
}

/// Touched more than once since the last tick: one forecast, by the first touch.
fn once_each(all: impl Iterator<Item = Asserted>) -> Vec<Asserted> {
    let mut found: Vec<Asserted> = Vec::new();
    for one in all {
        let same = |a: &Asserted| a.place == one.place && a.event == one.event && a.subject == one.subject;
        if one.zone.is_none() || !found.iter().any(same) {
            found.push(one);
        }
    }
    found
}

/// How long it waits, and what it is judged by.
fn begin(asserted: &Asserted, market: &Market, ts: Ts) -> Result<(Span, f64), NotIssuedReason> {
    let price = market.prices.at(ts).ok_or(NotIssuedReason::NoPrice)?;
    let now = market.newest.filter(|(at, _)| *at == ts).map(|(_, r)| r).ok_or(NotIssuedReason::NoPrice)?;
    let horizon = asserted.event.horizon().unwrap_or(REACTION);
    match asserted.event {
        ForecastEvent::AlertMove1h => now.atr.map(|atr| (horizon, atr)).ok_or(NotIssuedReason::MissingReference),
        ForecastEvent::AlertCascade1h if !now.has_liquidations => Err(NotIssuedReason::NotOffered),
        ForecastEvent::PostFundRev8h => now.funding.map(|f| (horizon, f)).ok_or(NotIssuedReason::MissingReference),
        ForecastEvent::ZoneReach24h => match asserted.zone {
            // A zone that price is in is not reached.
            Some(zone) if price < zone.bottom || price > zone.top => Ok((horizon, 0.0)),
            _ => Err(NotIssuedReason::AlreadyTrue),
        },
        ForecastEvent::LevelReact => {
            let atr = now.atr.ok_or(NotIssuedReason::MissingReference)?;
            let zone = asserted.zone.ok_or(NotIssuedReason::MissingReference)?;
            let by = if zone.is_reached_from_above(&market.prices, price) { atr } else { -atr };
            // The bar that touched it may have gone as far as is asked for, or closed through it.
            let away = zone.away(price, by > 0.0);
            let decided = away >= atr || away < -THROUGH * atr;
            if decided { Err(NotIssuedReason::AlreadyTrue) } else { Ok((horizon, by)) }
        }
        _ => Ok((horizon, 0.0)),
    }
}

impl Zone {
    /// On which side price was before it touched the zone; inside of it, whose stops lie there says so, else where price is now.
    fn is_reached_from_above(self, prices: &Minutes, now: f64) -> bool {
        let inside = |p: f64| (self.bottom..=self.top).contains(&p);
        match (prices.at(self.from).filter(|p| !inside(*p)), self.longs) {
            (Some(before), _) => before > self.top,
            (None, Some(longs)) => longs,
            (None, None) => now >= f64::midpoint(self.bottom, self.top),
        }
    }

    /// Distance from the far side, away from the level.
    fn away(self, p: f64, above: bool) -> f64 {
        if above { p - self.bottom } else { self.top - p }
    }
}

fn judge(waiting: &Waiting, market: &Market, ts: Ts) -> Judged {
    let window = (waiting.issued, waiting.until);
    let seen = || market.prices.coverage(window.0, window.1) >= COVERAGE_MIN;
    let denied = |seen: bool| if seen { WindowOutcome::Missed } else { WindowOutcome::Gap };
    match (waiting.of.event, waiting.of.zone) {
        (ForecastEvent::AlertMove1h, _) => windows::moved(&market.prices, window, waiting.by),
        (ForecastEvent::AlertCascade1h, _) if waiting.began => (WindowOutcome::Happened, [None; 2]),
        (ForecastEvent::AlertCascade1h, _) => {
            // The readings of the window's end are of its hour.
            let readings = market.newest.filter(|(at, _)| *at == ts && ts == waiting.until);
            (denied(readings.is_some_and(|(_, r)| r.liquidations_seen) && seen()), [None; 2])
        }
        (ForecastEvent::PostFundRev8h, _) => {
            let now = market.newest.filter(|(at, _)| *at == ts && ts == waiting.until).and_then(|(_, r)| r.funding);
            windows::funding_halved(waiting.by, now)
        }
        (ForecastEvent::ZoneReach24h, Some(Zone { bottom, top, .. })) => {
            let inside = |p: f64| (bottom..=top).contains(&p);
            // Prices by the minute may jump over a zone: crossing it is entering it.
            let mut last = market.prices.at(window.0);
            let reached = market.prices.within(window.0, window.1).filter_map(|(_, p)| p).any(|p| {
                let crossed = last.is_some_and(|l| (l < bottom && p > top) || (l > top && p < bottom));
                last = Some(p);
                crossed || inside(p)
            });
            (if reached { WindowOutcome::Happened } else { denied(seen()) }, [None; 2])
        }
        (ForecastEvent::LevelReact, Some(zone)) => react(&market.prices, window, zone, waiting.by),
        _ => (WindowOutcome::Gap, [None; 2]),
    }
}

/// One ATR away from the far side before an hourly close half of one through it.
fn react(prices: &Minutes, (from, until): (Ts, Ts), zone: Zone, by: f64) -> Judged {
    let (atr, above) = (by.abs(), by > 0.0);
    let away = |p: f64| zone.away(p, above);
    let mut furthest = f64::NEG_INFINITY;
    for (ts, price) in prices.within(from, until) {
        let Some(price) = price else { continue };
        furthest = furthest.max(away(price) / atr);
        if away(price) >= atr {
            return (WindowOutcome::Happened, [windows::short(furthest), None]);
        }
        if ts.floor(Span::hours(1)) == ts && away(price) < -THROUGH * atr {
            return (WindowOutcome::Missed, [windows::short(furthest), None]);
        }
    }
    let seen = prices.coverage(from, until) >= COVERAGE_MIN;
    (if seen { WindowOutcome::Missed } else { WindowOutcome::Gap }, [windows::short(furthest), None])
}

impl Context<'_> {
    fn issued(&mut self, waiting: &Waiting, market: &Market) {
        let of = &waiting.of;
        let owners = [calibration::of_market(of.place), calibration::of_group(market.group as usize)];
        let basis = self.calibration.state(owners, (of.event, of.label, 0));
        self.step.issues.push(Issue {
            event: of.event,
            market: self.names.position(of.place),
            subject: Some(of.subject.clone()),
            forecaster: Forecaster::Rules,
            resolve_after: waiting.until,
            label: of.label,
            raw_label: of.raw_label,
            state: None,
            stated: basis.map_or_else(Stated::Abstained, |b| b.stated),
            scope: basis.ok().map(|b| b.scope),
            cases: basis.map_or(0, |b| b.cases),
            separate: basis.map_or(0, |b| b.separate),
            input_digest: market.newest.map_or(0, |(_, r)| r.digest),
        });
    }

    fn resolved(&mut self, waiting: &Waiting, (outcome, evidence): Judged) {
        let of = &waiting.of;
        self.counted.push((
            of.place,
            Counted {
                event: of.event,
                state: None,
                outcome,
                issued: waiting.issued,
                until: waiting.until,
                label_bin: Some((of.label, 0)),
                resolution: self.step.resolutions.len(),
            },
        ));
        self.step.resolutions.push(Resolution {
            event: of.event,
            market: self.names.position(of.place),
            subject: Some(of.subject.clone()),
            issued_ts: waiting.issued,
            outcome,
            evidence,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(n: i64) -> Ts {
        Ts(0) + Span::mins(n)
    }

    fn path(points: &[(i64, f64)]) -> Minutes {
        let mut m = Minutes::default();
        for n in 0..=720 {
            let price = points.iter().rev().find(|(from, _)| *from <= n).map(|(_, p)| *p);
            m.push(at(n), price);
        }
        m
    }

    /// A zone of 99 to 100 reached from above, an ATR of 2: a reaction is 101 before an hourly close below 98.
    #[test]
    fn a_level_holds_or_is_gone_through() {
        let zone = Zone { bottom: 99.0, top: 100.0, from: at(0), longs: None };
        let of = |points: &[(i64, f64)]| react(&path(points), (at(0), at(720)), zone, 2.0).0;
        assert_eq!(of(&[(0, 100.0), (500, 101.0)]), WindowOutcome::Happened);
        assert_eq!(of(&[(0, 100.0), (100, 97.9), (500, 101.0)]), WindowOutcome::Missed, "closed through it first");
        assert_eq!(
            of(&[(0, 100.0), (61, 97.9), (119, 99.0), (500, 101.0)]),
            WindowOutcome::Happened,
            "back before the close"
        );
        assert_eq!(of(&[(0, 100.0)]), WindowOutcome::Missed);
        let from_below = react(&path(&[(0, 99.0), (30, 98.0)]), (at(0), at(720)), zone, -2.0).0;
        assert_eq!(from_below, WindowOutcome::Happened);
    }
}
