//! The 197 columns over recordings: no row is rewritten, files and streams give the same bits, an independent implementation agrees, what
//! lies beside a market enters as it was known.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod beside;
mod heard;
mod holes;
mod pair;
mod peers;
mod prefix;
mod split;
mod wide;
