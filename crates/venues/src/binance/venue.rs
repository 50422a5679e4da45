//! What the registry lists: the four markets of the family.

use super::flavour::{COINM, Flavour, SPOT_COM, SPOT_US, USDM};
use super::limits::{self, WEIGHT};
use super::session::Binance;
use super::{rest, symbols};
use crate::session::kit::Kit;
use crate::session::registry::no_further;
use crate::session::{Ask, BaseAddresses, VenueDef};
use barograph_domain::MarketKind;

/// The request that says what time it is there.
fn time(flavour: &Flavour, at: &BaseAddresses) -> Option<Ask> {
    Some(Ask::get(format!("{}{}/time", at.rest, flavour.api), WEIGHT))
}

/// One definition; plain functions, so each names its market.
macro_rules! venue {
    ($(#[$doc:meta])* $name:ident, $flavour:ident) => {
        $(#[$doc])*
        pub const $name: VenueDef = VenueDef {
            id: $flavour.id,
            trades: if $flavour.is_futures() { MarketKind::Perpetual } else { MarketKind::Spot },
            endpoints: || $flavour.endpoints(),
            limits: || limits::limits(&$flavour),
            metrics: $flavour.metrics,
            discovery: |at| symbols::discovery(&$flavour, at),
            further: no_further,
            instruments: |answers| symbols::instruments(&$flavour, answers),
            time: |at| time(&$flavour, at),
            read_time: rest::server_time,
            open: |config| Box::new(Kit::new(Binance::new(&$flavour), config)),
        };
    };
}

venue!(
    /// USD-M futures.
    BINANCE_USDM,
    USDM
);
venue!(
    /// COIN-M futures.
    BINANCE_COINM,
    COINM
);
venue!(
    /// binance.com spot.
    BINANCE_SPOT,
    SPOT_COM
);
venue!(
    /// Binance.US spot.
    BINANCE_US,
    SPOT_US
);
