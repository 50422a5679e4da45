//! The reading side: one read transaction per question, so that an answer is of one moment.

use super::db::Connection;
use super::events::Merge;
use super::fault::{Inner, SqlFault};
use super::minutes::ReadMinutes;
use super::pool::{ConnectionOrigin, ConnectionPool, Loan};
use super::runs::Which;
use super::{
    alerts, books, candles, cases, check, editions, fences, ledger_kept, ledger_notes, ledger_read, levels, minutes,
    outbox_read, positions, query, rows, runs, segment, signals, silences, streams, universe,
};
use crate::postgres::DatabaseAddress;
use crate::run::usable_until;
use crate::{
    AlertQuery, CandleQuery, Candles, CaseQuery, CaseReader, CasesLike, CheckReport, Checkpoint, DeliveryQuery, Dirty,
    EndpointCount, Gap, GroupState, ImportRecord, InstrumentInfo, LabelChange, LedgerHead, LedgerProgress, LedgerState,
    LevelQuery, MessageLog, NoticeQuery, OrderedEvents, OutboxReader, Page, Point, PointQuery, Range, Reader, Result,
    RowQuery, Rows, RunInfo, RunKey, Sent, SignalInfo, SignalQuery, SignalReader, StoredCase, StoredOrderBook,
    StreamInfo, UniverseState, VersionInfo, WatchState,
};
use barograph_domain::advice::{Position, PositionNotice};
use barograph_domain::case::{CaseCount, CaseRecording};
use barograph_domain::delivery::{EndpointState, Message, Silence};
use barograph_domain::forecast::{ForecastEvent, LedgerTick, OutcomeRevision};
use barograph_domain::{
    CalendarEntry, InstrumentName, KnownAlert, LevelChange, SignalName, SignalPoint, SignalScope, StreamDecl,
    StreamIndex, Ts, UniverseRow,
};
use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::path::PathBuf;

/// Reads one store; may be shared between threads.
pub struct SqlReader<K> {
    pool: ConnectionPool,
    counted: query::Counted,
    minutes: ReadMinutes,
    kind: PhantomData<fn() -> K>,
}

/// The grid of rows that are asked for by their number.
const ANY_MINUTE: RowQuery = RowQuery { range: Range::ALL, every: None, after: None, limit: usize::MAX, as_of: None };

impl<K> std::fmt::Debug for SqlReader<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SqlReader").field(&self.pool.path()).finish()
    }
}

impl<K> SqlReader<K> {
    pub(crate) fn over_file(path: PathBuf) -> Result<Self> {
        Ok(Self {
            pool: ConnectionPool::open(ConnectionOrigin::File(path))?,
            counted: query::Counted::default(),
            minutes: ReadMinutes::default(),
            kind: PhantomData,
        })
    }

    pub(crate) fn over_server(address: DatabaseAddress) -> Result<Self> {
        let pool = ConnectionPool::open(ConnectionOrigin::Server(Box::new(address)))?;
        Ok(Self { pool, counted: query::Counted::default(), minutes: ReadMinutes::default(), kind: PhantomData })
    }

    fn ask<T>(&self, question: impl Fn(&Connection) -> Inner<T>) -> Result<T> {
        self.pool.ask(question)
    }

    fn of_run<T: Default>(
        &self,
        key: &RunKey,
        as_of: Option<Ts>,
        question: impl Fn(&Connection, i64) -> Inner<T>,
    ) -> Result<T> {
        self.ask(|conn| match segment::edition(conn, key, as_of)? {
            Some(run) => question(conn, run),
            None => Ok(T::default()),
        })
    }

    fn merge<'a>(conn: Loan<'a>, list: &[StreamDecl], after: Option<Ts>, as_of: Option<Ts>) -> Inner<Merge<'a>> {
        conn.begin_read()?;
        let mut found = Vec::with_capacity(list.len());
        for (at, decl) in list.iter().enumerate() {
            let index = u16::try_from(at).map_err(|_e| SqlFault::Invalid(format!("{} streams at once", list.len())))?;
            if let Some(stream) = streams::find(&conn, decl)? {
                found.push((StreamIndex(index), stream));
            }
        }
        Merge::begin(conn, found, after, as_of)
    }
}

impl<K> Reader for SqlReader<K> {
    fn instruments(&self, as_of: Option<Ts>) -> Result<Vec<InstrumentInfo>> {
        self.ask(|conn| query::instruments(conn, as_of, &self.counted))
    }

    fn streams(&self, instrument: Option<&InstrumentName>, as_of: Option<Ts>) -> Result<Vec<StreamInfo>> {
        self.ask(|conn| query::streams(conn, instrument, as_of, &self.counted))
    }

    fn points(&self, q: &PointQuery) -> Result<Page<Point>> {
        self.ask(|conn| query::points(conn, q))
    }

    fn events(&self, list: &[StreamDecl], after: Option<Ts>, as_of: Option<Ts>) -> Result<OrderedEvents<'_>> {
        let begin = |fresh| {
            let conn = self.pool.get(fresh)?;
            Self::merge(conn, list, after, as_of).map_err(|f| f.at(self.pool.path()))
        };
        let merge = match begin(false) {
            Err(crate::Error::Unavailable { .. }) => begin(true)?,
            other => other?,
        };
        Ok(Box::new(merge))
    }

    fn candles(&self, q: &CandleQuery) -> Result<Candles> {
        self.ask(|conn| candles::load(conn, q))
    }

    fn runs(&self, as_of: Option<Ts>) -> Result<Vec<RunInfo>> {
        self.ask(|conn| Ok(infos(runs::load(conn, Which::All, as_of)?)))
    }

    fn runs_of(&self, instrument: &InstrumentName, as_of: Option<Ts>) -> Result<Vec<RunInfo>> {
        self.ask(|conn| Ok(infos(runs::load(conn, Which::Of(instrument), as_of)?)))
    }

    fn run(&self, run: &RunKey, as_of: Option<Ts>) -> Result<Option<RunInfo>> {
        self.ask(|conn| Ok(runs::load(conn, Which::One(run), as_of)?.pop().map(|(_, info)| info)))
    }

    fn published(&self, logic_version: &str) -> Result<Vec<(InstrumentName, Ts)>> {
        self.ask(|conn| runs::published(conn, logic_version))
    }

    fn versions(&self) -> Result<Vec<VersionInfo>> {
        self.ask(runs::versions)
    }

    fn alerts_reach(&self) -> Result<Vec<(RunKey, Ts)>> {
        self.ask(runs::alerts_reach)
    }

    fn latest(&self, run: &RunKey, count: usize, as_of: Option<Ts>) -> Result<Rows> {
        self.of_run(run, as_of, |conn, id| {
            let found = rows::latest(conn, id, count, as_of.map_or(Ts::MAX, usable_until))?;
            editions::dated(conn, run, id, &ANY_MINUTE, found)
        })
    }

    fn history(&self, run: &RunKey, q: &RowQuery) -> Result<Rows> {
        self.of_run(run, q.as_of, |conn, id| {
            let found = match minutes::asked(q) {
                Some(ts) => minutes::read(conn, id, ts, q.as_of, &self.minutes)?,
                None => rows::history(conn, id, q, None)?,
            };
            editions::dated(conn, run, id, q, found)
        })
    }

    fn glances(&self, run: &RunKey, q: &RowQuery, features: &[&str]) -> Result<Rows> {
        self.of_run(run, q.as_of, |conn, id| rows::history(conn, id, q, Some(features)))
    }

    fn mark(&self, run: &RunKey, range: Range) -> Result<String> {
        self.of_run(run, None, |conn, id| rows::mark(conn, id, range))
    }

    fn label_changes(&self, run: &RunKey, range: Range, limit: usize, as_of: Option<Ts>) -> Result<Page<LabelChange>> {
        self.of_run(run, as_of, |conn, id| rows::label_changes(conn, id, range, limit, as_of))
    }

    fn gaps(&self, run: &RunKey, range: Range, limit: usize, as_of: Option<Ts>) -> Result<Page<Gap>> {
        self.of_run(run, as_of, |conn, id| rows::gaps(conn, id, range, limit, as_of))
    }

    fn level_changes(&self, run: &RunKey, range: Range, limit: usize, as_of: Option<Ts>) -> Result<Page<LevelChange>> {
        self.of_run(run, as_of, |conn, id| levels::changes(conn, id, range, limit, as_of))
    }

    fn levels(&self, run: &RunKey, q: &LevelQuery) -> Result<Page<LevelChange>> {
        self.of_run(run, q.as_of, |conn, id| levels::list(conn, id, q))
    }

    fn alerts(&self, run: &RunKey, q: &AlertQuery) -> Result<Page<KnownAlert>> {
        self.of_run(run, q.as_of, |conn, id| alerts::records(conn, id, q))
    }

    fn books(
        &self,
        instrument: &InstrumentName,
        range: Range,
        limit: usize,
        as_of: Option<Ts>,
    ) -> Result<Page<StoredOrderBook>> {
        self.ask(|conn| books::load(conn, instrument, range, limit, as_of))
    }

    fn checkpoint(&self, run: &RunKey, at: Ts) -> Result<Option<Checkpoint>> {
        self.of_run(run, None, |conn, id| rows::checkpoint(conn, id, at))
    }

    fn dirty(&self, logic_version: &str) -> Result<Vec<Dirty>> {
        self.ask(|conn| runs::dirty(conn, logic_version))
    }

    fn imports(&self) -> Result<Vec<ImportRecord>> {
        self.ask(query::imports)
    }

    fn live_groups(&self) -> Result<Vec<GroupState>> {
        self.ask(fences::list)
    }

    fn positions(&self, as_of: Option<Ts>) -> Result<Vec<Position>> {
        self.ask(|conn| positions::load(conn, as_of))
    }

    fn position_states(&self) -> Result<Vec<WatchState>> {
        self.ask(positions::states)
    }

    fn notices(&self, q: &NoticeQuery) -> Result<Vec<PositionNotice>> {
        self.ask(|conn| positions::notices(conn, q))
    }

    fn universe(
        &self,
        logic_version: &str,
        range: Range,
        limit: usize,
        as_of: Option<Ts>,
    ) -> Result<Page<UniverseRow>> {
        self.ask(|conn| universe::list(conn, logic_version, range, limit, as_of))
    }

    fn published_hours(&self, logic_version: &str, range: Range) -> Result<Vec<Ts>> {
        self.ask(|conn| universe::published(conn, logic_version, range))
    }

    fn latest_universe(&self, logic_version: &str, as_of: Option<Ts>) -> Result<Option<UniverseRow>> {
        self.ask(|conn| universe::latest(conn, logic_version, as_of))
    }

    fn universe_state(&self, logic_version: &str) -> Result<Option<UniverseState>> {
        self.ask(|conn| universe::state(conn, logic_version))
    }

    fn ledger(
        &self,
        logic_version: &str,
        range: Range,
        events: &[ForecastEvent],
        limit_pieces: usize,
        as_of: Option<Ts>,
    ) -> Result<Page<LedgerTick>> {
        self.ask(|conn| ledger_read::list(conn, logic_version, range, events, limit_pieces, as_of))
    }

    fn ledger_scan(
        &self,
        logic_version: &str,
        range: Range,
        events: &[ForecastEvent],
        as_of: Option<Ts>,
        each: &mut dyn FnMut(&LedgerTick) -> ControlFlow<()>,
    ) -> Result<()> {
        // Only the beginning is asked again where a connection has died: no tick comes twice.
        let begin = |fresh| {
            let conn = self.pool.get(fresh)?;
            let scan = conn.begin_read().and_then(|()| ledger_read::Scan::begin(&conn, logic_version, range, as_of));
            let scan = scan.map_err(|f| f.at(self.pool.path()))?;
            Ok((conn, scan))
        };
        let (conn, scan) = match begin(false) {
            Err(crate::Error::Unavailable { .. }) => begin(true)?,
            other => other?,
        };
        scan.run(&conn, events, each).map_err(|f| f.at(self.pool.path()))
    }

    fn latest_ledger(&self, logic_version: &str, as_of: Option<Ts>) -> Result<Option<LedgerTick>> {
        self.ask(|conn| ledger_read::latest(conn, logic_version, as_of))
    }

    fn published_ticks(&self, logic_version: &str, range: Range) -> Result<Vec<Ts>> {
        self.ask(|conn| ledger_read::published(conn, logic_version, range))
    }

    fn ledger_heads(&self, logic_version: &str, range: Range) -> Result<Vec<LedgerHead>> {
        self.ask(|conn| ledger_kept::heads(conn, logic_version, range))
    }

    fn ledger_state(&self, logic_version: &str, before_or_at: Ts) -> Result<Option<LedgerState>> {
        self.ask(|conn| ledger_kept::state(conn, logic_version, before_or_at))
    }

    fn ledger_states(&self, logic_version: &str) -> Result<Vec<Ts>> {
        self.ask(|conn| ledger_kept::states(conn, logic_version))
    }

    fn ledger_revisions(&self, logic_version: &str) -> Result<Vec<OutcomeRevision>> {
        self.ask(|conn| {
            ledger_notes::list(conn, Some(logic_version)).map(|all| all.into_iter().map(|(_, n)| n).collect())
        })
    }

    fn thinned_until(&self, key: &RunKey) -> Result<Option<Ts>> {
        self.of_run(key, None, segment::thinned_until)
    }

    fn corrections(&self, key: &RunKey) -> Result<Vec<(Ts, Ts)>> {
        self.of_run(key, None, |conn, run| editions::corrections(conn, key, run))
    }

    fn ledger_progress(&self, logic_version: &str) -> Result<Option<LedgerProgress>> {
        self.ask(|conn| ledger_kept::progress(conn, logic_version))
    }

    fn calendar(&self, as_of: Option<Ts>) -> Result<Vec<CalendarEntry>> {
        self.ask(|conn| universe::calendar(conn, as_of))
    }

    fn database_bytes(&self) -> Result<u64> {
        self.ask(|conn| {
            let sql = if conn.is_server() {
                "SELECT pg_database_size(current_database())"
            } else {
                "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
            };
            let bytes: i64 = conn.query_row(sql, [] as [i64; 0], |row| row.get(0))?;
            Ok(bytes.unsigned_abs())
        })
    }

    fn check(&self, hash: bool) -> Result<CheckReport> {
        self.ask(|conn| check::check(conn, hash))
    }
}

impl<K> SignalReader for SqlReader<K> {
    fn signal_points(&self, query: &SignalQuery) -> Result<Page<SignalPoint>> {
        self.ask(|conn| signals::points(conn, query))
    }

    fn signals(&self, as_of: Option<Ts>) -> Result<Vec<SignalInfo>> {
        self.ask(|conn| signals::list(conn, as_of))
    }

    fn signals_of(&self, name: &SignalName, as_of: Option<Ts>) -> Result<Vec<SignalInfo>> {
        self.ask(|conn| signals::list_of(conn, name, as_of))
    }

    fn signal_since(&self, name: &SignalName, scope: &SignalScope, source: Option<&str>) -> Result<Option<Ts>> {
        self.ask(|conn| signals::since(conn, name, scope, source))
    }
}

impl<K> OutboxReader for SqlReader<K> {
    fn deliveries(&self, query: &DeliveryQuery) -> Result<Vec<Sent>> {
        self.ask(|conn| outbox_read::deliveries(conn, query))
    }

    fn message(&self, id: &str) -> Result<Option<MessageLog>> {
        self.ask(|conn| outbox_read::log(conn, id))
    }

    fn groups(&self, since: Ts, as_of: Option<Ts>) -> Result<Vec<Message>> {
        self.ask(|conn| outbox_read::groups(conn, since, as_of))
    }

    fn delivered_counts(&self, since: Ts) -> Result<Vec<EndpointCount>> {
        self.ask(|conn| outbox_read::counts(conn, since))
    }

    fn endpoint_states(&self) -> Result<Vec<EndpointState>> {
        self.ask(outbox_read::endpoint_states)
    }

    fn silences(&self, as_of: Option<Ts>, active_at: Option<Ts>) -> Result<Vec<Silence>> {
        self.ask(|conn| silences::list(conn, as_of, active_at))
    }
}

impl<K> CaseReader for SqlReader<K> {
    fn cases(&self, query: &CaseQuery) -> Result<(Vec<StoredCase>, bool)> {
        self.ask(|conn| cases::list(conn, query))
    }

    fn case(&self, id: &str, as_of: Option<Ts>) -> Result<Option<StoredCase>> {
        self.ask(|conn| cases::one(conn, id, as_of))
    }

    fn case_ids(&self, beginning: &str) -> Result<Vec<String>> {
        self.ask(|conn| cases::ids(conn, beginning))
    }

    fn case_recordings(&self, id: &str, as_of: Option<Ts>) -> Result<Vec<CaseRecording>> {
        self.ask(|conn| cases::recordings(conn, id, as_of))
    }

    fn cases_like(&self, query: &CasesLike) -> Result<Vec<StoredCase>> {
        self.ask(|conn| cases::like(conn, query))
    }

    fn case_counts(&self, as_of: Option<Ts>) -> Result<Vec<CaseCount>> {
        self.ask(|conn| cases::counts(conn, as_of))
    }
}

fn infos(found: Vec<(i64, RunInfo)>) -> Vec<RunInfo> {
    found.into_iter().map(|(_, info)| info).collect()
}
