//! Point-in-time state behind one contract: what was observed, what followed from it, and when each was known.
//!
//! Ring 2. [`contract`] is the contract and `suite` its behaviour tests; [`sqlite`] is the embedded implementation and
//! [`postgres`] the one on a server, and [`open_writer`] chooses between them.
//! Everything that is read takes `as_of`, and everything that is written can be written twice (ADR 3, ADR 21;
//! R1.18, A09). What this crate does not do: run the engine, render texts, or decide when to prune.
#![warn(missing_docs)]

pub mod alert;
pub mod candle;
pub mod case;
pub mod codec;
pub mod contract;
pub mod error;
pub mod group;
pub mod ledger;
pub mod live;
pub mod minutes;
pub mod model;
pub mod outbox;
pub mod position;
pub mod postgres;
pub mod run;
mod schema;
pub mod signal;
mod sql;
pub mod sqlite;
#[cfg(feature = "suite")]
#[doc(hidden)]
pub mod suite;
mod target;
pub mod universe;

pub use alert::{AlertQuery, LiveAlert};
pub use barograph_domain::delivery::{DeliveryChange, Firing, Join, Outgoing};
pub use candle::{Candle, CandleQuery, Candles};
pub use case::{CaseOutcome, CaseQuery, CaseReader, CaseWriter, CasesLike, StoredCase};
pub use contract::{Batches, OneBatch, OrderedEvents, Reader, RunWriter, Writer};
pub use error::{Error, Recovery, Result};
pub use group::{Fence, FenceState, GroupState};
pub use ledger::{LedgerHead, LedgerPart, LedgerProgress, LedgerState, LiveLedger, LiveLedgerState};
pub use live::{Appended, BOOK_LEVELS_MAX, BookSample, LiveBatch, LiveLevel, Provenance, StoredOrderBook};
pub use minutes::{MinuteColumns, MinuteRequest, minute_columns, newest_run};
pub use model::{
    CheckReport, ContentHash, Contradiction, Forgotten, ImportRecord, Imported, Inserted, InstrumentInfo, LevelQuery,
    Page, Point, PointQuery, PointsVersion, Pruned, Range, Retention, SectionHash, StreamInfo, WriterRole,
};
pub use outbox::{
    DeliveryPlace, DeliveryQuery, EndpointCount, MessageLog, OutboxDesk, OutboxReader, OutboxStore, ReplayOutcome, Sent,
};
pub use position::{NoticeQuery, PositionWriter, Registered, WatchState};
pub use postgres::{PgReader, PgWriter};
pub use run::{
    Checkpoint, Columns, Dirty, FeatureColumn, Gap, LabelChange, Replaced, RowQuery, Rows, RunInfo, RunKey, RunSpec,
    VersionInfo,
};
pub use signal::{SignalInfo, SignalQuery, SignalReader, SignalStore, SignalsPut};
pub use sqlite::{SqliteReader, SqliteWriter};
pub use target::{
    StoreTarget, migrate, open_cases, open_desk, open_group_writer, open_outbox, open_positions, open_reader,
    open_signals, open_writer, open_writer_patient_for, schema_version, show_basis_every,
};
pub use universe::{LiveUniverse, PairRecord, UniversePart, UniverseState, watch_words};
