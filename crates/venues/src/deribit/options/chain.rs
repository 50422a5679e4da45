//! The summary of all options of a currency (sheet §8): one row an option, of which its volatility and its forward are taken.
//!
//! `mark_iv` is in percent (sheet §5), fractions leave here. What cannot be used is counted by its reason, so that a currency whose
//! options are all without a volatility is seen as that and not as calm.

use super::names::option_name;
use super::{result, underlying};
use crate::deribit::map;
use crate::deribit::wire::Frame;
use crate::session::scan::{elements, object, read_plain};
use barograph_domain::{OptionCurrency, OptionQuote, Ts};

/// A volatility beyond this, as a fraction, is a mistake of whoever wrote it: the largest that was ever marked is near 10.
const IV_MAX: f64 = 50.0;

/// Options that are not used, by their reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Unusable {
    /// Of another underlying: lists in USDC hold several.
    pub of_others: u32,
    /// Their name is none of an option.
    pub unnamed: u32,
    /// Ended before the answer.
    pub expired: u32,
    /// Without a volatility or a forward that could be one.
    pub unmarked: u32,
}

/// All options of one currency at one moment.
#[derive(Clone, PartialEq, Debug)]
pub struct OptionChain {
    /// When the venue answered, by its clock, but not later than the answer came.
    pub at: Ts,
    /// Those that can be used, in the venue's order.
    pub quotes: Vec<OptionQuote>,
    /// The others.
    pub left_out: Unusable,
}

/// The options in an answer that came at `now`.
///
/// # Errors
/// Why it is no such answer.
pub fn chain(body: &[u8], currency: &OptionCurrency, now: Ts) -> Result<OptionChain, String> {
    let mut owned = None;
    let read = read_plain(body, &mut owned, |bytes| Some((Frame::read(bytes)?, core::str::from_utf8(bytes).ok()?)));
    let (rows, sent) = result(read.map(|r| r.0), read.map_or("", |r| r.1))?;
    let mut found =
        OptionChain { at: sent.map_or(now, |t| t.min(now)), quotes: Vec::new(), left_out: Unusable::default() };
    let wanted = underlying(currency);
    elements(rows, |row| {
        let [name, iv, forward] = object(row, ["instrument_name", "mark_iv", "underlying_price"])?;
        found.take(name, iv, forward, &wanted);
        Some(())
    })
    .ok_or("its result is no list of summaries")?;
    Ok(found)
}

impl OptionChain {
    fn take(&mut self, name: &str, iv: &str, forward: &str, wanted: &str) {
        let Some(named) = option_name(name) else { return self.left_out.unnamed += 1 };
        if named.underlying != wanted {
            return self.left_out.of_others += 1;
        }
        if named.expiry <= self.at {
            return self.left_out.expired += 1;
        }
        let percent = map::number(iv).map(|percent| percent / 100.0);
        let iv = percent.filter(|iv| *iv > 0.0 && *iv <= IV_MAX);
        let (Some(iv), Some(forward)) = (iv, map::number(forward).filter(|f| *f > 0.0)) else {
            return self.left_out.unmarked += 1;
        };
        self.quotes.push(OptionQuote { expiry: named.expiry, strike: named.strike, right: named.right, iv, forward });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::OptionRight;

    const NOW: Ts = Ts::from_civil(2026, 11, 20, 12, 0, 0);

    fn of(text: &str) -> OptionCurrency {
        OptionCurrency::parse(text).unwrap()
    }

    fn answer(rows: &str) -> String {
        // 2026-11-20 11:59:59.5, in microseconds.
        format!(
            r#"{{"jsonrpc":"2.0","result":[{rows}],"usIn":1795175999400000,"usOut":1795175999500000,"usDiff":100000,"testnet":false}}"#
        )
    }

    fn row(name: &str, iv: &str, forward: &str) -> String {
        format!(
            r#"{{"volume":12.5,"underlying_price":{forward},"underlying_index":"BTC-25DEC26","quote_currency":"BTC","open_interest":231.4,"mid_price":null,"mark_price":0.0381,"mark_iv":{iv},"last":null,"interest_rate":0.0,"instrument_name":"{name}","creation_timestamp":1795175999450,"bid_price":null,"base_currency":"BTC","ask_price":0.0405}}"#
        )
    }

    #[test]
    fn volatilities_leave_as_fractions_with_their_forward() {
        let body = answer(
            &[row("BTC-25DEC26-100000-C", "43.18", "91812.5"), row("BTC-4DEC26-90000-P", "5.1e1", "91300")].join(","),
        );
        let found = chain(body.as_bytes(), &of("BTC"), NOW).unwrap();
        assert_eq!(found.at, NOW - barograph_domain::Span::millis(500));
        assert_eq!(found.left_out, Unusable::default());
        let [call, put] = found.quotes[..] else { panic!("{found:?}") };
        assert_eq!((call.iv, call.forward, call.strike, call.right), (0.4318, 91_812.5, 100_000.0, OptionRight::Call));
        assert_eq!((put.iv, put.expiry, put.right), (0.51, Ts::from_civil(2026, 12, 4, 8, 0, 0), OptionRight::Put));
        let early = chain(body.as_bytes(), &of("BTC"), NOW - barograph_domain::Span::hours(1)).unwrap();
        assert_eq!(early.at, NOW - barograph_domain::Span::hours(1), "a clock that is ahead of ours");
    }

    #[test]
    fn what_cannot_be_used_is_counted_by_its_reason() {
        type Count = fn(&Unusable) -> u32;
        let cases: [(String, Count); 9] = [
            (row("BTC-CS-25DEC26-100000_110000", "43.1", "91812.5"), |u| u.unnamed),
            (row("BTC-20NOV26-90000-C", "43.1", "91812.5"), |u| u.expired),
            (row("BTC_USDC-25DEC26-90000-C", "43.1", "91812.5"), |u| u.of_others),
            (row("BTC-25DEC26-90000-C", "null", "91812.5"), |u| u.unmarked),
            (row("BTC-25DEC26-90000-C", "0.0", "91812.5"), |u| u.unmarked),
            (row("BTC-25DEC26-90000-C", "-43.1", "91812.5"), |u| u.unmarked),
            (row("BTC-25DEC26-90000-C", "99999", "91812.5"), |u| u.unmarked),
            (row("BTC-25DEC26-90000-C", "43.1", "null"), |u| u.unmarked),
            (row("BTC-25DEC26-90000-C", "43.1", "0"), |u| u.unmarked),
        ];
        for (row, count) in cases {
            let found = chain(answer(&row).as_bytes(), &of("BTC"), NOW).unwrap();
            assert_eq!((found.quotes.len(), count(&found.left_out)), (0, 1), "{row}: {found:?}");
        }
    }

    #[test]
    fn a_list_in_usdc_holds_several_underlyings() {
        let body =
            answer(&[row("SOL_USDC-27NOV26-2d5-P", "80", "2.4"), row("XRP_USDC-27NOV26-2d5-P", "90", "2.4")].join(","));
        let found = chain(body.as_bytes(), &of("SOL"), NOW).unwrap();
        assert_eq!((found.quotes.len(), found.left_out.of_others), (1, 1));
        assert_eq!((found.quotes[0].strike, found.quotes[0].iv), (2.5, 0.8));
    }

    #[test]
    fn what_is_no_answer_is_refused_with_its_reason() {
        let refusal = r#"{"jsonrpc":"2.0","error":{"code":10028,"message":"too_many_requests"},"testnet":false}"#;
        let testnet =
            answer(&row("BTC-25DEC26-90000-C", "43.1", "91812.5")).replace("\"testnet\":false", "\"testnet\":true");
        for (body, why) in [
            ("<html>", "not JSON"),
            (refusal, "too_many_requests"),
            (r#"{"jsonrpc":"2.0","result":{},"testnet":false}"#, "no list"),
            (r#"{"jsonrpc":"2.0","testnet":false}"#, "no result"),
            (testnet.as_str(), "test network"),
        ] {
            let refused = chain(body.as_bytes(), &of("BTC"), NOW).unwrap_err();
            assert!(refused.contains(why), "{body}: {refused}");
        }
        assert_eq!(chain(answer("").as_bytes(), &of("BTC"), NOW).unwrap().quotes, []);
    }

    #[test]
    fn blanks_between_tokens_change_nothing() {
        let body = answer(&row("BTC-25DEC26-100000-C", "43.18", "91812.5"));
        let spaced = body.replace(':', " : ").replace(',', " ,\n ");
        assert_eq!(chain(body.as_bytes(), &of("BTC"), NOW), chain(spaced.as_bytes(), &of("BTC"), NOW));
    }
}
