//! One line per market when its weather changes, and now and then while it does not.

use crate::render::Lens;
use crate::term::Paint;
use barograph_domain::{InstrumentName, MinuteRow, RiskRegime, Span, Ts};
use std::collections::BTreeMap;
use std::io::Write as _;

/// A line at least this often unless told otherwise, by the market's own clock.
const AT_LEAST: Span = Span::mins(10);

/// What was said last about each market.
pub(crate) struct WeatherLines {
    said: BTreeMap<InstrumentName, (RiskRegime, Ts)>,
    at_least: Span,
    paint: Paint,
}

impl WeatherLines {
    pub(crate) fn new(paint: Paint) -> Self {
        Self { said: BTreeMap::new(), at_least: AT_LEAST, paint }
    }

    /// With a line at least this often.
    pub(crate) fn at_least(self, span: Span) -> Self {
        Self { at_least: span, ..self }
    }

    /// The closure that the publisher calls.
    pub(crate) fn into_teller(mut self) -> impl FnMut(&Lens, &MinuteRow) + Send {
        move |lens, row| {
            if let Some(line) = self.line(lens, row) {
                let mut out = std::io::stdout().lock();
                // Whoever read this may have gone; the process goes on serving.
                drop(writeln!(out, "{line}").and_then(|()| out.flush()));
            }
        }
    }

    /// The line of a minute, if it is worth one.
    pub(crate) fn line(&mut self, lens: &Lens, row: &MinuteRow) -> Option<String> {
        let name = &lens.instrument.name;
        let label = row.risk.label;
        let before = self.said.get(name).copied();
        if before.is_some_and(|(l, at)| l == label && row.ts - at < self.at_least) {
            return None;
        }
        self.said.insert(name.clone(), (label, row.ts));
        let snapshot = lens.snapshot(row, None);
        let word = self.paint.label(label, &format!("{:<12}", label.name()));
        let price = row.price.map_or_else(|| "—".to_owned(), |p| format!("{p:.2}"));
        let text = begin(&snapshot.headline);
        Some(format!("{} {:<12} {word} {price:>12}  {text}", crate::term::minute(row.ts), name.symbol))
    }
}

/// Columns of a text that fit behind the label and the price.
const TEXT: usize = 120;

/// Whole sentences that fit, or the words of the first that do.
fn begin(text: &str) -> String {
    let Some((cut, _)) = text.char_indices().nth(TEXT) else { return text.to_owned() };
    let fits = &text[..cut];
    match (fits.rfind(". "), fits.rfind(' ')) {
        (Some(sentence), _) if sentence > cut / 2 => text[..=sentence].to_owned(),
        (_, Some(word)) => format!("{} …", &text[..word]),
        _ => fits.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_ends_with_a_sentence_or_a_word() {
        let sentence = "x".repeat(90) + ". ";
        assert_eq!(begin("short."), "short.");
        assert_eq!(begin(&(sentence.clone() + &"y".repeat(90))), sentence.trim_end());
        assert_eq!(begin(&("ab ".repeat(60))), format!("{} …", "ab ".repeat(40).trim_end()));
    }
}
