//! Bars and judged entries of every market, from one run of the engine whatever the number of strategies.
//!
//! A moment that a strategy picks is judged as `advise --as-of` would judge it at the end of the first minute that knows its bar: time is moved to that
//! moment before anything later is stepped, so that no later row or level is there yet.

use crate::failure::Failure;
use crate::run::{Run, RunSink};
use barograph_domain::forecast::{Calls, Forecaster, LedgerTick};
use barograph_domain::time::LATENESS;
use barograph_domain::{
    Event, Instrument, InstrumentName, Level, Metric, MinuteRow, Payload, Span, Status, StreamDecl, StreamIndex, Ts,
};
use barograph_engine::advice::{AdviceBasis, OperatorSettings};
use barograph_engine::features::atr::Atr;
use barograph_engine::features::bars::{BarBuilder, BarSample};
use barograph_engine::kpi::{
    BarMark, EntryMoment, FillBar, JudgedEntry, JudgedMoments, MarketRecord, NotJudged, Strategy, StrategyName, judge,
};
use barograph_engine::liquidity::strength_at;
use barograph_engine::rules::RuleBook;
use barograph_live::setup::Setup;
use barograph_query::render::Lens;
use barograph_store::run::row_of;
use barograph_verify::ledger::{Ledger, MinuteSample};

/// Which entries count, and how they are judged.
#[derive(Clone, Debug)]
pub(crate) struct EntryRange {
    pub(crate) strategies: Vec<StrategyName>,
    pub(crate) timeframe: Span,
    pub(crate) from: Option<Ts>,
    pub(crate) until: Option<Ts>,
    pub(crate) rules: OperatorSettings,
}

/// What there is of one market.
#[derive(Debug)]
pub(crate) struct GatheredMarket {
    pub(crate) name: InstrumentName,
    /// `None` where no bars divide the strategies' timeframe.
    pub(crate) record: Option<MarketRecord>,
    /// In the order of the strategies.
    pub(crate) judged: Vec<JudgedMoments>,
}

/// The newest two rows of every market, and what the ledger of forecasts had stated before them.
struct NewestRows<'a> {
    rows: Vec<[Option<MinuteRow>; 2]>,
    ledger: Ledger,
    places: Vec<usize>,
    tick: Option<LedgerTick>,
    of: (&'a [StreamDecl], &'a RuleBook),
}

impl<'a> NewestRows<'a> {
    fn new(instruments: &[Instrument], streams: &'a [StreamDecl], book: &'a RuleBook) -> Self {
        let mut ledger = Ledger::default();
        let places = instruments.iter().map(|i| ledger.place(&i.name)).collect();
        let rows = instruments.iter().map(|_| [None, None]).collect();
        Self { rows, ledger, places, tick: None, of: (streams, book) }
    }

    /// Minutes of all markets before this one are complete.
    fn before(&mut self, minute: Ts) {
        if self.rows.iter().flatten().flatten().all(|r| r.ts < minute) {
            self.tick = self.ledger.close().pop().or(self.tick.take());
        }
    }
}

impl RunSink for NewestRows<'_> {
    fn row(&mut self, row: &MinuteRow) -> Result<(), Failure> {
        self.before(row.ts);
        let (streams, book) = self.of;
        self.ledger.minute(self.places[row.instrument as usize], MinuteSample::of(row, streams, book));
        let [before, last] = &mut self.rows[row.instrument as usize];
        core::mem::swap(before, last);
        match last {
            Some(last) => last.clone_from(row),
            none => *none = Some(row.clone()),
        }
        Ok(())
    }
    fn gap(&mut self, _stream: StreamIndex, _status: &Status, _known_ts: Ts) -> Result<(), Failure> {
        Ok(())
    }
}

/// The bars of one market on their way through the strategies.
struct Gathering {
    stream: StreamIndex,
    builder: BarBuilder,
    strategies: Vec<Strategy>,
    atr: Atr,
    record: MarketRecord,
    judged: Vec<JudgedMoments>,
}

impl Gathering {
    /// Takes a bar; the moments that strategies pick at it, while that is news, each with the position of its strategy.
    fn bar(&mut self, close_ts: Ts, bar: &BarSample, wanted: &EntryRange) -> Vec<(usize, EntryMoment)> {
        if self.record.bars.last().is_some_and(|b| close_ts <= b.close_ts) {
            return Vec::new();
        }
        let BarSample { open, high, low, close, volume, .. } = *bar;
        self.record.bars.push(FillBar { close_ts, open, high, low, close, volume });
        let mut picked = Vec::new();
        let is_shown = |at| crate::input::shown(at, wanted.from, wanted.until);
        self.builder.push(close_ts, bar, |built| {
            let at = Ts(built.index * wanted.timeframe.0);
            let whole = FillBar {
                close_ts: at,
                open: built.open,
                high: built.high,
                low: built.low,
                close: built.close,
                volume: built.volume,
            };
            self.atr.push(whole.high, whole.low, whole.close);
            let moments = self.strategies.iter_mut().map(|s| s.push(&whole)).enumerate();
            picked = moments.filter_map(|(n, m)| Some((n, m.filter(|_| at == close_ts)?))).collect();
            let atr = self.atr.value().filter(|_| is_shown(at));
            self.record.marks.extend(atr.map(|atr| BarMark { at, close: whole.close, atr }));
        });
        picked.retain(|(_, m)| is_shown(m.at));
        picked
    }
}

/// A moment that waits for the end of its minute.
struct Waiting {
    market: usize,
    strategy: usize,
    due: Ts,
    moment: EntryMoment,
}

/// Runs the events through the engine and judges every moment of every strategy.
pub(crate) fn gather(
    setup: &Setup,
    (instruments, streams): (&[Instrument], &[StreamDecl]),
    events: impl Iterator<Item = Result<Event, Failure>>,
    wanted: &EntryRange,
) -> Result<Vec<GatheredMarket>, Failure> {
    let mut gathering: Vec<Option<Gathering>> = instruments.iter().map(|i| of_market(i, streams, wanted)).collect();
    let market_of: Vec<Option<usize>> = streams
        .iter()
        .zip(0..)
        .map(|(_, at)| gathering.iter().position(|g| g.as_ref().is_some_and(|g| g.stream == StreamIndex(at))))
        .collect();
    let lenses: Vec<Lens> = instruments.iter().map(|i| setup.lens(i, streams)).collect();
    let mut run = Run::new(setup, instruments, streams);
    let mut rows = NewestRows::new(instruments, streams, &setup.book);
    let mut waiting: Vec<Waiting> = Vec::new();
    let judged = |w: &Waiting, run: &mut Run, rows: &mut NewestRows<'_>| {
        run.advance(w.due, rows)?;
        let name = &instruments[w.market].name;
        let stated = rows.tick.as_ref().and_then(|t| Calls::of(t, name, Forecaster::Rules)).map(std::sync::Arc::new);
        let lens = &lenses[w.market].clone().stating(stated);
        let levels = levels(run, w.market, &lens.instrument.name, w.due);
        let basis = basis(lens, setup, &rows.rows[w.market], levels, w.due);
        let ctx = basis.as_ref().map(AdviceBasis::context);
        Ok::<_, Failure>(judge(ctx.as_ref(), &wanted.rules, (w.moment.at, w.moment.side, w.moment.price)))
    };
    for event in events {
        let event = event?;
        let later = waiting.partition_point(|w| w.due < event.recv_ts);
        for w in waiting.drain(..later) {
            let entry = judged(&w, &mut run, &mut rows)?;
            note(&mut gathering, &w, entry);
        }
        run.event(&event, &mut rows)?;
        let Payload::Bar(bar) = event.payload else { continue };
        let Some(market) = market_of.get(event.stream.index()).copied().flatten() else { continue };
        let Some(of) = &mut gathering[market] else { continue };
        let due = row_of(event.recv_ts) + LATENESS;
        let moments = of.bar(event.event_ts, &bar.into(), wanted).into_iter();
        waiting.extend(moments.map(|(strategy, moment)| Waiting { market, strategy, due, moment }));
    }
    for w in &waiting {
        let entry = judged(w, &mut run, &mut rows)?;
        note(&mut gathering, w, entry);
    }
    let names = instruments.iter().map(|i| i.name.clone());
    let of = |(name, g): (InstrumentName, Option<Gathering>)| match g {
        Some(g) => GatheredMarket { name, record: Some(g.record), judged: g.judged },
        None => GatheredMarket { name, record: None, judged: vec![JudgedMoments::new(); wanted.strategies.len()] },
    };
    Ok(names.zip(gathering).map(of).collect())
}

fn note(gathering: &mut [Option<Gathering>], of: &Waiting, entry: Result<JudgedEntry, NotJudged>) {
    if let Some(market) = &mut gathering[of.market] {
        market.judged[of.strategy].push(entry);
    }
}

/// With the finest bars that the strategies' timeframe can be put together from.
fn of_market(instrument: &Instrument, streams: &[StreamDecl], wanted: &EntryRange) -> Option<Gathering> {
    let frame = wanted.timeframe;
    let fits = |d: &StreamDecl| {
        d.metric == Metric::Bar && d.instrument == instrument.name && d.cadence.0 > 0 && frame.0 % d.cadence.0 == 0
    };
    let (at, decl) = (0_u16..).zip(streams).filter(|(_, d)| fits(d)).min_by_key(|(_, d)| d.cadence)?;
    Some(Gathering {
        stream: StreamIndex(at),
        builder: BarBuilder::new(frame, decl.cadence),
        strategies: wanted.strategies.iter().map(|name| Strategy::new(*name, frame)).collect(),
        atr: Atr::default(),
        record: MarketRecord { step: decl.cadence, ..MarketRecord::default() },
        judged: vec![JudgedMoments::new(); wanted.strategies.len()],
    })
}

fn levels(run: &Run, market: usize, name: &InstrumentName, at: Ts) -> Vec<Level> {
    let Some(state) = run.engine.market(market) else { return Vec::new() };
    let changes = state.levels().map(|level| level.published(name));
    changes.map(|c| Level { strength: strength_at(&c, at), ..c.level }).collect()
}

/// What `advise` would know; `None` before the first minute.
fn basis(
    lens: &Lens,
    setup: &Setup,
    [before, last]: &[Option<MinuteRow>; 2],
    levels: Vec<Level>,
    moment: Ts,
) -> Option<AdviceBasis> {
    let row = last.as_ref()?;
    let snapshot = std::sync::Arc::new(lens.as_of(row, before.as_ref(), moment));
    let basis = AdviceBasis::new(snapshot, row, moment).with_verdict(lens.book.verdict);
    let basis = if levels.is_empty() { basis } else { basis.with_levels(levels) };
    Some(match &setup.calendar {
        Some(calendar) => basis.with_calendar(calendar),
        None => basis,
    })
}
