//! The ledger at its edges: markets that leave, beginnings between two instants of the grid, holes, and pairs.

#![allow(clippy::unwrap_used, clippy::allow_attributes, reason = "helpers of tests may panic")]

use barograph_domain::forecast::{ForecastEvent, LedgerTick, WindowOutcome};
use barograph_domain::universe::{Gauge, LeadReading, PairReading, StateHours, UniverseMarket};
use barograph_domain::{InstrumentName, Reason, RiskRegime, Span, Ts, UniverseRow, VolRegime};
use barograph_verify::ledger::{GridReadings, Ledger, MinuteSample};

const START: Ts = Ts(1_760_000_400_000_000_000);

fn name(symbol: &str) -> InstrumentName {
    InstrumentName::parse(&format!("binance-usdm:{symbol}")).unwrap()
}

fn at(minutes: i64) -> Ts {
    START + Span::mins(minutes)
}

/// A minute with a price and readings that let everything be registered.
fn sample(ts: Ts, price: f64) -> MinuteSample {
    let readings = GridReadings {
        atr: Some(10.0),
        rv: [Some(0.3); 2],
        vol_daily: Some(0.02),
        class: Some(1),
        longs_crowded: Some(true),
        has_funding: true,
        ..GridReadings::default()
    };
    let grid = (ts.floor(Span::mins(5)) == ts).then_some(readings);
    MinuteSample { ts, price: Some(price), step: Span::mins(1), grid, values: Vec::new() }
}

/// Minutes of a market from and up to, at a price.
fn minutes(ledger: &mut Ledger, market: usize, range: core::ops::RangeInclusive<i64>, price: f64) -> Vec<LedgerTick> {
    let one = |n| {
        ledger.minute(market, sample(at(n), price));
        ledger.close()
    };
    range.flat_map(one).collect()
}

fn outcomes(ticks: &[LedgerTick], event: ForecastEvent, issued: Ts) -> Vec<WindowOutcome> {
    let all = ticks.iter().flat_map(|t| &t.resolutions);
    all.filter(|r| r.event == event && r.issued_ts == issued).map(|r| r.outcome).collect()
}

/// An hour of A with B and with C.
fn hour(ts: Ts, correlation: f64) -> UniverseRow {
    let market = |symbol: &str| UniverseMarket {
        instrument: name(symbol),
        asset: symbol.to_owned(),
        price: None,
        vol_annual: None,
        risk: RiskRegime::Normal,
        volatility: VolRegime::Unknown,
        lead_score: None,
    };
    let none = Gauge::none(Reason::Warming, 0, 1);
    let lead = LeadReading { ratio: none, best: None, significant: None, xcorr: Vec::new() };
    let pair = |b| PairReading {
        a: 0,
        b,
        corr_20: Gauge::of(correlation, 20, 20, false),
        corr_20_ci: None,
        corr_30d: none,
        corr_30d_ci: None,
        corr_20_pct_180d: none,
        band: None,
        state: None,
        severity: None,
        divergence_strength: None,
        exposure_overlap: None,
        held_90d: StateHours::default(),
        lead: lead.clone(),
    };
    UniverseRow {
        ts,
        known_ts: ts + Span::millis(200),
        markets: ["A", "B", "C"].map(market).into(),
        pairs: vec![pair(1), pair(2)],
        leading: None,
    }
}

/// The grid begins at minute 0; whoever begins between two of its instants says so with its first tick, and so does one that is saved
/// before it.
#[test]
fn the_first_tick_says_that_it_is_the_first() {
    let mut ledger = Ledger::default();
    let place = ledger.place(&name("A"));
    assert!(minutes(&mut ledger, place, 2..=4, 100.0).is_empty());
    ledger = Ledger::restore(&ledger.save()).unwrap();
    let ticks = minutes(&mut ledger, place, 5..=12, 100.0);
    assert_eq!(ticks.iter().map(|t| t.begins).collect::<Vec<_>>(), [true, false]);
    ledger.begin_anew();
    let again = minutes(&mut ledger, place, 13..=20, 100.0);
    assert_eq!(again.iter().map(|t| t.begins).collect::<Vec<_>>(), [true, false]);
    assert!(again.iter().all(|t| t.resolutions.is_empty()), "what it had registered is not known any more");
}

/// Everything that waits for a market that left is void at the next instant, its pairs too; what the others wait for is not.
#[test]
fn a_market_that_leaves_takes_what_waits_with_it() {
    let mut ledger = Ledger::default();
    let [a, b, c] = ["A", "B", "C"].map(|s| ledger.place(&name(s)));
    let mut ticks = Vec::new();
    for n in 0..=70 {
        for place in [a, b, c] {
            ledger.minute(place, sample(at(n), 100.0));
        }
        if n % 60 == 0 {
            ledger.hour(&hour(at(n), 0.5));
        }
        ticks.extend(ledger.close());
    }
    let mut waiting: Vec<_> =
        ticks.iter().flat_map(|t| t.issues.iter().map(|i| (i.event, i.market, t.ts, &i.subject))).collect();
    for r in ticks.iter().flat_map(|t| &t.resolutions) {
        waiting.retain(|w| *w != (r.event, r.market, r.issued_ts, &r.subject));
    }
    let lost = |(event, market, _, subject): &(ForecastEvent, u16, Ts, &Option<Box<str>>)| {
        *market == 1 || (*event == ForecastEvent::CorrBreak7d && subject.as_deref() == Some("binance-usdm:B"))
    };
    let mut want: Vec<_> = waiting.iter().filter(|w| lost(w)).map(|w| (w.0, w.1, w.2, w.3.clone())).collect();
    ledger.gone(b);
    let mut ends = Vec::new();
    for n in 71..=75 {
        ledger.minute(a, sample(at(n), 100.0));
        ledger.minute(c, sample(at(n), 100.0));
        ends.extend(ledger.close());
    }
    let void = ends.iter().flat_map(|t| &t.resolutions).filter(|r| r.outcome == WindowOutcome::Void);
    let mut got: Vec<_> = void.map(|r| (r.event, r.market, r.issued_ts, r.subject.clone())).collect();
    want.sort();
    got.sort();
    assert!(got.iter().filter(|g| g.0 == ForecastEvent::CorrBreak7d).count() >= 1 && got.len() > 20, "{got:?}");
    assert_eq!(got, want);
}

/// A day and more of nothing, and the first minute after it lies between two instants: what price did before the hole counts.
#[test]
fn what_was_seen_before_a_long_hole_counts_behind_it() {
    let mut ledger = Ledger::default();
    let place = ledger.place(&name("A"));
    let mut ticks = minutes(&mut ledger, place, 0..=100, 100.0);
    ticks.extend(minutes(&mut ledger, place, 101..=101, 70.0));
    ticks.extend(minutes(&mut ledger, place, 2_002..=2_015, 100.0));
    let squeeze = |issued| outcomes(&ticks, ForecastEvent::Squeeze4h, issued);
    assert_eq!(squeeze(at(60)), [WindowOutcome::Happened], "three ATR against the crowded longs");
    assert_eq!(outcomes(&ticks, ForecastEvent::TrendUp24h, at(60)), [WindowOutcome::Gap]);
}

/// A break in the last hour of the week counts, one after it does not, and pairs do not see each other.
#[test]
fn a_week_of_a_pair_ends_with_its_last_hour() {
    let week = 7 * 24;
    let broken = |break_at: i64| {
        let mut ledger = Ledger::default();
        let place = ledger.place(&name("A"));
        let mut ticks = Vec::new();
        // Hours 10 days long; those between are not seen in the third case.
        for n in 0..=240 {
            if break_at == 200 && n > 140 && n < 200 {
                continue;
            }
            ledger.minute(place, sample(at(n * 60), 100.0));
            ledger.hour(&hour(at(n * 60), if n == break_at { -0.6 } else { 0.5 }));
            ticks.extend(ledger.close());
        }
        // The first tick registers nothing of what was said before it, so the first week begins with the second hour.
        outcomes(&ticks, ForecastEvent::CorrBreak7d, at(60))
    };
    use WindowOutcome::{Happened, Missed};
    assert_eq!(broken(week + 1), [Happened; 2], "in its last hour, for both pairs");
    assert_eq!(broken(week + 2), [Missed; 2], "after it");
    assert_eq!(broken(200), [Missed; 2], "long after it, behind a hole");
}
