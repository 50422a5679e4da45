//! What every model of the zoo owes, of LightGBM: it finds what was planted and nothing in permuted labels, the same rows give the same
//! bytes, what was kept predicts as before, and its parts add up.
#![cfg(feature = "lightgbm")]
#![allow(clippy::unwrap_used, clippy::allow_attributes, reason = "helpers of tests may panic")]

#[path = "../../lab/tests/zoo/world.rs"]
mod world;

#[cfg(test)]
mod owed_by_every_model {
    use super::world::{COLUMNS, LAST_CLASS, REGIME, World};
    use barograph_domain::Ts;
    use barograph_lab::explain::{PermutationPlan, permutation_importance, tree_shap};
    use barograph_lab::zoo::metrics::{ClassCounts, rmse_and_r2};
    use barograph_lab::zoo::{
        CalibrationRule, Features, FitThreads, FittedModel, Preset, Recipe, RecipeError, TrainSet, ZooModel,
        ZooPrediction, ZooTask,
    };
    use barograph_models::{LightGbmFault, fit_lightgbm};
    use barograph_verify::scores::{Case, auc, brier_skill};

    fn quick(task: ZooTask) -> Recipe {
        Recipe::quick(ZooModel::Gbm, task)
    }

    fn fitted(world: &World, task: ZooTask) -> FittedModel {
        fit_lightgbm(&quick(task), &world.train()).unwrap()
    }

    /// AUC of the scores and Brier skill of the probabilities on rows the model has not seen.
    fn judged(world: &World, model: &FittedModel) -> (f64, f64) {
        let ZooPrediction::Binary { scores, probabilities } = model.predict(&world.features, &world.test) else {
            panic!("no yes or no")
        };
        let came: Vec<bool> = world.came().iter().map(|y| *y > 0.5).collect();
        let said = probabilities.iter().zip(&came);
        let cases: Vec<Case> = said.map(|(p, o)| Case { issued: Ts(0), p: *p, happened: *o }).collect();
        let climate = vec![model.base()[0]; cases.len()];
        (auc(scores.into_iter().zip(came)).unwrap(), brier_skill(&cases, &climate).unwrap())
    }

    /// Bounds of the zoo's own boosting.
    #[test]
    fn what_was_planted_is_found() {
        let world = World::new(ZooTask::Binary, 10_000, 3);
        let (auc, skill) = judged(&world, &fitted(&world, ZooTask::Binary));
        assert!((0.82..=0.92).contains(&auc) && skill > 0.03, "AUC {auc}, skill {skill}");
        let world = World::new(ZooTask::Regression, 10_000, 5);
        let model = fitted(&world, ZooTask::Regression);
        let ZooPrediction::Values(said) = model.predict(&world.features, &world.test) else { panic!("no numbers") };
        let r2 = rmse_and_r2(&said, &world.came(), &vec![model.base()[0]; said.len()]).1.unwrap();
        assert!((0.9..=1.0).contains(&r2), "R² {r2}");
        let world = World::new(ZooTask::Classes, 10_000, 7);
        let said = fitted(&world, ZooTask::Classes).predict(&world.features, &world.test);
        let ZooPrediction::Classes { probabilities, chosen } = said else { panic!("no classes") };
        assert!(probabilities.iter().all(|p| (p.iter().sum::<f64>() - 1.0).abs() < 1e-12));
        let mut counts = ClassCounts::default();
        for (said, came) in chosen.iter().zip(world.came()) {
            let came = [0.0, 1.0, 2.0].iter().position(|c| (c - came).abs() < 0.5).unwrap();
            counts.0[came][usize::from(*said)] += 1.0;
        }
        assert!(counts.macro_f1() > 0.7, "{}", counts.macro_f1());
    }

    /// A row's label is that of a row far away: nothing in its columns can say it.
    #[test]
    fn labels_of_other_rows_teach_nothing() {
        let world = World::new(ZooTask::Binary, 10_000, 3);
        let mut labels = world.labels.clone();
        labels[..8_000].rotate_left(3_777);
        let model = fit_lightgbm(&quick(ZooTask::Binary), &TrainSet { labels: &labels, ..world.train() }).unwrap();
        let (auc, skill) = judged(&world, &model);
        assert!((auc - 0.5).abs() < 0.1 && skill.abs() < 0.02, "AUC {auc}, skill {skill}");
    }

    #[test]
    fn the_same_rows_give_the_same_bytes_and_what_was_kept_predicts_the_same_bits() {
        for task in [ZooTask::Classes, ZooTask::Binary, ZooTask::Regression] {
            let world = World::new(task, 1_000, 9);
            for calibration in [CalibrationRule::Platt, CalibrationRule::Isotonic] {
                let recipe = Recipe { calibration, ..quick(task) };
                let fit = |threads| fit_lightgbm(&recipe, &TrainSet { threads, ..world.train() }).unwrap();
                let model = fit(FitThreads::One);
                let bytes = postcard::to_allocvec(&model).unwrap();
                assert_eq!(bytes, postcard::to_allocvec(&fit(FitThreads::All)).unwrap(), "{task:?}");
                let said = model.predict(&world.features, &world.test);
                let kept: FittedModel = postcard::from_bytes(&bytes).unwrap();
                assert_eq!(kept.predict(&world.features, &world.test), said, "{task:?}");
                let text: FittedModel = serde_json::from_str(&serde_json::to_string(&model).unwrap()).unwrap();
                assert_eq!(text.predict(&world.features, &world.test), said, "{task:?}");
            }
        }
    }

    #[test]
    fn parts_add_up_and_name_what_was_planted() {
        for task in [ZooTask::Binary, ZooTask::Classes, ZooTask::Regression] {
            let world = World::new(task, 3_000, 21);
            let model = fitted(&world, task);
            assert_eq!(model.forests().len(), task.heads());
            for forest in model.forests() {
                let (shap, margins) =
                    (tree_shap(forest, &world.features, &world.test), forest.margins(&world.features, &world.test));
                for (n, margin) in margins.iter().enumerate() {
                    let sum = shap.base + shap.row(n).iter().sum::<f64>();
                    assert!(
                        (sum - margin).abs() < 1e-9 * margin.abs().max(1e-3),
                        "{task:?}, row {n}: {sum} is not {margin}"
                    );
                }
            }
            if task == ZooTask::Regression {
                let (shap, gains) = (
                    tree_shap(&model.forests()[0], &world.features, &world.test).mean_abs(),
                    model.forests()[0].gains(),
                );
                assert!([0, 1, 2].iter().all(|c| shap[*c] > 5.0 * shap[3] && gains[*c] > 5.0 * gains[3]), "{shap:?}");
                let plan = PermutationPlan { block_rows: 50, ..PermutationPlan::default() };
                let groups: Vec<Vec<usize>> = (0..COLUMNS).map(|c| vec![c]).collect();
                let rows =
                    permutation_importance(&model, &world.features, &world.labels, &world.test, &groups, plan).unwrap();
                assert!([0, 1, 2].iter().all(|c| rows[*c].low > 0.0 && rows[*c].mean > rows[LAST_CLASS].mean));
                assert!(rows[3].mean.abs() < rows[REGIME].mean.abs().max(rows[2].mean / 20.0), "{:?}", rows[3]);
            }
        }
    }

    #[test]
    fn the_best_preset_tries_three_and_is_not_worse() {
        let world = World::new(ZooTask::Binary, 3_000, 13);
        let quick = quick(ZooTask::Binary);
        let best = fit_lightgbm(&Recipe { preset: Preset::Best, ..quick.clone() }, &world.train()).unwrap();
        let auc = judged(&world, &best).0;
        assert!(best.trials() == 3 && auc > 0.86, "{} {auc}", best.trials());
        assert_eq!(fit_lightgbm(&quick, &world.train()).unwrap().trials(), 1);
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_reason() {
        let features = Features::new(4, [[Some(1.0), Some(2.0), None, Some(3.0)]]).unwrap();
        let labels = [0.0, 1.0, 0.0, 2.0];
        let weights = [1.0; 4];
        let check = |fit: &[u32], inner: &[u32], weighted: bool, want: LightGbmFault| {
            let weights = weighted.then_some(weights.as_slice());
            let train =
                TrainSet { features: &features, labels: &labels, weights, fit, inner, threads: FitThreads::One };
            assert_eq!(fit_lightgbm(&quick(ZooTask::Binary), &train), Err(want));
        };
        let rows = LightGbmFault::Rows;
        check(&[], &[1], false, rows(RecipeError::NoRows));
        check(&[0, 3], &[1], false, rows(RecipeError::Row(3)));
        check(&[0, 9], &[1], false, rows(RecipeError::Row(9)));
        check(&[0, 2], &[1], false, rows(RecipeError::OneOutcome));
        let why = "its bindings take no weights of rows; fit without them".to_owned();
        check(&[0, 1], &[1], true, LightGbmFault::Failed(why));
        // Too few rows for one split: what is left is the frequency.
        let train = TrainSet {
            features: &features,
            labels: &labels,
            weights: None,
            fit: &[0, 1],
            inner: &[0, 1],
            threads: FitThreads::One,
        };
        let model = fit_lightgbm(&quick(ZooTask::Binary), &train).unwrap();
        let ZooPrediction::Binary { scores, .. } = model.predict(&features, &[0, 1]) else { panic!("no yes or no") };
        assert!(scores.iter().all(|s| s.abs() < 1e-9), "{scores:?}");
    }
}
