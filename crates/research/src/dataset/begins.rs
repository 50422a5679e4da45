//! Does the book of a recording begin? This is asked before the lake is touched: of a recording whose book never begins nothing is written,
//! and a later import of the same time has its trades in their places between the states.
//!
//! The recording is played up to the first state, so the look is short where there is one.

use super::without_options;
use crate::ResearchError;
use barograph_domain::depth::BookSides;
use barograph_domain::{GapReason, InstrumentName, Ts};
use barograph_lake::recorded::{RecordListener, RecordStamps, Recorded, RecordedFeed, RecordedTrade};
use barograph_venues::session::MarketSpec;

/// How often the caller hears how far it is: every so many trades.
const STEP: u64 = 1_024;

/// Refuses a recording without a state of its book.
///
/// # Errors
/// There is none, or the recording cannot be read up to there.
pub(super) fn check_book(
    (capture, spec): (&Recorded, &MarketSpec),
    market: &InstrumentName,
    step: &mut dyn FnMut(),
) -> Result<(), ResearchError> {
    let mut ear = BookAwaited { trades: 0, step };
    let played = match capture.play(spec.clone(), &mut ear) {
        Err(BookFound::Begun) => return Ok(()),
        Err(BookFound::Failed(e)) => return Err(without_options(e)),
        Ok(played) => played,
    };
    let (lines, trades) = (played.lines, played.played.trades);
    Err(ResearchError::Refused(if trades == 0 {
        format!("{lines} lines were read, and none of them is a book or a trade of {market}")
    } else {
        format!(
            "{lines} lines were read with {trades} trades of {market}, and its book never begins: changes need a whole book before them, \
             which lies in the recording before; give both. Nothing was written"
        )
    }))
}

/// What ends the look.
enum BookFound {
    /// The book began.
    Begun,
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
    step: &'a mut dyn FnMut(),
}

impl RecordListener for BookAwaited<'_> {
    type Failure = BookFound;

    fn book(&mut self, _: RecordStamps, _: &BookSides<'_>, _: u32) -> Result<(), BookFound> {
        Err(BookFound::Begun)
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
