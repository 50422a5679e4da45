//! `non_mm_trades` of the venue's historical data: fills of accounts that make no market, one row for each account's half of a trade.
//!
//! Columns `time,user,coin,side,px,sz,crossed`, found by name; `side` is `Bid` where the account bought, `crossed` is true where it took,
//! stamps are whole seconds. Evidence: the set of 2023-02-27 to 2023-05-02. Rows name accounts: nothing here prints or keeps a cell, and
//! a fault of a row is named by its column alone (surveillance §10).

use barograph_domain::{Side, Ts};
use core::fmt;

/// Longest name of a coin.
const COIN_MAX: usize = 24;
const NAMES: [&str; 7] = ["time", "user", "coin", "side", "px", "sz", "crossed"];

/// Where each column is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FillColumns([usize; NAMES.len()]);

/// One account's half of a trade. It has no `Debug`: the account is an address.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "an address must not be printed by accident")]
pub struct FillRow<'a> {
    /// When, by the venue's clock.
    pub at: Ts,
    /// The account's address, as written.
    pub user: &'a str,
    /// The market by its name on the venue.
    pub coin: &'a str,
    /// What the account did: `Long` bought.
    pub side: Side,
    /// Price in quote.
    pub price: f64,
    /// Decimals that the price is written with.
    pub decimals: u8,
    /// Base quantity.
    pub qty: f64,
    /// The account took.
    pub took: bool,
}

/// What is wrong with a row; its text names a column and never holds a cell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum FillFault {
    /// Fewer cells than the header has.
    Short,
    /// No time of ISO 8601.
    Time,
    /// No account.
    User,
    /// No name of a coin.
    Coin,
    /// Neither `Bid` nor `Ask`.
    Side,
    /// No price above 0.
    Price,
    /// No size above 0.
    Size,
    /// Neither `true` nor `false`.
    Crossed,
}

impl fmt::Display for FillFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Short => "fewer cells than the header",
            Self::Time => "'time' is no moment as 2023-02-27T15:02:26Z is",
            Self::User => "'user' names no account",
            Self::Coin => "'coin' names no market",
            Self::Side => "'side' is neither Bid nor Ask",
            Self::Price => "'px' is no price above 0",
            Self::Size => "'sz' is no size above 0",
            Self::Crossed => "'crossed' is neither true nor false",
        })
    }
}

impl FillColumns {
    /// Finds the columns in a header.
    ///
    /// # Errors
    /// The name of the first column that is not there.
    pub fn of(header: &str) -> Result<Self, &'static str> {
        let mut places = [0; NAMES.len()];
        for (name, place) in NAMES.into_iter().zip(&mut places) {
            *place = cells(header).position(|cell| cell.eq_ignore_ascii_case(name)).ok_or(name)?;
        }
        Ok(Self(places))
    }

    /// Reads a row.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read<'a>(&self, line: &'a str) -> Result<FillRow<'a>, FillFault> {
        let cell = |column: usize| cells(line).nth(self.0[column]).ok_or(FillFault::Short);
        let at = Ts::parse(cell(0)?).map_err(|_reason_holds_the_cell| FillFault::Time)?;
        let user = Some(cell(1)?).filter(|user| !user.is_empty()).ok_or(FillFault::User)?;
        let coin = Some(cell(2)?).filter(|coin| is_coin(coin)).ok_or(FillFault::Coin)?;
        let side = match cell(3)? {
            "Bid" => Side::Long,
            "Ask" => Side::Short,
            _ => return Err(FillFault::Side),
        };
        let above_zero = |text: &str| crate::number::decimal(text.as_bytes()).filter(|n| n.is_finite() && *n > 0.0);
        let written = cell(4)?;
        let price = above_zero(written).ok_or(FillFault::Price)?;
        let fraction = written.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let decimals = u8::try_from(fraction).ok().filter(|d| *d <= 12).ok_or(FillFault::Price)?;
        let qty = above_zero(cell(5)?).ok_or(FillFault::Size)?;
        let took = match cell(6)? {
            "true" => true,
            "false" => false,
            _ => return Err(FillFault::Crossed),
        };
        Ok(FillRow { at, user, coin, side, price, decimals, qty, took })
    }
}

fn cells(line: &str) -> impl Iterator<Item = &str> {
    line.split(',').map(|cell| cell.trim().trim_matches('"'))
}

/// A name that may be shown: no address.
fn is_coin(text: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '@' | '/' | ':' | '_' | '-');
    (1..=COIN_MAX).contains(&text.len()) && text.chars().all(is_letter) && !text.to_ascii_lowercase().contains("0x")
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: &str = "0x00000000000000000000000000000000000000aa";

    #[test]
    fn a_row_is_read_by_the_names_of_its_columns() {
        let columns = FillColumns::of("side,user,time,coin,px,sz,crossed").unwrap();
        let line = format!("Ask,{USER},2023-02-27T15:02:26Z,ETH,1655.5,0.0452,true");
        let row = columns.read(&line).unwrap_or_else(|fault| panic!("{fault}"));
        assert_eq!((row.coin, row.side, row.took, row.decimals), ("ETH", Side::Short, true, 1));
        assert_eq!((row.price, row.qty, row.at), (1_655.5, 0.0452, Ts::from_secs(1_677_510_146)));
        assert!(row.user == USER);
        assert_eq!(FillColumns::of("time,user,coin,side,px,crossed"), Err("sz"));
    }

    #[test]
    fn a_fault_is_named_without_a_cell() {
        let columns = FillColumns::of("time,user,coin,side,px,sz,crossed").unwrap();
        let (time, user) = ("2023-02-27T15:02:26Z", USER);
        for (line, want) in [
            (format!("{time},{user},ETH,Bid,1,1"), FillFault::Short),
            (format!("{user},{user},ETH,Bid,1,1,true"), FillFault::Time),
            (format!("{time},,ETH,Bid,1,1,true"), FillFault::User),
            (format!("{time},{user},{user},Bid,1,1,true"), FillFault::Coin),
            (format!("{time},{user},0xabc,Bid,1,1,true"), FillFault::Coin),
            (format!("{time},{user},ETH,{user},1,1,true"), FillFault::Side),
            (format!("{time},{user},ETH,Bid,{user},1,true"), FillFault::Price),
            (format!("{time},{user},ETH,Bid,0,1,true"), FillFault::Price),
            (format!("{time},{user},ETH,Bid,1,-1,true"), FillFault::Size),
            (format!("{time},{user},ETH,Bid,1,1,{user}"), FillFault::Crossed),
        ] {
            let fault = columns.read(&line).map(|_| ()).unwrap_err();
            assert_eq!(fault, want, "{line}");
            assert!(!fault.to_string().contains("0x"), "{fault}");
        }
    }
}
