//! What every ledger owes, on the built-in history and on a random market: later minutes change no earlier tick, a restart and the
//! order of markets leave no trace, denominators add up, and outcomes are those that a plain reading of the rows gives.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    reason = "helpers of tests may panic; the plain reading uses the platform's logarithm on purpose"
)]

#[path = "../../engine/tests/support/mod.rs"]
mod support;

use barograph_domain::alert::AlertChange;
use barograph_domain::forecast::{ForecastEvent, LedgerTick, Stated, WindowOutcome};
use barograph_domain::{Cell, InstrumentName, KnownAlert, MinuteRow, Severity, Span, StreamDecl, Ts};
use barograph_engine::Feature;
use barograph_engine::detect::drifts::DriftAlert;
use barograph_engine::rules::{DriftLimit, DriftRule, DriftRules, RuleBook, SkillRule};
use barograph_verify::ledger::chain::Chains;
use barograph_verify::ledger::{Ledger, MinuteSample};
use barograph_verify::scorecard::{ScoreFilter, score_event};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use support::{built_in_world, random_world};

/// Rows and alerts of one market.
struct Published {
    name: InstrumentName,
    streams: Vec<StreamDecl>,
    rows: Vec<MinuteRow>,
    alerts: Vec<KnownAlert>,
}

impl Published {
    fn of(world: &support::World) -> Self {
        let (rows, alerts) = world.run("default", &world.events, |_| true);
        let alerts = alerts.into_iter().map(|a| a.known).collect();
        Self { name: world.instruments[0].name.clone(), streams: world.streams.clone(), rows, alerts }
    }
}

static BUILT_IN: LazyLock<Vec<Published>> =
    LazyLock::new(|| ["BTCUSDT", "ETHUSDT", "SOLUSDT"].map(|s| Published::of(&built_in_world(s))).into());
static RANDOM: LazyLock<Vec<Published>> = LazyLock::new(|| vec![Published::of(&random_world(7, 20))]);

fn book() -> RuleBook {
    RuleBook::shipped("default").unwrap()
}

/// Folds minutes up to an instant. `order` is that of the markets; the state goes through its bytes at every `restart`.
fn fold(markets: &[Published], until: Ts, reversed: bool, restart: Option<Span>) -> Vec<LedgerTick> {
    fold_all(markets, until, reversed, restart, Span::mins(1)).0
}

/// Rules that have something to say on the built-in history.
fn drift_rules() -> DriftRules {
    let drift = |feature, above| DriftRule {
        id: format!("{feature:?}"),
        feature,
        above: DriftLimit::Index(above),
        severity: Severity::Low,
    };
    let event = ForecastEvent::Calm4h;
    let skill = SkillRule { id: "worse".to_owned(), event, below: 0.07, lasts: Span::days(2), severity: Severity::Low };
    DriftRules {
        drifts: vec![drift(Feature::RealizedVol24h, 0.5), drift(Feature::RealizedVol1h, 0.2)],
        skills: vec![skill],
    }
}

/// The same with what rules about drift made of it. `close`: minutes that are closed at once, as after a rest of the machine.
fn fold_all(
    markets: &[Published],
    until: Ts,
    reversed: bool,
    restart: Option<Span>,
    close: Span,
) -> (Vec<LedgerTick>, Vec<DriftAlert>) {
    let (book, mut ledger, mut ticks) = (book(), Ledger::default(), Vec::new());
    let (rules, mut told) = (drift_rules(), Vec::new());
    let mut at: Vec<(usize, usize)> = vec![(0, 0); markets.len()];
    let first = markets.iter().filter_map(|m| m.rows.first()).map(|r| r.ts).min().unwrap();
    let mut ts = first;
    while ts <= until {
        let mut order: Vec<usize> = (0..markets.len()).collect();
        if reversed {
            order.reverse();
        }
        for m in order {
            let (market, (row, alert)) = (&markets[m], &mut at[m]);
            let place = ledger.place(&market.name);
            while let Some(known) = market.alerts.get(*alert).filter(|a| a.alert.ts <= ts) {
                ledger.alert(place, known, || known.alert.id(&market.name, "v0"));
                *alert += 1;
            }
            if let Some(r) = market.rows.get(*row).filter(|r| r.ts == ts) {
                ledger.minute(place, MinuteSample::of(r, &market.streams, &book));
                *row += 1;
            }
        }
        let closes = (ts - first).0 % close.0 == 0 || ts == until;
        for tick in if closes { ledger.close() } else { Vec::new() } {
            told.extend(ledger.judge(&tick, &rules));
            ticks.push(tick);
        }
        if restart.is_some_and(|every| (ts - first).0 % every.0 == 0) {
            ledger = Ledger::restore(&ledger.save()).unwrap();
        }
        ts = ts + Span::mins(1);
    }
    (ticks, told)
}

fn last(markets: &[Published]) -> Ts {
    markets.iter().filter_map(|m| m.rows.last()).map(|r| r.ts).max().unwrap()
}

static WHOLE: LazyLock<Vec<LedgerTick>> = LazyLock::new(|| fold(&BUILT_IN, last(&BUILT_IN), false, None));

#[test]
fn later_minutes_change_no_earlier_tick() {
    let end = last(&BUILT_IN);
    for days in [1, 17, 60] {
        let cut = end - Span::days(days) - Span::mins(7);
        let before: Vec<&LedgerTick> = WHOLE.iter().filter(|t| t.ts <= cut).collect();
        let prefix = fold(&BUILT_IN, cut, false, None);
        assert!(prefix.iter().eq(before), "cut {days} days before the end");
    }
}

#[test]
fn a_restart_and_the_order_of_markets_leave_no_trace() {
    let until = Ts::from_civil(2026, 2, 17, 0, 0, 0);
    let each = Span::mins(1);
    let want = fold_all(&BUILT_IN, until, false, None, each);
    let changes = |a: AlertChange| want.1.iter().filter(move |t| t.known.alert.change == a).count();
    assert!(changes(AlertChange::Opened) > 3 && changes(AlertChange::Closed) > 0, "{:?}", want.1);
    assert!(fold_all(&BUILT_IN, until, true, None, each) == want, "markets in the other order");
    assert!(fold_all(&BUILT_IN, until, false, Some(Span::mins(1_613)), each) == want, "restarted every day");
    assert!(fold_all(&BUILT_IN, until, false, None, Span::mins(137)) == want, "closed many minutes at once");
    let random = fold(&RANDOM, last(&RANDOM), false, None);
    assert!(fold(&RANDOM, last(&RANDOM), false, Some(Span::mins(97))) == random);
}

/// Readings of drift, skills and base rates are among the ticks that the tests above compare.
#[test]
fn weeks_and_days_that_are_over_are_spoken_of() {
    let drift = WHOLE.iter().flat_map(|t| t.drift.iter().map(|d| (t.ts, d)));
    let weeks: Vec<_> = drift.filter(|(_, d)| *d.feature == *"realized_vol_1h").collect();
    assert!(
        weeks.len() >= 12 && weeks.iter().all(|(ts, d)| ts.floor(Span::days(1)) == *ts && d.p95.is_none()),
        "{weeks:?}"
    );
    let skills: Vec<_> = WHOLE.iter().flat_map(|t| &t.skills).filter(|s| s.event == ForecastEvent::HighVol1h).collect();
    assert!(skills.len() > 100 && skills.iter().all(|s| s.separate >= 20 && s.skill < 1.0), "{skills:?}");
    assert!(skills.iter().any(|s| s.band.is_some_and(|[low, high]| low <= s.skill && s.skill <= high)));
    let bases: u32 = WHOLE.iter().flat_map(|t| &t.bases).map(|b| b.windows).sum();
    assert!(bases > 3 * 80 * 280, "{bases}");
}

/// The engine's own count of what follows alerts is that of the ledger.
#[test]
fn lifts_of_the_engine_are_counted_as_the_ledger_counts() {
    use barograph_domain::pattern::Family;
    use barograph_engine::detect::lifts::LiftWatch;
    for (place, market) in BUILT_IN.iter().enumerate() {
        let end = last(&BUILT_IN).floor(Span::days(1));
        let position =
            |t: &LedgerTick| t.markets.iter().position(|m| *m == market.name).map(|at| u16::try_from(at).unwrap());
        let mut watch = LiftWatch::default();
        let mut alerts =
            market.alerts.iter().map(|a| &a.alert).filter(|a| a.pattern.family() != Family::Data).peekable();
        for row in market.rows.iter().filter(|r| r.ts < end) {
            watch.minute(row.ts, row.price);
            while let Some(alert) = alerts.next_if(|a| a.ts <= row.ts) {
                watch.reported(std::slice::from_ref(alert));
            }
            watch.close(row.ts, row.cells[Feature::Atr14.index()].ready());
        }
        let ticks = || WHOLE.iter().filter(|t| t.ts < end).map(|t| (position(t), t));
        let came = ticks().flat_map(|(at, t)| t.resolutions.iter().filter(move |r| Some(r.market) == at));
        let came: Vec<_> = came.filter(|r| r.event == ForecastEvent::AlertMove1h).map(|r| r.outcome).collect();
        let count = |of: WindowOutcome| u32::try_from(came.iter().filter(|o| **o == of).count()).unwrap();
        let (hits, misses) = (count(WindowOutcome::Happened), count(WindowOutcome::Missed));
        assert_eq!(watch.counted(), (hits + misses, hits), "{place}");
        let bases = WHOLE.iter().filter(|t| t.ts <= end).map(|t| (position(t), t));
        let bases = bases.flat_map(|(at, t)| t.bases.iter().filter(move |b| Some(b.market) == at));
        let base = bases.fold((0, 0), |(n, k), b| (n + b.windows, k + b.moved));
        assert_eq!(watch.base(), base, "{place}");
        assert!(hits > 20 && misses > 200, "{hits} {misses}");
    }
}

/// Event, market, moment and subject.
type Key = (ForecastEvent, u16, Ts, Option<Box<str>>);

/// A market that comes later leaves no trace in what was said before it.
#[test]
fn a_market_that_comes_later_changes_no_earlier_tick() {
    let (begin, until) = (Ts::from_civil(2025, 12, 20, 0, 0, 0), Ts::from_civil(2025, 12, 24, 0, 0, 0));
    let late = |at: usize| Published {
        rows: BUILT_IN[at].rows.iter().filter(|r| at == 0 || r.ts >= begin).cloned().collect(),
        alerts: Vec::new(),
        name: BUILT_IN[at].name.clone(),
        streams: BUILT_IN[at].streams.clone(),
    };
    let both = fold(&[late(0), late(1)], until, false, None);
    let alone = fold(&[late(0)], until, false, None);
    let before = |ticks: &[LedgerTick]| ticks.iter().filter(|t| t.ts < begin).cloned().collect::<Vec<_>>();
    assert!(before(&both).len() > 3_000 && before(&both) == before(&alone));
    assert_eq!(both.last().unwrap().markets.len(), 2);
}

/// At every tick: what was registered is resolved, void, without sufficient data, or waits.
#[test]
fn denominators_add_up_at_every_step() {
    for ticks in [&*WHOLE, &fold(&RANDOM, last(&RANDOM), false, None)] {
        let mut waiting: BTreeMap<Key, Ts> = BTreeMap::new();
        let mut asked: BTreeMap<ForecastEvent, u64> = BTreeMap::new();
        for tick in ticks {
            for r in &tick.resolutions {
                let key = (r.event, r.market, r.issued_ts, r.subject.clone());
                let until = waiting.remove(&key).unwrap_or_else(|| panic!("{key:?} was not registered"));
                assert!(until <= tick.ts && until > r.issued_ts, "{key:?} resolved at {}", tick.ts);
            }
            for i in &tick.issues {
                let key = (i.event, i.market, tick.ts, i.subject.clone());
                assert!(i.resolve_after > tick.ts, "{key:?}");
                assert_eq!(waiting.insert(key, i.resolve_after), None, "twice");
            }
            for event in ForecastEvent::EVERY_TICK {
                let of = |n: usize| u64::try_from(n).unwrap();
                let issued = tick.issues.iter().filter(|i| i.event == event).count();
                let not = tick.not_issued.iter().filter(|n| n.event == event).count();
                *asked.entry(event).or_default() += of(issued + not);
            }
            assert!(waiting.values().all(|until| *until > tick.ts), "something is overdue at {}", tick.ts);
        }
        assert_eq!(asked.values().min(), asked.values().max(), "every event is asked at every instant: {asked:?}");
    }
}

/// The definitions once more, as plainly as they can be written.
#[test]
fn outcomes_are_those_of_a_plain_reading_of_the_rows() {
    let mut compared: BTreeMap<ForecastEvent, [u32; 2]> = BTreeMap::new();
    for (at, market) in BUILT_IN.iter().enumerate() {
        let first = market.rows[0].ts;
        let row = |t: Ts| usize::try_from((t - first).0 / Span::mins(1).0).ok().and_then(|n| market.rows.get(n));
        let reading = |t: Ts, f: Feature| row(t).and_then(|r| r.cells.get(f.index())).and_then(Cell::ready);
        let price = |t: Ts| row(t).and_then(|r| r.price);
        for tick in WHOLE.iter() {
            for r in tick.resolutions.iter().filter(|r| usize::from(r.market) == at && r.subject.is_none()) {
                let (from, end) = (r.issued_ts, r.issued_ts + r.event.horizon().unwrap());
                let want = match r.event {
                    ForecastEvent::HighVol1h => reading(end, Feature::RealizedVol1h).map(|v| v > 0.8),
                    ForecastEvent::TrendUp24h | ForecastEvent::TrendDown24h => {
                        let sigma = reading(from, Feature::RealizedVol24h).unwrap() / 365.0_f64.sqrt();
                        let moved = price(from).zip(price(end)).map(|(a, b)| (b / a).ln() / sigma);
                        let up = r.event == ForecastEvent::TrendUp24h;
                        moved.map(|m| if up { m > 0.5 } else { m < -0.5 })
                    }
                    ForecastEvent::Squeeze4h => {
                        let atr = reading(from, Feature::Atr14).unwrap();
                        let longs = reading(from, Feature::SqueezeDirection).unwrap() == 0.0;
                        let minutes = (1..=240).filter_map(|n| price(from + Span::mins(n)));
                        let start = price(from).unwrap();
                        let worst = minutes.map(|p| if longs { start - p } else { p - start }).fold(0.0, f64::max);
                        Some(worst >= 2.0 * atr)
                    }
                    ForecastEvent::VolUp24h => {
                        let class = |t| reading(t, Feature::VolClass);
                        class(end).map(|c| c > class(from).unwrap())
                    }
                    _ => continue,
                };
                let got = match r.outcome {
                    WindowOutcome::Happened => Some(true),
                    WindowOutcome::Missed => Some(false),
                    _ => None,
                };
                assert_eq!(got, want, "{:?} of {} from {from}", r.event, market.name);
                if let Some(got) = got {
                    compared.entry(r.event).or_default()[usize::from(got)] += 1;
                }
            }
        }
    }
    assert!(compared.len() == 5 && compared.values().flatten().all(|n| *n > 100), "{compared:?}");
}

/// A probability is stated only of what had been seen, and it is one.
#[test]
fn probabilities_come_with_history_and_stay_within_bounds() {
    let mut stated: BTreeMap<ForecastEvent, u32> = BTreeMap::new();
    for (n, tick) in WHOLE.iter().enumerate() {
        for issue in &tick.issues {
            let sum = match issue.stated {
                Stated::Abstained(_) => continue,
                Stated::Probability(p) => {
                    assert!(p > 0.0 && p < 1.0, "{p}");
                    1.0
                }
                Stated::Classes(all) => all.iter().sum(),
            };
            assert!((sum - 1.0_f64).abs() < 1e-12 && issue.cases > 0 && issue.separate > 0);
            assert!(n > 288, "within the first day");
            *stated.entry(issue.event).or_default() += 1;
        }
    }
    assert!(ForecastEvent::EVERY_TICK.iter().all(|e| stated.get(e).is_some_and(|n| *n > 1_000)), "{stated:?}");
}

/// Scores of the whole ledger: every step adds up, and every number is within its bounds.
#[test]
fn the_scorecard_adds_up() {
    for event in ForecastEvent::EVERY_TICK {
        let scores = score_event(event, WHOLE.iter(), &ScoreFilter::default());
        assert_eq!(scores.rows.len(), 4 * 4, "all and three markets, four windows: {event:?}");
        for row in &scores.rows {
            let d = &row.denominators;
            let not_issued: u64 = d.not_issued.values().sum();
            let abstained: u64 = d.abstained.values().sum();
            assert_eq!(d.asked, d.issued + not_issued, "{row:?}");
            assert_eq!(d.issued, d.waiting + d.void + d.unresolvable + d.resolved, "{row:?}");
            assert_eq!(d.resolved, abstained + d.scored, "{row:?}");
            if let (Some(parts), Some(score)) = (row.parts, row.score) {
                let murphy = parts.rel - parts.res + parts.unc + parts.wbv - parts.wbc;
                assert!((murphy - score).abs() < 1e-12 && (parts.mcb - parts.dsc + parts.unc - score).abs() < 1e-12);
            }
            if let (Some(low), Some(high), Some(value)) =
                (row.persistence.low, row.persistence.high, row.persistence.value)
            {
                assert!(low <= value && value <= high, "{:?}", row.persistence);
            }
            if std::env::var_os("SHOW").is_some() && (row.window == "all" || row.scope == "all") {
                println!(
                    "{:<14} {:<22} {:<4} scored {:>6} eff {:>5} base {:?} bs {:?} clim {:?} [{:?} {:?}] pers {:?} [{:?} {:?}] ece {:?} auc {:?} {:?} {:?} label {:?}",
                    row.event.id(),
                    row.scope,
                    row.window,
                    d.scored,
                    row.n_eff,
                    row.base_rate,
                    row.score,
                    row.climatology.value,
                    row.climatology.low,
                    row.climatology.high,
                    row.persistence.value,
                    row.persistence.low,
                    row.persistence.high,
                    row.ece,
                    row.auc,
                    row.verdict,
                    row.sequence,
                    row.label.map(|l| (l.pod, l.far, l.pofd)),
                );
            }
        }
        if std::env::var_os("SHOW").is_some() {
            scores.alerts.iter().for_each(|a| println!("{a:?}"));
            scores.stability.iter().for_each(|a| println!("{a:?}"));
            if let Some(row) = scores.rows.first() {
                println!("{:?} {:?}", row.denominators, row.curve);
            }
        }
    }
}

/// Nothing of a day can be changed without its head changing.
#[test]
fn heads_follow_from_every_row() {
    let ticks: Vec<LedgerTick> = WHOLE.iter().skip(20_000).take(290).cloned().collect();
    let heads = |ticks: &[LedgerTick]| {
        let mut chains = Chains::default();
        let mut last = BTreeMap::new();
        for tick in ticks {
            for (event, head) in chains.add(tick, "v0") {
                last.insert((tick.ts.floor(Span::days(1)), event), head);
            }
        }
        last
    };
    let want = heads(&ticks);
    assert!(want.len() > 14 && want == heads(&ticks));
    let mut other = ticks.clone();
    other[5].resolutions[3].evidence[0] = Some(1.0);
    assert_ne!(heads(&other), want);
    let mut counted = ticks.clone();
    let base = counted.iter_mut().find_map(|t| t.bases.first_mut()).unwrap();
    base.moved += 1;
    assert_ne!(heads(&counted), want, "what lift rests on");
    let mut shorter = ticks;
    shorter[5].issues.pop();
    assert_ne!(heads(&shorter), want);
}
