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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
