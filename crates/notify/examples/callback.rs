//! A program that delivers events of its own, to a function of its own: `cargo run -p barograph-notify --example callback`.
//!
//! The outbox is in memory, so nothing is written anywhere. A receiver with an address (`Receiver::new` with a row of
//! `barograph_notify::format`) is registered in the same way, beside the function or in its place.
#![expect(clippy::print_stdout, reason = "an example shows what happens")]

use barograph_domain::{InstrumentName, Severity};
use barograph_notify::dispatch::system_clock;
use barograph_notify::embed::{Event, Events};
use barograph_notify::receiver::{Callback, Filter, Receiver};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

fn main() -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|e| e.to_string())?;

    // What the function gives back decides: an error is tried again later, in order and under the same id.
    let (heard, told) = sync_channel(16);
    let callback: Callback = Arc::new(move |notice| {
        heard.send(format!("{} {}: {}", notice.symbol, notice.title, notice.text)).map_err(|e| e.to_string())
    });
    let filter = Filter { severity_min: Severity::High, ..Filter::default() };
    let mine = Receiver { filter, ..Receiver::calling("mine", callback) };

    let events = Events::start(vec![mine], runtime.handle().clone(), system_clock())?;
    let mut event = Event {
        instrument: InstrumentName::parse("binance-usdm:BTCUSDT").map_err(|e| e.to_string())?,
        severity: Severity::Critical,
        title: "Liquidation cascade".to_owned(),
        description: "Longs of 3.1 million USD were forced out within an hour.".to_owned(),
        data: serde_json::Map::from_iter([("total_liquidated_usd".to_owned(), 3_100_000.into())]),
    };
    let id = events.dispatch_cascade_event(&event);
    event.severity = Severity::Low;
    events.dispatch_funding_anomaly(&event);

    println!("told: {}", told.recv_timeout(Duration::from_secs(10)).map_err(|e| e.to_string())?);
    let outbox = events.stop(Duration::from_secs(5));
    for delivery in outbox.deliveries(&id) {
        println!("{} to {}: {}", delivery.message, delivery.endpoint, delivery.state.name());
    }
    if let Ok(other) = told.try_recv() {
        return Err(format!("the other was not severe enough for anybody, and yet: {other}"));
    }
    Ok(())
}
