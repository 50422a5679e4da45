//! Asking the venue: the summary of all options of a currency, its volatility index, and history of the index.

use super::record::{OptionPoints, dvol_points, points};
use barograph_domain::text::escape_control;
use barograph_domain::{InstrumentName, OptionCurrency, SignalPoint, Span, Ts};
use barograph_net::{Clock, Fetch, Net, VenueIndex};
use barograph_venues::deribit::options::{
    DvolBars, DvolStep, OptionChain, Unusable, chain, chain_ask, dvol, dvol_ask, has_dvol, perpetual,
};
use barograph_venues::session::{Ask, BaseAddresses};
use std::collections::BTreeMap;

/// An answer is waited for this long: the largest has a megabyte.
const TIMEOUT: Span = Span::secs(20);
/// The newest value of the index is looked for in so much of the past: it has one each minute.
const NEWEST_WITHIN: Span = Span::mins(15);
/// Requests for history at most: 41 days of hours each.
const PAGES_MAX: usize = 100;
/// Longest part of an answer that is repeated.
const SHOWN: usize = 200;

/// Where options are asked for.
pub struct OptionsSource<'a> {
    /// The network.
    pub net: &'a Net,
    /// The venue in it.
    pub venue: VenueIndex,
    /// Its hosts.
    pub endpoints: &'a BaseAddresses,
    /// When answers come.
    pub clock: &'a dyn Clock,
}

/// What came of asking.
#[derive(Clone, PartialEq, Debug)]
pub struct FetchedOptions {
    /// Which market it is kept with.
    pub market: InstrumentName,
    /// To keep.
    pub points: Vec<SignalPoint>,
    /// When the venue answered with the summary.
    pub at: Ts,
    /// Options that were used.
    pub options: usize,
    /// Those that were not.
    pub left_out: Unusable,
    /// Expiries that have a volatility at the money, and those without.
    pub expiries: (usize, usize),
    /// The newest value of the index, or why there is none.
    pub dvol: Result<(Ts, f64), String>,
    /// Values of its history.
    pub history: usize,
}

impl core::fmt::Debug for OptionsSource<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("OptionsSource").field("endpoints", self.endpoints).finish_non_exhaustive()
    }
}

impl OptionsSource<'_> {
    /// All of a currency, with the hours of the index since `from`.
    ///
    /// # Errors
    /// When the summary cannot be had, or names no option of the currency; or history that was asked for cannot. The newest value of the
    /// index may be missing: the result holds why.
    pub async fn fetch(&self, currency: &OptionCurrency, from: Option<Ts>) -> Result<FetchedOptions, String> {
        let market = perpetual(currency).ok_or_else(|| format!("{currency} cannot be a market"))?;
        let (body, came) = self.answer("the options summary", chain_ask(self.endpoints, currency)).await?;
        let chain = chain(&body, currency, came).map_err(|why| format!("the options summary of {currency}: {why}"))?;
        let made = usable(currency, &chain, came)?;
        let mut index: BTreeMap<Ts, SignalPoint> = BTreeMap::new();
        let history = match from.filter(|_| has_dvol(currency)) {
            Some(from) => self.history(currency, from).await?,
            None => Vec::new(),
        };
        let newest = self.newest(currency).await;
        let (hours, minutes) = (history.len(), newest.as_ref().map(|n| vec![*n]).unwrap_or_default());
        let now = self.clock.now();
        // Of a moment that is the end of an hour and of a minute there is one value.
        for point in dvol_points(&market, &history, now).into_iter().chain(dvol_points(&market, &minutes, now)) {
            index.insert(point.event_ts, point);
        }
        let OptionPoints { mut points, expiries, without } = made;
        points.extend(index.into_values());
        Ok(FetchedOptions {
            market,
            points,
            at: chain.at,
            options: chain.quotes.len(),
            left_out: chain.left_out,
            expiries: (expiries, without),
            dvol: newest,
            history: hours,
        })
    }

    async fn newest(&self, currency: &OptionCurrency) -> Result<(Ts, f64), String> {
        if !has_dvol(currency) {
            return Err(format!("the venue has no volatility index of {currency}"));
        }
        let now = self.clock.now();
        let bars = self.bars(currency, (now - NEWEST_WITHIN, now), DvolStep::Minute).await?;
        bars.closes.last().copied().ok_or_else(|| format!("it has none of the last {}", NEWEST_WITHIN.spoken()))
    }

    /// Hours since `from`, ascending.
    async fn history(&self, currency: &OptionCurrency, from: Ts) -> Result<Vec<(Ts, f64)>, String> {
        let mut all: BTreeMap<Ts, f64> = BTreeMap::new();
        let mut end = self.clock.now();
        for _ in 0..PAGES_MAX {
            let bars = self.bars(currency, (from, end), DvolStep::Hour).await?;
            all.extend(bars.closes.iter().copied().filter(|(at, _)| *at >= from));
            match bars.before {
                // It goes on into the past, or it would never end.
                Some(before) if before < end && before >= from => end = before,
                _ => return Ok(all.into_iter().collect()),
            }
        }
        Err(format!("the history of the index does not end after {PAGES_MAX} requests; ask for less of it"))
    }

    async fn bars(&self, currency: &OptionCurrency, range: (Ts, Ts), step: DvolStep) -> Result<DvolBars, String> {
        let what = "the volatility index";
        let (body, came) = self.answer(what, dvol_ask(self.endpoints, currency, range, step)).await?;
        dvol(&body, step, came).map_err(|why| format!("{what} of {currency}: {why}"))
    }

    /// The body of an answer and when it came.
    async fn answer(&self, what: &str, ask: Ask) -> Result<(Vec<u8>, Ts), String> {
        let Ask { url, body, pool, weight } = ask;
        let fetch = Fetch { url, body, pool, weight, timeout: TIMEOUT };
        let answer = self.net.fetch(self.venue, fetch).await;
        let answer = answer.map_err(|e| format!("{what} cannot be had: {}", crate::chain(&e)))?;
        let came = self.clock.now();
        // A refusal is JSON as well, whatever its status, and names its reason.
        if answer.status != 200 && !answer.body.starts_with(b"{") {
            let text = String::from_utf8_lossy(&answer.body[..answer.body.len().min(SHOWN)]).into_owned();
            return Err(format!("{what} is answered with status {}: {}", answer.status, escape_control(&text)));
        }
        Ok((answer.body.to_vec(), came))
    }
}

/// What the summary amounts to, if it names an option that can be used.
fn usable(currency: &OptionCurrency, chain: &OptionChain, came: Ts) -> Result<OptionPoints, String> {
    if chain.quotes.is_empty() {
        let Unusable { unmarked, expired, unnamed, .. } = chain.left_out;
        return Err(match unmarked + expired + unnamed {
            0 => format!("the venue lists no options of {currency}; it has them of BTC, ETH and some others"),
            n => format!(
                "none of the {n} options of {currency} can be used: {unmarked} without a volatility, {expired} expired, {unnamed} of another form"
            ),
        });
    }
    points(currency, chain, came).ok_or_else(|| format!("{currency} cannot be a market"))
}
