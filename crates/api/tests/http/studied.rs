//! The one study of the small world, with every part once.

use super::world::World;
use barograph_api::studies::{
    LabBacktest, LabEquityPoint, LabFold, LabFoldMap, LabImportance, LabInput, LabModelRow, LabRegimeImportance,
    LabReliability, LabStudies, LabStudy, LabStudyView,
};
use barograph_api::{AskStudies, QueryError};
use barograph_domain::Ts;
use barograph_domain::scorecard::{CurveStep, ReliabilityRow};

pub(crate) const STUDY: &str = "binance-usdm/ETHUSDT/dir_5s";
const DAY: Ts = Ts::from_civil(2026, 2, 5, 0, 0, 0);

fn line() -> LabStudy {
    LabStudy {
        study: STUDY.to_owned(),
        market: "binance-usdm:ETHUSDT".to_owned(),
        target: "dir_5s".to_owned(),
        task: "binary".to_owned(),
        horizon_s: Some(5.0),
        span: Some([DAY.to_string(), DAY.to_string()]),
        made_at: Some(DAY),
        rows: Some(900),
        labelled: Some(700),
        folds: Some(5),
        preset: Some("quick".to_owned()),
        control: "suspected".to_owned(),
        stamp: Some("LEAK SUSPECTED".to_owned()),
        trials: Some(9),
        models: 1,
        best: Some("gbm".to_owned()),
        criterion: "bss_clim".to_owned(),
        best_value: Some(0.02),
    }
}

impl AskStudies for World {
    fn studies(&self) -> Result<LabStudies, QueryError> {
        self.disk()?;
        let unread = [("bybit/X/dir_1s".to_owned(), "not JSON".to_owned())].into();
        Ok(LabStudies { folder: "studies".to_owned(), studies: vec![line()], unread })
    }

    fn study(&self, study: &str) -> Result<LabStudyView, QueryError> {
        self.disk()?;
        if study != STUDY {
            return Err(QueryError::BadField {
                field: "study".to_owned(),
                value: study.to_owned(),
                reason: "there is no such study".to_owned(),
            });
        }
        let bin = ReliabilityRow { stated: 0.4, observed: 0.5, n: 9, n_eff: 3, low: 0.1, high: 0.9 };
        let input = LabInput {
            columns: vec!["ofi".to_owned()],
            increase: 0.01,
            band: Some([0.0, 0.02]),
            by_fold: vec![0.01],
            shap: None,
        };
        let regime =
            LabRegimeImportance { regime: "low".to_owned(), rows: 40, columns: vec![input.clone()], groups: vec![] };
        Ok(LabStudyView {
            about: line(),
            options: "--folds 2 --studies studies".to_owned(),
            embargo_s: vec![3_600.0],
            columns: vec!["auc".to_owned()],
            models: vec![LabModelRow {
                model: "gbm".to_owned(),
                is_control: false,
                scores: [("auc".to_owned(), 0.6)].into(),
            }],
            reliability: vec![LabReliability {
                model: "gbm".to_owned(),
                class: None,
                reliability: vec![bin],
                curve: vec![CurveStep { from: 0.4, upto: 0.4, calibrated: 0.5, n: 9 }],
            }],
            importance: Some(LabImportance {
                model: "gbm".to_owned(),
                rows: 100,
                columns: vec![input],
                groups: vec![],
                judged: 1,
                regimes: vec![regime],
            }),
            fold_map: Some(LabFoldMap {
                rows: 900,
                folds: vec![LabFold {
                    number: 1,
                    test_span: None,
                    fit: vec![[0, 300]],
                    tune: vec![[300, 400]],
                    test: vec![[450, 900]],
                    counts: [300, 100, 450],
                }],
                hold_out_from: None,
                hold_out_row: None,
            }),
            backtest: Some(LabBacktest {
                model: "gbm".to_owned(),
                tier: Some("VIP0".to_owned()),
                figures: [("trades".to_owned(), 3.0)].into(),
                no_sharpe: Some("too few days".to_owned()),
                equity: vec![LabEquityPoint { at: DAY.to_string(), net: -0.01 }],
            }),
            ..LabStudyView::default()
        })
    }
}
