//! Sentences under a mask: names and moments are replaced, and a number stays only where its unit shows that it is no price and no
//! amount.

use super::Mask;
use barograph_domain::Ts;

/// What stands for a number that is left out.
const LEFT_OUT: &str = "…";
/// What is left of a remark whose number is left out.
const NOTHING: &str = " (of …)";
/// What stands for a moment that cannot be read.
const SOME_TIME: &str = "a moment";
/// How moments are written, as refusals show it; shifted, it would show by how much.
const EXAMPLE: &str = "2026-02-05T14:35:00Z";
/// What a number that stays is followed by.
const UNITS: [&str; 33] = [
    "%",
    "σ",
    "ATR",
    "h",
    "min",
    "s",
    "d",
    "day",
    "days",
    "hour",
    "hours",
    "hourly",
    "minutes",
    "seconds",
    "week",
    "weeks",
    "bars",
    "times",
    "cases",
    "rows",
    "moments",
    "markets",
    "inputs",
    "streams",
    "windows",
    "events",
    "records",
    "alerts",
    "samples",
    "characters",
    "percent",
    "past",
    "episodes",
];
/// What stands between two numbers with the same unit.
const BETWEEN: [&str; 2] = ["to ", "of "];

/// A text without the example of a moment.
pub(super) fn without_example(text: &str) -> String {
    text.replace(EXAMPLE, SOME_TIME)
}

/// Is what stands behind a number a unit, or another number that has one?
fn has_unit(behind: &str) -> bool {
    let unit = behind.trim_start_matches([' ', '\u{a0}', '\u{202f}', '-']);
    let is_one = |word: &&str| {
        let rest = unit.strip_prefix(*word);
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '/'))
    };
    if UNITS.iter().any(is_one) {
        return true;
    }
    let other = BETWEEN.iter().find_map(|word| unit.strip_prefix(word)).unwrap_or_default();
    let number =
        other.len() - other.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '−' | '-')).len();
    number > 0 && has_unit(&other[number..])
}

impl Mask {
    /// A sentence as the agent reads it.
    pub(super) fn sentence(&self, text: &str) -> String {
        let text = self.names.without(&without_example(text));
        let (mut made, mut rest) = (String::with_capacity(text.len()), text.as_str());
        while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
            let (before, number) = rest.split_at(at);
            made.push_str(before);
            let (shown, length) = self.figure(made.chars().next_back(), number);
            made.push_str(&shown);
            rest = &number[length..];
        }
        made.push_str(rest);
        made.replace(NOTHING, "")
    }

    /// What stands for what begins with a digit here, and how long that is.
    fn figure(&self, before: Option<char>, text: &str) -> (String, usize) {
        if let Some((moment, length)) = self.moment_in(text) {
            return (moment, length);
        }
        let is_part = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '\'' | '\u{202f}' | '\u{a0}');
        let run = text.find(|c: char| !is_part(c)).unwrap_or(text.len());
        let number = text[..run].trim_end_matches(|c: char| !c.is_ascii_digit());
        let (behind, whole) = (&text[number.len()..], (number.to_owned(), number.len()));
        // A part of a word, as in M01 or realized_vol_1h, is no number.
        if before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
            return whole;
        }
        if has_unit(behind) { whole } else { (LEFT_OUT.to_owned(), number.len()) }
    }

    /// A moment or a day that stands here, shifted.
    fn moment_in(&self, text: &str) -> Option<(String, usize)> {
        let bytes = text.as_bytes();
        let is_day = bytes.len() >= 10
            && bytes[..10]
                .iter()
                .enumerate()
                .all(|(at, c)| if at == 4 || at == 7 { *c == b'-' } else { c.is_ascii_digit() });
        if !is_day {
            return None;
        }
        let is_time = |c: &u8| c.is_ascii_digit() || b":.TZ+".contains(c);
        let mut length = 10 + bytes[10..].iter().take_while(|c| is_time(c)).count();
        // A day, or a day and an hour behind a blank.
        if length == 10 && bytes.get(13) == Some(&b':') && bytes.get(10) == Some(&b' ') {
            length = 11 + bytes[11..].iter().take_while(|c| is_time(c)).count();
        }
        let written = text[..length].trim_end_matches(['.', ':', '+', 'T']);
        let shown = Ts::parse(written).map_or_else(
            |_unread| SOME_TIME.to_owned(),
            |moment| {
                let iso = self.shown(moment).iso();
                match written.len() {
                    10 => iso[..10].to_owned(),
                    16 | 17 => format!("{}Z", &iso[..16]),
                    _ => iso,
                }
            },
        );
        Some((shown, written.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_api::agent_sessions::MaskBasis;
    use barograph_domain::Span;

    #[test]
    fn prices_moments_and_names_are_gone_and_shares_stay() {
        let mask = Mask::new(&MaskBasis { seed: 3, markets: vec!["binance-usdm:BTCUSDT".into()] });
        let day = mask.shown(Ts::parse("2026-02-05").unwrap()).iso()[..10].to_owned();
        assert!((mask.shift.as_secs() % Span::days(7).as_secs()) == 0);
        for (text, expected) in [
            ("BTC at 69,365.5, 87 % of 30 days", "M01 at …, 87 % of 30 days".to_owned()),
            ("stop 68000 USD lies 1.2 ATR away", "stop … USD lies 1.2 ATR away".to_owned()),
            ("since 2026-02-05T12:00:00Z.", format!("since {day}T12:00:00Z.")),
            (
                "since 2026-02-05T12:00Z, 2026-02-05 12:00 and 2026-02-05",
                format!("since {day}T12:00Z, {day}T12:00Z and {day}"),
            ),
            ("realized_vol_1h above 0.8", "realized_vol_1h above …".to_owned()),
            ("write 2026-02-05T14:35:00Z", "write a moment".to_owned()),
            ("price at an edge (of 69,365.5)", "price at an edge".to_owned()),
            ("2026-99-05", "a moment".to_owned()),
            ("7 of 9 inputs", "7 of 9 inputs".to_owned()),
            ("57 to 76 %, 8-hourly, 68,000 to 69,000", "57 to 76 %, 8-hourly, … to …".to_owned()),
        ] {
            assert_eq!(mask.sentence(text), expected, "{text}");
        }
    }
}
