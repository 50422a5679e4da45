//! Advice and positions on the terminal: 80 columns, verdict first, numbers in a table of their own.

use crate::term::{self, Paint, fold, minus, minute};
use barograph_domain::advice::{
    AdviceView, ContextBrief, Missing, PositionCard, PositionFlag, PositionNotice, StopReach, StopState, TargetSource,
    Verdict,
};
use barograph_domain::{RiskRegime, Side, Span, Ts};
use barograph_engine::advice::digits::{number, own, price, size};
use std::fmt::Write as _;

const WIDTH: usize = 80;
/// Characters of an id in a list.
const ID_SHOWN: usize = 8;

const fn side(side: Side) -> &'static str {
    match side {
        Side::Long => "long",
        Side::Short => "short",
    }
}

/// Advice as people read it.
pub(crate) fn advice(a: &AdviceView, paint: Paint) -> String {
    let mut out = String::new();
    let mut line = |text: &str| {
        let _infallible = writeln!(out, "{text}");
    };
    let head = format!("{}  {} from {}", a.instrument, side(a.side), own(a.entry));
    let stamp = a.snapshot.as_ref().map_or_else(|| "no snapshot".to_owned(), |s| minute(s.timestamp));
    let gap = WIDTH.saturating_sub(head.chars().count() + stamp.chars().count()).max(2);
    line(&format!("{}{}{stamp}", paint.strong(&head), " ".repeat(gap)));
    if let Some(m) = &a.market {
        line(&format!(" market      {}", seen(m.price, m.at, Span::secs(m.age_s))));
    }
    // Colours of the severities that people know from the weather.
    let as_label = match a.verdict {
        Verdict::Allow => RiskRegime::Normal,
        Verdict::Caution => RiskRegime::ChopRisk,
        Verdict::Avoid => RiskRegime::SqueezeRisk,
    };
    let sign = match a.verdict {
        Verdict::Allow => "○",
        Verdict::Caution => "△",
        Verdict::Avoid => "✕",
    };
    line(&format!(" verdict     {}", paint.label(as_label, &format!("{} {sign}", a.verdict.name()))));
    if let Some(rate) = &a.verdict_base_rate_text {
        line(&paint.faint(&fold(rate, WIDTH - 1, "             ")));
    }
    for (i, r) in a.reasons.iter().enumerate() {
        let what = if i == 0 { "because" } else { "" };
        let text = fold(&format!("{} [{}]", r.text, r.code.name()), WIDTH - 1, "             ");
        line(&format!(" {what:<11} {}", text.trim_start()));
    }
    for w in &a.warnings {
        // What is a reason already is not said twice.
        if !a.reasons.iter().any(|r| r.text == w.text) {
            let text = fold(&format!("{} ({})", w.text, w.level.name()), WIDTH - 1, "             ");
            line(&format!(" {:<11} {}", "warning", text.trim_start()));
        }
    }
    line("");
    numbers(a, &mut line);
    line("");
    for o in &a.options {
        let text = fold(&o.text, WIDTH - 1, "             ");
        line(&format!(" {:<11} {}", "option", text.trim_start()));
    }
    let entries = fold(&a.new_entries, WIDTH - 1, "             ");
    line(&format!(" {:<11} {}", "new entries", entries.trim_start()));
    let held = fold(&a.open_positions, WIDTH - 1, "             ");
    line(&format!(" {:<11} {}", "held", held.trim_start()));
    for d in &a.defaults_used {
        line(&format!(" {}", paint.faint(fold(d, WIDTH - 1, " ").trim_start())));
    }
    if !a.not_evaluated.is_empty() {
        let names: Vec<&str> = a.not_evaluated.iter().map(|c| c.spoken()).collect();
        let text = fold(&format!("not checked (no data): {}", names.join(", ")), WIDTH - 1, " ");
        line(&format!(" {}", paint.faint(text.trim_start())));
    }
    if let Some(s) = &a.snapshot {
        line(&format!(" {}", paint.faint(&format!("snapshot {}, {}", s.snapshot_id, s.logic_version))));
    }
    out
}

fn numbers(a: &AdviceView, line: &mut impl FnMut(&str)) {
    let why = |m: Option<Missing>| m.map_or_else(|| "not known".to_owned(), |m| m.name().replace('_', " "));
    let p = &a.parameters;
    let near = |x: f64| price(x, Some(x - a.entry));
    match (a.stop.used, a.stop.r) {
        (Some(stop), Some(r)) => {
            let atr = a.stop.atr.map_or(String::new(), |atr| format!(" ({:.2} ATR)", r / atr));
            let source = a.stop.source.unwrap_or("user");
            let stop = if source == "user" { own(stop) } else { near(stop) };
            line(&format!(" stop        {stop:<14} {} away{atr}, {}", number(r), source.replace('_', " ")));
        }
        _ => line(&format!(" stop        {}", why(a.stop.missing))),
    }
    if let Some(base) = a.stop.base.filter(|_| a.stop.source == Some("user")) {
        // As it came out: a coarse price step moves it.
        let mult = a.stop.atr.filter(|atr| *atr > 0.0).map_or(p.stop_loss_atr_mult, |atr| (a.entry - base).abs() / atr);
        line(&format!(" by ATR      {:<14} {} ATR", near(base), number(mult)));
    }
    if let Some(free) = a.stop.stop_alternative {
        line(&format!(" off cluster {}", near(free)));
    }
    match (a.target.price, a.target.effective_rr) {
        (Some(t), Some(rr)) => {
            let from = match (&a.target.level, a.target.target_source) {
                (Some(l), _) => format!(", before {}", l.level_type.spoken()),
                (None, Some(TargetSource::Ratio)) => ", by the ratio".to_owned(),
                (None, _) => String::new(),
            };
            line(&format!(" target      {:<14} {rr:.2} R{from}", near(t)));
        }
        (Some(t), None) => line(&format!(" target      {}", near(t))),
        _ => line(&format!(" target      {}", why(a.target.missing))),
    }
    match (a.size.size_base_units, a.size.loss_fraction.or(a.size.risk_fraction)) {
        (Some(q), Some(f)) => {
            let loss = a.size.loss_at_stop.map_or(String::new(), |l| format!("loses {} at the stop, ", number(l)));
            line(&format!(" size        {:<14} {loss}{:.2} % of equity", size(q), f * 100.0));
            if let Some(limit) = a.size.binding_limit_text {
                line(&format!(" {:<11} {:<14} capped by {limit}", "", ""));
            }
        }
        (None, Some(f)) => line(&format!(" risk        {:.2} % of equity at most", f * 100.0)),
        _ => line(&format!(" size        {}", why(a.size.missing))),
    }
    if let Some(e) = a.expected_value {
        let rate = e.win_rate * 100.0;
        line(&format!(
            " expected    {} R over {} of your trades ({rate:.0} % won)",
            minus(&format!("{:+.3}", e.value_r)),
            e.n
        ));
    }
}

/// A position with what is around it.
pub(crate) fn card(c: &PositionCard, paint: Paint) -> String {
    let p = &c.position;
    let mut out = String::new();
    let (flag, label) = match c.flag {
        PositionFlag::None => ("○", RiskRegime::Normal),
        PositionFlag::Yellow => ("▲ yellow", RiskRegime::ChopRisk),
        PositionFlag::Grey => ("? grey", RiskRegime::Unknown),
    };
    let stop = p.stop.map_or(String::new(), |s| format!(", stop {}", own(s)));
    let size = p.size.map_or(String::new(), |s| format!(", size {}", own(s)));
    let head = format!("{}  {} from {}{stop}{size}", p.instrument, side(p.side), own(p.entry));
    let head = fold(&head, WIDTH - flag.chars().count() - 2, "  ");
    let _infallible = writeln!(out, "{}  {}", paint.strong(head.trim_start()), paint.label(label, flag));
    let by = p.strategy.as_ref().map_or(String::new(), |s| format!("  {s}"));
    let about = fold(&format!("{}  opened {}{by}", p.id, minute(p.opened_at)), WIDTH, " ");
    let _infallible = writeln!(out, "{}", paint.faint(&about));
    if let Some(context) = &c.context {
        let _infallible = writeln!(
            out,
            " {} since {}, posture {}, bias {}",
            context.risk.name(),
            minute(context.since),
            context.posture.name(),
            context.risk_bias.name()
        );
    }
    if let Some(text) = c.context.as_ref().and_then(priced) {
        let _infallible = writeln!(out, " {text}");
    }
    if let Some(text) = c.stop_state.as_ref().and_then(at_stop) {
        let _infallible = writeln!(out, " {}", paint.label(RiskRegime::SqueezeRisk, &text));
    }
    if let Some(text) = &c.card {
        let _infallible = writeln!(out, " {}", paint.label(RiskRegime::ChopRisk, text));
    }
    if let Some(guidance) = &c.guidance {
        let text = format!("held: {}; new entries: {}", guidance.open_positions, guidance.new_entries);
        let _infallible = writeln!(out, "{}", fold(&text, WIDTH, " "));
    }
    for n in c.notices.iter().take(3) {
        let text = fold(&n.text, WIDTH, "                             ");
        let _infallible = writeln!(out, " {}  {:<8} {}", minute(n.timestamp), n.level.name(), text.trim_start());
    }
    out
}

/// A stop that was reached or is near; nothing for one that is far.
fn at_stop(s: &StopState) -> Option<String> {
    let way =
        s.distance_atr.map_or_else(|| format!("{:.1} %", s.distance.abs() * 100.0), |d| format!("{:.1} ATR", d.abs()));
    match s.state {
        StopReach::Far => None,
        StopReach::Near => Some(format!("stop {} is near: {way} away", own(s.stop))),
        StopReach::Reached => {
            let now = match s.distance {
                d if d < 0.0 => format!(", {way} beyond it"),
                d if d > 0.0 => format!(", {way} back from it"),
                _ => String::new(),
            };
            Some(format!("stop {} reached: price {}{now}", own(s.stop), price(s.price, Some(s.price - s.stop))))
        }
    }
}

/// The price with the minute it is of and how long ago that was.
fn priced(context: &ContextBrief) -> Option<String> {
    let (price, at) = (context.price?, context.price_at?);
    Some(format!("price {}", seen(price, at, Span::secs((context.timestamp - at).as_secs().max(0)))))
}

fn seen(price: f64, at: Ts, age: Span) -> String {
    format!("{} as of {} ({} ago)", term::price(price), minute(at), age.spoken())
}

/// A notice: when and how heavy, its market and the beginning of the position's id, which commands take for the whole.
pub(crate) fn notice(n: &PositionNotice) -> String {
    let id = n.position_id.chars().take(ID_SHOWN).collect::<String>();
    let head = format!("{}  {:<8} {}  {id}", minute(n.timestamp), n.level.name(), n.instrument);
    format!("{head}\n{}", fold(&n.text, WIDTH, "    "))
}
