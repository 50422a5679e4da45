//! Standard Webhooks: `type`, `timestamp` and `data`, at most 20 kB.

use super::{DeliveryRequest, FormatDef, RequestContext};
use barograph_domain::delivery::{Message, MessageKind, Phase};
use serde_json::{Value, json};

/// Signed as the specification has it.
pub const STANDARD: FormatDef = FormatDef {
    name: "standard",
    render: |message, context| vec![request(message, context)],
    check: |receiver| {
        let why = "format standard needs a signing secret, whsec_ and the base64 of 32 bytes";
        if receiver.secrets.is_empty() { Err(why.to_owned()) } else { Ok(()) }
    },
    signed: true,
    ..FormatDef::WEBHOOK
};

/// The specification's limit.
const BYTES_MAX: usize = 20_000;

/// Dotted type of a message.
fn kind(message: &Message) -> String {
    let state = match message.notice.phase {
        Phase::Firing => "fired",
        Phase::Resolved => "resolved",
        Phase::NoData => "no_data",
        Phase::Happened => "happened",
    };
    match message.notice.kind {
        MessageKind::Sample => "sample".to_owned(),
        kind @ (MessageKind::Alert
        | MessageKind::Group
        | MessageKind::Position
        | MessageKind::Watch
        | MessageKind::Delivery) => {
            format!("{}.{state}", kind.name())
        }
    }
}

/// Everything the notice says, with the event as JSON rather than as text.
pub(super) fn data(message: &Message) -> Value {
    let mut data = serde_json::to_value(&message.notice).unwrap_or_default();
    if let Some(fields) = data.as_object_mut() {
        fields.remove("seed4");
        fields.insert("event".to_owned(), serde_json::from_str(&message.notice.event).unwrap_or(Value::Null));
        fields.insert("fingerprint".to_owned(), json!(message.fingerprint));
        for (member, is) in
            fields.get_mut("members").and_then(Value::as_array_mut).into_iter().flatten().zip(&message.notice.members)
        {
            member["status"] = json!(super::alertmanager::status(is.phase));
            member["fingerprint"] = json!(super::fingerprint_of(is));
        }
    }
    data
}

/// Leaves half of the members out, the last ones, and counts them; false where there is none to leave out.
fn fewer_members(data: &mut Value) -> bool {
    let Some(members) = data["members"].as_array_mut().filter(|m| !m.is_empty()) else { return false };
    let left_out = members.split_off(members.len() / 2).len();
    data["more_members"] = json!(data["more_members"].as_u64().unwrap_or(0) + left_out as u64);
    true
}

fn request(message: &Message, context: &RequestContext<'_>) -> DeliveryRequest {
    let notice = &message.notice;
    let mut data = data(message);
    if !context.receiver.dashboard.is_empty() {
        data["url"] = json!(format!("{}{}", context.receiver.dashboard, notice.path));
    }
    let whole = |data: &Value| json!({"type": kind(message), "timestamp": notice.ts.iso(), "data": data});
    let mut request = DeliveryRequest::json(&whole(&data));
    // What is largest goes first; a receiver can ask for the event by its id.
    for step in 0.. {
        if request.body.len() <= BYTES_MAX {
            break;
        }
        match step {
            0 => data["event"] = Value::Null,
            1 => data["figures"] = json!([]),
            2..=9 if fewer_members(&mut data) => {}
            2..=9 => continue,
            _ => {
                let chars = 4_000_usize >> (step - 10).min(12);
                for field in ["text", "title", "new_entries", "open_positions", "clears"] {
                    let cut = super::text::cut(data[field].as_str().unwrap_or_default(), chars);
                    data[field] = json!(cut);
                }
                if chars < 2 {
                    break;
                }
            }
        }
        data["truncated"] = json!(true);
        request = DeliveryRequest::json(&whole(&data));
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::plain::JSON;
    use crate::format::testing::{bodies, body, endless, group};
    use crate::testing::{notice, with};

    #[test]
    fn the_body_is_dotted_complete_and_small() {
        let v = body(&STANDARD, notice("okx:BTC-USDT", Phase::Firing));
        assert_eq!(v["type"], "alert.fired");
        assert_eq!(v["timestamp"], "2026-02-05T14:35:00Z");
        assert_eq!(v["data"]["event"]["event_type"], "FUNDING_ANOMALY");
        assert_eq!(v["data"]["url"], "http://127.0.0.1:8600/m/okx:BTC-USDT?as_of=2026-02-05T14:35:00Z");
        assert!(v["data"].get("seed4").is_none());
        assert_eq!(body(&STANDARD, group())["type"], "group.fired");
        let long = bodies(&STANDARD, endless()).remove(0);
        assert!(long.len() <= 20_000 && long.contains("\"truncated\":true"), "{}", long.len());
    }

    #[test]
    fn members_have_fingerprint_and_status_and_leave_from_the_end() {
        let over = with(&group(), |n| n.members[1].phase = Phase::Resolved);
        let v = body(&STANDARD, over.clone());
        let of = |nth: usize| {
            (v["data"]["members"][nth]["fingerprint"].clone(), v["data"]["members"][nth]["status"].clone())
        };
        assert_eq!(of(0), (json!("0000000000000000"), json!("firing")));
        assert_eq!(of(1), (json!("0000000000000001"), json!("resolved")));
        assert_eq!(body(&JSON, over.clone())["members"][1]["status"], "resolved");
        let many = with(&over, |n| n.members = (0..200).map(|i| n.members[i % 10].clone()).collect());
        let v = body(&STANDARD, many);
        let listed = v["data"]["members"].as_array().unwrap().len() as u64;
        assert!(listed >= 25 && listed + v["data"]["more_members"].as_u64().unwrap() == 241, "{listed}");
    }
}
