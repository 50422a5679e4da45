//! What sentences claim is so: over every hour and every alert of the built-in history, over a market with candles alone, and over
//! a market whose venue went away.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

use crate::rules_common;
use crate::support;
use barograph_domain::{
    Alert, Axis, AxisState, GapReason, HeatRegime, Instrument, MarketKind, Metric, MinuteRow, Pattern, Reason,
    RiskRegime, Snapshot, Span, State, StreamDecl, StreamIndex, Trigger, Ts, VolRegime, spoken_label,
};
use barograph_engine::detect::explain::story;
use barograph_engine::explain::{Context, at_present, minute, render};
use barograph_engine::rules::{RuleBook, evaluate};
use barograph_engine::{CATALOGUE, Outputs};
use rules_common::{ages, feature, live_streams, minute_row, set, shipped, stream};
use std::collections::BTreeMap;
use support::{World, built_in_world, config};

const SYMBOLS: [&str; 3] = ["BTCUSDT", "ETHUSDT", "SOLUSDT"];

pub(crate) fn context<'a>(book: &'a RuleBook, instrument: &'a Instrument, streams: &'a [StreamDecl]) -> Context<'a> {
    Context { book, logic_version: "v0.1.0+0123456789ab", instrument, streams, held: None, calls: None }
}

/// Replays a market; every row and every alert with the row of its minute.
pub(crate) fn replay(
    world: &World,
    on_row: &mut dyn FnMut(&Context<'_>, &MinuteRow),
    on_alert: &mut dyn FnMut(&Alert, String),
) {
    let config = config("default");
    let ctx = context(&config.book, &world.instruments[0], &world.streams);
    let (mut engine, mut out) = (world.engine("default"), Outputs::default());
    let mut rows: BTreeMap<Ts, MinuteRow> = BTreeMap::new();
    let mut take = |out: &mut Outputs| {
        rows.clear();
        for row in out.rows() {
            on_row(&ctx, row);
            rows.insert(row.ts, row.clone());
        }
        for alert in out.alerts().iter().map(|a| &a.known.alert) {
            if let Some(row) = rows.get(&alert.ts).filter(|_| alert.axis().is_some()) {
                on_alert(alert, story(alert, Some(&minute(&ctx, row, alert))));
            }
        }
        out.clear();
    };
    for event in &world.events {
        engine.step(event, &mut out);
        take(&mut out);
    }
    engine.finish(Ts::MAX, &mut out);
    take(&mut out);
}

fn value(row: &MinuteRow, id: &str) -> f64 {
    row.cells[feature(id).index()].ready().unwrap()
}

/// What is reported of a HIGH_VOL that the newest reading does not give: levels, and the limit that is missed.
fn check_eased(row: &MinuteRow, headline: &str) {
    let vol = value(row, "realized_vol_1h");
    assert!(!headline.to_lowercase().contains("coming"), "a row does not know where it comes from: {headline}");
    let words = ["still near its limit", "back below its limit"];
    assert!(words.iter().any(|w| headline.contains(w)), "{} {headline}", row.ts);
    if vol > 0.80 {
        assert!(headline.contains(" percentile of its history, "), "{} {vol}: {headline}", row.ts);
        assert!(value(row, "realized_vol_1h_pct_90d") <= 0.90);
    } else {
        assert!(headline.contains(", limit 80"), "{} {vol}: {headline}", row.ts);
    }
}

#[test]
fn a_headline_says_volatility_goes_where_it_goes() {
    let (mut seen, mut above) = (0, 0);
    for symbol in SYMBOLS {
        let world = built_in_world(symbol);
        let mut on_row = |ctx: &Context<'_>, row: &MinuteRow| {
            if row.ts.floor(Span::hours(1)) != row.ts {
                return;
            }
            let eased = matches!(row.risk.raw_label, RiskRegime::Normal | RiskRegime::ChopRisk);
            if row.risk.label == RiskRegime::HighVol && eased {
                check_eased(row, &render(ctx, row, None).headline);
                seen += 1;
                above += usize::from(value(row, "realized_vol_1h") > 0.80);
            }
        };
        replay(&world, &mut on_row, &mut |_, _| {});
    }
    assert!(seen > 500 && above > 100, "{seen} hours, {above} of them above the limit");
}

/// Labels by how severe they are.
fn class(word: &str) -> usize {
    VolRegime::ALL.iter().position(|l| l.name() == word).unwrap()
}

#[test]
fn an_alert_says_what_its_label_came_from() {
    let (mut falls, mut back, mut over) = (0, 0, 0);
    for symbol in SYMBOLS {
        let mut on_alert = |alert: &Alert, said: String| {
            let (Some(from), Some(to)) = (alert.word("from"), alert.word("to")) else { return };
            match (alert.pattern, alert.trigger) {
                (Pattern::VolatilityRegimeChange, _) if class(to) < class(from) => {
                    assert!(said.contains("Smaller moves: daily volatility is "), "{said}");
                    let class = spoken_label(Axis::Volatility, from).unwrap();
                    assert!(said.contains(&format!("% at which {class} end.")), "{said}");
                    falls += 1;
                }
                (Pattern::VolatilityRegimeChange, _) => assert!(!said.contains("Smaller"), "{said}"),
                (Pattern::RegimeChange, Some(Trigger::Risk)) if to == "NORMAL" => {
                    let unknown = from == "UNKNOWN";
                    assert_eq!(
                        said.contains("First risk reading after a break: normal. No risk rule fires."),
                        unknown,
                        "{said}"
                    );
                    assert_eq!(said.contains("No risk rule fires any more."), !unknown, "{said}");
                    assert!(!(unknown && said.contains("First time")), "{said}");
                    (back, over) = (back + usize::from(unknown), over + usize::from(!unknown));
                }
                _ => {}
            }
        };
        replay(&built_in_world(symbol), &mut |_, _| {}, &mut on_alert);
    }
    assert!(falls > 20 && back >= 4 && over > 50, "{falls} falls, {back} back, {over} over");
}

#[test]
fn no_wait_is_promised_that_hourly_readings_cannot_keep() {
    let (mut hourly, mut settled, world) = (0, 0, built_in_world("BTCUSDT"));
    let mut on_row = |ctx: &Context<'_>, row: &MinuteRow| {
        // Within the shortest stay of a label as well.
        if row.ts.floor(Span::mins(10)) != row.ts || row.risk.label == RiskRegime::Normal {
            return;
        }
        let said = render(ctx, row, None).explanation.reasoning;
        assert!(!said.contains("at the earliest") && !said.contains("two readings"), "{}: {said}", row.ts);
        hourly += usize::from(said.contains(" hourly readings"));
        let axes = &render(ctx, row, None).regimes;
        // A label of no rule is as far away as the readings that would be left for it.
        let flips = [
            axes.risk.nearest_flip.as_ref().map(|e| e.cadence_s),
            axes.heat.nearest_flip.as_ref().map(|e| e.cadence_s),
        ];
        assert!(flips.into_iter().flatten().all(|s| s >= 3600), "{}: {flips:?}", row.ts);
        let (trend, volatility, heat) = (&axes.trend, &axes.volatility, &axes.heat);
        let exits = [
            axes.risk.nearest_exit.as_ref().map(|e| e.cadence_s),
            trend.nearest_exit.as_ref().map(|e| e.cadence_s),
            volatility.nearest_exit.as_ref().map(|e| e.cadence_s),
        ];
        assert!(exits.into_iter().flatten().all(|s| s == 3600), "{}: {exits:?}", row.ts);
        // Activity is as old as the funding in it, which is settled every eight hours and has a rank only after weeks of them.
        let of_heat = heat.nearest_exit.as_ref().filter(|e| e.feature == "heat").map(|e| e.cadence_s);
        assert!(of_heat.is_none_or(|s| s == 3600 || s == 8 * 3600), "{}: {of_heat:?}", row.ts);
        settled += usize::from(of_heat == Some(8 * 3600));
    };
    replay(&world, &mut on_row, &mut |_, _| {});
    assert!(hourly > 500 && settled > 100, "{hourly} {settled}");
}

/// The built-in history of a market, but its candles alone.
fn candles_alone(symbol: &str) -> World {
    let mut world = built_in_world(symbol);
    let bars = world.streams.iter().position(|s| s.metric == Metric::Bar).unwrap();
    world.events.retain(|e| e.stream.index() == bars);
    world.streams = vec![world.streams[bars].clone()];
    world.events.iter_mut().for_each(|e| e.stream = StreamIndex(0));
    world
}

/// Heat was not judged, and nobody reads that it was.
fn check_no_heat(s: &Snapshot) {
    let heat = &s.regimes.heat;
    assert_eq!((heat.label, heat.raw_label), (HeatRegime::Unknown, HeatRegime::Unknown), "{}", s.timestamp);
    assert_eq!((heat.margin, heat.confidence, heat.held_share_90d), (None, None, None));
    assert!(heat.axis_coverage.abs() < 1e-9 && heat.confirmation.primary.is_none() && !heat.confirmation.confirmed);
    assert_eq!(s.explanation.features["heat"].reason, Some("not_offered"));
    assert!(!s.headline.contains("othing unusual:"), "{}", s.headline);
    assert!(
        s.explanation.reasoning.contains("squeeze, chop and heat cannot be judged."),
        "{}",
        s.explanation.reasoning
    );
}

#[test]
fn what_a_market_has_no_inputs_for_is_not_judged() {
    let world = candles_alone("BTCUSDT");
    let (mut last, mut quiet, mut known) = (None, 0, 0);
    let mut on_row = |ctx: &Context<'_>, row: &MinuteRow| {
        if row.ts.floor(Span::hours(1)) == row.ts {
            let s = render(ctx, row, None);
            check_no_heat(&s);
            quiet += usize::from(s.headline.starts_with("Nothing unusual in risk, volatility or trend: "));
            known += usize::from(s.regimes.risk.label != RiskRegime::Unknown);
        }
        last = Some(row.clone());
    };
    replay(&world, &mut on_row, &mut |_, _| {});
    assert!(quiet > 100 && known > 2_000, "{quiet} quiet hours, {known} judged");
    let (config, row) = (config("default"), last.unwrap());
    let ctx = context(&config.book, &world.instruments[0], &world.streams);
    let dead = at_present(&ctx, &row, None, row.ts + Span::days(392));
    check_no_heat(&dead);
    assert!(dead.headline.starts_with("No reading: candles are 392 d"), "{}", dead.headline);
    assert!(!dead.headline.contains("history"), "{}", dead.headline);
}

/// Of every book; a label of a market that lacks a part of the inputs stays what it was.
#[test]
fn an_axis_none_of_whose_rules_applies_is_unknown() {
    for name in RuleBook::SHIPPED {
        let book = shipped(name);
        let mut cells = minute_row(&book, rules_common::minute(0), &[("realized_vol_1h", 0.35)], &[]).cells;
        for spec in CATALOGUE.iter().filter(|s| s.feature != feature("realized_vol_1h")) {
            set(&mut cells, spec.id, State::Undefined(Reason::NotOffered));
        }
        let (risk, heat) = (evaluate::<RiskRegime>(&book, &cells), evaluate::<HeatRegime>(&book, &cells));
        assert_eq!((heat.raw, heat.known, heat.unknown_by_stale), (HeatRegime::Unknown, 0, false), "{name}");
        assert!(heat.is_left_out(book.heat()) && !risk.is_left_out(book.risk()), "{name}");
        assert_eq!((risk.raw, risk.known), (RiskRegime::Normal, 0b10), "{name}");
        set(&mut cells, "heat", State::Ready);
        cells[feature("heat").index()].value = 0.5;
        assert_eq!(evaluate::<HeatRegime>(&book, &cells).raw, HeatRegime::Neutral, "{name}");
    }
}

/// A minute in which volatility has begun anew, two minutes of it, 3 min after the last message.
fn interrupted(metric: Metric, gap: Option<GapReason>) -> Snapshot {
    interrupted_for(metric, gap, 182, State::Warming { have: 2, need: 48 })
}

/// The same so many seconds after the last message.
fn interrupted_for(metric: Metric, gap: Option<GapReason>, age_s: i64, volatility: State) -> Snapshot {
    let (book, mut streams, ts) = (shipped("default"), live_streams(), rules_common::minute(875));
    streams[0] = stream(metric, Span::mins(1), true);
    let mut row = minute_row(&book, ts, &[("heat", 0.5)], &[]);
    row.inputs = ages(ts, [age_s, age_s, 41]);
    row.inputs[0].gap = gap;
    for id in ["realized_vol_1h", "realized_vol_4h"] {
        set(&mut row.cells, id, volatility);
    }
    for id in ["funding_zscore_24h", "funding_pct_30d", "oi_delta_4h", "oi_delta_1h"] {
        set(&mut row.cells, id, State::Undefined(Reason::NotOffered));
    }
    row.risk = AxisState { since: ts, ..AxisState::default() };
    let instrument = Instrument { kind: MarketKind::Spot, ..support::perpetual() };
    render(&context(&book, &instrument, &streams), &row, None)
}

#[test]
fn after_an_outage_the_outage_is_named() {
    for (metric, gap, want) in [
        (Metric::MarkPrice, Some(GapReason::Disconnected), "no mark price since 14:31Z"),
        (Metric::Trade, Some(GapReason::Disconnected), "no trades since 14:31Z"),
        (Metric::Bar, Some(GapReason::Silent), "no candles since 14:31Z"),
        (Metric::Bar, Some(GapReason::Starting), "waiting for candle history, 2 of 48 samples"),
        (Metric::Trade, None, "waiting for trade history, 2 of 48 samples"),
        (Metric::MarkPrice, None, "waiting for mark price history, 2 of 48 samples"),
    ] {
        let s = interrupted(metric, gap);
        let reading = if want.starts_with("no ") { "No reading: " } else { "No reading yet: " };
        assert!(s.explanation.reasoning.starts_with(&format!("{reading}{want}.")), "{}", s.explanation.reasoning);
        assert_eq!(s.headline.matches(want).count(), 1, "{}", s.headline);
        // What is lost is not reported a second time as what is too old.
        let as_old = s.headline.contains("3 min old");
        assert!(!(want.starts_with("no ") && as_old), "{}", s.headline);
    }
}

#[test]
fn a_loss_that_is_not_the_reason_hides_neither_the_reason_nor_an_age() {
    let lost = Some(GapReason::Disconnected);
    // A young market that connects anew for a moment.
    let s = interrupted_for(Metric::Trade, lost, 20, State::Warming { have: 30, need: 336 });
    assert!(s.headline.contains("waiting for trade history, 30 of 336 samples"), "{}", s.headline);
    let s = interrupted_for(Metric::Trade, lost, 182, State::Undefined(Reason::ZeroVariance));
    assert!(s.headline.contains("trades have not moved"), "{}", s.headline);
    assert!(s.headline.contains("trades are 3 min old"), "{}", s.headline);
}
