//! One protocol at DefiLlama (onchain §2, `/protocol/{slug}`): its TVL by day, and what a jump of the last day is made of.
//!
//! The total is the one the source adds up itself: `chainTvls` also has parts (`Ethereum-borrowed`, `staking`, `pool2`) that would be
//! counted twice. Of the tokens, which are most of the tens of megabytes, only the last two rows of each chain are kept.

use super::defillama::chart;
use super::{DAY, OnchainBody, Quarantine, json};
use barograph_domain::Ts;
use barograph_domain::thresholds::TVL_JUMP_MIN;
use core::fmt;
use core::marker::PhantomData;
use serde::Deserialize;
use serde::de::{Deserialize as DeserializeTrait, Deserializer, SeqAccess, Visitor};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Quantities that differ by less are the same: interest accrues daily.
const SAME_WITHIN: f64 = 0.01;
/// What is counted besides a chain's own TVL.
const PARTS: [&str; 3] = ["borrowed", "staking", "pool2"];

/// What a jump of a day is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TvlJump {
    /// The same quantities at other prices.
    Price,
    /// A token or a chain came into the count or left it: the adapter was changed.
    Adapter,
    /// Quantities moved: deposits and withdrawals.
    Flows,
    /// The body does not say.
    Unexplained,
}

impl TvlJump {
    /// The word in the tag of the value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Price => "price",
            Self::Adapter => "adapter",
            Self::Flows => "flows",
            Self::Unexplained => "unexplained",
        }
    }
}

/// The last two items of a list, whatever its length.
struct LastTwo<T> {
    before: Option<T>,
    last: Option<T>,
}

impl<T> Default for LastTwo<T> {
    fn default() -> Self {
        Self { before: None, last: None }
    }
}

impl<'de, T: DeserializeTrait<'de>> DeserializeTrait<'de> for LastTwo<T> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Items<T>(PhantomData<T>);
        impl<'de, T: DeserializeTrait<'de>> Visitor<'de> for Items<T> {
            type Value = LastTwo<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut two = LastTwo::default();
                while let Some(item) = list.next_element()? {
                    two.before = two.last.replace(item);
                }
                Ok(two)
            }
        }
        input.deserialize_seq(Items(PhantomData))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProtocolBody {
    tvl: Vec<ProtocolTvl>,
    #[serde(default)]
    chain_tvls: BTreeMap<String, ProtocolChain>,
}

#[derive(Deserialize)]
struct ProtocolTvl {
    date: Value,
    #[serde(rename = "totalLiquidityUSD")]
    usd: f64,
}

#[derive(Deserialize)]
struct ProtocolChain {
    #[serde(default)]
    tokens: Option<LastTwo<TokenRow>>,
}

#[derive(Deserialize)]
struct TokenRow {
    tokens: BTreeMap<String, f64>,
}

/// Quantity by chain and token.
type Quantities = BTreeMap<(String, String), f64>;

/// Total value locked in a protocol, in dollars a day; where the last day moved by [`TVL_JUMP_MIN`] or more, its tag `jump` says by what.
///
/// # Errors
/// Why the body is not used.
pub fn tvl(body: &[u8], recv: Ts) -> Result<OnchainBody, Quarantine> {
    let read: ProtocolBody = json(body)?;
    let mut found = chart(read.tvl.iter().map(|row| (&row.date, row.usd)), "TVL", recv)?;
    if let [.., before, last] = &mut found.points[..]
        && last.event_ts == before.event_ts + DAY
        && has_jumped(before.value, last.value)
    {
        let [then, now] = quantities(read.chain_tvls);
        last.tags.insert("jump", jump(&then, &now).name().to_owned());
    }
    Ok(found)
}

/// Is a move from the one to the other large enough to be looked into?
#[must_use]
pub fn has_jumped(before: f64, last: f64) -> bool {
    before > 0.0 && (last / before - 1.0).abs() >= TVL_JUMP_MIN
}

/// What each chain held in its last row but one, and in its last.
fn quantities(chains: BTreeMap<String, ProtocolChain>) -> [Quantities; 2] {
    let mut both = [Quantities::new(), Quantities::new()];
    let is_part = |chain: &str| PARTS.iter().any(|part| chain == *part || chain.ends_with(&format!("-{part}")));
    for (chain, held) in chains.into_iter().filter(|(chain, _)| !is_part(chain)) {
        let Some(LastTwo { before, last }) = held.tokens else { continue };
        for (into, row) in both.iter_mut().zip([before, last]) {
            let of_chain = row.into_iter().flat_map(|row| row.tokens);
            into.extend(of_chain.map(|(token, quantity)| ((chain.clone(), token), quantity)));
        }
    }
    both
}

fn jump(then: &Quantities, now: &Quantities) -> TvlJump {
    if then.is_empty() || now.is_empty() {
        return TvlJump::Unexplained;
    }
    let names = |of: &Quantities| of.keys().cloned().collect::<BTreeSet<_>>();
    if names(then) != names(now) {
        return TvlJump::Adapter;
    }
    let is_same = |(before, after): (&f64, &f64)| (after - before).abs() <= SAME_WITHIN * before.abs();
    if then.values().zip(now.values()).all(is_same) { TvlJump::Price } else { TvlJump::Flows }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECV: Ts = Ts::from_civil(2026, 11, 19, 3, 30, 0);

    /// Three days of 100, 100 and `last`, with tokens of the last two.
    fn body(last: f64, then: &str, now: &str) -> String {
        let d = Ts::from_civil(2026, 11, 16, 0, 0, 0).as_millis() / 1000;
        let at = |n: i64| d + n * 86_400;
        format!(
            r#"{{"name":"Lender","hallmarks":[[1,"x"]],"raises":[],
                "tvl":[{{"date":{},"totalLiquidityUSD":100}},{{"date":{},"totalLiquidityUSD":100}},{{"date":{},"totalLiquidityUSD":{last}}}],
                "chainTvls":{{"Ethereum":{{"tvl":[],"tokens":[{{"date":1,"tokens":{{"OLD":1}}}},{{"date":2,"tokens":{{{then}}}}},{{"date":3,"tokens":{{{now}}}}}],"tokensInUsd":[]}},
                 "Ethereum-borrowed":{{"tokens":[{{"date":3,"tokens":{{"DAI":5000}}}}]}},"pool2":{{"tokens":[{{"date":3,"tokens":{{"LP":7}}}}]}},"Base":{{}}}}}}"#,
            at(0),
            at(1),
            at(2)
        )
    }

    #[test]
    fn a_jump_is_named_by_its_tokens_and_parts_are_not_counted() {
        let held = r#""WETH":10.0,"USDC":500"#;
        for (last, now, jump) in [
            (140.0, r#""WETH":10.05,"USDC":500"#, Some("price")),
            (140.0, r#""WETH":10.0,"USDC":500,"NEW":3"#, Some("adapter")),
            (60.0, r#""WETH":10.0"#, Some("adapter")),
            (140.0, r#""WETH":14.0,"USDC":700"#, Some("flows")),
            (140.0, "", Some("unexplained")),
            (119.0, r#""WETH":14.0,"USDC":700"#, None),
        ] {
            let read = tvl(body(last, held, now).as_bytes(), RECV).unwrap();
            let point = read.points.last().unwrap();
            assert_eq!((point.value, point.tags.get("jump").map(String::as_str)), (last, jump), "{now}");
            assert!(read.points[..2].iter().all(|p| p.tags.is_empty() && (p.value - 100.0).abs() < 1e-9));
        }
    }

    #[test]
    fn a_changed_shape_is_quarantined() {
        let good = body(100.0, "", "");
        for (bad, why) in [
            (good.replace("totalLiquidityUSD", "usd"), "missing field `totalLiquidityUSD`"),
            (good.replace("\"tvl\":[{\"date\"", "\"tvls\":[{\"date\""), "missing field `tvl`"),
            (good.replace("\"tokens\":[{\"date\":1", "\"tokens\":[7,{\"date\":1"), "not what was expected"),
        ] {
            let refused = tvl(bad.as_bytes(), RECV).unwrap_err().0;
            assert!(refused.contains(why), "{refused}");
        }
    }
}
