//! The detectors of one market: each minute after its axes, and the burst at every liquidation (surveillance §2, §4).

use super::MarketState;
use crate::assemble::Assembly;
use crate::catalogue::Feature;
use crate::detect::data::{DataInputs, DataWatch};
use crate::detect::episode::RunningEpisode;
use crate::detect::inputs::Confirmed;
use crate::detect::ruled::RuleWatch;
use crate::detect::table::Detector;
use crate::detect::{AxisLabels, Inputs, LiquidationInputs, Surveillance};
use crate::engine::{AlertOut, Config, Outputs};
use crate::features::settled::Settled;
use crate::liquidations::Liquidations;
use crate::rules::{AxisStates, EVENT_FEATURE, RuleBook};
use barograph_domain::time::LATENESS;
use barograph_domain::{
    Alert, Axis, Cell, Confirmation, Event, KnownAlert, Label, Metric, OpenAlert, OpenAlerts, Pattern, Payload, Reason,
    Span, StreamDecl, Timeframes, TrendRegime, Ts, VolRegime,
};
use serde::{Deserialize, Serialize};

/// Episodes of a market, and room for the records of one step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Watch {
    surveillance: Surveillance,
    data: DataWatch,
    rules: RuleWatch,
    #[serde(skip)]
    made: Vec<Alert>,
    /// Readings of the last minute that rules judged at events read, in the order of [`RuleBook::read_at_events`]. Saved: a
    /// market that goes on from a checkpoint judges events before it has made a minute.
    last: Vec<Cell>,
    /// Room for these in the order of the catalogue, with what is read at this moment.
    #[serde(skip)]
    at_event: Vec<Cell>,
    /// What the detectors read last: what has not moved since is not written again.
    #[serde(skip)]
    read: Option<Box<Read>>,
    /// What is open. Every change of it makes a record, so it is counted again after one.
    #[serde(skip)]
    open: Option<OpenAlerts>,
}

/// What the detectors read, and of which labels it is said whether timeframes confirm an axis.
#[derive(Clone, Debug)]
struct Read {
    inputs: Inputs,
    labels: ([TrendRegime; 4], [VolRegime; 4]),
}

impl Read {
    fn new(t: Ts, timeframes: &Timeframes) -> Self {
        let mut out = Self { inputs: Inputs::nothing(t), labels: (timeframes.trend, timeframes.volatility) };
        out.confirm();
        out
    }

    fn confirm(&mut self) {
        // Only two axes have readings of a timeframe's own. What the others said at closes that fall together, as all do at
        // midnight, is one reading and no agreement.
        self.inputs.confirmed = [
            Confirmed::unknown(Axis::Risk),
            confirmed(Axis::Trend, &self.labels.0),
            confirmed(Axis::Volatility, &self.labels.1),
            Confirmed::unknown(Axis::Heat),
        ];
    }

    /// Labels on timeframes seldom move.
    fn take_timeframes(&mut self, timeframes: &Timeframes) {
        if self.labels != (timeframes.trend, timeframes.volatility) {
            self.labels = (timeframes.trend, timeframes.volatility);
            self.confirm();
        }
    }
}

impl Watch {
    /// Nothing has been seen.
    pub(super) fn new(config: &Config) -> Self {
        Self {
            surveillance: Surveillance::default(),
            data: DataWatch::default(),
            rules: RuleWatch::new(&config.book),
            last: vec![NO_MINUTE; config.book.read_at_events().len()],
            made: Vec::new(),
            at_event: Vec::new(),
            read: None,
            open: None,
        }
    }

    /// Keeps of a minute what rules judged at events read.
    fn keep(&mut self, cells: &[Cell], book: &RuleBook) {
        for (kept, feature) in self.last.iter_mut().zip(book.read_at_events()) {
            *kept = cells[feature.index()];
        }
    }

    /// Judges at an event the rules that read how many there are.
    fn judge_event(&mut self, ts: Ts, count: Cell, book: &RuleBook) {
        self.at_event.resize(Feature::COUNT, NO_MINUTE);
        for (kept, feature) in self.last.iter().zip(book.read_at_events()) {
            self.at_event[feature.index()] = *kept;
        }
        self.at_event[EVENT_FEATURE.index()] = count;
        self.rules.at_event(ts, book, &self.at_event, &mut self.made);
    }

    /// Hands on the records of one step.
    #[inline]
    fn report(&mut self, instrument: u32, known_at: Ts, out: &mut Outputs) {
        if self.made.is_empty() {
            return;
        }
        self.open = None;
        for alert in self.made.drain(..) {
            out.push_alert(AlertOut { instrument, known: KnownAlert { known_at, alert } });
        }
    }
}

/// A reading before the first minute.
const NO_MINUTE: Cell = Cell::undefined(Reason::MissingInput);

/// Names of the timeframes that agree, by a bit for each of the four, shortest first.
static AGREEING: [&[&str]; 16] = [
    &[],
    &["1h"],
    &["4h"],
    &["1h", "4h"],
    &["1d"],
    &["1h", "1d"],
    &["4h", "1d"],
    &["1h", "4h", "1d"],
    &["1w"],
    &["1h", "1w"],
    &["4h", "1w"],
    &["1h", "4h", "1w"],
    &["1d", "1w"],
    &["1h", "1d", "1w"],
    &["4h", "1d", "1w"],
    &["1h", "4h", "1d", "1w"],
];

/// Whether the timeframes confirm an axis, as snapshots say it.
fn confirmed<L: Label>(axis: Axis, timeframes: &[L; 4]) -> Confirmed {
    let said = Confirmation::of(timeframes);
    let agrees = |bits: usize, (i, label): (usize, &L)| bits | usize::from(Some(*label) == said.primary) << i;
    Confirmed {
        axis,
        label: said.primary.map_or("", |l| l.word()),
        code: said.primary.map_or(0, |l| l.code()),
        is: said.primary.map(|_| said.confirmed),
        confidence: said.confidence,
        timeframes: AGREEING[timeframes.iter().enumerate().fold(0, agrees)],
    }
}

impl MarketState {
    /// Judges the minute whose readings and labels these are.
    pub(super) fn watch(
        &mut self,
        t: Ts,
        states: &AxisStates,
        assembly: &Assembly,
        (config, streams): (&Config, &[StreamDecl]),
        out: &mut Outputs,
    ) {
        let cells = assembly.cells();
        self.read_inputs(t, states, assembly);
        let watch = &mut self.watch;
        if let Some(read) = &watch.read {
            let by = (&config.book.detectors, &config.book.severity);
            watch.surveillance.step_by(&read.inputs, by, &mut watch.made);
        }
        let data = DataInputs { ts: t, inputs: assembly.inputs(), streams, freshness: config.book.freshness };
        watch.data.step_aged(data, self.axes.inputs_are_fresh(), &mut watch.made);
        watch.rules.step(t, &config.book, cells, &mut watch.made);
        watch.keep(cells, &config.book);
        watch.report(self.index, t + LATENESS, out);
    }

    /// What the detectors read of this minute.
    fn read_inputs(&mut self, t: Ts, states: &AxisStates, assembly: &Assembly) {
        let offered = self.feeds.liquidations.is_some() || self.feeds.offers(Metric::Liquidation);
        let read = self.watch.read.get_or_insert_with(|| Box::new(Read::new(t, assembly.timeframes())));
        read.take_timeframes(assembly.timeframes());
        let inputs = &mut read.inputs;
        inputs.ts = t;
        inputs.read(assembly.cells());
        inputs.funding_window = funding_window(&self.feeds.settled, &inputs.funding_zscore);
        match &self.feeds.liquidations {
            Some(liquidations) => inputs.liquidations.read(liquidations.slots(), t),
            None => inputs.liquidations = LiquidationInputs::without(no_liquidations(offered)),
        }
        inputs.labels = AxisLabels {
            risk: Some(states.risk.label),
            trend: Some(states.trend.label),
            volatility: Some(states.volatility.label),
            heat: Some(states.heat.label),
        };
        inputs.session = Some(assembly.session());
        inputs.price = assembly.price();
    }

    fn liquidation_inputs(&self, t: Ts) -> LiquidationInputs {
        match &self.feeds.liquidations {
            Some(liquidations) => LiquidationInputs::of(liquidations.slots(), t),
            None => LiquidationInputs::without(no_liquidations(self.feeds.offers(Metric::Liquidation))),
        }
    }

    /// Takes a liquidation and asks at once whether it completes a burst. One that is heard too late to speak of the minute
    /// under way is counted, and calls nobody; one stamped more than the tolerance of stamps after it was heard is refused. Apart
    /// from other events, which are many more and need little.
    #[inline(never)]
    pub(super) fn liquidation(&mut self, event: &Event, config: &Config, out: &mut Outputs) {
        let (Some(own), Payload::Liquidation { liquidated_side, price, qty }) =
            (&mut self.feeds.liquidations, event.payload)
        else {
            return;
        };
        if Liquidations::is_ahead(event.event_ts, event.recv_ts) {
            own.refuse();
            return;
        }
        let burst = own.push(event.event_ts, liquidated_side, price, qty);
        if !own.is_news(event.event_ts, event.recv_ts, &burst) {
            return;
        }
        let liquidations = self.liquidation_inputs(burst.ts).at_event(&burst);
        let inputs = Inputs { liquidations, ..Inputs::nothing(burst.ts) };
        let count = inputs.liquidations.count_60s;
        let by = (&config.book.detectors, &config.book.severity);
        self.watch.surveillance.at_event_by(&inputs, by, &mut self.watch.made);
        if config.book.judges_events() {
            self.watch.judge_event(burst.ts, count, &config.book);
        }
        self.watch.report(self.index, event.recv_ts, out);
    }

    /// Episodes that are open now, with their detectors.
    pub fn open_episodes(&self) -> impl Iterator<Item = (&'static Detector, &RunningEpisode)> {
        self.watch.surveillance.open()
    }

    /// Ends every alert that is open, each with a record: what follows does not go on from what was seen.
    pub(crate) fn end_episodes(&mut self, ts: Ts, config: &Config, out: &mut Outputs) {
        self.watch.surveillance.end(ts, &mut self.watch.made);
        self.watch.data.end(ts, &mut self.watch.made);
        self.watch.rules.end(ts, &config.book, &mut self.watch.made);
        self.watch.report(self.index, ts, out);
    }

    /// What of them a row says: how many there are and the worst, those of the data and of the user's own rules among them.
    pub(super) fn open_alerts(&mut self) -> OpenAlerts {
        if let Some(open) = self.watch.open {
            return open;
        }
        let open = self.count_open();
        self.watch.open = Some(open);
        open
    }

    fn count_open(&self) -> OpenAlerts {
        let mut open = OpenAlerts::default();
        let detected = self.open_episodes().map(|(detector, running)| (detector.pattern, running.severity, None));
        let data = self.watch.data.open().map(|(pattern, severity)| (pattern, severity, None));
        let own = self.watch.rules.open().map(|(i, severity)| (Pattern::AlertRule, severity, u8::try_from(i).ok()));
        for (pattern, severity, rule) in detected.chain(data).chain(own) {
            open.add(OpenAlert { pattern, severity, rule });
        }
        open
    }

    /// A fuller past takes this market's place: what was reported of its episodes and labels stays, how often they happen here is
    /// counted in the fuller one.
    pub(crate) fn adopt_episodes(&mut self, told: &Self) {
        self.watch.surveillance.adopt(&told.watch.surveillance);
        self.watch.data.clone_from(&told.watch.data);
        self.watch.rules.clone_from(&told.watch.rules);
        self.watch.open = None;
    }
}

/// Settlements come hours apart: their score is one of a week (features §2.7).
fn funding_window(settled: &[Settled], zscore: &Cell) -> Span {
    let settled = settled.iter().any(|s| zscore.stream == Some(s.stream()));
    if settled { Span::days(7) } else { Span::hours(24) }
}

/// Why there are no readings of liquidations.
const fn no_liquidations(offered: bool) -> Reason {
    if offered { Reason::MissingInput } else { Reason::NotOffered }
}
