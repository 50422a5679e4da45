//! Episodes: when a pattern opens an alert, keeps it and closes it (surveillance §4).
//!
//! One open episode per detector and market. A gap suspends it and never closes it; the calm that closes it is counted again
//! from the beginning after a gap, because nobody saw it.

use super::judge::{Judgement, RuleFinding};
use super::score;
use barograph_domain::alert::{AlertChange, Datum, Word};
use barograph_domain::{Alert, AlertState, Pattern, Severity, Span, Ts};
use serde::{Deserialize, Serialize};

/// Score by which an open episode must have grown to be reported again.
pub const SCORE_STEP: f64 = 10.0;

/// Fact of a record that ends an episode which nothing follows any more. Its word is what ended it: `start`, a start of the program
/// with other venues, streams or addresses, after which windows begin anew.
pub const ENDED_BY: &str = "ended_by";

/// That a start ended it.
pub(crate) fn ended_by_start() -> (Word, Datum) {
    (Word::from(ENDED_BY), Datum::Word(Word::from("start")))
}

/// An episode that has begun.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct RunningEpisode {
    /// Minute in which the episode began.
    pub opened_at: Ts,
    /// When the pattern last held.
    pub last_seen_at: Ts,
    /// Greatest severity so far.
    pub severity: Severity,
    /// Score at the last record.
    pub reported: f64,
    /// Newest score.
    pub score: f64,
    /// Records so far.
    pub revision: u32,
    /// An input is missing.
    pub suspended: bool,
    calm_since: Option<Ts>,
}

/// The state of one detector at one market.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Episode {
    running: Option<RunningEpisode>,
}

/// A record is due.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct DueRecord {
    /// What happened.
    pub change: AlertChange,
    /// State after it.
    pub state: AlertState,
    /// The episode as it is now.
    pub of: RunningEpisode,
    /// When it was over.
    pub closed_at: Option<Ts>,
}

impl DueRecord {
    /// The record of it at this moment, with nothing shown yet.
    pub(crate) fn record(&self, pattern: Pattern, ts: Ts) -> Alert {
        let of = &self.of;
        Alert {
            change: self.change,
            state: self.state,
            revision: of.revision,
            score: of.score,
            opened_at: of.opened_at,
            last_seen_at: of.last_seen_at,
            closed_at: self.closed_at,
            window_from: of.opened_at,
            ..Alert::opened(pattern, ts, of.severity)
        }
    }
}

impl Episode {
    /// The open episode.
    #[must_use]
    pub fn running(&self) -> Option<&RunningEpisode> {
        self.running.as_ref()
    }

    /// Takes one evaluation at `t`. `keep` is the part of the threshold above which it goes on, `clear` the calm that closes.
    pub fn step(&mut self, t: Ts, judged: &Judgement, keep: f64, clear: Span) -> Option<DueRecord> {
        match (judged, self.running.as_mut()) {
            (Judgement::Of(finding), None) => finding.fires.then(|| self.open(t, finding)),
            (Judgement::Of(finding), Some(running)) => {
                running.score = score(finding.u);
                let goes_on = finding.fires || finding.u > keep;
                let was_suspended = core::mem::take(&mut running.suspended);
                if goes_on {
                    running.last_seen_at = t;
                    running.calm_since = None;
                } else if t - *running.calm_since.get_or_insert(t) >= clear {
                    return self.close(t);
                }
                let worse = finding.fires && finding.severity > running.severity;
                if worse {
                    running.severity = finding.severity;
                }
                let change = if was_suspended {
                    AlertChange::Resumed
                } else if worse || (goes_on && running.score >= running.reported + SCORE_STEP) {
                    AlertChange::Updated
                } else {
                    return None;
                };
                Some(report(running, change, AlertState::Open))
            }
            (Judgement::NoData, Some(running)) if !running.suspended => {
                running.suspended = true;
                running.calm_since = None;
                Some(report(running, AlertChange::Suspended, AlertState::NoData))
            }
            // What the venue no longer offers will not come back: nobody can say how the episode went on.
            (Judgement::NotApplicable, Some(_)) => self.close(t),
            (Judgement::NoData | Judgement::NotApplicable, _) => None,
        }
    }

    /// Ends it because nothing follows it any more.
    pub(crate) fn end(&mut self, t: Ts) -> Option<DueRecord> {
        self.close(t)
    }

    fn open(&mut self, t: Ts, finding: &RuleFinding) -> DueRecord {
        let running = self.running.insert(RunningEpisode {
            opened_at: t,
            last_seen_at: t,
            severity: finding.severity,
            reported: 0.0,
            score: score(finding.u),
            revision: 0,
            suspended: false,
            calm_since: None,
        });
        report(running, AlertChange::Opened, AlertState::Open)
    }

    fn close(&mut self, t: Ts) -> Option<DueRecord> {
        let mut running = self.running.take()?;
        let mut out = report(&mut running, AlertChange::Closed, AlertState::Closed);
        out.closed_at = Some(t);
        Some(out)
    }
}

fn report(running: &mut RunningEpisode, change: AlertChange, state: AlertState) -> DueRecord {
    running.revision += 1;
    running.reported = running.score.max(running.reported);
    DueRecord { change, state, of: *running, closed_at: None }
}
