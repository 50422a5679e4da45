//! Feature rows: of one market the newest or a stretch, of all markets the newest.

use super::context::instrument;
use super::paging::{Listed, PageView};
use super::reply;
use super::segment::{MarketId, Segment};
use crate::etag;
use crate::names::nearest;
use crate::params::{AsOf, Every, Paging, Params, RuleBookChoice, TimeRange, parameters};
use crate::problem::{Problem, ProblemKind};
use crate::query::{Page, Query, QueryError};
use crate::state::SharedState;
use crate::view::{AllFeatures, FeatureRowView, MarketFeatures};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use barograph_domain::InstrumentName;

/// Rows on a page: by default, and at most. A row is about 2 kB of JSON.
const LIMITS: (usize, usize) = (500, 5_000);

parameters! {
    /// Which readings.
    pub(super) struct Ids {
        /// Only these features, separated by commas.
        #[param(example = "funding_zscore_24h,oi_delta_4h")]
        ids: Option<String>,
    }
}

/// Feature rows, ascending; without `start`, `end` and `cursor` the newest one alone.
#[utoipa::path(
    get,
    path = "/api/v1/markets/{id}/features",
    operation_id = "getFeatures",
    tag = "context",
    params(MarketId, Ids, TimeRange, Every, Paging, AsOf, RuleBookChoice),
    responses(
        (status = 200, description = "one page, at most 5000 rows, 500 by default", body = PageView<FeatureRowView>),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn rows(
    State(app): State<SharedState>,
    id: Segment<MarketId>,
    Params((listed, every, book, ids)): Params<(Listed, Every, RuleBookChoice, Ids)>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let id = instrument(&app, "features", id)?;
    let wanted = wanted(&ids, &app.features)?;
    let newest_only = listed.is_newest() && !every.every.is_given();
    let series = listed.series(&format!("features {id}"), Some(&every), app.query.now(), LIMITS, false)?;
    let book = book.name();
    let json = app
        .read("features", move |q| {
            let mut page = if newest_only {
                Page { items: vec![q.latest_features(&id, book.as_deref(), series.window.as_of)?], more: false }
            } else {
                q.features(&id, book.as_deref(), &series.window)?
            };
            if let Some(wanted) = &wanted {
                page.items.iter_mut().for_each(|row| keep(row, wanted));
            }
            reply::json(&series.view(page, |r| r.ts))
        })
        .await?;
    Ok(etag::answer(&headers, json))
}

/// The newest feature row of every market that has one.
///
/// With `as_of` the newest that was known then. Without `ids` each row holds every feature, about 2 kB a market.
#[utoipa::path(
    get,
    path = "/api/v1/features",
    operation_id = "getFeaturesOfAll",
    tag = "context",
    params(Ids, AsOf, RuleBookChoice),
    responses(
        (status = 200, description = "all markets that have a row", body = AllFeatures),
        (status = 304, description = "the ones you hold are still they (If-None-Match)")
    )
)]
pub(super) async fn of_all(
    State(app): State<SharedState>,
    Params((as_of, book, ids)): Params<(AsOf, RuleBookChoice, Ids)>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let wanted = wanted(&ids, &app.features)?;
    let as_of = as_of.moment(app.query.now())?;
    let book = book.name();
    let json = app
        .read("features of all", move |q| {
            let items = of_every_market(q, |id| {
                let mut row = q.latest_features(id, book.as_deref(), as_of)?;
                if let Some(wanted) = &wanted {
                    keep(&mut row, wanted);
                }
                Ok(MarketFeatures { instrument: id.clone(), row })
            })?;
            reply::json(&AllFeatures { items })
        })
        .await?;
    Ok(etag::answer(&headers, json))
}

/// What `of` says of every market that has something, in the order of their names.
pub(crate) fn of_every_market<T>(
    q: &dyn Query,
    of: impl Fn(&InstrumentName) -> Result<T, QueryError>,
) -> Result<Vec<T>, QueryError> {
    let (mut out, mut other) = (Vec::new(), None);
    for id in q.instruments().iter() {
        match of(id) {
            Ok(market) => out.push(market),
            Err(QueryError::NothingYet { .. }) => {}
            Err(e @ QueryError::OtherBook { .. }) => other = Some(e),
            Err(e) => return Err(e),
        }
    }
    // No market at all is no empty folder where other books have rows.
    match other.filter(|_| out.is_empty()) {
        Some(e) => Err(e),
        None => Ok(out),
    }
}

fn wanted(ids: &Ids, known: &[&'static str]) -> Result<Option<Vec<String>>, Problem> {
    if !ids.ids.is_given() {
        return Ok(None);
    }
    let ids: Vec<String> = ids.ids.words().map(str::to_owned).collect();
    match ids.iter().find(|id| !known.contains(&id.as_str())) {
        None => Ok(Some(ids)),
        Some(stranger) => {
            let like = nearest(stranger, known.iter().copied());
            let hint = match like {
                Some(like) => format!("did you mean {like}? /api/v1/catalogue lists all"),
                None => "/api/v1/catalogue lists all".to_owned(),
            };
            Err(Problem::new(ProblemKind::UnknownFeature, format!("there is no feature '{stranger}'"))
                .value(stranger.as_str())
                .hint(hint)
                .candidates(like.map(str::to_owned).into_iter().collect()))
        }
    }
}

fn keep(row: &mut FeatureRowView, wanted: &[String]) {
    row.values.retain(|id, _| wanted.iter().any(|w| w == id));
    row.readings.retain(|id, _| wanted.iter().any(|w| w == id));
}
