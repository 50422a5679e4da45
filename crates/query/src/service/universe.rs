//! Between the markets: the newest hour, which book it is of, and what a basket holds.

use super::{Service, internal, other_book};
use barograph_api::{AskMarkets as _, QueryError};
use barograph_domain::portfolio::{BasketFrom, Holding, HoldingView, LeftOut, PortfolioView};
use barograph_domain::{InstrumentName, RiskRegime, Side, Span, Ts, UniverseRow, VolRegime};
use barograph_engine::advice::side_of;
use barograph_engine::calendar::Calendar;
use barograph_engine::universe::{Asset, portfolio};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

/// Most holdings of a basket.
const HOLDINGS_MAX: usize = 200;
/// Largest holding, quote units: beyond it sums of holdings are no numbers any more.
const NOTIONAL_MAX: f64 = 1e15;
/// An hour judges what happens until so long after it: one is made every hour, and one may be missed.
const HOUR_HOLDS: Span = Span::hours(2);

/// One holding, with the market it means.
pub(super) struct Held {
    pub(super) market: InstrumentName,
    pub(super) side: Side,
    pub(super) notional: f64,
}

impl Service {
    /// Takes an hour the moment it is made; the store follows.
    pub fn take_hour(&self, row: &UniverseRow) {
        let mut held = self.hour.write().unwrap_or_else(PoisonError::into_inner);
        if held.as_ref().is_none_or(|h| h.ts < row.ts) {
            *held = Some(Arc::new(row.clone()));
        }
    }

    /// Logic versions of the configured book, the one whose minutes reach furthest last.
    pub(super) fn versions(&self) -> Result<Vec<String>, QueryError> {
        let all = self.reader.versions().map_err(internal)?;
        let own = all.into_iter().filter(|version| self.book.is_of(&version.book, &version.book_text));
        let own: Vec<String> = own.map(|version| version.logic_version).collect();
        // How far minutes reach is asked of every market: where there is one version it does not matter.
        if own.len() < 2 {
            return Ok(own);
        }
        let runs = self.reader.runs(None).map_err(internal)?;
        let mut reach: BTreeMap<String, Option<Ts>> = BTreeMap::new();
        for run in runs.into_iter().filter(|run| own.contains(&run.spec.key.logic_version)) {
            let furthest = reach.entry(run.spec.key.logic_version).or_default();
            *furthest = (*furthest).max(run.minutes.map(|m| m.1));
        }
        let mut versions: Vec<String> = reach.keys().cloned().collect();
        versions.sort_by_key(|version| reach[version]);
        Ok(versions)
    }

    /// Refuses where there are no hours because only other books have rows: that is not the same as none.
    pub(super) fn is_own_book(&self) -> Result<(), QueryError> {
        if self.live.is_some() {
            return Ok(());
        }
        let runs = self.reader.runs(None).map_err(internal)?;
        other_book(&runs, None, &self.book).filter(|e| !self.is_empty(e)).map_or(Ok(()), Err)
    }

    pub(super) fn newest_hour(&self, as_of: Option<Ts>) -> Result<Option<UniverseRow>, QueryError> {
        let live = self.hour.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let (Some(row), None) = (live, as_of) {
            return Ok(Some((*row).clone()));
        }
        for version in self.versions()?.iter().rev() {
            if let Some(row) = self.reader.latest_universe(version, as_of).map_err(internal)? {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// May this hour still be judged by, at a moment or now?
    pub(super) fn holds(&self, hour: &UniverseRow, as_of: Option<Ts>) -> bool {
        as_of.unwrap_or_else(|| self.clock.now()) - hour.ts <= HOUR_HOLDS
    }

    /// Holdings as given, each checked.
    pub(super) fn asked_for(&self, holdings: &[Holding]) -> Result<Vec<Held>, QueryError> {
        let bad = |n: usize, field: &str, value: String, why: &str| {
            let field = format!("holdings[{n}].{field}");
            QueryError::BadField { reason: format!("{field} is '{value}': {why}"), field, value }
        };
        if holdings.len() > HOLDINGS_MAX {
            let why = format!("there are at most {HOLDINGS_MAX} holdings");
            return Err(QueryError::BadField {
                field: "holdings".to_owned(),
                value: holdings.len().to_string(),
                reason: format!("holdings: {why}"),
            });
        }
        let mut held = Vec::new();
        for (n, one) in holdings.iter().enumerate() {
            let side =
                side_of(&one.side).ok_or_else(|| bad(n, "side", one.side.clone(), "it must be long or short"))?;
            if !(one.notional > 0.0 && one.notional <= NOTIONAL_MAX) {
                return Err(bad(
                    n,
                    "notional",
                    one.notional.to_string(),
                    "it must be a number above zero, at most 1e15",
                ));
            }
            held.push(Held { market: self.resolve(&one.symbol, false)?, side, notional: one.notional });
        }
        Ok(held)
    }

    /// Registered positions by their notional: size times the last price, as of a moment that of its hour, else the entry.
    pub(super) fn registered_holdings(
        &self,
        as_of: Option<Ts>,
        hour: &UniverseRow,
        left_out: &mut Vec<LeftOut>,
    ) -> Result<Vec<Held>, QueryError> {
        let mut held = Vec::new();
        for p in self.reader.positions(as_of).map_err(internal)? {
            let Some(size) = p.size else {
                let reason = format!("position {} has no size, so it has no weight", p.id);
                left_out.push(LeftOut { instrument: p.instrument.to_string(), reason });
                continue;
            };
            let now = self.market(&p.instrument).filter(|_| as_of.is_none()).and_then(|l| l.row.price);
            let then = || hour.markets.iter().find(|m| m.instrument == p.instrument)?.price;
            let price = now.or_else(then);
            held.push(Held { notional: size.abs() * price.unwrap_or(p.entry), side: p.side, market: p.instrument });
        }
        Ok(held)
    }

    /// Published labels of a market now, or as known at a moment.
    pub(super) fn labels(
        &self,
        id: &InstrumentName,
        as_of: Option<Ts>,
    ) -> Result<Option<(RiskRegime, VolRegime)>, QueryError> {
        if let (None, Some(latest)) = (as_of, self.market(id)) {
            return Ok(Some((latest.row.risk.label, latest.row.volatility.label)));
        }
        match self.run(id, None).and_then(|(info, lens)| self.newest(&info, &lens, as_of)) {
            Ok((_, rows)) => Ok(rows.last().map(|r| (r.risk.label, r.volatility.label))),
            Err(e) if self.is_empty(&e) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// The calendar as it was known; `None` where there is none.
    pub(super) fn known_calendar(&self, as_of: Option<Ts>) -> Result<Option<Calendar>, QueryError> {
        let entries = self.reader.calendar(as_of).map_err(internal)?;
        if entries.is_empty() {
            return Ok(None);
        }
        let mut calendar = Calendar::default();
        for entry in entries {
            calendar.apply(entry);
        }
        Ok(Some(calendar))
    }
}

/// A basket as it is answered.
pub(super) fn view(
    row: &UniverseRow,
    from: BasketFrom,
    basket: &[(Asset, Side)],
    left_out: Vec<LeftOut>,
) -> PortfolioView {
    let assets: Vec<Asset> = basket.iter().map(|(a, _)| a.clone()).collect();
    let judged = portfolio(row, &assets);
    let shown = |market: usize, side, weight, risk, volatility| {
        let m = &row.markets[market];
        HoldingView { instrument: m.instrument.to_string(), asset: m.asset.clone(), side, weight, risk, volatility }
    };
    let holdings = if basket.is_empty() {
        let each = row.markets.iter().enumerate().zip(&judged.weights);
        each.map(|((at, m), w)| shown(at, None, *w, m.risk, m.volatility)).collect()
    } else {
        let each = basket.iter().zip(&judged.weights);
        each.map(|((a, side), w)| shown(a.market, Some(*side), *w, a.risk, a.volatility)).collect()
    };
    PortfolioView {
        timestamp: row.ts,
        known_ts: row.known_ts,
        basket_from: from,
        holdings,
        left_out,
        portfolio: judged,
    }
}
