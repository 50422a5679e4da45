//! Ticks of the forecast ledger as one blob, one of them up to a day of them, bit for bit.
//!
//! What a blob says lies event by event, and of each event column by column, so that a reader passes over events nobody asks
//! for. Issues of every tick come in one order with one horizon and one digest a market: only exceptions are written. Labels,
//! states and forms are differences to the tick before; probabilities stand for one of those before; counts of references are
//! differences. What cannot be compressed (digests, mantissas) lies apart, because it would spoil the rest. Both parts are
//! zstd frames with checksums. Codes are the blob's own ([`codes`]).

mod canon;
mod codes;
mod get;
mod head;
mod put;
mod roster;
mod seldom;
mod slots;

pub use canon::canonical;

use super::CodecError;
use super::bytes::{Input, put_uint};
use barograph_domain::Ts;
use barograph_domain::forecast::{ForecastEvent, LedgerTick};
use get::EventGet;
use head::{HeadGet, HeadPut, TICKS_MAX};
use put::{EventLists, EventPut, parts};
use seldom::SeldomPut;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Written first in every blob of forecasts and outcomes alone.
const FORMAT: u8 = 1;
/// The same with what ticks say once a day or once a week behind it.
const FORMAT_SELDOM: u8 = 2;
/// Level 3 saves 2 % over level 1 on a day of a hundred markets and takes half as long again.
const ZSTD_LEVEL: i32 = 3;
/// A day of a thousand markets has 40 MB; a blob that claims more than this is damaged.
const RAW_BYTES_MAX: usize = 1 << 30;

/// Ticks on their way into a blob. A day of a thousand markets takes 40 MB here.
#[derive(Default)]
pub struct LedgerBuilder {
    head: HeadPut,
    events: BTreeMap<ForecastEvent, EventPut>,
    seldom: SeldomPut,
}

impl std::fmt::Debug for LedgerBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LedgerBuilder").field("ticks", &self.ticks()).field("bytes", &self.bytes()).finish()
    }
}

impl LedgerBuilder {
    /// Adds a tick.
    ///
    /// # Errors
    /// When it is not after the one before, there are more than minutes in a day, its lists are not ordered by event, or it
    /// names a market that is not in its list.
    pub fn push(&mut self, tick: &LedgerTick) -> Result<(), CodecError> {
        if self.head.last().is_some_and(|last| last >= tick.ts) {
            return Err(CodecError("is not after the one before"));
        }
        if self.head.ticks() == TICKS_MAX {
            return Err(CodecError("is more than a day has minutes"));
        }
        let mut lists: BTreeMap<ForecastEvent, EventLists<'_>> =
            self.events.keys().map(|e| (*e, EventLists::default())).collect();
        for (event, own) in parts(&tick.issues, |x| x.event)? {
            lists.entry(event).or_default().issues = own;
        }
        for (event, own) in parts(&tick.not_issued, |x| x.event)? {
            lists.entry(event).or_default().not_issued = own;
        }
        for (event, own) in parts(&tick.resolutions, |x| x.event)? {
            lists.entry(event).or_default().resolutions = own;
        }
        for (event, own) in parts(&tick.references, |x| x.event)? {
            lists.entry(event).or_default().references = own;
        }
        let named = tick.issues.iter().map(|x| x.market).chain(tick.not_issued.iter().map(|x| x.market));
        let named = named.chain(tick.drift.iter().map(|x| x.market)).chain(tick.bases.iter().map(|x| x.market));
        if named.chain(tick.resolutions.iter().map(|x| x.market)).any(|m| tick.market(m).is_none()) {
            return Err(CodecError("names a market that is not in its list"));
        }
        let before = self.head.ticks();
        self.head.tick(tick);
        self.seldom.tick(before, tick);
        for (event, lists) in lists {
            let columns = self.events.entry(event).or_insert_with(|| EventPut::after(event, before));
            columns.tick(tick.ts, lists, &self.head.first);
        }
        Ok(())
    }

    /// How many there are.
    #[must_use]
    pub const fn ticks(&self) -> usize {
        self.head.ticks()
    }

    /// Bytes that it takes before compression.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.events.values().map(EventPut::len).sum::<usize>() + self.seldom.len()
    }

    /// The blob. The builder is empty then.
    ///
    /// # Errors
    /// When the compressor fails (memory).
    pub fn finish(&mut self) -> Result<Vec<u8>, CodecError> {
        let Self { head, events, seldom } = core::mem::take(self);
        let (mut quiet, mut noise) = (Vec::new(), head.noise.clone());
        head.finish(&mut quiet);
        put_uint(&mut quiet, events.len() as u64);
        events.values().for_each(|columns| columns.finish(&mut quiet, &mut noise));
        if !seldom.is_empty() {
            seldom.finish(&mut quiet);
        }
        let frame = compressed(&quiet)?;
        let mut out = vec![if seldom.is_empty() { FORMAT } else { FORMAT_SELDOM }];
        for size in [quiet.len(), noise.len(), frame.len()] {
            put_uint(&mut out, size as u64);
        }
        out.extend_from_slice(&frame);
        out.extend_from_slice(&compressed(&noise)?);
        Ok(out)
    }
}

fn compressed(raw: &[u8]) -> Result<Vec<u8>, CodecError> {
    // Kept by each thread that writes: setting one up costs as much as a tick.
    thread_local!(static ZSTD: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) });
    let done: std::io::Result<Vec<u8>> = ZSTD.with_borrow_mut(|kept| {
        let zstd = match kept {
            Some(zstd) => zstd,
            None => {
                let zstd = kept.insert(zstd::bulk::Compressor::new(ZSTD_LEVEL)?);
                zstd.include_checksum(true)?;
                zstd
            }
        };
        zstd.compress(raw)
    });
    done.map_err(|_e| CodecError("cannot be compressed"))
}

/// Packs ticks, ascending.
///
/// # Errors
/// As [`LedgerBuilder::push`] and [`LedgerBuilder::finish`].
pub fn encode(ticks: &[LedgerTick]) -> Result<Vec<u8>, CodecError> {
    let mut builder = LedgerBuilder::default();
    ticks.iter().try_for_each(|tick| builder.push(tick))?;
    builder.finish()
}

/// Both parts of a blob; does it say more than forecasts and outcomes?
fn unpacked(blob: &[u8]) -> Result<(Vec<u8>, Vec<u8>, bool), CodecError> {
    let mut input = Input(blob);
    let format = input.byte()?;
    if format != FORMAT && format != FORMAT_SELDOM {
        return Err(CodecError("has a format this build does not know"));
    }
    let (quiet, noise) = (input.size(RAW_BYTES_MAX)?, input.size(RAW_BYTES_MAX)?);
    let frame = input.size(input.0.len())?;
    let quiet = super::read::decompressed(input.take(frame)?, quiet)?;
    Ok((quiet, super::read::decompressed(input.0, noise)?, format == FORMAT_SELDOM))
}

/// The minutes of a blob's ticks.
///
/// # Errors
/// As [`scan`].
pub fn times(blob: &[u8]) -> Result<Vec<Ts>, CodecError> {
    head::times(&mut Input(&unpacked(blob)?.0))
}

/// Hands the ticks of a blob out, one after the other, with what they say of some events (none named: of all). Every tick comes,
/// also one that says nothing of them.
///
/// # Errors
/// When the blob is damaged or of a newer format; ticks before the damage have come by then.
pub fn scan(
    blob: &[u8],
    events: &[ForecastEvent],
    mut each: impl FnMut(&LedgerTick) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, CodecError> {
    let (quiet, noise, more) = unpacked(blob)?;
    let (mut quiet, mut noise) = (Input(&quiet), Input(&noise));
    let mut head = HeadGet::begin(&mut quiet, &mut noise)?;
    let mut sections = Vec::new();
    for _ in 0..quiet.size(quiet.0.len())? {
        let section = EventGet::begin(&mut quiet, &mut noise)?;
        if events.is_empty() || events.contains(&section.event) {
            sections.push(section);
        }
    }
    let seldom = if more { seldom::get(&mut quiet, head.ticks())? } else { Vec::new() };
    let mut seldom = seldom.into_iter().peekable();
    if !quiet.0.is_empty() || !noise.0.is_empty() {
        return Err(CodecError("goes on after its end"));
    }
    // The order that lists have, whatever it was when they were written.
    sections.sort_by_key(|section| section.event);
    let (mut tick, mut first) = (LedgerTick::default(), Vec::new());
    for at in 0..head.ticks() {
        head.tick(at, &mut tick, &mut first)?;
        sections.iter_mut().try_for_each(|section| section.tick(&first, &mut tick))?;
        if let Some((_, own)) = seldom.next_if(|(of, _)| *of == at) {
            (tick.drift, tick.skills, tick.bases) = (own.drift, own.skills, own.bases);
        }
        if each(&tick).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    if head.is_done() && sections.iter().all(EventGet::is_done) {
        return Ok(ControlFlow::Continue(()));
    }
    Err(CodecError("goes on after its end"))
}

/// The ticks of a blob.
///
/// # Errors
/// As [`scan`].
pub fn decode(blob: &[u8]) -> Result<Vec<LedgerTick>, CodecError> {
    let mut found = Vec::new();
    let _all = scan(blob, &[], |tick| {
        found.push(tick.clone());
        ControlFlow::Continue(())
    })?;
    Ok(found)
}
