//! What every strategy owes: later bars change nothing, any start agrees, a gap begins anew, and the mirror image is the other side.

use super::*;

/// Open, high, low, close and volume.
pub(super) type Row = [f64; 5];

const HOUR: Span = Span::hours(1);

impl FillBar {
    /// A bar that did not move, at no time.
    pub(super) fn at(price: f64) -> Self {
        Self { close_ts: Ts(0), open: price, high: price, low: price, close: price, volume: Some(10.0) }
    }
}

pub(super) fn flat(price: f64) -> Row {
    [price, price, price, price, 10.0]
}

fn bars(rows: &[Row]) -> Vec<FillBar> {
    let of = |(hour, [open, high, low, close, volume]): (i64, Row)| FillBar {
        close_ts: Ts(0) + HOUR.times(hour),
        open,
        high,
        low,
        close,
        volume: Some(volume),
    };
    (1..).zip(rows.iter().copied()).map(of).collect()
}

fn of_bars<'a>(name: StrategyName, bars: impl IntoIterator<Item = &'a FillBar>) -> Vec<EntryMoment> {
    let mut strategy = Strategy::new(name, HOUR);
    bars.into_iter().filter_map(|bar| strategy.push(bar)).collect()
}

/// Position of the row, side and readings.
type PickedRow = (usize, Side, Vec<(&'static str, f64)>);

/// What a strategy picks in hourly rows.
pub(super) fn picks(name: StrategyName, rows: &[Row]) -> Vec<PickedRow> {
    let found = of_bars(name, &bars(rows));
    let position = |at: Ts| usize::try_from((at - Ts(0)).0 / HOUR.0 - 1).unwrap();
    found.into_iter().map(|m| (position(m.at), m.side, m.readings)).collect()
}

/// Bars of a price that wanders in quarters, drawn back to 1,000, from a seed; volume rises with the move.
fn wandering(n: usize, mut seed: u64) -> Vec<FillBar> {
    let mut draw = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from((seed >> 33) % below).unwrap()) / 4.0
    };
    let mut close = 1_000.0;
    let mut rows = Vec::new();
    for at in 0..n {
        let open: f64 = close;
        // A drift that lasts for a hundred bars makes trends, between them the price sways.
        let drift = if at / 100 % 2 == 0 {
            0.0
        } else if at / 200 % 2 == 0 {
            1.5
        } else {
            -1.5
        };
        close = open + draw(81) - 10.0 + drift + ((1_000.0 - open) / 64.0).round() / 4.0;
        let (high, low) = (open.max(close) + draw(13), open.min(close) - draw(13));
        rows.push([open, high, low, close, 2.0 + 3.0 * (close - open).abs() + draw(9)]);
    }
    bars(&rows)
}

#[test]
fn names_are_read_as_written_and_an_unknown_one_lists_them() {
    for name in StrategyName::ALL {
        assert_eq!(StrategyName::parse(name.name()), Ok(name));
        assert!(!name.definition().ends_with('.') && name.window() > 0, "{name:?}");
    }
    let why = StrategyName::parse("vwap").unwrap_err();
    assert_eq!(
        why,
        "there is no strategy 'vwap'; there is volume_vwap, cum_delta, multi_tf, fibonacci_rsi, range_trading"
    );
}

#[test]
fn every_strategy_owes_the_same_properties() {
    let bars = wandering(6_000, 7);
    for name in StrategyName::ALL {
        let whole = of_bars(name, &bars);
        let sides = |side| whole.iter().filter(|m| m.side == side).count();
        assert!(sides(Side::Long) > 3 && sides(Side::Short) > 3, "{name:?}: {} of {}", sides(Side::Long), whole.len());
        // Later bars change nothing.
        for upto in [500, 1_234, 5_999] {
            let until = bars[upto - 1].close_ts;
            let prefix: Vec<_> = whole.iter().filter(|m| m.at <= until).cloned().collect();
            assert_eq!(of_bars(name, &bars[..upto]), prefix, "{name:?} up to {upto}");
        }
        // Any start agrees once its window is whole, a gap is a start, and a bar that comes again is left out.
        for from in [1, 2, 3, 777] {
            let warm = bars[from + name.window()].close_ts;
            let later: Vec<_> = whole.iter().filter(|m| m.at >= warm).cloned().collect();
            assert_eq!(of_bars(name, &bars[from..]), later, "{name:?} from {from}");
            let missing = from + 1_000;
            let holed = of_bars(name, bars.iter().filter(|b| b.close_ts != bars[missing].close_ts));
            let anew = bars[missing + 1 + name.window()].close_ts;
            let outside = |m: &&EntryMoment| m.at < bars[missing].close_ts || m.at >= anew;
            assert_eq!(holed, whole.iter().filter(outside).cloned().collect::<Vec<_>>(), "{name:?} hole {missing}");
        }
        let doubled = of_bars(name, bars.iter().flat_map(|b| [b, b]));
        assert_eq!(doubled, whole, "{name:?} doubled");
    }
}

/// Longs, shorts and the sum of their positions as a second implementation of the definitions of risk §8 finds them in the same bars; it
/// was written apart from this one, in Python.
#[test]
fn a_second_implementation_picks_the_same_moments() {
    let bars = wandering(6_000, 7);
    for (name, want) in StrategyName::ALL.into_iter().zip([
        (108, 111, 610_571),
        (321, 311, 1_923_893),
        (44, 43, 263_734),
        (6, 4, 33_532),
        (124, 125, 724_437),
    ]) {
        let found = of_bars(name, &bars);
        let sides = |side| found.iter().filter(|m| m.side == side).count();
        let positions: i64 = found.iter().map(|m| (m.at - Ts(0)).0 / HOUR.0 - 1).sum();
        assert_eq!((sides(Side::Long), sides(Side::Short), positions), want, "{name:?}");
    }
}

#[test]
fn the_mirror_image_is_the_other_side() {
    let bars = wandering(6_000, 11);
    let other = |side| if side == Side::Long { Side::Short } else { Side::Long };
    let mirrored: Vec<FillBar> = bars
        .iter()
        .map(|b| FillBar {
            open: 2_048.0 - b.open,
            high: 2_048.0 - b.low,
            low: 2_048.0 - b.high,
            close: 2_048.0 - b.close,
            ..*b
        })
        .collect();
    for name in StrategyName::ALL {
        let want: Vec<_> = of_bars(name, &bars).iter().map(|m| (m.at, other(m.side), 2_048.0 - m.price)).collect();
        let found: Vec<_> = of_bars(name, &mirrored).iter().map(|m| (m.at, m.side, m.price)).collect();
        assert_eq!(found, want, "{name:?}");
    }
}
