//! What the tests of this venue say to a session, and with which settings.

pub(crate) use crate::driven::Rig;
use barograph_domain::{MarketKind, Metric, Span, Ts};
use barograph_venues::session::{BaseAddresses, Decimal, MarketSpec, SessionConfig, VenueDef, venue};

pub(crate) const STREAMS: [Metric; 12] = [
    Metric::Bar,
    Metric::Trade,
    Metric::BestBidAsk,
    Metric::MarkPrice,
    Metric::IndexPrice,
    Metric::FundingRate,
    Metric::FundingRateSettled,
    Metric::OpenInterest,
    Metric::Liquidation,
    Metric::Book,
    Metric::PremiumIndex,
    Metric::LongShortRatio,
];

pub(crate) fn def() -> &'static VenueDef {
    venue("coinbase").unwrap()
}

pub(crate) fn spot(symbol: &str) -> MarketSpec {
    MarketSpec { tick: Decimal::parse(b"0.01"), ..MarketSpec::bare(symbol, MarketKind::Spot) }
}

pub(crate) fn config(markets: Vec<MarketSpec>) -> SessionConfig {
    SessionConfig {
        endpoints: BaseAddresses { rest: "https://rest".into(), ws: "wss://ws".into() },
        markets,
        metrics: STREAMS.to_vec(),
        backfill: Span::ZERO,
        book_depth: 1_000,
        poll_every: Span::secs(15),
        polls_every: Vec::new(),
        polls_in_flight_max: 4,
        trade_side_is_maker: true,
        mcp: None,
    }
}

impl Rig {
    pub(crate) fn new(config: SessionConfig) -> Self {
        let session = (def().open)(config);
        let now = Ts::parse("2026-11-19T09:00:00Z").unwrap();
        Self::of(session, now)
    }

    /// A message of this channel, stamped now.
    pub(crate) fn say(&mut self, conn: u32, sequence: u64, channel: &str, events: &str) -> &mut Self {
        let text = format!(
            r#"{{"channel":"{channel}","client_id":"","timestamp":"{}","sequence_num":{sequence},"events":{events}}}"#,
            self.now.iso()
        );
        self.frame(conn, &text)
    }

    pub(crate) fn snapshot(&mut self, conn: u32, sequence: u64, product: &str, bid: &str, ask: &str) -> &mut Self {
        let rows = [("bid", bid, "1"), ("offer", ask, "2")];
        self.book(conn, sequence, "snapshot", product, &rows, "1970-01-01T00:00:00Z")
    }

    pub(crate) fn update(&mut self, conn: u32, sequence: u64, product: &str, rows: &[(&str, &str, &str)]) -> &mut Self {
        let time = self.now.iso();
        self.book(conn, sequence, "update", product, rows, &time)
    }

    pub(crate) fn book(
        &mut self,
        conn: u32,
        sequence: u64,
        kind: &str,
        product: &str,
        rows: &[(&str, &str, &str)],
        time: &str,
    ) -> &mut Self {
        let rows: Vec<String> = rows
            .iter()
            .map(|(side, price, qty)| {
                format!(r#"{{"side":"{side}","event_time":"{time}","price_level":"{price}","new_quantity":"{qty}"}}"#)
            })
            .collect();
        let event = format!(r#"[{{"type":"{kind}","product_id":"{product}","updates":[{}]}}]"#, rows.join(","));
        self.say(conn, sequence, "l2_data", &event)
    }

    /// Trades `(id, price, size, side)` of one message, a second old.
    pub(crate) fn trades(
        &mut self,
        conn: u32,
        sequence: u64,
        kind: &str,
        product: &str,
        rows: &[(u64, &str, &str, &str)],
    ) -> &mut Self {
        let time = (self.now - Span::millis(100)).iso();
        let rows: Vec<String> = rows.iter().map(|r| trade(product, r.0, r.1, r.2, r.3, &time)).collect();
        let event = format!(r#"[{{"type":"{kind}","trades":[{}]}}]"#, rows.join(","));
        self.say(conn, sequence, "market_trades", &event)
    }
}

pub(crate) fn trade(product: &str, id: u64, price: &str, size: &str, side: &str, time: &str) -> String {
    format!(
        r#"{{"trade_id":"{id}","product_id":"{product}","price":"{price}","size":"{size}","side":"{side}","time":"{time}"}}"#
    )
}
