//! A lead/lag study as text and as JSON.

use super::words::{length, line, signed, stretch, thousands};
use crate::failure::Failure;
use crate::term::number_of;
use barograph_research::leadlag::{LeadLagCurve, LeadLagPair, LeadLagReport, LeadLagRequest, LeadLagStep};
use std::io::Write as _;

pub(crate) fn print(request: &LeadLagRequest, report: &LeadLagReport, json: bool) -> Result<(), Failure> {
    if json {
        return line(report);
    }
    let mut out = std::io::stdout().lock();
    for m in &report.markets {
        let size = thousands(m.states);
        let late = if m.delay_ms < 0.0 {
            format!("our clock {:.0} ms behind the venue's", -m.delay_ms)
        } else {
            format!("received {:.0} ms after the venue's stamp", m.delay_ms)
        };
        writeln!(out, "{:28} {size:>9} states of the book, {late} (median)", m.market)?;
    }
    writeln!(
        out,
        "\nA correlation counts where |t| is above {:.2}: 5 % over 20 lags, {} and {} (Bonferroni).\nA lead of up to {} is within what the \
         clocks may differ by, and nobody's.",
        report.t_bound,
        number_of(request.steps.len(), "step"),
        number_of(report.pairs.len(), "pair"),
        length(report.skew_ms / 1e3)
    )?;
    for pair in &report.pairs {
        writeln!(out, "\n{} and {}", pair.a, pair.b)?;
        let Some([sought, confirmed]) = pair.periods else {
            writeln!(out, "  have no recorded time in common")?;
            continue;
        };
        writeln!(out, "  sought in {}\n  confirmed in {}", stretch(sought), stretch(confirmed))?;
        for step in &pair.steps {
            writeln!(out, "{}", lines(pair, step))?;
        }
    }
    if request.terms.is_none() && report.pairs.iter().flat_map(|p| &p.steps).any(|s| s.leader.is_some()) {
        writeln!(out, "\nWhat following a lead is worth after costs: --fee TIER=BPS")?;
    }
    Ok(())
}

fn lines(pair: &LeadLagPair, step: &LeadLagStep) -> String {
    let every = length(step.step_s);
    let peak = |of: &[Option<LeadLagCurve>; 2], clock: &str| {
        let [_, Some(c)] = of else { return String::new() };
        let (rho, t) = (signed(Some(c.peak_rho), 2), signed(Some(c.peak_t), 1));
        format!("by {clock} strongest at {:+} steps: ρ {rho}, t {t}\n          ", c.peak_lag).replace("at -", "at −")
    };
    let together = step.event[1].as_ref().map_or_else(String::new, |c| {
        let ratio = c.lead_ratio.map_or_else(String::new, |r| format!(", lead ratio {r:.2}"));
        format!("ρ {} at once{ratio}\n          ", signed(c.rho.get(c.rho.len() / 2).copied(), 2))
    });
    let curves = format!("{together}{}{}", peak(&step.event, "the venues' clocks"), peak(&step.receipt, "our clock"));
    let found = match step.finding.as_str() {
        "leads" => format!(
            "{} leads by {} (ρ {})",
            step.leader.as_deref().unwrap_or_default(),
            length(step.lead_s.unwrap_or_default()),
            signed(step.rho, 2)
        ),
        "within_skew" => "a lead no longer than the clocks may differ: not reported whose".to_owned(),
        "clocks_disagree" => "the venues' clocks and ours do not see the same lead".to_owned(),
        "too_little" => format!("too little: {}", step.why.as_deref().unwrap_or_default()),
        _ => format!("no lead of {} or {} is there in both periods", pair.a, pair.b),
    };
    let follow = step.follow.as_ref().map_or_else(String::new, |f| {
        let trips = number_of(f.trades, "round trip");
        if f.trades == 0 {
            return format!("\n          following it: no trade, {} found no book", number_of(f.untraded, "order"));
        }
        format!(
            "\n          following it in {} on moves from {:.2} bp: {trips},\n          {} bp before costs, {} bp of costs, {} bp after them",
            f.follower,
            f.bound_bps,
            signed(f.gross_bps, 2),
            signed(f.cost_bps, 2).trim_start_matches('+'),
            signed(f.net_bps, 2)
        )
    });
    format!("  {every:>6}  {curves}{found}{follow}")
}
