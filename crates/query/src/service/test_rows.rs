//! What the tests of the service publish their rows with: a run of the standard rules, and prices each second of the synthetic venue.

use barograph_domain::stream::SYNTHETIC;
use barograph_domain::{Event, InstrumentName, Kind, Metric, Payload, Span, Stamp, StreamDecl, StreamIndex, Ts};
use barograph_engine::rules::RuleBook;
use barograph_store::{Columns, RunKey, RunSpec};

/// A market's run of the rules that come with the program.
pub(super) fn standard_run(market: &InstrumentName) -> RunSpec {
    let book = RuleBook::standard();
    RunSpec {
        key: RunKey { instrument: market.clone(), logic_version: "test".to_owned() },
        release: "test".to_owned(),
        book_text: RuleBook::shipped_text(&book.name).unwrap().to_owned(),
        book: book.name,
        config: String::new(),
        columns: Columns::default(),
        streams: Vec::new(),
    }
}

/// What the synthetic venue measures of a market each second.
pub(super) fn each_second(market: &InstrumentName, metric: Metric) -> StreamDecl {
    StreamDecl {
        instrument: market.clone(),
        metric,
        kind: Kind::Measured,
        cadence: Span::secs(1),
        source: SYNTHETIC.to_owned(),
        delay: Span::ZERO,
        stamp: Stamp::Instant,
        filled: false,
    }
}

/// A price, received at once.
pub(super) fn price_at(ts: Ts, stream: StreamIndex, price: f64) -> Event {
    Event { recv_ts: ts, event_ts: ts, stream, seq: 0, payload: Payload::Value(price) }
}
