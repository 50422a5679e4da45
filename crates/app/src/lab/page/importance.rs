//! Importance of columns with bands, and how predictions depend on the first of them.

use super::charts::{HEIGHT, PlotScale, WIDTH, short};
use super::svg::Picture;
use barograph_domain::text::escape_markup;
use barograph_research::train::{ImportanceReport, InputImportance, RegimeImportance};

/// Columns shown.
const TOP: usize = 15;
/// Columns shown of each regime of volatility.
const REGIME_TOP: usize = 5;
const ROW: f64 = 34.0;
/// Single rows drawn behind a mean.
const SINGLE: usize = 20;
const CLASSES: [&str; 3] = ["low", "middle", "high"];

pub(super) fn bars(of: &ImportanceReport) -> String {
    let rows: usize = of.sample_rows.iter().sum();
    let note = format!(
        "<p class=\"note\">{}: loss added on test rows when a column is permuted in blocks, mean over {} folds with the 95 % band of \
         Student's t, a dot per fold; {rows} test rows. A band that holds zero shows nothing. Columns that move together stand in for one another: \
         they are permuted together as well.</p>",
        escape_markup(&of.model),
        of.sample_rows.len()
    );
    if of.columns.is_empty() {
        return format!("{note}<p>One fold has no band, so nothing is ranked.</p>");
    }
    let single = picture(&of.columns, "importance of columns");
    let groups = if of.groups.is_empty() {
        String::new()
    } else {
        format!(
            "<figure>{}<figcaption>Groups whose ranks correlate by 0.95 and more, permuted as one.</figcaption></figure>",
            picture(&of.groups, "importance of groups")
        )
    };
    let regimes = regimes(of);
    format!(
        "<div class=\"grid\"><figure>{single}<figcaption>Single columns.</figcaption></figure>{groups}</div>{note}{regimes}"
    )
}

/// The first columns of each regime of volatility, side by side.
fn regimes(of: &ImportanceReport) -> String {
    let column = |regime: &RegimeImportance| {
        let rows: usize = regime.rows.iter().sum();
        let lines: String = regime
            .columns
            .iter()
            .take(REGIME_TOP)
            .map(|row| {
                let says = if row.band[0] > 0.0 { "" } else { " (band holds zero)" };
                format!("<li>{} {}{says}</li>", escape_markup(&name(row)), short(row.increase))
            })
            .collect();
        let lines = if lines.is_empty() {
            "<p>Too few rows in one of the folds to say.</p>".to_owned()
        } else {
            format!("<ol>{lines}</ol>")
        };
        format!(
            "<figure><figcaption>{} volatility, {rows} rows</figcaption>{lines}</figure>",
            escape_markup(&regime.regime)
        )
    };
    if of.regimes.is_empty() {
        return String::new();
    }
    let columns: String = of.regimes.iter().map(column).collect();
    format!(
        "<div class=\"grid\">{columns}</div><p class=\"note\">Loss added over the rows of one regime alone: thirds by the volatility of the last \
         five minutes, cut on the rows that the model was fitted on.</p>"
    )
}

fn picture(rows: &[InputImportance], title: &str) -> String {
    let rows = &rows[..rows.len().min(TOP)];
    let ends = rows.iter().flat_map(|r| r.by_fold.iter().copied().chain(r.band).chain([0.0]));
    // The widest bands of columns that say nothing would flatten all others.
    let widest = rows.iter().map(|r| r.increase.abs()).fold(0.0, f64::max).max(1e-12) * 3.0;
    let (low, high) = ends.fold((0.0_f64, 0.0_f64), |(a, b), v| (a.min(v), b.max(v)));
    let (low, high) = (low.max(-widest), high.min(widest).max(1e-12));
    let x = |v: f64| 10.0 + (v.clamp(low, high) - low) / (high - low) * (WIDTH - 20.0);
    let n = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let height = 22.0 + ROW * f64::from(n) + 4.0;
    let mut out = Picture::new(WIDTH, height, title);
    out.text((x(0.0), 12.0), if x(0.0) < 40.0 { "start" } else { "middle" }, "pale", "0");
    out.text((WIDTH - 10.0, 12.0), "end", "pale", &short(high));
    out.line((x(0.0), 16.0), (x(0.0), height), "line", 1.0);
    for (at, row) in (0_u32..).zip(rows) {
        let top = 22.0 + ROW * f64::from(at);
        let (name, y) = (name(row), top + 22.0);
        let says = row.band[0] > 0.0;
        out.text((10.0, top + 10.0), "start", if says { "ink" } else { "pale" }, &name);
        out.line((x(row.band[0]), y), (x(row.band[1]), y), "band", 5.0);
        for fold in &row.by_fold {
            out.dot((x(*fold), y), 1.8, "pale");
        }
        out.dot((x(row.increase), y), 4.0, if says { "main" } else { "pale" });
    }
    out.done()
}

fn name(row: &InputImportance) -> String {
    match row.columns.as_slice() {
        [one] => one.clone(),
        [first, rest @ ..] => format!("{first} and {} like it", rest.len()),
        [] => String::new(),
    }
}

/// Curves of the most important columns; `None` where there are none.
pub(super) fn curves(of: &ImportanceReport) -> Option<String> {
    let order = of.columns.iter().flat_map(|c| &c.columns).filter_map(|name| Some((name, of.curves.get(name)?)));
    let mut figures = String::new();
    for (name, heads) in order {
        for curve in heads.iter().filter(|c| !c.points.is_empty()) {
            let singles = || curve.single.iter().take(SINGLE);
            let all = curve.mean.iter().chain(singles().flatten()).copied();
            let scale = PlotScale::over(curve.points.iter().copied(), all);
            let mut picture = Picture::new(WIDTH, HEIGHT, &format!("what is said, by {name}"));
            scale.axes(&mut picture, &short, &short);
            let line = |values: &[f64]| -> Vec<(f64, f64)> {
                curve.points.iter().zip(values).map(|(x, y)| scale.at(*x, *y)).collect()
            };
            singles().for_each(|values| picture.curve(&line(values), "pale", 0.8, 0.45));
            picture.curve(&line(&curve.mean), "main", 2.4, 1.0);
            let class = if heads.len() > 1 { CLASSES.get(curve.head).copied() } else { None };
            let class = class.map_or_else(String::new, |c| format!(", class {c}"));
            figures.push_str(&format!(
                "<figure>{}<figcaption><b>{}</b>{class}</figcaption></figure>\n",
                picture.done(),
                escape_markup(name)
            ));
        }
    }
    let note = "<p class=\"note\">The mean over test rows of the last fold of what is said when a column is set to a number, all else as it was; \
                thin lines are single rows. The column is as models see it: prices as distance from the mid in basis points, sizes as logarithms. \
                Where columns move together such rows may not occur.</p>";
    (!figures.is_empty()).then(|| format!("<div class=\"grid\">\n{figures}</div>\n{note}"))
}
