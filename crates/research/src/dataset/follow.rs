//! The journal of a running process into the lake, as it grows.
//!
//! The journal is the truth: it is read from its beginning, as by an import, and what the lake has already is not written again. So a
//! follower that was stopped or killed loses nothing that is in the journal, and the live process never waits for it. What retention took
//! from the journal before it was followed is a gap.

use super::DatasetReport;
use super::beside::DatasetBeside;
use super::journal::unreadable;
use super::journal_market::{JournalMarket, JournalMarkets};
use super::keep::Kept;
use crate::ResearchError;
use barograph_domain::{InstrumentName, Span, Ts};
use barograph_lake::journal::{JournalReader, SettledJournal};
use barograph_lake::layers::LakeConfig;
use barograph_lake::recorded::{JournalAudience, JournalPlaying, PlayedMarket};
use barograph_venues::session::{Decimal, MarketSpec};
use std::path::PathBuf;

/// What is played at a time while the follower is behind.
const SLICE: Span = Span::mins(10);

/// What is to be followed.
#[derive(Clone, Debug)]
pub struct FollowRequest {
    /// Data folder of the program, as `up --data` has it.
    pub data: PathBuf,
    /// Whose rows; empty: of all markets whose book is listened to.
    pub markets: Vec<InstrumentName>,
    /// Folder of the lake.
    pub lake: PathBuf,
    /// Rows become files at the latest so long after they were known.
    pub flush_every: Span,
}

/// How far a follower is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FollowStep {
    /// Lines played in this step.
    pub lines: u64,
    /// Everything up to here is in the lake, or on its way there.
    pub reached: Option<Ts>,
    /// How far the journal can be read now.
    pub settled: Option<Ts>,
}

impl FollowStep {
    /// Is there more that could be played at once?
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.reached < self.settled
    }
}

/// Follows a journal into a lake.
#[derive(Debug)]
pub struct LakeFollower {
    root: PathBuf,
    playing: JournalPlaying<Followers>,
    settled: SettledJournal,
    now_settled: Option<Ts>,
    flush_every: Span,
}

impl LakeFollower {
    /// Nothing is read yet. The journal need not be there yet either. Other venues are compared with as in an import.
    ///
    /// # Errors
    /// A venue is not known, or readings of other feeds are given: they are fetched a day ahead, and those of minutes to come are not
    /// there yet.
    pub fn new(request: &FollowRequest, beside: &DatasetBeside) -> Result<Self, ResearchError> {
        if beside.feeds.is_some() {
            return Err(ResearchError::Refused(
                "a journal that is followed takes no readings of other feeds, which are fetched a day ahead; import it to have them".to_owned(),
            ));
        }
        let root = request.data.join("journal");
        let markets = JournalMarkets::new(&request.markets, beside);
        let followers = Followers { lake: request.lake.clone(), markets, flush_every: None };
        Ok(Self {
            playing: JournalPlaying::new(&root, followers),
            settled: SettledJournal::new(&root),
            root,
            now_settled: None,
            flush_every: request.flush_every,
        })
    }

    /// Plays what the journal has more of: a part of it while the follower is behind. To be called again at once then, else in a second.
    ///
    /// # Errors
    /// The journal cannot be read, or the lake cannot be written.
    pub fn step(&mut self) -> Result<FollowStep, ResearchError> {
        if !self.root.is_dir() {
            return Ok(FollowStep { lines: 0, reached: None, settled: None });
        }
        let done = self.playing.done();
        if done >= self.now_settled {
            self.now_settled = self.settled.poll().map_err(|e| unreadable(&e))?.max(self.now_settled);
        }
        let Some(settled) = self.now_settled else { return Ok(FollowStep { lines: 0, reached: done, settled: None }) };
        let mut lines = 0;
        if done < Some(settled) {
            let from = match done {
                Some(done) => done,
                None => self.begins()?.unwrap_or(settled),
            };
            lines = self.playing.advance(Some(settled.min(from + SLICE)))?;
        }
        let step = FollowStep { lines, reached: self.playing.done(), settled: Some(settled) };
        if !step.is_behind() {
            self.caught_up(settled)?;
        }
        Ok(step)
    }

    /// Rows are written as they come from now on.
    fn caught_up(&mut self, now: Ts) -> Result<(), ResearchError> {
        let every = self.flush_every;
        if self.playing.audience.flush_every.replace(every).is_none() {
            self.kept().for_each(|kept| kept.set_flush_every(every));
        }
        self.kept().try_for_each(|kept| kept.flush_if_due(now))
    }

    fn kept(&mut self) -> impl Iterator<Item = &mut Kept<'static>> {
        self.playing.listeners().filter_map(JournalMarket::kept)
    }

    fn begins(&self) -> Result<Option<Ts>, ResearchError> {
        let mut reader = JournalReader::open(&self.root, None).map_err(|e| unreadable(&e))?;
        // What is damaged is met, and declared, when it is played.
        Ok(reader.next().ok().flatten().map(|entry| entry.at))
    }

    /// What could not be used since it was last asked for, each as a sentence.
    pub fn take_troubles(&mut self) -> Vec<String> {
        self.playing.take_troubles()
    }

    /// Bytes that were read of the journal so far: what it has more of costs what it is long, however long the journal is.
    #[must_use]
    pub const fn bytes_read(&self) -> u64 {
        self.playing.bytes_read() + self.settled.bytes_read()
    }

    /// Feature rows that were written, of all markets.
    pub fn rows(&mut self) -> u64 {
        self.kept().map(|kept| kept.report().rows).sum()
    }

    /// Makes files of what was heard; the hour under way stays so. What was written of each market, by name.
    ///
    /// # Errors
    /// The lake cannot be written.
    pub fn finish(self) -> Result<Vec<(InstrumentName, DatasetReport)>, ResearchError> {
        let mut done = Vec::new();
        for PlayedMarket { name, listener, .. } in self.playing.finish()?.markets {
            if let JournalMarket::Kept(kept) = listener {
                done.push((name, kept.finish()?));
            }
        }
        Ok(done)
    }
}

/// Opens a market's tables when the journal first names it.
#[derive(Debug)]
struct Followers {
    lake: PathBuf,
    markets: JournalMarkets,
    /// `None` while the follower is behind: an hour becomes one file then.
    flush_every: Option<Span>,
}

impl JournalAudience for Followers {
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
            let mut config = LakeConfig::import(&self.lake);
            config.flush_every = self.flush_every.unwrap_or(config.flush_every);
            Kept::open(config, market, spec.tick.map(Decimal::to_f64), Box::new(|_| {}))
        })
    }
}
