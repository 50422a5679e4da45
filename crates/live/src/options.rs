//! The thread that asks Deribit for options and the volatility index: at the start and every hour.
//!
//! What it brings stands beside, like values that somebody brings: known since it arrived, no input of the engine, in no journal. When
//! the venue cannot be had, what was known keeps its age, and it is asked again after ten minutes.

use crate::Error;
use crate::tags::MKT;
use barograph_domain::text::{escape_control, number_of};
use barograph_domain::{InstrumentName, OptionCurrency, Span};
use barograph_net::{Clock, Net};
use barograph_query::options::OptionsSource;
use barograph_query::signals::SignalDesk;
use barograph_store::StoreTarget;
use barograph_venues::deribit;
use barograph_venues::deribit::options::{currency_of, has_dvol};
use barograph_venues::session::{BaseAddresses, MarketSpec};
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::io::Write as _;
use std::sync::Arc;
use std::thread::JoinHandle;

/// Between two summaries: a term structure of months moves little within an hour, and an hour of BTC is 20 values.
const EVERY: Span = Span::hours(1);
/// Until the venue is asked again after a failure.
const AGAIN: Span = Span::mins(10);
/// How soon the thread sees that it is to end.
const STEP: Duration = Duration::from_millis(50);
/// Name of its budget; the streams of the same venue have one of their own.
const BUDGET: &str = "deribit-options";

/// Whose options are asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum OptionsChoice {
    /// Of BTC and ETH, where a Deribit market of theirs is recorded.
    #[default]
    Auto,
    /// Nobody's.
    Off,
    /// Of these, whatever is recorded.
    Of(Vec<OptionCurrency>),
}

impl OptionsChoice {
    /// `auto`, `off`, or currencies between commas.
    ///
    /// # Errors
    /// A currency that cannot be one.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.trim() {
            "auto" | "" => Ok(Self::Auto),
            "off" => Ok(Self::Off),
            list => {
                let parts = list.split(',').map(str::trim).filter(|part| !part.is_empty());
                parts.map(OptionCurrency::parse).collect::<Result<_, _>>().map(Self::Of)
            }
        }
    }

    /// The currencies it means beside these markets of the venue.
    pub(crate) fn currencies<'a>(&self, recorded: impl Iterator<Item = &'a MarketSpec>) -> Vec<OptionCurrency> {
        let mut chosen: Vec<OptionCurrency> = match self {
            Self::Off => Vec::new(),
            Self::Of(list) => list.clone(),
            Self::Auto => recorded
                .filter_map(|m| InstrumentName::new(deribit::VENUE.id, &m.symbol).ok())
                .filter_map(|name| currency_of(&name))
                .filter(has_dvol)
                .collect(),
        };
        chosen.sort();
        chosen.dedup();
        chosen
    }
}

/// What is needed to ask.
pub(crate) struct OptionPolls {
    pub(crate) currencies: Vec<OptionCurrency>,
    pub(crate) endpoints: BaseAddresses,
    pub(crate) target: StoreTarget,
    pub(crate) net: Arc<Net>,
    pub(crate) runtime: tokio::runtime::Handle,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stop: Arc<AtomicBool>,
}

impl OptionPolls {
    /// Starts the thread; none where there is nothing to ask for.
    pub(crate) fn start(self) -> Result<Option<JoinHandle<()>>, Error> {
        if self.currencies.is_empty() {
            return Ok(None);
        }
        let thread = std::thread::Builder::new().name("options".to_owned()).spawn(move || self.go_on());
        thread.map(Some).map_err(Error::failed)
    }

    fn go_on(&self) {
        let venue = self.net.add_venue(BUDGET, (deribit::VENUE.limits)());
        let source = OptionsSource { net: &self.net, venue, endpoints: &self.endpoints, clock: self.clock.as_ref() };
        let desk = SignalDesk::new(self.target.clone());
        while !self.stop.load(Ordering::Relaxed) {
            let begun = self.clock.now();
            let mut pause = EVERY;
            for currency in &self.currencies {
                if let Err(why) = self.once(&source, &desk, currency) {
                    pause = AGAIN;
                    self.report(&format!(
                        "options of {currency} cannot be had, next try in {}; what was known keeps its age: {}",
                        AGAIN.spoken(),
                        escape_control(&why)
                    ));
                }
            }
            while self.clock.now() - begun < pause && !self.stop.load(Ordering::Relaxed) {
                std::thread::sleep(STEP);
            }
        }
    }

    fn once(&self, source: &OptionsSource<'_>, desk: &SignalDesk, currency: &OptionCurrency) -> Result<(), String> {
        let found = self.runtime.block_on(source.fetch(currency, None))?;
        desk.put(&found.points).map_err(|e| crate::chain(&e))?;
        let unmarked = found.left_out.unmarked;
        if unmarked > 0 && unmarked as usize > found.options {
            let without = number_of(unmarked, "option");
            self.report(&format!("{without} of {currency} came without a volatility, {} with one", found.options));
        }
        match found.dvol {
            Err(why) if has_dvol(currency) => Err(format!("the summary is kept, the volatility index is not: {why}")),
            _ => Ok(()),
        }
    }

    fn report(&self, line: &str) {
        // While it ends, nothing that fails is worth a line. Standard error may be closed; there is nobody left to report to.
        if !self.stop.load(Ordering::Relaxed) {
            drop(writeln!(std::io::stderr(), "barograph: {MKT} {line}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::MarketKind;

    #[test]
    fn whose_options_are_asked_for_is_chosen_or_follows_what_is_recorded() {
        let market = |symbol: &str| MarketSpec::bare(symbol, MarketKind::Perpetual);
        let recorded = ["ETH-PERPETUAL", "SOL_USDC-PERPETUAL", "BTC-PERPETUAL", "BTC_USDC-PERPETUAL"].map(market);
        let of = |text: &str, recorded: &[MarketSpec]| {
            let chosen = OptionsChoice::parse(text).unwrap().currencies(recorded.iter());
            chosen.iter().map(|c| c.as_str().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(of("auto", &recorded), ["BTC", "ETH"]);
        assert!(of("auto", &[]).is_empty());
        assert!(of("off", &recorded).is_empty());
        assert_eq!(of("sol, btc,", &[]), ["BTC", "SOL"]);
        assert!(OptionsChoice::parse("BTC-USD").unwrap_err().contains("as in BTC"));
    }
}
