//! What a venue adds to the machine of [`super::kit`]: its channels, its markets and how they are asked for in [`Protocol`], what
//! its frames say in [`Feed`], what it is asked for and what the answers say in [`Rest`]. The last two are implemented for its
//! [`Kit`] where that code is.

use crate::session::history::Job;
use crate::session::kit::Kit;
use crate::session::offer::Offer;
use crate::session::{
    CloseReason, ConnId, FailReason, Input, Limits, Link, LinkId, MarketIndex, MarketSpec, OrderBook, Out, RequestId,
};
use barograph_domain::{Metric, Span, Ts};
use core::fmt::Debug;
use serde::Serialize;
use serde::de::DeserializeOwned;

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

/// State of a market, as far as the machine needs it. Where subscriptions are not of one market each, nothing is said of them:
/// the venue opens, closes, revives and changes by itself.
pub(crate) trait Market<C>: Debug + Send + Serialize + DeserializeOwned {
    /// The venue's name of it.
    fn symbol(&self) -> &str;
    /// The connection most of it comes over.
    fn link(&self) -> Option<LinkId> {
        None
    }
    /// The connection one of its channels comes over.
    fn link_of(&self, _channel: C) -> Option<LinkId> {
        self.link()
    }
    /// Bits of the channels wanted; none once the market is not.
    fn channels(&self) -> u16 {
        0
    }
    /// Bits of the channels the venue refused.
    fn refused(&self) -> u16 {
        0
    }
}

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

    /// Names to markets, anew.
    fn index(kit: &mut Kit<Self>);

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

    /// Subscribes channels of markets on one connection, or unsubscribes them, in requests of allowed size.
    fn send(
        _kit: &mut Kit<Self>,
        _now: Ts,
        _conn: ConnId,
        _verb: Verb,
        _wanted: &[(MarketIndex, Self::Channel)],
        _out: &mut Out,
    ) {
    }

    /// The book of a market, whatever its stream's state.
    fn book<'a>(kit: &'a Kit<Self>, market: &'a Self::Market) -> Option<&'a OrderBook>;

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
    fn subscribed(_market: &mut Self::Market, _now: Ts) {}

    /// A connection is gone.
    fn closed(kit: &mut Kit<Self>, now: Ts, conn: ConnId, reason: CloseReason, out: &mut Out) {
        kit.conn_closed(now, conn, reason, out);
    }

    /// Forgets what was known of a connection.
    fn forget(_state: &mut Self::State, _conn: ConnId) {}

    /// A channel of a market is gone with a connection; `other` is one that still brings it.
    fn channel_closed(_market: &mut Self::Market, _channel: Self::Channel, _conn: ConnId, _other: Option<ConnId>) {}

    /// May this connection be asked again for what does not come?
    fn affords(_kit: &Kit<Self>, _now: Ts, _conn: ConnId) -> bool {
        true
    }

    /// With each tick: subscribes again what does not come, and replaces connections.
    fn revive(kit: &mut Kit<Self>, now: Ts, out: &mut Out) {
        kit.revive(now, out);
    }

    /// Which of a channel's streams say that it comes; `None`: it sees to itself.
    fn revives(_channel: Self::Channel) -> Option<&'static [Metric]> {
        None
    }

    /// Subscribes again what does not come.
    fn again(_kit: &mut Kit<Self>, _now: Ts, _conn: ConnId, _wanted: &WantedChannels<Self>, _out: &mut Out) {}

    /// With each tick, before continuity is judged.
    fn before_tick(_kit: &mut Kit<Self>, _now: Ts, _out: &mut Out) {}

    /// With each tick, after what does not come was asked for again.
    fn after_tick(_kit: &mut Kit<Self>, _now: Ts, _out: &mut Out) {}

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
    fn leave(_kit: &mut Kit<Self>, _market: MarketIndex) -> u16 {
        0
    }

    /// A market that was left is wanted again: finds a place for it.
    fn join(_kit: &mut Kit<Self>, _market: MarketIndex, _spec: &MarketSpec) {}

    /// Subscriptions of a market that has come are about to be sent.
    fn joined(_market: &mut Self::Market, _now: Ts) {}

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
