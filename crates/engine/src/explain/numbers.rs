//! Numbers as people read them (regimes §10.2, UX §1): four significant digits at most, units attached.
//!
//! A number that would round to zero, or to the same as one it stands against, gets more decimals.

use crate::catalogue::Feature;

/// How a feature's numbers are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Style {
    /// z-scores: `2.6σ`, without sign; the words around say the side.
    Sigma,
    /// Annualised volatility: `124 %`.
    Volatility,
    /// Fractions: `3.1 %`.
    Percent,
    /// Volatility of a day: `4.12 %`. Limits lie half a tenth of a percent apart.
    Daily,
    /// Slopes in percent already: `0.135 % per bar`.
    PerBar,
    /// Funding: `0.0121 % per 8 h`.
    Funding,
    /// Anything else: `63,120`, `1.234`, `5.2 M`.
    Plain,
}

impl Style {
    pub(super) fn of(feature: Feature) -> Self {
        Self::of_unit(feature.spec().unit)
    }
    fn of_unit(unit: &str) -> Self {
        match unit {
            "σ" => Self::Sigma,
            "annualised fraction" => Self::Volatility,
            "fraction" | "fraction per year" | "[0,1]" => Self::Percent,
            "daily fraction" => Self::Daily,
            "percent per bar" => Self::PerBar,
            "fraction per 8 h" => Self::Funding,
            _ => Self::Plain,
        }
    }
    const fn decimals(self) -> usize {
        match self {
            Self::Sigma | Self::Percent => 1,
            Self::Volatility => 0,
            Self::Daily => 2,
            Self::Funding => 4,
            Self::PerBar | Self::Plain => 3,
        }
    }
}

/// The number with its unit.
pub(super) fn written(style: Style, x: f64) -> String {
    written_with(style, x, 0)
}

/// A number of this unit, as people read it.
#[must_use]
pub fn significant(x: f64, unit: &str) -> String {
    written(Style::of_unit(unit), x)
}

/// `needed` written so that it does not look like `current`.
pub(super) fn written_apart(style: Style, needed: f64, current: f64) -> String {
    (0..3)
        .map(|extra| (written_with(style, needed, extra), written_with(style, current, extra)))
        .find(|(a, b)| a != b)
        .map_or_else(|| written(style, needed), |(a, _)| a)
}

fn written_with(style: Style, x: f64, extra: usize) -> String {
    match style {
        Style::Sigma => format!("{}σ", fixed(x.abs(), style.decimals() + extra)),
        Style::Volatility | Style::Percent => format!("{} %", fixed(x * 100.0, style.decimals() + extra)),
        Style::Daily => format!("{} %", trimmed(&fixed(x * 100.0, style.decimals() + extra))),
        Style::PerBar => format!("{} % per bar", trimmed(&fixed(x, style.decimals() + extra))),
        Style::Funding => format!("{} % per 8 h", fixed(x * 100.0, style.decimals() + extra)),
        Style::Plain => plain(x, extra),
    }
}

/// Fixed decimals, fewer where four digits are spent, more where the number would vanish.
fn fixed(x: f64, decimals: usize) -> String {
    let whole = digits_before_point(x);
    let wanted = decimals.min(4_usize.saturating_sub(whole));
    let text = (wanted..=wanted + 4).map(|d| format!("{:.d$}", x.abs())).find(|t| has_value(t));
    match text {
        None => format!("{:.wanted$}", 0.0),
        Some(text) => signed(x, &text),
    }
}

fn plain(x: f64, extra: usize) -> String {
    let (shown, unit) = match x.abs() {
        a if a >= 1e9 => (x / 1e9, " B"),
        a if a >= 1e6 => (x / 1e6, " M"),
        a if a >= 1e4 => (x / 1e3, " K"),
        _ => (x, ""),
    };
    format!("{}{unit}", trimmed(&fixed(shown, 3 + extra)))
}

/// Without zeros that say nothing.
fn trimmed(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// Four stands for all that are more.
fn digits_before_point(x: f64) -> usize {
    [1.0, 10.0, 100.0, 1_000.0].iter().position(|power| x.abs() < *power).unwrap_or(4)
}

fn has_value(text: &str) -> bool {
    text.bytes().any(|b| (b'1'..=b'9').contains(&b))
}

fn signed(x: f64, text: &str) -> String {
    if x < 0.0 { format!("−{text}") } else { text.to_owned() }
}

/// A rank as whole percent, rounded down and kept off 0 and 100, so that "more than in 99 %" is true.
pub(crate) fn rank_percent(share: f64) -> String {
    format!("{:.0} %", (share * 100.0 + 1e-9).floor().clamp(1.0, 99.0))
}

/// The same as an ordinal number: "89th".
pub(super) fn percentile(share: f64) -> String {
    let number = rank_percent(share).replace(" %", "");
    let ending = match number.as_bytes() {
        [b'1', _] => "th",
        [.., b'1'] => "st",
        [.., b'2'] => "nd",
        [.., b'3'] => "rd",
        _ => "th",
    };
    number + ending
}

/// A price: whole from a thousand up, four significant digits and two decimals at least below.
#[must_use]
pub fn price(x: f64) -> String {
    let decimals = match x.abs() {
        a if a >= 1_000.0 => 0,
        a if a >= 10.0 => 2,
        a => (4..16)
            .zip(std::iter::successors(Some(a * 1e4), |x| Some(x * 10.0)))
            .find(|(_, x)| *x >= 1_000.0)
            .map_or(4, |(d, _)| d),
    };
    let text = format!("{x:.0$}", usize::try_from(decimals).unwrap_or(4));
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), None), |(w, f)| (w, Some(f)));
    let digits = whole.chars().count();
    let grouped = whole.chars().enumerate().flat_map(|(i, c)| {
        let comma = i > 0 && (digits - i).is_multiple_of(3);
        comma.then_some(',').into_iter().chain([c])
    });
    let grouped: String = grouped.collect();
    fraction.map_or_else(|| grouped.clone(), |f| format!("{grouped}.{f}"))
}

/// Small counts as words.
pub(super) fn count_word(n: u32) -> String {
    const WORDS: [&str; 10] = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    usize::try_from(n).ok().and_then(|i| WORDS.get(i)).map_or_else(|| n.to_string(), |w| (*w).to_owned())
}

/// First letter in upper case.
pub(crate) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    let mut out = String::with_capacity(text.len());
    out.extend(chars.next().into_iter().flat_map(char::to_uppercase));
    out.push_str(chars.as_str());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_these() {
        let cases = [
            (Style::Sigma, 2.63, "2.6σ"),
            (Style::Sigma, -2.0, "2.0σ"),
            (Style::Percent, 0.031, "3.1 %"),
            (Style::Percent, -0.00041, "−0.04 %"),
            (Style::Percent, 0.0, "0.0 %"),
            (Style::Percent, 12.3456, "1235 %"),
            (Style::Volatility, 1.2437, "124 %"),
            (Style::Volatility, 0.004, "0.4 %"),
            (Style::Funding, 0.000_121, "0.0121 % per 8 h"),
            (Style::Funding, 0.000_49, "0.0490 % per 8 h"),
            (Style::Funding, 0.0123, "1.230 % per 8 h"),
            (Style::Funding, -0.000_05, "−0.0050 % per 8 h"),
            (Style::Plain, 63_120.0, "63.12 K"),
            (Style::Plain, 5_230_000_000.0, "5.23 B"),
            (Style::Plain, 0.75, "0.75"),
            (Style::Plain, 30.0, "30"),
            (Style::Plain, 1234.5, "1234"),
        ];
        for (style, x, want) in cases {
            assert_eq!(written(style, x), want, "{style:?} {x}");
        }
        for (x, unit, want) in [
            (0.0412, "daily fraction", "4.12 %"),
            (0.01, "daily fraction", "1 %"),
            (0.0095, "daily fraction", "0.95 %"),
            (0.05, "percent per bar", "0.05 % per bar"),
            (-0.135, "percent per bar", "−0.135 % per bar"),
        ] {
            assert_eq!(significant(x, unit), want, "{x} {unit}");
        }
        assert_eq!(written_apart(Style::Volatility, 0.80, 0.803), "80.0 %");
        assert_eq!(written_apart(Style::Volatility, 0.80, 0.90), "80 %");
        assert_eq!(
            (rank_percent(0.9997), rank_percent(0.71), rank_percent(0.0)),
            ("99 %".into(), "71 %".into(), "1 %".into())
        );
        let ordinals = [0.899, 0.9, 0.71, 0.12, 0.02, 0.53, 0.999].map(percentile);
        assert_eq!(ordinals, ["89th", "90th", "71st", "12th", "2nd", "53rd", "99th"]);
        for (x, want) in [
            (62_868.4, "62,868"),
            (1_234_567.0, "1,234,567"),
            (99.5, "99.50"),
            (2.5, "2.5000"),
            (0.000_012_34, "0.00001234"),
        ] {
            assert_eq!(price(x), want);
        }
        assert_eq!((count_word(2), count_word(12)), ("two".to_owned(), "12".to_owned()));
    }
}
