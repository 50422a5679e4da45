//! Chunks give back what they were given, bit for bit, whatever it was; and damage is an error, never a panic or a
//! silently different row.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

use barograph_domain::row::HeldCount;
use barograph_domain::{
    AxisState, Cell, GapReason, HeldBy, InputAge, Kind, Label, Metric, MinuteRow, Model, ModelReading, ModelState,
    OpenAlert, OpenAlerts, OpenExperimental, Pattern, Reason, Severity, Span, State, StreamIndex, Timeframes, Ts,
};
use barograph_store::codec::{self, ChunkBuilder, Width};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

const WIDTH: Width = Width { features: 7, cuts: 2, rules: 2 };
const STREAMS: u16 = 9;

/// All bit patterns, and often the ones that are easy to get wrong.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => any::<u64>().prop_map(f64::from_bits),
        2 => select(vec![0.0, -0.0, 1.0, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE / 2.0]),
        4 => (0_u32..3).prop_map(|n| f64::from(n) + 0.1),
    ]
}

fn instant() -> impl Strategy<Value = Ts> {
    prop_oneof![Just(Ts(0)), any::<i64>().prop_map(Ts), (0_i64..5).prop_map(|n| Ts(n * 60_000_000_000))]
}

fn state() -> impl Strategy<Value = State> {
    prop_oneof![
        3 => Just(State::Ready),
        1 => Just(State::Stale),
        2 => (any::<u32>(), any::<u32>()).prop_map(|(have, need)| State::Warming { have, need }),
        2 => select(Reason::ALL.to_vec()).prop_map(State::Undefined),
    ]
}

fn stream() -> impl Strategy<Value = Option<StreamIndex>> {
    option::of((0..STREAMS).prop_map(StreamIndex))
}

fn cell() -> impl Strategy<Value = Cell> {
    let kinds = vec![Kind::Measured, Kind::Sampled, Kind::Modelled, Kind::Proxy];
    (number(), instant(), any::<u32>(), state(), select(kinds), any::<bool>(), stream()).prop_map(
        |(value, anchor, coverage, state, kind, partial, stream)| Cell {
            value,
            anchor,
            coverage: f32::from_bits(coverage),
            state,
            kind,
            partial,
            stream,
        },
    )
}

fn label<L: Label>() -> impl Strategy<Value = L> {
    select(L::LABELS.to_vec())
}

fn axis<L: Label>() -> impl Strategy<Value = AxisState<L>> {
    let held = select(vec![HeldBy::None, HeldBy::Hysteresis, HeldBy::Dwell]);
    (label(), label(), held, instant(), option::of(label()), any::<u32>(), any::<bool>()).prop_map(
        |(label, raw_label, held_by, since, candidate, candidate_count, stale)| AxisState {
            label,
            raw_label,
            held_by,
            since,
            candidate,
            candidate_count,
            stale,
        },
    )
}

fn four<L: Label>() -> impl Strategy<Value = [L; 4]> {
    proptest::array::uniform4(label::<L>())
}

fn timeframes() -> impl Strategy<Value = Timeframes> {
    (four(), four(), four(), four()).prop_map(|(risk, trend, volatility, heat)| Timeframes {
        risk,
        trend,
        volatility,
        heat,
    })
}

fn input() -> impl Strategy<Value = InputAge> {
    (select(Metric::ALL.to_vec()), stream(), instant(), option::of(select(GapReason::ALL.to_vec())))
        .prop_map(|(metric, stream, anchor, gap)| InputAge { gap, metric, stream, anchor })
}

fn reading() -> impl Strategy<Value = ModelReading> {
    (
        (select(Model::ALL.to_vec()), option::of(select(ModelState::ALL.to_vec()))),
        (number(), number(), number(), option::of(number())),
        (instant(), option::of(any::<i64>().prop_map(Span)), option::of(instant())),
        (any::<u32>(), any::<u32>(), any::<u64>()),
    )
        .prop_map(|((model, state), (a, b, c, recent_change), (since, expected_remaining, fitted_until), rest)| {
            let (have, need, digest) = rest;
            let probabilities = [a, b, c];
            ModelReading {
                model,
                state,
                probabilities,
                since,
                expected_remaining,
                recent_change,
                have,
                need,
                digest,
                fitted_until,
            }
        })
}

fn open() -> impl Strategy<Value = OpenAlerts> {
    let worst = (select(Pattern::ALL), select(Severity::ALL.to_vec()), option::of(any::<u8>()));
    let worst = worst.prop_map(|(pattern, severity, rule)| OpenAlert { pattern, severity, rule });
    let experimental = (any::<u8>(), option::of(select(Pattern::ALL)));
    let experimental = experimental.prop_map(|(count, first)| OpenExperimental { count, first });
    (any::<u16>(), option::of(worst), experimental).prop_map(|(count, worst, experimental)| OpenAlerts {
        count,
        worst,
        experimental,
    })
}

fn row() -> impl Strategy<Value = MinuteRow> {
    let held = (any::<u32>(), any::<u32>()).prop_map(|(held, known)| HeldCount { held, known });
    (
        instant(),
        vec(cell(), WIDTH.features),
        vec(option::of(number()), WIDTH.cuts),
        (axis(), axis(), axis(), axis(), timeframes()),
        vec(held, WIDTH.rules),
        vec(input(), 0..5),
        option::of(number()),
        (vec(reading(), 0..4), open()),
    )
        .prop_map(
            |(ts, cells, cuts, (risk, trend, volatility, heat, timeframes), held, inputs, price, (models, open))| {
                MinuteRow {
                    instrument: 0,
                    ts,
                    cells,
                    cuts,
                    risk,
                    trend,
                    volatility,
                    heat,
                    timeframes,
                    held,
                    inputs,
                    price,
                    models,
                    open,
                }
            },
        )
}

/// Every bit of a row, so that NaN equals itself and 0.0 does not equal −0.0.
fn bits(row: &MinuteRow) -> String {
    let plain = |v: &Option<f64>| v.map(f64::to_bits);
    let cells: Vec<_> = row
        .cells
        .iter()
        .map(|c| (c.value.to_bits(), c.anchor.0, c.coverage.to_bits(), c.state, c.kind, c.partial, c.stream))
        .collect();
    let cuts: Vec<_> = row.cuts.iter().map(plain).collect();
    let inputs: Vec<_> = row.inputs.iter().map(|i| (i.metric, i.stream, i.anchor.0)).collect();
    let axis = (row.risk, row.trend, row.volatility, row.heat, row.timeframes);
    let odds = |m: &ModelReading| (m.probabilities.map(f64::to_bits), plain(&m.recent_change));
    let models: Vec<_> = row
        .models
        .iter()
        .map(|m| (m.model, m.state, odds(m), m.since.0, m.expected_remaining, m.have, m.need, m.digest, m.fitted_until))
        .collect();
    format!(
        "{} {cells:?} {cuts:?} {axis:?} {:?} {inputs:?} {:?} {models:?} {:?}",
        row.ts.0,
        row.held,
        plain(&row.price),
        row.open
    )
}

fn builder() -> ChunkBuilder {
    ChunkBuilder::new(WIDTH, (0..STREAMS).map(Some).collect()).unwrap()
}

fn pack(builder: &mut ChunkBuilder, rows: &[MinuteRow]) -> Vec<u8> {
    for row in rows {
        builder.push(row).unwrap();
    }
    builder.finish().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn rows_come_back(first in vec(row(), 1..=60), second in vec(row(), 1..=60)) {
        // One builder for both, because what it held before must not show.
        let mut builder = builder();
        for rows in [&first, &second, &first] {
            let blob = pack(&mut builder, rows);
            let back = codec::decode(&blob, WIDTH).unwrap();
            prop_assert_eq!(back.iter().map(bits).collect::<Vec<_>>(), rows.iter().map(bits).collect::<Vec<_>>());
        }
    }

    #[test]
    fn damage_is_an_error(rows in vec(row(), 1..20), at in any::<prop::sample::Index>(), flip in 1_u8..=255) {
        let blob = pack(&mut builder(), &rows);
        let mut damaged = blob.clone();
        damaged[at.index(blob.len())] ^= flip;
        if let Ok(back) = codec::decode(&damaged, WIDTH) {
            // A bit that says nothing (zstd has a few): then nothing may have changed.
            prop_assert_eq!(back.iter().map(bits).collect::<Vec<_>>(), rows.iter().map(bits).collect::<Vec<_>>());
        }
        prop_assert!(codec::decode(&blob[..at.index(blob.len())], WIDTH).is_err());
    }
}

#[test]
fn a_chunk_of_another_layout_is_an_error() {
    let blob = pack(&mut builder(), &[one_row()]);
    for other in [Width { features: 8, ..WIDTH }, Width { cuts: 1, ..WIDTH }, Width { rules: 0, ..WIDTH }] {
        assert!(codec::decode(&blob, other).is_err());
    }
}

#[test]
fn a_row_that_does_not_fit_is_an_error_and_leaves_the_chunk_as_it_was() {
    let mut builder = builder();
    let good = one_row();
    let mut stranger = good.clone();
    stranger.inputs.push(InputAge {
        metric: Metric::Bar,
        stream: Some(StreamIndex(STREAMS)),
        anchor: Ts(0),
        gap: None,
    });
    let narrow = MinuteRow { cuts: Vec::new(), ..good.clone() };
    for bad in [&stranger, &narrow] {
        assert!(builder.push(bad).is_err());
    }
    for _ in 0..60 {
        builder.push(&good).unwrap();
    }
    assert!(builder.push(&good).is_err(), "an hour has 60 minutes");
    assert_eq!(codec::decode(&builder.finish().unwrap(), WIDTH).unwrap(), vec![good; 60]);
    assert!(builder.finish().is_err(), "nothing to write");
}

fn one_row() -> MinuteRow {
    MinuteRow {
        cells: vec![Cell::undefined(Reason::Gap); WIDTH.features],
        cuts: vec![None; WIDTH.cuts],
        held: vec![HeldCount::default(); WIDTH.rules],
        ..MinuteRow::bare(Ts(0))
    }
}
