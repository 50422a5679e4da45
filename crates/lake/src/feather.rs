//! A look over a Feather file before it is decoded: the decoder believes lengths it reads, and a damaged length can ask
//! for more memory than there is, which no error handling survives. Every length is held against the size of the file.

use arrow_ipc::{Block, MessageHeader, RecordBatch, root_as_footer, root_as_message};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

/// Unpacked bytes one column of one batch may have: 2^25 values of 8 bytes. Writers use batches of 2^16 rows; one batch
/// of 40 years of minutes still fits.
const LONGEST_BUFFER: i64 = 256 * 1024 * 1024;
const TAIL: u64 = 10;
const DAMAGED: &str = "not a readable feather file: a length in it does not fit the file";

/// Checks every length of a file.
///
/// # Errors
/// One sentence.
pub(crate) fn check(file: &mut File) -> Result<(), String> {
    let told = |e: std::io::Error| format!("not a readable feather file: {e}");
    let size = file.metadata().map_err(told)?.len();
    let mut tail = [0; 10];
    let at = size.checked_sub(TAIL).ok_or("not a readable feather file: it is too short")?;
    file.seek(SeekFrom::Start(at)).map_err(told)?;
    file.read_exact(&mut tail).map_err(told)?;
    let [l0, l1, l2, l3, magic @ ..] = tail;
    if &magic != b"ARROW1" {
        return Err("not a readable feather file: its end is missing".to_owned());
    }
    let length = i32::from_le_bytes([l0, l1, l2, l3]);
    let footer = read(file, i64::try_from(at).unwrap_or(0) - i64::from(length), i64::from(length), size)?;
    let footer = root_as_footer(&footer).map_err(|_e| DAMAGED.to_owned())?;
    let blocks = footer.dictionaries().into_iter().flatten().chain(footer.recordBatches().into_iter().flatten());
    for block in blocks {
        check_block(file, block, size)?;
    }
    Ok(())
}

fn check_block(file: &mut File, block: &Block, size: u64) -> Result<(), String> {
    let header = i64::from(block.metaDataLength());
    let body_at = block.offset().checked_add(header).ok_or(DAMAGED)?;
    within(body_at, block.bodyLength(), size)?;
    let message = read(file, block.offset(), header, size)?;
    // Newer files have a marker before the length.
    let skip = if message.starts_with(&[0xff; 4]) { 8 } else { 4 };
    let message = root_as_message(message.get(skip..).ok_or(DAMAGED)?).map_err(|_e| DAMAGED.to_owned())?;
    let batch = match message.header_type() {
        MessageHeader::RecordBatch => message.header_as_record_batch(),
        MessageHeader::DictionaryBatch => message.header_as_dictionary_batch().and_then(|d| d.data()),
        _ => None,
    };
    check_batch(file, batch.ok_or(DAMAGED)?, body_at, block.bodyLength(), size)
}

fn check_batch(file: &mut File, batch: RecordBatch<'_>, body_at: i64, body: i64, size: u64) -> Result<(), String> {
    let rows = batch.length();
    let nodes = batch.nodes().into_iter().flatten();
    if !(0..LONGEST_BUFFER).contains(&rows) || nodes.into_iter().any(|n| !(0..=rows).contains(&n.null_count())) {
        return Err(DAMAGED.to_owned());
    }
    for buffer in batch.buffers().into_iter().flatten() {
        within(buffer.offset(), buffer.length(), u64::try_from(body).unwrap_or(0))?;
        if batch.compression().is_some() && buffer.length() >= 8 {
            let at = body_at.checked_add(buffer.offset()).ok_or(DAMAGED)?;
            let prefix = read(file, at, 8, size)?;
            let unpacked = prefix.first_chunk::<8>().map(|b| i64::from_le_bytes(*b)).ok_or(DAMAGED)?;
            // −1: this buffer is not packed after all.
            if !(-1..=LONGEST_BUFFER).contains(&unpacked) {
                return Err(DAMAGED.to_owned());
            }
        }
    }
    Ok(())
}

fn within(at: i64, length: i64, size: u64) -> Result<(), String> {
    let end = at.checked_add(length).and_then(|e| u64::try_from(e).ok());
    if at < 0 || length < 0 || end.is_none_or(|e| e > size) { Err(DAMAGED.to_owned()) } else { Ok(()) }
}

fn read(file: &mut File, at: i64, length: i64, size: u64) -> Result<Vec<u8>, String> {
    within(at, length, size)?;
    let mut bytes = vec![0; usize::try_from(length).map_err(|_e| DAMAGED.to_owned())?];
    let told = |e: std::io::Error| format!("not a readable feather file: {e}");
    file.seek(SeekFrom::Start(u64::try_from(at).unwrap_or(0))).map_err(told)?;
    file.read_exact(&mut bytes).map_err(told)?;
    Ok(bytes)
}
