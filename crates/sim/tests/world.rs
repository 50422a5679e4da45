//! The synthetic world by itself: consistent, deterministic, and able to cascade.

use barograph_domain::{Span, Ts};
use barograph_sim::world::book::Speed;
use barograph_sim::world::episode::{Scheduled, Spell};
use barograph_sim::world::event::MarketEvent;
use barograph_sim::world::perp::funding_rate;
use barograph_sim::world::{SLOT, World, WorldConfig};

fn config(episodes: &[(i64, Spell)]) -> WorldConfig {
    WorldConfig {
        messages_per_s: 90.0,
        episodes: episodes.iter().map(|(s, e)| Scheduled::all(Span::secs(*s), *e)).collect(),
        ..WorldConfig::default()
    }
}

/// Runs a world and shows every step to a checker.
fn run(
    config: &WorldConfig,
    seconds: i64,
    mut each: impl FnMut(usize, &barograph_sim::world::market::TradedMarket, &[MarketEvent]),
) -> World {
    let mut world = World::new(config);
    let mut events = Vec::new();
    for _ in 0..seconds * 1_000_000_000 / SLOT.0 {
        world.advance(&mut events, |number, market, events| each(number, market, events));
    }
    world
}

const STORM: [(i64, Spell); 4] =
    [(0, Spell::Chop), (20, Spell::SqueezeBuildUp), (120, Spell::SqueezeRelease), (200, Spell::Cascade)];

#[test]
fn positions_add_up_and_only_reached_ones_are_liquidated() {
    let mut liquidations = 0;
    run(&config(&STORM), 320, |_, market, events| {
        let positions = &market.perp.as_ref().unwrap().positions;
        assert_eq!(positions.sums(), (positions.open_interest(), positions.open_interest()));
        for event in events {
            if let MarketEvent::Liquidation(l) = event {
                liquidations += 1;
                assert!(if l.long { l.mark <= l.liquidation_price } else { l.mark >= l.liquidation_price }, "{l:?}");
            }
        }
    });
    assert!(liquidations > 100, "{liquidations} liquidations in a storm");
}

#[test]
fn books_are_never_crossed_and_trades_print_where_levels_were() {
    let mut tops = [None; 3];
    let mut trades = 0;
    run(&config(&STORM), 300, |number, market, events| {
        let ((bid, _), (ask, _)) = market.book.top().expect("both sides");
        assert!(bid < ask && market.book.bids.len() >= 20 && market.book.asks.len() >= 20);
        for event in events {
            match event {
                MarketEvent::Top(top) => tops[number] = Some((top.bid.0, top.ask.0)),
                MarketEvent::Trade(trade) => {
                    trades += 1;
                    if let Some((bid, ask)) = tops[number] {
                        let through = if trade.buyer_is_maker { trade.tick <= bid } else { trade.tick >= ask };
                        assert!(through, "{trade:?} inside {bid}/{ask}");
                    }
                    assert_eq!(trade.singles().map(|s| s.1).sum::<i64>(), trade.quantity);
                }
                MarketEvent::Depth(update) if update.speed == Speed::Ms50 => {
                    let shown = market.book.top().map(|((b, _), (a, _))| (b, a));
                    assert_eq!(tops[number], shown, "the best prices are the top of the book");
                }
                _ => {}
            }
        }
    });
    assert!(trades > 3_000, "{trades} trades");
}

#[test]
fn bars_are_the_trades_of_their_minute() {
    let mut sums = [(0_i64, 0_i64, i64::MIN, i64::MAX); 3];
    let mut closed = 0;
    run(&config(&[]), 200, |number, _, events| {
        for event in events {
            match event {
                MarketEvent::Trade(t) => {
                    let s = &mut sums[number];
                    *s = (
                        s.0 + t.quantity,
                        s.1 + i64::from(!t.buyer_is_maker) * t.quantity,
                        s.2.max(t.tick),
                        s.3.min(t.tick),
                    );
                }
                MarketEvent::Closed(bar) => {
                    closed += 1;
                    let (volume, buy, high, low) = std::mem::replace(&mut sums[number], (0, 0, i64::MIN, i64::MAX));
                    assert_eq!((bar.volume, bar.taker_buy, bar.high, bar.low), (volume, buy, high, low));
                }
                _ => {}
            }
        }
    });
    assert_eq!(closed, 9);
}

#[test]
fn funding_and_mark_follow_the_premium() {
    for (above, sign) in [(true, 1.0), (false, -1.0)] {
        let mut config = config(&[(0, Spell::DislocatedBasis { above })]);
        // A quarter of an hour before a settlement, whose interval is mostly past.
        config.origin = Ts::from_civil(2026, 11, 20, 15, 50, 0);
        let mut at_settlement = 0;
        let world = run(&config, 1_500, |_, market, events| {
            for event in events {
                if let MarketEvent::Mark(m) = event {
                    let perp = market.perp.as_ref().unwrap();
                    if let Some(settled) = perp.settled.back() {
                        at_settlement += 1;
                        let hour = Ts::from_civil(2026, 11, 20, 16, 0, 0).as_millis();
                        assert!((0..10).contains(&(settled.ms - hour)) && m.next_ms > hour);
                    }
                }
            }
        });
        assert!(at_settlement > 0);
        for market in &world.markets {
            let perp = market.perp.as_ref().unwrap();
            let premium = perp.mark.mark / perp.mark.index - 1.0;
            assert!(premium * sign > 0.004, "{}: premium {premium}", market.spec.symbol);
            assert!(perp.mark.rate * sign > 0.001, "{}: rate {}", market.spec.symbol, perp.mark.rate);
            assert!(perp.mark.rate.abs() <= funding_rate(1.0, 8) + 1e-12);
        }
    }
}

#[test]
fn a_cascade_feeds_on_itself_and_quiet_does_not() {
    let fall = |episodes: &[(i64, Spell)], seed: u64| {
        let mut config = config(episodes);
        config.seed = seed;
        let mut long = 0;
        let world = run(&config, 420, |_, _, events| {
            long += events.iter().filter(|e| matches!(e, MarketEvent::Liquidation(l) if l.long)).count();
        });
        let market = &world.markets[0];
        (market.last_tick() as f64 / market.bars[0].open as f64 - 1.0, long)
    };
    for seed in [1, 2, 3] {
        let (quiet, few) = fall(&[(0, Spell::Quiet)], seed);
        let (cascade, many) = fall(&[(0, Spell::Quiet), (120, Spell::Cascade)], seed);
        assert!(quiet.abs() < 0.01 && few < 30, "quiet moved {quiet} with {few} liquidations");
        assert!(cascade < -0.02 && many > 100, "cascade moved {cascade} with {many} liquidations");
        assert!(cascade > -0.6, "cascade moved {cascade}: it must end");
    }
}

#[test]
fn the_same_seed_gives_the_same_events_however_time_is_cut() {
    let all = |seed: u64| {
        let mut config = config(&STORM);
        config.seed = seed;
        (config.spot_markets, config.coinbase_markets) = (2, 1);
        let mut text = String::new();
        run(&config, 30, |number, _, events| text.push_str(&format!("{number} {events:?}\n")));
        text
    };
    let first = all(7);
    assert!(first.len() > 100_000);
    assert_eq!(first, all(7));
    assert_ne!(first, all(8));
}

/// A server that is killed and started again two seconds later, with its seed or another: clients leave out what has an id that they
/// have seen, and would hear nothing for as long as the first one had run.
#[test]
fn ids_of_a_world_that_begins_later_are_higher_than_all_of_one_before() {
    let began = config(&STORM).origin;
    let ids = |seed: u64, origin: Ts, seconds: i64| {
        let (spot_markets, coinbase_markets) = (2, 1);
        let config = WorldConfig { seed, origin, spot_markets, coinbase_markets, ..config(&[(0, Spell::Cascade)]) };
        let mut all: Vec<[Vec<u64>; 3]> = vec![Default::default(); 6];
        run(&config, seconds, |number, market, events| {
            let [aggregates, singles, books] = &mut all[number];
            books.push(market.book.last_id);
            for event in events {
                if let MarketEvent::Trade(trade) = event {
                    aggregates.push(trade.aggregate_id);
                    singles.extend([trade.first_id, trade.last_id]);
                }
            }
        });
        all
    };
    let before = ids(7, began, 60);
    for seed in [7, 8] {
        let after = ids(seed, began + Span::secs(62), 60);
        for (market, (before, after)) in before.iter().zip(&after).enumerate() {
            for (kind, (before, after)) in ["aggregates", "trades", "books"].iter().zip(before.iter().zip(after)) {
                let (last, first) = (before.iter().max().unwrap(), after.iter().min().unwrap());
                assert!(first > last, "{kind} of market {market} with seed {seed}: {first} after {last}");
            }
        }
    }
}

#[test]
fn history_and_present_join() {
    let mut config = config(&[]);
    config.origin = Ts::from_civil(2026, 11, 20, 9, 0, 40);
    let world = run(&config, 200, |_, _, _| {});
    let now = world.now().as_millis();
    let market = &world.markets[0];
    let window = |start_ms, end_ms, limit| barograph_sim::world::candles::HistoryWindow { start_ms, end_ms, limit };
    let minutes = market.candles(60_000, &window(None, None, 120), now);
    assert_eq!(minutes.len(), 120);
    assert!(minutes.windows(2).all(|w| w[1].open_ms == w[0].open_ms + 60_000));
    assert_eq!(minutes.last().unwrap().open_ms, now.div_euclid(60_000) * 60_000);
    for pair in minutes.windows(2) {
        let jump = pair[1].open as f64 / pair[0].close as f64 - 1.0;
        assert!(jump.abs() < 0.005, "{pair:?}");
    }
    let hours = market.candles(3_600_000, &window(None, None, 3), now);
    let begin = hours[1].open_ms;
    let inside = market.candles(60_000, &window(Some(begin), Some(begin + 3_599_999), 100), now);
    assert_eq!(inside.len(), 60);
    assert_eq!(hours[1].volume, inside.iter().map(|b| b.volume).sum::<i64>());
    assert_eq!(hours[1].high, inside.iter().map(|b| b.high).max().unwrap());
    let oi = market.open_interest(300_000, &window(None, None, 30), now);
    assert!(oi.len() == 30 && oi.windows(2).all(|w| w[1].ms == w[0].ms + 300_000));
    let funding = market.funding(&window(None, None, 10), now);
    assert!(funding.len() == 10 && funding.windows(2).all(|w| w[0].ms < w[1].ms));
}
