//! Inputs by hand, and that nothing but training rows is learnt from.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use barograph_domain::random::SplitMix;
use barograph_domain::{Span, Ts, math};
use barograph_study::folds::{FoldPlan, StudyFold, StudyFolds};
use barograph_study::targets::{LabelSpan, LabelSpans};
use barograph_study::transforms::{DropReason, FittedRule, InputForm, TransformError, Transforms};
use barograph_study::{FrameColumn, ResearchFrame};

const ROWS: usize = 4_000;

/// The first fold over the rows of a frame, labels of five seconds.
fn fold() -> StudyFold {
    let second = |n: usize| Ts::from_secs(i64::try_from(n).unwrap());
    let span = |row: usize| LabelSpan { row, start: second(row), end: second(row) + Span::secs(5) };
    let spans = LabelSpans::new((0..ROWS).map(span).collect()).unwrap();
    let plan = FoldPlan { memory: Span::secs(60), ..FoldPlan::default() };
    StudyFolds::new(&spans, &plan).unwrap().folds()[0].clone()
}

type Column = (&'static str, Box<dyn Fn(usize) -> Option<f64>>);
type Columns = Vec<Column>;

fn frame(columns: &Columns) -> ResearchFrame {
    let times = (0..ROWS).map(|n| Ts::from_secs(i64::try_from(n).unwrap())).collect();
    let made = |(name, of): &Column| ((*name).to_owned(), (0..ROWS).map(of).collect::<FrameColumn>());
    ResearchFrame::new(times, vec![true; ROWS], columns.iter().map(made).collect()).unwrap()
}

/// A number between 0 and 1 that belongs to a row and a column.
fn noise(row: usize, column: u64) -> f64 {
    SplitMix::new(column * 1_000_003 + u64::try_from(row).unwrap()).unit()
}

fn market() -> Columns {
    let mid = |row: usize| 100.0 + noise(row, 1);
    vec![
        ("mid_price", Box::new(move |row| Some(mid(row)))),
        ("bid_price_L0", Box::new(move |row| Some(mid(row) * (1.0 - 1e-4 * noise(row, 2))))),
        ("bid_size_L0", Box::new(|row| Some(1.0 + 9.0 * noise(row, 3)))),
        ("spread_bps", Box::new(|row| (row % 3 > 0).then(|| noise(row, 4)))),
        ("vpin", Box::new(|_| None)),
        ("sx_session", Box::new(|row| Some(if row % 2_000 == 7 { 1.0 } else { 2.0 }))),
        ("ret_1s", Box::new(|row| Some(noise(row, 5)))),
        ("known_ts", Box::new(|row| Some(noise(row, 6)))),
    ]
}

/// Quantile of type 7 by sorting.
fn quantile(mut values: Vec<f64>, p: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = p * f64::from(u32::try_from(values.len() - 1).unwrap());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list")]
    let low = at.floor() as usize;
    let high = values[(low + 1).min(values.len() - 1)];
    values[low] + (high - values[low]) * at.fract()
}

#[test]
fn columns_enter_as_the_specification_says() {
    let (frame, fold) = (frame(&market()), fold());
    let transforms = Transforms::fit(&frame, &fold.learn.train).unwrap();
    let dropped: Vec<(&str, DropReason)> = transforms.dropped().iter().map(|d| (d.name.as_str(), d.why)).collect();
    let want = [
        ("mid_price", DropReason::Constant),
        ("vpin", DropReason::NeverThere),
        ("sx_session", DropReason::Constant),
        ("ret_1s", DropReason::Target),
        ("known_ts", DropReason::Meta),
    ];
    assert_eq!(dropped, want);

    let train: Vec<usize> = fold.learn.train.rows().collect();
    let raw = |name: &str, row: usize| frame.column(name).unwrap().get(row);
    let median = quantile(train.iter().filter_map(|r| raw("bid_size_L0", *r)).collect(), 0.5);
    let by_hand = |name: &str, row: usize| match name {
        "bid_price_L0" => Some(1e4 * (raw(name, row)? / raw("mid_price", row)? - 1.0)),
        "bid_size_L0" => Some(math::ln(1.0 + raw(name, row)? / median)),
        _ => raw(name, row),
    };
    let matrix = transforms.apply(&frame, fold.test.rows(), InputForm::Sparse).unwrap();
    assert_eq!(matrix.names(), ["bid_price_L0", "bid_size_L0", "spread_bps"]);
    for (at, name) in matrix.names().iter().enumerate() {
        let learnt: Vec<f64> = train.iter().filter_map(|r| by_hand(name, *r)).collect();
        let (low, high) = (quantile(learnt.clone(), 0.001), quantile(learnt, 0.999));
        let mut clipped = 0;
        for (place, row) in fold.test.rows().enumerate() {
            let (got, want) = (matrix.get(place, at), by_hand(name, row).map(|v| v.clamp(low, high)));
            clipped += usize::from(want.is_some_and(|v| v <= low || v >= high));
            match (got, want) {
                (Some(g), Some(w)) => assert!((g - w).abs() < 1e-9, "{name} of row {row}: {g} is not {w}"),
                _ => assert_eq!(got, want, "{name} of row {row}"),
            }
        }
        assert!(clipped < fold.test.len() / 50, "{name}: {clipped} are clipped");
    }
}

#[test]
fn models_that_need_every_number_get_medians_and_say_so() {
    let (frame, fold) = (frame(&market()), fold());
    let transforms = Transforms::fit(&frame, &fold.learn.train).unwrap();
    let sparse = transforms.apply(&frame, fold.test.rows(), InputForm::Sparse).unwrap();
    let filled = transforms.apply(&frame, fold.test.rows(), InputForm::Filled).unwrap();
    assert_eq!(filled.names()[3..], ["spread_bps_missing"]);
    assert!(filled.is_complete() && !sparse.is_complete());
    let median = transforms.columns()[2].median;
    for row in 0..filled.rows() {
        let (was, missing) = (sparse.get(row, 2), filled.get(row, 3).unwrap());
        assert_eq!((filled.get(row, 2), missing > 0.5), (Some(was.unwrap_or(median)), was.is_none()), "{row}");
    }
    let values = sparse.clone().into_values(-9.0);
    assert_eq!(values.len(), 3 * sparse.rows());
    assert_eq!(values[2 * sparse.rows()..].iter().filter(|v| **v < -8.0).count(), {
        let (_, present) = sparse.column(2).unwrap();
        present.iter().filter(|p| !**p).count()
    });
}

/// Whatever stands in rows that are judged by, and in those between: what is learnt stays the same.
#[test]
fn nothing_but_training_rows_is_learnt_from() {
    let fold = fold();
    let learnt = Transforms::fit(&frame(&market()), &fold.learn.train).unwrap();
    let train: Vec<usize> = fold.learn.train.rows().collect();
    let last = *train.last().unwrap();
    let wild: Columns = market()
        .into_iter()
        .map(|(name, of)| -> Column {
            (name, Box::new(move |row| if row > last { Some(1e6 * noise(row, 9)) } else { of(row) }))
        })
        .collect();
    assert_eq!(Transforms::fit(&frame(&wild), &fold.learn.train).unwrap(), learnt);
    let json = serde_json::to_string(&learnt).unwrap();
    assert_eq!(serde_json::from_str::<Transforms>(&json).unwrap(), learnt, "{json}");
    assert_eq!(learnt.train_rows(), train.len());
}

#[test]
fn a_size_that_is_mostly_zero_stays_as_it_is() {
    let columns: Columns = vec![("ask_size_L3", Box::new(|row| Some(if row % 5 == 0 { noise(row, 1) } else { 0.0 })))];
    let transforms = Transforms::fit(&frame(&columns), &fold().learn.train).unwrap();
    assert_eq!(transforms.columns()[0].rule, FittedRule::Plain);
}

#[test]
fn rows_and_columns_that_do_not_fit_are_named() {
    let (frame, fold) = (frame(&market()), fold());
    let transforms = Transforms::fit(&frame, &fold.learn.train).unwrap();
    let apply = |frame: &ResearchFrame, row: usize| transforms.apply(frame, [row], InputForm::Sparse).unwrap_err();
    assert_eq!(apply(&frame, ROWS), TransformError::Row(ROWS));
    let with = |valid: bool, names: &[&str]| {
        let columns = names.iter().map(|n| ((*n).to_owned(), [Some(1.0)].into_iter().collect())).collect();
        ResearchFrame::new(vec![Ts(0)], vec![valid], columns).unwrap()
    };
    assert_eq!(apply(&with(false, &[]), 0), TransformError::Invalid(0));
    assert_eq!(apply(&with(true, &["mid_price"]), 0), TransformError::Column("bid_price_L0".to_owned()));
    let error =
        Transforms::fit(&self::frame(&market()[1..2].iter().map(|_| market().remove(1)).collect()), &fold.learn.train);
    assert_eq!(error, Err(TransformError::Column("mid_price".to_owned())));
}

#[test]
fn inputs_that_say_the_same_are_in_one_cluster() {
    let a = |row: usize| noise(row, 11);
    // Each further one is the one before and a tenth of noise: neighbours hang together, the ends of the chain less so.
    let chain = move |row: usize, links: u64| a(row) + (0..links).map(|l| 0.25 * noise(row, 20 + l)).sum::<f64>();
    let columns: Columns = vec![
        ("a", Box::new(move |row| Some(a(row)))),
        ("apart", Box::new(|row| Some(noise(row, 12)))),
        ("a_against", Box::new(move |row| Some(1.0 / (1.0 + a(row))))),
        ("a1", Box::new(move |row| Some(chain(row, 1)))),
        ("a2", Box::new(move |row| Some(chain(row, 2)))),
        ("a_at_times", Box::new(move |row| (row % 4 > 0).then(|| a(row)))),
    ];
    let (frame, train) = (frame(&columns), fold().learn.train);
    let report = Transforms::fit(&frame, &train).unwrap().redundancy(&frame, &train).unwrap();
    let clusters: Vec<Vec<&str>> =
        report.clusters.iter().map(|c| c.columns.iter().map(String::as_str).collect()).collect();
    assert_eq!(clusters, [vec!["a", "a_against", "a1", "a2", "a_at_times"], vec!["apart"]]);
    let weakest = report.redundant().next().unwrap().weakest.unwrap();
    assert!((0.8..0.95).contains(&weakest), "a chain shows: {weakest}");
    assert_eq!((report.clusters[1].weakest, report.sample_rows), (None, train.len()));
}
