//! Replays over stored rows are what the live axes said, minute by minute, for every shipped book and any readings.

use barograph_domain::{
    Alert, AlertState, Cell, InputAge, InstrumentName, Kind, Metric, MinuteRow, Reason, RiskRegime, Span, Stamp, State,
    StreamDecl, StreamIndex, Ts,
};
use barograph_engine::detect::ruled::RuleWatch;
use barograph_engine::rules::{Axes, AxisStates, RuleBook, Ruled};
use barograph_engine::whatif::{
    Builder, ReplayedAxis, Runs, Setting, StoredHistory, WrittenBook, alert_entries, check, replay,
};
use barograph_engine::{CATALOGUE, Feature};
use proptest::prelude::*;

const OWN: &str = r#"
[[alert]]
id = "hot"
all = [{ feature = "realized_vol_1h", op = ">", value = 0.5, exit = 0.4 }, { feature = "oi_delta_1h", abs = true, op = ">", value = 0.02 }]
pending = "3m"
min_dwell = "5m"
cooldown = "10m"
[[alert]]
id = "busy"
any = [{ feature = "realized_vol_1h_pct_90d", op = ">", value = 0.9 }, { feature = "heat", op = ">", value = 0.8 }]
[[alert]]
id = "burst"
all = [{ feature = "liq_count_60s", op = ">", value = 5 }]
"#;

#[expect(clippy::unwrap_used, reason = "the name is spelt right")]
fn streams() -> Vec<StreamDecl> {
    let decl = |metric, cadence, filled| StreamDecl {
        instrument: InstrumentName::parse("binance:BTCUSDT").unwrap(),
        metric,
        kind: Kind::Measured,
        cadence,
        source: "binance".to_owned(),
        delay: Span::secs(60),
        stamp: Stamp::Open,
        filled,
    };
    vec![
        decl(Metric::MarkPrice, Span::mins(1), true),
        decl(Metric::OpenInterest, Span::mins(5), false),
        decl(Metric::Bar, Span::mins(1), true),
        decl(Metric::Bar, Span::hours(1), false),
    ]
}

/// One change of a reading: which, its number, what stands beside it, how far its newest sample lies behind, for how many minutes
/// nothing else changes.
type Change = (usize, f64, u8, i64, i64);

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let number = prop::sample::select(vec![
        -2.5, -0.2, -0.03, 0.0, 0.01, 0.02, 0.05, 0.09, 0.12, 0.3, 0.33, 0.46, 0.6, 0.75, 0.81, 0.93, 1.5, 1.9, 2.4,
    ]);
    // Some stay for longer than a label waits that is left slowly.
    let stays = prop_oneof![8 => 1_i64..12, 1 => 60_i64..400];
    prop::collection::vec((0..Feature::COUNT, number, 0_u8..20, 0_i64..90, stays), 1..80)
}

/// Rows as the live axes leave them, and the alerts of the book's own rules.
fn live(book: &RuleBook, first: &[f64], changes: &[Change]) -> (Vec<MinuteRow>, Vec<Alert>) {
    let (streams, mut axes, mut watch) = (streams(), Axes::new(book), RuleWatch::new(book));
    let mut cells: Vec<Cell> = first.iter().map(|x| Cell::ready_at(*x, Ts(0), Kind::Measured)).collect();
    cells.resize(Feature::COUNT, Cell::undefined(Reason::Gap));
    let (mut rows, mut alerts, mut minute) = (Vec::new(), Vec::new(), 0);
    for (at, value, beside, behind, stays) in changes {
        let cell = &mut cells[*at % first.len()];
        cell.value = *value;
        cell.kind = if *beside == 1 { Kind::Proxy } else { Kind::Measured };
        cell.stream = Some(StreamIndex([2, 3, 1][usize::from(*beside) % 3]));
        cell.state = match beside {
            2 => State::Stale,
            3 => State::Warming { have: 1, need: 9 },
            4 => State::Undefined(Reason::Stale),
            5 => State::Undefined(Reason::NotOffered),
            6 => State::Undefined(Reason::Gap),
            _ => State::Ready,
        };
        for n in 0..*stays {
            minute += 1;
            let ts = Ts(0) + Span::mins(minute);
            // Some anchors stay, others move with the minute.
            let anchor =
                if beside % 2 == 0 || n == 0 { ts - Span::mins(*behind) } else { cells[*at % first.len()].anchor };
            cells[*at % first.len()].anchor = anchor;
            let input =
                |metric, stream: u16, anchor| InputAge { metric, stream: Some(StreamIndex(stream)), anchor, gap: None };
            let inputs = vec![
                input(Metric::MarkPrice, 0, ts - Span::mins(behind % 9)),
                input(Metric::OpenInterest, 1, anchor),
                InputAge { metric: Metric::FundingRate, stream: None, anchor: Ts(0), gap: None },
            ];
            let AxisStates { risk, trend, volatility, heat } = axes.step(book, ts, &cells, &inputs, &streams);
            watch.step(ts, book, &cells, &mut alerts);
            rows.push(MinuteRow {
                ts,
                cells: cells.clone(),
                risk,
                trend,
                volatility,
                heat,
                inputs,
                ..MinuteRow::bare(ts)
            });
        }
    }
    (rows, alerts)
}

fn history(rows: &[MinuteRow]) -> StoredHistory {
    let mut builder = Builder::new(CATALOGUE.iter().map(|s| s.feature).collect());
    rows.iter().for_each(|row| builder.push(row, &streams()));
    builder.finish()
}

fn same<L: Ruled>(
    book: &RuleBook,
    made: &StoredHistory,
    want: impl Iterator<Item = (L, L)>,
) -> Result<(), TestCaseError> {
    let ReplayedAxis { labels, raw } = replay::<L>(book, made).map_err(|f| TestCaseError::fail(f.id()))?;
    for (row, (label, raw_label)) in (0_u32..).zip(want) {
        prop_assert_eq!((labels.at(row), raw.at(row)), (Some(label), Some(raw_label)), "row {}", row);
    }
    prop_assert_eq!(labels.rows(), made.rows());
    prop_assert!(made.published::<L>().eq(&labels));
    Ok(())
}

proptest! {
    #[test]
    fn a_replay_is_what_the_live_axes_said(
        name in prop::sample::select(RuleBook::SHIPPED.to_vec()),
        first in prop::collection::vec(0.0..1.0_f64, Feature::COUNT),
        changes in changes(),
        cut in 0_usize..200,
    ) {
        let text = format!("{}\n{OWN}", RuleBook::shipped_text(name).unwrap_or_default());
        let book = RuleBook::parse("b.toml", &text).map_err(|e| TestCaseError::fail(e.to_string()))?;
        let (rows, alerts) = live(&book, &first, &changes);
        let mut made = history(&rows);
        // Whole; in two stretches put together again; from what clauses said, without the numbers.
        let cut = cut.min(rows.len());
        let mut joined = history(&rows[..cut]);
        joined.append(&history(&rows[cut..]));
        let mut noted = made.clone();
        noted.note(&book);
        noted.columns.values_mut().for_each(|c| c.values.clear());
        noted.inputs.clear();
        prop_assert!(cut == 0 || joined.ts == made.ts);
        for made in [&made, &joined, &noted] {
            same::<RiskRegime>(&book, made, rows.iter().map(|r| (r.risk.label, r.risk.raw_label)))?;
            same(&book, made, rows.iter().map(|r| (r.trend.label, r.trend.raw_label)))?;
            same(&book, made, rows.iter().map(|r| (r.volatility.label, r.volatility.raw_label)))?;
            same(&book, made, rows.iter().map(|r| (r.heat.label, r.heat.raw_label)))?;
            let opened = |id: &str| alerts.iter()
                .filter(|a| a.state == AlertState::Open && a.revision == 1 && a.rule.as_deref() == Some(id))
                .map(|a| a.ts).collect::<Vec<_>>();
            let entries = alert_entries(&book, made).map_err(|f| TestCaseError::fail(f.id()))?;
            prop_assert_eq!(entries, vec![
                ("hot".to_owned(), Some(opened("hot"))), ("busy".to_owned(), Some(opened("busy"))), ("burst".to_owned(), None),
            ]);
        }
        // A threshold that changed needs the numbers it is compared with, and no others.
        made.note(&book);
        made.columns.iter_mut().filter(|(f, _)| **f != Feature::RealizedVol1h).for_each(|(_, c)| c.values.clear());
        let setting = Setting { name: "HIGH_VOL.realized_vol_1h".to_owned(), value: 0.46 };
        let written = WrittenBook { text, book };
        if let Ok(WrittenBook { text, book: changed }) = written.with("b.toml", &setting) {
            prop_assert_eq!(RuleBook::parse("b.toml", &text), Ok(changed.clone()));
            let after: ReplayedAxis<RiskRegime> = replay(&changed, &made).map_err(|f| TestCaseError::fail(f.id()))?;
            let mut axes = Axes::new(&changed);
            let mut want = Runs::default();
            for row in &rows {
                want.push(axes.step(&changed, row.ts, &row.cells, &row.inputs, &streams()).risk.label, 1);
            }
            // Both begin with the first row as it is stored.
            if rows.first().map(|r| r.risk.label) == want.at(0) {
                prop_assert_eq!(after.labels, want);
            }
        }
    }
}

/// High volatility is left after five hours of calmer readings: of an hourly stream those are five, not three hundred.
#[test]
fn readings_that_a_time_is_made_of_are_counted_by_their_stream() {
    let book = RuleBook::standard();
    let vol = Feature::RealizedVol1h.index();
    let (rows, _) = live(&book, &[0.5; Feature::COUNT], &[(vol, 2.0, 10, 0, 5), (vol, 0.05, 10, 0, 400)]);
    let left = rows.iter().position(|r| r.risk.label == RiskRegime::Normal && r.ts > Ts(0) + Span::mins(5));
    assert!(rows[4].risk.label == RiskRegime::HighVol && left.is_some_and(|row| row < 30), "{left:?}");
    same::<RiskRegime>(&book, &history(&rows), rows.iter().map(|r| (r.risk.label, r.risk.raw_label))).unwrap();
}

#[test]
fn what_readings_were_made_with_is_not_changed_over_them() {
    let text = RuleBook::shipped_text("default").unwrap();
    let stored = RuleBook::standard();
    let refused = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        let changed = RuleBook::parse("b.toml", &text.replacen(from, to, 1)).unwrap();
        check(&stored, &changed).err().map(|all| all.into_iter().map(|r| r.key).collect::<Vec<_>>()).unwrap_or_default()
    };
    for (from, to, keys) in [
        ("span_min = 0.25", "span_min = 0.5", &["span_min"][..]),
        ("allow_proxy = true", "allow_proxy = false", &["allow_proxy"]),
        ("session_base = \"default\"", "session_base = \"seed\"", &["session_base"]),
        ("own_history = true", "own_history = true\nburst_count = 6", &["detector.burst_count"]),
        ("value = 0.80, exit = 0.48", "value = 0.90, exit = 0.48", &[]),
        ("dwell_counts = \"bars\"", "dwell_counts = \"minutes\"", &[]),
        ("enter = \"4h\"", "enter = \"3h\"", &[]),
        ("leave = \"5h\"", "leave = \"4h\"", &[]),
        ("severity = \"rarity\"", "severity = \"fixed\"", &[]),
        ("cluster_strength = 0.30", "cluster_strength = 0.40", &[]),
    ] {
        let found = refused(from, to);
        assert!(found.iter().map(String::as_str).eq(keys.iter().copied()), "{to}: {found:?}");
    }
    let why = check(&stored, &RuleBook::parse("b", &text.replacen("span_min = 0.25", "span_min = 0.5", 1)).unwrap());
    assert!(why.unwrap_err()[0].to_string().starts_with("'span_min' is 0.25 in the book that the stored readings"));
}
