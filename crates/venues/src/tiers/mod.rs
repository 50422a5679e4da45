//! Position tiers as venues publish them (R3.8): how large a position may be, with how much leverage, and which margin it needs.
//!
//! One room a venue, each with the address to ask and the reading of its answer; bybit §3, okx §3, coinex §2. Shares of the
//! position's value are fractions here, whatever the venue writes. Left out: tiers of accounts that have terms of their own, of
//! portfolio margin, and of spot margin.

mod bybit;
mod coinex;
mod okx;

use crate::number;
use crate::session::{Ask, BaseAddresses, VenueDef};

/// How a position is margined, where the venue has tiers for each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TierMargin {
    /// By the whole account.
    #[default]
    Cross,
    /// By itself.
    Isolated,
}

/// What the bounds of tiers are counted in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TierUnit {
    /// Value in the quote currency.
    Quote,
    /// Units of the base.
    Base,
    /// Contracts of the venue's size.
    Contracts,
    /// The venue's documents do not state it.
    Unstated,
}

impl TierUnit {
    /// The word in answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quote => "quote",
            Self::Base => "base",
            Self::Contracts => "contracts",
            Self::Unstated => "unstated",
        }
    }
}

/// One tier.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PositionTier {
    /// Its number, from 1.
    pub tier: u32,
    /// Largest position it holds, in [`TierSource::unit`].
    pub upto: f64,
    /// Least margin to open with, as a fraction of the position's value.
    pub initial_margin: f64,
    /// Margin below which the venue liquidates, as a fraction of the position's value.
    pub maintenance_margin: f64,
    /// Most leverage.
    pub leverage_max: f64,
}

/// Where a venue's tiers come from.
#[derive(Debug)]
pub struct TierSource {
    /// The venue.
    pub venue: &'static VenueDef,
    /// Has it tiers of their own for isolated positions?
    pub by_margin: bool,
    /// A symbol in the venue's spelling, from how people write it; `None` where it cannot be one.
    pub native: fn(&str) -> Option<String>,
    /// What bounds of this market are counted in.
    pub unit: fn(&str) -> TierUnit,
    ask: fn(&BaseAddresses, &str, TierMargin) -> Ask,
    read: fn(&str, &str) -> Result<Vec<PositionTier>, String>,
}

/// Venues whose tiers are public.
pub const TIER_SOURCES: [TierSource; 3] = [bybit::SOURCE, okx::SOURCE, coinex::SOURCE];

impl TierSource {
    /// Asks for the tiers of a market, in the venue's spelling.
    #[must_use]
    pub fn ask(&self, endpoints: &BaseAddresses, symbol: &str, margin: TierMargin) -> Ask {
        (self.ask)(endpoints, symbol, margin)
    }

    /// The tiers in an answer, smallest first.
    ///
    /// # Errors
    /// What the venue refused, or what is wrong with the answer.
    pub fn read(&self, body: &[u8], symbol: &str) -> Result<Vec<PositionTier>, String> {
        let plain = crate::session::scan::plain(body).ok_or("it is not JSON")?;
        let text = core::str::from_utf8(&plain).map_err(|_e| "it is not JSON")?;
        let mut tiers = (self.read)(text, symbol)?;
        if tiers.is_empty() {
            return Err(format!("{} has no tiers of '{symbol}'; is that how it spells the market?", self.venue.id));
        }
        tiers.sort_by(|a, b| a.upto.total_cmp(&b.upto));
        (1..).zip(&mut tiers).for_each(|(n, tier)| tier.tier = n);
        Ok(tiers)
    }
}

/// A tier of texts: its bound, both margins, and the leverage; `None` where one is no number that could be one.
fn tier([upto, initial, maintenance, leverage]: [&str; 4]) -> Option<PositionTier> {
    let positive = |text: &str| number::decimal(text.trim().as_bytes()).filter(|v| *v > 0.0 && *v < 1e15);
    let (initial_margin, maintenance_margin) = (positive(initial)?, positive(maintenance)?);
    let (upto, leverage_max) = (positive(upto)?, positive(leverage)?);
    (initial_margin <= 1.0 && maintenance_margin <= initial_margin && leverage_max < 1_000.0).then_some(PositionTier {
        tier: 0,
        upto,
        initial_margin,
        maintenance_margin,
        leverage_max,
    })
}

/// A row that is no tier, as it is shown.
fn wrong(row: &str) -> String {
    let shown: String = row.chars().take(160).collect();
    format!("a tier cannot be read: {shown}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(id: &str) -> &'static TierSource {
        TIER_SOURCES.iter().find(|s| s.venue.id == id).unwrap()
    }

    fn tiers(id: &str, symbol: &str, body: &str) -> Result<Vec<[f64; 4]>, String> {
        let row = |t: &PositionTier| [t.upto, t.initial_margin, t.maintenance_margin, t.leverage_max];
        source(id).read(body.as_bytes(), symbol).map(|all| all.iter().map(row).collect())
    }

    #[test]
    fn tiers_are_read_as_each_venue_writes_them() {
        let bybit = r#"{"retCode":0,"retMsg":"OK","result":{"category":"linear","list":[
            {"id":2,"symbol":"BTCUSDT","riskLimitValue":"4000000","maintenanceMargin":"0.01","initialMargin":"0.0125","isLowestRisk":0,"maxLeverage":"80.00","mmDeduction":"10000"},
            {"id":1,"symbol":"BTCUSDT","riskLimitValue":2000000,"maintenanceMargin":0.005,"initialMargin":0.01,"isLowestRisk":1,"maxLeverage":"100.00","mmDeduction":""}],
            "nextPageCursor":""},"retExtInfo":{},"time":1795078860000}"#;
        let want = [[2e6, 0.01, 0.005, 100.0], [4e6, 0.0125, 0.01, 80.0]];
        assert_eq!(tiers("bybit", "BTCUSDT", bybit).unwrap(), want);
        let inverse = r#"{"retCode":0,"retMsg":"OK","result":{"list":[{"id":1,"symbol":"BTCUSD","riskLimitValue":"150","maintenanceMargin":"0.5","initialMargin":"1","maxLeverage":"100.00"}]}}"#;
        assert_eq!(tiers("bybit", "BTCUSD", inverse).unwrap(), [[150.0, 0.01, 0.005, 100.0]], "percent, not fractions");
        let okx = r#"{"code":"0","msg":"","data":[
            {"tier":"1","instFamily":"BTC-USDT","uly":"BTC-USDT","instId":"","minSz":"0","maxSz":"2500","imr":"0.01","mmr":"0.004","maxLever":"100","optMgnFactor":"0","quoteMaxLoan":"","baseMaxLoan":""},
            {"tier":"2","instFamily":"BTC-USDT","uly":"BTC-USDT","instId":"","minSz":"2501","maxSz":"5000","imr":"0.0133","mmr":"0.005","maxLever":"75"}]}"#;
        let want = [[2_500.0, 0.01, 0.004, 100.0], [5_000.0, 0.0133, 0.005, 75.0]];
        assert_eq!(tiers("okx", "BTC-USDT-SWAP", okx).unwrap(), want);
        let coinex = r#"{"code":0,"data":[{"market":" BTCUSDT","level":[{"amount":"20","leverage":"100","maintenance_margin_rate":"0.005","min_initial_margin_rate":"0.01"}]},
            {"market":"ETHUSDT","level":[{"amount":"300","leverage":"50","maintenance_margin_rate":"0.01","min_initial_margin_rate":"0.02"}]}],"message":"OK"}"#;
        assert_eq!(tiers("coinex", "BTCUSDT", coinex).unwrap(), [[20.0, 0.01, 0.005, 100.0]]);
        let numbers: Vec<u32> =
            source("okx").read(okx.as_bytes(), "BTC-USDT-SWAP").unwrap().iter().map(|t| t.tier).collect();
        assert_eq!(numbers, [1, 2]);
    }

    #[test]
    fn what_is_no_answer_or_no_tier_is_refused_with_its_reason() {
        for (id, symbol, body, why) in [
            (
                "bybit",
                "NOSUCH",
                r#"{"retCode":10001,"retMsg":"params error: symbol invalid","result":{}}"#,
                "symbol invalid",
            ),
            ("bybit", "BTCUSDT", r#"{"retCode":0,"retMsg":"OK","result":{"list":[]}}"#, "no tiers of 'BTCUSDT'"),
            (
                "bybit",
                "BTCUSDT",
                r#"{"retCode":0,"result":{"list":[{"symbol":"BTCUSDT","riskLimitValue":"2000000","maintenanceMargin":"0.1","initialMargin":"0.2","maxLeverage":"100"}]}}"#,
                "a tier cannot be read",
            ),
            (
                "okx",
                "BTC-USDT-SWAP",
                r#"{"code":"51000","msg":"Parameter instFamily error","data":[]}"#,
                "instFamily error",
            ),
            (
                "okx",
                "BTC-USDT-SWAP",
                r#"{"code":"0","data":[{"maxSz":"x","imr":"0.01","mmr":"0.004","maxLever":"100"}]}"#,
                "cannot be read",
            ),
            ("coinex", "BTCUSDT", r#"{"code":4004,"data":{},"message":"Invalid Parameter"}"#, "Invalid Parameter"),
            (
                "coinex",
                "BTCUSDT",
                r#"{"code":0,"data":[{"market":"ETHUSDT","level":[]}],"message":"OK"}"#,
                "no tiers of",
            ),
            ("coinex", "BTCUSDT", "<html>", "not JSON"),
        ] {
            let refused = tiers(id, symbol, body).unwrap_err();
            assert!(refused.contains(why), "{id} {body}: {refused}");
        }
    }

    #[test]
    fn addresses_and_symbols_are_those_of_the_venue() {
        for (id, written, symbol, path, unit) in [
            ("bybit", "BTCUSDT", "BTCUSDT", "/v5/market/risk-limit?category=linear&symbol=BTCUSDT", "quote"),
            ("bybit", "btc/usd", "BTCUSD", "/v5/market/risk-limit?category=inverse&symbol=BTCUSD", "base"),
            (
                "okx",
                "BTCUSDT",
                "BTC-USDT-SWAP",
                "/api/v5/public/position-tiers?instType=SWAP&tdMode=isolated&instFamily=BTC-USDT",
                "contracts",
            ),
            (
                "okx",
                "ETH-USD-SWAP",
                "ETH-USD-SWAP",
                "/api/v5/public/position-tiers?instType=SWAP&tdMode=isolated&instFamily=ETH-USD",
                "contracts",
            ),
            ("coinex", "BTC-USDT", "BTCUSDT", "/v2/futures/position-level?market=BTCUSDT", "base"),
            ("coinex", "BTCUSD", "BTCUSD", "/v2/futures/position-level?market=BTCUSD", "unstated"),
        ] {
            let source = source(id);
            let native = (source.native)(written).unwrap();
            assert_eq!(native, symbol, "{id} {written}");
            let at = BaseAddresses { rest: "http://h".into(), ws: "ws://h".into() };
            assert_eq!(source.ask(&at, &native, TierMargin::Isolated).url, format!("http://h{path}"));
            assert_eq!((source.unit)(&native).name(), unit, "{id} {written}");
        }
        for source in &TIER_SOURCES {
            assert_eq!((source.native)("a&b=c"), None, "{}", source.venue.id);
        }
    }
}
