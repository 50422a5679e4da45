//! What was liquidated hour by hour, all markets together.

use super::reply;
use crate::etag;
use crate::events::{HourOfLiquidations, LiquidationHours};
use crate::params::{AsOf, Params, parameters};
use crate::problem::Problem;
use crate::query::{Query, QueryError};
use crate::state::SharedState;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use barograph_domain::{Span, Ts};

/// Hours that are looked back: by default, and at most.
const HOURS: (u32, u32) = (24, 720);

parameters! {
    /// How far back.
    pub(crate) struct HoursBack {
        /// How far to look back: 1 to 720; 24 by default.
        #[param(example = 24)]
        hours: Option<u32>,
    }
}

impl HoursBack {
    /// How many are asked for; `further` says who reaches further back.
    pub(crate) fn wanted(&self, further: &str) -> Result<u32, Problem> {
        self.hours
            .count(HOURS, &format!("write a whole number of hours, as in hours=24; {further} reaches further back"))
    }
}

/// Liquidations by hour over all markets, longs and shorts.
///
/// As many whole hours of UTC as were asked for, the earliest first; the newest is the last one that was over at `as_of`, or now:
/// 24 at 14:35 are those from 14:00 of the day before to 14:00. An hour in which nobody listened is null, with the reason.
#[utoipa::path(
    get,
    path = "/api/v1/liquidations",
    operation_id = "getLiquidationsByHour",
    tag = "context",
    params(HoursBack, AsOf),
    responses(
        (status = 200, description = "the hours", body = LiquidationHours),
        (status = 304, description = "the ones you hold are still they (If-None-Match)")
    )
)]
pub(super) async fn by_hour(
    State(app): State<SharedState>,
    Params((hours, as_of)): Params<(HoursBack, AsOf)>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let hours = hours.wanted("/api/v1/markets/{id}/features")?;
    let now = app.query.now();
    let as_of = as_of.moment(now)?;
    let json = app
        .read("liquidations", move |q| {
            reply::json(&LiquidationHours { hours, items: series(q, hours, as_of.unwrap_or(now), as_of)? })
        })
        .await?;
    Ok(etag::answer(&headers, json))
}

/// The last so many whole hours that were over at `at`.
pub(crate) fn series(
    q: &dyn Query,
    hours: u32,
    at: Ts,
    as_of: Option<Ts>,
) -> Result<Vec<HourOfLiquidations>, QueryError> {
    let over = at.floor(Span::hours(1));
    q.liquidations_by_hour(over - Span::hours(hours.into()), over, as_of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::ProblemKind;

    #[test]
    fn hours_have_bounds() {
        let of = |query: &str| Params::<HoursBack>::parse(Some(query)).unwrap().0.wanted("/api/v1/events");
        assert_eq!((of(""), of("hours=1"), of("hours=720")), (Ok(24), Ok(1), Ok(720)));
        for query in ["hours=0", "hours=721", "hours=-3", "hours=1.5", "hours=day"] {
            assert_eq!(of(query).unwrap_err().kind, ProblemKind::BadNumber, "{query}");
        }
    }
}
