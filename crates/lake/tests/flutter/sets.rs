//! The recordings that labels are counted over, and how a market of theirs is declared.
//!
//! They lie beside the repository (`barograph_testkit::recorded`); a set that is missing says so and is left out. Files are copied
//! into a folder with an `import.toml`, which says what they cannot say themselves, and read by the importers like anyone's.

use barograph_domain::Ts;
use barograph_lake::{ImportOptions, ImportPlan, plan};
use barograph_testkit::recorded;
use std::fmt::Write as _;
use std::path::Path;

/// One or more markets over one time, at one cadence of prices.
pub(crate) struct Set {
    pub(crate) name: &'static str,
    /// How often prices come, as the tables group it.
    pub(crate) cadence: &'static str,
    /// Files below the folder of recordings, each with what is declared about it.
    files: &'static [(&'static str, &'static str)],
    /// What is read of them.
    between: (&'static str, &'static str),
    /// Open interest is among them from this day on, and nothing is counted before: every rule of the risk axis can be judged.
    pub(crate) whole_from: Option<&'static str>,
}

const USDM: &str = "venue = \"binance-usdm\"";
const OKX: &str = "venue = \"okx\"";
/// Prices of the spot market stand in for those of the contract, of which no hourly recording reaches back so far.
const SPOT: &str = "venue = \"binance-usdm\"\nsymbol = \"BTCUSDT\"\nmarket = \"perpetual\"";
/// The venue's own stamp is the end of the minute as far as anyone can know.
const FTX: &str = "venue = \"ftx\"\nmarket = \"perpetual\"\nstamp = \"close\"";
const GATE_BTC: &str = "venue = \"okx\"\nsymbol = \"BTC-USDT-SWAP\"\nsource = \"gate\"\nmetric = \"funding_rate_settled\"\n\
                        cadence = \"8h\"\ncolumns = { time = \"Date\", rate = \"Funding Rate\" }";
const GATE_ETH: &str = "venue = \"okx\"\nsymbol = \"ETH-USDT-SWAP\"\nsource = \"gate\"\nmetric = \"funding_rate_settled\"\n\
                        cadence = \"8h\"\ncolumns = { time = \"Date\", rate = \"Funding Rate\" }";
const FUNDING_BTC: (&str, &str) = ("derivatives/funding_full_2019_2026/btcusdt_funding.json.gz", USDM);
const FUNDING_ETH: (&str, &str) = ("derivatives/funding_full_2019_2026/ethusdt_funding.json.gz", USDM);
const FUNDING_SOL: (&str, &str) = ("derivatives/funding_full_2019_2026/solusdt_funding.json.gz", USDM);

/// Everything recorded that a risk label can be made of. 2022 to 2024 has no open interest by the hour or finer.
pub(crate) const SETS: &[Set] = &[
    Set {
        name: "BTC 2022, hours of spot",
        cadence: "1h",
        files: &[("ohlcv/1h_spot_2017_2024/btcusdt_1h.feather", SPOT), FUNDING_BTC],
        between: ("2021-09-15", "2023-01-01"),
        whole_from: None,
    },
    Set {
        name: "BTC, ETH, SOL 2023 to 2026, hours",
        cadence: "1h",
        files: &[
            ("ohlcv/usdm_2023_2026/btcusdt_1h.parquet", USDM),
            ("ohlcv/usdm_2023_2026/ethusdt_1h.parquet", USDM),
            ("ohlcv/usdm_2023_2026/solusdt_1h.parquet", USDM),
            FUNDING_BTC,
            FUNDING_ETH,
            FUNDING_SOL,
        ],
        between: ("2023-01-01", "2026-03-25"),
        whole_from: None,
    },
    Set {
        name: "BTC, ETH, SOL of OKX 2022, five minutes",
        cadence: "5m",
        files: &[
            ("ohlcv/5m_okx_2022_stress/btc-usdt-swap_5m.feather", OKX),
            ("ohlcv/5m_okx_2022_stress/eth-usdt-swap_5m.feather", OKX),
            ("ohlcv/5m_okx_2022_stress/sol-usdt-swap_5m.feather", OKX),
            ("derivatives/funding_2020_2023/btc-usdt_gate.csv.gz", GATE_BTC),
            ("derivatives/funding_2020_2023/eth-usdt_gate.csv.gz", GATE_ETH),
        ],
        between: ("2022-05-01", "2023-01-01"),
        whole_from: None,
    },
    Set {
        name: "BTC, ETH 2023 to 2024-05, five minutes",
        cadence: "5m",
        files: &[
            ("ohlcv/5m_usdm_2023_2024/btcusdt_5m.feather", USDM),
            ("ohlcv/5m_usdm_2023_2024/ethusdt_5m.feather", USDM),
            FUNDING_BTC,
            FUNDING_ETH,
        ],
        between: ("2023-01-01", "2024-05-15"),
        whole_from: None,
    },
    Set {
        name: "BTC of FTX 2022-01, minutes",
        cadence: "1m",
        files: &[("ohlcv/1m_2022-01/btc-perp_1m.csv.gz", FTX)],
        between: ("2021-12-01", "2022-02-02"),
        whole_from: None,
    },
    Set {
        name: "BTC, ETH, SOL 2023-07 and 08, minutes",
        cadence: "1m",
        files: &[
            ("ohlcv/1m_2023-07/btcusdt_usdm_1m.feather", USDM),
            ("ohlcv/1m_2023-07/ethusdt_usdm_1m.feather", USDM),
            ("ohlcv/1m_2023-07/solusdt_usdm_1m.feather", USDM),
            FUNDING_BTC,
            FUNDING_ETH,
            FUNDING_SOL,
        ],
        between: ("2023-06-01", "2023-08-18"),
        whole_from: None,
    },
    Set {
        name: "BTC, ETH, SOL 2025-05 and 06, minutes",
        cadence: "1m",
        files: &[
            ("ohlcv/1m_2025_2026/btcusdt_usdm_1m_a.feather", USDM),
            ("ohlcv/1m_2025_2026/btcusdt_usdm_1m_b.feather", USDM),
            ("ohlcv/1m_2025_2026/ethusdt_usdm_1m_a.feather", USDM),
            ("ohlcv/1m_2025_2026/ethusdt_usdm_1m_b.feather", USDM),
            ("ohlcv/1m_2025_2026/solusdt_usdm_1m_a.feather", USDM),
            ("ohlcv/1m_2025_2026/solusdt_usdm_1m_b.feather", USDM),
            FUNDING_BTC,
            FUNDING_ETH,
            FUNDING_SOL,
        ],
        between: ("2025-04-01", "2025-06-25"),
        whole_from: None,
    },
    Set {
        name: "BTC of OKX 2026-01 with open interest of Binance, minutes",
        cadence: "1m",
        files: &[
            ("ohlcv/1m_2025_2026/btc-usdt-swap_okx_1m.feather", MINUTES_OF_OKX),
            ("derivatives/oi_5m_2025-12_2026-06/btcusdt_oi_5m.csv.gz", USDM),
            FUNDING_BTC,
        ],
        between: ("2025-12-01", "2026-01-17"),
        whole_from: Some("2025-12-16"),
    },
    Set {
        name: "BTC, ETH 2025-10, five minutes",
        cadence: "5m",
        files: &[
            ("ohlcv/5m_2025-10_crash/btcusdt_usdm_5m.json.gz", USDM),
            ("ohlcv/5m_2025-10_crash/ethusdt_usdm_5m.json.gz", USDM),
            FUNDING_BTC,
            FUNDING_ETH,
        ],
        between: ("2025-08-01", "2025-11-01"),
        whole_from: None,
    },
    Set {
        name: "BTC, ETH, SOL 2025-12 to 2026-06, hours with open interest every five minutes",
        cadence: "1h",
        files: &[
            ("ohlcv/1h_2023_2026-06/btcusdt_1h.csv.gz", USDM),
            ("ohlcv/1h_2023_2026-06/ethusdt_1h.csv.gz", USDM),
            ("ohlcv/1h_2023_2026-06/solusdt_1h.csv.gz", USDM),
            ("derivatives/oi_5m_2025-12_2026-06/btcusdt_oi_5m.csv.gz", USDM),
            ("derivatives/oi_5m_2025-12_2026-06/ethusdt_oi_5m.csv.gz", USDM),
            ("derivatives/oi_5m_2025-12_2026-06/solusdt_oi_5m.csv.gz", USDM),
            FUNDING_BTC,
            FUNDING_ETH,
            FUNDING_SOL,
        ],
        between: ("2025-08-25", "2026-06-06"),
        whole_from: Some("2025-12-16"),
    },
    Set {
        name: "BTC, ETH, SOL 2025-12 to 2026-03, hours with open interest by the hour (built in)",
        cadence: "1h",
        files: &[],
        between: ("2025-12-01", "2026-04-01"),
        whole_from: Some("2025-12-08"),
    },
];
const MINUTES_OF_OKX: &str = "venue = \"binance-usdm\"\nsymbol = \"BTCUSDT\"\nsource = \"okx\"";

impl Set {
    pub(crate) fn between(&self) -> (Ts, Ts) {
        (Ts::parse(self.between.0).unwrap(), Ts::parse(self.between.1).unwrap())
    }

    /// From when on labels are counted.
    pub(crate) fn counted_from(&self) -> Ts {
        Ts::parse(self.whole_from.unwrap_or("2022-01-01")).unwrap()
    }

    /// The plan of reading it; `None`, and said so, where a file is missing.
    pub(crate) fn plan(&self, folder: &Path) -> Option<ImportPlan> {
        let path = if self.files.is_empty() {
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/history")
        } else {
            self.copy(folder)?;
            folder.to_path_buf()
        };
        // The present decides only which rows are refused as future ones; recordings have none.
        let read = plan(&[path], &ImportOptions::new(Ts::parse("2030-01-01").unwrap())).unwrap();
        assert!(read.failed().is_empty(), "{}: {:?}", self.name, read.failed());
        Some(read)
    }

    fn copy(&self, folder: &Path) -> Option<()> {
        let mut manifest = "version = 1\n".to_owned();
        for (below, entry) in self.files {
            let from = recorded(below)?;
            let name = from.file_name().unwrap().to_str().unwrap();
            std::fs::copy(&from, folder.join(name)).unwrap();
            write!(manifest, "[[file]]\npath = {name:?}\n{entry}\n").unwrap();
        }
        std::fs::write(folder.join("import.toml"), manifest).unwrap();
        Some(())
    }
}
