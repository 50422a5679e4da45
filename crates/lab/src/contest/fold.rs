//! The fold: ticks of the rules' ledger and sightings in, ticks of every contestant out.

use super::example::{Example, KnownThen};
use super::fit::{Fit, FitJob, Fitted, ModelStatement, run};
use super::sighting::{ModelInputs, Sighting};
use barograph_domain::forecast::{
    Abstention, CalibrationScope, ForecastEvent, Forecaster, Issue, LedgerTick, Resolution, Stated, WindowOutcome,
};
use barograph_domain::{InstrumentName, Span, Ts};
use barograph_engine::models::policy::Fits;
use barograph_engine::models::runner::Runner;
use barograph_verify::contest::{CONTESTANTS, EMBARGO, EVENTS, TRAINED_ON, TrainingGrid, week_begins, week_of};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Version of what [`Contest::save`] writes.
const FORMAT: u32 = 1;
/// A fit of the hidden states is known an hour after its last hour, as over files (docs/models.md).
const FITS: Fits = Fits::Inline { delay: Span::hours(1) };
/// Horizons of the events, hours; [`horizon_place`] says which is whose.
const HORIZONS: [usize; 3] = [1, 4, 24];

const fn horizon_place(event: ForecastEvent) -> usize {
    match event {
        ForecastEvent::HighVol1h => 0,
        ForecastEvent::Squeeze4h | ForecastEvent::Chop4h | ForecastEvent::Calm4h => 1,
        _ => 2,
    }
}

/// One market.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Market {
    models: Runner,
    /// When it was last seen, and what.
    at: Ts,
    inputs: ModelInputs,
    /// Hidden states at the ends of the windows.
    ahead: Option<[[f32; 3]; HORIZONS.len()]>,
    recent: Option<f32>,
    /// What the learnt models last said, by (contestant, event): inputs of hourly bars stand for an hour.
    #[serde(skip)]
    said: Vec<(ModelInputs, Result<ModelStatement, Abstention>)>,
}

impl Market {
    fn new(name: InstrumentName) -> Self {
        Self {
            models: Runner::new(name),
            at: Ts::MIN,
            inputs: ModelInputs::default(),
            ahead: None,
            recent: None,
            said: Vec::new(),
        }
    }

    fn see(&mut self, ts: Ts, sighting: &Sighting) {
        (self.at, self.inputs) = (ts, sighting.inputs);
        self.models.minute(ts, FITS, || sighting.hour);
        if ts.floor(Span::hours(1)) == ts {
            let ahead = HORIZONS.map(|h| self.models.ahead(h).and_then(|p| three(&p)));
            self.ahead = match ahead {
                [Some(a), Some(b), Some(c)] => Some([a, b, c]),
                _ => None,
            };
            let [_, changes] = self.models.readings();
            #[expect(clippy::cast_possible_truncation, reason = "seven digits are enough to sort by")]
            let recent = changes.recent_change.map(|p| p as f32);
            self.recent = recent;
        }
    }

    fn seen(&self, event: ForecastEvent, ts: Ts, state: Option<u8>) -> KnownThen {
        if self.at != ts {
            return KnownThen { state, ..KnownThen::default() };
        }
        let hidden = self.ahead.map(|all| all[horizon_place(event)]);
        KnownThen { inputs: self.inputs, hidden, recent: self.recent, state }
    }
}

fn three(p: &[f64]) -> Option<[f32; 3]> {
    #[expect(clippy::cast_possible_truncation, reason = "seven digits are enough to mix by")]
    let short = |at: usize| p.get(at).map(|p| *p as f32);
    Some([short(0)?, short(1)?, short(2)?])
}

/// What is learnt from, of one event.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Lessons {
    /// In the order in which they resolved.
    known: Vec<Example>,
    /// Forecasts on the training grid that wait for their outcome.
    waiting: BTreeMap<(u16, Ts), KnownThen>,
}

/// The contest over the markets of one folder. Two that saw the same ticks and sightings say the same.
#[derive(Debug)]
pub struct Contest {
    markets: Vec<Market>,
    names: Vec<InstrumentName>,
    /// By event.
    lessons: Vec<Lessons>,
    /// By (contestant, event), for [`Self::week`].
    fitted: Vec<Result<Fitted, Abstention>>,
    /// The week that is fitted for.
    week: Option<i64>,
}

impl Default for Contest {
    fn default() -> Self {
        Self {
            markets: Vec::new(),
            names: Vec::new(),
            lessons: EVENTS.map(|_| Lessons::default()).into(),
            fitted: Vec::new(),
            week: None,
        }
    }
}

/// What goes to bytes. Fits are not in it: they follow from the lessons.
#[derive(Serialize, Deserialize)]
struct Saved {
    format: u32,
    names: Vec<String>,
    markets: Vec<Market>,
    lessons: Vec<Lessons>,
}

impl Contest {
    /// Fits that are due before the tick of a moment: at the first tick of each week. Empty where none is.
    #[must_use]
    pub fn jobs(&mut self, at: Ts) -> Vec<FitJob> {
        let week = week_of(at);
        if self.week == Some(week) {
            return Vec::new();
        }
        let begins = week_begins(week);
        let mut jobs = Vec::new();
        for (event, lessons) in EVENTS.into_iter().zip(&mut self.lessons) {
            lessons.known.retain(|e| e.issued >= begins - TRAINED_ON);
            let mut examples: Vec<Example> =
                lessons.known.iter().filter(|e| e.known <= begins - EMBARGO).copied().collect();
            examples.sort_by_key(|e| (e.issued, e.market));
            let examples: Arc<[Example]> = examples.into();
            let job = |contestant| FitJob { contestant, event, week, examples: Arc::clone(&examples) };
            jobs.extend(CONTESTANTS.map(job));
        }
        jobs
    }

    /// Lets fits in, all of a week at once; they stand until the next.
    pub fn enter(&mut self, fits: Vec<Fit>) {
        let Some(week) = fits.first().map(|f| f.week) else { return };
        self.week = Some(week);
        self.fitted = (0..places()).map(|_| Err(Abstention::NotModelled)).collect();
        for fit in fits {
            if let Some(fitted) = place(fit.contestant, fit.event).and_then(|at| self.fitted.get_mut(at)) {
                *fitted = fit.outcome;
            }
        }
        for market in &mut self.markets {
            market.said.clear();
        }
    }

    /// Takes the rules' next tick with what was seen of its markets at that minute; one tick of each contestant, in their order.
    pub fn tick(&mut self, tick: &LedgerTick, seen: &[(InstrumentName, Sighting)]) -> Vec<LedgerTick> {
        let due = self.jobs(tick.ts);
        if !due.is_empty() {
            self.enter(due.iter().map(run).collect());
        }
        for (name, sighting) in seen {
            let at = usize::from(self.number(name));
            self.markets[at].see(tick.ts, sighting);
        }
        let numbers: Vec<u16> = tick.markets.iter().map(|name| self.number(name)).collect();
        let number = |position: u16| numbers.get(usize::from(position)).copied();
        for r in tick.resolutions.iter().filter(|r| is_common(r.event, r.subject.as_deref())) {
            if let Some(market) = number(r.market) {
                self.learn(market, r, tick.ts);
            }
        }
        let mut out: Vec<LedgerTick> = CONTESTANTS.iter().map(|_| repeated(tick)).collect();
        let week = self.week.unwrap_or_default();
        for issue in tick.issues.iter().filter(|i| is_common(i.event, i.subject.as_deref())) {
            let Some(market) = number(issue.market) else { continue };
            let seen = self.markets[usize::from(market)].seen(issue.event, tick.ts, issue.state);
            if TrainingGrid::holds(issue.event, tick.ts)
                && let Some(lessons) = self.lessons.get_mut(issue.event.index())
            {
                lessons.waiting.insert((market, tick.ts), seen);
            }
            for (who, out) in CONTESTANTS.into_iter().zip(&mut out) {
                let said = self.statement(who, issue.event, market, &seen);
                out.issues.push(stated(issue, who, said, digest(issue, who, &seen, week)));
            }
        }
        out
    }

    fn statement(
        &mut self,
        who: Forecaster,
        event: ForecastEvent,
        market: u16,
        seen: &KnownThen,
    ) -> Result<ModelStatement, Abstention> {
        let at = place(who, event).ok_or(Abstention::NotModelled)?;
        let fitted = match self.fitted.get(at) {
            Some(Ok(fitted)) => fitted,
            Some(Err(why)) => return Err(*why),
            None => return Err(Abstention::NotModelled),
        };
        if !matches!(who, Forecaster::Logistic | Forecaster::Boosting) {
            return fitted.statement(who, event, seen);
        }
        let said = &mut self.markets[usize::from(market)].said;
        if said.is_empty() {
            said.resize(places(), (ModelInputs::default(), Err(Abstention::NoLabel)));
        }
        if said[at].0 != seen.inputs {
            said[at] = (seen.inputs, fitted.statement(who, event, seen));
        }
        said[at].1
    }

    fn learn(&mut self, market: u16, r: &Resolution, known: Ts) {
        let Some(lessons) = self.lessons.get_mut(r.event.index()) else { return };
        let Some(seen) = lessons.waiting.remove(&(market, r.issued_ts)) else { return };
        let outcome = match r.outcome {
            WindowOutcome::Missed => 0,
            WindowOutcome::Happened => 1,
            WindowOutcome::Class(class) => class,
            WindowOutcome::Gap | WindowOutcome::Void => return,
        };
        lessons.known.push(Example { issued: r.issued_ts, known, market, seen, outcome });
    }

    fn number(&mut self, name: &InstrumentName) -> u16 {
        let at = self.names.iter().position(|n| n == name).unwrap_or_else(|| {
            self.names.push(name.clone());
            self.markets.push(Market::new(name.clone()));
            self.names.len() - 1
        });
        u16::try_from(at).unwrap_or(u16::MAX)
    }

    /// State as bytes.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        let saved = Saved {
            format: FORMAT,
            names: self.names.iter().map(ToString::to_string).collect(),
            markets: self.markets.clone(),
            lessons: self.lessons.clone(),
        };
        postcard::to_allocvec(&saved).unwrap_or_default()
    }

    /// Goes on from [`Self::save`]; `None` where the bytes are damaged or of another build. The week's fits are asked for anew and
    /// come out as they were.
    #[must_use]
    pub fn restore(bytes: &[u8]) -> Option<Self> {
        let saved: Saved = postcard::from_bytes(bytes).ok()?;
        let names = saved.names.iter().map(|n| InstrumentName::parse(n).ok()).collect::<Option<Vec<_>>>()?;
        let whole = saved.format == FORMAT && names.len() == saved.markets.len() && saved.lessons.len() == EVENTS.len();
        let Saved { markets, lessons, .. } = saved;
        whole.then_some(Self { markets, names, lessons, fitted: Vec::new(), week: None })
    }
}

const fn places() -> usize {
    CONTESTANTS.len() * EVENTS.len()
}

fn place(who: Forecaster, event: ForecastEvent) -> Option<usize> {
    let row = CONTESTANTS.iter().position(|c| *c == who)?;
    (event.index() < EVENTS.len()).then_some(row * EVENTS.len() + event.index())
}

/// Asked of every market at every tick, and so of contestants.
fn is_common(event: ForecastEvent, subject: Option<&str>) -> bool {
    event.index() < EVENTS.len() && subject.is_none()
}

/// A tick with everything but the statements.
fn repeated(tick: &LedgerTick) -> LedgerTick {
    LedgerTick {
        ts: tick.ts,
        markets: Arc::clone(&tick.markets),
        issues: Vec::new(),
        not_issued: tick.not_issued.iter().filter(|n| is_common(n.event, None)).copied().collect(),
        resolutions: tick.resolutions.iter().filter(|r| is_common(r.event, r.subject.as_deref())).cloned().collect(),
        references: tick.references.iter().filter(|r| is_common(r.event, None)).cloned().collect(),
        begins: tick.begins,
        drift: Vec::new(),
        skills: Vec::new(),
        bases: Vec::new(),
    }
}

/// The issue of a contestant beside that of the rules. The labels are theirs: a contestant gives none.
fn stated(rules: &Issue, who: Forecaster, said: Result<ModelStatement, Abstention>, input_digest: u64) -> Issue {
    Issue {
        forecaster: who,
        stated: said.map_or_else(Stated::Abstained, |s| s.stated),
        scope: said.ok().map(|_| CalibrationScope::All),
        cases: said.map_or(0, |s| s.cases),
        separate: said.map_or(0, |s| s.separate),
        input_digest,
        ..rules.clone()
    }
}

/// Over what the rules saw, what the contestant saw, and which week's fit it was said by.
fn digest(rules: &Issue, who: Forecaster, seen: &KnownThen, week: i64) -> u64 {
    let mut hash = Sha256::new();
    hash.update(rules.input_digest.to_be_bytes());
    hash.update(who.id());
    hash.update(week.to_be_bytes());
    match who {
        Forecaster::Rules => {}
        Forecaster::Hmm => {
            hash.update(seen.hidden.into_iter().flatten().flat_map(|p| p.to_bits().to_be_bytes()).collect::<Vec<u8>>());
        }
        Forecaster::Bocpd => hash.update(seen.recent.map_or([0; 4], |p| p.to_bits().to_be_bytes())),
        Forecaster::Logistic | Forecaster::Boosting => hash.update(seen.inputs.bits().collect::<Vec<u8>>()),
    }
    u64::from_be_bytes(hash.finalize().first_chunk::<8>().copied().unwrap_or_default())
}
