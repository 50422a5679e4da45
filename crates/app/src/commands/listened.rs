//! Whether a market is listened to or a recording, as far as its folder says: a recording has an end and is not late.

use crate::clock;
use crate::config::Settings;
use crate::failure::Failure;
use crate::setup::book_id;
use barograph_domain::{GapReason, InstrumentName, Ts};
use barograph_live::replay::is_listening;
use barograph_query::recorded::recorded_until;
use barograph_query::service::{BookId, configured_run};
use barograph_store::{Gap, Range, Reader, RunInfo};
use std::collections::BTreeMap;

/// Where the recording of a market ends; `None` while it is listened to, or was within the last day.
pub(crate) fn ends(
    reader: &dyn Reader,
    settings: &Settings,
    market: &InstrumentName,
    newest: Ts,
) -> Result<Option<Ts>, Failure> {
    let now = clock::now_in(&settings.data);
    let Some(until) = recorded_until(newest, now, || false) else { return Ok(None) };
    if !is_listening(&settings.data) {
        return Ok(Some(until));
    }
    // The process may listen to others only. What it listens to in vain it says is interrupted.
    let changes = last_changes(reader, &reader.runs(None)?, market, &book_id(settings)?)?;
    Ok(Some(until).filter(|_| !changes.values().any(is_awaited)))
}

/// Lost at this moment for a reason that only a process has which listens.
fn is_awaited(gap: &Gap) -> bool {
    let of_files = [GapReason::MissingRows, GapReason::NotRunning, GapReason::NotOffered];
    gap.status.is_open() && !of_files.contains(&gap.status.reason)
}

/// The last change of continuity of each stream of a market, by the stream's name.
pub(super) fn last_changes(
    reader: &dyn Reader,
    runs: &[RunInfo],
    market: &InstrumentName,
    book: &BookId,
) -> Result<BTreeMap<String, Gap>, Failure> {
    const PAGE: usize = 10_000;
    let mut last = BTreeMap::new();
    let Some(run) = configured_run(runs, market, book) else { return Ok(last) };
    let mut start = Ts::MIN;
    loop {
        let page = reader.gaps(&run.spec.key, Range { start, end: Ts::MAX }, PAGE, None)?;
        for gap in page.items {
            last.insert(gap.stream.label(), gap);
        }
        match page.next {
            Some(next) => start = next,
            None => return Ok(last),
        }
    }
}
