//! Bars of the volatility index (sheet §8 and §9), of which the close of each closed bar is taken: the index at that moment.
//!
//! The index is in percent points, fractions leave here. Answers come newest window first; [`DvolBars::before`] is where the next one ends.

use super::result;
use crate::deribit::map;
use crate::deribit::wire::Frame;
use crate::session::scan::{elements, list, object, read_plain};
use crate::session::wire::Millis;
use barograph_domain::{Span, Ts};

/// An index beyond this, as a fraction, is a mistake of whoever wrote it: the largest that was ever published is below 3.
const INDEX_MAX: f64 = 50.0;

/// Length of a bar.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DvolStep {
    /// For the present.
    Minute,
    /// For history: 1,000 of them are six weeks.
    Hour,
}

impl DvolStep {
    /// Its length.
    #[must_use]
    pub const fn span(self) -> Span {
        match self {
            Self::Minute => Span::mins(1),
            Self::Hour => Span::hours(1),
        }
    }
}

/// What an answer holds.
#[derive(Clone, PartialEq, Debug)]
pub struct DvolBars {
    /// The index at the close of each closed bar, ascending, as a fraction.
    pub closes: Vec<(Ts, f64)>,
    /// Where the next answer ends that goes on into the past; `None` where there is no more.
    pub before: Option<Ts>,
}

/// The bars in an answer that came at `now`; the one that runs is left out.
///
/// # Errors
/// Why it is no such answer.
pub fn dvol(body: &[u8], step: DvolStep, now: Ts) -> Result<DvolBars, String> {
    let mut owned = None;
    let read = read_plain(body, &mut owned, |bytes| Some((Frame::read(bytes)?, core::str::from_utf8(bytes).ok()?)));
    let (found, sent) = result(read.map(|r| r.0), read.map_or("", |r| r.1))?;
    let upto = sent.map_or(now, |t| t.min(now));
    let [data, continuation] = object(found, ["data", "continuation"]).ok_or("its result is no object")?;
    let mut closes = Vec::new();
    elements(data, |bar| {
        let bar = list(bar)?;
        let [start, .., close] = bar[..] else { return None };
        let start = Millis::of(start).ts().filter(|t| bar.len() == 5 && t.floor(step.span()) == *t)?;
        let close = map::number(close).map(|percent| percent / 100.0).filter(|v| *v > 0.0 && *v <= INDEX_MAX)?;
        let at = start + step.span();
        closes.extend((at <= upto).then_some((at, close)));
        Some(())
    })
    .ok_or("its data is no list of bars (start, open, high, low, close)")?;
    closes.sort_by_key(|(at, _)| *at);
    closes.dedup_by_key(|(at, _)| *at);
    Ok(DvolBars { closes, before: Millis::of(continuation).ts() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Ts = Ts::from_civil(2026, 11, 20, 12, 0, 0);

    fn body(data: &str, continuation: &str) -> String {
        format!(
            r#"{{"jsonrpc":"2.0","result":{{"data":[{data}],"continuation":{continuation}}},"usIn":1,"usOut":{},"testnet":false}}"#,
            (NOON + Span::secs(30)).as_millis() * 1_000
        )
    }

    fn bar(start: Ts, close: &str) -> String {
        format!("[{},43.0,43.9,42.8,{close}]", start.as_millis())
    }

    #[test]
    fn checklist_12_percent_points_become_fractions_at_the_close_of_closed_bars() {
        let minutes = [bar(NOON - Span::mins(1), "43.18"), bar(NOON - Span::mins(2), "43"), bar(NOON, "44.1")];
        let read = dvol(body(&minutes.join(","), "null").as_bytes(), DvolStep::Minute, NOON + Span::mins(5)).unwrap();
        assert_eq!(read.closes, [(NOON - Span::mins(1), 0.43), (NOON, 0.4318)], "the bar that runs is left out");
        assert_eq!(read.before, None);
        let hours = [bar(NOON - Span::hours(1), "43.18"), bar(NOON, "50.0")];
        let more = (NOON - Span::days(41)).as_millis().to_string();
        let read = dvol(body(&hours.join(","), &more).as_bytes(), DvolStep::Hour, NOON + Span::mins(5)).unwrap();
        assert_eq!(read.closes, [(NOON, 0.4318)]);
        assert_eq!(read.before, Some(NOON - Span::days(41)));
    }

    #[test]
    fn what_is_no_bar_refuses_the_answer() {
        for (data, why) in [
            ("[1795176000000,1,2,3]".to_owned(), "no list of bars"),
            (format!("[{},43,43,43,null]", NOON.as_millis()), "no list of bars"),
            (bar(NOON, "-1"), "no list of bars"),
            (bar(NOON, "99999"), "no list of bars"),
            (bar(NOON + Span::secs(1), "43"), "no list of bars"),
            ("7".to_owned(), "no list of bars"),
        ] {
            let refused = dvol(body(&data, "null").as_bytes(), DvolStep::Minute, NOON + Span::hours(1)).unwrap_err();
            assert!(refused.contains(why), "{data}: {refused}");
        }
        assert_eq!(dvol(body("", "null").as_bytes(), DvolStep::Minute, NOON).unwrap().closes, []);
        assert!(dvol(b"{}", DvolStep::Minute, NOON).unwrap_err().contains("no result"));
    }
}
