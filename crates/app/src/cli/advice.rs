//! `advise` and `positions` as written.

use barograph_domain::Ts;
use barograph_domain::advice::{AdviceRequest, NewPosition, TradeRecord};
use clap::{Args, Subcommand};

#[derive(Args, Debug)]
pub(crate) struct Advise {
    /// Market: venue:symbol or a bare symbol
    pub(crate) symbol: String,
    /// The side you chose: long or short
    #[arg(long)]
    pub(crate) side: String,
    /// Price at which the trade would begin
    #[arg(long, value_name = "PRICE", allow_negative_numbers = true, value_parser = super::values::amount)]
    pub(crate) entry: f64,
    /// Your stop; without it one is computed from the ATR
    #[arg(long, value_name = "PRICE", allow_negative_numbers = true, value_parser = super::values::amount)]
    pub(crate) stop: Option<f64>,
    /// Account value, quote currency
    #[arg(long, value_name = "AMOUNT", allow_negative_numbers = true, value_parser = super::values::amount)]
    pub(crate) equity: Option<f64>,
    /// The size you have in mind, base currency
    #[arg(long, value_name = "AMOUNT", allow_negative_numbers = true, value_parser = super::values::amount)]
    pub(crate) size: Option<f64>,
    /// Your name of the strategy; repeated in the answer
    #[arg(long)]
    pub(crate) strategy: Option<String>,
    /// Average true range of your own timeframe; without it ATR(14) of 1 h bars
    #[arg(long, value_name = "PRICE", allow_negative_numbers = true)]
    pub(crate) atr: Option<f64>,
    /// Largest share of equity at risk; 0.01 by default, and never more in effect
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    pub(crate) user_cap: Option<f64>,
    /// Share of equity you usually put at risk; the cap by default
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    pub(crate) base_risk: Option<f64>,
    /// Notional over equity; 3 by default
    #[arg(long, value_name = "TIMES", allow_negative_numbers = true)]
    pub(crate) max_leverage: Option<f64>,
    /// Fee of one execution as a fraction; 0.0005 by default
    #[arg(long, value_name = "FRACTION", allow_negative_numbers = true)]
    pub(crate) taker_fee: Option<f64>,
    /// Half the spread, quote currency
    #[arg(long, value_name = "PRICE", allow_negative_numbers = true)]
    pub(crate) half_spread: Option<f64>,
    /// Smallest step of the price
    #[arg(long, value_name = "PRICE", allow_negative_numbers = true)]
    pub(crate) tick: Option<f64>,
    /// Smallest step of the size
    #[arg(long, value_name = "AMOUNT", allow_negative_numbers = true)]
    pub(crate) lot: Option<f64>,
    /// Smallest notional the venue accepts
    #[arg(long, value_name = "AMOUNT", allow_negative_numbers = true)]
    pub(crate) min_notional: Option<f64>,
    /// Your resolved trades of this strategy; from 100 on they set the size
    #[arg(long, value_name = "N", requires_all = ["wins", "average_win", "average_loss"])]
    pub(crate) trades: Option<u32>,
    /// How many of them ended above zero
    #[arg(long, value_name = "N", requires = "trades")]
    pub(crate) wins: Option<u32>,
    /// Mean of those, in units of risk
    #[arg(long, value_name = "R", requires = "trades")]
    pub(crate) average_win: Option<f64>,
    /// Mean size of the others, in units of risk
    #[arg(long, value_name = "R", requires = "trades")]
    pub(crate) average_loss: Option<f64>,
    /// The entry is meant, however far it lies from the market
    #[arg(long)]
    pub(crate) confirm: bool,
    /// By what was known at a moment
    #[arg(long, value_name = "TIME", value_parser = super::values::as_of)]
    pub(crate) as_of: Option<Ts>,
}

impl Advise {
    /// The same as sent over HTTP.
    pub(crate) fn request(&self) -> AdviceRequest {
        let record = (self.trades, self.wins, self.average_win, self.average_loss);
        AdviceRequest {
            symbol: self.symbol.clone(),
            side: self.side.clone(),
            entry: self.entry,
            stop: self.stop,
            strategy: self.strategy.clone(),
            equity: self.equity,
            size: self.size,
            atr: self.atr,
            user_cap: self.user_cap,
            base_risk: self.base_risk,
            max_leverage: self.max_leverage,
            taker_fee: self.taker_fee,
            half_spread: self.half_spread,
            tick: self.tick,
            lot: self.lot,
            min_notional: self.min_notional,
            trades: match record {
                (Some(n), Some(wins), Some(average_win), Some(average_loss)) => {
                    Some(TradeRecord { wins, n, average_win, average_loss })
                }
                _ => None,
            },
            confirm: self.confirm,
            as_of: None,
        }
    }
}

#[derive(Subcommand, Debug)]
pub(crate) enum PositionsCommand {
    /// Register a position to be watched
    Add(Add),
    /// Registered positions and those of positions_file, each with what is around it now
    Ls {
        /// Those registered at a moment
        #[arg(long, value_name = "TIME", value_parser = super::values::as_of)]
        as_of: Option<Ts>,
    },
    /// Remove a position from the list; nothing is closed anywhere
    Rm {
        /// Its id, or the beginning of it
        id: String,
    },
    /// Notices about positions, newest first
    Notices {
        /// Only of this position: its id, or the beginning of it
        id: Option<String>,
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Add {
    /// Market: venue:symbol or a bare symbol
    pub(crate) symbol: String,
    /// The side you hold: long or short
    #[arg(long)]
    pub(crate) side: String,
    /// Entry price
    #[arg(long, value_name = "PRICE", allow_negative_numbers = true, value_parser = super::values::amount)]
    pub(crate) entry: f64,
    /// Stop
    #[arg(long, value_name = "PRICE", allow_negative_numbers = true, value_parser = super::values::amount)]
    pub(crate) stop: Option<f64>,
    /// Size, base currency
    #[arg(long, value_name = "AMOUNT", allow_negative_numbers = true, value_parser = super::values::amount)]
    pub(crate) size: Option<f64>,
    /// Your name of the strategy
    #[arg(long)]
    pub(crate) strategy: Option<String>,
    /// When it was entered; now by default
    #[arg(long, value_name = "TIME")]
    pub(crate) opened_at: Option<String>,
    /// Your own id; made from the other fields by default
    #[arg(long)]
    pub(crate) id: Option<String>,
    /// These numbers are meant: a stop trailed past the entry, an entry far from the market
    #[arg(long)]
    pub(crate) confirm: bool,
}

impl Add {
    /// The same as sent over HTTP.
    pub(crate) fn new_position(&self) -> NewPosition {
        NewPosition {
            symbol: self.symbol.clone(),
            side: self.side.clone(),
            entry: self.entry,
            stop: self.stop,
            size: self.size,
            strategy: self.strategy.clone(),
            opened_at: self.opened_at.clone(),
            id: self.id.clone(),
            confirm: self.confirm,
        }
    }
}
