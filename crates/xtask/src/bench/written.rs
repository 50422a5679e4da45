//! The table of figures in docs/trust.md: what `cargo x bench --write` puts there, and what tidy asks of it. Each line says at which
//! commit it was measured; a line that was not measured in a run stays as it is.

use super::targets::{MeasuredFigure, Promise};
use std::collections::BTreeMap;

const BEGIN: &str = "<!-- figures: written by cargo x bench --write -->";
const END: &str = "<!-- /figures -->";
/// Head of the column of what a figure would be on the machine of the limits.
pub(crate) const THERE: &str = "on the reference machine";
/// What stands where nothing was measured yet.
const NOTHING: &str = "–";

/// One line of the table.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Line {
    what: String,
    measured: String,
    there: String,
    limit: String,
    at: String,
}

/// The document with the figures of this run.
pub(crate) fn rewrite(
    document: &str,
    figures: &[Promise],
    measured: &BTreeMap<String, MeasuredFigure>,
    commit: &str,
) -> Result<String, String> {
    let (before, inside, after) = split(document)?;
    let old: BTreeMap<String, Line> = lines(inside).into_iter().map(|l| (l.what.clone(), l)).collect();
    let mut table = format!("\n| what | measured | {THERE} | limit | at |\n|---|---|---|---|---|\n");
    for figure in figures {
        let (value, there, at) = match (measured.get(&figure.id), old.get(&figure.what)) {
            (Some(value), _) => (figure.show(value.here), figure.show_there(*value), commit.to_owned()),
            (None, Some(line)) => (line.measured.clone(), line.there.clone(), line.at.clone()),
            (None, None) => (NOTHING.to_owned(), String::new(), NOTHING.to_owned()),
        };
        table.push_str(&format!("| {} | {value} | {there} | {} | {at} |\n", figure.what, figure.limit_text()));
    }
    Ok(format!("{before}{BEGIN}{table}{END}{after}"))
}

/// What is wrong with the table: a figure nobody promised, a promise that is not written, a limit that is another one.
pub(crate) fn faults(document: &str, figures: &[Promise]) -> Vec<String> {
    let inside = match split(document) {
        Ok((_, inside, _)) => inside,
        Err(why) => return vec![why],
    };
    let told = lines(inside);
    let mut found: Vec<String> = told
        .iter()
        .filter(|line| !figures.iter().any(|f| f.what == line.what))
        .map(|line| format!("'{}' has no limit in bench/targets.toml", line.what))
        .collect();
    for figure in figures {
        match told.iter().find(|l| l.what == figure.what) {
            None => found.push(format!("'{}' is promised and not in the table of figures", figure.id)),
            Some(line) if line.limit != figure.limit_text() => found.push(format!(
                "'{}' is promised as {}, the table says {}; run: cargo x bench --write {}",
                figure.id,
                figure.limit_text(),
                line.limit,
                figure.bench()
            )),
            Some(_) => {}
        }
    }
    found
}

fn split(document: &str) -> Result<(&str, &str, &str), String> {
    document
        .split_once(BEGIN)
        .and_then(|(before, rest)| rest.split_once(END).map(|(inside, after)| (before, inside, after)))
        .ok_or_else(|| format!("the table of figures is missing: put it between '{BEGIN}' and '{END}'"))
}

fn lines(inside: &str) -> Vec<Line> {
    let rows = inside.lines().filter(|l| l.starts_with('|')).skip(2);
    rows.filter_map(|row| {
        let cells: Vec<_> = row.strip_prefix('|')?.strip_suffix('|')?.split('|').map(|c| c.trim().to_owned()).collect();
        let [what, measured, there, limit, at] = <[String; 5]>::try_from(cells).ok()?;
        Some(Line { what, measured, there, limit, at })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::super::targets::Better;
    use super::*;

    fn figures() -> Vec<Promise> {
        let figure = |id: &str, what: &str, limit| Promise {
            id: id.into(),
            what: what.into(),
            better: Better::Lower,
            limit,
            unit: "s".into(),
            pace: None,
        };
        vec![figure("year.stored", "a year", 10.0), figure("start.first", "a start", 0.8)]
    }

    fn readme(rows: &str) -> String {
        format!(
            "before\n{BEGIN}\n| what | measured | {THERE} | limit | at |\n|---|---|---|---|---|\n{rows}{END}\nafter\n"
        )
    }

    #[test]
    fn what_was_measured_is_written_and_the_rest_stays() {
        let old = readme("| a year | 37 s |  | at most 20 s | abc |\n| gone | 1 s |  | at most 2 s | abc |\n");
        let measured = BTreeMap::from([("start.first".to_owned(), MeasuredFigure { here: 0.9, there: Some(0.714) })]);
        let new = rewrite(&old, &figures(), &measured, "def").unwrap();
        assert_eq!(
            new,
            readme("| a year | 37 s |  | at most 10 s | abc |\n| a start | 0.9 s | 0.71 s | at most 0.8 s | def |\n")
        );
        assert!(faults(&new, &figures()).is_empty());
        assert!(rewrite("no table", &figures(), &measured, "def").is_err());
    }

    #[test]
    fn a_figure_without_a_promise_and_a_promise_without_a_figure_are_found() {
        let text = readme("| a year | 37 s |  | at most 20 s | abc |\n| older | 1 s |  | at most 2 s | abc |\n");
        let found = faults(&text, &figures());
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].contains("'older' has no limit"));
        assert!(found[1].contains("'year.stored' is promised as at most 10 s, the table says at most 20 s"));
        assert!(found[2].contains("'start.first' is promised and not in the table"));
        assert_eq!(faults("nothing", &figures()).len(), 1);
    }
}
