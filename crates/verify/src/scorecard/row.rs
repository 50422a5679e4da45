//! One row: every score of a set of cases, with bands and the steps by which they became so many.

use super::entry::{Entry, Scored, Step};
use super::{horizon, sequence_reading};
use crate::ledger::GRID;
use crate::ledger::calibration::asserts;
use crate::scores::bins::{Binning, ece, reliability};
use crate::scores::bootstrap::{BlockSeries, DRAWS, Resamples, SEED};
use crate::scores::brier::{brier, log_score, skill};
use crate::scores::case::{Case, base_rate, n_eff};
use crate::scores::contingency::Contingency;
use crate::scores::corp::corp_of;
use crate::scores::discrimination::{auc_of, sharpness};
use crate::scores::murphy::murphy;
use crate::scores::sums::ties_of;
use barograph_domain::forecast::{ForecastEvent, Forecaster};
use barograph_domain::scorecard::{
    CurveStep, Denominators, LabelTable, MonthReading, ReliabilityRow, ScoreParts, ScoreRow, SkillReading, SkillVerdict,
};
use barograph_domain::time::DAY;
use barograph_domain::{Span, Ts};
use std::collections::BTreeMap;

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

fn float(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

/// Scores the cases, which are in the order of issue; window, timeline and decision are the caller's.
pub(super) fn score_row((event, forecaster): (ForecastEvent, Forecaster), scope: &str, entries: &[Entry]) -> ScoreRow {
    let scored: Vec<&Entry> = entries.iter().filter(|e| e.scored.is_some()).collect();
    let cases: Vec<Case> = scored.iter().filter_map(|e| case(e)).collect();
    let classes = event == ForecastEvent::VolClass24h;
    let losses = Losses::of(&scored, horizon(event));
    let bins = reliability(&cases, Binning::EqualWidth, horizon(event));
    let ties = ties_of(&cases);
    let corp = corp_of(&cases, &ties);
    let murphy = murphy(&cases, Binning::EqualWidth);
    let log = log_score(&cases);
    let persistence = losses.skill(3);
    ScoreRow {
        event,
        forecaster,
        scope: scope.to_owned(),
        window: String::new(),
        span: entries.first().zip(entries.last()).map(|(a, b)| [a.issued, b.issued]),
        denominators: denominators(entries),
        n_eff: count(n_eff(scored.iter().map(|e| e.issued), horizon(event))),
        base_rate: base_rate(&cases),
        score: if classes { losses.mean() } else { brier(&cases) },
        climatology: losses.skill(0),
        verdict: SkillVerdict::of_band(persistence.low, persistence.high),
        persistence,
        persistence_hard_brier: hard(&scored),
        parts: murphy.zip(corp.as_ref()).filter(|_| !classes).map(|(m, c)| ScoreParts {
            rel: m.reliability,
            res: m.resolution,
            unc: m.uncertainty,
            wbv: m.within_variance,
            wbc: m.within_covariance,
            mcb: c.miscalibration,
            dsc: c.discrimination,
        }),
        ece: ece(&bins),
        log_score: log.map(|l| l.nats),
        clipped: log.map_or(0, |l| count(l.clipped)),
        auc: auc_of(&ties),
        sharpness: sharpness(cases.iter().map(|c| c.p)).map(|s| s.variance),
        reliability: bins.iter().map(ReliabilityRow::from).collect(),
        curve: corp.iter().flat_map(|c| &c.curve).map(CurveStep::from).collect(),
        label: label_table(event, entries),
        sequence: None,
        timeline: Vec::new(),
        largest_share: largest_share(&scored),
    }
}

fn case(e: &Entry) -> Option<Case> {
    Some(Case { issued: e.issued, p: e.scored?.p(), happened: e.happened()? })
}

/// Sums of losses, ready for bands. Columns: of cases with a climatology their number, loss and its loss; the same of persistence.
struct Losses {
    all: (f64, usize),
    total: [f64; 6],
    /// `None` where there is too little data for a band.
    resamples: Option<Resamples<6>>,
}

impl Losses {
    /// Of a set in which only one outcome came no skill is stated: a reference that had seen nothing else is as good as perfect there.
    fn is_one_sided(scored: &[&Entry]) -> bool {
        let mut came = scored.iter().map(|e| e.step);
        let first = came.next();
        came.all(|step| Some(step) == first)
    }

    fn of(scored: &[&Entry], horizon: Span) -> Self {
        let loss = |e: &Entry| e.scored.map_or(0.0, Scored::loss);
        let columns = |e: &&Entry| {
            let own = loss(e);
            let of = |reference: Option<f64>| reference.map_or([0.0; 3], |r| [1.0, own, r]);
            let ([a, b, c], [d, f, g]) = (of(e.climatology_loss()), of(e.persistence_loss()));
            (e.issued, [a, b, c, d, f, g])
        };
        let compared = if Self::is_one_sided(scored) { &[] } else { scored };
        let series = BlockSeries::new(compared.iter().map(columns), GRID, horizon);
        let all = (scored.iter().map(|e| loss(e)).sum(), scored.len());
        Self { all, total: series.total(), resamples: series.resamples(DRAWS, SEED) }
    }

    fn mean(&self) -> Option<f64> {
        (self.all.1 > 0).then(|| self.all.0 / float(self.all.1))
    }

    /// Skill against the reference whose columns begin at `at`.
    fn skill(&self, at: usize) -> SkillReading {
        let score = |sums: &[f64; 6]| skill(sums[at + 1], sums[at + 2]).filter(|_| sums[at] > 0.0);
        let total = self.total;
        let band = self.resamples.as_ref().and_then(|r| r.band(score));
        let mean = |sum: f64| (total[at] > 0.0).then(|| sum / total[at]);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of cases")]
        let n = total[at] as u64;
        SkillReading {
            value: score(&total),
            low: band.map(|b| b.low),
            high: band.map(|b| b.high),
            n,
            brier: mean(total[at + 1]),
            reference_brier: mean(total[at + 2]),
        }
    }
}

/// Persistence said as a hard yes or no.
fn hard(scored: &[&Entry]) -> Option<f64> {
    let known: Vec<f64> = scored
        .iter()
        .filter_map(|e| {
            let (said, came) = (e.state? == 1, e.happened()?);
            Some(f64::from(u8::from(said != came)))
        })
        .collect();
    (!known.is_empty()).then(|| known.iter().sum::<f64>() / float(known.len()))
}

fn denominators(entries: &[Entry]) -> Denominators {
    let mut d = Denominators { asked: count(entries.len()), ..Denominators::default() };
    let (mut not_issued, mut abstained): (BTreeMap<&str, u64>, BTreeMap<&str, u64>) = Default::default();
    for e in entries {
        if let Step::NotIssued(reason) = e.step {
            *not_issued.entry(reason.id()).or_default() += 1;
            continue;
        }
        d.issued += 1;
        d.revised += u64::from(e.revised);
        match (e.step, e.abstained) {
            (Step::Waiting, _) => d.waiting += 1,
            (Step::Void, _) => d.void += 1,
            (Step::Unresolvable, _) => d.unresolvable += 1,
            (_, Some(why)) => {
                d.resolved += 1;
                *abstained.entry(why.id()).or_default() += 1;
            }
            (_, None) => {
                d.resolved += 1;
                d.scored += 1;
            }
        }
    }
    let named = |all: BTreeMap<&str, u64>| all.into_iter().map(|(id, n)| (id.to_owned(), n)).collect();
    (d.not_issued, d.abstained) = (named(not_issued), named(abstained));
    d
}

/// The published label as a yes or no; of resolved cases.
fn label_table(event: ForecastEvent, entries: &[Entry]) -> Option<LabelTable> {
    let axis = event.axis().is_some() && (0..8).any(|label| asserts(event, label));
    if !axis {
        return None;
    }
    let pairs = entries.iter().filter_map(|e| Some((asserts(event, e.label), e.happened()?)));
    let (mut t, pairs) = (LabelTable::default(), pairs.collect::<Vec<_>>());
    for (said, came) in &pairs {
        match (said, came) {
            (true, true) => t.hits += 1,
            (true, false) => t.false_alarms += 1,
            (false, true) => t.misses += 1,
            (false, false) => t.correct_negatives += 1,
        }
    }
    let c = Contingency::of(pairs);
    (t.pod, t.far, t.pofd, t.csi, t.hk) = (c.pod(), c.far(), c.pofd(), c.csi(), c.hk());
    Some(t)
}

/// The row of the whole ledger: with its months, and with what the confidence sequence has decided. Of a window that moves a sequence
/// would begin anew every day, and its bounds would hold of none of them.
pub(super) fn whole(row: ScoreRow, entries: &[Entry]) -> ScoreRow {
    // By how much each case lost less than persistence, where both are known.
    let gains = entries.iter().filter_map(|e| Some((e.issued, e.persistence_loss()? - e.scored?.loss())));
    let sequence = sequence_reading(gains, horizon(row.event));
    let verdict = row.verdict.decided_by(sequence.as_ref());
    ScoreRow { sequence, verdict, timeline: timeline(entries), ..row }
}

/// Scores month by month, of cases in the order of issue.
fn timeline(entries: &[Entry]) -> Vec<MonthReading> {
    let scored: Vec<&Entry> = entries.iter().filter(|e| e.scored.is_some()).collect();
    let month_of = |day: Ts| {
        let (year, month, ..) = day.civil();
        Ts::from_civil(year, month, 1, 0, 0, 0)
    };
    let mut months: BTreeMap<Ts, Vec<&Entry>> = BTreeMap::new();
    for day in scored.chunk_by(|a, b| a.issued.floor(DAY) == b.issued.floor(DAY)) {
        let Some(first) = day.first() else { continue };
        months.entry(month_of(first.issued)).or_default().extend(day);
    }
    let of = |entries: &[&Entry], reference: fn(&Entry) -> Option<f64>| {
        let pairs = entries.iter().filter_map(|e| Some((e.scored?.loss(), reference(e)?)));
        let (own, other) = pairs.fold((0.0, 0.0), |(a, b), (x, y)| (a + x, b + y));
        skill(own, other)
    };
    let reading = |(month, entries): (Ts, Vec<&Entry>)| MonthReading {
        month,
        n: count(entries.len()),
        brier: entries.iter().filter_map(|e| e.scored).map(Scored::loss).sum::<f64>() / float(entries.len()),
        skill_climatology: of(&entries, Entry::climatology_loss),
        skill_persistence: of(&entries, Entry::persistence_loss),
    };
    months.into_iter().map(reading).collect()
}

fn largest_share(scored: &[&Entry]) -> Option<f64> {
    let markets = scored.iter().map(|e| usize::from(e.market) + 1).max()?;
    let mut of = vec![0_usize; markets];
    scored.iter().for_each(|e| of[usize::from(e.market)] += 1);
    of.iter().max().map(|n| float(*n) / float(scored.len()))
}

#[cfg(test)]
mod tests {
    use super::super::entry::{Dense, bare};
    use super::*;
    use barograph_domain::forecast::WindowOutcome;

    /// Hours of which every fifth has the event, each with this much less loss than persistence.
    fn hours(n: i64, gain: f64) -> Vec<Entry> {
        let entry = |n: i64| {
            let came = if n % 5 == 0 { WindowOutcome::Happened } else { WindowOutcome::Missed };
            let scored = Scored::of(0.5, 0.25);
            let of_persistence = Dense::of(0.25 + gain);
            Entry { step: Step::Resolved(came), scored, of_persistence, ..bare(Ts(0) + Span::hours(n), 0) }
        };
        (0..n).map(entry).collect()
    }

    #[test]
    fn a_band_says_so_far_and_only_the_sequence_of_the_whole_ledger_decides() {
        use SkillVerdict::{BetterSoFar, Skill, WorseSoFar, WorseThanPersistence};
        for (days, gain, so_far, want) in [
            (20, 0.005, BetterSoFar, BetterSoFar),
            (20, 0.2, BetterSoFar, Skill),
            (20, -0.005, WorseSoFar, WorseSoFar),
            (20, -0.2, WorseSoFar, WorseThanPersistence),
        ] {
            let entries = hours(24 * days, gain);
            let row = score_row((ForecastEvent::HighVol1h, Forecaster::Rules), "all", &entries);
            assert_eq!((row.verdict, row.sequence), (so_far, None), "{gain}");
            let row = whole(row, &entries);
            assert_eq!(row.verdict, want, "{gain}: {:?}", row.sequence);
            assert_eq!(row.sequence.and_then(|s| s.activated_at).is_some(), want == Skill, "{gain}");
        }
    }
}
