//! One frame on one line: newlines, carriage returns and backslashes are written as two bytes, everything else as it is.
//!
//! A frame without those three bytes is therefore found in the journal unchanged, which is what nearly every venue sends.
//! Nothing here assumes text: any bytes round-trip.

use memchr::{memchr, memchr3};

/// Appends the escaped form of a frame.
pub(super) fn escape_into(out: &mut Vec<u8>, frame: &[u8]) {
    let mut rest = frame;
    while let Some(at) = memchr3(b'\n', b'\r', b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(match rest[at] {
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            _ => b"\\\\",
        });
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

/// The frame of an escaped line: the line itself where nothing was escaped, else written into `scratch`. `None` when a
/// backslash is followed by something the writer never writes.
pub(super) fn unescape<'a>(line: &'a [u8], scratch: &'a mut Vec<u8>) -> Option<&'a [u8]> {
    if memchr(b'\\', line).is_none() {
        return Some(line);
    }
    scratch.clear();
    let mut rest = line;
    while let Some(at) = memchr(b'\\', rest) {
        scratch.extend_from_slice(&rest[..at]);
        scratch.push(match rest.get(at + 1)? {
            b'n' => b'\n',
            b'r' => b'\r',
            b'\\' => b'\\',
            _ => return None,
        });
        rest = &rest[at + 2..];
    }
    scratch.extend_from_slice(rest);
    Some(scratch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(frame: &[u8], want: Option<&[u8]>) {
        let mut line = Vec::new();
        escape_into(&mut line, frame);
        assert!(!line.contains(&b'\n') && !line.contains(&b'\r'));
        if let Some(want) = want {
            assert_eq!(line, want);
        }
        assert_eq!(unescape(&line, &mut Vec::new()), Some(frame));
    }

    #[test]
    fn plain_frames_are_untouched_and_the_three_bytes_are_spelled() {
        check(b"{\"e\":\"trade\"}", Some(b"{\"e\":\"trade\"}"));
        check(b"", Some(b""));
        check(b"a\nb\rc\\d", Some(b"a\\nb\\rc\\\\d"));
        check(b"\\n", Some(b"\\\\n"));
        check(b"\xff\xfe\n\x00", Some(b"\xff\xfe\\n\x00"));
    }

    #[test]
    fn what_the_writer_never_writes_is_refused() {
        for bad in [&b"a\\"[..], b"\\t", b"x\\\\\\"] {
            assert_eq!(unescape(bad, &mut Vec::new()), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(frame in proptest::collection::vec(prop_oneof![
            Just(b'\n'), Just(b'\r'), Just(b'\\'), Just(b'n'), any::<u8>()
        ], 0..200)) {
            check(&frame, None);
        }
    }
}
