//! All detectors of one market: one step takes readings and adds records.

use super::base_rate::{Records, Spoken, Tally, day_of};
use super::burst::BurstMemory;
use super::changes::{HAPPENINGS, Happening, Memory};
use super::episode::Episode;
use super::inputs::{Inputs, LiquidationInputs};
use super::judge::Judgement;
use super::score;
use super::shown::Shown;
use super::table::{DETECTORS, Detector, calm};
use super::thresholds::Thresholds;
use barograph_domain::alert::{AlertChange, BaseRate};
use barograph_domain::{Alert, AlertState, Pattern, Severity, Trigger};
use serde::{Deserialize, Serialize};

/// State of all detectors of one market.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Surveillance {
    episodes: Vec<Episode>,
    spoken: Records,
    /// When each label, or whatever else a kind of happening tells apart, came.
    tallies: Vec<Tally>,
    memory: Memory,
    burst: BurstMemory,
}

impl Default for Surveillance {
    fn default() -> Self {
        Self {
            episodes: vec![Episode::default(); DETECTORS.len()],
            spoken: Records::new(DETECTORS.len() + HAPPENINGS.len()),
            // Each with its room, which a clone would not have.
            tallies: HAPPENINGS.iter().map(|_| Tally::default()).collect(),
            memory: Memory::default(),
            burst: BurstMemory::default(),
        }
    }
}

impl Surveillance {
    /// Judges one minute; records that follow are added to `out`.
    pub fn step(&mut self, inputs: &Inputs, thresholds: &Thresholds, out: &mut Vec<Alert>) {
        let calm = calm(inputs, thresholds);
        let running = |bits, (at, e): (usize, &Episode)| bits | u32::from(e.running().is_some()) << at;
        let open = self.episodes.iter().enumerate().fold(0, running);
        // Of what happens every minute can be judged, and it lasts for none.
        let happenings = ((1 << HAPPENINGS.len()) - 1) << DETECTORS.len();
        let (mut known, mut held) = (calm | happenings, 0);
        let mut asked = ((1 << DETECTORS.len()) - 1) & (open | !calm);
        // A burst is forgotten in a minute in which none goes on.
        let mut bursts = false;
        while asked != 0 {
            let at = asked.trailing_zeros() as usize;
            asked &= asked - 1;
            let judged = (DETECTORS[at].judge)(inputs, thresholds);
            known |= u32::from(matches!(judged, Judgement::Of(_))) << at;
            if open >> at & 1 == 1 || matches!(judged, Judgement::Of(finding) if finding.fires) {
                self.evaluate(at, &judged, inputs, thresholds, out);
                held |= u32::from(self.episodes[at].running().is_some()) << at;
                bursts |= DETECTORS[at].trigger == Some(Trigger::Burst);
            }
        }
        if !bursts {
            self.burst = BurstMemory::default();
        }
        let (spoken, tallies) = (&mut self.spoken, &mut self.tallies);
        self.memory.step(inputs, |happening| {
            let place = HAPPENINGS.iter().position(|h| *h == (happening.pattern, happening.trigger));
            let counts = place.and_then(|p| Some((&*spoken.of(DETECTORS.len() + p)?, tallies.get_mut(p)?)));
            out.push(happened(happening, inputs, counts));
        });
        self.spoken.minute(day_of(inputs.ts), known, held);
    }

    /// Judges the burst at an event, between minutes (features §2.4: evaluated at every event).
    pub fn at_event(&mut self, inputs: &Inputs, thresholds: &Thresholds, out: &mut Vec<Alert>) {
        if let Some(at) = DETECTORS.iter().position(|d| d.trigger == Some(Trigger::Burst)) {
            let judged = (DETECTORS[at].judge)(inputs, thresholds);
            self.evaluate(at, &judged, inputs, thresholds, out);
        }
    }

    /// Takes what a detector says.
    fn evaluate(
        &mut self,
        at: usize,
        judged: &Judgement,
        inputs: &Inputs,
        thresholds: &Thresholds,
        out: &mut Vec<Alert>,
    ) {
        let detector = &DETECTORS[at];
        let was_open = self.episodes[at].running().is_some();
        let report = self.episodes[at].step(inputs.ts, judged, thresholds.keep, detector.clear);
        if detector.trigger == Some(Trigger::Burst) {
            let running = self.episodes[at].running();
            let known = matches!(judged, Judgement::Of(_));
            let held = running.is_some_and(|r| r.last_seen_at == inputs.ts);
            self.burst.note(&inputs.liquidations, (was_open, running.is_some()), known, held);
        }
        if let Some(report) = report {
            let inhibited_by = detector.inhibited_by.filter(|by| self.is_as_severe(*by, report.of.severity));
            let rate_of = |spoken: &mut Spoken| spoken.rate_of(report.change, inputs.ts, report.of.opened_at);
            let base_rate = self.spoken.of(at).map_or_else(BaseRate::default, rate_of);
            let mut shown = Shown::default();
            if detector.trigger == Some(Trigger::Burst) {
                let liquidations = LiquidationInputs { made: self.burst.shown(), ..inputs.liquidations };
                (detector.show)(&Inputs { liquidations, ..*inputs }, thresholds, &mut shown);
            } else {
                (detector.show)(inputs, thresholds, &mut shown);
            }
            let window_from = inputs.ts - (detector.window)(inputs, thresholds);
            let Shown { statistics, data } = shown;
            let record = report.record(detector.pattern, inputs.ts);
            let trigger = detector.trigger;
            out.push(Alert { trigger, base_rate, inhibited_by, window_from, statistics, data, ..record });
        }
    }

    /// Goes on with the episodes and the labels that `told` has reported, and keeps its own record of how often they happen.
    pub fn adopt(&mut self, told: &Self) {
        self.episodes.clone_from(&told.episodes);
        (self.memory, self.burst) = (told.memory, told.burst);
    }

    /// Is an episode of this pattern open?
    #[must_use]
    pub fn is_open(&self, pattern: Pattern) -> bool {
        DETECTORS.iter().zip(&self.episodes).any(|(d, e)| d.pattern == pattern && e.running().is_some())
    }

    /// Is one open that is no less severe than this? A milder one does not say the same more strongly.
    fn is_as_severe(&self, pattern: Pattern, severity: Severity) -> bool {
        self.open().any(|(detector, running)| detector.pattern == pattern && running.severity >= severity)
    }

    /// Episodes that are open now, with their detectors.
    pub fn open(&self) -> impl Iterator<Item = (&'static Detector, &super::episode::RunningEpisode)> {
        DETECTORS.iter().zip(&self.episodes).filter_map(|(d, e)| e.running().map(|r| (d, r)))
    }
}

fn happened(happening: Happening, inputs: &Inputs, counts: Option<(&Spoken, &mut Tally)>) -> Alert {
    let base_rate = counts.map(|(spoken, tally)| {
        let (fired_90d, fired_30d) = tally.before(inputs.ts, happening.which);
        tally.fired(inputs.ts, happening.which);
        BaseRate { fired_90d, fired_30d, ..spoken.judged(inputs.ts) }
    });
    Alert {
        pattern: happening.pattern,
        trigger: happening.trigger,
        change: AlertChange::Happened,
        state: AlertState::Closed,
        revision: 1,
        ts: inputs.ts,
        severity: happening.severity,
        // A change of label is no distance from a threshold.
        score: score(0.0),
        opened_at: inputs.ts,
        last_seen_at: inputs.ts,
        closed_at: Some(inputs.ts),
        window_from: inputs.ts,
        statistics: happening.shown.statistics,
        data: happening.shown.data,
        base_rate: base_rate.unwrap_or_default(),
        inhibited_by: None,
        other: None,
        rule: None,
    }
}
