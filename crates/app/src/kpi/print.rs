//! Key figures as tables of eighty columns, and as one JSON object for each strategy.

use super::{KpiRun, MeasuredStrategy, compared};
use crate::failure::Failure;
use crate::term::{Paint, fold};
use barograph_engine::kpi::{Arm, ArmFigures, KpiBand, KpiReport, MeasuredTrade, StrategyName};
use serde_json::{Value, json};
use std::io::Write;

/// What the claims of the second original were (R2.48–R2.54): measured, never promised.
const CLAIMS: [(&str, &str); 5] = [
    ("win_rate", "+10 to +15 points in sessions of low volatility"),
    ("targets", "at least 60 %, 30 % for a random level"),
    ("stop_out", "10 to 15 % fewer"),
    ("achieved", "at least 90 % of the planned ratio"),
    ("confidence", "a gap of at least 20 points"),
];

/// How bars become fills, in one sentence.
const RULES: &str = "entry at the close of the bar that decided; inside one bar the stop comes first; an open beyond the stop is \
                     filled at that open, a target never better than stated";

/// Every strategy as a JSON object, with its trades before it where asked for; what several come to side by side is the last line.
pub(crate) fn lines(out: &mut impl Write, m: &KpiRun<'_>) -> Result<(), Failure> {
    for s in &m.strategies {
        for t in s.trades.iter().filter(|_| m.args.trades) {
            writeln!(out, "{}", trade(m, s, t))?;
        }
        writeln!(out, "{}", json(m, s)?)?;
    }
    if let Some(c) = &m.comparison {
        let figures = serde_json::to_value(c).map_err(Failure::broken)?;
        writeln!(out, "{}", json!({ "comparison": figures }))?;
    }
    Ok(())
}

fn json(m: &KpiRun<'_>, s: &MeasuredStrategy) -> Result<Value, Failure> {
    let counted = m.markets.iter().zip(&s.by_market);
    let markets: Vec<Value> = counted
        .map(|(one, counts)| {
            json!({
                "market": one.name.to_string(), "bars": one.step.map(barograph_domain::Span::compact),
                "first": one.first, "last": one.last, "counts": counts,
            })
        })
        .collect();
    let mut whole = json!({
        "strategy": s.name, "timeframe": m.args.timeframe.compact(), "horizon_s": m.args.horizon.as_secs(),
        "window_bars": s.name.window(), "fill_rules": RULES, "costs": m.costs, "cost_share": m.costs.share(),
        "from": m.args.from, "until": m.args.until, "seed": m.args.seed,
        "book": m.book, "logic_version": m.logic_version, "markets": markets, "counts": s.counts,
        "claims": CLAIMS.iter().map(|(k, v)| ((*k).to_owned(), Value::from(*v))).collect::<serde_json::Map<_, _>>(),
        "report": serde_json::to_value(&s.report).map_err(Failure::broken)?,
    });
    if let Some(tuning) = &s.tuning {
        whole["session_tuning"] = serde_json::to_value(tuning).map_err(Failure::broken)?;
    }
    Ok(whole)
}

/// One measured trade as a JSON line.
fn trade(m: &KpiRun<'_>, s: &MeasuredStrategy, t: &MeasuredTrade) -> Value {
    let e = &t.entry;
    let arms = Arm::ALL.into_iter().map(|arm| {
        let (plan, closed) = (e.plan(arm), t.result(arm));
        let value = json!({
            "stop": plan.stop, "target": plan.target, "planned_rr": plan.ratio(), "exit": closed.exit,
            "exit_ts": closed.at, "exit_price": closed.price, "r": closed.r,
            "r_after_costs": closed.r - plan.cost(&m.costs), "both_inside": closed.both,
        });
        (arm.name().to_owned(), value)
    });
    let mut line = json!({
        "market": m.markets.get(t.market).map(|one| one.name.to_string()), "entry_ts": e.at, "side": e.side,
        "entry": e.price, "atr_14": e.atr, "session": e.session, "confidence": e.confidence, "verdict": e.verdict,
        "decided_by": e.decided_by, "size_factor": e.size, "target_source": e.target_source,
        "random_hits": t.random, "arms": arms.collect::<serde_json::Map<_, _>>(),
    });
    if m.comparison.is_some() {
        line["strategy"] = s.name.name().into();
    }
    line
}

/// The whole as text.
pub(crate) fn table(out: &mut impl Write, m: &KpiRun<'_>, paint: Paint) -> Result<(), Failure> {
    head(out, m, paint)?;
    for s in &m.strategies {
        if m.comparison.is_some() {
            writeln!(out, "\n{}", paint.strong(s.name.spoken()))?;
            writeln!(out, "{}", fold(&format!("long: {}; short: the mirror image", s.name.definition()), 79, ""))?;
        }
        writeln!(out, "{}\n", fold(&counted(s), 79, ""))?;
        one(out, m, s, paint)?;
    }
    m.comparison.as_ref().map_or(Ok(()), |c| compared::table(out, c, paint))
}

fn one(out: &mut impl Write, m: &KpiRun<'_>, s: &MeasuredStrategy, paint: Paint) -> Result<(), Failure> {
    let r = &s.report;
    if r.n == 0 {
        writeln!(out, "no trade was measured: nothing can be said")?;
        return Ok(());
    }
    values(out, r, paint)?;
    writeln!(out)?;
    rates(out, r, paint)?;
    if let Some(tuning) = &s.tuning {
        compared::sessions(out, tuning, paint)?;
    }
    writeln!(out, "\n{}", paint.strong("in words"))?;
    for sentence in r.sentences.iter().chain(s.tuning.as_ref().map(|t| &t.sentence)) {
        writeln!(out, "{}", fold(sentence, 79, "  "))?;
    }
    let method = format!(
        "bands: 95 %, {} resamples of {} days with an entry in blocks of {}, seed {}. A win is a result above zero before costs. \
         {} trades had stop and target inside one bar: the stop counted.",
        r.resamples, r.days, r.block_days, m.args.seed, r.both_inside
    );
    writeln!(out, "{}", paint.faint(&fold(&method, 79, "")))?;
    Ok(())
}

fn head(out: &mut impl Write, m: &KpiRun<'_>, paint: Paint) -> Result<(), Failure> {
    let name = match &m.strategies[..] {
        [one] => one.name.spoken().to_owned(),
        several => format!("{} strategies", several.len()),
    };
    let what = format!(
        "{name} on {} bars, both sides, one position at a time per market, {} at most",
        m.args.timeframe.compact(),
        m.args.horizon.spoken()
    );
    writeln!(out, "{}", paint.strong(&what))?;
    if let [one] = &m.strategies[..]
        && one.name != StrategyName::default()
    {
        writeln!(out, "{}", fold(&format!("long: {}; short: the mirror image", one.name.definition()), 79, ""))?;
    }
    let examples = if m.comparison.is_some() { "examples" } else { "an example" };
    writeln!(out, "{examples} to measure advice with, not advice")?;
    writeln!(out, "{}", fold(RULES, 79, ""))?;
    let costs = format!(
        "costs: 2 × {:.3} % taker fee + {:.3} % half spread = {:.3} % of the entry price",
        100.0 * m.costs.taker_fee,
        100.0 * m.costs.half_spread,
        100.0 * m.costs.share()
    );
    writeln!(out, "{costs}\nbook {}, {}\n", m.book, m.logic_version)?;
    for one in &m.markets {
        let name = one.name.to_string();
        match (one.step, one.first, one.last) {
            (Some(step), Some(first), Some(last)) => {
                writeln!(out, "{name:<24} {} bars, {} to {}", step.compact(), &first.iso()[..10], &last.iso()[..10])?
            }
            _ => writeln!(out, "{name:<24} no bars that {} can be put together from", m.args.timeframe.compact())?,
        }
    }
    Ok(())
}

/// "812 crosses: 700 measured, 100 while a trade was open, 12 at a gap".
fn counted(s: &MeasuredStrategy) -> String {
    let c = &s.counts;
    let parts = [
        (c.while_open, "while a trade was open"),
        (c.no_context, "without a context"),
        (c.no_atr, "without an ATR"),
        (c.out_of_range, "with a stop or target that is no price"),
        (c.gap, "at a gap"),
        (c.still_open, "still open at the end"),
    ];
    let mut text = format!("{} {}: {} measured", c.crosses, s.name.moments(), c.measured);
    for (n, what) in parts.into_iter().filter(|(n, _)| *n > 0) {
        text.push_str(&format!(", {n} {what}"));
    }
    text
}

fn values(out: &mut impl Write, r: &KpiReport, paint: Paint) -> Result<(), Failure> {
    let header =
        format!("{:<34} {:>5} {:>6} {:>6}  {}", "expected value, R per trade", "n", "won", "before", "after costs");
    writeln!(out, "{}", paint.strong(&header))?;
    for v in &r.values {
        let ArmFigures { arm, win_rate, before_costs, after_costs, .. } = v;
        writeln!(
            out,
            "{arm:<34} {:>5} {:>6} {:>6}  {}",
            after_costs.n,
            percent(win_rate.value),
            signed(before_costs.value, 1.0, 2),
            banded(after_costs, 1.0, 2)
        )?;
    }
    Ok(())
}

fn rates(out: &mut impl Write, r: &KpiReport, paint: Paint) -> Result<(), Failure> {
    let header = format!("{:<34} {:>5} {:>6} {:>6}  {}", "rates", "n", "plain", "with", "difference, points");
    writeln!(out, "{}", paint.strong(&header))?;
    let mut line = |name: &str, n: u32, a: Option<f64>, b: Option<f64>, difference: &KpiBand| {
        writeln!(out, "{name:<34} {n:>5} {:>6} {:>6}  {}", percent(a), percent(b), banded(difference, 100.0, 1))
    };
    for s in &r.sessions {
        let w = &s.win_rate;
        line(&format!("won, {} entries", s.session.name()), w.plain.n, w.plain.value, w.context.value, &w.difference)?;
    }
    let s = &r.stop_out;
    line("stopped out", s.plain.n, s.plain.value, s.context.value, &s.difference)?;
    let t = &r.targets;
    line("levels reached; plain: random moment", t.reached.n, t.random.value, t.reached.value, &t.difference)?;
    let (a, b) = (&r.achieved.plain, &r.achieved.context);
    let name = "planned reward achieved by winners";
    writeln!(out, "{name:<34} {:>5} {:>6} {:>6}", b.n, percent(a.value), percent(b.value))?;
    for g in &r.confidence.groups {
        let w = &g.win_rate;
        writeln!(out, "{:<34} {:>5} {:>6} {:>6}", format!("won, confidence {}", g.group), w.n, "", percent(w.value))?;
    }
    Ok(())
}

pub(super) fn percent(x: Option<f64>) -> String {
    x.map_or_else(|| "—".to_owned(), |x| format!("{:.1}%", 100.0 * x))
}

/// A signed number with a true minus.
pub(crate) fn signed(x: Option<f64>, scale: f64, digits: usize) -> String {
    x.map_or_else(|| "—".to_owned(), |x| format!("{:+.digits$}", x * scale).replace('-', "−"))
}

pub(super) fn banded(b: &KpiBand, scale: f64, digits: usize) -> String {
    let value = signed(b.value, scale, digits);
    match b.low.zip(b.high) {
        Some((low, high)) => {
            format!("{value} ({} to {})", signed(Some(low), scale, digits), signed(Some(high), scale, digits))
        }
        None => format!("{value} ({})", b.missing.unwrap_or("no band")),
    }
}
