//! What people received, through which endpoint, and what became of it; having something sent again.

use super::segment::{self, Segment};
use super::{body, reply};
use crate::cursor;
use crate::delivery::{
    DeliveryFilter, DeliveryPlace, DeliveryView, EndpointView, GroupView, MessageView, NewReceiver, SampleView,
};
use crate::params::{AsOf, Bound, Given, Paging, Params, parameters};
use crate::problem::{Problem, ProblemKind};
use crate::routes::paging::PageView;
use crate::state::SharedState;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode};
use barograph_domain::Ts;
use barograph_domain::delivery::{DeliveryState, MessageKind};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Deliveries on a page: by default, and at most.
const LIMITS: (usize, usize) = (100, 1_000);

/// Who is to be tried again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Replay {
    /// Name of the endpoint.
    #[schema(example = "phone")]
    pub(crate) endpoint: String,
}

/// Nothing has to be said; the body makes sure that no page of another site can ask for it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Enable {}

/// Endpoints.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Endpoints {
    /// By name.
    pub(crate) items: Vec<EndpointView>,
    /// This process delivers, and carries out what is asked of deliveries, silences and receivers.
    pub(crate) delivers_here: bool,
    /// Where it does not: why, and what to do.
    pub(crate) why_not: Option<String>,
}

/// Groups.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Groups {
    /// Newest first.
    pub(crate) items: Vec<GroupView>,
}

fn read<T>(given: Segment<T>) -> Result<T, Problem> {
    segment::read(given, "name", "use an id that /api/v1/deliveries lists, or a name that /api/v1/endpoints lists")
}

parameters! {
    /// Which deliveries.
    pub(super) struct Which {
        /// Only in this state: waiting, grouped, delivered, superseded, held_back, expired or dead.
        #[param(example = "dead")]
        state: Option<String>,
        /// Only to this endpoint.
        endpoint: Option<String>,
        /// Only of messages of this kind: alert, group, position, watch, delivery or sample.
        #[param(example = "alert")]
        kind: Option<String>,
        /// Only about this market: `venue:symbol`, or a bare symbol where only one instrument answers to it.
        #[param(example = "binance-usdm:BTCUSDT")]
        market: Option<String>,
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct MessageId {
    /// Id of the message.
    #[param(example = "msg_5xv8k4q1r2w7y9a3c6e0g8j5mn")]
    message: String,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct EndpointName {
    /// Name of the endpoint.
    name: String,
}

/// Deliveries, newest first.
///
/// One per message and endpoint. With `as_of`, those of messages that were known then, as they stand now.
#[utoipa::path(
    get,
    path = "/api/v1/deliveries",
    operation_id = "listDeliveries",
    tag = "delivery",
    params(Which, Paging, AsOf),
    responses((status = 200, description = "one page, at most 1000 deliveries, 100 by default", body = PageView<DeliveryView>))
)]
pub(super) async fn list(
    State(app): State<SharedState>,
    Params((which, paging, as_of, bound)): Params<(Which, Paging, AsOf, Bound)>,
) -> Result<Response<Body>, Problem> {
    let resolve = |name| app.query.resolve(name, false).map_err(|e| app.problem("deliveries", &e));
    let fingerprint = bound.fingerprint("deliveries");
    let filter = DeliveryFilter {
        state: word(&which.state, &DeliveryState::ALL, DeliveryState::name)?,
        kind: word(&which.kind, &MessageKind::ALL, MessageKind::name)?,
        instrument: which.market.text().map(resolve).transpose()?,
        as_of: as_of.moment(app.query.now())?,
        after: paging.cursor.text().map(|text| decode(text, &fingerprint)).transpose()?,
        limit: paging.limit.limit(LIMITS)?,
        endpoint: which.endpoint.owned(),
    };
    let json = app
        .read("deliveries", move |q| {
            let page = q.deliveries(&filter)?;
            let last = page.items.last().filter(|_| page.more);
            let next_cursor = last.map(|d| encode(&d.place(), &fingerprint));
            reply::json(&PageView { items: page.items, next_cursor })
        })
        .await?;
    Ok(reply::json_body(json))
}

/// One of some words, in any case.
fn word<T: Copy>(given: &Given, all: &[T], spelt: impl Fn(T) -> &'static str) -> Result<Option<T>, Problem> {
    let (name, Some(text)) = (given.name(), given.text()) else { return Ok(None) };
    let known: Vec<&str> = all.iter().map(|t| spelt(*t)).collect();
    match all.iter().find(|t| spelt(**t).eq_ignore_ascii_case(text)) {
        Some(found) => Ok(Some(*found)),
        None => Err(given
            .refused(
                ProblemKind::BadWord,
                format!("there is no {name} '{text}'"),
                &format!("there are {}", known.join(", ")),
            )
            .candidates(known.into_iter().map(str::to_owned).collect())),
    }
}

/// A place as a client hands it back.
fn encode(place: &DeliveryPlace, fingerprint: &str) -> String {
    format!("{}.{}.{}.{}", place.known_at.0, place.message, place.endpoint, cursor::check(fingerprint))
}

fn place(text: &str) -> Option<DeliveryPlace> {
    let mut parts = text.splitn(3, '.');
    let known_at = Ts(parts.next()?.parse().ok()?);
    Some(DeliveryPlace { known_at, message: parts.next()?.to_owned(), endpoint: parts.next()?.to_owned() })
}

fn decode(text: &str, fingerprint: &str) -> Result<DeliveryPlace, Problem> {
    let (head, seal) = text.rsplit_once('.').unwrap_or_default();
    match place(head) {
        None => Err(cursor::bad(text, "the cursor is none of this server's")),
        Some(_) if seal != cursor::check(fingerprint) => Err(cursor::bad(text, "the cursor belongs to another query")),
        Some(place) => Ok(place),
    }
}

/// One message: what it says, to whom it goes, and every try.
#[utoipa::path(
    get,
    path = "/api/v1/deliveries/{message}",
    operation_id = "getMessage",
    tag = "delivery",
    params(MessageId),
    responses((status = 200, description = "the message", body = MessageView))
)]
pub(super) async fn one(
    State(app): State<SharedState>,
    given: Segment<MessageId>,
    Params(()): Params<()>,
) -> Result<Response<Body>, Problem> {
    let MessageId { message: id } = read(given)?;
    let json = app.read("deliveries", move |q| reply::json(&q.message(&id)?)).await?;
    Ok(reply::json_body(json))
}

/// Has a message sent again that is dead, expired, held back or superseded, under the id it had.
#[utoipa::path(
    post,
    path = "/api/v1/deliveries/{message}/replay",
    operation_id = "replayDelivery",
    tag = "delivery",
    params(MessageId),
    request_body = Replay,
    responses((status = 202, description = "it waits again", body = DeliveryView))
)]
pub(super) async fn replay(
    State(app): State<SharedState>,
    given: Segment<MessageId>,
    Params(()): Params<()>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response<Body>, Problem> {
    let MessageId { message: id } = read(given)?;
    let asked: Replay = body::json(&headers, sent).await?;
    let json = app.read("deliveries", move |q| reply::json(&q.replay(&id, &asked.endpoint)?)).await?;
    let mut response = reply::json_body(json);
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response)
}

/// Endpoints that messages go to, and how they are doing.
#[utoipa::path(
    get,
    path = "/api/v1/endpoints",
    operation_id = "listEndpoints",
    tag = "delivery",
    responses((status = 200, description = "the endpoints", body = Endpoints))
)]
pub(super) async fn endpoints(
    State(app): State<SharedState>,
    Params(()): Params<()>,
) -> Result<Response<Body>, Problem> {
    let json = app
        .read("endpoints", move |q| {
            let why_not = q.why_not_delivering();
            reply::json(&Endpoints { items: q.endpoints()?, delivers_here: why_not.is_none(), why_not })
        })
        .await?;
    Ok(reply::json_body(json))
}

/// Uses an endpoint again that was disabled because it refused for good.
#[utoipa::path(
    post,
    path = "/api/v1/endpoints/{name}/enable",
    operation_id = "enableEndpoint",
    tag = "delivery",
    params(EndpointName),
    request_body = Enable,
    responses((status = 200, description = "the endpoint", body = EndpointView))
)]
pub(super) async fn enable(
    State(app): State<SharedState>,
    given: Segment<EndpointName>,
    Params(()): Params<()>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response<Body>, Problem> {
    let EndpointName { name } = read(given)?;
    let Enable {} = body::json(&headers, sent).await?;
    let json = app.read("endpoints", move |q| reply::json(&q.enable_endpoint(&name)?)).await?;
    Ok(reply::json_body(json))
}

/// Sends a sample to one endpoint now, outside of every queue, and answers what came back.
#[utoipa::path(
    post,
    path = "/api/v1/endpoints/{name}/test",
    operation_id = "testEndpoint",
    tag = "delivery",
    params(EndpointName),
    request_body = Enable,
    responses((status = 200, description = "what was sent and what came back", body = SampleView))
)]
pub(super) async fn test(
    State(app): State<SharedState>,
    given: Segment<EndpointName>,
    Params(()): Params<()>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response<Body>, Problem> {
    let EndpointName { name } = read(given)?;
    let Enable {} = body::json(&headers, sent).await?;
    let json = app.read("endpoints", move |q| reply::json(&q.try_endpoint(&name)?)).await?;
    Ok(reply::json_body(json))
}

/// Makes a receiver, which is sent what becomes known from now on. Address and secrets are never shown again.
#[utoipa::path(
    post,
    path = "/api/v1/endpoints",
    operation_id = "makeReceiver",
    tag = "delivery",
    request_body = NewReceiver,
    responses((status = 201, description = "the endpoint", body = EndpointView))
)]
pub(super) async fn make(
    State(app): State<SharedState>,
    Params(()): Params<()>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response<Body>, Problem> {
    let new: NewReceiver = body::json(&headers, sent).await?;
    let json = app.read("endpoints", move |q| reply::json(&q.make_receiver(&new)?)).await?;
    Ok(reply::created(json))
}

/// Removes a receiver that was made on the page. What it was sent stays listed.
#[utoipa::path(
    delete,
    path = "/api/v1/endpoints/{name}",
    operation_id = "removeReceiver",
    tag = "delivery",
    params(EndpointName),
    responses((status = 204, description = "it is sent nothing more"))
)]
pub(super) async fn remove(
    State(app): State<SharedState>,
    given: Segment<EndpointName>,
    Params(()): Params<()>,
) -> Result<Response<Body>, Problem> {
    let EndpointName { name } = read(given)?;
    app.read("endpoints", move |q| q.remove_receiver(&name)).await?;
    Ok(reply::no_content())
}

/// Groups of alerts of the last 24 hours, and those that still fire, each by its newest message.
#[utoipa::path(
    get,
    path = "/api/v1/groups",
    operation_id = "listGroups",
    tag = "delivery",
    params(AsOf),
    responses((status = 200, description = "the groups", body = Groups))
)]
pub(super) async fn groups(
    State(app): State<SharedState>,
    Params((as_of,)): Params<(AsOf,)>,
) -> Result<Response<Body>, Problem> {
    let as_of = as_of.moment(app.query.now())?;
    let json = app.read("groups", move |q| reply::json(&Groups { items: q.groups(as_of)? })).await?;
    Ok(reply::json_body(json))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_round_trip_and_keep_to_their_query() {
        for (message, endpoint) in [("msg_1", "phone"), ("msg_2", "a.b-c d"), ("m", "")] {
            let (message, endpoint) = (message.to_owned(), endpoint.to_owned());
            let place = DeliveryPlace { known_at: Ts(1_770_302_100_000_000_000), message, endpoint };
            let text = encode(&place, "deliveries a=1");
            assert_eq!(decode(&text, "deliveries a=1"), Ok(place));
            assert_eq!(decode(&text, "deliveries a=2").unwrap_err().kind, ProblemKind::BadCursor);
        }
        for text in ["", "x", "1.m.00000000", "x.m.e.00000000", "..."] {
            assert_eq!(decode(text, "").unwrap_err().kind, ProblemKind::BadCursor, "{text}");
        }
    }
}
