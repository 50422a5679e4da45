//! The accounting against markets whose every order is on record: what a feed of levels, at once or in steps, makes of cancels and
//! adds that are known (surveillance §5).
//!
//! The recordings, Bitstamp of 2015-05-01 and LOBSTER's AMZN of 2012-06-21, are not part of the repository; without them the tests say
//! so and pass.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests read recordings and may panic")]

use barograph_domain::{Span, Ts};
use barograph_engine::order_flow::{BookState, FlowAccounting, FlowLevel, RestingSide};
use std::collections::BTreeMap;
use std::io::Read as _;

type Place = (RestingSide, i64);

/// Known flows of one step beside those that the accounting finds.
#[derive(Default)]
struct Compared {
    accounting: FlowAccounting,
    adds: BTreeMap<Place, f64>,
    cancels: BTreeMap<Place, f64>,
    /// Trades that arrive later than they happened.
    late: Vec<(Ts, Place, f64)>,
    sums: Sums,
}

#[derive(Clone, Copy, Default, Debug)]
struct Sums {
    /// Known, found, and the sum of the sizes of their differences by price and step.
    cancels: (f64, f64, f64),
    adds: (f64, f64, f64),
    updates: usize,
}

impl Sums {
    fn error(of: (f64, f64, f64)) -> f64 {
        of.2 / of.0
    }
    fn bias(of: (f64, f64, f64)) -> f64 {
        of.1 / of.0 - 1.0
    }
    fn say(&self, what: &str) {
        println!(
            "{what}: {} updates; cancels: bias {:+.2} %, error {:.2} %; adds: bias {:+.2} %, error {:.2} %",
            self.updates,
            100.0 * Self::bias(self.cancels),
            100.0 * Self::error(self.cancels),
            100.0 * Self::bias(self.adds),
            100.0 * Self::error(self.adds)
        );
    }
}

impl Compared {
    fn update(&mut self, at: Ts, bids: &[FlowLevel], asks: &[FlowLevel]) {
        if bids.is_empty() || asks.is_empty() {
            return;
        }
        let due = self.late.iter().take_while(|(due, ..)| *due <= at).count();
        for (_, (side, units), qty) in self.late.drain(..due) {
            self.accounting.trade(side, units, qty);
        }
        // What came into sight or went out of it is known to neither.
        let before = self.accounting.state();
        let end = |side: RestingSide, a: &[FlowLevel], b: &[FlowLevel]| {
            let (a, b) = (a.last().map_or(b[0].units, |l| l.units), b[b.len() - 1].units);
            if side.is_better(a, b) { a } else { b }
        };
        let first = before.bids.is_empty();
        let ends = (end(RestingSide::Bid, before.bids, bids), end(RestingSide::Ask, before.asks, asks));
        let mut flows = Vec::new();
        self.accounting.update(at, BookState { bids, asks }, &mut flows);
        let (adds, cancels) = (core::mem::take(&mut self.adds), core::mem::take(&mut self.cancels));
        if first {
            return;
        }
        let seen = |(side, units): &Place| {
            let end = if *side == RestingSide::Bid { ends.0 } else { ends.1 };
            !side.is_better(end, *units)
        };
        let mut found: BTreeMap<Place, (f64, f64)> = BTreeMap::new();
        for flow in &flows {
            let of = found.entry((flow.side, flow.units)).or_default();
            (of.0, of.1) = (of.0 + flow.add(), of.1 + flow.cancelled() - flow.late);
        }
        for place in adds.keys().chain(cancels.keys()).chain(found.keys()).collect::<std::collections::BTreeSet<_>>() {
            if seen(place) {
                let known = |of: &BTreeMap<Place, f64>| of.get(place).copied().unwrap_or(0.0);
                let (add, cancel) = found.get(place).copied().unwrap_or_default();
                enter(&mut self.sums.adds, known(&adds), add);
                enter(&mut self.sums.cancels, known(&cancels), cancel);
            }
        }
        self.sums.updates += 1;
    }
}

fn enter(sums: &mut (f64, f64, f64), known: f64, found: f64) {
    *sums = (sums.0 + known, sums.1 + found, sums.2 + (known - found).abs());
}

/// A file of this ending in a zip archive, by its central directory.
fn unzipped(bytes: &[u8], ending: &str) -> String {
    let number = |at: usize, n: usize| (0..n).rev().fold(0_usize, |sum, k| sum << 8 | usize::from(bytes[at + k]));
    let mut at = bytes.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    while bytes[at..].starts_with(b"PK\x01\x02") {
        let (packed, names, extra, comment) =
            (number(at + 20, 4), number(at + 28, 2), number(at + 30, 2), number(at + 32, 2));
        let name = core::str::from_utf8(&bytes[at + 46..at + 46 + names]).unwrap();
        if name.ends_with(ending) {
            let local = number(at + 42, 4);
            let data = local + 30 + number(local + 26, 2) + number(local + 28, 2);
            let mut text = String::new();
            flate2::read::DeflateDecoder::new(&bytes[data..data + packed]).read_to_string(&mut text).unwrap();
            return text;
        }
        at += 46 + names + extra + comment;
    }
    panic!("no file {ending}")
}

/// A day of AMZN, in steps of this length (zero: each event by itself), with trades that arrive so much later.
fn lobster(step: Span, later: Span) -> Option<Sums> {
    let path = barograph_testkit::recorded("book_trades/lobster_2012-06-21/LOBSTER_SampleFile_AMZN_2012-06-21_5.zip")?;
    let bytes = std::fs::read(path).unwrap();
    let (messages, books) = (unzipped(&bytes, "message_5.csv"), unzipped(&bytes, "orderbook_5.csv"));
    let (mut compared, mut slot) = (Compared::default(), i64::MIN);
    let (mut bids, mut asks): (Vec<FlowLevel>, Vec<FlowLevel>) = (Vec::new(), Vec::new());
    let mut last = Ts(0);
    for (message, book) in messages.lines().zip(books.lines()) {
        let m: Vec<f64> = message.split(',').map(|c| c.trim().parse().unwrap()).collect();
        let at = Ts((m[0] * 1e9) as i64);
        let now = if step == Span::ZERO { slot.wrapping_add(1) } else { at.0.div_euclid(step.0) };
        // The state before this event is the one that its step ended with.
        if now != slot {
            compared.update(last, &bids, &asks);
            slot = now;
        }
        last = at;
        let side = if m[5] > 0.0 { RestingSide::Bid } else { RestingSide::Ask };
        let place = (side, m[4] as i64);
        match m[1] as i64 {
            1 => *compared.adds.entry(place).or_default() += m[3],
            2 | 3 => *compared.cancels.entry(place).or_default() += m[3],
            4 if later == Span::ZERO => compared.accounting.trade(place.0, place.1, m[3]),
            4 => compared.late.push((at + later, place, m[3])),
            _ => {}
        }
        let cells: Vec<i64> = book.split(',').map(|c| c.trim().parse().unwrap()).collect();
        bids.clear();
        asks.clear();
        for level in cells.chunks(4) {
            let of =
                |units: i64, qty: i64| (units.abs() < 9_999_999_999).then_some(FlowLevel { units, qty: qty as f64 });
            asks.extend(of(level[0], level[1]));
            bids.extend(of(level[2], level[3]));
        }
    }
    compared.sums.say(&format!("AMZN, steps of {} ms, trades {} ms later", step.0 / 1_000_000, later.0 / 1_000_000));
    Some(compared.sums)
}

#[test]
fn cancels_of_a_stock_are_those_of_its_orders() {
    let Some(each) = lobster(Span::ZERO, Span::ZERO) else { return };
    assert!(each.updates > 150_000);
    assert!(Sums::error(each.cancels) < 0.002 && Sums::error(each.adds) < 0.002, "{each:?}");
    // In steps, what was added and cancelled within one is not seen: never more than there was, and less the longer they are.
    let biases = [100, 250].map(|ms| {
        let sums = lobster(Span::millis(ms), Span::ZERO).unwrap();
        (Sums::bias(sums.cancels), Sums::bias(sums.adds))
    });
    for (cancels, adds) in biases {
        assert!((-0.6..0.001).contains(&cancels) && (-0.6..0.001).contains(&adds), "{biases:?}");
    }
    assert!(biases[1].0 < biases[0].0);
    // A trade that arrives half a step late, or one and a half, hardly changes what is counted.
    for later in [50, 150] {
        let late = lobster(Span::millis(100), Span::millis(later)).unwrap();
        assert!((Sums::bias(late.cancels) - biases[0].0).abs() < 0.05, "{late:?}");
    }
}

/// Orders of Bitstamp as they stand.
#[derive(Clone, Copy)]
struct LiveOrder {
    place: Place,
    qty: f64,
    /// It takes: what is left of it rests once nothing is left to take.
    takes: bool,
}

#[derive(Default)]
struct LiveOrders {
    orders: BTreeMap<u64, LiveOrder>,
    levels: [BTreeMap<i64, f64>; 2],
}

impl LiveOrders {
    fn change(&mut self, (side, units): Place, by: f64) {
        let levels = &mut self.levels[usize::from(side == RestingSide::Ask)];
        let qty = levels.entry(units).or_default();
        *qty += by;
        if *qty < 0.5 {
            levels.remove(&units);
        }
    }
    fn best(&self, side: RestingSide) -> Option<i64> {
        match side {
            RestingSide::Bid => self.levels[0].keys().next_back().copied(),
            RestingSide::Ask => self.levels[1].keys().next().copied(),
        }
    }
    fn crosses(&self, (side, units): Place) -> bool {
        self.best(side.opposite()).is_some_and(|best| !side.opposite().is_better(units, best))
    }
    fn ladder(&self, side: RestingSide) -> Vec<FlowLevel> {
        let level = |(units, qty): (&i64, &f64)| FlowLevel { units: *units, qty: *qty };
        match side {
            RestingSide::Bid => self.levels[0].iter().rev().take(100).map(level).collect(),
            RestingSide::Ask => self.levels[1].iter().take(100).map(level).collect(),
        }
    }
}

fn bitstamp(step: Span) -> Option<Sums> {
    let path = barograph_testkit::recorded("book_trades/bitstamp_l3_2015-05-01/orders.csv.xz")?;
    let Ok(unpacked) = std::process::Command::new("xz").arg("-dc").arg(&path).output() else {
        barograph_testkit::skipped_part("Bitstamp", "there is no program `xz` to unpack the recording");
        return None;
    };
    let text = String::from_utf8(unpacked.stdout).unwrap();
    let (mut book, mut compared, mut slot, mut last) = (LiveOrders::default(), Compared::default(), i64::MIN, Ts(0));
    for line in text.lines().skip(1) {
        let c: Vec<&str> = line.split(',').map(|c| c.trim_matches('"')).collect();
        let (id, at): (u64, Ts) = (c[0].parse().unwrap(), Ts::from_millis(c[1].parse::<f64>().unwrap() as i64));
        let (price, qty): (f64, f64) = (c[3].parse().unwrap(), c[4].parse().unwrap());
        let now = if step == Span::ZERO { slot.wrapping_add(1) } else { at.0.div_euclid(step.0) };
        if now != slot {
            let (bids, asks) = (book.ladder(RestingSide::Bid), book.ladder(RestingSide::Ask));
            compared.update(last, &bids, &asks);
            slot = now;
        }
        last = at;
        let side = if c[6] == "bid" { RestingSide::Bid } else { RestingSide::Ask };
        let place = (side, (price * 100.0).round() as i64);
        let known = book.orders.get(&id).copied();
        match (c[5], known) {
            ("created", None) => {
                let takes = book.crosses(place);
                book.orders.insert(id, LiveOrder { place, qty, takes });
                if !takes {
                    *compared.adds.entry(place).or_default() += qty;
                    book.change(place, qty);
                }
            }
            ("changed", Some(order)) => {
                let fill = order.qty - qty;
                let rests = order.takes && !book.crosses(order.place);
                if rests {
                    *compared.adds.entry(order.place).or_default() += qty;
                    book.change(order.place, qty);
                } else if !order.takes && fill > 0.0 {
                    compared.accounting.trade(order.place.0, order.place.1, fill);
                    book.change(order.place, -fill);
                }
                book.orders.insert(id, LiveOrder { qty, takes: order.takes && !rests, ..order });
            }
            ("deleted", Some(order)) => {
                book.orders.remove(&id);
                if !order.takes {
                    book.change(order.place, -order.qty);
                    // A deletion says what was left: nothing, where it was filled.
                    if qty > 0.0 {
                        *compared.cancels.entry(order.place).or_default() += order.qty;
                    } else {
                        compared.accounting.trade(order.place.0, order.place.1, order.qty);
                    }
                }
            }
            _ => {}
        }
    }
    compared.sums.say(&format!("Bitstamp, steps of {} ms", step.0 / 1_000_000));
    Some(compared.sums)
}

#[test]
fn cancels_of_a_coin_are_those_of_its_orders() {
    let Some(each) = bitstamp(Span::ZERO) else { return };
    assert!(each.updates > 40_000);
    assert!(Sums::error(each.cancels) < 0.002 && Sums::error(each.adds) < 0.002, "{each:?}");
    let steps = [100, 250].map(|ms| bitstamp(Span::millis(ms)).unwrap());
    for sums in steps {
        let (cancels, adds) = (Sums::bias(sums.cancels), Sums::bias(sums.adds));
        assert!((-0.6..0.001).contains(&cancels) && (-0.6..0.001).contains(&adds), "{sums:?}");
    }
}
