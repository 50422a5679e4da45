//! Scores of forecasts and of alerts: pure functions of cases that are resolved already (verification §4, §4.1, §5).
//!
//! Reading order: `case` (what is scored), `brier`, `murphy`, `bins`, `corp`, `discrimination`, `contingency`, `ranked` (one
//! number each), `bootstrap` (bands, for display), `sequence` (for decisions), `no_skill` (what the decisions cost by chance),
//! `stability`, `events` and `alerts` (labels and alerts), `drift` (inputs). What nothing can be said about is `None`.

pub mod alerts;
pub mod bins;
pub mod bootstrap;
pub mod brier;
pub mod case;
pub mod contingency;
pub mod corp;
pub mod discrimination;
pub mod drift;
pub mod events;
pub mod murphy;
pub mod no_skill;
pub mod ranked;
pub mod sequence;
pub mod stability;
pub(crate) mod sums;
pub mod wilson;

pub use alerts::{AlertCase, Lift, Precision, Recall, alerts_per_day, dup_rate, lift, precision, recall};
pub use barograph_domain::random::{self, SplitMix};
pub use bins::{Binning, ReliabilityBin, ece, reliability};
pub use bootstrap::{BlockSeries, Resamples, ScoreBand};
pub use brier::{LogScore, brier, brier_of_reference, brier_skill, log_score, skill};
pub use case::{Case, base_rate, mean_by_time, n_eff, non_overlapping};
pub use contingency::Contingency;
pub use corp::{Corp, CorpStep, corp, isotonic};
pub use discrimination::{Sharpness, auc, sharpness};
pub use drift::{PsiBins, PsiReading, psi_of_steps};
pub use events::{EventRun, event_runs, onset_within};
pub use murphy::{Murphy, murphy};
pub use ranked::{mean_rps, rps};
pub use sequence::{Activation, ConfidenceSequence, SequencePoint, mixture_bound};
pub use stability::{Durations, LabelRun, durations, episodes, flip_flop_index, flip_rate, flips, short_episode_share};
pub(crate) use sums::quantile as quantile_of;
pub use wilson::{wilson, wilson_90};
