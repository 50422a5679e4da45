//! What a blob says of its ticks before it says what is in them: minutes, markets, first digests.

use super::super::CodecError;
use super::super::bytes::{Input, put_uint, unzigzag, zigzag};
use barograph_domain::forecast::LedgerTick;
use barograph_domain::{InstrumentName, Ts};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Minutes of a day.
pub(super) const TICKS_MAX: usize = 1_440;

const ALL: u64 = 0;
const NONE: u64 = 1;
const SOME: u64 = 2;

/// The head in the making.
#[derive(Default)]
pub(super) struct HeadPut {
    times: Vec<Ts>,
    begins: Vec<u64>,
    names: Vec<InstrumentName>,
    numbers: BTreeMap<InstrumentName, u64>,
    lists: Vec<Arc<[InstrumentName]>>,
    /// The list of each tick.
    list_of: Vec<usize>,
    digests: Vec<u8>,
    pub(super) noise: Vec<u8>,
    /// First digest of each market in the tick.
    pub(super) first: Vec<Option<u64>>,
}

impl HeadPut {
    pub(super) const fn ticks(&self) -> usize {
        self.times.len()
    }

    pub(super) fn last(&self) -> Option<Ts> {
        self.times.last().copied()
    }

    pub(super) fn tick(&mut self, tick: &LedgerTick) {
        if tick.begins {
            self.begins.push(self.times.len() as u64);
        }
        self.times.push(tick.ts);
        let same = |l: &Arc<[InstrumentName]>| Arc::ptr_eq(l, &tick.markets) || **l == *tick.markets;
        let list = self.lists.iter().rposition(same).unwrap_or_else(|| {
            self.lists.push(Arc::clone(&tick.markets));
            self.lists.len() - 1
        });
        self.list_of.push(list);
        for name in self.lists[list].iter() {
            if !self.numbers.contains_key(name) {
                self.numbers.insert(name.clone(), self.names.len() as u64);
                self.names.push(name.clone());
            }
        }
        self.first.clear();
        self.first.resize(tick.markets.len(), None);
        for issue in &tick.issues {
            if let Some(first) = self.first.get_mut(usize::from(issue.market)) {
                first.get_or_insert(issue.input_digest);
            }
        }
        let some = self.first.iter().flatten().count();
        self.noise.extend(self.first.iter().flatten().flat_map(|d| d.to_le_bytes()));
        if some == self.first.len() {
            put_uint(&mut self.digests, ALL);
        } else if some == 0 {
            put_uint(&mut self.digests, NONE);
        } else {
            put_uint(&mut self.digests, SOME);
            let bits = |eight: &[Option<u64>]| (0..).zip(eight).fold(0, |b, (at, d)| b | u8::from(d.is_some()) << at);
            self.digests.extend(self.first.chunks(8).map(bits));
        }
    }

    pub(super) fn finish(&self, out: &mut Vec<u8>) {
        put_uint(out, self.times.len() as u64);
        let (mut last, mut step) = (0_u64, 0_u64);
        for ts in &self.times {
            let now = ts.0.cast_unsigned().wrapping_sub(last);
            put_uint(out, zigzag(now.wrapping_sub(step)));
            (last, step) = (ts.0.cast_unsigned(), now);
        }
        put_uint(out, self.begins.len() as u64);
        self.begins.iter().for_each(|at| put_uint(out, *at));
        put_uint(out, self.names.len() as u64);
        for name in &self.names {
            let text = name.to_string();
            put_uint(out, text.len() as u64);
            out.extend_from_slice(text.as_bytes());
        }
        put_uint(out, self.lists.len() as u64);
        for list in &self.lists {
            put_uint(out, list.len() as u64);
            for name in list.iter() {
                put_uint(out, self.numbers.get(name).copied().unwrap_or_default());
            }
        }
        for run in self.list_of.chunk_by(|a, b| a == b) {
            put_uint(out, run.len() as u64);
            put_uint(out, run[0] as u64);
        }
        put_uint(out, self.noise.len() as u64);
        put_uint(out, self.digests.len() as u64);
        out.extend_from_slice(&self.digests);
    }
}

/// The minutes of a blob.
pub(super) fn times(quiet: &mut Input<'_>) -> Result<Vec<Ts>, CodecError> {
    let count = quiet.size(TICKS_MAX)?;
    let (mut last, mut step) = (0_u64, 0_u64);
    let mut found = Vec::with_capacity(count);
    for _ in 0..count {
        step = step.wrapping_add(unzigzag(quiet.uint()?));
        last = last.wrapping_add(step);
        found.push(Ts(last.cast_signed()));
    }
    if found.is_sorted_by(|a, b| a < b) { Ok(found) } else { Err(CodecError("has minutes out of order")) }
}

/// The head of a blob that is read tick by tick.
pub(super) struct HeadGet<'a> {
    times: Vec<Ts>,
    begins: Vec<bool>,
    lists: Vec<Arc<[InstrumentName]>>,
    list_of: Vec<usize>,
    digests: Input<'a>,
    noise: Input<'a>,
}

impl<'a> HeadGet<'a> {
    pub(super) fn begin(quiet: &mut Input<'a>, noise: &mut Input<'a>) -> Result<Self, CodecError> {
        let times = times(quiet)?;
        let mut begins = vec![false; times.len()];
        for _ in 0..quiet.size(times.len())? {
            let at = quiet.size(times.len())?;
            *begins.get_mut(at).ok_or(CodecError("begins at a tick it does not have"))? = true;
        }
        let mut names = Vec::new();
        for _ in 0..quiet.size(quiet.0.len())? {
            let size = quiet.size(quiet.0.len())?;
            let text = core::str::from_utf8(quiet.take(size)?).ok();
            let name = text.and_then(|t| InstrumentName::parse(t).ok());
            names.push(name.ok_or(CodecError("has a market without a name"))?);
        }
        let mut lists = Vec::new();
        for _ in 0..quiet.size(times.len())? {
            let size = quiet.size(quiet.0.len().min(usize::from(u16::MAX) + 1))?;
            let mut list: Vec<InstrumentName> = Vec::with_capacity(size);
            for _ in 0..size {
                let at = quiet.size(names.len())?;
                list.push(names.get(at).ok_or(CodecError("names a market it does not have"))?.clone());
            }
            lists.push(list.into());
        }
        let mut list_of = Vec::with_capacity(times.len());
        while list_of.len() < times.len() {
            let run = quiet.size(times.len() - list_of.len())?;
            let list = quiet.size(lists.len())?;
            if run == 0 || list == lists.len() {
                return Err(CodecError("names a list of markets it does not have"));
            }
            list_of.resize(list_of.len() + run, list);
        }
        let bytes = quiet.size(noise.0.len())?;
        let size = quiet.size(quiet.0.len())?;
        Ok(Self { times, begins, lists, list_of, digests: Input(quiet.take(size)?), noise: Input(noise.take(bytes)?) })
    }

    pub(super) const fn ticks(&self) -> usize {
        self.times.len()
    }

    /// Makes `tick` the tick at a position, with nothing in it, and `first` the digests of its markets.
    pub(super) fn tick(
        &mut self,
        at: usize,
        tick: &mut LedgerTick,
        first: &mut Vec<Option<u64>>,
    ) -> Result<(), CodecError> {
        (tick.ts, tick.begins) = (self.times[at], self.begins[at]);
        let list = &self.lists[self.list_of[at]];
        if !Arc::ptr_eq(list, &tick.markets) {
            tick.markets = Arc::clone(list);
        }
        tick.issues.clear();
        tick.not_issued.clear();
        tick.resolutions.clear();
        tick.references.clear();
        tick.drift.clear();
        tick.skills.clear();
        tick.bases.clear();
        first.clear();
        first.resize(list.len(), None);
        let bits = match self.digests.uint()? {
            ALL => None,
            NONE => return Ok(()),
            SOME => Some(self.digests.take(list.len().div_ceil(8))?),
            _ => return Err(CodecError("has digests of an unknown kind")),
        };
        for (at, digest) in first.iter_mut().enumerate() {
            if bits.is_none_or(|b| b[at / 8] >> (at % 8) & 1 == 1) {
                let bytes = self.noise.take(8)?.first_chunk().copied().unwrap_or_default();
                *digest = Some(u64::from_le_bytes(bytes));
            }
        }
        Ok(())
    }

    /// Nothing is left.
    pub(super) fn is_done(&self) -> bool {
        self.digests.0.is_empty() && self.noise.0.is_empty()
    }
}
