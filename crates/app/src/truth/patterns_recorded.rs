//! Episodes laid over a recording: files of a market, or the journal of the data folder, played once.

use super::patterns::asked;
use super::patterns_print;
use crate::cli::PatternsArgs;
use crate::config::Settings;
use crate::failure::Failure;
use crate::input::market_named;
use crate::progress::{Progress, Unit};
use barograph_domain::depth::BookSides;
use barograph_domain::{GapReason, InstrumentName, Ts};
use barograph_engine::order_flow::{FlowStream, FlowThresholds};
use barograph_lake::Error;
use barograph_lake::recorded::{
    CapturePlayed, JournalAudience, RecordListener, RecordStamps, Recorded, RecordedFeed, RecordedTrade, play_journal,
};
use barograph_live::replay::{journal_folder, was_live};
use barograph_venues::session::MarketSpec;
use barograph_verify::injected::recorded::{LAID_PATTERNS, RECORDED_MIN, RecordedPlan, RecordedReport, RecordedTruth};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Levels are given to twice the band, as live.
const BANDS: f64 = 2.0;

pub(super) fn run(
    market: &str,
    args: &PatternsArgs,
    (settings, t): (&Settings, FlowThresholds),
    json: bool,
) -> Result<(), Failure> {
    let market = market_named(market, settings)?;
    let plan = RecordedPlan {
        patterns: asked(args, &LAID_PATTERNS),
        intensities: args.intensities.clone(),
        episodes: args.episodes.map_or(usize::MAX, |n| n as usize),
        seed: args.seed,
    };
    let truth = RecordedTruth::new(&market.to_string(), plan, t);
    let reach_bps = BANDS * t.band_bps;
    let (report, troubles) = if args.sources.is_empty() {
        of_journal(&market, (truth, reach_bps), &settings.data)?
    } else {
        let recorded = Recorded::open(&market, &args.sources)?;
        let (bytes, read) = recorded.progress();
        let progress = Some((Progress::new(bytes, "playing", Unit::Bytes), read));
        let mut heard = PatternListener { truth, reach_bps, progress, second: 0 };
        let played = recorded.play(recorded.spec(args.contract_size)?, &mut heard)?;
        (heard.truth.finish(), troubles_of(played))
    };
    patterns_print::recorded(&market, (&report, &asked(args, &LAID_PATTERNS)), &troubles, json)?;
    match refusal(&market, &report, &t) {
        Some(why) => Err(Failure::No(why)),
        None => Ok(()),
    }
}

/// Why nothing, or nothing that is worth a figure, could be laid over it.
pub(super) fn refusal(market: &InstrumentName, report: &RecordedReport, t: &FlowThresholds) -> Option<String> {
    let needed = format!(
        "Injections want {} h of book and trades: the detectors of books judge after {} h, and 100 episodes with ten minutes between \
         them take some 20 h more",
        RECORDED_MIN.as_secs() / 3_600,
        t.warm_hours
    );
    if report.states == 0 || report.trades == 0 {
        let missing = if report.states == 0 { "book" } else { "trade" };
        return Some(format!("the recording of {market} holds no {missing}. {needed}"));
    }
    if report.known < RECORDED_MIN {
        return Some(format!(
            "the recording of {market} is too short: its book is known for {}, in {} states with {} trades. {needed}",
            report.known.spoken(),
            report.states,
            report.trades
        ));
    }
    (report.slow > 0.5).then(|| {
        format!(
            "the book of {market} comes too seldom: {:.0} % of the times between two states are longer than {} ms, and the detectors of \
             books judge only where half of them are shorter",
            100.0 * report.slow,
            t.book_interval_ms
        )
    })
}

/// What of files could not be used.
fn troubles_of(played: CapturePlayed) -> Vec<String> {
    let mut troubles: Vec<String> =
        played.torn.into_iter().map(|torn| format!("{torn}; what came before is used")).collect();
    let first = |first: Option<String>| first.map(|first| format!("; the first: {first}")).unwrap_or_default();
    if played.unreadable > 0 {
        let first = first(played.first_unreadable);
        troubles.push(format!("{} lines could not be read and were left out{first}", played.unreadable));
    }
    if played.played.refused > 0 {
        let first = first(played.played.first_refused);
        troubles.push(format!("{} messages could not be used{first}", played.played.refused));
    }
    troubles
}

fn of_journal(
    market: &InstrumentName,
    (truth, reach_bps): (RecordedTruth, f64),
    data: &Path,
) -> Result<(RecordedReport, Vec<String>), Failure> {
    if !was_live(data) {
        return Err(Failure::usage(format!(
            "{} holds no journal; give recordings or the folder of a lake with --source, or record with: barograph up",
            data.display()
        )));
    }
    let listener = Some(PatternListener { truth, reach_bps, progress: None, second: 0 });
    let progress = Progress::new(0, "playing the journal", Unit::Steps);
    let mut audience = PatternAudience { market, listener, progress, begin: None };
    let played = play_journal(&journal_folder(data), None, &mut audience)?;
    let heard = played.markets.into_iter().next().map(|one| one.listener).or(audience.listener);
    let heard = heard.ok_or_else(|| Failure::broken("the journal lost its listener"))?;
    Ok((heard.truth.finish(), played.troubles))
}

/// Hears one market of a journal.
struct PatternAudience<'a> {
    market: &'a InstrumentName,
    /// Until the journal names the market.
    listener: Option<PatternListener>,
    progress: Progress,
    begin: Option<Ts>,
}

impl JournalAudience for PatternAudience<'_> {
    type Listener = PatternListener;

    fn cares_for(&self, venue: &str) -> bool {
        self.market.venue.as_str() == venue
    }

    fn listener(&mut self, market: &InstrumentName, _: &MarketSpec, _: bool) -> Result<Option<PatternListener>, Error> {
        Ok(if market == self.market { self.listener.take() } else { None })
    }

    fn reached(&mut self, at: Ts) -> Result<(), Error> {
        let begin = *self.begin.get_or_insert(at);
        self.progress.set(u64::try_from((at - begin).as_secs()).unwrap_or(0));
        Ok(())
    }
}

/// Hands on what a recording says.
#[derive(Debug)]
struct PatternListener {
    truth: RecordedTruth,
    reach_bps: f64,
    /// Of files, with the bytes that were read.
    progress: Option<(Progress, Arc<AtomicU64>)>,
    second: i64,
}

const fn stream(feed: RecordedFeed) -> FlowStream {
    match feed {
        RecordedFeed::Book => FlowStream::Book,
        RecordedFeed::Trades => FlowStream::Trades,
    }
}

impl RecordListener for PatternListener {
    type Failure = Error;

    fn reach_bps(&self) -> f64 {
        self.reach_bps
    }
    fn book(&mut self, at: RecordStamps, sides: &BookSides<'_>, _updates: u32) -> Result<(), Error> {
        self.truth.book(at.recv, sides.bids, sides.asks);
        Ok(())
    }
    fn trade(&mut self, at: RecordStamps, trade: RecordedTrade) -> Result<(), Error> {
        self.truth.trade(at.recv, trade.price, trade.size, trade.is_buy);
        Ok(())
    }
    fn lost(&mut self, feed: RecordedFeed, _from: Ts, _why: GapReason) -> Result<(), Error> {
        self.truth.lost(stream(feed));
        Ok(())
    }
    fn trades_begin(&mut self, _from: Ts) -> Result<(), Error> {
        self.truth.trades_begin();
        Ok(())
    }
    fn passed(&mut self, recv: Ts) -> Result<(), Error> {
        self.truth.passed(recv);
        let second = recv.0.div_euclid(1_000_000_000);
        if let Some((progress, read)) = self.progress.as_mut().filter(|_| second != self.second) {
            self.second = second;
            progress.set(read.load(Ordering::Relaxed));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Span;

    /// What is there and what is needed, in words of people.
    #[test]
    fn a_refusal_states_what_is_there_and_what_is_needed() {
        let market = InstrumentName::parse("binance-usdm:BTCUSDT").unwrap();
        let day = Span::hours(26);
        // States, trades, time in which the book is known, share of slow updates.
        let cases: [(u64, u64, Span, f64, &[&str]); 5] = [
            (0, 0, Span::ZERO, 0.0, &["holds no book", "Injections want 24 h", "judge after 6 h"]),
            (9, 0, day, 0.0, &["holds no trade", "100 episodes"]),
            (900, 7, Span::mins(62), 0.0, &["too short", "1 h 2 min, in 900 states with 7 trades", "want 24 h"]),
            (900, 7, day, 0.75, &["75 % of the times between two states are longer than 250 ms"]),
            (900, 7, day, 0.5, &[]),
        ];
        for (states, trades, known, slow, wanted) in cases {
            let report =
                RecordedReport { span: None, states, trades, known, slow, background: Vec::new(), rows: Vec::new() };
            let said = refusal(&market, &report, &FlowThresholds::default());
            assert_eq!(said.is_none(), wanted.is_empty(), "{said:?}");
            let said = said.unwrap_or_default();
            wanted.iter().for_each(|part| assert!(said.contains(part), "{part}: {said}"));
            assert!(barograph_testkit::faults(&said).is_empty(), "{:?}", barograph_testkit::faults(&said));
        }
    }
}
