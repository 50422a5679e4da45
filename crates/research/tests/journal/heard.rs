//! What listeners hear of a journal with holes: of a process that stopped or was killed, of a file that is torn or damaged, of a market
//! that is taken up while it runs.

use crate::made::{BEFORE, End, Message, Recorder, behind, config, messages};
use barograph_domain::depth::BookSides;
use barograph_domain::{GapReason, InstrumentName, Span, Ts};
use barograph_lake::Error;
use barograph_lake::recorded::{
    JournalAudience, JournalPlayed, RecordListener, RecordStamps, RecordedFeed, RecordedTrade, play_journal,
};
use barograph_testkit::recorded;
use barograph_venues::session::MarketSpec;
use std::path::{Path, PathBuf};

/// One thing that was heard.
#[derive(Clone, PartialEq, Debug)]
enum Word {
    Book { at: (Ts, Ts), best: [(f64, f64); 2], levels: usize, updates: u32 },
    Trade { at: (Ts, Ts), trade: (f64, f64, bool) },
    Lost(RecordedFeed, Ts, GapReason),
    Begins,
    Resumed(Ts),
}

impl Word {
    fn recv(&self) -> Option<Ts> {
        match self {
            Self::Book { at, .. } | Self::Trade { at, .. } => Some(at.1),
            _ => None,
        }
    }

    fn is_data(&self) -> bool {
        self.recv().is_some()
    }
}

/// Writes down what it hears.
#[derive(Default, Debug)]
struct Scribe {
    words: Vec<Word>,
    passed: Option<Ts>,
    /// Something came behind what was said to be over.
    late: bool,
}

impl RecordListener for Scribe {
    type Failure = Error;

    fn book(&mut self, at: RecordStamps, sides: &BookSides<'_>, updates: u32) -> Result<(), Error> {
        self.late |= self.passed > Some(at.recv);
        let best = [sides.bids[0], sides.asks[0]].map(|l| (l.price, l.size));
        let levels = sides.bids.len() + sides.asks.len();
        self.words.push(Word::Book { at: (at.event, at.recv), best, levels, updates });
        Ok(())
    }

    fn trade(&mut self, at: RecordStamps, t: RecordedTrade) -> Result<(), Error> {
        self.words.push(Word::Trade { at: (at.event, at.recv), trade: (t.price, t.size, t.is_buy) });
        Ok(())
    }

    fn lost(&mut self, feed: RecordedFeed, from: Ts, why: GapReason) -> Result<(), Error> {
        self.words.push(Word::Lost(feed, from, why));
        Ok(())
    }

    fn trades_begin(&mut self, _: Ts) -> Result<(), Error> {
        self.words.push(Word::Begins);
        Ok(())
    }

    fn passed(&mut self, recv: Ts) -> Result<(), Error> {
        self.late |= self.passed > Some(recv);
        self.passed = Some(recv);
        Ok(())
    }

    fn resumed(&mut self, recv: Ts) -> Result<(), Error> {
        self.words.push(Word::Resumed(recv));
        Ok(())
    }
}

struct Everyone;

impl JournalAudience for Everyone {
    type Listener = Scribe;

    fn cares_for(&self, _: &str) -> bool {
        true
    }

    fn listener(&mut self, _: &InstrumentName, _: &MarketSpec, has_book: bool) -> Result<Option<Scribe>, Error> {
        Ok(has_book.then(Scribe::default))
    }
}

fn play(root: &Path) -> JournalPlayed<Scribe> {
    let played = play_journal(root, None, &mut Everyone).unwrap();
    assert!(played.markets.iter().all(|m| !m.listener.late), "time goes on");
    played
}

/// Words of one market.
fn words(played: &JournalPlayed<Scribe>, symbol: &str) -> Vec<Word> {
    played.markets.iter().find(|m| m.name.symbol == symbol).map_or_else(Vec::new, |m| m.listener.words.clone())
}

/// Half a minute of Hyperliquid, whose every message is a whole book.
fn hyperliquid() -> Option<Vec<Message>> {
    let path = recorded("raw/hftbacktest/hyperliquid_btc_20250126.gz")?;
    Some(messages(&[("BTC", &path)], usize::MAX))
}

fn of_hyperliquid() -> Recorder {
    Recorder::new("hyperliquid", config("hyperliquid", &["BTC"]))
}

/// The same messages in one process, and in two with a pause between them.
#[test]
fn a_process_that_was_not_running_is_a_hole_and_what_came_before_and_after_is_heard() {
    let Some(all) = hyperliquid() else { return };
    let (first, rest) = all.split_at(all.len() / 3);
    let (away, second) = rest.split_at(rest.len() / 3);
    let whole = tempfile::tempdir().unwrap();
    of_hyperliquid().run(whole.path(), &all, End::InOrder);
    let whole = words(&play(whole.path()), "BTC");
    assert!(whole.iter().all(|w| w.is_data() || *w == Word::Begins), "nothing is missing: {whole:?}");
    let heard = |messages: &[Message]| -> Vec<Word> {
        let (from, to) = (messages[0].at, messages[messages.len() - 1].at);
        whole.iter().filter(|w| w.recv().is_some_and(|at| from <= at && at <= to)).cloned().collect()
    };
    for end in [End::InOrder, End::Killed] {
        let dir = tempfile::tempdir().unwrap();
        let mut recorder = of_hyperliquid();
        recorder.run(dir.path(), first, end);
        recorder.run(dir.path(), second, end);
        let played = play(dir.path());
        assert_eq!((played.troubles.len(), played.unclosed > 0), (0, end == End::Killed), "{played:?}");
        let words = words(&played, "BTC");
        let (before, after) = words.split_at(words.iter().position(|w| matches!(w, Word::Lost(..))).unwrap());
        let data = |words: &[Word]| -> Vec<Word> { words.iter().filter(|w| w.is_data()).cloned().collect() };
        assert_eq!(data(before), heard(first), "{end:?}");
        assert_goes_on(&data(after), &heard(second));
        assert!(heard(away).len() > 5, "there was something to be missed");
        let lost: Vec<_> = after.iter().filter(|w| matches!(w, Word::Lost(..))).collect();
        let newest = |book: bool| {
            let ours = before.iter().filter(|w| matches!(w, Word::Book { .. }) == book);
            ours.filter_map(|w| match w {
                Word::Book { at, .. } | Word::Trade { at, .. } => Some(at.0),
                _ => None,
            })
            .max()
        };
        assert_eq!(
            lost,
            [
                &Word::Lost(RecordedFeed::Book, newest(true).unwrap(), GapReason::NotRunning),
                &Word::Lost(RecordedFeed::Trades, newest(false).unwrap(), GapReason::NotRunning),
            ],
            "said once each: {end:?}"
        );
        assert!(after.iter().any(|w| matches!(w, Word::Resumed(at) if *at == second[0].at - BEFORE)));
        assert!(after.contains(&Word::Begins));
    }
}

/// All books are heard behind a hole, and trades from some moment on: of the first message of a connection the venue's session cannot
/// know which trades are new.
#[track_caller]
fn assert_goes_on(have: &[Word], want: &[Word]) {
    let part = |words: &[Word], book: bool| -> Vec<Word> {
        let some = words.iter().filter(|w| w.is_data() && matches!(w, Word::Book { .. }) == book);
        without_updates(some.cloned().collect())
    };
    assert_eq!(part(have, true), part(want, true));
    let trades = part(have, false);
    assert!(!trades.is_empty() && part(want, false).ends_with(&trades));
}

/// How many levels a whole book changes is counted from the one before it, which another process did not see.
fn without_updates(words: Vec<Word>) -> Vec<Word> {
    let bare = |w| match w {
        Word::Book { at, best, levels, .. } => Word::Book { at, best, levels, updates: 0 },
        other => other,
    };
    words.into_iter().map(bare).collect()
}

fn files_of(root: &Path, below: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root.join(below)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

#[test]
fn a_file_torn_at_any_byte_loses_its_end_and_nothing_else() {
    let Some(path) = recorded("raw/hftbacktest/binance-usdm_btcusdt_20240808.gz") else { return };
    let all = messages(&[("BTCUSDT", &path)], 8_000);
    let dir = tempfile::tempdir().unwrap();
    Recorder::new("binance-usdm", config("binance-usdm", &["BTCUSDT"])).run(dir.path(), &all, End::InOrder);
    let whole = words(&play(dir.path()), "BTCUSDT");
    let split = |words: &[Word], book: bool| -> Vec<Word> {
        words.iter().filter(|w| w.is_data() && matches!(w, Word::Book { .. }) == book).cloned().collect()
    };
    let frames = files_of(dir.path(), "venue=binance-usdm");
    let largest = frames.iter().max_by_key(|f| f.metadata().unwrap().len()).unwrap();
    let bytes = std::fs::read(largest).unwrap();
    let mut shorter = 0;
    for part in [0, 1, 3, 7, 8, 15] {
        let cut = bytes.len() * part / 16 + usize::from(part == 1);
        std::fs::write(largest, &bytes[..cut]).unwrap();
        let torn = play(dir.path());
        let heard = words(&torn, "BTCUSDT");
        for book in [true, false] {
            let (have, want) = (split(&heard, book), split(&whole, book));
            assert!(want.starts_with(&have), "cut at {cut} of {}: {} of {}", bytes.len(), have.len(), want.len());
            shorter += usize::from(have.len() < want.len());
        }
        assert!(torn.unclosed == 1 || !torn.troubles.is_empty(), "{:?} at {cut}", torn.troubles);
    }
    assert!(shorter > 3);
    std::fs::write(largest, &bytes).unwrap();
    assert_eq!(words(&play(dir.path()), "BTCUSDT"), whole);
}

#[test]
fn damage_is_a_hole_up_to_the_next_start() {
    let Some(all) = hyperliquid() else { return };
    let (first, second) = (&all[..all.len() / 2], behind(&all, all.len() / 2, Span::secs(1)));
    for (below, of) in [("venue=hyperliquid", "nothing of hyperliquid behind it"), ("control", "nothing behind it")] {
        let dir = tempfile::tempdir().unwrap();
        let mut recorder = of_hyperliquid();
        recorder.run(dir.path(), first, End::InOrder);
        recorder.run(dir.path(), second, End::InOrder);
        let whole = words(&play(dir.path()), "BTC");
        let file = &files_of(dir.path(), below)[0];
        let mut bytes = std::fs::read(file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 8].iter_mut().for_each(|b| *b ^= 0xff);
        std::fs::write(file, &bytes).unwrap();
        let played = play(dir.path());
        assert!(played.troubles.iter().any(|t| t.contains(of)), "{below}: {:?}", played.troubles);
        let heard = words(&played, "BTC");
        let data = |words: &[Word]| without_updates(words.iter().filter(|w| w.is_data()).cloned().collect());
        let (have, want) = (data(&heard), data(&whole));
        let behind = |words: &[Word]| -> Vec<Word> {
            words.iter().filter(|w| w.recv().is_some_and(|at| at >= second[0].at)).cloned().collect()
        };
        let kept = have.len() - behind(&have).len();
        assert_eq!(have[..kept], want[..kept], "{below}");
        assert!(kept < want.len() - behind(&want).len(), "{below}: something is missing");
        assert_goes_on(&behind(&have), &behind(&want));
    }
}

/// Two markets of a process that began with one of them, and the snapshots of both.
fn two() -> Option<Vec<Message>> {
    let btc = recorded("raw/hftbacktest/binance-usdm_btcusdt_20240808.gz")?;
    let eth = recorded("raw/hftbacktest/binance-usdm_ethusdt_20240808.gz")?;
    Some(messages(&[("BTCUSDT", &btc), ("ETHUSDT", &eth)], 4_000))
}

#[test]
fn a_market_is_heard_from_when_it_is_taken_up() {
    let Some(all) = two() else { return };
    let [one, both] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    Recorder::new("binance-usdm", config("binance-usdm", &["BTCUSDT", "ETHUSDT"])).run(both.path(), &all, End::InOrder);
    let mut recorder = Recorder::new("binance-usdm", config("binance-usdm", &["BTCUSDT"]));
    recorder.then_lists(&["BTCUSDT", "ETHUSDT"]);
    recorder.run(one.path(), &all, End::InOrder);
    let (one, both) = (play(one.path()), play(both.path()));
    for symbol in ["BTCUSDT", "ETHUSDT"] {
        let have = words(&one, symbol);
        assert!(have.iter().filter(|w| w.is_data()).count() > 300, "{symbol}");
        assert_eq!(have, words(&both, symbol), "{symbol}");
    }
}

/// A process went on from one whose journal is gone: its requests have numbers that a session at its beginning does not give.
#[test]
fn answers_are_known_by_their_addresses_where_the_beginning_is_gone() {
    let Some(all) = two() else { return };
    let body = all.iter().position(|m| m.bytes.starts_with(b"{\"lastUpdateId\"")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = Recorder::new("binance-usdm", config("binance-usdm", &["BTCUSDT", "ETHUSDT"]));
    recorder.run(dir.path(), &all[..body / 2], End::InOrder);
    let gone: Vec<_> = ["control", "venue=binance-usdm"].iter().flat_map(|below| files_of(dir.path(), below)).collect();
    recorder.run(dir.path(), behind(&all, body / 2, Span::millis(1)), End::InOrder);
    let whole = play(dir.path());
    gone.iter().for_each(|path| std::fs::remove_file(path).unwrap());
    let rest = play(dir.path());
    assert!(rest.troubles.iter().any(|t| t.contains("has no start in this journal any more")), "{:?}", rest.troubles);
    for symbol in ["BTCUSDT", "ETHUSDT"] {
        let data = |played| -> Vec<Word> { words(played, symbol).into_iter().filter(Word::is_data).collect() };
        let have = data(&rest);
        assert!(have.iter().filter(|w| matches!(w, Word::Book { .. })).count() > 100, "{symbol}");
        assert!(data(&whole).ends_with(&have), "{symbol}");
    }
}

/// A venue of several connections: while the first of them is closed, its session still holds the book of the other.
#[test]
fn a_book_of_before_is_not_heard_again() {
    let Some(all) = two() else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = Recorder::new("binance-usdm", config("binance-usdm", &["BTCUSDT", "ETHUSDT"]));
    recorder.run(dir.path(), &all[..all.len() / 2], End::Killed);
    // The recording holds one snapshot: behind the pause there is no book.
    recorder.run(dir.path(), behind(&all, all.len() / 2, Span::secs(1)), End::InOrder);
    let played = play(dir.path());
    for symbol in ["BTCUSDT", "ETHUSDT"] {
        let words = words(&played, symbol);
        let (before, after) = words.split_at(words.iter().position(|w| matches!(w, Word::Lost(..))).unwrap());
        let books = |words: &[Word]| words.iter().filter(|w| matches!(w, Word::Book { .. })).count();
        assert!(books(before) > 100 && books(after) == 0, "{symbol}: {} after", books(after));
        let lost = |feed| after.iter().filter(|w| matches!(w, Word::Lost(f, ..) if *f == feed)).count();
        assert_eq!((lost(RecordedFeed::Book), lost(RecordedFeed::Trades)), (1, 1), "{symbol}");
        assert!(after.iter().any(|w| matches!(w, Word::Trade { .. })), "{symbol}");
    }
}

/// A market of contracts whose worth nobody wrote down is left out, with a sentence; the others are heard.
#[test]
fn contracts_of_unknown_worth_are_left_out_and_named() {
    let message = |n: i64| Message {
        at: Ts::from_civil(2026, 2, 5, 14, 0, 0) + Span::secs(n),
        symbol: "BTC-USDT",
        bytes: br#"{"event":"subscribe","arg":{"channel":"trades","instId":"BTC-USDT"}}"#.to_vec(),
    };
    let all: Vec<Message> = (0..3).map(message).collect();
    let mut with = config("okx", &["BTC-USDT-SWAP", "ETH-USDT-SWAP"]);
    with.markets[1].contract_size = Some(0.1);
    let dir = tempfile::tempdir().unwrap();
    Recorder::new("okx", with).run(dir.path(), &all, End::InOrder);
    let played = play(dir.path());
    let left_out: Vec<&String> = played.troubles.iter().filter(|t| t.contains("is left out")).collect();
    assert!(left_out.len() == 1 && left_out[0].starts_with("okx:BTC-USDT-SWAP "), "{:?}", played.troubles);
    assert_eq!(played.markets.iter().map(|m| m.name.symbol.as_str()).collect::<Vec<_>>(), ["ETH-USDT-SWAP"]);
}
