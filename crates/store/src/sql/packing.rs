//! Rows on their way into chunks. Over a long stretch one chunk is packed beside the caller while it gathers the next: what computes the
//! rows does not wait for what compresses them.

use super::segment::Chunk;
use crate::codec::{ChunkBuilder, CodecError, Width};
use crate::{Error, Result};
use barograph_domain::{MinuteRow, Ts};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// So many chunks, a day of minutes, are packed where they are gathered: for these a thread would cost more than it gives.
const BESIDE_AFTER: usize = 24;

/// A chunk that has been packed, and the builder it was gathered in.
type Packed = (ChunkBuilder, std::io::Result<Vec<u8>>);

/// Gathers rows and packs them, in the order they come.
pub(super) struct Packer {
    builder: ChunkBuilder,
    /// First and last minute in the builder.
    open: Option<(Ts, Ts)>,
    closed: usize,
    beside: Option<Beside>,
}

/// The other thread, which has at most one chunk at a time.
struct Beside {
    give: SyncSender<ChunkBuilder>,
    take: Receiver<Packed>,
    /// Not gathered into at the moment; `None`: the other thread has it.
    spare: Option<ChunkBuilder>,
    /// Rows, first and last minute of the chunk that the other thread has.
    given: (usize, Ts, Ts),
}

impl Packer {
    pub(super) fn new(width: Width, remap: Vec<Option<u16>>) -> std::io::Result<Self> {
        Ok(Self { builder: ChunkBuilder::new(width, remap)?, open: None, closed: 0, beside: None })
    }

    /// First and last minute gathered since the last chunk was closed.
    pub(super) const fn open(&self) -> Option<(Ts, Ts)> {
        self.open
    }

    /// Gathers a row.
    pub(super) fn push(&mut self, row: &MinuteRow) -> core::result::Result<(), CodecError> {
        self.builder.push(row)?;
        self.open = Some((self.open.map_or(row.ts, |(first, _)| first), row.ts));
        Ok(())
    }

    /// Closes the chunk gathered; a chunk that is packed by now, which may be the one before.
    pub(super) fn close(&mut self) -> Result<Option<Chunk>> {
        let Some((first, last)) = self.open.take() else { return Ok(None) };
        let rows = self.builder.rows();
        self.closed += 1;
        if self.closed <= BESIDE_AFTER {
            let packed = self.builder.finish();
            return chunk(packed, (rows, first, last)).map(Some);
        }
        let before = match &mut self.beside {
            Some(beside) => beside.wait()?,
            None => {
                let spare = self.builder.another().map_err(|e| Error::Invalid(format!("zstd: {e}")))?;
                self.beside = Some(Beside::begin(spare)?);
                None
            }
        };
        if let Some(beside) = &mut self.beside
            && let Some(spare) = beside.spare.take()
        {
            let full = core::mem::replace(&mut self.builder, spare);
            beside.given = (rows, first, last);
            beside.give.send(full).map_err(|_gone| ended())?;
        }
        Ok(before)
    }

    /// The chunk that is still being packed.
    pub(super) fn rest(&mut self) -> Result<Option<Chunk>> {
        self.beside.as_mut().map_or(Ok(None), Beside::wait)
    }
}

impl Beside {
    /// The thread ends when nothing can be given to it any more.
    fn begin(spare: ChunkBuilder) -> Result<Self> {
        let (give, given) = sync_channel::<ChunkBuilder>(1);
        let (done, take) = sync_channel::<Packed>(1);
        let pack = move || {
            for mut builder in given {
                let packed = builder.finish();
                if done.send((builder, packed)).is_err() {
                    return;
                }
            }
        };
        let named = thread::Builder::new().name("packing".to_owned());
        named.spawn(pack).map_err(|e| Error::Invalid(format!("a thread cannot be started: {e}")))?;
        Ok(Self { give, take, spare: Some(spare), given: (0, Ts::MIN, Ts::MIN) })
    }

    fn wait(&mut self) -> Result<Option<Chunk>> {
        if self.spare.is_some() {
            return Ok(None);
        }
        let (builder, packed) = self.take.recv().map_err(|_gone| ended())?;
        self.spare = Some(builder);
        chunk(packed, self.given).map(Some)
    }
}

fn chunk(packed: std::io::Result<Vec<u8>>, (rows, first, last): (usize, Ts, Ts)) -> Result<Chunk> {
    let body = packed.map_err(|e| Error::Invalid(format!("rows from {first} on: {e}")))?;
    Ok(Chunk { rows, first, last, thinned: false, body })
}

fn ended() -> Error {
    Error::Invalid("the thread that packs rows has ended".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Span;

    /// Chunks come out in the order they went in, each with its own rows, from whichever thread.
    #[test]
    fn chunks_are_the_same_beside_as_in_place() {
        let width = Width { features: 0, cuts: 0, rules: 0 };
        let at = |hour: i64, minute: i64| Ts(0) + Span::hours(hour) + Span::mins(minute);
        let row = |hour, minute| MinuteRow { price: Some(100.0), ..MinuteRow::bare(at(hour, minute)) };
        let hours = i64::try_from(BESIDE_AFTER).unwrap() + 20;
        let mut packer = Packer::new(width, Vec::new()).unwrap();
        let mut found = Vec::new();
        for hour in 0..hours {
            (0..60).for_each(|minute| packer.push(&row(hour, minute)).unwrap());
            assert_eq!(packer.open(), Some((at(hour, 0), at(hour, 59))));
            found.extend(packer.close().unwrap());
        }
        assert!(packer.beside.is_some() && found.len() == usize::try_from(hours).unwrap() - 1);
        found.extend(packer.rest().unwrap());
        assert!(packer.rest().unwrap().is_none() && packer.close().unwrap().is_none());
        let mut alone = ChunkBuilder::new(width, Vec::new()).unwrap();
        for (hour, chunk) in (0..).zip(&found) {
            (0..60).for_each(|minute| alone.push(&row(hour, minute)).unwrap());
            let want = (60, at(hour, 0), at(hour, 59), alone.finish().unwrap());
            assert_eq!((chunk.rows, chunk.first, chunk.last, chunk.body.clone()), want, "hour {hour}");
        }
        assert_eq!(found.len(), usize::try_from(hours).unwrap());
    }
}
