//! A venue whose requests somebody else carries out: paced, repeated and ended as those of HTTP are.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod support;

use barograph_domain::Span;
use barograph_net::{Calling, Carrier, Closing, Error, Incoming, PostDoor};
use barograph_venues::session::{Action, FailReason, Limits, Pool, PoolId, Priority, Request, RequestId};
use bytes::Bytes;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::sync::{Arc, Mutex};
use support::{Rig, answer, head, header, limits, listen, pool};
use tokio::io::AsyncWriteExt;

/// Answers the n-th call with `script(n)`; `None` never does.
#[derive(Debug)]
struct Scripted {
    script: fn(usize) -> Option<Result<&'static str, &'static str>>,
    calls: Mutex<Vec<(String, String)>>,
    under_way: AtomicUsize,
    most: AtomicUsize,
    closed: AtomicUsize,
}

impl Carrier for Scripted {
    fn call(&self, _door: PostDoor, address: String, body: String) -> Calling<'_> {
        Box::pin(async move {
            let n = {
                let mut calls = self.calls.lock().unwrap();
                calls.push((address, body));
                calls.len() - 1
            };
            let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(20)).await;
            self.under_way.fetch_sub(1, Ordering::SeqCst);
            match (self.script)(n) {
                Some(Ok(answer)) => Ok(Bytes::from_static(answer.as_bytes())),
                Some(Err(why)) => Err(Error::Connect { to: "a server".to_owned(), source: std::io::Error::other(why) }),
                None => core::future::pending().await,
            }
        })
    }

    fn close(&self) -> Closing<'_> {
        Box::pin(async move { _ = self.closed.fetch_add(1, Ordering::SeqCst) })
    }
}

/// What comes of so many requests at once, and who carried them.
fn check(
    requests: u64,
    at_once: u32,
    script: fn(usize) -> Option<Result<&'static str, &'static str>>,
    want: Result<&str, FailReason>,
) -> Arc<Scripted> {
    let mut rig = Rig::new();
    let carrier = Arc::new(Scripted {
        script,
        calls: Mutex::default(),
        under_way: AtomicUsize::new(0),
        most: AtomicUsize::new(0),
        closed: AtomicUsize::new(0),
    });
    let limits = Limits { pools: vec![Pool { in_flight_max: at_once, ..pool(0, 1_000) }], ..limits() };
    let venue = rig.net.add_called("called", limits, Arc::clone(&carrier) as Arc<dyn Carrier>);
    for id in 0..requests {
        let request = Request {
            body: Some("{}".to_owned()),
            timeout: Span::secs(1),
            ..Request::get(RequestId(id), "mcp:tool".to_owned(), PoolId(0), Priority::Poll)
        };
        rig.net.act(venue, Action::Request(request));
    }
    for _ in 0..requests {
        let got = match rig.next_within(Duration::from_secs(20)) {
            Some(Incoming::Reply { status: 200, body, .. }) => Ok(String::from_utf8(body.to_vec()).unwrap()),
            Some(Incoming::Failed { reason, .. }) => Err(reason),
            other => panic!("{other:?}"),
        };
        assert_eq!(got.as_deref().map_err(|reason| *reason), want);
    }
    rig.stop();
    assert_eq!(carrier.closed.load(Ordering::SeqCst), 1, "ended once, with the network");
    carrier
}

#[test]
fn calls_are_paced_and_answered() {
    let carrier = check(9, 2, |_| Some(Ok("yes")), Ok("yes"));
    assert_eq!(carrier.most.load(Ordering::SeqCst), 2, "no more under way than the budget has");
    assert_eq!(carrier.calls.lock().unwrap()[0], ("mcp:tool".to_owned(), "{}".to_owned()));
}

#[test]
fn what_fails_is_tried_again_a_few_times() {
    let carrier = check(1, 1, |n| Some(if n < 2 { Err("gone") } else { Ok("yes") }), Ok("yes"));
    assert_eq!(carrier.calls.lock().unwrap().len(), 3);
    let carrier = check(1, 1, |_| Some(Err("gone")), Err(FailReason::Network));
    assert_eq!(carrier.calls.lock().unwrap().len(), 4);
    let carrier = check(1, 1, |_| None, Err(FailReason::Timeout));
    assert_eq!(carrier.calls.lock().unwrap().len(), 4);
}

/// Posts over the door, and gives back what the server heard and answered.
#[derive(Debug)]
struct Posting(String);

impl Carrier for Posting {
    fn call(&self, door: PostDoor, _address: String, body: String) -> Calling<'_> {
        Box::pin(async move {
            let reply = door.post(&self.0, &[("x-test".to_owned(), "7".to_owned())], &body).await?;
            Ok(Bytes::from(format!("{} {:?} {:?}", reply.status, reply.header("mcp-session-id"), reply.body)))
        })
    }

    fn close(&self) -> Closing<'_> {
        Box::pin(async {})
    }
}

#[test]
fn a_post_has_its_headers_and_gives_those_of_the_answer() {
    let mut rig = Rig::new();
    let (listener, at) = listen(&rig);
    rig.runtime.spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let head = head(&mut stream).await.unwrap();
        let mut body = vec![0; header(&head, "content-length").unwrap().parse().unwrap()];
        tokio::io::AsyncReadExt::read_exact(&mut stream, &mut body).await.unwrap();
        let text = format!("{} {}", header(&head, "x-test").unwrap(), String::from_utf8(body).unwrap());
        stream.write_all(&answer(400, "mcp-session-id: s1\r\n", text.as_bytes())).await.unwrap();
    });
    let venue = rig.net.add_called("called", limits(), Arc::new(Posting(format!("http://{at}/mcp"))));
    let request = Request {
        body: Some("{\"a\":1}".to_owned()),
        ..Request::get(RequestId(1), "mcp:tool".to_owned(), PoolId(0), Priority::Poll)
    };
    rig.net.act(venue, Action::Request(request));
    let Some(Incoming::Reply { body, .. }) = rig.next_within(Duration::from_secs(5)) else { panic!("no reply") };
    assert_eq!(&body[..], b"400 Some(\"s1\") b\"7 {\\\"a\\\":1}\"");
    rig.stop();
}
