//! The event as it is: canonical, or as the fourth original sent it.

use super::{DeliveryRequest, FormatDef, standard};
use barograph_domain::Pattern;
use barograph_domain::delivery::{Message, Notice, Phase};
use serde_json::{Value, json};

/// The canonical event, bare.
pub const JSON: FormatDef =
    FormatDef { name: "json", render: |message, _| vec![canonical(message)], signed: true, ..FormatDef::WEBHOOK };

/// The event as the fourth original sent it.
pub const SEED4: FormatDef = FormatDef {
    name: "seed4",
    render: |message, _| seed4(message).into_iter().collect(),
    covers: |notice| !notice.seed4.is_empty(),
    signed: true,
    ..FormatDef::WEBHOOK
};

/// The same for the original's own types, and its envelope for every other. What the original knew goes as it knew it or not at
/// all; its programs may know the weaker type only.
pub const ENVELOPE: FormatDef = FormatDef {
    name: "envelope",
    render: |message, _| vec![envelope(message)],
    covers: |notice| !notice.seed4.is_empty() || !knew_it(notice),
    signed: true,
    hears_weaker: true,
    ..FormatDef::WEBHOOK
};

/// Is this of a type that the fourth original had (R4.28)?
fn knew_it(notice: &Notice) -> bool {
    notice.rule.is_none() && notice.pattern.is_some_and(|p| p.seed4().is_some())
}

/// The canonical event; of what is none (groups, notices about delivery), what the notice says.
fn canonical(message: &Message) -> DeliveryRequest {
    if message.notice.event.is_empty() {
        DeliveryRequest::json(&standard::data(message))
    } else {
        DeliveryRequest { body: message.notice.event.clone().into_bytes(), ..DeliveryRequest::json(&Value::Null) }
    }
}

/// The fourth original's envelope; nothing for what it did not know.
fn seed4(message: &Message) -> Option<DeliveryRequest> {
    let body = message.notice.seed4.clone().into_bytes();
    (!body.is_empty()).then(|| DeliveryRequest { body, ..DeliveryRequest::json(&Value::Null) })
}

/// The fourth original's event where it knew one, else the same envelope of what it did not know: our word for the type, our
/// facts, and for whom it is about.
fn envelope(message: &Message) -> DeliveryRequest {
    seed4(message).unwrap_or_else(|| DeliveryRequest::json(&enveloped(&message.notice)))
}

fn enveloped(notice: &Notice) -> Value {
    let event: Value = serde_json::from_str(&notice.event).unwrap_or_default();
    let mut data = event.get("data").filter(|d| d.is_object()).cloned().unwrap_or_else(|| json!({}));
    if !notice.members.is_empty() {
        data["markets"] = notice.members.iter().map(|m| json!(m.instrument.to_string())).collect();
    }
    let clears = match notice.phase {
        Phase::Happened if !notice.clears.is_empty() => format!(" {}", notice.clears),
        _ => String::new(),
    };
    let mut out = json!({
        "event_type": notice.pattern.map_or_else(|| notice.kind.name().to_uppercase(), |p| p.name().to_owned()),
        "timestamp": notice.ts.iso_millis(),
        "severity": notice.severity.seed4(),
        "title": notice.title,
        "description": format!("{}{clears}", notice.text),
        "source": notice.source,
        "data": data,
    });
    if notice.rule.is_some() {
        out["event_type"] = json!(Pattern::AlertRule.name());
    }
    if !notice.symbol.is_empty() {
        out["symbol"] = json!(notice.symbol);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::{bodies, body, group};
    use crate::testing::{notice, with};

    #[test]
    fn events_go_as_they_are() {
        let n = notice("okx:BTC-USDT", Phase::Firing);
        assert_eq!(bodies(&JSON, n.clone()).concat(), n.event);
        assert_eq!(bodies(&SEED4, n.clone()).concat(), n.seed4);
        assert!(bodies(&SEED4, with(&n, |n| n.seed4 = String::new())).is_empty());
        assert_eq!(body(&JSON, group())["more_members"], 41);
    }

    #[test]
    fn the_envelope_has_words_for_every_type() {
        let n = notice("okx:BTC-USDT", Phase::Firing);
        assert_eq!(bodies(&ENVELOPE, n.clone()).concat(), n.seed4, "what the original knew, as it knew it");
        let told = with(&n, |n| {
            (n.pattern, n.seed4) = (Some(Pattern::DataGap), String::new());
            n.event = r#"{"data":{"streams":["mark price"]}}"#.to_owned();
        });
        let sent = body(&ENVELOPE, told);
        let keys: Vec<&str> = sent.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            ["data", "description", "event_type", "severity", "source", "symbol", "timestamp", "title"],
            "the original's fields and no other"
        );
        assert_eq!((&sent["event_type"], &sent["severity"]), (&"DATA_GAP".into(), &"CRITICAL".into()));
        assert_eq!(sent["data"]["streams"][0], "mark price");
        let several = body(&ENVELOPE, with(&group(), |n| n.seed4 = String::new()));
        assert_eq!(several["data"]["markets"].as_array().unwrap().len(), 10);
    }
}
