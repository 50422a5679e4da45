//! Input for the commands: parts of the recorded history that ships with the program, and seeded markets that end now.

use super::{Place, Random};
use barograph_domain::{Span, Ts};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The history that ships with the program.
pub(crate) fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/history")
}

/// Kinds of files of one market of the history.
pub(crate) const FILES: [&str; 3] = ["candles_1h.csv", "funding_8h.csv", "open_interest_usd_1h.hyperliquid.csv"];

/// Rows of the history with `from ≤ stamp < until`, as plain files under `folder` with their manifest; their number.
pub(crate) fn slice(folder: &Path, symbols: &[&str], from: &str, until: &str) -> usize {
    std::fs::create_dir_all(folder).unwrap();
    let manifest = std::fs::read_to_string(shipped().join("import.toml")).unwrap();
    std::fs::write(folder.join("import.toml"), manifest.replace(".csv.zst", ".csv")).unwrap();
    let mut count = 0;
    for symbol in symbols {
        let market = Path::new("binance-usdm").join(symbol);
        std::fs::create_dir_all(folder.join(&market)).unwrap();
        for file in FILES {
            let packed = std::fs::read(shipped().join(&market).join(format!("{file}.zst"))).unwrap();
            let text = String::from_utf8(zstd::decode_all(packed.as_slice()).unwrap()).unwrap();
            let (header, rows) = text.split_once('\n').unwrap();
            let mut part = format!("{header}\n");
            for row in rows.lines().filter(|row| (from..until).contains(row)) {
                part.push_str(row);
                part.push('\n');
                count += 1;
            }
            std::fs::write(folder.join(&market).join(file), part).unwrap();
        }
    }
    assert!(count > 0, "no row of the history lies in {from}..{until}");
    count
}

/// Three weeks of two markets around the crash of February 2026, stored in `data`, from the files in `in`.
pub(crate) struct Stored {
    pub(crate) place: Place,
}

pub(crate) const STORED_FROM: &str = "2026-01-17";
pub(crate) const STORED_UNTIL: &str = "2026-02-07";

/// Imported once for all tests that only read it; gone when the last of them is done.
pub(crate) fn stored() -> Arc<Stored> {
    static HELD: Mutex<Weak<Stored>> = Mutex::new(Weak::new());
    // A test that failed while importing says so itself.
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(stored) = held.upgrade() {
        return stored;
    }
    let place = Place::new();
    slice(&place.path("in"), &["BTCUSDT", "ETHUSDT"], STORED_FROM, STORED_UNTIL);
    place.ok("collect --source in --data data");
    let stored = Arc::new(Stored { place });
    *held = Arc::downgrade(&stored);
    stored
}

/// The present moment.
pub(crate) fn now() -> Ts {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Ts(i64::try_from(since.as_nanos()).unwrap())
}

/// How a seeded market behaves in its last hours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mood {
    /// 20 % volatility, everything even.
    Calm,
    /// Funding jumps and open interest grows by a fifth while the price is calm.
    Crowded,
    /// 160 % volatility.
    Wild,
    /// 65 % volatility, open interest even.
    Choppy,
}

impl Mood {
    /// Volatility per minute.
    fn step(self) -> f64 {
        let annual: f64 = match self {
            Self::Calm | Self::Crowded => 0.2,
            Self::Wild => 1.6,
            Self::Choppy => 0.65,
        };
        annual / 525_600_f64.sqrt()
    }
}

/// Writes one minute-by-minute perpetual from `start` to the bar that closes at `end`: candles in the archive's format,
/// mark, running funding and open interest as tables that a manifest describes. A calm market that is written again
/// with a later end grows; others change in their last five hours.
pub(crate) fn market(folder: &Path, symbol: &str, mood: Mood, (start, end): (Ts, Ts)) {
    let (start, end) = (start.floor(Span::mins(5)), end.floor(Span::mins(1)));
    let mut random = Random::new(20_261_120);
    let mut price = 60_000.0_f64;
    let mut bars = String::from(
        "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore\n",
    );
    let (mut marks, mut funding) = (String::from("timestamp,mark\n"), String::from("timestamp,rate,hours\n"));
    let mut interest = String::from("timestamp,contracts\n");
    let mut at = start;
    while at < end {
        let close = at + Span::mins(1);
        let left = (end - close).as_secs();
        let moody = left < 5 * 3_600;
        let step = if moody { mood.step() } else { Mood::Calm.step() };
        // Steps of one size and a drawn sign: the volatility of any hour is then known beforehand.
        let next = if random.below(2) == 0 { price * (1.0 + step) } else { price / (1.0 + step) };
        let (open_ms, close_ms) = (at.as_millis(), close.as_millis() - 1);
        let (high, low) = (price.max(next), price.min(next));
        writeln!(bars, "{open_ms},{price:.2},{high:.2},{low:.2},{next:.2},10,{close_ms},600000,50,5,300000,0").unwrap();
        writeln!(marks, "{close},{next:.2}").unwrap();
        let crowded = mood == Mood::Crowded && moody;
        // A rate that never moves has no z-score; a hundredth of a basis point is not news.
        let rate =
            if crowded && left < 600 { 0.001 } else { 0.0001 + 1e-8 * f64::from(u8::from(random.below(2) == 0)) };
        writeln!(funding, "{close},{rate:.8},8").unwrap();
        if close.floor(Span::mins(5)) == close {
            let grown = if crowded && left < 3_600 { 1.2 } else { 1.0 };
            let noise = 1.0 + 0.001 * f64::from(u8::from(random.below(2) == 0));
            writeln!(interest, "{close},{:.3}", 80_000.0 * grown * noise).unwrap();
        }
        price = next;
        at = close;
    }
    let own = folder.join(symbol);
    std::fs::create_dir_all(&own).unwrap();
    let bar_file = format!("{symbol}-1m.csv");
    let files = [
        ("import.toml", manifest(symbol)),
        ("mark.csv", marks),
        ("funding.csv", funding),
        ("open_interest.csv", interest),
        (bar_file.as_str(), bars),
    ];
    for (file, text) in files {
        // Whole or not at all: somebody may be reading.
        let beside = folder.join(".beside");
        std::fs::write(&beside, text).unwrap();
        std::fs::rename(&beside, own.join(file)).unwrap();
    }
}

/// The manifest of [`market`].
fn manifest(symbol: &str) -> String {
    let mut text = "version = 1\n".to_owned();
    for (file, metric, cadence, delay, columns) in [
        ("mark.csv", "mark_price", "1m", "2s", "{ time = \"timestamp\", value = \"mark\" }"),
        (
            "funding.csv",
            "funding_rate",
            "1m",
            "2s",
            "{ time = \"timestamp\", rate = \"rate\", interval_h = \"hours\" }",
        ),
        ("open_interest.csv", "open_interest", "5m", "5s", "{ time = \"timestamp\", value = \"contracts\" }"),
    ] {
        writeln!(text, "[[file]]\npath = \"{file}\"\nvenue = \"binance-usdm\"\nsymbol = \"{symbol}\"").unwrap();
        writeln!(text, "metric = \"{metric}\"\nstamp = \"instant\"\ncadence = \"{cadence}\"").unwrap();
        writeln!(text, "delay = \"{delay}\"\ncolumns = {columns}").unwrap();
    }
    writeln!(text, "[[file]]\npath = \"{symbol}-1m.csv\"\nvenue = \"binance-usdm\"\nsymbol = \"{symbol}\"").unwrap();
    text
}

/// Wide snapshots of a book, one a second from midnight of 5 January 2026: its mid of about a thousand moves by five basis points once in
/// `still` seconds, and the sizes mostly say which way it will go. Markets with one seed move alike, `late` seconds behind it.
pub(crate) fn snapshots(seconds: usize, still: u64, late: usize, seed: u64) -> String {
    let mut random = Random::new(seed);
    let moves: Vec<f64> = (0..seconds)
        .map(|_| match random.below(2 * still) {
            0 => 1.0,
            1 => -1.0,
            _ => 0.0,
        })
        .collect();
    let mut text = String::from("ts,known_ts,bid_price_L0,bid_size_L0,ask_price_L0,ask_size_L0\n");
    let begins = Ts::parse("2026-01-05T00:00:00Z").unwrap();
    let mut mid = 1_000.0;
    for second in 0..seconds {
        mid += second.checked_sub(late).map_or(0.0, |at| 0.5 * moves[at]);
        let next = moves[(second + 1).saturating_sub(late)..].iter().find(|m| m.abs() > 0.0).copied().unwrap_or(0.0);
        let lean = if random.below(5) == 0 { -next } else { next };
        let at = begins + Span::secs(i64::try_from(second).unwrap());
        let sizes = [500.0 + 300.0 * lean, 500.0 - 300.0 * lean];
        let prices = [mid - 0.05, mid + 0.05];
        let known = at + Span::millis(40);
        writeln!(text, "{},{},{:.3},{:.1},{:.3},{:.1}", at.0, known.0, prices[0], sizes[0], prices[1], sizes[1])
            .unwrap();
    }
    text
}
