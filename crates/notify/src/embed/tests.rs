use super::*;
use crate::dispatch::system_clock;
use crate::receiver::{Callback, Filter};
use barograph_domain::delivery::DeliveryState;
use std::sync::Mutex;
use std::time::Instant;
use tokio::runtime::Runtime;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn event(symbol: &str, severity: Severity) -> Event {
    let mut data = Map::new();
    data.insert("velocity_usd_per_hour".to_owned(), json!(310_000.5));
    Event {
        instrument: InstrumentName::new("binance-usdm", symbol).unwrap(),
        severity,
        title: "Liquidation cascade".to_owned(),
        description: "Longs are forced out.".to_owned(),
        data,
    }
}

/// A receiver that remembers what it received; it fails the first `failures` calls.
fn remembers(name: &str, failures: usize) -> (Receiver, Arc<Mutex<Vec<Notice>>>) {
    let heard: Arc<Mutex<Vec<Notice>>> = Arc::default();
    let called = Arc::clone(&heard);
    let left = Mutex::new(failures);
    let callback: Callback = Arc::new(move |notice| {
        let mut left = left.lock().unwrap();
        if *left > 0 {
            *left -= 1;
            return Err("not yet".to_owned());
        }
        called.lock().unwrap().push(notice.clone());
        Ok(())
    });
    (Receiver::calling(name, callback), heard)
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(30), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn each_type_has_its_function_and_each_receiver_what_it_wants() {
    let runtime = runtime();
    let (all, heard) = remembers("all", 0);
    let (few, severe) = remembers("few", 0);
    let filter = Filter { severity_min: Severity::Critical, ..Filter::default() };
    let few = Receiver { filter, ..few };
    let events = Events::start(vec![all, few], runtime.handle().clone(), system_clock()).unwrap();
    let high = event("BTCUSDT", Severity::High);
    let ids = [
        events.dispatch_cascade_event(&high),
        events.dispatch_funding_anomaly(&high),
        events.dispatch_funding_reversal(&high),
        events.dispatch_volatility_regime_change(&high),
        events.dispatch_correlation_break(&high),
        events.dispatch_regime_confirmed(&high),
        // The very same again is another event.
        events.dispatch_cascade_event(&high),
        events.dispatch_cascade_event(&event("ETHUSDT", Severity::Critical)),
    ];
    let delivered = |id: &String, count: usize| {
        let rows = events.outbox().deliveries(id);
        rows.len() == count && rows.iter().all(|d| d.state == DeliveryState::Delivered && d.ended_at.is_some())
    };
    until("all", || ids[..7].iter().all(|id| delivered(id, 1)) && delivered(&ids[7], 2));
    assert_eq!(events.outbox().tries(&ids[7]).len(), 2);
    assert_eq!((heard.lock().unwrap().len(), severe.lock().unwrap().len()), (8, 1));
    let heard = heard.lock().unwrap();
    let mut types: Vec<&str> = heard.iter().filter_map(|n| n.pattern).map(Pattern::name).collect();
    types.sort_unstable();
    let mut want: Vec<&str> = Pattern::SEED4.iter().map(|p| p.name()).chain(["LIQUIDATION_CASCADE"; 2]).collect();
    want.sort_unstable();
    assert_eq!(types, want);
    // The envelope of R4.29, with the words of its time.
    let sent: Value = serde_json::from_str(&severe.lock().unwrap()[0].seed4).unwrap();
    let fields =
        ["event_type", "symbol", "severity", "title", "description", "source"].map(|f| sent[f].as_str().unwrap());
    let words =
        ["LIQUIDATION_CASCADE", "ETH/USDT", "CRITICAL", "Liquidation cascade", "Longs are forced out.", "CASCADE"];
    assert_eq!((fields, &sent["data"]["velocity_usd_per_hour"]), (words, &json!(310_000.5)));
    assert!(sent["timestamp"].as_str().unwrap().ends_with('Z'));
    drop(heard);
    events.stop(Duration::from_secs(5));
}

#[test]
fn a_callback_that_fails_is_called_again_and_what_is_not_told_stays_in_the_outbox() {
    let runtime = runtime();
    let (receiver, heard) = remembers("mine", 1);
    let (never, _) = remembers("never", usize::MAX);
    let events = Events::start(vec![receiver, never], runtime.handle().clone(), system_clock()).unwrap();
    let id = events.dispatch_cascade_event(&event("BTCUSDT", Severity::High));
    until("the second call", || heard.lock().unwrap().len() == 1);
    let outbox = events.stop(Duration::from_secs(5));
    let states: Vec<(String, DeliveryState)> =
        outbox.deliveries(&id).into_iter().map(|d| (d.endpoint, d.state)).collect();
    let want = [("mine".to_owned(), DeliveryState::Delivered), ("never".to_owned(), DeliveryState::Waiting)];
    assert_eq!(states, want);
    assert!(outbox.tries(&id).iter().any(|t| t.outcome == "retry" && t.excerpt == "not yet"));
}

#[test]
fn what_has_ended_is_forgotten_in_time_and_what_waits_is_not() {
    use crate::outbox::{Change, Outbox as _};
    let mut outbox = MemoryOutbox::default();
    let of = |n: u64| {
        let message = message_of(Pattern::FundingAnomaly, &event("BTCUSDT", Severity::High), Ts(0), n);
        Outgoing { deliveries: vec![waiting("a", &message, Ts::MAX)], message }
    };
    let all: Vec<Outgoing> = (0..3_000).map(of).collect();
    for one in &all {
        outbox.put(one);
        let change = Change {
            endpoint: "a".to_owned(),
            message: one.message.id.clone(),
            state: DeliveryState::Delivered,
            reason: String::new(),
            attempts: 1,
            next_try: Ts(0),
            at: Ts(1),
        };
        if one.message.id != all[0].message.id {
            outbox.record(&[change], &[], &[]).unwrap();
        }
    }
    let recovered = outbox.recover().unwrap();
    assert_eq!(recovered.unfinished, [all[0].clone()]);
    assert!((1_000..1_200).contains(&recovered.recent.len()), "{}", recovered.recent.len());
    assert_eq!(outbox.deliveries(&all[1].message.id), []);
    assert_eq!(outbox.deliveries(&all[2_999].message.id)[0].state, DeliveryState::Delivered);
}
