//! Several markets on the terminal, in 80 columns.

use crate::term::{Paint, fold, fold_behind, minute, minute_and_age, number_of, price};
use barograph_api::{CalendarView, PairView, UniverseView};
use barograph_domain::portfolio::{BasketFrom, PortfolioView};
use barograph_domain::universe::Gauge;
use barograph_domain::{PairState, RiskRegime, Side, Span, Ts};
use std::fmt::Write as _;

const WIDTH: usize = 80;
/// The newest hour ended at most so long ago where markets are listened to.
const FRESH: Span = Span::hours(2);
/// Where there is no number.
const NONE: &str = "–";

fn number(gauge: &Gauge) -> String {
    gauge.value.map_or_else(|| gauge.reason.map_or(NONE, barograph_domain::Reason::name).to_owned(), |x| signed(x, 2))
}

/// What a diversification ratio comes to: 1 is none.
const fn spread(ratio: f64) -> &'static str {
    match ratio {
        r if r < 1.1 => "almost none",
        r if r < 1.3 => "some",
        _ => "good",
    }
}

/// With a true minus.
fn signed(x: f64, decimals: usize) -> String {
    format!("{x:.decimals$}").replace('-', "−")
}

fn share(x: f64) -> String {
    format!("{:.1} %", 100.0 * x)
}

/// One hour: markets, then pairs.
pub(crate) fn universe(v: &UniverseView, now: Ts, paint: Paint) -> String {
    let mut out = String::new();
    let mut line = |text: &str| {
        let _infallible = writeln!(out, "{text}");
    };
    let leads = v.leading_asset.as_ref().map_or_else(|| "no market leads".to_owned(), |a| format!("{a} leads"));
    line(&paint.strong(&format!(
        "{}  {}, {leads}",
        minute_and_age(v.timestamp, now, FRESH),
        number_of(v.markets.len(), "market")
    )));
    line(&format!(" {:<34} {:>12} {:>9}  {:<12} {:>5}", "market", "price", "24 h vol", "risk", "lead"));
    for m in &v.markets {
        let vol = m.vol_annual.map_or_else(|| NONE.to_owned(), share);
        let lead = m.lead_score.map_or_else(|| NONE.to_owned(), |s| signed(s, 2));
        let at = m.price.map_or_else(|| NONE.to_owned(), price);
        let risk = paint.label(m.risk, &format!("{:<12}", m.risk.name()));
        line(&format!(" {:<34} {at:>12} {vol:>9}  {risk} {lead:>5}", m.instrument.to_string()));
    }
    line("");
    line(&format!(
        " {:<21} {:>7} {:>7} {:<11} {:>5} {:<10} {}",
        "pair", "20 h", "30 d", "usual", "rank", "state", "first"
    ));
    for p in &v.pairs {
        line(&pair(v, p, paint));
    }
    out
}

fn pair(v: &UniverseView, p: &PairView, paint: Paint) -> String {
    let r = &p.reading;
    let usual = r.band.map_or_else(|| NONE.to_owned(), |b| format!("{} … {}", signed(b.low, 2), signed(b.high, 2)));
    let rank = r.corr_20_pct_180d.value.map_or_else(|| NONE.to_owned(), |x| format!("{:.0} %", 100.0 * x));
    let state = r.state.map_or_else(|| NONE.to_owned(), |s| format!("{} {}", s.sign(), s.name()));
    let label = match r.state {
        Some(PairState::Normal) => RiskRegime::Normal,
        Some(PairState::Watch) => RiskRegime::ChopRisk,
        Some(PairState::Break) => RiskRegime::SqueezeRisk,
        None => RiskRegime::Unknown,
    };
    let asset = |at: u16| v.markets.get(usize::from(at)).map_or("", |m| m.asset.as_str());
    let first = match (r.lead.best, r.lead.significant) {
        (Some(best), Some(true)) if best.lag > 0 => format!("{}, {} min", asset(r.a), best.lag),
        (Some(best), Some(true)) => format!("{}, {} min", asset(r.b), best.lag.unsigned_abs()),
        _ => NONE.to_owned(),
    };
    let state = paint.label(label, &format!("{state:<10}"));
    let (short, long) = (number(&r.corr_20), number(&r.corr_30d));
    format!(" {:<21} {short:>7} {long:>7} {usual:<11} {rank:>5} {state} {first}", p.asset_pair)
}

/// A basket as people read it.
pub(crate) fn portfolio(v: &PortfolioView, paint: Paint) -> String {
    let mut out = String::new();
    let mut line = |text: &str| {
        let _infallible = writeln!(out, "{text}");
    };
    let p = &v.portfolio;
    let from = match v.basket_from {
        BasketFrom::Request => "the holdings given",
        BasketFrom::Registered => "registered positions",
        BasketFrom::WatchList => "the watch-list in equal parts",
    };
    line(&paint.strong(&format!("{}  {from}", minute(v.timestamp))));
    let systemic = if p.systemic { ", most markets at once" } else { "" };
    line(&format!(" label       {}{systemic}", paint.label(p.regime, p.regime.name())));
    line(&format!(" posture     {}, bias {}", p.posture.name(), p.risk_bias.name()));
    let assumed = match p.assumed_pairs {
        0 => String::new(),
        n => format!(" ({} without a correlation: taken as 1)", number_of(n, "pair")),
    };
    let vol = match p.vol_annual.value {
        Some(vol) => format!("24 h vol {:.0} % annualised{assumed}", 100.0 * vol),
        None => "not known: a market has no volatility yet".to_owned(),
    };
    line(&format!(" volatility  {}", fold_behind(13, &vol, 80, "             ")));
    if let Some(ratio) = p.diversification_ratio {
        line(&format!(" spread      diversification ratio {ratio:.2} ({})", spread(ratio)));
    }
    if let Some(corr) = p.avg_pair_corr {
        line(&format!(" correlation {} on average over 20 h", signed(corr, 2)));
    }
    line("");
    line(&format!(" {:<34} {:<6} {:>8}  {:<12} {}", "market", "side", "weight", "risk", "volatility"));
    for h in &v.holdings {
        let side = h.side.map_or(NONE, |s| if s == Side::Long { "long" } else { "short" });
        let risk = paint.label(h.risk, &format!("{:<12}", h.risk.name()));
        let weight = share(h.weight).replace('-', "−");
        line(&format!(" {:<34} {side:<6} {weight:>8}  {risk} {}", h.instrument, h.volatility.name()));
    }
    for l in &v.left_out {
        line(&fold(&format!("{} is left out: {}", l.instrument, l.reason), WIDTH - 1, " "));
    }
    line("");
    for text in &p.advice {
        line(&fold(text, WIDTH - 1, " "));
    }
    out
}

/// What is scheduled.
pub(crate) fn calendar(v: &CalendarView, as_of: Option<Ts>) -> String {
    let mut out = String::new();
    let mut line = |text: &str| {
        let _infallible = writeln!(out, "{text}");
    };
    if !v.available {
        line(&as_of.map_or_else(
            || "no calendar is known; set calendar to shipped, a file or an address".to_owned(),
            |t| format!("no calendar was known at {t}"),
        ));
        return out;
    }
    match (&v.next_high, v.minutes_to_event, v.blackout) {
        (Some(e), Some(m), Some(reason)) => line(&format!("{} in {m:.0} min: new entries wait ({reason})", e.name)),
        (Some(e), Some(m), None) => line(&format!("{} in {}", e.name, spoken(m))),
        _ => line("nothing of high impact is known to come"),
    }
    for e in &v.coming {
        line(&format!(" {}  {:<6}  {}  ({})", minute(e.at), e.impact.name(), e.name, e.source));
    }
    out
}

#[expect(clippy::cast_possible_truncation, reason = "minutes of years")]
fn spoken(minutes: f64) -> String {
    barograph_domain::Span::mins(minutes as i64).spoken()
}
