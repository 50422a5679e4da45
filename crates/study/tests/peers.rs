//! Figures of money against the programs that others use for them (research §13): purgedcv for ratios, hftbacktest for fills.
//!
//! They run only where `PEERS_PYTHON` names a Python that has both: `pip install purgedcv numpy hftbacktest`, last with 0.1.11 and 2.4.4.
//! Each test prints what it compared and the largest difference (`--nocapture`).
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]
#![expect(clippy::disallowed_methods, reason = "the programs to compare with are other processes, and leave files")]

use barograph_domain::Side;
use barograph_domain::random::SplitMix;
use barograph_study::money::deflate::{DeflatedSharpe, probabilistic_sharpe};
use barograph_study::money::fills::{NoFill, TakerBook, TakerBookFault, TakerFill, TakerSize};
use barograph_study::money::overfit::overfit_in;
use barograph_study::money::sharpe::SharpeMoments;
use barograph_testkit::{recorded, skipped};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const RECORDING: &str = "raw/hftbacktest/binance-usdm_btcusdt_20240808.gz";
/// So many that a thousand of them are filled from twenty levels.
const ORDERS: usize = 2_000;

fn python() -> Option<PathBuf> {
    let python = std::env::var_os("PEERS_PYTHON").map(PathBuf::from);
    if python.is_none() {
        skipped("PEERS_PYTHON names no python with purgedcv and hftbacktest");
    }
    python
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(name)
}

/// Answers to cases, one line of numbers per case.
fn ask(python: &Path, cases: &[String]) -> Vec<Vec<f64>> {
    let mut child =
        Command::new(python).arg(script("purged.py")).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let text = cases.join("\n");
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "{}", output.status);
    let numbers = |line: &str| line.split(' ').map(|x| x.parse().unwrap()).collect();
    let answers: Vec<Vec<f64>> = String::from_utf8(output.stdout).unwrap().lines().map(numbers).collect();
    assert_eq!(answers.len(), cases.len());
    answers
}

/// Days with fat tails and a skew, every number as exact in decimal as in binary.
fn days(random: &mut SplitMix, n: usize, edge: f64) -> Vec<f64> {
    let mut day = || {
        let normal = (0..12).map(|_| random.unit()).sum::<f64>() - 6.0;
        0.01 * (edge + normal + if random.unit() < 0.05 { 4.0 * (random.unit() - 0.7) } else { 0.0 })
    };
    (0..n).map(|_| day()).collect()
}

fn written(days: &[f64]) -> String {
    days.iter().map(|r| format!("{r:?}")).collect::<Vec<_>>().join(",")
}

fn farthest(pairs: &[(f64, f64)]) -> f64 {
    pairs.iter().map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn probabilistic_and_deflated_ratios_are_those_of_purgedcv() {
    let Some(python) = python() else { return };
    let mut random = SplitMix::new(3);
    let (mut cases, mut ours, mut plain) = (Vec::new(), Vec::new(), Vec::new());
    for k in 0_usize..400 {
        let n = 10 + usize::try_from(random.below(500)).unwrap();
        let daily = days(&mut random, n, 0.3 * random_between(k));
        let corrected = SharpeMoments::bias_corrected(&daily).unwrap();
        let population = SharpeMoments::population(&daily).unwrap();
        let (trials, variance) = (1 + random.below(2_000), 0.01 * random.unit());
        let benchmark = 0.2 * random.unit() - 0.1;
        cases.push(format!("psr {benchmark:?} {}", written(&daily)));
        cases.push(format!("dsr {trials} {variance:?} {}", written(&daily)));
        for (to, moments) in [(&mut ours, corrected), (&mut plain, population)] {
            to.push(vec![probabilistic_sharpe(&moments, benchmark).unwrap()]);
            let count = f64::from(u32::try_from(trials).unwrap());
            let deflated = DeflatedSharpe::new(&moments, count, variance).unwrap();
            to.push(vec![deflated.benchmark, deflated.probability]);
        }
    }
    let theirs = ask(&python, &cases);
    let pairs = |of: &[Vec<f64>]| {
        of.iter().zip(&theirs).flat_map(|(a, b)| a.iter().copied().zip(b.iter().copied())).collect::<Vec<_>>()
    };
    let (same, apart) = (farthest(&pairs(&ours)), farthest(&pairs(&plain)));
    println!("{} ratios: at most {same:e} apart; with population moments, as boards have them, {apart:e}", cases.len());
    assert!(same < 1e-9, "{same:e}");
    // That is a choice of moments, not of a formula: it goes away with more days.
    assert!(apart < 0.05, "{apart:e}");
}

fn random_between(k: usize) -> f64 {
    f64::from(u32::try_from(k % 21).unwrap()) / 10.0 - 1.0
}

#[test]
fn the_probability_of_overfitting_is_that_of_purgedcv() {
    let Some(python) = python() else { return };
    let mut random = SplitMix::new(4);
    let (mut cases, mut ours) = (Vec::new(), Vec::new());
    for k in 0_usize..24 {
        // Two boards as they are, and many small ones: all splits of 16 slices take the other program a while.
        let (slices, configurations) = if k < 2 { (16, 8 + k) } else { (4 + 2 * (k % 3), 2 + k) };
        let n = slices * 3 + usize::try_from(random.below(90)).unwrap();
        let mut board: Vec<Vec<f64>> =
            (0..configurations).map(|c| days(&mut random, n, 0.05 * random_between(c))).collect();
        // A configuration that never traded, and one that another repeats: ties.
        if k % 4 == 0 {
            board[0] = vec![0.0; n];
            board[1] = board[configurations - 1].clone();
        }
        let got = overfit_in(&board, slices).unwrap();
        ours.push([got.probability, f64::from(u32::try_from(got.splits).unwrap()), got.slope.unwrap()]);
        cases.push(format!("pbo {slices} {}", board.iter().map(|d| written(d)).collect::<Vec<_>>().join(" ")));
    }
    let theirs = ask(&python, &cases);
    let column = |n: usize| ours.iter().zip(&theirs).map(|(a, b)| (a[n], b[n])).collect::<Vec<_>>();
    let [probability, splits, slope] = [0, 1, 2].map(|n| farthest(&column(n)));
    println!("{} boards: probability at most {probability:e} apart, slope {slope:e}", cases.len());
    assert!(probability < 1e-3 && splits < 0.5 && slope < 1e-9, "{probability:e} {splits} {slope:e}");
}

/// The order book that the depth events make, by ticks.
#[derive(Default)]
struct Depth {
    sides: [BTreeMap<i64, f64>; 2],
}

impl Depth {
    fn step(&mut self, kind: usize, price: f64, quantity: f64) {
        #[expect(clippy::cast_possible_truncation, reason = "a price in tenths")]
        let tick = (price / 0.1).round() as i64;
        let side = &mut self.sides[kind % 2];
        match kind {
            2 => side.retain(|t, _| *t < tick),
            3 => side.retain(|t, _| *t > tick),
            _ if quantity > 0.0 => drop(side.insert(tick, quantity)),
            _ => drop(side.remove(&tick)),
        }
    }

    fn book(&self) -> Result<TakerBook, TakerBookFault> {
        #[expect(clippy::cast_precision_loss, reason = "a price in tenths")]
        let level = |(tick, quantity): (&i64, &f64)| (*tick as f64 * 0.1, *quantity);
        TakerBook::new(self.sides[0].iter().rev().map(level), self.sides[1].iter().map(level))
    }
}

/// An order with what hftbacktest filled of it.
struct PeerOrder {
    at_ns: i64,
    side: Side,
    quantity: f64,
    filled: f64,
    quote: f64,
}

fn orders(folder: &Path) -> Vec<PeerOrder> {
    let text = std::fs::read_to_string(folder.join("fills.csv")).unwrap();
    let order = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |n: usize| cells[n].parse::<f64>().unwrap();
        let side = if cells[1] == "1" { Side::Long } else { Side::Short };
        PeerOrder { at_ns: cells[0].parse().unwrap(), side, quantity: number(2), filled: number(3), quote: number(4) }
    };
    text.lines().map(order).collect()
}

/// Every order in the order book of its moment.
fn fill_all(folder: &Path, orders: &[PeerOrder]) -> Vec<Result<Result<TakerFill, NoFill>, TakerBookFault>> {
    let events = std::fs::read(folder.join("events.bin")).unwrap();
    let number = |row: &[u8], n: usize| f64::from_le_bytes(row[8 * n..8 * n + 8].try_into().unwrap());
    let mut events = events.chunks_exact(32).peekable();
    let mut depth = Depth::default();
    let mut fill = |order: &PeerOrder| {
        #[expect(clippy::cast_possible_truncation, reason = "whole milliseconds")]
        while let Some(row) = events.next_if(|row| number(row, 1) as i64 * 1_000_000 <= order.at_ns) {
            #[expect(clippy::cast_sign_loss, reason = "0 to 3")]
            depth.step(number(row, 0) as usize, number(row, 2), number(row, 3));
        }
        depth.book().map(|book| book.take(order.side, TakerSize::Quantity(order.quantity)))
    };
    orders.iter().map(&mut fill).collect()
}

#[test]
fn taker_fills_are_those_of_hftbacktest() {
    let Some(python) = python() else { return };
    let Some(recording) = recorded(RECORDING) else { return };
    let folder = std::env::temp_dir().join(format!("barograph-peers-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let status = Command::new(python)
        .arg(script("fills.py"))
        .args([recording.as_os_str(), ORDERS.to_string().as_ref(), "7".as_ref(), folder.as_os_str()])
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
    let orders = orders(&folder);
    let fills = fill_all(&folder, &orders);
    std::fs::remove_dir_all(&folder).unwrap();
    let (mut price, mut quantity, mut compared, mut many, mut deepest) = (0.0_f64, 0.0_f64, 0, 0, 0);
    let (mut short, mut unusable) = (0, 0);
    for (order, fill) in orders.iter().zip(fills) {
        match fill {
            Ok(Ok(fill)) => {
                assert!(order.filled > 0.0, "an order of {} at {} is filled by us alone", order.quantity, order.at_ns);
                let theirs = order.quote / order.filled;
                price = price.max((fill.average() / theirs - 1.0).abs());
                quantity = quantity.max((fill.quantity / order.filled - 1.0).abs());
                compared += 1;
                many += usize::from(fill.levels > 1);
                deepest = deepest.max(fill.levels);
            }
            Ok(Err(why)) => {
                let NoFill::Depth { available } = why else { panic!("{why}") };
                assert!(available < order.quantity, "twenty levels hold {available} of {}", order.quantity);
                short += 1;
            }
            Err(_) => unusable += 1,
        }
    }
    println!(
        "{} orders: {compared} filled by both ({many} from several levels, at most {deepest}), price at most {price:e} and \
         quantity {quantity:e} apart; {short} beyond twenty levels, {unusable} on an order book that cannot be used",
        orders.len()
    );
    assert_eq!(orders.len(), ORDERS);
    assert!(compared >= 1_000 && many >= 300, "{compared} {many}");
    assert!(price < 1e-9 && quantity < 1e-9, "{price:e} {quantity:e}");
}
