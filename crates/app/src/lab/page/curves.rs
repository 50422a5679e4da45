//! Reliability and equity.

use super::charts::{HEIGHT, PlotScale, WIDTH, short};
use super::svg::Picture;
use barograph_domain::Ts;
use barograph_domain::text::escape_markup;
use barograph_research::train::{BacktestReport, LearnerCalibration};

const CLASSES: [&str; 3] = ["low", "middle", "high"];

/// One diagram; of a target of several classes each has one.
pub(super) fn reliability(of: &LearnerCalibration, classes: bool) -> String {
    let (stated, came) = (|| of.bins.iter().map(|b| b.mean_p), || of.bins.iter().flat_map(|b| [b.observed]));
    // One scale for both axes, so that the diagonal is one.
    let all: Vec<f64> =
        stated().chain(came()).chain(of.bins.iter().flat_map(|b| [b.wilson_90.0, b.wilson_90.1])).collect();
    let scale = PlotScale::over(all.iter().copied(), all.iter().copied());
    let name = format!("reliability of {}", of.model);
    let mut picture = Picture::new(WIDTH, HEIGHT, &name);
    let percent = |v: f64| format!("{:.0} %", 100.0 * v);
    scale.axes(&mut picture, &percent, &percent);
    let ends = all.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(*v), b.max(*v)));
    picture.line(scale.at(ends.0, ends.0), scale.at(ends.1, ends.1), "pale", 1.0);
    for bin in &of.bins {
        let x = scale.x(bin.mean_p);
        picture.line((x, scale.y(bin.wilson_90.0)), (x, scale.y(bin.wilson_90.1)), "band", 3.0);
    }
    let points: Vec<(f64, f64)> = of.bins.iter().map(|b| scale.at(b.mean_p, b.observed)).collect();
    picture.curve(&points, "main", 2.0, 1.0);
    points.iter().for_each(|p| picture.dot(*p, 3.5, "main"));
    let n: usize = of.bins.iter().map(|b| b.n).sum();
    let class = if classes { CLASSES.get(of.head).copied() } else { None };
    let which = class.map_or_else(String::new, |c| format!(", class {c}"));
    format!(
        "<figure>{}<figcaption><b>{}</b>{which}, {n} test rows</figcaption></figure>",
        picture.done(),
        escape_markup(&of.model)
    )
}

pub(super) fn equity(of: &BacktestReport) -> String {
    let points: Vec<(f64, f64)> = of
        .equity
        .iter()
        .filter_map(|(at, net)| Some((Ts::parse(at).ok()?.0, *net)))
        .map(|(ns, net)| (barograph_domain::Span(ns).as_secs_f64(), 100.0 * net))
        .collect();
    let terms = format!(
        "{}, taker at {} bp a side ({}), {} ms late, {} quote a trade. Distance from one half that is traded, chosen on each fold's inner split: {}.",
        of.model,
        of.fee_bps,
        of.tier,
        of.latency_ms,
        of.notional,
        of.delta.iter().map(f64::to_string).collect::<Vec<_>>().join(", ")
    );
    let mut facts =
        vec![("round trips", of.trades.to_string()), ("orders without a usable book", of.untraded.to_string())];
    let bps = |v: Option<f64>| v.map_or_else(|| "–".to_owned(), |v| format!("{v:+.2} bp").replace('-', "−"));
    facts.push(("a round trip before costs", bps(of.break_even_cost_bps)));
    facts.push(("its costs", bps(of.avg_cost_bps).trim_start_matches('+').to_owned()));
    facts.push(("after them", bps(of.net_bps)));
    facts.extend(of.costs.iter().map(|(name, quote)| (name.as_str(), format!("{quote:.2} quote"))));
    facts.push(("all together", format!("{:+.3} % of the capital", 100.0 * of.net).replace('-', "−")));
    facts.push(("largest fall", format!("{:.3} %", 100.0 * of.max_drawdown)));
    let sharpe = match (of.sharpe_net, of.sharpe_band, &of.no_sharpe) {
        (Some(s), Some([low, high]), _) => format!("{s:.2} a year, 90 % band {low:.2} to {high:.2}").replace('-', "−"),
        (_, _, Some(why)) => format!("none: {why}"),
        _ => "none".to_owned(),
    };
    facts.push(("Sharpe ratio after costs", sharpe));
    let rows: String = facts
        .iter()
        .map(|(n, v)| format!("<tr><th>{}</th><td>{}</td></tr>\n", escape_markup(n), escape_markup(v)))
        .collect();
    let table = format!("<div class=\"scroll\"><table class=\"facts\">\n{rows}</table></div>");
    let terms = format!("<p class=\"note\">{}</p>", escape_markup(&terms));
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return format!("{terms}<p>Nothing was traded, so there is no equity curve.</p>{table}");
    };
    // Cumulative P&L begins at zero, where nothing has been traded.
    let xs = || points.iter().map(|p| p.0);
    let scale = PlotScale::over(xs(), points.iter().map(|p| p.1).chain([0.0]));
    let mut picture = Picture::new(WIDTH, HEIGHT, "cumulative result after costs");
    let clock = |seconds: f64| at_second(seconds);
    scale.axes(&mut picture, &clock, &|v| format!("{} %", short(v)));
    picture.line((scale.x(first.0), scale.y(0.0)), (scale.x(last.0), scale.y(0.0)), "pale", 1.0);
    let mut steps = vec![scale.at(first.0, 0.0)];
    for (x, net) in &points {
        let before = steps.last().map_or(0.0, |p| p.1);
        steps.extend([(scale.x(*x), before), scale.at(*x, *net)]);
    }
    picture.curve(&steps, if last.1 < 0.0 { "bad" } else { "good" }, 1.8, 1.0);
    let caption = "Sum of P&amp;L after costs, percent of the capital; nothing is compounded.";
    format!(
        "{terms}<div class=\"grid\"><figure>{}<figcaption>{caption}</figcaption></figure>{table}</div>",
        picture.done()
    )
}

/// `08-09 00:03Z` of seconds since 1970.
pub(super) fn at_second(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "moments of recordings are far below the largest whole number")]
    let ts = Ts::from_secs(seconds as i64);
    let text = ts.to_string();
    text.get(5..16).map_or(text.clone(), |t| format!("{}Z", t.replace('T', " ")))
}
