//! Beside similar cases stands what followed each, or why nothing is known of it.

use super::hand_clock::Hand;
use super::{BookId, Service};
use barograph_api::AskCases as _;
use barograph_api::cases::{CaseFormat, CaseView};
use barograph_domain::case::{CaseEvidence, CaseFile, CaseStep, Disposition, EntryDraft};
use barograph_domain::{
    Alert, InputAge, Instrument, InstrumentName, Kind, KnownAlert, MarketKind, Metric, MinuteRow, Pattern, Severity,
    Span, Stamp, StreamDecl, StreamIndex, Ts,
};
use barograph_engine::rules::RuleBook;
use barograph_store::{
    CaseOutcome, CaseWriter, Columns, LiveBatch, RunKey, RunSpec, SqliteReader, SqliteWriter, Writer as _, WriterRole,
};
use std::path::Path;
use std::sync::Arc;

const T0: Ts = Ts::from_civil(2026, 2, 5, 12, 0, 0);
/// Minutes that are stored: six hours.
const MINUTES: i64 = 360;
const NOW: Ts = Ts::from_civil(2026, 2, 6, 12, 0, 0);
const LOGIC: &str = "test";

fn at(minute: i64) -> Ts {
    T0 + Span::mins(minute)
}

fn market() -> InstrumentName {
    InstrumentName::parse("binance-usdm:BTCUSDT").unwrap()
}

/// 100 but for one minute of 75, three hours in.
fn price(minute: i64) -> f64 {
    if minute == 180 { 75.0 } else { 100.0 }
}

fn minutes(writer: &mut SqliteWriter) {
    let book = RuleBook::standard();
    let stream = StreamDecl {
        instrument: market(),
        metric: Metric::MarkPrice,
        kind: Kind::Measured,
        cadence: Span::secs(1),
        source: "binance-usdm".to_owned(),
        delay: Span::ZERO,
        stamp: Stamp::Instant,
        filled: false,
    };
    let run = RunSpec {
        key: RunKey { instrument: market(), logic_version: LOGIC.to_owned() },
        release: "test".to_owned(),
        book_text: RuleBook::shipped_text(&book.name).unwrap().to_owned(),
        book: book.name,
        config: String::new(),
        columns: Columns::default(),
        streams: vec![stream.clone()],
    };
    let row = |minute: i64| MinuteRow {
        price: Some(price(minute)),
        inputs: vec![InputAge {
            metric: Metric::MarkPrice,
            stream: Some(StreamIndex(0)),
            anchor: at(minute),
            gap: None,
        }],
        ..MinuteRow::bare(at(minute))
    };
    let rows: Vec<MinuteRow> = (0..=MINUTES).map(row).collect();
    let instruments = [Instrument { name: market(), kind: MarketKind::Perpetual, expiry: None }];
    let batch =
        LiveBatch { instruments: &instruments, streams: &[stream], runs: &[run], rows: &rows, ..LiveBatch::default() };
    writer.append(&batch).unwrap();
}

fn evidence(pattern: Pattern, score: f64, minute: i64, logic_version: &str) -> CaseEvidence {
    let alert = Alert { score, ..Alert::opened(pattern, at(minute), Severity::High) };
    CaseEvidence {
        alert_id: alert.id(&market(), logic_version),
        instrument: market(),
        logic_version: logic_version.to_owned(),
        records: vec![KnownAlert { known_at: at(minute), alert }],
        title: format!("{} of minute {minute}", pattern.name()),
        description: "Something was measured.".to_owned(),
        statistics: Vec::new(),
        limits: Vec::new(),
    }
}

/// Files a case of these, and closes it.
fn closed(writer: &mut SqliteWriter, filed_at: Ts, evidence: Vec<CaseEvidence>) -> String {
    let case_id = CaseFile::id_of(evidence.iter().map(|e| e.alert_id.as_str()));
    let file = CaseFile { case_id: case_id.clone(), filed_at, evidence };
    let entry = |step| EntryDraft::new(filed_at, "ann", step, None).unwrap();
    assert!(writer.file_case(&file, &entry(CaseStep::Filed), &[]).unwrap());
    let end = writer.write_case(&case_id, &entry(CaseStep::Closed(Disposition::True))).unwrap();
    assert!(matches!(end, CaseOutcome::Written(_)), "{end:?}");
    case_id
}

fn service(folder: &Path) -> Service {
    let reader = Box::new(SqliteReader::open(folder).unwrap());
    Service::new(reader, Arc::new(Hand::at(NOW)), None, BookId::named("default"), "binance-usdm".to_owned()).unwrap()
}

/// 5 min, 1 h, 4 h: moves in percent, or reasons.
fn moves(case: &CaseView, n: usize) -> Vec<String> {
    let outcome = case.similar[n].outcome.as_ref().unwrap();
    let of = |m: f64| format!("{:.1}", m * 100.0);
    outcome.spans.iter().map(|s| s.max_move.map_or_else(|| s.reason.unwrap().to_owned(), of)).collect()
}

#[test]
fn what_followed_stands_beside_similar_cases_or_why_it_is_not_known() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = SqliteWriter::open(folder.path(), &WriterRole::ALL).unwrap();
    minutes(&mut writer);
    let spoofing = |score, minute, logic| evidence(Pattern::Spoofing, score, minute, logic);
    let filed = |minute| at(minute) + Span::secs(10);
    // Of two alerts the one with the nearest score counts, and of another pattern none does.
    let layering = evidence(Pattern::Layering, 70.0, 60, LOGIC);
    let near = closed(&mut writer, filed(121), vec![layering, spoofing(20.0, 0, LOGIC), spoofing(71.0, 120, LOGIC)]);
    let late = closed(&mut writer, filed(300), vec![spoofing(75.0, 300, LOGIC)]);
    let gone = closed(&mut writer, filed(301), vec![spoofing(90.0, 10, "a logic without minutes")]);
    let own = closed(&mut writer, filed(MINUTES), vec![spoofing(70.0, MINUTES, LOGIC)]);
    drop(writer);

    let service = service(folder.path());
    let case = service.case(&own, None).unwrap();
    let found: Vec<&str> = case.similar.iter().map(|s| s.summary.case_id.as_str()).collect();
    assert_eq!(found, [near.as_str(), &late, &gone]);
    assert_eq!((case.similar[0].opened_at, &case.similar[0].instrument), (at(120), &market()));
    assert_eq!(moves(&case, 0), ["0.0", "-25.0", "-25.0"]);
    // Of four hours there are one.
    assert_eq!(moves(&case, 1), ["0.0", "0.0", "gap"]);
    assert_eq!((&case.similar[2].outcome, case.similar[2].outcome_reason), (&None, Some("not_stored")));
    let json = serde_json::to_value(&case.similar).unwrap();
    assert_eq!((&json[0]["outcome"]["spans"][1]["max_move"], &json[0].get("outcome_reason")), (&(-0.25).into(), &None));

    // As of a moment nothing is known of what came after it.
    let before = service.case(&own, Some(filed(MINUTES))).unwrap();
    assert_eq!(moves(&before, 0), ["0.0", "-25.0", "-25.0"]);
    assert_eq!(moves(&before, 1), ["0.0", "0.0", "not_over"]);

    let page = String::from_utf8(service.export_case(&own, CaseFormat::Html).unwrap()).unwrap();
    let row = "<td>binance-usdm:BTCUSDT at 2026-02-05T14:00:00Z</td>";
    let (_, rest) = page.split_once(row).unwrap();
    let (cells, _) = rest.split_once("</tr>").unwrap();
    let want = ["<td class=\"n\">0.0 %</td>", "<td class=\"n\">−25.0 %</td>"];
    assert!(want.iter().all(|cell| cells.contains(cell)), "{cells}");
    assert!(page.contains("no minute of that time is stored"), "{page}");
}
