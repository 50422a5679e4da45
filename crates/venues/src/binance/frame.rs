//! One frame of the stream sockets, read in one pass with [`Scan`]; the fields keep the venue's letters.
//!
//! All markets share the letters: `e` event, `E` event time, `T` transaction time (mark price: next settlement), `s` symbol,
//! `p` price, `q` quantity, `u`/`U`/`pu` update ids, `b`/`a` bids and asks (book tickers: best bid and ask; `aggTrade`: id),
//! `st` market. Book levels go into [`Levels`], which the session keeps, so that reading allocates nothing.

use crate::session::{Decimal, Pairs, Scan};

/// One level of a book message.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Change {
    pub(super) price: Decimal,
    pub(super) qty: f64,
}

/// Levels of the book message that was read last.
#[derive(Clone, Debug, Default)]
pub(super) struct Levels {
    pub(super) bids: Vec<Change>,
    pub(super) asks: Vec<Change>,
    /// Why the message must be refused, where a level is forbidden.
    pub(super) wrong: Option<&'static str>,
    /// How prices and quantities looked of late.
    pub(super) pairs: Pairs,
}

impl Levels {
    fn clear(&mut self) {
        self.wrong = None;
        self.bids.clear();
        self.asks.clear();
    }
}

/// A value that is text, a number or something else, depending on the event.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) enum Token<'a> {
    #[default]
    Absent,
    Text(&'a [u8]),
    Int(u64),
    Bool(bool),
    /// Nested or of no use, as it stands.
    Raw(&'a [u8]),
}

impl<'a> Token<'a> {
    fn read(scan: &mut Scan<'a>) -> Option<Self> {
        Some(match scan.peek()? {
            b'"' => {
                let before = *scan;
                match scan.string() {
                    Some(text) => Self::Text(text),
                    // An escape in a field that somebody may read: not plain.
                    None => {
                        *scan = before;
                        return None;
                    }
                }
            }
            b'0'..=b'9' => {
                let before = *scan;
                match scan.unsigned() {
                    Some(n) => Self::Int(n),
                    None => {
                        *scan = before;
                        Self::Raw(scan.raw()?)
                    }
                }
            }
            b't' | b'f' => Self::Bool(scan.boolean()?),
            _ => Self::Raw(scan.raw()?),
        })
    }

    pub(super) fn text(self) -> Option<&'a [u8]> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn int(self) -> Option<u64> {
        match self {
            Self::Int(n) => Some(n),
            _ => None,
        }
    }

    pub(super) fn is_present(self) -> bool {
        self != Self::Absent
    }
}

/// The fields of one event.
#[derive(Clone, Copy, Debug, Default)]
#[expect(non_snake_case, reason = "the venue's letters, where case tells fields apart")]
pub(super) struct Fields<'a> {
    pub(super) e: &'a [u8],
    pub(super) E: Option<u64>,
    pub(super) T: Option<u64>,
    pub(super) s: &'a [u8],
    pub(super) p: Token<'a>,
    pub(super) q: Token<'a>,
    pub(super) i: Token<'a>,
    pub(super) r: Token<'a>,
    pub(super) m: Option<bool>,
    pub(super) X: Token<'a>,
    pub(super) a: Token<'a>,
    pub(super) b: Token<'a>,
    pub(super) t: Token<'a>,
    pub(super) u: Option<u64>,
    pub(super) U: Option<u64>,
    pub(super) pu: Option<u64>,
    pub(super) st: Option<u64>,
    /// The candle of `kline`, the order of `forceOrder`: nested objects.
    pub(super) k: &'a [u8],
    pub(super) o: &'a [u8],
    /// `b` and `a` were lists of levels.
    pub(super) has_levels: bool,
    /// Partial books and REST snapshots.
    pub(super) last_update_id: Option<u64>,
    /// Control answers.
    pub(super) result: Token<'a>,
    pub(super) id: Token<'a>,
    pub(super) error: Token<'a>,
    pub(super) code: Token<'a>,
    pub(super) msg: Token<'a>,
}

/// What a frame holds.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "lives on the stack for one message; a box would be an allocation")]
pub(super) enum Data<'a> {
    One(Fields<'a>),
    /// The text of an array of events, known to be well formed.
    Many(&'a [u8]),
}

/// A whole frame.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    pub(super) data: Data<'a>,
}

const NOT_ABOVE_ZERO: &str = "price_not_above_zero";

fn levels(
    scan: &mut Scan<'_>,
    into: &mut Vec<Change>,
    wrong: &mut Option<&'static str>,
    pairs: &mut Pairs,
) -> Option<()> {
    scan.array(|scan| {
        let usual = scan.pairs_like(pairs, |price, qty| {
            if price.mantissa == 0 {
                *wrong = Some(NOT_ABOVE_ZERO);
            }
            into.push(Change { price, qty });
        });
        if usual {
            return Some(());
        }
        let (price, qty) = scan.pair(pairs)?;
        // No venue has negative quantities or prices at or below zero: well-formed, but the message is refused for it.
        if price.mantissa <= 0 {
            *wrong = Some(NOT_ABOVE_ZERO);
        } else if qty < 0.0 {
            *wrong = Some("negative_quantity");
        }
        into.push(Change { price, qty });
        Some(())
    })
}

impl<'a> Fields<'a> {
    #[inline]
    fn take(&mut self, key: &'a [u8], scan: &mut Scan<'a>, into: &mut Levels) -> Option<()> {
        match key {
            b"e" => self.e = scan.string()?,
            b"E" => self.E = Some(scan.unsigned()?),
            b"T" => self.T = Some(scan.unsigned()?),
            b"s" => self.s = scan.string()?,
            b"p" => self.p = Token::read(scan)?,
            b"q" => self.q = Token::read(scan)?,
            b"i" => self.i = Token::read(scan)?,
            b"r" => self.r = Token::read(scan)?,
            b"m" => self.m = Some(scan.boolean()?),
            b"X" => self.X = Token::read(scan)?,
            b"u" => self.u = Some(scan.unsigned()?),
            b"U" => self.U = Some(scan.unsigned()?),
            // The first frames of a stream have -1 here on some hosts; such a chain has no beginning.
            b"pu" if scan.peek()? == b'-' => scan.skip()?,
            b"pu" => self.pu = Some(scan.unsigned()?),
            b"st" => self.st = Some(scan.unsigned()?),
            b"b" | b"bids" if scan.peek()? == b'[' => {
                self.has_levels = true;
                levels(scan, &mut into.bids, &mut into.wrong, &mut into.pairs)?;
            }
            b"a" | b"asks" if scan.peek()? == b'[' => {
                self.has_levels = true;
                levels(scan, &mut into.asks, &mut into.wrong, &mut into.pairs)?;
            }
            b"b" => self.b = Token::read(scan)?,
            b"a" => self.a = Token::read(scan)?,
            b"t" => self.t = Token::read(scan)?,
            b"k" => self.k = scan.raw()?,
            b"o" => self.o = scan.raw()?,
            b"lastUpdateId" => self.last_update_id = Some(scan.unsigned()?),
            b"result" => self.result = Token::read(scan)?,
            b"id" => self.id = Token::read(scan)?,
            b"error" => self.error = Token::read(scan)?,
            b"code" => self.code = Token::Raw(scan.raw()?),
            b"msg" => self.msg = Token::Raw(scan.raw()?),
            _ => scan.skip()?,
        }
        Some(())
    }
}

/// Reads a frame; `None` when it is not plain JSON of the venue's shapes.
pub(super) fn read<'a>(bytes: &'a [u8], into: &mut Levels) -> Option<Frame<'a>> {
    into.clear();
    let mut scan = Scan::new(bytes);
    if scan.peek()? == b'[' {
        let all = scan.raw()?;
        scan.end()?;
        return Some(Frame { data: Data::Many(all) });
    }
    let mut fields = Fields::default();
    let mut many = None;
    scan.object(|key, scan| {
        match key {
            // What a payload is stands in the payload.
            b"stream" => scan.skip()?,
            b"data" if scan.peek()? == b'[' => many = Some(scan.raw()?),
            b"data" => scan.object(|key, scan| fields.take(key, scan, into))?,
            key => fields.take(key, scan, into)?,
        }
        Some(())
    })?;
    scan.end()?;
    let data = many.map_or(Data::One(fields), Data::Many);
    Some(Frame { data })
}

/// Calls `each` with every event of an array; `None` when one is no object.
pub(super) fn each<'a>(all: &'a [u8], into: &mut Levels, mut each: impl FnMut(&Fields<'a>)) -> Option<()> {
    let mut scan = Scan::new(all);
    scan.array(|scan| {
        let mut fields = Fields::default();
        scan.object(|key, scan| fields.take(key, scan, into))?;
        each(&fields);
        Some(())
    })
}

/// The text of a nested object, field by field.
pub(super) fn nested<'a>(object: &'a [u8], mut field: impl FnMut(&'a [u8], Token<'a>)) -> Option<()> {
    Scan::new(object).object(|key, scan| {
        field(key, Token::read(scan)?);
        Some(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_depth_frame_is_read_with_its_levels() {
        let text = br#"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1791383688548,"T":1791383688545,"s":"BTCUSDT","ps":"BTCUSDT","U":11757187938558,"u":11757187950786,"pu":11757187938557,"b":[["83135.50","2.699"],["1000.00","0.000"]],"a":[["83135.60","7.557"]],"st":1}}"#;
        let mut levels = Levels::default();
        let frame = read(text, &mut levels).unwrap();
        let Data::One(f) = frame.data else { panic!("one event") };
        assert_eq!(
            (f.e, f.s, f.U, f.pu),
            (&b"depthUpdate"[..], &b"BTCUSDT"[..], Some(11_757_187_938_558), Some(11_757_187_938_557))
        );
        assert_eq!((levels.bids.len(), levels.asks.len()), (2, 1));
        assert_eq!(levels.bids[0], Change { price: Decimal { mantissa: 831_355, scale: 1 }, qty: 2.699 });
        for cut in 0..text.len() {
            assert!(read(&text[..cut], &mut levels).is_none(), "cut at {cut}");
        }
    }

    #[test]
    fn forbidden_levels_are_refused() {
        let mut levels = Levels::default();
        for bad in [r#"["-1","2"]"#, r#"["0.0","2"]"#, r#"["1","-2"]"#] {
            let text = format!(r#"{{"e":"depthUpdate","b":[{bad}],"a":[]}}"#);
            assert!(read(text.as_bytes(), &mut levels).is_some() && levels.wrong.is_some(), "{bad}");
        }
        for bad in [r#"["NaN","2"]"#, r#"["1"]"#, r#"[1,2]"#] {
            assert!(
                read(format!(r#"{{"e":"depthUpdate","b":[{bad}],"a":[]}}"#).as_bytes(), &mut levels).is_none(),
                "{bad}"
            );
        }
    }
}
