//! Puts the events of one file into the total order, by the cheapest means its rows allow.
//!
//! - Rows in order: a heap that holds what later rows could still precede, in practice the events of one instant.
//! - Rows out of order, up to [`IN_MEMORY`] events: sorted in memory when the merge reaches the file.
//!   That memory is per file, and only while the merge is inside it.
//! - More than that: sorted runs of that size in one temporary file, merged while reading. Disk instead of memory.

use barograph_domain::{Event, Metric, Payload, StreamIndex, Ts};
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};

/// Events sorted in memory: 2^18 × 120 bytes are 30 MiB.
pub const IN_MEMORY: usize = 1 << 18;

/// Bytes read at a time from each sorted run.
const RUN_BUFFER: usize = 32 * 1024;

/// An event and where it came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    pub(crate) event: Event,
    pub(crate) line: u64,
    /// The first event of its row: rows are counted by it.
    pub(crate) lead: bool,
}

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Item {}
impl PartialOrd for Item {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Item {
    fn cmp(&self, other: &Self) -> Ordering {
        self.event.order(&other.event).then(self.line.cmp(&other.line))
    }
}

/// Items of rows that come in order of receive time; what is held back is what a later row could still precede.
#[derive(Default)]
pub(crate) struct InOrder {
    held: BinaryHeap<Reverse<Item>>,
}

impl InOrder {
    pub(crate) fn push(&mut self, item: Item) {
        self.held.push(Reverse(item));
    }
    /// The next item, if no row received at `frontier` or later can precede it.
    pub(crate) fn pop(&mut self, frontier: Option<Ts>) -> Option<Item> {
        let Reverse(next) = self.held.peek()?;
        if frontier.is_some_and(|f| next.event.recv_ts >= f) {
            return None;
        }
        self.held.pop().map(|Reverse(item)| item)
    }
}

/// Sorts any number of items.
pub(crate) struct Sorter<'a> {
    items: Vec<Item>,
    limit: usize,
    runs: Vec<SortedRun>,
    spill: Option<BufWriter<File>>,
    written: u64,
    /// Metric of each stream, to read payloads back.
    metrics: &'a [Metric],
}

/// Sorted items.
pub(crate) enum Sorted {
    Memory(std::vec::IntoIter<Item>),
    Spilled { file: File, heads: BinaryHeap<Reverse<(Item, usize)>>, runs: Vec<SortedRun>, metrics: Vec<Metric> },
}

/// A sorted stretch of the temporary file.
pub(crate) struct SortedRun {
    at: u64,
    until: u64,
    buf: Vec<u8>,
    pos: usize,
}

impl<'a> Sorter<'a> {
    pub(crate) fn new(metrics: &'a [Metric], limit: usize) -> Self {
        Self { items: Vec::new(), limit, runs: Vec::new(), spill: None, written: 0, metrics }
    }
    pub(crate) fn push(&mut self, item: Item) -> io::Result<()> {
        self.items.push(item);
        if self.items.len() >= self.limit { self.write_run() } else { Ok(()) }
    }
    fn write_run(&mut self) -> io::Result<()> {
        self.items.sort_unstable();
        let spill = match &mut self.spill {
            Some(spill) => spill,
            None => self.spill.insert(BufWriter::new(tempfile::tempfile()?)),
        };
        let at = self.written;
        let mut record = Vec::with_capacity(128);
        for item in self.items.drain(..) {
            encode(&item, &mut record);
            spill.write_all(&record)?;
            self.written += record.len() as u64;
        }
        self.runs.push(SortedRun { at, until: self.written, buf: Vec::new(), pos: 0 });
        Ok(())
    }
    pub(crate) fn finish(mut self) -> io::Result<Sorted> {
        if self.runs.is_empty() {
            self.items.sort_unstable();
            return Ok(Sorted::Memory(self.items.into_iter()));
        }
        if !self.items.is_empty() {
            self.write_run()?;
        }
        let Some(spill) = self.spill else { return Ok(Sorted::Memory(Vec::new().into_iter())) };
        let mut file = spill.into_inner().map_err(io::IntoInnerError::into_error)?;
        let mut heads = BinaryHeap::new();
        for (i, run) in self.runs.iter_mut().enumerate() {
            if let Some(item) = run.next(&mut file, self.metrics)? {
                heads.push(Reverse((item, i)));
            }
        }
        Ok(Sorted::Spilled { file, heads, runs: self.runs, metrics: self.metrics.to_vec() })
    }
}

impl Sorted {
    pub(crate) fn next(&mut self) -> io::Result<Option<Item>> {
        match self {
            Self::Memory(items) => Ok(items.next()),
            Self::Spilled { file, heads, runs, metrics } => {
                let Some(Reverse((item, i))) = heads.pop() else { return Ok(None) };
                if let Some(next) = runs[i].next(file, metrics)? {
                    heads.push(Reverse((next, i)));
                }
                Ok(Some(item))
            }
        }
    }
}

impl SortedRun {
    fn next(&mut self, file: &mut File, metrics: &[Metric]) -> io::Result<Option<Item>> {
        loop {
            if let Some(length) = self.buf.get(self.pos).map(|n| usize::from(*n) + 1)
                && let Some(record) = self.buf.get(self.pos..self.pos + length)
            {
                let item = decode(&record[1..], metrics).ok_or(io::ErrorKind::InvalidData)?;
                self.pos += length;
                return Ok(Some(item));
            }
            if self.at == self.until {
                return Ok(None);
            }
            self.buf.drain(..self.pos);
            self.pos = 0;
            let kept = self.buf.len();
            let more = usize::try_from(self.until - self.at).unwrap_or(RUN_BUFFER).min(RUN_BUFFER);
            self.buf.resize(kept + more, 0);
            file.seek(SeekFrom::Start(self.at))?;
            file.read_exact(&mut self.buf[kept..])?;
            self.at += more as u64;
        }
    }
}

/// `length, stream, recv, event, seq, line, lead, payload`; a record is below 256 bytes.
fn encode(item: &Item, out: &mut Vec<u8>) {
    let e = &item.event;
    out.clear();
    out.push(0);
    out.extend_from_slice(&e.stream.0.to_le_bytes());
    for n in [e.recv_ts.0, e.event_ts.0] {
        out.extend_from_slice(&n.to_le_bytes());
    }
    for n in [e.seq, item.line] {
        out.extend_from_slice(&n.to_le_bytes());
    }
    out.push(u8::from(item.lead));
    e.payload.encode(out);
    out[0] = u8::try_from(out.len() - 1).unwrap_or(u8::MAX);
}

fn decode(record: &[u8], metrics: &[Metric]) -> Option<Item> {
    let (stream, rest) = record.split_first_chunk::<2>()?;
    let (recv, rest) = rest.split_first_chunk::<8>()?;
    let (event, rest) = rest.split_first_chunk::<8>()?;
    let (seq, rest) = rest.split_first_chunk::<8>()?;
    let (line, rest) = rest.split_first_chunk::<8>()?;
    let (lead, payload) = rest.split_first()?;
    let stream = StreamIndex(u16::from_le_bytes(*stream));
    let event = Event {
        recv_ts: Ts(i64::from_le_bytes(*recv)),
        event_ts: Ts(i64::from_le_bytes(*event)),
        stream,
        seq: u64::from_le_bytes(*seq),
        payload: Payload::decode(*metrics.get(stream.index())?, payload)?,
    };
    Some(Item { event, line: u64::from_le_bytes(*line), lead: *lead != 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(recv: i64, line: u64) -> Item {
        let event = Event {
            recv_ts: Ts(recv),
            event_ts: Ts(recv - 1),
            stream: StreamIndex(0),
            seq: 0,
            #[expect(clippy::cast_precision_loss, reason = "small test numbers")]
            payload: Payload::Value(recv as f64 / 3.0),
        };
        Item { event, line, lead: line.is_multiple_of(2) }
    }

    fn sorted(limit: usize, items: &[Item]) -> Vec<(i64, u64, bool)> {
        let metrics = [Metric::OpenInterest];
        let mut sorter = Sorter::new(&metrics, limit);
        for i in items {
            sorter.push(*i).unwrap();
        }
        let mut sorted = sorter.finish().unwrap();
        std::iter::from_fn(|| sorted.next().unwrap()).map(|i| (i.event.recv_ts.0, i.line, i.lead)).collect()
    }

    #[test]
    fn spilled_runs_give_what_sorting_in_memory_gives() {
        // 7919 is prime to 5000: every remainder once, well mixed.
        let items: Vec<Item> = (0..5_000_u64).map(|n| item(i64::try_from(n * 7919 % 5_000).unwrap() / 3, n)).collect();
        let want = sorted(usize::MAX, &items);
        assert!(want.is_sorted());
        for limit in [1, 7, 1_000, 4_999, 5_000] {
            assert_eq!(sorted(limit, &items), want, "runs of {limit}");
        }
        assert_eq!(sorted(10, &[]), []);
    }

    #[test]
    fn what_a_later_row_could_precede_is_held_back() {
        let mut order = InOrder::default();
        order.push(item(5, 1));
        order.push(item(3, 2));
        assert_eq!(order.pop(Some(Ts(3))).map(|i| i.line), None);
        assert_eq!(order.pop(Some(Ts(4))).map(|i| i.line), Some(2));
        assert_eq!(order.pop(Some(Ts(4))).map(|i| i.line), None);
        assert_eq!(order.pop(None).map(|i| i.line), Some(1));
    }
}
