//! Colour and folding for terminals. Colour is never the only sign, appears only on a terminal, and honours `NO_COLOR`.

pub(crate) use barograph_domain::text::{number_of, plural};
use barograph_domain::{RiskRegime, Span, Ts};
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

/// Price with thousands separators and four significant digits or more.
pub(crate) fn price(p: f64) -> String {
    barograph_engine::explain::price(p)
}

/// A fraction as signed percent with a true minus, three significant digits at most.
pub(crate) fn percent(x: f64) -> String {
    let p = 100.0 * x;
    let decimals = usize::from(p.abs() < 99.95);
    let sign = if p < 0.0 { "−" } else { "+" };
    format!("{sign}{:.decimals$} %", p.abs())
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
        assert_eq!(fold("one two three", 8, " "), " one two\n three");
        assert_eq!(fold("limit 25.0 %", 10, ""), "limit\n25.0 %");
    }
}
