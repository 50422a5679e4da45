//! What the status and the headers of an answer mean (onchain §2): a body, nothing new, a rest, or a failure that is tried again.

use barograph_domain::{Span, Ts};

/// A rest whose length the source does not state.
const REST_UNSTATED: Span = Span::mins(5);
/// The longest rest that is kept on a source's word.
const REST_MAX: Span = Span::days(1);
/// A key that is refused, an address that is not there: looked at again in a day.
const REFUSED_FOR: Span = Span::days(1);
/// No billing cycle is longer.
const BILLING: Span = Span::days(31);

/// Who is not asked for a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RestOf {
    /// Every series of the source: it counts requests and keys, not series.
    Source,
    /// The series alone.
    Series,
}

/// A time in which nothing is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceRest {
    /// Until when.
    pub until: Ts,
    /// Why, and what to do about it.
    pub why: String,
    /// Of what.
    pub of: RestOf,
}

/// What follows from an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReplyVerdict {
    /// Its body is read.
    Body,
    /// Nothing has changed since it was asked last.
    Unchanged,
    /// Nothing is asked for a time.
    Rest(SourceRest),
    /// It failed, and is tried again after a pause.
    Failed(String),
}

/// What follows from a status, with the headers `Retry-After` and `x-rate-limit-reset` (both seconds) where it has them.
#[must_use]
pub fn verdict(status: u16, retry_after: Option<&str>, reset: Option<&str>, now: Ts) -> ReplyVerdict {
    let rest = |of, span, why: String| ReplyVerdict::Rest(SourceRest { until: now + span, why, of });
    match status {
        200 => ReplyVerdict::Body,
        304 => ReplyVerdict::Unchanged,
        429 => {
            let stated = [retry_after, reset].into_iter().flatten().find_map(|text| text.trim().parse::<i64>().ok());
            let span = stated.filter(|s| *s >= 0).map_or(REST_UNSTATED, |s| Span::secs(s.clamp(1, REST_MAX.as_secs())));
            rest(RestOf::Source, span, "it was asked too often and wants a rest (429)".to_owned())
        }
        402 => rest(
            RestOf::Source,
            BILLING,
            "the limit of your plan is reached (402): nothing more is asked until the next billing cycle; once it has begun, or the \
             plan was changed, go on with: barograph onchain fetch --resume"
                .to_owned(),
        ),
        // A plan may hold one metric and not another.
        401 | 403 => rest(
            if status == 401 { RestOf::Source } else { RestOf::Series },
            REFUSED_FOR,
            format!("it refuses the key or the plan ({status}); correct the key and go on with: barograph onchain fetch --resume"),
        ),
        400 | 404 | 410 => rest(
            RestOf::Series,
            REFUSED_FOR,
            format!("it knows no such series ({status}); look at how the setting 'onchain' names it"),
        ),
        301 | 302 | 303 | 307 | 308 => {
            rest(RestOf::Series, REFUSED_FOR, format!("it has moved to another address ({status}), where nobody follows"))
        }
        _ => ReplyVerdict::Failed(format!("it answers with status {status}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Ts = Ts::from_civil(2026, 11, 20, 0, 0, 0);

    #[test]
    fn a_rest_is_as_long_as_the_source_states() {
        for (retry_after, reset, secs) in [
            (Some("30"), None, 30),
            (None, Some("45"), 45),
            (Some("Wed, 21 Oct 2026 07:28:00 GMT"), Some("7"), 7),
            (None, None, 300),
            (Some("-5"), None, 300),
            (Some("0"), None, 1),
            (Some("99999999"), None, 86_400),
        ] {
            let ReplyVerdict::Rest(rest) = verdict(429, retry_after, reset, NOW) else { panic!("no rest") };
            assert_eq!(rest.until - NOW, Span::secs(secs), "{retry_after:?} {reset:?}");
            assert!(rest.why.contains("429") && rest.of == RestOf::Source);
        }
    }

    #[test]
    fn each_status_has_one_consequence() {
        assert_eq!(verdict(200, None, None, NOW), ReplyVerdict::Body);
        assert_eq!(verdict(304, None, None, NOW), ReplyVerdict::Unchanged);
        for (status, days, of, words) in [
            (402, 31, RestOf::Source, "billing cycle"),
            (401, 1, RestOf::Source, "refuses the key"),
            (403, 1, RestOf::Series, "refuses the key"),
            (404, 1, RestOf::Series, "knows no such series"),
            (302, 1, RestOf::Series, "moved"),
        ] {
            let ReplyVerdict::Rest(rest) = verdict(status, Some("5"), None, NOW) else { panic!("{status}") };
            assert_eq!((rest.until - NOW, rest.of), (Span::days(days), of), "{status}");
            assert!(rest.why.contains(words), "{}", rest.why);
        }
        for status in [500, 502, 503, 418, 206] {
            assert!(matches!(verdict(status, None, None, NOW), ReplyVerdict::Failed(_)), "{status}");
        }
    }
}
