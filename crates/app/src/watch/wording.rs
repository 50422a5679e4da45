//! How cells read: words, signs, tones and numbers with units (UX sections 1 and 2). Colour is never the only sign.

use barograph_domain::{HeatRegime, Label as _, RiskRegime, Span, TrendRegime, Ts, VolRegime};
use ratatui::style::{Color, Modifier, Style};
use serde_json::Value;

/// What stands where there is no value.
pub(crate) const NONE: &str = "–";

/// What a colour says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Tone {
    #[default]
    Plain,
    Calm,
    Amber,
    Red,
    Purple,
    Faint,
    Strong,
}

/// Whether there are colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Palette {
    Coloured,
    Plain,
}

impl Palette {
    /// `NO_COLOR` is honoured, whatever it holds.
    pub(crate) fn detect() -> Self {
        if std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()) { Self::Coloured } else { Self::Plain }
    }

    pub(crate) fn style(self, tone: Tone) -> Style {
        let weight = match tone {
            Tone::Faint => Style::new().add_modifier(Modifier::DIM),
            Tone::Strong => Style::new().add_modifier(Modifier::BOLD),
            Tone::Plain | Tone::Calm | Tone::Amber | Tone::Red | Tone::Purple => Style::new(),
        };
        let colour = match (self, tone) {
            (Self::Plain, _) | (_, Tone::Plain | Tone::Strong) => return weight,
            (Self::Coloured, Tone::Calm) => Color::Green,
            (Self::Coloured, Tone::Amber) => Color::Yellow,
            (Self::Coloured, Tone::Red) => Color::Red,
            (Self::Coloured, Tone::Purple) => Color::Magenta,
            (Self::Coloured, Tone::Faint) => return Style::new().fg(Color::DarkGray),
        };
        weight.fg(colour)
    }
}

/// Sign and tone of a word on an axis; a word of a newer server has none.
pub(crate) fn label(axis: &str, word: &str) -> (&'static str, Tone) {
    match axis {
        "risk" => RiskRegime::of_word(word).map(|l| {
            let tone = match l {
                RiskRegime::Normal => Tone::Calm,
                RiskRegime::ChopRisk => Tone::Amber,
                RiskRegime::SqueezeRisk => Tone::Red,
                RiskRegime::HighVol => Tone::Purple,
                RiskRegime::Unknown => Tone::Faint,
            };
            (l.sign(), tone)
        }),
        "trend" => TrendRegime::of_word(word).map(|l| {
            let tone = match l {
                TrendRegime::StrongUptrend | TrendRegime::Uptrend => Tone::Calm,
                TrendRegime::Sideways => Tone::Amber,
                TrendRegime::Downtrend => Tone::Red,
                TrendRegime::StrongDowntrend => Tone::Purple,
                TrendRegime::Unknown => Tone::Faint,
            };
            (l.sign(), tone)
        }),
        "volatility" => VolRegime::of_word(word).map(|l| {
            let tone = match l {
                VolRegime::Stable => Tone::Calm,
                VolRegime::HighVol => Tone::Amber,
                VolRegime::Explosive => Tone::Red,
                VolRegime::Extreme => Tone::Purple,
                VolRegime::Unknown => Tone::Faint,
            };
            (l.sign(), tone)
        }),
        _ => HeatRegime::of_word(word).map(|l| {
            let tone = match l {
                HeatRegime::Cold | HeatRegime::Cool => Tone::Calm,
                HeatRegime::Neutral => Tone::Amber,
                HeatRegime::Hot => Tone::Red,
                HeatRegime::SuperHot => Tone::Purple,
                HeatRegime::Unknown => Tone::Faint,
            };
            (l.sign(), tone)
        }),
    }
    .unwrap_or(("", Tone::Plain))
}

/// A fraction as percent, signed where asked for, with a true minus.
pub(crate) fn percent(x: f64, decimals: usize, plus: bool) -> String {
    let text = format!("{:.decimals$}", 100.0 * x.abs());
    let some = text.contains(|c: char| ('1'..='9').contains(&c));
    let sign = match (some, x < 0.0, plus) {
        (true, true, _) => "−",
        (true, false, true) => "+",
        _ => "",
    };
    format!("{sign}{text} %")
}

/// A number with a true minus.
pub(crate) fn fixed(x: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", x.abs());
    let some = text.contains(|c: char| ('1'..='9').contains(&c));
    if some && x < 0.0 { format!("−{text}") } else { text }
}

/// Seconds as people say them.
pub(crate) fn age(seconds: i64) -> String {
    Span::secs(seconds.max(0)).spoken()
}

/// `2026-02-05 14:35:00Z`.
pub(crate) fn moment(ms: i64) -> String {
    let (y, mo, d, h, mi, s, _) = Ts::from_millis(ms).civil();
    format!("{y:04}-{mo:02}-{d:02} {h:02}:{mi:02}:{s:02}Z")
}

/// Age of a moment that is written out, seconds.
pub(crate) fn since(at: &str, now_ms: i64) -> Option<i64> {
    Some((now_ms - Ts::parse(at).ok()?.as_millis()) / 1_000)
}

/// A reading in its unit.
pub(crate) fn reading(value: &Value, unit: &str) -> String {
    let Some(x) = value.as_f64() else {
        return match value {
            Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
            Value::String(word) => word.clone(),
            Value::Array(words) => words.iter().map(|w| reading(w, unit)).collect::<Vec<_>>().join(" or "),
            Value::Null | Value::Number(_) | Value::Object(_) => NONE.to_owned(),
        };
    };
    match unit {
        "σ" => format!("{}σ", fixed(x, 1)),
        "fraction" | "[0,1]" | "[0,1)" | "daily fraction" => percent(x, 1, false),
        "annualised fraction" | "fraction per year" => percent(x, 0, false),
        "fraction per 8 h" => percent(x, 4, false),
        "percent per bar" => format!("{} % per bar", fixed(x, 3)),
        "price" => crate::term::price(x),
        _ => fixed(x, if x.abs() < 10.0 { 2 } else { 0 }),
    }
}

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The last `width` closes as bars between their least and their greatest; a minute without one is a blank.
pub(crate) fn spark(closes: &[Option<f64>], width: usize) -> String {
    let shown = &closes[closes.len().saturating_sub(width)..];
    let known = || shown.iter().flatten().copied();
    let (low, high) = (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
    shown.iter().map(|close| close.map_or(' ', |close| BARS[step(close - low, high - low, 7)])).collect()
}

/// Which of `0..=steps` a part of a whole comes to.
pub(crate) fn step(part: f64, whole: f64, steps: u8) -> usize {
    if whole <= 0.0 || part.is_nan() {
        return 0;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=steps")]
    let step = ((part / whole).clamp(0.0, 1.0) * f64::from(steps)).round() as usize;
    step
}

/// A margin as a bar: the threshold in the middle, to the right what holds, to the left what is short of it.
pub(crate) fn margin_bar(margin: f64) -> String {
    let filled = step(margin.abs(), 1.0, 5);
    let (left, right) = if margin < 0.0 { (filled, 0) } else { (0, filled) };
    format!("{}{}│{}{}", "▱".repeat(5 - left), "▰".repeat(left), "▰".repeat(right), "▱".repeat(5 - right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_bars_read_as_people_write_them() {
        assert_eq!(percent(-0.0812, 1, true), "−8.1 %");
        assert_eq!(percent(0.031, 1, true), "+3.1 %");
        assert_eq!(percent(-0.000_01, 1, true), "0.0 %");
        assert_eq!(percent(-0.000_121, 4, false), "−0.0121 %");
        assert_eq!(moment(1_770_302_100_000), "2026-02-05 14:35:00Z");
        assert_eq!(reading(&Value::from(1.18), "annualised fraction"), "118 %");
        assert_eq!(reading(&Value::Null, "σ"), NONE);
        assert_eq!(spark(&[Some(1.0), Some(2.0), None, Some(3.0)], 3), "▁ █");
        assert_eq!(spark(&[Some(1.0), Some(1.0)], 8), "▁▁");
        assert_eq!(margin_bar(0.4), "▱▱▱▱▱│▰▰▱▱▱");
        assert_eq!(margin_bar(-3.0), "▰▰▰▰▰│▱▱▱▱▱");
        assert_eq!(label("risk", "HIGH_VOL"), ("⚡", Tone::Purple));
        assert_eq!(label("heat", "HOT").0, "▰▰▰▰▱");
        assert_eq!(label("risk", "NEW_WORD"), ("", Tone::Plain));
    }

    #[test]
    fn without_colour_there_is_none() {
        for tone in [Tone::Calm, Tone::Red, Tone::Faint, Tone::Strong] {
            assert_eq!(Palette::Plain.style(tone).fg, None);
        }
        assert_eq!(Palette::Coloured.style(Tone::Red).fg, Some(Color::Red));
    }
}
