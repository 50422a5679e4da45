//! Stored price levels as they were known to be, with their strength at the moment asked about.
//!
//! A stored level says what had happened to it; its age goes on by itself, so strength is worked out when somebody asks, by
//! the engine's own arithmetic. The moment is never later than the newest minute of the run: recorded history does not
//! age while it lies on the disk.

use barograph_api::{LevelFilter, LevelView, Page, SeriesWindow};
use barograph_domain::time::LATENESS;
use barograph_domain::{Level, LevelChange, Side, Span, Ts};
use barograph_engine::liquidity::{TimeframeOptions, strength_at};
use barograph_store::{LevelQuery, Range, Reader, Result, RunInfo, RunKey};

/// The longest timeframe levels are built on.
const LONGEST: Span = Span::hours(1);

/// How long a level lives on a timeframe.
fn lifetime(timeframe: Span) -> Span {
    timeframe.times(TimeframeOptions::default().lifetime())
}

/// A run and how far it reaches.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunReach {
    /// Its market and logic version.
    pub key: RunKey,
    /// Its newest minute; `None` where it has none.
    pub newest: Option<Ts>,
}

impl RunReach {
    /// As it is stored.
    #[must_use]
    pub fn of(info: &RunInfo) -> Self {
        Self { key: info.spec.key.clone(), newest: info.minutes.map(|(_, last)| last) }
    }
}

/// The moment an answer is of.
fn moment(run: &RunReach, as_of: Option<Ts>, now: Ts) -> Ts {
    let newest = run.newest.map_or(now, |last| last + LATENESS);
    as_of.unwrap_or(now).min(newest)
}

/// A page of levels by confirmation.
pub fn page(
    reader: &dyn Reader,
    run: &RunReach,
    filter: &LevelFilter,
    window: &SeriesWindow,
    now: Ts,
) -> Result<Page<LevelView>> {
    let at = moment(run, window.as_of, now);
    let alive = |change: &LevelChange| at - change.level.confirmed_at <= lifetime(change.level.timeframe);
    // Nothing that lives is older than the longest life.
    let oldest = if filter.active { Ts(at.0.saturating_sub(lifetime(LONGEST).0)) } else { Ts::MIN };
    let mut start = window.start.unwrap_or(Ts::MIN).max(oldest);
    let mut skip = window.skip;
    let mut items = Vec::new();
    loop {
        let wanted = window.limit + 1 - items.len();
        let query = LevelQuery {
            range: Range { start, end: window.end.unwrap_or(Ts::MAX) },
            timeframe: filter.timeframe,
            kinds: filter.kinds.clone(),
            standing: filter.active,
            limit: wanted + skip,
            as_of: window.as_of,
        };
        let found = reader.levels(&run.key, &query)?;
        let kept = found.items.iter().filter(|c| !filter.active || alive(c));
        let views: Vec<LevelView> = kept.map(|c| view(c, at)).collect();
        let passed = skip.min(views.len());
        skip -= passed;
        items.extend(views.into_iter().skip(passed));
        match found.next {
            Some(next) if items.len() <= window.limit => start = next,
            _ => break,
        }
    }
    let more = items.len() > window.limit;
    items.truncate(window.limit);
    Ok(Page { items, more })
}

/// Every level that stands at a moment, as advice and positions ask about them.
pub fn standing(reader: &dyn Reader, run: &RunReach, as_of: Option<Ts>, now: Ts) -> Result<Vec<Level>> {
    let at = moment(run, as_of, now);
    let query = LevelQuery {
        range: Range { start: Ts(at.0.saturating_sub(lifetime(LONGEST).0)), end: Ts::MAX },
        standing: true,
        as_of,
        ..LevelQuery::default()
    };
    let found = reader.levels(&run.key, &query)?;
    let alive = found.items.iter().filter(|c| at - c.level.confirmed_at <= lifetime(c.level.timeframe));
    Ok(alive.map(|c| Level { strength: strength_at(c, at), ..c.level.clone() }).collect())
}

/// A level as it goes over the wire.
fn view(change: &LevelChange, at: Ts) -> LevelView {
    let level = &change.level;
    LevelView {
        level_id: level.level_id.clone(),
        revision: level.revision,
        level_type: level.kind,
        timeframe: level.timeframe.compact(),
        side: level.side.map(|side| match side {
            Side::Long => "LONG",
            Side::Short => "SHORT",
        }),
        price: level.price,
        top: level.top,
        bottom: level.bottom,
        formed_at: level.formed_at,
        confirmed_at: level.confirmed_at,
        known_at: level.known_at,
        touched_at: level.touched_at,
        mitigated_at: level.mitigated_at,
        swept_at: level.swept_at,
        touches: level.touches,
        members: change.members,
        volume: level.volume,
        strength: strength_at(change, at),
        kind: level.source,
        last_event: change.event,
    }
}
