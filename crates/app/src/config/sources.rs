//! `[[mcp_source]]` tables of the settings file: servers of tools that are listened to as venues (R3.9).

use super::receivers::{Table, filled, unread_in};
use crate::failure::Failure;
use barograph_domain::{Metric, Span, Venue};
use barograph_venues::mcp::{McpCall, McpFact, McpGood, McpSource, SHIPPED, SUFFIX, StampUnit, trades};
use barograph_venues::session::{MarketSpec, venue};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The key of the tables.
pub(super) const KEY: &str = "mcp_source";
/// What a table is called in refusals.
const WHAT: &str = "an mcp_source";

/// A server as it is set.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct SetSource {
    /// Venue id.
    pub(crate) venue: String,
    /// Where it is.
    pub(crate) place: SetPlace,
    /// What is called.
    pub(crate) source: McpSource,
    /// Its markets.
    pub(crate) markets: Vec<MarketSpec>,
}

/// Where a server is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum SetPlace {
    /// A program, with further variables of its environment.
    Program(Vec<String>, Vec<(String, String)>),
    /// An address, with a bearer token.
    Address(String, Option<String>),
}

impl core::fmt::Debug for SetPlace {
    /// Without secrets.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Program(command, _) => write!(f, "{}", command.join(" ")),
            Self::Address(url, _) => f.write_str(url),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceTable {
    venue: String,
    #[serde(default)]
    command: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    url: Option<String>,
    token: Option<String>,
    server: Option<String>,
    markets: Vec<String>,
    symbol: Option<String>,
    #[serde(default)]
    call: Vec<CallTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallTable {
    tool: String,
    #[serde(default)]
    arguments: serde_json::Map<String, serde_json::Value>,
    every: String,
    ok: Option<String>,
    #[serde(default)]
    fact: Vec<FactTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FactTable {
    metric: String,
    #[serde(default)]
    rows: String,
    fields: BTreeMap<String, String>,
    #[serde(default)]
    factors: BTreeMap<String, f64>,
    #[serde(default)]
    stamp: StampUnit,
    #[serde(default)]
    bar_stamp: BarStamp,
    #[serde(default)]
    side_of: SideOf,
}

/// Which end of a bar its stamp is.
#[derive(Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum BarStamp {
    #[default]
    Open,
    Close,
}

/// Whose side a liquidation names.
#[derive(Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SideOf {
    #[default]
    Position,
    Order,
}

/// All sources, checked. `given` reads a variable of the environment.
pub(super) fn all(tables: &[Table], given: impl Fn(&str) -> Option<String> + Copy) -> Result<Vec<SetSource>, Failure> {
    let mut out: Vec<SetSource> = Vec::new();
    for table in tables {
        let at = |why: String| Failure::usage(format!("{}:{}: {why}", table.path.display(), table.line));
        let json = filled(&table.json, given).map_err(at)?;
        let read: SourceTable = serde_json::from_value(json).map_err(|e| at(unread_in(WHAT, &e.to_string())))?;
        let source = read.source().map_err(at)?;
        if out.iter().any(|known| known.venue == source.venue) {
            return Err(at(format!("there is a source '{}' already; ids tell them apart", source.venue)));
        }
        out.push(source);
    }
    Ok(out)
}

impl SourceTable {
    fn source(self) -> Result<SetSource, String> {
        let id = &self.venue;
        let kind = trades(id).filter(|_| Venue::new(id).is_ok() && venue(id).is_none());
        let kind = kind.ok_or_else(|| {
            format!("venue '{id}': give it an id of its own that ends with {SUFFIX}, as in coinex{SUFFIX} or coinex-spot{SUFFIX}")
        })?;
        let place = match (self.command.is_empty(), self.url.clone()) {
            (false, None) => SetPlace::Program(self.command.clone(), self.env.clone().into_iter().collect()),
            (true, Some(url)) if url.starts_with("http://") || url.starts_with("https://") => {
                SetPlace::Address(url, self.token.clone())
            }
            (true, Some(url)) => return Err(format!("{id}: url '{url}' begins with http:// or https://")),
            _ => return Err(format!("{id}: give either `command`, a program and its arguments, or `url`")),
        };
        let source = match (&self.server, self.call.is_empty()) {
            (Some(name), true) => shipped(name).ok_or_else(|| {
                let known: Vec<&str> = SHIPPED.iter().map(|(name, _)| *name).collect();
                format!("{id}: no table of a server '{name}' is shipped; there is {}", known.join(", "))
            })?,
            (None, _) => {
                let calls = self.call.into_iter().map(CallTable::call).collect::<Result<_, _>>();
                McpSource { calls: calls.map_err(|why| format!("{id}: {why}"))?, tools: Vec::new() }
            }
            (Some(_), false) => return Err(format!("{id}: give either `server` or `call` tables")),
        };
        source.check().map_err(|why| format!("{id}: {why}"))?;
        let symbol = self.symbol.as_deref().unwrap_or("{base}{quote}");
        let market = |text: &String| {
            let (base, quote) = text.split_once('/').ok_or_else(|| format!("{id}: market '{text}': write BTC/USDT"))?;
            let name = symbol.replace("{base}", base).replace("{quote}", quote);
            let settle = (kind != barograph_domain::MarketKind::Spot).then(|| quote.to_owned());
            let (base, quote) = (base.to_owned(), quote.to_owned());
            Ok(MarketSpec { base, quote, settle, ..MarketSpec::bare(&name, kind) })
        };
        let markets: Vec<MarketSpec> = self.markets.iter().map(market).collect::<Result<_, String>>()?;
        if markets.is_empty() {
            return Err(format!("{id}: `markets` is empty; name some as BTC/USDT"));
        }
        Ok(SetSource { venue: self.venue, place, source, markets })
    }
}

fn shipped(name: &str) -> Option<McpSource> {
    SHIPPED.iter().find(|(known, _)| *known == name).map(|(_, table)| table())
}

impl CallTable {
    fn call(self) -> Result<McpCall, String> {
        let tool = self.tool;
        let every = Span::parse(&self.every).map_err(|why| format!("{tool}: every: {why}"))?;
        let good = match self.ok.as_deref().map(|text| text.split_once('=')) {
            None => None,
            Some(Some((at, is))) => Some(McpGood { at: at.trim().to_owned(), is: is.trim().to_owned() }),
            Some(None) => return Err(format!("{tool}: `ok` is written as /code=0")),
        };
        let facts: Vec<McpFact> = self
            .fact
            .into_iter()
            .map(FactTable::fact)
            .collect::<Result<_, _>>()
            .map_err(|why| format!("{tool}: {why}"))?;
        let arguments = serde_json::Value::Object(self.arguments).to_string();
        Ok(McpCall { tool, arguments, every, good, facts })
    }
}

impl FactTable {
    fn fact(self) -> Result<McpFact, String> {
        let metric = Metric::from_name(&self.metric).ok_or_else(|| {
            let known: Vec<&str> = Metric::ALL.iter().map(|m| m.name()).collect();
            format!("there is no metric '{}'; there are {}", self.metric, known.join(", "))
        })?;
        Ok(McpFact {
            metric,
            rows: self.rows,
            fields: self.fields.into_iter().collect(),
            factors: self.factors.into_iter().collect(),
            stamp: self.stamp,
            at_close: self.bar_stamp == BarStamp::Close,
            side_of_order: self.side_of == SideOf::Order,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::panic_in_result_fn, reason = "what a source's table gives is the result that is looked at")]
    fn read(text: &str) -> Result<Vec<SetSource>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("barograph.toml");
        std::fs::write(&path, text).unwrap();
        let mut found = Vec::new();
        for (key, line, node) in super::super::file::read(&path).unwrap() {
            assert_eq!(key, KEY);
            found = super::super::receivers::tables(KEY, &path, line, &node).map_err(|e| e.text().unwrap()).unwrap();
        }
        all(&found, |name| (name == "SECRET").then(|| "s3cret".to_owned())).map_err(|e| e.text().unwrap())
    }

    const SHIPPED_ONE: &str = "[[mcp_source]]\nvenue = \"coinex-mcp\"\ncommand = [\"uvx\", \"coinex-mcp-server\"]\nserver = \"coinex\"\nmarkets = [\"BTC/USDT\"]\n";
    const OWN: &str = "[[mcp_source]]\nvenue = \"a-spot-mcp\"\nurl = \"http://127.0.0.1:1/mcp\"\ntoken = \"env:SECRET\"\n\
        markets = [\"BTC/USDT\", \"ETH/USDT\"]\nsymbol = \"{base}-{quote}\"\n[[mcp_source.call]]\ntool = \"t\"\nevery = \"30s\"\n\
        arguments = { market = \"{symbol}\", depth = 5 }\nok = \"/code=0\"\n[[mcp_source.call.fact]]\nmetric = \"bar\"\nrows = \"/data\"\nbar_stamp = \"close\"\nstamp = \"iso\"\n\
        fields = { at = \"/t\", open = \"/o\", high = \"/h\", low = \"/l\", close = \"/c\" }\n";

    #[test]
    fn tables_become_sources() {
        let shipped = read(SHIPPED_ONE).unwrap();
        assert_eq!((shipped[0].markets[0].symbol.as_str(), shipped[0].source.calls.len()), ("BTCUSDT", 8));
        let own = read(OWN).unwrap();
        let symbols: Vec<&str> = own[0].markets.iter().map(|m| m.symbol.as_str()).collect();
        assert_eq!(symbols, ["BTC-USDT", "ETH-USDT"]);
        let call = &own[0].source.calls[0];
        assert_eq!((call.every, call.facts[0].at_close, call.facts[0].stamp), (Span::secs(30), true, StampUnit::Iso));
        assert_eq!(call.arguments, "{\"depth\":5,\"market\":\"{symbol}\"}");
        assert_eq!(own[0].place, SetPlace::Address("http://127.0.0.1:1/mcp".to_owned(), Some("s3cret".to_owned())));
    }

    #[test]
    fn what_the_document_shows_can_be_used() {
        let document = include_str!("../../../../docs/sources.md");
        let shown: Vec<&str> =
            document.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        assert_eq!(shown.len(), 2);
        for text in shown {
            assert_eq!(read(text).map(|all| all.len()), Ok(1), "{text}");
        }
    }

    #[test]
    fn mistakes_are_named_with_their_line_and_without_secrets() {
        for (text, want) in [
            (SHIPPED_ONE.replace("coinex-mcp\"", "coinex\""), "ends with -mcp"),
            (SHIPPED_ONE.replace("server = \"coinex\"", "server = \"kraken\""), "there is coinex"),
            (SHIPPED_ONE.replace("BTC/USDT", "BTCUSDT"), "write BTC/USDT"),
            (SHIPPED_ONE.replace("command", "comand"), "an mcp_source has no key `comand`"),
            (SHIPPED_ONE.replace("command = [\"uvx\", \"coinex-mcp-server\"]", ""), "give either `command`"),
            (format!("{SHIPPED_ONE}{SHIPPED_ONE}"), "there is a source 'coinex-mcp' already"),
            (OWN.replace("http://", "ws://"), "begins with http:// or https://"),
            (OWN.replace("\"30s\"", "\"soon\""), "t: every:"),
            (OWN.replace("/code=0", "0"), "`ok` is written as /code=0"),
            (OWN.replace("\"bar\"", "\"candle\""), "there is no metric 'candle'"),
            (OWN.replace("high = \"/h\", ", ""), "bar needs `high`"),
            (OWN.replace("env:SECRET", "env:NOT_THERE"), "the variable NOT_THERE is not set"),
        ] {
            let why = read(&text).unwrap_err();
            assert!(why.contains(want) && why.contains("barograph.toml:"), "{why}");
            assert!(!why.contains("s3cret"), "{why}");
        }
    }
}
