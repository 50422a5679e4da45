//! What models go by.

use crate::world::{COLUMNS, LAST_CLASS, World};
use barograph_lab::explain::{
    PermutationPlan, PermutationRun, linear_shap, over_windows, partial_dependence, permutation_importance, tree_shap,
};
use barograph_lab::zoo::{FittedModel, Recipe, ZooModel, ZooTask};

fn fitted(world: &World, model: ZooModel, task: ZooTask) -> FittedModel {
    Recipe::quick(model, task).fit(&world.train()).unwrap()
}

#[test]
fn parts_add_up_to_the_margin_of_every_question() {
    for task in [ZooTask::Binary, ZooTask::Classes, ZooTask::Regression] {
        let world = World::new(task, 3_000, 21);
        let (gbm, linear) = (fitted(&world, ZooModel::Gbm, task), fitted(&world, ZooModel::Linear, task));
        assert_eq!((gbm.forests().len(), linear.lines().len()), (task.heads(), task.heads()));
        let forests = gbm
            .forests()
            .iter()
            .map(|f| (tree_shap(f, &world.features, &world.test), f.margins(&world.features, &world.test)));
        let lines = linear
            .lines()
            .iter()
            .map(|l| (linear_shap(l, &world.features, &world.test), l.margins(&world.features, &world.test)));
        for (shap, margins) in forests.chain(lines) {
            assert_eq!(shap.rows(), margins.len());
            for (n, margin) in margins.iter().enumerate() {
                let sum = shap.base + shap.row(n).iter().sum::<f64>();
                assert!(
                    (sum - margin).abs() < 1e-9 * margin.abs().max(1e-3),
                    "{task:?}, row {n}: {sum} is not {margin}"
                );
            }
        }
    }
}

/// Of each class alone, and together, weighed by their rows, what is said of all.
#[test]
fn increases_of_classes_make_up_that_of_all_rows() {
    for model in [ZooModel::Gbm, ZooModel::Linear, ZooModel::Mlp] {
        let world = World::new(ZooTask::Binary, 6_000, 29);
        let fit = fitted(&world, model.clone(), ZooTask::Binary);
        let plan = PermutationPlan { block_rows: 50, ..PermutationPlan::default() };
        let rows = &world.test;
        let mut run = PermutationRun::new(&fit, &world.features, &world.labels, rows, plan).unwrap();
        // Where the first planted column is low, and where it is high; few rows are of a third class.
        let class = |row: &u32| {
            let x = world.features.get(usize::try_from(*row).unwrap(), 0)?;
            Some(if row.is_multiple_of(97) { 2 } else { usize::from(x > 0.0) })
        };
        let classes: Vec<Option<usize>> = rows.iter().map(class).collect();
        let n = |class: usize| classes.iter().filter(|own| **own == Some(class)).count() as f64;
        assert!(n(2) < 50.0 && n(0) > 100.0 && n(1) > 100.0);
        for column in 0..COLUMNS {
            let (row, by_class) = run.by_class::<3>(&[column], &classes, 1);
            assert_eq!(row, run.of(&[column]), "{column}");
            let whole: f64 = (0..3).map(|c| by_class[c].unwrap() * n(c)).sum::<f64>() / rows.len() as f64;
            assert!((whole - row.mean).abs() < 1e-12, "{model:?}, column {column}: {whole}, not {}", row.mean);
            let (_, by_class) = run.by_class::<3>(&[column], &classes, plan.block_rows);
            assert!(by_class[2].is_none() && by_class[0].is_some());
        }
    }
}

#[test]
fn the_planted_columns_are_named_and_noise_is_not() {
    let world = World::new(ZooTask::Regression, 6_000, 23);
    let gbm = fitted(&world, ZooModel::Gbm, ZooTask::Regression);
    let shap = tree_shap(&gbm.forests()[0], &world.features, &world.test).mean_abs();
    let gains = gbm.forests()[0].gains();
    for planted in [0, 1, 2] {
        assert!(shap[planted] > 5.0 * shap[3] && gains[planted] > 5.0 * gains[3], "{planted}: {shap:?} {gains:?}");
    }
    let plan = PermutationPlan { block_rows: 50, ..PermutationPlan::default() };
    let groups: Vec<Vec<usize>> = (0..COLUMNS).map(|c| vec![c]).chain([vec![0, 1], vec![6, 7, 8]]).collect();
    let rows = permutation_importance(&gbm, &world.features, &world.labels, &world.test, &groups, plan).unwrap();
    assert_eq!(rows.len(), groups.len());
    for planted in [0, 1, 2] {
        assert!(rows[planted].low > 0.0 && rows[planted].p < 0.01, "{:?}", rows[planted]);
        assert!(rows[planted].mean > 20.0 * rows[3].mean.abs(), "{:?}", rows[3]);
    }
    // Moved together, the two that bend together still agree with each other.
    assert!(rows[COLUMNS + 1].mean > rows[6].mean && rows[LAST_CLASS].mean < rows[2].mean);
    assert_eq!(permutation_importance(&gbm, &world.features, &world.labels, &world.test[..60], &groups, plan), None);
}

/// The short cuts of boosted models and of lines against asking the whole model again, which an ensemble of one is.
#[test]
fn short_cuts_give_what_asking_again_gives() {
    for task in [ZooTask::Binary, ZooTask::Classes, ZooTask::Regression] {
        let world = World::new(task, 2_000, 25);
        let plan = PermutationPlan { block_rows: 20, ..PermutationPlan::default() };
        let groups = [vec![0], vec![3], vec![2, 3, 4]];
        for model in [ZooModel::Gbm, ZooModel::Linear] {
            let alone = fitted(&world, model.clone(), task);
            // A regime without rows enough: the same model behind another door.
            let routed = ZooModel::ByRegime { column: 5, of: Box::new(model.clone()), rows_min: usize::MAX };
            let whole = fitted(&world, routed, task);
            let of = |m: &FittedModel| {
                permutation_importance(m, &world.features, &world.labels, &world.test, &groups, plan).unwrap()
            };
            for (a, b) in of(&alone).iter().zip(of(&whole)) {
                for (x, y) in a.increases.iter().zip(b.increases) {
                    assert!((x - y).abs() < 1e-12, "{model:?} {task:?} {:?}: {x} is not {y}", a.columns);
                }
            }
        }
    }
}

#[test]
fn importance_over_windows_has_one_increase_for_each() {
    let world = World::new(ZooTask::Regression, 4_000, 27);
    let gbm = fitted(&world, ZooModel::Gbm, ZooTask::Regression);
    let plan = PermutationPlan { block_rows: 20, ..PermutationPlan::default() };
    let groups = [vec![2], vec![3]];
    let window =
        |rows: &[u32]| permutation_importance(&gbm, &world.features, &world.labels, rows, &groups, plan).unwrap();
    let windows: Vec<_> = world.test.chunks(200).map(window).collect();
    let rows = over_windows(&windows);
    assert_eq!((rows.len(), rows[0].increases.len()), (2, 4));
    assert!(rows[0].low > 0.0 && rows[1].mean.abs() < 0.02 * rows[0].mean, "{rows:?}");
}

#[test]
fn a_line_is_a_line_in_its_partial_curve_and_a_step_is_a_step() {
    let world = World::new(ZooTask::Regression, 4_000, 29);
    let training: Vec<u32> = (0..2_400).collect();
    let curve = |model: ZooModel, column| {
        let model = fitted(&world, model, ZooTask::Regression);
        partial_dependence(&model, &world.features, &training, &world.test, column).remove(0)
    };
    let line = curve(ZooModel::Linear, 2);
    assert_eq!((line.points.len(), line.mean.len(), line.single.len()), (20, 20, 50));
    let slope = |k: usize| (line.mean[k + 1] - line.mean[k]) / (line.points[k + 1] - line.points[k]);
    assert!((0..19).all(|k| (slope(k) / slope(0) - 1.0).abs() < 1e-9));
    assert!((slope(0) / 1.2e-4 - 1.0).abs() < 0.1, "{}", slope(0));
    // Alone, a column that bends with another says nothing on average, and much of single rows.
    let bend = curve(ZooModel::Gbm, 0);
    let reach = |of: &[f64]| of.iter().fold(f64::MIN, |a, b| a.max(*b)) - of.iter().fold(f64::MAX, |a, b| a.min(*b));
    let single = bend.single.iter().map(|s| reach(s)).sum::<f64>() / 50.0;
    assert!(single > 1.8e-4 && reach(&bend.mean) < 0.5 * single, "{single} {}", reach(&bend.mean));
    let classes = World::new(ZooTask::Classes, 1_500, 31);
    let model = fitted(&classes, ZooModel::Gbm, ZooTask::Classes);
    let curves = partial_dependence(&model, &classes.features, &classes.test, &classes.test, 2);
    assert!(curves.len() == 3 && (0..20).all(|k| (curves.iter().map(|c| c.mean[k]).sum::<f64>() - 1.0).abs() < 1e-9));
}
