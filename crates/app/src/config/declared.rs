//! Every setting, one declaration each: name, type, default, how it is read, what it means.
//!
//! Out of a declaration come the key of the file, the variable `BAROGRAPH_NAME`, the line of `barograph config show`, the hint for
//! a misspelt key, and the field of [`Settings`] with its type. A test holds docs/config.md to it. How values are read is `read`,
//! where they are written is `written`.

use super::platform::default_data;
use super::read::{
    address, backfill, cluster_name, clusters, contest, database, days, groups, key, lease, models, names, narrative,
    nats, number, onchain, onchain_endpoints, one_of, optional, page_address, path, redis, s3_style, switch,
    tokens_always, volume, whole, worker,
};
use super::secret;
use super::streams::{self, Streams};
use super::written::Written;
use crate::failure::Failure;
use crate::role::ClusterRole;
use barograph_domain::forecast::{ForecastEvent, Forecaster};
use barograph_domain::leg::SpotPairs;
use barograph_domain::{Metric, Span, Venue};
use barograph_engine::advice::{Blackout, StopMode};
use barograph_engine::liquidity::ClusterMethod;
use barograph_engine::models::ModelMarkets;
use barograph_live::calendar::CalendarSource;
use barograph_live::discover::Wanted;
use barograph_live::onchain::ScoredTexts;
use barograph_live::options::OptionsChoice;
use barograph_live::universe::WatchMarkets;
use barograph_mirror::MirrorAddress;
use barograph_notify::ask::AskedService;
use barograph_notify::secret::Secret;
use barograph_objects::s3::S3Style;
use barograph_venues::fees::TakerFees;
use barograph_venues::onchain::{OnchainHost, OnchainSeries};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What can be said of a setting without its value.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) meaning: &'static str,
    pub(super) default: fn() -> String,
    pub(super) shape: Shape,
    /// A variable that had its name before there was a barograph; ours goes over it.
    pub(super) also: Option<&'static str>,
    /// The value as it may be shown: without secrets.
    pub(super) shown: fn(&str) -> String,
    /// Does its refusal say where it was written?
    pub(super) placed: bool,
}

/// As what a setting may be written in a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// A text or a whole number.
    One,
    /// A list of texts too.
    List,
    /// A table of texts too.
    Table,
}

impl Key {
    /// What a declaration does not say.
    const PLAIN: Self = Self {
        name: "",
        meaning: "",
        default: String::new,
        shape: Shape::One,
        also: None,
        shown: str::to_owned,
        placed: true,
    };
}

/// `name: type = default, reader, "meaning", more of its [`Key`];` of each setting. Where the type is itself a result, the
/// setting is judged by what uses it: a command that does not goes on.
macro_rules! settings {
    ($($name:ident: $type:ty = $default:expr, $read:expr, $meaning:literal $(, $part:ident: $value:expr)*;)*) => {
        /// Every key, in the order in which they are shown.
        pub(crate) const KEYS: &[Key] = &[$(Key {
            name: stringify!($name),
            meaning: $meaning,
            default: || $default.to_string(),
            $($part: $value,)*
            ..Key::PLAIN
        }),*];

        /// Settings as resolved: each is read once, here, and nothing else asks for one by its key.
        #[derive(Clone)]
        #[cfg_attr(not(feature = "cluster"), expect(dead_code, reason = "parts of a cluster are set and not there"))]
        pub(crate) struct Settings {
            $(#[doc = $meaning] pub(crate) $name: $type,)*
            /// What they were made from.
            pub(crate) written: Written,
        }

        impl Settings {
            /// Reads what is written; the first that cannot be meant is the error.
            pub(super) fn resolve(written: Written) -> Result<Self, Failure> {
                Ok(Self {
                    $($name: {
                        let read: fn(&str) -> Result<$type, String> = $read;
                        let name = stringify!($name);
                        read(written.of(name).0).map_err(|why| written.wrong(name, why))?
                    },)*
                    written,
                })
            }
        }
    };
}

settings! {
    data: PathBuf = default_data(), path,
        "data folder";
    listen: SocketAddr = "127.0.0.1:8600", address,
        "address of the HTTP API and the page; another than loopback wants tokens";
    access: Result<bool, String> = "auto", |text| Ok(tokens_always(text)),
        "who may ask: auto (open on loopback, tokens elsewhere) or tokens";
    book: String = "default", |text| Ok(text.to_owned()),
        "rule book: a shipped name or a file";
    dashboard_url: Result<Option<String>, String> = "", |text| Ok(page_address(text)),
        "address under which people reach the page, for links in alerts; the listening address unless set";
    default_venue: Venue = "binance-usdm", |text| Venue::new(text).map_err(|e| e.to_string()),
        "venue a bare symbol means in the original commands and routes";
    host_names: Vec<String> = "", names,
        "names besides loopback that HTTP requests may be addressed to, comma-separated", shape: Shape::List;
    stream_clients_max: usize = "256", number,
        "event stream clients at once";
    keep_minutes_days: Span = "90", days,
        "days that minute rows are kept; older ones are thinned to five minutes";
    keep_raw_days: Span = "7", days,
        "days that live points and order books are kept in the database, counted from the newest; the journal and the minute rows go further back";
    venues: Vec<String> = "binance-usdm", names,
        "venues to record, comma-separated", shape: Shape::List;
    symbols: Vec<String> = "BTCUSDT,ETHUSDT,SOLUSDT", names,
        "markets to record, comma-separated", shape: Shape::List;
    quote: Option<String> = "", optional,
        "with --all: only markets with this quote currency";
    market_type: Wanted = "futures",
        |text| one_of(text, &[("spot", Wanted::Spot), ("futures", Wanted::Futures), ("both", Wanted::Both)]),
        "with --all: spot, futures or both";
    min_volume_24h: f64 = "10000", volume,
        "with --all: least volume of the last 24 hours, in quote currency";
    markets_max: usize = "1000", number,
        "with --all: most markets per venue";
    max_concurrent_checks: usize = "5", number,
        "polls under way at once; streams do not count";
    poll_interval: Span = "60s", |text| whole(text, Span::secs(1)),
        "time between polls of what has no stream";
    poll_intervals: Vec<(Metric, Span)> = "", streams::intervals,
        "the same for single metrics, as in open_interest=30s,long_short_ratio=5m, or as a table poll_intervals.open_interest = \"30s\"; ratios are polled every 5m otherwise",
        shape: Shape::Table;
    metrics: Streams = "all", Streams::parse,
        "streams of a live market: all, or names from `barograph markets`", shape: Shape::List;
    books: Option<bool> = "auto", |text| one_of(text, &[("auto", None), ("on", Some(true)), ("off", Some(false))]),
        "order books: auto (up to 20 markets), on, off";
    models: Result<Option<ModelMarkets>, String> = "auto", |text| Ok(models(text)),
        "statistical models beside the rules: auto (live, up to 20 markets), on (over files too), off, or symbols, comma-separated",
        shape: Shape::List;
    contest: Vec<(ForecastEvent, Forecaster)> = "", contest,
        "whose forecasts of an event are used, as in hv_1h=hmm, or as a table contest.hv_1h = \"hmm\"; refused unless `barograph contest` shows that it may be used; the rules' otherwise",
        shape: Shape::Table;
    watch: WatchMarkets = "auto", WatchMarkets::parse,
        "markets compared with each other: auto (one of each major asset), off, or 2 to 12 markets, comma-separated",
        shape: Shape::List, placed: false;
    spot_pairs: SpotPairs = "", SpotPairs::parse,
        "spot markets that a contract's basis is of, venue:CONTRACT=venue:SPOT, comma-separated; else that of the same base and quote on the same exchange";
    book_interval: Span = "30s", |text| whole(text, Span::secs(1)),
        "time between order books that are stored, in whole seconds";
    basis_interval: Span = "1m", |text| whole(text, Span::mins(1)),
        "time between rows of futures_basis_history on a server, in whole minutes";
    backfill: Option<Span> = "auto", backfill,
        "history fetched at first start: auto, 0, or a time such as 30d";
    endpoints: Vec<String> = "", names,
        "other addresses for venues, as VENUE=URL, comma-separated", shape: Shape::List;
    // Is it the maker's?
    coinbase_trade_side: bool = "maker", |text| one_of(text, &[("maker", true), ("taker", false)]),
        "whose side a Coinbase trade names: maker or taker";
    keep_journal_days: Span = "7", days,
        "days that raw frames are kept";
    keep_journal_gb: usize = "20", number,
        "most gigabytes of raw frames kept; the oldest hours go first";
    db_url: Option<String> = "", database,
        "database: nothing for SQLite in the data folder, or postgres://user:password@host/name",
        also: Some("DB_URL"), shown: secret::masked;
    role: ClusterRole = "all", |text| one_of(text, &ClusterRole::WORDS),
        "what `barograph up` does: all, or one part of a cluster (docs/cluster.md): ingest, engine, universe or serve";
    nats_url: Option<String> = "", nats,
        "NATS server of a cluster, as nats://user:password@host:4222 or tls://host:4222",
        shown: secret::masked;
    cluster_name: String = "barograph", cluster_name,
        "what the cluster's names on that server begin with: letters, digits and -";
    cluster_groups: u16 = "12", groups,
        "groups that the markets of a cluster are split into, the same in every process: one worker has whole groups, so a few for each worker. Another number needs an empty cluster_objects";
    cluster_worker: Option<String> = "", worker,
        "name of this worker in a cluster; without one, that of the machine with the number of the process";
    cluster_lease: Span = "2400ms", lease,
        "time after which a worker that shows no sign of life has lost its groups, 1s to 60s";
    cluster_objects: Option<String> = "", optional,
        "where workers keep checkpoints: s3://bucket/prefix, or a folder that every worker has";
    redis: Option<MirrorAddress> = "", redis,
        "Redis or Valkey server to which a live process also writes the newest snapshot and board row of each market: redis://:password@host:6379/0, or unix:///path/of/socket",
        shown: secret::redis;
    s3_endpoint: Option<String> = "", optional,
        "server of S3 for addresses s3://bucket/prefix: https://host:port; AWS unless set",
        also: Some("AWS_ENDPOINT_URL"), shown: secret::host_only;
    s3_region: Option<String> = "", optional,
        "region of its buckets; us-east-1 unless set", also: Some("AWS_REGION");
    s3_style: Option<S3Style> = "auto", s3_style,
        "where an address names the bucket: path (https://host/bucket), virtual (https://bucket.host), or auto (virtual with AWS, path with a server of s3_endpoint)";
    s3_key_id: Option<String> = "", optional,
        "id of the key with which it is asked", also: Some("AWS_ACCESS_KEY_ID");
    s3_secret: Option<Secret> = "", key,
        "secret of that key", also: Some("AWS_SECRET_ACCESS_KEY"), shown: secret::hidden;
    narrative_url: Option<AskedService> = "", narrative,
        "language model that may phrase the day's summary (`barograph narrative`), as the address of an OpenAI-compatible service: https://host/v1, or http://localhost:11434/v1; nothing is sent anywhere unless set",
        shown: secret::host_only;
    narrative_model: Option<String> = "", optional,
        "name of that model, as its service knows it";
    narrative_key: Option<Secret> = "", key,
        "key of that service", also: Some("OPENAI_API_KEY"), shown: secret::hidden;
    onchain: Vec<OnchainSeries> = "", onchain,
        "series fetched from on-chain and sentiment sources, comma-separated: defillama.tvl, defillama.tvl.Ethereum, defillama.protocol.aave, defillama.stablecoins, defillama.dex, fng, glassnode.btc.market.marketcap_realized_usd, dune.NAME=QUERY/COLUMN or dune.NAME=QUERY/COLUMN[UNIT]; nothing is asked unless set",
        shape: Shape::List;
    onchain_endpoints: BTreeMap<OnchainHost, AskedService> = "", onchain_endpoints,
        "other addresses for those sources, as defillama=URL, stablecoins=URL, glassnode=URL, dune=URL or fng=URL, comma-separated",
        shape: Shape::List, shown: secret::hosts_only;
    glassnode_key: Option<Secret> = "", key, "key of Glassnode", shown: secret::hidden;
    dune_key: Option<Secret> = "", key, "key of Dune", shown: secret::hidden;
    sentiment: Option<ScoredTexts> = "", ScoredTexts::of,
        "scored texts of a provider of yours: a file or an address, with time, symbol, score and source, as JSON, JSON lines or CSV",
        shown: secret::host_only;
    sentiment_key: Option<Secret> = "", key, "key of that provider, sent as Authorization: Bearer", shown: secret::hidden;
    positions_file: Option<PathBuf> = "", optional,
        "file of positions to watch, TOML or JSON; read at start and when it changes";
    stop_mode: StopMode = "base",
        |text| one_of(text, &[("base", StopMode::Base), ("beyond_cluster", StopMode::BeyondCluster)]),
        "computed stop where you give none: base, or beyond_cluster";
    stop_uses_vol_multiplier: bool = "off", switch,
        "widen computed stops by the volatility class once more: on or off";
    level_clusters: Option<ClusterMethod> = "book", clusters,
        "how equal highs and lows are found: book (as the rule book says), tolerance, or kde (modes of a kernel density)";
    studies: Option<PathBuf> = "", optional,
        "folder of the lab's studies: those commands write and the page shows; studies in the data folder unless set";
    calendar: Option<CalendarSource> = "", CalendarSource::of,
        "scheduled events: shipped (FOMC, US CPI and payrolls of 2026), or a file or an address, as TOML, CSV, JSON or iCalendar; read at start and every hour",
        shown: secret::host_only;
    taker_fees: TakerFees = "", TakerFees::parse,
        "what you pay as a taker, in basis points, as VENUE=BPS or VENUE=CONTRACTS/SPOT, comma-separated, or as a table (taker_fees.bybit = \"4.5/10\"). Without it, what the venue publishes for its lowest tier",
        shape: Shape::Table;
    options: OptionsChoice = "auto", OptionsChoice::parse,
        "whose options a live process asks Deribit for, every hour: auto (BTC and ETH, where a Deribit market of theirs is recorded), off, or currencies, comma-separated",
        shape: Shape::List;
    news_blackout: Blackout = "avoid", |text| one_of(text, &[("avoid", Blackout::Avoid), ("warn", Blackout::Warn)]),
        "advice within two hours before a calendar event: avoid or warn";
    token: Option<String> = "", optional,
        "access token that commands bring to the API of a running process", shown: secret::hidden;
    monitoring: bool = "on", switch,
        "record from venues at all: on or off";
}
