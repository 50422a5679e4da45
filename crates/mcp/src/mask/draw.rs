//! What a mask is made of, from its seed: the order of markets, factors, weeks.

use super::names::is_word;
use crate::ask;
use crate::locked::digest;
use barograph_api::Inside;
use barograph_api::agent_sessions::MaskBasis;
use barograph_domain::random::SplitMix;
use barograph_domain::{Span, Ts};

/// Weeks that everything is shifted by, at least and fewer than: ten to thirty years on, which nobody remembers.
const WEEKS: (u64, u64) = (522, 1_566);
/// Factors are from this to that, or one over it: one near 1 would hide nothing.
const FACTORS: (f64, f64) = (1.7, 30.0);
/// Digits of a seed that is drawn from words: 52 bits.
const SEED_DIGITS: usize = 13;
/// Digits of an id that are hidden each in its own way.
const STREAM: usize = 36;
/// Markets read at most, as the tool that lists them does.
const MOST: &str = "1000";

/// What the numbers of a market are multiplied by.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Factors {
    pub(super) price: f64,
    /// Amounts of money: open interest, volume.
    pub(super) money: f64,
}

impl Factors {
    pub(super) fn draw(seed: u64, market: &str) -> Self {
        let mut random = SplitMix::new(seed_of(&format!("{seed}\n{market}")));
        Self { price: factor(&mut random), money: factor(&mut random) }
    }
}

fn factor(random: &mut SplitMix) -> f64 {
    let (least, most) = (FACTORS.0.ln(), FACTORS.1.ln());
    let size = (least + (most - least) * random.unit()).exp();
    if random.below(2) == 0 { size } else { 1.0 / size }
}

/// A seed from words, below 2^52.
#[must_use]
pub fn seed_of(words: &str) -> u64 {
    let hex: String = digest(words.as_bytes()).chars().take(SEED_DIGITS).collect();
    u64::from_str_radix(&hex, 16).unwrap_or_default()
}

pub(super) fn shift(seed: u64) -> Span {
    let mut random = SplitMix::new(seed_of(&format!("{seed}\nweeks")));
    let weeks = WEEKS.0 + random.below(WEEKS.1 - WEEKS.0);
    Span::days(7 * i64::try_from(weeks).unwrap_or_default())
}

pub(super) fn stream(seed: u64) -> Vec<u8> {
    let mut random = SplitMix::new(seed_of(&format!("{seed}\nids")));
    (0..STREAM).map(|_| u8::try_from(random.below(16)).unwrap_or_default()).collect()
}

/// What the mask of a session is made of: the markets that are stored at its end, in an order that their names do not show. One whose
/// asset is called as a word of answers is left out, and with it all that is known of it.
///
/// # Errors
/// In plain words: the markets cannot be read.
pub async fn mask_basis(inside: &Inside, seed: u64, until: Ts) -> Result<MaskBasis, String> {
    let until = until.iso();
    let address = ask::address("/api/v1/markets", &[("as_of", Some(&until)), ("limit", Some(MOST))]);
    let found = ask::json(inside, &address, None).await.map_err(|fault| fault.sentence)?;
    let listed = found["items"].as_array().into_iter().flatten();
    let named = listed.filter_map(|m| m["instrument"].as_str()).filter(|market| !is_word(market));
    let mut markets: Vec<String> = named.map(str::to_owned).collect();
    markets.sort_unstable();
    let mut random = SplitMix::new(seed_of(&format!("{seed}\nmarkets")));
    for last in (1..markets.len()).rev() {
        let other = usize::try_from(random.below(last as u64 + 1)).unwrap_or_default();
        markets.swap(last, other);
    }
    Ok(MaskBasis { seed, markets })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_everything_and_no_factor_is_near_one() {
        for seed in 0..200 {
            let factors = Factors::draw(seed, "binance-usdm:BTCUSDT");
            assert_eq!(factors, Factors::draw(seed, "binance-usdm:BTCUSDT"));
            assert!([factors.price, factors.money].iter().all(|f| f.ln().abs() >= 0.5 && f.ln().abs() < 3.5));
            let shift = shift(seed);
            assert!(shift.as_secs() % (7 * 86_400) == 0 && shift > Span::days(3_600), "{shift:?}");
        }
        assert_ne!(Factors::draw(1, "a:A"), Factors::draw(2, "a:A"));
        assert_ne!(Factors::draw(1, "a:A"), Factors::draw(1, "a:B"));
    }
}
