//! The past hours most like a minute, and what came of them, from stored rows (regimes §10, similar episodes).

use crate::render::{Lens, align};
use barograph_domain::similar::{EpisodeView, MovesView, SimilarView};
use barograph_domain::{Label as _, MinuteRow, RiskRegime, Span, Ts};
use barograph_engine::advice::digits;
use barograph_engine::similar::{distance, margins, nearest, spread};
use barograph_engine::{CATALOGUE, Feature};
use barograph_store::{Range, Reader, Result, RowQuery, RunKey};

/// How far back hours are compared.
const WITHIN: Span = Span::days(180);
const HOUR: Span = Span::hours(1);
const DAY: Span = Span::days(1);
/// Hours whose moves are shown; they lie four hours apart.
const MOMENTS: usize = 50;
const APART: Span = Span::hours(4);
/// Fewer hours than this are no history: ten days.
const HOURS_MIN: usize = 240;
/// Episodes that are shown.
const EPISODES: usize = 3;
/// Horizons of the moves.
const HORIZONS: [(&str, Span); 2] = [("4h", Span::hours(4)), ("24h", Span::days(1))];

/// The hours most like a row. Only what was known at `as_of` is looked at, and only hours whose next day had ended by the row.
///
/// # Errors
/// When the store cannot be read.
pub fn similar(reader: &dyn Reader, lens: &Lens, row: &MinuteRow, as_of: Option<Ts>) -> Result<SimilarView> {
    let key = RunKey { instrument: lens.instrument.name.clone(), logic_version: lens.logic_version.clone() };
    // Nothing lies near a minute without a reading, so months of hours are not read for it.
    let is_read = row.risk.raw_label != RiskRegime::UNKNOWN;
    let hours = if is_read { hours(reader, lens, &key, row.ts, as_of)? } else { Vec::new() };
    let past: Vec<&Hour> = hours.iter().filter(|h| h.ts + DAY <= row.ts).collect();
    let now = margins(&lens.book, &row.cells);
    let far: Vec<(Ts, Option<f64>)> = past.iter().map(|h| (h.ts, distance(&now, &h.margins))).collect();
    let compared = far.iter().filter(|(_, d)| d.is_some()).count();
    let enough = compared >= HOURS_MIN;
    let at = |ts: Ts| hours.binary_search_by_key(&ts, |h| h.ts).ok().map(|n| &hours[n]);
    let moved = |h: &Hour, span: Span| Some(at(h.ts + span)?.price? / h.price? - 1.0);
    let chosen = if enough { nearest(&far, APART, MOMENTS) } else { Vec::new() };
    let moves: Vec<MovesView> = HORIZONS
        .into_iter()
        .filter(|_| enough)
        .map(|(horizon, span)| MovesView {
            horizon,
            similar: spread(chosen.iter().filter_map(|n| moved(past[*n], span))),
            all: spread(past.iter().filter_map(|h| moved(h, span))),
        })
        .collect();
    let episodes = if enough { nearest(&far, DAY, EPISODES) } else { Vec::new() };
    let episodes = episodes
        .into_iter()
        .map(|n| EpisodeView {
            ts: past[n].ts,
            distance: far[n].1.unwrap_or_default(),
            raw_label: past[n].label,
            price: past[n].price,
            move_4h: moved(past[n], HORIZONS[0].1),
            move_24h: moved(past[n], HORIZONS[1].1),
            realized_vol_1h_after: at(past[n].ts + HOUR).and_then(|h| h.vol),
            raw_label_4h_after: at(past[n].ts + APART).map(|h| h.label),
        })
        .collect();
    Ok(SimilarView {
        instrument: key.instrument.to_string(),
        logic_version: key.logic_version,
        ts: row.ts,
        raw_label: row.risk.raw_label,
        hours: compared,
        span: past.first().zip(past.last()).map(|(a, b)| [a.ts, b.ts]),
        sentence: sentence(&moves, chosen.len(), compared, row.risk.raw_label),
        moments: chosen.len(),
        moves,
        episodes,
    })
}

/// One full hour of the past.
struct Hour {
    ts: Ts,
    price: Option<f64>,
    vol: Option<f64>,
    label: RiskRegime,
    margins: Vec<Option<f64>>,
}

fn hours(reader: &dyn Reader, lens: &Lens, key: &RunKey, until: Ts, as_of: Option<Ts>) -> Result<Vec<Hour>> {
    let clauses = lens.book.rules().iter().flat_map(|r| &r.groups).flat_map(|g| &g.clauses);
    let mut features: Vec<&str> = clauses.map(|c| c.feature.id()).chain([Feature::RealizedVol1h.id()]).collect();
    features.sort_unstable();
    features.dedup();
    let query = RowQuery {
        range: Range { start: until - WITHIN, end: Ts(until.0 + 1) },
        every: Some(HOUR),
        after: None,
        limit: usize::MAX,
        as_of,
    };
    let mut rows = reader.glances(key, &query, &features)?;
    align(&mut rows.rows, &rows.columns);
    debug_assert!(rows.rows.iter().all(|r| r.cells.len() == CATALOGUE.len()), "rows have every column");
    let hour = |r: &MinuteRow| Hour {
        ts: r.ts,
        price: r.price.filter(|p| *p > 0.0),
        vol: r.cells[Feature::RealizedVol1h.index()].ready(),
        label: r.risk.raw_label,
        margins: if r.risk.raw_label == RiskRegime::UNKNOWN { Vec::new() } else { margins(&lens.book, &r.cells) },
    };
    Ok(rows.rows.iter().map(hour).collect())
}

fn sentence(moves: &[MovesView], chosen: usize, compared: usize, label: RiskRegime) -> String {
    if label == RiskRegime::UNKNOWN {
        return "Without a reading nothing is compared.".to_owned();
    }
    let Some([low, high, all_low, all_high]) =
        moves.first().and_then(|m| Some([m.similar.p10?, m.similar.p90?, m.all.p10?, m.all.p90?]))
    else {
        return format!("Too little history to compare with: {compared} hours, {HOURS_MIN} are needed.");
    };
    let signed = |x: f64| format!("{:+.1} %", x * 100.0).replace('-', "−");
    format!(
        "After the {chosen} most similar of {} hours price moved between {} and {} in 4 h, in eight of ten cases; after all hours \
         between {} and {}.",
        digits::grouped(&compared.to_string()),
        signed(low),
        signed(high),
        signed(all_low),
        signed(all_high)
    )
}
