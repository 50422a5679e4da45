//! Connections over loopback: opening, messages of every shape, pings, texts, ends.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod support;

use barograph_domain::Span;
use barograph_net::{Bounds, Incoming, NetOptions, SystemClock};
use barograph_venues::session::{Action, CloseReason, Limits, LinkId};
use std::sync::Arc;
use std::time::Duration;
use support::{BINARY, CLOSE, PING, PONG, Rig, TEXT, accept, frame, limits, link, listen, said};
use tokio::io::AsyncWriteExt;

/// What the venue sends, and what the core must receive.
fn check_messages(limits: Limits, wire: Vec<u8>, want: &[&[u8]]) {
    let mut rig = Rig::new();
    let (listener, at) = listen(&rig);
    let venue = rig.net.add_venue("test", limits);
    rig.runtime.spawn(async move {
        let mut stream = accept(&listener, "").await;
        stream.write_all(&wire).await.unwrap();
        while said(&mut stream).await.is_some() {}
    });
    rig.net.relink(venue, &[link(7, at)]);
    let Incoming::Opened { venue: 0, link: LinkId(7), conn, url } = rig.next() else { panic!("not opened first") };
    assert_eq!(url, format!("ws://{at}/stream"));
    for (i, want) in want.iter().enumerate() {
        let Incoming::Frame { conn: on, bytes, .. } = rig.next() else { panic!("message {i} is missing") };
        assert_eq!((on, &bytes[..]), (conn, *want), "message {i}");
    }
    let rest = rig.stop();
    let [Incoming::Closed { conn: closed, reason: CloseReason::Stopping, .. }] = &rest[..] else {
        panic!("one closing and nothing else: {rest:?}")
    };
    assert_eq!(*closed, conn);
}

#[test]
fn messages_of_every_shape_arrive_whole_and_in_order() {
    let large = vec![b'x'; 70_000];
    let mut wire = Vec::new();
    wire.extend(frame(TEXT, b"{\"a\":1}"));
    wire.extend(frame(TEXT, b""));
    wire.extend(frame(BINARY, &[0, 159, 146, 150]));
    wire.extend(frame(TEXT, &large[..200]));
    wire.extend(frame(TEXT, &large));
    // In three pieces, with a ping between them.
    wire.extend(frame(0x01, b"one "));
    wire.extend(frame(0x00, b"two "));
    wire.extend(frame(PING, b"x"));
    wire.extend(frame(0x80, b"three"));
    wire.extend(frame(PONG, b""));
    wire.extend(frame(TEXT, b"last"));
    let want: [&[u8]; 7] = [b"{\"a\":1}", b"", &[0, 159, 146, 150], &large[..200], &large, b"one two three", b"last"];
    check_messages(limits(), wire, &want);
}

#[test]
fn a_snapshot_of_twenty_megabytes_arrives_whole() {
    let large: Vec<u8> = (0..20_000_000_u32).map(|i| (i % 251) as u8).collect();
    let mut wire = frame(TEXT, &large);
    wire.extend(frame(TEXT, b"after"));
    check_messages(limits(), wire, &[&large, b"after"]);
}

#[test]
fn pings_are_answered_with_their_payload_and_texts_keep_their_order() {
    let mut rig = Rig::new();
    let (listener, at) = listen(&rig);
    let venue = rig.net.add_venue("test", limits());
    let heard = rig.runtime.spawn(async move {
        let mut stream = accept(&listener, "").await;
        stream.write_all(&frame(PING, b"are you there")).await.unwrap();
        let mut heard = Vec::new();
        while let Some((first, payload)) = said(&mut stream).await {
            heard.push((first, String::from_utf8_lossy(&payload).into_owned()));
            if heard.len() == 4 {
                break;
            }
        }
        heard
    });
    rig.net.relink(venue, &[link(0, at)]);
    let conn = rig.opened();
    for text in ["one", "two", "three"] {
        rig.net.act(venue, Action::Send { conn, text: text.to_owned() });
    }
    let heard = rig.runtime.block_on(heard).unwrap();
    let pongs: Vec<_> = heard.iter().filter(|(first, _)| *first == PONG).map(|(_, p)| p.as_str()).collect();
    let texts: Vec<_> = heard.iter().filter(|(first, _)| *first == TEXT).map(|(_, p)| p.as_str()).collect();
    assert_eq!((pongs, texts), (vec!["are you there"], vec!["one", "two", "three"]));
}

#[test]
fn a_lost_connection_is_opened_again_under_a_new_number() {
    let mut rig = Rig::new();
    let (listener, at) = listen(&rig);
    let venue = rig.net.add_venue("test", limits());
    rig.runtime.spawn(async move {
        let mut stream = accept(&listener, "").await;
        stream.write_all(&frame(TEXT, b"first")).await.unwrap();
        stream.write_all(&frame(CLOSE, &[0x03, 0xe9, b'b', b'y', b'e'])).await.unwrap();
        let mut stream = accept(&listener, "").await;
        stream.write_all(&frame(TEXT, b"second")).await.unwrap();
        while said(&mut stream).await.is_some() {}
    });
    rig.net.relink(venue, &[link(0, at)]);
    let (one, first) = rig.frame();
    let Incoming::Closed { conn, reason: CloseReason::ByVenue, detail, .. } = rig.next() else { panic!("not closed") };
    assert_eq!((conn, &first[..]), (one, &b"first"[..]));
    assert!(detail.contains("1001") && detail.contains("bye"), "{detail}");
    let (two, second) = rig.frame();
    assert!(two.0 > one.0);
    assert_eq!(&second[..], b"second");
    let stats = &rig.net.stats()[0];
    assert_eq!((stats.connects, stats.reconnects, stats.open, stats.frames), (2, 1, 1, 2));
}

#[test]
fn silence_is_death_and_pings_prevent_it() {
    for (answers, want) in [(true, None), (false, Some(CloseReason::Dead))] {
        let mut rig = Rig::new();
        let (listener, at) = listen(&rig);
        let limits = Limits { ping_every: Some(Span::millis(100)), dead_after: Span::millis(400), ..limits() };
        let venue = rig.net.add_venue("test", limits);
        rig.runtime.spawn(async move {
            let mut stream = accept(&listener, "").await;
            while let Some((first, payload)) = said(&mut stream).await {
                if answers && first == PING {
                    stream.write_all(&frame(PONG, &payload)).await.unwrap();
                }
            }
        });
        rig.net.relink(venue, &[link(0, at)]);
        rig.opened();
        let next = rig.next_within(Duration::from_millis(1_200));
        let reason = next.map(|item| match item {
            Incoming::Closed { reason, .. } => reason,
            other => panic!("{other:?}"),
        });
        assert_eq!(reason, want);
    }
}

#[test]
fn a_full_inbox_stops_the_reading_and_loses_nothing() {
    let bounds = Bounds { items: 100, bytes: 1 << 20 };
    let mut rig = Rig::with(Arc::new(SystemClock), bounds, &NetOptions::default());
    let (listener, at) = listen(&rig);
    let venue = rig.net.add_venue("test", limits());
    let count = 200_000_u32;
    rig.runtime.spawn(async move {
        let mut stream = accept(&listener, "").await;
        for chunk in (0..count).collect::<Vec<_>>().chunks(1_000) {
            let wire: Vec<u8> = chunk.iter().flat_map(|n| frame(TEXT, n.to_string().as_bytes())).collect();
            stream.write_all(&wire).await.unwrap();
        }
        while said(&mut stream).await.is_some() {}
    });
    rig.net.relink(venue, &[link(0, at)]);
    rig.opened();
    std::thread::sleep(Duration::from_millis(300));
    let taken_before = rig.net.stats()[0].frames;
    assert!(taken_before < u64::from(count) / 2, "{taken_before} of {count} were read though nobody took them");
    for want in 0..count {
        let (_, bytes) = rig.frame();
        assert_eq!(&bytes[..], want.to_string().as_bytes());
    }
    assert!(rig.net.inbox_depth().full > 0);
}
