//! What an option is called (sheet §4): `BTC-27DEC26-100000-C`, `XRP_USDC-4DEC26-2d5-P`.
//!
//! The day has one digit or two, decimals of a strike stand behind a lower-case `d`, and names are never brought into another case. A
//! combination (`BTC-CS-27DEC26-…`) and a dated contract are no options.

use crate::number;
use barograph_domain::{OptionRight, Ts};

/// Options end at this hour, UTC (sheet §4).
const EXPIRY_HOUR: i64 = 8;
const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/// What a name states.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct OptionName<'a> {
    /// `BTC`, or `XRP_USDC` where it settles in USDC.
    pub underlying: &'a str,
    /// When it ends.
    pub expiry: Ts,
    /// In the currency of the index; above zero.
    pub strike: f64,
    /// Call or put.
    pub right: OptionRight,
}

/// What the name states; `None` where it is none of an option.
#[must_use]
pub fn option_name(text: &str) -> Option<OptionName<'_>> {
    let mut parts = text.split('-');
    let [underlying, day, strike, right] = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
    let right = match right {
        "C" => OptionRight::Call,
        "P" => OptionRight::Put,
        _ => return None,
    };
    if parts.next().is_some() || underlying.is_empty() {
        return None;
    }
    Some(OptionName { underlying, expiry: expiry(day)?, strike: price(strike)?, right })
}

/// `27DEC26`, `4DEC26`.
fn expiry(text: &str) -> Option<Ts> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if !(1..=2).contains(&digits) || text.len() != digits + 5 || !text.is_ascii() {
        return None;
    }
    let day = text[..digits].parse().ok()?;
    let month = MONTHS.iter().position(|m| *m == &text[digits..digits + 3])?;
    let year = &text[digits + 3..];
    let year: i64 = year.parse().ok().filter(|_| year.bytes().all(|c| c.is_ascii_digit()))?;
    let (year, month) = (2_000 + year, i64::try_from(month).ok()? + 1);
    let at = Ts::from_civil(year, month, day, EXPIRY_HOUR, 0, 0);
    // 31 February would be a day of March.
    let (y, m, d, ..) = at.civil();
    ((y, m, d) == (year, month, day)).then_some(at)
}

/// `100000`, `2d5`.
fn price(text: &str) -> Option<f64> {
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit());
    let written = match text.split_once('d') {
        Some((whole, rest)) if plain(whole) && plain(rest) => format!("{whole}.{rest}"),
        None if plain(text) => text.to_owned(),
        _ => return None,
    };
    number::decimal(written.as_bytes()).filter(|strike| *strike > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use OptionRight::{Call, Put};

    #[test]
    fn names_state_underlying_expiry_strike_and_right() {
        let at = |y, m, d| Ts::from_civil(y, m, d, 8, 0, 0);
        for (text, underlying, expiry, strike, right) in [
            ("BTC-27DEC26-100000-C", "BTC", at(2026, 12, 27), 100_000.0, Call),
            ("ETH-4DEC26-3250-P", "ETH", at(2026, 12, 4), 3_250.0, Put),
            ("XRP_USDC-27NOV26-2d5-P", "XRP_USDC", at(2026, 11, 27), 2.5, Put),
            ("SOL_USDC-1JAN27-0d625-C", "SOL_USDC", at(2027, 1, 1), 0.625, Call),
            ("BTC-29FEB28-90000-C", "BTC", at(2028, 2, 29), 90_000.0, Call),
        ] {
            assert_eq!(option_name(text), Some(OptionName { underlying, expiry, strike, right }), "{text}");
        }
    }

    #[test]
    fn checklist_11_a_strike_keeps_its_case_and_what_is_no_option_is_none() {
        for text in [
            "",
            "BTC-PERPETUAL",
            "BTC-26MAR27",
            "BTC-CS-27DEC26-100000_110000",
            "BTC-27DEC26-100000-c",
            "btc-27dec26-100000-C",
            "XRP_USDC-27NOV26-2D5-P",
            "XRP_USDC-27NOV26-2d-P",
            "XRP_USDC-27NOV26-d5-P",
            "XRP_USDC-27NOV26-2d5d1-P",
            "BTC-31FEB27-100000-C",
            "BTC-0DEC26-100000-C",
            "BTC-127DEC26-100000-C",
            "BTC-27DEZ26-100000-C",
            "BTC-27DEC2026-100000-C",
            "BTC-27DEC+6-100000-C",
            "BTC-27DEC26-0-C",
            "BTC-27DEC26--1-C",
            "BTC-27DEC26-1e5-C",
            "BTC-27DEC26-100000-C-X",
            "-27DEC26-100000-C",
            "BTC-2ÄDEC6-100000-C",
        ] {
            assert_eq!(option_name(text), None, "{text}");
        }
    }
}
