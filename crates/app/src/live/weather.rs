//! One line per market when its weather changes, and now and then while it does not.

use crate::render::Lens;
use crate::term::Paint;
use barograph_domain::{InstrumentName, MinuteRow, RiskRegime, Span, Ts};
use std::collections::BTreeMap;
use std::io::Write as _;

/// A line at least this often, by the market's own clock.
const AT_LEAST: Span = Span::mins(10);

/// What was said last about each market.
pub(crate) struct WeatherLines {
    said: BTreeMap<InstrumentName, (RiskRegime, Ts)>,
    paint: Paint,
}

impl WeatherLines {
    pub(crate) fn new(paint: Paint) -> Self {
        Self { said: BTreeMap::new(), paint }
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

    fn line(&mut self, lens: &Lens, row: &MinuteRow) -> Option<String> {
        let name = &lens.instrument.name;
        let label = row.risk.label;
        let before = self.said.get(name).copied();
        if before.is_some_and(|(l, at)| l == label && row.ts - at < AT_LEAST) {
            return None;
        }
        self.said.insert(name.clone(), (label, row.ts));
        let snapshot = lens.snapshot(row, None);
        let word = self.paint.label(label, &format!("{:<12}", label.name()));
        let price = row.price.map_or_else(|| "—".to_owned(), |p| format!("{p:.2}"));
        let text: String = snapshot.explanation.reasoning.chars().take(150).collect();
        Some(format!("{} {:<12} {word} {price:>12}  {text}", crate::term::minute(row.ts), name.symbol))
    }
}
