//! What the tests of this venue say to a session, and with which settings.

pub(crate) use crate::driven::Rig;
use barograph_domain::{MarketKind, Metric, Span, Ts};
use barograph_venues::session::{BaseAddresses, MarketSpec, Request, SessionConfig, VenueDef, venue};

pub(crate) fn def() -> &'static VenueDef {
    venue("hyperliquid").unwrap()
}

pub(crate) fn perp(symbol: &str) -> MarketSpec {
    MarketSpec::bare(symbol, MarketKind::Perpetual)
}

pub(crate) fn config(coins: &[&str]) -> SessionConfig {
    SessionConfig {
        endpoints: BaseAddresses { rest: "https://rest".into(), ws: "wss://ws".into() },
        markets: coins.iter().map(|c| perp(c)).collect(),
        metrics: Metric::ALL.to_vec(),
        backfill: Span::ZERO,
        book_depth: 100,
        poll_every: Span::secs(15),
        polls_every: Vec::new(),
        polls_in_flight_max: 4,
        trade_side_is_maker: true,
        mcp: None,
    }
}

impl Rig {
    pub(crate) fn texts(&mut self) -> Vec<String> {
        self.sent().into_iter().map(|(_, text)| text).collect()
    }

    pub(crate) fn new(config: SessionConfig) -> Self {
        Self::at(Ts::parse("2026-11-19T09:00:00Z").unwrap(), config)
    }

    pub(crate) fn at(now: Ts, config: SessionConfig) -> Self {
        let mut rig = Self::of((def().open)(config), now);
        for (n, link) in (1..).zip(rig.session.links().to_vec()) {
            rig.open(link.id.0, n);
        }
        rig
    }

    pub(crate) fn say(&mut self, channel: &str, data: &str) -> &mut Self {
        self.frame(1, &format!(r#"{{"channel":"{channel}","data":{data}}}"#))
    }

    pub(crate) fn book(&mut self, coin: &str, bid: &str, ask: &str, more: &str) -> &mut Self {
        let time = self.now.as_millis();
        let level = |px: &str| format!(r#"[{{"px":"{px}","sz":"1.5","n":2}}]"#);
        let data = format!(r#"{{"coin":"{coin}","time":{time},"levels":[{},{}]{more}}}"#, level(bid), level(ask));
        self.say("l2Book", &data)
    }

    /// Trades `(tid, milliseconds ago, price)`.
    pub(crate) fn trades(&mut self, conn: u32, coin: &str, rows: &[(u64, i64, &str)]) -> &mut Self {
        let rows: Vec<String> = rows
            .iter()
            .map(|(tid, ago, px)| {
                let time = self.now.as_millis() - ago;
                format!(
                    r#"{{"coin":"{coin}","side":"B","px":"{px}","sz":"0.5","time":{time},"hash":"0x0","tid":{tid},"users":["0xa","0xb"]}}"#
                )
            })
            .collect();
        self.frame(conn, &format!(r#"{{"channel":"trades","data":[{}]}}"#, rows.join(",")))
    }

    pub(crate) fn candle(&mut self, coin: &str, start: Ts, close: &str, volume: &str) -> &mut Self {
        let data = candle(coin, start, close, volume);
        self.say("candle", &data)
    }

    /// Requests whose body has this word.
    pub(crate) fn asked(&mut self, word: &str) -> Vec<Request> {
        self.requests().into_iter().filter(|r| r.body.as_ref().unwrap().contains(word)).collect()
    }
}

pub(crate) fn candle(coin: &str, start: Ts, close: &str, volume: &str) -> String {
    let t = start.as_millis();
    format!(
        r#"{{"t":{t},"T":{},"s":"{coin}","i":"1m","o":"10.0","c":"{close}","h":"99.0","l":"1.0","v":"{volume}","n":3}}"#,
        t + 59_999
    )
}
