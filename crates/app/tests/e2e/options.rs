//! Implied volatility of options: fetched from a double of Deribit on loopback, kept, and shown as of each moment.

use crate::support::data::{Mood, market, now};
use crate::support::http::Server;
use crate::support::sim::Sim;
use crate::support::{Place, json_lines, until};
use barograph_domain::{Span, Ts};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const FORWARD: f64 = 91_500.0;

/// What the double answers now.
#[derive(Clone, Debug)]
struct Market {
    /// Added to each volatility, in percent points.
    level: f64,
    /// Answers with an error instead.
    refuses: bool,
}

/// A venue that has options of two expiries around 30 days, one before and one far behind them.
struct Double {
    addr: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    market: Arc<Mutex<Market>>,
}

impl Double {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (addr, asked) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<String>>>::default());
        let market = Arc::new(Mutex::new(Market { level: 0.0, refuses: false }));
        let (kept, answers) = (Arc::clone(&asked), Arc::clone(&market));
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (kept, answers) = (Arc::clone(&kept), Arc::clone(&answers));
                std::thread::spawn(move || serve(stream, &kept, &answers));
            }
        });
        Self { addr, asked, market }
    }

    fn flag(&self) -> String {
        format!("--endpoint deribit=http://{}", self.addr)
    }

    fn set(&self, level: f64, refuses: bool) {
        *self.market.lock().unwrap() = Market { level, refuses };
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(stream: TcpStream, kept: &Mutex<Vec<String>>, market: &Mutex<Market>) {
    let mut writer = stream.try_clone().unwrap();
    let mut lines = BufReader::new(stream).lines();
    while let Some(Ok(first)) = lines.next() {
        while lines.next().is_some_and(|line| line.is_ok_and(|l| !l.is_empty())) {}
        let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
        kept.lock().unwrap().push(path.clone());
        let body = answer(&path, &market.lock().unwrap().clone()).to_string();
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        if writer.write_all(format!("{head}{body}").as_bytes()).is_err() {
            return;
        }
    }
}

/// Expiries the double lists, at 08:00, with the volatility of all their strikes in percent.
fn listed(at: Ts) -> [(Ts, f64); 4] {
    let day = at.floor(Span::days(1)) + Span::hours(8);
    [(6, 60.0), (20, 50.0), (48, 46.0), (120, 44.0)].map(|(days, iv)| (day + Span::days(days), iv))
}

fn answer(path: &str, market: &Market) -> Value {
    let at = now();
    let out = at.as_millis() * 1_000;
    if market.refuses {
        return json!({"jsonrpc": "2.0", "error": {"code": 13503, "message": "unavailable"}, "testnet": false});
    }
    let result = if path.contains("get_volatility_index_data") {
        let hourly = path.contains("resolution=3600");
        let step = if hourly { Span::hours(1) } else { Span::mins(1) };
        let start = at.floor(step);
        let bar = |n: i64| {
            let begun = (start - step.times(n)).as_millis();
            json!([begun, 43.0, 44.0, 42.0, 43.18 + market.level])
        };
        json!({"data": (0..4).map(bar).collect::<Vec<_>>(), "continuation": null})
    } else if path.contains("currency=BTC&kind=option") {
        let mut rows = Vec::new();
        for (expiry, iv) in listed(at) {
            for strike in [50_000, 70_000, 90_000, 95_000, 120_000, 180_000] {
                rows.push(option(
                    expiry,
                    strike,
                    if f64::from(strike) < FORWARD { "P" } else { "C" },
                    iv + market.level,
                ));
            }
        }
        let unmarked = json!({"instrument_name": name(listed(at)[3].0, 200_000, "C"), "mark_iv": null, "underlying_price": FORWARD});
        rows.push(unmarked);
        json!(rows)
    } else {
        json!([])
    };
    json!({"jsonrpc": "2.0", "result": result, "usIn": out - 100, "usOut": out, "usDiff": 100, "testnet": false})
}

fn name(expiry: Ts, strike: i32, right: &str) -> String {
    let (year, month, day, ..) = expiry.civil();
    format!("BTC-{day}{}{:02}-{strike}-{right}", MONTHS[usize::try_from(month - 1).unwrap()], year % 100)
}

fn option(expiry: Ts, strike: i32, right: &str, iv: f64) -> Value {
    json!({
        "instrument_name": name(expiry, strike, right), "mark_iv": iv, "underlying_price": FORWARD,
        "mark_price": 0.03, "bid_price": null, "ask_price": null, "open_interest": 12.5, "interest_rate": 0.0,
    })
}

fn shown(place: &Place, more: &str) -> Value {
    let [view] = &json_lines(&place.ok(&format!("options show BTC --data data --json{more}")))[..] else {
        panic!("one object")
    };
    view.clone()
}

/// The formula of features §2.6 as it is written there, between the second and the third expiry.
fn month_of(view: &Value, level: f64) -> f64 {
    let at = Ts::parse(view["summary"]["timestamp"].as_str().unwrap()).unwrap();
    let [_, (low, iv1), (high, iv2), _] = listed(at);
    let (t1, t2, t) = ((low - at).as_days_f64(), (high - at).as_days_f64(), 30.0);
    let w = |iv: f64, t: f64| ((iv + level) / 100.0).powi(2) * t;
    ((w(iv1, t1) * (t2 - t) + w(iv2, t2) * (t - t1)) / ((t2 - t1) * t)).sqrt()
}

#[track_caller]
fn near(value: &Value, want: f64) {
    let got = value.as_f64().unwrap_or_else(|| panic!("{value}"));
    assert!((got - want).abs() < 1e-9, "{got}, not {want}");
}

#[test]
fn options_are_fetched_kept_and_shown_as_of_each_moment() {
    let place = Place::new();
    market(&place.path("in"), "BTCUSDT", Mood::Calm, (now() - Span::hours(30), now() - Span::secs(10)));
    place.ok("replay in --data data");
    let hash = place.hash("data");
    let double = Double::start();
    let before = shown(&place, "");
    assert_eq!((&before["summary"], &before["dvol"]["reason"]), (&Value::Null, &"missing_input".into()));
    assert!(before["text"].as_str().unwrap().contains("barograph options fetch BTC"), "{before}");
    let fetch = format!("options fetch BTC --data data {}", double.flag());
    let text = place.ok(&fetch).replace('\n', " ");
    assert!(
        text.starts_with("BTC: 24 options of 4 expiries at ") && text.contains("1 left out (without a volatility)"),
        "{text}"
    );
    assert!(text.contains("DVOL 43.2 % at "), "{text}");
    let asked = double.asked();
    assert_eq!(asked[0], "/api/v2/public/get_book_summary_by_currency?currency=BTC&kind=option");
    assert!(
        asked[1].starts_with("/api/v2/public/get_volatility_index_data?currency=BTC&start_timestamp="),
        "{asked:?}"
    );
    assert_eq!(asked.len(), 2);
    let first = shown(&place, "");
    near(&first["dvol"]["value"], 0.4318);
    near(&first["iv_atm_30d"]["value"], month_of(&first, 0.0));
    let realized = first["realized_vol_24h"]["value"].as_f64().unwrap();
    near(&first["iv_rv_spread"]["value"], month_of(&first, 0.0) - realized);
    assert_eq!(
        (&first["realized_market"], &first["market"]),
        (&"binance-usdm:BTCUSDT".into(), &"deribit:BTC-PERPETUAL".into())
    );
    let half = &first["maturities"][3];
    assert_eq!(
        (&half["days"], &half["iv_atm"], &half["reasons"]["iv_atm"]),
        (&180.into(), &Value::Null, &"no_bracket".into())
    );
    near(&first["maturities"][1]["risk_reversal_25"], 0.0);
    assert_eq!((first["expiries"].as_array().unwrap().len(), &first["expiries"][0]["options"]), (4, &6.into()));
    assert_eq!(place.hash("data"), hash, "what is computed does not depend on it");
    // A later answer is another moment: as of before, the first one counts.
    let known = first["summary"]["known_ts"].as_str().unwrap().to_owned();
    double.set(5.0, false);
    place.ok(&fetch);
    let second = shown(&place, "");
    near(&second["iv_atm_30d"]["value"], month_of(&second, 5.0));
    let then = shown(&place, &format!(" --as-of {known}"));
    assert_eq!(
        (&then["iv_atm_30d"]["value"], &then["summary"]["timestamp"]),
        (&first["iv_atm_30d"]["value"], &first["summary"]["timestamp"])
    );
    let earlier = Ts::parse(&known).unwrap() - Span::hours(1);
    assert_eq!(shown(&place, &format!(" --as-of {earlier}"))["summary"], Value::Null);
    // A venue that refuses changes nothing of what is known.
    double.set(9.0, true);
    place.run(&fetch).exits(3).says("the options summary of BTC: the venue refuses").says("unavailable");
    let kept = shown(&place, "");
    assert_eq!(kept["iv_atm_30d"]["value"], second["iv_atm_30d"]["value"]);
    let text = place.ok("options show BTC --data data");
    assert!(
        text.contains("at the money, 30 d") && text.contains("implied less realized") && text.contains("no bracket"),
        "{text}"
    );
    assert!(text.lines().all(|l| l.chars().count() <= 80), "{text}");
    let signals = place.ok("signals ls --data data");
    assert!(signals.contains("deribit.dvol  deribit:BTC-PERPETUAL  from deribit"), "{signals}");
    assert!(place.ok("db check --data data").contains("signal values"));
    let none = place.ok("options show DOGE --data data");
    assert!(none.contains("BTC, ETH, SOL") && !none.contains("options fetch"), "{none}");
    place.run("options show ETH --market BTCUSDT --data data").exits(2).says("is of BTC, not of ETH");
    served(&place, &second);
}

/// The same over HTTP.
fn served(place: &Place, second: &Value) {
    let server = Server::start(place, "data");
    let view = server.json("/api/v1/options/BTC");
    for part in ["dvol", "iv_atm_30d"] {
        assert_eq!(view[part]["value"], second[part]["value"], "{part}");
    }
    assert_eq!((&view["maturities"], &view["expiries"]), (&second["maturities"], &second["expiries"]));
    let other = server.json("/api/v1/options/SOL");
    assert_eq!(
        (&other["dvol"]["reason"], &other["iv_atm_30d"]["reason"]),
        (&"not_offered".into(), &"missing_input".into())
    );
    assert_eq!(other["market"], "deribit:SOL_USDC-PERPETUAL");
}

#[test]
fn history_of_the_index_is_known_since_it_was_fetched() {
    let place = Place::new();
    let double = Double::start();
    let line = format!("options fetch BTC --history 3h --data data {} --json", double.flag());
    let [done] = &json_lines(&place.ok(&line))[..] else { panic!("one object") };
    assert!(done["history"].as_u64().unwrap() >= 2, "{done}");
    assert_eq!(done["dvol"], 0.4318);
    let view = shown(&place, "");
    assert_eq!(view["dvol"]["value"], 0.4318);
    assert_eq!(
        (&view["realized_vol_24h"]["reason"], &view["realized_market"]),
        (&"missing_input".into(), &Value::Null)
    );
    let hour_ago = now() - Span::mins(30);
    assert_eq!(shown(&place, &format!(" --as-of {hour_ago}"))["dvol"]["reason"], "missing_input");
    place.run(&format!("options fetch DOGE --data data {}", double.flag())).exits(3).says("lists no options of DOGE");
    place.run("options show BTC-USD --data data").exits(2).says("as in BTC");
}

#[test]
fn a_live_process_asks_for_options_that_a_setting_names_and_goes_on_without_them() {
    let place = Place::new();
    let (sim, double) = (Sim::start(&place), Double::start());
    place.write("barograph.toml", "symbols = [\"BTCUSDT\"]\noptions = \"BTC\"\n");
    let line = format!(
        "up --backfill 0 --books off --data data --listen 127.0.0.1:0 --endpoint {},deribit=http://{}",
        sim.endpoint, double.addr
    );
    let mut server = Server::of(place.start(&line));
    let view = until("the options of BTC", || {
        Some(server.json("/api/v1/options/BTC")).filter(|view| view["dvol"]["value"].is_number())
    });
    near(&view["iv_atm_30d"]["value"], month_of(&view, 0.0));
    assert_eq!(view["realized_market"], "binance-usdm:BTCUSDT");
    // A start later the venue refuses: what is known stays, and the process says what it lacks.
    server.process.signal("TERM");
    assert_eq!(server.process.wait(Duration::from_secs(30)), Some(0), "{}", server.process.err.text());
    double.set(9.0, true);
    let mut again = Server::of(place.start(&line));
    again.process.err.wait_for("options of BTC cannot be had, next try in 10 min");
    let kept = again.json("/api/v1/options/BTC");
    assert_eq!(
        (&kept["summary"]["timestamp"], &kept["dvol"]["value"]),
        (&view["summary"]["timestamp"], &view["dvol"]["value"])
    );
    again.process.signal("TERM");
    assert_eq!(again.process.wait(Duration::from_secs(30)), Some(0), "{}", again.process.err.text());
    // Without the setting, and without a market of the venue, nobody is asked.
    let asked = double.asked().len();
    place.write("barograph.toml", "symbols = [\"BTCUSDT\"]\n");
    place.ok(&format!("{} --no-serve --for 3s", line.replace(" --listen 127.0.0.1:0", "")));
    assert_eq!(double.asked().len(), asked);
}
