//! The board: every model of a target on the same test rows of the same folds (research §5).
//!
//! What costs money stands elsewhere; here is what a statistician asks of predictions made out of fold. Where nothing can be said of a
//! column there is none.

use super::features::float;
use super::fitted::ZooPrediction;
use super::metrics::{ClassCounts, ScoredFold, auc_resamples, rmse_and_r2, spearman};
use super::recipe::{ZooTask, class_of};
use barograph_domain::math::ln;
use barograph_domain::{Span, Ts};
use barograph_verify::scores::bootstrap::{DRAWS, SEED};
use barograph_verify::scores::{
    Binning, BlockSeries, Case, ScoreBand, auc, brier, brier_skill, ece, log_score, reliability, skill,
};
use serde::{Deserialize, Serialize};

/// What a model said of one fold's test rows, in the order of time.
#[derive(Clone, PartialEq, Debug)]
pub struct FoldPrediction {
    /// Moments of the rows.
    pub times: Vec<Ts>,
    /// What came.
    pub labels: Vec<f64>,
    /// What was said.
    pub said: ZooPrediction,
    /// Frequencies of the questions over the fold's training rows, or the mean: [`super::FittedModel::base`].
    pub base: Vec<f64>,
}

/// Out-of-fold predictions of one model.
#[derive(Clone, PartialEq, Debug)]
pub struct ZooEntry {
    /// Its name on the board.
    pub model: String,
    /// Is it the control on permuted labels?
    pub is_shuffled: bool,
    /// Is it persistence, which classes are held against?
    pub is_persistence: bool,
    /// All configurations fitted for it over all folds.
    pub trials: usize,
    /// Fold by fold.
    pub folds: Vec<FoldPrediction>,
}

/// Columns of one model. Probabilities are the calibrated ones; AUC is of scores, for classes the mean of one against the rest, for
/// numbers that of their sign, numbers of exactly zero left out.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ZooRow {
    /// The model.
    pub model: String,
    /// Test rows.
    pub n_test: usize,
    /// Folds that were scored.
    pub n_folds: usize,
    /// Configurations fitted for this target up to and with this model.
    pub n_trials: usize,
    /// Mean of the fold AUCs.
    pub auc: Option<f64>,
    /// 5 % quantile of that mean over block resamples.
    pub auc_lo: Option<f64>,
    /// 95 % quantile.
    pub auc_hi: Option<f64>,
    /// AUC of all test rows together; shown, not the criterion. None of a model that says one number in each fold: it would rank folds.
    pub auc_pooled: Option<f64>,
    /// Mean squared error of the probability; for classes summed over the three.
    pub brier: Option<f64>,
    /// Brier skill against the training frequencies of each fold.
    pub bss_clim: Option<f64>,
    /// Logarithmic loss in nats.
    pub log_loss: Option<f64>,
    /// Expected calibration error over ten bins of equal width; for classes the mean of one against the rest.
    pub ece: Option<f64>,
    /// Mean F1 of the three classes.
    pub macro_f1: Option<f64>,
    /// F1 of each.
    pub f1_by_class: Option<[f64; 3]>,
    /// Mean F1 of persistence on the same rows.
    pub macro_f1_persistence: Option<f64>,
    /// How far `macro_f1` is above that of persistence, with its paired 90 % band.
    pub macro_f1_gain: Option<ScoreBand>,
    /// Spearman's correlation of prediction and number; none of a model that says one number in each fold.
    pub ic: Option<f64>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_ic: Option<String>,
    /// Root of the mean squared error, in the unit of the target.
    pub rmse: Option<f64>,
    /// R² against the training mean of each fold.
    pub r2_oos: Option<f64>,
    /// Half the width of the control's 99 % interval around one half, where this is the control: the wider of that over block resamples
    /// and that over folds by Student's t. The first holds the fitted control fixed; but what is learnt from noise points somewhere, and
    /// where columns know much, that ranks test rows by chance. Folds have a permutation each, so the second sees it.
    pub control_half_width: Option<f64>,
}

/// Whether the control knew something.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeakVerdict {
    /// Its AUC lies within one half ± its 99 % interval.
    Clean,
    /// It does not: the board is stamped `LEAK SUSPECTED`.
    Suspected,
    /// There is no control, or too little data for its interval.
    Untested,
}

impl LeakVerdict {
    /// What is printed over the board; nothing where it is clean.
    #[must_use]
    pub const fn stamp(self) -> Option<&'static str> {
        match self {
            Self::Clean => None,
            Self::Suspected => Some("LEAK SUSPECTED"),
            Self::Untested => Some("NO LEAK CONTROL"),
        }
    }
}

/// The board of one target.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ZooBoard {
    /// Of what kind the target is.
    pub task: ZooTask,
    /// From the best; models of which the criterion cannot be said stand last, in the order given.
    pub rows: Vec<ZooRow>,
    /// What the control says.
    pub leak: LeakVerdict,
}

/// 99.5 % quantile of the normal distribution.
const Z_99: f64 = 2.575_829_303_548_901;

impl ZooBoard {
    /// Scores models on the same folds: yes-or-no targets ordered by `bss_clim`, classes by `macro_f1`, numbers by `r2_oos`. `block` is
    /// the length of a block of the resamples, `max(60·h, 10 min)`, `horizon` is h.
    #[must_use]
    pub fn of(task: ZooTask, entries: &[ZooEntry], horizon: Span, block: Span) -> Self {
        let lasting = entries.iter().find(|e| e.is_persistence).map(|e| chosen_and_came(e).0);
        let mut trials = 0;
        let rows = entries.iter().map(|entry| {
            trials += entry.trials;
            let job = Scoring { task, entry, horizon, block, lasting: lasting.as_deref() };
            ZooRow { n_trials: trials, ..job.row() }
        });
        let mut rows: Vec<ZooRow> = rows.collect();
        let leak = entries.iter().zip(&rows).filter(|(e, _)| e.is_shuffled).map(|(_, r)| {
            match (r.auc, r.control_half_width) {
                (Some(auc), Some(half)) if (auc - 0.5).abs() > half => LeakVerdict::Suspected,
                (Some(_), Some(_)) => LeakVerdict::Clean,
                _ => LeakVerdict::Untested,
            }
        });
        // The worst of several controls counts.
        let leak = leak.max_by_key(|v| *v == LeakVerdict::Suspected).unwrap_or(LeakVerdict::Untested);
        let criterion = |r: &ZooRow| match task {
            ZooTask::Binary => r.bss_clim,
            ZooTask::Classes => r.macro_f1,
            ZooTask::Regression => r.r2_oos,
        };
        let key = |r: &ZooRow| criterion(r).unwrap_or(f64::NEG_INFINITY);
        rows.sort_by(|a, b| key(b).total_cmp(&key(a)));
        Self { task, rows, leak }
    }
}

/// Classes said and classes that came, over all folds; empty of other targets.
fn chosen_and_came(entry: &ZooEntry) -> (Vec<u8>, Vec<usize>) {
    let (mut said, mut came) = (Vec::new(), Vec::new());
    for fold in &entry.folds {
        if let ZooPrediction::Classes { chosen, .. } = &fold.said {
            said.extend_from_slice(chosen);
            came.extend(fold.labels.iter().map(|y| class_of(*y).unwrap_or_default()));
        }
    }
    (said, came)
}

/// Are not all of them equal?
fn varies(mut values: impl Iterator<Item = f64>) -> bool {
    values.next().is_some_and(|first| values.any(|v| v.total_cmp(&first).is_ne()))
}

/// Standard error of a mean and its degrees of freedom; `None` of fewer than two.
fn error_of_mean(of: &[f64]) -> Option<(f64, f64)> {
    let n = float(of.len());
    let mean = of.iter().sum::<f64>() / n;
    let squares = of.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>();
    (of.len() > 1).then(|| ((squares / (n - 1.0) / n).sqrt(), n - 1.0))
}

/// 99.5 % quantile of Student's t.
fn t_995(dof: f64) -> f64 {
    crate::explain::t_quantile(0.01, dof)
}

struct Scoring<'a> {
    task: ZooTask,
    entry: &'a ZooEntry,
    horizon: Span,
    block: Span,
    lasting: Option<&'a [u8]>,
}

impl Scoring<'_> {
    fn row(&self) -> ZooRow {
        let folds = &self.entry.folds;
        let mut row = ZooRow {
            model: self.entry.model.clone(),
            n_test: folds.iter().map(|f| f.labels.len()).sum(),
            n_folds: folds.len(),
            n_trials: self.entry.trials,
            auc: None,
            auc_lo: None,
            auc_hi: None,
            auc_pooled: None,
            brier: None,
            bss_clim: None,
            log_loss: None,
            ece: None,
            macro_f1: None,
            f1_by_class: None,
            macro_f1_persistence: None,
            macro_f1_gain: None,
            ic: None,
            no_ic: None,
            rmse: None,
            r2_oos: None,
            control_half_width: None,
        };
        self.ranking(&mut row);
        match self.task {
            ZooTask::Binary => self.question(&mut row),
            ZooTask::Classes => self.classes(&mut row),
            ZooTask::Regression => self.numbers(&mut row),
        }
        row
    }

    /// Scores of one question, fold by fold.
    fn scored(&self, head: usize) -> Vec<ScoredFold> {
        let of = |fold: &FoldPrediction| {
            let scores: Vec<f64> = match &fold.said {
                ZooPrediction::Binary { scores, .. } | ZooPrediction::Values(scores) => scores.clone(),
                ZooPrediction::Classes { probabilities, .. } => probabilities.iter().map(|p| p[head]).collect(),
            };
            let all = fold.times.iter().zip(&fold.labels).zip(scores);
            let held = all.filter(|((_, y), _)| self.task != ZooTask::Regression || y.abs() > 0.0);
            let came = |y: f64| if self.task == ZooTask::Regression { y > 0.0 } else { self.task.asked(y, head) > 0.5 };
            let (times, scored) = held.map(|((t, y), s)| (*t, (s, came(*y)))).unzip();
            ScoredFold { times, scored }
        };
        self.entry.folds.iter().map(of).collect()
    }

    fn ranking(&self, row: &mut ZooRow) {
        let heads: Vec<Vec<ScoredFold>> = (0..self.task.heads()).map(|h| self.scored(h)).collect();
        let n = float(heads.len());
        let mean = |of: &dyn Fn(&[ScoredFold]) -> Option<f64>| {
            heads.iter().map(|h| of(h)).sum::<Option<f64>>().map(|sum| sum / n)
        };
        row.auc = mean(&|folds| {
            let sum = folds.iter().map(|f| auc(f.scored.iter().copied())).sum::<Option<f64>>()?;
            (!folds.is_empty()).then(|| sum / float(folds.len()))
        });
        let ranks = heads.iter().flatten().any(|f| varies(f.scored.iter().map(|(score, _)| *score)));
        row.auc_pooled = mean(&|folds| auc(folds.iter().flat_map(|f| f.scored.iter().copied()))).filter(|_| ranks);
        // The same stretches are drawn for every question, as long as none is left out.
        let drawn: Option<Vec<Vec<f64>>> = heads.iter().map(|h| auc_resamples(h, self.block)).collect();
        let Some(drawn) = drawn.filter(|d| d.iter().all(|v| v.len() == d[0].len())) else { return };
        let means: Vec<f64> = (0..drawn[0].len()).map(|i| drawn.iter().map(|v| v[i]).sum::<f64>() / n).collect();
        let centre = means.iter().sum::<f64>() / float(means.len());
        let variance = means.iter().map(|v| (v - centre) * (v - centre)).sum::<f64>() / float(means.len());
        let mut sorted = means;
        sorted.sort_by(f64::total_cmp);
        row.auc_lo = barograph_engine::kernel::rank::quantile(&sorted, 0.05);
        row.auc_hi = barograph_engine::kernel::rank::quantile(&sorted, 0.95);
        if self.entry.is_shuffled {
            let by_fold = |at: usize| heads.iter().map(|h| auc(h[at].scored.iter().copied())).sum::<Option<f64>>();
            let folds: Option<Vec<f64>> =
                (0..self.entry.folds.len()).map(|at| by_fold(at).map(|sum| sum / n)).collect();
            let between = folds.and_then(|f| error_of_mean(&f)).map_or(0.0, |(error, dof)| t_995(dof) * error);
            row.control_half_width = Some((Z_99 * variance.sqrt()).max(between));
        }
    }

    fn question(&self, row: &mut ZooRow) {
        let (mut cases, mut references) = (Vec::new(), Vec::new());
        for fold in &self.entry.folds {
            let ZooPrediction::Binary { probabilities, .. } = &fold.said else { continue };
            for ((t, y), p) in fold.times.iter().zip(&fold.labels).zip(probabilities) {
                cases.push(Case { issued: *t, p: *p, happened: *y > 0.5 });
                references.push(fold.base[0]);
            }
        }
        row.brier = brier(&cases);
        row.bss_clim = brier_skill(&cases, &references);
        row.log_loss = log_score(&cases).map(|s| s.nats);
        row.ece = ece(&reliability(&cases, Binning::EqualWidth, self.horizon));
    }

    fn classes(&self, row: &mut ZooRow) {
        let mut cases: [Vec<Case>; 3] = Default::default();
        let mut references: [Vec<f64>; 3] = Default::default();
        let mut nats = 0.0;
        for fold in &self.entry.folds {
            let ZooPrediction::Classes { probabilities, .. } = &fold.said else { continue };
            for ((t, y), p) in fold.times.iter().zip(&fold.labels).zip(probabilities) {
                for head in 0..3 {
                    let happened = self.task.asked(*y, head) > 0.5;
                    cases[head].push(Case { issued: *t, p: p[head], happened });
                    references[head].push(fold.base[head]);
                    if happened {
                        nats -= ln(p[head].clamp(1e-6, 1.0 - 1e-6));
                    }
                }
            }
        }
        row.brier = cases.iter().map(|c| brier(c)).sum();
        let reference: Option<f64> =
            cases.iter().zip(&references).map(|(c, q)| barograph_verify::scores::brier_of_reference(c, q)).sum();
        row.bss_clim = row.brier.zip(reference).and_then(|(ours, theirs)| skill(ours, theirs));
        row.log_loss = (!cases[0].is_empty()).then(|| nats / float(cases[0].len()));
        let errors: Option<f64> = cases.iter().map(|c| ece(&reliability(c, Binning::EqualWidth, self.horizon))).sum();
        row.ece = errors.map(|sum| sum / 3.0);
        self.chosen_classes(row);
    }

    fn chosen_classes(&self, row: &mut ZooRow) {
        let (said, came) = chosen_and_came(self.entry);
        if said.is_empty() {
            return;
        }
        let cell = |said: u8, came: usize| 3 * came + usize::from(said).min(2);
        let counts = |sums: &[f64]| ClassCounts(core::array::from_fn(|c| core::array::from_fn(|s| sums[3 * c + s])));
        let mut ours = [0.0; 9];
        said.iter().zip(&came).for_each(|(s, c)| ours[cell(*s, *c)] += 1.0);
        row.macro_f1 = Some(counts(&ours).macro_f1());
        row.f1_by_class = Some(counts(&ours).f1_by_class());
        let Some(lasting) = self.lasting.filter(|l| l.len() == said.len()) else { return };
        let times = self.entry.folds.iter().flat_map(|f| &f.times);
        let sums = times.zip(said.iter().zip(lasting)).zip(&came).map(|((t, (s, l)), c)| {
            let mut sums = [0.0; 18];
            sums[cell(*s, *c)] += 1.0;
            sums[9 + cell(*l, *c)] += 1.0;
            (*t, sums)
        });
        let series = BlockSeries::with_block(sums, Span::secs(1), self.block);
        let total = series.total();
        row.macro_f1_persistence = Some(counts(&total[9..]).macro_f1());
        row.macro_f1_gain = series
            .resamples(DRAWS, SEED)
            .and_then(|r| r.band(|s| Some(counts(&s[..9]).macro_f1() - counts(&s[9..]).macro_f1())));
    }

    fn numbers(&self, row: &mut ZooRow) {
        let (mut said, mut came, mut means) = (Vec::new(), Vec::new(), Vec::new());
        let mut ranks = false;
        for fold in &self.entry.folds {
            let ZooPrediction::Values(values) = &fold.said else { continue };
            ranks |= varies(values.iter().copied());
            said.extend_from_slice(values);
            came.extend_from_slice(&fold.labels);
            means.extend(std::iter::repeat_n(fold.base[0], values.len()));
        }
        // What is constant within each fold would rank the folds by what came before them.
        if ranks {
            row.ic = spearman(&said, &came);
        } else if !said.is_empty() {
            row.no_ic = Some("it says one number in each fold, and equal ranks have no correlation".to_owned());
        }
        (row.rmse, row.r2_oos) = rmse_and_r2(&said, &came, &means);
    }
}
