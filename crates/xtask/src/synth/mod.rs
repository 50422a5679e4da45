//! `cargo x synth`: one made-up market, minute by minute, in the layout and formats of the Binance public archive.
//!
//! For load and speed, not for insight: nothing here is recorded, and every output made from it has to say so. A year
//! is 525,600 rows each of klines, mark, index and premium, 105,120 of metrics and 1,095 settlements: 2.2 million
//! events. The same seed gives the same rows on any machine: own generator, pure-Rust logarithm, no clock.
//!
//! Layout and columns: the archive as of 2026, header rows included, milliseconds, metrics daily and everything else
//! monthly. Left out: aggregated trades, books, checksums beside the files, holes.

mod archive;
mod climate;
mod market;
mod rng;
mod zip;

use crate::{Args, Failure};
use archive::Archive;
use barograph_domain::{Span, Ts};
use market::SynthMarket;
pub(crate) use rng::Random;
use std::path::PathBuf;

/// What to make.
#[derive(Clone, Debug)]
pub(crate) struct SynthOptions {
    /// Folder that gets `data/futures/um/…`.
    pub(crate) out: PathBuf,
    /// Decides every number.
    pub(crate) seed: u64,
    /// Length in days.
    pub(crate) days: u64,
    /// First day, 00:00 UTC.
    pub(crate) from: Ts,
    /// Name of the market.
    pub(crate) symbol: String,
    /// CSV files instead of zip files.
    pub(crate) plain: bool,
}

/// What was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct SynthOutput {
    /// Rows in all files, headers not counted.
    pub(crate) rows: u64,
    /// Files written.
    pub(crate) files: u64,
    /// Bytes on disk.
    pub(crate) bytes: u64,
}

pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let options = options(args)?;
    let made = write(&options)?;
    println!(
        "synthetic: {} days of {} from {}, seed {}: {} rows in {} files, {} MB, under {}",
        options.days,
        options.symbol,
        options.from,
        options.seed,
        made.rows,
        made.files,
        made.bytes / 1_000_000,
        options.out.display()
    );
    Ok(())
}

fn options(mut args: Args) -> Result<SynthOptions, Failure> {
    let out = args.value("--out")?.ok_or_else(|| Failure::Usage("synth needs --out DIR".to_owned()))?;
    let from = args.value("--from")?.unwrap_or_else(|| "2025-01-01".to_owned());
    let symbol = args.value("--symbol")?.unwrap_or_else(|| "SYNTHUSDT".to_owned());
    let options = SynthOptions {
        out: PathBuf::from(out),
        seed: args.number("--seed", 1, 0, u64::MAX)?,
        days: args.number("--days", 365, 1, 3_660)?,
        from: Ts::parse(&from).map_err(Failure::Usage)?.floor(Span::days(1)),
        plain: args.flag("--plain"),
        symbol,
    };
    args.finish()?;
    if options.symbol.is_empty() || !options.symbol.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
        return Err(Failure::Usage(format!("--symbol '{}': write capital letters and digits", options.symbol)));
    }
    Ok(options)
}

/// Makes the market and writes its files.
pub(crate) fn write(options: &SynthOptions) -> Result<SynthOutput, String> {
    let mut market = SynthMarket::new(options.seed);
    // Stamps of settlements jitter; a generator of their own keeps the market the same however they are written.
    let mut jitter = Random::new(options.seed ^ 0x6A09_E667_F3BC_C909);
    let mut archive = Archive::new(&options.out, &options.symbol, options.plain);
    let minutes = i64::try_from(options.days * 1_440).map_err(|e| e.to_string())?;
    for minute in 0..minutes {
        let open = options.from + Span::mins(minute);
        if minute % 480 == 0 {
            let late = Span::millis(i64::from(jitter.below(16)));
            archive.funding(open + late, market.settle())?;
        }
        let m = market.step();
        archive.minute(open, &m)?;
        if (minute + 1) % 5 == 0 {
            archive.metrics(open + Span::mins(1), &market.five_minutes())?;
        }
    }
    archive.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};
    use std::collections::BTreeMap;
    use std::path::Path;

    fn made(seed: u64, days: u64, from: &str, plain: bool) -> (SynthOutput, BTreeMap<String, Vec<u8>>) {
        let dir = tempfile::tempdir().unwrap();
        let options = SynthOptions {
            out: dir.path().to_path_buf(),
            seed,
            days,
            from: Ts::parse(from).unwrap(),
            symbol: "SYNTHUSDT".into(),
            plain,
        };
        let made = write(&options).unwrap();
        let mut files = BTreeMap::new();
        collect(dir.path(), dir.path(), &mut files);
        (made, files)
    }

    fn collect(root: &Path, dir: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(root, &path, files);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                files.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }

    #[test]
    fn layout_and_rows_are_those_of_the_archive() {
        let (made, files) = made(3, 2, "2025-01-31", true);
        let um = "data/futures/um";
        let mut want: Vec<String> = Vec::new();
        for month in ["2025-01", "2025-02"] {
            for kind in ["klines", "markPriceKlines", "indexPriceKlines", "premiumIndexKlines"] {
                want.push(format!("{um}/monthly/{kind}/SYNTHUSDT/1m/SYNTHUSDT-1m-{month}.csv"));
            }
            want.push(format!("{um}/monthly/fundingRate/SYNTHUSDT/SYNTHUSDT-fundingRate-{month}.csv"));
        }
        want.push(format!("{um}/daily/metrics/SYNTHUSDT/SYNTHUSDT-metrics-2025-01-31.csv"));
        want.push(format!("{um}/daily/metrics/SYNTHUSDT/SYNTHUSDT-metrics-2025-02-01.csv"));
        want.sort();
        assert_eq!(files.keys().cloned().collect::<Vec<_>>(), want);
        assert_eq!(made.rows, 2 * (4 * 1_440 + 288 + 3));
        let lines = |name: &str| String::from_utf8(files[name].clone()).unwrap().lines().count();
        assert_eq!(lines(&want[0]), 289);
        assert_eq!(lines(&format!("{um}/monthly/klines/SYNTHUSDT/1m/SYNTHUSDT-1m-2025-02.csv")), 1_441);
    }

    #[test]
    fn the_seed_decides_every_byte() {
        let digest = |seed, plain| {
            let (_, files) = made(seed, 1, "2025-03-01", plain);
            let mut hash = Sha256::new();
            for (name, bytes) in files {
                hash.update(name);
                hash.update(bytes);
            }
            hash.finalize()
        };
        assert_eq!(digest(7, true), digest(7, true));
        assert_eq!(digest(7, false), digest(7, false));
        assert_ne!(digest(7, true), digest(8, true));
    }

    #[test]
    fn metrics_carry_the_label_of_their_time() {
        let (_, files) = made(1, 2, "2026-06-24", true);
        let file = |day| {
            let name = format!("data/futures/um/daily/metrics/SYNTHUSDT/SYNTHUSDT-metrics-2026-06-{day}.csv");
            String::from_utf8(files[&name].clone()).unwrap()
        };
        let label = |line: &str| line.split(',').next().unwrap().to_owned();
        let (old, new) = (file(24), file(25));
        let (old, new): (Vec<_>, Vec<_>) = (old.lines().map(label).collect(), new.lines().map(label).collect());
        assert_eq!((old[1].as_str(), old[288].as_str()), ("2026-06-24 00:05:00", "2026-06-25 00:00:00"));
        assert_eq!((new[1].as_str(), new[288].as_str()), ("2026-06-25 00:00:00", "2026-06-25 23:55:00"));
    }
}
