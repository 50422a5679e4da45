//! The user's own text: `{title}`, `{text}` … are replaced. In a template whose content is JSON, values are escaped for the inside
//! of a string; `{{` and `}}` are braces.

use super::text::words;
use super::{Audience, DeliveryRequest, FormatDef, RequestContext};
use crate::receiver::FormatSettings;
use barograph_domain::delivery::Message;

/// The user's own text.
pub const TEMPLATE: FormatDef = FormatDef {
    name: "template",
    reader: Audience::People,
    render: |message, context| vec![request(message, context)],
    settings: |table| {
        let template = table.template.clone().ok_or("format template needs template = \"…\"")?;
        let content_type = table.content_type.clone().unwrap_or_else(|| "application/json".to_owned());
        Ok(FormatSettings { template, content_type, ..FormatSettings::default() })
    },
    check: |receiver| check(&receiver.settings.template),
    signed: true,
    ..FormatDef::WEBHOOK
};

/// Names that are replaced.
const NAMES: [&str; 20] = [
    "title",
    "text",
    "headline",
    "body",
    "severity",
    "phase",
    "kind",
    "event_type",
    "instrument",
    "venue",
    "symbol",
    "rule",
    "new_entries",
    "open_positions",
    "clears",
    "fired_30d",
    "time",
    "link",
    "id",
    "alert_id",
];

enum Piece<'a> {
    Text(&'a str),
    Name(&'a str),
}

/// The error names the placeholder that is not known.
fn check(text: &str) -> Result<(), String> {
    for piece in pieces(text)? {
        if let Piece::Name(name) = piece
            && !NAMES.contains(&name)
        {
            return Err(format!(
                "template: '{{{name}}}' is no placeholder; write one of {}, or {{{{ for a brace",
                NAMES.join(", ")
            ));
        }
    }
    Ok(())
}

fn pieces(text: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        out.push(Piece::Text(&rest[..at]));
        let doubled = rest[at..].starts_with("{{") || rest[at..].starts_with("}}");
        if doubled {
            out.push(Piece::Text(&rest[at..=at]));
            rest = &rest[at + 2..];
            continue;
        }
        let Some((name, behind)) = rest[at..].strip_prefix('{').and_then(|r| r.split_once('}')) else {
            return Err("template: a single brace; write {{ or }} where a brace is meant".to_owned());
        };
        out.push(Piece::Name(name));
        rest = behind;
    }
    out.push(Piece::Text(rest));
    Ok(out)
}

fn value(name: &str, message: &Message, context: &RequestContext<'_>) -> String {
    let notice = &message.notice;
    let words = words(notice, &context.receiver.dashboard);
    let market = notice.instrument.as_ref();
    match name {
        "title" => words.title,
        "text" => notice.text.clone(),
        "headline" => notice.headline.clone(),
        "body" => words.body(),
        "severity" => notice.severity.name().to_owned(),
        "phase" => notice.phase.name().to_owned(),
        "kind" => notice.kind.name().to_owned(),
        "event_type" => notice.pattern.map_or("", |p| p.name()).to_owned(),
        "instrument" => market.map(ToString::to_string).unwrap_or_default(),
        "venue" => market.map(|i| i.venue.to_string()).unwrap_or_default(),
        "symbol" => notice.symbol.clone(),
        "rule" => notice.rule.clone().unwrap_or_default(),
        "new_entries" => notice.new_entries.clone(),
        "open_positions" => notice.open_positions.clone(),
        "clears" => notice.clears.clone(),
        "fired_30d" => notice.fired_30d.map(|n| n.to_string()).unwrap_or_default(),
        "time" => notice.ts.iso(),
        "link" => words.link.unwrap_or_default(),
        "id" => message.id.clone(),
        "alert_id" => notice.alert_id.clone(),
        _ => String::new(),
    }
}

fn request(message: &Message, context: &RequestContext<'_>) -> DeliveryRequest {
    let FormatSettings { template, content_type, .. } = &context.receiver.settings;
    let is_json = content_type.contains("json");
    let mut body = String::new();
    for piece in pieces(template).unwrap_or_default() {
        match piece {
            Piece::Text(text) => body.push_str(text),
            Piece::Name(name) => {
                let value = value(name, message, context);
                let quoted = serde_json::Value::from(value.as_str()).to_string();
                body.push_str(if is_json { &quoted[1..quoted.len() - 1] } else { &value });
            }
        }
    }
    DeliveryRequest { content_type: content_type.clone(), body: body.into_bytes(), path: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::bodies_with;
    use crate::testing::{notice, with};
    use barograph_domain::delivery::Phase;

    #[test]
    fn placeholders_are_replaced_and_escaped() {
        let n = with(&notice("okx:BTC-USDT", Phase::Firing), |n| n.text = "say \"so\"\nnow".into());
        let render = |text: &str, content_type: &str| {
            let (template, content_type) = (text.into(), content_type.into());
            let settings = FormatSettings { template, content_type, ..FormatSettings::default() };
            bodies_with(&TEMPLATE, settings, n.clone()).remove(0)
        };
        assert_eq!(render("{severity} {symbol}: {text}", "text/plain"), "HIGH BTC/USDT: say \"so\"\nnow");
        let json = render(r#"{{"m":"{text}"}}"#, "application/json");
        assert_eq!(json, r#"{"m":"say \"so\"\nnow"}"#);
        assert!(check("{colour}").unwrap_err().contains("colour") && check("{").is_err() && check("}").is_err());
        for name in NAMES {
            assert_eq!(check(&format!("{{{name}}}")), Ok(()));
        }
        assert!(!render("{link}{body}{id}{clears}{time}", "text/plain").is_empty());
    }
}
