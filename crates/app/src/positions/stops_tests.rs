//! A stop that is reached is never calm: shown of every hour of the built-in history and the episodes, and of the recordings.

use crate::builtin::BuiltIn;
use crate::failure::Failure;
use crate::run::{Run, RunSink};
use barograph_domain::advice::{Position, PositionBook};
use barograph_domain::{InstrumentName, MarketKind, MinuteRow, Side, Snapshot, Span, Status, StreamIndex, Ts};
use barograph_engine::rules::RuleBook;
use barograph_lake::ImportOptions;
use barograph_live::setup::Setup;
use barograph_query::positions::WatchedStops;
use barograph_query::render::Lens;
use std::path::{Path, PathBuf};

/// A position whose stop lies a little beyond this price.
fn position(market: &InstrumentName, side: Side, price: f64) -> Position {
    let beyond = if side == Side::Long { 1.001 } else { 0.999 };
    Position {
        id: "p".to_owned(),
        instrument: market.clone(),
        side,
        entry: price,
        stop: Some(price * beyond),
        size: None,
        strategy: None,
        opened_at: Ts::MIN,
        registered_by: PositionBook::User,
    }
}

fn texts(s: &Snapshot) -> [String; 5] {
    let g = &s.guidance;
    [&s.headline, &s.explanation.reasoning, &g.new_entries, &g.open_positions, g.posture_action].map(str::to_lowercase)
}

fn is_calm(said: &[String]) -> bool {
    said.iter().any(|text| barograph_testkit::is_calm(text))
}

/// Shows every hour of every market to holders of such positions.
struct Holders {
    lenses: Vec<Lens>,
    shown: usize,
    /// Hours that read as calm for whoever holds nothing.
    calm: usize,
}

impl Holders {
    fn show(&mut self, row: &MinuteRow, price: f64) {
        let lens = &self.lenses[row.instrument as usize];
        let market = &lens.instrument.name;
        self.calm += usize::from(is_calm(&texts(&lens.snapshot(row, None))));
        for side in [Side::Long, Side::Short] {
            let stops = WatchedStops::of([(position(market, side, price), None)]);
            let said = texts(&lens.holding(stops.held(market, row)).snapshot(row, None));
            assert!(said[0].contains(" reached: price "), "{market} {}: {}", row.ts, said[0]);
            assert!(said[3].contains("stop reached"), "{market} {}: {}", row.ts, said[3]);
            assert!(!is_calm(&said), "{market} {}: {said:?}", row.ts);
            self.shown += 1;
        }
    }
}

impl RunSink for Holders {
    fn row(&mut self, row: &MinuteRow) -> Result<(), Failure> {
        if let Some(price) = row.price.filter(|_| row.ts.floor(Span::hours(1)) == row.ts) {
            self.show(row, price);
        }
        Ok(())
    }
    fn gap(&mut self, _stream: StreamIndex, _status: &Status, _known_ts: Ts) -> Result<(), Failure> {
        Ok(())
    }
}

/// Runs files and shows every hour.
fn held_through(paths: &[PathBuf], options: &ImportOptions) -> Holders {
    let plan = barograph_lake::plan(paths, options).unwrap();
    assert!(plan.failed().is_empty(), "{:?}", plan.failed());
    let text = RuleBook::shipped_text("default").unwrap();
    let setup = Setup::of(RuleBook::parse("default.toml", text).unwrap(), text.to_owned(), String::new());
    let lenses = plan.instruments().iter().map(|i| setup.lens(i, plan.streams())).collect();
    let mut holders = Holders { lenses, shown: 0, calm: 0 };
    let mut run = Run::new(&setup, plan.instruments(), plan.streams());
    let ended = plan.open(None).try_for_each(|event| run.event(&event, &mut holders));
    assert!(ended.is_ok());
    eprintln!("{paths:?}: {} shown, {} calm without a position", holders.shown, holders.calm);
    holders
}

fn undeclared() -> ImportOptions {
    ImportOptions::new(crate::clock::now())
}

#[test]
fn no_hour_of_the_built_in_history_is_calm_for_whose_stop_is_reached() {
    let files = BuiltIn::unpack().ok().unwrap();
    let holders = held_through(&files.paths(), &undeclared());
    assert!(holders.shown > 12_000 && holders.calm > 2_000, "{} shown, {} calm", holders.shown, holders.calm);
}

#[test]
fn no_hour_of_the_episodes_is_calm_for_whose_stop_is_reached() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/episodes");
    let mut shown = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            shown += held_through(&[path], &undeclared()).shown;
        }
    }
    assert!(shown > 4_000, "{shown}");
}

/// Recordings as they lie: files, and their venue where their names do not say it.
const RECORDED: [(&[&str], Option<&str>); 8] = [
    (
        &[
            "ohlcv/usdm_2023_2026/btcusdt_30m.parquet",
            "ohlcv/usdm_2023_2026/ethusdt_30m.parquet",
            "derivatives/oi_5m_2025-12_2026-06/btcusdt_oi_5m.csv.gz",
            "derivatives/oi_5m_2025-12_2026-06/ethusdt_oi_5m.csv.gz",
            "derivatives/funding_full_2019_2026/btcusdt_funding.json.gz",
            "derivatives/funding_full_2019_2026/ethusdt_funding.json.gz",
        ],
        Some("binance-usdm"),
    ),
    (
        &["ohlcv/5m_2025-10_crash/btcusdt_usdm_5m.json.gz", "ohlcv/5m_2025-10_crash/ethusdt_usdm_5m.json.gz"],
        Some("binance-usdm"),
    ),
    (&["ohlcv/5m_2025-10_crash/btcusdt_bybit_perp_5m.feather"], Some("bybit")),
    (
        &["ohlcv/5m_usdm_2023_2024/btcusdt_5m.feather", "ohlcv/5m_usdm_2023_2024/ethusdt_5m.feather"],
        Some("binance-usdm"),
    ),
    (
        &["ohlcv/5m_okx_2022_stress/btc-usdt-swap_5m.feather", "ohlcv/5m_okx_2022_stress/eth-usdt-swap_5m.feather"],
        Some("okx"),
    ),
    (&["ohlcv/1m_depeg_2023-03/coinbase_btcusd_1m.parquet", "ohlcv/1m_depeg_2023-03/kraken_btcusd_1m.parquet"], None),
    (&["ohlcv/1m_2025_2026"], None),
    (&["ohlcv/1m_2022-01/btc-perp_1m.csv.gz"], Some("ftx")),
];

#[test]
fn no_hour_of_the_recordings_is_calm_for_whose_stop_is_reached() {
    for (files, venue) in RECORDED {
        let Some(paths) = files.iter().map(|f| barograph_testkit::recorded(f)).collect::<Option<Vec<_>>>() else {
            return;
        };
        // One venue is known to this file alone.
        let market = venue.filter(|v| *v == "ftx").map(|_| MarketKind::Perpetual);
        let options = ImportOptions { venue: venue.map(str::to_owned), market, ..undeclared() };
        let holders = held_through(&paths, &options);
        assert!(holders.shown > 1_000, "{files:?}: {}", holders.shown);
    }
}
