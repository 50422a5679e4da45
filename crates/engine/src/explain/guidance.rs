//! What a label means for a person: bias, posture and words, apart for new entries and open positions (regimes §8, §9).
//!
//! A book's posture table says what every axis and a position's stop ask for, and the strictest counts; where none asks for
//! anything an open alert speaks. A book without one goes by the risk label alone. Staleness overrides everything downwards.
//! AGGRESSIVE needs every condition of the upgrade; a condition whose source is not built counts as not met and is listed.

use super::facts::Facts;
use super::headline::HeldStop;
use crate::catalogue::Feature;
use crate::detect::words::of_pattern;
use crate::rules::{PostureRow, PostureWhen};
use barograph_domain::guidance::{new_entries, of_bias, of_posture, open_positions, stops_add};
use barograph_domain::snapshot::Guidance;
use barograph_domain::{Confirmation, Posture, RiskBias, RiskRegime, Severity, StopVulnerability, VolRegime};

/// Bias and posture of a label while everything is fresh and nothing upgrades it.
#[must_use]
pub const fn mapping(label: RiskRegime) -> (RiskBias, Posture) {
    match label {
        RiskRegime::SqueezeRisk | RiskRegime::HighVol => (RiskBias::Conservative, Posture::Reduce),
        RiskRegime::ChopRisk | RiskRegime::Unknown => (RiskBias::Conservative, Posture::Hold),
        RiskRegime::Normal => (RiskBias::Neutral, Posture::Normal),
    }
}

pub(super) fn guidance(facts: &Facts<'_>, worst_stops: Option<StopVulnerability>) -> Guidance {
    guidance_of(facts, worst_stops, facts.ctx.held.map(|held| held.state))
}

/// The same for a position whose stop stands there, whatever other positions do.
pub(super) fn guidance_of(
    facts: &Facts<'_>,
    worst_stops: Option<StopVulnerability>,
    stop: Option<HeldStop>,
) -> Guidance {
    let asked = asked(facts, stop);
    let blocked = upgrade_blocked_by(facts, &asked);
    let (mut bias, mut posture) = (asked.bias, asked.posture);
    if blocked.is_empty() {
        (bias, posture) = (RiskBias::Aggressive, Posture::Aggressive);
    }
    (bias, posture) = shifted(bias, posture, facts.ctx.book.bias_shift);
    if facts.is_stale() {
        bias = RiskBias::Conservative;
        posture = if facts.ctx.book.uses_last_values() { Posture::Hold } else { posture.min(Posture::Hold) };
    }
    let by_table = !facts.ctx.book.postures().is_empty();
    let alert = open_alert(facts).filter(|_| posture >= Posture::Normal);
    let (entries_alone, open_positions) = match alert {
        Some(label) => (new_entries(label, posture).to_owned(), open_positions(label).to_owned()),
        None => (entries(facts, &asked, posture), open(facts, &asked, posture)),
    };
    Guidance {
        risk_bias: bias,
        risk_bias_action: if alert.is_some() && bias >= RiskBias::Neutral {
            BIAS_BESIDE_ALERT
        } else {
            of_bias(bias).action
        },
        posture,
        posture_action: match (alert, by_table) {
            (Some(_), _) => POSTURE_BESIDE_ALERT,
            (None, true) => action_of(posture),
            (None, false) => of_posture(posture).action,
        },
        new_entries: with_stops(entries_alone.clone(), worst_stops),
        entries_alone,
        open_positions,
        upgrade_blocked_by: blocked,
    }
}

/// Actions of bias and posture, which are those of the labels, where only an open alert asks for care (regimes §8).
const BIAS_BESIDE_ALERT: &str = "standard size by the labels, but an alert is open";
const POSTURE_BESIDE_ALERT: &str = "the labels are quiet, but an open alert calls for care";

/// Where the labels ask for nothing, what the worst open alert asks for in the words of its own message: beside one of MEDIUM or
/// above nobody reads "no action needed" (UX §1). A book without a table goes by the risk label alone.
fn open_alert(facts: &Facts<'_>) -> Option<RiskRegime> {
    let by_table = !facts.ctx.book.postures().is_empty();
    let worst = facts.row.open.worst.filter(|worst| by_table && worst.severity >= Severity::Medium)?;
    Some(match (of_pattern(worst.pattern).risk)(worst.severity) {
        RiskRegime::Normal => RiskRegime::ChopRisk,
        label => label,
    })
}

/// What the labels ask for.
struct Asked {
    bias: RiskBias,
    posture: Posture,
    /// Words of the rows that count, the strictest first; `None` where the book has no table.
    rows: Option<Vec<PostureRow>>,
}

fn asked(facts: &Facts<'_>, stop: Option<HeldStop>) -> Asked {
    let book = facts.ctx.book;
    if book.postures().is_empty() {
        let (bias, posture) = mapping(facts.axis.label);
        return Asked { bias, posture, rows: None };
    }
    let mut rows: Vec<PostureRow> =
        book.postures().iter().filter(|row| counts(facts, row.when, stop)).cloned().collect();
    rows.sort_by_key(|row| (row.posture, row.bias));
    let bias = rows.iter().map(|r| r.bias).min().unwrap_or(RiskBias::Neutral);
    let posture = rows.iter().map(|r| r.posture).min().unwrap_or(Posture::Normal);
    Asked { bias, posture, rows: Some(rows) }
}

/// Is the label of this row published? A last label that is shown for want of a new one is.
fn counts(facts: &Facts<'_>, when: PostureWhen, stop: Option<HeldStop>) -> bool {
    let axes = &facts.axes;
    match when {
        PostureWhen::Risk(label) => axes.risk.label == label,
        PostureWhen::Volatility(label) => axes.volatility.label == label,
        PostureWhen::Trend(label) => axes.trend.label == label,
        PostureWhen::Heat(label) => axes.heat.label == label,
        PostureWhen::Stop(at) => stop == Some(at),
    }
}

/// With a table HOLD stands for more than quiet data: what is held is kept, and nothing is added.
const fn action_of(posture: Posture) -> &'static str {
    match posture {
        Posture::Hold => "keep what you have, add nothing",
        Posture::Reduce | Posture::Normal | Posture::Aggressive => of_posture(posture).action,
    }
}

/// Rows that are reported.
const ROWS_MAX: usize = 2;

/// The words of the strictest posture that has any, each once, and before them those of a position's stop: a milder posture asks
/// for what the strictest has already asked for. Those of a row that asks for nothing only where no other row speaks.
fn words(rows: &[PostureRow], of: fn(&PostureRow) -> &str) -> String {
    let asks = |row: &&PostureRow| row.posture < Posture::Normal || row.when != PostureWhen::Risk(RiskRegime::Normal);
    let of_stop = |row: &&PostureRow| matches!(row.when, PostureWhen::Stop(_));
    let speaking: Vec<&PostureRow> = rows.iter().filter(asks).filter(|row| !of(row).is_empty()).collect();
    let strictest = |row: &&PostureRow| speaking.first().is_some_and(|first| row.posture == first.posture);
    let stops = speaking.iter().copied().filter(of_stop);
    let others = speaking.iter().copied().filter(|row| !of_stop(row) && strictest(row));
    let mut said: Vec<&str> = Vec::new();
    for text in stops.chain(others).map(of) {
        if said.len() < ROWS_MAX && !said.contains(&text) {
            said.push(text);
        }
    }
    if said.is_empty() {
        said.extend(rows.iter().map(of).find(|t| !t.is_empty()));
    }
    said.join("; ")
}

/// Personal bias lowers by one step and never raises (R1.98); AGGRESSIVE posture goes with AGGRESSIVE bias only.
const fn shifted(bias: RiskBias, posture: Posture, shift: i8) -> (RiskBias, Posture) {
    if shift >= 0 {
        return (bias, posture);
    }
    match (bias, posture) {
        (RiskBias::Aggressive, _) => (RiskBias::Neutral, Posture::Normal),
        (RiskBias::Neutral | RiskBias::Conservative, _) => (RiskBias::Conservative, posture),
    }
}

/// While data is old, words that assume a reading give way to waiting.
fn entries(facts: &Facts<'_>, asked: &Asked, posture: Posture) -> String {
    let unread = facts.is_stale() && (facts.is_unread() || facts.axis.label == RiskRegime::Normal);
    match &asked.rows {
        _ if unread => new_entries(RiskRegime::Unknown, posture).to_owned(),
        Some(rows) if posture != Posture::Aggressive => words(rows, |r| &r.new_entries),
        Some(_) | None => new_entries(facts.axis.label, posture).to_owned(),
    }
}

/// What stop density adds, without saying twice what both say: "wider stop or wait" and "wider stop or wait for better entry".
/// Whoever waits for data needs no advice about stops.
pub(crate) fn with_stops(base: String, worst_stops: Option<StopVulnerability>) -> String {
    let add = worst_stops.map_or("", stops_add);
    let waits = new_entries(RiskRegime::Unknown, Posture::Hold);
    let mut parts: Vec<String> = base.split("; ").map(str::to_owned).collect();
    if add.is_empty() || parts.iter().any(|part| part == waits || part.ends_with(add)) {
        return base;
    }
    match parts.iter_mut().find_map(|part| overlap(part, add).map(|at| (part, at))) {
        Some((part, at)) => part.replace_range(at.., add),
        None => parts.push(add.to_owned()),
    }
    parts.join("; ")
}

/// Where in `part` begins what `add` begins with: at least two whole words, as one may be there by chance.
fn overlap(part: &str, add: &str) -> Option<usize> {
    let shared = |i: &usize| {
        let tail = &part[*i..];
        tail.contains(' ') && add.starts_with(tail) && (*i == 0 || part[..*i].ends_with(' '))
    };
    part.char_indices().map(|(i, _)| i).find(shared)
}

fn open(facts: &Facts<'_>, asked: &Asked, posture: Posture) -> String {
    let label = facts.axis.label;
    let as_labelled = !facts.is_stale() || posture == Posture::Reduce || label == RiskRegime::ChopRisk;
    match &asked.rows {
        Some(rows) if as_labelled || rows.iter().any(|r| r.posture < Posture::Normal) => {
            words(rows, |r| &r.open_positions)
        }
        Some(_) | None => open_positions(if as_labelled { label } else { RiskRegime::Unknown }).to_owned(),
    }
}

/// Conditions of the AGGRESSIVE upgrade that are not met (regimes §8).
fn upgrade_blocked_by(facts: &Facts<'_>, asked: &Asked) -> Vec<&'static str> {
    let (published, raw) = (facts.axis.label, facts.axis.raw_label);
    let mut out = Vec::new();
    if published != RiskRegime::Normal || raw != RiskRegime::Normal {
        out.push("risk is not normal");
    }
    let trend = Confirmation::of(&facts.row.timeframes.trend);
    match trend.primary {
        None => out.push("trend confirmation is not available"),
        Some(label) if !trend.confirmed || label.direction() == 0 => out.push("no trend is confirmed"),
        Some(_) => {}
    }
    if facts.stops(Feature::StopVulnerability) != Some(StopVulnerability::Low) {
        out.push("stop vulnerability is not low");
    }
    if facts.is_stale() {
        out.push("an input is stale");
    }
    match facts.axes.volatility.label {
        VolRegime::Unknown => out.push("the volatility class is not available"),
        VolRegime::Explosive | VolRegime::Extreme => out.push("moves are explosive or extreme"),
        VolRegime::Stable | VolRegime::HighVol => {}
    }
    let asks = |r: &PostureRow| (r.posture, r.bias) < (Posture::Normal, RiskBias::Neutral);
    let mut others = asked.rows.iter().flatten().filter(|r| asks(r));
    if others.any(|r| matches!(r.when, PostureWhen::Heat(_) | PostureWhen::Stop(_))) {
        out.push("heat or a position's stop calls for care");
    }
    if open_alert(facts).is_some() {
        out.push("an alert is open");
    }
    if !facts.ctx.book.allow_aggressive {
        out.push("the rule book has allow_aggressive off");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stops_add_is_not_said_twice() {
        for (base, add, want) in [
            ("follow own rules", None, "follow own rules"),
            ("follow own rules", Some(StopVulnerability::Low), "follow own rules"),
            (
                "fewer entries, expect whipsaw",
                Some(StopVulnerability::High),
                "fewer entries, expect whipsaw; wider stop or wait for better entry",
            ),
            (
                "smaller size, wider stop or wait",
                Some(StopVulnerability::High),
                "smaller size, wider stop or wait for better entry",
            ),
            (
                "smaller size, wider stop or wait; against the move: wait",
                Some(StopVulnerability::High),
                "smaller size, wider stop or wait for better entry; against the move: wait",
            ),
            (
                "no adding; smaller size, wider stop or wait",
                Some(StopVulnerability::High),
                "no adding; smaller size, wider stop or wait for better entry",
            ),
            ("data incomplete: wait", Some(StopVulnerability::High), "data incomplete: wait"),
            (
                "against the move: wait",
                Some(StopVulnerability::Medium),
                "against the move: wait; consider adjusting stop levels",
            ),
        ] {
            assert_eq!(with_stops(base.to_owned(), add), want);
        }
    }

    #[test]
    fn the_table_and_the_personal_step_down() {
        use {Posture as P, RiskBias as B, RiskRegime as R};
        let want = [
            (R::Normal, B::Neutral, P::Normal),
            (R::ChopRisk, B::Conservative, P::Hold),
            (R::SqueezeRisk, B::Conservative, P::Reduce),
            (R::HighVol, B::Conservative, P::Reduce),
            (R::Unknown, B::Conservative, P::Hold),
        ];
        for (label, bias, posture) in want {
            assert_eq!(mapping(label), (bias, posture), "{label:?}");
        }
        assert_eq!(shifted(B::Aggressive, P::Aggressive, -1), (B::Neutral, P::Normal));
        assert_eq!(shifted(B::Neutral, P::Normal, -1), (B::Conservative, P::Normal));
        assert_eq!(shifted(B::Conservative, P::Reduce, -1), (B::Conservative, P::Reduce));
        assert_eq!(shifted(B::Aggressive, P::Aggressive, 0), (B::Aggressive, P::Aggressive));
    }
}
