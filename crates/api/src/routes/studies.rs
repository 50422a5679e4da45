//! Studies of the lab: which there are, and one with its board.

use super::reply;
use crate::etag;
use crate::params::{Params, parameters};
use crate::problem::Problem;
use crate::state::SharedState;
use crate::studies::{LabStudies, LabStudyView};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};

parameters! {
    /// Which study.
    pub(super) struct OfStudy {
        /// Its place below the folder of studies, as the list has it.
        #[param(example = "binance-usdm/BTCUSDT/dir_5s", required = true)]
        study: String,
    }
}

/// Studies of the lab, by market and target.
///
/// They are read from the folder that the setting `studies` names. A study is made by `barograph lab train`.
#[utoipa::path(
    get,
    path = "/api/v1/studies",
    operation_id = "listStudies",
    tag = "lab",
    responses(
        (status = 200, description = "the studies", body = LabStudies),
        (status = 304, description = "the list you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn list(
    State(app): State<SharedState>,
    Params(()): Params<()>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let json = app.read("studies", move |q| reply::json(&q.studies()?)).await?;
    Ok(etag::answer(&headers, json))
}

/// One study: its board, and what else its folder holds of reliability, importance, folds and money.
#[utoipa::path(
    get,
    path = "/api/v1/study",
    operation_id = "getStudy",
    tag = "lab",
    params(OfStudy),
    responses(
        (status = 200, description = "the study", body = LabStudyView),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn one(
    State(app): State<SharedState>,
    Params(of): Params<OfStudy>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let study = of.study.need("binance-usdm/BTCUSDT/dir_5s")?.to_owned();
    let json = app.read("study", move |q| reply::json(&q.study(&study)?)).await?;
    Ok(etag::answer(&headers, json))
}
