//! A name in a path.

use crate::problem::{Problem, ProblemKind};
use axum::extract::Path;
use axum::extract::rejection::PathRejection;

/// What a path gives for its one parameter.
pub(super) type Segment = Result<Path<String>, PathRejection>;

/// The text of it; `what` it is and a hint go into the problem of one that cannot be read.
pub(super) fn text(given: Segment, what: &str, hint: &str) -> Result<String, Problem> {
    given.map(|Path(text)| text).map_err(|_rejected| {
        Problem::new(ProblemKind::BadRequest, format!("the {what} in the path is not percent-encoded UTF-8")).hint(hint)
    })
}
