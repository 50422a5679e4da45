//! Advice, baskets and positions, answered from the newest minute in memory or from what was known at a moment.

use super::universe;
use super::{Service, internal, split, unreadable};
use crate::advice::{CHANGES_MAX, EPISODES_WITHIN, Wrong, answer, check, durations};
use crate::positions::{PositionDesk, Synced};
use crate::render::Lens;
use barograph_api::{AskEvents as _, AskMarkets as _, AskPositions, QueryError};
use barograph_domain::advice::{
    AdviceRequest, AdviceView, NewPosition, Position, PositionBook, PositionCard, PositionNotice, SeenPrice,
};
use barograph_domain::portfolio::{BasketFrom, LeftOut, PortfolioRequest, PortfolioView};
use barograph_domain::thresholds::SAME_EXPOSURE;
use barograph_domain::time::LATENESS;
use barograph_domain::{InstrumentName, MinuteRow, RiskRegime, Side, Snapshot, Span, Ts};
use barograph_engine::advice::{
    AdviceBasis, AdviceContext, FarEntry, PositionContext, PositionError, PositionState, PositionWatch, register,
};
use barograph_engine::universe::Asset;
use barograph_store::run::GRID;
use barograph_store::{NoticeQuery, Range, Registered, WatchState};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A position is checked this often whatever comes (R1.71).
const CHECK_EVERY: Span = Span::secs(300);
/// Notices on a card.
const CARD_NOTICES: usize = 10;

impl AskPositions for Service {
    fn advise(&self, request: &AdviceRequest, as_of: Option<Ts>) -> Result<AdviceView, QueryError> {
        check(request).map_err(bad_field)?;
        let id = self.resolve(&request.symbol, false)?;
        let basis = self.basis(&id, as_of)?;
        let seen = basis.as_ref().filter(|_| !request.confirm).and_then(AdviceBasis::seen_price);
        let moment = as_of.unwrap_or_else(|| self.clock.now());
        if let Some(far) = seen.and_then(|seen| FarEntry::of(request.entry, moment, &seen)) {
            return Err(bad_field(Wrong {
                field: "entry".to_owned(),
                value: request.entry.to_string(),
                reason: format!("{far}; if it is meant, ask with confirm: --confirm, or \"confirm\": true"),
            }));
        }
        let basis = basis.map(|basis| self.around(basis, &id, as_of)).transpose()?;
        answer(request, &id.to_string(), basis.as_ref(), &self.desk()?.rules).map_err(bad_field)
    }

    fn portfolio(&self, request: &PortfolioRequest, as_of: Option<Ts>) -> Result<PortfolioView, QueryError> {
        let asked_for = self.asked_for(&request.holdings)?;
        let row = self.universe(as_of)?.ok_or(QueryError::NotCompared { as_of, newest: None })?;
        if !self.holds(&row, as_of) {
            return Err(QueryError::NotCompared { as_of, newest: Some(row.ts) });
        }
        let mut left_out = Vec::new();
        let (mut from, held) = if request.holdings.is_empty() {
            (BasketFrom::Registered, self.registered_holdings(as_of, &row, &mut left_out)?)
        } else {
            (BasketFrom::Request, asked_for)
        };
        let mut basket: Vec<(Asset, Side)> = Vec::new();
        for one in held {
            let Some(market) = row.markets.iter().position(|m| m.instrument == one.market) else {
                let reason = "it is not among the markets that are compared (setting watch)".to_owned();
                left_out.push(LeftOut { instrument: one.market.to_string(), reason });
                continue;
            };
            let notional = if one.side == Side::Short { -one.notional } else { one.notional };
            let (risk, volatility) = self.labels(&one.market, as_of)?.unwrap_or_else(|| {
                let m = &row.markets[market];
                (m.risk, m.volatility)
            });
            basket.push((Asset { market, notional, risk, volatility }, one.side));
        }
        if basket.is_empty() {
            if from == BasketFrom::Request {
                let first = left_out.first().map(|l| l.instrument.clone()).unwrap_or_default();
                return Err(QueryError::BadField {
                    field: "holdings".to_owned(),
                    value: first,
                    reason: "holdings: none of them is among the markets that are compared; see /api/v1/universe"
                        .to_owned(),
                });
            }
            from = BasketFrom::WatchList;
        }
        Ok(universe::view(&row, from, &basket, left_out))
    }

    fn positions(&self, as_of: Option<Ts>) -> Result<Vec<PositionCard>, QueryError> {
        let positions = self.reader.positions(as_of).map_err(internal)?;
        // What is remembered now says nothing of an earlier moment.
        let remembered = if as_of.is_none() { self.remembered()? } else { BTreeMap::new() };
        let mut bases = Bases { service: self, as_of, known: BTreeMap::new() };
        positions.into_iter().map(|p| bases.card(&p, remembered.get(&p.id))).collect()
    }

    fn register(&self, new: &NewPosition) -> Result<PositionCard, QueryError> {
        let desk = self.desk()?;
        let position = self.meant(new, PositionBook::User, self.clock.now())?;
        self.not_of_the_file(&position.id)?;
        desk.put(&position, self.clock.now()).map_err(unwritable)?;
        self.stops.forget();
        self.board.hub.notices_moved();
        Bases { service: self, as_of: None, known: BTreeMap::new() }.card(&position, None)
    }

    fn unregister(&self, id: &str) -> Result<(), QueryError> {
        let desk = self.desk()?;
        self.not_of_the_file(id)?;
        if desk.remove(id, self.clock.now()).map_err(unwritable)? {
            self.stops.forget();
            self.board.hub.notices_moved();
            return Ok(());
        }
        Err(QueryError::UnknownPosition { id: id.to_owned() })
    }

    fn notices(
        &self,
        position: Option<&str>,
        as_of: Option<Ts>,
        limit: usize,
    ) -> Result<Vec<PositionNotice>, QueryError> {
        let query = NoticeQuery { position: position.map(str::to_owned), instrument: None, as_of, limit };
        self.reader.notices(&query).map_err(internal)
    }
}

impl Service {
    /// Positions are kept there from now on.
    pub fn keep_positions(&self, desk: Arc<PositionDesk>) {
        // Set once, where the process begins.
        drop(self.desk.set(desk));
    }

    pub(super) fn desk(&self) -> Result<&PositionDesk, QueryError> {
        let none = || QueryError::Unavailable { reason: "this process keeps no positions".to_owned() };
        self.desk.get().map(|d| &**d).ok_or_else(none)
    }

    /// What lies around a market: events that are near, and positions in markets that move with it.
    fn around(&self, basis: AdviceBasis, id: &InstrumentName, as_of: Option<Ts>) -> Result<AdviceBasis, QueryError> {
        let basis = match self.known_calendar(as_of)? {
            Some(calendar) => basis.with_calendar(&calendar),
            None => basis,
        };
        let basis = basis.with_health(self.health_score(id, as_of)?);
        Ok(match self.overlaps(id, as_of)? {
            Some(overlaps) => basis.with_overlaps(overlaps),
            None => basis,
        })
    }

    /// Health of the market, 0 to 100 (R3.28); `None` where nothing of it is stored or no stream was valid.
    fn health_score(&self, id: &InstrumentName, as_of: Option<Ts>) -> Result<Option<f64>, QueryError> {
        // Of the present the board has it, as the context states it: nothing is read for it.
        if let (None, Some(known)) = (as_of, self.health_on_board(id)) {
            return Ok(known.score);
        }
        match self.analysis(id, as_of) {
            Ok(checked) => Ok(checked.health.score),
            Err(e) if self.is_empty(&e) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// Correlation to the other markets in which positions are open; `None` while it is not known and could be too high.
    fn overlaps(&self, id: &InstrumentName, as_of: Option<Ts>) -> Result<Option<Vec<(String, f64)>>, QueryError> {
        let Some(hour) = self.newest_hour(as_of)? else { return Ok(None) };
        let holds = self.holds(&hour, as_of);
        let place = |name: &InstrumentName| hour.markets.iter().position(|m| m.instrument == *name);
        let mut others: Vec<InstrumentName> =
            self.reader.positions(as_of).map_err(internal)?.into_iter().map(|p| p.instrument).collect();
        others.sort();
        others.dedup();
        others.retain(|other| other != id);
        let (mut known, mut missing) = (Vec::new(), false);
        for other in others {
            let places = place(id).zip(place(&other)).filter(|_| holds);
            let pair = places.and_then(|(a, b)| hour.pair(a, b)?.corr_20.value);
            match pair {
                Some(corr) => known.push((other.symbol, corr)),
                None => missing = true,
            }
        }
        let is_one = known.iter().any(|(_, corr)| *corr > SAME_EXPOSURE);
        Ok((is_one || !missing).then_some(known))
    }

    /// What is known of a market; `None` where there is no snapshot of it.
    fn basis(&self, id: &InstrumentName, as_of: Option<Ts>) -> Result<Option<AdviceBasis>, QueryError> {
        if let (None, Some(latest)) = (as_of, self.market(id)) {
            let now = self.clock.now();
            let snapshot = self.rendered(&latest, now)?.snapshot;
            return self.filled(snapshot, &latest.row, (now, None), &latest.lens).map(Some);
        }
        let found = self.run(id, None).and_then(|(info, lens)| self.newest(&info, &lens, as_of));
        let (lens, rows) = match found {
            Ok(found) => found,
            Err(e) if self.is_empty(&e) => return Ok(None),
            Err(other) => return Err(other),
        };
        let (row, previous) = split(&rows)?;
        let lens = self.holding(&lens, row, as_of)?;
        let calls = crate::calls::before(self.reader.as_ref(), &lens, row, self.in_use.get()).map_err(internal)?;
        let lens = lens.stating(calls);
        let moment = as_of.unwrap_or_else(|| self.clock.now());
        let snapshot = match as_of {
            Some(moment) => lens.as_of(row, previous, moment),
            None => lens.at_present(row, previous, moment),
        };
        self.filled(Arc::new(snapshot), row, (moment, as_of), &lens).map(Some)
    }

    /// A snapshot with what the store knows beside it: the levels that stand, and how long such episodes lasted.
    fn filled(
        &self,
        snapshot: Arc<Snapshot>,
        row: &MinuteRow,
        (moment, as_of): (Ts, Option<Ts>),
        lens: &Lens,
    ) -> Result<AdviceBasis, QueryError> {
        let label = snapshot.regimes.risk.label;
        let id = snapshot.instrument.clone();
        let basis = AdviceBasis::new(snapshot, row, moment)
            .with_verdict(lens.book.verdict)
            .with_positions(lens.care_by_stop(row, read_at(row, moment, as_of)));
        let run = match self.run_at(&id, None, as_of) {
            Ok(run) => run,
            // The first minute of a live market is in memory before it is in the store.
            Err(e) if self.is_empty(&e) => return Ok(basis),
            Err(other) => return Err(other),
        };
        let levels = crate::levels::standing(self.reader.as_ref(), &run, as_of, moment).map_err(internal)?;
        // A market with bars has levels: none at all means that they are not known, not that there are no stops.
        let basis = if levels.is_empty() { basis } else { basis.with_levels(levels) };
        if label == RiskRegime::Normal {
            return Ok(basis);
        }
        let range = Range { start: moment - EPISODES_WITHIN, end: Ts::MAX };
        let changes = self.reader.label_changes(&run.key, range, CHANGES_MAX, as_of).map_err(internal)?;
        Ok(basis.with_past(&durations(&changes.items, label)))
    }

    /// What the watch remembers, by position; what this version cannot read is forgotten.
    fn remembered(&self) -> Result<BTreeMap<String, PositionState>, QueryError> {
        let states = self.reader.position_states().map_err(internal)?;
        let read = |s: WatchState| Some((s.position, serde_json::from_str(&s.state).ok()?));
        Ok(states.into_iter().filter_map(read).collect())
    }

    fn not_of_the_file(&self, id: &str) -> Result<(), QueryError> {
        let known = self.reader.positions(None).map_err(internal)?;
        match known.iter().find(|p| p.id == id && p.registered_by == PositionBook::File) {
            None => Ok(()),
            Some(_) => Err(QueryError::Conflict {
                reason: format!("position '{id}' is kept by the positions file"),
                hint: "change the file; it is read again when it changes".to_owned(),
            }),
        }
    }

    fn meant(&self, new: &NewPosition, by: PositionBook, now: Ts) -> Result<Position, QueryError> {
        let market = self.resolve(&new.symbol, false)?;
        let seen = if new.confirm { None } else { self.seen_price(&market)? };
        register(new, market, now, by, seen).map_err(bad_position)
    }

    /// The newest price of a market; `None` while it has none.
    fn seen_price(&self, id: &InstrumentName) -> Result<Option<SeenPrice>, QueryError> {
        let basis = match self.basis(id, None) {
            Err(QueryError::OtherBook { .. }) => None,
            known => known?,
        };
        Ok(basis.as_ref().and_then(AdviceBasis::seen_price))
    }

    /// What the positions file lists, as it would be taken up: those not registered yet, and what is wrong with the rest.
    pub fn listed_positions(&self, entries: &[NewPosition]) -> Result<(Vec<PositionCard>, Vec<String>), QueryError> {
        let known = self.reader.positions(None).map_err(internal)?;
        let mut bases = Bases { service: self, as_of: None, known: BTreeMap::new() };
        let (mut cards, mut problems) = (Vec::new(), Vec::new());
        for (n, entry) in (1..).zip(entries) {
            match self.entry(entry, &known) {
                Ok(p) if known.iter().any(|k| k.id == p.id) => {}
                Ok(p) => cards.push(bases.card(&p, None)?),
                Err(e) => problems.push(not_taken(n, entry, self.until_now(entry, &known), &e)),
            }
        }
        Ok((cards, problems))
    }

    /// An entry of the positions file. One that was taken up is not compared with the market again: that has moved since.
    fn entry(&self, entry: &NewPosition, known: &[Position]) -> Result<Position, QueryError> {
        let now = self.clock.now();
        let market = self.resolve(&entry.symbol, false)?;
        let position = register(entry, market, now, PositionBook::File, None).map_err(bad_position)?;
        match known.iter().find(|p| p.id == position.id) {
            // Without a moment of its own an entry was opened when it was first seen.
            Some(before) if entry.opened_at.is_none() => Ok(Position { opened_at: before.opened_at, ..position }),
            Some(_) => Ok(position),
            None => self.meant(entry, PositionBook::File, now),
        }
    }

    /// The position that an entry has been until now, where it is refused as it stands.
    fn until_now<'a>(&self, entry: &NewPosition, known: &'a [Position]) -> Option<&'a Position> {
        let id = if let Some(id) = &entry.id {
            id.clone()
        } else {
            let market = self.resolve(&entry.symbol, false).ok()?;
            // Neither stop nor size is part of an id: whatever is wrong with these, it is the same position.
            let lenient = NewPosition { stop: None, size: None, confirm: true, ..entry.clone() };
            register(&lenient, market, self.clock.now(), PositionBook::File, None).ok()?.id
        };
        known.iter().find(|p| p.id == id && p.registered_by == PositionBook::File)
    }

    /// Makes the positions of the file those of its entries. One that is refused stays what it was: an old stop that is watched
    /// is safer than none.
    pub fn sync_positions(&self, entries: &[NewPosition]) -> Result<Synced, String> {
        let now = self.clock.now();
        let (Ok(desk), Ok(known)) = (self.desk(), self.reader.positions(None)) else {
            return Err("the store is away".to_owned());
        };
        let (mut synced, mut listed) = (Synced::default(), Vec::new());
        for (n, entry) in (1..).zip(entries) {
            let (before, refused) = match self.entry(entry, &known) {
                Ok(position) => {
                    listed.push(position.id.clone());
                    match desk.put(&position, now) {
                        Ok(put) => {
                            synced.watched += 1;
                            synced.changed += usize::from(put != Registered::Same);
                            continue;
                        }
                        Err(e) => (known.iter().find(|p| p.id == position.id), e.to_string()),
                    }
                }
                Err(e) => {
                    let before = self.until_now(entry, &known).filter(|p| !listed.contains(&p.id));
                    listed.extend(before.map(|p| p.id.clone()));
                    (before, e.to_string())
                }
            };
            synced.watched += usize::from(before.is_some());
            synced.problems.push(not_taken(n, entry, before, &refused));
        }
        // An entry that is not understood may be one of those: nothing goes until all are.
        let gone = known.iter().filter(|p| p.registered_by == PositionBook::File && !listed.contains(&p.id));
        if !synced.problems.is_empty() {
            synced.left = gone.count();
        } else {
            for p in gone {
                match desk.remove(&p.id, now) {
                    Ok(_) => synced.changed += 1,
                    Err(e) => synced.problems.push(format!("position {} is not taken out: {e}", p.id)),
                }
            }
        }
        if synced.changed > 0 {
            self.stops.forget();
        }
        Ok(synced)
    }

    /// Checks the positions whose market has a new minute, and those that were not checked for 300 s; what was found is
    /// stored before it is reported.
    pub fn check_positions(&self) -> Result<Vec<PositionNotice>, QueryError> {
        let desk = self.desk()?;
        let now = self.clock.now();
        let mut watched = desk.watched();
        if !watched.loaded {
            for (id, state) in self.remembered()? {
                watched.watch.restore(&id, state);
            }
            watched.loaded = true;
        }
        let newest = self.newest_minutes();
        if watched.newest.as_ref() == Some(&newest) && now - watched.asked < CHECK_EVERY {
            return Ok(Vec::new());
        }
        let positions = self.reader.positions(None).map_err(internal)?;
        let mut bases = Bases { service: self, as_of: None, known: BTreeMap::new() };
        // What cannot be stored has not happened: the next check finds it again.
        let mut watch: PositionWatch = watched.watch.clone();
        watch.retain(|id| positions.iter().any(|p| p.id == id));
        let (mut states, mut notices, mut looked) = (Vec::new(), Vec::new(), Vec::new());
        for p in &positions {
            let minute = self.market(&p.instrument).map_or(Ts::MIN, |l| l.row.ts);
            let due = watched.looked.get(&p.id).is_none_or(|(m, at)| *m < minute || now - *at >= CHECK_EVERY);
            if !due {
                continue;
            }
            notices.extend(bases.check(p, |ctx| watch.check(p, ctx))?);
            let state = watch.state(&p.id).and_then(|s| serde_json::to_string(s).ok());
            states.extend(state.map(|state| WatchState { position: p.id.clone(), state }));
            looked.push((p.id.clone(), (minute, now)));
        }
        if !states.is_empty() {
            desk.record(&states, &notices).map_err(unwritable)?;
            self.stops.forget();
        }
        if !notices.is_empty() {
            self.board.hub.notices_moved();
        }
        watched.watch = watch;
        watched.looked.retain(|id, _| positions.iter().any(|p| p.id == *id));
        watched.looked.extend(looked);
        (watched.newest, watched.asked) = (Some(newest), now);
        Ok(notices)
    }

    /// Changes whenever a market has a new minute: the newest there is, and how many markets have it.
    fn newest_minutes(&self) -> (Ts, usize) {
        let all = self.newest_of_all();
        let newest = all.iter().map(|l| l.row.ts).max().unwrap_or(Ts::MIN);
        (newest, all.iter().filter(|l| l.row.ts == newest).count())
    }
}

/// What is known of the markets that one answer needs, each read once.
struct Bases<'a> {
    service: &'a Service,
    as_of: Option<Ts>,
    known: BTreeMap<InstrumentName, Option<AdviceBasis>>,
}

impl Bases<'_> {
    fn check<T>(&mut self, position: &Position, look: impl FnOnce(&PositionContext<'_>) -> T) -> Result<T, QueryError> {
        let name = &position.instrument;
        if !self.known.contains_key(name) {
            let basis = match self.service.basis(name, self.as_of) {
                // The position is there whatever the market was computed with; its context is not.
                Err(QueryError::OtherBook { .. }) => None,
                known => known?,
            };
            self.known.insert(name.clone(), basis);
        }
        let moment = self.as_of.unwrap_or_else(|| self.service.clock.now());
        let unknown = AdviceContext::of_label(moment, RiskRegime::Unknown, moment);
        let basis = self.known.get(name).and_then(Option::as_ref);
        let market = basis.map_or(unknown, AdviceBasis::context);
        let volatility_since = basis.and_then(AdviceBasis::volatility_since);
        Ok(look(&PositionContext { market, volatility_since, cascade: None }))
    }

    /// The card of a position as it is now: what a check would find is shown, and delivered by the watch alone.
    fn card(&mut self, position: &Position, state: Option<&PositionState>) -> Result<PositionCard, QueryError> {
        let mut state = state.cloned().unwrap_or_default();
        let _told_by_the_watch = self.check(position, |ctx| state.check(position, ctx))?;
        let notices = self.service.notices(Some(&position.id), self.as_of, CARD_NOTICES)?;
        Ok(state.card(position, notices))
    }
}

/// The moment at which a row is read, as [`Lens::as_of`] has it: one asked about within its own minute reads as published.
fn read_at(row: &MinuteRow, moment: Ts, as_of: Option<Ts>) -> Ts {
    if as_of.is_some() && moment < row.ts + GRID + LATENESS { row.ts } else { moment }
}

/// Why an entry of the positions file is refused, and what is watched in its place.
fn not_taken(n: usize, entry: &NewPosition, before: Option<&Position>, why: &dyn core::fmt::Display) -> String {
    let why = why.to_string();
    // What is a flag elsewhere is a key with a value in the file.
    let value = if why.ends_with("with confirm") { " = true" } else { "" };
    let still = match before.map(|p| p.stop) {
        None => String::new(),
        Some(None) => "; still watched without a stop".to_owned(),
        Some(Some(stop)) => format!("; still watched with its stop {stop}"),
    };
    format!("position {n} ({}) is not taken up: {why}{value}{still}", entry.symbol)
}

fn bad_field(w: Wrong) -> QueryError {
    QueryError::BadField { field: w.field, value: w.value, reason: w.reason }
}

fn bad_position(e: PositionError) -> QueryError {
    let reason = e.to_string();
    let (field, value) = match e {
        PositionError::Side(word) => ("side", word),
        PositionError::Number(n) => (n.field, n.shown()),
        PositionError::WrongSide { stop, .. } => ("stop", stop.to_string()),
        PositionError::Far(far) => ("entry", far.entry.to_string()),
        PositionError::OpenedAt(text) => ("opened_at", text),
        PositionError::Text(field, text) => (field, text),
    };
    QueryError::BadField { field: field.to_owned(), value, reason }
}

/// A store that cannot be written is reported with its reason: the caller can do something about a read-only folder.
pub(super) fn unwritable(e: barograph_store::Error) -> QueryError {
    if e.recovery() == barograph_store::Recovery::RetryAfter {
        return internal(e);
    }
    unreadable(&e.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Side;

    #[test]
    fn a_refused_entry_says_what_is_watched_instead() {
        let entry: NewPosition = serde_json::from_value(
            serde_json::json!({"symbol": "BTCUSDT", "side": "long", "entry": 63_000.0, "stop": 84_000.0}),
        )
        .unwrap();
        let market = InstrumentName::parse("binance-usdm:BTCUSDT").unwrap();
        let refused = register(&entry, market.clone(), Ts::from_secs(1), PositionBook::File, None).unwrap_err();
        let before = |stop| Position {
            id: "held".to_owned(),
            instrument: market.clone(),
            side: Side::Long,
            entry: 63_000.0,
            stop,
            size: None,
            strategy: None,
            opened_at: Ts::from_secs(1),
            registered_by: PositionBook::File,
        };
        let why = "position 1 (BTCUSDT) is not taken up: stop 84000 is above the entry 63000 of a long: it must be below it; a \
                   stop that was trailed past the entry is registered with confirm = true";
        assert_eq!(not_taken(1, &entry, None, &refused), why);
        for (stop, still) in [(Some(62_000.0), "with its stop 62000"), (None, "without a stop")] {
            let said = not_taken(1, &entry, Some(&before(stop)), &refused);
            assert_eq!(said, format!("{why}; still watched {still}"));
        }
    }
}
