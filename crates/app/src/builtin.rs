//! The history that comes with the program: three perpetuals, December 2025 to March 2026 (`testdata/history`).

use crate::failure::Failure;
use std::path::PathBuf;

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_bytes!(concat!("../../../testdata/history/", $path)).as_slice())),*]
    };
}

const FILES: &[(&str, &[u8])] = files![
    "import.toml",
    "binance-usdm/BTCUSDT/candles_1h.csv.zst",
    "binance-usdm/BTCUSDT/funding_8h.csv.zst",
    "binance-usdm/BTCUSDT/open_interest_usd_1h.hyperliquid.csv.zst",
    "binance-usdm/ETHUSDT/candles_1h.csv.zst",
    "binance-usdm/ETHUSDT/funding_8h.csv.zst",
    "binance-usdm/ETHUSDT/open_interest_usd_1h.hyperliquid.csv.zst",
    "binance-usdm/SOLUSDT/candles_1h.csv.zst",
    "binance-usdm/SOLUSDT/funding_8h.csv.zst",
    "binance-usdm/SOLUSDT/open_interest_usd_1h.hyperliquid.csv.zst",
];

/// The built-in history as ordinary files, for as long as this lives.
#[derive(Debug)]
pub(crate) struct BuiltIn {
    folder: tempfile::TempDir,
}

impl BuiltIn {
    /// Unpacks the files into a temporary folder: they are read by the same importers as anyone's.
    pub(crate) fn unpack() -> Result<Self, Failure> {
        let folder = tempfile::tempdir().map_err(|e| Failure::broken(format!("no temporary folder: {e}")))?;
        for (path, bytes) in FILES {
            let target = folder.path().join(path);
            if let Some(parent) = target.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(&target, bytes)?;
        }
        Ok(Self { folder })
    }

    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        vec![self.folder.path().to_owned()]
    }
}
