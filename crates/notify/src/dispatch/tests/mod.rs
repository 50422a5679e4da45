//! The dispatcher against a real receiver on loopback, with an outbox in memory and a clock that the test may move.

mod hard;
mod secure;
mod server;
mod services;

use super::*;
use crate::format::plain::JSON;
use crate::format::standard::STANDARD;
use crate::receiver::Allowed;
use crate::sample::try_once;
use crate::secret::Secret;
use crate::sign::{SigningKey, verifies};
use crate::testing::{Memory, T0, message, notice, outgoing};
use crate::transport::NameResolver;
use barograph_domain::Span;
use barograph_domain::delivery::{DeliveryState, Phase};
use core::pin::Pin;
use server::{Reaction, Server, status};
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;
use tokio::runtime::Runtime;

const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

struct Bench {
    runtime: Runtime,
    memory: Memory,
    clock: Arc<AtomicI64>,
}

impl Bench {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        Self { runtime, memory: Memory::default(), clock: Arc::new(AtomicI64::new(T0.0)) }
    }
    fn server(&self, react: impl Fn(usize, &server::Got) -> Reaction + Send + Sync + 'static) -> Server {
        self.runtime.block_on(Server::start(react))
    }
    fn now(&self) -> Now {
        let clock = Arc::clone(&self.clock);
        Arc::new(move || Ts(clock.load(Ordering::SeqCst)))
    }
    fn pass(&self, span: Span) {
        self.clock.fetch_add(span.0, Ordering::SeqCst);
    }
    fn start(&self, receivers: Vec<Receiver>) -> Dispatcher {
        let outbox = Box::new(self.memory.clone());
        let transport = Arc::new(Transport::new().unwrap());
        Dispatcher::start(receivers, outbox, transport, self.runtime.handle().clone(), self.now(), 1).unwrap()
    }
    /// Stores an alert and notifies the dispatcher.
    fn alert(&self, dispatcher: &Dispatcher, market: &str, to: &[&str]) -> String {
        let out = outgoing(message(notice(market, Phase::Firing), 1, (self.now())()), to);
        self.memory.0.lock().unwrap().put(&out);
        let id = out.message.id.clone();
        dispatcher.deliver(vec![out]);
        id
    }
    fn state(&self, endpoint: &str, id: &str) -> DeliveryState {
        self.memory.0.lock().unwrap().rows[&(endpoint.to_owned(), id.to_owned())].state
    }
    /// Waits for what must come; the time is only a limit for a test that fails.
    fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let began = Instant::now();
        while !holds() {
            assert!(began.elapsed() < Duration::from_secs(20), "never: {what}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

fn loopback(name: &str, server: &Server) -> Receiver {
    Receiver {
        allow_http: true,
        allow_private: vec!["127.0.0.0/8".parse::<Allowed>().unwrap()],
        secrets: vec![Secret::new(SECRET)],
        ..Receiver::new(name, &STANDARD, &server.url())
    }
}

#[test]
fn a_retry_keeps_its_id_and_signs_anew() {
    let bench = Bench::new();
    let server = bench.server(|nth, _| status(if nth == 0 { 500 } else { 200 }));
    let dispatcher = bench.start(vec![loopback("a", &server)]);
    let id = bench.alert(&dispatcher, "okx:BTC-USDT", &["a"]);
    bench.until("a first try", || bench.memory.0.lock().unwrap().attempts.len() == 1);
    bench.pass(Span::secs(7));
    bench.until("a confirmation", || bench.state("a", &id) == DeliveryState::Delivered);
    let got = server.all();
    let (one, two) = (&got[0], &got[1]);
    assert_eq!((one.header("webhook-id"), two.header("webhook-id")), (id.clone(), id));
    let at = |g: &server::Got| g.header("webhook-timestamp").parse::<i64>().unwrap();
    assert_eq!(at(two) - at(one), 7);
    assert_ne!(one.header("webhook-signature"), two.header("webhook-signature"));
    let key = SigningKey::new(&Secret::new(SECRET)).unwrap();
    for g in [one, two] {
        let signed = g.header("webhook-signature");
        assert!(verifies(&key, &g.header("webhook-id"), at(g), &g.body, &signed, at(g)));
    }
    assert_eq!(one.path, "/hook/secret-path-token-1234");
    let shelf = bench.memory.0.lock().unwrap();
    let log: Vec<_> = shelf.attempts.iter().map(|a| (a.status, a.outcome.as_str())).collect();
    assert_eq!(log, [(Some(500), "retry"), (Some(200), "delivered")]);
    let stats = &dispatcher.stats().endpoints["a"];
    assert_eq!((stats.delivered, stats.retried, stats.latency.total()), (1, 1, 2));
}

/// A made-up world runs elsewhere and faster: requests are signed by the receivers' clock, dates in answers are compared with it,
/// and a rest lasts as long there as was asked for.
#[test]
fn requests_are_signed_by_the_receivers_clock_and_rests_are_in_its_time() {
    let bench = Bench::new();
    let wire = Ts::from_civil(2026, 11, 23, 15, 0, 0);
    let date = "Mon, 23 Nov 2026 15:00:09 GMT".to_owned();
    let server = bench.server(move |nth, _| match nth {
        0 => Reaction::Answer(429, vec![("retry-after", date.clone())], ""),
        _ => status(200),
    });
    let clocks = Clocks { now: bench.now(), wire: Arc::new(move || wire), rate: 20.0 };
    let (outbox, transport) = (Box::new(bench.memory.clone()), Arc::new(Transport::new().unwrap()));
    let handle = bench.runtime.handle().clone();
    let dispatcher = Dispatcher::start(vec![loopback("a", &server)], outbox, transport, handle, clocks, 1).unwrap();
    let id = bench.alert(&dispatcher, "okx:BTC-USDT", &["a"]);
    bench.until("the refusal", || bench.memory.0.lock().unwrap().attempts.len() == 1);
    let next_try = || bench.memory.0.lock().unwrap().rows[&("a".to_owned(), id.clone())].next_try;
    bench.until("its next try", || next_try() > T0);
    assert_eq!(next_try() - T0, Span::secs(180), "9 s of the receiver");
    bench.pass(Span::secs(180));
    bench.until("a confirmation", || bench.state("a", &id) == DeliveryState::Delivered);
    let key = SigningKey::new(&Secret::new(SECRET)).unwrap();
    for g in server.all() {
        let seconds = g.header("webhook-timestamp").parse::<i64>().unwrap();
        assert_eq!(Ts::from_secs(seconds), wire);
        assert!(verifies(&key, &id, seconds, &g.body, &g.header("webhook-signature"), seconds));
    }
}

#[test]
fn redirects_are_not_followed_and_gone_ends_it() {
    let bench = Bench::new();
    let other = bench.server(|_, _| status(200));
    let place = other.url();
    let server = bench.server(move |nth, _| match nth {
        0 => Reaction::Answer(302, vec![("location", place.clone())], ""),
        _ => status(410),
    });
    let dispatcher = bench.start(vec![loopback("a", &server), loopback("b", &other)]);
    let id = bench.alert(&dispatcher, "okx:BTC-USDT", &["a"]);
    bench.until("the redirect", || bench.memory.0.lock().unwrap().attempts.len() == 1);
    assert_eq!(other.count(), 0);
    bench.pass(Span::secs(7));
    bench.until("the end", || bench.state("a", &id) == DeliveryState::Dead);
    // The other endpoint hears of it; this one gets no further request.
    bench.until("the notice", || other.count() == 1);
    let late = bench.alert(&dispatcher, "okx:ETH-USDT", &["a"]);
    bench.until("its end", || bench.state("a", &late) == DeliveryState::Dead);
    assert_eq!(server.count(), 2);
    assert!(bench.memory.0.lock().unwrap().states["a"].disabled.as_deref().unwrap().contains("410"));
}

#[test]
fn a_rest_that_is_asked_for_is_kept_and_delays_nobody_else() {
    let bench = Bench::new();
    let busy = bench.server(|nth, _| match nth {
        0 => Reaction::Answer(429, vec![("retry-after", "7".to_owned())], ""),
        _ => status(200),
    });
    let free = bench.server(|_, _| status(200));
    let dispatcher = bench.start(vec![loopback("a", &busy), loopback("b", &free)]);
    let first = bench.alert(&dispatcher, "okx:BTC-USDT", &["a", "b"]);
    bench.until("the refusal", || bench.memory.0.lock().unwrap().attempts.len() == 2);
    bench.pass(Span::secs(6));
    let second = bench.alert(&dispatcher, "okx:ETH-USDT", &["a", "b"]);
    bench.until("the other", || bench.state("b", &second) == DeliveryState::Delivered);
    assert_eq!((busy.count(), bench.state("a", &first)), (1, DeliveryState::Waiting));
    bench.pass(Span::secs(1));
    bench.until("both", || {
        bench.state("a", &first) == DeliveryState::Delivered && bench.state("a", &second) == DeliveryState::Delivered
    });
}

#[test]
fn a_closed_socket_and_no_server_are_tried_again() {
    let bench = Bench::new();
    let server = bench.server(|nth, _| if nth == 0 { Reaction::Close } else { status(204) });
    let nobody = Server { address: "127.0.0.1:9".parse().unwrap(), ..server.clone() };
    let dispatcher = bench.start(vec![loopback("a", &server), loopback("b", &nobody)]);
    let id = bench.alert(&dispatcher, "okx:BTC-USDT", &["a", "b"]);
    bench.until("two failures", || bench.memory.0.lock().unwrap().attempts.len() == 2);
    bench.pass(Span::secs(7));
    bench.until("a confirmation", || bench.state("a", &id) == DeliveryState::Delivered);
    let shelf = bench.memory.0.lock().unwrap();
    assert!(shelf.attempts.iter().any(|a| a.endpoint == "b" && a.status.is_none() && a.excerpt.contains("connect")));
    drop(shelf);
    bench.pass(Span::mins(31));
    bench.until("the end of the other", || bench.state("b", &id) == DeliveryState::Expired);
}

#[test]
fn a_slow_receiver_is_given_up_and_tried_again() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let shown = runtime.block_on(async {
        let server = Server::start(|_, _| Reaction::Slow(Duration::from_secs(3_600))).await;
        let (receiver, asked) = (loopback("a", &server), server.clone());
        let trying = tokio::spawn(async move {
            let (transport, now): (_, Now) = (Transport::new().unwrap(), Arc::new(|| T0));
            try_once(receiver, crate::sample::message(T0), None, &transport, &now).await.unwrap()
        });
        while asked.count() == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        // From here on the clock jumps to whatever is waited for.
        tokio::time::pause();
        trying.await.unwrap()
    });
    assert_eq!((shown.status, shown.delivered, shown.reply.as_str()), (None, false, "no answer in time"));
}

#[test]
fn killed_between_sending_and_recording_it_is_sent_again_with_its_id() {
    let bench = Bench::new();
    let server = bench.server(|_, _| status(200));
    bench.memory.0.lock().unwrap().forgets = true;
    let dispatcher = bench.start(vec![loopback("a", &server)]);
    let id = bench.alert(&dispatcher, "okx:BTC-USDT", &["a"]);
    bench.until("a request", || server.count() == 1);
    drop(dispatcher);
    assert_eq!(bench.state("a", &id), DeliveryState::Waiting);
    bench.memory.0.lock().unwrap().forgets = false;
    let _next = bench.start(vec![loopback("a", &server)]);
    bench.until("a confirmation", || bench.state("a", &id) == DeliveryState::Delivered);
    let ids: Vec<String> = server.all().iter().map(|g| g.header("webhook-id")).collect();
    assert_eq!(ids, [id.clone(), id]);
}

#[test]
fn a_store_that_is_away_loses_nothing_and_groups_wait_for_it() {
    let bench = Bench::new();
    let server = bench.server(|_, _| status(200));
    let dispatcher = bench.start(vec![loopback("a", &server)]);
    bench.alert(&dispatcher, "okx:X-USDT", &["a"]);
    bench.until("a request", || server.count() == 1);
    bench.pass(Span::mins(2));
    let all: Vec<_> = (0..5)
        .map(|i| outgoing(message(notice(&format!("okx:C{i}-USDT"), Phase::Firing), 1, (bench.now())()), &["a"]))
        .collect();
    {
        let mut shelf = bench.memory.0.lock().unwrap();
        all.iter().for_each(|o| shelf.put(o));
        shelf.away = true;
    }
    dispatcher.deliver(all.clone());
    bench.until("two alone", || server.count() == 3);
    bench.until("a refusal", || dispatcher.stats().store_failures > 0);
    assert_eq!(server.count(), 3, "a group is stored before it is sent");
    bench.memory.0.lock().unwrap().away = false;
    bench.until("the group", || server.count() == 4);
    bench.pass(Span::secs(11));
    bench.until("all", || all.iter().all(|o| bench.state("a", &o.message.id) == DeliveryState::Delivered));
    dispatcher.stop(Duration::from_secs(5));
}

#[test]
fn what_does_not_fit_into_the_queue_is_read_from_the_store() {
    let bench = Bench::new();
    let server = bench.server(|_, _| status(200));
    let dispatcher = bench.start(vec![Receiver { groups: Some(false), ..loopback("a", &server) }]);
    let all: Vec<_> = (0..9_000)
        .map(|i| outgoing(message(notice(&format!("okx:C{i}-USDT"), Phase::Firing), 1, T0), &["a"]))
        .collect();
    {
        let mut shelf = bench.memory.0.lock().unwrap();
        // One would do for what is tested; the rest only has to be too many.
        all.iter().take(40).for_each(|o| shelf.put(o));
    }
    dispatcher.deliver(all);
    bench.until("all", || bench.memory.0.lock().unwrap().count(DeliveryState::Delivered) == 40);
    assert_eq!((dispatcher.stats().overflows, server.count()), (1, 40));
    // Connections are kept: not one per delivery.
    assert!(*server.connections.lock().unwrap() <= 33, "{}", server.connections.lock().unwrap());
    dispatcher.stop(Duration::from_secs(5));
}

#[test]
fn programs_are_called_and_stopping_leaves_the_rest_in_the_outbox() {
    let bench = Bench::new();
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let called = Arc::clone(&heard);
    let callback: crate::receiver::Callback = Arc::new(move |n| {
        called.lock().unwrap().push(n.title.clone());
        if n.title.contains("BAD") { Err("not this one".to_owned()) } else { Ok(()) }
    });
    let dispatcher = bench.start(vec![Receiver::calling("mine", callback)]);
    let good = bench.alert(&dispatcher, "okx:BTC-USDT", &["mine"]);
    bench.until("the good one", || bench.state("mine", &good) == DeliveryState::Delivered);
    let bad = bench.alert(&dispatcher, "okx:BAD-USDT", &["mine"]);
    bench.until("both calls", || bench.memory.0.lock().unwrap().attempts.len() == 2);
    dispatcher.stop(Duration::from_secs(5));
    assert_eq!(bench.state("mine", &good), DeliveryState::Delivered);
    assert_eq!(bench.state("mine", &bad), DeliveryState::Waiting);
    assert_eq!(heard.lock().unwrap().len(), 2);
}

/// Answers each lookup with the next list.
struct Rebinding(Mutex<Vec<Vec<&'static str>>>);
impl NameResolver for Rebinding {
    fn lookup<'a>(
        &'a self,
        _host: &'a str,
    ) -> Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + std::marker::Send + 'a>> {
        let next = self.0.lock().unwrap().remove(0);
        Box::pin(async move { Ok(next.into_iter().map(|ip| ip.parse().unwrap()).collect()) })
    }
}

#[test]
fn names_that_lead_inside_are_refused_whatever_they_say_later() {
    let bench = Bench::new();
    let server = bench.server(|_, _| Reaction::Answer(200, Vec::new(), "inside"));
    let port = server.address.port();
    let to = |allow: &str| Receiver {
        allow_http: true,
        allow_private: vec![allow.parse().unwrap()],
        ..Receiver::new("a", &JSON, &format!("http://rebind.example:{port}/x"))
    };
    let try_with = |receiver: Receiver, names: &[&[&'static str]]| {
        let names = Arc::new(Rebinding(Mutex::new(names.iter().map(|n| n.to_vec()).collect())));
        let transport = Transport::with(names, &[]).unwrap();
        let message = crate::sample::message(T0);
        bench.runtime.block_on(try_once(receiver, message, None, &transport, &bench.now())).unwrap()
    };
    // The port is opened for another range only.
    let elsewhere = || to(&format!("10.9.9.9:{port}"));
    for inside in ["127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1", "::1", "64:ff9b::7f00:1"] {
        let shown = try_with(elsewhere(), &[&["127.0.0.1", inside]]);
        assert!(!shown.delivered && shown.status.is_none() && shown.reply.contains("not on the public internet"));
        assert!(!shown.reply.contains("inside"), "{}", shown.reply);
        // One bad address spoils good ones.
        assert!(!try_with(elsewhere(), &[&["1.1.1.1", inside]]).delivered);
    }
    assert_eq!(server.count(), 0);
    // Pinned: there is no second lookup that could lead elsewhere; a second one would find an empty list and panic.
    let shown = try_with(to(&format!("127.0.0.1:{port}")), &[&["127.0.0.1"]]);
    assert!(shown.delivered && server.count() == 1);
    assert_eq!(server.all()[0].header("host"), format!("rebind.example:{port}"));
}

#[test]
fn user_and_password_go_as_the_web_has_them() {
    let bench = Bench::new();
    let server = bench.server(|_, _| Reaction::Answer(200, Vec::new(), ""));
    let auth = crate::receiver::Auth::Basic { user: "Aladdin".into(), password: Secret::new("open sesame") };
    let receiver = Receiver { auth, ..loopback("a", &server) };
    let transport = Transport::new().unwrap();
    let message = crate::sample::message(T0);
    let shown = bench.runtime.block_on(try_once(receiver, message, None, &transport, &bench.now())).unwrap();
    assert!(shown.delivered);
    // The example of RFC 7617.
    assert_eq!(server.all()[0].header("authorization"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

#[test]
fn no_secret_is_seen_in_what_is_shown_logged_or_counted() {
    let bench = Bench::new();
    let server = bench.server(|_, got| {
        // A receiver that repeats what it received.
        let said = format!("bad {} for {}", got.header("authorization"), got.path);
        Reaction::Answer(400, vec![("x", "y".to_owned())], Box::leak(said.into_boxed_str()))
    });
    let receiver =
        Receiver { auth: crate::receiver::Auth::Bearer(Secret::new("token-abcdef-987654")), ..loopback("a", &server) };
    let transport = Transport::new().unwrap();
    let message = crate::sample::message(T0);
    let shown = bench.runtime.block_on(try_once(receiver.clone(), message, None, &transport, &bench.now())).unwrap();
    let dispatcher = bench.start(vec![receiver.clone()]);
    bench.alert(&dispatcher, "okx:BTC-USDT", &["a"]);
    bench.until("a try", || bench.memory.0.lock().unwrap().attempts.len() == 1);
    let log = bench.memory.0.lock().unwrap().attempts[0].excerpt.clone();
    assert!(log.starts_with("bad Bearer … for") && shown.status == Some(400) && !shown.delivered, "{log}");
    assert_eq!(shown.request, "POST 127.0.0.1…1234");
    let target = SendTarget::new(receiver.clone()).unwrap();
    let everything = format!("{shown:?} {log} {:?} {receiver:?} {target:?}", dispatcher.stats());
    for secret in ["token-abcdef", "AAECAwQF", "secret-path-token"] {
        assert!(!everything.contains(secret), "{secret} in {everything}");
    }
    assert!(shown.headers.iter().any(|(name, value)| name == "authorization" && value == "…"));
    assert!(shown.body.contains("sample"));
}

#[test]
fn two_thousand_go_out_over_few_connections() {
    let bench = Bench::new();
    let server = bench.server(|_, _| status(200));
    let dispatcher = bench.start(vec![Receiver { groups: Some(false), ..loopback("a", &server) }]);
    let all: Vec<_> = (0..2_000)
        .map(|i| outgoing(message(notice(&format!("okx:C{i}-USDT"), Phase::Firing), 1, T0), &["a"]))
        .collect();
    let mut shelf = bench.memory.0.lock().unwrap();
    all.iter().for_each(|o| shelf.put(o));
    drop(shelf);
    dispatcher.deliver(all);
    bench.until("all", || bench.memory.0.lock().unwrap().count(DeliveryState::Delivered) == 2_000);
    assert_eq!(server.count(), 2_000);
    assert!(*server.connections.lock().unwrap() <= 33);
    let stats = dispatcher.stats();
    assert_eq!((stats.endpoints["a"].delivered, stats.endpoints["a"].age.total()), (2_000, 2_000));
    dispatcher.stop(Duration::from_secs(5));
}
