//! All detectors of one market: one step takes readings and adds records.

use super::base_rate::{Records, Spoken, Tally, day_of};
use super::burst::BurstMemory;
use super::changes::{HAPPENINGS, Happening, Memory};
use super::ended_by_start;
use super::episode::Episode;
use super::inputs::{Inputs, LiquidationInputs};
use super::judge::Judgement;
use super::lifts::LiftWatch;
use super::ranks::{LabelRanks, Rank, Risen};
use super::rarity::{Judging, SeverityBy, SeverityTable};
use super::score;
use super::shown::Shown;
use super::table::{DETECTORS, Detector, calm};
use super::thresholds::Thresholds;
use barograph_domain::alert::{AlertChange, BaseRate, Datum};
use barograph_domain::{Alert, AlertState, Pattern, Severity, Trigger, Ts};
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
    /// What rarity makes of each detector's episodes.
    ranks: Vec<Rank>,
    labels: LabelRanks,
    /// What followed alerts here; empty where the book does not ask.
    lifts: LiftWatch,
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
            ranks: vec![Rank::default(); DETECTORS.len()],
            labels: LabelRanks::default(),
            lifts: LiftWatch::default(),
        }
    }
}

impl Surveillance {
    /// Judges one minute by a book that knows no rarity; records that follow are added to `out`.
    pub fn step(&mut self, inputs: &Inputs, thresholds: &Thresholds, out: &mut Vec<Alert>) {
        self.step_by(inputs, (thresholds, &SeverityTable::FIXED), out);
    }

    /// Judges one minute; records that follow are added to `out`.
    pub fn step_by(&mut self, inputs: &Inputs, by: Judging<'_>, out: &mut Vec<Alert>) {
        let (thresholds, table) = by;
        let from = out.len();
        if table.measures {
            self.lifts.minute(inputs.ts, inputs.price);
        }
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
                self.evaluate(at, judged, inputs, by, out);
                held |= u32::from(self.episodes[at].running().is_some()) << at;
                bursts |= DETECTORS[at].trigger == Some(Trigger::Burst);
            }
        }
        if !bursts {
            self.burst = BurstMemory::default();
        }
        if table.by == SeverityBy::Rarity {
            self.labels.read(inputs);
        }
        let (spoken, tallies, labels, lifts) = (&mut self.spoken, &mut self.tallies, &mut self.labels, &self.lifts);
        self.memory.step(inputs, |mut happening| {
            let place = HAPPENINGS.iter().position(|h| *h == (happening.pattern, happening.trigger));
            let counts = place.and_then(|p| Some((&*spoken.of(DETECTORS.len() + p)?, tallies.get_mut(p)?)));
            let rate = came_before(&happening, inputs, counts);
            if table.by == SeverityBy::Rarity {
                let lift = lifts.of(happening.pattern, happening.trigger, label_of(&happening));
                labels.measured(lift.filter(|_| table.measures));
                labels.entered(&mut happening, inputs.ts, &rate, table);
                if let Some(lift) = lift.filter(|_| table.measures) {
                    lift.note(&mut happening.shown.data);
                }
            }
            out.push(happened(happening, inputs, rate));
        });
        if table.by == SeverityBy::Rarity {
            labels.risen(inputs, table, |risen| out.push(risen_again(risen, inputs)));
        }
        self.spoken.minute(day_of(inputs.ts), known, held);
        if table.measures {
            self.lifts.reported(&out[from..]);
            self.lifts.close(inputs.ts, inputs.atr_1h.ready());
        }
    }

    /// As [`Self::step`], of the burst alone at an event.
    pub fn at_event(&mut self, inputs: &Inputs, thresholds: &Thresholds, out: &mut Vec<Alert>) {
        self.at_event_by(inputs, (thresholds, &SeverityTable::FIXED), out);
    }

    /// Judges the burst at an event, between minutes (features §2.4: evaluated at every event).
    pub fn at_event_by(&mut self, inputs: &Inputs, by: Judging<'_>, out: &mut Vec<Alert>) {
        if let Some(at) = DETECTORS.iter().position(|d| d.trigger == Some(Trigger::Burst)) {
            let judged = (DETECTORS[at].judge)(inputs, by.0);
            let from = out.len();
            self.evaluate(at, judged, inputs, by, out);
            if by.1.measures {
                self.lifts.reported(&out[from..]);
            }
        }
    }

    /// Takes what a detector says.
    fn evaluate(
        &mut self,
        at: usize,
        judged: Judgement,
        inputs: &Inputs,
        (thresholds, table): Judging<'_>,
        out: &mut Vec<Alert>,
    ) {
        let detector = &DETECTORS[at];
        let opened_at = self.episodes[at].running().map(|running| running.opened_at);
        let was_open = opened_at.is_some();
        let lift = if table.measures { self.lifts.of(detector.pattern, detector.trigger, "") } else { None };
        let judged = match judged {
            Judgement::Of(finding) => {
                let (t, spoken) = (inputs.ts, &mut self.spoken);
                let before = |s: &mut Spoken| s.rate_beside(t, opened_at.unwrap_or(t));
                let rate = || spoken.of(at).map_or_else(BaseRate::default, before);
                Judgement::Of(self.ranks[at].take(detector.pattern, (t, was_open), finding, (rate, lift), table))
            }
            Judgement::NotApplicable | Judgement::NoData => judged,
        };
        let report = self.episodes[at].step(inputs.ts, &judged, thresholds.keep, detector.clear);
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
            let Shown { statistics, mut data } = shown;
            self.ranks[at].note(table, &mut data);
            if let Some(lift) = lift.filter(|_| report.change == AlertChange::Opened) {
                lift.note(&mut data);
            }
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

    /// What followed alerts here.
    #[must_use]
    pub const fn lifts(&self) -> &LiftWatch {
        &self.lifts
    }

    /// Ends every episode, each with a record, because nothing follows them any more ([`super::episode::ENDED_BY`]).
    pub fn end(&mut self, ts: Ts, out: &mut Vec<Alert>) {
        for (detector, episode) in DETECTORS.iter().zip(&mut self.episodes) {
            let ended = episode.end(ts).map(|report| report.record(detector.pattern, ts));
            out.extend(ended.map(|of| Alert { trigger: detector.trigger, data: vec![ended_by_start()], ..of }));
        }
        self.burst = BurstMemory::default();
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

/// How often what happens came before. It counts from now on.
fn came_before(happening: &Happening, inputs: &Inputs, counts: Option<(&Spoken, &mut Tally)>) -> BaseRate {
    let rate = counts.map(|(spoken, tally)| {
        let (fired_90d, fired_30d) = tally.before(inputs.ts, happening.which);
        tally.fired(inputs.ts, happening.which);
        BaseRate { fired_90d, fired_30d, ..spoken.judged(inputs.ts) }
    });
    rate.unwrap_or_default()
}

/// The label that a happening is about; empty of what has none.
fn label_of(happening: &Happening) -> &str {
    let of = |name: &str| happening.shown.data.iter().find(|(n, _)| n == name);
    match of("to").or_else(|| of("regime")) {
        Some((_, Datum::Word(word))) => word,
        _ => "",
    }
}

fn happened(happening: Happening, inputs: &Inputs, base_rate: BaseRate) -> Alert {
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
        base_rate,
        inhibited_by: None,
        other: None,
        rule: None,
    }
}

/// A further record of a label: it stands since it was entered.
fn risen_again(risen: Risen, inputs: &Inputs) -> Alert {
    let Risen { happening, entered, opened, rate, revision } = risen;
    Alert { revision, opened_at: opened, window_from: entered, ..happened(happening, inputs, rate) }
}
