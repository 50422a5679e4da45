//! A small journal, written line by line: lives of a listening process, with marks of four markets, liquidations and ticks.

use crate::core::{Core, CoreSink};
use crate::random::Random;
use crate::replay::journal_folder;
use crate::tests::{listening, setup};
use barograph_domain::{Metric, Span, Ts};
use barograph_lake::journal::{ControlRecord, JournalConfig, JournalWriter, Parcel, ParcelWriter};
use barograph_venues::session::{ConnId, LinkId};
use std::path::Path;

const VENUE: &str = "binance-usdm";
const MARKETS: [&str; 4] = ["BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT"];

/// One line, as the journal has it.
pub(super) enum SceneLine {
    Control(ControlRecord),
    Frame(ConnId, String),
}

/// One life of the listening process.
#[derive(Clone, Copy, Debug)]
pub(super) struct SceneLife {
    pub(super) begin: Ts,
    pub(super) length: Span,
    /// Between ticks, and between the marks of a market.
    pub(super) every: Span,
}

/// Everything that those lives have journalled; each goes on from the one before.
pub(super) fn lines(lives: &[SceneLife]) -> Vec<(Ts, SceneLine)> {
    use Metric::{FundingRate, IndexPrice, Liquidation, MarkPrice};
    struct Nobody;
    impl CoreSink for Nobody {}
    let setup = setup();
    let config = listening(&setup, VENUE, &MARKETS, &[FundingRate, IndexPrice, Liquidation, MarkPrice]);
    let (mut all, mut random) = (Vec::new(), Random::new(7));
    let mut cents = [10_000, 5_000, 2_000, 1_000];
    for (life, conn) in lives.iter().zip(1..) {
        let resumed_from = all.last().map(|(at, _)| *at);
        let core = Core::new(setup.clone(), config.clone(), life.begin, &mut Nobody).unwrap();
        let links: Vec<LinkId> = core.venues[0].session.links().iter().map(|link| link.id).collect();
        let config = config.to_json().map_err(crate::Error::text).unwrap();
        let start = ControlRecord::Start { release: "0".to_owned(), config, resumed_from };
        all.push((life.begin, SceneLine::Control(start)));
        for (link, n) in links.into_iter().zip(1..) {
            let (venue, url) = (VENUE.to_owned(), "ws://x".to_owned());
            let open = ControlRecord::Open { venue, link, conn: ConnId(conn), url };
            all.push((life.begin + Span::millis(n), SceneLine::Control(open)));
        }
        let mut second = life.begin + life.every;
        while second <= life.begin + life.length {
            for (market, n) in (0..MARKETS.len()).zip(1..) {
                cents[market] += random.below(21) - 10;
                let at = second + Span::millis(10 * n);
                all.push((at, SceneLine::Frame(ConnId(conn), mark(market, at, cents[market]))));
                // Now and then a cascade.
                if second.0 / Span::mins(1).0 % 4 == 2 && random.below(3) == 0 {
                    let at = at + Span::millis(5);
                    all.push((at, SceneLine::Frame(ConnId(conn), liquidation(market, at, cents[market]))));
                }
            }
            all.push((second + Span(200_001_000), SceneLine::Control(ControlRecord::Tick)));
            second = second + life.every;
        }
        all.push((life.begin + life.length + Span::millis(900), SceneLine::Control(ControlRecord::Stop)));
    }
    all
}

fn price(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

fn mark(market: usize, at: Ts, cents: i64) -> String {
    let (symbol, ms, next) = (MARKETS[market], at.as_millis(), at.ceil(Span::hours(8)).as_millis());
    let (mark, index) = (price(cents), price(cents - 2));
    format!(
        r#"{{"e":"markPriceUpdate","E":{ms},"s":"{symbol}","p":"{mark}","ap":"{mark}","P":"{mark}","i":"{index}","r":"0.00010000","T":{next},"st":1}}"#
    )
}

fn liquidation(market: usize, at: Ts, cents: i64) -> String {
    let (symbol, ms, price) = (MARKETS[market], at.as_millis(), price(cents));
    format!(
        r#"{{"e":"forceOrder","E":{ms},"o":{{"s":"{symbol}","S":"SELL","o":"LIMIT","f":"IOC","q":"9000.0","p":"{price}","ap":"{price}","X":"FILLED","l":"9000.0","z":"9000.0","T":{ms}}},"st":1}}"#
    )
}

/// Writes these lines as the journal of a data folder.
pub(super) fn write<'a>(data: &Path, lines: impl IntoIterator<Item = &'a (Ts, SceneLine)>) {
    let mut lines = lines.into_iter().peekable();
    let first = lines.peek().unwrap().0;
    let (mut writer, _) = JournalWriter::open(JournalConfig::new(journal_folder(data)), first).unwrap();
    let mut file = None;
    for (at, line) in lines {
        match line {
            SceneLine::Control(record) => writer.control(*at, record).unwrap(),
            SceneLine::Frame(conn, text) => {
                let (known, key) = match file {
                    Some(known) => known,
                    None => (*conn, writer.connection(VENUE, &format!("c{}", conn.0), 0, *at).unwrap()),
                };
                let key = if known == *conn {
                    key
                } else {
                    writer.close_connection(key, *at).unwrap();
                    writer.connection(VENUE, &format!("c{}", conn.0), 0, *at).unwrap()
                };
                file = Some((*conn, key));
                writer.frame(key, *at, text.as_bytes()).unwrap();
            }
        }
    }
    writer.close().unwrap();
}

/// The same lines onward: a parcel behind each tick and each end.
pub(super) fn parcels(lines: &[(Ts, SceneLine)]) -> Vec<Parcel> {
    let (mut writer, mut all) = (ParcelWriter::new(Ts(0)), Vec::new());
    for (at, line) in lines {
        match line {
            SceneLine::Frame(conn, text) => {
                writer.frame(*at, VENUE, &format!("c{}", conn.0), text.as_bytes()).unwrap();
            }
            SceneLine::Control(record) => writer.control(*at, record).unwrap(),
        }
        if matches!(line, SceneLine::Control(ControlRecord::Tick | ControlRecord::Stop)) {
            all.push(writer.seal(*at).unwrap());
        }
    }
    all
}
