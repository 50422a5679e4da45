//! Statuses that mean "go away", and for how long.
//!
//! 429: too fast; 418: banned (Binance's word for "you went on after 429"); 403: blocked by the venue's firewall; 451: not
//! available from this place. The same goes for answers to requests and for refused handshakes.

use barograph_domain::Span;
use hyper::HeaderMap;
use hyper::header::{DATE, HeaderName, RETRY_AFTER};
use std::time::SystemTime;

/// Without a `Retry-After`, a pool that answered 429 rests this long: the period of the longest budget of the venues here.
pub(crate) const PAUSE_UNSAID: Span = Span::secs(60);

/// Without a `Retry-After`, a ban is taken to last this long: Binance's shortest (its sheet, section on limits).
pub(crate) const BAN_UNSAID: Span = Span::mins(2);

/// After 403 or 451 nothing will change soon: the venue is asked again, once, after this long.
pub(crate) const FORBIDDEN_UNSAID: Span = Span::mins(15);

/// No pause is believed to be longer than Binance's longest ban.
pub(crate) const PAUSE_MAX: Span = Span::days(3);

/// True for the statuses that stop us.
pub(crate) const fn is_refusal(status: u16) -> bool {
    matches!(status, 403 | 418 | 429 | 451)
}

/// `Retry-After` in seconds. A date (proxies send one; RFC 9110, section 10.2.3) counts from the answer's own `Date`, so that
/// our clock has no say in it; without that it counts as absent.
pub(crate) fn retry_after_s(headers: &HeaderMap) -> Option<u64> {
    let text = |name: HeaderName| Some(headers.get(name)?.to_str().ok()?.trim());
    let date = |text: &str| -> Option<SystemTime> { httpdate::parse_http_date(text).ok() };
    let said = text(RETRY_AFTER)?;
    said.parse().ok().or_else(|| {
        let (until, now) = (date(said)?, date(text(DATE)?)?);
        // One that has passed asks for nothing more.
        Some(until.duration_since(now).map_or(0, |left| left.as_secs()))
    })
}

/// How long to rest: what was asked for, plus a second for the difference of clocks, else `unsaid`.
pub(crate) fn rest(retry_after_s: Option<u64>, unsaid: Span) -> Span {
    let most = PAUSE_MAX.as_secs();
    retry_after_s.map_or(unsaid, |s| Span::secs(i64::try_from(s).unwrap_or(most).min(most - 1) + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_follow_the_header_within_reason() {
        const NOW: &str = "Wed, 21 Oct 2026 07:27:00 GMT";
        let cases = [
            (Some("5"), Some(NOW), Some(5), Span::secs(6)),
            (Some(" 0 "), None, Some(0), Span::secs(1)),
            (Some("Wed, 21 Oct 2026 07:28:30 GMT"), Some(NOW), Some(90), Span::secs(91)),
            (Some("Wednesday, 21-Oct-26 07:28:30 GMT"), Some(NOW), Some(90), Span::secs(91)),
            (Some("Wed Oct 21 07:28:30 2026"), Some(NOW), Some(90), Span::secs(91)),
            (Some("Wed, 21 Oct 2026 07:26:00 GMT"), Some(NOW), Some(0), Span::secs(1)),
            (Some("Thu, 21 Oct 2027 07:28:00 GMT"), Some(NOW), Some(31_536_060), PAUSE_MAX),
            (Some("Wed, 21 Oct 2026 07:28:30 GMT"), None, None, PAUSE_UNSAID),
            (Some("Wed, 21 Oct 2026 07:28:30 GMT"), Some("today"), None, PAUSE_UNSAID),
            (Some("tomorrow"), Some(NOW), None, PAUSE_UNSAID),
            (Some("99999999999999999999"), None, None, PAUSE_UNSAID),
            (Some("18446744073709551615"), None, Some(u64::MAX), PAUSE_MAX),
            (None, Some(NOW), None, PAUSE_UNSAID),
        ];
        for (header, date, seconds, span) in cases {
            let mut headers = HeaderMap::new();
            if let Some(value) = header {
                headers.insert(RETRY_AFTER, value.parse().unwrap());
            }
            if let Some(value) = date {
                headers.insert(DATE, value.parse().unwrap());
            }
            assert_eq!(retry_after_s(&headers), seconds, "{header:?}");
            assert_eq!(rest(seconds, PAUSE_UNSAID), span, "{header:?}");
        }
    }
}
