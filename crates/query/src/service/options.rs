//! Options of a currency, over the API and for the command line.

use super::{Service, unreadable};
use crate::options::{absent, age_s};
use barograph_api::options::{OptionNumber, OptionsView};
use barograph_api::{AskMarkets as _, AskOptions, QueryError};
use barograph_domain::snapshot::WireValue;
use barograph_domain::time::LATENESS;
use barograph_domain::{InstrumentName, OptionCurrency, Span, Ts};
use barograph_venues::deribit::options::perpetual;

/// What the price did.
const REALIZED: &str = "realized_vol_24h";

impl AskOptions for Service {
    fn options(
        &self,
        currency: &OptionCurrency,
        market: Option<&InstrumentName>,
        as_of: Option<Ts>,
    ) -> Result<OptionsView, QueryError> {
        // A whole second that is over no sooner than now, as of other readings that are kept.
        let at = as_of.unwrap_or_else(|| self.clock.now().ceil(Span::secs(1)));
        if let Some((named, (base, _))) = market.and_then(|m| Some((m, m.base_quote()?)))
            && base != currency.as_str()
        {
            let reason = format!("market: {named} is of {base}, not of {currency}");
            return Err(QueryError::BadField { field: "market".to_owned(), value: named.to_string(), reason });
        }
        let market = market.cloned().or_else(|| self.beside(currency));
        let number = match &market {
            Some(market) => self.realized(market, as_of, at)?,
            None => absent(crate::options::MISSING),
        };
        crate::options::options(self.reader.as_ref(), currency, at, (market, number)).map_err(|e| unreadable(&e))
    }
}

impl Service {
    /// The market whose price options of a currency are held against: the same venue's perpetual contract, else that of the default venue.
    fn beside(&self, currency: &OptionCurrency) -> Option<InstrumentName> {
        let known = self.instruments();
        let own = perpetual(currency).filter(|name| known.contains(name));
        own.or_else(|| self.resolve(&format!("{currency}USDT"), true).ok())
    }

    fn realized(&self, market: &InstrumentName, as_of: Option<Ts>, at: Ts) -> Result<OptionNumber, QueryError> {
        let row = match self.latest_features(market, None, as_of) {
            Ok(row) => row,
            // No minute of it, or only of other rule books.
            Err(QueryError::NothingYet { .. } | QueryError::OtherBook { .. }) => {
                return Ok(absent(crate::options::MISSING));
            }
            Err(e) => return Err(e),
        };
        let Some(WireValue::Number(value)) = row.values.get(REALIZED) else {
            return Ok(absent(row.readings.get(REALIZED).copied().unwrap_or(crate::options::MISSING)));
        };
        Ok(OptionNumber {
            value: Some(*value),
            timestamp: Some(row.ts),
            age_s: Some(age_s(row.ts, at)),
            known_ts: Some(row.ts + LATENESS),
            reason: None,
        })
    }
}
