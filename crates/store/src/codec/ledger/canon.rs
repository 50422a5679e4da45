//! The content of a tick as bytes, one way for each: what the content hash is taken of, and what is compared where a tick is
//! published twice. Nothing of how blobs are packed enters.

use super::codes::Coded as _;
use barograph_domain::forecast::{Issue, LedgerTick, Resolution, Stated, WindowOutcome};

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_count(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn put_count(out: &mut Vec<u8>, n: usize) {
    out.extend_from_slice(&(n as u64).to_le_bytes());
}

fn put_subject(out: &mut Vec<u8>, subject: Option<&str>) {
    out.push(subject.is_some().into());
    put_text(out, subject.unwrap_or_default());
}

/// Every bit of a tick, each list with its length.
#[must_use]
pub fn canonical(tick: &LedgerTick) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + tick.issues.len() * 64 + tick.resolutions.len() * 48);
    out.extend_from_slice(&tick.ts.0.to_le_bytes());
    out.push(tick.begins.into());
    put_count(&mut out, tick.markets.len());
    tick.markets.iter().for_each(|name| put_text(&mut out, &name.to_string()));
    put_count(&mut out, tick.issues.len());
    tick.issues.iter().for_each(|one| put_issue(&mut out, one));
    put_count(&mut out, tick.not_issued.len());
    for one in &tick.not_issued {
        out.push(one.event.code());
        out.extend_from_slice(&one.market.to_le_bytes());
        out.push(one.reason.code());
    }
    put_count(&mut out, tick.resolutions.len());
    tick.resolutions.iter().for_each(|one| put_resolution(&mut out, one));
    put_count(&mut out, tick.references.len());
    for one in &tick.references {
        out.extend_from_slice(&[one.event.code(), one.group.code()]);
        put_count(&mut out, one.counts.len());
        one.counts.iter().for_each(|n| out.extend_from_slice(&n.to_le_bytes()));
    }
    // Behind the rest, and nothing where there is nothing: ticks of before are hashed as they were.
    if super::seldom::has(tick) {
        super::seldom::put(&mut out, tick);
    }
    out
}

fn put_issue(out: &mut Vec<u8>, one: &Issue) {
    out.extend_from_slice(&[one.event.code(), one.forecaster.code(), one.label, one.raw_label]);
    out.extend_from_slice(&one.market.to_le_bytes());
    put_subject(out, one.subject.as_deref());
    out.extend_from_slice(&one.resolve_after.0.to_le_bytes());
    out.extend_from_slice(&[one.state.is_some().into(), one.state.unwrap_or_default()]);
    out.push(one.scope.map_or(0, |s| s.code()));
    match one.stated {
        Stated::Abstained(why) => out.extend_from_slice(&[0, why.code()]),
        Stated::Probability(p) => {
            out.push(1);
            out.extend_from_slice(&p.to_bits().to_le_bytes());
        }
        Stated::Classes(four) => {
            out.push(2);
            four.iter().for_each(|p| out.extend_from_slice(&p.to_bits().to_le_bytes()));
        }
    }
    out.extend_from_slice(&one.cases.to_le_bytes());
    out.extend_from_slice(&one.separate.to_le_bytes());
    out.extend_from_slice(&one.input_digest.to_le_bytes());
}

fn put_resolution(out: &mut Vec<u8>, one: &Resolution) {
    let (outcome, class) = match one.outcome {
        WindowOutcome::Missed => (0, 0),
        WindowOutcome::Happened => (1, 0),
        WindowOutcome::Gap => (2, 0),
        WindowOutcome::Void => (3, 0),
        WindowOutcome::Class(class) => (4, class),
    };
    out.extend_from_slice(&[one.event.code(), outcome, class]);
    out.extend_from_slice(&one.market.to_le_bytes());
    put_subject(out, one.subject.as_deref());
    out.extend_from_slice(&one.issued_ts.0.to_le_bytes());
    for number in one.evidence {
        out.push(number.is_some().into());
        out.extend_from_slice(&number.map_or(0, f32::to_bits).to_le_bytes());
    }
}
