//! What an alert of a label says is what its minute says: number against threshold, side, price, what would end it (U3).

use crate::rules_common;
use barograph_domain::alert::{AlertChange, Datum, Word};
use barograph_domain::{Alert, Pattern, Posture, Severity, Trigger};
use barograph_domain::{
    Axis, AxisState, HeatRegime, Instrument, InstrumentName, MarketKind, MinuteRow, RiskRegime, TrendRegime, VolRegime,
};
use barograph_engine::detect::explain::story;
use barograph_engine::detect::meaning::meaning_at;
use barograph_engine::explain::{AxisMoment, Context, Minute, minute as minute_of, moment, render};
use barograph_engine::rules::{RiskAxis, RuleBook};
use rules_common::{live_streams, minute, minute_row, shipped};

fn said(book: &RuleBook, row: &MinuteRow, axis: Axis) -> AxisMoment {
    let name = InstrumentName::parse("binance-usdm:BTCUSDT").unwrap_or_else(|e| panic!("{e}"));
    let instrument = Instrument::from_name(name, MarketKind::Perpetual);
    let streams = live_streams();
    moment(
        &Context { book, logic_version: "v1", instrument: &instrument, streams: &streams, held: None, calls: None },
        row,
        axis,
    )
}

/// The third row with these readings: labels that need two readings have been entered.
fn row(book: &RuleBook, readings: &[(&str, f64)]) -> MinuteRow {
    let mut axis = RiskAxis::new();
    let streams = live_streams();
    let mut last = None;
    let quiet = [("funding_zscore_24h", 0.4), ("oi_delta_1h", 0.01), ("oi_delta_4h", 0.01), ("realized_vol_4h", 0.40)];
    let unsaid = quiet.iter().filter(|(id, _)| readings.iter().all(|(said, _)| said != id));
    let readings: Vec<(&str, f64)> = unsaid.chain(readings).copied().collect();
    for n in 0..3 {
        let mut row = minute_row(book, minute(n), &readings, &[]);
        row.risk = axis.step(book, row.ts, &row.cells, &row.inputs, &streams);
        last = Some(row);
    }
    last.unwrap_or_else(|| panic!("three rows"))
}

#[test]
fn a_label_says_number_against_threshold_price_and_exit() {
    let book = shipped("absolute");
    let wild = row(&book, &[("funding_zscore_24h", 0.4), ("oi_delta_4h", 0.01), ("realized_vol_1h", 1.24)]);
    assert_eq!(wild.risk.label, RiskRegime::HighVol);
    let of = said(&book, &wild, Axis::Risk);
    assert_eq!(of.text(), "High volatility: 1 h volatility is 124 % annualised, limit 80 %. Price 63,120.");
    assert!(of.clears.starts_with("It would clear to ") && of.clears.contains("fell below"), "{}", of.clears);
    assert_eq!((of.statistics.len(), of.side), (1, None));
    assert_eq!((of.statistics[0].value, of.statistics[0].threshold), (Some(1.24), 0.80));
    let exit = of.exit.unwrap_or_else(|| panic!("a single reading ends it"));
    assert_eq!((exit.feature, exit.direction, exit.value), ("realized_vol_1h", "below", 1.24));
    assert!(of.flip.is_some());
}

#[test]
fn a_squeeze_names_its_side_and_a_quiet_market_what_would_turn_it() {
    let book = shipped("absolute");
    let quiet = [("oi_delta_4h", 0.12), ("realized_vol_1h", 0.20)];
    let squeeze = |z: f64, code: f64| {
        let readings = [("funding_zscore_24h", z), ("squeeze_direction", code), quiet[0], quiet[1]];
        said(&book, &row(&book, &readings), Axis::Risk)
    };
    let longs = squeeze(2.6, 0.0);
    assert!(longs.why.starts_with("Squeeze risk, ") && longs.why.contains("2.6σ"), "{}", longs.why);
    assert!(longs.side.is_some());
    assert_ne!(longs.side, squeeze(-2.6, 1.0).side);
    let calm = row(&book, &[("funding_zscore_24h", 0.4), ("oi_delta_4h", 0.05), ("realized_vol_1h", 0.40)]);
    let of = said(&book, &calm, Axis::Risk);
    assert_eq!(of.why, "No risk rule fires.");
    assert!(of.clears.starts_with("It would turn "), "{}", of.clears);
}

#[test]
fn every_axis_has_words_for_every_label() {
    let book = shipped("default");
    let mut any = row(&book, &[("realized_vol_1h", 0.40)]);
    for label in [TrendRegime::StrongUptrend, TrendRegime::Sideways, TrendRegime::Unknown] {
        any.trend = AxisState { label, ..AxisState::default() };
        let of = said(&book, &any, Axis::Trend);
        assert!(of.why.ends_with('.') && of.clears.ends_with('.'), "{of:?}");
        assert_eq!(of.why.starts_with("No reading"), label == TrendRegime::Unknown);
    }
    any.volatility = AxisState { label: VolRegime::Extreme, ..AxisState::default() };
    assert!(said(&book, &any, Axis::Volatility).why.starts_with("Extreme moves"));
    assert!(said(&book, &any, Axis::Heat).why.ends_with('.'));
}

/// An alert about a label, or about something else where it has no trigger of an axis.
fn alert(
    pattern: Pattern,
    trigger: Option<Trigger>,
    change: AlertChange,
    label: Option<(&'static str, &'static str)>,
) -> Alert {
    Alert {
        trigger,
        change,
        score: 70.0,
        window_from: minute(0),
        data: label.map(|(name, word)| (Word::from(name), Datum::Word(Word::from(word)))).into_iter().collect(),
        ..Alert::opened(pattern, minute(2), Severity::Low)
    }
}

fn of_alert(book: &RuleBook, row: &MinuteRow, alert: &Alert) -> (Minute, barograph_domain::Snapshot) {
    let name = InstrumentName::parse("binance-usdm:BTCUSDT").unwrap_or_else(|e| panic!("{e}"));
    let instrument = Instrument::from_name(name, MarketKind::Perpetual);
    let streams = live_streams();
    let ctx =
        Context { book, logic_version: "v1", instrument: &instrument, streams: &streams, held: None, calls: None };
    (minute_of(&ctx, row, alert), render(&ctx, row, None))
}

/// Any alert of a minute with an axis at its top, also one that is over or reports another axis.
#[test]
fn guidance_of_an_alert_is_that_of_its_minute() {
    let book = shipped("default");
    let mut calm = row(&book, &[("realized_vol_1h", 0.40)]);
    calm.risk = AxisState { label: RiskRegime::Normal, raw_label: RiskRegime::Normal, ..AxisState::default() };
    let alerts = [
        alert(Pattern::FundingAnomaly, None, AlertChange::Closed, None),
        alert(Pattern::SessionChanged, None, AlertChange::Happened, Some(("to", "NY"))),
        alert(Pattern::RegimeChange, Some(Trigger::Risk), AlertChange::Happened, Some(("to", "NORMAL"))),
    ];
    let mut seen = 0;
    for trend in [TrendRegime::Sideways, TrendRegime::StrongUptrend] {
        for volatility in [VolRegime::Stable, VolRegime::Extreme] {
            for heat in [HeatRegime::Neutral, HeatRegime::SuperHot] {
                let mut row = calm.clone();
                row.trend = AxisState { label: trend, raw_label: trend, ..AxisState::default() };
                row.volatility = AxisState { label: volatility, raw_label: volatility, ..AxisState::default() };
                row.heat = AxisState { label: heat, raw_label: heat, ..AxisState::default() };
                let top = trend.is_strong() || volatility == VolRegime::Extreme || heat == HeatRegime::SuperHot;
                for of in &alerts {
                    let (minute, snapshot) = of_alert(&book, &row, of);
                    let told = meaning_at(of, 0.9, Some(&minute));
                    let market = &snapshot.guidance;
                    assert_eq!(
                        (&told.new_entries, &told.open_positions, &minute.headline),
                        (&market.new_entries, &market.open_positions, &snapshot.headline)
                    );
                    let quiet = told.open_positions == "no action needed" || told.new_entries == "follow own rules";
                    assert_eq!(quiet, !top, "{trend:?} {volatility:?} {heat:?}: {told:?}");
                    seen += 1;
                }
                let cascade = alert(Pattern::LiquidationCascade, None, AlertChange::Opened, None);
                let (minute, _) = of_alert(&book, &row, &cascade);
                // Its own words, or those of a minute that asks for as much.
                let told = meaning_at(&cascade, 0.9, Some(&minute)).open_positions;
                assert!(told.starts_with("review, reduce or trail stop"), "{told}");
                assert!(minute.care.posture <= if top { Posture::Hold } else { Posture::Normal });
            }
        }
    }
    assert_eq!(seen, 24);
}

/// An everyday class is reported in the axis's own unit, and not as something unusual.
#[test]
fn classes_and_slopes_say_their_unit() {
    let book = shipped("default");
    let mut any = row(&book, &[("vol_daily", 0.0412), ("slope_pct", 0.0432), ("trend_p", 0.01)]);
    any.volatility = AxisState { label: VolRegime::HighVol, raw_label: VolRegime::HighVol, ..AxisState::default() };
    let of = said(&book, &any, Axis::Volatility);
    assert_eq!(of.text(), "Larger moves: daily volatility is 4.12 %, limit 1 %. Price 63,120.");
    assert!(of.clears.contains("daily volatility rose above 5 % and"), "{}", of.clears);
    any.trend = AxisState { label: TrendRegime::Sideways, raw_label: TrendRegime::Sideways, ..AxisState::default() };
    let of = said(&book, &any, Axis::Trend);
    assert!(of.clears.contains("rose above 0.05 % per bar"), "{}", of.clears);
}

/// After a gap a class is entered without the band in which the one before it would have stayed.
#[test]
fn a_class_that_fell_names_the_limit_it_is_below() {
    let book = shipped("default");
    for (daily, want) in [
        (0.0412, "Smaller moves: daily volatility is 4.12 %, below the 4.75 % at which explosive moves end."),
        (0.048, "Smaller moves: daily volatility is 4.8 %, below the 5 % at which explosive moves begin."),
    ] {
        let mut any = row(&book, &[("vol_daily", daily)]);
        any.volatility = AxisState { label: VolRegime::HighVol, raw_label: VolRegime::HighVol, ..AxisState::default() };
        let to = Some(("to", "HIGH_VOL"));
        let mut of = alert(Pattern::VolatilityRegimeChange, Some(Trigger::Volatility), AlertChange::Happened, to);
        of.data.push((Word::from("from"), Datum::Word(Word::from("EXPLOSIVE"))));
        let (minute, _) = of_alert(&book, &any, &of);
        let moment = minute.label.as_ref().unwrap_or_else(|| panic!("a moment"));
        assert_eq!(moment.why, want);
    }
}

/// Timeframes may confirm another label than the axis shows: the alert says price and what the axis itself reads, and stands by
/// its own label.
#[test]
fn a_confirmed_label_beside_another_of_the_axis_has_price_why_and_exit() {
    let book = shipped("default");
    let mut any = row(&book, &[("vol_daily", 0.061)]);
    any.volatility = AxisState { label: VolRegime::Explosive, raw_label: VolRegime::Explosive, ..AxisState::default() };
    let of =
        alert(Pattern::RegimeConfirmed, Some(Trigger::Volatility), AlertChange::Happened, Some(("regime", "HIGH_VOL")));
    let (minute, snapshot) = of_alert(&book, &any, &of);
    let told = story(&of, Some(&minute));
    assert_eq!(
        told,
        "Larger moves on . The volatility label itself: explosive moves: daily volatility is 6.1 %, limit 5 %. Price 63,120."
    );
    let moment = minute.label.as_ref().unwrap_or_else(|| panic!("a moment"));
    assert_eq!(moment.price, any.price);
    assert_eq!(moment.exit.as_ref().map(|exit| (exit.feature, exit.threshold)), Some(("vol_daily", 0.0475)));
    assert!(moment.statistics.is_empty(), "another label's numbers are not those of the alert");
    let meaning = meaning_at(&of, 0.9, Some(&minute));
    assert_eq!(meaning.clears, "It lasts while the timeframes agree.");
    assert_eq!(meaning.open_positions, snapshot.guidance.open_positions);
}

/// Timeframes may confirm another label than the axis shows: that one is not taken for the confirmed one.
#[test]
fn a_confirmed_label_is_explained_as_itself_or_as_another() {
    let book = shipped("default");
    let mut any = row(&book, &[("realized_vol_1h", 0.40)]);
    any.trend = AxisState { label: TrendRegime::StrongUptrend, ..AxisState::default() };
    for (confirmed, told) in [("STRONG_UPTREND", true), ("UPTREND", false), ("SIDEWAYS", false)] {
        let of =
            alert(Pattern::RegimeConfirmed, Some(Trigger::Trend), AlertChange::Happened, Some(("regime", confirmed)));
        let (minute, _) = of_alert(&book, &any, &of);
        assert_eq!(minute.label.as_ref().map(|label| label.told), Some(told), "{confirmed}");
        // A change is of its own minute's label or not explained.
        let entered =
            alert(Pattern::RegimeChange, Some(Trigger::Trend), AlertChange::Happened, Some(("to", confirmed)));
        assert_eq!(of_alert(&book, &any, &entered).0.label.is_some(), told, "{confirmed}");
        assert_eq!(minute.care.posture, Posture::Hold);
    }
    // Calm by the axis itself: what timeframes confirm is asked for all the same.
    any.risk = AxisState { label: RiskRegime::Normal, raw_label: RiskRegime::Normal, ..AxisState::default() };
    any.trend = AxisState { label: TrendRegime::Uptrend, ..AxisState::default() };
    for (confirmed, want) in
        [("STRONG_UPTREND", "positions against the move: review or reduce"), ("UPTREND", "no action needed")]
    {
        let of =
            alert(Pattern::RegimeConfirmed, Some(Trigger::Trend), AlertChange::Happened, Some(("regime", confirmed)));
        let (minute, _) = of_alert(&book, &any, &of);
        assert_eq!(meaning_at(&of, 0.9, Some(&minute)).open_positions, want, "{confirmed}");
    }
}

/// A book of one's own says in its own words what a strong trend or great heat asks for, or that they ask for nothing.
#[test]
fn a_confirmed_trend_or_heat_asks_in_the_words_of_the_book() {
    let text = RuleBook::shipped_text("default").unwrap_or_else(|| panic!("a book"));
    let strong = "label = [\"STRONG_UPTREND\", \"STRONG_DOWNTREND\"]\nposture = \"HOLD\"";
    let hot = "label = \"SUPER_HOT\"\nposture = \"HOLD\"\nbias = \"CONSERVATIVE\"";
    assert!(text.contains(strong) && text.contains(hot));
    let reworded = text
        .replace("\"positions against the move: review or reduce\"", "\"go with the wind\"")
        .replace("\"against the move: wait\"", "\"wait for a turn\"");
    let unasked = text
        .replace(strong, &strong.replace("HOLD", "NORMAL"))
        .replace(hot, "label = \"SUPER_HOT\"\nposture = \"NORMAL\"\nbias = \"NEUTRAL\"");
    // A label without a row asks for nothing either.
    let without: String = text
        .split("[[posture]]")
        .filter(|part| !part.contains("STRONG_UPTREND"))
        .collect::<Vec<_>>()
        .join("[[posture]]");
    let ours = ("against the move: wait", "positions against the move: review or reduce");
    let quiet = ("follow own rules", "no action needed");
    for (text, trend, heat) in [
        (text, ours, ("no chasing", "trail stop")),
        (reworded.as_str(), ("wait for a turn", "go with the wind"), ("no chasing", "trail stop")),
        (unasked.as_str(), quiet, quiet),
        (without.as_str(), quiet, ("no chasing", "trail stop")),
    ] {
        let book = RuleBook::parse("mine.toml", text).unwrap_or_else(|e| panic!("{e}"));
        let mut calm = row(&book, &[("realized_vol_1h", 0.40)]);
        calm.risk = AxisState { label: RiskRegime::Normal, raw_label: RiskRegime::Normal, ..AxisState::default() };
        for (trigger, label, want) in [
            (Trigger::Trend, "STRONG_UPTREND", trend),
            (Trigger::Heat, "SUPER_HOT", heat),
            (Trigger::Heat, "HOT", quiet),
        ] {
            let of = alert(Pattern::RegimeConfirmed, Some(trigger), AlertChange::Happened, Some(("regime", label)));
            let (minute, _) = of_alert(&book, &calm, &of);
            let told = meaning_at(&of, 0.9, Some(&minute));
            assert_eq!((told.new_entries.as_str(), told.open_positions.as_str()), want, "{label}");
        }
    }
}
