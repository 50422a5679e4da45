//! CoinEx's messages in CoinEx's spelling (sheet §1 and §3). What is absent or `null` is empty; keys may come in any order.

use crate::session::scan::object;

/// Anything on the socket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    /// `depth.update`; empty in answers.
    pub method: &'a str,
    pub id: &'a str,
    pub code: &'a str,
    pub message: &'a str,
    pub data: &'a str,
}

impl<'a> Frame<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let keys = ["method", "id", "code", "message", "data"];
        let [method, id, code, message, data] = object(core::str::from_utf8(bytes).ok()?, keys)?;
        Some(Self { method, id, code, message, data })
    }
}

/// An answer to a request. A code other than 0 is an error, whatever else stands in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer<'a> {
    pub code: i64,
    pub message: &'a str,
    pub data: &'a str,
    /// There is another page.
    pub has_next: bool,
}

impl<'a> Answer<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let keys = ["code", "message", "data", "pagination"];
        let [code, message, data, pages] = object(core::str::from_utf8(bytes).ok()?, keys)?;
        let has_next = object(pages, ["has_next"]).is_some_and(|[more]| more == "true");
        Some(Self { code: code.parse().ok()?, message, data, has_next })
    }
}

/// What a refusal asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Refusal {
    /// Too many requests: rest, then again.
    TooMany,
    /// Wrong, and wrong the next time too: parameters, method.
    Final,
    /// This address may not ask at all.
    Forbidden,
    /// Busy, slow or broken, or a market that rests: again later.
    Later,
}

/// What a code means. Those of the sockets are the same for both products, 10,000 apart.
pub(super) const fn refusal(code: i64) -> Refusal {
    match code {
        213 | 4_123 | 4_213 | 23_002 | 33_002 => Refusal::TooMany,
        4_004 | 4_009 | 20_001 | 20_002 | 30_001 | 30_002 | 21_001 | 21_002 | 31_001 | 31_002 => Refusal::Final,
        4_007 | 4_011 => Refusal::Forbidden,
        _ => Refusal::Later,
    }
}
