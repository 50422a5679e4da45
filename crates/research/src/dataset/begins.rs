//! Does the book of a recording begin? This is asked before the lake is touched: of a recording whose book never begins nothing is written,
//! and a later import of the same time has its trades in their places between the states.
//!
//! The recording is played up to the first state, so the look is short where there is one.

use super::tick::check_prices;
use super::without_options;
use crate::ResearchError;
use barograph_domain::depth::BookSides;
use barograph_domain::{GapReason, InstrumentName, Ts};
use barograph_lake::recorded::{CapturePlayed, RecordListener, RecordStamps, Recorded, RecordedFeed, RecordedTrade};
use barograph_venues::session::MarketSpec;

/// How often the caller hears how far it is: every so many trades.
const STEP: u64 = 1_024;

/// When the book begins. Refuses a recording without a state of its book, and a price step that is none of its prices.
///
/// # Errors
/// There is none, or the recording cannot be read up to there.
pub(super) fn check_book(
    (capture, spec): (&Recorded, &MarketSpec),
    market: &InstrumentName,
    tick: Option<f64>,
    step: &mut dyn FnMut(),
) -> Result<Ts, ResearchError> {
    let mut ear = BookAwaited { trades: 0, tick, step };
    let played = match capture.play(spec.clone(), &mut ear) {
        Err(BookFound::Begun(at)) => return Ok(at),
        Err(BookFound::Failed(e)) => return Err(without_options(e)),
        Ok(played) => played,
    };
    let (lines, trades) = (played.lines, played.played.trades);
    Err(ResearchError::Refused(if trades == 0 {
        format!(
            "nothing in the recording is a book or a trade of {market} ({lines} lines were read): {}",
            why_none(&played)
        )
    } else {
        format!(
            "{lines} lines were read with {trades} trades of {market}, and its book never begins: changes need a whole book before them, \
             which lies in the recording before; give both. Nothing was written"
        )
    }))
}

/// What became of the lines of a recording that holds nothing of its market.
fn why_none(played: &CapturePlayed) -> String {
    let first = |of: &Option<String>| of.as_ref().map_or(String::new(), |first| format!(" (the first: {first})"));
    let (unreadable, refused) = (played.unreadable, played.played.refused);
    let mut why: Vec<String> = played.torn.clone();
    if unreadable > 0 {
        why.push(format!("{unreadable} could not be read{}", first(&played.first_unreadable)));
    }
    if refused > 0 {
        why.push(format!("{refused} were refused{}", first(&played.played.first_refused)));
    }
    if unreadable + refused < played.lines {
        why.push("what is left is of other markets, or of messages without books and trades".to_owned());
    }
    format!("{}. Nothing was written", why.join("; "))
}

/// What ends the look.
enum BookFound {
    /// The book began, received at this moment.
    Begun(Ts),
    Failed(ResearchError),
}

impl From<barograph_lake::Error> for BookFound {
    fn from(e: barograph_lake::Error) -> Self {
        Self::Failed(e.into())
    }
}

/// Hears a recording until its book begins.
struct BookAwaited<'a> {
    trades: u64,
    /// What the user says is the smallest step of prices.
    tick: Option<f64>,
    step: &'a mut dyn FnMut(),
}

impl RecordListener for BookAwaited<'_> {
    type Failure = BookFound;

    fn book(&mut self, at: RecordStamps, sides: &BookSides<'_>, _: u32) -> Result<(), BookFound> {
        let fits = self.tick.map_or(Ok(()), |tick| check_prices(tick, sides));
        Err(fits.map_or_else(BookFound::Failed, |()| BookFound::Begun(at.recv)))
    }

    fn trade(&mut self, _: RecordStamps, _: RecordedTrade) -> Result<(), BookFound> {
        self.trades += 1;
        if self.trades.is_multiple_of(STEP) {
            (self.step)();
        }
        Ok(())
    }

    fn lost(&mut self, _: RecordedFeed, _: Ts, _: GapReason) -> Result<(), BookFound> {
        Ok(())
    }

    fn trades_begin(&mut self, _: Ts) -> Result<(), BookFound> {
        Ok(())
    }

    fn passed(&mut self, _: Ts) -> Result<(), BookFound> {
        Ok(())
    }
}
