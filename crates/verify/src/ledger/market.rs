//! One market's forecasts of every tick: what was registered, and what came of it.

use super::GRID;
use super::calibration::{self, CalibrationTables};
use super::drift::Spreads;
use super::minutes::Minutes;
use super::moves::Moves;
use super::sample::{GridReadings, MinuteSample};
use super::windows::{self, Judged, Squeeze};
use barograph_domain::forecast::{
    Abstention, FeatureDrift, ForecastEvent, Forecaster, Issue, MoveBase, NotIssued, NotIssuedReason, Resolution,
    Stated, SymbolGroup, WindowOutcome,
};
use barograph_domain::{Axis, InstrumentName, Span, Ts};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

const EVENTS: usize = ForecastEvent::EVERY_TICK.len();
/// Instants of the longest window, both ends.
const TICKS: usize = 24 * 12 + 1;
/// Least of 30 days' largest twentieth that is a burst of liquidations, in the quote currency (verification §2).
const BURST_MIN: f64 = 500_000.0;
/// Hourly sums that the burst is measured by: 30 days.
const SUMS: usize = 720;

/// Position among [`ForecastEvent::EVERY_TICK`].
const fn place(event: ForecastEvent) -> usize {
    event.index()
}

/// What was registered at an instant, as far as its resolution needs it.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
struct Registered {
    ts: Ts,
    /// Bit n: event n was registered and waits.
    waits: u8,
    /// State of each event before its window; 255 is not known.
    states: [u8; EVENTS],
    /// Raw label of each event's axis, and bin of the event's margin; 255 where none counts.
    label_bin: [(u8, u8); EVENTS],
    /// What came of the first three, for `calm_4h`.
    came: [Option<WindowOutcome>; 3],
    atr: f64,
    sigma: f64,
    class: u8,
    longs: bool,
    /// Liquidations that are a burst; `None` where they are not reported.
    burst: Option<f64>,
    step: Span,
}

/// An outcome on its way into references and calibration.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted {
    pub(super) event: ForecastEvent,
    pub(super) state: Option<u8>,
    pub(super) outcome: WindowOutcome,
    pub(super) issued: Ts,
    pub(super) until: Ts,
    /// Label and bin; `None` where it does not count for calibration.
    pub(super) label_bin: Option<(u8, u8)>,
    /// Its place among the resolutions of the tick.
    pub(super) resolution: usize,
}

/// One market.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Market {
    #[serde(with = "as_text")]
    pub(super) name: InstrumentName,
    pub(super) group: SymbolGroup,
    pub(super) prices: Minutes,
    /// It has published a minute: only then it is named.
    pub(super) begun: bool,
    /// Minutes since the newest grid instant; among the prices with the next one, when what ended before them is judged.
    ahead: Vec<(Ts, Option<f64>)>,
    /// Newest last.
    registered: VecDeque<Registered>,
    /// The newest grid instant, with its readings; everything that ended by then is resolved.
    pub(super) newest: Option<(Ts, GridReadings)>,
    /// Hourly sums of 4 h of liquidations, longs and shorts, newest last, and their largest twentieth.
    sums: [VecDeque<f32>; 2],
    bursts: [Option<f64>; 2],
    moves: Moves,
    spreads: Spreads,
}

/// The domain's name is not made for binary formats.
mod as_text {
    use barograph_domain::InstrumentName;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(name: &InstrumentName, s: S) -> Result<S::Ok, S::Error> {
        name.to_string().serialize(s)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<InstrumentName, D::Error> {
        InstrumentName::parse(&String::deserialize(d)?).map_err(D::Error::custom)
    }
}

/// What a market registers and resolves at an instant.
#[derive(Debug, Default)]
pub(super) struct Step {
    pub(super) issues: Vec<Issue>,
    pub(super) not_issued: Vec<NotIssued>,
    pub(super) resolutions: Vec<Resolution>,
    pub(super) counted: Vec<Counted>,
    pub(super) drift: Vec<FeatureDrift>,
    pub(super) bases: Vec<MoveBase>,
}

impl Market {
    pub(super) fn new(name: InstrumentName) -> Self {
        Self {
            group: SymbolGroup::of(&name),
            name,
            prices: Minutes::default(),
            begun: false,
            ahead: Vec::new(),
            registered: VecDeque::new(),
            newest: None,
            sums: Default::default(),
            bursts: [None; 2],
            moves: Moves::default(),
            spreads: Spreads::default(),
        }
    }

    /// Takes a minute. On the grid everything that is due resolves, then the instant's forecasts are registered.
    pub(super) fn step(
        &mut self,
        at: u16,
        sample: &MinuteSample,
        calibration: &CalibrationTables,
        number: usize,
        out: &mut Step,
    ) {
        let mut states = [u8::MAX; EVENTS];
        if self.ahead.last().is_some_and(|(last, _)| sample.ts - *last >= GRID) {
            self.take_ahead();
        }
        self.ahead.push((sample.ts, sample.price));
        if let Some(now) = sample.grid {
            self.catch_up(at, sample.ts, out);
            self.note_liquidations(sample.ts, &now);
            for (state, came) in states.iter_mut().zip(self.resolve(at, sample.ts, &now, out)) {
                *state = came;
            }
            self.register(at, sample, &now, states, (calibration, number), out);
            self.newest = Some((sample.ts, now));
            out.bases.extend(self.moves.take(at, sample.ts, now.atr, &self.prices));
            self.spreads.take(at, sample.ts, &sample.values, &mut out.drift);
        }
    }

    /// Takes the minutes up to a grid instant in. What ended in a hole is judged first, by what is remembered of it: a long hole makes
    /// that be forgotten.
    pub(super) fn catch_up(&mut self, at: u16, ts: Ts, out: &mut Step) {
        if self.ahead.is_empty() {
            return;
        }
        self.resolve(at, ts - GRID, &GridReadings::default(), out);
        self.take_ahead();
    }

    fn take_ahead(&mut self) {
        for (ts, price) in self.ahead.drain(..) {
            self.prices.push(ts, price);
        }
    }

    /// The market is not listened to any more: what waits is void.
    pub(super) fn void(&mut self, at: u16, out: &mut Step) {
        for one in &mut self.registered {
            let waits = core::mem::take(&mut one.waits);
            for event in ForecastEvent::EVERY_TICK.into_iter().filter(|e| waits >> place(*e) & 1 == 1) {
                out.resolutions.push(resolution(event, at, one.ts, (WindowOutcome::Void, [None; 2])));
            }
        }
    }

    fn note_liquidations(&mut self, ts: Ts, now: &GridReadings) {
        if ts.floor(Span::hours(1)) != ts {
            return;
        }
        for (side, sum) in now.liquidated.into_iter().enumerate() {
            let Some(sum) = sum else { continue };
            let sums = &mut self.sums[side];
            if sums.len() == SUMS {
                sums.pop_front();
            }
            #[expect(clippy::cast_possible_truncation, reason = "a limit of half a million, to seven digits")]
            sums.push_back(sum as f32);
            self.bursts[side] = largest_twentieth(sums);
        }
    }

    /// Resolves every window that has ended by `ts` and not been resolved before; what came of those that end at `ts`, by event.
    /// In the order of events, because `calm_4h` asks what came of the others.
    fn resolve(&mut self, at: u16, ts: Ts, now: &GridReadings, out: &mut Step) -> [u8; EVENTS] {
        let mut states = [u8::MAX; EVENTS];
        let Some((before, _)) = self.newest else { return states };
        for event in ForecastEvent::EVERY_TICK {
            let Some(horizon) = event.horizon() else { continue };
            let (first, end) = (self.issued_by(before - horizon), self.issued_by(ts - horizon));
            for n in first..end {
                let one = self.registered[n];
                if one.waits >> place(event) & 1 == 0 {
                    continue;
                }
                let until = one.ts + horizon;
                // Readings are those of the window's end; of one that ended unseen there are none.
                let readings = if until == ts { *now } else { GridReadings::default() };
                let judged = self.judge(&one, event, until, &readings);
                self.came(n, event, judged.0);
                if until == ts {
                    states[place(event)] = state_of(judged.0);
                }
                let label_bin = one.label_bin[place(event)];
                out.counted.push(Counted {
                    event,
                    state: known(one.states[place(event)]),
                    outcome: judged.0,
                    issued: one.ts,
                    until,
                    label_bin: (label_bin.0 != u8::MAX).then_some(label_bin),
                    resolution: out.resolutions.len(),
                });
                out.resolutions.push(resolution(event, at, one.ts, judged));
            }
        }
        states
    }

    /// How many of those that are remembered were issued by a moment. They lie on the grid: without a hole the first guess is right.
    fn issued_by(&self, ts: Ts) -> usize {
        let Some(first) = self.registered.front().filter(|first| first.ts <= ts) else { return 0 };
        let most = usize::try_from((ts - first.ts).0 / GRID.0 + 1).unwrap_or(usize::MAX).min(self.registered.len());
        if self.registered.get(most - 1).is_some_and(|last| last.ts <= ts) {
            return most;
        }
        self.registered.partition_point(|r| r.ts <= ts)
    }

    fn came(&mut self, n: usize, event: ForecastEvent, outcome: WindowOutcome) {
        if let Some(kept) = self.registered.get_mut(n) {
            kept.waits &= !(1 << place(event));
            if let Some(came) = kept.came.get_mut(place(event)) {
                *came = Some(outcome);
            }
        }
    }

    fn judge(&self, one: &Registered, event: ForecastEvent, until: Ts, end: &GridReadings) -> Judged {
        let window = (one.ts, until);
        match event {
            ForecastEvent::HighVol1h => windows::high_vol(end.rv[0]),
            ForecastEvent::Squeeze4h => {
                let liquidated = end.liquidated[usize::from(!one.longs)];
                let by = Squeeze { longs: one.longs, atr: one.atr, burst: one.burst, liquidated };
                windows::squeeze(&self.prices, window, by)
            }
            ForecastEvent::Chop4h => windows::chop(&self.prices, window, one.step, end.rv[1]),
            ForecastEvent::Calm4h => windows::calm(&self.others(one)),
            ForecastEvent::TrendUp24h => windows::trend(&self.prices, window, one.sigma, true),
            ForecastEvent::TrendDown24h => windows::trend(&self.prices, window, one.sigma, false),
            ForecastEvent::VolClass24h => windows::class(end.class, end.vol_daily),
            ForecastEvent::VolUp24h => windows::class_up(one.class, end.class, end.vol_daily),
            ForecastEvent::CorrBreak7d
            | ForecastEvent::ZoneReach24h
            | ForecastEvent::LevelReact
            | ForecastEvent::AlertCascade1h
            | ForecastEvent::AlertMove1h
            | ForecastEvent::PostFundRev8h => (WindowOutcome::Gap, [None; 2]),
        }
    }

    /// What `calm_4h` denies: high volatility at the four full hours, squeeze and chop of the same window. Without a crowded side
    /// there is no squeeze to be denied.
    fn others(&self, one: &Registered) -> Vec<WindowOutcome> {
        let mut all: Vec<WindowOutcome> = one.came[1..].iter().flatten().copied().collect();
        for hour in 0..4 {
            let from = one.ts + Span::hours(hour);
            let found = self.issued_by(from).checked_sub(1).map(|n| &self.registered[n]).filter(|r| r.ts == from);
            all.push(found.and_then(|r| r.came[0]).unwrap_or(WindowOutcome::Gap));
        }
        all
    }

    fn register(
        &mut self,
        at: u16,
        sample: &MinuteSample,
        now: &GridReadings,
        mut states: [u8; EVENTS],
        (calibration, number): (&CalibrationTables, usize),
        out: &mut Step,
    ) {
        if let Some(class) = now.class {
            states[place(ForecastEvent::VolClass24h)] = class;
        }
        let mut registered = Registered {
            ts: sample.ts,
            waits: 0,
            states,
            label_bin: ForecastEvent::EVERY_TICK.map(|event| label_bin(event, now)),
            came: [None; 3],
            atr: now.atr.unwrap_or_default(),
            sigma: now.vol_daily.unwrap_or_default(),
            class: now.class.unwrap_or_default(),
            longs: now.longs_crowded.unwrap_or_default(),
            burst: self.burst(now),
            step: sample.step,
        };
        let owners = [calibration::of_market(number), calibration::of_group(self.group as usize)];
        for event in ForecastEvent::EVERY_TICK {
            if let Some(reason) = hindered(event, sample.price, now) {
                out.not_issued.push(NotIssued { event, market: at, reason });
                continue;
            }
            registered.waits |= 1 << place(event);
            let axis = now.axes[axis_place(event)];
            let basis = match label_bin(event, now) {
                (u8::MAX, _) => Err(if axis.withheld { Abstention::Stale } else { Abstention::NoLabel }),
                (label, bin) => calibration.state(owners, (event, label, bin)),
            };
            let Some(horizon) = event.horizon() else { continue };
            out.issues.push(Issue {
                event,
                market: at,
                subject: None,
                forecaster: Forecaster::Rules,
                resolve_after: sample.ts + horizon,
                label: axis.label,
                raw_label: axis.raw,
                state: known(states[place(event)]),
                stated: basis.map_or_else(Stated::Abstained, |b| b.stated),
                scope: basis.ok().map(|b| b.scope),
                cases: basis.map_or(0, |b| b.cases),
                separate: basis.map_or(0, |b| b.separate),
                input_digest: now.digest,
            });
        }
        if self.registered.len() >= TICKS {
            self.registered.pop_front();
        }
        self.registered.push_back(registered);
    }

    /// Liquidations of the crowded side that are a burst now, where they are reported, seen or not.
    fn burst(&self, now: &GridReadings) -> Option<f64> {
        let side = usize::from(!now.longs_crowded?);
        now.has_liquidations.then(|| self.bursts[side].unwrap_or_default().max(BURST_MIN))
    }
}

/// Label and bin that count for calibration; 255 where none does. What cannot be measured is as far away as can be: the label alone
/// says what is alike.
fn label_bin(event: ForecastEvent, now: &GridReadings) -> (u8, u8) {
    let axis = &now.axes[axis_place(event)];
    if axis.withheld || axis.margin.is_none() {
        return (u8::MAX, 0);
    }
    (axis.raw, calibration::bin_of(now.margins[place(event)].unwrap_or(f64::NEG_INFINITY)))
}

const fn axis_place(event: ForecastEvent) -> usize {
    match event.axis() {
        Some(Axis::Trend) => 1,
        Some(Axis::Volatility) => 2,
        Some(Axis::Risk | Axis::Heat) | None => 0,
    }
}

fn state_of(outcome: WindowOutcome) -> u8 {
    super::references::position(outcome).and_then(|p| u8::try_from(p).ok()).unwrap_or(u8::MAX)
}

fn known(state: u8) -> Option<u8> {
    (state != u8::MAX).then_some(state)
}

fn resolution(event: ForecastEvent, market: u16, issued_ts: Ts, (outcome, evidence): Judged) -> Resolution {
    Resolution { event, market, subject: None, issued_ts, outcome, evidence }
}

/// Why a forecast cannot be registered now.
fn hindered(event: ForecastEvent, price: Option<f64>, now: &GridReadings) -> Option<NotIssuedReason> {
    let missing = |there: bool| (!there).then_some(NotIssuedReason::MissingReference);
    if price.is_none_or(|p| p <= 0.0) {
        return Some(NotIssuedReason::NoPrice);
    }
    match event {
        ForecastEvent::Squeeze4h if !now.has_funding => Some(NotIssuedReason::NotOffered),
        ForecastEvent::Squeeze4h if now.longs_crowded.is_none() => Some(NotIssuedReason::NoSide),
        ForecastEvent::Squeeze4h => missing(now.atr.is_some()),
        ForecastEvent::TrendUp24h | ForecastEvent::TrendDown24h => missing(now.vol_daily.is_some()),
        ForecastEvent::VolClass24h | ForecastEvent::VolUp24h => missing(now.class.is_some()),
        _ => None,
    }
}

/// The 95th percentile by linear interpolation (type 7).
fn largest_twentieth(sums: &VecDeque<f32>) -> Option<f64> {
    let mut sorted: Vec<f32> = sums.iter().copied().collect();
    sorted.sort_unstable_by(f32::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    // Nineteen twentieths of the way, in whole numbers.
    let (at, rest) = (last * 19 / 20, last * 19 % 20);
    let low = f64::from(sorted[at]);
    let high = f64::from(*sorted.get(at + 1).unwrap_or(&sorted[at]));
    let share = f64::from(u8::try_from(rest).unwrap_or_default()) / 20.0;
    Some(low + (high - low) * share)
}
