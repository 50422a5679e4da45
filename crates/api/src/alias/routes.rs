//! The three original paths, exactly as payloads §2 has them; the trailing slash is optional.

use super::{AliasPoint, AliasSnapshot, source_word};
use crate::cursor::CursorPosition;
use crate::params::{AsOf, Given, Params, check_range, parameters};
use crate::problem::Problem;
use crate::query::{Query, QueryError, SeriesWindow};
use crate::routes::{metrics, reply};
use crate::state::SharedState;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use barograph_domain::{InstrumentName, Ts};
use bytes::Bytes;
use serde::Serialize;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// Rows read at a time. The original paths have no pages: their array is written while it is read, so that a year of
/// minutes takes no more memory than this many rows.
const CHUNK: usize = 500;

parameters! {
    /// Which symbol.
    pub(crate) struct Symbol {
        /// A bare symbol means the default venue where it trades there; `venue:symbol` is understood too.
        #[param(example = "BTCUSDT")]
        symbol: String,
    }

    /// Which stretch of snapshots.
    pub(crate) struct HistoryRange {
        /// First instant, included.
        #[param(example = "2026-02-05T00:00:00Z")]
        start: String,
        /// Last instant, excluded.
        #[param(example = "2026-02-06T00:00:00Z")]
        end: String,
    }

    /// Which points.
    pub(crate) struct MetricRange {
        /// What is measured.
        #[param(example = "funding_rate")]
        metric_name: String,
        /// First instant, included.
        #[param(example = "2026-02-05T00:00:00Z")]
        start: String,
        /// Last instant, excluded. Left out: to the newest.
        end: Option<String>,
    }
}

/// The newest snapshot, in the original shape.
#[utoipa::path(
    get,
    path = "/api/market-context/snapshot/",
    operation_id = "originalSnapshot",
    tag = "original paths",
    params(Symbol, AsOf),
    responses((status = 200, description = "the snapshot", body = AliasSnapshot))
)]
pub(crate) async fn snapshot(
    State(app): State<SharedState>,
    Params((symbol, as_of)): Params<(Symbol, AsOf)>,
) -> Result<Response<Body>, Problem> {
    let id = instrument(&app, &symbol)?;
    let rendered = match as_of.moment(app.query.now())? {
        None => app.query.context(&id, None, None).map_err(|e| app.problem("alias snapshot", &e))?,
        as_of => app.read("alias snapshot", move |q| q.context(&id, None, as_of)).await?,
    };
    let json = reply::json(&AliasSnapshot::from(&*rendered.snapshot)).map_err(|e| app.problem("alias snapshot", &e))?;
    Ok(reply::json_body(json))
}

/// Snapshots of a stretch, ascending, in the original shape.
#[utoipa::path(
    get,
    path = "/api/market-context/history/",
    operation_id = "originalHistory",
    tag = "original paths",
    params(Symbol, HistoryRange, AsOf),
    responses((status = 200, description = "start ≤ timestamp < end", body = [AliasSnapshot]))
)]
pub(crate) async fn history(
    State(app): State<SharedState>,
    Params((symbol, range, as_of)): Params<(Symbol, HistoryRange, AsOf)>,
) -> Result<Response<Body>, Problem> {
    let id = instrument(&app, &symbol)?;
    let end = Some(range.end.need_instant()?);
    let window = window(&range.start, end, &as_of, app.query.now())?;
    let fetch = move |q: &dyn Query, window: &SeriesWindow| {
        let page = q.history(&id, None, window)?;
        Ok(Chunk {
            json: elements(page.items.iter().map(|s| AliasSnapshot::from(&**s)))?,
            last: page.items.iter().map(|s| s.timestamp).collect(),
            more: page.more,
        })
    };
    array(app, "alias history", window, Arc::new(fetch)).await
}

/// Raw points of one metric, ascending, in the original shape.
#[utoipa::path(
    get,
    path = "/api/market-context/metrics/",
    operation_id = "originalMetrics",
    tag = "original paths",
    params(Symbol, MetricRange, AsOf),
    responses((status = 200, description = "start ≤ timestamp < end", body = [AliasPoint]))
)]
pub(crate) async fn points(
    State(app): State<SharedState>,
    Params((symbol, range, as_of)): Params<(Symbol, MetricRange, AsOf)>,
) -> Result<Response<Body>, Problem> {
    let id = instrument(&app, &symbol)?;
    let name = range.metric_name.need("funding_rate")?.to_owned();
    let window = window(&range.start, range.end.instant()?, &as_of, app.query.now())?;
    let fetch = move |q: &dyn Query, window: &SeriesWindow| {
        let metric = metrics::metric(q, &id, &name, window.as_of)?;
        let page = q.metrics(&id, metric, window)?;
        Ok(Chunk {
            json: elements(page.items.iter().map(|p| AliasPoint {
                timestamp: p.timestamp,
                value: p.value,
                source: source_word(&p.source),
            }))?,
            last: page.items.iter().map(|p| p.timestamp).collect(),
            more: page.more,
        })
    };
    array(app, "alias metrics", window, Arc::new(fetch)).await
}

fn instrument(app: &SharedState, asked: &Symbol) -> Result<InstrumentName, Problem> {
    let symbol = asked.symbol.need("BTCUSDT")?;
    app.query.resolve(symbol, true).map_err(|e| app.problem("alias", &e))
}

fn window(start: &Given, end: Option<Ts>, as_of: &AsOf, now: Ts) -> Result<SeriesWindow, Problem> {
    let start = Some(start.need_instant()?);
    check_range(start, end)?;
    Ok(SeriesWindow { start, end, every: None, skip: 0, limit: CHUNK, as_of: as_of.moment(now)? })
}

/// Some elements of the array, rendered.
struct Chunk {
    json: Vec<u8>,
    last: Vec<Ts>,
    more: bool,
}

type Fetch = dyn Fn(&dyn Query, &SeriesWindow) -> Result<Chunk, QueryError> + Send + Sync;

/// Elements of a JSON array without its brackets.
fn elements<T: Serialize>(items: impl Iterator<Item = T>) -> Result<Vec<u8>, QueryError> {
    let mut out = Vec::new();
    for item in items {
        if !out.is_empty() {
            out.push(b',');
        }
        serde_json::to_writer(&mut out, &item).map_err(|e| QueryError::Internal { source: Box::new(e) })?;
    }
    Ok(out)
}

/// A whole array, however long. The first chunk is read before the answer begins, so that every usual error is a
/// problem document; a failure later on breaks the connection off, which no client can mistake for an end.
async fn array(
    app: SharedState,
    route: &'static str,
    mut window: SeriesWindow,
    fetch: Arc<Fetch>,
) -> Result<Response<Body>, Problem> {
    let mut chunk = read(&app, route, window, &fetch).await?;
    let mut out = vec![b'['];
    out.append(&mut chunk.json);
    if !chunk.more {
        out.push(b']');
        return Ok(reply::json_body(Bytes::from(out)));
    }
    let (sender, receiver) = mpsc::channel::<Result<Bytes, std::io::Error>>(1);
    let supervisor = Arc::clone(&app);
    supervisor.spawn(route, async move {
        let mut from = None;
        while chunk.more {
            if sender.send(Ok(Bytes::from(core::mem::take(&mut out)))).await.is_err() {
                return;
            }
            from = CursorPosition::after(from, chunk.last.into_iter());
            let Some(next) = from else { break };
            window = SeriesWindow { start: Some(next.ts), skip: next.skip, ..window };
            chunk = match read(&app, route, window, &fetch).await {
                Ok(chunk) => chunk,
                Err(_told) => {
                    let broken = Err(std::io::Error::other("the read failed"));
                    return drop(sender.send(broken).await);
                }
            };
            if !chunk.json.is_empty() {
                out.push(b',');
                out.append(&mut chunk.json);
            }
        }
        out.push(b']');
        drop(sender.send(Ok(Bytes::from(out))).await);
    });
    Ok(reply::body("application/json", Body::from_stream(ReceiverStream::new(receiver))))
}

async fn read(
    app: &SharedState,
    route: &'static str,
    window: SeriesWindow,
    fetch: &Arc<Fetch>,
) -> Result<Chunk, Problem> {
    let fetch = Arc::clone(fetch);
    app.read(route, move |q| fetch(q, &window)).await
}
