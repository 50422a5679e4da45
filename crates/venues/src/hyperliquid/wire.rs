//! Messages in the venue's spelling. Hot messages are walked without allocation; info answers are read with serde.
//!
//! Nothing is interpreted here. Prices and sizes are strings, times milliseconds as numbers; key order varies between the
//! recording of 2025-01 and newer fixtures.

use crate::session::Scan;
use barograph_domain::Ts;
use serde::Deserialize;

/// Channel and data of a message.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Envelope<'a> {
    pub(super) channel: &'a [u8],
    pub(super) data: &'a [u8],
}

/// Opens a message.
pub(super) fn envelope(bytes: &[u8]) -> Option<Envelope<'_>> {
    let mut e = Envelope::default();
    let mut scan = Scan::new(bytes);
    scan.object(|key, s| {
        match key {
            b"channel" => e.channel = s.string()?,
            b"data" => e.data = s.raw()?,
            _ => s.skip()?,
        }
        Some(())
    })?;
    scan.end()?;
    Some(e)
}

/// A book, or top of it.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Levels<'a> {
    pub(super) coin: &'a [u8],
    pub(super) time: u64,
    /// Both sides, as text.
    pub(super) sides: &'a [u8],
    pub(super) fast: bool,
    /// Prices are rounded to significant figures: not a book to compute with.
    pub(super) aggregated: bool,
}

/// Data of `l2Book` and `bbo`.
pub(super) fn levels(data: &[u8]) -> Option<Levels<'_>> {
    let mut l = Levels::default();
    let mut scan = Scan::new(data);
    scan.object(|key, s| {
        match key {
            b"coin" => l.coin = s.string()?,
            b"time" => l.time = s.unsigned()?,
            b"levels" | b"bbo" => l.sides = s.raw()?,
            b"fast" => l.fast = s.boolean()?,
            b"spread" => {
                s.skip()?;
                l.aggregated = true;
            }
            _ => s.skip()?,
        }
        Some(())
    })?;
    (!l.sides.is_empty()).then_some(l)
}

/// Price and size of a level.
fn level<'a>(s: &mut Scan<'a>) -> Option<(&'a [u8], &'a [u8])> {
    let (mut px, mut sz): (&[u8], &[u8]) = (b"", b"");
    s.object(|key, s| {
        match key {
            b"px" => px = s.text()?,
            b"sz" => sz = s.text()?,
            _ => s.skip()?,
        }
        Some(())
    })?;
    Some((px, sz))
}

/// Every level of a book: side (0 bids, 1 asks), price, size.
pub(super) fn sides<'a>(sides: &'a [u8], mut each: impl FnMut(usize, &'a [u8], &'a [u8]) -> Option<()>) -> Option<()> {
    let mut side = 0;
    Scan::new(sides).array(|s| {
        s.array(|s| {
            let (px, sz) = level(s)?;
            each(side, px, sz)
        })?;
        side += 1;
        Some(())
    })?;
    (side == 2).then_some(())
}

/// Best bid and ask prices; `None` inside: that side is empty.
pub(super) fn top(sides: &[u8]) -> Option<[Option<&[u8]>; 2]> {
    let (mut top, mut side) = ([None, None], 0);
    Scan::new(sides).array(|s| {
        let px = if s.peek()? == b'{' {
            Some(level(s)?.0)
        } else {
            s.skip()?;
            None
        };
        *top.get_mut(side)? = px;
        side += 1;
        Some(())
    })?;
    (side == 2).then_some(top)
}

/// A trade.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Trade<'a> {
    pub(super) coin: &'a [u8],
    pub(super) side: &'a [u8],
    pub(super) px: &'a [u8],
    pub(super) sz: &'a [u8],
    pub(super) time: u64,
    pub(super) tid: u64,
}

/// Data of `trades`.
pub(super) fn trades<'a>(data: &'a [u8], mut each: impl FnMut(Trade<'a>) -> Option<()>) -> Option<()> {
    Scan::new(data).array(|s| {
        let mut t = Trade::default();
        s.object(|key, s| {
            match key {
                b"coin" => t.coin = s.string()?,
                b"side" => t.side = s.text()?,
                b"px" => t.px = s.text()?,
                b"sz" => t.sz = s.text()?,
                b"time" => t.time = s.unsigned()?,
                b"tid" => t.tid = s.unsigned()?,
                _ => s.skip()?,
            }
            Some(())
        })?;
        each(t)
    })
}

/// What is known of a coin now. Absent numbers are empty.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Context<'a> {
    pub(super) funding: &'a [u8],
    pub(super) open_interest: &'a [u8],
    pub(super) oracle_px: &'a [u8],
    pub(super) mark_px: &'a [u8],
}

fn context<'a>(s: &mut Scan<'a>) -> Option<Context<'a>> {
    let mut c = Context::default();
    s.object(|key, s| {
        match key {
            b"funding" => c.funding = s.text()?,
            b"openInterest" => c.open_interest = s.text()?,
            b"oraclePx" => c.oracle_px = s.text()?,
            b"markPx" => c.mark_px = s.text()?,
            _ => s.skip()?,
        }
        Some(())
    })?;
    Some(c)
}

/// Data of `activeAssetCtx`.
pub(super) fn active<'a>(data: &'a [u8]) -> Option<(&'a [u8], Context<'a>)> {
    let (mut coin, mut ctx): (&[u8], _) = (b"", None);
    Scan::new(data).object(|key, s| {
        match key {
            b"coin" => coin = s.string()?,
            b"ctx" => ctx = Some(context(s)?),
            _ => s.skip()?,
        }
        Some(())
    })?;
    Some((coin, ctx?))
}

/// Answer of `metaAndAssetCtxs`: contexts belong to the universe by position, delisted coins included.
pub(super) fn contexts<'a>(body: &'a [u8], mut each: impl FnMut(&str, Context<'a>)) -> Option<()> {
    let (mut part, mut meta, mut rows): (_, &[u8], &[u8]) = (0, b"", b"");
    Scan::new(body).array(|s| {
        let raw = s.raw()?;
        *if part == 0 { &mut meta } else { &mut rows } = raw;
        part += 1;
        (part <= 2).then_some(())
    })?;
    let meta: Meta = serde_json::from_slice(meta).ok()?;
    let mut at = 0;
    Scan::new(rows).array(|s| {
        let ctx = context(s)?;
        let coin = meta.universe.get(at)?;
        at += 1;
        if coin.is_delisted != Some(true) {
            each(&coin.name, ctx);
        }
        Some(())
    })
}

/// A candle of the socket or of history. There is no closed flag.
#[derive(Deserialize, Clone, Copy, Debug)]
pub(super) struct Candle<'a> {
    pub(super) t: i64,
    #[serde(rename = "T")]
    pub(super) end: i64,
    pub(super) s: &'a str,
    pub(super) i: &'a str,
    pub(super) o: &'a str,
    pub(super) c: &'a str,
    pub(super) h: &'a str,
    pub(super) l: &'a str,
    pub(super) v: &'a str,
}

/// A row of `fundingHistory`.
#[derive(Deserialize, Clone, Copy, Debug)]
#[serde(rename_all = "camelCase")]
pub(super) struct Settled<'a> {
    pub(super) funding_rate: &'a str,
    pub(super) time: i64,
}

/// Data of `subscriptionResponse`; the venue fills in defaults, so only what names the subscription is read.
#[derive(Deserialize, Clone, Copy, Debug)]
pub(super) struct Ack<'a> {
    pub(super) method: &'a str,
    #[serde(borrow)]
    pub(super) subscription: Subscription<'a>,
}

/// A subscription.
#[derive(Deserialize, Clone, Copy, Debug)]
pub(super) struct Subscription<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'a str,
    #[serde(default)]
    pub(super) coin: &'a str,
}

/// The universe.
#[derive(Deserialize, Debug)]
pub(super) struct Meta {
    pub(super) universe: Vec<Coin>,
}

/// A coin of it.
#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase")]
pub(super) struct Coin {
    pub(super) name: String,
    pub(super) sz_decimals: u8,
    #[serde(default)]
    pub(super) is_delisted: Option<bool>,
}

/// Volume of a coin, for the list.
#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase")]
pub(super) struct Volume {
    #[serde(default)]
    pub(super) day_ntl_vlm: Option<String>,
}

/// Milliseconds to an instant.
pub(super) fn millis(ms: u64) -> Option<Ts> {
    i64::try_from(ms).ok()?.checked_mul(1_000_000).map(Ts)
}

/// Answer of `exchangeStatus`.
pub(super) fn time(body: &[u8]) -> Option<Ts> {
    #[derive(Deserialize)]
    struct Status {
        time: u64,
    }
    let status: Status = serde_json::from_slice(body).ok()?;
    millis(status.time).filter(|t| crate::number::PLAUSIBLE.contains(t))
}
