//! What a venue adds to the machine of [`super::kit`]: its channels, its markets and how they are asked for in [`Protocol`], what
//! its frames say in [`Feed`], what it is asked for and what the answers say in [`Rest`]. The last two are implemented for its
//! [`Kit`] where that code is.

use crate::session::asked::OpenRequests;
use crate::session::chain::Chained;
use crate::session::facts::LastReported;
use crate::session::history::Job;
use crate::session::kit::Kit;
use crate::session::offer::Offer;
use crate::session::{
    Action, CloseReason, ConnId, FailReason, Input, Limits, Link, LinkId, MarketIndex, MarketSpec, OrderBook, Out,
    RequestId,
};
use barograph_domain::{Metric, Span, Ts};
use core::fmt::Debug;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What one subscription of one market carries. Implemented by [`channels!`].
pub(crate) trait Channel: Copy + PartialEq + Debug + Send + 'static {
    /// All of them, in the order in which they are subscribed.
    const ALL: &'static [Self];
    /// Its bit in coverage.
    fn bit(self) -> u16;
    /// The venue's word.
    fn word(self) -> &'static str;
    /// Streams that end with it.
    fn metrics(self) -> &'static [Metric];
    /// The channel of a word.
    fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|c| c.word() == word)
    }
}

/// Declares the channels of a venue, one row each: name, the venue's word, the streams it carries.
macro_rules! channels {
    ($(#[$doc:meta])* $name:ident { $($(#[$row:meta])* $variant:ident $word:literal [$($metric:ident),+],)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
        pub(super) enum $name { $($(#[$row])* $variant),+ }

        impl $crate::session::protocol::Channel for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];
            fn bit(self) -> u16 {
                1 << self as u16
            }
            fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
            fn metrics(self) -> &'static [barograph_domain::Metric] {
                match self { $(Self::$variant => &[$(barograph_domain::Metric::$metric),+]),+ }
            }
        }
    };
}
pub(crate) use channels;

/// The place of a market that comes over one connection, and its book.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Seat {
    /// Its connection.
    pub link: LinkId,
    /// Bits of the channels wanted; none once the market is not.
    pub channels: u16,
    /// Bits of the channels the venue refused.
    pub refused: u16,
    /// Continued by a chain of changes.
    pub book: Chained,
}

/// State of a market, as far as the machine needs it. Where subscriptions are not of one market each, nothing is said of them:
/// the venue opens, closes, revives and changes by itself.
pub(crate) trait Market<C>: Debug + Send + Serialize + DeserializeOwned {
    /// The venue's name of it.
    fn symbol(&self) -> &str;
    /// Its place, where it comes over one connection.
    fn seat(&self) -> Option<&Seat> {
        None
    }
    /// The same, and what was reported last of the market.
    fn seat_mut(&mut self) -> Option<(&mut Seat, &mut LastReported)> {
        None
    }
    /// The connection most of it comes over.
    fn link(&self) -> Option<LinkId> {
        self.seat().map(|s| s.link)
    }
    /// The connection one of its channels comes over.
    fn link_of(&self, _channel: C) -> Option<LinkId> {
        self.link()
    }
    /// Bits of the channels wanted; none once the market is not.
    fn channels(&self) -> u16 {
        self.seat().map_or(0, |s| s.channels)
    }
    /// Bits of the channels the venue refused.
    fn refused(&self) -> u16 {
        self.seat().map_or(0, |s| s.refused)
    }
    /// The venue does not have these channels of it.
    fn refuse(&mut self, channels: u16) {
        if let Some((seat, _)) = self.seat_mut() {
            seat.refused |= channels;
        }
    }
}

/// What the machine needs of a market that keeps its list row in `spec`, its place in `seat` and what was reported last beside them.
macro_rules! seated {
    ($market:ident, $channel:ident) => {
        impl $crate::session::protocol::Market<$channel> for $market {
            fn symbol(&self) -> &str {
                &self.spec.symbol
            }

            fn seat(&self) -> Option<&$crate::session::protocol::Seat> {
                Some(&self.seat)
            }

            fn seat_mut(
                &mut self,
            ) -> Option<(&mut $crate::session::protocol::Seat, &mut $crate::session::facts::LastReported)> {
                Some((&mut self.seat, &mut self.told))
            }
        }
    };
}
pub(crate) use seated;

/// Subscribe or not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verb {
    /// From now on.
    Subscribe,
    /// No longer.
    Unsubscribe,
}

impl Verb {
    /// As venues write it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Subscribe => "subscribe",
            Self::Unsubscribe => "unsubscribe",
        }
    }
}

/// Subscriptions: of which market, which channel.
pub(crate) type WantedChannels<P> = Vec<(MarketIndex, <P as Protocol>::Channel)>;

/// What is fixed about a venue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms<C: 'static> {
    /// Venue id.
    pub id: &'static str,
    /// What the venue allows.
    pub limits: fn() -> Limits,
    /// What the venue offers.
    pub streams: &'static [Offer<C>],
}

/// A venue. What it keeps here is made anew from the rest after a restart.
pub(crate) trait Protocol: Debug + Send + Sized + 'static {
    /// A book whose stream is silent is shown all the same.
    const SHOWS_SILENT_BOOKS: bool = false;
    /// The channel of a book that a chain of changes continues.
    const BOOK: Option<Self::Channel> = None;
    /// Books come whole, and less of them is kept: they are renewed when the price has walked towards the end of that.
    const WHOLE_BOOKS: bool = false;
    /// Format of saved state.
    const FORMAT: u8;
    /// Saved state carries a seal against damage, else only its settings.
    const SEALED: bool = true;
    /// History pages under way at once.
    const PAGES_MAX: u32;
    /// How long after its stamp a value is usually received.
    const DELAY: Span = Span::secs(1);

    /// What one subscription carries.
    type Channel: Channel;
    /// State of one market.
    type Market: Market<Self::Channel>;
    /// State of the session besides that of the desk and the markets.
    type State: Debug + Default + Send + Serialize + DeserializeOwned;

    /// What is fixed; of several venues with one protocol, about this one.
    fn terms(&self) -> Terms<Self::Channel>;

    /// A market that was never wanted before, with its place on a connection.
    fn market(kit: &mut Kit<Self>, spec: MarketSpec) -> Self::Market;

    /// The connections wanted.
    fn links(kit: &Kit<Self>) -> Vec<Link>;

    /// Finds a connection with room for these channels of a market.
    fn room(_kit: &mut Kit<Self>, _spec: &MarketSpec, _channels: u16) -> LinkId {
        LinkId(u16::MAX)
    }

    /// Gives back what a market took, which had these channels.
    fn vacated(_kit: &mut Kit<Self>, _market: MarketIndex, _channels: u16) {}

    /// Subscriptions that are not answered yet, where the venue answers requests by their number.
    fn asked(_state: &mut Self::State) -> Option<&mut OpenRequests<Self::Channel>> {
        None
    }

    /// Names to markets, anew.
    fn index(kit: &mut Kit<Self>) {
        kit.name();
    }

    /// How often open interest is polled now.
    fn poll_every(kit: &Kit<Self>) -> Span {
        kit.config.every_or(Metric::OpenInterest, kit.config.poll_every)
    }

    /// Subscriptions of a link, for people.
    fn carried(kit: &Kit<Self>, link: LinkId) -> usize {
        kit.on_link(link).count()
    }

    /// All markets of the configuration have been added.
    fn begin(_kit: &mut Kit<Self>) {}

    /// Most subscriptions in one numbered request, of which this is the first market: what one that is refused can take down with it.
    fn batch(_kit: &Kit<Self>, _first: MarketIndex) -> usize {
        100
    }

    /// A numbered request that subscribes channels of markets, or unsubscribes them.
    fn request(_kit: &Kit<Self>, _verb: Verb, _number: u64, _wanted: &[(MarketIndex, Self::Channel)]) -> String {
        String::new()
    }

    /// Subscribes channels of markets on one connection, or unsubscribes them, in requests of allowed size: as it stands here, in
    /// numbered ones that the venue answers.
    fn send(
        kit: &mut Kit<Self>,
        _now: Ts,
        conn: ConnId,
        verb: Verb,
        wanted: &[(MarketIndex, Self::Channel)],
        out: &mut Out,
    ) {
        let Some((first, _)) = wanted.first() else { return };
        for part in wanted.chunks(Self::batch(kit, *first).max(1)) {
            let Some(number) = Self::asked(&mut kit.state).map(OpenRequests::number) else { return };
            out.actions.push(Action::Send { conn, text: Self::request(kit, verb, number, part) });
            if verb == Verb::Subscribe
                && let Some(asked) = Self::asked(&mut kit.state)
            {
                asked.wait(number, conn, part);
            }
        }
    }

    /// The book of a market, whatever its stream's state.
    fn book<'a>(_kit: &'a Kit<Self>, market: &'a Self::Market) -> Option<&'a OrderBook> {
        market.seat().filter(|s| s.book.live).map(|s| &s.book.book)
    }

    /// Before each input.
    fn before(_kit: &mut Kit<Self>, _now: Ts, _out: &mut Out) {}

    /// Does an input that is no frame make the machine ask for what is due?
    fn asks(_input: &Input<'_>) -> bool {
        true
    }

    /// A connection has opened and is to be subscribed.
    fn opened(kit: &mut Kit<Self>, now: Ts, link: LinkId, conn: ConnId, out: &mut Out) {
        kit.conn_opened(now, link, conn, out);
    }

    /// Everything of this market's link is being subscribed.
    fn subscribed(market: &mut Self::Market, now: Ts) {
        let wanted = Self::BOOK.is_some_and(|book| market.channels() & book.bit() != 0);
        if let Some((seat, _)) = market.seat_mut().filter(|(seat, _)| wanted && !seat.book.live) {
            seat.book.asked(now);
        }
    }

    /// A connection is gone.
    fn closed(kit: &mut Kit<Self>, now: Ts, conn: ConnId, reason: CloseReason, out: &mut Out) {
        kit.conn_closed(now, conn, reason, out);
    }

    /// Forgets what was known of a connection.
    fn forget(state: &mut Self::State, conn: ConnId) {
        if let Some(asked) = Self::asked(state) {
            asked.forget(conn);
        }
    }

    /// A channel of a market is gone with a connection; `other` is one that still brings it.
    fn channel_closed(market: &mut Self::Market, channel: Self::Channel, conn: ConnId, other: Option<ConnId>) {
        if let Some((seat, _)) = market.seat_mut().filter(|_| Self::BOOK == Some(channel)) {
            seat.book.closed(conn, other);
        }
    }

    /// May this connection be asked again for what does not come?
    fn affords(_kit: &Kit<Self>, _now: Ts, _conn: ConnId) -> bool {
        true
    }

    /// With each tick: subscribes again what does not come, and replaces connections.
    fn revive(kit: &mut Kit<Self>, now: Ts, out: &mut Out) {
        kit.revive(now, out);
    }

    /// Which of a channel's streams say that it comes; `None`: it sees to itself, as chained books do.
    fn revives(channel: Self::Channel) -> Option<&'static [Metric]> {
        (Self::BOOK.is_some_and(|book| book != channel)).then(|| channel.metrics())
    }

    /// Subscribes again what does not come.
    fn again(kit: &mut Kit<Self>, now: Ts, conn: ConnId, wanted: &WantedChannels<Self>, out: &mut Out) {
        if let Some(asked) = Self::asked(&mut kit.state) {
            asked.renew(conn, wanted);
        }
        Self::send(kit, now, conn, Verb::Unsubscribe, wanted, out);
        Self::send(kit, now, conn, Verb::Subscribe, wanted, out);
    }

    /// With each tick, before continuity is judged.
    fn before_tick(_kit: &mut Kit<Self>, _now: Ts, _out: &mut Out) {}

    /// With each tick, after what does not come was asked for again.
    fn after_tick(kit: &mut Kit<Self>, now: Ts, out: &mut Out) {
        kit.late_books(now, out);
    }

    /// A page of history is given up: what that means for the market, and a sentence for people.
    fn given_up(_kit: &mut Kit<Self>, job: &Job, _why: &str) -> String {
        format!("{} from {} to {} could not be fetched", job.metric.spoken(), job.from, job.until)
    }

    /// The complete new list of markets.
    fn change(kit: &mut Kit<Self>, now: Ts, wanted: &[MarketSpec], out: &mut Out) {
        kit.markets_changed(now, wanted, out);
    }

    /// Is this the market?
    fn is(market: &Self::Market, spec: &MarketSpec) -> bool {
        market.symbol() == spec.symbol
    }

    /// A market is not wanted any more: gives up its place and its book. Returns the channels to be unsubscribed.
    fn leave(kit: &mut Kit<Self>, market: MarketIndex) -> u16 {
        let Some((seat, _)) = kit.markets[market.index()].seat_mut() else { return 0 };
        let channels = core::mem::take(&mut seat.channels);
        seat.book.drop_book();
        Self::vacated(kit, market, channels);
        channels
    }

    /// A market that was left is wanted again: finds a place for it.
    fn join(kit: &mut Kit<Self>, market: MarketIndex, spec: &MarketSpec) {
        let channels = kit.channels_of(spec);
        let link = Self::room(kit, spec, channels);
        if let Some((seat, _)) = kit.markets[market.index()].seat_mut() {
            (seat.link, seat.channels, seat.refused) = (link, channels, 0);
        }
    }

    /// Subscriptions of a market that has come are about to be sent.
    fn joined(market: &mut Self::Market, now: Ts) {
        Self::subscribed(market, now);
    }

    /// As [`Session::resume`].
    fn resume(_kit: &mut Kit<Self>, _now: Ts) {}

    /// As [`Session::fetching`].
    fn fetching(kit: &Kit<Self>, market: MarketIndex, of: &dyn Fn(Metric) -> bool) -> bool {
        kit.desk.history.wanted(market, of)
    }
}

/// What frames say.
pub(crate) trait Feed {
    /// A message, whole.
    fn frame(&mut self, now: Ts, conn: ConnId, bytes: &[u8], out: &mut Out);
}

/// What is asked for, and what the answers say.
pub(crate) trait Rest {
    /// Asks for what is due.
    fn ask(&mut self, now: Ts, out: &mut Out);
    /// An answer.
    fn reply(&mut self, now: Ts, request: RequestId, status: u16, body: &[u8], out: &mut Out);
    /// No answer.
    fn failed(&mut self, now: Ts, request: RequestId, reason: FailReason, out: &mut Out);
}
