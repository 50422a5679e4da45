//! What the tests of this crate share: a folder of hand-made files, one way to import it, events as readable lines.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic_in_result_fn,
    clippy::allow_attributes,
    reason = "helpers of tests; each binary uses its own part and stops where something is missing"
)]

use barograph_domain::{Event, Payload, Ts};
use barograph_lake::{Error, ImportOptions, ImportPlan, Report, plan};
use std::io::Write;
use std::path::PathBuf;

/// The present of every test.
pub const NOW: Ts = Ts::from_civil(2026, 11, 20, 0, 0, 0);

/// A folder that goes away with the test.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
    /// Writes a file into a folder that outlives this call.
    pub fn write_kept(self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.write(name, bytes);
        drop(self.0.keep());
        path
    }
    pub fn path(&self) -> PathBuf {
        self.0.path().to_path_buf()
    }
    /// Writes a file below the folder and gives its path.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

pub fn options() -> ImportOptions {
    ImportOptions::new(NOW)
}

/// Options for files whose names say nothing.
pub fn btc() -> ImportOptions {
    ImportOptions { venue: Some("binance-usdm".into()), symbol: Some("BTCUSDT".into()), ..options() }
}

/// Everything an import gives.
pub struct Imported {
    pub plan: ImportPlan,
    pub events: Vec<Event>,
    pub report: Report,
}

pub fn read(plan: &ImportPlan, cut: Option<Ts>) -> (Vec<Event>, Report) {
    let mut reader = plan.open(cut);
    let events: Vec<Event> = reader.by_ref().collect();
    (events, reader.finish())
}

pub fn try_import(paths: &[PathBuf], options: &ImportOptions) -> Result<Imported, Error> {
    let plan = plan(paths, options)?;
    let (events, report) = read(&plan, None);
    assert!(events.is_sorted_by(|a, b| a.order(b).is_lt()), "strictly in the total order");
    assert_eq!(report.events, events.len() as u64);
    let unused: u64 = report.unused.values().sum();
    assert_eq!(report.rows, report.accepted + report.rejected_rows + unused, "every row is accounted for");
    Ok(Imported { plan, events, report })
}

pub fn import(paths: &[PathBuf], options: &ImportOptions) -> Imported {
    try_import(paths, options).unwrap_or_else(|e| panic!("{e}"))
}

impl Imported {
    /// Events as lines: known, stamp, stream, numbers.
    pub fn lines(&self) -> Vec<String> {
        self.events.iter().map(|e| line(&self.plan, e)).collect()
    }
    /// Distinct labels of streams.
    pub fn streams(&self) -> Vec<String> {
        self.plan.streams().iter().map(|d| d.label()).collect()
    }
    /// `reason count example` of each rejection.
    pub fn rejections(&self) -> Vec<String> {
        let show = |r: &barograph_lake::Rejection| format!("{} {}: {}", r.count, r.reason.spoken(), r.example);
        self.report.rejected.iter().map(show).collect()
    }
}

pub fn line(plan: &ImportPlan, event: &Event) -> String {
    let decl = &plan.streams()[event.stream.index()];
    let name = format!("{} {} {}", decl.instrument.symbol, decl.metric.name(), decl.cadence);
    let opt = |v: Option<f64>| v.map_or("-".to_owned(), |v| v.to_string());
    let payload = match event.payload {
        Payload::Bar(b) => {
            format!("{} {} {} {} {} {}", b.open, b.high, b.low, b.close, opt(b.volume), opt(b.quote_volume))
        }
        Payload::Value(v) => v.to_string(),
        Payload::Funding { rate, interval_h, next_ts, special } => {
            let next = next_ts.map_or("-".to_owned(), Ts::iso);
            format!("{rate} per {}h next {next}{}", opt(interval_h), if special { " special" } else { "" })
        }
        Payload::Trade { price, qty, aggressor_side } => format!("{price} x {qty} {aggressor_side:?} #{}", event.seq),
        Payload::Liquidation { liquidated_side, price, qty } => format!("{liquidated_side:?} {price} x {qty}"),
        Payload::BestBidAsk { bid, ask } => format!("{bid} / {ask}"),
        Payload::Status(_) | Payload::Tick => unreachable!("importers give data only"),
    };
    format!("{} {} {name}: {payload}", event.recv_ts.iso(), event.event_ts.iso())
}

pub fn gz(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut e = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    e.write_all(bytes.as_ref()).unwrap();
    e.finish().unwrap()
}

pub fn zst(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    zstd::encode_all(bytes.as_ref(), 1).unwrap()
}

/// A zip archive with deflated members, written by hand: the crate reads, it does not write.
pub fn zip(members: &[(&str, &str)]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, text) in members {
        let mut e = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        e.write_all(text.as_bytes()).unwrap();
        let packed = e.finish().unwrap();
        let mut crc = flate2::Crc::new();
        crc.update(text.as_bytes());
        let offset = u32::try_from(out.len()).unwrap();
        let sizes = [crc.sum(), u32::try_from(packed.len()).unwrap(), u32::try_from(text.len()).unwrap()];
        let name_length = u16::try_from(name.len()).unwrap();
        let common = |to: &mut Vec<u8>| {
            for n in [20_u16, 0, 8, 0, 33] {
                to.extend(n.to_le_bytes());
            }
            to.extend(sizes.iter().flat_map(|n| n.to_le_bytes()));
            to.extend(name_length.to_le_bytes());
            to.extend(0_u16.to_le_bytes());
        };
        out.extend(b"PK\x03\x04");
        common(&mut out);
        out.extend(name.as_bytes());
        out.extend(&packed);
        directory.extend(b"PK\x01\x02\x14\x00");
        common(&mut directory);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (at, length) = (u32::try_from(out.len()).unwrap(), u32::try_from(directory.len()).unwrap());
    let count = u16::try_from(members.len()).unwrap();
    out.extend(directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
    out.extend([length.to_le_bytes(), at.to_le_bytes()].concat());
    out.extend([0; 2]);
    out
}
