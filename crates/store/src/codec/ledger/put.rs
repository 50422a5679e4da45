//! Writes what a run of ticks says of one event, as columns.

use super::super::CodecError;
use super::super::bytes::{put_uint, zigzag};
use super::codes::Coded as _;
use super::roster::Key;
use super::slots::{Cases, KNOWN, Memory, NEW, SAME, issue as i, resolution as r};
use barograph_domain::Ts;
use barograph_domain::forecast::{ForecastEvent, Issue, NotIssued, ReferenceCounts, Resolution, Stated, WindowOutcome};
use std::collections::BTreeMap;

/// Lists of a tick that may be empty: what an event costs that is not in it.
const LISTS: usize = 4;

/// What a tick says of one event.
#[derive(Clone, Copy, Default)]
pub(super) struct EventLists<'a> {
    pub(super) issues: &'a [Issue],
    pub(super) not_issued: &'a [NotIssued],
    pub(super) resolutions: &'a [Resolution],
    pub(super) references: &'a [ReferenceCounts],
}

/// Bits that have been written, with the cases that stood beside them last.
struct Dictionary<K> {
    numbers: BTreeMap<K, usize>,
    cases: Vec<Cases>,
    nowhere: Cases,
}

impl<K> Default for Dictionary<K> {
    fn default() -> Self {
        Self { numbers: BTreeMap::new(), cases: Vec::new(), nowhere: (0, 0) }
    }
}

impl<K: Ord + Copy> Dictionary<K> {
    /// Writes what stands for some bits, given those before; true where they themselves have to follow.
    fn put(&mut self, out: &mut Vec<u8>, slot: &mut Option<usize>, bits: K) -> bool {
        let known = self.numbers.get(&bits).copied();
        match known {
            Some(_) if *slot == known => put_uint(out, SAME),
            Some(at) => {
                put_uint(out, at as u64 + KNOWN);
                *slot = Some(at);
            }
            None => {
                put_uint(out, NEW);
                *slot = Some(self.cases.len());
                self.numbers.insert(bits, self.cases.len());
                self.cases.push((0, 0));
            }
        }
        known.is_none()
    }

    fn cases(&mut self, at: Option<usize>) -> &mut Cases {
        at.and_then(|at| self.cases.get_mut(at)).unwrap_or(&mut self.nowhere)
    }
}

/// The columns of one event. `forms` to `states` have a byte for each issue, `outcomes` one for each resolution, `high` one for
/// each number that decided (sign and exponent); `rare` is what seldom changes, `noise` what cannot be compressed.
pub(super) struct EventPut {
    event: ForecastEvent,
    horizon: i64,
    memory: Memory,
    subjects: BTreeMap<Box<str>, u32>,
    probabilities: Dictionary<u64>,
    classes: Dictionary<[u64; 4]>,
    forms: Vec<u8>,
    labels: Vec<u8>,
    raw_labels: Vec<u8>,
    states: Vec<u8>,
    tokens: Vec<u8>,
    outcomes: Vec<u8>,
    high: Vec<u8>,
    rare: Vec<u8>,
    noise: Vec<u8>,
    /// Of the issues that are being written.
    keys: Vec<Key>,
    /// Subjects that are written with the next list.
    fresh: Vec<u8>,
}

impl EventPut {
    /// After `ticks` ticks that say nothing of it.
    pub(super) fn after(event: ForecastEvent, ticks: usize) -> Self {
        Self {
            event,
            horizon: event.horizon().map_or(0, |h| h.0),
            memory: Memory::default(),
            subjects: BTreeMap::new(),
            probabilities: Dictionary::default(),
            classes: Dictionary::default(),
            forms: Vec::new(),
            labels: Vec::new(),
            raw_labels: Vec::new(),
            states: Vec::new(),
            tokens: Vec::new(),
            outcomes: Vec::new(),
            high: Vec::new(),
            rare: vec![0; ticks * LISTS],
            noise: Vec::new(),
            keys: Vec::new(),
            fresh: Vec::new(),
        }
    }

    /// The next tick; `digests` are those of the markets' first issues.
    pub(super) fn tick(&mut self, ts: Ts, lists: EventLists<'_>, digests: &[Option<u64>]) {
        self.issues(ts, lists.issues, digests);
        self.keys.clear();
        let key = |n: &NotIssued| Key { code: n.reason.code(), market: n.market, subject: 0 };
        self.keys.extend(lists.not_issued.iter().map(key));
        self.memory.not_issued.put(&mut self.rare, &self.keys);
        self.resolutions(ts, lists.resolutions);
        self.references(lists.references);
    }

    /// The number of a subject; new ones are written before the list that names them first.
    fn subject(&mut self, subject: Option<&str>) -> u32 {
        let Some(text) = subject else { return 0 };
        if let Some(number) = self.subjects.get(text) {
            return *number;
        }
        let number = u32::try_from(self.subjects.len() + 1).unwrap_or(u32::MAX);
        self.subjects.insert(text.into(), number);
        put_uint(&mut self.fresh, text.len() as u64 + 1);
        self.fresh.extend_from_slice(text.as_bytes());
        number
    }

    /// New subjects, closed by a zero; only where there is a list.
    fn put_fresh(&mut self) {
        self.rare.append(&mut self.fresh);
        self.rare.push(0);
    }

    fn issues(&mut self, ts: Ts, issues: &[Issue], digests: &[Option<u64>]) {
        self.keys.clear();
        for issue in issues {
            let subject = self.subject(issue.subject.as_deref());
            self.keys.push(Key { code: issue.forecaster.code(), market: issue.market, subject });
        }
        self.memory.issues.put(&mut self.rare, &self.keys);
        if issues.is_empty() {
            return;
        }
        self.put_fresh();
        for (at, issue) in issues.iter().enumerate() {
            let end = ts.0.wrapping_add(self.horizon);
            let digest = digests.get(usize::from(issue.market)).copied().flatten();
            let mut form = issue.scope.map_or(0, |s| s.code()) << i::SCOPE_SHIFT;
            form |= if issue.state.is_some() { i::HAS_STATE } else { 0 };
            if issue.resolve_after.0 != end {
                form |= i::OTHER_END;
                put_uint(&mut self.rare, zigzag(issue.resolve_after.0.wrapping_sub(end).cast_unsigned()));
            }
            if digest != Some(issue.input_digest) {
                form |= i::OTHER_DIGEST;
                self.noise.extend_from_slice(&issue.input_digest.to_le_bytes());
            }
            form |= self.stated(at, issue.stated, (issue.cases, issue.separate));
            let slot = &mut self.memory.issues.slots[at];
            self.forms.push(form ^ slot.form);
            self.labels.push(issue.label ^ slot.label);
            self.raw_labels.push(issue.raw_label ^ slot.raw_label);
            let state = issue.state.unwrap_or(slot.state);
            self.states.push(state ^ slot.state);
            (slot.form, slot.label, slot.raw_label, slot.state) = (form, issue.label, issue.raw_label, state);
        }
    }

    /// Writes what is stated; its part of the form.
    fn stated(&mut self, at: usize, stated: Stated, cases: Cases) -> u8 {
        let slot = &mut self.memory.issues.slots[at];
        let (kind, before) = match stated {
            Stated::Abstained(why) => {
                put_uint(&mut self.tokens, why.code().into());
                (i::ABSTAINED, &mut (0, 0))
            }
            Stated::Probability(p) => {
                let bits = p.to_bits();
                if self.probabilities.put(&mut self.tokens, &mut slot.probability, bits) {
                    self.noise.extend_from_slice(&bits.to_le_bytes());
                }
                (i::PROBABILITY, self.probabilities.cases(slot.probability))
            }
            Stated::Classes(four) => {
                let bits = four.map(f64::to_bits);
                if self.classes.put(&mut self.tokens, &mut slot.classes, bits) {
                    bits[..3].iter().for_each(|b| self.noise.extend_from_slice(&b.to_le_bytes()));
                    // They sum to one: the last is known but for its last digit.
                    put_uint(&mut self.rare, zigzag(bits[3].wrapping_sub(rest_of(&bits))));
                }
                (i::CLASSES, self.classes.cases(slot.classes))
            }
        };
        if *before == cases {
            return kind;
        }
        for (now, before) in [(cases.0, before.0), (cases.1, before.1)] {
            put_uint(&mut self.rare, zigzag(u64::from(now).wrapping_sub(before.into())));
        }
        *before = cases;
        kind | i::OTHER_CASES
    }

    fn resolutions(&mut self, ts: Ts, resolutions: &[Resolution]) {
        self.keys.clear();
        for one in resolutions {
            let subject = self.subject(one.subject.as_deref());
            self.keys.push(Key { code: 0, market: one.market, subject });
        }
        self.memory.resolutions.put(&mut self.rare, &self.keys);
        if resolutions.is_empty() {
            return;
        }
        self.put_fresh();
        for (at, one) in resolutions.iter().enumerate() {
            let slot = &mut self.memory.resolutions.slots[at];
            let mut form = match one.outcome {
                WindowOutcome::Missed => r::MISSED,
                WindowOutcome::Happened => r::HAPPENED,
                WindowOutcome::Gap => r::GAP,
                WindowOutcome::Void => r::VOID,
                WindowOutcome::Class(class) => {
                    put_uint(&mut self.rare, (class ^ slot.class).into());
                    slot.class = class;
                    r::CLASS
                }
            };
            let issued = ts.0.wrapping_sub(self.horizon);
            if one.issued_ts.0 != issued {
                form |= r::OTHER_MOMENT;
                put_uint(&mut self.rare, zigzag(one.issued_ts.0.wrapping_sub(issued).cast_unsigned()));
            }
            for (number, shift) in one.evidence.iter().zip(r::EVIDENCE_SHIFT..) {
                let Some(number) = number else { continue };
                form |= 1 << shift;
                let [low @ .., high] = number.to_bits().to_le_bytes();
                self.noise.extend_from_slice(&low);
                self.high.push(high);
            }
            self.outcomes.push(form ^ slot.form);
            slot.form = form;
        }
    }

    fn references(&mut self, references: &[ReferenceCounts]) {
        self.keys.clear();
        for one in references {
            // More numbers than a list can say do not fit memory either.
            let subject = u32::try_from(one.counts.len()).unwrap_or(u32::MAX);
            self.keys.push(Key { code: one.group.code(), market: 0, subject });
        }
        self.memory.groups.put(&mut self.rare, &self.keys);
        for one in references {
            let before = self.memory.counts(one.group.code(), one.counts.len());
            for (now, before) in one.counts.iter().zip(before) {
                put_uint(&mut self.rare, zigzag(u64::from(*now).wrapping_sub(u64::from(*before))));
                *before = *now;
            }
        }
    }

    /// Appends the section: lengths first, then the columns; the noise goes elsewhere.
    pub(super) fn finish(&self, quiet: &mut Vec<u8>, noise: &mut Vec<u8>) {
        quiet.push(self.event.code());
        put_uint(quiet, zigzag(self.horizon.cast_unsigned()));
        for column in [&self.forms, &self.outcomes, &self.high, &self.tokens, &self.rare, &self.noise] {
            put_uint(quiet, column.len() as u64);
        }
        let columns = [
            &self.forms,
            &self.labels,
            &self.raw_labels,
            &self.states,
            &self.outcomes,
            &self.high,
            &self.tokens,
            &self.rare,
        ];
        columns.into_iter().for_each(|column| quiet.extend_from_slice(column));
        noise.extend_from_slice(&self.noise);
    }

    /// Bytes so far.
    pub(super) fn len(&self) -> usize {
        self.forms.len() * 4 + self.outcomes.len() + self.tokens.len() + self.rare.len() + self.noise.len()
    }
}

/// Bits of what is left of one after the first three probabilities.
pub(super) fn rest_of(bits: &[u64; 4]) -> u64 {
    let [a, b, c, _] = bits.map(f64::from_bits);
    let rest = 1.0 - (a + b + c);
    // Bits of NaN are not the same everywhere.
    if rest.is_nan() { 0 } else { rest.to_bits() }
}

/// The parts of a list that are about one event each.
///
/// # Errors
/// When the list is not ordered by event.
pub(super) fn parts<T>(
    list: &[T],
    event: impl Fn(&T) -> ForecastEvent,
) -> Result<Vec<(ForecastEvent, &[T])>, CodecError> {
    if !list.is_sorted_by_key(&event) {
        return Err(CodecError("is not ordered by event"));
    }
    let groups = list.chunk_by(|a, b| event(a) == event(b));
    Ok(groups.filter_map(|group| Some((event(group.first()?), group))).collect())
}
