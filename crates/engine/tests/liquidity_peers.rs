//! Levels against the expected files of the smartmoneyconcepts package (features §4.4): EURUSD, 15 minutes, 24,424 bars.
//!
//! The counts here are those of `docs/liquidity-and-smart-money-concepts.md`: where definitions agree the values agree once
//! settled, where theirs look ahead ours are later, and the rest is counted with its reason. The files are recorded data
//! beside the repository; without them the test says that it was skipped.
#![expect(
    clippy::float_cmp,
    clippy::unwrap_used,
    reason = "the same decimals are the same numbers; a test reads its vectors and may panic"
)]

use crate::support;
use barograph_domain::{LevelType, Span, Ts};
use barograph_engine::features::bars::BuiltBar;
use barograph_engine::liquidity::extremes::{Extremes, Period};
use barograph_engine::liquidity::{
    BreakKind, Face, Happening, LevelHappening, LevelSink, Liquidity, StructureBreak, TimeframeOptions,
};
use std::collections::{BTreeMap, BTreeSet};
use support::recorded;

struct Bars {
    bars: Vec<BuiltBar>,
    opens: Vec<Ts>,
}

/// Bars numbered by row, as their files are.
fn bars() -> Option<Bars> {
    let text = recorded("vectors/smc/EURUSD_15M.csv.gz")?;
    let mut all = Bars { bars: Vec::new(), opens: Vec::new() };
    for (row, line) in text.lines().skip(1).enumerate() {
        let (time, cells) = line.split_once(',').unwrap();
        let n: Vec<f64> = cells.split(',').map(|c| c.parse().unwrap()).collect();
        let index = i64::try_from(row).unwrap();
        let volume = Some(n[4]);
        all.bars.push(BuiltBar { index, open: n[0], high: n[1], low: n[2], close: n[3], volume, quote_volume: None });
        let part: Vec<i64> = time.split(['.', ' ', ':']).map(|p| p.parse().unwrap()).collect();
        all.opens.push(Ts::from_civil(part[0], part[1], part[2], part[3], part[4], part[5]));
    }
    assert_eq!(all.bars.len(), 24_424);
    Some(all)
}

/// Rows of an expected file; `None` is an empty cell.
fn expected(name: &str) -> Vec<Vec<Option<f64>>> {
    expected_of(&format!("{name}_result_data"))
}

fn expected_of(file: &str) -> Vec<Vec<Option<f64>>> {
    let text = recorded(&format!("vectors/smc/{file}.csv.gz")).unwrap();
    text.lines().skip(1).map(|l| l.split(',').map(|c| c.parse().ok()).collect()).collect()
}

#[derive(Default)]
struct Heard {
    changes: Vec<LevelHappening>,
    breaks: Vec<StructureBreak>,
}

impl LevelSink for Heard {
    fn level(&mut self, change: &LevelHappening) {
        self.changes.push(*change);
    }
    fn structure(&mut self, broke: &StructureBreak) {
        self.breaks.push(*broke);
    }
}

/// Their swing length 5: four bars before, five after.
fn heard(bars: &[BuiltBar]) -> Heard {
    let mut heard = Heard::default();
    let mut levels = Liquidity::new(TimeframeOptions { swing_left: 4, swing_right: 5, ..TimeframeOptions::default() });
    for bar in bars {
        levels.push(bar, Ts(bar.index), &mut heard);
    }
    heard
}

fn count(bars: usize) -> i64 {
    i64::try_from(bars).unwrap()
}

#[test]
fn gaps_are_the_same_set_and_known_one_bar_later() {
    let Some(Bars { bars, .. }) = bars() else { return };
    let heard = heard(&bars);
    let mut ours = BTreeMap::new();
    for c in &heard.changes {
        if matches!(c.record.kind, LevelType::BullishFvg | LevelType::BearishFvg) {
            // The last change of a level holds its touch.
            ours.insert((c.record.formed, c.record.kind), c.record);
        }
    }
    let (mut equal, mut touched, mut jumped, mut never, mut past) = (0, 0, 0, 0, 0);
    for (row, cells) in expected("fvg").iter().enumerate() {
        let [Some(direction), Some(top), Some(bottom), Some(touch)] = cells[..] else { continue };
        let kind = if direction > 0.0 { LevelType::BullishFvg } else { LevelType::BearishFvg };
        let record = ours.remove(&(count(row), kind)).unwrap_or_else(|| panic!("row {row}: {kind:?} is not ours"));
        assert_eq!((record.top, record.bottom, record.confirmed), (top, bottom, count(row) + 1), "row {row}");
        equal += 1;
        let theirs = (touch > 0.0).then_some(touch);
        #[expect(clippy::cast_possible_truncation, reason = "a row")]
        let theirs = theirs.map(|t| t as i64);
        match (record.touched, theirs) {
            (Some(a), Some(b)) if a == b => touched += 1,
            (None, None) => never += 1,
            // Price jumped over the whole zone: filled, but no bar was in it.
            (None, Some(b)) if record.mitigated == Some(b) => jumped += 1,
            // Ours had not been touched when its life of 2,000 bars ended.
            (None, Some(b)) if b - record.confirmed > 2_000 => past += 1,
            differ => panic!("row {row}: {differ:?} {record:?}"),
        }
    }
    assert_eq!(ours.len(), 0, "gaps that are not theirs: {:?}", ours.keys().next());
    assert_eq!((equal, touched, jumped, never, past), (5_020, 4_921, 15, 37, 47));
}

#[test]
fn their_swings_are_among_ours_five_bars_later() {
    let Some(Bars { bars, .. }) = bars() else { return };
    let mut ours = BTreeMap::new();
    for c in heard(&bars).changes.iter().filter(|c| c.what == Happening::Known) {
        let sign = match c.record.kind {
            LevelType::SwingHigh => 1.0,
            LevelType::SwingLow => -1.0,
            _ => continue,
        };
        assert_eq!(c.record.confirmed, c.record.formed + 5);
        ours.insert((c.record.formed, sign > 0.0), c.record.price);
    }
    let rows = expected("swing_highs_lows");
    let last = rows.len() - 1;
    let (mut both, mut tied, mut made, mut unsettled) = (0, 0, 0, 0);
    let mut theirs = BTreeSet::new();
    for (row, cells) in rows.iter().enumerate() {
        let [Some(sign), Some(price)] = cells[..] else { continue };
        let at = (count(row), sign > 0.0);
        theirs.insert(at);
        match ours.get(&at) {
            Some(level) => {
                assert_eq!(*level, price, "row {row}");
                both += 1;
            }
            None if row == 0 || row == last => made += 1,
            None if row + 5 > last || row < 4 => unsettled += 1,
            None => {
                let same = |b: &BuiltBar| if sign > 0.0 { b.high == price } else { b.low == price };
                let before = bars[row - 4..row].iter().any(same);
                assert!(before, "row {row}: {sign} {price} is not ours and has no equal before it");
                tied += 1;
            }
        }
    }
    let thinned = ours.keys().filter(|at| !theirs.contains(at)).count();
    assert_eq!((both, tied, made, unsettled, thinned), (2_689, 17, 2, 0, 613));
}

#[test]
fn breaks_of_structure_are_made_when_they_happen_and_stay() {
    let Some(Bars { bars, .. }) = bars() else { return };
    let breaks = heard(&bars).breaks;
    let mut ours: BTreeMap<(i64, bool), &StructureBreak> = BTreeMap::new();
    for b in &breaks {
        ours.insert((b.bar, b.face == Face::High), b);
    }
    let (mut total, mut same, mut kind, mut other, mut none) = (0, 0, 0, 0, 0);
    for cells in expected("bos_choch") {
        let (Some(level), Some(bar)) = (cells[2], cells[3]) else { continue };
        let (direction, character) = match (cells[0], cells[1]) {
            (Some(d), _) => (d, BreakKind::Bos),
            (_, Some(d)) => (d, BreakKind::Choch),
            // The level of a break that their filter removed stays in the file.
            _ => continue,
        };
        total += 1;
        #[expect(clippy::cast_possible_truncation, reason = "a row")]
        match ours.get(&(bar as i64, direction > 0.0)) {
            Some(b) if (b.swing.price - level).abs() < 1e-6 => {
                same += 1;
                kind += i32::from(b.kind == character);
            }
            Some(_) => other += 1,
            None => none += 1,
        }
    }
    assert_eq!((breaks.len(), total, same, kind, other, none), (1_904, 1_129, 1_017, 757, 56, 56));
}

/// Each value of theirs is known to us before its row, except that their first row of a day still shows the day before.
#[test]
fn previous_day_extremes() {
    let Some(Bars { bars, opens }) = bars() else { return };
    let mut extremes = Extremes::default();
    let day = Span::days(1);
    let (mut equal, mut late, mut differ, mut none) = (0, 0, 0, 0);
    let mut before = None;
    for ((bar, open), cells) in bars.iter().zip(&opens).zip(expected_of("previous_high_low_result_data_1D")) {
        let start = open.floor(day);
        let known = extremes.complete().copied();
        extremes.push(Period { session: None, start, end: start + day }, *open + Span::mins(15), bar.low, bar.high);
        let first = before != Some(start);
        before = Some(start);
        let near = |a: f64, b: f64| (a - b).abs() < 1e-6;
        match (cells[0].zip(cells[1]), extremes.complete().or(known.as_ref())) {
            (None, _) if known.is_none() => none += 1,
            (_, _) if first => late += 1,
            (Some((high, low)), Some(day)) if near(high, day.high.price) && near(low, day.low.price) => equal += 1,
            (Some((high, low)), _) if known.is_some_and(|d| near(high, d.high.price) && near(low, d.low.price)) => {
                equal += 1;
            }
            _ => differ += 1,
        }
    }
    assert_eq!((equal, late, differ, none), (24_073, 255, 0, 96));
}

/// Their London is 07:00 to 16:00 here; the running extremes of a period are theirs.
#[test]
fn running_extremes_of_a_session() {
    let Some(Bars { bars, opens }) = bars() else { return };
    let mut extremes = Extremes::default();
    let (mut active, mut edge) = (0, 0);
    for ((bar, open), cells) in bars.iter().zip(&opens).zip(expected("sessions")) {
        let midnight = open.floor(Span::days(1));
        let period = Period { session: None, start: midnight + Span::hours(7), end: midnight + Span::hours(16) };
        let inside = period.start <= *open && *open < period.end;
        if cells[0] != Some(1.0) {
            assert!(!inside, "{open:?}");
            continue;
        }
        if !inside {
            // They count the bar that opens at the end.
            assert_eq!(*open, period.end);
            edge += 1;
            continue;
        }
        let [_, ended] = extremes.push(period, *open + Span::mins(15), bar.low, bar.high);
        let range = ended.or(extremes.running().copied()).unwrap();
        assert!((range.high.price - cells[1].unwrap()).abs() < 1e-6, "{open:?}: {range:?} {cells:?}");
        assert!((range.low.price - cells[2].unwrap()).abs() < 1e-6, "{open:?}: {range:?} {cells:?}");
        active += 1;
    }
    assert_eq!((active, edge), (9_172, 255));
}
