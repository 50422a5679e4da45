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
    let mut trouble = Ok(());
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
        let outcome = match asker.ask(series, state) {
            Ok(outcome) => outcome,
            Err(why) => {
                // The source has answered: it is not asked again at once for what the store did not take.
                state.failed(&format!("its values could not be stored: {why}"));
                ledger.save().map_err(|e| e.to_string())?;
                trouble = Err(why);
                continue;
            }
        };
        let after = state.note.clone();
        ledger.share(series, all, &outcome.result);
        ledger.save().map_err(|e| e.to_string())?;
        for line in lines(&outcome, before.as_deref(), after.as_deref()) {
            report(&line);
        }
    }
    trouble
}

/// What an operator should read of it: what is new about it, never the same again.
fn lines(outcome: &SeriesOutcome, before: Option<&str>, after: Option<&str>) -> Vec<String> {
    let name = &outcome.name;
    let mut lines = Vec::new();
    if before != after {
        lines.push(match (&outcome.result, after) {
            (SeriesResult::Rests(rest), Some(why)) => format!("{name} rests until {}: {why}", rest.until),
            (_, Some(why)) => format!("{name}: {why}; its last values stay"),
            (_, None) => format!("{name} answers again"),
        });
    }
    if let SeriesResult::Read { news, left_out } = &outcome.result {
        if let Some(first) = news.notable.first() {
            let (of, more) = (first.event_ts, news.notable.len() - 1);
            let more = if more > 0 { format!(" and {}", number_of(more as u64, "more value")) } else { String::new() };
            let now = first.now.map_or_else(|| "no value".to_owned(), |now| now.to_string());
            lines.push(format!("{name} was revised: {of}{more}, {now} instead of {}", first.before));
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
    use super::super::{OnchainSettings, ScoredTexts};
    use super::*;
    use barograph_domain::{Span, Ts};
    use barograph_store::StoreTarget;
    use barograph_venues::onchain::reply::{RestOf, SourceRest};
    use barograph_venues::onchain::vintage::{NotableRevision, OnchainNews};

    #[test]
    fn an_operator_reads_what_is_new_and_nothing_twice() {
        let outcome = |result| SeriesOutcome { name: "fng.value".to_owned(), result, note: None };
        let failed = outcome(SeriesResult::Failed("away".to_owned()));
        assert_eq!(lines(&failed, None, Some("away")), ["fng.value: away; its last values stay"]);
        assert_eq!(lines(&failed, Some("away"), Some("away")), [] as [String; 0]);
        assert_eq!(lines(&outcome(SeriesResult::Unchanged), Some("away"), None), ["fng.value answers again"]);
        let rest = SourceRest { until: Ts::from_secs(60), why: "402".to_owned(), of: RestOf::Source };
        let rests = outcome(SeriesResult::Rests(rest));
        assert_eq!(lines(&rests, None, Some("402")), ["fng.value rests until 1970-01-01T00:01:00Z: 402"]);
        let notable = vec![NotableRevision { event_ts: Ts::from_secs(60), before: 1.0, now: Some(2.0) }; 2];
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

    struct Noon;

    impl barograph_net::Clock for Noon {
        fn now(&self) -> Ts {
            Ts::from_civil(2026, 11, 20, 12, 0, 0)
        }

        fn rate(&self) -> f64 {
            1.0
        }
    }

    #[test]
    fn a_source_is_not_asked_every_second_for_what_the_store_does_not_take() {
        let folder = tempfile::tempdir().unwrap();
        let scores = folder.path().join("scores.csv");
        std::fs::write(&scores, "time,symbol,score,source\n2026-11-20T10:00:00Z,*,1,news\n").unwrap();
        // No database can be in a folder that is a file.
        let target = StoreTarget::Folder(scores.clone());
        let settings = OnchainSettings { scored: Some(ScoredTexts::File(scores)), ..OnchainSettings::default() };
        let all = settings.all().unwrap();
        let data = folder.path().join("data");
        let asker = OnchainAsker::new(OnchainMeans {
            settings,
            data: data.clone(),
            target,
            keep: Span::days(1),
            default_venue: "binance-usdm".to_owned(),
            clock: Arc::new(Noon),
        })
        .unwrap();
        let stop = AtomicBool::new(false);
        assert!(round(&asker, &all, &stop).is_err());
        let state = OnchainLedger::read(&data).unwrap().remove("sentiment.score").unwrap();
        assert_eq!((state.failures, state.tried), (1, Some(asker.now())));
        assert!(state.note.unwrap().starts_with("its values could not be stored"));
        assert_eq!(round(&asker, &all, &stop), Ok(()), "it waits for its pause");
    }
}
