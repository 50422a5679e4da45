//! Session tuning (R2.45): sessions are chosen in a first part of the time and judged in the part that follows, never in the one they
//! were chosen in.
//!
//! Chosen are the sessions of entry whose mean result with the context's stop and target is above zero after costs, on at least 30
//! trades that were over before the split. A trade that began before the split and ended after it belongs to neither part.

use super::bands::KpiBand;
use super::entry::Arm;
use super::fill::TradeCosts;
use super::market::MeasuredTrade;
use super::report::Figures;
use super::words;
use barograph_domain::{Span, TradingSession, Ts};
use serde::Serialize;

/// Trades that a session needs before the split.
pub const TUNING_MIN: u32 = 30;

/// One session before and after the split.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct TunedSession {
    /// The session of the entry.
    pub session: TradingSession,
    /// Above zero before the split, on enough trades.
    pub chosen: bool,
    /// Mean after costs with context before the split, R.
    pub before: KpiBand,
    /// The same after it.
    pub after: KpiBand,
}

/// What choosing sessions gave.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct SessionTuning {
    /// Sessions are chosen before, and judged from here on.
    pub split: Ts,
    /// Trades that a session needed to be chosen.
    pub trades_min: u32,
    /// Trades before, over at the split.
    pub n_before: u32,
    /// Trades from the split on.
    pub n_after: u32,
    /// Trades that were open at the split.
    pub n_across: u32,
    /// Every session.
    pub sessions: Vec<TunedSession>,
    /// After the split: mean after costs of the chosen sessions alone, R.
    pub chosen: KpiBand,
    /// After the split: of all sessions.
    pub all: KpiBand,
    /// The one less the other.
    pub difference: KpiBand,
    /// What it comes to.
    pub sentence: String,
}

/// Chooses sessions before `split` and judges them after it.
#[must_use]
pub fn tune_sessions(
    trades: &[MeasuredTrade],
    split: Ts,
    costs: &TradeCosts,
    horizon: Span,
    seed: u64,
) -> SessionTuning {
    let context = |t: &MeasuredTrade| t.result(Arm::Context).at;
    let part = |of: fn(&MeasuredTrade, Ts, Ts) -> bool| -> Vec<MeasuredTrade> {
        trades.iter().filter(|t| of(t, split, context(t))).cloned().collect()
    };
    let (first, rest) = (part(|_, split, over| over <= split), part(|t, split, _| t.entry.at >= split));
    let [before, after] = [&first, &rest].map(|part| Figures::new(part, costs, horizon, seed));
    let net = |f: &Figures<'_>, t: &MeasuredTrade| f.net(t, Arm::Context);
    let of_session = |f: &Figures<'_>, session| f.mean(|t| (t.entry.session == Some(session)).then(|| net(f, t)));
    let sessions: Vec<TunedSession> = TradingSession::ALL
        .into_iter()
        .map(|session| {
            let own = of_session(&before, session);
            let chosen = own.n >= TUNING_MIN && own.value > Some(0.0);
            TunedSession { session, chosen, before: own, after: of_session(&after, session) }
        })
        .collect();
    let is_chosen = |t: &MeasuredTrade| sessions.iter().any(|s| s.chosen && t.entry.session == Some(s.session));
    let chosen = |t: &MeasuredTrade| is_chosen(t).then(|| net(&after, t));
    let all = |t: &MeasuredTrade| Some(net(&after, t));
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let mut out = SessionTuning {
        split,
        trades_min: TUNING_MIN,
        n_before: count(first.len()),
        n_after: count(rest.len()),
        n_across: count(trades.len() - first.len() - rest.len()),
        chosen: after.mean(chosen),
        all: after.mean(all),
        difference: after.apart(chosen, all),
        sessions,
        sentence: String::new(),
    };
    out.sentence = sentence(&out);
    out
}

fn sentence(t: &SessionTuning) -> String {
    let names: Vec<&str> = t.sessions.iter().filter(|s| s.chosen).map(|s| s.session.name()).collect();
    let day = &t.split.iso()[..10];
    if names.is_empty() {
        return format!(
            "before {day} no session had a mean above zero after costs on {} trades: none is chosen, nothing to judge",
            t.trades_min
        );
    }
    let chosen = names.join(", ");
    let Some(value) = t.chosen.value else {
        return format!("{chosen}, chosen before {day}: no trade in them since, so nothing can be judged");
    };
    let held = match t.chosen.excludes_zero() {
        Some(true) if value > 0.0 => "it held",
        _ if value <= 0.0 => "it did not hold",
        Some(_) => "not shown to hold: the band holds zero",
        None => "not shown to hold: too little data for a band",
    };
    let against = match t.difference.excludes_zero() {
        Some(true) => "",
        Some(false) => ", the band of which holds zero",
        None => ", without a band",
    };
    format!(
        "{chosen}, chosen before {day}: {} R a trade since {}; {held}. All sessions: {} R {}; the choice gained {} R{against}",
        words::signed(value, 2),
        words::band(&t.chosen, 1.0, 2),
        words::signed(t.all.value.unwrap_or(0.0), 2),
        words::band(&t.all, 1.0, 2),
        words::signed(t.difference.value.unwrap_or(0.0), 2),
    )
}
