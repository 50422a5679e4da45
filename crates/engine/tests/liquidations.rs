//! Liquidations: golden vectors, the originals' worked examples, recordings, seeded bursts (synthetic), and what every
//! streaming part owes: prefix, split, save and restore, honesty about gaps.

#![expect(
    clippy::float_cmp,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "exact numbers and small counts are meant; a test may panic"
)]

use crate::support;
use barograph_domain::{GapReason, Kind, LevelEvent, Reason, Side, Span, State, Status, StatusState, StreamIndex, Ts};
use barograph_engine::features::ReadinessSettings;
use barograph_engine::features::reading::Slot;
use barograph_engine::liquidations::levels::TIMEFRAME;
use barograph_engine::liquidations::plain::{Closed, compute_liquidation_metrics, identify_liquidation_support_zones};
use barograph_engine::liquidations::{CascadeLimits, LiquidationSlots, Liquidations, Side3};
use barograph_engine::liquidity::{Named, TimeframeOptions};
use barograph_testkit::GoldenTable;
use std::collections::BTreeMap;
use support::Random;

const M: Span = Span::mins(1);

fn at(minute: i64) -> Ts {
    Ts::from_civil(2026, 2, 1, 0, 0, 0) + M.times(minute)
}

fn stream() -> Liquidations {
    Liquidations::new(StreamIndex(0), Kind::Sampled, Span::ZERO, M, CascadeLimits::default())
}

/// Every slot by name, for comparisons.
fn all(s: &LiquidationSlots) -> Vec<(String, Slot)> {
    let mut out = Vec::new();
    for (name, slots) in [("long", s.long), ("short", s.short)] {
        for (i, slot) in slots.into_iter().enumerate() {
            out.push((format!("{name} {i}"), slot));
        }
    }
    for (name, slot) in [
        ("count_60s", s.count_60s),
        ("burst_ratio", s.burst_ratio),
        ("burst_flag", s.burst_flag),
        ("elapsed_h", s.elapsed_h),
        ("velocity_4h", s.velocity_4h),
        ("velocity_pct", s.velocity_pct),
        ("severity_ratio", s.severity_ratio),
        ("cascade_flag", s.cascade_flag),
        ("long_share_1h", s.long_share_1h),
        ("long_share_4h", s.long_share_4h),
        ("side_bias", s.side_bias),
        ("one_sided_flag", s.one_sided_flag),
        ("events_1h", s.events_1h),
        ("cascade_total", s.cascade_total),
        ("cascade_velocity", s.cascade_velocity),
        ("cascade_side", s.cascade_side),
        ("burst_threshold", s.burst_threshold),
        ("velocity_threshold", s.velocity_threshold),
    ] {
        out.push((name.to_owned(), slot));
    }
    out
}

fn same_bits(a: &LiquidationSlots, b: &LiquidationSlots, what: &str) {
    for ((name, x), (_, y)) in all(a).into_iter().zip(all(b)) {
        assert!(x == y && x.cell.value.to_bits() == y.cell.value.to_bits(), "{what}: {name}: {x:?} is not {y:?}");
    }
}

#[test]
fn the_golden_windows_of_four_hours() {
    let events = GoldenTable::whole("liquidation_input");
    for (line, row) in GoldenTable::whole("liquidation_expected").rows().enumerate() {
        let t: i64 = row.text("t_min").parse().unwrap();
        let mut s = stream();
        s.begin(at(-240));
        for e in events.rows() {
            let side = if e.text("side") == "LONG" { Side::Long } else { Side::Short };
            let minute: i64 = e.text("minute").parse().unwrap();
            // Events of the minute under way are known too, and belong to no window yet.
            if minute <= t {
                s.settle(at(minute), &ReadinessSettings::default());
                s.push(at(minute) + Span::secs(7), side, 1.0, e.need("usd"));
            }
        }
        s.settle(at(t), &ReadinessSettings::default());
        let got = s.slots();
        let side = got.side_bias.cell.ready().map(|code| {
            [Side3::Balanced, Side3::Long, Side3::Short].into_iter().find(|s| (*s as u8) == code as u8).unwrap().name()
        });
        assert_eq!(side.unwrap_or_default(), row.text("liq_side_bias"), "row {line}");
        assert_eq!((got.cascade_flag.cell.value > 0.5).to_string(), row.text("liq_cascade_flag"), "row {line}");
        for (column, slot) in [
            ("liq_long_usd_4h", got.long[2]),
            ("liq_short_usd_4h", got.short[2]),
            ("liq_elapsed_h", got.elapsed_h),
            ("liq_velocity_4h", got.velocity_4h),
            ("liq_severity_ratio", got.severity_ratio),
            ("liq_long_share_4h", got.long_share_4h),
        ] {
            match (slot.cell.ready(), row.number(column)) {
                (None, None) => assert_eq!(slot.cell.reason(), Some(Reason::ZeroDenominator)),
                (Some(g), Some(w)) => {
                    assert!((g - w).abs() <= 1e-10 * w.abs().max(1e-12), "row {line}, {column}: {g} is not {w}")
                }
                (got, want) => panic!("row {line}, {column}: got {got:?}, want {want:?}"),
            }
        }
    }
}

#[test]
fn one_and_a_half_million_over_the_whole_window_is_1_875_times_the_critical_velocity() {
    let events = [
        Closed { ts: at(0) + Span::secs(3), liquidated_side: Side::Long, price: 100.0, qty: 9_000.0 },
        Closed { ts: at(239) + Span::secs(50), liquidated_side: Side::Short, price: 100.0, qty: 6_000.0 },
    ];
    let s = compute_liquidation_metrics(&events, at(240), CascadeLimits::default());
    let value = |slot: Slot| slot.cell.ready().unwrap();
    assert_eq!(
        [value(s.elapsed_h), value(s.velocity_4h), value(s.severity_ratio), value(s.cascade_total)],
        [4.0, 375_000.0, 1.875, 1_500_000.0]
    );
    assert_eq!(value(s.cascade_flag), 1.0);
    assert_eq!((value(s.long_share_4h), value(s.side_bias)), (0.6, 0.0));
    // The same money within ten minutes is counted over the floor of an hour.
    let fast: Vec<Closed> = events.iter().map(|e| Closed { ts: at(235) + (e.ts - at(0)).min(M), ..*e }).collect();
    let s = compute_liquidation_metrics(&fast, at(240), CascadeLimits::default());
    assert_eq!([value(s.elapsed_h), value(s.velocity_4h)], [1.0, 1_500_000.0]);
    // Another window is another rule, not another feature.
    let hour = CascadeLimits { cascade_window: Span::hours(1), ..CascadeLimits::default() };
    let s = compute_liquidation_metrics(&events, at(240), hour);
    assert_eq!(
        [value(s.cascade_total), value(s.velocity_4h), value(s.cascade_velocity)],
        [600_000.0, 375_000.0, 600_000.0]
    );
}

#[test]
fn silence_is_zero_while_the_stream_is_live_and_nothing_before() {
    let mut s = stream();
    assert!(!s.settle(at(5), &ReadinessSettings::default()));
    assert_eq!(s.slots().long[0].cell.state, State::Undefined(Reason::MissingInput));
    s.begin(at(0));
    s.settle(at(2), &ReadinessSettings::default());
    assert_eq!(s.slots().long[0].cell.ready(), Some(0.0), "two of five minutes");
    assert_eq!(s.slots().long[3].cell.state, State::Warming { have: 2, need: 360 });
    s.settle(at(360), &ReadinessSettings::default());
    let day = s.slots().long[3].cell;
    assert_eq!((day.ready(), day.partial), (Some(0.0), true));
    let now = s.slots();
    assert_eq!((now.velocity_4h.cell.ready(), now.cascade_flag.cell.ready()), (Some(0.0), Some(0.0)));
    assert_eq!(now.long_share_4h.cell.state, State::Undefined(Reason::ZeroDenominator));
    assert_eq!(now.velocity_4h.cell.kind, Kind::Sampled);
}

/// Liquidations of a made-up market: quiet hours, bursts, days. Synthetic, and says so.
fn synthetic(seed: u64, days: i64) -> Vec<Closed> {
    let mut r = Random(seed);
    let mut out = Vec::new();
    let mut price = 60_000.0;
    for minute in 0..days * 1_440 {
        price *= 1.0 + 0.000_4 * r.normal();
        let burst = r.unit() < 0.002;
        let n = if burst { 6 + r.next() % 30 } else { u64::from(r.unit() < 0.05) };
        for _ in 0..n {
            let side = if r.unit() < if burst { 0.95 } else { 0.5 } { Side::Long } else { Side::Short };
            #[expect(clippy::cast_possible_truncation, reason = "a moment within a minute")]
            let inside = Span((r.unit() * 6e10) as i64);
            out.push(Closed { ts: at(minute) + inside, liquidated_side: side, price, qty: 0.05 + 2.0 * r.unit() });
        }
    }
    out.sort_by_key(|e| e.ts);
    out
}

/// Feeds events and rows in the order an engine does; `hook` may replace the state between events.
fn run(events: &[Closed], until: i64, mut hook: impl FnMut(&mut Liquidations, usize)) -> Vec<(Ts, LiquidationSlots)> {
    let mut s = stream();
    s.begin(at(0));
    let mut rows = Vec::new();
    let mut minute = 0;
    let settings = ReadinessSettings::default();
    for (i, e) in events.iter().enumerate() {
        while at(minute) + Span::millis(200) < e.ts {
            if s.settle(at(minute), &settings) {
                rows.push((at(minute), *s.slots()));
            }
            minute += 1;
        }
        hook(&mut s, i);
        s.push(e.ts, e.liquidated_side, e.price, e.qty);
    }
    while minute <= until {
        if s.settle(at(minute), &settings) {
            rows.push((at(minute), *s.slots()));
        }
        minute += 1;
    }
    rows
}

#[test]
fn later_events_change_no_earlier_row_and_a_save_changes_nothing() {
    let events = synthetic(3, 9);
    let full = run(&events, 9 * 1_440, |_, _| {});
    let cut = events.len() / 2;
    let short = run(&events[..cut], 0, |_, _| {});
    assert!(short.len() > 1_000);
    for ((t, a), (u, b)) in short.iter().zip(&full) {
        assert_eq!(t, u);
        same_bits(a, b, &format!("prefix at {t}"));
    }
    let saved = run(&events, 9 * 1_440, |s, i| {
        if i % 37 == 5 {
            let bytes = postcard::to_allocvec(s).unwrap();
            let mut restored: Liquidations = postcard::from_bytes(&bytes).unwrap();
            restored.read(&ReadinessSettings::default());
            same_bits(restored.slots(), s.slots(), "restored");
            assert_eq!(postcard::to_allocvec(&restored).unwrap(), bytes);
            *s = restored;
        }
    });
    assert_eq!(saved.len(), full.len());
    for ((t, a), (_, b)) in saved.iter().zip(&full) {
        same_bits(a, b, &format!("save and restore at {t}"));
    }
}

#[test]
fn windows_agree_with_a_plain_count_of_a_synthetic_market() {
    let events = synthetic(11, 12);
    let rows = run(&events, 12 * 1_440, |_, _| {});
    for (t, slots) in rows.iter().skip(1_500).step_by(61) {
        let sum = |window: Span, side: Side| -> f64 {
            let inside = |e: &&Closed| e.ts >= *t - window && e.ts < *t && e.liquidated_side == side;
            events.iter().filter(inside).map(|e| e.price * e.qty).sum()
        };
        for (i, window) in [M.times(5), Span::hours(1), Span::hours(4), Span::hours(24)].into_iter().enumerate() {
            for (slot, side) in [(slots.long[i], Side::Long), (slots.short[i], Side::Short)] {
                let (got, want) = (slot.cell.ready().unwrap(), sum(window, side));
                assert!((got - want).abs() <= 1e-9 * want.max(1.0), "{t} window {i}: {got} is not {want}");
            }
        }
        let count = events.iter().filter(|e| e.ts > *t - Span::secs(60) && e.ts <= *t).count();
        assert_eq!(slots.count_60s.cell.ready(), Some(count as f64), "{t}");
    }
    // After a week the market's own 99.9th percentile stands beside the floor.
    let (t, last) = rows.last().unwrap();
    let mut counts: Vec<f64> =
        (0..12 * 1_440).map(|m| events.iter().filter(|e| e.ts >= at(m) && e.ts < at(m + 1)).count() as f64).collect();
    counts.sort_by(f64::total_cmp);
    let own = barograph_engine::kernel::rank::quantile(&counts, 0.999).unwrap().max(5.0);
    assert!(own > 5.0 && !last.uncalibrated, "{own} at {t}");
    assert_eq!(last.burst_threshold.cell.ready(), Some(own));
    assert!(rows[1_000].1.uncalibrated && rows[1_000].1.burst_threshold.cell.ready() == Some(5.0));
    assert!(last.velocity_pct.cell.ready().is_some() && rows[1_000].1.velocity_pct.cell.ready().is_none());
}

#[test]
fn a_gap_of_more_than_a_hundredth_of_a_window_is_never_a_number() {
    let events = synthetic(5, 3);
    let (from, until) = (at(2_000), at(2_010));
    let mut s = stream();
    s.begin(at(0));
    let settings = ReadinessSettings::default();
    for minute in 0..4_000 {
        for e in events.iter().filter(|e| e.ts >= at(minute) && e.ts < at(minute + 1)) {
            if e.ts <= from || e.ts >= until {
                s.push(e.ts, e.liquidated_side, e.price, e.qty);
            }
        }
        if minute == 2_000 {
            let open = Status { state: StatusState::Gap, from, until: Status::OPEN, reason: GapReason::Disconnected };
            s.gap(&open, from);
        }
        if minute == 2_010 {
            let live = Status { state: StatusState::Live, from, until, reason: GapReason::Disconnected };
            s.gap(&live, until);
        }
        s.settle(at(minute + 1), &settings);
        let now = minute + 1;
        for (i, length) in [5, 60, 240, 1_440].into_iter().enumerate() {
            let cell = s.slots().long[i].cell;
            let overlap = (now.min(2_010) - (now - length).max(2_000)).max(0);
            let started = now * 4 >= length;
            if overlap * 100 > length {
                assert_eq!(cell.state, State::Undefined(Reason::Gap), "window {i} at {now}");
            } else if started {
                assert!(cell.ready().is_some(), "window {i} at {now}: {cell:?}");
                let whole = overlap == 0 && now >= length;
                assert_eq!(cell.coverage >= 1.0, whole, "window {i} at {now}: {cell:?}");
            }
        }
    }
}

#[test]
fn a_late_close_is_judged_at_the_newest_stamp() {
    let mut s = stream();
    for i in 0..5 {
        s.push(at(10) + Span::secs(50 + i), Side::Long, 100.0, 1.0);
    }
    let newest = at(10) + Span::secs(54);
    // 55 s older than the newest: it counts with them and nothing is said of the past.
    let burst = s.push(newest - Span::secs(55), Side::Long, 100.0, 1.0);
    assert_eq!((burst.ts, burst.count), (newest, 6));
    assert!(s.is_news(newest - Span::secs(55), newest + Span::secs(1), &burst));
    // A minute older: in no count of this minute, and no news.
    let burst = s.push(newest - M, Side::Long, 100.0, 1.0);
    assert_eq!((burst.ts, burst.count), (newest, 6));
    assert!(!s.is_news(newest - M, newest + Span::secs(1), &burst));
}

#[test]
fn zones_are_levels_that_are_never_rewritten() {
    // Synthetic: three clusters of liquidations that come one after the other and fade.
    let mut r = Random(6);
    let mut s = stream();
    s.begin(at(0));
    let named = Named { instrument: "binance-usdm:BTCUSDT", timeframe: TIMEFRAME, tick: None };
    let mut standing: BTreeMap<String, u32> = BTreeMap::new();
    let mut told: BTreeMap<(String, u32), barograph_domain::Level> = BTreeMap::new();
    let (mut most, mut zones, mut faded) = (0, Vec::new(), 0);
    for minute in 0..6 * 1_440 {
        let centre = [60_000.0, 58_500.0, 61_200.0][usize::try_from(minute / 3_000).unwrap().min(2)];
        if r.unit() < 0.04 {
            let side = if centre < 60_500.0 { Side::Long } else { Side::Short };
            let wide = if r.unit() < 0.3 { 0.01 } else { 0.001 };
            s.push(at(minute), side, centre * (1.0 + wide * (r.unit() - 0.5)), 0.5 + r.unit());
        }
        s.settle(at(minute + 1), &ReadinessSettings::default());
        for change in s.levels_mut().take() {
            // What is reported one by one comes to what stands.
            let said = change.published(&named);
            let id = said.level.level_id.clone();
            match said.event {
                LevelEvent::Known => assert_eq!(standing.insert(id, 1), None),
                LevelEvent::Revised => *standing.get_mut(&id).unwrap() += 1,
                LevelEvent::Mitigated => assert!(standing.remove(&id).is_some()),
                other => panic!("{other:?}"),
            }
        }
        let levels: Vec<_> =
            s.levels().records().map(|r| r.to_level(&named, r.confirmed, &TimeframeOptions::default())).collect();
        assert_eq!(levels.iter().map(|l| (l.level_id.clone(), l.revision)).collect::<BTreeMap<_, _>>(), standing);
        most = most.max(levels.len());
        if (minute + 1) % 60 == 0 {
            s.zones(&mut zones);
            for level in &levels {
                let now = zones.iter().find(|z| (z.bottom, z.top) == (level.bottom, level.top)).unwrap();
                assert!((now.share - level.strength).abs() <= 0.05, "{level:?} is {now:?} at minute {minute}");
            }
        }
        for level in levels {
            assert_eq!(level.source, Kind::Sampled);
            assert!(level.bottom < level.price && level.price < level.top && (0.0..=1.0).contains(&level.strength));
            assert!(level.formed_at <= level.known_at && level.known_at <= at(minute + 1) + Span::millis(200));
            let known = told.entry((level.level_id.clone(), level.revision)).or_insert_with(|| level.clone());
            assert_eq!(*known, level, "what was said stays");
        }
    }
    assert!(most >= 2 && told.len() > 10, "{most} at once, {} revisions", told.len());
    let ids: std::collections::BTreeSet<_> = told.keys().map(|(id, _)| id).collect();
    assert!(ids.len() < told.len(), "some level had more than one revision");
    for ((id, revision), level) in &told {
        if let Some(before) = told.get(&(id.clone(), revision - 1)) {
            assert!(before.known_at < level.known_at && before.formed_at == level.formed_at);
            faded += usize::from((before.bottom, before.top) == (level.bottom, level.top));
        }
    }
    assert!(faded > 0, "a share that moves between edges that stay is told too");
}

#[test]
fn hyperliquid_of_2023_counted_by_hand() {
    let Some(text) = support::recorded("derivatives/hyperliquid_2023/liquidations.csv.gz") else { return };
    // The file has neither prices nor sides: what is checked are sums, counts and elapsed time.
    let events: Vec<Closed> = text
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let usd: f64 = cells[2].parse().unwrap();
            Closed { ts: Ts::parse(cells[0]).unwrap(), liquidated_side: Side::Long, price: 1.0, qty: usd }
        })
        .collect();
    assert_eq!(events.len(), 62);
    // 2023-04-23 15:19:25, :26 and :31 are three within a minute, the most there are; 17:30:43, :51 and 17:31:11 six days later.
    let mut s = stream();
    let counts: Vec<u32> = events.iter().map(|e| s.push(e.ts, e.liquidated_side, e.price, e.qty).count).collect();
    assert_eq!(counts.iter().copied().max(), Some(3));
    assert_eq!(counts.iter().filter(|c| **c == 3).count(), 2);
    // 04-21 17:17:46 to 19:07:48: 2,493.95 + 36,833.65 + 811.47 within four hours, the first 1.875 h before 19:10.
    let t = Ts::from_civil(2023, 4, 21, 19, 10, 0);
    let m = compute_liquidation_metrics(&events, t, CascadeLimits::default());
    let close = |slot: Slot, want: f64| {
        let got = slot.cell.ready().unwrap();
        assert!((got - want).abs() < 1e-6 * want, "{got} is not {want}");
    };
    close(m.long[2], 2_493.949_54 + 36_833.647_38 + 811.472);
    close(m.elapsed_h, 113.0 / 60.0);
    close(m.velocity_4h, (2_493.949_54 + 36_833.647_38 + 811.472) / (113.0 / 60.0));
    assert_eq!(m.cascade_flag.cell.ready(), Some(0.0), "40 thousand are far from a cascade");
    // Prices are unknown (all 1): one bin cannot stand out from itself.
    assert_eq!(identify_liquidation_support_zones(&events, t), vec![]);
}
