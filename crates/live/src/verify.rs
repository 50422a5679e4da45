//! `verify determinism DIR`: a live data folder's journal through the same code again, compared with what was published.

use crate::config::LiveConfig;
use crate::core::{Core, CoreSink};
use crate::digest::{alert_bytes, model_bytes, open_bytes};
use crate::replay::{self, journal_folder, setup_of};
use crate::setup::Setup;
use crate::{Error, chain, checkpoint};
use barograph_domain::time::LATENESS;
use barograph_domain::{Instrument, InstrumentName, KnownAlert, MinuteRow, Span, StreamDecl, Ts, UniverseRow};
use barograph_engine::AlertOut;
use barograph_lake::journal::{ControlRecord, EntryKind, JournalReader};
use barograph_query::render::{Lens, align};
use barograph_query::service::lens_of;
use barograph_store::{AlertQuery, Range, Reader, RowQuery, RunInfo};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

/// Rows read from the store at once.
const PAGE: usize = 2_000;
/// Differences named.
const NAMED_MAX: usize = 10;

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Found {
    /// Snapshots that were published and made again with the same id.
    pub equal: u64,
    /// Snapshots that were published: those stored, and those that lie between stored ones and are not.
    pub published: u64,
    /// Records of alerts that were published and made again, bit for bit.
    pub alerts_equal: u64,
    /// Records of alerts that were published.
    pub alerts: u64,
    /// Hours between markets that were published and made again, bit for bit.
    pub hours_equal: u64,
    /// Hours between markets that were published.
    pub hours: u64,
    /// Over the ids that were made again, in order.
    pub hash: String,
    /// The first differences, in words.
    pub differences: Vec<String>,
}

/// Replays the folder's journal and compares.
pub fn run(data: &Path, reader: &dyn Reader) -> Result<Found, Error> {
    let setup = setup_of(data)?.ok_or_else(|| {
        let control = journal_folder(data).join("control");
        Error::refused(format!(
            "{} has no record of a process start; restore that folder from a copy",
            control.display()
        ))
    })?;
    let mut ids = Ids::new(&setup);
    let (core, begun) = begin(data, &setup, &mut ids)?;
    let (core, done) = replay::run(data, &setup, core, &mut ids)?;
    for trouble in &done.troubles {
        drop(writeln!(std::io::stderr(), "barograph: {trouble}"));
    }
    if core.is_none() {
        return Err(Error::refused(format!(
            "the journal of {} begins in the middle and no checkpoint fits it",
            data.display()
        )));
    }
    let span = Range { start: begun, end: done.last.unwrap_or(begun) };
    compare(reader, &setup, &ids, span)
}

/// Where a replay can begin: at the journal's start, else at the oldest checkpoint within it.
fn begin(data: &Path, setup: &Setup, ids: &mut Ids) -> Result<(Option<Core>, Ts), Error> {
    let mut reader = JournalReader::open(&journal_folder(data), None).map_err(|e| Error::failed(chain(&e)))?;
    let first = reader.next().map_err(|e| Error::failed(chain(&e)))?;
    let Some(first) = first else { return Ok((None, Ts(0))) };
    if let EntryKind::Control(ControlRecord::Start { config, resumed_from: None, .. }) = &first.kind {
        LiveConfig::from_json(config)?;
        return Ok((None, first.at));
    }
    for path in checkpoint::files(data)? {
        if let Ok(saved) = checkpoint::read(&path)
            && saved.at >= first.at
            && let Ok(core) = checkpoint::restore(saved, setup, ids)
        {
            let at = core.at;
            return Ok((Some(core), at));
        }
    }
    Ok((None, first.at))
}

fn compare(reader: &dyn Reader, setup: &Setup, ids: &Ids, span: Range) -> Result<Found, Error> {
    let mut found = Found::default();
    let mut hash = Sha256::new();
    for id in ids.made.values() {
        hash.update(id);
    }
    found.hash = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
    let mut newest: BTreeMap<InstrumentName, Ts> = BTreeMap::new();
    for info in reader.runs(None)? {
        if info.spec.key.logic_version != setup.logic_version {
            continue;
        }
        let name = info.spec.key.instrument.clone();
        let lens = lens_of(reader, &info)?;
        let mut start = span.start;
        let mut stored_at: BTreeSet<Ts> = BTreeSet::new();
        loop {
            let query =
                RowQuery { range: Range { start, end: span.end }, every: None, after: None, limit: PAGE, as_of: None };
            let mut rows = reader.history(&info.spec.key, &query)?;
            align(&mut rows.rows, &rows.columns);
            let lens = lens.over(&rows);
            for row in &rows.rows {
                found.published += 1;
                stored_at.insert(row.ts);
                let stored = identity(&lens, row);
                match ids.made.get(&(name.clone(), row.ts)) {
                    Some(made) if *made == stored => found.equal += 1,
                    Some(made) => found.note(format!("{name} at {}: published {stored}, made again {made}", row.ts)),
                    None => found.note(format!("{name} at {}: published {stored}, not made again", row.ts)),
                }
            }
            match rows.next {
                Some(next) => start = next,
                None => break,
            }
        }
        // What was reported and is not stored is lost. What comes after the newest stored minute may be stored by the next start; whether
        // it was to be stored already is seen from other markets.
        let (Some(first), Some(last)) = (stored_at.first(), stored_at.last()) else { continue };
        newest.insert(name.clone(), *last);
        let range = (name.clone(), *first)..(name.clone(), *last);
        for ((_, ts), made) in ids.made.range(range).filter(|((_, ts), _)| !stored_at.contains(ts)) {
            found.published += 1;
            found.note(format!("{name} at {ts}: made again {made}, not in the store"));
        }
        compare_alerts(reader, &info, ids, Compared::until(span, *last), &mut found)?;
    }
    found.note_absent(&ids.made, &newest);
    compare_hours(reader, &setup.logic_version, ids, span, &mut found)?;
    Ok(found)
}

impl Found {
    /// Minutes that are made again, lie behind the newest one stored of their market, and before the newest of others: whoever was to
    /// store them has not.
    fn note_absent(&mut self, made: &MadeIds, newest: &BTreeMap<InstrumentName, Ts>) {
        let Some(last) = newest.values().max() else { return };
        let mut absent: BTreeMap<&InstrumentName, (u64, Ts)> = BTreeMap::new();
        let is_absent = |name: &InstrumentName, ts: &Ts| ts < last && newest.get(name).is_none_or(|own| ts > own);
        for (name, ts) in made.keys().filter(|(name, ts)| is_absent(name, ts)) {
            absent.entry(name).or_insert((0, *ts)).0 += 1;
        }
        for (name, (minutes, first)) in absent.into_iter().filter(|(_, (minutes, _))| *minutes > APART_MAX) {
            self.published += minutes;
            self.note(format!(
                "{name}: {minutes} minutes from {first} on are made again, and none of them is in the store"
            ));
        }
    }
}

/// Hours between markets until the newest published one: each is made again, and none besides. What was computed from stored
/// minutes is not the journal's.
fn compare_hours(
    reader: &dyn Reader,
    logic_version: &str,
    ids: &Ids,
    span: Range,
    found: &mut Found,
) -> Result<(), Error> {
    let published: BTreeSet<Ts> = reader.published_hours(logic_version, span)?.into_iter().collect();
    let (Some(first), Some(last)) = (published.first(), published.last()) else { return Ok(()) };
    let mut range = Range { start: *first, end: span.end };
    loop {
        let page = reader.universe(logic_version, range, PAGE, None)?;
        for row in page.items.iter().filter(|row| published.contains(&row.ts)) {
            found.hours += 1;
            if ids.hours.get(&row.ts) == Some(&hour_print(row)?) {
                found.hours_equal += 1;
            } else {
                found.note(format!(
                    "the correlations of {} were published; computed again they differ or are missing",
                    row.ts
                ));
            }
        }
        match page.next {
            Some(next) => range.start = next,
            None => break,
        }
    }
    for (ts, _) in ids.hours.range(*first..*last).filter(|(ts, _)| !published.contains(ts)) {
        found.hours += 1;
        found.note(format!("the correlations of {ts} are computed again and not in the store"));
    }
    Ok(())
}

/// A hash of all that an hour says.
fn hour_print(row: &UniverseRow) -> Result<u64, Error> {
    let text = serde_json::to_vec(row).map_err(Error::failed)?;
    Ok(Sha256::digest(&text).first_chunk().copied().map_or(0, u64::from_le_bytes))
}

/// Which records of a market's alerts are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Compared {
    /// By the moment they were known.
    range: Range,
    /// The newest stored minute.
    minute: Ts,
}

impl Compared {
    /// Those of the newest stored minute too, which are known with it, a moment behind its stamp; nothing that lies behind the
    /// journal's last entry, which no replay can make.
    fn until(span: Range, minute: Ts) -> Self {
        let end = (minute + LATENESS).min(span.end) + Span(1);
        Self { range: Range { start: span.start, end: end.max(span.start) }, minute }
    }

    /// Must a record that is made again be in the store? What an hour between markets says comes behind the row of its minute, and
    /// may not have been stored when the process ended: the next start stores it.
    fn owes(&self, known_at: Ts, of_pair: bool) -> bool {
        self.range.contains(known_at) && (!of_pair || known_at < self.minute)
    }
}

/// Records of alerts until the newest stored minute: each that was published is made again, and none besides.
fn compare_alerts(
    reader: &dyn Reader,
    info: &RunInfo,
    ids: &Ids,
    compared: Compared,
    found: &mut Found,
) -> Result<(), Error> {
    let key = &info.spec.key;
    let name = &key.instrument;
    let mut stored = BTreeSet::new();
    for known in reader.alerts(key, &AlertQuery { range: compared.range, ..AlertQuery::default() })?.items {
        let (own, hash) = print(name, &key.logic_version, &known);
        found.alerts += 1;
        if ids.alerts.get(&own).is_some_and(|made| made.hash == hash) {
            found.alerts_equal += 1;
        } else {
            let pattern = known.alert.pattern.name();
            found.note(format!(
                "{name} at {}: {pattern} was published, made again it differs or is missing",
                known.known_at
            ));
        }
        stored.insert(own);
    }
    let own = |(key, made): &(&AlertKey, &MadeAlert)| {
        key.0 == *name && compared.owes(key.1, made.of_pair) && !stored.contains(*key)
    };
    for ((_, at, id, _), _) in ids.alerts.iter().filter(own) {
        found.alerts += 1;
        found.note(format!("{name} at {at}: the alert {id} is made again and not in the store"));
    }
    Ok(())
}

/// Market, moment it was known, id and number within the episode.
type AlertKey = (InstrumentName, Ts, String, u32);

/// A record of an alert that a replay has made.
#[derive(Clone, Copy, Debug)]
struct MadeAlert {
    /// Of all that it says.
    hash: u64,
    /// It is of two markets, by an hour between them.
    of_pair: bool,
}

/// What a record is found by, and a hash of all that it says.
fn print(name: &InstrumentName, logic_version: &str, known: &KnownAlert) -> (AlertKey, u64) {
    let mut bytes = Vec::new();
    alert_bytes(&known.alert, &mut bytes);
    let hash = Sha256::digest(&bytes).first_chunk().copied().map_or(0, u64::from_le_bytes);
    let id = known.alert.id(name, logic_version);
    ((name.clone(), known.known_at, id, known.alert.revision), hash)
}

/// What a minute is compared by: its snapshot id, a hash of the other things it says (headline, guidance, open alerts), and
/// what models said of it, where they are on.
fn identity(lens: &Lens, row: &MinuteRow) -> String {
    let snapshot = lens.snapshot(row, None);
    let mut said = snapshot.headline.into_bytes();
    let guidance = &snapshot.guidance;
    for word in [guidance.risk_bias_action, guidance.posture_action, &guidance.new_entries, &guidance.open_positions] {
        said.push(0);
        said.extend_from_slice(word.as_bytes());
    }
    open_bytes(&row.open, &mut said);
    let id = hex(&said, snapshot.snapshot_id + " says ");
    if row.models.is_empty() {
        return id;
    }
    said.clear();
    model_bytes(&row.models, &mut said);
    hex(&said, id + " models ")
}

/// Appends the beginning of a hash.
fn hex(bytes: &[u8], text: String) -> String {
    Sha256::digest(bytes).iter().take(6).fold(text, |text, b| text + &format!("{b:02x}"))
}

impl Found {
    fn note(&mut self, difference: String) {
        if self.differences.len() < NAMED_MAX {
            self.differences.push(difference);
        }
    }
}

/// Ids of snapshots by market and minute.
type MadeIds = BTreeMap<(InstrumentName, Ts), String>;

/// So many minutes one market may be behind another: its first may not be whole, and workers of a cluster store theirs one after the other.
const APART_MAX: u64 = 2;

/// The ids of all snapshots that a replay makes.
struct Ids {
    setup: Setup,
    lenses: Vec<Lens>,
    made: MadeIds,
    alerts: BTreeMap<AlertKey, MadeAlert>,
    hours: BTreeMap<Ts, u64>,
}

impl Ids {
    fn new(setup: &Setup) -> Self {
        Self {
            setup: setup.clone(),
            lenses: Vec::new(),
            made: BTreeMap::new(),
            alerts: BTreeMap::new(),
            hours: BTreeMap::new(),
        }
    }
}

impl CoreSink for Ids {
    fn hour(&mut self, row: &UniverseRow) -> Result<(), Error> {
        self.hours.insert(row.ts, hour_print(row)?);
        Ok(())
    }
    fn alert(&mut self, alert: &AlertOut) -> Result<(), Error> {
        if let Some(lens) = self.lenses.get(alert.instrument as usize) {
            let (key, hash) = print(&lens.instrument.name, &lens.logic_version, &alert.known);
            let of_pair = alert.known.alert.other.is_some();
            self.alerts.insert(key, MadeAlert { hash, of_pair });
        }
        Ok(())
    }
    fn row(&mut self, row: &MinuteRow) -> Result<(), Error> {
        if let Some(lens) = self.lenses.get(row.instrument as usize) {
            let id = identity(lens, row);
            self.made.insert((lens.instrument.name.clone(), row.ts), id);
        }
        Ok(())
    }
    fn grown(
        &mut self,
        instruments: &[Instrument],
        streams: &[StreamDecl],
        _not_offered: &[StreamDecl],
    ) -> Result<(), Error> {
        let shared: Arc<[StreamDecl]> = streams.into();
        self.lenses =
            instruments.iter().map(|i| Lens { streams: Arc::clone(&shared), ..self.setup.lens(i, &[]) }).collect();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_of_the_newest_minute_are_compared_as_far_as_the_journal_goes() {
        let minute = Ts::from_civil(2026, 10, 1, 12, 5, 0);
        let (start, known) = (minute - Span::hours(1), minute + LATENESS);
        let whole = Compared::until(Range { start, end: minute + Span::secs(30) }, minute);
        assert!(whole.range.contains(minute) && whole.range.contains(known));
        assert!(!whole.range.contains(known + Span(1)), "of a minute that is in progress");
        assert!(whole.owes(known, false) && !whole.owes(known, true));
        assert!(whole.owes(minute - Span(1), true));
        let torn = Compared::until(Range { start, end: minute + Span::millis(100) }, minute);
        assert!(torn.range.contains(minute + Span::millis(100)) && !torn.range.contains(known));
        let nothing = Compared::until(Range { start, end: start }, start - Span::mins(5));
        assert!(nothing.range.end >= nothing.range.start);
    }
    #[test]
    fn a_market_of_which_nothing_is_stored_is_missing_once_others_have_later_minutes() {
        let minute = |n: i64| Ts::from_civil(2026, 10, 1, 12, 0, 0) + Span::mins(n);
        let name = |text: &str| InstrumentName::parse(text).unwrap();
        let (here, gone) = (name("binance-usdm:BTCUSDT"), name("binance-usdm:ETHUSDT"));
        let made =
            (0..6).flat_map(|n| [&here, &gone].map(|market| ((market.clone(), minute(n)), "id".to_owned()))).collect();
        let absent = |newest: &[(&InstrumentName, i64)]| {
            let mut found = Found::default();
            let newest = newest.iter().map(|(name, n)| ((*name).clone(), minute(*n))).collect();
            found.note_absent(&made, &newest);
            (found.published, found.differences.join("; "))
        };
        let (published, words) = absent(&[(&here, 3)]);
        assert_eq!(published, 3, "the newest minute may be stored next");
        assert!(words.starts_with("binance-usdm:ETHUSDT: 3 minutes from 2026-10-01T12:00"), "{words}");
        assert_eq!(absent(&[(&here, 3), (&gone, 1)]), (0, String::new()), "one is stored after the other");
        let (published, words) = absent(&[(&here, 5), (&gone, 1)]);
        assert_eq!(published, 3, "{words}");
        assert!(
            words.starts_with("binance-usdm:ETHUSDT: 3 minutes from 2026-10-01T12:02"),
            "it has ended, and nobody goes on: {words}"
        );
        assert_eq!(absent(&[]), (0, String::new()), "of an empty store nothing is known");
    }
}
