//! Snapshots on the terminal (UX section 3): 80 columns, every number with its age.

use crate::term::{Paint, fold, minus, minute, price};
use barograph_domain::model::ModelView;
use barograph_domain::snapshot::{AxisView, InputView, WireValue};
use barograph_domain::time::YEAR_DAYS;
use barograph_domain::{InstrumentName, Label, Snapshot, Span, Ts, spoken_margin};
use barograph_query::recorded::day;
use std::fmt::Write as _;

const WIDTH: usize = 80;

/// Where a recording ends, and the words that would go on with it live.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) until: Ts,
    pub(crate) live: String,
}

/// The command that listens to a market.
pub(crate) fn live_command(market: &InstrumentName, default_venue: &str) -> String {
    let default = market.venue.as_str() == default_venue;
    let venue = if default { String::new() } else { format!(" --venue {}", market.venue) };
    format!("barograph up{venue} --symbols {}", market.symbol)
}

/// The context of one market as people read it; `ended`: it is the last reading of a recording; `news` is the event that is near, if
/// one is.
pub(crate) fn context(s: &Snapshot, ended: Option<Ended>, news: Option<&str>, paint: Paint) -> String {
    let mut out = String::new();
    let name = s.instrument.to_string();
    let stamp = minute(s.timestamp);
    let gap = WIDTH.saturating_sub(name.chars().count() + stamp.chars().count()).max(2);
    let _infallible = writeln!(out, "{}{}{}", paint.strong(&name), " ".repeat(gap), stamp);
    if let Some(Ended { until, live }) = ended {
        let text = format!("Recorded until {}: its last reading. As it reads now: --now. Live: {live}", day(until));
        let _infallible = writeln!(out, "{}", paint.faint(&fold(&text, WIDTH - 1, " ")));
    }
    let _infallible = writeln!(out, " {}\n", paint.strong(fold(&s.headline, WIDTH - 1, " ").trim_start()));
    let risk = &s.regimes.risk;
    let side = match risk.direction {
        Some("LONG_SQUEEZE") => "▼",
        Some("SHORT_SQUEEZE") => "▲",
        _ => "",
    };
    let word = format!("{} {}{side}", risk.label.name(), risk.label.sign());
    let pad = " ".repeat(18_usize.saturating_sub(word.chars().count()));
    let beside = beside(13 + 18, &[held_for(risk.age_s), stale(risk.stale), margin(risk.turning())]);
    let risk = format!(" risk        {}{pad} {beside}", paint.label(risk.label, &word));
    let _infallible = writeln!(out, "{}", risk.trim_end());
    axis(&mut out, paint, "trend", &s.regimes.trend, (s.regimes.trend.label.sign(), s));
    axis(&mut out, paint, "volatility", &s.regimes.volatility, (s.regimes.volatility.label.sign(), s));
    if let Some(figure) = volatility(s) {
        let _infallible = writeln!(out, "             24 h vol {figure:.0} % annualised");
    }
    axis(&mut out, paint, "heat", &s.regimes.heat, (s.regimes.heat.label.sign(), s));
    session(&mut out, s);
    if let Some(news) = news {
        let line = fold(&format!("blackout: {news}"), WIDTH - 1, "             ");
        let _infallible = writeln!(out, " news        {}", line.trim_start());
    }
    if let Some(models) = &s.models {
        let said: Vec<String> = models.iter().map(model).collect();
        let line = fold(&format!("{}; uncalibrated", said.join("; ")), WIDTH - 1, "             ");
        let _infallible = writeln!(out, " models      {}", line.trim_start());
    }
    let stops = &s.stop_vulnerability;
    let level = |v: Option<barograph_domain::StopVulnerability>| v.map_or("unknown", |v| v.name());
    let _infallible =
        writeln!(out, " posture     {:<20} bias {}", s.guidance.posture.name(), s.guidance.risk_bias.name());
    let _infallible =
        writeln!(out, " stops       above {}, below {} (estimated)", level(stops.short), level(stops.long));
    let _infallible = writeln!(out, "\n{}\n", fold(&s.explanation.reasoning, WIDTH - 1, " "));
    let entries = fold(&s.guidance.new_entries, WIDTH - 1, "                 ");
    let _infallible = writeln!(out, " new entries     {}", entries.trim_start());
    let open = fold(&s.guidance.open_positions, WIDTH - 1, "                 ");
    let _infallible = writeln!(out, " open positions  {}", open.trim_start());
    if let Some(p) = s.price {
        let _infallible = writeln!(out, " price           {}", price(p));
    }
    let data: Vec<String> = s.explanation.inputs.iter().map(input).collect();
    let data = fold(&data.join(", "), WIDTH - 1, "                 ");
    let _infallible = writeln!(out, " data            {}", data.trim_start());
    let _infallible = writeln!(out, " {}", paint.faint(&format!("book {}, {}", s.book, s.logic_version)));
    out
}

/// " trend       UPTREND ↑            4 h   margin 0.8, near   agree 75 %"
fn axis<L: Label>(out: &mut String, paint: Paint, name: &str, view: &AxisView<L>, (sign, s): (&str, &Snapshot)) {
    if view.label == L::UNKNOWN {
        let why = format!("UNKNOWN, {}", unknown(view.axis_coverage, view.stale, &s.explanation.inputs));
        let _infallible = writeln!(out, " {name:<11} {}", paint.faint(&why));
        return;
    }
    let word = format!("{} {sign}", view.label.word());
    let agree = match (view.confirmation.primary, view.confirmation.confidence) {
        (Some(primary), Some(share)) => {
            let all = if primary == view.label { String::new() } else { format!(" {}", primary.word()) };
            format!("agree {:.0} %{all}", share * 100.0)
        }
        _ => String::new(),
    };
    let beside = beside(13 + 18, &[held_for(view.age_s), stale(view.stale), margin(view.turning()), agree]);
    let pad = " ".repeat(18_usize.saturating_sub(word.chars().count()));
    let line = format!(" {name:<11} {}{pad} {beside}", paint.axis(L::AXIS, view.label.word(), &word));
    let _infallible = writeln!(out, "{}", line.trim_end());
}

/// As wide as the longest, "23 h 59 min", so that what follows stands in columns.
fn held_for(age_s: i64) -> String {
    format!("{:<11}", Span::secs(age_s).spoken())
}

/// "margin 0.9, near"
fn margin(margin: Option<f64>) -> String {
    margin.map_or_else(String::new, |m| format!("margin {}, {}", minus(&format!("{m:.1}")), spoken_margin(m)))
}

fn stale(is_stale: bool) -> String {
    if is_stale { "stale".to_owned() } else { String::new() }
}

/// What stands beside a label, the most important first; what has no room behind `used` columns is left out.
fn beside(used: usize, parts: &[String]) -> String {
    let mut out = String::new();
    for part in parts.iter().filter(|part| !part.is_empty()) {
        let gap = if out.is_empty() { "" } else { "   " };
        if used + 1 + out.chars().count() + gap.len() + part.chars().count() <= WIDTH {
            out.push_str(gap);
            out.push_str(part);
        }
    }
    out
}

/// Why an axis has no label.
fn unknown(coverage: f64, stale: bool, inputs: &[InputView]) -> &'static str {
    let lost = inputs.iter().any(|i| i.gap.is_some());
    let all_old = inputs.iter().filter(|i| i.age_s.is_some()).all(|i| i.stale);
    match (coverage > 0.0 || lost, stale || all_old) {
        (false, _) => "not judged on this market",
        (true, true) => "its data are too old",
        (true, false) => "an input is not ready",
    }
}

/// 24 h volatility in percent a year, which the volatility class is made of.
fn volatility(s: &Snapshot) -> Option<f64> {
    let daily = match s.explanation.features.get("vol_daily")?.value {
        WireValue::Number(daily) => daily,
        WireValue::Bool(_) | WireValue::Word(_) | WireValue::Null => return None,
    };
    Some(100.0 * daily * YEAR_DAYS.sqrt())
}

/// " session     London session, 40 % elapsed; stops at 1.6 average true ranges"
fn session(out: &mut String, s: &Snapshot) {
    let v = &s.session;
    let over = v.elapsed_frac.map_or(String::new(), |f| format!(", {:.0} % elapsed", f * 100.0));
    let stops = v.adaptive_multiplier.map_or(String::new(), |m| format!("; stops {m:.1} × ATR"));
    let usual = match (v.defaults_used.is_empty(), s.explanation.freshness_warning.is_some()) {
        (true, _) => "",
        (false, true) => " (the reading is too old)",
        (false, false) => " (short history)",
    };
    let _infallible = writeln!(out, " session     {}{over}{stops}{usual}", v.name.spoken());
}

fn model(m: &ModelView) -> String {
    let (Some(state), Some(age)) = (m.state, m.age_s) else {
        let name = m.classifier;
        return format!("{name} {} ({} of {} h)", m.reason.unwrap_or("warming"), m.hours, m.hours_needed);
    };
    let (word, age) = (state.name(), Span::secs(age).spoken());
    let percent = |p: Option<f64>| p.map_or(String::new(), |p| format!(" {:.0} %", 100.0 * p));
    match m.recent_change {
        Some(change) => format!("run of {age}, change{}", percent(Some(change))),
        None => {
            let more =
                m.expected_remaining_s.map_or(String::new(), |s| format!(", about {} more", Span::secs(s).spoken()));
            let own = "against its own 180 days";
            format!("hourly volatility {}{} {own}, for {age}{more}", word.to_lowercase(), percent(m.probability))
        }
    }
}

fn input(i: &InputView) -> String {
    let metric = i.served_by.unwrap_or(i.metric);
    let name = barograph_domain::Metric::from_name(metric).map_or(metric, barograph_domain::Metric::spoken);
    match (i.age_s, i.max_age_s) {
        (Some(age), Some(limit)) => {
            let limit = if i.stale { format!(" (limit {})", Span::secs(limit).spoken()) } else { String::new() };
            let source = i.source.as_deref().map_or(String::new(), |s| format!(" from {s}"));
            format!("{name} {}{limit}{source}", Span::secs(age).spoken())
        }
        _ => format!("no {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_without_a_label_says_why() {
        let input = |stale, gap| InputView {
            metric: "mark_price",
            served_by: Some("trade"),
            source: Some("binance-spot".to_owned()),
            kind: None,
            age_s: Some(130),
            max_age_s: Some(60),
            cadence_s: Some(0),
            stale,
            gap,
        };
        for (coverage, stale, inputs, want) in [
            (0.0, false, [input(false, None)], "not judged on this market"),
            (0.0, true, [input(true, None)], "not judged on this market"),
            (0.0, false, [input(false, Some("disconnected"))], "an input is not ready"),
            (1.0, true, [input(false, None)], "its data are too old"),
            (1.0, false, [input(true, None)], "its data are too old"),
            (1.0, false, [input(false, None)], "an input is not ready"),
        ] {
            assert_eq!(unknown(coverage, stale, &inputs), want);
        }
        let parts = ["23 h 28 min", "stale", "margin 0.1, about to turn", "agree 75 % STRONG_DOWNTREND"];
        assert_eq!(
            beside(31, &parts.map(str::to_owned)),
            "23 h 28 min   stale   margin 0.1, about to turn",
            "what fits"
        );
        assert_eq!(
            [margin(Some(0.9)), margin(Some(-0.4)), margin(None)],
            ["margin 0.9, near", "margin −0.4, about to turn", ""]
        );
        assert_eq!(super::input(&input(true, None)), "trades 2 min (limit 1 min) from binance-spot");
        let never = InputView { age_s: None, served_by: None, metric: "open_interest", ..input(false, None) };
        assert_eq!(super::input(&never), "no open interest");
    }
}
