//! Published minutes as the ledger takes them, without an engine: readings that wander, labels that stay for hours, and as many
//! alerts, levels and pairs a day as the built-in history has. The fold that makes forecasts and outcomes of them is the real one.

use barograph_domain::forecast::LedgerTick;
use barograph_domain::level::{Level, LevelChange, LevelEvent, LevelType};
use barograph_domain::universe::{Gauge, LeadReading, PairReading, PairState, StateHours, UniverseMarket};
use barograph_domain::{
    Alert, InstrumentName, Kind, KnownAlert, Pattern, Reason, RiskRegime, Severity, Span, Ts, UniverseRow, VolRegime,
};
use barograph_verify::ledger::{AxisLabel, GRID, GridReadings, Ledger, MinuteSample};

/// Markets that are compared in pairs, of those there are.
const PAIRED: u16 = 12;
/// Of a market and day: alerts, levels that become known, levels that are touched.
const ALERTS: u64 = 10;
const LEVELS: u64 = 40;
const TOUCHES: u64 = 20;
const TICKS_A_DAY: u64 = 288;

/// Numbers from a seed (xorshift64*, Vigna 2016).
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// In [−1, 1).
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    fn next(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    fn one_in(&mut self, n: u64) -> bool {
        (self.bits() >> 32).is_multiple_of(n)
    }

    /// How often something comes in a tick that comes so often a day.
    fn times(&mut self, a_day: u64) -> u64 {
        u64::from((self.bits() >> 32) % TICKS_A_DAY < a_day)
    }

    fn below(&mut self, n: u8) -> u8 {
        u8::try_from((self.bits() >> 32) % u64::from(n)).unwrap_or_default()
    }
}

struct Market {
    name: InstrumentName,
    price: f64,
    /// Volatility, a year.
    vol: f64,
    funding: f64,
    axes: [AxisLabel; 3],
}

/// Markets and their ledger.
pub(crate) struct World {
    pub(crate) ledger: Ledger,
    random: Random,
    markets: Vec<Market>,
}

impl World {
    #[expect(clippy::unwrap_used, reason = "the names are good")]
    pub(crate) fn new(count: usize) -> Self {
        let symbol = |n: usize| match n {
            0 => "BTCUSDT".to_owned(),
            1 => "ETHUSDT".to_owned(),
            n => format!("ALT{n:04}USDT"),
        };
        let mut ledger = Ledger::default();
        let mut market = |n| {
            let name = InstrumentName::new("binance-usdm", &symbol(n)).unwrap();
            assert_eq!(ledger.place(&name), n);
            let axis = AxisLabel { label: 1, raw: 1, withheld: false, margin: Some(0.2) };
            Market { name, price: 100.0, vol: 0.5, funding: 0.0, axes: [axis; 3] }
        };
        let markets = (0..count).map(&mut market).collect();
        Self { ledger, random: Random(0x9e37_79b9_7f4a_7c15), markets }
    }

    /// Hands in what is published at a minute; [`Ledger::close`] is the caller's.
    pub(crate) fn publish(&mut self, ts: Ts) {
        let on_grid = ts.floor(GRID) == ts;
        for place in 0..self.markets.len() {
            let market = &mut self.markets[place];
            market.price *= 1.0 + 0.0008 * market.vol * self.random.next();
            let price = Some(market.price);
            let grid = on_grid.then(|| market.readings(&mut self.random));
            if on_grid {
                self.seldom(place, ts);
            }
            let values = if on_grid { read(&mut self.random) } else { Vec::new() };
            self.ledger.minute(place, MinuteSample { ts, price, step: Span::mins(1), grid, values });
        }
        if ts.floor(Span::hours(1)) == ts {
            let row = self.hour(ts);
            self.ledger.hour(&row);
        }
    }

    fn seldom(&mut self, place: usize, ts: Ts) {
        let Self { ledger, random, markets } = self;
        let market = &markets[place];
        for _ in 0..random.times(ALERTS) {
            let pattern = Pattern::ALL[usize::from(random.below(u8::try_from(Pattern::ALL.len()).unwrap_or(1)))];
            let alert = Alert::opened(pattern, ts, Severity::Medium);
            ledger.alert(place, &KnownAlert { known_at: ts, alert }, || format!("{:032x}", random.bits()));
        }
        for (event, times) in [(LevelEvent::Known, LEVELS), (LevelEvent::Touched, TOUCHES)] {
            for _ in 0..random.times(times) {
                let away = market.price * (1.0 + 0.02 * random.next());
                ledger.level(place, &change(event, ts, away, random.bits()));
            }
        }
    }

    fn hour(&mut self, ts: Ts) -> UniverseRow {
        let count = u16::try_from(self.markets.len()).unwrap_or(u16::MAX).min(PAIRED);
        let market = |m: &Market| UniverseMarket {
            instrument: m.name.clone(),
            asset: m.name.to_string(),
            price: Some(m.price),
            vol_annual: Some(m.vol),
            risk: RiskRegime::Normal,
            volatility: VolRegime::default(),
            lead_score: None,
        };
        let random = &mut self.random;
        let mut pair = |a, b| PairReading {
            a,
            b,
            corr_20: Gauge::of(0.3 + 0.65 * random.next(), 20, 18, false),
            corr_20_ci: None,
            corr_30d: Gauge::none(Reason::Warming, 7, 576),
            corr_30d_ci: None,
            corr_20_pct_180d: Gauge::none(Reason::Warming, 7, 576),
            band: None,
            state: Some(if random.one_in(10) { PairState::Break } else { PairState::Normal }),
            severity: None,
            divergence_strength: None,
            exposure_overlap: None,
            held_90d: StateHours::default(),
            lead: LeadReading {
                ratio: Gauge::none(Reason::Warming, 7, 1_152),
                best: None,
                significant: None,
                xcorr: Vec::new(),
            },
        };
        let pairs = (0..count).flat_map(|a| (a + 1..count).map(move |b| (a, b))).map(|(a, b)| pair(a, b)).collect();
        let markets = self.markets.iter().take(usize::from(count)).map(market).collect();
        UniverseRow { ts, known_ts: ts, markets, pairs, leading: None }
    }

    /// The ticks of a day, minute by minute.
    pub(crate) fn day(&mut self, start: Ts) -> Vec<LedgerTick> {
        let mut ticks = Vec::new();
        for minute in 0..1_440 {
            self.publish(start + Span::mins(minute));
            ticks.extend(self.ledger.close());
        }
        ticks
    }
}

impl Market {
    fn readings(&mut self, random: &mut Random) -> GridReadings {
        self.vol = (self.vol + 0.02 * (0.6 - self.vol) + 0.05 * random.next()).clamp(0.05, 3.0);
        self.funding = 0.99 * self.funding + 1e-5 * random.next();
        for axis in &mut self.axes {
            if random.one_in(50) {
                axis.label = 1 + random.below(4);
                axis.raw = axis.label;
            }
            axis.margin = axis.margin.map(|m| (m + 0.05 * random.next()).clamp(-1.0, 1.0));
        }
        let class = [0.3, 0.6, 0.9].into_iter().filter(|limit| self.vol > *limit).count();
        GridReadings {
            atr: Some(self.price * self.vol * 0.01),
            rv: [Some(self.vol), Some(self.vol * 0.9)],
            vol_daily: Some(self.vol / 365_f64.sqrt()),
            class: u8::try_from(class).ok(),
            longs_crowded: Some(self.funding > 0.0),
            has_funding: true,
            funding: Some(self.funding),
            liquidated: [Some(1e5 * self.vol), Some(2e5 * self.vol)],
            has_liquidations: true,
            liquidations_seen: true,
            margins: [self.axes[0].margin; 8],
            axes: self.axes,
            digest: random.bits(),
        }
    }
}

fn change(event: LevelEvent, at: Ts, price: f64, id: u64) -> LevelChange {
    let level = Level {
        level_id: format!("{id:016x}-{id:016x}"),
        revision: 1,
        kind: LevelType::SwingHigh,
        timeframe: Span::hours(1),
        side: None,
        price,
        top: price * 1.0005,
        bottom: price * 0.9995,
        formed_at: at,
        confirmed_at: at,
        known_at: at,
        touched_at: None,
        mitigated_at: None,
        swept_at: None,
        touches: 0,
        volume: None,
        strength: 0.5,
        source: Kind::Measured,
    };
    LevelChange { event, at, known_at: at, level, members: 1, volume_rank: 0.5 }
}

/// As many numbers as the default book reads.
fn read(random: &mut Random) -> Vec<(u8, f64)> {
    (0..12).map(|feature| (feature, random.next())).collect()
}
