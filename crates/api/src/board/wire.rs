//! How batches of changed cells and events are written: once, whoever listens.

use super::columns::EPOCHS;
use super::{Cells, Column};
use bytes::Bytes;
use core::fmt::Write as _;

/// Writes `{"n":…,"t":…,"r":…,"c":[[i,mask,v…],…]}` into `out`, which is emptied first. Epochs count from `r`, which leaves three
/// characters of ten.
pub(super) fn batch<'a>(
    out: &mut String,
    n: u64,
    t_ms: i64,
    changed: impl Iterator<Item = (usize, u32, &'a Cells)> + Clone,
) {
    out.clear();
    let row_ts = |(_, mask, cells): (usize, u32, &Cells)| {
        let moved = mask & EPOCHS != 0;
        cells[Column::RowTs as usize].whole().filter(|_| moved)
    };
    let reference = changed.clone().filter_map(row_ts).max().unwrap_or(0);
    // Writing to a String cannot fail.
    let _infallible = write!(out, "{{\"n\":{n},\"t\":{t_ms}");
    if reference != 0 {
        let _infallible = write!(out, ",\"r\":{reference}");
    }
    out.push_str(",\"c\":[");
    for (at, (i, mask, cells)) in changed.enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let _infallible = write!(out, "{comma}[{i},{mask}");
        for (column, value) in cells.iter().enumerate().filter(|(column, _)| mask & (1 << column) != 0) {
            out.push(',');
            match value.whole().filter(|_| EPOCHS & (1 << column) != 0) {
                Some(epoch) => {
                    let _infallible = write!(out, "{}", epoch - reference);
                }
                None => value.write(out),
            }
        }
        out.push(']');
    }
    out.push_str("]}");
}

/// One server-sent event; data with line breaks becomes several data lines, as the format asks.
pub(crate) fn frame(event: &str, id: Option<&str>, data: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(data.len() + 96);
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(event.as_bytes());
    if let Some(id) = id {
        out.extend_from_slice(b"\nid: ");
        out.extend_from_slice(id.as_bytes());
    }
    for line in data.split(|byte| *byte == b'\n') {
        out.extend_from_slice(b"\ndata: ");
        out.extend_from_slice(line);
    }
    out.extend_from_slice(b"\n\n");
    Bytes::from(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::Value;

    #[test]
    fn a_batch_holds_what_the_masks_name_and_epochs_count_from_its_reference() {
        let mut cells: Cells = [Value::Null; super::super::WIDTH];
        cells[Column::Price as usize] = Value::full(63_120.5);
        cells[Column::RiskSince as usize] = Value::Whole(1_770_298_200);
        cells[Column::RowTs as usize] = Value::Whole(1_770_298_500);
        let mut out = "left over".to_owned();
        batch(&mut out, 7, 1_770_298_501_000, [(0, 1, &cells), (12, EPOCHS | 1, &cells)].into_iter());
        let want = "{\"n\":7,\"t\":1770298501000,\"r\":1770298500,\"c\":[[0,1,63120.5],[12,6145,63120.5,-300,0]]}";
        assert_eq!(out, want);
        batch(&mut out, 8, 1, [(0, 3, &cells)].into_iter());
        assert_eq!(out, "{\"n\":8,\"t\":1,\"c\":[[0,3,63120.5,null]]}");
    }

    #[test]
    fn frames_are_what_browsers_parse() {
        assert_eq!(&frame("snapshot", Some("7"), b"{}")[..], b"event: snapshot\nid: 7\ndata: {}\n\n");
        assert_eq!(&frame("closing", None, b"{}")[..], b"event: closing\ndata: {}\n\n");
        assert_eq!(&frame("x", None, b"a\nb")[..], b"event: x\ndata: a\ndata: b\n\n");
    }
}
