//! Who hears what a journal says, and what is known of it at the end.

use super::ear::Played;
use super::listener::RecordListener;
use barograph_domain::{InstrumentName, Ts};
use barograph_venues::session::MarketSpec;

/// Who listens to the markets of a journal.
pub trait JournalAudience {
    /// Who listens to one of them.
    type Listener: RecordListener;

    /// May a venue have a market that is of interest? The frames of others are not looked at.
    fn cares_for(&self, venue: &str) -> bool;

    /// Who listens to a market, if anybody: asked once for each, when the process first takes it up. `has_book` says whether its
    /// book was asked for, and there is one.
    ///
    /// # Errors
    /// What ends the reading.
    fn listener(
        &mut self,
        market: &InstrumentName,
        spec: &MarketSpec,
        has_book: bool,
    ) -> Result<Option<Self::Listener>, Failure<Self>>;

    /// How far the journal was played: about once a second of its own time, and for every stretch of a thousand records whoever
    /// they are of, so that who waits can give up.
    ///
    /// # Errors
    /// What ends the reading.
    fn reached(&mut self, _at: Ts) -> Result<(), Failure<Self>> {
        Ok(())
    }
}

impl<A: JournalAudience> JournalAudience for &mut A {
    type Listener = A::Listener;

    fn cares_for(&self, venue: &str) -> bool {
        (**self).cares_for(venue)
    }

    fn listener(
        &mut self,
        market: &InstrumentName,
        spec: &MarketSpec,
        has_book: bool,
    ) -> Result<Option<Self::Listener>, Failure<Self>> {
        (**self).listener(market, spec, has_book)
    }

    fn reached(&mut self, at: Ts) -> Result<(), Failure<Self>> {
        (**self).reached(at)
    }
}

/// What ends the playing of a journal.
pub(super) type Failure<A> = <<A as JournalAudience>::Listener as RecordListener>::Failure;

/// One market as it was played.
#[derive(Debug)]
pub struct PlayedMarket<L> {
    /// Venue and symbol.
    pub name: InstrumentName,
    /// Who listened.
    pub listener: L,
    /// What was heard of it, counted.
    pub played: Played,
}

/// What was read and played.
#[derive(Debug)]
pub struct JournalPlayed<L> {
    /// Lines of the journal.
    pub lines: u64,
    /// First and last stamp.
    pub span: Option<(Ts, Ts)>,
    /// What could not be used, each as a sentence.
    pub troubles: Vec<String>,
    /// Files whose writer did not close them, because it was killed or still runs; what they hold was played.
    pub unclosed: usize,
    /// The markets, by name.
    pub markets: Vec<PlayedMarket<L>>,
}
