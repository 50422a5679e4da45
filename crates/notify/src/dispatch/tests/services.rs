//! What single services ask for: Telegram's chats and doubts, Alertmanager's repetition, addresses that change.

use super::*;
use crate::format::{alertmanager, telegram::TELEGRAM};
use crate::receiver::FormatSettings;
use crate::secret::Secret;

fn telegram(server: &Server) -> Receiver {
    let settings = FormatSettings { chat_id: "-1".into(), ..FormatSettings::default() };
    let url = Secret::new(&format!("http://{}/bot1:x", server.address));
    Receiver { url, format: &TELEGRAM, settings, ..loopback("chat", server) }
}

fn json(got: &server::Got) -> serde_json::Value {
    serde_json::from_slice(&got.body).unwrap()
}

#[test]
fn what_a_chat_may_have_got_is_repeated_once_and_says_so() {
    let bench = Bench::new();
    let server = bench.server(|_, _| Reaction::Close);
    let dispatcher = bench.start(vec![telegram(&server)]);
    let id = bench.alert(&dispatcher, "okx:BTC-USDT", &["chat"]);
    bench.until("a first try", || bench.memory.0.lock().unwrap().attempts.len() == 1);
    bench.pass(Span::secs(29));
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(server.count(), 1, "not on the common schedule");
    bench.pass(Span::secs(1));
    bench.until("its end", || bench.state("chat", &id) == DeliveryState::Dead);
    bench.pass(Span::mins(20));
    std::thread::sleep(Duration::from_millis(50));
    let texts: Vec<bool> =
        server.all().iter().map(|g| json(g)["text"].as_str().unwrap().ends_with("\n(repeat)")).collect();
    assert_eq!(texts, [false, true]);
    assert_eq!(bench.memory.0.lock().unwrap().rows[&("chat".to_owned(), id)].reason, "unconfirmed");
}

#[test]
fn a_chat_that_moves_in_circles_waits_and_one_that_moved_is_remembered() {
    let bench = Bench::new();
    let moves = r#"{"ok":false,"parameters":{"migrate_to_chat_id":-777}}"#;
    let server = bench.server(move |_, _| Reaction::Answer(400, Vec::new(), moves));
    let dispatcher = bench.start(vec![telegram(&server)]);
    bench.alert(&dispatcher, "okx:BTC-USDT", &["chat"]);
    bench.until("a first try", || bench.memory.0.lock().unwrap().attempts.len() == 1);
    // A chat takes one message a second.
    bench.pass(Span::secs(1));
    bench.until("a second try", || bench.memory.0.lock().unwrap().attempts.len() == 2);
    bench.pass(Span::secs(3));
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(server.count(), 2, "the second is followed by a pause");
    let chats: Vec<i64> = server.all().iter().map(|g| json(g)["chat_id"].as_i64().unwrap()).collect();
    assert_eq!(chats, [-1, -777]);
    let learned = bench.memory.0.lock().unwrap().states["chat"].learned.clone().unwrap();
    assert!(learned.starts_with('@') && learned.ends_with(" -1>-777"), "{learned}");
}

#[test]
fn a_disabled_endpoint_is_seen_at_the_start_unless_it_has_another_address() {
    let bench = Bench::new();
    let server = bench.server(|nth, _| status(if nth == 0 { 410 } else { 200 }));
    let dispatcher = bench.start(vec![loopback("a", &server)]);
    bench.alert(&dispatcher, "okx:BTC-USDT", &["a"]);
    bench.until("its end", || bench.memory.0.lock().unwrap().states.get("a").is_some_and(|s| s.disabled.is_some()));
    dispatcher.stop(Duration::from_secs(5));
    let next = bench.start(vec![loopback("a", &server)]);
    bench.until("a start", || next.stats().recovered);
    assert!(next.stats().endpoints["a"].disabled.as_deref().unwrap().contains("410"));
    next.stop(Duration::from_secs(5));
    let moved = Receiver { url: Secret::new(&format!("{}/other", server.url())), ..loopback("a", &server) };
    let next = bench.start(vec![moved]);
    let id = bench.alert(&next, "okx:ETH-USDT", &["a"]);
    bench.until("a confirmation", || bench.state("a", &id) == DeliveryState::Delivered);
    assert_eq!(next.stats().endpoints["a"].disabled, None);
    bench.until("a fresh state", || bench.memory.0.lock().unwrap().states["a"].disabled.is_none());
    next.stop(Duration::from_secs(5));
}

#[test]
fn an_alertmanager_hears_every_minute_what_fires_and_no_more_when_it_is_over() {
    let bench = Bench::new();
    let server = bench.server(|_, _| status(200));
    let receiver = Receiver { format: &alertmanager::API, ..loopback("am", &server) };
    let dispatcher = bench.start(vec![receiver.clone()]);
    let id = bench.alert(&dispatcher, "okx:BTC-USDT", &["am"]);
    bench.until("a confirmation", || bench.state("am", &id) == DeliveryState::Delivered);
    let ends =
        |nth: usize| Ts::parse(json(&server.all()[nth])[0]["endsAt"].as_str().unwrap()).unwrap() - (bench.now())();
    assert_eq!(ends(0), Span::mins(5));
    bench.pass(Span::secs(61));
    bench.until("a refresh", || server.count() == 2);
    assert_eq!(ends(1), Span::mins(5));
    assert_eq!(json(&server.all()[0])[0]["labels"], json(&server.all()[1])[0]["labels"]);
    assert_eq!(bench.memory.0.lock().unwrap().attempts.len(), 1, "it is no delivery");
    dispatcher.stop(Duration::from_secs(5));
    // Another process goes on.
    let dispatcher = bench.start(vec![receiver]);
    bench.until("a start", || dispatcher.stats().recovered);
    bench.pass(Span::secs(61));
    bench.until("a refresh", || server.count() == 3);
    let over = outgoing(message(notice("okx:BTC-USDT", Phase::Resolved), 2, (bench.now())()), &["am"]);
    bench.memory.0.lock().unwrap().put(&over);
    dispatcher.deliver(vec![over.clone()]);
    bench.until("the end", || bench.state("am", &over.message.id) == DeliveryState::Delivered);
    for _ in 0..2 {
        bench.pass(Span::secs(61));
        std::thread::sleep(Duration::from_millis(100));
    }
    // The third may still have been under way when the end came: then the end is delivered once more behind it.
    let ended = server.count() - 3;
    assert!((1..=2).contains(&ended), "{ended} requests after the last refresh");
    for nth in 3..server.count() {
        assert!(ends(nth) <= Span::ZERO, "request {nth} says that it fires");
    }
    dispatcher.stop(Duration::from_secs(5));
}

#[test]
fn silence_changes_are_no_overflows() {
    let bench = Bench::new();
    let server = bench.server(|_, _| status(200));
    let dispatcher = bench.start(vec![loopback("a", &server)]);
    dispatcher.reread();
    bench.until("a reading", || dispatcher.stats().recovered && !dispatcher.stats().unread);
    assert_eq!(dispatcher.stats().overflows, 0);
    dispatcher.stop(Duration::from_secs(5));
}
