//! The board.

use crate::world::{LAST_CLASS, World};
use barograph_domain::random::SplitMix;
use barograph_domain::{Span, Ts};
use barograph_lab::zoo::board::{FoldPrediction, LeakVerdict, ZooBoard, ZooEntry};
use barograph_lab::zoo::{Recipe, ZooModel, ZooPrediction, ZooTask};

/// Five folds, each a world of its own.
fn entry(name: &str, model: &ZooModel, task: ZooTask) -> ZooEntry {
    let mut trials = 0;
    let fold = |k: u64| {
        let world = World::new(task, 1_500, 100 + k);
        let model = Recipe::quick(model.clone(), task).fit(&world.train()).unwrap();
        trials += model.trials();
        let first = i64::try_from(k).unwrap() * 10_000;
        FoldPrediction {
            times: world.test.iter().map(|r| Ts(0) + Span::secs(first + i64::from(*r))).collect(),
            labels: world.came(),
            said: model.predict(&world.features, &world.test),
            base: model.base().to_vec(),
        }
    };
    let folds = (0..5).map(fold).collect();
    ZooEntry {
        model: name.to_owned(),
        is_shuffled: name == "shuffled",
        is_persistence: name == "persistence",
        trials,
        folds,
    }
}

fn board(task: ZooTask) -> ZooBoard {
    let shuffled = ZooModel::Shuffled { of: Box::new(ZooModel::Gbm), block_rows: 10 };
    let entries = [
        ("prior", ZooModel::Prior),
        ("persistence", ZooModel::Persistence { column: LAST_CLASS }),
        ("linear", ZooModel::Linear),
        ("gbm", ZooModel::Gbm),
        ("shuffled", shuffled),
    ]
    .map(|(name, model)| entry(name, &model, task));
    ZooBoard::of(task, &entries, Span::secs(1), Span::secs(30))
}

#[test]
fn questions_are_ordered_by_skill_and_the_control_knows_nothing() {
    let board = board(ZooTask::Binary);
    assert_eq!((board.rows[0].model.as_str(), board.leak), ("gbm", LeakVerdict::Clean));
    assert!(board.rows.windows(2).all(|w| w[0].bss_clim >= w[1].bss_clim));
    let gbm = &board.rows[0];
    let (low, auc, high) = (gbm.auc_lo.unwrap(), gbm.auc.unwrap(), gbm.auc_hi.unwrap());
    assert!(low < auc && auc < high && high - low < 0.1 && low > 0.7, "{low} {auc} {high}");
    assert!((gbm.auc_pooled.unwrap() - auc).abs() < 0.03 && gbm.ece.unwrap() < 0.1);
    assert_eq!((gbm.n_test, gbm.n_folds, gbm.n_trials), (1_500, 5, 30), "5 + 5 + 15 + 5 before it");
    assert!(gbm.macro_f1.is_none() && gbm.rmse.is_none() && gbm.control_half_width.is_none());
    let prior = board.rows.iter().find(|r| r.model == "prior").unwrap();
    assert!((prior.auc.unwrap() - 0.5).abs() < 1e-12 && prior.bss_clim.unwrap().abs() < 1e-12);
    one_number_ranks_nothing(&board, false);
    let text = serde_json::to_string(&board).unwrap();
    assert_eq!(serde_json::from_str::<ZooBoard>(&text).unwrap(), board);
}

#[test]
fn classes_are_held_against_persistence_in_pairs() {
    let board = board(ZooTask::Classes);
    let lasting = board.rows.iter().find(|r| r.model == "persistence").unwrap();
    assert!((lasting.macro_f1.unwrap() - lasting.macro_f1_persistence.unwrap()).abs() < 1e-12);
    let gain = lasting.macro_f1_gain.unwrap();
    assert!(gain.value.abs() + gain.low.abs() + gain.high.abs() < 1e-12, "{gain:?}");
    let prior = board.rows.iter().find(|r| r.model == "prior").unwrap();
    let loss = prior.macro_f1_gain.unwrap();
    assert!(loss.high < 0.0 && loss.low < loss.value && loss.value < loss.high, "{loss:?}");
    assert!(prior.macro_f1.unwrap() < 0.34 && board.leak == LeakVerdict::Clean);
    assert!(board.rows.windows(2).all(|w| w[0].macro_f1 >= w[1].macro_f1));
}

#[test]
fn numbers_are_ordered_by_what_they_explain() {
    let board = board(ZooTask::Regression);
    assert_eq!(board.rows[0].model, "gbm");
    let gbm = &board.rows[0];
    assert!(gbm.r2_oos.unwrap() > 0.8 && gbm.ic.unwrap() > 0.9 && gbm.auc.unwrap() > 0.9, "{gbm:?}");
    assert!(board.rows.windows(2).all(|w| w[0].r2_oos >= w[1].r2_oos));
    one_number_ranks_nothing(&board, true);
}

/// A model that says one number in each fold would rank the folds by what came before them: it has no correlation, and says why.
#[track_caller]
fn one_number_ranks_nothing(board: &ZooBoard, of_numbers: bool) {
    for row in &board.rows {
        let is_constant = row.model == "prior";
        assert_eq!(row.auc_pooled.is_none(), is_constant, "{row:?}");
        assert_eq!(
            (row.ic.is_some(), row.no_ic.is_some()),
            (of_numbers && !is_constant, of_numbers && is_constant),
            "{row:?}"
        );
    }
}

/// Labels that slip into the features by one row are what the control cannot see; a control that knows its labels is.
#[test]
fn a_control_that_knows_is_a_leak() {
    let mut random = SplitMix::new(1);
    let fold = |skill: f64, random: &mut SplitMix| {
        let labels: Vec<f64> = (0..3_000).map(|_| f64::from(u8::from(random.unit() < 0.5))).collect();
        let p: Vec<f64> = labels.iter().map(|y| 0.5 + skill * (y - 0.5) + 0.4 * (random.unit() - 0.5)).collect();
        FoldPrediction {
            times: (0..3_000).map(|s| Ts(0) + Span::secs(s)).collect(),
            labels,
            said: ZooPrediction::Binary { scores: p.clone(), probabilities: p },
            base: vec![0.5],
        }
    };
    let mut verdict = |skill: f64, is_shuffled: bool| {
        let entry = ZooEntry {
            model: "control".to_owned(),
            is_shuffled,
            is_persistence: false,
            trials: 1,
            folds: vec![fold(skill, &mut random)],
        };
        ZooBoard::of(ZooTask::Binary, &[entry], Span::secs(1), Span::mins(1)).leak
    };
    assert_eq!(verdict(0.05, true), LeakVerdict::Suspected);
    assert_eq!(verdict(0.05, false), LeakVerdict::Untested);
    let clean = (0..20).filter(|_| verdict(0.0, true) == LeakVerdict::Clean).count();
    assert!(clean >= 19, "{clean} of 20");
    assert_eq!(LeakVerdict::Suspected.stamp(), Some("LEAK SUSPECTED"));
}
