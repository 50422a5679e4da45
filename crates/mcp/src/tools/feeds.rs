//! `feeds`: what can be trusted now.

use super::{Answering, ToolCall, ToolSpec, items, word};
use crate::answer::{RowTable, ToolAnswer};
use crate::args::{ArgKind, Param};
use crate::fault::CallFault;
use crate::keep::ShownParts;
use serde_json::Value;

pub(super) const TOOL: ToolSpec = ToolSpec {
    name: "feeds",
    about: "What can be trusted: each stream with continuity (LIVE, GAP, …), age against its limit, losses; lag of venues. Worst first.",
    params: &[Param::new("venue", ArgKind::Text, ""), Param::new("market", ArgKind::Text, "venue:symbol")],
    has_rows: true,
    run: |call| -> Answering<'_> { Box::pin(run(call)) },
};

/// Streams read where none is lost.
const FEW: &str = "100";
/// What is shown of a stream that is listened to.
const FIELDS: [&str; 9] =
    ["instrument", "metric", "continuity", "age_ms", "reason", "since", "losses", "source", "kind"];
/// Streams read at most.
const MOST: &str = "1000";

async fn run(call: &ToolCall<'_>) -> Result<ToolAnswer, CallFault> {
    if call.as_of.is_some() {
        return stored(call).await;
    }
    let asked = async |limit: &str| {
        let of = [("venue", call.args.text("venue")), ("market", call.args.text("market")), ("limit", Some(limit))];
        let whole = ["ts", "counts", "next_cursor", "venues"].map(|name| (name, ShownParts::All));
        let keep = [whole.as_slice(), &[("items", ShownParts::Fields(&FIELDS))]].concat();
        call.get_now("feeds", &of, ShownParts::Within(&keep)).await
    };
    match asked(FEW).await {
        Ok(found) if call.from > 0 || has_lost(&found["counts"]) => Ok(listened(call, &asked(MOST).await?)),
        Ok(found) => Ok(listened(call, &found)),
        // A process that listens to nothing, or not to this market, says so.
        Err(fault) if fault.kind.ends_with(":not-live") => stored(call).await,
        Err(fault) => Err(fault),
    }
}

/// Is a stream lost, which comes before all that are live?
fn has_lost(counts: &Value) -> bool {
    ["gap", "resync", "stale"].iter().any(|state| counts[*state].as_u64() != Some(0))
}

/// Of a process that listens.
fn listened(call: &ToolCall<'_>, found: &Value) -> ToolAnswer {
    let mut answer = ToolAnswer::default();
    answer.fields(found, &["ts", "counts"]);
    let mut streams: Vec<&Value> = items(found, "items").iter().collect();
    streams.sort_by_key(|stream| word(stream, "continuity") == "LIVE");
    streams.drain(..call.skip.min(streams.len()));
    answer.rows(RowTable::of_first("streams", &FIELDS, &streams, call.most));
    // Behind this page there are as many as are counted.
    let all = found["counts"].as_object().into_iter().flatten().filter_map(|(_, count)| count.as_u64()).sum::<u64>();
    let all = usize::try_from(all).unwrap_or(usize::MAX);
    answer.beyond = streams.len().saturating_sub(call.most);
    if found["next_cursor"].is_string() {
        answer.beyond += all.saturating_sub(items(found, "items").len());
    }
    let venues: Vec<Value> = items(found, "venues")
        .iter()
        .map(|venue| {
            let mut one = venue.clone();
            one["lag_p99_ms"] = venue["lag"]["p99_ms"].clone();
            one["reconnects"] = venue["traffic"]["reconnects"].clone();
            one
        })
        .collect();
    answer.rows(RowTable::of_objects(
        "venues",
        &["venue", "lag_p99_ms", "clock_skew_ms", "reconnects", "last_error"],
        &venues,
    ));
    answer
}

/// Of what is stored: how old each stream was.
async fn stored(call: &ToolCall<'_>) -> Result<ToolAnswer, CallFault> {
    let found = call.get("markets", &[("limit", Some(MOST))]).await?;
    let is_wanted = |market: &&Value| {
        let name = word(market, "instrument");
        let (venue, symbol) = name.split_once(':').unwrap_or(("", name));
        call.args.text("venue").is_none_or(|v| v == venue)
            && call.args.text("market").is_none_or(|m| m == name || m == symbol)
    };
    let wanted: Vec<&Value> = items(&found, "items").iter().filter(is_wanted).collect();
    if wanted.is_empty() {
        let names: Vec<&str> = items(&found, "items").iter().map(|m| word(m, "instrument")).collect();
        return Err(CallFault::new(format!(
            "no such stream is stored; markets: {}",
            names[..names.len().min(5)].join(", ")
        )));
    }
    let mut streams: Vec<Value> = Vec::new();
    for market in wanted {
        for stream in items(market, "streams") {
            let mut one = stream.clone();
            one["instrument"] = market["instrument"].clone();
            one["recorded_until"] = market["recorded_until"].clone();
            let late = stream["age_s"].as_f64().zip(stream["max_age_s"].as_f64());
            one["state"] = match late {
                None => "NO_DATA",
                Some((age, most)) if age > most => "STALE",
                Some(_) => "FRESH",
            }
            .into();
            streams.push(one);
        }
    }
    let place = |stream: &Value| ["NO_DATA", "STALE", "FRESH"].iter().position(|state| stream["state"] == *state);
    streams.sort_by_key(place);
    let mut answer = ToolAnswer::default();
    answer.field("note", "from the store: nothing is live here, or the moment is past");
    answer.field("as_of", call.args.as_of());
    let fields =
        ["instrument", "metric", "state", "age_s", "max_age_s", "newest_event", "source", "kind", "recorded_until"];
    answer.rows(RowTable::of_objects("streams", &fields, &streams[call.skip.min(streams.len())..]));
    Ok(answer)
}
