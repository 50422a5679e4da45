//! Channels, and the streams that come over each or are polled.

use crate::session::offer::{self, Of, Offer};
use crate::session::protocol::{Channel as _, Verb, channels};
use barograph_domain::{Metric, Span};

channels! {
    /// What is subscribed per product: level 2 first, so that the venue's first list already shows it.
    Channel {
        Level2 "level2" [Book],
        Trades "market_trades" [Trade, Bar],
        Ticker "ticker" [BestBidAsk],
    }
}

/// Subscribed on every connection, because quiet channels are closed after 60 to 90 seconds.
pub(super) const HEARTBEATS: &str = r#"{"type":"subscribe","channel":"heartbeats"}"#;

/// A subscribe or unsubscribe request: one channel per message.
pub(super) fn message(verb: Verb, channel: Channel, products: &[&str]) -> String {
    // Product ids are graphic ASCII without quotes: nothing has to be escaped.
    let (verb, channel, list) = (verb.word(), channel.word(), products.join("\",\""));
    format!(r#"{{"type":"{verb}","product_ids":["{list}"],"channel":"{channel}"}}"#)
}

const fn offer(metric: Metric, channel: Channel) -> Offer<Channel> {
    Offer::new(metric, Of::All, Some(channel))
}

/// What a poll of the product brings. Polls of quiet products are stretched up to four times; two may fail.
const fn polled(metric: Metric, of: Of) -> Offer<Channel> {
    Offer::new(metric, of, None).polled().silence_polls(12)
}

/// What the venue offers.
pub(super) const STREAMS: [Offer<Channel>; 7] = [
    offer(Metric::Bar, Channel::Trades).every(Span::mins(1)).delay(Span::secs(2)),
    offer(Metric::Trade, Channel::Trades),
    offer(Metric::BestBidAsk, Channel::Ticker),
    polled(Metric::IndexPrice, Of::Contracts),
    polled(Metric::FundingRate, Of::Perpetuals),
    polled(Metric::OpenInterest, Of::Contracts),
    offer(Metric::Book, Channel::Level2),
];
/// Streams the venue has for at least one kind of market.
pub(super) const METRICS: [Metric; 7] = offer::metrics(&STREAMS);
