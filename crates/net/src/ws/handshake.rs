//! The opening handshake (RFC 6455 section 4.1), as one HTTP/1.1 exchange by hyper.

use super::deflate::{self, Agreed};
use crate::address::Address;
use crate::dial::DialedStream;
use crate::error::{Error, Result};
use crate::random::Random;
use crate::refusal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use http_body_util::Empty;
use hyper::header::{
    CONNECTION, HOST, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION,
    UPGRADE, USER_AGENT,
};
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;

/// How we introduce ourselves.
pub(crate) const AGENT: &str = concat!("barograph/", env!("CARGO_PKG_VERSION"));

/// A connection that speaks WebSocket from here on.
#[derive(Debug)]
pub(crate) struct Shaken {
    /// The stream.
    pub(crate) stream: DialedStream,
    /// Bytes of it that came together with the answer.
    pub(crate) rest: BytesMut,
    /// Whether the server may compress.
    pub(crate) deflate: Option<Agreed>,
}

/// Shakes hands on a new stream. The caller limits the time.
pub(crate) async fn shake(
    stream: DialedStream,
    address: &Address,
    deflate: bool,
    random: &mut Random,
) -> Result<Shaken> {
    let broken = |e: hyper::Error| Error::Protocol { to: address.place(), detail: format!("handshake: {e}") };
    let mut nonce = [0; 16];
    nonce[..8].copy_from_slice(&random.next_u64().to_be_bytes());
    nonce[8..].copy_from_slice(&random.next_u64().to_be_bytes());
    let key = STANDARD.encode(nonce);
    let request = request(address, &key, deflate)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(broken)?;
        let deflate = check(&response, address, &key, deflate)?;
        let upgraded = hyper::upgrade::on(response).await.map_err(broken)?;
        let parts = upgraded.downcast::<TokioIo<DialedStream>>().map_err(|_e| Error::Protocol {
            to: address.place(),
            detail: "the stream was not handed back".to_owned(),
        })?;
        Ok(Shaken { stream: parts.io.into_inner(), rest: BytesMut::from(&parts.read_buf[..]), deflate })
    };
    // The connection is driven here and not in a task of its own: dropping this future drops the socket. It may end before
    // the exchange does, when the server refuses and hangs up; the exchange learns of it and has the answer or the error.
    let driven = async {
        drop(connection.with_upgrades().await);
        core::future::pending().await
    };
    tokio::select! {
        biased;
        done = exchange => done,
        never = driven => never,
    }
}

fn request(address: &Address, key: &str, deflate: bool) -> Result<Request<Empty<Bytes>>> {
    let mut request = Request::get(&address.path)
        .header(HOST, &address.authority)
        .header(USER_AGENT, AGENT)
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_VERSION, "13")
        .header(SEC_WEBSOCKET_KEY, key);
    if deflate {
        request = request.header(SEC_WEBSOCKET_EXTENSIONS, deflate::OFFER);
    }
    request.body(Empty::new()).map_err(|_e| Error::Address {
        url: address.path.clone(),
        why: "its path holds characters HTTP does not allow",
    })
}

fn check<B>(response: &Response<B>, address: &Address, key: &str, offered: bool) -> Result<Option<Agreed>> {
    let wrong = |detail: String| Error::Protocol { to: address.place(), detail };
    let (status, headers) = (response.status(), response.headers());
    if refusal::is_refusal(status.as_u16()) {
        let retry_after_s = refusal::retry_after_s(headers);
        return Err(Error::Refused { status: status.as_u16(), retry_after_s, to: address.place() });
    }
    if status != StatusCode::SWITCHING_PROTOCOLS {
        return Err(wrong(format!("handshake answered with status {}", status.as_u16())));
    }
    if !text(headers, "upgrade").is_some_and(|v| v.eq_ignore_ascii_case("websocket")) {
        return Err(wrong("handshake without 'upgrade: websocket'".to_owned()));
    }
    if text(headers, SEC_WEBSOCKET_ACCEPT.as_str()) != Some(accept_for(key).as_str()) {
        return Err(wrong("handshake with a wrong 'sec-websocket-accept'".to_owned()));
    }
    match text(headers, SEC_WEBSOCKET_EXTENSIONS.as_str()) {
        None => Ok(None),
        Some(header) if offered => deflate::agreed(header).map(Some).map_err(wrong),
        Some(header) => Err(wrong(format!("extension '{header}' was not offered"))),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|v| v.to_str().ok()).map(str::trim)
}

/// The answer that proves the server understood (RFC 6455 section 1.3).
fn accept_for(key: &str) -> String {
    let mut sha = sha1_smol::Sha1::new();
    sha.update(key.as_bytes());
    sha.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    STANDARD.encode(sha.digest().bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_standard() {
        assert_eq!(accept_for("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
