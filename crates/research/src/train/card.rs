//! The card of a fitted model: what it was made from, how good it was where it was judged, and what it is not for.

use super::artefact::{StudyBoard, StudyTarget, embargo_words};
use super::lineup::LIGHTGBM;
use super::registry::BASELINES;
use super::table::LeaderboardRow;
use super::weights::RowWeights;
use barograph_domain::Ts;
use barograph_study::folds::FoldPlan;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Below this many days of data nothing that is said holds for another week.
const DAYS_MIN: f64 = 7.0;

/// What is to be known before a prediction is used.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ModelCard {
    /// Name of the artefact.
    pub artefact: String,
    /// Which model of the board.
    pub model: String,
    /// What it predicts, of whose rows.
    pub about: StudyTarget,
    /// When it was made, UTC.
    pub made: String,
    /// From the first start of the labels it was fitted on to the last end.
    pub trained_on: [String; 2],
    /// How many rows these are.
    pub trained_rows: usize,
    /// Where the hold-out begins, which it has not seen.
    pub hold_out_from: Option<String>,
    /// How folds were planned.
    pub plan: FoldPlan,
    /// Seconds before each test block from which nothing was learnt.
    pub embargo_s: Vec<f64>,
    /// `quick` or `best`.
    pub preset: String,
    /// Decides every draw.
    pub seed: u64,
    /// How much each row counted in a fit.
    #[serde(default, skip_serializing_if = "RowWeights::is_even")]
    pub weights: RowWeights,
    /// Digest of rows, target, plan, preset, seed and, where rows do not count alike, weights.
    pub config_hash: String,
    /// Names of the columns it reads.
    pub inputs: Vec<String>,
    /// Columns of the data set that are no inputs, with the reason.
    pub dropped: BTreeMap<String, String>,
    /// Its row of the board, judged out of fold.
    pub scores: Option<LeaderboardRow>,
    /// The best row of what costs nothing to fit, on the same test rows.
    pub baseline: Option<LeaderboardRow>,
    /// What stands over the board.
    pub stamp: Option<String>,
    /// All configurations fitted for the target up to then.
    pub trials: usize,
    /// What it is for.
    pub intended_use: Vec<String>,
    /// What is known to be wanting.
    pub limits: Vec<String>,
}

pub(super) fn card_of(
    board: &StudyBoard,
    model: &str,
    (from, to, rows): (String, String, usize),
    hold_out_from: Option<Ts>,
) -> ModelCard {
    let table = board.table();
    let scores = table.iter().find(|r| r.scores.model == model).cloned();
    let baseline = table.iter().find(|r| ["prior", "persistence", "har"].contains(&r.scores.model.as_str())).cloned();
    let limits = limits(board, model, scores.as_ref());
    ModelCard {
        artefact: board.run.clone(),
        model: model.to_owned(),
        about: board.about.clone(),
        made: board.made.clone(),
        trained_on: [from, to],
        trained_rows: rows,
        hold_out_from: hold_out_from.map(Ts::iso),
        plan: board.plan,
        embargo_s: board.embargo_s.clone(),
        preset: board.preset.clone(),
        seed: board.seed,
        weights: board.weights,
        config_hash: board.config_hash.clone(),
        inputs: board.inputs.clone(),
        dropped: board.dropped.clone(),
        scores,
        baseline,
        stamp: board.stamp.clone(),
        trials: table.iter().map(|r| r.scores.n_trials).max().unwrap_or_default(),
        intended_use: vec![
            "Predictions in shadow: rows of gold/predictions, and forecasts that are scored beside the program's own and never mixed with them."
                .to_owned(),
            "Research. It places no order, and no posture or label follows from it.".to_owned(),
        ],
        limits,
    }
}

fn limits(board: &StudyBoard, model: &str, scores: Option<&LeaderboardRow>) -> Vec<String> {
    let about = &board.about;
    let mut limits = vec![format!("It was fitted on {} alone, and is for no other market.", about.market)];
    let days =
        about.span.as_ref().and_then(|[from, to]| Some((Ts::parse(to).ok()? - Ts::parse(from).ok()?).as_days_f64()));
    if let Some(days) = days.filter(|d| *d < DAYS_MIN) {
        limits.push(format!(
            "It has seen {days:.1} days: nothing here says that another week is like them ({DAYS_MIN} days are the least for that)."
        ));
    }
    match board.stamp.as_deref() {
        Some("LEAK SUSPECTED") => {
            limits.push("LEAK SUSPECTED: the control on permuted labels was not harmless. Do not use it.".to_owned());
        }
        Some(stamp) => limits.push(format!("{stamp}: too little data to show that the board is free of leaks.")),
        None => {}
    }
    if model == LIGHTGBM {
        limits.push(
            "LightGBM takes exponentials of the platform's mathematics: fitted on another platform it may differ in the last bits."
                .to_owned(),
        );
    }
    limits.extend(board.board.rows.first().and_then(|first| ranks_above(&first.model, model)));
    if scores.is_some_and(|s| s.scores.auc_lo.is_none_or(|lo| lo <= 0.5)) {
        limits.push("The 90 % band of its AUC reaches one half, or there is too little data for a band.".to_owned());
    }
    match (&board.money, &board.no_money) {
        (Some(money), _) if money.funding.is_missing() => limits.push(format!("Money: {}.", money.funding)),
        (Some(_), _) => {}
        (None, why) => {
            let why = why.as_deref().unwrap_or("it was not traded");
            limits.push(format!("What its calls are worth after costs is not known: {why}."));
        }
    }
    limits.push("The hold-out had not been opened when it was made; its result is in the research log.".to_owned());
    limits
}

/// What it means that another model stands first on the board; `None` where none does.
fn ranks_above(first: &str, model: &str) -> Option<String> {
    let what = if BASELINES.contains(&first) {
        "learns nothing from the columns"
    } else {
        "was fitted outside this program and so is no artefact"
    };
    (first != model).then(|| format!("{first}, which {what}, ranks above it on the same test rows."))
}

/// The card as Markdown.
pub(super) fn markdown(card: &ModelCard) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    let about = &card.about;
    line(format!("# {} for {} of {}", card.model, about.target, about.market));
    line(String::new());
    line(format!("Artefact {}, made {}, preset {}, seed {}.", card.artefact, card.made, card.preset, card.seed));
    if let Some(stamp) = &card.stamp {
        line(format!("\n**{stamp}**"));
    }
    line("\n## Intended use\n".to_owned());
    card.intended_use.iter().for_each(|text| line(format!("- {text}")));
    line("\n## Limits\n".to_owned());
    card.limits.iter().for_each(|text| line(format!("- {text}")));
    line("\n## Data\n".to_owned());
    if let Some([from, to]) = &about.span {
        line(format!("- {} rows from {from} to {to}, {} with a label", about.rows, about.labelled));
    }
    line(format!("- digest `{}`", about.data_digest));
    if let Some(share) = about.zero_share {
        line(format!("- the mid did not move in {:.1} % of them", 100.0 * share));
    }
    line(format!("- fitted on {} rows from {} to {}", card.trained_rows, card.trained_on[0], card.trained_on[1]));
    if !card.weights.is_even() {
        line(format!("- {WEIGHTED}"));
    }
    if let Some(from) = &card.hold_out_from {
        line(format!("- held out: everything from {from} on"));
    }
    line(format!("- {} columns are inputs, {} of the data set are not", card.inputs.len(), card.dropped.len()));
    line("\n## Judged out of fold\n".to_owned());
    line(format!(
        "{} test blocks, each judged by what was learnt before it; {}; {} configurations were fitted for this target up to then.",
        card.plan.folds,
        embargo_words(&card.plan, &card.embargo_s),
        card.trials
    ));
    line("\n| | model | best baseline |\n|---|---|---|".to_owned());
    let baseline = card.baseline.as_ref();
    for (name, of) in SHOWN {
        let cell = |row: Option<&LeaderboardRow>| row.and_then(of).unwrap_or_else(|| "–".to_owned());
        let cells = (cell(card.scores.as_ref()), cell(baseline));
        if cells.0 != "–" || cells.1 != "–" {
            line(format!("| {name} | {} | {} |", cells.0, cells.1));
        }
    }
    out
}

/// What weights by uniqueness are.
pub const WEIGHTED: &str =
    "rows count by the uniqueness of their labels: the mean over a label's life of one over the labels alive then";

/// A cell of the card's table.
type CardCell = fn(&LeaderboardRow) -> Option<String>;

const SHOWN: [(&str, CardCell); 14] = [
    ("model", |r| Some(r.scores.model.clone())),
    ("test rows", |r| Some(r.scores.n_test.to_string())),
    ("AUC (90 % band)", |r| {
        let band = r.scores.auc_lo.zip(r.scores.auc_hi).map_or(String::new(), |(l, h)| format!(" ({l:.3}–{h:.3})"));
        r.scores.auc.map(|auc| format!("{auc:.3}{band}"))
    }),
    ("Brier skill", |r| r.scores.bss_clim.map(|v| format!("{v:.4}"))),
    ("log loss", |r| r.scores.log_loss.map(|v| format!("{v:.4}"))),
    ("ECE", |r| r.scores.ece.map(|v| format!("{v:.4}"))),
    ("macro F1", |r| r.scores.macro_f1.map(|v| format!("{v:.3}"))),
    ("over persistence (90 % band)", |r| {
        r.scores.macro_f1_gain.map(|g| format!("{:.3} ({:.3}–{:.3})", g.value, g.low, g.high))
    }),
    ("R² out of sample", |r| r.scores.r2_oos.map(|v| format!("{v:.4}"))),
    ("IC", |r| r.scores.ic.map(|v| format!("{v:.3}"))),
    ("Sharpe after costs", |r| r.money.sharpe_net.map(|v| format!("{v:.2}"))),
    ("deflated Sharpe, all trials", |r| r.money.dsr.map(|v| format!("{v:.3}"))),
    ("gross edge a round trip, bp", |r| r.money.break_even_cost_bps.map(|v| format!("{v:.2}"))),
    ("cost of a round trip, bp", |r| r.money.avg_cost_bps.map(|v| format!("{v:.2}"))),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_names_what_stands_above_its_model_for_what_it_is() {
        let above = |first| ranks_above(first, "gbm").unwrap_or_default();
        assert_eq!(
            above("prior"),
            "prior, which learns nothing from the columns, ranks above it on the same test rows."
        );
        assert!(above("mine").starts_with("mine, which was fitted outside this program"), "{}", above("mine"));
        assert_eq!(above("gbm"), "");
    }
}
