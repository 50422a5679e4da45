//! Something that happened to a level as one blob: numbers as bits, instants as differences to the bar.
//!
//! Some hundreds of these are made per market and day, so a blob is small (about 100 bytes) and not compressed. The id of
//! the level is in it: the blob says all that there is to say. A checksum ends it: these numbers are in no other digest.

use super::bytes::{Input, put_uint, unzigzag, zigzag};
use super::{CodecError, seal};
use barograph_domain::{Kind, Level, LevelChange, LevelEvent, LevelType, Side, Span, Ts};

/// Written first in every blob. Blobs of format 1, never released, had no checksum.
const FORMAT: u8 = 2;
/// Length of an id as text.
const ID: usize = 36;

/// Packs a change.
///
/// # Errors
/// When its id is no UUID in its usual form.
pub fn encode(change: &LevelChange) -> Result<Vec<u8>, CodecError> {
    let LevelChange { event, at, known_at, level, members, volume_rank } = change;
    let mut out = Vec::with_capacity(128);
    out.extend([FORMAT, event.code(), level.kind.code(), kind_code(level.source)]);
    out.push(match level.side {
        None => 0,
        Some(Side::Long) => 1,
        Some(Side::Short) => 2,
    });
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

/// The change of a blob.
///
/// # Errors
/// When the blob is damaged or of a newer format.
pub fn decode(blob: &[u8]) -> Result<LevelChange, CodecError> {
    let mut input = Input(seal::open(blob, FORMAT)?);
    let unknown = CodecError("names something this build does not know");
    let event = LevelEvent::ALL.get(usize::from(input.byte()?)).copied().ok_or(unknown)?;
    let kind = LevelType::ALL.get(usize::from(input.byte()?)).copied().ok_or(unknown)?;
    let source = kind_of(input.byte()?).ok_or(unknown)?;
    let side = match input.byte()? {
        0 => None,
        1 => Some(Side::Long),
        2 => Some(Side::Short),
        _ => return Err(unknown),
    };
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
    fn changes_survive_bit_for_bit_and_damage_is_noticed() {
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
        let bare = Level { touched_at: None, swept_at: None, volume: None, side: None, ..level };
        for change in [whole.clone(), LevelChange { event: LevelEvent::Known, level: bare, at: Ts(0), ..whole.clone() }]
        {
            let blob = encode(&change).unwrap();
            assert!(blob.len() < 140, "{}", blob.len());
            assert_eq!(decode(&blob), Ok(change));
            assert!((0..blob.len()).all(|cut| decode(&blob[..cut]).is_err()));
            for at in 0..blob.len() {
                let mut bad = blob.clone();
                bad[at] ^= 1 << (at % 8);
                assert!(decode(&bad).is_err(), "byte {at}");
            }
        }
        let mut other = whole;
        for id in ["", "0f8fad5b", "0f8fad5b-d9cb-569f-a165-70867728950g", "0F8FAD5B-d9cb-569f-a165-70867728950e"] {
            other.level.level_id = id.to_owned();
            assert!(encode(&other).is_err(), "{id}");
        }
    }
}
