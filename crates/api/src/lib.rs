//! HTTP surface: context, history, metrics, features, catalogue, stream, the live view of a market, the feeds behind it, the
//! original alias routes, and operations.
//!
//! Ring 2. The crate knows the domain and HTTP, nothing of the store or the engine: it declares the [`Query`] trait it
//! needs and the binary implements it. All routes are reads but those on the list of positions the user registers, on cases, on deliveries and on rule books of
//! the user's own, and none places an order. Contracts: ARCHITECTURE.md, payloads §1–3; the promise itself is the committed `openapi.json`.
#![warn(missing_docs)]

mod access;
pub mod agent_sessions;
mod agents;
pub mod alias;
mod alone;
pub mod analysis;
mod badge;
pub mod board;
pub mod cases;
pub mod chart;
mod clients;
pub mod clock;
pub mod cross_venue;
mod cursor;
pub mod delivery;
mod error;
mod etag;
pub mod events;
pub mod feeds;
mod front;
mod guard;
mod host;
pub mod live;
mod names;
pub mod onchain;
mod openapi;
pub mod options;
pub mod outcome;
mod params;
mod problem;
mod query;
mod routes;
mod scores;
mod serve;
pub mod signals;
mod stall;
mod state;
pub mod studies;
mod telemetry;
mod universe;
mod view;
pub mod watches;
mod worker;

pub use access::{Access, Caller, Role, Tokens};
pub use agents::{AgentDoor, Agents, Inside, InsideReply};
pub use clients::ClientLimits;
pub use delivery::{
    DeliveryFilter, DeliveryPlace, DeliveryView, EndpointView, GroupView, MessageView, NewReceiver, NewSilence,
    SampleView, SilenceView,
};
pub use error::{Error, check_listen};
pub use events::EventView;
pub use feeds::{FeedFilter, FeedHealth, FeedsView};
pub use live::MarketNow;
pub use names::{DEFAULT_VENUE, nearest, resolve};
pub use openapi::openapi_json;
pub use problem::{Problem, ProblemKind};
pub use query::{
    AskBoard, AskCases, AskCrossVenue, AskDeliveries, AskEvents, AskMarkets, AskOptions, AskPaper, AskPositions,
    AskScores, AskSignals, AskStudies, AskWatches, AskWhatIf, DeliveryName, DriftFilter, EventFilter, ForecastFilter,
    Health, LevelFilter, MarketHealth, Page, Query, QueryError, Rendered, STREAM_BUFFER, ScorecardFilter, SeriesWindow,
    StreamEvent,
};
pub use routes::assets::is_built as page_is_built;
pub use scores::ForecastView;
pub use serve::{Incident, Reporter, ServeConfig, serve, serve_each};
pub use universe::{CalendarView, PairView, UniverseView};
pub use view::{CatalogueEntry, FeatureRowView, LevelView, MarketView, MetricPoint, StreamView};
pub use worker::{AskWorker, serve_worker};
