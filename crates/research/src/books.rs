//! Recorded books of the lake at chosen moments.

use crate::ResearchError;
use barograph_domain::{InstrumentName, Ts};
use barograph_lake::layers::{LakeBatch, LakeNumbers, LakeQuery, LakeReader, Layer, hours};
use barograph_study::money::fills::TakerBook;
use std::collections::BTreeSet;
use std::path::Path;

const LEVELS: usize = 20;

/// The book as it stood at each of these moments by the venue's clock, with the moment it has stood since; `None` from the beginning of a
/// gap on. Books that nobody asks for are passed over, and of the others levels behind those that hold `depth` quote.
pub(crate) fn books_at(
    lake: &Path,
    market: &InstrumentName,
    wanted: &BTreeSet<Ts>,
    depth: f64,
) -> Result<Vec<(Ts, Option<TakerBook>)>, ResearchError> {
    let query = LakeQuery {
        layer: Some(Layer::Bronze),
        table: Some("orderbook".to_owned()),
        exchange: Some(market.venue.as_str().to_owned()),
        symbol: Some(market.symbol.clone()),
        ..LakeQuery::default()
    };
    let hours = hours(lake, &query)?;
    if hours.is_empty() {
        return Err(ResearchError::Refused(format!("{} holds no books of {market}", lake.display())));
    }
    let mut found = Vec::new();
    let mut wanted = wanted.iter().copied().peekable();
    // The newest row before the next moment that is asked for: it is taken when a later row shows that it was the last.
    let mut newest: Option<(Ts, Option<TakerBook>)> = None;
    let mut before: Option<Ts> = None;
    for batch in LakeReader::new(hours, None) {
        let batch = batch?;
        let sides = Sides::of(&batch)?;
        let times = batch.moments("ts").ok_or_else(|| missing("ts"))?;
        for (row, at) in times.iter().map(|t| Ts(*t)).enumerate() {
            let mut asked = false;
            while wanted.next_if(|w| *w < at).is_some() {
                asked = true;
            }
            if asked {
                found.extend(newest.take());
            }
            let Some(next) = wanted.peek() else { return Ok(found) };
            if batch.flag("gap", row) == Some(true) {
                found.push((before.map_or(at, |t| Ts(t.0 + 1)), None));
            }
            before = Some(at);
            // Only what may be the last before the next moment is looked at: rows far from it are passed over.
            let last = times.get(row + 1).is_none_or(|t| Ts(*t) > *next);
            newest = Some((at, if last { sides.book(row).map(|b| b.cut_to(depth)) } else { None })).filter(|_| last);
        }
    }
    found.extend(newest);
    Ok(found)
}

fn missing(name: &str) -> ResearchError {
    ResearchError::Failed(format!("books have no column '{name}'"))
}

struct Sides<'a> {
    bids: Vec<(LakeNumbers<'a>, LakeNumbers<'a>)>,
    asks: Vec<(LakeNumbers<'a>, LakeNumbers<'a>)>,
}

impl<'a> Sides<'a> {
    fn of(batch: &'a LakeBatch) -> Result<Self, ResearchError> {
        let column = |name: String| batch.numbers(&name).ok_or_else(|| missing(&name));
        let side = |side: &str| {
            (0..LEVELS)
                .map(|k| Ok((column(format!("{side}_price_L{k}"))?, column(format!("{side}_size_L{k}"))?)))
                .collect::<Result<Vec<_>, ResearchError>>()
        };
        Ok(Self { bids: side("bid")?, asks: side("ask")? })
    }

    /// `None` where the book cannot be traded on.
    fn book(&self, row: usize) -> Option<TakerBook> {
        let side = |levels: &[(LakeNumbers<'_>, LakeNumbers<'_>)]| {
            levels.iter().map_while(|(p, q)| p.get(row).zip(q.get(row))).collect::<Vec<_>>()
        };
        TakerBook::new(side(&self.bids), side(&self.asks)).ok()
    }
}
