//! A changed rule book over stored readings, and the changed book kept. No book in use changes by any of it.

use super::{body, reply};
use crate::params::{Params, parameters};
use crate::problem::Problem;
use crate::state::SharedState;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use barograph_domain::whatif::{BookThresholds, KeptBook, NewBook, WhatIfRequest, WhatIfView};

parameters! {
    /// Which book.
    pub(super) struct OfBook {
        /// A rule book that comes with the program; absent: the configured one.
        base: Option<String>,
    }
}

/// The thresholds of a rule book, by the names under which a what-if changes them.
#[utoipa::path(
    get,
    path = "/api/v1/whatif",
    operation_id = "listThresholds",
    tag = "whatif",
    params(OfBook),
    responses((status = 200, description = "the thresholds", body = BookThresholds))
)]
pub(super) async fn thresholds(
    State(app): State<SharedState>,
    Params((of,)): Params<(OfBook,)>,
) -> Result<Response<Body>, Problem> {
    let base = of.base.owned();
    let json = app.read("whatif", move |q| reply::json(&q.thresholds(base.as_deref())?)).await?;
    Ok(reply::json_body(json))
}

/// A changed rule book replayed over stored readings, beside the base.
///
/// Labels, their entries and shares, flips, overlap, and how labels did as forecasts of what readings can tell. What stored readings
/// cannot show is refused with the key that stands in the way. The text of the changed book comes back, to be kept as a file;
/// nothing of the server changes. The first question about a stretch reads all of its minutes and takes longer. One is replayed at a
/// time: a fifth that comes meanwhile is answered 503 with `Retry-After`. At most 256 entries in `set`, 40,000 market-days, and what
/// of them is in memory at once; more is answered 422 and says how to ask less. `barograph rules whatif` knows no such bounds.
#[utoipa::path(
    post,
    path = "/api/v1/whatif",
    operation_id = "postWhatIf",
    tag = "whatif",
    request_body = WhatIfRequest,
    responses((status = 200, description = "before and after", body = WhatIfView))
)]
pub(super) async fn ask(
    State(app): State<SharedState>,
    Params(()): Params<()>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response<Body>, Problem> {
    let asked: WhatIfRequest = body::json(&headers, sent).await?;
    let json = app.read_alone(&app.what_ifs, "whatif", move |q| reply::json(&q.what_if(&asked)?)).await?;
    Ok(reply::json_body(json))
}

/// Keeps a changed rule book as a file of the data folder.
///
/// The text is that of the base with the thresholds changed and the name set; comments stay. The book in use stays in use; the
/// answer says how to start with the new one. A book of that name is written over only where `replace` says so.
#[utoipa::path(
    post,
    path = "/api/v1/whatif/books",
    operation_id = "keepBook",
    tag = "whatif",
    request_body = NewBook,
    responses((status = 201, description = "the book", body = KeptBook))
)]
pub(super) async fn keep(
    State(app): State<SharedState>,
    Params(()): Params<()>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response<Body>, Problem> {
    let new: NewBook = body::json(&headers, sent).await?;
    let json = app.read("whatif", move |q| reply::json(&q.keep_book(&new)?)).await?;
    Ok(reply::created(json))
}
