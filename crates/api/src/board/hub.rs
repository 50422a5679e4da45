//! The table as it was published last, and what is reported of it.
//!
//! One thread turns it: within a turn it sets cells, and what differs from what was published goes out as one batch, written
//! once and shared by reference by everybody who listens. Unchanged rows cost a comparison and no memory. Whatever happens
//! between two turns is one event of each kind, so that a storm of alerts or changes overruns nobody. Nothing here waits for a
//! client: the channel holds [`BUFFER`] events, and who falls behind that far is the reader's affair (`routes/board_stream.rs`).

use super::Value;
use super::part::BoardPart;
use super::table::Table;
use super::wire::frame;
use crate::live::DataOrigin;
use barograph_domain::{InstrumentName, Ts};
use bytes::Bytes;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast;

/// Events that wait for slow readers. A turn publishes five kinds at most and a second of four more, so that five turns a second
/// make some thirty events: more than eight seconds of a storm, half a minute of usual weather. At 16 to 60 kB a batch of a
/// thousand markets that is some megabytes, whatever the number of clients.
const BUFFER: usize = 256;
/// Alerts that wait for the next turn, about 2 kB each; what comes beyond is delivered at once.
const ALERTS_MAX: usize = 4_096;

/// What an event is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Topic {
    /// Changed cells.
    Cells,
    /// The line above the table.
    Header,
    /// Labels changed.
    Changes,
    /// Markets that came.
    Rows,
    /// Reasons of nulls changed.
    Reasons,
    /// Headlines changed.
    Headlines,
    /// Records of alerts.
    Alerts,
    /// Streams whose state changed.
    Feeds,
    /// Venues, queues and the streams that need most attention.
    Venues,
    /// A delivery, a receiver or a silence changed.
    Deliveries,
    /// A position changed, or a notice about one was stored.
    Notices,
    /// A second has passed.
    Tick,
}

/// One event, ready to be sent.
#[derive(Clone, Debug)]
pub struct News {
    /// What it is about.
    pub topic: Topic,
    /// Number of a batch of cells; 0 for everything else.
    pub n: u64,
    /// A server-sent event, whole.
    pub bytes: Bytes,
}

/// The table of the board and those who follow it.
#[derive(Debug)]
pub struct Hub {
    table: Mutex<Table>,
    sender: broadcast::Sender<News>,
    /// Records of alerts since the last turn, as JSON.
    alerts: Mutex<Vec<Box<[u8]>>>,
    /// Clients that want `feeds`.
    feeds: AtomicUsize,
    deliveries_moved: AtomicBool,
    notices_moved: AtomicBool,
}

/// What a client gets when it joins: nothing falls between the two.
#[derive(Debug)]
pub struct Joined {
    /// The whole table, as the event `board`.
    pub board: Bytes,
    /// What follows.
    pub news: broadcast::Receiver<News>,
}

impl Hub {
    /// A hub of no markets yet.
    #[must_use]
    pub fn new(origin: DataOrigin) -> Arc<Self> {
        Arc::new(Self {
            table: Mutex::new(Table::new(origin)),
            sender: broadcast::channel(BUFFER).0,
            alerts: Mutex::default(),
            feeds: AtomicUsize::new(0),
            deliveries_moved: AtomicBool::new(false),
            notices_moved: AtomicBool::new(false),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Turns the table: what `set` changes is published when it returns.
    pub fn update<R>(&self, now: Ts, set: impl FnOnce(&mut Table) -> R) -> R {
        let mut table = self.lock();
        let done = set(&mut table);
        let second = now.0.div_euclid(1_000_000_000) != table.ts.0.div_euclid(1_000_000_000);
        table.ts = now;
        table.publish(&self.sender);
        self.publish_alerts(&mut self.waiting());
        if second {
            table.written = None;
            for (moved, topic, event) in [
                (&self.deliveries_moved, Topic::Deliveries, "deliveries"),
                (&self.notices_moved, Topic::Notices, "notices"),
            ] {
                if moved.swap(false, Ordering::Relaxed) {
                    publish_event(&self.sender, topic, event, format!("{{\"t\":{}}}", now.as_millis()).as_bytes());
                }
            }
            let tick = format!("{{\"t\":{}}}", now.as_millis());
            publish_event(&self.sender, Topic::Tick, "tick", tick.as_bytes());
        }
        done
    }

    /// When it was turned last; the beginning of time before the first turn.
    #[must_use]
    pub fn updated(&self) -> Ts {
        self.lock().ts
    }

    /// Publishes an alert with the next turn; `json` is that of an item of `/api/v1/events`.
    pub fn alert(&self, json: &[u8]) {
        if !self.heard() {
            return;
        }
        let mut waiting = self.waiting();
        if waiting.len() >= ALERTS_MAX {
            self.publish_alerts(&mut waiting);
        }
        waiting.push(json.into());
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Box<[u8]>>> {
        self.alerts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish_alerts(&self, waiting: &mut Vec<Box<[u8]>>) {
        if waiting.is_empty() {
            return;
        }
        let mut json = Vec::with_capacity(waiting.iter().map(|a| a.len() + 1).sum::<usize>() + 2);
        for alert in waiting.drain(..) {
            json.push(if json.is_empty() { b'[' } else { b',' });
            json.extend_from_slice(&alert);
        }
        json.push(b']');
        publish_event(&self.sender, Topic::Alerts, "alerts", &json);
    }

    /// Some delivery, receiver or silence has changed: reported once with the next second.
    pub fn deliveries_moved(&self) {
        self.deliveries_moved.store(true, Ordering::Relaxed);
    }

    /// A registered position has changed, or a notice about one was stored: reported once with the next second.
    pub fn notices_moved(&self) {
        self.notices_moved.store(true, Ordering::Relaxed);
    }

    /// Publishes how venues, queues and streams do; `json` is that of a [`crate::feeds::FeedsPulse`].
    pub fn venues(&self, json: &[u8]) {
        publish_event(&self.sender, Topic::Venues, "venues", json);
    }

    /// Publishes streams whose state changed; `json` is a list of `[instrument, metric, state, reason, age_ms]`.
    pub fn feeds(&self, json: &[u8]) {
        publish_event(&self.sender, Topic::Feeds, "feeds", json);
    }

    /// Does anybody listen?
    #[must_use]
    pub fn heard(&self) -> bool {
        self.sender.receiver_count() > 0
    }

    /// Does anybody want `feeds`?
    #[must_use]
    pub fn feeds_wanted(&self) -> bool {
        self.feeds.load(Ordering::Relaxed) > 0
    }

    pub(crate) fn want_feeds(&self) {
        self.feeds.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn leave_feeds(&self) {
        self.feeds.fetch_sub(1, Ordering::Relaxed);
    }

    /// The whole table as JSON.
    #[must_use]
    pub fn json(&self) -> Bytes {
        self.lock().written().0
    }

    /// A part of the table as JSON.
    #[must_use]
    pub fn part(&self, part: &BoardPart) -> Bytes {
        self.lock().part(part)
    }

    /// Rows of these markets as they are in the table, each by itself as JSON with its columns' names; others are left out. A market
    /// that is in `headlines` has the headline from there.
    #[must_use]
    pub fn named_rows(
        &self,
        of: &[InstrumentName],
        headlines: &BTreeMap<&InstrumentName, &str>,
    ) -> Vec<(InstrumentName, Bytes)> {
        let table = self.lock();
        let row = |name: &InstrumentName| Some((name.clone(), table.named(name, headlines.get(name).copied())?));
        of.iter().filter_map(row).collect()
    }

    /// The whole table, and what follows it.
    #[must_use]
    pub fn join(&self) -> Joined {
        let mut table = self.lock();
        Joined { board: table.written().1, news: self.sender.subscribe() }
    }

    /// The table again, for a client that has fallen behind: the event, and the last batch that is in it.
    pub(crate) fn again(&self) -> (Bytes, u64) {
        let mut table = self.lock();
        (table.written().1, table.n)
    }

    /// The number of a market in batches.
    #[must_use]
    pub fn place(&self, instrument: &InstrumentName) -> Option<usize> {
        self.lock().place(instrument)
    }

    /// See [`Table::stamp`].
    #[must_use]
    pub(crate) fn stamp(&self, instrument: &InstrumentName) -> Option<[Value; 3]> {
        let table = self.lock();
        table.stamp(table.place(instrument)?)
    }
}

pub(super) fn publish_event(sender: &broadcast::Sender<News>, topic: Topic, event: &str, json: &[u8]) {
    publish_batch(sender, topic, event, 0, json);
}

pub(super) fn publish_batch(sender: &broadcast::Sender<News>, topic: Topic, event: &str, n: u64, json: &[u8]) {
    if sender.receiver_count() > 0 {
        // Nobody listening is fine.
        drop(sender.send(News { topic, n, bytes: frame(event, None, json) }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::{ChangeView, Column, HeaderView};
    use barograph_domain::Span;
    use serde_json::json;

    fn name(text: &str) -> InstrumentName {
        InstrumentName::parse(text).unwrap()
    }

    fn told(news: &mut broadcast::Receiver<News>) -> Vec<(Topic, String)> {
        let text = |n: News| (n.topic, String::from_utf8(n.bytes.to_vec()).unwrap());
        core::iter::from_fn(|| news.try_recv().ok()).map(text).filter(|(topic, _)| *topic != Topic::Tick).collect()
    }

    #[test]
    fn only_what_moved_is_told_and_the_document_follows() {
        let hub = Hub::new(DataOrigin::Measured);
        let mut news = hub.join().news;
        let at = |s: i64| Ts::from_secs(1_770_000_000 + s);
        hub.update(at(0), |t| {
            for market in ["okx:A-USDT", "okx:B-USDT"] {
                let i = t.admit(&name(market));
                t.set(i, Column::Price, Value::full(1.5));
            }
        });
        let first = told(&mut news);
        assert_eq!(first.len(), 1, "{first:?}");
        assert!(first[0].0 == Topic::Rows && first[0].1.contains("\"okx:B-USDT\""), "{first:?}");
        hub.update(at(1), |t| t.set(1, Column::Price, Value::full(1.5)));
        assert_eq!(told(&mut news), [], "the same is no news");
        hub.update(at(2), |t| {
            t.set(1, Column::Price, Value::full(2.5));
            t.set(1, Column::Risk, Value::Whole(1));
        });
        let batch = "event: cells\ndata: {\"n\":1,\"t\":1770000002000,\"c\":[[1,5,2.5,1]]}\n\n".to_owned();
        assert_eq!(told(&mut news), [(Topic::Cells, batch)]);
        let board: serde_json::Value = serde_json::from_slice(&hub.json()).unwrap();
        assert_eq!((&board["n"], &board["rows"][1]["cells"][0]), (&1.into(), &2.5.into()));
        assert_eq!(board["rows"][0]["symbol"], "A/USDT");
        hub.update(at(2), |t| t.header(HeaderView { markets: 2, ..HeaderView::default() }));
        assert_eq!(told(&mut news).len(), 1);
        let board: serde_json::Value = serde_json::from_slice(&hub.json()).unwrap();
        assert_eq!(board["header"]["markets"], 2);
    }

    /// The data of an event.
    fn data(told: &(Topic, String)) -> serde_json::Value {
        serde_json::from_str(told.1.split_once("data: ").unwrap().1).unwrap()
    }

    #[test]
    fn a_storm_between_two_turns_is_one_event_of_each_kind() {
        let hub = Hub::new(DataOrigin::Measured);
        hub.alert(b"{\"alert_id\":\"before anybody listened\"}");
        let mut news = hub.join().news;
        let change = |minute: i64| ChangeView {
            instrument: name("okx:A-USDT"),
            axis: barograph_domain::Axis::Risk,
            from: "NORMAL",
            to: "CHOP_RISK",
            at: Ts(0) + Span::mins(minute),
        };
        (0..2_000).for_each(|n| hub.alert(format!("{{\"alert_id\":\"{n}\"}}").as_bytes()));
        assert_eq!(told(&mut news), [], "they wait for the turn");
        hub.update(Ts::from_secs(1), |t| (0..2_000).for_each(|m| t.changed(change(m))));
        let all = told(&mut news);
        assert_eq!(all.iter().map(|t| t.0).collect::<Vec<_>>(), [Topic::Changes, Topic::Alerts]);
        assert_eq!(data(&all[0]).as_array().unwrap().len(), 2_000);
        let alerts = data(&all[1]);
        assert_eq!((&alerts[0], &alerts[1_999]), (&json!({"alert_id": "0"}), &json!({"alert_id": "1999"})));
        (0..=ALERTS_MAX).for_each(|_| hub.alert(b"{}"));
        assert_eq!(told(&mut news).len(), 1, "memory is bounded: what is too much is told at once");
        hub.update(Ts::from_secs(1), |_| ());
        assert_eq!(told(&mut news).len(), 1);
    }

    #[test]
    fn reasons_are_told_when_a_cell_becomes_null_or_has_another_reason() {
        let hub = Hub::new(DataOrigin::Measured);
        let mut news = hub.join().news;
        hub.update(Ts::from_secs(1), |t| {
            let i = t.admit(&name("okx:A-USDT"));
            t.explain(i, vec![(Column::Price, "warming"), (Column::Vol, "warming")]);
        });
        let first = told(&mut news);
        assert_eq!((first.len(), first[0].0), (1, Topic::Rows), "they come with the row: {first:?}");
        hub.update(Ts::from_secs(1), |t| t.set(0, Column::Price, Value::full(2.0)));
        let all = told(&mut news);
        assert_eq!(all.iter().map(|t| t.0).collect::<Vec<_>>(), [Topic::Reasons, Topic::Cells]);
        assert_eq!(data(&all[0]), json!([[0, {"vol": "warming"}]]));
        hub.update(Ts::from_secs(1), |t| t.set(0, Column::Price, Value::full(3.0)));
        assert_eq!(told(&mut news)[0].0, Topic::Cells, "nothing new about nulls");
        hub.update(Ts::from_secs(1), |t| t.explain(0, vec![(Column::Vol, "gap"), (Column::Price, "stale")]));
        let all = told(&mut news);
        assert_eq!((all.len(), data(&all[0])), (1, json!([[0, {"vol": "gap"}]])));
        hub.update(Ts::from_secs(1), |t| t.set(0, Column::Price, Value::Null));
        assert_eq!(data(&told(&mut news)[0]), json!([[0, {"price": "stale", "vol": "gap"}]]));
    }

    #[test]
    fn a_headline_is_told_when_it_is_another_one() {
        let hub = Hub::new(DataOrigin::Measured);
        let market = name("binance-usdm:BTCUSDT");
        let say = |text: &str| {
            hub.update(Ts::from_secs(1), |t| {
                let i = t.admit(&market);
                t.headline(i, text);
            });
        };
        say("Strong downtrend, −6.1 % in 24 h.");
        let mut news = hub.join().news;
        say("Strong downtrend, −6.1 % in 24 h.");
        assert_eq!(told(&mut news), [], "nothing new");
        say("Nothing unusual.");
        let all = told(&mut news);
        assert_eq!((all.len(), all[0].0, data(&all[0])), (1, Topic::Headlines, json!([[0, "Nothing unusual."]])));
        let board: serde_json::Value = serde_json::from_slice(&hub.json()).unwrap();
        assert_eq!(board["rows"][0]["headline"], "Nothing unusual.");
    }

    #[test]
    fn what_moved_often_is_told_once_a_second() {
        let hub = Hub::new(DataOrigin::Measured);
        let mut news = hub.join().news;
        hub.update(Ts::from_secs(1), |_| ());
        for millis in [1_200, 1_400, 2_000, 2_200] {
            hub.deliveries_moved();
            hub.notices_moved();
            hub.update(Ts(millis * 1_000_000), |_| ());
        }
        let all = told(&mut news);
        assert_eq!(all.iter().map(|t| t.0).collect::<Vec<_>>(), [Topic::Deliveries, Topic::Notices]);
        assert_eq!(data(&all[0]), json!({"t": 2_000}));
        hub.update(Ts::from_secs(3), |t| t.reaches(Some((Ts::from_secs(60), Ts::from_secs(120)))));
        assert_eq!(told(&mut news).len(), 2, "the last of that second");
        let board: serde_json::Value = serde_json::from_slice(&hub.json()).unwrap();
        let reach = (&board["first_ts"], &board["last_ts"]);
        assert_eq!(reach, (&json!("1970-01-01T00:01:00Z"), &json!("1970-01-01T00:02:00Z")));
    }

    #[test]
    fn changes_are_those_of_the_last_hour_newest_first_and_at_most_fifty() {
        let hub = Hub::new(DataOrigin::Measured);
        let change = |minute: i64| ChangeView {
            instrument: name("okx:A-USDT"),
            axis: barograph_domain::Axis::Risk,
            from: "NORMAL",
            to: "CHOP_RISK",
            at: Ts(0) + Span::mins(minute),
        };
        hub.update(Ts(0) + Span::mins(100), |t| [90, 30, 95, 90].map(|m| t.remember(change(m))));
        let listed = || -> Vec<String> {
            let board: serde_json::Value = serde_json::from_slice(&hub.json()).unwrap();
            board["changes"].as_array().unwrap().iter().map(|c| c["at"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(listed(), ["1970-01-01T01:35:00Z", "1970-01-01T01:30:00Z"]);
        hub.update(Ts(0) + Span::mins(100), |t| (40..95).for_each(|m| t.changed(change(m))));
        assert_eq!((listed().len(), listed()[0].as_str()), (50, "1970-01-01T01:35:00Z"));
    }
}
