//! Something that happened to a level as one blob.
//!
//! Some hundreds of these are made per market and day, so a blob is small (about 45 bytes) and not compressed: instants are
//! differences to the bar in the coarsest unit that is exact, numbers are decimals where they were ([`decimal`]), and what stands
//! beside the blob in columns of its own is not in it. A checksum over both ends it: these numbers are in no other digest.
//!
//! Blobs of format 2 said everything by themselves, in about 130 bytes; they are read, and are what hashes of content are made of.

use super::bytes::{Input, put_uint, unzigzag, zigzag};
use super::{CodecError, decimal, seal};
use barograph_domain::{Kind, Level, LevelChange, LevelEvent, LevelType, Side, Span, Ts};

/// Written first in every blob.
const FORMAT: u8 = 3;
/// The one before: instants in nanoseconds, numbers as bits, nothing beside it. Blobs of format 1, never released, had no checksum.
const FORMAT_ALONE: u8 = 2;
/// Length of an id as text.
const ID: usize = 36;
const ELSEWHERE: CodecError = CodecError("is not what was written, or is kept under another time or level");
const MINUTE: i64 = Span::mins(1).0;
const MILLISECOND: i64 = Span::millis(1).0;

/// What columns beside a blob say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct LevelBeside {
    pub(crate) known_at: Ts,
    pub(crate) confirmed_at: Ts,
    pub(crate) id: [u8; 16],
}

impl LevelBeside {
    /// Of a change.
    ///
    /// # Errors
    /// When its id is no UUID in its usual form.
    pub(crate) fn of(change: &LevelChange) -> Result<Self, CodecError> {
        let id = id_bytes(&change.level.level_id)?;
        Ok(Self { known_at: change.known_at, confirmed_at: change.level.confirmed_at, id })
    }

    fn bytes(&self) -> [u8; 32] {
        let mut out = [0; 32];
        out[..8].copy_from_slice(&self.known_at.0.to_le_bytes());
        out[8..16].copy_from_slice(&self.confirmed_at.0.to_le_bytes());
        out[16..].copy_from_slice(&self.id);
        out
    }
}

/// Packs a change; what `beside` says is not in the blob.
pub(crate) fn encode(change: &LevelChange, beside: &LevelBeside) -> Vec<u8> {
    let LevelChange { event, at, known_at, level, members, volume_rank } = change;
    let mut out = Vec::with_capacity(80);
    out.extend([FORMAT, event.code() | kind_code(level.source) << 4, level.kind.code() | side_code(level.side) << 4]);
    put_span(&mut out, apart(*known_at, *at));
    put_span(&mut out, level.timeframe);
    put_span(&mut out, apart(level.formed_at, *at));
    put_span(&mut out, apart(level.known_at, level.confirmed_at));
    let happened = [level.touched_at, level.mitigated_at, level.swept_at];
    let there = happened.iter().zip([1, 2, 4]).filter(|(t, _)| t.is_some()).map(|(_, bit)| bit).sum::<u8>();
    out.push(there | u8::from(level.volume.is_some()) << 3);
    happened.into_iter().flatten().for_each(|t| put_span(&mut out, apart(t, *at)));
    for n in [level.revision, level.touches, *members] {
        put_uint(&mut out, u64::from(n));
    }
    let codes = out.len();
    out.extend([0; 3]);
    let numbers = [level.price, level.top, level.bottom, level.strength, *volume_rank];
    for (n, x) in numbers.into_iter().chain(level.volume).enumerate() {
        let before = (n > 0).then_some(level.price);
        let code = decimal::put(&mut out, x, before);
        out[codes + n / 2] |= code << (4 * (n % 2));
    }
    seal::seal_with(out, &beside.bytes())
}

/// A difference in the coarsest of minutes, milliseconds and nanoseconds that is exact.
fn put_span(out: &mut Vec<u8>, span: Span) {
    for (unit, nanoseconds) in [(0, MINUTE), (1, MILLISECOND)] {
        if span.0 % nanoseconds == 0 {
            put_uint(out, zigzag((span.0 / nanoseconds).cast_unsigned()) << 2 | unit);
            return;
        }
    }
    out.push(2);
    put_uint(out, zigzag(span.0.cast_unsigned()));
}

fn get_span(input: &mut Input<'_>) -> Result<Span, CodecError> {
    let word = input.uint()?;
    let of = |unit: i64| unzigzag(word >> 2).cast_signed().checked_mul(unit).map(Span);
    let span = match word & 3 {
        0 => of(MINUTE),
        1 => of(MILLISECOND),
        2 if word == 2 => Some(Span(unzigzag(input.uint()?).cast_signed())),
        _ => None,
    };
    span.ok_or(CodecError("has an instant out of range"))
}

/// Wraps, as its inverses do, so that any two instants survive.
const fn apart(a: Ts, b: Ts) -> Span {
    Span(a.0.wrapping_sub(b.0))
}

const fn minus(a: Ts, b: Span) -> Ts {
    Ts(a.0.wrapping_sub(b.0))
}

const fn plus(a: Ts, b: Span) -> Ts {
    Ts(a.0.wrapping_add(b.0))
}

/// The change of a blob and of what stands beside it.
///
/// # Errors
/// When the blob is damaged or of a newer format, or belongs beside something else.
pub(crate) fn decode(blob: &[u8], beside: &LevelBeside) -> Result<LevelChange, CodecError> {
    if blob.first() == Some(&FORMAT_ALONE) {
        let change = decode_alone(blob)?;
        return if LevelBeside::of(&change)? == *beside { Ok(change) } else { Err(ELSEWHERE) };
    }
    let opened = seal::open_with(blob, FORMAT, &beside.bytes());
    let mut input = Input(opened.map_err(|e| if e == seal::ALTERED { ELSEWHERE } else { e })?);
    let unknown = CodecError("names something this build does not know");
    let (first, second) = (input.byte()?, input.byte()?);
    let event = LevelEvent::ALL.get(usize::from(first & 15)).copied().ok_or(unknown)?;
    let kind = LevelType::ALL.get(usize::from(second & 15)).copied().ok_or(unknown)?;
    let (source, side) = (kind_of(first >> 4).ok_or(unknown)?, side_of(second >> 4).ok_or(unknown)?);
    let at = minus(beside.known_at, get_span(&mut input)?);
    let timeframe = get_span(&mut input)?;
    let formed_at = plus(at, get_span(&mut input)?);
    let revised_at = plus(beside.confirmed_at, get_span(&mut input)?);
    let there = input.byte()?;
    let mut maybe = |bit: u8| match there & bit {
        0 => Ok(None),
        _ => get_span(&mut input).map(|span| Some(plus(at, span))),
    };
    let (touched_at, mitigated_at, swept_at) = (maybe(1)?, maybe(2)?, maybe(4)?);
    let mut count = || u32::try_from(input.uint()?).map_err(|_e| CodecError("has a count out of range"));
    let (revision, touches, members) = (count()?, count()?, count()?);
    let codes = input.take(3)?;
    let mut number = |n: usize, before| decimal::get(&mut input, codes[n / 2] >> (4 * (n % 2)) & 15, before);
    let price = number(0, None)?;
    let mut other = |n: usize| number(n, Some(price));
    let (top, bottom, strength, volume_rank) = (other(1)?, other(2)?, other(3)?, other(4)?);
    let volume = if there & 8 == 0 { None } else { Some(other(5)?) };
    if !input.0.is_empty() || there > 15 {
        return Err(CodecError("goes on after its end"));
    }
    let level = Level {
        level_id: id_text(&beside.id),
        revision,
        kind,
        timeframe,
        side,
        price,
        top,
        bottom,
        formed_at,
        confirmed_at: beside.confirmed_at,
        known_at: revised_at,
        touched_at,
        mitigated_at,
        swept_at,
        touches,
        volume,
        strength,
        source,
    };
    Ok(LevelChange { event, at, known_at: beside.known_at, level, members, volume_rank })
}

const fn side_code(side: Option<Side>) -> u8 {
    match side {
        None => 0,
        Some(Side::Long) => 1,
        Some(Side::Short) => 2,
    }
}

const fn side_of(code: u8) -> Option<Option<Side>> {
    match code {
        0 => Some(None),
        1 => Some(Some(Side::Long)),
        2 => Some(Some(Side::Short)),
        _ => None,
    }
}

/// A change in format 2, whole: what content hashes are made of, so that they stay what they were.
///
/// # Errors
/// When its id is no UUID in its usual form.
pub(crate) fn canonical(change: &LevelChange) -> Result<Vec<u8>, CodecError> {
    let LevelChange { event, at, known_at, level, members, volume_rank } = change;
    let mut out = Vec::with_capacity(128);
    out.extend([FORMAT_ALONE, event.code(), level.kind.code(), kind_code(level.source), side_code(level.side)]);
    out.extend_from_slice(&id_bytes(&level.level_id)?);
    let since = |t: Ts| zigzag(t.0.wrapping_sub(at.0).cast_unsigned());
    put_uint(&mut out, zigzag(at.0.cast_unsigned()));
    put_uint(&mut out, zigzag(level.timeframe.0.cast_unsigned()));
    for t in [*known_at, level.formed_at, level.confirmed_at, level.known_at] {
        put_uint(&mut out, since(t));
    }
    for t in [level.touched_at, level.mitigated_at, level.swept_at] {
        out.push(u8::from(t.is_some()));
        if let Some(t) = t {
            put_uint(&mut out, since(t));
        }
    }
    for n in [level.revision, level.touches, *members] {
        put_uint(&mut out, u64::from(n));
    }
    for x in [level.price, level.top, level.bottom, level.strength, *volume_rank] {
        out.extend_from_slice(&x.to_bits().to_le_bytes());
    }
    out.push(u8::from(level.volume.is_some()));
    if let Some(x) = level.volume {
        out.extend_from_slice(&x.to_bits().to_le_bytes());
    }
    Ok(seal::seal(out))
}

/// The change of a blob of format 2.
fn decode_alone(blob: &[u8]) -> Result<LevelChange, CodecError> {
    let mut input = Input(seal::open(blob, FORMAT_ALONE)?);
    let unknown = CodecError("names something this build does not know");
    let event = LevelEvent::ALL.get(usize::from(input.byte()?)).copied().ok_or(unknown)?;
    let kind = LevelType::ALL.get(usize::from(input.byte()?)).copied().ok_or(unknown)?;
    let source = kind_of(input.byte()?).ok_or(unknown)?;
    let side = side_of(input.byte()?).ok_or(unknown)?;
    let level_id = id_text(input.take(16)?);
    let at = Ts(unzigzag(input.uint()?).cast_signed());
    let timeframe = Span(unzigzag(input.uint()?).cast_signed());
    let mut since = || Ok(Ts(unzigzag(input.uint()?).cast_signed().wrapping_add(at.0)));
    let (known_at, formed_at, confirmed_at, revised_at) = (since()?, since()?, since()?, since()?);
    let mut maybe = || match input.byte()? {
        0 => Ok(None),
        1 => Ok(Some(Ts(unzigzag(input.uint()?).cast_signed().wrapping_add(at.0)))),
        _ => Err(CodecError("says neither yes nor no")),
    };
    let (touched_at, mitigated_at, swept_at) = (maybe()?, maybe()?, maybe()?);
    let mut count = || u32::try_from(input.uint()?).map_err(|_e| CodecError("has a count out of range"));
    let (revision, touches, members) = (count()?, count()?, count()?);
    let mut number = || {
        let bits = input.take(8)?.first_chunk::<8>().copied().unwrap_or_default();
        Ok(f64::from_bits(u64::from_le_bytes(bits)))
    };
    let (price, top, bottom, strength, volume_rank) = (number()?, number()?, number()?, number()?, number()?);
    let volume = match input.byte()? {
        0 => None,
        1 => {
            let bits = input.take(8)?.first_chunk::<8>().copied().unwrap_or_default();
            Some(f64::from_bits(u64::from_le_bytes(bits)))
        }
        _ => return Err(CodecError("says neither yes nor no")),
    };
    if !input.0.is_empty() {
        return Err(CodecError("goes on after its end"));
    }
    let level = Level {
        level_id,
        revision,
        kind,
        timeframe,
        side,
        price,
        top,
        bottom,
        formed_at,
        confirmed_at,
        known_at: revised_at,
        touched_at,
        mitigated_at,
        swept_at,
        touches,
        volume,
        strength,
        source,
    };
    Ok(LevelChange { event, at, known_at, level, members, volume_rank })
}

/// The sixteen bytes of an id.
///
/// # Errors
/// When it is no UUID in its usual form.
pub(crate) fn id_bytes(text: &str) -> Result<[u8; 16], CodecError> {
    let no_id = CodecError("has an id that is none");
    let mut out = [0; 16];
    let mut digits = text.bytes().enumerate().filter(|(at, _)| !matches!(at, 8 | 13 | 18 | 23));
    let dashes = [8, 13, 18, 23].iter().all(|at| text.as_bytes().get(*at) == Some(&b'-'));
    for byte in &mut out {
        let mut digit = || {
            let (_, b) = digits.next()?;
            char::from(b).to_digit(16).filter(|_| !b.is_ascii_uppercase()).and_then(|d| u8::try_from(d).ok())
        };
        let (high, low) = (digit().ok_or(no_id)?, digit().ok_or(no_id)?);
        *byte = high << 4 | low;
    }
    if text.len() == ID && dashes { Ok(out) } else { Err(no_id) }
}

fn id_text(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(ID);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        out.push_str(&format!("{byte:02x}"));
    }
    out
}

const KINDS: [Kind; 4] = [Kind::Measured, Kind::Sampled, Kind::Modelled, Kind::Proxy];

fn kind_code(kind: Kind) -> u8 {
    KINDS.iter().position(|k| *k == kind).and_then(|p| u8::try_from(p).ok()).unwrap_or(0)
}

fn kind_of(code: u8) -> Option<Kind> {
    KINDS.get(usize::from(code)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_survive_bit_for_bit_in_both_formats_and_damage_is_noticed() {
        let hour = |h: i64| Ts(1_760_000_000_000_000_000) + Span::hours(h);
        let level = Level {
            level_id: "0f8fad5b-d9cb-569f-a165-70867728950e".to_owned(),
            revision: 3,
            kind: LevelType::EqualLows,
            timeframe: Span::hours(1),
            side: Some(Side::Long),
            price: 0.1 + 0.2,
            top: f64::MIN_POSITIVE / 2.0,
            bottom: -0.0,
            formed_at: hour(1),
            confirmed_at: hour(3),
            known_at: hour(5) + Span::millis(200),
            touched_at: Some(hour(6)),
            mitigated_at: None,
            swept_at: Some(hour(9)),
            touches: 300,
            volume: Some(12.5),
            strength: 0.75,
            source: Kind::Proxy,
        };
        let whole = LevelChange {
            event: LevelEvent::Swept,
            at: hour(9),
            known_at: hour(9) + Span::millis(200),
            level: level.clone(),
            members: 4,
            volume_rank: 1.0,
        };
        let odd = Level { known_at: Ts(i64::MAX), touched_at: Some(Ts(i64::MIN)), formed_at: Ts(7), ..level.clone() };
        let bare = Level { touched_at: None, swept_at: None, volume: None, side: None, ..level };
        let changes = [
            LevelChange { event: LevelEvent::Known, level: bare, at: Ts(0), ..whole.clone() },
            LevelChange { level: odd, known_at: Ts(1), ..whole.clone() },
            whole.clone(),
        ];
        for change in changes {
            let beside = LevelBeside::of(&change).unwrap();
            let (blob, alone) = (encode(&change, &beside), canonical(&change).unwrap());
            assert!(blob.len() < 90 && alone.len() < 150, "{} {}", blob.len(), alone.len());
            for blob in [blob, alone] {
                assert_eq!(decode(&blob, &beside).as_ref(), Ok(&change));
                assert!((0..blob.len()).all(|cut| decode(&blob[..cut], &beside).is_err()));
                for at in 0..blob.len() {
                    let mut bad = blob.clone();
                    bad[at] ^= 1 << (at % 8);
                    assert!(decode(&bad, &beside).is_err(), "byte {at}");
                }
                let later = |t: Ts| Ts(t.0.wrapping_add(1));
                for wrong in [
                    LevelBeside { known_at: later(beside.known_at), ..beside },
                    LevelBeside { confirmed_at: later(beside.confirmed_at), ..beside },
                    LevelBeside { id: [0; 16], ..beside },
                ] {
                    assert_eq!(decode(&blob, &wrong), Err(ELSEWHERE));
                }
            }
        }
        let mut other = whole;
        for id in ["", "0f8fad5b", "0f8fad5b-d9cb-569f-a165-70867728950g", "0F8FAD5B-d9cb-569f-a165-70867728950e"] {
            other.level.level_id = id.to_owned();
            assert!(LevelBeside::of(&other).is_err() && canonical(&other).is_err(), "{id}");
        }
    }
}
