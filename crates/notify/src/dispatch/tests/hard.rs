//! Answers, stores and programs that misbehave.

use super::*;
use crate::outbox::{Change, Join, Outbox, OutboxError, Recovered};
use crate::receiver::Callback;
use barograph_domain::delivery::{Attempt, EndpointState, Message, Silence};
use std::sync::atomic::AtomicUsize;
use std::sync::mpsc;

/// What another store does: pages of so many, and failures.
#[derive(Clone)]
struct Odd {
    memory: Memory,
    page: usize,
    /// Calls of `record` that fail for good.
    breaks: Arc<AtomicUsize>,
    /// Calls of `record` that panic.
    panics: Arc<AtomicUsize>,
}

impl Odd {
    fn over(memory: &Memory) -> Self {
        Self { memory: memory.clone(), page: usize::MAX, breaks: Arc::default(), panics: Arc::default() }
    }
    fn cut(&self, mut all: Vec<Outgoing>) -> (Vec<Outgoing>, bool) {
        let more = all.len() >= self.page;
        all.truncate(self.page);
        (all, more)
    }
}

fn takes_one(of: &AtomicUsize) -> bool {
    of.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok()
}

fn panic_if(it_shall: bool) {
    assert!(!it_shall, "the test says so");
}

impl Outbox for Odd {
    fn recover(&mut self) -> Result<Recovered, OutboxError> {
        let mut all = self.memory.recover()?;
        (all.unfinished, all.more) = self.cut(all.unfinished);
        Ok(all)
    }
    fn unfinished_after(&mut self, last: &Message) -> Result<(Vec<Outgoing>, bool), OutboxError> {
        let (all, _) = self.memory.unfinished_after(last)?;
        Ok(self.cut(all))
    }
    fn enqueue(&mut self, messages: &[Outgoing], joins: &[Join]) -> Result<(), OutboxError> {
        self.memory.enqueue(messages, joins)
    }
    fn record(&mut self, changes: &[Change], tries: &[Attempt], states: &[EndpointState]) -> Result<(), OutboxError> {
        panic_if(takes_one(&self.panics));
        if takes_one(&self.breaks) {
            return Err(OutboxError::Broken("no space left".into()));
        }
        self.memory.record(changes, tries, states)
    }
    fn silences(&mut self) -> Result<Vec<Silence>, OutboxError> {
        self.memory.silences()
    }
}

fn over(bench: &Bench, receivers: Vec<Receiver>, outbox: Odd) -> Dispatcher {
    let transport = Arc::new(Transport::new().unwrap());
    let runtime = bench.runtime.handle().clone();
    Dispatcher::start(receivers, Box::new(outbox), transport, runtime, bench.now(), 1).unwrap()
}

fn stored(bench: &Bench, count: usize, to: &[&str]) -> Vec<Outgoing> {
    let one = |i| {
        outgoing(
            message(notice(&format!("okx:C{i:03}-USDT"), Phase::Firing), 1, T0 - Span::secs(1) + Span::millis(i)),
            to,
        )
    };
    let all: Vec<_> = (0..i64::try_from(count).unwrap()).map(one).collect();
    let mut shelf = bench.memory.0.lock().unwrap();
    all.iter().for_each(|o| shelf.put(o));
    drop(shelf);
    all
}

#[test]
fn a_broken_store_or_a_panic_ends_telling_for_a_while_only() {
    for panics in [false, true] {
        let bench = Bench::new();
        let server = bench.server(|_, _| status(200));
        let odd = Odd::over(&bench.memory);
        (if panics { &odd.panics } else { &odd.breaks }).store(1, Ordering::SeqCst);
        let dispatcher = over(&bench, vec![loopback("a", &server)], odd);
        let id = bench.alert(&dispatcher, "okx:BTC-USDT", &["a"]);
        bench.until("the break", || dispatcher.stats().broken.is_some());
        let why = dispatcher.stats().broken.unwrap();
        assert_eq!(dispatcher.stats().in_flight, 0, "nothing is under way while it rests");
        assert!(why.contains(if panics { "the test says so" } else { "no space left" }), "{why}");
        let late = bench.alert(&dispatcher, "okx:ETH-USDT", &["a"]);
        bench.pass(Span::secs(61));
        bench.until("both", || [&id, &late].iter().all(|id| bench.state("a", id) == DeliveryState::Delivered));
        assert!(dispatcher.stats().broken.is_none());
        let ids: Vec<String> = server.all().iter().map(|g| g.header("webhook-id")).collect();
        assert_eq!(ids.iter().filter(|i| **i == id).count(), 2, "what was not written is sent again under its id");
        dispatcher.stop(Duration::from_secs(5));
    }
}

#[test]
fn more_than_a_page_is_taken_up_to_its_end() {
    let bench = Bench::new();
    let server = bench.server(|_, _| status(200));
    let all = stored(&bench, 45, &["a"]);
    let odd = Odd { page: 10, ..Odd::over(&bench.memory) };
    let dispatcher = over(&bench, vec![Receiver { groups: Some(false), ..loopback("a", &server) }], odd);
    bench.until("all", || bench.memory.0.lock().unwrap().count(DeliveryState::Delivered) == all.len());
    bench.until("nothing unread", || !dispatcher.stats().unread);
    assert_eq!(server.count(), 45);
    // What comes while the store is read is not lost either.
    let id = bench.alert(&dispatcher, "okx:ETH-USDT", &["a"]);
    bench.until("one more", || bench.state("a", &id) == DeliveryState::Delivered);
    dispatcher.stop(Duration::from_secs(5));
}

/// The store is handed back: what is not stopped but dropped does not go on without its owner.
#[test]
fn a_dispatcher_that_is_dropped_ends() {
    let bench = Bench::new();
    let server = bench.server(|_, _| status(200));
    let odd = Odd::over(&bench.memory);
    let held = Arc::clone(&odd.breaks);
    let dispatcher = over(&bench, vec![loopback("a", &server)], odd);
    let id = bench.alert(&dispatcher, "okx:BTC-USDT", &["a"]);
    bench.until("delivered", || bench.state("a", &id) == DeliveryState::Delivered);
    assert!(Arc::strong_count(&held) > 1, "while it runs it holds the store");
    drop(dispatcher);
    bench.until("it lets go of the store", || Arc::strong_count(&held) == 1);
}

#[test]
fn nothing_overtakes_what_the_queue_has_lost() {
    let bench = Bench::new();
    let server = bench.server(|_, _| status(200));
    let odd = Odd::over(&bench.memory);
    let dispatcher = over(&bench, vec![Receiver { groups: Some(false), ..loopback("a", &server) }], odd);
    bench.alert(&dispatcher, "okx:X-USDT", &["a"]);
    bench.until("a request", || server.count() == 1);
    // The store is away: the queue overflows with the beginning in it, the end comes after.
    bench.memory.0.lock().unwrap().away = true;
    let market = "okx:BTC-USDT";
    let opened = outgoing(message(notice(market, Phase::Firing), 1, T0), &["a"]);
    let closed = outgoing(message(notice(market, Phase::Resolved), 2, T0 + Span::secs(1)), &["a"]);
    {
        let mut shelf = bench.memory.0.lock().unwrap();
        shelf.put(&opened);
        shelf.put(&closed);
    }
    let mut many: Vec<Outgoing> = vec![opened.clone()];
    many.extend((0..9_000).map(|i| outgoing(message(notice(&format!("okx:C{i}-USDT"), Phase::Firing), 1, T0), &[])));
    dispatcher.deliver(many);
    dispatcher.deliver(vec![closed.clone()]);
    bench.until("an overflow", || dispatcher.stats().overflows == 1);
    std::thread::sleep(Duration::from_millis(50));
    bench.memory.0.lock().unwrap().away = false;
    bench.until("an end", || bench.state("a", &closed.message.id) != DeliveryState::Waiting);
    bench.until("another", || bench.state("a", &opened.message.id) != DeliveryState::Waiting);
    let heard: Vec<String> = server.all().iter().map(|g| g.header("webhook-id")).collect();
    let place = |id: &String| heard.iter().position(|h| h == id);
    let (began, ended) = (place(&opened.message.id), place(&closed.message.id));
    assert!(began.is_none() || began < ended, "{began:?} {ended:?}: the beginning after the end");
    dispatcher.stop(Duration::from_secs(5));
}

#[test]
fn what_ended_in_the_moment_of_the_stop_is_on_record() {
    let bench = Bench::new();
    let quick = bench.server(|_, _| status(200));
    let slow = bench.server(|_, _| {
        std::thread::sleep(Duration::from_millis(300));
        status(200)
    });
    let dispatcher = bench.start(vec![loopback("a", &quick), loopback("b", &slow)]);
    bench.until("a start", || dispatcher.stats().recovered);
    let out = outgoing(message(notice("okx:BTC-USDT", Phase::Firing), 1, T0), &["a", "b"]);
    // The store is busy with the first result while the second one and the stop come.
    let mut shelf = bench.memory.0.lock().unwrap();
    shelf.put(&out);
    dispatcher.deliver(vec![out.clone()]);
    std::thread::scope(|scope| {
        std::thread::sleep(Duration::from_millis(150));
        scope.spawn(|| dispatcher.stop(Duration::from_secs(5)));
        std::thread::sleep(Duration::from_secs(1));
        drop(shelf);
    });
    assert_eq!(["a", "b"].map(|to| bench.state(to, &out.message.id)), [DeliveryState::Delivered; 2]);
}

#[test]
fn one_try_is_one_request_however_many_connections_are_kept() {
    let bench = Bench::new();
    let server = bench.server(|nth, _| if nth < 6 { status(200) } else { Reaction::Close });
    let dispatcher = bench.start(vec![Receiver { groups: Some(false), ..loopback("a", &server) }]);
    let all = stored(&bench, 6, &["a"]);
    dispatcher.deliver(all);
    bench.until("six", || bench.memory.0.lock().unwrap().count(DeliveryState::Delivered) == 6);
    assert!(*server.connections.lock().unwrap() > 1);
    bench.alert(&dispatcher, "okx:BTC-USDT", &["a"]);
    bench.until("a failure", || bench.memory.0.lock().unwrap().attempts.len() == 7);
    assert_eq!(server.count(), 7, "it was read once and is not repeated within the try");
    dispatcher.stop(Duration::from_secs(5));
}

#[test]
fn an_answer_counts_although_its_body_never_ends() {
    let bench = Bench::new();
    let server = bench.server(|_, _| Reaction::Endless(200));
    let dispatcher = bench.start(vec![loopback("a", &server)]);
    let began = Instant::now();
    let id = bench.alert(&dispatcher, "okx:BTC-USDT", &["a"]);
    bench.until("a confirmation", || bench.state("a", &id) == DeliveryState::Delivered);
    assert!(began.elapsed() < Duration::from_secs(12) && server.count() == 1);
    dispatcher.stop(Duration::from_secs(5));
}

/// Says the same of every name.
struct Fixed(Vec<IpAddr>);
impl NameResolver for Fixed {
    fn lookup<'a>(
        &'a self,
        host: &'a str,
    ) -> Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + std::marker::Send + 'a>> {
        assert_ne!(host, "panics.example", "the test says so");
        let all = self.0.clone();
        Box::pin(async move { Ok(all) })
    }
}

#[test]
fn a_dead_address_leaves_time_for_the_next() {
    let bench = Bench::new();
    let server = bench.server(|_, _| status(200));
    let port = server.address.port();
    // Nobody takes connections here, and there is room for one that waits: the others hear nothing.
    let dead = bench.runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(format!("127.0.0.2:{port}").parse().unwrap()).unwrap();
        socket.listen(0).unwrap()
    });
    let waiting: Vec<_> =
        (0..8).map(|_| bench.runtime.spawn(tokio::net::TcpStream::connect(dead.local_addr().unwrap()))).collect();
    std::thread::sleep(Duration::from_millis(100));
    assert!(waiting.iter().any(|w| !w.is_finished()), "the address is not dead enough for this test");
    let names = Fixed(vec!["127.0.0.2".parse().unwrap(), "127.0.0.1".parse().unwrap()]);
    let transport = Transport::with(Arc::new(names), &[]).unwrap();
    let receiver = Receiver {
        allow_http: true,
        allow_private: vec!["127.0.0.0/8".parse().unwrap()],
        ..Receiver::new("a", &JSON, &format!("http://two.example:{port}/x"))
    };
    let began = Instant::now();
    let message = crate::sample::message(T0);
    let shown = bench.runtime.block_on(try_once(receiver, message, None, &transport, &bench.now())).unwrap();
    assert!(shown.delivered && began.elapsed() < Duration::from_secs(12), "{shown:?} after {:?}", began.elapsed());
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
    drop(dead);
}

#[test]
fn a_try_that_panics_is_tried_again() {
    let bench = Bench::new();
    let names = Fixed(vec!["127.0.0.1".parse().unwrap()]);
    let transport = Arc::new(Transport::with(Arc::new(names), &[]).unwrap());
    let receiver = Receiver {
        allow_private: vec!["127.0.0.0/8".parse().unwrap()],
        ..Receiver::new("a", &JSON, "https://panics.example/x")
    };
    let runtime = bench.runtime.handle().clone();
    let outbox = Box::new(bench.memory.clone());
    let dispatcher = Dispatcher::start(vec![receiver], outbox, transport, runtime, bench.now(), 1).unwrap();
    bench.alert(&dispatcher, "okx:BTC-USDT", &["a"]);
    for tries in 1..=2 {
        bench.until("a try", || bench.memory.0.lock().unwrap().attempts.len() == tries);
        bench.pass(Span::secs(7));
    }
    let shelf = bench.memory.0.lock().unwrap();
    assert!(shelf.attempts[0].outcome == "retry" && shelf.attempts[0].excerpt.contains("mistake"));
}

#[test]
fn a_call_that_hangs_is_given_up() {
    let bench = Bench::new();
    let (release, held) = mpsc::sync_channel::<()>(1);
    let held = Mutex::new(held);
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let callback: Callback = Arc::new(move |_| {
        if counted.fetch_add(1, Ordering::SeqCst) == 0 {
            // Ends when the test has dropped the other side.
            let _ended = held.lock().unwrap().recv();
        }
        Ok(())
    });
    let mut target = SendTarget::new(Receiver::calling("mine", callback)).unwrap();
    target.call_within = Duration::from_millis(50);
    let (target, message) = (Arc::new(target), Arc::new(crate::sample::message(T0)));
    let transport = Transport::new().unwrap();
    let of = Try { learned: None, parts_done: 0, repeats: false };
    let call = || bench.runtime.block_on(attempt(&transport, &target, &message, of, &bench.now()));
    let hung = call();
    assert!(hung.outcome == crate::plan::Outcome::Retry && hung.excerpt.contains("in time"), "{hung:?}");
    assert_eq!(call().outcome, crate::plan::Outcome::Delivered);
    drop(release);
}
