//! Our client against a WebSocket server that others wrote, with permessage-deflate (RFC 7692): windows kept or not, small
//! windows, messages in pieces, pings between them. Handshake, framing and deflate of the server are all its own.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod support;

use barograph_venues::session::{Action, Limits};
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::body::Incoming as Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use support::{Rig, limits, link, listen};
use yawc::frame::{Frame, OpCode};
use yawc::{Options, WebSocket};

/// Says these messages, a ping before each third, then sends back what it hears.
async fn talk(socket: yawc::UpgradeFut, texts: Vec<Vec<u8>>) {
    let mut socket = socket.await.unwrap();
    for (n, text) in texts.into_iter().enumerate() {
        if n % 3 == 0 {
            socket.send(Frame::ping(n.to_string())).await.unwrap();
        }
        socket.send(Frame::text(text)).await.unwrap();
    }
    while let Some(frame) = socket.next().await {
        if matches!(frame.opcode(), OpCode::Text | OpCode::Binary) {
            socket.send(frame).await.unwrap();
        }
    }
}

/// Repetitive and random, small and large; none empty, because the server turns in circles over compressing nothing (yawc 0.5).
fn texts() -> Vec<Vec<u8>> {
    let mut state = 7_u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    (0..300_usize)
        .map(|n| {
            let size = [3, 40, 900, 4_000, 70_000, 300_000][n % 6];
            let mut text = Vec::new();
            while text.len() < size {
                text.extend(format!("{{\"p\":\"64{}.{:02}\",\"q\":\"0.5\"}}", random() % 900, random() % 100).bytes());
            }
            text
        })
        .collect()
}

/// Everything arrives as it was, compressed on the wire, and what we say is understood.
fn check(options: Options) {
    let mut rig = Rig::new();
    let (listener, at) = listen(&rig);
    let sent = texts();
    let all = sent.clone();
    rig.runtime.spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let service = service_fn(move |mut request: Request<Body>| {
            let (all, options) = (all.clone(), options.clone());
            async move {
                let (response, socket) = WebSocket::upgrade_with_options(&mut request, options).unwrap();
                tokio::spawn(talk(socket, all));
                Ok::<Response<_>, core::convert::Infallible>(response)
            }
        });
        http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await.unwrap();
    });
    let venue = rig.net.add_venue("test", Limits { deflate: true, messages_per_s: 1_000, ..limits() });
    rig.net.relink(venue, &[link(0, at)]);
    let conn = rig.opened();
    for (n, text) in sent.iter().enumerate() {
        let (on, got) = rig.frame();
        assert!(on == conn && got == text[..], "message {n}: {} bytes for {}", got.len(), text.len());
    }
    let said = "x".repeat(70_000);
    for text in ["one", &said] {
        rig.net.act(venue, Action::Send { conn, text: text.to_owned() });
        assert_eq!(rig.frame().1, text.as_bytes());
    }
    let stats = &rig.net.stats()[0];
    assert_eq!(stats.links[0].compressed, Some(true));
    assert!(stats.wire_bytes * 2 < stats.frame_bytes, "{} of {} on the wire", stats.wire_bytes, stats.frame_bytes);
    rig.stop();
}

#[test]
fn a_server_of_others_that_keeps_its_window_is_understood() {
    check(Options::default().with_balanced_compression());
}

#[test]
fn a_server_of_others_with_fresh_windows_is_understood() {
    check(Options::default().with_balanced_compression().server_no_context_takeover());
}

#[test]
fn messages_in_pieces_of_a_server_of_others_are_understood() {
    check(Options::default().with_balanced_compression().with_max_fragment_size(1_000));
}
