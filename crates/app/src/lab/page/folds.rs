//! The folds over time: what was learnt from, what lies between, what was judged, and the hold-out.

use super::curves::at_second;
use super::svg::Picture;
use barograph_domain::{Span, Ts};
use barograph_research::train::StudySummary;

const WIDTH: f64 = 360.0;
const LEFT: f64 = 26.0;
const RIGHT: f64 = 8.0;
const ROW: f64 = 26.0;

pub(super) fn map(found: &StudySummary) -> String {
    let [from, to] = found.span;
    let length = (to - from).as_secs_f64().max(1.0);
    let x = |t: Ts| LEFT + ((t - from).as_secs_f64() / length).clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT);
    let n = u32::try_from(found.folds.len()).unwrap_or(u32::MAX);
    let height = 8.0 + ROW * f64::from(n) + 26.0;
    let mut picture = Picture::new(WIDTH, height, "folds over time");
    for (at, fold) in (0_u32..).zip(&found.folds) {
        let (top, low) = (8.0 + ROW * f64::from(at), 8.0 + ROW * f64::from(at) + ROW - 8.0);
        picture.text((LEFT - 8.0, low - 4.0), "end", "pale", &fold.number.to_string());
        picture.line((LEFT, low), (WIDTH - RIGHT, low), "line", 1.0);
        let [train_from, train_to] = fold.train;
        let whole = |what: &str, [a, b]: [Ts; 2], rows: usize| format!("{what}: {rows} rows, {a} to {b}");
        picture.area(
            (x(train_from), top),
            (x(train_to), low),
            "train",
            &whole("training", fold.train, fold.train_rows),
        );
        let embargo_from = fold.embargo_from.max(train_from);
        let purged = format!("purged: labels not known before {embargo_from}");
        if train_to < embargo_from {
            picture.area((x(train_to), top), (x(embargo_from), low), "band", &purged);
        }
        let embargo = format!("embargo: {}", (fold.test[0] - embargo_from).spoken());
        picture.area((x(embargo_from.max(train_to)), top), (x(fold.test[0]), low), "embargo", &embargo);
        picture.area((x(fold.test[0]), top), (x(fold.test[1]), low), "test", &whole("test", fold.test, fold.test_rows));
        if let Some(held) = found.hold_out_from {
            picture.area((x(held), top), (x(to), low), "held", &format!("hold-out from {held}"));
        }
    }
    let low = height - 6.0;
    let seconds = |t: Ts| Span(t.0).as_secs_f64();
    picture.text((LEFT, low), "start", "pale", &at_second(seconds(from)));
    picture.text((WIDTH - RIGHT, low), "end", "pale", &at_second(seconds(to)));
    let keys: String = [
        ("train", "training"),
        ("band", "purged"),
        ("embargo", "embargo"),
        ("test", "test"),
        ("held", "hold-out"),
    ]
    .into_iter()
    .map(|(colour, word)| {
        format!("<span class=\"word\"><span class=\"key\" style=\"background:var(--{colour})\"></span>{word} </span>")
    })
    .collect();
    let rows: String = found
        .folds
        .iter()
        .map(|f| {
            format!(
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                f.number,
                f.train_rows,
                (f.test[0] - f.train[1]).spoken(),
                f.test_rows
            )
        })
        .collect();
    format!(
        "<div class=\"grid\"><figure>{}<figcaption>{keys}</figcaption></figure><div class=\"scroll\"><table><tr><th>fold</th><th>learnt</th><th>apart</th><th>tested</th></tr>\n{rows}</table></div></div>\n<p class=\"note\">Training always comes before its \
         test block, and no training label reaches into it. The table has training rows, how far the last of them is from the block, and test rows. The hold-out is in no fold.</p>",
        picture.done()
    )
}
