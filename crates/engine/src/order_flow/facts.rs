//! What a record shows of an episode: facts in their order, and the books and trades around it (surveillance §7).

use super::accounting::{BookState, FlowLevel};
use barograph_domain::Ts;
use barograph_domain::alert::{Datum, Word};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Facts of one record.
#[derive(Debug, Default)]
pub(super) struct Facts(pub(super) Vec<(Word, Datum)>);

impl Facts {
    pub(super) fn number(&mut self, name: &'static str, value: f64) {
        self.0.push((Word::from(name), Datum::Number(value)));
    }
    pub(super) fn word(&mut self, name: &'static str, word: &'static str) {
        self.0.push((Word::from(name), Datum::Word(Word::from(word))));
    }
    pub(super) fn flag(&mut self, name: &'static str, is: bool) {
        self.0.push((Word::from(name), Datum::Flag(is)));
    }
    pub(super) fn words(&mut self, name: &'static str, words: Vec<Word>) {
        if !words.is_empty() {
            self.0.push((Word::from(name), Datum::Words(words)));
        }
    }
}

/// Books that a record shows, one a second, and levels of each side of them.
const BOOKS: usize = 20;
const LEVELS: usize = 5;
/// Trades that a record shows.
const TRADES: usize = 200;

/// A trade as it is shown.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
struct ShownTrade {
    at: Ts,
    price: f64,
    qty: f64,
    /// A buyer took it.
    bought: bool,
}

/// A book as it is shown.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct ShownBook {
    at: Ts,
    bids: Vec<FlowLevel>,
    asks: Vec<FlowLevel>,
}

/// The last books and trades.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct RecentFlow {
    books: VecDeque<ShownBook>,
    trades: VecDeque<ShownTrade>,
}

impl RecentFlow {
    pub(super) fn trade(&mut self, at: Ts, price: f64, qty: f64, bought: bool) {
        if self.trades.len() == TRADES {
            self.trades.pop_front();
        }
        self.trades.push_back(ShownTrade { at, price, qty, bought });
    }

    /// Keeps the book at the end of a second.
    pub(super) fn book(&mut self, at: Ts, state: BookState<'_>) {
        let oldest = if self.books.len() == BOOKS { self.books.pop_front() } else { None };
        let mut book = oldest.unwrap_or(ShownBook { at, bids: Vec::new(), asks: Vec::new() });
        book.at = at;
        for (to, from) in [(&mut book.bids, state.bids), (&mut book.asks, state.asks)] {
            to.clear();
            to.extend_from_slice(&from[..from.len().min(LEVELS)]);
        }
        self.books.push_back(book);
    }

    pub(super) fn lose_book(&mut self) {
        self.books.clear();
    }

    /// `books`: `<milliseconds> bid <price>x<quantity> … ask …`, and `trades`: `<milliseconds> buy <price>x<quantity>`, oldest first.
    pub(super) fn show(&self, price_of: impl Fn(i64) -> f64, facts: &mut Facts) {
        let level = |l: &FlowLevel| format!("{}x{}", price_of(l.units), l.qty);
        let side = |levels: &[FlowLevel]| levels.iter().map(level).collect::<Vec<_>>().join(" ");
        let book =
            |b: &ShownBook| Word::from(format!("{} bid {} ask {}", b.at.as_millis(), side(&b.bids), side(&b.asks)));
        let trade = |t: &ShownTrade| {
            Word::from(format!("{} {} {}x{}", t.at.as_millis(), if t.bought { "buy" } else { "sell" }, t.price, t.qty))
        };
        facts.words("books", self.books.iter().map(book).collect());
        facts.words("trades", self.trades.iter().map(trade).collect());
    }
}
