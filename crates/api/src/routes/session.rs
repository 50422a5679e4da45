//! The browser's session: a token exchanged for a cookie that no script can read, and given back.

use super::{body, reply};
use crate::access::{Access, Caller, Role, SESSION};
use crate::guard;
use crate::params::Params;
use crate::problem::{Problem, ProblemKind};
use crate::state::SharedState;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Ninety days: a revoked token is refused at once whatever its cookie says.
const COOKIE_SECONDS: u32 = 90 * 86_400;

/// A token to be exchanged.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    /// As `barograph token add` printed it.
    #[schema(example = "brg_mJ2k…")]
    pub(crate) token: String,
}

/// Who is asking.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CallerView {
    /// Does this address want tokens?
    pub(crate) tokens: bool,
    /// Name of the caller's token; null without one.
    pub(crate) name: Option<String>,
    /// What the caller may do; null: nothing, sign in first.
    pub(crate) role: Option<SessionRole>,
}

/// What a caller may do.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SessionRole {
    /// Everything that changes nothing.
    Read,
    /// May read and operate.
    Operate,
    /// Everything: this address asks nobody who they are.
    Open,
}

impl From<Role> for SessionRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Read => Self::Read,
            Role::Operate => Self::Operate,
        }
    }
}

fn view(app: &SharedState, caller: Option<&Caller>) -> CallerView {
    let tokens = matches!(app.config.access, Access::Tokens(_));
    let role = caller.map(|c| c.role.into()).or((!tokens).then_some(SessionRole::Open));
    CallerView { tokens, name: caller.map(|c| c.name.clone()), role }
}

/// Who is asking, and what they may do.
#[utoipa::path(
    get,
    path = "/api/v1/session",
    operation_id = "getSession",
    tag = "operations",
    responses((status = 200, description = "the caller", body = CallerView))
)]
pub(super) async fn show(
    State(app): State<SharedState>,
    Params(()): Params<()>,
    caller: Option<Extension<Caller>>,
) -> Result<Response<Body>, Problem> {
    answer(&view(&app, caller.as_deref()), None)
}

/// Exchanges a token for a cookie.
#[utoipa::path(
    post,
    path = "/api/v1/session",
    operation_id = "signIn",
    tag = "operations",
    request_body = SignIn,
    responses((status = 200, description = "signed in; the cookie is set", body = CallerView))
)]
pub(super) async fn sign_in(
    State(app): State<SharedState>,
    Params(()): Params<()>,
    headers: HeaderMap,
    peer: Option<Extension<crate::serve::Peer>>,
    sent: Body,
) -> Result<Response<Body>, Problem> {
    let SignIn { token } = body::json(&headers, sent).await?;
    let Access::Tokens(tokens) = &app.config.access else { return answer(&view(&app, None), None) };
    let Some(caller) = tokens.caller(token.trim()) else {
        guard::failed(&app, peer.map(|p| p.0), Some(token.trim()))?;
        return Err(Problem::new(ProblemKind::Unauthorized, "the token is not known here")
            .hint("write it as `barograph token add` printed it"));
    };
    // Behind a proxy that speaks TLS the cookie must never leave it.
    let secure = headers.get("x-forwarded-proto").is_some_and(|v| v.as_bytes().eq_ignore_ascii_case(b"https"));
    let secure = if secure { "; Secure" } else { "" };
    let cookie =
        format!("{SESSION}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={COOKIE_SECONDS}{secure}", token.trim());
    answer(&view(&app, Some(&caller)), Some(&cookie))
}

/// Gives the cookie back.
#[utoipa::path(
    delete,
    path = "/api/v1/session",
    operation_id = "signOut",
    tag = "operations",
    responses((status = 204, description = "the cookie is gone"))
)]
pub(super) async fn sign_out(Params(()): Params<()>) -> Result<Response<Body>, Problem> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    set(&mut response, &format!("{SESSION}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"));
    Ok(response)
}

fn answer(view: &CallerView, cookie: Option<&str>) -> Result<Response<Body>, Problem> {
    let json = reply::json(view).map_err(|e| Problem::from_query(&e))?;
    let mut response = reply::json_body(json);
    if let Some(cookie) = cookie {
        set(&mut response, cookie);
    }
    Ok(response)
}

fn set(response: &mut Response<Body>, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().insert(SET_COOKIE, value);
    }
}
