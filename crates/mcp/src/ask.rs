//! Questions to the routes of the server, one address and perhaps a body each.

use crate::fault::CallFault;
use crate::keep::ShownParts;
use barograph_api::Inside;
use bytes::Bytes;
use serde_json::Value;

/// Characters that stand for themselves in a part of a path.
fn is_plain(c: u8) -> bool {
    c.is_ascii_alphanumeric() || b"-._~:".contains(&c)
}

/// A part of a path, whatever is in it.
pub(crate) fn segment(text: &str) -> String {
    let written = |c: u8| if is_plain(c) { char::from(c).to_string() } else { format!("%{c:02X}") };
    text.bytes().map(written).collect()
}

/// An address with its parameters; those that are not given are left out.
pub(crate) fn address(path: &str, parameters: &[(&str, Option<&str>)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// The bytes that a route answers.
pub(crate) async fn bytes(inside: &Inside, address: &str, body: Option<Value>) -> Result<Bytes, CallFault> {
    let body = body.map(|value| Bytes::from(value.to_string()));
    let reply = inside.ask(address, body).await;
    if (200..300).contains(&reply.status) {
        Ok(reply.body)
    } else {
        Err(CallFault::of_route(reply.status, &reply.body))
    }
}

/// What a route answers.
pub(crate) async fn json(inside: &Inside, address: &str, body: Option<Value>) -> Result<Value, CallFault> {
    parts(inside, address, body, ShownParts::All).await
}

/// Parts of what a route answers.
pub(crate) async fn parts(
    inside: &Inside,
    address: &str,
    body: Option<Value>,
    keep: ShownParts<'_>,
) -> Result<Value, CallFault> {
    let found = bytes(inside, address, body).await?;
    keep.read(&found).map_err(|e| CallFault::new(format!("the answer cannot be read: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_asked_for_stays_in_its_place() {
        assert_eq!(segment("binance-usdm:BTCUSDT"), "binance-usdm:BTCUSDT");
        assert_eq!(segment("../events?x=1#é"), "..%2Fevents%3Fx%3D1%23%C3%A9");
        let parameters = [("as_of", Some("2026-02-05T10:00:00+01:00")), ("limit", None), ("text", Some("a&b=c"))];
        assert_eq!(address("/a", &parameters), "/a?as_of=2026-02-05T10%3A00%3A00%2B01%3A00&text=a%26b%3Dc");
        assert_eq!(address("/a", &[("limit", None)]), "/a");
    }
}
