//! Reads what [`super::put`] wrote of one event, tick by tick.

use super::super::CodecError;
use super::super::bytes::{Input, unzigzag};
use super::codes::Coded;
use super::put::rest_of;
use super::slots::{Cases, KNOWN, Memory, NEW, SAME, issue as i, resolution as r};
use barograph_domain::Ts;
use barograph_domain::forecast::{
    ForecastEvent, Issue, LedgerTick, NotIssued, ReferenceCounts, Resolution, Stated, WindowOutcome,
};

/// The columns of one event, each as far as it has been read.
pub(super) struct EventGet<'a> {
    pub(super) event: ForecastEvent,
    horizon: i64,
    memory: Memory,
    subjects: Vec<Box<str>>,
    probabilities: Vec<(u64, Cases)>,
    classes: Vec<([u64; 4], Cases)>,
    forms: Input<'a>,
    labels: Input<'a>,
    raw_labels: Input<'a>,
    states: Input<'a>,
    outcomes: Input<'a>,
    high: Input<'a>,
    tokens: Input<'a>,
    rare: Input<'a>,
    noise: Input<'a>,
}

fn known<T: Coded>(code: u8, what: &'static str) -> Result<T, CodecError> {
    T::of(code).ok_or(CodecError(what))
}

/// A flag of a form.
const fn has(form: u8, bit: u8) -> bool {
    form & bit != 0
}

fn eight(noise: &mut Input<'_>) -> Result<u64, CodecError> {
    let bytes = noise.take(8)?.first_chunk().copied().unwrap_or_default();
    Ok(u64::from_le_bytes(bytes))
}

impl<'a> EventGet<'a> {
    /// Takes a section from both streams.
    pub(super) fn begin(quiet: &mut Input<'a>, noise: &mut Input<'a>) -> Result<Self, CodecError> {
        let event = known(quiet.byte()?, "is about an event this build does not know")?;
        let horizon = unzigzag(quiet.uint()?).cast_signed();
        let mut sizes = [0; 6];
        for size in &mut sizes {
            *size = quiet.size(usize::MAX)?;
        }
        let [issues, resolutions, high, tokens, rare, bytes] = sizes;
        let mut next = |size| quiet.take(size).map(Input);
        Ok(Self {
            event,
            horizon,
            memory: Memory::default(),
            subjects: Vec::new(),
            probabilities: Vec::new(),
            classes: Vec::new(),
            forms: next(issues)?,
            labels: next(issues)?,
            raw_labels: next(issues)?,
            states: next(issues)?,
            outcomes: next(resolutions)?,
            high: next(high)?,
            tokens: next(tokens)?,
            rare: next(rare)?,
            noise: Input(noise.take(bytes)?),
        })
    }

    /// Adds what the next tick says of the event to it.
    pub(super) fn tick(&mut self, digests: &[Option<u64>], tick: &mut LedgerTick) -> Result<(), CodecError> {
        self.issues(digests, tick)?;
        let event = self.event;
        for at in 0..self.memory.not_issued.get(&mut self.rare, usize::MAX)? {
            let key = self.memory.not_issued.key(at);
            let reason = known(key.code, "has a reason this build does not know")?;
            tick.not_issued.push(NotIssued { event, market: listed(tick, key.market)?, reason });
        }
        self.resolutions(tick)?;
        self.references(tick)
    }

    /// Subjects that appear for the first time.
    fn fresh(&mut self) -> Result<(), CodecError> {
        loop {
            let size = self.rare.size(self.rare.0.len())?;
            let Some(size) = size.checked_sub(1) else { return Ok(()) };
            let text = core::str::from_utf8(self.rare.take(size)?);
            self.subjects.push(text.map_err(|_e| CodecError("has a subject that is no text"))?.into());
        }
    }

    fn subject(&self, number: u32) -> Result<Option<Box<str>>, CodecError> {
        let Some(at) = usize::try_from(number).ok().and_then(|n| n.checked_sub(1)) else { return Ok(None) };
        let found = self.subjects.get(at).ok_or(CodecError("names a subject it does not have"))?;
        Ok(Some(found.clone()))
    }

    fn issues(&mut self, digests: &[Option<u64>], tick: &mut LedgerTick) -> Result<(), CodecError> {
        let count = self.memory.issues.get(&mut self.rare, self.forms.0.len())?;
        if count == 0 {
            return Ok(());
        }
        self.fresh()?;
        let (forms, labels) = (self.forms.take(count)?, self.labels.take(count)?);
        let (raw_labels, states) = (self.raw_labels.take(count)?, self.states.take(count)?);
        tick.issues.reserve(count);
        for at in 0..count {
            let key = self.memory.issues.key(at);
            let slot = &mut self.memory.issues.slots[at];
            slot.form ^= forms[at];
            slot.label ^= labels[at];
            slot.raw_label ^= raw_labels[at];
            slot.state ^= states[at];
            let (form, label, raw_label) = (slot.form, slot.label, slot.raw_label);
            let state = has(form, i::HAS_STATE).then_some(slot.state);
            let mut end = tick.ts.0.wrapping_add(self.horizon);
            if has(form, i::OTHER_END) {
                end = end.wrapping_add(unzigzag(self.rare.uint()?).cast_signed());
            }
            let market = listed(tick, key.market)?;
            let input_digest = if has(form, i::OTHER_DIGEST) {
                eight(&mut self.noise)?
            } else {
                let digest = digests.get(usize::from(market)).copied().flatten();
                digest.ok_or(CodecError("has an issue without a digest"))?
            };
            let scope = match form >> i::SCOPE_SHIFT & 3 {
                0 => None,
                code => Some(known(code, "has a scope this build does not know")?),
            };
            let (stated, (cases, separate)) = self.stated(at, form)?;
            tick.issues.push(Issue {
                event: self.event,
                market,
                subject: self.subject(key.subject)?,
                forecaster: known(key.code, "has a forecaster this build does not know")?,
                resolve_after: Ts(end),
                label,
                raw_label,
                state,
                stated,
                scope,
                cases,
                separate,
                input_digest,
            });
        }
        Ok(())
    }

    fn stated(&mut self, at: usize, form: u8) -> Result<(Stated, Cases), CodecError> {
        let slot = &mut self.memory.issues.slots[at];
        let token = self.tokens.uint()?;
        let mut none = (0, 0);
        let (stated, cases) = match form & i::KIND {
            i::ABSTAINED => {
                let code = u8::try_from(token).map_err(|_e| CodecError("has a reason out of range"))?;
                (Stated::Abstained(known(code, "has a reason this build does not know")?), &mut none)
            }
            i::PROBABILITY => {
                let noise = &mut self.noise;
                let (bits, cases) = stands_for(token, &mut slot.probability, &mut self.probabilities, || eight(noise))?;
                (Stated::Probability(f64::from_bits(*bits)), cases)
            }
            i::CLASSES => {
                let (noise, rare) = (&mut self.noise, &mut self.rare);
                let (bits, cases) = stands_for(token, &mut slot.classes, &mut self.classes, || {
                    let mut bits = [eight(noise)?, eight(noise)?, eight(noise)?, 0];
                    bits[3] = rest_of(&bits).wrapping_add(unzigzag(rare.uint()?));
                    Ok(bits)
                })?;
                (Stated::Classes(bits.map(f64::from_bits)), cases)
            }
            _ => return Err(CodecError("states something of an unknown kind")),
        };
        if has(form, i::OTHER_CASES) {
            for n in [&mut cases.0, &mut cases.1] {
                let now = u64::from(*n).wrapping_add(unzigzag(self.rare.uint()?));
                *n = u32::try_from(now).map_err(|_e| CodecError("has a count out of range"))?;
            }
        }
        Ok((stated, *cases))
    }

    fn resolutions(&mut self, tick: &mut LedgerTick) -> Result<(), CodecError> {
        let count = self.memory.resolutions.get(&mut self.rare, self.outcomes.0.len())?;
        if count == 0 {
            return Ok(());
        }
        self.fresh()?;
        let outcomes = self.outcomes.take(count)?;
        tick.resolutions.reserve(count);
        for (at, change) in outcomes.iter().enumerate() {
            let key = self.memory.resolutions.key(at);
            let slot = &mut self.memory.resolutions.slots[at];
            slot.form ^= change;
            let form = slot.form;
            let outcome = match form & r::OUTCOME {
                r::MISSED => WindowOutcome::Missed,
                r::HAPPENED => WindowOutcome::Happened,
                r::GAP => WindowOutcome::Gap,
                r::VOID => WindowOutcome::Void,
                r::CLASS => {
                    let change =
                        u8::try_from(self.rare.uint()?).map_err(|_e| CodecError("has a class out of range"))?;
                    slot.class ^= change;
                    WindowOutcome::Class(slot.class)
                }
                _ => return Err(CodecError("has an outcome of an unknown kind")),
            };
            let mut issued = tick.ts.0.wrapping_sub(self.horizon);
            if has(form, r::OTHER_MOMENT) {
                issued = issued.wrapping_add(unzigzag(self.rare.uint()?).cast_signed());
            }
            let mut evidence = [None; 2];
            for (number, shift) in evidence.iter_mut().zip(r::EVIDENCE_SHIFT..) {
                if has(form, 1 << shift) {
                    let low = self.noise.take(3)?;
                    *number = Some(f32::from_le_bytes([low[0], low[1], low[2], self.high.byte()?]));
                }
            }
            tick.resolutions.push(Resolution {
                event: self.event,
                market: listed(tick, key.market)?,
                subject: self.subject(key.subject)?,
                issued_ts: Ts(issued),
                outcome,
                evidence,
            });
        }
        Ok(())
    }

    fn references(&mut self, tick: &mut LedgerTick) -> Result<(), CodecError> {
        let max = self.rare.0.len();
        for at in 0..self.memory.groups.get(&mut self.rare, max)? {
            let key = self.memory.groups.key(at);
            let group = known(key.code, "has a group this build does not know")?;
            let len = usize::try_from(key.subject).ok().filter(|n| *n <= self.rare.0.len());
            let before = self.memory.counts(key.code, len.ok_or(CodecError("ends too early"))?);
            for count in before.iter_mut() {
                let now = u64::from(*count).wrapping_add(unzigzag(self.rare.uint()?));
                *count = u32::try_from(now).map_err(|_e| CodecError("has a count out of range"))?;
            }
            tick.references.push(ReferenceCounts { event: self.event, group, counts: before.as_slice().into() });
        }
        Ok(())
    }

    /// Nothing is left.
    pub(super) fn is_done(&self) -> bool {
        let all = [
            &self.forms,
            &self.labels,
            &self.raw_labels,
            &self.states,
            &self.outcomes,
            &self.high,
            &self.tokens,
            &self.rare,
            &self.noise,
        ];
        all.into_iter().all(|column| column.0.is_empty())
    }
}

/// A position that the tick has a market for.
fn listed(tick: &LedgerTick, market: u16) -> Result<u16, CodecError> {
    if usize::from(market) < tick.markets.len() {
        Ok(market)
    } else {
        Err(CodecError("names a market that is not in its list"))
    }
}

/// What a token stands for, given what it stood for before in this place.
fn stands_for<'a, K>(
    token: u64,
    slot: &mut Option<usize>,
    known: &'a mut Vec<(K, Cases)>,
    new: impl FnOnce() -> Result<K, CodecError>,
) -> Result<&'a mut (K, Cases), CodecError> {
    match token {
        SAME => {}
        NEW => {
            *slot = Some(known.len());
            known.push((new()?, (0, 0)));
        }
        at => *slot = usize::try_from(at - KNOWN).ok(),
    }
    slot.and_then(|at| known.get_mut(at)).ok_or(CodecError("repeats what was never written"))
}
