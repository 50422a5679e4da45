//! What is known of each market: the list, contexts, readings, levels and points, and how the program behind does.

use super::{Page, QueryError, SeriesWindow};
use crate::analysis::AnalysisView;
use crate::names;
use crate::view::{CatalogueEntry, FeatureRowView, LevelView, MarketView, MetricPoint, StreamView};
use axum::http::HeaderValue;
use barograph_domain::similar::SimilarView;
use barograph_domain::{InstrumentName, LevelType, Metric, Snapshot, Span, Ts};
use bytes::Bytes;
use std::sync::Arc;

/// Markets, by name and by moment.
pub trait AskMarkets {
    /// The present moment: the wall clock, or the replay's own.
    fn now(&self) -> Ts;

    /// Every instrument there is, sorted by name.
    fn instruments(&self) -> Arc<[InstrumentName]>;

    /// The venue a bare symbol means on alias routes, where it trades there.
    fn default_venue(&self) -> &str {
        names::DEFAULT_VENUE
    }

    /// Which instrument a name means; see [`names::resolve`].
    ///
    /// # Errors
    /// [`QueryError::UnknownSymbol`] or [`QueryError::Ambiguous`].
    fn resolve(&self, name: &str, alias: bool) -> Result<InstrumentName, QueryError> {
        names::resolve(&self.instruments(), self.default_venue(), name, alias)
    }

    /// The feature catalogue, in row order. Asked once, when serving begins.
    fn catalogue(&self) -> Vec<CatalogueEntry>;

    /// Whether the program can answer, and how old its newest answers are.
    fn health(&self) -> Health;

    /// Every market, sorted by name, as known at `as_of` (`None`: now).
    ///
    /// # Errors
    /// [`QueryError::Unavailable`] or [`QueryError::Internal`].
    fn markets(&self, as_of: Option<Ts>) -> Result<Vec<MarketView>, QueryError>;

    /// One market, as [`Self::markets`] says it.
    ///
    /// # Errors
    /// As [`Self::markets`]; [`QueryError::NothingYet`] where it was not known at `as_of`.
    fn market(&self, id: &InstrumentName, as_of: Option<Ts>) -> Result<MarketView, QueryError> {
        let found = self.markets(as_of)?.into_iter().find(|m| m.instrument == *id);
        found.ok_or_else(|| QueryError::NothingYet { instrument: id.clone(), as_of, first: None })
    }

    /// The streams of one market that have said something, in source rank order, as known at `as_of` (`None`: now). An
    /// instrument without any has none. By default, those in [`Self::markets`].
    ///
    /// # Errors
    /// As [`Self::markets`].
    fn streams(&self, id: &InstrumentName, as_of: Option<Ts>) -> Result<Vec<StreamView>, QueryError> {
        let market = self.markets(as_of)?.into_iter().find(|m| m.instrument == *id);
        Ok(market.map(|m| m.streams).unwrap_or_default())
    }

    /// The newest snapshot. `book` `None` is the configured one. `as_of` `None`: the present-moment overlay of
    /// regimes §9 with `age_s`, made with [`Rendered::present`]; `Some`: that moment, made with [`Rendered::fixed`].
    ///
    /// # Errors
    /// [`QueryError::NothingYet`], [`QueryError::UnknownBook`], [`QueryError::OtherBook`], or the store's failure.
    fn context(&self, id: &InstrumentName, book: Option<&str>, as_of: Option<Ts>) -> Result<Rendered, QueryError>;

    /// The past hours most like the newest minute of a market, and what came of them.
    ///
    /// # Errors
    /// As [`Self::context`].
    fn similar(&self, id: &InstrumentName, as_of: Option<Ts>) -> Result<SimilarView, QueryError>;

    /// One market in one answer: open alerts, health, every pattern with its statistic, sources.
    ///
    /// # Errors
    /// As [`Self::context`].
    fn analysis(&self, id: &InstrumentName, as_of: Option<Ts>) -> Result<AnalysisView, QueryError>;

    /// Published snapshots, ascending, without overlay.
    ///
    /// # Errors
    /// [`QueryError::UnknownBook`], [`QueryError::OtherBook`], or the store's failure. An empty stretch is an empty page.
    fn history(
        &self,
        id: &InstrumentName,
        book: Option<&str>,
        window: &SeriesWindow,
    ) -> Result<Page<Arc<Snapshot>>, QueryError>;

    /// Feature rows, ascending.
    ///
    /// # Errors
    /// As [`Self::history`].
    fn features(
        &self,
        id: &InstrumentName,
        book: Option<&str>,
        window: &SeriesWindow,
    ) -> Result<Page<FeatureRowView>, QueryError>;

    /// The newest feature row.
    ///
    /// # Errors
    /// As [`Self::context`].
    fn latest_features(
        &self,
        id: &InstrumentName,
        book: Option<&str>,
        as_of: Option<Ts>,
    ) -> Result<FeatureRowView, QueryError>;

    /// Metric points, ascending by (timestamp, source): the newest revision known at `as_of` of each.
    ///
    /// # Errors
    /// [`QueryError::UnknownMetric`] when this instrument has no stream of it, [`QueryError::NotOffered`] when its venue has
    /// none, or the store's failure.
    fn metrics(
        &self,
        id: &InstrumentName,
        metric: Metric,
        window: &SeriesWindow,
    ) -> Result<Page<MetricPoint>, QueryError>;

    /// Levels by confirmation: of each the latest revision known at `as_of`, its strength that of then. `every` is not asked
    /// for.
    ///
    /// # Errors
    /// As [`Self::history`].
    fn levels(
        &self,
        id: &InstrumentName,
        book: Option<&str>,
        filter: &LevelFilter,
        window: &SeriesWindow,
    ) -> Result<Page<LevelView>, QueryError>;
}

/// Which levels.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LevelFilter {
    /// One timeframe only.
    pub timeframe: Option<Span>,
    /// These types only; empty: all.
    pub kinds: Vec<LevelType>,
    /// Only those that nothing has traded through and that are not past their lifetime.
    pub active: bool,
}

/// A snapshot with its JSON, rendered once and shared by all requests.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// The snapshot; alias routes map it.
    pub snapshot: Arc<Snapshot>,
    /// Its canonical JSON.
    pub json: Bytes,
    /// Its validator.
    pub etag: HeaderValue,
}

impl Rendered {
    /// A snapshot as it was published: the validator is strong, the bytes decide.
    ///
    /// # Errors
    /// [`QueryError::Internal`] when it cannot be written as JSON.
    pub fn fixed(snapshot: Arc<Snapshot>) -> Result<Self, QueryError> {
        let json = to_json(&*snapshot)?;
        let etag = crate::etag::strong(&json);
        Ok(Self { snapshot, json, etag })
    }

    /// A snapshot seen from the present moment. Its ages change every second while nothing else does, so the validator
    /// is weak: it covers everything except the counted seconds, and changes when freshness, label, bias, posture or a
    /// text does.
    ///
    /// # Errors
    /// [`QueryError::Internal`] when it cannot be written as JSON.
    pub fn present(snapshot: Arc<Snapshot>) -> Result<Self, QueryError> {
        let json = to_json(&*snapshot)?;
        let mut timeless = (*snapshot).clone();
        timeless.age_s = None;
        let axes = &mut timeless.regimes;
        for age in [&mut axes.risk.age_s, &mut axes.trend.age_s, &mut axes.volatility.age_s, &mut axes.heat.age_s] {
            *age = 0;
        }
        timeless.explanation.inputs.iter_mut().for_each(|i| i.age_s = i.age_s.map(|_| 0));
        timeless.explanation.features.values_mut().for_each(|f| f.age_s = f.age_s.map(|_| 0));
        let etag = crate::etag::weak(&to_json(&timeless)?);
        Ok(Self { snapshot, json, etag })
    }
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<Bytes, QueryError> {
    // Grown from nothing a snapshot is copied eight times.
    let mut json = Vec::with_capacity(SNAPSHOT_ROOM);
    barograph_domain::json::write(&mut json, value).map_err(|e| QueryError::Internal { source: Box::new(e) })?;
    json.shrink_to_fit();
    Ok(Bytes::from(json))
}

/// Bytes that a snapshot seldom exceeds.
const SNAPSHOT_ROOM: usize = 32 << 10;

/// State of the program behind the API.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Health {
    /// The store has been opened.
    pub store_open: bool,
    /// What else keeps it from answering well, one sentence each.
    pub problems: Vec<String>,
    /// Per instrument.
    pub markets: Vec<MarketHealth>,
}

/// How far one market has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MarketHealth {
    /// Market that is listed.
    pub instrument: InstrumentName,
    /// Newest snapshot of the configured book; `None` before the first.
    pub newest: Option<Ts>,
    /// Age at which the market counts as lost: the largest `gap_alert` of the inputs its book reads (features §9).
    /// `None`: recorded history, which may be of any age.
    pub gap_alert: Option<Span>,
}
