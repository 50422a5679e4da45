//! One line per market when its weather changes — the label of any axis, or where a position's stop stands — and now and then
//! while it does not.

use crate::term::{Paint, columns, fold_behind};
use barograph_domain::{HeatRegime, InstrumentName, MinuteRow, RiskRegime, Span, TrendRegime, Ts, VolRegime};
use barograph_engine::explain::headline::HeldStop;
use barograph_query::render::Lens;
use std::collections::BTreeMap;
use std::io::Write as _;

/// A line at least this often unless set otherwise, by the market's own clock.
const AT_LEAST: Span = Span::mins(10);

/// The weather of a market, as far as its change is worth a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Weather {
    risk: RiskRegime,
    trend: TrendRegime,
    volatility: VolRegime,
    heat: HeatRegime,
    /// Where the worst placed stop of a registered position stands.
    stop: Option<HeldStop>,
}

impl Weather {
    fn of(lens: &Lens, row: &MinuteRow) -> Self {
        Self {
            risk: row.risk.label,
            trend: row.trend.label,
            volatility: row.volatility.label,
            heat: row.heat.label,
            stop: lens.held.map(|held| held.state),
        }
    }
}

/// What was said last about each market, and when.
pub(crate) struct WeatherLines {
    said: BTreeMap<InstrumentName, (Weather, Ts)>,
    at_least: Span,
    paint: Paint,
    /// Of the terminal.
    columns: usize,
}

/// Where the second line of a text begins: below the market.
const HANG: &str = "                  ";

impl WeatherLines {
    pub(crate) fn new(paint: Paint) -> Self {
        Self { said: BTreeMap::new(), at_least: AT_LEAST, paint, columns: columns() }
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

    /// The line of a minute, if it is worth one. The lens holds the position of the reader's, where there is one.
    pub(crate) fn line(&mut self, lens: &Lens, row: &MinuteRow) -> Option<String> {
        let name = &lens.instrument.name;
        let (label, weather) = (row.risk.label, Weather::of(lens, row));
        let before = self.said.get(name).copied();
        if before.is_some_and(|(said, at)| said == weather && row.ts - at < self.at_least) {
            return None;
        }
        self.said.insert(name.clone(), (weather, row.ts));
        let snapshot = lens.snapshot(row, None);
        let word = self.paint.label(label, &format!("{:<12}", label.name()));
        let price = row.price.map_or_else(|| "—".to_owned(), crate::term::price);
        let text = begin(&snapshot.headline);
        let (at, symbol) = (crate::term::minute(row.ts), &name.symbol);
        let used = format!("{at} {symbol:<12} {:<12} {price:>12}  ", label.name()).chars().count();
        let text = fold_behind(used, &text, self.columns, HANG);
        Some(format!("{at} {symbol:<12} {word} {price:>12}  {text}"))
    }
}

/// Most characters of a text behind the label and the price: both sentences of a storm (150) with a position's stop (50). Where they
/// do not fit they are folded; cut off, the day's move would go first.
const TEXT: usize = 200;

/// Whole sentences that fit, or the words of the first that do; an ellipsis where that is not all.
fn begin(text: &str) -> String {
    let Some((cut, _)) = text.char_indices().nth(TEXT) else { return text.to_owned() };
    let fits = &text[..cut];
    match (fits.rfind(". "), fits.rfind(' ')) {
        (Some(sentence), _) if sentence > cut / 2 => format!("{} …", &text[..=sentence]),
        (_, Some(word)) => format!("{} …", &text[..word]),
        _ => fits.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::{AxisState, Instrument, MarketKind};
    use barograph_engine::explain::headline::Held;
    use barograph_engine::rules::RuleBook;
    use std::sync::Arc;

    fn lens() -> Lens {
        let name = InstrumentName::parse("binance-usdm:BTCUSDT").unwrap();
        Lens {
            book: Arc::new(RuleBook::shipped("default").unwrap()),
            logic_version: "v1".to_owned(),
            instrument: Instrument { name, kind: MarketKind::Perpetual, expiry: None },
            streams: Vec::new().into(),
            corrected: Arc::default(),
            held: None,
            calls: None,
        }
    }

    fn row(minute: i64) -> MinuteRow {
        MinuteRow {
            cells: vec![
                barograph_domain::Cell::undefined(barograph_domain::Reason::MissingInput);
                barograph_engine::CATALOGUE.len()
            ],
            cuts: vec![None; 256],
            risk: of(RiskRegime::Normal),
            trend: of(TrendRegime::Sideways),
            volatility: of(VolRegime::Stable),
            heat: of(HeatRegime::Neutral),
            price: Some(50_000.0),
            ..MinuteRow::bare(Ts(0) + Span::mins(minute))
        }
    }

    fn of<L: barograph_domain::Label>(label: L) -> AxisState<L> {
        AxisState { label, raw_label: label, ..AxisState::default() }
    }

    /// One minute after another: which of them are reported.
    #[test]
    fn a_line_comes_when_the_label_of_any_axis_changes_or_a_stop_is_reached() {
        type Change = fn(&mut MinuteRow);
        let changes: [(&str, Change); 4] = [
            ("risk", |r| r.risk = of(RiskRegime::SqueezeRisk)),
            ("trend", |r| r.trend = of(TrendRegime::StrongDowntrend)),
            ("volatility", |r| r.volatility = of(VolRegime::Extreme)),
            ("heat", |r| r.heat = of(HeatRegime::SuperHot)),
        ];
        for (axis, change) in changes {
            let (mut lines, lens) = (WeatherLines::new(Paint::detect()), lens());
            let told: Vec<bool> = (0..4)
                .map(|minute| {
                    let mut row = row(minute);
                    if minute >= 2 {
                        change(&mut row);
                    }
                    lines.line(&lens, &row).is_some()
                })
                .collect();
            assert_eq!(told, [true, false, true, false], "{axis}");
        }
        let (mut lines, calm) = (WeatherLines::new(Paint::detect()), lens());
        assert!(lines.line(&calm, &row(0)).is_some());
        let near = Held { is_long: true, stop: 49_900.0, price: 50_000.0, state: HeldStop::Near };
        let reached = Held { price: 49_800.0, state: HeldStop::Reached, ..near };
        let near = lines.line(&calm.holding(Some(near)), &row(1)).unwrap();
        assert!(near.contains("Stop 49900 of your") || near.contains("Stop 49,900 of your"), "{near}");
        let line = lines.line(&calm.holding(Some(reached)), &row(2)).unwrap();
        assert!(unfolded(&line).contains("of your long reached"), "{line}");
        assert!(lines.line(&calm.holding(Some(reached)), &row(3)).is_none(), "told once");
        assert!(lines.line(&calm.holding(Some(reached)), &row(12)).is_some(), "and again after ten minutes");
    }

    #[test]
    fn a_storm_comes_with_the_move_of_the_day() {
        let storm = "Stop 61,200 of your long reached: price 60,950. High volatility (1 h vol 172 % annualised), moves \
                     extreme (24 h vol 118 % annualised), strong downtrend, −11.9 % in 24 h.";
        assert_eq!(begin(storm), storm);
    }

    #[test]
    fn a_long_text_ends_with_a_sentence_or_a_word_and_says_so() {
        let sentence = "x".repeat(150) + ". ";
        assert_eq!(begin("short."), "short.");
        assert_eq!(begin(&(sentence.clone() + &"y".repeat(150))), format!("{sentence}…"));
        assert_eq!(begin(&("abcd ".repeat(60))), format!("{} …", "abcd ".repeat(40).trim_end()));
    }

    fn unfolded(line: &str) -> String {
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Every line fits, and no word or number is cut.
    #[test]
    fn a_line_is_folded_at_words_and_its_price_stays_whole() {
        let held = Held { is_long: true, stop: 49_900.0, price: 49_800.0, state: HeldStop::Reached };
        for columns in [60, 80, 120, 300] {
            let mut lines = WeatherLines { columns, ..WeatherLines::new(Paint::detect()) };
            let wide = WeatherLines { columns: 1_000, ..WeatherLines::new(Paint::detect()) };
            let storm = |r: MinuteRow| MinuteRow { volatility: of(VolRegime::Extreme), price: Some(0.000_012_34), ..r };
            let lens = lens().holding(Some(held));
            let (line, whole) =
                (lines.line(&lens, &storm(row(0))).unwrap(), { wide }.line(&lens, &storm(row(0))).unwrap());
            assert!(line.lines().all(|l| l.chars().count() <= columns), "{columns}:\n{line}");
            assert_eq!(unfolded(&line), unfolded(&whole), "{columns}");
            assert!(line.lines().next().unwrap().contains(" 0.00001234"), "{line}");
            assert!(line.lines().skip(1).all(|l| l.starts_with(HANG)), "{line}");
        }
    }

    #[test]
    fn prices_have_the_digits_they_need() {
        for (price, told) in [(63_120.4, "      63,120  "), (0.000_012_34, "  0.00001234  ")] {
            let line = WeatherLines::new(Paint::detect()).line(&lens(), &MinuteRow { price: Some(price), ..row(0) });
            assert!(line.as_ref().is_some_and(|line| line.contains(told)), "{line:?}");
        }
    }
}
