//! What is asked of a later moment is refused; what is asked of none is asked of the clock's.

use super::MOMENTS;
use crate::args::AS_OF;
use crate::fault::CallFault;
use barograph_domain::{Span, Ts};
use serde_json::{Map, Value};

/// How far before the clock may be asked about: nothing is stored of earlier years, and a moment that a mask shifts stays one.
const BACK: Span = Span::days(20 * 366);

/// Arguments of a call, none of whose moments is later than the clock, and each written in the one way that every route reads.
pub(super) fn held(mut given: Map<String, Value>, clock: Ts) -> Result<Map<String, Value>, CallFault> {
    for name in MOMENTS {
        let Some(value) = given.get_mut(name).filter(|value| !value.is_null()) else { continue };
        // What is no text is refused by the tool.
        let Some(text) = value.as_str() else { continue };
        let moment = Ts::parse(text).map_err(|why| CallFault::new(format!("{name}: {why}")))?;
        if moment > clock {
            let why = format!(
                "{name}: {moment} is later than the clock of this session, {clock}; ask for a moment up to it, or advance"
            );
            return Err(CallFault::new(why));
        }
        if moment < Ts(clock.0.saturating_sub(BACK.0)) {
            let why =
                format!("{name}: {moment} is more than 20 years before the clock of this session; ask for a later one");
            return Err(CallFault::new(why));
        }
        *value = moment.iso().into();
    }
    let is_missing = given.get(AS_OF.name).is_none_or(|value| value.is_null() || value == "");
    if is_missing {
        given.insert(AS_OF.name.to_owned(), clock.iso().into());
    }
    Ok(given)
}

/// A fault without what it would show of later moments: when a market begins, say.
pub(super) fn faded(fault: CallFault, clock: Ts) -> CallFault {
    if moments(&fault.sentence).any(|moment| moment > clock) {
        return CallFault::new("nothing that was known at the clock of this session answers that");
    }
    fault
}

/// The moments in a text, as they are written everywhere: 2026-02-05T12:00, with seconds or without.
fn moments(text: &str) -> impl Iterator<Item = Ts> {
    let digits = |part: &str, at: &[usize]| at.iter().all(|at| part.as_bytes()[*at].is_ascii_digit());
    text.match_indices('T').filter_map(move |(at, _)| {
        let part = text.get(at.checked_sub(10)?..at + 6)?;
        let is_moment = digits(part, &[0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15]);
        let seconds = text.get(at + 6..at + 9).filter(|rest| rest.starts_with(':')).unwrap_or(":00");
        is_moment.then(|| Ts::parse(&format!("{part}{seconds}Z")).ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_fault_shows_no_later_moment() {
        let clock = Ts::parse("2026-02-05T12:00:00Z").unwrap();
        for (sentence, is_shown) in [
            ("BTCUSDT had no snapshot at 2026-02-05T12:00:00Z; its first was known at 2026-02-07T00:01:00.200Z", false),
            ("minutes begin at 2026-02-05T12:00:01Z", false),
            ("minutes begin at 2026-02-05T12:01Z; correct from", false),
            ("nothing is stored from 2026-02-04T00:00:00Z to 2026-02-05T12:00:00Z", true),
            ("THE T IS NO MOMENT", true),
        ] {
            let faded = faded(CallFault::new(sentence), clock);
            assert_eq!(faded.sentence == sentence, is_shown, "{sentence}: {}", faded.sentence);
            assert!(is_shown || moments(&faded.sentence).next().is_none());
        }
    }

    #[test]
    fn nothing_later_than_the_clock_is_asked_for() {
        let clock = Ts::parse("2026-02-05T12:00:00Z").unwrap();
        let of = |given: Value| held(given.as_object().unwrap().clone(), clock).map(Value::Object);
        assert_eq!(of(json!({})).unwrap(), json!({"as_of": "2026-02-05T12:00:00Z"}));
        assert_eq!(of(json!({"as_of": null, "from": null})).unwrap()["as_of"], "2026-02-05T12:00:00Z");
        assert_eq!(of(json!({"as_of": "2026-02-05T12:30:00+01:00"})).unwrap()["as_of"], "2026-02-05T11:30:00Z");
        for given in [
            json!({"as_of": "2026-02-05T12:00:01Z"}),
            json!({"as_of": "2026-02-05T11:30:00-01:00"}),
            json!({"as_of": "1770292801000"}),
            json!({"to": "2026-02-06"}),
            json!({"from": "2026-03-01", "to": "2026-02-01"}),
        ] {
            let refused = of(given.clone()).unwrap_err().sentence;
            assert!(refused.contains("is later than the clock"), "{given}: {refused}");
        }
        for given in
            [json!({"as_of": "1678-01-01"}), json!({"from": "1970-01-01"}), json!({"to": "1999-12-31T23:59:59Z"})]
        {
            let refused = of(given.clone()).unwrap_err().sentence;
            assert!(refused.contains("is more than 20 years before the clock"), "{given}: {refused}");
        }
        assert!(of(json!({"from": "2011-01-01"})).is_ok());
        assert!(of(json!({"as_of": "tomorrow"})).unwrap_err().sentence.contains("is not a time"));
    }
}
