//! What the health of a market is made of, wherever it is asked for (R3.28; surveillance §6): which alerts weigh, how much of the
//! last hour each stream was valid, and which patterns could be judged.

use crate::outcomes::EpisodeCourse;
use crate::render::Lens;
use barograph_domain::health::{DATA_OF, PatternJudged, ValidShare};
use barograph_domain::pattern::Family;
use barograph_domain::snapshot::InputView;
use barograph_domain::{Alert, KnownAlert, Metric, MinuteRow, Pattern, Span, Ts};
use barograph_engine::Feature;
use barograph_engine::detect::checks::{self, PatternReading};
use barograph_store::run::GRID;
use barograph_store::{AlertQuery, Reader, Result, RunKey};

/// The newest minute of a listened market may be so old: the store follows memory by seconds.
const BEHIND: Span = Span::mins(3);

/// Does this alert weigh on the health of its market? Not what says the same a second time: an alert that a stronger one inhibits.
pub(crate) const fn weighs(alert: &Alert) -> bool {
    alert.inhibited_by.is_none() && may_weigh(alert.pattern)
}

/// Do alerts of this pattern weigh? Not lost or late data (which have their own part), rules of the user's own, drift of a forecast,
/// labels that changed. Patterns of books and trades will when they are no longer experimental.
pub(crate) const fn may_weigh(pattern: Pattern) -> bool {
    !matches!(
        pattern.family(),
        Family::Data | Family::Rule | Family::Drift | Family::Regime | Family::Session | Family::OrderFlow
    )
}

/// What is to weigh, of these records of a run: each by the greatest score of its episode, which ends by the score of its last calm
/// minute.
///
/// # Errors
/// When the store cannot be read.
pub(crate) fn at_their_worst(
    reader: &dyn Reader,
    key: &RunKey,
    records: impl IntoIterator<Item = KnownAlert>,
    as_of: Option<Ts>,
) -> Result<Vec<KnownAlert>> {
    let worst = |mut known: KnownAlert| {
        // Of most there is one record only.
        if known.alert.revision > 1 && may_weigh(known.alert.pattern) {
            let episode = known.alert.id(&key.instrument, &key.logic_version);
            let query = AlertQuery { episode, as_of, ..AlertQuery::default() };
            known.alert.score = EpisodeCourse::of(&known, &reader.alerts(key, &query)?.items).score;
        }
        Ok(known)
    };
    records.into_iter().map(worst).collect()
}

/// Every pattern of readings in a minute.
pub(crate) fn readings(row: &MinuteRow, lens: &Lens) -> Vec<PatternReading> {
    let zscore = &row.cells[Feature::FundingZscore24h.index()];
    let settled = zscore.stream.and_then(|s| lens.streams.get(s.index()));
    let is_week = settled.is_some_and(|decl| decl.metric == Metric::FundingRateSettled);
    checks::read(row, is_week, &lens.book.detectors)
}

/// Which patterns of readings could be judged in a minute.
pub(crate) fn judged(row: &MinuteRow, lens: &Lens) -> Vec<PatternJudged> {
    checks::judged(row, &lens.book.detectors)
}

/// The metrics of which a minute has an input that is continuous and not too old: a bit each, by their rank.
pub(crate) fn valid_metrics(row: &MinuteRow, lens: &Lens) -> u32 {
    let is_stale = |input| lens.book.freshness.is_stale(row.ts, input, &lens.streams);
    let valid = row.inputs.iter().filter(|i| i.stream.is_some() && i.gap.is_none() && !is_stale(i));
    valid.fold(0, |bits, input| bits | bit(input.metric.name()))
}

fn bit(metric: &str) -> u32 {
    Metric::ALL.iter().position(|m| m.name() == metric).map_or(0, |rank| 1 << rank)
}

const _: () = assert!(Metric::ALL.len() <= 32, "a bit each");

/// The minutes by which data are judged, both ends among them. A market that is younger than an hour is judged by what there is of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct JudgedHour {
    /// The first of them.
    pub from: Ts,
    /// The last.
    pub last: Ts,
}

impl JudgedHour {
    /// Of a market with this newest and this first minute, at a moment.
    pub(crate) fn of(newest: Ts, first: Ts, moment: Ts) -> Self {
        let last = if moment - newest <= BEHIND { newest } else { moment.floor(GRID) };
        Self { from: (last - DATA_OF + GRID).max(first), last }
    }

    pub(crate) fn has(self, minute: Ts) -> bool {
        self.from <= minute && minute <= self.last
    }

    /// Of each input how much of the hour it was valid, by [`valid_metrics`] of its minutes; `None` where it was never seen.
    #[expect(clippy::cast_precision_loss, reason = "at most sixty minutes")]
    pub(crate) fn shares(self, inputs: &[InputView], minutes: &[u32]) -> Vec<Option<ValidShare>> {
        let all = ((self.last - self.from).0 / GRID.0 + 1).max(1) as f64;
        let share = |input: &InputView| {
            let source = input.source.clone()?;
            let bit = bit(input.metric);
            let valid = minutes.iter().filter(|bits| *bits & bit != 0).count();
            Some(ValidShare { metric: input.metric, source, share: (valid as f64 / all).min(1.0) })
        };
        inputs.iter().map(share).collect()
    }
}
