//! A name in a path.

use crate::problem::{Problem, ProblemKind};
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use serde::Deserialize;
use utoipa::IntoParams;

/// What a path gives for its one parameter, a struct that names and documents it.
pub(crate) type Segment<T> = Result<Path<T>, PathRejection>;

/// Its value; `what` it is and a hint go into the problem of one that cannot be read.
pub(super) fn read<T>(given: Segment<T>, what: &str, hint: &str) -> Result<T, Problem> {
    given.map(|Path(value)| value).map_err(|_rejected| {
        Problem::new(ProblemKind::BadRequest, format!("the {what} in the path is not percent-encoded UTF-8")).hint(hint)
    })
}

/// Which instrument.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct MarketId {
    /// `venue:symbol`, or a bare symbol where only one instrument answers to it.
    #[param(example = "binance-usdm:BTCUSDT")]
    pub(super) id: String,
}
