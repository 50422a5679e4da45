//! The synthetic world: assets with a price, markets that follow them, and time in steps of 5 ms.
//!
//! A pure function of its configuration: the same seed gives the same events, whatever the machine and however the time
//! is cut. Nothing here knows how a venue writes; that is `wire`. Markets take turns: each makes a step every 50 ms, a
//! tenth of them at a time, so that messages do not come in bursts.

pub mod bar;
pub mod book;
pub mod candles;
pub mod episode;
pub mod event;
pub mod market;
pub mod past;
pub mod perp;
pub mod positions;
pub mod script;
pub mod spec;
pub mod window;

use crate::Venue;
use crate::rng::Random;
use barograph_domain::{Span, Ts};
use episode::{Mood, Schedule, Scheduled, Spell};
use event::MarketEvent;
use market::{Profile, TradedMarket};
use past::MarketPast;
use script::{HistoryMarket, PlayedScript};

/// What a synthetic world is made of.
#[derive(Clone, PartialEq, Debug)]
pub struct WorldConfig {
    /// Decides everything that is random.
    pub seed: u64,
    /// Where its time begins.
    pub origin: Ts,
    /// Perpetuals on Binance USD-M.
    pub usdm_markets: usize,
    /// Pairs on Binance spot.
    pub spot_markets: usize,
    /// Products on Coinbase.
    pub coinbase_markets: usize,
    /// Perpetuals on CoinEx.
    pub coinex_markets: usize,
    /// Trades, best prices and marks of all markets together, per second of the world, in usual times.
    pub messages_per_s: f64,
    /// Levels per side of each book.
    pub levels: usize,
    /// Changes behind the best price, per market and second.
    pub deep_changes_per_s: f64,
    /// Days of history before the origin.
    pub history_days: i64,
    /// What happens when; chop before the first entry.
    pub episodes: Vec<Scheduled>,
}

impl Default for WorldConfig {
    /// Three perpetuals, 60 messages per second.
    fn default() -> Self {
        Self {
            seed: 1,
            origin: Ts::from_civil(2026, 11, 20, 9, 0, 0),
            usdm_markets: 3,
            spot_markets: 0,
            coinbase_markets: 0,
            coinex_markets: 0,
            messages_per_s: 60.0,
            levels: 200,
            deep_changes_per_s: 20.0,
            history_days: 30,
            episodes: Vec::new(),
        }
    }
}

#[derive(Clone, Debug)]
struct Asset {
    price: f64,
    beta: f64,
    rng: Random,
    mood: Mood,
    episode: Spell,
}

/// Everything that is traded, at one moment.
#[derive(Clone, Debug)]
pub struct World {
    /// All markets, USD-M first, then spot, Coinbase and CoinEx.
    pub markets: Vec<TradedMarket>,
    assets: Vec<Asset>,
    schedule: Schedule,
    common: Random,
    now: Ts,
    slot: u64,
}

/// Length of a slot.
pub const SLOT: Span = Span::millis(5);
/// Slots per step of a market.
const SLOTS_PER_STEP: u64 = 10;
/// Share of an asset's variance that it has in common with all.
const COMMON_SHARE: f64 = 0.5;
/// Trades and bars kept in all markets together: 64 and 176 bytes each.
const TRADES_KEPT: usize = 600_000;
const BARS_KEPT: usize = 1_500_000;

impl World {
    /// A world at its origin (rounded down to a slot).
    #[must_use]
    pub fn new(config: &WorldConfig) -> Self {
        let now = config.origin.floor(SLOT);
        let counts = [
            (Venue::BinanceUsdm, config.usdm_markets),
            (Venue::BinanceSpot, config.spot_markets),
            (Venue::Coinbase, config.coinbase_markets),
            (Venue::Coinex, config.coinex_markets),
        ];
        let total = counts.iter().map(|c| c.1).sum::<usize>().max(1);
        // Each taker order shows as a trade and a best price, each quote as a best price; a mark comes every second.
        let each = (config.messages_per_s / total as f64 - 1.0).max(0.2);
        let profile = Profile {
            trades: 0.3 * each,
            quotes: 0.4 * each,
            deep: config.deep_changes_per_s,
            levels: config.levels.max(16),
            trades_kept: (TRADES_KEPT / total).clamp(500, 20_000),
            bars_kept: (BARS_KEPT / total).clamp(1_440, 50_000),
        };
        let schedule = Schedule::new(now, config.episodes.clone());
        let assets: Vec<Asset> = (0..counts.iter().map(|c| c.1).max().unwrap_or(0))
            .map(|n| {
                let spec = spec::asset(config.seed, n);
                let episode = schedule.at(n, now).0;
                Asset {
                    price: spec.price,
                    beta: spec.beta,
                    rng: Random::new(config.seed, 2, n as u64),
                    mood: episode.mood(Span::ZERO),
                    episode,
                }
            })
            .collect();
        let mut markets = Vec::with_capacity(total);
        for (venue, count) in counts {
            for (n, asset) in assets.iter().enumerate().take(count) {
                let spec = spec::market(config.seed, venue, n);
                let past = MarketPast::new(
                    config.seed,
                    &spec,
                    asset.price,
                    now.as_millis(),
                    config.history_days,
                    profile.trades,
                );
                markets.push(TradedMarket::new(config.seed, spec, profile, past, &asset.mood, now.as_millis()));
            }
        }
        Self { markets, assets, schedule, common: Random::new(config.seed, 3, 0), now, slot: 0 }
    }

    /// A world that plays rows and nothing else.
    #[must_use]
    pub fn of_history(markets: &[HistoryMarket], origin: Ts) -> Self {
        let now = origin.floor(SLOT);
        let mood = Spell::Quiet.mood(Span::ZERO);
        let asset = Asset { price: 1.0, beta: 0.0, rng: Random::new(0, 2, 0), mood, episode: Spell::Quiet };
        let market = |history: &HistoryMarket| {
            let spec = history.spec(0);
            let script = PlayedScript::new(history, &spec, now.as_millis());
            TradedMarket::of_rows(spec, script, now.as_millis())
        };
        Self {
            markets: markets.iter().map(market).collect(),
            assets: vec![asset],
            schedule: Schedule::new(now, Vec::new()),
            common: Random::new(0, 3, 0),
            now,
            slot: 0,
        }
    }

    /// The moment up to which everything has happened.
    #[must_use]
    pub const fn now(&self) -> Ts {
        self.now
    }
    /// Whether every market has published everything at every speed: true once a second.
    #[must_use]
    pub const fn is_published(&self) -> bool {
        self.slot.is_multiple_of(SLOTS_PER_STEP * 20)
    }
    /// Index price of an asset.
    #[must_use]
    pub fn index(&self, asset: usize) -> Option<f64> {
        self.assets.get(asset).map(|a| a.price)
    }
    /// What an asset is in the middle of.
    #[must_use]
    pub fn episode(&self, asset: usize) -> Option<Spell> {
        self.assets.get(asset).map(|a| a.episode)
    }

    /// 5 ms pass. `each` sees every event together with its market, whose state is that after the step.
    pub fn advance(
        &mut self,
        events: &mut Vec<MarketEvent>,
        mut each: impl FnMut(usize, &mut TradedMarket, &[MarketEvent]),
    ) {
        self.now = self.now + SLOT;
        self.slot += 1;
        if self.slot % SLOTS_PER_STEP == 1 {
            self.move_assets();
        }
        let now_ms = self.now.as_millis();
        let turn = usize::try_from(self.slot % SLOTS_PER_STEP).unwrap_or(0);
        for (number, market) in self.markets.iter_mut().enumerate().skip(turn).step_by(10) {
            let asset = &mut self.assets[market.spec.asset];
            events.clear();
            market.step(now_ms, &mut asset.price, &asset.mood, events);
            each(number, market, events);
        }
    }

    fn move_assets(&mut self) {
        const STEP_MINUTES: f64 = 0.05 / 60.0;
        let everyone = self.common.bell();
        let moods_due = self.slot % 200 == 1;
        for (number, asset) in self.assets.iter_mut().enumerate() {
            if moods_due {
                let (episode, since) = self.schedule.at(number, self.now);
                asset.episode = episode;
                asset.mood = episode.mood(self.now - since);
            }
            let own = asset.rng.bell();
            let shock = COMMON_SHARE.sqrt() * everyone + (1.0 - COMMON_SHARE).sqrt() * own;
            let relative = asset.mood.drift * STEP_MINUTES + asset.mood.restless * STEP_MINUTES.sqrt() * shock;
            asset.price *= 1.0 + asset.beta * relative;
        }
    }
}
