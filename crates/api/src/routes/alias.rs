//! The three original paths, exactly as payloads §2 has them; the trailing slash is optional.

use super::{docs, metrics, reply};
use crate::alias::{AliasPoint, AliasSnapshot, source_word};
use crate::cursor::Position;
use crate::params::{Params, check_range};
use crate::problem::Problem;
use crate::query::{Query, QueryError, Window};
use crate::state::Shared;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::Response;
use barograph_domain::{InstrumentName, Ts};
use bytes::Bytes;
use serde::Serialize;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use utoipa::IntoParams;

/// Rows read at a time. The original paths have no pages: their array is written while it is read, so that a year of
/// minutes takes no more memory than this many rows.
const CHUNK: usize = 500;

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the schema generator alone")]
struct HistoryRange {
    /// First instant, included.
    #[param(example = "2026-02-05T00:00:00Z")]
    start: String,
    /// Last instant, excluded.
    #[param(example = "2026-02-06T00:00:00Z")]
    end: String,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the schema generator alone")]
struct MetricRange {
    /// What is measured.
    #[param(example = "funding_rate")]
    metric_name: String,
    /// First instant, included.
    #[param(example = "2026-02-05T00:00:00Z")]
    start: String,
    /// Last instant, excluded. Left out: to the newest.
    end: Option<String>,
}

/// The newest snapshot, in the original shape.
#[utoipa::path(
    get,
    path = "/api/market-context/snapshot/",
    operation_id = "originalSnapshot",
    tag = "original paths",
    params(docs::Symbol, docs::AsOf),
    responses((status = 200, description = "the snapshot", body = AliasSnapshot))
)]
pub(super) async fn snapshot(State(app): State<Shared>, RawQuery(query): RawQuery) -> Result<Response<Body>, Problem> {
    let params = Params::parse(query.as_deref(), &["symbol", "as_of"])?;
    let id = instrument(&app, &params)?;
    let rendered = match params.as_of(app.query.now())? {
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
    params(docs::Symbol, HistoryRange, docs::AsOf),
    responses((status = 200, description = "start ≤ timestamp < end", body = [AliasSnapshot]))
)]
pub(super) async fn history(State(app): State<Shared>, RawQuery(query): RawQuery) -> Result<Response<Body>, Problem> {
    let params = Params::parse(query.as_deref(), &["symbol", "start", "end", "as_of"])?;
    let id = instrument(&app, &params)?;
    let window = window(&params, Some(params.need_instant("end")?), app.query.now())?;
    let fetch = move |q: &dyn Query, window: &Window| {
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
    params(docs::Symbol, MetricRange, docs::AsOf),
    responses((status = 200, description = "start ≤ timestamp < end", body = [AliasPoint]))
)]
pub(super) async fn points(State(app): State<Shared>, RawQuery(query): RawQuery) -> Result<Response<Body>, Problem> {
    let params = Params::parse(query.as_deref(), &["symbol", "metric_name", "start", "end", "as_of"])?;
    let id = instrument(&app, &params)?;
    let name = params.need("metric_name", "funding_rate")?.to_owned();
    let window = window(&params, params.instant("end")?, app.query.now())?;
    let fetch = move |q: &dyn Query, window: &Window| {
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

fn instrument(app: &Shared, params: &Params) -> Result<InstrumentName, Problem> {
    let symbol = params.need("symbol", "BTCUSDT")?;
    app.query.resolve(symbol, true).map_err(|e| app.problem("alias", &e))
}

fn window(params: &Params, end: Option<Ts>, now: Ts) -> Result<Window, Problem> {
    let start = Some(params.need_instant("start")?);
    check_range(start, end)?;
    Ok(Window { start, end, every: None, skip: 0, limit: CHUNK, as_of: params.as_of(now)? })
}

/// Some elements of the array, rendered.
struct Chunk {
    json: Vec<u8>,
    last: Vec<Ts>,
    more: bool,
}

type Fetch = dyn Fn(&dyn Query, &Window) -> Result<Chunk, QueryError> + Send + Sync;

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
    app: Shared,
    route: &'static str,
    mut window: Window,
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
            from = Position::after(from, chunk.last.into_iter());
            let Some(next) = from else { break };
            window = Window { start: Some(next.ts), skip: next.skip, ..window };
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

async fn read(app: &Shared, route: &'static str, window: Window, fetch: &Arc<Fetch>) -> Result<Chunk, Problem> {
    let fetch = Arc::clone(fetch);
    app.read(route, move |q| fetch(q, &window)).await
}
