//! Chains of hashes over the ledger: one per UTC day and event, so that no forecast, reason for none, outcome or count of windows of a
//! day can be changed, added or left out later without its head changing (verification §7). Readings of drift and rolling skills are in
//! none: they follow from stored minutes and from these rows.
//!
//! The canonical row is a line of fields between bars. Numbers of two's complement are decimal; floating-point numbers are the
//! sixteen hexadecimal digits of their bits, so that every language writes the same. A row's hash is SHA-256 over the hash before it
//! and its line; a day begins with 32 zero bytes.

use barograph_domain::forecast::{
    ForecastEvent, Issue, LedgerTick, MoveBase, NotIssued, Resolution, Stated, WindowOutcome,
};
use barograph_domain::{Ts, time};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The state of a chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Head {
    /// Rows so far.
    pub rows: u64,
    /// Hash of the last row.
    pub hash: [u8; 32],
}

/// The chains of a logic version that a process adds to.
#[derive(Clone, Debug, Default)]
pub struct Chains {
    heads: BTreeMap<(i64, ForecastEvent), Head>,
}

/// First instant of the UTC day of a moment.
#[must_use]
pub const fn day_of(t: Ts) -> Ts {
    t.floor(time::DAY)
}

impl Chains {
    /// Goes on from a head that is stored.
    pub fn resume(&mut self, day: Ts, event: ForecastEvent, head: Head) {
        self.heads.insert((day.0, event), head);
    }

    /// Adds a tick's rows; the heads that moved, by event. Ticks come in order of time.
    pub fn add(&mut self, tick: &LedgerTick, logic_version: &str) -> Vec<(ForecastEvent, Head)> {
        let day = day_of(tick.ts).0;
        // Days that are over get no more rows.
        self.heads.retain(|(d, _), _| *d >= day);
        let mut moved = Vec::new();
        let mut line = String::new();
        for event in ForecastEvent::ALL {
            let head = self.heads.entry((day, event)).or_default();
            let before = head.rows;
            let mut row = |line: &str| {
                let mut hash = Sha256::new();
                hash.update(head.hash);
                hash.update(line.as_bytes());
                head.hash = hash.finalize().into();
                head.rows += 1;
            };
            for issue in tick.issues.iter().filter(|i| i.event == event) {
                line.clear();
                issue_line(&mut line, tick, issue, logic_version);
                row(&line);
            }
            for one in tick.not_issued.iter().filter(|n| n.event == event) {
                line.clear();
                not_issued_line(&mut line, tick, one, logic_version);
                row(&line);
            }
            for resolution in tick.resolutions.iter().filter(|r| r.event == event) {
                line.clear();
                resolution_line(&mut line, tick, resolution, logic_version);
                row(&line);
            }
            if event == ForecastEvent::AlertMove1h {
                for base in &tick.bases {
                    line.clear();
                    base_line(&mut line, tick, base, logic_version);
                    row(&line);
                }
            }
            if head.rows > before {
                moved.push((event, *head));
            }
        }
        moved
    }
}

fn number(out: &mut String, x: Option<f64>) {
    out.push('|');
    if let Some(x) = x {
        write(out, format_args!("{:016x}", x.to_bits()));
    }
}

fn write(out: &mut String, args: core::fmt::Arguments<'_>) {
    let written = out.write_fmt(args);
    debug_assert!(written.is_ok(), "a string takes whatever it is given");
}

/// `I|event|version|market|subject|t|resolve_after|label|raw_label|state|stated…|scope|cases|separate|climatology…|persistence…|
/// forecaster|digest|logic version`; what stands with dots is four numbers where there are four classes.
fn issue_line(out: &mut String, tick: &LedgerTick, issue: &Issue, logic: &str) {
    begin(out, 'I', issue.event, tick, issue.market, issue.subject.as_deref());
    write(out, format_args!("|{}|{}|{}|{}", tick.ts.0, issue.resolve_after.0, issue.label, issue.raw_label));
    match issue.state {
        Some(state) => write(out, format_args!("|{state}")),
        None => out.push('|'),
    }
    match issue.stated {
        Stated::Abstained(why) => write(out, format_args!("|abstained:{}", why.id())),
        Stated::Probability(p) => number(out, Some(p)),
        Stated::Classes(all) => all.into_iter().for_each(|p| number(out, Some(p))),
    }
    write(out, format_args!("|{}|{}|{}", issue.scope.map_or("", |s| s.id()), issue.cases, issue.separate));
    let reference = tick.reference(issue);
    let outcomes = if issue.event == ForecastEvent::VolClass24h { 0..4 } else { 1..2 };
    outcomes.clone().for_each(|n| number(out, reference.map(|r| r.climatology(n).0)));
    outcomes.for_each(|n| number(out, reference.and_then(|r| r.persistence(issue.state, n))));
    write(out, format_args!("|{}|{:016x}|{logic}", issue.forecaster.id(), issue.input_digest));
}

/// `N|event|version|market||t|reason|logic version`.
fn not_issued_line(out: &mut String, tick: &LedgerTick, one: &NotIssued, logic: &str) {
    begin(out, 'N', one.event, tick, one.market, None);
    write(out, format_args!("|{}|{}|{logic}", tick.ts.0, one.reason.id()));
}

/// `B|alert_move_1h|version|market||t|windows|moved|logic version`.
fn base_line(out: &mut String, tick: &LedgerTick, base: &MoveBase, logic: &str) {
    begin(out, 'B', ForecastEvent::AlertMove1h, tick, base.market, None);
    write(out, format_args!("|{}|{}|{}|{logic}", tick.ts.0, base.windows, base.moved));
}

/// `R|event|version|market|subject|issued|resolved|reason|outcome|evidence|evidence|logic version`.
fn resolution_line(out: &mut String, tick: &LedgerTick, r: &Resolution, logic: &str) {
    begin(out, 'R', r.event, tick, r.market, r.subject.as_deref());
    write(out, format_args!("|{}|{}|{}|", r.issued_ts.0, tick.ts.0, r.outcome.reason()));
    match r.outcome {
        WindowOutcome::Missed => out.push('0'),
        WindowOutcome::Happened => out.push('1'),
        WindowOutcome::Class(class) => write(out, format_args!("{class}")),
        WindowOutcome::Gap | WindowOutcome::Void => {}
    }
    r.evidence.iter().for_each(|e| number(out, e.map(f64::from)));
    write(out, format_args!("|{logic}"));
}

fn begin(out: &mut String, kind: char, event: ForecastEvent, tick: &LedgerTick, market: u16, subject: Option<&str>) {
    write(out, format_args!("{kind}|{}|{}|", event.id(), event.version()));
    if let Some(market) = tick.market(market) {
        write(out, format_args!("{market}"));
    }
    write(out, format_args!("|{}", subject.unwrap_or_default()));
}
