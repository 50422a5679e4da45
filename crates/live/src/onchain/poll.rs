//! The thread that asks: it looks once a second which series is due, and reports what changes. It holds nothing that anybody waits for.

use super::ask::{OnchainAsker, OnchainMeans, SeriesOutcome, SeriesResult};
use super::state::{OnchainLedger, SeriesState};
use crate::Error;
use crate::tags::MKT;
use barograph_domain::text::number_of;
use barograph_venues::onchain::OnchainSeries;
use barograph_venues::onchain::schedule::due_at;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::io::Write as _;
use std::sync::Arc;

/// How soon the thread sees that it is to end.
const STEP: Duration = Duration::from_millis(50);
/// Between two looks, in steps: a second.
const STEPS: u32 = 20;

/// Starts the thread, which ends soon after `stop` is set; a request under way is not waited for.
///
/// # Errors
/// What is set cannot be meant, or the system has no thread left.
pub(crate) fn start(means: OnchainMeans, stop: Arc<AtomicBool>) -> Result<(), Error> {
    let all = means.settings.all().map_err(|why| Error::refused(format!("onchain: {why}")))?;
    let asker = OnchainAsker::new(means).map_err(Error::failed)?;
    let run = move || go_on(&asker, &all, &stop);
    std::thread::Builder::new().name("onchain".to_owned()).spawn(run).map_err(Error::failed)?;
    Ok(())
}

fn go_on(asker: &OnchainAsker, all: &[OnchainSeries], stop: &AtomicBool) {
    let mut trouble = None;
    while !stop.load(Ordering::Relaxed) {
        let round = round(asker, all, stop).err();
        if let Some(why) = round.as_ref().filter(|_| trouble != round) {
            report(&format!("on-chain sources are not fetched: {why}; retrying, all else goes on"));
        }
        trouble = round;
        for _ in 0..STEPS {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            std::thread::sleep(STEP);
        }
    }
}

/// Asks every series that is due.
fn round(asker: &OnchainAsker, all: &[OnchainSeries], stop: &AtomicBool) -> Result<(), String> {
    let known = OnchainLedger::read(asker.data()).unwrap_or_default();
    let is_due = |series: &OnchainSeries, state: Option<&SeriesState>| {
        let now = asker.now();
        due_at(&series.rules(), &state.map(SeriesState::past).unwrap_or_default(), now) <= now
    };
    if !all.iter().any(|series| is_due(series, known.get(series.name().as_str()))) {
        return Ok(());
    }
    let mut ledger = OnchainLedger::open(asker.data()).map_err(|e| e.to_string())?;
    for series in all {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        // Somebody may have asked while the ledger was waited for.
        let state = ledger.series.entry(series.name().to_string()).or_default();
        if !is_due(series, Some(state)) {
            continue;
        }
        let before = state.note.clone();
        let outcome = asker.ask(series, state)?;
        let after = state.note.clone();
        ledger.save().map_err(|e| e.to_string())?;
        for line in lines(&outcome, before.as_deref(), after.as_deref()) {
            report(&line);
        }
    }
    Ok(())
}

/// What an operator should read of it: what is new about it, never the same again.
fn lines(outcome: &SeriesOutcome, before: Option<&str>, after: Option<&str>) -> Vec<String> {
    let name = &outcome.name;
    let mut lines = Vec::new();
    if before != after {
        lines.push(match (&outcome.result, after) {
            (SeriesResult::Rests(until, _), Some(why)) => format!("{name} rests until {until}: {why}"),
            (_, Some(why)) => format!("{name}: {why}; its last values stay"),
            (_, None) => format!("{name} answers again"),
        });
    }
    if let SeriesResult::Read { news, left_out } = &outcome.result {
        if let Some(first) = news.notable.first() {
            let (of, more) = (first.event_ts, news.notable.len() - 1);
            let more = if more > 0 { format!(" and {}", number_of(more as u64, "more value")) } else { String::new() };
            lines.push(format!("{name} was revised: {of}{more}, {} instead of {}", first.now, first.before));
        }
        if let Some(first) = left_out.first() {
            lines.push(format!("{name}: {} left out: {first}", number_of(left_out.len() as u64, "row")));
        }
    }
    lines
}

fn report(line: &str) {
    // Standard error may be closed; there is nobody left to report to.
    drop(writeln!(std::io::stderr(), "barograph: {MKT} {line}"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Ts;
    use barograph_venues::onchain::vintage::{NotableRevision, OnchainNews};

    #[test]
    fn an_operator_reads_what_is_new_and_nothing_twice() {
        let outcome = |result| SeriesOutcome { name: "fng.value".to_owned(), result, note: None };
        let failed = outcome(SeriesResult::Failed("away".to_owned()));
        assert_eq!(lines(&failed, None, Some("away")), ["fng.value: away; its last values stay"]);
        assert_eq!(lines(&failed, Some("away"), Some("away")), [] as [String; 0]);
        assert_eq!(lines(&outcome(SeriesResult::Unchanged), Some("away"), None), ["fng.value answers again"]);
        let rests = outcome(SeriesResult::Rests(Ts::from_secs(60), "402".to_owned()));
        assert_eq!(lines(&rests, None, Some("402")), ["fng.value rests until 1970-01-01T00:01:00Z: 402"]);
        let notable = vec![NotableRevision { event_ts: Ts::from_secs(60), before: 1.0, now: 2.0 }; 2];
        let news = OnchainNews { notable, ..OnchainNews::default() };
        let read = outcome(SeriesResult::Read { news, left_out: vec!["row 2: no".to_owned()] });
        assert_eq!(
            lines(&read, None, None),
            [
                "fng.value was revised: 1970-01-01T00:01:00Z and 1 more value, 2 instead of 1",
                "fng.value: 1 row left out: row 2: no"
            ]
        );
    }
}
