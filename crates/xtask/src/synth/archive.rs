//! The archive's folders, file names, header rows and number formats.
//!
//! Columns: data.binance.vision, USD-M futures, as seen in 2026. Klines and funding are monthly,
//! metrics daily. Times are milliseconds; `create_time` of metrics is text, the end of its five minutes before
//! 2026-06-25 and the start from then on.

use super::market::{FiveMinutes, Ohlc, SynthMinute};
use super::{SynthOutput, zip};
use barograph_domain::{Span, Ts};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const KLINES_HEADER: &str = "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,\
                             taker_buy_quote_volume,ignore";
const FUNDING_HEADER: &str = "calc_time,funding_interval_hours,last_funding_rate";
const METRICS_HEADER: &str = "create_time,symbol,sum_open_interest,sum_open_interest_value,\
                              count_toptrader_long_short_ratio,sum_toptrader_long_short_ratio,count_long_short_ratio,\
                              sum_taker_long_short_vol_ratio";

/// From here on metrics are labelled with the start of their five minutes.
const LABEL_SHIFT: Ts = Ts::from_civil(2026, 6, 25, 0, 0, 0);

/// One series being written: rows of the current month or day.
#[derive(Debug)]
struct Series {
    /// Folder of the series, seen from the archive's root.
    folder: String,
    /// File name up to the month or day.
    stem: String,
    header: &'static str,
    daily: bool,
    /// Month or day of the rows in `text`.
    part: String,
    text: String,
    rows: u64,
}

/// Where the files go.
#[derive(Debug)]
pub(crate) struct Archive {
    root: PathBuf,
    symbol: String,
    plain: bool,
    last: Series,
    mark: Series,
    index: Series,
    premium: Series,
    funding: Series,
    metrics: Series,
    made: SynthOutput,
}

impl Archive {
    pub(crate) fn new(out: &Path, symbol: &str, plain: bool) -> Self {
        let klines = |kind: &str| {
            Series::new(format!("monthly/{kind}/{symbol}/1m"), format!("{symbol}-1m"), KLINES_HEADER, false)
        };
        let funding = format!("{symbol}-fundingRate");
        let metrics = format!("{symbol}-metrics");
        Self {
            root: out.join("data/futures/um"),
            symbol: symbol.to_owned(),
            plain,
            last: klines("klines"),
            mark: klines("markPriceKlines"),
            index: klines("indexPriceKlines"),
            premium: klines("premiumIndexKlines"),
            funding: Series::new(format!("monthly/fundingRate/{symbol}"), funding, FUNDING_HEADER, false),
            metrics: Series::new(format!("daily/metrics/{symbol}"), metrics, METRICS_HEADER, true),
            made: SynthOutput::default(),
        }
    }

    /// The four kline rows of the minute that begins at `open`.
    pub(crate) fn minute(&mut self, open: Ts, m: &SynthMinute) -> Result<(), String> {
        let month = part(open, false);
        let close_time = (open + Span::mins(1)).as_millis() - 1;
        let stamp = open.as_millis();
        let mean = 0.25 * (m.last.open + m.last.high + m.last.low + m.last.close);
        let row = |series: &mut Series, o: &Ohlc, decimals: usize, volumes: &str| {
            let Ohlc { open, high, low, close } = o;
            series.row(format_args!(
                "{stamp},{open:.decimals$},{high:.decimals$},{low:.decimals$},{close:.decimals$},{volumes}"
            ));
        };
        let traded = format!(
            "{:.3},{close_time},{:.5},{:.0},{:.3},{:.5},0",
            m.volume,
            m.volume * mean,
            m.count,
            m.taker_volume,
            m.taker_volume * mean
        );
        let untraded = format!("0,{close_time},0,60,0,0,0");
        for (series, ohlc, decimals, volumes) in [
            (&mut self.last, &m.last, 2, &traded),
            (&mut self.mark, &m.mark, 8, &untraded),
            (&mut self.index, &m.index, 8, &untraded),
            (&mut self.premium, &m.premium, 8, &untraded),
        ] {
            if let Some(full) = series.next_part(&month) {
                full.write(&self.root, self.plain, &mut self.made)?;
            }
            row(series, ohlc, decimals, volumes);
        }
        Ok(())
    }

    /// One settlement.
    pub(crate) fn funding(&mut self, at: Ts, rate: f64) -> Result<(), String> {
        if let Some(full) = self.funding.next_part(&part(at, false)) {
            full.write(&self.root, self.plain, &mut self.made)?;
        }
        self.funding.row(format_args!("{},8,{rate:.8}", at.as_millis()));
        Ok(())
    }

    /// The metrics measured at `at`.
    pub(crate) fn metrics(&mut self, at: Ts, m: &FiveMinutes) -> Result<(), String> {
        let start = at - Span::mins(5);
        if let Some(full) = self.metrics.next_part(&part(start, true)) {
            full.write(&self.root, self.plain, &mut self.made)?;
        }
        let label = if start >= LABEL_SHIFT { start } else { at };
        let (y, mo, d, h, mi, s, _) = label.civil();
        let oi = (m.open_interest * 1_000.0).round() / 1_000.0;
        self.metrics.row(format_args!(
            "{y:04}-{mo:02}-{d:02} {h:02}:{mi:02}:{s:02},{},{oi:.16},{:.16},{:.8},{:.8},{:.8},{:.8}",
            self.symbol,
            oi * m.mark,
            m.top_account_ratio,
            m.top_position_ratio,
            m.account_ratio,
            m.taker_ratio
        ));
        Ok(())
    }

    /// Writes what is still held back.
    pub(crate) fn finish(self) -> Result<SynthOutput, String> {
        let mut made = self.made;
        for series in [self.last, self.mark, self.index, self.premium, self.funding, self.metrics] {
            series.write(&self.root, self.plain, &mut made)?;
        }
        Ok(made)
    }
}

impl Series {
    fn new(folder: String, stem: String, header: &'static str, daily: bool) -> Self {
        Self { folder, stem, header, daily, part: String::new(), text: String::new(), rows: 0 }
    }

    /// Moves on to the next month or day; the finished one, if there was one.
    fn next_part(&mut self, part: &str) -> Option<Self> {
        if self.part == part {
            return None;
        }
        let mut fresh = Self::new(self.folder.clone(), self.stem.clone(), self.header, self.daily);
        part.clone_into(&mut fresh.part);
        let full = std::mem::replace(self, fresh);
        (full.rows > 0).then_some(full)
    }

    fn row(&mut self, row: std::fmt::Arguments<'_>) {
        if self.rows == 0 {
            self.text.push_str(self.header);
            self.text.push('\n');
        }
        // Writing to a string cannot fail.
        let _infallible = writeln!(self.text, "{row}");
        self.rows += 1;
    }

    fn write(self, root: &Path, plain: bool, made: &mut SynthOutput) -> Result<(), String> {
        let folder = root.join(&self.folder);
        let name = format!("{}-{}", self.stem, self.part);
        let csv = format!("{name}.csv");
        let (file, bytes) = if plain {
            (csv, self.text.into_bytes())
        } else {
            (format!("{name}.zip"), zip::single(&csv, self.text.as_bytes())?)
        };
        std::fs::create_dir_all(&folder).map_err(|e| format!("cannot make folder {}: {e}", folder.display()))?;
        let path = folder.join(file);
        std::fs::write(&path, &bytes).map_err(|e| format!("cannot write {}: {e}", path.display()))?;
        made.rows += self.rows;
        made.files += 1;
        made.bytes += bytes.len() as u64;
        Ok(())
    }
}

/// `2025-01` or `2025-01-31`.
fn part(at: Ts, daily: bool) -> String {
    let (y, mo, d, ..) = at.civil();
    if daily { format!("{y:04}-{mo:02}-{d:02}") } else { format!("{y:04}-{mo:02}") }
}

#[cfg(test)]
mod tests {
    use super::super::market::SynthMarket;
    use super::*;

    #[test]
    fn rows_look_like_the_archive() {
        let dir = tempfile::tempdir().unwrap();
        let mut archive = Archive::new(dir.path(), "SYNTHUSDT", true);
        let at = Ts::from_civil(2025, 1, 1, 0, 0, 0);
        let mut market = SynthMarket::new(4);
        archive.funding(at + Span::millis(3), market.settle()).unwrap();
        archive.minute(at, &market.step()).unwrap();
        archive.metrics(at + Span::mins(5), &market.five_minutes()).unwrap();
        assert_eq!(archive.finish().unwrap().rows, 6);
        let lines = |name: &str| {
            let text = std::fs::read_to_string(dir.path().join("data/futures/um").join(name)).unwrap();
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        let funding = lines("monthly/fundingRate/SYNTHUSDT/SYNTHUSDT-fundingRate-2025-01.csv");
        assert_eq!(funding, [FUNDING_HEADER, "1735689600003,8,0.00010000"]);
        for (kind, decimals) in
            [("klines", 2), ("markPriceKlines", 8), ("indexPriceKlines", 8), ("premiumIndexKlines", 8)]
        {
            let rows = lines(&format!("monthly/{kind}/SYNTHUSDT/1m/SYNTHUSDT-1m-2025-01.csv"));
            let cells: Vec<_> = rows[1].split(',').collect();
            assert_eq!((rows.len(), cells.len()), (2, 12), "{kind}");
            assert_eq!((cells[0], cells[6]), ("1735689600000", "1735689659999"), "{kind}");
            assert_eq!(cells[1].split_once('.').unwrap().1.len(), decimals, "{kind}");
            assert_eq!(cells[5] == "0", kind != "klines", "{kind}");
        }
        let metrics = lines("daily/metrics/SYNTHUSDT/SYNTHUSDT-metrics-2025-01-01.csv");
        assert!(metrics[1].starts_with("2025-01-01 00:05:00,SYNTHUSDT,8"), "{}", metrics[1]);
        assert_eq!(metrics[1].split(',').count(), metrics[0].split(',').count());
    }
}
