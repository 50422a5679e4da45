//! How often the control on permuted labels is stamped where nothing leaks. The columns know the labels well, so that a control which had
//! learnt of them would show it; of 99 % intervals more than four in a hundred miss once in 300 times.

use crate::{fitted_as, made};
use barograph_domain::{Span, Ts};
use barograph_lab::zoo::board::{FoldPrediction, LeakVerdict, ZooBoard, ZooEntry};
use barograph_lab::zoo::{Recipe, ZooModel, ZooTask};

const FOLDS: u64 = 5;
const FOLD_ROWS: u32 = 1_500;
const COLUMNS: usize = 6;

/// A fold of its own rows: the first two thirds teach, with an inner split, and the last third is asked.
fn fold(seed: u64, k: u64) -> FoldPrediction {
    let (features, labels) = made::made(seed * FOLDS + k, usize::try_from(FOLD_ROWS).unwrap(), COLUMNS);
    let all: Vec<u32> = (0..FOLD_ROWS).collect();
    let ([fit, inner], test) = ([&all[..800], &all[800..1_000]], &all[1_000..]);
    let recipe = Recipe {
        seed,
        ..Recipe::quick(ZooModel::Shuffled { of: Box::new(ZooModel::Gbm), block_rows: 10 }, ZooTask::Binary)
    };
    let model = fitted_as(&recipe, &features, &labels, [fit, inner]);
    let first = i64::try_from(k).unwrap() * 10_000;
    FoldPrediction {
        times: test.iter().map(|r| Ts(0) + Span::secs(first + i64::from(*r))).collect(),
        labels: test.iter().map(|r| labels[usize::try_from(*r).unwrap()]).collect(),
        said: model.predict(&features, test),
        base: model.base().to_vec(),
    }
}

/// How many of so many boards are stamped `LEAK SUSPECTED`; a board whose control has no interval counts too.
pub(crate) fn stamped(boards: u64) -> usize {
    let is_stamped = |seed: &u64| {
        let folds: Vec<FoldPrediction> = (0..FOLDS).map(|k| fold(*seed, k)).collect();
        let entry = ZooEntry {
            model: "shuffled".to_owned(),
            is_shuffled: true,
            is_persistence: false,
            trials: folds.len(),
            folds,
        };
        ZooBoard::of(ZooTask::Binary, &[entry], Span::secs(1), Span::secs(30)).leak != LeakVerdict::Clean
    };
    (1..=boards).filter(is_stamped).count()
}
