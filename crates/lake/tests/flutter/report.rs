//! The tables of `docs/adr/0030-labels-that-do-not-flutter.md`: every axis of the default book as it was and as it is.
//!
//! `cargo test --package barograph-lake --test lake -- --ignored --nocapture the_tables`

use crate::flutter::books;
use crate::flutter::events::Recall;
use crate::flutter::replay::{Judge, Market, replay};
use crate::flutter::runs::{Counted, Period, quantile};
use crate::flutter::sets::{self, Set};
use barograph_domain::{HeatRegime, Label, RiskRegime, Span, TrendRegime, Ts};
use barograph_engine::rules::{RuleBook, Ruled};
use std::collections::BTreeMap;

/// One row of a table: sums over markets.
#[derive(Default)]
struct Row {
    label: Counted,
    raw: Counted,
    lengths: Vec<Span>,
    differs: f64,
    hv: Recall,
    squeeze: Recall,
    held: [f64; 4],
}

/// Shorter than this, an episode is a flutter.
const SHORT: Span = Span::mins(15);

impl Row {
    fn add<L: Ruled>(&mut self, judge: &Judge<'_, L>, within: Period) {
        self.label.add(&judge.label.counted(within, rank::<L>));
        self.raw.add(&judge.raw.counted(within, rank::<L>));
        self.lengths.extend(judge.label.episodes(within));
        self.differs += judge.label.differing(&judge.raw, within).0;
    }

    fn add_risk(&mut self, market: &Market<'_>, judge: &Judge<'_, RiskRegime>, within: Period) {
        self.add(judge, within);
        let (hv, squeeze) = market.foreseen(&judge.label, within);
        self.hv.add(hv);
        self.squeeze.add(squeeze);
        for (held, label) in self.held.iter_mut().zip(RiskRegime::ALL) {
            *held += judge.label.held(label.code(), within);
        }
    }

    fn said(&mut self) -> String {
        self.lengths.sort_unstable();
        let short = self.lengths.iter().filter(|s| **s < SHORT).count();
        let minutes = |share: f64| quantile(&self.lengths, share).map_or("–".to_owned(), Span::spoken);
        format!(
            "{:.0} | {:.2} | {:.2} | {:.4} | {short}/{} | {} | {} | {:.1} %",
            self.label.days,
            self.label.rate(),
            self.raw.rate(),
            self.label.flip_flop_mean(),
            self.lengths.len(),
            minutes(0.5),
            minutes(0.9),
            100.0 * self.differs / self.label.days,
        )
    }

    fn foreseen(&self) -> String {
        let said = |recall: &Recall| match recall.share() {
            Some((share, low, high)) => {
                format!("{:.1} % ({:.1}–{:.1}) of {}", 100.0 * share, 100.0 * low, 100.0 * high, recall.events)
            }
            None => "–".to_owned(),
        };
        let held = self.held.map(|days| format!("{:.1}", 100.0 * days / self.label.days)).join("/");
        format!("{} | {} | {held}", said(&self.hv), said(&self.squeeze))
    }
}

/// Place of a label from one end of its axis to the other, as the flip-flop index takes it: severity where there is one.
fn rank<L: Ruled>(code: u8) -> f64 {
    let place = L::from_code(code).and_then(Label::severity).unwrap_or(code);
    f64::from(place)
}

/// Every number of one table: by set or cadence, then by market or year.
type Table = BTreeMap<(String, String), [Row; 2]>;

/// The default book as it is and as it was, and both with CHOP_RISK judged by prices alone.
fn books() -> [RuleBook; 4] {
    let is = RuleBook::shipped_text("default").unwrap();
    let was = books::before(is);
    [
        books::parse("is", is),
        books::parse("was", &was),
        books::parse("is, prices", &books::without_open_interest(is)),
        books::parse("was, prices", &books::without_open_interest(&was)),
    ]
}

const COLUMNS: &str = "days | changes/day | raw/day | flip-flop | short | median | p90 | differs from raw";

#[test]
#[ignore = "takes minutes and needs recorded data"]
fn the_tables_of_every_axis() {
    let books = books();
    let (mut risk, mut others, mut years) = (Table::new(), Table::new(), Table::new());
    for set in sets::SETS {
        let Some(markets) = replay(set, &books, 1) else { return };
        for market in &markets {
            for year in 2022..2027 {
                let begin = Ts::from_civil(year, 1, 1, 0, 0, 0).max(set.counted_from());
                let within = (begin, Ts::from_civil(year + 1, 1, 1, 0, 0, 0));
                if market.risk[0].label.counted(within, f64::from).days >= 1.0 {
                    enter(set, market, year, within, (&mut risk, &mut others, &mut years));
                }
            }
        }
    }
    for (name, table, with_events) in
        [("risk, every market and year", risk, true), ("pooled", years, true), ("other axes", others, false)]
    {
        println!("\n### {name}\n| what | of | book | {COLUMNS} | hv_1h | squeeze_4h | NORMAL/CHOP/SQUEEZE/HIGH_VOL |");
        for ((what, of), mut rows) in table {
            let books = ["was", "is"];
            for (book, row) in books.into_iter().zip(&mut rows).filter(|(b, _)| with_events || *b == "is") {
                let events = if with_events { row.foreseen() } else { String::new() };
                println!("| {what} | {of} | {book} | {} | {events} |", row.said());
            }
        }
    }
}

fn enter(
    set: &Set,
    market: &Market<'_>,
    year: i64,
    within: Period,
    (risk, others, years): (&mut Table, &mut Table, &mut Table),
) {
    let period = if year < 2025 { "2022 to 2024, chosen on" } else { "2025 and 2026" };
    // Where nobody knows the open interest, CHOP_RISK by prices alone is the harder case.
    let judged = if set.whole_from.is_some() {
        [(0, "all rules")].as_slice()
    } else {
        &[(0, "as shipped"), (2, "CHOP by prices")]
    };
    for (first, how) in judged {
        for (place, book) in [(0, first + 1), (1, *first)] {
            let key = (format!("{}, {how}", set.name), format!("{} {year}", market.name));
            risk.entry(key).or_default()[place].add_risk(market, &market.risk[book], within);
            let key = (format!("{period}, {how}"), set.cadence.to_owned());
            years.entry(key).or_default()[place].add_risk(market, &market.risk[book], within);
        }
    }
    let mut add = |axis: &str, f: &dyn Fn(&mut Row)| {
        f(&mut others.entry((format!("{period}, {axis}"), set.cadence.to_owned())).or_default()[1]);
    };
    add("trend", &|row| row.add::<TrendRegime>(&market.trend[0], within));
    add("volatility", &|row| row.add(&market.volatility[0], within));
    add("heat", &|row| row.add::<HeatRegime>(&market.heat[0], within));
}

/// Where recordings of minutes lie beside the repository: their labels change no more often than is asked for, and the label is on
/// before no smaller share of the extreme hours than it was.
#[test]
fn risk_labels_of_minutes_change_at_most_twice_a_day() {
    let books = books();
    let (mut is, mut was) = (Row::default(), Row::default());
    for set in sets::SETS.iter().filter(|s| s.cadence == "1m") {
        let Some(markets) = replay(set, &books, 0) else { return };
        for market in &markets {
            let within = (set.counted_from(), Ts::MAX);
            is.add_risk(market, &market.risk[2], within);
            was.add_risk(market, &market.risk[3], within);
        }
    }
    println!("is  {} | {}\nwas {} | {}", is.said(), is.foreseen(), was.said(), was.foreseen());
    assert!(is.label.days > 280.0 && is.hv.events > 300, "{:?}", is.label);
    assert!(is.label.rate() <= 2.0 && was.label.rate() > 4.0, "{:?} {:?}", is.label, was.label);
    let share = |row: &Row| row.hv.share().unwrap().0;
    assert!(share(&is) >= share(&was) - 0.02, "{:?} {:?}", is.hv, was.hv);
}
