//! LOBSTER (lobsterdata.com, "Output structure"): pairs of files without headers, a message and the book after it in the same row.
//!
//! `seconds after midnight in New York, type, order id, size, price × 10,000, direction of the resting order`, and beside it
//! `ask price, ask size, bid price, bid size` for each level; prices of ±9,999,999,999 are levels that do not exist. The day is in the
//! files' names (`AAPL_2012-06-21_34200000_57600000_message_1.csv`). There is one clock, the exchange's; it stands for the receipt too.
//! Sizes are shares.
//!
//! Types: 1 to 3 change the book; 4 is an execution of a visible order, 5 of a hidden one: the taker stood on the other side. From
//! 2014-07-14 on Nasdaq no longer says on which side hidden orders rested (ITCH 5.0, trade message), so their takers are not known
//! since. 6 is an auction, which has no taker. 7 with price −1 halts trading, with price 1 resumes it: in between nothing is known.

use super::listener::{RecordListener, RecordStamps, RecordedTrade};
use super::passed_on::HeardOut;
use super::piece::Piece;
use super::snapshots::SnapshotBook;
use crate::csv;
use crate::lines::Lines;
use barograph_domain::{GapReason, Span, Ts};
use barograph_venues::number;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Prices are integers of this part of a dollar.
const PRICE: f64 = 10_000.0;
/// What stands for a price where there is no level.
const NO_PRICE: i64 = 9_999_999_999;
/// Since then trades against hidden orders do not say their side.
const HIDDEN_UNSIDED: Ts = Ts::from_civil(2014, 7, 14, 0, 0, 0);

/// Which of the two files.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum LobsterPart {
    Message,
    Book,
}

impl LobsterPart {
    /// Of a first line. Both have no header; messages have six cells, books four for each level.
    pub(super) fn of(line: &[u8]) -> Option<Self> {
        let cells: Vec<&[u8]> = line.split(|b| *b == b',').collect();
        let whole = |cell: &&[u8]| core::str::from_utf8(cell).ok().and_then(|t| t.trim().parse::<i64>().ok());
        if let [time, rest @ ..] = cells.as_slice()
            && rest.len() >= 5
            && rest.len() <= 6
            && number::decimal(time).is_some_and(|t| (0.0..86_400.0).contains(&t))
            && rest.first().and_then(whole).is_some_and(|kind| (1..=7).contains(&kind))
            && rest.get(4).and_then(whole).is_some_and(|side| side.abs() == 1)
        {
            return Some(Self::Message);
        }
        let all: Vec<i64> = cells.iter().map_while(whole).collect();
        let levels = all.len() == cells.len() && !all.is_empty() && all.len().is_multiple_of(4);
        let sizes = all.iter().skip(1).step_by(2).all(|size| *size >= 0);
        (levels && sizes).then_some(Self::Book)
    }
}

/// Both files of one day.
#[derive(Clone, Debug)]
pub(super) struct LobsterDay {
    /// Midnight in New York.
    midnight: Ts,
    /// Its date, as midnight of UTC.
    date: Ts,
    /// The ticker, as the names say it.
    pub(super) ticker: String,
    messages: Piece,
    books: Piece,
}

impl LobsterDay {
    /// Pairs files up by their names, in the order of days.
    ///
    /// # Errors
    /// A file whose name has no date, or that is alone: a sentence.
    pub(super) fn pairs(parts: &[(LobsterPart, Piece)]) -> Result<Vec<Self>, String> {
        let mut parts: Vec<(String, LobsterPart, &Piece)> = parts
            .iter()
            .map(|(part, piece)| (piece.name().replace("_message_", "__").replace("_orderbook_", "__"), *part, piece))
            .collect();
        parts.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        let mut days = Vec::new();
        for pair in parts.chunks(2) {
            let [(name, LobsterPart::Message, messages), (other, LobsterPart::Book, books)] = pair else {
                return Err(alone(pair[0].2));
            };
            if name != other {
                return Err(alone(messages));
            }
            let (ticker, date) = dated(messages.name()).ok_or_else(|| {
                format!(
                    "{}: a LOBSTER file says its day in its name, as AAPL_2012-06-21_…_message_1.csv; rename it and its other half back, with the \
                     ticker and the day in front",
                    messages.shown
                )
            })?;
            let midnight = date - new_york(date);
            days.push(Self { midnight, date, ticker, messages: (*messages).clone(), books: (*books).clone() });
        }
        days.sort_by_key(|day| day.date);
        Ok(days)
    }
}

fn alone(piece: &Piece) -> String {
    format!(
        "{}: LOBSTER's message and order book files come in pairs, and its other half is not there; give both, named alike but for \
         message and orderbook, as AAPL_2012-06-21_…_message_1.csv and AAPL_2012-06-21_…_orderbook_1.csv",
        piece.shown
    )
}

/// Ticker and date of a name.
fn dated(name: &str) -> Option<(String, Ts)> {
    let mut parts = name.split('_');
    let (ticker, date) = (parts.next()?, parts.next()?);
    Some((ticker.to_owned(), Ts::parse(date).ok()?))
}

/// New York's time minus UTC at a midnight there, by the rules since 2007, where LOBSTER begins: daylight time from the second Sunday of
/// March to the first one of November. Both change at two in the night.
fn new_york(date: Ts) -> Span {
    let sunday = |month: i64, nth: i64| {
        let first = Ts::from_civil(date.civil().0, month, 1, 0, 0, 0);
        // 0 Sunday … 6 Saturday; 1970-01-01 was a Thursday.
        let weekday = (first.0.div_euclid(Span::days(1).0) + 4).rem_euclid(7);
        first + Span::days((7 - weekday).rem_euclid(7) + 7 * (nth - 1))
    };
    let daylight = date > sunday(3, 2) && date <= sunday(11, 1);
    Span::hours(if daylight { -4 } else { -5 })
}

/// A line of messages.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Message {
    at: Ts,
    kind: i64,
    size: f64,
    price: i64,
    rests_as_bid: bool,
}

/// Days of one ticker in their order.
pub(super) struct LobsterFiles<'a> {
    pub(super) days: &'a [LobsterDay],
    pub(super) read: &'a Arc<AtomicU64>,
}

impl LobsterFiles<'_> {
    pub(super) fn play<L: RecordListener>(&self, to: &mut HeardOut<'_, L>) -> Result<(), L::Failure> {
        let mut book = SnapshotBook::default();
        self.days.iter().try_for_each(|day| self.day(day, &mut book, to))
    }

    fn day<L: RecordListener>(
        &self,
        day: &LobsterDay,
        book: &mut SnapshotBook,
        to: &mut HeardOut<'_, L>,
    ) -> Result<(), L::Failure> {
        let (mut messages, mut books) = (day.messages.lines(self.read)?, day.books.lines(self.read)?);
        let mut cells = Vec::new();
        let (mut first, mut halted) = (true, false);
        loop {
            let torn = &mut to.done.torn;
            let pair = (whole(&mut messages, &day.messages, torn), whole(&mut books, &day.books, torn));
            let (Some(line), Some(state)) = pair else { break };
            to.done.lines += 1;
            let message = message(messages.bytes(&line), day.midnight, &mut cells);
            let state = sides(books.bytes(&state), &mut cells, book);
            let (Some(message), true) = (message, state) else {
                to.unreadable(&day.messages.shown, line.number);
                continue;
            };
            let at = to.reach(RecordStamps { event: message.at, recv: message.at })?;
            if core::mem::take(&mut first) {
                to.next_file(at, true)?;
            }
            if message.kind == 7 {
                halted = message.price != 1;
                if halted {
                    to.lose_book(at.event, GapReason::Refused)?;
                    to.lose_trades(at.event, GapReason::Refused)?;
                }
                continue;
            }
            if halted {
                continue;
            }
            to.trades_from(at.event)?;
            executed(&message, at, day.date, to)?;
            // Nothing of what is seen of the book changes when hidden orders trade.
            if message.kind < 5 {
                if book.is_ordered() {
                    let updates = book.changed();
                    if to.state(at, &book.sides(to.reach_bps()), updates)? {
                        book.keep();
                    }
                } else {
                    to.refused(|| format!("{}, line {}: levels are not in their order", day.books.shown, line.number));
                }
            }
        }
        let (ours, theirs) = (messages.number(), books.number());
        if ours != theirs {
            let (piece, row) = if ours > theirs { (&day.books, theirs) } else { (&day.messages, ours) };
            to.torn(&piece.shown, row, "its other half goes on");
        }
        to.lines_ended(&day.messages.shown, &mut messages);
        to.lines_ended(&day.books.shown, &mut books);
        Ok(())
    }
}

/// The next line that was written to its end.
fn whole(lines: &mut Lines, piece: &Piece, torn: &mut Vec<String>) -> Option<crate::lines::Line> {
    let line = lines.next()?;
    if line.terminated {
        return Some(line);
    }
    torn.push(format!("{} breaks off after line {}: its last line has no end", piece.shown, line.number));
    None
}

fn executed<L: RecordListener>(
    message: &Message,
    at: RecordStamps,
    date: Ts,
    to: &mut HeardOut<'_, L>,
) -> Result<(), L::Failure> {
    let sided = match message.kind {
        4 => true,
        5 => date < HIDDEN_UNSIDED,
        6 => false,
        _ => return Ok(()),
    };
    let price = number::whole(message.price).map(|p| p / PRICE).filter(|p| *p > 0.0);
    match price.filter(|_| sided && message.size > 0.0) {
        Some(price) => to.trade(at, RecordedTrade { price, size: message.size, is_buy: !message.rests_as_bid }),
        None => {
            to.unsided();
            Ok(())
        }
    }
}

fn message(line: &[u8], midnight: Ts, cells: &mut Vec<(u32, u32)>) -> Option<Message> {
    csv::split(line, b',', 7, cells);
    // A seventh cell of newer files says who made the order; nothing here looks at it.
    let cell = |k: usize| cells.get(k).map(|&(from, to)| &line[from as usize..to as usize]);
    Some(Message {
        at: midnight + seconds(cell(0)?)?,
        kind: integer(cell(1)?)?,
        size: number::decimal(cell(3)?)?,
        price: integer(cell(4)?)?,
        rests_as_bid: integer(cell(5)?)? == 1,
    })
}

/// Reads a line of the book; false where it is none.
fn sides(line: &[u8], cells: &mut Vec<(u32, u32)>, book: &mut SnapshotBook) -> bool {
    csv::split(line, b',', usize::MAX, cells);
    book.begin();
    if cells.is_empty() || !cells.len().is_multiple_of(4) {
        return false;
    }
    let cell = |(from, to): (u32, u32)| integer(&line[from as usize..to as usize]);
    for level in cells.chunks_exact(4) {
        let numbers = (cell(level[0]), cell(level[1]), cell(level[2]), cell(level[3]));
        let (Some(ask), Some(ask_size), Some(bid), Some(bid_size)) = numbers else { return false };
        let there = |price: i64, size: i64| -> Option<(f64, f64)> {
            let is_level = price > 0 && price < NO_PRICE && size > 0;
            Some((number::whole(price)? / PRICE, number::whole(size)?)).filter(|_| is_level)
        };
        if let Some((price, size)) = there(ask, ask_size) {
            book.ask(price, size);
        }
        if let Some((price, size)) = there(bid, bid_size) {
            book.bid(price, size);
        }
    }
    true
}

fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = text.strip_prefix(b"-").map_or((false, text), |digits| (true, digits));
    let n = i64::try_from(number::unsigned(digits)?).ok()?;
    Some(if negative { -n } else { n })
}

/// Seconds with decimals, exactly as they are written; what is below a nanosecond is noise of the float it was once.
fn seconds(text: &[u8]) -> Option<Span> {
    let text = core::str::from_utf8(text).ok()?;
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part = part.get(..9).unwrap_or(part);
    let digits = u32::try_from(part.len()).ok()?;
    let nanos = part.parse::<i64>().ok()? * 10_i64.pow(9 - digits);
    let whole: i64 = whole.parse().ok().filter(|s| (0..=86_400).contains(s))?;
    Some(Span(whole * 1_000_000_000 + nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn midnight_in_new_york_moves_with_daylight_time() {
        for (date, hours) in [
            ("2012-06-21", -4),
            ("2012-01-03", -5),
            ("2012-03-11", -5),
            ("2012-03-12", -4),
            ("2012-11-04", -4),
            ("2012-11-05", -5),
        ] {
            assert_eq!(new_york(Ts::parse(date).unwrap()), Span::hours(hours), "{date}");
        }
    }

    #[test]
    fn seconds_are_read_to_the_nanosecond() {
        for (text, want) in [
            ("34200.004241176", Some(34_200_004_241_176)),
            ("34200.18960767", Some(34_200_189_607_670)),
            ("34200", Some(34_200_000_000_000)),
            ("43002.632812672004", Some(43_002_632_812_672)),
            ("34200.", None),
            ("x", None),
        ] {
            assert_eq!(seconds(text.as_bytes()).map(|s| s.0), want, "{text}");
        }
    }
}
