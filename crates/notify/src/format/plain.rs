//! The event as it is: canonical, or as the fourth original sent it.

use super::{Request, standard};
use barograph_domain::delivery::Message;

/// The canonical event; of what is none (groups, notices about delivery), what the notice says.
pub(super) fn json(message: &Message) -> Request {
    if message.notice.event.is_empty() {
        Request::json(&standard::data(message))
    } else {
        Request { body: message.notice.event.clone().into_bytes(), ..Request::json(&serde_json::Value::Null) }
    }
}

/// The fourth original's envelope; nothing for what it did not know.
pub(super) fn seed4(message: &Message) -> Option<Request> {
    let body = message.notice.seed4.clone().into_bytes();
    (!body.is_empty()).then(|| Request { body, ..Request::json(&serde_json::Value::Null) })
}

#[cfg(test)]
mod tests {
    use crate::format::testing::{bodies, body, group};
    use crate::receiver::Format;
    use crate::testing::{notice, with};
    use barograph_domain::delivery::Phase;

    #[test]
    fn events_go_as_they_are() {
        let n = notice("okx:BTC-USDT", Phase::Firing);
        assert_eq!(bodies(Format::Json, n.clone()).concat(), n.event);
        assert_eq!(bodies(Format::Seed4, n.clone()).concat(), n.seed4);
        assert!(bodies(Format::Seed4, with(&n, |n| n.seed4 = String::new())).is_empty());
        assert_eq!(body(Format::Json, group())["more_members"], 41);
    }
}
