//! Messages of the protocol over the connections of this program. An answer that comes as a stream of events is read to its end:
//! a call has one answer, and what comes before it is progress that nobody asked for.

use axum::http::{HeaderName, HeaderValue};
use barograph_net::{Error, PostDoor, PostReply};
use futures_util::stream::BoxStream;
use rmcp::model::{ClientJsonRpcMessage, ClientRequest, ErrorData, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_client::{
    SseError, StreamableHttpClient, StreamableHttpError, StreamableHttpPostResponse,
};
use sse_stream::Sse;
use std::collections::HashMap;
use std::sync::Arc;

const SESSION: &str = "mcp-session-id";
const EVENTS: &str = "text/event-stream";
const JSON: &str = "application/json";

/// Posts messages.
#[derive(Clone, Debug)]
pub(super) struct PostedMessages(pub(super) PostDoor);

type Failed = StreamableHttpError<Error>;

impl StreamableHttpClient for PostedMessages {
    type Error = Error;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<StreamableHttpPostResponse, Failed> {
        let body = serde_json::to_string(&message)?;
        let mut headers = vec![("accept".to_owned(), format!("{JSON}, {EVENTS}"))];
        headers.extend(session_id.as_ref().map(|id| (SESSION.to_owned(), id.to_string())));
        headers.extend(auth_header.map(|token| ("authorization".to_owned(), format!("Bearer {token}"))));
        let text = |(name, value): (HeaderName, HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        headers.extend(custom_headers.into_iter().filter_map(text));
        let reply = self.0.post(&uri, &headers, &body).await.map_err(StreamableHttpError::Client)?;
        if reply.status == 404 && session_id.is_some() {
            return Err(StreamableHttpError::SessionExpired);
        }
        read(&message, session_id.is_some(), &reply)
    }

    /// The session ends with its connection; servers drop what nobody asks any more.
    async fn delete_session(
        &self,
        _uri: Arc<str>,
        _session_id: Arc<str>,
        _auth_header: Option<String>,
        _custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<(), Failed> {
        Ok(())
    }

    /// What a server would say of its own accord is of no use to a source.
    async fn get_stream(
        &self,
        _uri: Arc<str>,
        _session_id: Option<Arc<str>>,
        _last_event_id: Option<String>,
        _auth_header: Option<String>,
        _custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<BoxStream<'static, Result<Sse, SseError>>, Failed> {
        Err(StreamableHttpError::ServerDoesNotSupportSse)
    }
}

fn read(
    message: &ClientJsonRpcMessage,
    in_session: bool,
    reply: &PostReply,
) -> Result<StreamableHttpPostResponse, Failed> {
    let session = reply.header(SESSION).map(str::to_owned);
    let is_good = (200..300).contains(&reply.status);
    if matches!(reply.status, 202 | 204) || (is_good && reply.body.is_empty()) {
        return Ok(StreamableHttpPostResponse::Accepted);
    }
    let kind = reply.header("content-type").unwrap_or_default();
    let answer =
        if kind.starts_with(EVENTS) { last_answer(&reply.body) } else { serde_json::from_slice(&reply.body).ok() };
    match (answer, message) {
        // An older server does not know the newer beginning, each in its own way: that it refuses is the answer.
        (answer, ClientJsonRpcMessage::Request(request))
            if !in_session
                && (400..500).contains(&reply.status)
                && !matches!(reply.status, 401 | 403)
                && matches!(request.request, ClientRequest::DiscoverRequest(_)) =>
        {
            let error = match answer {
                Some(ServerJsonRpcMessage::Error(error)) => error.error,
                _ => ErrorData::invalid_request(format!("refused with status {}", reply.status), None),
            };
            let answer = ServerJsonRpcMessage::error(error, Some(request.id.clone()));
            Ok(StreamableHttpPostResponse::Json(answer, None))
        }
        (Some(answer), _) if is_good || matches!(answer, ServerJsonRpcMessage::Error(_)) => {
            Ok(StreamableHttpPostResponse::Json(answer, session))
        }
        (_, ClientJsonRpcMessage::Request(_)) => {
            Err(StreamableHttpError::UnexpectedServerResponse(format!("status {}", reply.status).into()))
        }
        _ => Ok(StreamableHttpPostResponse::Accepted),
    }
}

/// The answer or error in a stream of events.
fn last_answer(body: &[u8]) -> Option<ServerJsonRpcMessage> {
    let text = core::str::from_utf8(body).ok()?.replace("\r\n", "\n");
    let data = |event: &str| {
        let lines = event.lines().filter_map(|line| line.strip_prefix("data:"));
        lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
    };
    let messages = text.split("\n\n").filter_map(|event| serde_json::from_str(&data(event)).ok());
    messages.filter(|m| matches!(m, ServerJsonRpcMessage::Response(_) | ServerJsonRpcMessage::Error(_))).last()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_of_a_stream_is_found_behind_what_came_before_it() {
        let stream = "event: message\r\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":1,\"progress\":1}}\r\n\r\n\
                      id: 2\ndata: {\"jsonrpc\":\"2.0\",\ndata: \"id\":7,\"result\":{\"content\":[]}}\n\n";
        assert!(matches!(last_answer(stream.as_bytes()), Some(ServerJsonRpcMessage::Response(_))));
        assert!(last_answer(b"data: nothing\n\n").is_none());
    }
}
