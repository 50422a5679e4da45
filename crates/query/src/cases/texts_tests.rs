//! Every text that a case can be shown with: the sentences of this module, refusals, and whole pages of every pattern in every state.

use super::{attachments, html, json, precision, view, words};
use crate::events::view as event_view;
use barograph_domain::alert::{AlertChange, Statistic, Word};
use barograph_domain::case::{
    BookStep, CaseCount, CaseEntry, CaseEvidence, CaseFile, CaseRecording, CaseRefusal, CaseStanding, CaseStep,
    Disposition, EntryDraft, PriceLevel, RecordedFrom, TapeTrade,
};
use barograph_domain::{Alert, InstrumentName, Kind, KnownAlert, Pattern, Severity, Side, Ts};
use barograph_store::StoredCase;
use barograph_testkit::Voice;

const AT: Ts = Ts::from_civil(2026, 2, 5, 14, 35, 0);
const STEPS: [CaseStep; 6] = [
    CaseStep::Filed,
    CaseStep::Noted,
    CaseStep::Acknowledged,
    CaseStep::Closed(Disposition::True),
    CaseStep::Closed(Disposition::False),
    CaseStep::Closed(Disposition::Unclear),
];

fn statistic() -> Statistic {
    Statistic {
        name: Word::from("size"),
        value: Some(-7.5),
        reason: None,
        threshold: 5.0,
        u: Some(1.5),
        unit: Word::from("base"),
        kind: Kind::Sampled,
        coverage: 1.0,
        decides: true,
        uncalibrated: false,
    }
}

fn evidence(pattern: Pattern) -> CaseEvidence {
    let instrument = InstrumentName::parse("binance-usdm:BTCUSDT").unwrap();
    let alert = Alert { statistics: vec![statistic()], score: 70.0, ..Alert::opened(pattern, AT, Severity::High) };
    let known = KnownAlert { known_at: AT, alert };
    let read = event_view(&instrument, "v1", &known, 0.9, None);
    let later = Alert { change: AlertChange::Closed, closed_at: Some(AT), score: 10.0, ..known.alert.clone() };
    CaseEvidence {
        alert_id: known.alert.id(&instrument, "v1"),
        instrument,
        logic_version: "v1".to_owned(),
        records: vec![known, KnownAlert { known_at: AT, alert: later }],
        title: read.title,
        description: read.description,
        statistics: read.evidence.statistics,
        limits: read.evidence.limits,
    }
}

fn entries(steps: &[CaseStep]) -> Vec<CaseEntry> {
    let mut all = Vec::new();
    for step in steps {
        let note = (*step == CaseStep::Noted).then_some("a note");
        all.extend(EntryDraft::new(AT, "ann", *step, note).unwrap().behind("c", &all).unwrap());
    }
    all
}

fn case(pattern: Pattern, steps: &[CaseStep]) -> StoredCase {
    let entries = entries(steps);
    let standing = CaseStanding::of(&entries).unwrap();
    let file = CaseFile { case_id: "c".to_owned(), filed_at: AT, evidence: vec![evidence(pattern)] };
    StoredCase { file, entries, standing }
}

fn recording(alert_id: &str, source: RecordedFrom) -> CaseRecording {
    let level = |price| PriceLevel { price, qty: 2.5 };
    let book = BookStep { at: AT, known_at: AT, bids: vec![level(99.5)], asks: vec![level(100.5)] };
    let trade = |aggressor_side| TapeTrade { at: AT, known_at: AT, price: 100.5, qty: 0.1, aggressor_side };
    CaseRecording {
        alert_id: alert_id.to_owned(),
        source,
        moment: AT,
        from: AT,
        until: AT,
        books: vec![book],
        trades: vec![trade(Some(Side::Long)), trade(Some(Side::Short)), trade(None)],
        books_left_out: 3,
        trades_left_out: 4,
    }
}

/// Texts between tags; cells of tables hold words of the wire and moments to the millisecond, so they are read by themselves.
fn texts(page: &str) -> (Vec<String>, Vec<String>) {
    let plain = |html: &str| html.replace("&#39;", "'").replace("&quot;", "\"").replace("&amp;", "&");
    let of = |open: &str, close: &str| -> Vec<String> {
        let parts = page.split(open).skip(1);
        parts.filter_map(|rest| rest.split_once('>')?.1.split(close).next().map(plain)).collect()
    };
    (
        [of("<p", "</p>"), of("<h1", "</h1>"), of("<h2", "</h2>")].concat(),
        [of("<td", "</td>"), of("<th", "</th>")].concat(),
    )
}

#[test]
fn no_text_of_a_case_says_detected_names_anybody_or_tells_anybody_to_trade() {
    let mut voice = Voice::default();
    let mut all: Vec<String> = [
        words::WHO,
        words::WHAT,
        words::NOTHING_RECORDED,
        words::FROM_STORE,
        words::FROM_JOURNAL,
        words::PRECISION,
        words::FOLLOWED,
        words::NO_DISPOSITION,
        words::NOT_INJECTED,
        words::NO_CASES,
    ]
    .map(str::to_owned)
    .to_vec();
    all.extend(STEPS.map(|step| format!("ann {}", words::did(step))));
    all.extend([words::alert_count(0), words::nothing_around("Burst of liquidations")]);
    let refusals =
        [CaseRefusal::Author, CaseRefusal::Note, CaseRefusal::NoWords, CaseRefusal::FiledAlready, CaseRefusal::Closed];
    all.extend(refusals.map(|r| r.to_string()));
    let mut cells = Vec::new();
    for pattern in Pattern::ALL {
        for upto in 1..=STEPS.len() {
            let stored = case(*pattern, &STEPS[..upto]);
            let id = stored.file.evidence[0].alert_id.clone();
            for recordings in
                [Vec::new(), vec![recording(&id, RecordedFrom::Journal)], vec![recording(&id, RecordedFrom::Store)]]
            {
                let attached = attachments(&stored.file, &recordings).unwrap();
                let shown = view(&stored, &recordings, &[], Vec::new(), &attached);
                let (sentences, own) = texts(&html(&shown, &recordings, AT));
                assert!(sentences.len() > 15 && !own.is_empty(), "{pattern:?}");
                all.extend(sentences);
                cells.extend(own);
                assert_eq!(shown.alerts[0].recorded, !recordings.is_empty());
            }
        }
    }
    for text in all.iter().chain(&cells) {
        let lower = text.to_lowercase();
        for word in ["detected", "manipulation was", "manipulated", "!", "guilty", "culprit"] {
            assert!(!lower.contains(word), "{text}");
        }
        let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).collect();
        for word in ["buy", "sell", "should", "must"] {
            assert!(!words.contains(&word), "{text}");
        }
    }
    // What a detector says of an episode has a catalogue of its own, of real readings; these are made up.
    let of_detectors: Vec<String> = Pattern::ALL
        .iter()
        .flat_map(|p| {
            let CaseEvidence { title, description, limits, .. } = evidence(*p);
            [vec![title, description], limits].concat()
        })
        .collect();
    let own = |text: &&String| of_detectors.iter().all(|theirs| !text.contains(theirs));
    all.iter().filter(own).for_each(|text| voice.check_each("case", text));
    println!("{}", voice.catalogue());
    assert!(voice.len() > 35, "only {} texts", voice.len());
    assert!(voice.faults().is_empty(), "{}", voice.faults().join("\n"));
}

#[test]
fn a_case_shows_its_strongest_record_and_no_precision_without_a_disposition() {
    let stored = case(Pattern::Spoofing, &STEPS[..1]);
    let shown = view(&stored, &[], &[], Vec::new(), &[]);
    assert_eq!((shown.alerts[0].anomaly_score, shown.alerts[0].closed_at), (70.0, Some(AT)));
    assert_eq!(shown.alerts[0].page, "/m/binance-usdm:BTCUSDT?as_of=2026-02-05T14:35:00Z");
    let own = &shown.precision[0];
    assert_eq!((own.precision_by_disposition, own.closed_unclear), (None, 0));
    assert_eq!(own.precision_on_injections.map(|s| s.low), Some(0.96));
    let counted = CaseCount { confirmed: 3, refuted: 1, unclear: 5, ..CaseCount::none(Pattern::Spoofing) };
    let share = precision(Pattern::Spoofing, &[counted]).precision_by_disposition.unwrap();
    assert!((share.value - 0.75).abs() < 1e-12 && share.low > 0.3 && share.high < 0.96, "{share:?}");
}

#[test]
fn the_digest_of_an_attachment_is_that_of_its_text() {
    let stored = case(Pattern::Layering, &STEPS[..1]);
    let recordings = [recording(&stored.file.evidence[0].alert_id, RecordedFrom::Journal)];
    let attached = attachments(&stored.file, &recordings).unwrap();
    let shown = view(&stored, &recordings, &[], Vec::new(), &attached);
    let document: serde_json::Value = serde_json::from_slice(&json(&shown, &attached, AT).unwrap()).unwrap();
    assert_eq!(document["attachments"].as_array().unwrap().len(), 2);
    let evidence: CaseEvidence = serde_json::from_str(document["attachments"][0]["content"].as_str().unwrap()).unwrap();
    assert_eq!(evidence, stored.file.evidence[0], "bit for bit");
    let kept: CaseRecording = serde_json::from_str(document["attachments"][1]["content"].as_str().unwrap()).unwrap();
    assert_eq!(kept, recordings[0]);
    assert_eq!(document["case"]["attachments"][0]["sha256"], document["attachments"][0]["sha256"]);
}
