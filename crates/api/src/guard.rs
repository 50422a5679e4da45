//! What every request passes before and after its route: host, caller, sizes, concurrency, time limit, counters.

use crate::access::{self, Access};
use crate::agent_sessions::SESSION_TOKEN;
use crate::front::Front;
use crate::host;
use crate::problem::{Problem, ProblemKind};
use crate::routes::{self, Route};
use crate::serve::Peer;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Response};
use axum::middleware::Next;
use axum::response::IntoResponse;
use core::any::Any;
use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

/// Longest address; the longest useful one (a feature list) is about 2,000 bytes.
const ADDRESS_BYTES_MAX: usize = 4_096;
/// Names and values of all header fields together.
const HEADER_BYTES_MAX: usize = 8_192;

/// Lets a request through to its handler, or refuses it; counts and times either.
pub(crate) async fn guard(State(front): State<Arc<Front>>, request: Request, next: Next) -> Response<Body> {
    let began = Instant::now();
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.and_then(|m| routes::find(m.as_str()));
    let mut request = request;
    let mut response = match check(&front, &mut request, route) {
        Err(problem) => {
            let closes = problem.kind == ProblemKind::BodyRefused;
            let mut response = problem.into_response();
            if closes {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            response
        }
        Ok(()) => answer(&front, request, next).await,
    };
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    front.telemetry.answered(route, response.status().as_u16(), began.elapsed());
    response
}

async fn answer(front: &Front, request: Request, next: Next) -> Response<Body> {
    let Ok(_place) = front.in_flight.try_acquire() else {
        return Problem::new(
            ProblemKind::Busy,
            format!("{} requests are being answered already", front.config.requests_max),
        )
        .hint("try again shortly, with fewer at once")
        .into_response();
    };
    let limit = front.config.request_timeout;
    match tokio::time::timeout(limit, caught(next.run(request))).await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => {
            front.incident("request", format!("the request panicked: {panic}"));
            Problem::internal().into_response()
        }
        Err(_elapsed) => {
            Problem::new(ProblemKind::Timeout, format!("there was no answer within {} s", limit.as_secs_f64()))
                .hint("ask for a shorter range, or try again when there is less to do")
                .into_response()
        }
    }
}

/// A panic in one request becomes that request's failure. The future is dropped afterwards, never polled again.
async fn caught<T>(future: impl Future<Output = T>) -> Result<T, String> {
    let mut future = pin!(future);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(polled) => polled.map(Ok),
        Err(panic) => Poll::Ready(Err(panic_text(&*panic))),
    })
    .await
}

/// What a panic says.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|t| (*t).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "no message".to_owned())
}

/// Who asks, and may they? The caller goes with the request.
fn admit(front: &Front, request: &mut Request, route: Option<&Route>) -> Result<(), Problem> {
    let peer = request.extensions().get::<Peer>().copied();
    let now = Instant::now();
    if let Some(Peer(ip)) = peer {
        front.clients.request(ip, now).map_err(|seconds| {
            Problem::new(ProblemKind::TooManyRequests, "this client asks more often than it is answered")
                .retry_after(Some(seconds))
                .hint("ask less often; the event stream tells what is new")
        })?;
    }
    if access::is_garbled(request.headers()) {
        return Err(Problem::new(ProblemKind::Unauthorized, "the Authorization header cannot be read")
            .hint("send Authorization: Bearer TOKEN, with one blank between"));
    }
    if let Some(token) = access::token(request.headers()).filter(|token| token.starts_with(SESSION_TOKEN)) {
        let admitted = access::of_session(front.config.agent_sessions.as_ref(), &token, route, request);
        if admitted.as_ref().is_err_and(|problem| problem.kind == ProblemKind::Unauthorized) {
            failed(front, peer, Some(&token))?;
        }
        return admitted;
    }
    match access::check(&front.config.access, request.method(), route, request.headers()) {
        Ok(Some((caller, pass))) => {
            request.extensions_mut().insert(caller);
            request.extensions_mut().insert(pass);
            Ok(())
        }
        Ok(None) => Ok(()),
        Err(problem) => {
            if problem.kind == ProblemKind::Unauthorized {
                failed(front, peer, access::token(request.headers()).as_deref())?;
            }
            Err(problem)
        }
    }
}

/// A request could not be admitted: what it brought is counted, each wrong token once, and who has brought too many has to wait.
/// Nobody else has: many people may share one address, and a token that is known is never asked how others fared.
pub(crate) fn failed(front: &Front, peer: Option<Peer>, token: Option<&str>) -> Result<(), Problem> {
    let (Some(Peer(ip)), Some(token)) = (peer, token) else { return Ok(()) };
    match front.clients.guessed(ip, token, Instant::now()) {
        None => Ok(()),
        Some(seconds) => {
            Err(Problem::new(ProblemKind::TooManyRequests, "too many wrong tokens came from this address")
                .retry_after(Some(seconds))
                .hint("wait, then bring a token that is known"))
        }
    }
}

fn check(front: &Front, request: &mut Request, route: Option<&Route>) -> Result<(), Problem> {
    let tokens = matches!(front.config.access, Access::Tokens(_));
    host::check(request.headers(), request.uri(), &front.config.host_names, tokens)?;
    admit(front, request, route)?;
    let headers = request.headers();
    let address = request.uri().path_and_query().map_or(0, |p| p.as_str().len());
    if address > ADDRESS_BYTES_MAX {
        return Err(Problem::new(
            ProblemKind::AddressTooLong,
            format!("the address has {address} bytes, at most {ADDRESS_BYTES_MAX} are read"),
        )
        .hint("ask for fewer things at once"));
    }
    let fields: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if fields > HEADER_BYTES_MAX {
        return Err(Problem::new(
            ProblemKind::HeadersTooLarge,
            format!("the header fields have {fields} bytes, at most {HEADER_BYTES_MAX} are read"),
        )
        .hint("send fewer or shorter header fields"));
    }
    if route.is_some_and(|r| r.reads_body(request.method())) {
        return Ok(());
    }
    let length = headers.get(CONTENT_LENGTH).filter(|v| v.as_bytes() != b"0");
    if length.is_some() || headers.contains_key(TRANSFER_ENCODING) {
        let problem = Problem::new(ProblemKind::BodyRefused, "the request has a body, and this route reads none")
            .hint("send the request without a body");
        return Err(match length.and_then(|v| v.to_str().ok()) {
            Some(bytes) => problem.value(bytes),
            None => problem,
        });
    }
    Ok(())
}
