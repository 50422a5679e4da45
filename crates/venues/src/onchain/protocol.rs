//! One protocol at DefiLlama (onchain §2, `/protocol/{slug}`): its TVL by day, and what a jump of its last days is made of.
//!
//! The total is the one the source adds up itself: `chainTvls` also has parts (`Ethereum-borrowed`, `staking`, `pool2`) that would be
//! counted twice. Of the tokens, which are most of the tens of megabytes, only the last three rows of each chain are kept: the running
//! day, the newest that is over, and the one before, whose moves are explained.

use super::defillama::chart;
use super::{DAY, OnchainBody, Quarantine, json, seconds};
use barograph_domain::Ts;
use barograph_domain::thresholds::TVL_JUMP_MIN;
use core::fmt;
use core::marker::PhantomData;
use serde::Deserialize;
use serde::de::{Deserialize as DeserializeTrait, Deserializer, SeqAccess, Visitor};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

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

/// Rows that are kept of each list.
const ROWS_KEPT: usize = 3;

/// The last items of a list, whatever its length.
struct LastRows<T>(VecDeque<T>);

impl<'de, T: DeserializeTrait<'de>> DeserializeTrait<'de> for LastRows<T> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Items<T>(PhantomData<T>);
        impl<'de, T: DeserializeTrait<'de>> Visitor<'de> for Items<T> {
            type Value = LastRows<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut rows = VecDeque::with_capacity(ROWS_KEPT + 1);
                while let Some(item) = list.next_element()? {
                    rows.push_back(item);
                    if rows.len() > ROWS_KEPT {
                        rows.pop_front();
                    }
                }
                Ok(LastRows(rows))
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
    tokens: Option<LastRows<TokenRow>>,
}

#[derive(Deserialize)]
struct TokenRow {
    #[serde(default)]
    date: Value,
    tokens: BTreeMap<String, f64>,
}

/// Quantity by chain and token.
type Quantities = BTreeMap<(String, String), f64>;

/// The tag of a day that moved by [`TVL_JUMP_MIN`] or more: by what.
pub const JUMP_TAG: &str = "jump";

/// Total value locked in a protocol, in dollars a day; where one of the last two days moved a lot, its tag [`JUMP_TAG`] has what it is made of.
///
/// # Errors
/// Why the body is not used.
pub fn tvl(body: &[u8], recv: Ts) -> Result<OnchainBody, Quarantine> {
    let read: ProtocolBody = json(body)?;
    let mut found = chart(read.tvl.iter().map(|row| (&row.date, row.usd)), "TVL", recv)?;
    for at in found.points.len().saturating_sub(2).max(1)..found.points.len() {
        let (before, last) = (&found.points[at - 1], &found.points[at]);
        let moved = before.value.zip(last.value).is_some_and(|(before, last)| has_jumped(before, last));
        if moved && last.event_ts == before.event_ts + DAY {
            let [then, now] = [before.event_ts, last.event_ts].map(|day| quantities(&read.chain_tvls, day, recv));
            found.points[at].tags.insert(JUMP_TAG, jump(&then, &now).name().to_owned());
        }
    }
    Ok(found)
}

/// Is a move from the one to the other large enough to be looked into?
#[must_use]
pub fn has_jumped(before: f64, last: f64) -> bool {
    before > 0.0 && (last / before - 1.0).abs() >= TVL_JUMP_MIN
}

/// What each chain held in its row of a day.
fn quantities(chains: &BTreeMap<String, ProtocolChain>, day: Ts, recv: Ts) -> Quantities {
    let is_part = |chain: &str| PARTS.iter().any(|part| chain == *part || chain.ends_with(&format!("-{part}")));
    let is_of_day = |row: &&TokenRow| seconds(&row.date, recv).is_ok_and(|at| at.floor(DAY) == day);
    let mut held = Quantities::new();
    for (chain, of_chain) in chains.iter().filter(|(chain, _)| !is_part(chain)) {
        let row = of_chain.tokens.iter().flat_map(|rows| &rows.0).rfind(is_of_day);
        let tokens = row.into_iter().flat_map(|row| &row.tokens);
        held.extend(tokens.map(|(token, quantity)| ((chain.clone(), token.clone()), *quantity)));
    }
    held
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

    /// Three days of 100, 100 and `last`, with tokens of each.
    fn body(last: f64, then: &str, now: &str) -> String {
        let d = Ts::from_civil(2026, 11, 16, 0, 0, 0).as_millis() / 1000;
        let at = |n: i64| d + n * 86_400;
        format!(
            r#"{{"name":"Lender","hallmarks":[[1,"x"]],"raises":[],
                "tvl":[{{"date":{0},"totalLiquidityUSD":100}},{{"date":{1},"totalLiquidityUSD":100}},{{"date":{2},"totalLiquidityUSD":{last}}}],
                "chainTvls":{{"Ethereum":{{"tvl":[],"tokens":[{{"date":{0},"tokens":{{"OLD":1}}}},{{"date":{1},"tokens":{{{then}}}}},{{"date":{2},"tokens":{{{now}}}}}],"tokensInUsd":[]}},
                 "Ethereum-borrowed":{{"tokens":[{{"date":{2},"tokens":{{"DAI":5000}}}}]}},"pool2":{{"tokens":[{{"date":{2},"tokens":{{"LP":7}}}}]}},"Base":{{}}}}}}"#,
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
            assert_eq!((point.value, point.tags.get(JUMP_TAG).map(String::as_str)), (Some(last), jump), "{now}");
            assert!(read.points[..2].iter().all(|p| p.tags.is_empty() && p.value == Some(100.0)));
        }
    }

    /// A day is explained while it runs, and when it is over by the rows of its own date.
    #[test]
    fn a_day_that_is_over_keeps_what_its_jump_is_made_of() {
        let (held, more) = (r#""WETH":10.0,"USDC":500"#, r#""WETH":14.0,"USDC":700"#);
        let next = Ts::from_civil(2026, 11, 19, 0, 0, 0).as_millis() / 1000;
        let over = body(140.0, held, more)
            .replace(
                "\"totalLiquidityUSD\":140}]",
                &format!("\"totalLiquidityUSD\":140}},{{\"date\":{next},\"totalLiquidityUSD\":141}}]"),
            )
            .replace("}],\"tokensInUsd\"", &format!("}},{{\"date\":{next},\"tokens\":{{{more}}}}}],\"tokensInUsd\""));
        let read = tvl(over.as_bytes(), RECV).unwrap();
        let jumps: Vec<_> = read.points.iter().map(|p| p.tags.get(JUMP_TAG).map(String::as_str)).collect();
        assert_eq!(jumps, [None, None, Some("flows"), None]);
    }

    #[test]
    fn a_changed_shape_is_quarantined() {
        let good = body(100.0, "", "");
        for (bad, why) in [
            (good.replace("totalLiquidityUSD", "usd"), "missing field `totalLiquidityUSD`"),
            (good.replace("\"tvl\":[{\"date\"", "\"tvls\":[{\"date\""), "missing field `tvl`"),
            (good.replace("\"tokens\":[{\"date\"", "\"tokens\":[7,{\"date\""), "not what was expected"),
        ] {
            let refused = tvl(bad.as_bytes(), RECV).unwrap_err().0;
            assert!(refused.contains(why), "{refused}");
        }
    }
}
