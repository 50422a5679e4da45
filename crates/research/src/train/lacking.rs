//! What a study does not have yet, with the command that makes it.

use super::artefact::StudyBoard;
use super::lineup::MODELS;
use super::request::StudyRequest;
use super::summary::StudySummary;
use barograph_domain::text::shell_word;
use barograph_lab::explain::PermutationPlan;
use barograph_study::targets::TargetId;

/// Models whose inputs can be permuted.
const WITH_INPUTS: [&str; 5] = ["linear", "gbm", super::lineup::LIGHTGBM, "mlp", "ensemble"];

/// Something that a study does not have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StudyLack {
    /// What it is, as a noun.
    pub what: &'static str,
    /// The command that makes it, or why none does.
    pub remedy: Result<String, String>,
    /// What in the command is an example, and what of.
    pub example: Option<&'static str>,
}

/// What a study does not have of money and importance.
#[must_use]
pub fn lacking(request: &StudyRequest, found: &StudySummary) -> Vec<StudyLack> {
    let board: Option<StudyBoard> = serde_json::from_value(found.board.clone()).ok();
    let ranked: Vec<String> = board.iter().flat_map(|board| &board.board.rows).map(|row| row.model.clone()).collect();
    let mut lacks = Vec::new();
    if found.backtest.is_none() {
        lacks.push(money(request, board.as_ref(), &ranked));
    }
    if found.importance.is_none() {
        lacks.push(importance(request, found, &ranked));
    }
    lacks
}

fn money(request: &StudyRequest, board: Option<&StudyBoard>, ranked: &[String]) -> StudyLack {
    let lack = |remedy, example| StudyLack { what: "an equity curve", remedy, example };
    if !matches!(request.target, TargetId::Direction(_)) {
        return lack(
            Err(format!("{} is no direction over time, and only calls of one are traded", request.target)),
            None,
        );
    }
    let own = |name: &&String| MODELS.contains(&name.as_str()) && *name != "shuffled";
    let Some(model) = ranked.iter().find(own) else {
        return lack(Err("no model of the board was fitted by this program".to_owned()), None);
    };
    let paid = board.and_then(|board| board.money.as_ref()).map(|money| format!("{}={}", money.tier, money.fee_bps));
    let example = paid.is_none().then_some("VIP0=5 means the tier and the taker fee in basis points that you pay");
    let fee = shell_word(&paid.unwrap_or_else(|| "VIP0=5".to_owned()));
    lack(Ok(format!("{} --model {model} --fee {fee}", request.command("backtest"))), example)
}

fn importance(request: &StudyRequest, found: &StudySummary, ranked: &[String]) -> StudyLack {
    let lack = |remedy| StudyLack { what: "importance", remedy, example: None };
    let block = PermutationPlan::default().block_rows;
    if let Some(short) = found.folds.iter().find(|fold| fold.test_rows < 2 * block) {
        return lack(Err(format!(
            "test block {} has {} rows, and columns are permuted in two blocks of {block} or more",
            short.number, short.test_rows
        )));
    }
    match ranked.iter().find(|name| WITH_INPUTS.contains(&name.as_str())) {
        Some(model) => lack(Ok(format!("{} --model {model}", request.command("importance")))),
        None => lack(Err("no model of the board has inputs of its own".to_owned())),
    }
}
