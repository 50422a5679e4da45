//! The catalogue of what the engine says: every template that it makes over the built-in history, over a market that is cut off, and of
//! alerts, with a sample of each. `cargo test -p barograph-engine sentences -- --nocapture` prints it. None of them uses a private word.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use crate::rules_common::{ages, live_streams, minute, minute_row, set, shipped};
use crate::said_is_so::{context, replay};
use crate::support::{built_in_world, perpetual};
use barograph_domain::guidance::{new_entries, of_bias, of_posture, of_risk, of_stops, open_positions, stops_add};
use barograph_domain::{
    Alert, Axis, AxisState, GapReason, Label, MinuteRow, Posture, Reason, RiskBias, RiskRegime, Snapshot, Span, State,
    StopVulnerability,
};
use barograph_engine::CATALOGUE;
use barograph_engine::detect::Thresholds;
use barograph_engine::detect::explain::{description_at, limits, title_at};
use barograph_engine::detect::meaning::meaning_at;
use barograph_engine::explain::{Context, at_present, minute as minute_of, render};
use barograph_engine::rules::RuleBook;
use barograph_testkit::Voice;
use std::collections::BTreeMap;

fn snapshot(voice: &mut Voice, s: &Snapshot) {
    voice.check_each("headline", &s.headline);
    voice.check_each("why", &s.explanation.reasoning);
    let g = &s.guidance;
    for (what, text) in [
        ("new entries", g.new_entries.as_str()),
        ("open positions", &g.open_positions),
        ("bias", g.risk_bias_action),
        ("posture", g.posture_action),
    ] {
        voice.check(what, text);
    }
    g.upgrade_blocked_by.iter().for_each(|why| voice.check("why not aggressive", why));
    voice.check("freshness", s.explanation.freshness_warning.as_deref().unwrap_or_default());
    s.calls.iter().for_each(|calls| voice.check_each("what may follow", &calls.sentence));
}

fn alert(voice: &mut Voice, ctx: &Context<'_>, alert: &Alert, row: Option<&MinuteRow>) {
    let minute = row.map(|row| minute_of(ctx, row, alert));
    let meaning = meaning_at(alert, Thresholds::default().keep, minute.as_ref());
    voice.check("alert: title", &title_at(alert, minute.as_ref()));
    voice.check_each("alert: what was measured", &description_at(alert, minute.as_ref()));
    voice.check("alert: new entries", &meaning.new_entries);
    voice.check("alert: open positions", &meaning.open_positions);
    voice.check("alert: what would clear it", &meaning.clears);
    limits(alert).into_iter().for_each(|limit| voice.check("alert: limits", limit));
}

/// The built-in history of one market, hour by hour, and all its alerts.
fn of_history(voice: &mut Voice, symbol: &str) {
    let world = built_in_world(symbol);
    let mut rows = BTreeMap::new();
    let mut alerts = Vec::new();
    let mut last = None;
    {
        let on_row = &mut |ctx: &Context<'_>, row: &MinuteRow| {
            if row.ts.floor(Span::hours(1)) == row.ts {
                snapshot(voice, &render(ctx, row, None));
            }
            rows.insert(row.ts, row.clone());
            last = Some(row.clone());
        };
        replay(&world, on_row, &mut |alert, _| alerts.push(alert.clone()));
    }
    let config = crate::support::config("default");
    let ctx = context(&config.book, &world.instruments[0], &world.streams);
    alerts.iter().for_each(|a| alert(voice, &ctx, a, rows.get(&a.ts)));
    let last = last.unwrap();
    for later in [Span::mins(20), Span::hours(5), Span::days(260)] {
        snapshot(voice, &at_present(&ctx, &last, None, last.ts + later));
    }
}

/// A live market under every book: each label, each reason for a missing reading, each loss.
fn of_losses(voice: &mut Voice) {
    let instrument = perpetual();
    let streams = live_streams();
    for name in RuleBook::SHIPPED {
        let book = shipped(name);
        let ctx = context(&book, &instrument, &streams);
        let ts = minute(875);
        let calm = minute_row(&book, ts, &[("heat", 0.5), ("realized_vol_1h", 0.35), ("realized_vol_4h", 0.3)], &[]);
        for label in RiskRegime::ALL {
            for raw in RiskRegime::ALL {
                let mut row = calm.clone();
                row.risk = AxisState { label, raw_label: raw, since: ts - Span::mins(3), ..AxisState::default() };
                snapshot(voice, &render(&ctx, &row, None));
            }
        }
        for reason in Reason::ALL {
            let mut row = calm.clone();
            for spec in CATALOGUE {
                set(&mut row.cells, spec.id, State::Undefined(reason));
            }
            row.risk = AxisState { since: ts, ..AxisState::default() };
            snapshot(voice, &render(&ctx, &row, None));
        }
        for gap in GapReason::ALL {
            for age in [41, 182, 900] {
                let mut row = calm.clone();
                row.inputs = ages(ts, [age, age, 41]);
                row.inputs[0].gap = Some(gap);
                row.risk = AxisState { since: ts, ..AxisState::default() };
                snapshot(voice, &render(&ctx, &row, None));
            }
        }
    }
}

fn of_tables(voice: &mut Voice) {
    for label in RiskRegime::ALL {
        voice.check("risk label", of_risk(label).description);
        voice.check("open positions", open_positions(label));
        for posture in [Posture::Reduce, Posture::Hold, Posture::Normal, Posture::Aggressive] {
            voice.check("new entries", new_entries(label, posture));
            voice.check("posture", of_posture(posture).description);
            voice.check("posture", of_posture(posture).action);
        }
    }
    for bias in [RiskBias::Conservative, RiskBias::Neutral, RiskBias::Aggressive] {
        voice.check("bias", of_bias(bias).description);
        voice.check("bias", of_bias(bias).action);
    }
    for level in StopVulnerability::ALL {
        voice.check("stops", of_stops(level).description);
        voice.check("stops", of_stops(level).action);
        voice.check("stops", stops_add(level));
    }
    GapReason::ALL.into_iter().for_each(|gap| voice.check("why data are lost", gap.spoken()));
    CATALOGUE.iter().for_each(|spec| voice.check("reading", spec.spoken));
}

#[test]
fn no_sentence_of_the_engine_has_a_private_word() {
    let mut voice = Voice::default();
    ["BTCUSDT", "ETHUSDT", "SOLUSDT"].into_iter().for_each(|symbol| of_history(&mut voice, symbol));
    of_losses(&mut voice);
    of_tables(&mut voice);
    let instrument = perpetual();
    let streams = live_streams();
    let book = shipped("default");
    let ctx = context(&book, &instrument, &streams);
    crate::alert_texts::alerts().iter().for_each(|a| alert(&mut voice, &ctx, a, None));
    println!("{}", voice.catalogue());
    assert!(voice.len() > 400, "only {} templates: part of the catalogue is gone", voice.len());
    let faults = voice.faults();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// No word names two things: what people read of a label is of one axis.
#[test]
fn no_word_is_on_two_axes() {
    let mut seen: BTreeMap<&str, Axis> = BTreeMap::new();
    fn all<L: Label>() -> impl Iterator<Item = (&'static str, Axis)> {
        L::LABELS.iter().filter(|l| **l != L::UNKNOWN).map(|l| (l.spoken(), L::AXIS))
    }
    use barograph_domain::{HeatRegime, TrendRegime, VolRegime};
    for (word, axis) in
        all::<RiskRegime>().chain(all::<TrendRegime>()).chain(all::<VolRegime>()).chain(all::<HeatRegime>())
    {
        assert_eq!(seen.insert(word, axis), None, "'{word}' is said of two labels");
    }
    assert_eq!(seen.len(), 18);
}
