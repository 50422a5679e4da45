//! Which markets of a venue are listened to: its own list, filtered by what was asked for (R3.30, R3.31, R3.35).

use crate::Error;
use barograph_domain::text::escape_control;
use barograph_domain::{InstrumentName, MarketKind, Span, Ts};
use barograph_net::{Fetch, Net, VenueIndex};
use barograph_venues::session::{Ask, BaseAddresses, MarketSpec, VenueDef};
use core::time::Duration;
use std::io::Write as _;
use std::time::Instant;

/// Kinds of market that are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    Spot,
    Futures,
    Both,
}

impl Wanted {
    fn takes(self, kind: MarketKind) -> bool {
        match self {
            Self::Both => true,
            Self::Spot => kind == MarketKind::Spot,
            // Dated contracts have no funding; they are listened to when named.
            Self::Futures => kind == MarketKind::Perpetual,
        }
    }
}

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Symbols by name; empty: all that pass the filter.
    pub symbols: Vec<String>,
    /// Only with this quote currency.
    pub quote: Option<String>,
    /// Only of this kind.
    pub kind: Wanted,
    /// In quote currency.
    pub volume_min: f64,
    /// The busiest so many.
    pub markets_max: usize,
}

const TIMEOUT: Span = Span::secs(20);
/// Pages of one list. The longest list known has some 2,500 entries at 500 to a page: whoever sends more than this is not
/// counting towards an end.
const PAGES_MAX: usize = 100;

/// How long a list is waited for.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// All pages together, tries and pauses included.
    list_within: Duration,
    /// After this much silence it is said what is waited for.
    said_after: Duration,
    /// And again each.
    said_every: Duration,
}

/// The longest list known comes in five seconds.
const PATIENCE: Patience = Patience {
    list_within: Duration::from_secs(30),
    said_after: Duration::from_secs(2),
    said_every: Duration::from_secs(10),
};

/// The venue's own list, all its pages. Markets whose names nobody could write are left out.
pub async fn list(
    net: &Net,
    index: VenueIndex,
    def: &VenueDef,
    endpoints: &BaseAddresses,
) -> Result<Vec<MarketSpec>, Error> {
    list_for(net, index, def, endpoints, PATIENCE, |line| drop(writeln!(std::io::stderr(), "{line}"))).await
}

async fn list_for(
    net: &Net,
    index: VenueIndex,
    def: &VenueDef,
    endpoints: &BaseAddresses,
    patience: Patience,
    tell: impl Fn(&str),
) -> Result<Vec<MarketSpec>, Error> {
    let what = format!("the market list of {} from {}", def.id, escape_control(&endpoints.rest));
    let within = patience.list_within;
    let error_before = last_error(net, def);
    // Read beside what goes on: a request that is given up is an error as well.
    let work = core::pin::pin!(reporting_wait(&what, patience, tell, pages(net, index, def, endpoints)));
    let bodies = tokio::time::timeout(within, work).await.map_err(|_late| {
        // A request that failed is tried again, and may have waited for its turn ever since.
        let error = last_error(net, def).filter(|now| error_before.as_ref() != Some(now));
        let why = error.map_or_else(|| "the venue, or the way to it, is too slow".to_owned(), |(_, why)| why);
        Error::failed(format!("{what} is not complete after {} s: {}", within.as_secs(), escape_control(&why)))
    })??;
    let all = (def.instruments)(&bodies)
        .map_err(|e| Error::failed(format!("the market list of {}: {}", def.id, escape_control(&e))))?;
    let listed = all.len();
    let named: Vec<MarketSpec> = all.into_iter().filter(|m| InstrumentName::new(def.id, &m.symbol).is_ok()).collect();
    if named.len() < listed {
        let left_out = listed - named.len();
        drop(writeln!(std::io::stderr(), "{}: {left_out} of {listed} listed markets have no usable name", def.id));
    }
    Ok(named)
}

/// What went wrong last with a venue, and when.
fn last_error(net: &Net, def: &VenueDef) -> Option<(Ts, String)> {
    net.stats().into_iter().find(|venue| venue.venue == def.id)?.last_error
}

/// Says what is waited for while it does not come.
async fn reporting_wait<T>(what: &str, patience: Patience, tell: impl Fn(&str), work: impl Future<Output = T>) -> T {
    let begun = Instant::now();
    let mut work = core::pin::pin!(work);
    let mut pause = patience.said_after;
    loop {
        match tokio::time::timeout(pause, work.as_mut()).await {
            Ok(done) => return done,
            Err(_still) => {
                let (waited, most) = (begun.elapsed().as_secs(), patience.list_within.as_secs());
                tell(&format!("waiting for {what}: {waited} s so far, {most} s at most"));
                pause = patience.said_every;
            }
        }
    }
}

async fn pages(net: &Net, index: VenueIndex, def: &VenueDef, endpoints: &BaseAddresses) -> Result<Vec<Vec<u8>>, Error> {
    let mut bodies = Vec::new();
    for first in (def.discovery)(endpoints) {
        let mut asked: Vec<Ask> = Vec::new();
        let mut next = Some(first);
        while let Some(ask) = next {
            if asked.contains(&ask) || asked.len() == PAGES_MAX {
                return Err(Error::failed(format!(
                    "the market list of {} does not end: after {} pages it goes on with {}; leave this venue out until it is mended",
                    def.id,
                    asked.len(),
                    escape_control(&ask.url)
                )));
            }
            let body = page(net, index, def, &ask).await?;
            next = (def.further)(endpoints, &ask, &body);
            asked.push(ask);
            bodies.push(body);
        }
    }
    Ok(bodies)
}

/// One answer.
async fn page(net: &Net, index: VenueIndex, def: &VenueDef, ask: &Ask) -> Result<Vec<u8>, Error> {
    let Ask { url, body, pool, weight } = ask.clone();
    let answer = net
        .fetch(index, Fetch { url, body, pool, weight, timeout: TIMEOUT })
        .await
        .map_err(|e| Error::failed(format!("{} does not answer: {}", def.id, crate::chain(&e))))?;
    if answer.status != 200 {
        let body = String::from_utf8_lossy(&answer.body[..answer.body.len().min(200)]);
        return Err(Error::failed(format!(
            "{} answered {}: {}",
            escape_control(&ask.url),
            answer.status,
            escape_control(&body)
        )));
    }
    Ok(answer.body.to_vec())
}

/// What is listened to, busiest first.
pub fn choose(venue: &str, all: &[MarketSpec], choice: &Choice) -> Result<Vec<MarketSpec>, Error> {
    if choice.symbols.is_empty() {
        let wanted = |m: &&MarketSpec| {
            m.trading
                && choice.kind.takes(m.kind)
                && choice.quote.as_ref().is_none_or(|q| m.quote.eq_ignore_ascii_case(q))
                && m.volume_24h_quote.is_none_or(|v| v >= choice.volume_min)
        };
        let mut chosen: Vec<MarketSpec> = all.iter().filter(wanted).cloned().collect();
        let volume = |m: &MarketSpec| m.volume_24h_quote.unwrap_or(0.0);
        chosen.sort_by(|a, b| volume(b).total_cmp(&volume(a)).then_with(|| a.symbol.cmp(&b.symbol)));
        chosen.truncate(choice.markets_max);
        if chosen.is_empty() {
            return Err(Error::refused(format!(
                "none of the {} markets of {venue} passes the filter; loosen --quote, --market-type or --min-volume-24h",
                all.len()
            )));
        }
        return Ok(chosen);
    }
    let mut chosen: Vec<MarketSpec> = Vec::new();
    for wanted in &choice.symbols {
        let squeezed = squeeze(wanted);
        let exact = all.iter().find(|m| m.symbol == *wanted);
        // "BTC/USDT" may name a perpetual and dated contracts; the perpetual is meant, then spot.
        let mut alike: Vec<&MarketSpec> = all
            .iter()
            .filter(|m| squeeze(&m.symbol) == squeezed || squeeze(&format!("{}{}", m.base, m.quote)) == squeezed)
            .collect();
        alike.sort_by_key(|m| (m.kind != MarketKind::Perpetual, m.kind != MarketKind::Spot, m.symbol.clone()));
        let Some(found) = exact.or(alike.first().copied()) else {
            return Err(Error::refused(unknown(venue, all, wanted)));
        };
        if !chosen.iter().any(|c| c.symbol == found.symbol) {
            chosen.push(found.clone());
        }
    }
    Ok(chosen)
}

fn unknown(venue: &str, all: &[MarketSpec], wanted: &str) -> String {
    let upper = wanted.to_uppercase();
    let mut near: Vec<(f64, &str)> =
        all.iter().map(|m| (strsim::jaro_winkler(&m.symbol, &upper), m.symbol.as_str())).collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    let near: Vec<&str> = near.iter().take(3).filter(|n| n.0 > 0.8).map(|n| n.1).collect();
    let hint = if near.is_empty() { String::new() } else { format!(" — did you mean {}?", near.join(" or ")) };
    format!("{venue} has no market '{wanted}'{hint}")
}

fn squeeze(symbol: &str) -> String {
    symbol.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn market(symbol: &str, kind: MarketKind, quote: &str, volume: f64) -> MarketSpec {
        let base = symbol.trim_end_matches(quote).to_owned();
        MarketSpec { base, quote: quote.to_owned(), volume_24h_quote: Some(volume), ..MarketSpec::bare(symbol, kind) }
    }

    fn chosen(choice: &Choice) -> Result<Vec<String>, String> {
        let all = [
            market("BTCUSDT", MarketKind::Perpetual, "USDT", 9e9),
            market("ETHUSDT", MarketKind::Perpetual, "USDT", 4e9),
            market("BTCUSDC", MarketKind::Perpetual, "USDC", 1e9),
            market("DUSTUSDT", MarketKind::Perpetual, "USDT", 50.0),
            MarketSpec { trading: false, ..market("OLDUSDT", MarketKind::Perpetual, "USDT", 1e9) },
        ];
        choose("binance-usdm", &all, choice)
            .map(|c| c.into_iter().map(|m| m.symbol).collect())
            .map_err(|e| e.text().unwrap_or_default())
    }

    #[test]
    fn markets_are_named_or_filtered() {
        let all = Choice {
            symbols: Vec::new(),
            quote: Some("usdt".to_owned()),
            kind: Wanted::Futures,
            volume_min: 10_000.0,
            markets_max: 10,
        };
        assert_eq!(chosen(&all), Ok(vec!["BTCUSDT".to_owned(), "ETHUSDT".to_owned()]));
        let named = Choice { symbols: vec!["btc/usdt".to_owned(), "BTCUSDT".to_owned()], ..all.clone() };
        assert_eq!(chosen(&named), Ok(vec!["BTCUSDT".to_owned()]), "twice is once");
        let wrong = Choice { symbols: vec!["BTCUDST".to_owned()], ..all.clone() };
        assert!(chosen(&wrong).is_err_and(|e| e.contains("did you mean BTCUSDT")));
        let none = Choice { quote: Some("EUR".to_owned()), ..all };
        assert!(chosen(&none).is_err_and(|e| e.contains("none of the 5 markets")));
    }

    /// An HTTP server on loopback that answers each path with a status and `answer`, and counts.
    fn serve(
        status: &'static str,
        answer: fn(&str) -> String,
    ) -> (String, std::sync::Arc<std::sync::Mutex<Vec<String>>>) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let host = format!("http://{}", listener.local_addr().unwrap());
        let asked = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let seen = std::sync::Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, seen) = (stream.unwrap(), std::sync::Arc::clone(&seen));
                std::thread::spawn(move || converse(&stream, status, answer, &seen));
            }
        });
        (host, asked)
    }

    /// Answers what one connection asks until it ends, or says something that is no request.
    fn converse(
        mut stream: &std::net::TcpStream,
        status: &str,
        answer: fn(&str) -> String,
        seen: &std::sync::Mutex<Vec<String>>,
    ) {
        use std::io::{BufRead as _, BufReader, Write as _};
        let mut lines = BufReader::new(stream).lines();
        while let Some(Ok(first)) = lines.next() {
            lines.by_ref().map_while(Result::ok).find(String::is_empty);
            let Some(path) = first.split(' ').nth(1).map(str::to_owned) else { return };
            let body = answer(&path);
            seen.lock().unwrap().push(path);
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", body.len());
            if stream.write_all((head + &body).as_bytes()).is_err() {
                return;
            }
        }
    }

    #[test]
    fn the_server_of_these_tests_outlives_a_request_that_is_cut_off() {
        use std::io::Write as _;
        for said in ["", "\r\n", "GET", "GET\r\n\r\n"] {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let mut client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            client.write_all(said.as_bytes()).unwrap();
            drop(client);
            let seen = std::sync::Mutex::new(Vec::new());
            converse(&listener.accept().unwrap().0, "200 OK", |_| String::new(), &seen);
            assert_eq!(*seen.lock().unwrap(), Vec::<String>::new(), "{said:?}");
        }
    }

    /// What a venue whose lists are answered so is said to have, and the paths that were asked for.
    fn listed(venue: &str, answer: fn(&str) -> String) -> (Result<Vec<String>, String>, Vec<String>) {
        answered(venue, "200 OK", answer)
    }

    fn answered(
        venue: &str,
        status: &'static str,
        answer: fn(&str) -> String,
    ) -> (Result<Vec<String>, String>, Vec<String>) {
        let (rest, asked) = serve(status, answer);
        let got = list_of(venue, rest, PATIENCE, |_| {});
        let asked = asked.lock().unwrap().clone();
        (got, asked)
    }

    /// What a venue at an address is said to have.
    fn list_of(venue: &str, rest: String, patience: Patience, tell: impl Fn(&str)) -> Result<Vec<String>, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let clock = std::sync::Arc::new(barograph_net::SystemClock);
        let (stamper, _inbox) =
            barograph_net::inbox(clock.clone(), barograph_net::Bounds::default(), barograph_domain::Ts::MIN);
        let options = barograph_net::NetOptions::default();
        let net = Net::start(runtime.handle().clone(), clock, stamper, &options).unwrap();
        let def = barograph_venues::session::venue(venue).unwrap();
        let index = net.add_venue(def.id, (def.limits)());
        let endpoints = BaseAddresses { rest, ws: String::new() };
        let got = runtime.block_on(list_for(&net, index, def, &endpoints, patience, tell));
        let got = got.map(|all| all.into_iter().map(|m| m.symbol).collect()).map_err(|e| e.text().unwrap_or_default());
        runtime.block_on(net.stop());
        got
    }

    /// Three pages of linear contracts; the other lists are empty.
    fn bybit(path: &str) -> String {
        let linear = path.contains("instruments-info?category=linear");
        let (symbol, cursor) = match path.split_once("&cursor=").map(|(_, c)| c) {
            _ if !linear => ("", ""),
            None => ("AUSDT", "page%3D2%26last%3DA"),
            Some("page%3D2%26last%3DA") => ("BUSDT", "page%3D3"),
            Some("page%3D3") => ("CUSDT", ""),
            Some(other) => panic!("cursor {other} was never given"),
        };
        let category = path.split_once("category=").unwrap().1.split('&').next().unwrap();
        let item = format!(
            r#"{{"symbol":"{symbol}","contractType":"LinearPerpetual","status":"Trading","baseCoin":"X","quoteCoin":"USDT","priceFilter":{{"tickSize":"0.10"}},"lotSizeFilter":{{"qtyStep":"0.001"}}}}"#
        );
        let item = if linear { item } else { String::new() };
        format!(
            r#"{{"retCode":0,"retMsg":"OK","result":{{"category":"{category}","list":[{item}],"nextPageCursor":"{cursor}"}},"time":1795078804000}}"#
        )
    }

    /// Three pages of spot products.
    fn coinbase(path: &str) -> String {
        let spot = path.contains("product_type=SPOT");
        let (id, cursor) = match path.split_once("&cursor=").map(|(_, c)| c) {
            _ if !spot => ("X-USD", ""),
            None => ("A-USD", "two=/+"),
            Some("two%3D%2F%2B") => ("B-USD", "three"),
            Some("three") => ("C-USD", ""),
            Some(other) => panic!("cursor {other} was never given"),
        };
        let item =
            format!(r#"{{"product_id":"{id}","base_currency_id":"X","quote_currency_id":"USD","status":"online"}}"#);
        let more = !cursor.is_empty();
        format!(
            r#"{{"products":[{item}],"num_products":1,"pagination":{{"prev_cursor":"","next_cursor":"{cursor}","has_next":{more},"has_prev":false}}}}"#
        )
    }

    #[test]
    fn lists_are_followed_to_their_last_page() {
        let (got, asked) = listed("bybit", bybit);
        assert_eq!(got, Ok(vec!["AUSDT".to_owned(), "BUSDT".to_owned(), "CUSDT".to_owned()]), "{asked:?}");
        assert_eq!(asked.iter().filter(|p| p.contains("&cursor=")).count(), 2, "{asked:?}");
        let (got, asked) = listed("coinbase", coinbase);
        let want = ["A-USD", "B-USD", "C-USD", "X-USD"].map(str::to_owned).to_vec();
        assert_eq!(got, Ok(want), "{asked:?}");
    }

    #[test]
    fn lists_without_end_are_refused() {
        let (got, asked) = listed("bybit", |path| bybit(path).replace("page%3D3", "page%3D2%26last%3DA"));
        assert!(got.as_ref().is_err_and(|e| e.contains("does not end: after 2 pages")), "{got:?} {asked:?}");
        let (got, asked) = listed("bybit", |path| {
            let n = path.split_once("&cursor=").map_or(0, |(_, n)| n.parse::<u32>().unwrap());
            bybit("instruments-info?category=linear").replace("page%3D2%26last%3DA", &(n + 1).to_string())
        });
        assert!(got.as_ref().is_err_and(|e| e.contains("after 100 pages")), "{got:?}");
        assert_eq!(asked.len(), 100);
        let (got, asked) = listed("coinbase", |path| coinbase(path).replace("two=/+", ""));
        assert!(got.as_ref().is_err_and(|e| e.contains("after 1 pages")), "{got:?} {asked:?}");
    }

    #[test]
    fn l5_a_list_that_dribbles_is_said_to_be_waited_for_and_given_up() {
        use std::io::{BufRead as _, BufReader, Write as _};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let rest = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                std::thread::spawn(move || {
                    // An answer that comes before its request is an error of the connection.
                    BufReader::new(&stream).lines().map_while(Result::ok).find(String::is_empty);
                    // The whole of it would take ten minutes.
                    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 60000\r\n\r\n";
                    let mut more = stream.write_all(head);
                    while more.is_ok() {
                        std::thread::sleep(Duration::from_millis(10));
                        more = stream.write_all(b" ");
                    }
                });
            }
        });
        let told = std::sync::Mutex::new(Vec::new());
        let patience = Patience {
            list_within: Duration::from_secs(1),
            said_after: Duration::from_millis(200),
            said_every: Duration::from_millis(500),
        };
        let begun = Instant::now();
        let got = list_of("binance-usdm", rest.clone(), patience, |line| told.lock().unwrap().push(line.to_owned()));
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
        let what = format!("the market list of binance-usdm from {rest}");
        let why = got.unwrap_err();
        assert_eq!(why, format!("{what} is not complete after 1 s: the venue, or the way to it, is too slow"));
        let told = told.into_inner().unwrap();
        let said = |line: &String| line.starts_with(&format!("waiting for {what}: ")) && line.ends_with("1 s at most");
        assert!(!told.is_empty() && told.iter().all(said), "{told:?}");
        assert!(PATIENCE.said_after < PATIENCE.list_within && PATIENCE.list_within <= Duration::from_secs(40));
    }

    /// Its list may be asked for once in ten seconds, so that the second try is still to come when the time is up.
    #[test]
    fn a_venue_that_nobody_reaches_is_not_called_slow() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = closed.local_addr().unwrap();
        drop(closed);
        let patience = Patience { list_within: Duration::from_secs(2), ..PATIENCE };
        let why = list_of("deribit", format!("http://{address}"), patience, |_| {}).unwrap_err();
        let what = format!("the market list of deribit from http://{address} is not complete after 2 s: ");
        let error = format!("no connection to '{address}': ");
        assert!(why.strip_prefix(&what).is_some_and(|said| said.starts_with(&error)), "{why}");
        assert!(!why.contains("too slow") && why.ends_with(')'), "{why}");
    }

    /// What a hostile venue writes beside its refusal reaches a terminal on the one line that says whose it is.
    #[test]
    fn a_refusal_stays_on_its_line() {
        let forged = |_: &str| "gone\r\n[CASCADE] forged\u{1b}[2J\u{202e}".to_owned();
        for venue in ["binance-usdm", "bybit", "okx", "hyperliquid", "coinbase"] {
            let (got, asked) = answered(venue, "404 Not Found", forged);
            let said = got.expect_err("it is refused");
            let want = r" answered 404: gone\r\n[CASCADE] forged\u{1b}[2J\u{202e}";
            assert!(said.starts_with("http://127.0.0.1:") && said.ends_with(want), "{said}");
            assert!(!asked.is_empty(), "{venue}");
        }
    }
}
