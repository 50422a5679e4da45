//! All that the store has for the originals' sake. What their tables are made of (R3.42–R3.45, R4.37; ADR 22) is here: one wide
//! row of a market and minute, settled rates, single liquidations. [`schema`] declares the tables, and the views in [`files`] and
//! [`servers`] show them under the names and columns people know.
//!
//! The row of a minute holds the last value of each metric whose time lies within it. Rows on the hour stay for ever, those
//! between for the two hours before the newest. All of it follows from the points, and a store that was made before there
//! were such tables is filled from them once.

pub(crate) mod files;
pub(crate) mod schema;
pub(crate) mod servers;

use self::schema::market_rows;
use super::db::{Connection, NONE, SqlValue, params};
use super::fault::{Inner, SqlFault};
use super::pieces::Fact;
use super::prune::Only;
use super::{corrections, points, streams};
use crate::postgres::alone;
use crate::run::GRID;
use barograph_domain::{Event, Instrument, InstrumentName, Metric, Payload, Side, Span, StreamDecl, Ts, Venue};
use std::collections::{BTreeMap, BTreeSet};

/// `Venue::source_word_of` in the SQL of both databases.
macro_rules! source_word {
    ($source:literal) => {
        concat!("CASE ", $source, " WHEN 'binance-usdm' THEN 'binance_futures' ELSE ", $source, " END")
    };
}
use source_word;

/// How long every minute stays: what somebody looks at who asks whether data come in.
const HOT: Span = Span::hours(2);
const HOUR: Span = Span::hours(1);

/// Columns of the key of `market_rows`.
const KEY: usize = 3;
/// Those behind it. The first six are those of a candle and change together.
const COLUMNS: [&str; market_rows.columns.len() - KEY] = {
    let mut names = [""; market_rows.columns.len() - KEY];
    let mut at = 0;
    while at < names.len() {
        names[at] = market_rows.columns[KEY + at].name;
        at += 1;
    }
    names
};
const BAR: usize = 6;
const BAR_S: usize = 5;

/// A row, each value with the order of the fact it is from.
#[derive(Clone, Debug, Default)]
struct Wide {
    values: [Option<f64>; COLUMNS.len()],
    from: [(Ts, u64, Ts); COLUMNS.len()],
}

impl Wide {
    fn set(&mut self, at: usize, value: f64, event: &Event) {
        let order = (event.event_ts, event.seq, event.recv_ts);
        if let (Some(slot), Some(from)) = (self.values.get_mut(at), self.from.get_mut(at))
            && (slot.is_none() || *from <= order)
        {
            (*slot, *from) = (Some(value), order);
        }
    }

    fn bar(&mut self, bar: &barograph_domain::Bar, seconds: f64, event: &Event) {
        // Of two timeframes the finer.
        if self.values[BAR_S].is_some_and(|finer| finer < seconds) {
            return;
        }
        if self.values[BAR_S].is_some_and(|coarser| coarser > seconds) {
            self.values[..BAR].fill(None);
        }
        let own = [Some(bar.open), Some(bar.high), Some(bar.low), Some(bar.close), bar.volume, Some(seconds)];
        own.into_iter().enumerate().filter_map(|(at, v)| Some((at, v?))).for_each(|(at, v)| self.set(at, v, event));
    }
}

/// The column of a metric that is one number.
fn column(metric: Metric) -> Option<usize> {
    let name = match metric {
        Metric::Trade => "last_price",
        Metric::Bar
        | Metric::BestBidAsk
        | Metric::Book
        | Metric::Liquidation
        | Metric::FundingRateSettled
        | Metric::SpotPrice => return None,
        other => other.name(),
    };
    COLUMNS.iter().position(|c| *c == name)
}

/// `BASE/QUOTE`, or the venue's own symbol where that does not tell them apart.
fn pair(name: &InstrumentName) -> String {
    name.base_quote().map_or_else(|| name.symbol.clone(), |(base, quote)| format!("{base}/{quote}"))
}

/// The minute whose row shows an instant.
fn minute(t: Ts) -> Ts {
    if t > Ts::MAX - GRID { Ts::MAX } else { t.ceil(GRID) }
}

fn on_the_hour(t: Ts) -> bool {
    t.floor(HOUR) == t
}

/// A time as tables of a file hold it: what SQLite's own `datetime()` writes.
fn text(t: Ts) -> String {
    let (y, mo, d, h, mi, s, ns) = t.civil();
    let whole = format!("{y:04}-{mo:02}-{d:02} {h:02}:{mi:02}:{s:02}");
    if ns == 0 { whole } else { format!("{whole}.{:03}", ns / 1_000_000) }
}

/// A time as a parameter, and how a statement reads it.
fn time(conn: &Connection, t: Ts) -> SqlValue<'static> {
    if conn.is_server() { t.0.into() } else { text(t).into() }
}

fn reads(conn: &Connection, at: usize) -> String {
    if conn.is_server() { format!("barograph_time(CAST(?{at} AS bigint))") } else { format!("?{at}") }
}

/// The rows of a symbol by its first parameter: as text, which their key is ordered by.
fn of_symbol(conn: &Connection) -> &'static str {
    if conn.is_server() { "CAST(symbol AS text) = CAST(?1 AS text)" } else { "symbol = ?1" }
}

/// Newest minute of each market that has rows, looked up once.
#[derive(Debug, Default)]
pub(super) struct Newest(BTreeMap<i64, Ts>);

impl Newest {
    fn of(&mut self, conn: &Connection, market: i64) -> Inner<Ts> {
        if let Some(known) = self.0.get(&market) {
            return Ok(*known);
        }
        let found: Option<i64> =
            conn.query_row("SELECT newest FROM table_markets WHERE instrument = ?1", [market], |r| r.get(0))?;
        let newest = found.map_or(Ts::MIN, Ts);
        self.0.insert(market, newest);
        Ok(newest)
    }
}

/// What a batch changes in the tables.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    rows: BTreeMap<(i64, Ts), Wide>,
    names: BTreeMap<i64, String>,
    settled: Vec<(i64, Event)>,
    closes: Vec<(i64, Event)>,
}

impl Gathered {
    /// Takes a fact; one older than `hot` only if its minute is a whole hour.
    pub(super) fn note(&mut self, market: i64, decl: &StreamDecl, event: &Event, hot: Ts) {
        let ts = minute(event.event_ts);
        if let Payload::Liquidation { .. } = event.payload {
            self.closes.push((market, *event));
        } else if decl.metric == Metric::FundingRateSettled {
            self.settled.push((market, *event));
        } else if ts > hot || on_the_hour(ts) {
            self.keep(market, ts, decl, event);
        } else {
            return;
        }
        self.names.entry(market).or_insert_with(|| pair(&decl.instrument));
    }

    /// Takes the facts of a stream that has just been written.
    pub(super) fn note_all<'a>(
        &mut self,
        conn: &Connection,
        decl: &StreamDecl,
        events: impl Iterator<Item = &'a Event>,
    ) -> Inner<()> {
        let Some(stored) = streams::find(conn, decl)? else { return Ok(()) };
        let hot = hot_after(stored.newest_event);
        events.for_each(|event| self.note(stored.instrument, decl, event, hot));
        Ok(())
    }

    fn keep(&mut self, market: i64, ts: Ts, decl: &StreamDecl, event: &Event) {
        if decl.metric == Metric::Bar && decl.cadence > HOUR {
            return;
        }
        let row = self.rows.entry((market, ts)).or_default();
        match (event.payload, column(decl.metric)) {
            (Payload::Bar(bar), _) => row.bar(&bar, decl.cadence.as_secs_f64(), event),
            (Payload::BestBidAsk { bid, ask }, _) => {
                for (name, value) in [("best_bid", bid), ("best_ask", ask)] {
                    if let Some(at) = COLUMNS.iter().position(|c| *c == name) {
                        row.set(at, value, event);
                    }
                }
            }
            (Payload::Trade { price, .. }, Some(at)) => row.set(at, price, event),
            (Payload::Value(value), Some(at)) => row.set(at, value, event),
            (Payload::Funding { rate, interval_h, .. }, Some(at)) => {
                row.set(at, rate, event);
                if let Some(hours) = interval_h {
                    row.set(at + 1, hours, event);
                }
            }
            _ => {}
        }
    }

    /// Writes what was taken and thins what is no longer recent.
    pub(super) fn flush(self, conn: &Connection, newest: &mut Newest) -> Inner<()> {
        for (market, event) in &self.settled {
            settle(conn, *market, self.names.get(market), event)?;
        }
        for (market, event) in &self.closes {
            close(conn, *market, self.names.get(market), event)?;
        }
        let upsert = upsert(conn);
        let markets: Vec<_> = self.rows.iter().collect();
        for own in markets.chunk_by(|a, b| a.0.0 == b.0.0) {
            let Some(((market, last), _)) = own.last() else { continue };
            let before = newest.of(conn, *market)?;
            let now = before.max(*last);
            let hot = back(now, HOT);
            let Some(symbol) = self.names.get(market) else { continue };
            for ((_, ts), row) in own
                .iter()
                .filter(|((_, ts), row)| (*ts > hot || on_the_hour(*ts)) && row.values.iter().any(Option::is_some))
            {
                let mut values = [const { SqlValue::Null }; KEY + COLUMNS.len()];
                values[0] = symbol.as_str().into();
                values[1] = time(conn, *ts);
                values[2] = (*market).into();
                for (slot, value) in values.iter_mut().skip(KEY).zip(row.values) {
                    *slot = value.into();
                }
                conn.send(upsert.clone(), values)?;
            }
            if before < now {
                thin(conn, symbol, *market, before, now)?;
                newest.0.insert(*market, now);
                conn.send("UPDATE table_markets SET newest = ?2 WHERE instrument = ?1", [*market, now.0])?;
            }
        }
        Ok(())
    }
}

fn back(t: Ts, by: Span) -> Ts {
    Ts(t.0.saturating_sub(by.0))
}

fn upsert(conn: &Connection) -> String {
    let names = COLUMNS.join(", ");
    let holes: Vec<String> = (KEY + 1..=KEY + COLUMNS.len()).map(|n| format!("?{n}")).collect();
    let set: Vec<String> = COLUMNS
        .iter()
        .enumerate()
        .map(|(at, c)| {
            if at < BAR {
                format!(
                    "{c} = CASE WHEN excluded.bar_s <= coalesce(market_rows.bar_s, excluded.bar_s) THEN excluded.{c}
                        ELSE market_rows.{c} END"
                )
            } else {
                format!("{c} = coalesce(excluded.{c}, market_rows.{c})")
            }
        })
        .collect();
    format!(
        "INSERT INTO market_rows (symbol, ts, instrument, {names}) VALUES (CAST(?1 AS TEXT), {}, ?3, {})
         ON CONFLICT (symbol, ts, instrument) DO UPDATE SET {}",
        reads(conn, 2),
        holes.join(", "),
        set.join(", ")
    )
}

/// Removes the minutes that have left the last hours since the newest moved.
fn thin(conn: &Connection, symbol: &str, market: i64, before: Ts, now: Ts) -> Inner<()> {
    let last = back(now, HOT);
    if now - GRID == before {
        // The ordinary case: one minute went by.
        if !on_the_hour(last) {
            let sql = format!(
                "DELETE FROM market_rows WHERE {} AND ts = {} AND instrument = ?3",
                of_symbol(conn),
                reads(conn, 2)
            );
            conn.send(sql, params![symbol, time(conn, last), market])?;
        }
        return Ok(());
    }
    thin_to(conn, symbol, market, back(before, HOT + HOT), last)
}

fn thin_to(conn: &Connection, symbol: &str, market: i64, from: Ts, last: Ts) -> Inner<()> {
    let between = if conn.is_server() { "extract(minute FROM ts) <> 0" } else { "substr(ts, 15, 2) <> '00'" };
    let sql = format!(
        "DELETE FROM market_rows WHERE {} AND ts >= {} AND ts <= {} AND instrument = ?4 AND {between}",
        of_symbol(conn),
        reads(conn, 2),
        reads(conn, 3)
    );
    // Years that four digits cannot write have no rows.
    let from = from.max(Ts::from_civil(1700, 1, 1, 0, 0, 0));
    conn.send(sql, params![symbol, time(conn, from), time(conn, last.max(from)), market])
}

fn settle(conn: &Connection, market: i64, symbol: Option<&String>, event: &Event) -> Inner<()> {
    let (Some(symbol), Payload::Funding { rate, interval_h, next_ts, special }) = (symbol, event.payload) else {
        return Ok(());
    };
    let next = if conn.is_server() { "barograph_time(CAST(?6 AS bigint))" } else { "?6" };
    let sql = format!(
        "INSERT INTO settlements (symbol, ts, instrument, rate, interval_h, next_ts, special, known_ts)
         VALUES (CAST(?1 AS TEXT), {}, ?3, ?4, ?5, {next}, ?7, ?8)
         ON CONFLICT (symbol, ts, instrument) DO UPDATE SET rate = excluded.rate,
            interval_h = coalesce(excluded.interval_h, settlements.interval_h),
            next_ts = coalesce(excluded.next_ts, settlements.next_ts), special = excluded.special,
            known_ts = excluded.known_ts
         WHERE settlements.known_ts <= excluded.known_ts",
        reads(conn, 2)
    );
    let next = next_ts.map_or(SqlValue::Null, |t| time(conn, t));
    let values = params![
        symbol,
        time(conn, event.event_ts),
        market,
        rate,
        interval_h,
        next,
        i64::from(special),
        event.recv_ts.0
    ];
    conn.send(sql, values)
}

fn close(conn: &Connection, market: i64, symbol: Option<&String>, event: &Event) -> Inner<()> {
    let (Some(symbol), Payload::Liquidation { liquidated_side, price, qty }) = (symbol, event.payload) else {
        return Ok(());
    };
    let sql = format!(
        "INSERT INTO forced_closes (symbol, ts, instrument, liquidated_side, price, quantity)
         VALUES (CAST(?1 AS TEXT), {}, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
        reads(conn, 2)
    );
    let side = match liquidated_side {
        Side::Long => "long",
        Side::Short => "short",
    };
    conn.send(sql, params![symbol, time(conn, event.event_ts), market, side, price, qty])
}

/// Makes a market known to the tables: its symbol in the spelling of the originals, the others by which it is found, and the
/// spot market of the same coin on the same exchange.
pub(super) fn register(conn: &Connection, market: i64, instrument: &Instrument) -> Inner<()> {
    let InstrumentName { venue, symbol: own } = &instrument.name;
    let symbol = pair(&instrument.name);
    let exchange = venue.as_str().split('-').next().unwrap_or_default();
    conn.execute(
        "INSERT INTO table_markets (instrument, name, venue, exchange, symbol, kind)
         VALUES (?1, ?2, ?3, ?4, CAST(?5 AS TEXT), ?6)
         ON CONFLICT DO NOTHING",
        params![
            market,
            instrument.name.to_string(),
            venue.as_str(),
            exchange,
            &symbol,
            streams::kind_word(instrument.kind)
        ],
    )?;
    // Of its own pair alone, and as text, which a server compares without its function for spellings: a thousand contracts that
    // have no spot market, each looking through all, took it minutes.
    conn.execute(
        "UPDATE table_markets SET spot_leg = (SELECT min(instrument) FROM table_markets
            WHERE kind = 'spot' AND exchange = ?1 AND CAST(symbol AS TEXT) = CAST(?2 AS TEXT))
         WHERE kind <> 'spot' AND exchange = ?1 AND CAST(symbol AS TEXT) = CAST(?2 AS TEXT) AND spot_leg IS NULL",
        params![exchange, &symbol],
    )?;
    conn.execute(
        "UPDATE table_markets SET spot_leg = ?1 WHERE instrument IN
            (SELECT instrument FROM streams WHERE metric = 'spot_price' AND source = ?2)",
        params![market, instrument.name.to_string()],
    )?;
    note_sources(conn, market, &instrument.name)?;
    if conn.is_server() {
        // Its type compares spellings.
        return Ok(());
    }
    let mut others = vec![symbol.replace('/', ""), own.clone()];
    others.retain(|o| *o != symbol);
    others.dedup();
    for other in others {
        conn.execute(
            "INSERT INTO spellings (other, symbol) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            params![&other, &symbol],
        )?;
        let quoted = |q: char, text: &str| text.replace(q, &format!("{q}{q}"));
        conn.execute_batch(&format!(
            "CREATE VIEW IF NOT EXISTS \"{}\" AS SELECT '{}' AS symbol",
            quoted('"', &other),
            quoted('\'', &symbol)
        ))?;
    }
    Ok(())
}

/// Notes who says what of a market, where that is not its venue alone.
fn note_sources(conn: &Connection, market: i64, name: &InstrumentName) -> Inner<()> {
    let mut sources: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for decl in streams::metrics(conn, market)?.into_values().filter(|d| d.metric != Metric::SpotPrice) {
        sources.entry(decl.metric.name()).or_default().insert(Venue::source_word_of(&decl.source).to_owned());
    }
    let own = name.venue.source_word();
    let others: BTreeMap<&str, String> = sources
        .into_iter()
        .filter(|(_, words)| words.iter().any(|w| w != own))
        .map(|(metric, words)| (metric, words.into_iter().collect::<Vec<_>>().join(",")))
        .collect();
    let text =
        serde_json::to_string(&others).map_err(|e| SqlFault::Damaged(format!("the sources of '{name}': {e}")))?;
    let text = (!others.is_empty()).then_some(text);
    conn.execute(
        "UPDATE table_markets SET sources = CAST(?2 AS TEXT)
         WHERE instrument = ?1 AND coalesce(sources, '') <> coalesce(CAST(?2 AS TEXT), '')",
        params![market, text],
    )?;
    Ok(())
}

/// What a new stream says about its market: who says a metric of it, and of a contract's spot prices which market its basis is of.
pub(super) fn streamed(conn: &Connection, market: i64, decl: &StreamDecl) -> Inner<()> {
    if decl.metric == Metric::SpotPrice {
        conn.execute(
            "UPDATE table_markets SET spot_leg =
                coalesce((SELECT s.instrument FROM table_markets s WHERE s.name = ?2), spot_leg) WHERE instrument = ?1",
            params![market, &decl.source],
        )?;
        return Ok(());
    }
    note_sources(conn, market, &decl.instrument)
}

/// Fills the tables of a market that was stored before there were any; false when there is none left.
pub(super) fn adopt_one(conn: &Connection) -> Inner<bool> {
    let sql = "SELECT min(instrument) FROM instruments WHERE instrument NOT IN (SELECT instrument FROM table_markets)";
    let next = || conn.query_row(sql, NONE, |r| r.get::<Option<i64>>(0));
    let Some(mut market) = next()? else { return Ok(false) };
    if alone(conn)? {
        let Some(left) = next()? else { return Ok(false) };
        market = left;
    }
    let name: String = conn.query_row("SELECT name FROM instruments WHERE instrument = ?1", [market], |r| r.get(0))?;
    let all = streams::instruments(conn)?;
    let Some((instrument, _)) = all.into_iter().find(|(i, _)| i.name.to_string() == name) else {
        return Err(SqlFault::Damaged(format!("the instrument '{name}' cannot be read")));
    };
    register(conn, market, &instrument)?;
    rebuild(conn, market, &instrument.name)?;
    Ok(true)
}

/// Fills the tables of a market from its points.
fn rebuild(conn: &Connection, market: i64, name: &InstrumentName) -> Inner<()> {
    fill(conn, market, name, Ts::MIN, Ts::MAX)
}

/// Fills them anew where points between two moments were corrected or taken back.
pub(super) fn renew(conn: &Connection, market: i64, name: &InstrumentName, first: Ts, last: Ts) -> Inner<()> {
    // Whole minutes: each row shows all of its own.
    let (from, until) = (back(minute(first), GRID), minute(last));
    let symbol = pair(name);
    for table in ["market_rows", "settlements", "forced_closes"] {
        let sql = format!(
            "DELETE FROM {table} WHERE {} AND ts > {} AND ts <= {} AND instrument = ?4",
            of_symbol(conn),
            reads(conn, 2),
            reads(conn, 3)
        );
        conn.send(sql, params![&symbol, time(conn, from), time(conn, until), market])?;
    }
    fill(conn, market, name, Ts(from.0.saturating_add(1)), until)
}

/// Writes what counts of the points between two moments.
fn fill(conn: &Connection, market: i64, name: &InstrumentName, first: Ts, last: Ts) -> Inner<()> {
    let all = streams::load(conn, Some(name))?;
    let hot = back(all.iter().map(|s| s.newest_event).max().unwrap_or(Ts::MIN), HOT);
    let mut gathered = Gathered::default();
    for stream in &all {
        let many = points::is_event_stream(stream.decl.metric);
        let mut held: Vec<Fact> = Vec::new();
        let mut close = |held: &mut Vec<Fact>| {
            corrections::counting(held, many, |f| (f.event.recv_ts, f.provenance, f.bytes()));
            held.drain(..).for_each(|fact| gathered.note(market, &stream.decl, &fact.event, hot));
        };
        points::walk(conn, stream, first, last, |fact| {
            if held.first().is_some_and(|h| h.key() != fact.key()) {
                close(&mut held);
            }
            held.push(fact);
            Ok(true)
        })?;
        close(&mut held);
    }
    gathered.flush(conn, &mut Newest::default())
}

/// What of a batch of one stream is recent enough for a row of every minute.
pub(super) fn hot_after(newest: Ts) -> Ts {
    back(minute(newest), HOT)
}

/// Removes single closes older than `keep` before the newest row of their market, and minutes that outages left behind.
pub(super) fn prune(conn: &Connection, keep: Span, only: Only<'_>) -> Inner<()> {
    let mut statement =
        conn.prepare("SELECT instrument, CAST(symbol AS TEXT), newest FROM table_markets WHERE newest IS NOT NULL")?;
    let all = statement
        .query_map(NONE, |r| Ok((r.get(0)?, r.get(1)?, Ts(r.get(2)?))))?
        .collect::<Inner<Vec<(i64, String, Ts)>>>()?;
    for (market, symbol, newest) in all.into_iter().filter(|(market, ..)| only.is_none_or(|own| own.contains(market))) {
        thin_to(conn, &symbol, market, back(newest, HOT + Span::days(7)), back(newest, HOT))?;
        let sql = format!(
            "DELETE FROM forced_closes WHERE {} AND ts < {} AND instrument = ?3",
            of_symbol(conn),
            reads(conn, 2)
        );
        conn.send(sql, params![symbol, time(conn, back(newest, keep)), market])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_a_file_are_those_of_its_own_functions() {
        assert_eq!(text(Ts::from_civil(2026, 2, 5, 14, 35, 0)), "2026-02-05 14:35:00");
        assert_eq!(text(Ts::from_civil(2026, 2, 5, 14, 35, 7) + Span::millis(40)), "2026-02-05 14:35:07.040");
    }

    #[test]
    fn symbols_are_pairs_as_far_as_they_tell() {
        for (name, want) in [
            ("binance-usdm:BTCUSDT", "BTC/USDT"),
            ("okx:BTC-USDT-SWAP", "BTC/USDT"),
            ("coinbase:ETH-USD", "ETH/USD"),
            ("hyperliquid:BTC", "BTC"),
        ] {
            assert_eq!(pair(&InstrumentName::parse(name).unwrap()), want);
        }
    }
}
