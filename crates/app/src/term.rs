//! Colour and folding for terminals. Colour is never the only sign, appears only on a terminal, and honours `NO_COLOR`.

pub(crate) use barograph_domain::text::{number_of, plural};
use barograph_domain::{Axis, Label as _, RiskRegime, Span, Ts};
pub(crate) use barograph_query::followed::percent;
use std::io::IsTerminal as _;

/// Whether standard output may be coloured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint(bool);

impl Paint {
    pub(crate) fn detect() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        Self(wanted && std::io::stdout().is_terminal())
    }

    /// The word in the colour of its severity: green, amber, red, purple; grey where unknown.
    pub(crate) fn label(self, label: RiskRegime, text: &str) -> String {
        let code = match label {
            RiskRegime::Normal => "32",
            RiskRegime::ChopRisk => "33",
            RiskRegime::SqueezeRisk => "31",
            RiskRegime::HighVol => "35",
            RiskRegime::Unknown => "90",
        };
        self.code(code, text)
    }

    /// A word of any axis in the colours of UX section 2, as the page has them; as it is where the axis knows no such word.
    pub(crate) fn axis(self, axis: Axis, word: &str, text: &str) -> String {
        let code = match (axis, word) {
            (Axis::Risk, word) => return self.label(RiskRegime::of_word(word).unwrap_or_default(), text),
            (Axis::Trend, "STRONG_UPTREND" | "UPTREND") | (Axis::Volatility, "STABLE") => "32",
            (Axis::Heat, "COLD" | "COOL") => "32",
            (Axis::Trend, "SIDEWAYS") | (Axis::Heat, "NEUTRAL") => "33",
            (Axis::Volatility, "HIGH_VOL") => "38;5;208",
            (Axis::Trend, "DOWNTREND") | (Axis::Volatility, "EXPLOSIVE") | (Axis::Heat, "HOT") => "31",
            (Axis::Trend, "STRONG_DOWNTREND") | (Axis::Volatility, "EXTREME") | (Axis::Heat, "SUPER_HOT") => "35",
            _ => return text.to_owned(),
        };
        self.code(code, text)
    }

    pub(crate) fn faint(self, text: &str) -> String {
        self.code("90", text)
    }

    pub(crate) fn strong(self, text: &str) -> String {
        self.code("1", text)
    }

    fn code(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Text folded at word boundaries to `width` columns, each line indented. A number and its percent sign stay together.
pub(crate) fn fold(text: &str, width: usize, indent: &str) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.replace(" %", "\u{a0}%").split(' ') {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            out.push('\n');
            column = 0;
        }
        if column == 0 {
            out.push_str(indent);
            column = indent.chars().count();
        } else {
            out.push(' ');
            column += 1;
        }
        out.push_str(&word.replace('\u{a0}', " "));
        column += length;
    }
    out
}

/// The same behind a text of `used` columns that stands in the first line already.
pub(crate) fn fold_behind(used: usize, text: &str, width: usize, indent: &str) -> String {
    let room = width.saturating_sub(used);
    let fits = |word: &str| word.chars().count() <= room;
    let first = text.split_inclusive(' ').take(1).next().unwrap_or_default().trim_end();
    if !fits(first) {
        return format!("\n{}", fold(text, width, indent));
    }
    let whole = fold(text, room, "");
    let (line, _) = whole.split_once('\n').unwrap_or((&whole, ""));
    let rest = text.chars().skip(line.chars().count()).collect::<String>();
    match rest.trim_start() {
        "" => line.to_owned(),
        rest => format!("{line}\n{}", fold(rest, width, indent)),
    }
}

/// Columns of the terminal: what `COLUMNS` says, else what the terminal has, else 80.
pub(crate) fn columns() -> usize {
    const LEAST: usize = 40;
    let told = std::env::var("COLUMNS").ok().and_then(|text| text.trim().parse::<usize>().ok());
    let seen = || std::io::stdout().is_terminal().then(|| ratatui::crossterm::terminal::size().ok()).flatten();
    told.or_else(|| seen().map(|(columns, _)| usize::from(columns))).filter(|n| *n >= LEAST).unwrap_or(80)
}

/// A number as it was written, with a minus sign that is one.
pub(crate) fn minus(number: &str) -> String {
    number.replace('-', "−")
}

/// Price with thousands separators and four significant digits or more.
pub(crate) fn price(p: f64) -> String {
    barograph_engine::explain::price(p)
}

/// `2026-02-05 14:35Z`.
pub(crate) fn minute(t: Ts) -> String {
    let (y, mo, d, h, mi, ..) = t.civil();
    format!("{y:04}-{mo:02}-{d:02} {h:02}:{mi:02}Z")
}

/// The same, and how long ago that was where it is longer than `fresh` before `now`.
pub(crate) fn minute_and_age(t: Ts, now: Ts, fresh: Span) -> String {
    let age = now - t;
    if age <= fresh { minute(t) } else { format!("{}, {} ago", minute(t), age.spoken()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(price(63_120.4), "63,120");
        assert_eq!(price(87.456), "87.46");
        assert_eq!(price(0.000_012_345), "0.00001234");
        assert_eq!([plural(0_usize), plural(1), plural(2)], ["s", "", "s"]);
        assert_eq!(percent(-0.0812), "−8.1 %");
        assert_eq!(percent(1.5), "+150 %");
        assert_eq!(percent(-0.0002), "0.0 %");
        assert_eq!(fold("one two three", 8, " "), " one two\n three");
        assert_eq!(fold("limit 25.0 %", 10, ""), "limit\n25.0 %");
        assert_eq!(fold_behind(6, "one two three", 14, "  "), "one two\n  three");
        assert_eq!(fold_behind(12, "one two three", 14, "  "), "\n  one two\n  three");
        assert_eq!(fold_behind(4, "at 25.0 %", 14, "  "), "at 25.0 %");
    }
}
