//! Deribit's messages in Deribit's spelling (sheet §2 and §5). Numbers are JSON numbers and stay texts here; keys may come in any
//! order; what is absent or `null` is empty.

use crate::number::PLAUSIBLE;
use crate::session::Scan;
use crate::session::scan::object;
use crate::session::wire::{scan_raw, scan_text};
use barograph_domain::Ts;

/// Anything on the socket, and any answer to a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    pub id: &'a str,
    pub method: &'a str,
    pub channel: &'a str,
    pub data: &'a str,
    /// Of a heartbeat.
    pub kind: &'a str,
    pub result: &'a str,
    pub error: &'a str,
    /// Of an error; else 0.
    pub code: i64,
    /// The venue's clock when it answered.
    pub sent: Option<Ts>,
}

impl<'a> Frame<'a> {
    /// Too many requests.
    pub(super) const TOO_MANY: i64 = 10_028;

    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let keys = ["id", "method", "params", "result", "error", "usOut"];
        let [id, method, params, result, error, micros] = object(core::str::from_utf8(bytes).ok()?, keys)?;
        let params = if params.is_empty() { "{}" } else { params };
        let [channel, data, kind] = object(params, ["channel", "data", "type"])?;
        let code = object(error, ["code"]).and_then(|[code]| code.parse().ok()).unwrap_or(0);
        let sent = micros.parse().ok().and_then(Ts::from_epoch).filter(|t| PLAUSIBLE.contains(t));
        Some(Self { id, method, channel, data, kind, result, error, code, sent })
    }

    /// Is what was wrong wrong for ever? Parameters, a name that does not exist or needs a login.
    pub(super) const fn is_final(&self) -> bool {
        matches!(self.code, -32_602 | -32_601 | 11_050 | 13_009 | 13_778)
    }
}

/// Hands over what happened to each level of a side, its price and its amount: `["change",91250.0,18000.0]`. `None`: not levels, or
/// `level` says so of one.
pub(super) fn levels(json: &str, mut level: impl FnMut(&str, &str, &str) -> Option<()>) -> Option<()> {
    let mut scan = Scan::new(json.as_bytes());
    scan.array(|s| {
        s.eat(b'[')?;
        let verb = scan_text(s)?;
        s.eat(b',')?;
        let price = scan_raw(s)?;
        s.eat(b',')?;
        let amount = scan_raw(s)?;
        s.eat(b']')?;
        level(verb, price, amount)
    })?;
    scan.end()
}
