//! A study as one HTML file that loads nothing from elsewhere: board, folds over time, reliability, equity, importance, partial dependence, what
//! data, and what it does not show (R5.36, R5.38).

mod charts;
mod curves;
mod folds;
mod importance;
mod svg;
mod text;

use barograph_domain::text::escape_markup;
use barograph_research::train::{StudyRequest, StudySummary};
use text::{data, head, limits, table};

const STYLE: &str = include_str!("page/style.css");

/// The page of a study.
pub(crate) fn page(request: &StudyRequest, found: &StudySummary) -> String {
    let title = escape_markup(&format!("{} of {}", request.target, request.market));
    let sections: Vec<String> = [
        Some(section("Board", &table(request, found))),
        Some(section("Folds over time", &folds::map(found))),
        reliability(found),
        found.backtest.as_ref().map(|b| section("What calls were worth", &curves::equity(b))),
        found.importance.as_ref().map(|i| section("What the model goes by", &importance::bars(i))),
        found.importance.as_ref().and_then(importance::curves).map(|c| section("Partial dependence", &c)),
        Some(section("What data", &data(request, found))),
        Some(section("What it does not show", &limits(request, found))),
    ]
    .into_iter()
    .flatten()
    .collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<title>{title} — barograph \
         lab</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{}\n{}\n</main>\n</body>\n</html>\n",
        head(request, found),
        sections.join("\n")
    )
}

fn section(title: &str, body: &str) -> String {
    format!("<section>\n<h2>{title}</h2>\n{body}\n</section>")
}

fn reliability(found: &StudySummary) -> Option<String> {
    let classes = found.calibration.iter().any(|c| c.head > 0);
    let diagrams: Vec<String> = found.calibration.iter().map(|c| curves::reliability(c, classes)).collect();
    let note = "<p class=\"note\">Along: the probability stated. Upwards: how often it came, with Wilson's 90 % interval of the rows of a bin, as if they \
                did not overlap. On the diagonal a model is calibrated. Ten bins of equally many test rows.</p>";
    (!diagrams.is_empty())
        .then(|| section("Reliability", &format!("<div class=\"grid\">\n{}\n</div>\n{note}", diagrams.join("\n"))))
}
