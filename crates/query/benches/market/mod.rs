//! Markets with minutes as an engine leaves them, without an engine: readings that wander, labels by the axes of the default book.

use barograph_domain::{
    Cell, InputAge, InstrumentName, Kind, Metric, MinuteRow, Span, Stamp, StreamDecl, StreamIndex, Ts,
};
use barograph_engine::rules::{Axes, AxisStates, RuleBook};
use barograph_engine::{CATALOGUE, Feature};
use barograph_store::{Columns, FeatureColumn, PointsVersion, RunKey, RunSpec, SqliteWriter, Writer as _, WriterRole};
use std::path::Path;

/// Minute of the first row.
pub(crate) const START: Ts = Ts::from_civil(2026, 1, 1, 0, 0, 0);
/// Readings that move every minute, so that a stored minute weighs what one of a derivatives market does.
const MOVING: usize = 45;

/// Readings that rules compare: centre and width of what they wander within.
const READ: [(Feature, f64, f64); 16] = [
    (Feature::RealizedVol1h, 0.6, 0.5),
    (Feature::RealizedVol4h, 0.6, 0.4),
    (Feature::RealizedVol1hPct90d, 0.6, 0.5),
    (Feature::RealizedVol4hPct90d, 0.5, 0.5),
    (Feature::FundingZscore24h, 0.0, 3.0),
    (Feature::FundingPct30d, 0.5, 0.6),
    (Feature::OiDelta4h, 0.02, 0.15),
    (Feature::OiDelta4hPct90d, 0.5, 0.6),
    (Feature::OiDelta1h, 0.0, 0.05),
    (Feature::Efficiency12h, 0.3, 0.3),
    (Feature::TrendP, 0.1, 0.2),
    (Feature::SlopePct, 0.0, 0.3),
    (Feature::VolDaily, 0.03, 0.05),
    (Feature::Heat, 0.5, 0.5),
    (Feature::PriceZ24h, 0.0, 2.5),
    (Feature::VolZ30d, 0.0, 2.0),
];

/// Numbers from a seed (xorshift64*, Vigna 2016), in [−1, 1).
struct Random(u64);

impl Random {
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

fn streams(name: &InstrumentName) -> Vec<StreamDecl> {
    let of = |(metric, minutes)| StreamDecl {
        instrument: name.clone(),
        metric,
        kind: Kind::Measured,
        cadence: Span::mins(minutes),
        source: "binance-usdm".to_owned(),
        delay: Span::secs(2),
        stamp: Stamp::Close,
        filled: true,
    };
    [(Metric::Bar, 1), (Metric::MarkPrice, 1), (Metric::FundingRate, 1), (Metric::OpenInterest, 5)].map(of).to_vec()
}

/// Stores so many days of minutes of so many markets under the default book.
#[expect(clippy::unwrap_used, reason = "what cannot be stored stops the benchmark, and the test")]
pub(crate) fn store(folder: &Path, markets: u64, days: i64) {
    let book = RuleBook::standard();
    let mut writer = SqliteWriter::open(folder, &WriterRole::ALL).unwrap();
    for n in 0..markets {
        let name = InstrumentName::new("binance-usdm", &format!("SYNTH{n}USDT")).unwrap();
        let streams = streams(&name);
        let features = CATALOGUE.iter().map(|s| FeatureColumn { id: s.id.to_owned(), version: s.version }).collect();
        let spec = RunSpec {
            key: RunKey { instrument: name, logic_version: "v0+synthetic".to_owned() },
            release: "0".to_owned(),
            book: book.name.clone(),
            book_text: RuleBook::shipped_text("default").unwrap().to_owned(),
            config: String::new(),
            columns: Columns { features, cuts: Vec::new(), rules: Vec::new() },
            streams: streams.clone(),
        };
        let mut run = writer.replace(&spec, None, PointsVersion::default()).unwrap();
        let mut market = Market::new(n, &book);
        for minute in 1..=days * 1_440 {
            run.row(&market.row(START + Span::mins(minute), &book, &streams)).unwrap();
        }
        run.finish().unwrap();
    }
}

/// A row on the grid of each of so many markets, with what its streams are.
#[expect(clippy::unwrap_used, reason = "what cannot be named stops the benchmark")]
pub(crate) fn rows(markets: u64, book: &RuleBook) -> Vec<(MinuteRow, Vec<StreamDecl>)> {
    let one = |n: u64| {
        let streams = streams(&InstrumentName::new("binance-usdm", &format!("SYNTH{n}USDT")).unwrap());
        let mut market = Market::new(n, book);
        let rows = (1..=60).map(|minute| market.row(START + Span::mins(minute), book, &streams));
        (rows.last().unwrap(), streams)
    };
    (0..markets).map(one).collect()
}

struct Market {
    random: Random,
    axes: Axes,
    cells: Vec<Cell>,
    price: f64,
}

impl Market {
    fn new(seed: u64, book: &RuleBook) -> Self {
        let mut cells = vec![Cell::undefined(barograph_domain::Reason::MissingInput); Feature::COUNT];
        for cell in cells.iter_mut().take(MOVING) {
            *cell = Cell::ready_at(0.5, START, Kind::Measured);
        }
        for (feature, centre, _) in READ {
            cells[feature.index()] = Cell::ready_at(centre, START, Kind::Measured);
        }
        Self { random: Random(seed ^ 0x9e37_79b9_7f4a_7c15), axes: Axes::new(book), cells, price: 50_000.0 }
    }

    fn row(&mut self, ts: Ts, book: &RuleBook, streams: &[StreamDecl]) -> MinuteRow {
        for cell in self.cells.iter_mut().filter(|c| c.ready().is_some()) {
            cell.value += 0.01 * self.random.next();
            (cell.anchor, cell.stream) = (ts, Some(StreamIndex(1)));
        }
        for (feature, centre, width) in READ {
            let cell = &mut self.cells[feature.index()];
            // Open interest comes every five minutes.
            let is_slow = matches!(feature, Feature::OiDelta1h | Feature::OiDelta4h | Feature::OiDelta4hPct90d);
            if is_slow && ts.floor(Span::mins(5)) != ts {
                cell.anchor = ts.floor(Span::mins(5));
                continue;
            }
            cell.value += 0.02 * (centre - cell.value) + 0.12 * width * self.random.next();
        }
        self.price *= 1.0 + 0.001 * self.random.next();
        let input =
            |(metric, stream, anchor)| InputAge { metric, stream: Some(StreamIndex(stream)), anchor, gap: None };
        let inputs = [
            (Metric::Bar, 0, ts),
            (Metric::MarkPrice, 1, ts),
            (Metric::FundingRate, 2, ts),
            (Metric::OpenInterest, 3, ts.floor(Span::mins(5))),
        ];
        let inputs = inputs.map(input).to_vec();
        let AxisStates { risk, trend, volatility, heat } = self.axes.step(book, ts, &self.cells, &inputs, streams);
        let (cells, price) = (self.cells.clone(), Some(self.price));
        MinuteRow { cells, price, inputs, risk, trend, volatility, heat, ..MinuteRow::bare(ts) }
    }
}
