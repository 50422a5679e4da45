//! The table that makes a server's answers facts: which tool, with which arguments, how often, and where in its answer what stands.

use barograph_domain::{Metric, Span};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A server, as the settings describe it. It is journalled with the session's configuration, so that a replay needs neither.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct McpSource {
    /// What is called.
    pub calls: Vec<McpCall>,
    /// Tools that the server had at the start. A call of another is not made, and its streams are not offered.
    pub tools: Vec<String>,
}

/// One tool, called again and again: for each market where its arguments name one, else once for all.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct McpCall {
    /// Its name.
    pub tool: String,
    /// Its arguments as JSON. `{symbol}`, `{base}` and `{quote}` in a text are those of the market.
    pub arguments: String,
    /// Between two calls.
    pub every: Span,
    /// An answer without it is a refusal.
    pub good: Option<McpGood>,
    /// What it brings. None: it is on record and becomes no stream.
    pub facts: Vec<McpFact>,
}

/// What a good answer has: this text, or a number or word written so, at this place.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct McpGood {
    /// JSON pointer (RFC 6901).
    pub at: String,
    /// What stands there.
    pub is: String,
}

/// Facts of one metric in an answer.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct McpFact {
    /// Of which stream.
    pub metric: Metric,
    /// JSON pointer to the row, or to the list of rows; empty: the whole answer.
    pub rows: String,
    /// Which part of the fact stands where: a JSON pointer within the row. Names as in [`parts`].
    pub fields: Vec<(String, String)>,
    /// Factors of parts that the server counts in another unit.
    pub factors: Vec<(String, f64)>,
    /// What stamps are written in.
    pub stamp: StampUnit,
    /// Bars: the stamp is that of the close; else of the opening.
    pub at_close: bool,
    /// Liquidations: the side is that of the order; else of the position.
    pub side_of_order: bool,
}

/// What a stamp is written in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StampUnit {
    /// Milliseconds since 1970.
    #[default]
    Ms,
    /// Seconds since 1970.
    S,
    /// Microseconds since 1970.
    Us,
    /// RFC 3339.
    Iso,
}

impl McpCall {
    /// Is it made for each market by itself?
    #[must_use]
    pub fn is_of_one_market(&self) -> bool {
        ["{symbol}", "{base}", "{quote}"].iter().any(|name| self.arguments.contains(name))
    }

    /// The address of a request for it.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}{}", super::SCHEME, self.tool)
    }
}

impl McpFact {
    /// Where a part stands.
    pub(super) fn place(&self, part: &str) -> Option<&str> {
        self.fields.iter().find(|(name, _)| name == part).map(|(_, at)| at.as_str())
    }

    /// By what a part is multiplied.
    pub(super) fn factor(&self, part: &str) -> f64 {
        self.factors.iter().find(|(name, _)| name == part).map_or(1.0, |(_, by)| *by)
    }
}

/// Parts of a fact that have to be there, and those that may; `None`: the metric cannot come this way.
#[must_use]
pub const fn parts(metric: Metric) -> Option<(&'static [&'static str], &'static [&'static str])> {
    Some(match metric {
        Metric::Bar => (&["at", "open", "high", "low", "close"], &["volume", "quote_volume", "market"]),
        Metric::BestBidAsk => (&["bid", "ask"], &["at", "market"]),
        Metric::Book => (&["bids", "asks"], &["at", "market"]),
        Metric::FundingRate => (&["rate"], &["at", "next", "last", "interval_h", "market"]),
        Metric::FundingRateSettled => (&["rate", "at"], &["market"]),
        Metric::Liquidation => (&["at", "side", "price", "qty"], &["market"]),
        Metric::MarkPrice
        | Metric::IndexPrice
        | Metric::PremiumIndex
        | Metric::OpenInterest
        | Metric::OpenInterestUsd
        | Metric::TopTraderAccountRatio
        | Metric::TopTraderPositionRatio
        | Metric::LongShortRatio
        | Metric::TakerVolumeRatio => (&["value"], &["at", "market"]),
        // Between two calls trades are missed; the spot leg is a stream of another market.
        Metric::Trade | Metric::SpotPrice => return None,
    })
}

/// No call is made more often.
pub const EVERY_MIN: Span = Span::secs(5);
/// Nor more rarely.
pub const EVERY_MAX: Span = Span::days(1);

impl McpSource {
    /// Is the table one that can be used?
    ///
    /// # Errors
    /// The first thing that cannot be meant, and what may stand there.
    pub fn check(&self) -> Result<(), String> {
        if self.calls.is_empty() {
            return Err("it calls nothing; name a `server` whose table is shipped, or give `call` tables".to_owned());
        }
        self.calls.iter().try_for_each(McpCall::check)
    }
}

impl McpCall {
    fn check(&self) -> Result<(), String> {
        let tool = &self.tool;
        if tool.is_empty() || !tool.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(format!("'{tool}' is no name of a tool"));
        }
        let arguments: Value =
            serde_json::from_str(&self.arguments).map_err(|e| format!("{tool}: its arguments are no JSON: {e}"))?;
        if !arguments.is_object() {
            return Err(format!("{tool}: arguments are a table of names and values"));
        }
        if !(EVERY_MIN..=EVERY_MAX).contains(&self.every) {
            return Err(format!("{tool}: every is {} s; it may be 5 s to a day", self.every.as_secs()));
        }
        if let Some(good) = &self.good {
            pointer(tool, "ok", &good.at)?;
        }
        self.facts.iter().try_for_each(|fact| self.check_fact(fact))
    }

    fn check_fact(&self, fact: &McpFact) -> Result<(), String> {
        let (tool, metric) = (&self.tool, fact.metric.name());
        let Some((needed, optional)) = parts(fact.metric) else {
            return Err(format!("{tool}: {metric} cannot be asked for now and then without holes"));
        };
        pointer(tool, "rows", &fact.rows)?;
        for (name, at) in &fact.fields {
            if !needed.iter().chain(optional).any(|part| part == name) {
                let parts = needed.iter().chain(optional).copied().collect::<Vec<_>>().join(", ");
                return Err(format!("{tool}: {metric} has no part '{name}'; there are {parts}"));
            }
            pointer(tool, name, at)?;
        }
        if let Some(missing) = needed.iter().find(|part| fact.place(part).is_none()) {
            return Err(format!("{tool}: {metric} needs `{missing}`, the place of it in a row"));
        }
        if !self.is_of_one_market() && fact.place("market").is_none() {
            return Err(format!(
                "{tool}: it is called once for all markets, so {metric} needs `market`, the place of the name"
            ));
        }
        match fact.factors.iter().find(|(part, by)| fact.place(part).is_none() || !by.is_finite() || *by == 0.0) {
            Some((part, _)) => Err(format!("{tool}: the factor of '{part}' is of no part of {metric}, or no number")),
            None => Ok(()),
        }
    }
}

fn pointer(tool: &str, name: &str, at: &str) -> Result<(), String> {
    if at.is_empty() || at.starts_with('/') {
        return Ok(());
    }
    Err(format!("{tool}: `{name}` is '{at}'; a place begins with / as in /data/0/last"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(change: impl FnOnce(&mut McpCall)) -> Result<(), String> {
        let mut call = super::super::SHIPPED[0].1().calls.swap_remove(0);
        change(&mut call);
        McpSource { calls: vec![call], tools: Vec::new() }.check()
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_what_can() {
        assert_eq!(source(|_| {}), Ok(()));
        let refused = |change: fn(&mut McpCall), part: &str| {
            let why = source(change).unwrap_err();
            assert!(why.contains(part), "{why}");
        };
        refused(|c| c.tool.clear(), "is no name of a tool");
        refused(|c| c.arguments = "[]".to_owned(), "a table of names");
        refused(|c| c.arguments = "{".to_owned(), "no JSON");
        refused(|c| c.every = Span::secs(1), "5 s to a day");
        refused(|c| c.facts[0].metric = Metric::Trade, "cannot be asked for now and then");
        refused(|c| c.facts[0].fields[0].0 = "worth".to_owned(), "there are value");
        refused(|c| c.facts[0].fields.clear(), "needs `value`");
        refused(|c| c.facts[0].rows = "data".to_owned(), "begins with /");
        let of_all = |c: &mut McpCall| {
            c.arguments = "{}".to_owned();
            c.facts[0].fields.retain(|(part, _)| part != "market");
        };
        refused(of_all, "needs `market`");
        refused(|c| c.facts[0].factors.push(("ask".to_owned(), 2.0)), "factor of 'ask'");
        assert!(McpSource::default().check().unwrap_err().contains("calls nothing"));
    }
}
