//! What is kept of a model, and what it predicts.

use crate::world::{begins, market, record, record_for, request};
use barograph_domain::Span;
use barograph_lake::layers::{LakeQuery, LakeReader, Layer, hours};
use barograph_research::train::{
    HoldOutRequest, OpenedArtefact, PredictRequest, Predictor, RESEARCH_LOG, SHADOW, StudyRequest, WindowWord,
    artefacts, card, choose, folder_of, hold_out, study,
};
use barograph_study::targets::TargetId;
use std::path::Path;

/// Rows of a day, which are new.
const NEW: usize = 40;

pub(crate) fn asked(lake: &Path, studies: &Path) -> HoldOutRequest {
    HoldOutRequest {
        study: request(lake, studies, &["linear"], 1),
        log: studies.join(RESEARCH_LOG),
        study_id: None,
        researcher: "someone".to_owned(),
        question: "does order flow lead?".to_owned(),
        again: None,
    }
}

#[test]
fn rows_that_are_new_leave_openings_known() {
    let place = tempfile::tempdir().unwrap();
    let (lake, studies) = (place.path().join("lake"), place.path().join("studies"));
    let asked = HoldOutRequest { study: request(&lake, &studies, &["prior"], 1), ..asked(&lake, &studies) };
    for (days, earlier) in [(0..14, 0), (14..15, 1)] {
        record(&lake, days);
        study(&asked.study, None, &mut |_| {}).unwrap();
        assert_eq!(hold_out(&asked, None, &mut |_| {}).unwrap().opening.earlier, earlier);
    }
}

#[test]
fn the_best_model_is_kept_with_a_card_and_predicts_what_is_new() {
    let place = tempfile::tempdir().unwrap();
    let (lake, studies) = (place.path().join("lake"), place.path().join("studies"));
    record(&lake, 0..14);
    let asked = request(&lake, &studies, &["linear"], 1);
    let first = study(&asked, None, &mut |_| {}).unwrap();
    let second = study(&request(&lake, &studies, &["linear"], 2), None, &mut |_| {}).unwrap();
    let target = TargetId::parse("ret_1s").unwrap();
    let other = StudyRequest { target, folder: folder_of(&studies, &market(), target), ..asked.clone() };
    study(&other, None, &mut |_| {}).unwrap();
    let listed = artefacts(&asked.folder).unwrap();
    assert_eq!(
        listed.iter().map(|a| (&a.files.artefact, a.current)).collect::<Vec<_>>(),
        [(&first.run, false), (&second.run, true)]
    );
    choose(&asked.folder, &first.run).unwrap();
    let unknown = choose(&asked.folder, "none").unwrap_err().to_string();
    assert!(unknown.contains(&first.run) && unknown.contains(&second.run), "{unknown}");
    let listed = artefacts(&asked.folder).unwrap();
    assert!(listed[0].current && !listed[1].current);
    let (about, text) = card(&listed[0]).unwrap();
    assert_eq!((about.model.as_str(), about.trained_rows > 300, about.hold_out_from.is_some()), ("linear", true, true));
    assert!(text.contains("## Limits") && !text.contains("It has seen"), "{text}");
    assert!(
        text.contains("What its calls are worth after costs is not known") && text.contains("| AUC (90 % band) |"),
        "{text}"
    );

    // Nothing is new yet; then another day is.
    let wanted =
        PredictRequest { lake: lake.clone(), market: market(), targets: vec![(asked.target, asked.folder.clone())] };
    let mut predictor = Predictor::open(wanted.clone()).unwrap();
    assert_eq!(predictor.step().unwrap(), 0);
    record(&lake, 14..15);
    assert_eq!(predictor.step().unwrap(), NEW);
    assert_eq!(predictor.step().unwrap(), 0, "what was predicted is not predicted again");
    let report = predictor.report().remove(0);
    predictor.close().unwrap();
    assert_eq!((report.rows, report.artefact.as_str()), (NEW, first.run.as_str()));
    // One instant of the five-minute grid lies in them: eight o'clock.
    assert_eq!((report.shadow.issued, report.shadow.waiting, report.shadow.hindcasts), (1, 0, 1));
    assert_eq!(report.shadow.scores.unwrap().n_test, 1);
    let shadow = std::fs::read_to_string(asked.folder.join(SHADOW)).unwrap();
    assert_eq!(shadow.lines().count(), 2, "{shadow}");

    assert_eq!(report.not_in_gold, 0);

    // Another target is new to all of it, but the table only grows at its end.
    let mut late =
        Predictor::open(PredictRequest { targets: vec![(target, other.folder.clone())], ..wanted.clone() }).unwrap();
    assert_eq!(late.step().unwrap(), NEW);
    let late_report = late.report().remove(0);
    late.close().unwrap();
    assert_eq!((late_report.rows, late_report.not_in_gold), (1, NEW));
    assert_eq!((late_report.shadow.issued, late_report.shadow.waiting, late_report.shadow.hindcasts), (1, 0, 1));

    let gold = LakeQuery { layer: Some(Layer::Gold), ..LakeQuery::default() };
    let mut rows = 0;
    for batch in LakeReader::new(hours(&lake, &gold).unwrap(), None) {
        let batch = batch.unwrap();
        let (ts, ends) = (batch.moments("ts").unwrap(), batch.moments("label_end").unwrap());
        for row in 0..batch.rows() {
            assert_eq!(batch.text("model", row), Some(format!("linear@{}", first.run).as_str()));
            assert!(batch.numbers("value").unwrap().get(row).is_some_and(|p| (0.0..=1.0).contains(&p)));
            assert_eq!(ends[row] - ts[row], Span::secs(1).0);
            assert!(ts[row] >= begins(14).0);
        }
        rows += batch.rows();
    }
    assert_eq!(rows, NEW);
    // A second start goes on behind what is in the lake.
    let mut again = Predictor::open(wanted.clone()).unwrap();
    assert_eq!((again.done(), again.step().unwrap()), (begins(14) + Span::secs(39), 0));
    again.close().unwrap();

    // Stopped before the outcome was known, and another artefact was chosen: it resolves what the first has stated, besides its own.
    let line = shadow.lines().next().unwrap();
    std::fs::write(asked.folder.join(SHADOW), format!("{line}\n")).unwrap();
    choose(&asked.folder, &second.run).unwrap();
    let mut replaced = Predictor::open(wanted.clone()).unwrap();
    replaced.step().unwrap();
    replaced.close().unwrap();
    let text = std::fs::read_to_string(asked.folder.join(SHADOW)).unwrap();
    let outcomes = |run: &str| text.lines().filter(|l| l.contains("outcome") && l.contains(run)).count();
    assert_eq!((outcomes(&first.run), outcomes(&second.run)), (1, 1), "{text}");
    choose(&asked.folder, &first.run).unwrap();

    // Half an hour in which volatility leaves what training has seen of it, and everything else is drawn as it was there.
    record_for(&lake, 15..16, 1_900);
    let mut later = Predictor::open(wanted).unwrap();
    later.step().unwrap();
    let report = later.report().remove(0);
    later.close().unwrap();
    let usual = report.usual.unwrap();
    assert_eq!((usual.window_s, usual.windows >= 8), (600, true), "{usual:?}");
    let windows: Vec<_> = report.windows.iter().map(|w| (w.from, w.n, w.inputs)).collect();
    let began = |tens: i64| begins(15) + Span::secs(10) + Span::mins(10 * tens);
    let want = [(0, WindowWord::Shifted), (1, WindowWord::Changed), (2, WindowWord::Changed)];
    assert_eq!(windows, want.map(|(tens, word)| (began(tens), 600, word)), "{:?}", report.windows);
    assert!(report.windows[2].farthest[0].name.starts_with("realized_vol_"), "{:?}", report.windows[2]);
    assert_eq!(report.rolling.unwrap().n, report.shadow.scores.unwrap().n_test);

    // A file that was changed is no artefact any more.
    let model = listed[0].folder.join("model.json");
    let text = std::fs::read_to_string(&model).unwrap();
    std::fs::write(&model, text.replacen('1', "2", 1)).unwrap();
    let refused = OpenedArtefact::current(&asked.lake, &asked.folder, "m", asked.target).unwrap_err().to_string();
    assert!(refused.contains("model.json is not as it was"), "{refused}");
}
