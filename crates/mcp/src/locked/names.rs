//! Which markets a session may know of: those that were known at its clock.

use crate::ask;
use crate::fault::CallFault;
use barograph_api::Inside;
use barograph_domain::{InstrumentName, Ts};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Names of markets, whole ones and symbols, and the assets that they are of.
#[derive(Default)]
pub(super) struct KnownNames {
    markets: BTreeSet<String>,
    assets: BTreeSet<String>,
}

impl KnownNames {
    /// Does a market answer to this name? Writing it in other letters, or with a sign between the assets, makes no other market of it.
    pub(super) fn has(&self, name: &str) -> bool {
        self.markets.contains(&plain(name))
    }

    /// Is it the asset of a market?
    pub(super) fn has_asset(&self, name: &str) -> bool {
        self.assets.contains(&plain(name))
    }
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == ':').map(|c| c.to_ascii_lowercase()).collect()
}

/// The markets that were known at a moment.
pub(super) async fn known_at(inside: &Inside, moment: Ts) -> Result<KnownNames, CallFault> {
    let (as_of, mut known, mut cursor) = (moment.iso(), KnownNames::default(), None::<String>);
    loop {
        let parameters = [("as_of", Some(as_of.as_str())), ("limit", Some("1000")), ("cursor", cursor.as_deref())];
        let page = ask::json(inside, &ask::address("/api/v1/markets", &parameters), None).await?;
        for market in page["items"].as_array().into_iter().flatten() {
            let whole = market["instrument"].as_str().unwrap_or_default();
            known.markets.insert(plain(whole));
            known.markets.extend(whole.split_once(':').map(|(_, symbol)| plain(symbol)));
            let pair = InstrumentName::parse(whole).ok().and_then(|name| name.base_quote());
            known.assets.extend(pair.map(|(base, _)| plain(base.as_str())));
        }
        cursor = page["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return Ok(known);
        }
    }
}

/// The markets that are named in the arguments of a call, each with the argument.
pub(super) fn asked(given: &Map<String, Value>) -> Vec<(&'static str, &str)> {
    let one = given.get("market").and_then(Value::as_str).map(|name| ("market", name));
    let listed = given.get("markets").and_then(Value::as_array).into_iter().flatten();
    let held = given.get("holdings").and_then(Value::as_array).into_iter().flatten();
    let all = one.into_iter().chain(listed.filter_map(|name| Some(("markets", name.as_str()?))));
    all.chain(held.filter_map(|one| Some(("holdings", one.get("symbol")?.as_str()?))))
        .filter(|(_, name)| !name.is_empty())
        .collect()
}
