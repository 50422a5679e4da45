//! Where the stops of registered positions stand, for headlines: the check that the watch makes, with what it remembers.

use barograph_domain::advice::{Position, SeenPrice, StopState};
use barograph_domain::{Cell, InstrumentName, MinuteRow, Ts};
use barograph_engine::Feature;
use barograph_engine::advice::PositionState;
use barograph_engine::explain::headline::Held;
use barograph_store::{Reader, Result};
use std::collections::BTreeMap;

/// Positions that have a stop, by market, each with what the watch found last.
#[derive(Debug, Default)]
pub(crate) struct Stops(BTreeMap<InstrumentName, Vec<(Position, Option<StopState>)>>);

impl Stops {
    /// Those registered now, or as known at a moment: what is remembered now says nothing of an earlier one.
    pub(crate) fn read(reader: &dyn Reader, as_of: Option<Ts>) -> Result<Self> {
        let mut out = Self::default();
        let mut open: Vec<Position> = reader.positions(as_of)?;
        open.retain(|p| p.stop.is_some());
        if open.is_empty() {
            return Ok(out);
        }
        let states = if as_of.is_none() { reader.position_states()? } else { Vec::new() };
        // What this version cannot read is forgotten.
        let read = |text: &str| serde_json::from_str::<PositionState>(text).ok()?.stop().copied();
        let before: BTreeMap<&str, StopState> =
            states.iter().filter_map(|s| Some((s.position.as_str(), read(&s.state)?))).collect();
        for position in open {
            let found = before.get(position.id.as_str()).copied();
            out.0.entry(position.instrument.clone()).or_default().push((position, found));
        }
        Ok(out)
    }

    /// The worst placed of a market at the price of a row; `None` while all are far from their stops.
    pub(crate) fn held(&self, market: &InstrumentName, row: &MinuteRow) -> Option<Held> {
        let seen = SeenPrice {
            price: row.price?,
            at: Some(row.ts),
            atr: row.cells.get(Feature::Atr14.index()).and_then(Cell::ready),
        };
        let found = self.0.get(market)?.iter().filter_map(|(position, before)| {
            let stop = StopState::of(position.side, position.stop?, seen, row.ts, before.as_ref())?;
            Held::of(position.side, &stop)
        });
        Held::worst(found)
    }
}

#[cfg(test)]
mod tests {
    use super::Stops;
    use crate::builtin::BuiltIn;
    use crate::failure::Failure;
    use crate::render::Lens;
    use crate::run::{Run, Sink};
    use crate::setup::Setup;
    use barograph_domain::advice::{Position, PositionBook};
    use barograph_domain::{InstrumentName, MinuteRow, Side, Snapshot, Span, Status, StreamIndex, Ts};
    use barograph_engine::rules::Book;
    use barograph_lake::ImportOptions;

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
        [&s.headline, &s.explanation.reasoning, &g.new_entries, &g.open_positions, g.posture_action]
            .map(str::to_lowercase)
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
                let stops = Stops([(market.clone(), vec![(position(market, side, price), None)])].into());
                let said = texts(&lens.holding(stops.held(market, row)).snapshot(row, None));
                assert!(said[0].contains(" reached: price "), "{market} {}: {}", row.ts, said[0]);
                assert!(said[3].contains("stop reached"), "{market} {}: {}", row.ts, said[3]);
                assert!(!is_calm(&said), "{market} {}: {said:?}", row.ts);
                self.shown += 1;
            }
        }
    }

    impl Sink for Holders {
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
        let text = Book::shipped_text("default").unwrap();
        let setup = Setup::of(Book::parse("default.toml", text).unwrap(), text.to_owned(), String::new());
        let lenses = plan.instruments().iter().map(|i| Lens::new(&setup, i, plan.streams())).collect();
        let mut holders = Holders { lenses, shown: 0, calm: 0 };
        let mut run = Run::new(&setup, plan.instruments(), plan.streams());
        let told = plan.open(None).try_for_each(|event| run.event(&event, &mut holders));
        assert!(told.is_ok());
        assert!(holders.shown > 12_000 && holders.calm > 2_000, "{} shown, {} calm", holders.shown, holders.calm);
    }
}
