//! Several markets at once: hours between them, baskets, the calendar.

use barograph_domain::portfolio::{Holding, PortfolioRequest};
use clap::Args;

#[derive(Args, Debug)]
pub(crate) struct UniverseArgs {
    /// One pair only, as in BTC,ETH
    #[arg(long, value_name = "A,B")]
    pub(crate) pair: Option<String>,
    /// The newest hour as it was known at a moment
    #[arg(long, value_name = "TIME", value_parser = super::values::as_of)]
    pub(crate) as_of: Option<barograph_domain::Ts>,
    /// The hour at or before this one
    #[arg(long, value_name = "TIME", value_parser = barograph_domain::Ts::parse, conflicts_with = "as_of")]
    pub(crate) at: Option<barograph_domain::Ts>,
}

#[derive(Args, Debug)]
pub(crate) struct PortfolioArgs {
    /// What you hold long, as in BTCUSDT=15000; any one currency, or shares. May be repeated
    #[arg(long, value_name = "SYMBOL=AMOUNT", value_parser = amount)]
    pub(crate) long: Vec<(String, f64)>,
    /// What you hold short
    #[arg(long, value_name = "SYMBOL=AMOUNT", value_parser = amount)]
    pub(crate) short: Vec<(String, f64)>,
    /// Judged by what was known at a moment
    #[arg(long, value_name = "TIME", value_parser = super::values::as_of)]
    pub(crate) as_of: Option<barograph_domain::Ts>,
}

impl PortfolioArgs {
    /// The same as sent over HTTP.
    pub(crate) fn request(&self) -> PortfolioRequest {
        let of = |side: &'static str| {
            move |(symbol, notional): &(String, f64)| Holding {
                symbol: symbol.clone(),
                side: side.to_owned(),
                notional: *notional,
            }
        };
        let holdings = self.long.iter().map(of("long")).chain(self.short.iter().map(of("short"))).collect();
        PortfolioRequest { holdings, as_of: None }
    }
}

fn amount(text: &str) -> Result<(String, f64), String> {
    let wrong = || format!("'{text}': write SYMBOL=AMOUNT, as in BTCUSDT=15000");
    let (symbol, amount) = text.rsplit_once('=').ok_or_else(wrong)?;
    let amount: f64 = amount.trim().parse().map_err(|_e| wrong())?;
    Ok((symbol.trim().to_owned(), amount))
}

#[derive(Args, Debug)]
pub(crate) struct CalendarArgs {
    /// The calendar as it was known at a moment
    #[arg(long, value_name = "TIME", value_parser = super::values::as_of)]
    pub(crate) as_of: Option<barograph_domain::Ts>,
}
