//! Cases: filed once with their evidence, added to by whoever looks into them, known as they were at each moment, and there
//! whatever is pruned.

use super::alerts::story;
use super::{Factory, Site, hash, refused};
use crate::{CaseOutcome, CaseQuery, CaseWriter, CasesLike, Reader, Retention, WriterRole};
use barograph_domain::case::{
    BookStep, CaseCount, CaseEvidence, CaseFile, CaseRecording, CaseRefusal, CaseState, CaseStep, Disposition,
    EntryDraft, PriceLevel, RecordedFrom, TapeTrade,
};
use barograph_domain::{InstrumentName, KnownAlert, Pattern, Side, Span, Ts};

const T0: Ts = Ts(1_770_000_000_000_000_000);

fn at(minute: i64) -> Ts {
    T0 + Span::mins(minute)
}

/// A case about a burst of liquidations, filed at a minute.
#[must_use]
pub fn filed(name: &str, minute: i64) -> CaseFile {
    let records: Vec<KnownAlert> =
        story(10).into_iter().filter(|k| k.alert.pattern == Pattern::LiquidationCascade).collect();
    let evidence = CaseEvidence {
        alert_id: name.to_owned(),
        instrument: InstrumentName::parse("binance-usdm:BTCUSDT").unwrap(),
        logic_version: "v1+a".to_owned(),
        title: "Burst of liquidations".to_owned(),
        description: "5 liquidations within 60 s — “mostly” longs.".to_owned(),
        statistics: records[0].alert.statistics.clone(),
        limits: vec!["the feed is sampled".to_owned()],
        records,
    };
    CaseFile { case_id: CaseFile::id_of([name]), filed_at: at(minute), evidence: vec![evidence] }
}

/// A book and a trade around it.
#[must_use]
pub fn recorded(name: &str) -> CaseRecording {
    let level = |price| PriceLevel { price, qty: 0.1 + 0.2 };
    CaseRecording {
        alert_id: name.to_owned(),
        source: RecordedFrom::Store,
        moment: T0,
        from: T0 - Span::mins(1),
        until: T0 + Span::mins(1),
        books: vec![BookStep { at: T0, known_at: T0, bids: vec![level(99.9)], asks: vec![level(100.1)] }],
        trades: vec![TapeTrade {
            at: T0,
            known_at: T0,
            price: 1e300 / 3.0,
            qty: f64::MIN_POSITIVE,
            aggressor_side: Some(Side::Short),
        }],
        books_left_out: 3,
        trades_left_out: 0,
    }
}

/// An entry by somebody.
#[must_use]
pub fn entry(minute: i64, author: &str, step: CaseStep, note: Option<&str>) -> EntryDraft {
    EntryDraft::new(at(minute), author, step, note).unwrap()
}

fn open(factory: &dyn Factory) -> (Box<dyn Site>, Box<dyn CaseWriter>, Box<dyn Reader>) {
    let site = factory.site();
    let writer = site.cases().unwrap();
    let reader = site.reader().unwrap();
    (site, writer, reader)
}

/// What was filed comes back bit for bit; filing it again changes nothing.
pub fn cases_are_filed_once(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let (file, recording) = (filed("a", 1), recorded("a"));
    let first = entry(1, "ann", CaseStep::Filed, Some("looks odd"));
    assert!(writer.file_case(&file, &first, std::slice::from_ref(&recording)).unwrap());
    assert!(!writer.file_case(&filed("a", 9), &first, &[]).unwrap(), "twice is once");
    let case = reader.case(&file.case_id, None).unwrap().unwrap();
    assert_eq!(case.file, file);
    assert_eq!((case.entries.len(), case.entries[0].note.as_deref()), (1, Some("looks odd")));
    assert_eq!(reader.case_recordings(&file.case_id, None).unwrap(), [recording]);
    let played = CaseRecording { source: RecordedFrom::Journal, ..recorded("a") };
    assert_eq!(writer.record_case(&file.case_id, &[recorded("a"), played.clone()], at(2)).unwrap(), 1);
    let kept = reader.case_recordings(&file.case_id, None).unwrap();
    assert_eq!(kept, [played.clone(), recorded("a")], "what the journal gave first");
    let further = CaseRecording { until: played.until + Span::mins(1), ..played.clone() };
    let shorter = CaseRecording { until: played.until - Span::secs(1), books_left_out: 0, ..played.clone() };
    assert_eq!(writer.record_case(&file.case_id, &[shorter, further.clone()], at(3)).unwrap(), 1);
    let kept = reader.case_recordings(&file.case_id, None).unwrap();
    assert_eq!(kept, [further.clone(), played.clone(), recorded("a")], "what reaches furthest first, and nothing goes");
    for (minute, want) in [
        (0, &[][..]),
        (1, &[recorded("a")]),
        (2, &[played.clone(), recorded("a")]),
        (3, &[further, played, recorded("a")]),
    ] {
        let known = reader.case_recordings(&file.case_id, Some(at(minute))).unwrap();
        assert_eq!(known, want, "what was put there by minute {minute}");
    }
    assert_eq!(reader.case("none", None).unwrap(), None);
    assert_eq!(reader.case_ids(&file.case_id[..8]).unwrap(), std::slice::from_ref(&file.case_id));
    assert_eq!(reader.case_ids("x").unwrap(), Vec::<String>::new());
    let nothing = CaseFile { evidence: Vec::new(), ..filed("b", 1) };
    refused(writer.file_case(&nothing, &first, &[]), "alerts");
    let mut bare = filed("b", 1);
    bare.evidence[0].records.clear();
    refused(writer.file_case(&bare, &first, &[]), "nothing is known");
    refused(writer.file_case(&filed("b", 1), &entry(1, "ann", CaseStep::Noted, Some("x")), &[]), "first entry");
    assert_eq!(reader.case_ids("").unwrap().len(), 1, "what was refused is not there");
}

/// Entries are numbered, a repetition adds nothing, and a case is known as it was at each moment.
pub fn entries_are_added_and_known_as_they_were(factory: &dyn Factory) {
    use CaseState::{Acknowledged, Closed, Open};
    let (_site, mut writer, reader) = open(factory);
    let files = [filed("a", 1), filed("b", 2)];
    for (file, minute) in files.iter().zip([1, 2]) {
        writer.file_case(file, &entry(minute, "ann", CaseStep::Filed, None), &[]).unwrap();
    }
    let (id, ack) = (&files[0].case_id, entry(3, "bob", CaseStep::Acknowledged, None));
    assert!(matches!(writer.write_case(id, &ack).unwrap(), CaseOutcome::Written(e) if e.seq == 2));
    assert_eq!(writer.write_case(id, &ack).unwrap(), CaseOutcome::Same);
    assert_eq!(writer.write_case("none", &ack).unwrap(), CaseOutcome::Missing);
    let close = |minute, d| entry(minute, "bob", CaseStep::Closed(d), Some("seen on the tape"));
    writer.write_case(id, &close(5, Disposition::True)).unwrap();
    assert_eq!(writer.write_case(id, &ack).unwrap(), CaseOutcome::Refused(CaseRefusal::Closed));
    // A clock that was set back does not put an entry before the one it answers.
    let late = entry(4, "cid", CaseStep::Noted, Some("no"));
    assert!(matches!(writer.write_case(id, &late).unwrap(), CaseOutcome::Written(e) if e.at == at(5) && e.seq == 4));
    writer.write_case(id, &close(7, Disposition::False)).unwrap();
    let known = |as_of: Option<i64>, state| {
        let query = CaseQuery { state, as_of: as_of.map(at), limit: 10 };
        let (found, more) = reader.cases(&query).unwrap();
        assert!(!more);
        found.into_iter().map(|c| (c.file.evidence[0].alert_id.clone(), c.standing.state)).collect::<Vec<_>>()
    };
    let of = |name: &str, state| (name.to_owned(), state);
    assert_eq!(known(None, None), [of("b", Open), of("a", Closed)], "the one filed last first");
    assert_eq!(known(Some(0), None), []);
    assert_eq!(known(Some(1), None), [of("a", Open)]);
    assert_eq!(known(Some(3), Some(Acknowledged)), [of("a", Acknowledged)]);
    assert_eq!(known(None, Some(Closed)), [of("a", Closed)]);
    let then = reader.case(id, Some(at(6))).unwrap().unwrap();
    assert_eq!((then.entries.len(), then.standing.disposition), (4, Some(Disposition::True)));
    let (found, more) = reader.cases(&CaseQuery { state: None, as_of: None, limit: 1 }).unwrap();
    assert_eq!((found.len(), more), (1, true));
}

/// The last disposition of each closed case counts, as far as it was known.
pub fn dispositions_are_counted(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    assert_eq!(reader.case_counts(None).unwrap(), []);
    for (name, dispositions) in [
        ("a", &[Disposition::True][..]),
        ("b", &[Disposition::True, Disposition::False]),
        ("c", &[Disposition::Unclear]),
        ("d", &[]),
    ] {
        let file = filed(name, 1);
        writer.file_case(&file, &entry(1, "ann", CaseStep::Filed, None), &[]).unwrap();
        for (minute, d) in (2..).zip(dispositions) {
            writer.write_case(&file.case_id, &entry(minute, "ann", CaseStep::Closed(*d), None)).unwrap();
        }
    }
    let pattern = Pattern::LiquidationCascade;
    let count = |confirmed, refuted, unclear| [CaseCount { pattern, confirmed, refuted, unclear }];
    assert_eq!(reader.case_counts(None).unwrap(), count(1, 1, 1));
    assert_eq!(reader.case_counts(Some(at(2))).unwrap(), count(2, 0, 1));
    assert_eq!(reader.case_counts(Some(at(1))).unwrap(), []);
}

/// Of closed cases those filed last that share a pattern, as far as they were filed and closed by then.
pub fn closed_cases_are_found_by_pattern(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    for (minute, name) in (1..).zip(["a", "b", "c", "d"]) {
        writer.file_case(&filed(name, minute), &entry(minute, "ann", CaseStep::Filed, None), &[]).unwrap();
    }
    for (minute, name) in [(5, "a"), (6, "b"), (7, "d")] {
        let close = entry(minute, "bob", CaseStep::Closed(Disposition::True), None);
        writer.write_case(&filed(name, 0).case_id, &close).unwrap();
    }
    let whole = CasesLike {
        case_id: filed("b", 0).case_id,
        patterns: vec![Pattern::Spoofing, Pattern::LiquidationCascade],
        filed_until: at(4),
        as_of: None,
        limit: 10,
    };
    let names = |query: &CasesLike| -> Vec<String> {
        let found = reader.cases_like(query).unwrap();
        found.into_iter().map(|case| case.file.evidence[0].alert_id.clone()).collect()
    };
    assert_eq!(names(&whole), ["d", "a"], "neither itself nor one that is open");
    assert_eq!(names(&CasesLike { limit: 1, ..whole.clone() }), ["d"]);
    assert_eq!(names(&CasesLike { filed_until: at(3), ..whole.clone() }), ["a"]);
    assert_eq!(names(&CasesLike { as_of: Some(at(6)), ..whole.clone() }), ["a"], "the other was still open");
    assert_eq!(names(&CasesLike { patterns: vec![Pattern::Spoofing], ..whole }), [] as [&str; 0]);
}

/// Cases are no part of what was observed, and nothing takes them away.
pub fn cases_are_no_content_and_stay(factory: &dyn Factory) {
    let (site, mut writer, reader) = open(factory);
    let before = hash(reader.as_ref());
    let file = filed("a", 1);
    writer.file_case(&file, &entry(1, "ann", CaseStep::Filed, None), &[recorded("a")]).unwrap();
    assert_eq!(hash(reader.as_ref()), before);
    let none = Retention {
        minute_rows: Span::mins(1),
        points: Some(Span::mins(1)),
        raw: Span::mins(1),
        deliveries: Span::mins(1),
    };
    site.writer(&WriterRole::ALL).unwrap().prune(&none).unwrap();
    assert_eq!(reader.case(&file.case_id, None).unwrap().unwrap().file, file);
    assert_eq!(reader.case_recordings(&file.case_id, None).unwrap(), [recorded("a")]);
}
