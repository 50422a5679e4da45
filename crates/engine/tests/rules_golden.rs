//! The classification vectors of the project: raw labels, other matches and the original rules to the letter
//! (R1.42–R1.45, R1.81), and the worked example of regimes §15.

use crate::rules_common;
use barograph_domain::{Cell, HeldBy, Kind, Reason, RiskRegime, StreamIndex, Ts};
use barograph_engine::catalogue::Feature;
use barograph_engine::composite::{direction, squeeze_score};
use barograph_engine::features::reading::{ReadingOrigin, Slot};
use barograph_engine::rules::{RiskAxis, RuleBook, evaluate, word_of};
use barograph_testkit::{GoldenRow, GoldenTable};
use rules_common::{ages, feature, live_streams, minute, row};

/// Cells of these columns of a row; an empty one is an undefined reading.
fn cells_of(row: GoldenRow<'_>, columns: &[&str], kind: Kind) -> Vec<Cell> {
    let mut cells = vec![Cell::undefined(Reason::MissingInput); Feature::COUNT];
    for column in columns {
        if let Some(value) = row.number(column) {
            cells[feature(column).index()] = Cell::ready_at(value, minute(0), kind);
        }
    }
    cells
}

/// Inputs of the label.
const INPUTS: &[&str] = &["funding_zscore_24h", "oi_delta_4h", "oi_delta_1h", "realized_vol_1h", "realized_vol_4h"];

#[test]
fn risk_regime_csv_is_met_exactly() {
    let (absolute, strict) = (RuleBook::shipped("absolute").unwrap(), RuleBook::shipped("seed1-strict").unwrap());
    let table = GoldenTable::whole("risk_regime");
    assert_eq!(table.rows().len(), 19);
    for (i, row) in table.rows().enumerate() {
        let cells = cells_of(row, INPUTS, Kind::Measured);
        let got = evaluate::<RiskRegime>(&absolute, &cells);
        assert_eq!(got.raw.name(), row.text("raw_absolute"), "row {i}");
        let others: Vec<&str> = (0..3)
            .filter(|i| got.holds >> i & 1 == 1 && got.fired != Some(*i))
            .map(|i| absolute.rules()[i].id.as_str())
            .collect();
        if got.raw != RiskRegime::Unknown {
            assert_eq!(others.join(" "), row.text("also_matched"), "row {i}");
        }
        assert_eq!(evaluate::<RiskRegime>(&strict, &cells).raw.name(), row.text("seed1_strict"), "row {i}");
    }
}

/// Score, rules and the crowded side: all that is said of a squeeze.
#[test]
fn squeeze_csv_is_met() {
    let table = GoldenTable::whole("squeeze");
    for (i, row) in table.rows().enumerate() {
        let [oi, z, vol] = ["oi_delta_4h", "funding_zscore_24h", "realized_vol_1h"];
        let score = squeeze_score(row.need(oi), row.need(z), row.need(vol));
        assert!((score - row.need("squeeze_risk_score")).abs() < 1e-10, "row {i}: score {score}");
        for (book, column) in [("absolute", "rule_default"), ("seed1-strict", "rule_seed1_strict")] {
            let book = RuleBook::shipped(book).unwrap();
            let holds = evaluate::<RiskRegime>(&book, &cells_of(row, &[oi, z, vol], Kind::Measured)).holds & 1 == 1;
            assert_eq!(holds, row.truth(column), "row {i}: {column}");
        }
        let origin = ReadingOrigin {
            anchor: minute(0),
            event: minute(0),
            expires: Ts::MAX,
            kind: Kind::Measured,
            stream: StreamIndex(0),
        };
        let side = direction(&origin.instant(row.need(z)), &Slot::MISSING, minute(0)).cell.ready();
        let side = side.and_then(|code| word_of(Feature::SqueezeDirection, code));
        assert_eq!(side.unwrap_or_default(), row.text("squeeze_direction"), "row {i}");
    }
}

#[test]
fn the_strict_book_takes_no_proxy() {
    let strict = RuleBook::shipped("seed1-strict").unwrap();
    let table = GoldenTable::part("risk_regime");
    for kind in [Kind::Proxy, Kind::Modelled] {
        assert_eq!(evaluate::<RiskRegime>(&strict, &cells_of(table.row(0), INPUTS, kind)).raw, RiskRegime::Unknown);
    }
    assert_eq!(
        evaluate::<RiskRegime>(&strict, &cells_of(table.row(0), INPUTS, Kind::Sampled)).raw,
        RiskRegime::SqueezeRisk
    );
}

#[test]
fn the_worked_example_holds_its_label_inside_the_exit_band() {
    let book = RuleBook::shipped("absolute").unwrap();
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
