//! What is this table? From its header, its first rows and, as a tie-break, its name.
//!
//! Content comes first: a header that only one format has decides; candle columns become mark, index, premium or funding
//! by what the numbers look like (no volume; values around zero; only `open` filled) together with the name. Where both
//! are silent or contradict each other, the answer is a sentence naming the flag that decides, never a guess.

use crate::binance::archive::{self, LabelShift};
use crate::columns::ColumnMap;
use crate::freqtrade;
use crate::layout::{BarColumns, Format, Layout, RowClock, Shape, SideColumn};
use crate::names::Hints;
use crate::sample::{Owned, Sample, one_row_per_stamp};
use crate::symbols;
use crate::tardis;
use barograph_domain::{Metric, Stamp};

/// What the user says about the table.
#[derive(Clone, Copy, Debug, Default)]
pub struct TableDeclaration<'a> {
    /// What the rows are.
    pub metric: Option<Metric>,
    /// What the stamp means.
    pub stamp: Option<Stamp>,
    /// Which column is what.
    pub columns: Option<&'a ColumnMap>,
    /// Whose market.
    pub venue: Option<&'a str>,
    /// Which symbol.
    pub symbol: Option<&'a str>,
}

/// Finds the meaning of a table.
///
/// # Errors
/// A sentence that says what was found and which flag decides.
pub fn recognise(sample: &Sample, hints: &Hints, asked: &TableDeclaration<'_>) -> Result<Layout, String> {
    let mut names = column_names(sample);
    if !sample.strict_width && names.iter().any(|n| n == "fundingTime") && !names.iter().any(|n| n == "rateType") {
        // Newer pages of one file have it, older ones do not: the first rows cannot show it.
        names.push("rateType".to_owned());
    }
    let squeezed: Vec<String> = names.iter().map(|n| squeeze(n)).collect();
    let table = RawTable { sample, names: &names, squeezed: &squeezed, hints, asked };
    let mut layout = table.find()?;
    one_row_per_stamp(sample, &layout)?;
    if let Some(stamp) = asked.stamp {
        let is_bar = matches!(layout.shape, Shape::Bars { .. });
        if is_bar && stamp == Stamp::Instant {
            return Err("bars have an open and a close; --stamp instant is for series".to_owned());
        }
        layout.clock.stamp = stamp;
    }
    Ok(layout)
}

/// A table on its way to a layout.
pub(crate) struct RawTable<'a> {
    pub(crate) sample: &'a Sample,
    pub(crate) names: &'a [String],
    squeezed: &'a [String],
    pub(crate) hints: &'a Hints,
    pub(crate) asked: &'a TableDeclaration<'a>,
}

/// Given names, or those of the archive kind that headerless rows have the shape of.
fn column_names(sample: &Sample) -> Vec<String> {
    if let Some(names) = &sample.names {
        return names.clone();
    }
    let Some(first) = sample.rows.first() else { return Vec::new() };
    // The first row may be a wrong one.
    let known = sample.rows.iter().take(50).find_map(|row| headerless(row));
    match known {
        Some(known) => known.iter().map(|n| (*n).to_owned()).collect(),
        None => vec![String::new(); first.len()],
    }
}

/// Column names of the archive kind that a row without header has the shape of.
fn headerless(first: &[Owned]) -> Option<&'static [&'static str]> {
    let time = |i: usize| first.get(i).is_some_and(|c| c.time().is_some());
    let number = |i: usize| first.get(i).is_some_and(|c| c.number().is_some());
    let word = |i: usize, words: &[&str]| matches!(first.get(i), Some(Owned::Text(t)) if words.iter().any(|w| t.eq_ignore_ascii_case(w)));
    let known: &'static [&'static str] = match first.len() {
        12 if time(0) && (1..6).all(number) && time(6) => &archive::KLINES,
        7 | 8 if number(0) && number(1) && time(5) && word(6, &["true", "false"]) => {
            &archive::AGG_TRADES[..first.len()]
        }
        6 | 7 if (0..4).all(number) && time(4) && word(5, &["true", "false"]) => &archive::TRADES[..first.len()],
        10 if time(0) && word(1, &["buy", "sell"]) => &archive::LIQUIDATIONS,
        8 if time(0) && !number(1) && (2..4).all(number) => &archive::METRICS,
        6 if time(0) && (1..5).all(number) => &freqtrade::JSON_COLUMNS,
        3 if time(0) && number(1) && number(2) => &archive::FUNDING_RATE,
        _ => return None,
    };
    Some(known)
}

/// Lower case, letters and digits only: `Funding Rate`, `funding_rate` and `fundingRate` are one.
fn squeeze(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl RawTable<'_> {
    fn find(&self) -> Result<Layout, String> {
        if let Some(map) = self.asked.columns
            && self.has_all(map)
        {
            return self.mapped(map);
        }
        self.own_signals()?;
        if let Some(found) = tardis::layout(self.names, self.squeezed) {
            return found.and_then(|layout| self.tardis_kind(layout));
        }
        let found = self
            .archive_trades()
            .or_else(|| self.liquidations())
            .or_else(|| self.metrics())
            .or_else(|| self.funding())
            .or_else(|| self.series());
        match found {
            Some(layout) => Ok(layout),
            None => self.candles(),
        }
    }

    /// Points that name their own metric, as the first original writes them.
    fn own_signals(&self) -> Result<(), String> {
        let named = self.col(&["metricname"]).or_else(|| self.col(&["metric"]));
        match (named, self.col(&["value"])) {
            (Some(metric), Some(_)) => Err(format!(
                "holds metric points that name themselves (column {}); signals of your own come in with: barograph \
                 signals import FILE. A series of a known metric is read with --columns 'time=<column>,value=<column>' and --metric",
                self.names[metric]
            )),
            _ => Ok(()),
        }
    }

    fn col(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|n| self.squeezed.iter().position(|c| c == n))
    }

    fn time_column(&self) -> Option<usize> {
        const NAMES: [&str; 18] = [
            "opentime",
            "timestamp",
            "date",
            "datetime",
            "time",
            "ts",
            "t",
            "start",
            "starttime",
            "createtime",
            "calctime",
            "fundingtime",
            "transacttime",
            "timestampms",
            "tsms",
            "index",
            "indexlevel0",
            "unix",
        ];
        let holds_time = |c: &usize| {
            let cells = self.sample.rows.iter().filter_map(|r| r.get(*c));
            let (mut times, mut all) = (0, 0);
            for cell in cells {
                all += 1;
                times += usize::from(cell.time().is_some());
            }
            2 * times >= all
        };
        let named = || NAMES.iter().filter_map(|n| self.squeezed.iter().position(|c| c == n));
        // A table written with its index: the first column has no name of its own.
        let nameless = self.squeezed.first().is_some_and(|n| n.is_empty() || n.starts_with("unnamed"));
        let index = || Some(0).filter(|c| nameless && holds_time(c));
        // A column that is named right and holds something else has wrong rows, each with its reason.
        named().find(holds_time).or_else(index).or_else(|| named().next())
    }

    pub(crate) fn layout(&self, format: Format, column: usize, stamp: Stamp, shape: Shape) -> Layout {
        Layout {
            format,
            clock: RowClock { column, recv: None, stamp, shift: LabelShift::None },
            shape,
            names: self.names.to_vec(),
            width: self.sample.strict_width.then_some(self.names.len()),
            venue: self.col(&["venue", "exchange"]),
            symbol: self.symbol_column(),
            filter: Vec::new(),
            ordered: false,
            filled: false,
            cadence: None,
        }
    }

    /// A column that names the symbol of each row.
    fn symbol_column(&self) -> Option<usize> {
        self.col(&["symbol", "instrument", "ticker", "coin", "asset", "pair"])
    }

    fn archive_trades(&self) -> Option<Layout> {
        let side = SideColumn::BuyerIsMaker(self.col(&["isbuyermaker"])?);
        let (format, id, at) = match self.col(&["aggtradeid"]) {
            Some(id) => (Format::BinanceAggTrades, id, self.col(&["transacttime"])?),
            None => (Format::BinanceTrades, self.col(&["id"])?, self.col(&["time"])?),
        };
        let (price, qty) = (self.col(&["price"])?, self.col(&["quantity", "qty"])?);
        let shape = Shape::Trades { id: Some(id), price, qty, side };
        Some(Layout { ordered: true, ..self.layout(format, at, Stamp::Instant, shape) })
    }

    fn liquidations(&self) -> Option<Layout> {
        let (at, side) = (self.col(&["time"])?, self.col(&["side"])?);
        let shape = Shape::Liquidations {
            side,
            price: self.col(&["price"])?,
            average: Some(self.col(&["averageprice"])?),
            qty: self.col(&["accumulatedfillquantity"])?,
            id: None,
        };
        Some(Layout { ordered: true, ..self.layout(Format::BinanceLiquidations, at, Stamp::Instant, shape) })
    }

    fn metrics(&self) -> Option<Layout> {
        let at = self.col(&["createtime"])?;
        self.col(&["sumopeninterest"])?;
        let coin_margined = self.venue() == Some("binance-coinm");
        // COIN-M counts contracts in one column and base coin in the other.
        let open_interest = if coin_margined { "sumopeninterestvalue" } else { "sumopeninterest" };
        let columns = [
            (Metric::OpenInterest, open_interest),
            (Metric::TopTraderAccountRatio, "counttoptraderlongshortratio"),
            (Metric::TopTraderPositionRatio, "sumtoptraderlongshortratio"),
            (Metric::LongShortRatio, "countlongshortratio"),
            (Metric::TakerVolumeRatio, "sumtakerlongshortvolratio"),
        ];
        let found = columns.into_iter().filter_map(|(metric, name)| Some((metric, self.col(&[name])?))).collect();
        let mut layout = self.layout(Format::BinanceMetrics, at, Stamp::Instant, Shape::Values(found));
        layout.cadence = Some(archive::METRICS_CADENCE);
        layout.clock.shift = match self.hints.day {
            Some(day) => LabelShift::MetricsOfDay(day),
            None => LabelShift::MetricsJoined { old_switch_row_due: false },
        };
        Some(layout)
    }

    fn funding(&self) -> Option<Layout> {
        let rate = self.col(&["lastfundingrate", "fundingrate"]).or_else(|| {
            // `rate` alone is enough where nothing else could be meant.
            (self.names.len() <= 3).then(|| self.col(&["rate"])).flatten()
        })?;
        if self.col(&["open", "o"]).is_some() {
            return None;
        }
        let (format, at) = if let Some(at) = self.col(&["calctime"]) {
            (Format::BinanceFunding, at)
        } else if let Some(at) = self.col(&["fundingtime"]) {
            (Format::BinanceFundingPages, at)
        } else {
            (Format::PlainSeries, self.time_column()?)
        };
        let shape = Shape::Funding {
            metric: self.asked.metric.filter(|m| *m == Metric::FundingRate).unwrap_or(Metric::FundingRateSettled),
            rate,
            interval_h: self.col(&["fundingintervalhours", "intervalhours", "intervalh"]),
            rate_type: self.col(&["ratetype"]),
        };
        Some(self.layout(format, at, Stamp::Instant, shape))
    }

    fn series(&self) -> Option<Layout> {
        if self.col(&["open", "o"]).is_some() {
            return None;
        }
        let base = self.col(&["sumopeninterest", "openinterest", "oi"]);
        let usd = self.col(&["oiusd", "oivalueusd", "openinterestusd", "sumopeninterestvalue", "openinterestvalue"]);
        let (metric, column) = match (base, usd) {
            (_, Some(column)) if self.asked.metric == Some(Metric::OpenInterestUsd) => {
                (Metric::OpenInterestUsd, column)
            }
            (Some(column), _) => (Metric::OpenInterest, column),
            (None, Some(column)) => (Metric::OpenInterestUsd, column),
            (None, None) => return None,
        };
        let shape = Shape::Values(vec![(metric, column)]);
        Some(self.layout(Format::PlainSeries, self.time_column()?, Stamp::Instant, shape))
    }

    fn venue(&self) -> Option<&str> {
        self.asked.venue.or(self.hints.venue.as_deref())
    }

    fn candles(&self) -> Result<Layout, String> {
        let prices = [&["open", "o"], &["high", "h"], &["low", "l"], &["close", "c"]].map(|n| self.col(n));
        let [Some(open), Some(high), Some(low), Some(close)] = prices else { return Err(self.unknown()) };
        let Some(at) = self.time_column() else {
            return Err(format!(
                "candles without a time column ({}); name it with --columns time=<column>,…",
                self.names.join(", ")
            ));
        };
        let volume = self.col(&["volume", "v", "vol", "basevolume"]);
        let quote_volume = self.col(&["quotevolume", "quoteassetvolume", "quotevol", "qv", "turnover"]);
        let close_time = self.col(&["closetime"]).filter(|c| *c != at);
        let is_klines = close_time.is_some() && quote_volume.is_some();
        let five = [Some(open), Some(high), Some(low), Some(close), volume];
        let may_be_funding = self.asked.metric.is_none_or(|m| m == Metric::FundingRateSettled);
        if may_be_funding && self.is_funding_in_candles(five) {
            let metric = Metric::FundingRateSettled;
            let shape = Shape::Funding { metric, rate: open, interval_h: None, rate_type: None };
            return Ok(self.layout(Format::Freqtrade, at, Stamp::Instant, shape));
        }
        let symbol = self.asked.symbol.or(self.hints.symbol.as_deref()).unwrap_or_default();
        let columns = BarColumns {
            open,
            high,
            low,
            close,
            volume,
            quote_volume,
            close_time,
            contract_size: (is_klines && self.venue() == Some("binance-coinm"))
                .then(|| symbols::coin_m_contract_size(symbol)),
            calendar_month: self.hints.calendar_month,
        };
        let format = match (is_klines, self.hints.pair.is_some()) {
            (true, _) => Format::BinanceKlines,
            (false, true) => Format::Freqtrade,
            (false, false) => Format::PlainBars,
        };
        let metric = self.candle_metric(close, [volume, quote_volume])?;
        Ok(self.layout(format, at, Stamp::Open, Shape::Bars { metric, columns }))
    }

    fn is_funding_in_candles(&self, columns: [Option<usize>; 5]) -> bool {
        let row = |cells: &Vec<Owned>| columns.map(|c| c.and_then(|c| cells.get(c)).and_then(Owned::number));
        let rows: Vec<[Option<f64>; 5]> = self.sample.rows.iter().map(row).collect();
        freqtrade::is_funding(&rows)
    }

    /// Trade candles, or candles of mark, index or premium?
    fn candle_metric(&self, close: usize, volumes: [Option<usize>; 2]) -> Result<Metric, String> {
        if let Some(metric) = self.asked.metric {
            let fine = matches!(metric, Metric::Bar | Metric::MarkPrice | Metric::IndexPrice | Metric::PremiumIndex);
            let not_candles = || format!("--metric {} does not come as candles; this file has candles", metric.name());
            return if fine { Ok(metric) } else { Err(not_candles()) };
        }
        let cells = |c: usize| self.sample.rows.iter().filter_map(move |r| r.get(c)).filter_map(Owned::number);
        let has_volume_column = volumes.iter().flatten().next().is_some();
        let any_volume = volumes.iter().flatten().any(|c| cells(*c).any(|v| v > 0.0));
        let closes = || cells(close);
        let around_zero =
            closes().next().is_some() && !any_volume && closes().all(|v| v.abs() < 0.5) && closes().any(|v| v <= 0.0);
        let named = self
            .hints
            .metric
            .filter(|m| matches!(m, Metric::Bar | Metric::MarkPrice | Metric::IndexPrice | Metric::PremiumIndex));
        match (named, any_volume) {
            (Some(Metric::Bar) | None, true) => Ok(Metric::Bar),
            (Some(named), true) => Err(format!(
                "the name says {}, but the rows carry volume; say --metric bar or --metric {}",
                named.name(),
                named.name()
            )),
            (Some(named), false) => Ok(named),
            (None, false) if around_zero => Ok(Metric::PremiumIndex),
            (None, false) if !has_volume_column => Ok(Metric::Bar),
            (None, false) => {
                Err("candles without any volume and a name that does not say what they are; say --metric \
                 bar, mark_price, index_price or premium_index"
                    .to_owned())
            }
        }
    }

    fn tardis_kind(&self, layout: Layout) -> Result<Layout, String> {
        let Shape::Trades { id: Some(id), .. } = layout.shape else { return Ok(layout) };
        let ids_missing = self.sample.rows.iter().all(|r| r.get(id).is_none_or(Owned::is_empty));
        match self.asked.metric.or(self.hints.metric) {
            Some(Metric::Liquidation) => Ok(tardis::as_liquidations(layout)),
            Some(Metric::Trade) => Ok(layout),
            _ if ids_missing && !self.sample.rows.is_empty() => Ok(tardis::as_liquidations(layout)),
            _ => Err("trades and liquidations of tardis have the same columns and the name does not say which; say \
                 --metric trade or --metric liquidation"
                .to_owned()),
        }
    }

    fn unknown(&self) -> String {
        let names = self.names.join(", ");
        let missing: Vec<&str> =
            self.asked.columns.iter().flat_map(|m| m.wanted()).filter(|name| self.position(name).is_none()).collect();
        if !missing.is_empty() {
            return format!("has no column {} of --columns; its columns are {names}", missing.join(", "));
        }
        if self.sample.names.is_none() {
            return format!(
                "rows of {} cells without a header are no known format; map them with --columns time=#1,…",
                self.names.len()
            );
        }
        format!(
            "no known format has the columns {names}; map them with --columns time=<column>,value=<column>,metric=…"
        )
    }

    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        if let Some(n) = name.strip_prefix('#').and_then(|n| n.parse::<usize>().ok()) {
            return n.checked_sub(1).filter(|n| *n < self.names.len());
        }
        let exact = self.names.iter().position(|n| n == name);
        exact.or_else(|| self.squeezed.iter().position(|n| *n == squeeze(name)))
    }

    fn has_all(&self, map: &ColumnMap) -> bool {
        map.wanted().all(|name| self.position(name).is_some())
    }
}
