//! The board as a table: every column of research §5 in one row per model.

use super::artefact::{StudyBoard, StudyModelCost};
use super::money::MoneyRow;
use barograph_lab::zoo::board::ZooRow;
use serde::{Deserialize, Serialize};

/// A row of the leaderboard. Where nothing can be said of a column it is null.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LeaderboardRow {
    /// What is predicted.
    pub target: String,
    /// How it did on all folds (research §5).
    #[serde(flatten)]
    pub scores: ZooRow,
    /// Money; every column null without a fee.
    #[serde(flatten)]
    pub money: MoneyColumns,
    /// Costs of fitting and predicting.
    #[serde(flatten)]
    pub cost: StudyModelCost,
    /// Decides every draw.
    pub seed: u64,
    /// Digest of the rows' content.
    pub data_digest: String,
}

/// Columns of money, all of which may be absent.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct MoneyColumns {
    /// Annual Sharpe ratio after costs.
    pub sharpe_net: Option<f64>,
    /// The same before costs.
    pub sharpe_gross: Option<f64>,
    /// Deflated Sharpe ratio with all trials.
    pub dsr: Option<f64>,
    /// The same with as many independent trials as those are worth.
    pub dsr_effective: Option<f64>,
    /// Probability of overfitting of the whole board, the same in every row.
    pub pbo: Option<f64>,
    /// Quote traded per day in multiples of the capital.
    pub turnover: Option<f64>,
    /// What a round trip cost, basis points.
    pub avg_cost_bps: Option<f64>,
    /// Largest fall of the equity curve, as a fraction of the capital.
    pub max_drawdown: Option<f64>,
    /// P&L per round trip before costs, basis points.
    pub break_even_cost_bps: Option<f64>,
    /// P&L per round trip after all costs, basis points.
    pub net_bps: Option<f64>,
    /// Round trips.
    pub trades: Option<usize>,
}

impl MoneyColumns {
    fn of(row: &MoneyRow, pbo: Option<f64>) -> Self {
        Self {
            sharpe_net: row.sharpe_net,
            sharpe_gross: row.sharpe_gross,
            dsr: row.dsr,
            dsr_effective: row.dsr_effective,
            pbo,
            turnover: Some(row.turnover),
            avg_cost_bps: row.avg_cost_bps,
            max_drawdown: Some(row.max_drawdown),
            break_even_cost_bps: row.break_even_cost_bps,
            net_bps: row.net_bps,
            trades: Some(row.trades),
        }
    }
}

impl StudyBoard {
    /// Every column of research §5, a row per model in the order of the board.
    #[must_use]
    pub fn table(&self) -> Vec<LeaderboardRow> {
        let money = |model: &String| {
            let money = self.money.as_ref()?;
            Some(MoneyColumns::of(money.rows.get(model)?, money.pbo))
        };
        let row = |scores: &ZooRow| LeaderboardRow {
            target: self.about.target.clone(),
            money: money(&scores.model).unwrap_or_default(),
            cost: self.costs.get(&scores.model).copied().unwrap_or_default(),
            scores: scores.clone(),
            seed: self.seed,
            data_digest: self.about.data_digest.clone(),
        };
        self.board.rows.iter().map(row).collect()
    }
}
