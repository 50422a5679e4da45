//! What there is: markets and the feature catalogue.

use super::context::instrument;
use super::reply;
use super::segment::{MarketId, Segment};
use crate::cursor::CursorPosition;
use crate::etag;
use crate::params::{AsOf, Bound, Paging, Params};
use crate::problem::Problem;
use crate::state::SharedState;
use crate::view::{Catalogue, MarketView};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use barograph_domain::Ts;
use serde::Serialize;
use utoipa::ToSchema;

/// Markets on a page: unless asked otherwise all of them, which is also the most. A market of eight streams is about 2 kB of JSON.
const LIMITS: (usize, usize) = (10_000, 10_000);

/// One page of the markets.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MarketList {
    /// Sorted by name.
    items: Vec<MarketView>,
    /// Hand this back as `cursor` for the next page; null on the last one.
    next_cursor: Option<String>,
}

impl MarketList {
    /// The page from the market at `from` on.
    fn page(mut all: Vec<MarketView>, from: usize, limit: usize, fingerprint: &str) -> Self {
        let end = from.saturating_add(limit);
        // The place in the list stands where series have the rows at one instant.
        let next_cursor = (end < all.len()).then(|| CursorPosition { ts: Ts(0), skip: end }.encode(fingerprint));
        all.truncate(end);
        all.drain(..from.min(all.len()));
        Self { items: all, next_cursor }
    }

    /// What a present answer says besides counted seconds and how far each stream has come.
    fn essence(&self) -> String {
        use core::fmt::Write as _;
        let mut text = String::with_capacity(self.items.len() * 96);
        for m in &self.items {
            let label = m.label.map(|l| l.name());
            // Writing to a String cannot fail.
            let _infallible = writeln!(
                text,
                "{} {:?} {:?} {label:?} {:?} {}",
                m.instrument, m.first_minute, m.last_minute, m.since, m.stale
            );
            for s in &m.streams {
                let silent = s.newest_event.is_none();
                let _infallible = writeln!(text, "{} {} {} {silent}", s.metric, s.source, s.cadence_s);
            }
        }
        text
    }
}

/// Every market there is, its streams, its label and how old it is.
///
/// The validator of a present answer leaves out counted seconds and how far streams have come; a moment's covers every byte.
#[utoipa::path(
    get,
    path = "/api/v1/markets",
    operation_id = "listMarkets",
    tag = "context",
    params(AsOf, Paging),
    responses(
        (status = 200, description = "one page, all markets by default, at most 10000", body = MarketList),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn list(
    State(app): State<SharedState>,
    Params((as_of, paging, bound)): Params<(AsOf, Paging, Bound)>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let as_of = as_of.moment(app.query.now())?;
    let limit = paging.limit.limit(LIMITS)?;
    let fingerprint = bound.fingerprint("markets");
    let from = paging.cursor.text().map(|text| CursorPosition::decode(text, &fingerprint)).transpose()?;
    let (json, etag) = app
        .read("markets", move |q| {
            let page = MarketList::page(q.markets(as_of)?, from.map_or(0, |p| p.skip), limit, &fingerprint);
            let json = reply::json(&page)?;
            let etag = if as_of.is_some() { etag::strong(&json) } else { etag::weak(page.essence().as_bytes()) };
            Ok((json, etag))
        })
        .await?;
    Ok(etag::respond(&headers, json, &etag))
}

/// One market under its full name, which is how a bare symbol is told what it means.
///
/// A name that is not known is answered with 404 `unknown-symbol`, a bare symbol that means several markets with 409 `ambiguous-symbol`;
/// both name candidates.
#[utoipa::path(
    get,
    path = "/api/v1/markets/{id}",
    operation_id = "getMarket",
    tag = "context",
    params(MarketId, AsOf),
    responses(
        (status = 200, description = "the market", body = MarketView),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn one(
    State(app): State<SharedState>,
    id: Segment<MarketId>,
    Params((as_of,)): Params<(AsOf,)>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let id = instrument(&app, "market", id)?;
    let as_of = as_of.moment(app.query.now())?;
    let json = app.read("market", move |q| q.market(&id, as_of).and_then(|view| reply::json(&view))).await?;
    Ok(etag::answer(&headers, json))
}

/// Every feature this build computes: definition, unit, inputs, window and warm-up.
#[utoipa::path(
    get,
    path = "/api/v1/catalogue",
    operation_id = "getCatalogue",
    tag = "context",
    responses(
        (status = 200, description = "the catalogue, in row order", body = Catalogue),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn catalogue(
    State(app): State<SharedState>,
    Params(()): Params<()>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    Ok(etag::respond(&headers, app.catalogue.clone(), &app.catalogue_etag))
}
