//! `kill -9` at random moments of a storm: a message is stored if and only if its alert is, and a delivery has ended if and only
//! if the try that ended it is in the log. Each process goes on where the killed one was stopped, and nothing is reported twice.

use crate::common::{child, child_folder, reader, writer};
use barograph_domain::KnownAlert;
use barograph_domain::delivery::{DeliveryState, Message, message_id};
use barograph_store::suite::{alerts, hash, outbox, sample};
use barograph_store::{
    AlertQuery, DeliveryQuery, LiveAlert, LiveBatch, OutboxReader, OutboxStore, Reader, RunKey, SqliteReader,
    SqliteWriter, Writer, WriterRole,
};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

const KILLS: u64 = 25;
const TO: [&str; 2] = ["desk", "phone"];

fn key() -> RunKey {
    sample::spec(&sample::instrument("BTCUSDT"), &[]).key
}

fn id_of(known: &KnownAlert) -> String {
    let key = key();
    message_id(&format!("{}|{}", known.alert.id(&key.instrument, &key.logic_version), known.alert.revision))
}

/// The alerts of many markets' worth of minutes with a message each, one batch after another, for ever.
fn storm(folder: &Path) {
    let instruments = [sample::instrument("BTCUSDT")];
    let streams = sample::streams(&instruments);
    let runs = [sample::spec(&instruments[0], &streams)];
    let mut writer = writer(folder);
    let begin = known(&reader(folder)).len() / 40;
    for n in i64::try_from(begin).unwrap().. {
        let told: Vec<KnownAlert> = (10 * n..10 * n + 10).map(|k| 50 * k + 1).flat_map(alerts::story).collect();
        let messages: Vec<_> = told
            .iter()
            .map(|alert| {
                let message = Message { id: id_of(alert), ..outbox::message("storm", alert.alert.revision, n) };
                outbox::outgoing(message, &TO)
            })
            .collect();
        let alerts: Vec<LiveAlert> = told.into_iter().map(|alert| LiveAlert { instrument: 0, alert }).collect();
        let batch = LiveBatch {
            instruments: &instruments,
            streams: &streams,
            runs: &runs,
            alerts: &alerts,
            messages: &messages,
            ..LiveBatch::default()
        };
        let done = writer.append(&batch).unwrap();
        assert_eq!((done.alerts, done.messages.len()), (40, 40), "batch {n}");
    }
}

/// Confirms whatever waits, for ever.
fn dispatch(folder: &Path) {
    let mut store = SqliteWriter::open(folder, &[WriterRole::Delivery]).unwrap();
    loop {
        let found = store.unfinished(16).unwrap();
        let each = || found.iter().flat_map(|o| &o.deliveries);
        let ends: Vec<_> =
            each().map(|d| outbox::change(&d.endpoint, &d.message, DeliveryState::Delivered, 1)).collect();
        let tries: Vec<_> = each().map(|d| outbox::attempt(&d.endpoint, &d.message, 1, Some(200), 1)).collect();
        store.record(&ends, &tries, &[]).unwrap();
        if found.is_empty() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

#[test]
fn child_storms() {
    let Some(folder) = child_folder() else { return };
    drop(writer(&folder));
    std::thread::scope(|scope| {
        scope.spawn(|| storm(&folder));
        scope.spawn(|| dispatch(&folder));
    });
}

fn known(reader: &SqliteReader) -> Vec<KnownAlert> {
    reader.alerts(&key(), &AlertQuery::default()).unwrap().items
}

/// Numbers of messages and of ended deliveries; fails where one is there without the other.
fn together(reader: &SqliteReader) -> (usize, usize) {
    let alerts: BTreeSet<String> = known(reader).iter().map(id_of).collect();
    let found = reader.deliveries(&DeliveryQuery { limit: usize::MAX, ..DeliveryQuery::default() }).unwrap();
    let messages: BTreeSet<String> = found.iter().map(|s| s.message.id.clone()).collect();
    assert_eq!(messages, alerts, "a message without its alert, or an alert without its message");
    assert_eq!(found.len(), TO.len() * messages.len(), "a message without one of its deliveries");
    let ended = found.iter().filter(|s| s.delivery.state == DeliveryState::Delivered).count();
    let tried: u64 = reader.delivered_counts(barograph_domain::Ts::MIN).unwrap().iter().map(|c| c.delivered).sum();
    assert_eq!(ended as u64, tried, "an end without its try, or a try without its end");
    (messages.len(), ended)
}

#[test]
fn a_killed_storm_loses_and_invents_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut random = sample::Random::new(20_261_121);
    let (mut before, mut kills) = ((0, 0), 0);
    // On a busy machine a child gets less far before it is killed.
    while kills < KILLS || before.0 < 1000 || before.1 == 0 {
        assert!(kills < 20 * KILLS, "only {before:?} after {kills} kills: is the machine asleep?");
        kills += 1;
        let mut storming = child("kill_outbox::child_storms", dir.path()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(40 + random.below(160)));
        storming.kill().unwrap();
        assert!(!storming.wait().unwrap().success(), "it ended by itself");
        let Ok(reader) = SqliteReader::open(dir.path()) else { continue };
        let now = together(&reader);
        assert!(now.0 >= before.0 && now.1 >= before.1, "{before:?} became {now:?}");
        before = now;
    }
    drop(hash(&reader(dir.path())));
}
