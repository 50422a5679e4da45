//! A market followed through time against definitions written out one by one, and properties of all columns.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test stops when it cannot go on, and is written in another library's logarithm"
)]

use barograph_columns::{
    Arrival, BookSides, COLUMNS, DepthLevel, MarketColumns, OtherFeeds, ResearchRow, catalogue, place_of,
};
use barograph_domain::cell::Reason;
use barograph_domain::{Span, Ts};

/// A random walk that is the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[derive(Clone, Debug)]
enum What {
    Book([Vec<DepthLevel>; 2]),
    Trade(f64, f64, bool),
}

#[derive(Clone, Debug)]
struct Happened {
    at: Arrival,
    what: What,
}

const START: Ts = Ts::from_civil(2026, 2, 5, 12, 0, 0);

/// Some hundred changes of a book and trades each ten seconds, received up to 90 ms late, in the order of receipt.
fn market(seconds: i64, seed: u64) -> Vec<Happened> {
    let mut random = Random(seed);
    let mut all = Vec::new();
    let mut mid = 50_000.0;
    for tenth in 0..seconds * 10 {
        let event = START + Span::millis(tenth * 100 + 37);
        mid *= 1.0 + 2e-5 * (random.next() - 0.5);
        let centre = (mid * 10.0).round() / 10.0;
        let mut side = |sign: f64| {
            (0..25_u8)
                .map(|k| DepthLevel { price: centre + sign * (0.1 + 0.2 * f64::from(k)), size: 0.1 + random.next() })
                .collect()
        };
        let what = What::Book([side(-1.0), side(1.0)]);
        let late = Span::millis(10 + tenth % 80);
        all.push(Happened { at: Arrival { event, recv: event + late }, what });
        if random.next() < 0.6 {
            let is_buy = random.next() < 0.5;
            let event = event + Span::millis(20);
            let price = centre + if is_buy { 0.1 } else { -0.1 };
            let what = What::Trade(price, 0.01 + random.next(), is_buy);
            all.push(Happened { at: Arrival { event, recv: event + late }, what });
        }
    }
    all.sort_by_key(|h| h.at.recv);
    all
}

/// Rows of the seconds after `begin`, each closed 200 ms after its end.
fn rows(all: &[Happened], begin: Ts, end: Ts) -> Vec<(Ts, Box<ResearchRow>)> {
    let mut stream = MarketColumns::new(Some(0.1));
    stream.trades_begin(begin);
    let mut book: [Vec<DepthLevel>; 2] = Default::default();
    let mut out = Vec::new();
    let mut next = begin + Span::secs(1);
    let mut close =
        |stream: &mut MarketColumns, book: &[Vec<DepthLevel>; 2], upto: Ts, out: &mut Vec<(Ts, Box<ResearchRow>)>| {
            while next + Span::millis(200) < upto && next <= end {
                let row = stream.close(next, &BookSides { bids: &book[0], asks: &book[1] }, &OtherFeeds::default());
                out.push((next, row));
                next = next + Span::secs(1);
            }
        };
    for happened in all.iter().filter(|h| h.at.event >= begin) {
        close(&mut stream, &book, happened.at.recv, &mut out);
        match &happened.what {
            What::Book(now) => {
                let before = BookSides { bids: &book[0], asks: &book[1] };
                stream.book(happened.at, &before, &BookSides { bids: &now[0], asks: &now[1] }, 50);
                book.clone_from(now);
            }
            What::Trade(price, qty, is_buy) => stream.trade(happened.at, *price, *qty, *is_buy),
        }
    }
    close(&mut stream, &book, Ts::MAX, &mut out);
    out
}

fn value(row: &ResearchRow, id: &str) -> Result<f64, Reason> {
    row.get(place_of(id).unwrap())
}

/// Definitions of a few columns over everything, as one would write them on paper.
struct Paper<'a>(&'a [Happened]);

impl Paper<'_> {
    fn books(&self) -> impl Iterator<Item = (Ts, &[Vec<DepthLevel>; 2])> {
        self.0.iter().filter_map(|h| match &h.what {
            What::Book(book) => Some((h.at.event, book)),
            What::Trade(..) => None,
        })
    }

    fn trades(&self, from: Ts, upto: Ts) -> impl Iterator<Item = (Ts, f64, f64, f64)> {
        self.0.iter().filter_map(move |h| match h.what {
            What::Trade(price, qty, is_buy) if h.at.event > from && h.at.event <= upto => {
                Some((h.at.event, price, qty, if is_buy { 1.0 } else { -1.0 }))
            }
            _ => None,
        })
    }

    fn mid(&self, at: Ts) -> f64 {
        let (_, book) = self.books().filter(|(t, _)| *t <= at).last().unwrap();
        f64::midpoint(book[0][0].price, book[1][0].price)
    }

    fn ofi(&self, t: Ts, seconds: i64) -> f64 {
        let all: Vec<_> = self.books().collect();
        let one = |pair: &[(Ts, &[Vec<DepthLevel>; 2])]| {
            let ([b, a], [bn, an]) = (pair[0].1, pair[1].1);
            let (b, a, bn, an) = (b[0], a[0], bn[0], an[0]);
            let on = |yes: bool, q: f64| if yes { q } else { 0.0 };
            on(bn.price >= b.price, bn.size) - on(bn.price <= b.price, b.size) - on(an.price <= a.price, an.size)
                + on(an.price >= a.price, a.size)
        };
        let within = |pair: &&[(Ts, &[Vec<DepthLevel>; 2])]| pair[1].0 > t - Span::secs(seconds) && pair[1].0 <= t;
        all.windows(2).filter(within).map(one).sum()
    }
}

fn near(got: Result<f64, Reason>, want: f64, what: &str) {
    let got = got.unwrap_or_else(|e| panic!("{what}: {e:?}, not {want}"));
    assert!((got - want).abs() <= 1e-9 * want.abs().max(1e-3), "{what}: {got}, not {want}");
}

#[test]
fn columns_are_what_their_definitions_say() {
    let all = market(420, 7);
    let paper = Paper(&all);
    let rows = rows(&all, START, START + Span::secs(419));
    assert_eq!(rows.len(), 419);
    for (t, row) in rows.iter().filter(|(t, _)| [310, 360, 401].contains(&(*t - START).as_secs())) {
        let t = *t;
        let ago = |seconds: i64| t - Span::secs(seconds);
        let mid = |seconds: i64| paper.mid(ago(seconds));
        near(value(row, "mid_price"), mid(0), "mid");
        for (id, seconds) in [("ofi", 1), ("ofi_5s", 5), ("ofi_30s", 30)] {
            near(value(row, id), paper.ofi(t, seconds), id);
        }
        for (id, seconds) in [("mid_velocity_1s", 1), ("mid_velocity_5s", 5), ("mid_velocity_30s", 30)] {
            near(value(row, id), 1e4 * (mid(0) / mid(seconds)).ln() / seconds as f64, id);
        }
        let acceleration = 1e4 * ((mid(0) / mid(5)).ln() / 5.0 - (mid(5) / mid(10)).ln() / 5.0) / 5.0;
        near(value(row, "mid_acceleration_5s"), acceleration, "acceleration");
        for (id, seconds) in [("realized_vol_10s", 10), ("realized_vol_60s", 60), ("realized_vol_300s", 300)] {
            let squares: f64 = (0..seconds).map(|s| (mid(s) / mid(s + 1)).ln().powi(2)).sum();
            near(value(row, id), (squares / seconds as f64 * 31_536_000.0).sqrt(), id);
        }
        let trades: Vec<_> = paper.trades(ago(30), t).collect();
        let volume: f64 = trades.iter().map(|(_, _, q, _)| q).sum();
        near(value(row, "tf_trade_count_30s"), trades.len() as f64, "count");
        near(value(row, "tf_volume_30s"), volume, "volume");
        near(
            value(row, "tf_imbalance_30s"),
            trades.iter().map(|(_, _, q, s)| q * s).sum::<f64>() / volume,
            "imbalance",
        );
        let vwap = trades.iter().map(|(_, p, q, _)| p * q).sum::<f64>() / volume;
        near(value(row, "tf_vwap_dev_30s_bps"), 1e4 * (vwap / mid(0)).ln(), "vwap");
        // The mid before a trade is that of the receipt; here books arrive in their order with trades.
        let marked: Vec<_> = paper.trades(ago(65), ago(5)).collect();
        let volume: f64 = marked.iter().map(|(_, _, q, _)| q).sum();
        let kept: f64 =
            marked.iter().map(|(at, p, q, s)| q * 2.0 * s * 1e4 * (p / paper.mid(*at + Span::secs(5))).ln()).sum();
        near(value(row, "tf_realized_spread_60s_bps"), kept / volume, "realized");
        near(value(row, "dq_valid_fraction_300s"), 1.0, "valid");
        near(value(row, "book_update_rate_1s"), 500.0, "updates");
        let flow = |from: i64| paper.trades(ago(from + 1), ago(from)).map(|(_, p, q, s)| s * p * q / 1e6).sum::<f64>();
        let pairs: Vec<(f64, f64)> = (0..300).map(|s| (flow(s), 1e4 * (mid(s) / mid(s + 1)).ln())).collect();
        let n = pairs.len() as f64;
        let (x, y) = (pairs.iter().map(|p| p.0).sum::<f64>() / n, pairs.iter().map(|p| p.1).sum::<f64>() / n);
        let (up, down) = pairs.iter().fold((0.0, 0.0), |(u, d), p| (u + (p.0 - x) * (p.1 - y), d + (p.0 - x).powi(2)));
        near(value(row, "kyle_lambda"), up / down, "kyle");
    }
}

/// What is received later changes no row that was made.
#[test]
fn rows_are_never_rewritten() {
    let all = market(90, 3);
    let whole = rows(&all, START, START + Span::secs(89));
    for cut in [200, 401, 777, 1_111] {
        let upto = all[cut].at.recv;
        let part = rows(&all[..cut], START, START + Span::secs(89));
        let closed = part.iter().zip(&whole).filter(|((t, _), _)| *t + Span::millis(200) < upto);
        assert!(closed.clone().count() > 10);
        assert!(closed.clone().all(|(a, b)| a == b), "cut at {cut}");
    }
}

/// After the longest window that they share, two that began at different moments say the same, to the bit.
#[test]
fn where_it_began_leaves_no_trace() {
    let all = market(420, 11);
    let end = START + Span::secs(419);
    let (early, late) = (rows(&all, START, end), rows(&all, START + Span::secs(63), end));
    let newest = [early.last().unwrap(), late.last().unwrap()].map(|(_, row)| row);
    // What is counted since the beginning may differ, and windows of an hour are not full.
    let differs = |at: &usize| newest[0].get(*at) != newest[1].get(*at);
    let differing: Vec<&str> = (0..COLUMNS).filter(differs).map(|at| catalogue()[at].id).collect();
    assert_eq!(differing, [] as [&str; 0]);
}

/// In a gap and until windows are whole again nothing is said of the book; trades go on.
#[test]
fn a_gap_is_said_and_heals() {
    let all = market(120, 5);
    let mut stream = MarketColumns::new(Some(0.1));
    stream.trades_begin(START);
    let mut book: [Vec<DepthLevel>; 2] = Default::default();
    let mut seen = Vec::new();
    let mut next = START + Span::secs(1);
    for happened in &all {
        while next + Span::millis(200) < happened.at.recv {
            if next == START + Span::secs(60) {
                stream.book_gap(next, &BookSides { bids: &book[0], asks: &book[1] });
                book = Default::default();
            }
            let row = stream.close(next, &BookSides { bids: &book[0], asks: &book[1] }, &OtherFeeds::default());
            seen.push(((next - START).as_secs(), row));
            next = next + Span::secs(1);
        }
        let in_gap = next > START + Span::secs(60) && happened.at.event < START + Span::secs(70);
        match &happened.what {
            What::Book(_) if in_gap => {}
            What::Book(now) => {
                let before = BookSides { bids: &book[0], asks: &book[1] };
                stream.book(happened.at, &before, &BookSides { bids: &now[0], asks: &now[1] }, 50);
                book.clone_from(now);
            }
            What::Trade(price, qty, is_buy) => stream.trade(happened.at, *price, *qty, *is_buy),
        }
    }
    let at = |second: i64, id: &str| value(&seen.iter().find(|(s, _)| *s == second).unwrap().1, id);
    assert!(at(59, "mid_price").is_ok() && at(59, "ofi_30s").is_ok());
    for second in [62, 68] {
        for id in ["mid_price", "ofi", "realized_vol_10s", "mean_spread_60s", "spread_bps"] {
            assert_eq!(at(second, id), Err(Reason::Gap), "{second} {id}");
        }
        assert!(at(second, "tf_volume_30s").is_ok(), "trades were heard");
        assert_eq!(at(second, "dq_seconds_since_gap"), Ok(0.0));
    }
    assert!(at(72, "mid_price").is_ok());
    assert_eq!((at(72, "ofi_30s"), at(72, "mid_velocity_5s")), (Err(Reason::Gap), Err(Reason::Gap)));
    assert!(at(72, "ofi").is_ok() && at(77, "ofi_5s").is_ok() && at(101, "ofi_30s").is_ok());
    assert!(at(110, "dq_seconds_since_gap").is_ok_and(|s| (39.0..41.0).contains(&s)));
}

/// A trade that happened before trades were listened to, and came after, counts at its second where that has no row yet.
#[test]
fn a_trade_before_the_first_moment_heard_is_counted_where_its_row_is_to_come() {
    let all = market(40, 13);
    let mut stream = MarketColumns::new(Some(0.1));
    let mut book: [Vec<DepthLevel>; 2] = Default::default();
    let at = |event_ms: i64, recv_ms: i64| Arrival {
        event: START + Span::millis(event_ms),
        recv: START + Span::millis(recv_ms),
    };
    let mut runs = Vec::new();
    for happened in &all {
        let What::Book(now) = &happened.what else { continue };
        let before = BookSides { bids: &book[0], asks: &book[1] };
        stream.book(happened.at, &before, &BookSides { bids: &now[0], asks: &now[1] }, 50);
        book.clone_from(now);
        let second = (happened.at.event - START).as_secs();
        if second == 12 && runs.len() == 11 {
            // Second 12 is over and waits for its row.
            stream.trades_begin(START + Span::millis(12_020));
            stream.trade(at(11_980, 12_060), 50_000.0, 1.0, true);
        }
        if second > i64::try_from(runs.len()).unwrap() {
            let closed = START + Span::secs(i64::try_from(runs.len()).unwrap() + 1);
            let row = stream.close(closed, &BookSides { bids: &book[0], asks: &book[1] }, &OtherFeeds::default());
            runs.push(value(&row, "tf_run_length"));
        }
    }
    assert_eq!(runs[10], Err(Reason::MissingInput));
    assert_eq!(runs[11], Ok(1.0));
    assert_eq!(stream.late(), 0, "its row was to come");
}
