//! What ticks say once a day or once a week beside forecasts: how far readings moved, how good forecasts were, how often prices moved.
//! A blob has it behind everything else, tick by tick, and in a format number of its own; most blobs have none.

use super::super::CodecError;
use super::super::bytes::{Input, put_uint};
use super::codes::Coded;
use barograph_domain::forecast::{FeatureDrift, ForecastEvent, GroupSkill, LedgerTick, MoveBase, SymbolGroup};

/// The rest of some ticks, in the making.
#[derive(Default)]
pub(super) struct SeldomPut {
    ticks: u64,
    out: Vec<u8>,
}

impl SeldomPut {
    /// Adds what the tick at a position says.
    pub(super) fn tick(&mut self, at: usize, tick: &LedgerTick) {
        if has(tick) {
            self.ticks += 1;
            put_uint(&mut self.out, at as u64);
            put(&mut self.out, tick);
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.ticks == 0
    }

    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    pub(super) fn finish(&self, out: &mut Vec<u8>) {
        put_uint(out, self.ticks);
        out.extend_from_slice(&self.out);
    }
}

/// Does a tick say any of it?
pub(super) fn has(tick: &LedgerTick) -> bool {
    !(tick.drift.is_empty() && tick.skills.is_empty() && tick.bases.is_empty())
}

fn put_float(out: &mut Vec<u8>, x: f64) {
    out.extend_from_slice(&x.to_bits().to_le_bytes());
}

fn put_option(out: &mut Vec<u8>, x: Option<f64>) {
    out.push(x.is_some().into());
    x.into_iter().for_each(|x| put_float(out, x));
}

/// All of it, one way for each content.
pub(super) fn put(out: &mut Vec<u8>, tick: &LedgerTick) {
    put_uint(out, tick.drift.len() as u64);
    for one in &tick.drift {
        put_uint(out, one.market.into());
        put_uint(out, one.feature.len() as u64);
        out.extend_from_slice(one.feature.as_bytes());
        [one.psi, one.by_chance].into_iter().for_each(|x| put_float(out, x));
        [one.n, one.reference, one.weeks].into_iter().for_each(|n| put_uint(out, n.into()));
        [one.p80, one.p95].into_iter().for_each(|x| put_option(out, x));
    }
    put_uint(out, tick.skills.len() as u64);
    for one in &tick.skills {
        out.extend_from_slice(&[one.event.code(), one.group.code()]);
        put_float(out, one.skill);
        put_option(out, one.band.map(|b| b[0]));
        put_option(out, one.band.map(|b| b[1]));
        [one.n, one.separate].into_iter().for_each(|n| put_uint(out, n.into()));
    }
    put_uint(out, tick.bases.len() as u64);
    for one in &tick.bases {
        [u32::from(one.market), one.windows, one.moved].into_iter().for_each(|n| put_uint(out, n.into()));
    }
}

/// The rest of the ticks of a blob.
pub(super) fn get(input: &mut Input<'_>, ticks: usize) -> Result<Vec<(usize, LedgerTick)>, CodecError> {
    let mut found: Vec<(usize, LedgerTick)> = Vec::new();
    for _ in 0..input.size(ticks)? {
        let at = input.size(ticks)?;
        if at == ticks || found.last().is_some_and(|(before, _)| *before >= at) {
            return Err(CodecError("says more of a tick that it does not have"));
        }
        found.push((at, one(input)?));
    }
    Ok(found)
}

fn one(input: &mut Input<'_>) -> Result<LedgerTick, CodecError> {
    let mut tick = LedgerTick::default();
    for _ in 0..input.size(input.0.len())? {
        tick.drift.push(FeatureDrift {
            market: market(input)?,
            feature: text(input)?,
            psi: float(input)?,
            by_chance: float(input)?,
            n: whole(input)?,
            reference: whole(input)?,
            weeks: whole(input)?,
            p80: option(input)?,
            p95: option(input)?,
        });
    }
    for _ in 0..input.size(input.0.len())? {
        const UNKNOWN: CodecError = CodecError("has an event or a group that this build does not know");
        let event = <ForecastEvent as Coded>::of(input.byte()?).ok_or(UNKNOWN)?;
        let group = <SymbolGroup as Coded>::of(input.byte()?).ok_or(UNKNOWN)?;
        let skill = float(input)?;
        let band = match (option(input)?, option(input)?) {
            (Some(low), Some(high)) => Some([low, high]),
            _ => None,
        };
        tick.skills.push(GroupSkill { event, group, skill, band, n: whole(input)?, separate: whole(input)? });
    }
    for _ in 0..input.size(input.0.len())? {
        tick.bases.push(MoveBase { market: market(input)?, windows: whole(input)?, moved: whole(input)? });
    }
    Ok(tick)
}

fn whole(input: &mut Input<'_>) -> Result<u32, CodecError> {
    u32::try_from(input.uint()?).map_err(|_e| CodecError("has a count that is too large"))
}

fn market(input: &mut Input<'_>) -> Result<u16, CodecError> {
    u16::try_from(input.uint()?).map_err(|_e| CodecError("names a market that is not in its list"))
}

fn float(input: &mut Input<'_>) -> Result<f64, CodecError> {
    let bytes = input.take(8)?.first_chunk().copied().unwrap_or_default();
    Ok(f64::from_bits(u64::from_le_bytes(bytes)))
}

fn option(input: &mut Input<'_>) -> Result<Option<f64>, CodecError> {
    Ok(if input.byte()? == 0 { None } else { Some(float(input)?) })
}

fn text(input: &mut Input<'_>) -> Result<Box<str>, CodecError> {
    let size = input.size(input.0.len())?;
    let text = core::str::from_utf8(input.take(size)?);
    text.map(Into::into).map_err(|_e| CodecError("has a name that is no text"))
}
