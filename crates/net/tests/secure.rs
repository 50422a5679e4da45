//! TLS and compression over loopback, with a certificate authority of the test's own; and a WebSocket server that others wrote.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod support;

use barograph_domain::Span;
use barograph_net::{Bounds, Fetch, Incoming, NetOptions, SystemClock};
use barograph_venues::session::{Action, Limits, Link, LinkId, PoolId};
use flate2::{Compress, Compression, FlushCompress};
use futures_util::{SinkExt as _, StreamExt as _};
use std::sync::Arc;
use std::time::Duration;
use support::{Rig, accept, answer, frame, limits, link, listen, said};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ServerConfig, crypto::ring};
use tokio_tungstenite::tungstenite::Message;

/// A server's side of TLS for `localhost`, and the certificate to trust.
fn authority() -> (TlsAcceptor, Vec<u8>) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let cert = made.cert.der().clone();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.clone()], key)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), cert.to_vec())
}

/// Serves WebSockets over TLS: says hello, then sends back whatever it hears.
fn echo(rig: &Rig, acceptor: Option<TlsAcceptor>) -> u16 {
    let (listener, at) = listen(rig);
    rig.runtime.spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            match &acceptor {
                // A client that does not trust the certificate hangs up.
                Some(acceptor) => match acceptor.accept(tcp).await {
                    Ok(tls) => drop(tokio::spawn(talk(tls))),
                    Err(_untrusted) => {}
                },
                None => drop(tokio::spawn(talk(tcp))),
            }
        }
    });
    at.port()
}

async fn talk(stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    socket.send(Message::Ping(vec![1, 2, 3].into())).await.unwrap();
    while let Some(Ok(message)) = socket.next().await {
        match message {
            Message::Text(_) | Message::Binary(_) => socket.send(message).await.unwrap(),
            Message::Pong(payload) => socket.send(Message::text(format!("pong {payload:?}"))).await.unwrap(),
            Message::Ping(_) | Message::Close(_) | Message::Frame(_) => {}
        }
    }
}

/// A conversation with a server that others wrote, in the clear or secure.
fn check_conversation(secure: bool) {
    let (acceptor, cert) = authority();
    let options = NetOptions { trusted: vec![cert], ..NetOptions::default() };
    let mut rig = Rig::with(Arc::new(SystemClock), Bounds::default(), &options);
    let port = echo(&rig, secure.then_some(acceptor));
    let venue = rig.net.add_venue("test", limits());
    let scheme = if secure { "wss" } else { "ws" };
    rig.net.relink(venue, &[Link { id: LinkId(0), url: format!("{scheme}://localhost:{port}/"), ping: None }]);
    let conn = rig.opened();
    let texts = ["a".to_owned(), "b".repeat(300), "c".repeat(100_000)];
    for text in &texts {
        rig.net.act(venue, Action::Send { conn, text: text.clone() });
    }
    let mut heard: Vec<String> = (0..5).map(|_| String::from_utf8(rig.frame().1.to_vec()).unwrap()).collect();
    heard.sort();
    let mut want = vec!["hello".to_owned(), "pong b\"\\x01\\x02\\x03\"".to_owned()];
    want.extend(texts);
    want.sort();
    assert_eq!(heard, want);
    assert_eq!(rig.stop().len(), 1);
}

#[test]
fn a_server_that_others_wrote_understands_us_in_the_clear() {
    check_conversation(false);
}

#[test]
fn a_server_that_others_wrote_understands_us_over_tls() {
    check_conversation(true);
}

#[test]
fn a_server_that_nobody_vouches_for_is_not_spoken_to() {
    let (acceptor, _) = authority();
    let mut rig = Rig::new();
    let port = echo(&rig, Some(acceptor));
    let venue = rig.net.add_venue("test", limits());
    rig.net.relink(venue, &[Link { id: LinkId(0), url: format!("wss://localhost:{port}/"), ping: None }]);
    assert!(rig.next_within(Duration::from_millis(700)).is_none());
    let (_, error) = rig.net.stats()[0].last_error.clone().unwrap();
    assert!(error.contains("no secure connection") && error.contains("UnknownIssuer"), "{error}");
}

#[test]
fn secure_requests_are_answered() {
    let (acceptor, cert) = authority();
    let options = NetOptions { trusted: vec![cert], ..NetOptions::default() };
    let rig = Rig::with(Arc::new(SystemClock), Bounds::default(), &options);
    let (listener, at) = listen(&rig);
    let venue = rig.net.add_venue("test", limits());
    rig.runtime.spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        let mut tls = acceptor.accept(tcp).await.unwrap();
        // Two requests on the one connection that is kept.
        for _ in 0..2 {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(tls.read_u8().await.unwrap());
            }
            tls.write_all(&answer(200, "", &head[..head.iter().position(|b| *b == b'\r').unwrap()])).await.unwrap();
            tls.flush().await.unwrap();
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
    });
    for n in 0..2 {
        let url = format!("https://localhost:{}/{n}", at.port());
        let fetch = Fetch { url, body: None, pool: PoolId(0), weight: 1, timeout: Span::secs(5) };
        let got = rig.runtime.block_on(rig.net.fetch(venue, fetch)).unwrap();
        assert_eq!(&got.body[..], format!("GET /{n} HTTP/1.1").as_bytes());
    }
    rig.stop();
}

#[test]
fn compressed_messages_arrive_as_they_were() {
    for fresh in [false, true] {
        let mut rig = Rig::new();
        let (listener, at) = listen(&rig);
        let venue = rig.net.add_venue("test", Limits { deflate: true, ..limits() });
        let texts: Vec<Vec<u8>> =
            (0..200_u32).map(|n| format!("{{\"p\":\"64000.{n}\"}}").repeat(1 + n as usize).into_bytes()).collect();
        let sent = texts.clone();
        rig.runtime.spawn(async move {
            let agreed = if fresh { "permessage-deflate; server_no_context_takeover" } else { "permessage-deflate" };
            let mut stream = accept(&listener, &format!("Sec-WebSocket-Extensions: {agreed}\r\n")).await;
            let mut state = Compress::new(Compression::fast(), false);
            for (n, text) in sent.iter().enumerate() {
                if fresh {
                    state.reset();
                }
                let mut packed = Vec::with_capacity(text.len() + 1_024);
                state.compress_vec(text, &mut packed, FlushCompress::Sync).unwrap();
                packed.truncate(packed.len() - 4);
                let wire = match n % 3 {
                    // Uncompressed among compressed ones, whole, and in two pieces of which only the first is marked.
                    0 if fresh => frame(0x81, text),
                    1 => [frame(0x41, &packed[..packed.len() / 2]), frame(0x80, &packed[packed.len() / 2..])].concat(),
                    _ => frame(0xc1, &packed),
                };
                stream.write_all(&wire).await.unwrap();
            }
            while said(&mut stream).await.is_some() {}
        });
        rig.net.relink(venue, &[link(0, at)]);
        let Incoming::Opened { .. } = rig.next() else { panic!("not opened") };
        for text in &texts {
            assert_eq!(&rig.frame().1[..], &text[..]);
        }
        let stats = &rig.net.stats()[0];
        assert!(stats.wire_bytes < stats.frame_bytes, "{} of {}", stats.wire_bytes, stats.frame_bytes);
    }
}
