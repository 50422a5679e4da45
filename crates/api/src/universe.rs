//! What goes over the wire about several markets: hours between them, and what is scheduled.

use barograph_domain::universe::UniverseMarket;
use barograph_domain::{CalendarEntry, PairReading, Ts, UniverseRow};
use serde::Serialize;
use utoipa::ToSchema;

/// One whole hour between the markets of the watch-list.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct UniverseView {
    /// The hour.
    #[schema(value_type = String, format = DateTime)]
    pub timestamp: Ts,
    /// From when on the row may be used: 200 ms later.
    #[schema(value_type = String, format = DateTime)]
    pub known_ts: Ts,
    /// The watch-list, in its order.
    pub markets: Vec<UniverseMarket>,
    /// Its pairs.
    pub pairs: Vec<PairView>,
    /// The asset that moves first; null where none does.
    #[schema(example = "BTC")]
    pub leading_asset: Option<String>,
}

/// One pair of the watch-list.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct PairView {
    /// Both markets as the original writes them (R4.26).
    #[schema(example = "BTC/USDT/ETH/USDT")]
    pub asset_pair: String,
    /// Its readings; `a` and `b` are positions in `markets`.
    pub reading: PairReading,
}

/// What is scheduled.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct CalendarView {
    /// The moment the answer is of.
    #[schema(value_type = String, format = DateTime)]
    pub timestamp: Ts,
    /// A calendar is known at all; without one nothing can be said about what comes.
    pub available: bool,
    /// The next event of high impact.
    pub next_high: Option<CalendarEntry>,
    /// Minutes until it.
    pub minutes_to_event: Option<f64>,
    /// Why it is null: `not_offered` without a calendar, `missing_input` where the calendar knows of none to come. Left out where
    /// there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minutes_to_event_reason: Option<&'static str>,
    /// `pre_news_blackout` within two hours before it; else null.
    pub blackout: Option<&'static str>,
    /// Everything known to come, soonest first; what was called off is left out.
    pub coming: Vec<CalendarEntry>,
}

impl UniverseView {
    /// A row as it goes over the wire.
    #[must_use]
    pub fn of(row: &UniverseRow) -> Self {
        let words = |at: u16| {
            row.markets.get(usize::from(at)).map_or_else(String::new, |m| {
                let quote = m.instrument.base_quote().map(|(_, quote)| quote);
                quote.map_or_else(|| m.asset.clone(), |quote| format!("{}/{quote}", m.asset))
            })
        };
        let pair =
            |p: &PairReading| PairView { asset_pair: format!("{}/{}", words(p.a), words(p.b)), reading: p.clone() };
        Self {
            timestamp: row.ts,
            known_ts: row.known_ts,
            markets: row.markets.clone(),
            pairs: row.pairs.iter().map(pair).collect(),
            leading_asset: row.leading.and_then(|l| Some(row.markets.get(usize::from(l))?.asset.clone())),
        }
    }

    /// The pairs as [`Self::only`] takes them: two assets with a comma between them, markets where an asset does not tell them apart.
    #[must_use]
    pub fn pair_names(&self) -> Vec<String> {
        let market = |at: u16| self.markets.get(usize::from(at));
        let alone =
            |m: &UniverseMarket| self.markets.iter().filter(|o| o.asset.eq_ignore_ascii_case(&m.asset)).count() == 1;
        let name = |m: &UniverseMarket| if alone(m) { m.asset.clone() } else { m.instrument.to_string() };
        let pair = |p: &PairView| Some(format!("{},{}", name(market(p.reading.a)?), name(market(p.reading.b)?)));
        self.pairs.iter().filter_map(pair).collect()
    }

    /// The same with one pair only: as `asset_pair` has it, or two assets or markets with a comma between them. `None` where there
    /// is no such pair.
    #[must_use]
    pub fn only(mut self, pair: &str) -> Option<Self> {
        let is = |at: u16, name: &str| {
            let market = self.markets.get(usize::from(at));
            market.is_some_and(|m| m.asset.eq_ignore_ascii_case(name) || m.instrument.to_string() == name)
        };
        let wanted = |p: &PairView| match pair.split_once(',') {
            Some((x, y)) => {
                let (x, y, a, b) = (x.trim(), y.trim(), p.reading.a, p.reading.b);
                is(a, x) && is(b, y) || is(a, y) && is(b, x)
            }
            None => p.asset_pair.eq_ignore_ascii_case(pair),
        };
        let found = self.pairs.iter().find(|p| wanted(p)).cloned()?;
        self.pairs = vec![found];
        Some(self)
    }
}
