//! A stop that is reached is never calm: said of every hour of the built-in history.

use crate::builtin::BuiltIn;
use crate::failure::Failure;
use crate::run::{Run, RunSink};
use barograph_domain::advice::{Position, PositionBook};
use barograph_domain::{InstrumentName, MinuteRow, Side, Snapshot, Span, Status, StreamIndex, Ts};
use barograph_engine::rules::RuleBook;
use barograph_lake::ImportOptions;
use barograph_live::setup::Setup;
use barograph_query::positions::WatchedStops;
use barograph_query::render::Lens;

/// Words that nobody may read whose stop is reached (UX §1).
const CALM: [&str; 4] = ["no action needed", "nothing unusual", "nothing to do now", "follow own rules"];

/// A position whose stop lies a little beyond this price.
fn position(market: &InstrumentName, side: Side, price: f64) -> Position {
    let beyond = if side == Side::Long { 1.001 } else { 0.999 };
    Position {
        id: "p".to_owned(),
        instrument: market.clone(),
        side,
        entry: price,
        stop: Some(price * beyond),
        size: None,
        strategy: None,
        opened_at: Ts::MIN,
        registered_by: PositionBook::User,
    }
}

fn texts(s: &Snapshot) -> [String; 5] {
    let g = &s.guidance;
    [&s.headline, &s.explanation.reasoning, &g.new_entries, &g.open_positions, g.posture_action].map(str::to_lowercase)
}

fn is_calm(said: &[String]) -> bool {
    said.iter().any(|text| CALM.iter().any(|calm| text.contains(calm)))
}

/// Shows every hour of every market to holders of such positions.
struct Holders {
    lenses: Vec<Lens>,
    shown: usize,
    /// Hours that read as calm for whoever holds nothing.
    calm: usize,
}

impl Holders {
    fn show(&mut self, row: &MinuteRow, price: f64) {
        let lens = &self.lenses[row.instrument as usize];
        let market = &lens.instrument.name;
        self.calm += usize::from(is_calm(&texts(&lens.snapshot(row, None))));
        for side in [Side::Long, Side::Short] {
            let stops = WatchedStops::of([(position(market, side, price), None)]);
            let said = texts(&lens.holding(stops.held(market, row)).snapshot(row, None));
            assert!(said[0].contains(" reached: price "), "{market} {}: {}", row.ts, said[0]);
            assert!(said[3].contains("stop reached"), "{market} {}: {}", row.ts, said[3]);
            assert!(!is_calm(&said), "{market} {}: {said:?}", row.ts);
            self.shown += 1;
        }
    }
}

impl RunSink for Holders {
    fn row(&mut self, row: &MinuteRow) -> Result<(), Failure> {
        if let Some(price) = row.price.filter(|_| row.ts.floor(Span::hours(1)) == row.ts) {
            self.show(row, price);
        }
        Ok(())
    }
    fn gap(&mut self, _stream: StreamIndex, _status: &Status, _known_ts: Ts) -> Result<(), Failure> {
        Ok(())
    }
}

#[test]
fn no_hour_of_the_built_in_history_is_calm_for_whose_stop_is_reached() {
    let files = BuiltIn::unpack().ok().unwrap();
    let plan = barograph_lake::plan(&files.paths(), &ImportOptions::new(crate::clock::now())).unwrap();
    let text = RuleBook::shipped_text("default").unwrap();
    let setup = Setup::of(RuleBook::parse("default.toml", text).unwrap(), text.to_owned(), String::new());
    let lenses = plan.instruments().iter().map(|i| setup.lens(i, plan.streams())).collect();
    let mut holders = Holders { lenses, shown: 0, calm: 0 };
    let mut run = Run::new(&setup, plan.instruments(), plan.streams());
    let told = plan.open(None).try_for_each(|event| run.event(&event, &mut holders));
    assert!(told.is_ok());
    assert!(holders.shown > 12_000 && holders.calm > 2_000, "{} shown, {} calm", holders.shown, holders.calm);
}
