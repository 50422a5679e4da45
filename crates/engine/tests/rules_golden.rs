//! The classification vectors of the project: raw labels, other matches and the original rules to the letter
//! (R1.42–R1.45, R1.81), and the worked example of regimes §15.

mod rules_common;
use barograph_domain::{Cell, HeldBy, Kind, Reason, RiskRegime};
use barograph_engine::rules::{Book, RiskAxis, evaluate};
use rules_common::{ages, feature, live_streams, minute, row};

const RISK_REGIME: &str = include_str!("../../../testdata/golden/risk_regime.csv");
const SQUEEZE: &str = include_str!("../../../testdata/golden/squeeze.csv");

fn vectors(text: &str) -> Vec<Vec<String>> {
    text.lines().map(|l| l.split(',').map(str::to_owned).collect()).collect()
}

/// Cells from a CSV line; an empty cell is an undefined reading.
fn cells_of(header: &[String], line: &[String], kind: Kind) -> Vec<Cell> {
    let mut cells = vec![Cell::undefined(Reason::MissingInput); barograph_engine::catalogue::Feature::COUNT];
    for (name, text) in header.iter().zip(line) {
        if let (Some(f), Ok(value)) = (barograph_engine::catalogue::Feature::from_id(name), text.parse()) {
            cells[f.index()] = Cell::ready_at(value, minute(0), kind);
        }
    }
    cells
}

#[test]
fn risk_regime_csv_is_met_exactly() {
    let (absolute, strict) = (Book::shipped("absolute").unwrap(), Book::shipped("seed1-strict").unwrap());
    let table = vectors(RISK_REGIME);
    let (header, lines) = table.split_first().unwrap();
    assert_eq!(lines.len(), 19);
    let col = |name: &str| header.iter().position(|h| h == name).unwrap();
    for line in lines {
        let cells = cells_of(header, line, Kind::Measured);
        let got = evaluate::<RiskRegime>(&absolute, &cells);
        assert_eq!(got.raw.name(), line[col("raw_absolute")], "{line:?}");
        let others: Vec<&str> = (0..3)
            .filter(|i| got.holds >> i & 1 == 1 && got.fired != Some(*i))
            .map(|i| absolute.rules()[i].id.as_str())
            .collect();
        if got.raw != RiskRegime::Unknown {
            assert_eq!(others.join(" "), line[col("also_matched")], "{line:?}");
        }
        assert_eq!(evaluate::<RiskRegime>(&strict, &cells).raw.name(), line[col("seed1_strict")], "{line:?}");
    }
}

#[test]
fn squeeze_csv_rule_columns_are_met_exactly() {
    let table = vectors(SQUEEZE);
    let (header, lines) = table.split_first().unwrap();
    for (book, column) in [("absolute", "rule_default"), ("seed1-strict", "rule_seed1_strict")] {
        let book = Book::shipped(book).unwrap();
        let at = header.iter().position(|h| h == column).unwrap();
        for line in lines {
            let holds = evaluate::<RiskRegime>(&book, &cells_of(header, line, Kind::Measured)).holds & 1 == 1;
            assert_eq!(holds.to_string(), line[at], "{column} {line:?}");
        }
    }
}

#[test]
fn the_strict_book_takes_no_proxy() {
    let strict = Book::shipped("seed1-strict").unwrap();
    let table = vectors(RISK_REGIME);
    let (header, lines) = table.split_first().unwrap();
    for kind in [Kind::Proxy, Kind::Modelled] {
        assert_eq!(evaluate::<RiskRegime>(&strict, &cells_of(header, &lines[0], kind)).raw, RiskRegime::Unknown);
    }
    assert_eq!(
        evaluate::<RiskRegime>(&strict, &cells_of(header, &lines[0], Kind::Sampled)).raw,
        RiskRegime::SqueezeRisk
    );
}

#[test]
fn the_worked_example_holds_its_label_inside_the_exit_band() {
    let book = Book::shipped("absolute").unwrap();
    let mut axis = RiskAxis::new();
    let at = |axis: &mut RiskAxis, n: i64, v1: f64| {
        let cells = row(
            minute(n),
            &[
                ("funding_zscore_24h", 2.8),
                ("oi_delta_4h", 0.15),
                ("realized_vol_1h", v1),
                ("realized_vol_4h", 0.40),
                ("oi_delta_1h", 0.03),
            ],
        );
        axis.step(&book, minute(n), &cells, &ages(minute(n), [0; 3]), &live_streams())
    };
    let first = at(&mut axis, 0, 0.25);
    assert_eq!((first.label, first.held_by, first.since), (RiskRegime::SqueezeRisk, HeldBy::None, minute(0)));
    at(&mut axis, 1, 0.25);
    let held = at(&mut axis, 2, 0.31);
    assert_eq!(
        (held.raw_label, held.label, held.held_by),
        (RiskRegime::Normal, RiskRegime::SqueezeRisk, HeldBy::Hysteresis)
    );
    let left_band = at(&mut axis, 3, 0.33);
    assert_eq!(
        (left_band.label, left_band.held_by),
        (RiskRegime::SqueezeRisk, HeldBy::Dwell),
        "15 minutes have not passed"
    );
    assert_eq!(at(&mut axis, 14, 0.33).label, RiskRegime::SqueezeRisk);
    assert_eq!(at(&mut axis, 15, 0.33).label, RiskRegime::Normal);
    assert_eq!(feature("oi_delta_4h").id(), "oi_delta_4h");
}
