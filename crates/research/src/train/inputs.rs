//! Inputs of every model for any rows, by what the rows to learn from taught: part of an artefact.

use crate::ResearchError;
use barograph_domain::{Span, math};
use barograph_lab::zoo::Features;
use barograph_study::ResearchFrame;
use barograph_study::folds::LearningRows;
use barograph_study::targets::{LabelledRows, TargetId, VolTerciles};
use barograph_study::transforms::{InputForm, Transforms};
use serde::{Deserialize, Serialize};

/// Volatilities of three lengths, which [`HAR`] regresses on; the longest of them says which regime a row is in.
const VOLS: [&str; 3] = ["realized_vol_60s", "realized_vol_300s", "realized_vol_1800s"];

/// Columns of [`MadeInputs::plain`].
pub(super) const LAST: usize = 0;
pub(super) const HAR: [usize; 3] = [1, 2, 3];

/// How inputs are made: medians, bounds and cut points of one set of rows to learn from.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct InputMaker {
    target: TargetId,
    transforms: Transforms,
    /// Cut points of a target that is a class of volatility.
    cuts: Option<VolTerciles>,
    /// Cut points of the last half hour's volatility, by which a regime's model is chosen whatever the target is.
    regimes: Option<VolTerciles>,
}

/// Inputs of some rows.
pub(super) struct MadeInputs {
    /// Of models that learn from the columns.
    pub(super) inputs: Features,
    /// The same, and behind them the regime that the last half hour was in.
    pub(super) routed: Features,
    /// What baselines repeat: the last value, then the volatilities of three lengths.
    pub(super) plain: Features,
    pub(super) names: Vec<String>,
    pub(super) regime: Vec<Option<f64>>,
}

impl MadeInputs {
    /// What a model of this name reads.
    pub(super) fn of(&self, model: &str) -> &Features {
        inputs_of(model, [&self.plain, &self.routed, &self.inputs])
    }
}

/// Which of plain, routed and transformed inputs a model of this name reads.
pub(super) fn inputs_of<'a>(model: &str, [plain, routed, inputs]: [&'a Features; 3]) -> &'a Features {
    match model {
        "prior" | "persistence" | "har" => plain,
        "regime_gbm" => routed,
        _ => inputs,
    }
}

impl InputMaker {
    /// Learns from the rows of a fold.
    pub(super) fn fit(
        frame: &ResearchFrame,
        labels: &LabelledRows,
        learn: &LearningRows,
        transforms: &Transforms,
    ) -> Self {
        let recent = frame.column(VOLS[2]);
        let taught = learn.fit.rows().chain(learn.tune.rows());
        let taught = taught.filter_map(|row| recent.and_then(|c| c.get(row))).collect();
        Self {
            target: labels.target(),
            transforms: transforms.clone(),
            cuts: VolTerciles::fit(labels, &learn.train),
            regimes: terciles_of(taught),
        }
    }

    /// What is predicted.
    #[must_use]
    pub const fn target(&self) -> TargetId {
        self.target
    }

    /// How columns become inputs.
    #[must_use]
    pub const fn transforms(&self) -> &Transforms {
        &self.transforms
    }

    /// Inputs of rows whose book could be used, in their order.
    pub(super) fn make(&self, frame: &ResearchFrame, rows: &[usize]) -> Result<MadeInputs, ResearchError> {
        let failed = |e: &dyn std::fmt::Display| ResearchError::Failed(e.to_string());
        let matrix = self.transforms.apply(frame, rows.iter().copied(), InputForm::Sparse).map_err(|e| failed(&e))?;
        let column = |c: usize| (0..matrix.rows()).map(move |r| (r, c));
        let cells = |c: usize| column(c).map(|(r, c)| matrix.get(r, c)).collect::<Vec<_>>();
        let width = matrix.names().len();
        let named = |name: &str| {
            let column = frame.column(name);
            rows.iter().map(|r| column.and_then(|c| c.get(*r))).collect::<Vec<_>>()
        };
        let vols = VOLS.map(named);
        let class = |v: &Option<f64>| {
            let (v, cuts) = v.zip(self.regimes)?;
            Some(f64::from(u8::from(v > cuts.lower)) + f64::from(u8::from(v > cuts.upper)))
        };
        let regime: Vec<Option<f64>> = vols[2].iter().map(class).collect();
        let last: Vec<Option<f64>> = rows.iter().map(|r| last_of(frame, *r, self.target, self.cuts)).collect();
        let [minute, five, thirty] = vols;
        Ok(MadeInputs {
            inputs: Features::new(rows.len(), (0..width).map(cells)).map_err(|e| failed(&e))?,
            routed: Features::new(rows.len(), (0..width).map(cells).chain([regime.clone()])).map_err(|e| failed(&e))?,
            plain: Features::new(rows.len(), [last, minute, five, thirty]).map_err(|e| failed(&e))?,
            names: matrix.names().to_vec(),
            regime,
        })
    }

    /// A label as the zoo counts classes: 0, 1, 2.
    pub(super) fn class(&self, value: f64) -> f64 {
        class_label(self.target, self.cuts, value)
    }
}

/// A label as the zoo counts classes: 0, 1, 2.
pub(super) fn class_label(target: TargetId, cuts: Option<VolTerciles>, value: f64) -> f64 {
    match target {
        TargetId::VolRegime => cuts.map_or(value, |c| index_of(c, value)),
        TargetId::Direction3(_) => value + 1.0,
        _ => value,
    }
}

/// What has just been, in the terms of the target (research §4, `persistence`): the move over the last horizon, the class of the last
/// half hour's volatility, the cost now.
pub(super) fn last_of(frame: &ResearchFrame, row: usize, target: TargetId, cuts: Option<VolTerciles>) -> Option<f64> {
    let column = |name: &str| frame.column(name).and_then(|c| c.get(row));
    let moved = |over: Span| {
        let before = frame.row_at(frame.times()[row] - over)?;
        let mids = frame.column("mid_price")?;
        Some(math::ln(mids.get(row)? / mids.get(before)?))
    };
    match target {
        TargetId::VolRegime => column(VOLS[2]).zip(cuts).map(|(v, c)| index_of(c, v)),
        TargetId::CostBuy1m | TargetId::CostBuy5m => column("sweep_cost_buy_bps"),
        TargetId::CostSell1m | TargetId::CostSell5m => column("sweep_cost_sell_bps"),
        TargetId::Direction3(h) => moved(h.span()).map(|r| {
            if r > 0.0 {
                2.0
            } else if r < 0.0 {
                0.0
            } else {
                1.0
            }
        }),
        TargetId::Return(h) | TargetId::Direction(h) => moved(h.span()),
        TargetId::Tick1Return | TargetId::Tick5Return | TargetId::Tick5Direction => moved(Span::secs(1)),
    }
}

fn index_of(cuts: VolTerciles, value: f64) -> f64 {
    [0.0, 1.0, 2.0][cuts.class(value).index()]
}

fn terciles_of(mut values: Vec<f64>) -> Option<VolTerciles> {
    values.sort_by(f64::total_cmp);
    let at = |part: usize| values.get(values.len() * part / 3).copied();
    Some(VolTerciles { lower: at(1)?, upper: at(2)? })
}
