//! Tables of servers that are known, by the name of the server.

use super::table::{McpCall, McpFact, McpGood, McpSource, StampUnit};
use barograph_domain::{Metric, Span};

/// A table with the name of its server.
pub type ShippedTable = (&'static str, fn() -> McpSource);

/// Shipped tables.
pub const SHIPPED: [ShippedTable; 1] = [("coinex", coinex)];

/// `coinex-mcp-server` 0.1.0a8 (coinex §5): what its public tools bring of futures. Its liquidation tool is a stub that refuses every
/// call, so that liquidations are not offered; its k-lines have no open interest, which the ticker brings beside them (R3.2).
fn coinex() -> McpSource {
    let market = |more: &str| format!(r#"{{"base": "{{base}}", "quote": "{{quote}}"{more}}}"#);
    let futures = market(r#", "market_type": "futures""#);
    let prices = [
        (Metric::OpenInterest, "/open_interest_volume"),
        (Metric::MarkPrice, "/mark_price"),
        (Metric::IndexPrice, "/index_price"),
    ];
    let ticker = prices.map(|(metric, at)| fact(metric, "/data", &[("value", at), ("market", "/market")]));
    let bar = [
        ("at", "/created_at"),
        ("open", "/open"),
        ("high", "/high"),
        ("low", "/low"),
        ("close", "/close"),
        ("volume", "/volume"),
        ("quote_volume", "/value"),
        ("market", "/market"),
    ];
    let book = [("bids", "/depth/bids"), ("asks", "/depth/asks"), ("at", "/depth/updated_at")];
    let funding = [
        ("rate", "/next_funding_rate"),
        ("last", "/latest_funding_time"),
        ("next", "/next_funding_time"),
        ("market", "/market"),
    ];
    let settled = [("rate", "/actual_funding_rate"), ("at", "/funding_time"), ("market", "/market")];
    let premium = [("value", "/premium_index"), ("at", "/created_at"), ("market", "/market")];
    let kline = market(r#", "market_type": "futures", "period": "1min", "limit": 100"#);
    let depth = market(r#", "market_type": "futures", "limit": 20"#);
    McpSource {
        calls: vec![
            call("get_ticker", &futures, Span::secs(15), ticker.to_vec()),
            call("get_kline", &kline, Span::mins(1), vec![fact(Metric::Bar, "/data", &bar)]),
            call("get_orderbook", &depth, Span::secs(30), vec![fact(Metric::Book, "/data", &book)]),
            call("get_funding_rate", &market(""), Span::mins(1), vec![fact(Metric::FundingRate, "/data", &funding)]),
            call(
                "get_funding_rate_history",
                &market(r#", "limit": 100"#),
                Span::mins(10),
                vec![fact(Metric::FundingRateSettled, "/data", &settled)],
            ),
            call(
                "get_premium_index_history",
                &market(r#", "limit": 100"#),
                Span::mins(1),
                vec![fact(Metric::PremiumIndex, "/data", &premium)],
            ),
            // The basis is computed here, from bars and the index; tiers are rules and no positions. Both stay on record.
            call("get_basis_history", &market(""), Span::hours(1), Vec::new()),
            call("get_margin_tiers", &market(""), Span::days(1), Vec::new()),
        ],
        tools: Vec::new(),
    }
}

fn call(tool: &str, arguments: &str, every: Span, facts: Vec<McpFact>) -> McpCall {
    let good = Some(McpGood { at: "/code".to_owned(), is: "0".to_owned() });
    McpCall { tool: tool.to_owned(), arguments: arguments.to_owned(), every, good, facts }
}

fn fact(metric: Metric, rows: &str, fields: &[(&str, &str)]) -> McpFact {
    McpFact {
        metric,
        rows: rows.to_owned(),
        fields: fields.iter().map(|(name, at)| ((*name).to_owned(), (*at).to_owned())).collect(),
        factors: Vec::new(),
        stamp: StampUnit::Ms,
        at_close: false,
        side_of_order: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_tables_can_be_used() {
        for (name, table) in SHIPPED {
            assert_eq!(table().check(), Ok(()), "{name}");
        }
    }
}
