//! The program's own journal into the lake: whole days of many markets in one pass, as they were heard live.

use super::DatasetReport;
use super::beside::DatasetBeside;
use super::edge::LATE;
use super::journal_market::{JournalMarket, JournalMarkets};
use super::keep::Kept;
use crate::ResearchError;
use barograph_domain::{InstrumentName, Span, Ts};
use barograph_lake::journal;
use barograph_lake::layers::LakeConfig;
use barograph_lake::recorded::{CapturePlayed, JournalAudience, JournalPlayed, PlayedMarket, play_journal};
use barograph_venues::session::{Decimal, MarketSpec};
use core::ops::Range;
use std::path::PathBuf;

const HOUR: Span = Span::hours(1);

/// What one file of a journal may have before another, in times of its clock: flushes are a second apart, at a hundred times the speed at
/// most.
const UNSETTLED: Span = Span::secs(200);

/// What of a journal is to be recorded into the lake.
#[derive(Clone, Debug)]
pub struct JournalRequest {
    /// Data folder of the program, as `up --data` has it.
    pub data: PathBuf,
    /// Whose rows; empty: of all markets whose book was listened to.
    pub markets: Vec<InstrumentName>,
    /// Folder of the lake.
    pub lake: PathBuf,
    /// Hours that end before this are left out. They are played all the same: books and windows come of them.
    pub from: Option<Ts>,
    /// Hours that begin at this or later are left out.
    pub until: Option<Ts>,
}

/// What was recorded.
#[derive(Clone, PartialEq, Debug)]
pub struct JournalDataset {
    /// Lines of the journal.
    pub lines: u64,
    /// First and last stamp of what was played.
    pub span: Option<(Ts, Ts)>,
    /// What could not be used, each as a sentence.
    pub troubles: Vec<String>,
    /// Hours up to which rows were made; `None`: to the end.
    pub until: Option<Ts>,
    /// The markets, by name.
    pub markets: Vec<(InstrumentName, DatasetReport)>,
}

/// Plays a journal into the lake. What is there already is not written again and the hour under way is gone on with, so it may be called
/// again and again as the journal grows. `step` is called about once a recorded second with how many seconds of how many were played.
///
/// A journal is played from its beginning, whatever `from` says: what its processes knew follows from all of it.
///
/// # Errors
/// There is no journal, it holds nothing of what was asked for, or the lake cannot be written.
pub fn record_journal(
    request: &JournalRequest,
    step: &mut dyn FnMut(u64, u64),
) -> Result<JournalDataset, ResearchError> {
    record_journal_beside(request, &DatasetBeside::default(), step)
}

/// The same with readings of other feeds. Other venues of the same asset are compared with, as far as the journal has them.
///
/// # Errors
/// As [`record_journal`], also of the readings.
pub fn record_journal_beside(
    request: &JournalRequest,
    beside: &DatasetBeside,
    step: &mut dyn FnMut(u64, u64),
) -> Result<JournalDataset, ResearchError> {
    let root = request.data.join("journal");
    let last = if root.is_dir() { journal::survey(&root).map_err(|e| unreadable(&e))?.last } else { None };
    let Some(last) = last else {
        let shown = root.display();
        return Err(ResearchError::Refused(format!("{shown} holds no journal: it is written by `barograph up`")));
    };
    let until = request.until.map(|until| until.ceil(HOUR));
    // Beside a process that writes it, files are flushed one after another: what one has and another lacks is for the next time.
    let settled = journal::is_written(&root).then_some(last - UNSETTLED);
    let within = request.from.map_or(Ts::MIN, |from| from.floor(HOUR))..until.unwrap_or(Ts::MAX);
    let markets = JournalMarkets::new(&request.markets, beside);
    let mut audience = LakeAudience { request, markets, within, begin: None, last, step };
    let played =
        play_journal(&root, [until.map(|until| until + LATE), settled].into_iter().flatten().min(), &mut audience)?;
    let missing = audience.markets.missing_reference();
    let mut done = finish(request, until, played)?;
    done.troubles.extend(missing);
    Ok(done)
}

fn finish(
    request: &JournalRequest,
    until: Option<Ts>,
    played: JournalPlayed<JournalMarket>,
) -> Result<JournalDataset, ResearchError> {
    let JournalPlayed { lines, span, mut troubles, markets, .. } = played;
    let mut done = Vec::new();
    for PlayedMarket { name, listener, played } in markets {
        let JournalMarket::Kept(listener) = listener else { continue };
        let report = listener.finish()?;
        if played.books == 0 && played.trades == 0 {
            continue;
        }
        let played = CapturePlayed { lines, span, played, ..CapturePlayed::default() };
        done.push((name, DatasetReport { played, ..report }));
    }
    for name in request.markets.iter().filter(|name| !done.iter().any(|(have, _)| have == *name)) {
        troubles.push(format!("the journal holds no book and no trade of {name}"));
    }
    if done.is_empty() {
        troubles.insert(0, "the journal holds nothing of what was asked for".to_owned());
        return Err(ResearchError::Refused(troubles.join("; ")));
    }
    Ok(JournalDataset { lines, span, troubles, until, markets: done })
}

/// Opens a market's tables when the journal first names it.
struct LakeAudience<'a> {
    request: &'a JournalRequest,
    markets: JournalMarkets,
    within: Range<Ts>,
    /// How far it was when first asked.
    begin: Option<Ts>,
    last: Ts,
    step: &'a mut dyn FnMut(u64, u64),
}

impl JournalAudience for LakeAudience<'_> {
    type Listener = JournalMarket;

    /// Any venue may have a market to compare with.
    fn cares_for(&self, _: &str) -> bool {
        true
    }

    fn listener(
        &mut self,
        market: &InstrumentName,
        spec: &MarketSpec,
        has_book: bool,
    ) -> Result<Option<JournalMarket>, ResearchError> {
        self.markets.listener(market, spec, has_book, || {
            let config = LakeConfig::import(&self.request.lake);
            let kept = Kept::open(config, market, spec.tick.map(Decimal::to_f64), Box::new(|_| {}))?;
            Ok(kept.within(self.within.clone()))
        })
    }

    fn reached(&mut self, at: Ts) -> Result<(), ResearchError> {
        let begin = *self.begin.get_or_insert(at);
        let seconds = |span: Span| u64::try_from(span.0 / 1_000_000_000).unwrap_or(0);
        (self.step)(seconds(at - begin), seconds(self.last - begin));
        Ok(())
    }
}

pub(super) fn unreadable(e: &journal::Error) -> ResearchError {
    ResearchError::Refused(e.to_string())
}
