//! The port of a worker of a cluster: alive, ready, counted, and nothing else.
//!
//! The same loop, guard and counters as for the whole surface stand before it, with the same rules of access: `/healthz` is for
//! everybody, the others want a token where tokens are asked for. Markets are answered by the role `serve`.

use crate::error::Error;
use crate::front::Front;
use crate::guard::guard;
use crate::params::Params;
use crate::problem::{Problem, ProblemKind};
use crate::query::Health;
use crate::routes::{ops, wrong_method};
use crate::serve::{ServeConfig, serve_router};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, Uri};
use axum::response::IntoResponse;
use axum::routing::get;
use barograph_domain::Ts;
use std::sync::Arc;
use tokio::net::TcpListener;

/// What a worker of a cluster shows of itself. Every method answers from memory, within about a millisecond.
pub trait AskWorker: Send + Sync + 'static {
    /// Its role by the word of the settings, as in `engine`.
    fn role(&self) -> &'static str;

    /// Whether its loop runs.
    ///
    /// # Errors
    /// What does not move any more, one sentence each.
    fn alive(&self) -> Result<(), Vec<String>>;

    /// What it does at the moment, one sentence each, where broker and database answer.
    ///
    /// # Errors
    /// What keeps it from its work, one sentence each.
    fn ready(&self) -> Result<Vec<String>, Vec<String>>;

    /// Its counters for `/metrics`, in the Prometheus text format 0.0.4. The names `barograph_build_info`, `barograph_http_…` and
    /// `barograph_snapshot_age_seconds` are taken.
    fn metrics_text(&self) -> String;
}

#[derive(Clone)]
struct WorkerState {
    front: Arc<Front>,
    worker: Arc<dyn AskWorker>,
}

/// Serves `/healthz`, `/readyz` and `/metrics` of a worker until `shutdown` resolves, then drains.
///
/// # Errors
/// As [`crate::serve`].
pub async fn serve_worker(
    listener: TcpListener,
    worker: Arc<dyn AskWorker>,
    config: ServeConfig,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Error> {
    let front = Front::new(config);
    let router = router(WorkerState { front: Arc::clone(&front), worker });
    serve_router(listener, &front, router, shutdown).await
}

fn router(state: WorkerState) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&state.front), guard))
        .with_state(state)
}

async fn healthz(State(state): State<WorkerState>, Params(()): Params<()>) -> Result<Response<Body>, Problem> {
    match state.worker.alive() {
        Ok(()) => Ok(ops::ok(&state.front.config.version, Vec::new())),
        Err(reasons) => {
            Err(Problem::new(ProblemKind::NotReady, reasons.join("; ")).hint("start this worker again if it stays so"))
        }
    }
}

async fn readyz(State(state): State<WorkerState>, Params(()): Params<()>) -> Result<Response<Body>, Problem> {
    match state.worker.ready() {
        Ok(notes) => Ok(ops::ok(&state.front.config.version, notes)),
        Err(reasons) => Err(Problem::new(ProblemKind::NotReady, reasons.join("; "))
            .hint("it goes on by itself once they answer; see docs/runbook.md, \"A cluster\"")),
    }
}

async fn metrics(State(state): State<WorkerState>, Params(()): Params<()>) -> Result<Response<Body>, Problem> {
    // A worker has no snapshots, so their ages have no moment.
    let mut text = state.front.telemetry.text(&Health::default(), Ts(0));
    text.push_str(&state.worker.metrics_text());
    Ok(ops::exposition(text))
}

async fn unknown(State(state): State<WorkerState>, uri: Uri) -> Response<Body> {
    let (path, role) = (uri.path(), state.worker.role());
    let what = format!("there is nothing at {path}: this process is a worker of a cluster, with the role {role}");
    Problem::new(ProblemKind::UnknownRoute, what)
        .value(path)
        .hint("it has /healthz, /readyz and /metrics; a process with the role serve answers everything else")
        .into_response()
}
