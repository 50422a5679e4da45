//! The goals of the seed, held against what studies of a market have measured (research §8): reached or not, why, and how much recording would
//! settle it. Not reached is a result; what was not measured is not guessed.

use crate::ResearchError;
use crate::train::{StudyRequest, StudySummary, summary};
use barograph_domain::{InstrumentName, Span};
use barograph_study::money::goal::{GOAL_DAYS_MIN, GOAL_SHARPE};
use barograph_study::targets::TargetId;
use barograph_verify::scores::bootstrap::BLOCKS_MIN;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;

/// AUC that a direction has to exceed (R5.3).
pub const GOAL_AUC: f64 = 0.55;
/// Folds that it has to be measured on.
pub const GOAL_FOLDS_MIN: u64 = 5;
/// Macro F1 of volatility that has to be exceeded (R5.5).
pub const GOAL_F1: f64 = 0.7;
/// How far it has to be above persistence.
pub const GOAL_F1_GAIN: f64 = 0.02;
/// Models that are held against a goal; baselines and the control are not.
const LEARNERS: [&str; 6] = ["linear", "gbm", "lightgbm", "mlp", "ensemble", "regime_gbm"];
/// 95 % quantile of the normal distribution: a band of 90 % leaves 5 % below it.
const Z_90: f64 = 1.644_853_626_951_472;

/// One goal, as far as it was measured.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct GoalLine {
    /// Whose studies, as venue:symbol.
    pub market: String,
    /// `dir_1s` … `dir_5m`, `sharpe_dir_*` or `vol_regime_fwd`.
    pub goal: String,
    /// The model; `None` where nothing was fitted.
    pub model: Option<String>,
    /// Test rows.
    pub n: usize,
    /// Those whose windows do not overlap; days for a Sharpe ratio.
    pub n_eff: usize,
    /// What was measured: mean fold AUC, annual Sharpe ratio after costs, macro F1.
    pub value: Option<f64>,
    /// Its 90 % band; of macro F1 that of its distance from persistence.
    pub band: Option<[f64; 2]>,
    /// What it is held against: 0.5, 0, or the macro F1 of persistence.
    pub baseline: Option<f64>,
    /// All conditions are met.
    pub reached: bool,
    /// Conditions that are not, each as a clause.
    pub misses: Vec<String>,
    /// Days of recording like this one that would settle it; `None` where what was recorded has settled it already, by whatever it says, or
    /// nothing was measured to reckon from.
    pub days: Option<f64>,
}

/// The goals of one market, as its studies have them.
///
/// # Errors
/// A study cannot be read.
pub fn goals(lake: &Path, studies: &Path, market: &InstrumentName) -> Result<Vec<GoalLine>, ResearchError> {
    let mut lines = Vec::new();
    let mut money = Vec::new();
    for target in TargetId::all().filter(|t| matches!(t, TargetId::Direction(_))) {
        let Some(found) = of(lake, studies, market, target)? else {
            lines.push(GoalLine::absent(market, target.name()));
            continue;
        };
        lines.push(auc_line(market, target, &found));
        money.extend(sharpe_line(market, target, &found));
    }
    if money.is_empty() {
        money.push(GoalLine { misses: vec!["no back-test was run".to_owned()], ..GoalLine::absent(market, "sharpe") });
    }
    lines.extend(money);
    lines.push(match of(lake, studies, market, TargetId::VolRegime)? {
        Some(found) => f1_line(market, &found),
        None => GoalLine::absent(market, TargetId::VolRegime.name()),
    });
    Ok(lines)
}

/// A study; `None` where there is none.
fn of(
    lake: &Path,
    studies: &Path,
    market: &InstrumentName,
    target: TargetId,
) -> Result<Option<StudySummary>, ResearchError> {
    match StudyRequest::of_board(lake, studies, market, target) {
        Ok(request) => summary(&request, &mut |_, _| {}).map(Some),
        Err(ResearchError::Refused(_)) => Ok(None),
        Err(e) => Err(e),
    }
}

impl GoalLine {
    fn absent(market: &InstrumentName, goal: &str) -> Self {
        Self {
            market: market.to_string(),
            goal: goal.to_owned(),
            model: None,
            n: 0,
            n_eff: 0,
            value: None,
            band: None,
            baseline: None,
            reached: false,
            misses: vec!["not fitted: the recording is too short for it, or it was not asked for".to_owned()],
            days: None,
        }
    }

    /// With what the recording has had to say of it.
    fn judged(mut self, recorded: &Recorded, days: Option<f64>) -> Self {
        self.reached = self.misses.is_empty();
        self.days = days.filter(|days| !self.reached && *days > recorded.days);
        self
    }
}

/// The first learner of a board, which is ordered by skill.
fn best(board: &Value) -> Option<&Value> {
    let rows = board.pointer("/board/rows")?.as_array()?;
    rows.iter().find(|row| row["model"].as_str().is_some_and(|m| LEARNERS.contains(&m)))
}

fn number(row: &Value, name: &str) -> Option<f64> {
    row.get(name)?.as_f64()
}

/// How long was recorded, and how much of that was judged by.
struct Recorded {
    days: f64,
    /// Days of test blocks.
    tested: f64,
    /// Test rows whose windows do not overlap.
    n_eff: usize,
}

impl Recorded {
    fn of(found: &StudySummary) -> Self {
        let tested = found.folds.iter().map(|f| f.test[1] - f.test[0]).fold(Span::ZERO, |a, b| a + b);
        Self { days: (found.span[1] - found.span[0]).as_days_f64(), tested: tested.as_days_f64(), n_eff: found.n_eff }
    }

    /// Recording whose test blocks are this long together.
    fn with_tested(&self, days: f64) -> Option<f64> {
        (self.tested > 0.0).then(|| days * self.days / self.tested)
    }

    /// Recording that shrinks half the width of a band to this: an error falls as the root of what it is measured on.
    fn shrinking(&self, band: [f64; 2], half: f64) -> f64 {
        let ratio = 0.5 * (band[1] - band[0]) / half;
        self.days * ratio * ratio
    }

    /// Recording from which on there is a band at all.
    fn with_band(&self, horizon: Span) -> Option<f64> {
        let block = Span(horizon.0.saturating_mul(60)).max(Span::mins(10));
        self.with_tested(f64::from(u32::try_from(BLOCKS_MIN).unwrap_or(u32::MAX)) * block.as_days_f64())
    }

    /// Recording that separates an AUC of 0.55 from one half. Without a band by what is known of ranks of n cases that nothing is known of: an
    /// AUC has a deviation of 1/√(3n) where both outcomes come equally often (Hanley and McNeil 1982).
    fn separating_auc(&self, band: Option<[f64; 2]>, horizon: Span) -> Option<f64> {
        let half = GOAL_AUC - 0.5;
        if let Some(band) = band {
            return Some(self.shrinking(band, half));
        }
        let cases = (Z_90 / half) * (Z_90 / half) / 3.0;
        let n = f64::from(u32::try_from(self.n_eff).unwrap_or(u32::MAX));
        let ranked = (n > 0.0).then(|| self.days * cases / n)?;
        Some(ranked.max(self.with_band(horizon)?))
    }
}

fn auc_line(market: &InstrumentName, target: TargetId, found: &StudySummary) -> GoalLine {
    let mut line = GoalLine { misses: Vec::new(), baseline: Some(0.5), ..GoalLine::absent(market, target.name()) };
    (line.n, line.n_eff) = (found.n_test, found.n_eff);
    let Some(row) = best(&found.board) else {
        line.misses.push("no model could be fitted".to_owned());
        return line;
    };
    line.model = row["model"].as_str().map(str::to_owned);
    line.value = number(row, "auc");
    line.band = number(row, "auc_lo").zip(number(row, "auc_hi")).map(|(low, high)| [low, high]);
    match line.value {
        None => line.misses.push("a fold holds one direction only, so there is no AUC".to_owned()),
        Some(auc) if auc <= GOAL_AUC => line.misses.push(format!("{auc:.3} is not above {GOAL_AUC}")),
        Some(_) => {}
    }
    match line.band {
        None => line.misses.push("too short for a band".to_owned()),
        Some([low, _]) if low <= 0.5 => line.misses.push(format!("the band reaches down to {low:.3}")),
        Some(_) => {}
    }
    let folds = row["n_folds"].as_u64().unwrap_or_default();
    if folds < GOAL_FOLDS_MIN {
        line.misses.push(format!("{folds} folds where {GOAL_FOLDS_MIN} are asked"));
    }
    hold_out(row, &mut line.misses);
    control(&found.board, &mut line.misses);
    let recorded = Recorded::of(found);
    let days = recorded.separating_auc(line.band, target.horizon().unwrap_or(Span::secs(1)));
    line.judged(&recorded, days)
}

/// What the hold-out said of the model, where it was opened.
fn hold_out(row: &Value, misses: &mut Vec<String>) {
    let opened = number(row, "hold_out_auc");
    match opened {
        None => misses.push("the hold-out was not opened".to_owned()),
        Some(auc) if auc <= GOAL_AUC => misses.push(format!("{auc:.3} on the hold-out is not above {GOAL_AUC}")),
        Some(_) => {}
    }
}

fn control(board: &Value, misses: &mut Vec<String>) {
    match board.pointer("/board/leak").and_then(Value::as_str) {
        Some("clean") => {}
        Some("suspected") => {
            misses.push("the control on permuted labels ranks rows, so a leak is suspected".to_owned())
        }
        _ => misses.push("too short for the control on permuted labels".to_owned()),
    }
}

fn sharpe_line(market: &InstrumentName, target: TargetId, found: &StudySummary) -> Option<GoalLine> {
    let traded = found.backtest.as_ref()?;
    let goal = format!("sharpe_{}", target.name());
    let mut line = GoalLine { misses: Vec::new(), baseline: Some(0.0), ..GoalLine::absent(market, &goal) };
    line.model = Some(traded.model.clone());
    (line.n, line.n_eff) = (traded.trades, traded.days);
    (line.value, line.band) = (traded.sharpe_net, traded.sharpe_band);
    // Held against all conditions where it was traded: the file alone does not know its trials.
    match &traded.goal_misses {
        Some(misses) => line.misses.extend(misses.iter().cloned()),
        None => {
            line.misses.push("an earlier version traded it; give lab backtest again with the same settings".to_owned())
        }
    }
    match (traded.net_bps, traded.avg_cost_bps, traded.break_even_cost_bps) {
        (Some(net), Some(cost), Some(gross)) if net <= 0.0 => {
            line.misses.push(format!("a round trip makes {gross:.2} bp before costs and costs {cost:.2} bp"))
        }
        (None, ..) => line.misses.push("nothing was traded".to_owned()),
        _ => {}
    }
    // A true ratio of 2 a year has a band of 90 % above zero from (1.645/2)² years out of sample on.
    let needed = (365.0 * (Z_90 / GOAL_SHARPE) * (Z_90 / GOAL_SHARPE))
        .max(f64::from(u32::try_from(GOAL_DAYS_MIN).unwrap_or(u32::MAX)));
    let recorded = Recorded::of(found);
    let days = recorded.with_tested(needed);
    Some(line.judged(&recorded, days))
}

fn f1_line(market: &InstrumentName, found: &StudySummary) -> GoalLine {
    let mut line = GoalLine { misses: Vec::new(), ..GoalLine::absent(market, TargetId::VolRegime.name()) };
    (line.n, line.n_eff) = (found.n_test, found.n_eff);
    let Some(row) = best(&found.board) else {
        line.misses.push("no model could be fitted".to_owned());
        return line;
    };
    line.model = row["model"].as_str().map(str::to_owned);
    (line.value, line.baseline) = (number(row, "macro_f1"), number(row, "macro_f1_persistence"));
    let gain = row.get("macro_f1_gain").filter(|g| !g.is_null());
    line.band = gain.and_then(|g| Some([number(g, "low")?, number(g, "high")?]));
    if let Some(f1) = line.value.filter(|f1| *f1 <= GOAL_F1) {
        line.misses.push(format!("{f1:.3} is not above {GOAL_F1}"));
    }
    match line.value.zip(line.baseline) {
        Some((f1, lasting)) if f1 - lasting <= GOAL_F1_GAIN => {
            line.misses.push(format!("persistence has {lasting:.3}: that is not {GOAL_F1_GAIN} less"));
        }
        Some(_) => {}
        None => line.misses.push("persistence cannot be compared".to_owned()),
    }
    match line.band {
        None => line.misses.push("too short for a paired band".to_owned()),
        Some([low, _]) if low <= 0.0 => {
            line.misses.push(format!("the band of the difference reaches down to {low:.3}"));
        }
        Some(_) => {}
    }
    control(&found.board, &mut line.misses);
    let recorded = Recorded::of(found);
    let horizon = TargetId::VolRegime.horizon().unwrap_or(Span::mins(30));
    let days = line.band.map(|band| recorded.shrinking(band, GOAL_F1_GAIN)).or_else(|| recorded.with_band(horizon));
    line.judged(&recorded, days)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF_A_DAY: Recorded = Recorded { days: 0.5, tested: 0.225, n_eff: 200 };

    fn days(recorded: &Recorded, band: Option<[f64; 2]>, horizon: Span) -> Option<f64> {
        let market = InstrumentName::new("binance-usdm", "BTCUSDT").unwrap();
        let days = recorded.separating_auc(band, horizon);
        GoalLine { misses: vec!["not yet".to_owned()], ..GoalLine::absent(&market, "dir_1s") }
            .judged(recorded, days)
            .days
    }

    #[test]
    fn days_are_said_until_the_recording_has_settled_it_and_without_a_band_too() {
        let close = |got: Option<f64>, want: f64| assert!((got.unwrap() - want).abs() < 1e-3, "{got:?} is not {want}");
        // Twice as wide as would do: four times as long.
        close(days(&HALF_A_DAY, Some([0.45, 0.65]), Span::secs(5)), 2.0);
        // As narrow as is asked: whatever it says, and whatever a hold-out said, more recording of this length says the same.
        assert_eq!(days(&HALF_A_DAY, Some([0.53, 0.57]), Span::secs(5)), None);
        // 360.76 cases that do not overlap have a band of ± 0.05; there are 200 in half a day.
        close(days(&HALF_A_DAY, None, Span::secs(30)), 0.5 * 360.755 / 200.0);
        // Ten blocks of five hours, of which 45 in 100 are tested, take longer than these cases.
        close(days(&HALF_A_DAY, None, Span::mins(5)), 10.0 * 5.0 / 24.0 / 0.45);
        assert_eq!(days(&Recorded { n_eff: 0, ..HALF_A_DAY }, None, Span::mins(5)), None);
        close(HALF_A_DAY.with_band(Span::mins(30)), 10.0 * 30.0 / 24.0 / 0.45);
    }
}
