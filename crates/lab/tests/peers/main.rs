//! What others' tools say of the same numbers (research §13). `PEERS_PYTHON` names a Python with numpy, scikit-learn, shap and lightgbm;
//! without it these tests are skipped, and say so.

#![allow(clippy::unwrap_used, clippy::allow_attributes, reason = "helpers of tests may panic")]

use barograph_domain::random::SplitMix;
use barograph_lab::explain::tree_shap;
use barograph_lab::zoo::metrics::ClassCounts;
use barograph_lab::zoo::{
    BoostedTree, Features, FitThreads, Forest, IsotonicCurve, Recipe, TrainSet, TreeNode, ZooModel, ZooTask,
};
use barograph_verify::scores::{Case, auc, brier, log_score};
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::{Command, Stdio};

/// What the judge answers; `None` where there is none, which the test then says.
fn judged(question: &Value) -> Option<Value> {
    let Some(python) = std::env::var_os("PEERS_PYTHON") else {
        barograph_testkit::skipped("PEERS_PYTHON names no Python with numpy, scikit-learn, shap and lightgbm");
        return None;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/judge.py");
    let mut child = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("PEERS_PYTHON runs");
    child.stdin.take().unwrap().write_all(question.to_string().as_bytes()).unwrap();
    let answer = child.wait_with_output().unwrap();
    assert!(answer.status.success(), "the judge failed");
    Some(serde_json::from_slice(&answer.stdout).unwrap())
}

fn near(got: f64, want: &Value, within: f64, what: &str) {
    let want = want.as_f64().unwrap();
    assert!((got - want).abs() <= within * want.abs().max(1.0), "{what}: {got} is not {want}");
}

/// Scores with ties, and whether it came.
fn cases(n: usize) -> Vec<(f64, bool)> {
    let mut random = SplitMix::new(17);
    (0..n)
        .map(|_| {
            let p = (50.0 * random.unit()).floor() / 50.0;
            (p, random.unit() < 0.2 + 0.6 * p)
        })
        .collect()
}

#[test]
fn scores_are_those_of_scikit_learn() {
    let scored = cases(3_000);
    let (p, came): (Vec<f64>, Vec<bool>) = scored.iter().copied().unzip();
    let Some(want) = judged(&json!({ "ask": "scores", "p": p, "came": came })) else { return };
    let cases: Vec<Case> =
        scored.iter().map(|(p, o)| Case { issued: barograph_domain::Ts(0), p: *p, happened: *o }).collect();
    near(auc(scored).unwrap(), &want["auc"], 1e-9, "AUC");
    near(brier(&cases).unwrap(), &want["brier"], 1e-9, "Brier");
    near(log_score(&cases).unwrap().nats, &want["log_loss"], 1e-9, "log loss");
    let mut random = SplitMix::new(5);
    let pairs: Vec<[usize; 2]> =
        (0..500).map(|_| [0; 2].map(|_: usize| usize::try_from(random.below(3)).unwrap())).collect();
    let mut counts = ClassCounts::default();
    pairs.iter().for_each(|[came, said]| counts.0[*came][*said] += 1.0);
    let of = |at: usize| pairs.iter().map(|p| p[at]).collect::<Vec<_>>();
    let want = judged(&json!({ "ask": "f1", "came": of(0), "said": of(1) })).unwrap();
    near(counts.macro_f1(), &want["macro"], 1e-12, "macro F1");
    (0..3).for_each(|c| near(counts.f1_by_class()[c], &want["each"][c], 1e-12, "F1"));
}

#[test]
fn the_rising_curve_is_that_of_scikit_learn() {
    let scored = cases(2_000);
    let (scores, came): (Vec<f64>, Vec<bool>) = scored.iter().copied().unzip();
    let at: Vec<f64> = (0..301).map(|k| f64::from(k) / 250.0 - 0.1).collect();
    let Some(want) = judged(&json!({ "ask": "isotonic", "scores": scores, "came": came, "at": at })) else { return };
    let curve = IsotonicCurve::fit(&scored).unwrap();
    for (n, x) in at.iter().enumerate() {
        near(curve.at(*x), &want["levels"][n], 1e-9, &format!("level at {x}"));
    }
}

/// Columns that make a label, some of them with gaps.
fn world(gaps: bool) -> (Features, Vec<f64>) {
    let mut random = SplitMix::new(23);
    let mut columns = vec![Vec::new(); 5];
    let mut labels = Vec::new();
    for _ in 0..2_000 {
        let x: Vec<f64> = (0..5).map(|_| 2.0 * random.unit() - 1.0).collect();
        labels.push(f64::from(u8::from(x[0] * x[1] + 0.5 * x[2] + 0.5 * (random.unit() - 0.5) > 0.0)));
        for (column, x) in columns.iter_mut().zip(x) {
            let missing = gaps && random.unit() < 0.1;
            column.push((!missing).then_some(x));
        }
    }
    (Features::new(2_000, columns).unwrap(), labels)
}

#[test]
fn the_logistic_line_is_that_of_scikit_learn() {
    let (features, labels) = world(false);
    let rows: Vec<u32> = (0..2_000).collect();
    // Without gaps and with one strength the choice of the inner split leaves one of three: all are asked.
    let train = TrainSet {
        features: &features,
        labels: &labels,
        weights: None,
        fit: &rows,
        inner: &rows,
        threads: FitThreads::One,
    };
    let line = Recipe::quick(ZooModel::Linear, ZooTask::Binary).fit(&train).unwrap();
    let got = line.lines()[0].margins(&features, &rows);
    let x: Vec<Vec<Option<f64>>> = (0..2_000).map(|r| (0..5).map(|c| features.get(r, c)).collect()).collect();
    // On its own training rows the weakest strength is the best.
    let question = json!({ "ask": "logistic", "x": x, "y": labels, "strength": 1e-4 });
    let Some(want) = judged(&question) else { return };
    got.iter().enumerate().for_each(|(n, m)| near(*m, &want["margins"][n], 1e-5, "margin"));
}

#[test]
fn parts_of_our_trees_are_those_of_shap() {
    let (features, labels) = world(true);
    let (fit, inner): (Vec<u32>, Vec<u32>) = ((0..1_600).collect(), (1_600..2_000).collect());
    let train = TrainSet {
        features: &features,
        labels: &labels,
        weights: None,
        fit: &fit,
        inner: &inner,
        threads: FitThreads::One,
    };
    let model = Recipe::quick(ZooModel::Gbm, ZooTask::Binary).fit(&train).unwrap();
    let forest = &model.forests()[0];
    let tree = |tree: &BoostedTree| {
        let each = |of: &dyn Fn(&TreeNode) -> Value| tree.nodes.iter().map(of).collect::<Vec<_>>();
        let split = |of: fn(&TreeNode) -> Option<f64>| each(&|n| json!(of(n).unwrap_or(-1.0)));
        let child = |of: fn(u32, u32, u32) -> u32| {
            each(&|n| match n {
                TreeNode::Split { left, right, missing, .. } => json!(of(*left, *right, *missing)),
                TreeNode::Leaf { .. } => json!(-1),
            })
        };
        json!({
            "left": child(|l, _, _| l),
            "right": child(|_, r, _| r),
            "missing": child(|_, _, m| m),
            "column": each(&|n| if let TreeNode::Split { column, .. } = n { json!(column) } else { json!(-2) }),
            "below": split(|n| if let TreeNode::Split { below, .. } = n { Some(*below) } else { None }),
            "value": split(|n| if let TreeNode::Leaf { value, .. } = n { Some(*value) } else { Some(0.0) }),
            "cover": split(|n| Some(n.cover())),
        })
    };
    let trees: Vec<Value> = forest.trees.iter().map(tree).collect();
    let rows: Vec<Vec<Option<f64>>> = (1_600..2_000).map(|r| (0..5).map(|c| features.get(r, c)).collect()).collect();
    let question = json!({ "ask": "tree_shap", "trees": trees, "base": forest.base, "rows": rows });
    let Some(want) = judged(&question) else { return };
    let got = tree_shap(forest, &features, &inner);
    near(got.base, &want["base"], 1e-6, "base");
    for n in 0..got.rows() {
        (0..5).for_each(|c| near(got.row(n)[c], &want["parts"][n][c], 1e-6, &format!("row {n}, column {c}")));
    }
}

#[test]
fn parts_of_lightgbms_trees_are_those_of_lightgbm() {
    let Some(theirs) = judged(&json!({ "ask": "lightgbm", "seed": 3 })) else { return };
    let number = |v: &Value| v.as_f64().unwrap();
    let index = |v: &Value| u32::try_from(v.as_u64().unwrap()).unwrap();
    let node = |v: &Value| match v.get("leaf") {
        Some(value) => TreeNode::Leaf { value: number(value), cover: number(&v["cover"]) },
        None => TreeNode::Split {
            column: index(&v["column"]),
            below: number(&v["below"]),
            left: index(&v["left"]),
            right: index(&v["right"]),
            missing: index(&v["missing"]),
            cover: number(&v["cover"]),
            gain: 0.0,
        },
    };
    let tree = |v: &Value| BoostedTree { nodes: v.as_array().unwrap().iter().map(node).collect() };
    let trees = theirs["trees"].as_array().unwrap().iter().map(tree).collect();
    let forest = Forest { base: 0.0, columns: 6, trees };
    let rows = theirs["rows"].as_array().unwrap();
    let column = |c: usize| rows.iter().map(move |r| r[c].as_f64());
    let features = Features::new(rows.len(), (0..6).map(column)).unwrap();
    let all: Vec<u32> = (0..).take(rows.len()).collect();
    let (got, margins) = (tree_shap(&forest, &features, &all), forest.margins(&features, &all));
    for n in 0..rows.len() {
        near(margins[n], &theirs["margins"][n], 1e-9, "margin");
        (0..6).for_each(|c| near(got.row(n)[c], &theirs["contributions"][n][c], 1e-6, &format!("row {n}, column {c}")));
        near(got.base, &theirs["contributions"][n][6], 1e-6, "base");
    }
}
