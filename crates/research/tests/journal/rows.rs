//! From journals to the lake's files.

use crate::made::{BEFORE, End, Message, Recorder, behind, config, messages, recording};
use barograph_domain::{InstrumentName, Span};
use barograph_lake::journal::{ControlRecord, JournalConfig, JournalWriter};
use barograph_lake::layers::{HourManifest, LakeQuery, UnknownTime, hours};
use barograph_research::ResearchError;
use barograph_research::dataset::{
    DatasetBeside, DatasetRequest, JournalDataset, JournalRequest, record, record_journal, record_journal_beside,
};
use barograph_testkit::recorded;
use std::path::Path;

const USDM: &str = "binance-usdm";

/// Manifests of all hours, by table and market; of hours under way, what they would be.
fn manifests(lake: &Path) -> Vec<HourManifest> {
    let all = hours(lake, &LakeQuery::default()).unwrap();
    let all =
        all.iter().map(|hour| hour.manifest().unwrap().or_else(|| hour.so_far().unwrap()).expect("stopped in order"));
    all.map(|m| HourManifest { files: Vec::new(), ..m }).collect()
}

fn ask(dir: &Path, lake: &str, markets: &[&str]) -> JournalRequest {
    let markets = markets.iter().map(|m| InstrumentName::parse(m).unwrap()).collect();
    JournalRequest { data: dir.to_owned(), markets, lake: dir.join(lake), from: None, until: None }
}

fn record_of(request: &JournalRequest) -> Result<JournalDataset, ResearchError> {
    record_journal(request, &mut |_, _| {})
}

/// About two minutes of two markets.
fn two_markets() -> Option<Vec<Message>> {
    let btc = recorded("raw/hftbacktest/binance-usdm_btcusdt_20240808.gz")?;
    let eth = recorded("raw/hftbacktest/binance-usdm_ethusdt_20240808.gz")?;
    Some(messages(&[("BTCUSDT", &btc), ("ETHUSDT", &eth)], 20_000))
}

#[test]
fn a_journal_gives_the_rows_of_the_recordings_it_was_fed_with_and_gives_them_once() {
    let Some(all) = two_markets() else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = Recorder::new(USDM, config(USDM, &["BTCUSDT", "ETHUSDT"]));
    recorder.run(&dir.path().join("journal"), &all, End::InOrder);
    let request = ask(dir.path(), "lake", &[]);
    let mut heard = Vec::new();
    let done = record_journal(&request, &mut |at, of| heard.push((at, of))).unwrap();
    assert_eq!(done.troubles, Vec::<String>::new());
    assert!(heard.len() > 60 && heard.is_sorted() && heard.last().is_some_and(|(at, of)| at <= of && *of > 60));
    for symbol in ["BTCUSDT", "ETHUSDT"] {
        let file = dir.path().join(symbol);
        recording(&file, &all, symbol);
        let market = InstrumentName::new(USDM, symbol).unwrap();
        let direct = DatasetRequest {
            market: market.clone(),
            files: vec![file],
            lake: dir.path().join("direct"),
            tick: None,
            contract_size: None,
        };
        let direct = record(&direct, &mut |_, _| {}).unwrap();
        let (_, own) = done.markets.iter().find(|(name, _)| *name == market).unwrap();
        assert_eq!(own.played.played, direct.played.played, "{symbol}");
        assert!(
            direct.valid > 60 && direct.played.played.books > 500 && direct.played.played.trades > 500,
            "{direct:?}"
        );
    }
    let (rows, direct) = (manifests(&dir.path().join("lake")), manifests(&dir.path().join("direct")));
    assert_eq!(direct.len(), 6);
    assert_eq!(rows, direct);
    // Again, and with one market alone.
    for markets in [&[][..], &["binance-usdm:BTCUSDT"]] {
        let again =
            record_of(&JournalRequest { lake: request.lake.clone(), ..ask(dir.path(), "lake", markets) }).unwrap();
        for (name, report) in &again.markets {
            assert!(report.rows == 0 && report.already > 1_000, "{name}: {report:?}");
        }
        assert_eq!(manifests(&request.lake), rows);
    }
    for (reference, troubles) in [("binance-usdm:BTCUSDT", 0), ("bybit:BTCUSTD", 1)] {
        let beside =
            DatasetBeside { reference: Some(InstrumentName::parse(reference).unwrap()), ..DatasetBeside::default() };
        let again = record_journal_beside(&request, &beside, &mut |_, _| {}).unwrap().troubles;
        assert_eq!(again.iter().filter(|trouble| trouble.contains(reference)).count(), troubles, "{again:?}");
    }
    let none = record_of(&ask(dir.path(), "none", &["binance-usdm:SOLUSDT"])).unwrap_err().to_string();
    assert!(none.contains("no book and no trade of binance-usdm:SOLUSDT"), "{none}");
}

#[test]
fn seconds_without_a_process_have_no_rows_and_the_gap_is_in_the_manifests() {
    let Some(path) = recorded("raw/hftbacktest/hyperliquid_btc_20250126.gz") else { return };
    let all = messages(&[("BTC", &path)], usize::MAX);
    let first = &all[..all.len() / 3];
    let second = behind(&all, all.len() / 3, Span::secs(6));
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = Recorder::new("hyperliquid", config("hyperliquid", &["BTC"]));
    recorder.run(&dir.path().join("journal"), first, End::Killed);
    recorder.run(&dir.path().join("journal"), second, End::InOrder);
    let request = ask(dir.path(), "lake", &[]);
    let done = record_of(&request).unwrap();
    let (_, report) = &done.markets[0];
    assert_eq!((report.played.played.book_losses, report.played.played.trade_losses), (1, 1), "{report:?}");
    let rows = manifests(&request.lake);
    for table in ["orderbook", "trades"] {
        let gaps = UnknownTime::default().of(rows.iter().find(|m| m.table == table).unwrap());
        let (last, back) = (first[first.len() - 1].at, second[0].at);
        let long = |g: &barograph_lake::layers::HourGap| {
            g.until - g.from > Span::secs(5) && g.from < last && back < g.until + Span::secs(3)
        };
        assert!(matches!(&gaps[..], [gap] if gap.reason == "not_running" && long(gap)), "{table}: {gaps:?}");
    }
    let features = rows.iter().find(|m| m.table == "features").unwrap();
    let seconds = (features.last_ts.unwrap() - features.first_ts.unwrap()).0 / 1_000_000_000 + 1;
    let missing = u64::try_from(seconds).unwrap() - features.rows;
    assert!((5..=9).contains(&missing), "{missing} of {seconds} seconds without a row");
    assert_eq!((features.rows, report.valid > 5), (report.rows, true));
}

#[test]
fn only_hours_that_were_asked_for_are_written_and_a_journal_may_be_in_use() {
    let Some(all) = two_markets() else { return };
    let all: Vec<Message> = all.into_iter().filter(|m| m.symbol == "BTCUSDT").collect();
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("journal");
    Recorder::new(USDM, config(USDM, &["BTCUSDT"])).run(&root, &all, End::InOrder);
    let hour = all[0].at.floor(Span::hours(1));
    // (from, until) in minutes of the hour, and whether its rows are there.
    for (n, (from, until, is_there)) in [
        (Some(59), None, true),
        (None, Some(1), true),
        (Some(60), None, false),
        (None, Some(0), false),
        (Some(-60), Some(60), true),
    ]
    .into_iter()
    .enumerate()
    {
        let at = |m: i64| hour + Span::mins(m);
        let asked =
            JournalRequest { from: from.map(at), until: until.map(at), ..ask(dir.path(), &format!("lake{n}"), &[]) };
        match record_of(&asked) {
            Ok(done) => assert_eq!(done.markets[0].1.rows > 60, is_there, "{from:?} {until:?}"),
            Err(e) => assert!(!is_there, "{e}"),
        }
        assert_eq!(!manifests(&asked.lake).is_empty(), is_there, "{from:?} {until:?}");
    }
    // Beside a process that writes it, what may not be in all its files yet is left for later.
    let (mut writer, _) = JournalWriter::open(JournalConfig::new(&root), all[all.len() - 1].at + BEFORE).unwrap();
    let tick = all[all.len() - 1].at + Span::secs(170);
    writer.control(tick, &ControlRecord::Tick).unwrap();
    writer.flush().unwrap().wait().unwrap();
    let beside = record_of(&ask(dir.path(), "beside", &[])).unwrap();
    let (_, until) = beside.span.unwrap();
    assert!(until <= tick - Span::secs(200) && beside.markets[0].1.rows > 10, "{beside:?}");
    writer.close().unwrap();
    let rest = record_of(&ask(dir.path(), "beside", &[])).unwrap();
    assert!(rest.markets[0].1.rows > 10 && rest.markets[0].1.already > 100, "{rest:?}");
    record_of(&ask(dir.path(), "at-once", &[])).unwrap();
    assert_eq!(manifests(&dir.path().join("beside")), manifests(&dir.path().join("at-once")));
    let none = record_of(&ask(&dir.path().join("else"), "none", &[])).unwrap_err().to_string();
    assert!(none.contains("holds no journal"), "{none}");
}
