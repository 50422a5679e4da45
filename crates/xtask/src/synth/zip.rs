//! A zip file with one entry, as the archive ships them.
//!
//! Written here because one local header, one directory entry and one end record are all it takes. No zip64: an entry
//! is a month of one series, a few megabytes. The stamp inside is fixed, so that the same rows give the same bytes.

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use std::io::Write as _;

/// 1980-01-01, the earliest date the format knows.
const DOS_DATE: u16 = 0x0021;

/// The bytes of a zip file holding `content` under `name`.
pub(crate) fn single(name: &str, content: &[u8]) -> Result<Vec<u8>, String> {
    let too_long = |what: &str| format!("'{name}' is too long for a zip file without extensions: {what}");
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(4));
    encoder.write_all(content).and_then(|()| encoder.try_finish()).map_err(|e| format!("cannot compress: {e}"))?;
    let packed = encoder.finish().map_err(|e| format!("cannot compress: {e}"))?;
    let mut crc = Crc::new();
    crc.update(content);

    // Fields that the local header and the directory share: version, flags, method, time, date, sums and sizes.
    let mut shared = Vec::new();
    for n in [20, 0, 8, 0, DOS_DATE] {
        shared.extend_from_slice(&u16::to_le_bytes(n));
    }
    for n in [packed.len(), content.len()] {
        u32::try_from(n).map_err(|_e| too_long("content"))?;
    }
    let size = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes();
    shared.extend_from_slice(&crc.sum().to_le_bytes());
    shared.extend_from_slice(&size(packed.len()));
    shared.extend_from_slice(&size(content.len()));
    shared.extend_from_slice(&u16::try_from(name.len()).map_err(|_e| too_long("name"))?.to_le_bytes());
    shared.extend_from_slice(&0_u16.to_le_bytes());

    let mut file = b"PK\x03\x04".to_vec();
    file.extend_from_slice(&shared);
    file.extend_from_slice(name.as_bytes());
    file.extend_from_slice(&packed);
    let directory = file.len();
    file.extend_from_slice(b"PK\x01\x02\x14\x00");
    file.extend_from_slice(&shared);
    // Comment length, disk, internal attributes: zero; external attributes and the header's offset: zero.
    file.extend_from_slice(&[0; 6 + 8]);
    file.extend_from_slice(name.as_bytes());
    let end = file.len();
    file.extend_from_slice(b"PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00");
    file.extend_from_slice(&size(end - directory));
    file.extend_from_slice(&size(directory));
    file.extend_from_slice(&[0; 2]);
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::DeflateDecoder;
    use std::io::{Cursor, Read as _};

    #[test]
    fn another_library_reads_it() {
        let content = "a,b\n".repeat(10_000);
        let bytes = single("x.csv", content.as_bytes()).unwrap();
        let mut archive = ::zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        assert_eq!(archive.len(), 1);
        let entry = archive.by_index_raw(0).unwrap();
        let mut crc = Crc::new();
        crc.update(content.as_bytes());
        assert_eq!(
            (entry.name().unwrap().as_ref(), entry.size(), entry.crc32()),
            ("x.csv", content.len() as u64, crc.sum())
        );
        let mut text = String::new();
        DeflateDecoder::new(entry).read_to_string(&mut text).unwrap();
        assert_eq!(text, content);
    }

    #[test]
    fn the_same_rows_give_the_same_bytes() {
        assert_eq!(single("x.csv", b"1,2\n").unwrap(), single("x.csv", b"1,2\n").unwrap());
        assert_ne!(single("x.csv", b"1,2\n").unwrap(), single("x.csv", b"1,3\n").unwrap());
    }
}
