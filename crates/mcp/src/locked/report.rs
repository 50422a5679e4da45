//! What a session was worth: its forecasts against what came, beside those of the rules and of the references on the same cases.

use super::FORECAST;
use super::record::RecordLine;
use crate::mask::Mask;
use barograph_api::agent_sessions::{
    AgainstReading, SessionBasis, SessionCase, SessionForecast, SessionReport, SessionScore,
};
use barograph_api::{ForecastView, Inside};
use barograph_domain::forecast::ForecastEvent;
use barograph_domain::{InstrumentName, Span, Ts};
use barograph_verify::ledger::GRID;
use barograph_verify::scores::bootstrap::{BlockSeries, DRAWS, SEED};
use barograph_verify::scores::brier::{brier, brier_of_reference, log_score, skill};
use barograph_verify::scores::case::{Case, base_rate, n_eff};
use std::collections::BTreeMap;

/// A forecast with its outcome, and what others stated of the same case.
struct Judged {
    case: Case,
    others: [Option<f64>; 3],
}

/// Whom a forecast is held against.
const OTHERS: [&str; 3] = ["climatology", "persistence", "rules"];

/// Judges the forecasts of a record by the ledger of what is stored, whose digest is this.
///
/// # Errors
/// In plain words: the ledger cannot be read.
pub async fn session_report(
    inside: &Inside,
    (basis, lines, head): (SessionBasis, Vec<RecordLine>, String),
    data_digest: &str,
) -> Result<SessionReport, String> {
    let mut on_record = forecasts_of(&basis, &lines)?;
    on_record.sort_by_key(|one| one.issued_ts);
    let forecasts = u64::try_from(on_record.len()).unwrap_or(u64::MAX);
    let (mut by_event, mut resolved): (BTreeMap<String, Vec<Judged>>, u64) = (BTreeMap::new(), 0);
    for some in on_record.chunks(AT_ONCE) {
        for (event, one) in inside.session_cases(some.to_vec()).await?.into_iter().filter_map(judged) {
            resolved += 1;
            by_event.entry(event).or_default().push(one);
        }
    }
    let count = |lines: usize| u64::try_from(lines).unwrap_or(u64::MAX);
    Ok(SessionReport {
        is_same_data: basis.data_digest == data_digest,
        basis,
        transcript: head,
        calls: count(lines.len()),
        errors: count(lines.iter().filter(|line| line.is_error).count()),
        tokens: lines.iter().map(|line| line.tokens).sum(),
        forecasts,
        unresolved: forecasts - resolved,
        scores: by_event.into_iter().map(|(event, cases)| score(event, cases)).collect(),
    })
}

/// The forecasts of a record in real terms, in the order in which they were made.
///
/// # Errors
/// In plain words: a line that this program has not written.
pub fn forecasts_of(basis: &SessionBasis, lines: &[RecordLine]) -> Result<Vec<SessionForecast>, String> {
    let mask = basis.mask.as_ref().map(Mask::new);
    let made = lines.iter().filter(|line| line.tool == FORECAST && !line.is_error);
    made.map(|line| forecast_of(line, mask.as_ref())).collect()
}

fn forecast_of(line: &RecordLine, mask: Option<&Mask>) -> Result<SessionForecast, String> {
    let text = |name: &str| line.moved[name].as_str().unwrap_or_default();
    let (mut issued_ts, mut market) = (Ts::parse(text("window_begins"))?, text("market"));
    if let Some(mask) = mask {
        issued_ts = mask.real(issued_ts);
        market = mask.market(market).map_err(|fault| fault.sentence)?;
    }
    let not_known = |what: &str| format!("line {}: {what} is not known", line.n + 1);
    let probability = line.moved["probability"].as_f64().filter(|p| (0.0..=1.0).contains(p));
    Ok(SessionForecast {
        stated_ts: line.clock,
        event: ForecastEvent::from_id(text("on_record")).ok_or_else(|| not_known("its event"))?,
        market: InstrumentName::parse(market).map_err(|_e| not_known("its market"))?,
        issued_ts,
        probability: probability.ok_or_else(|| not_known("its probability, from 0 to 1,"))?,
        line: line.hash.clone(),
    })
}

/// Forecasts that are held against the ledger at once, so that others get a turn between.
const AT_ONCE: usize = 500;

/// A forecast beside its case, where that has an outcome.
fn judged(one: SessionCase) -> Option<(String, Judged)> {
    let (SessionCase { view, case }, others) =
        (one, |case: &ForecastView| [case.climatology, case.persistence, case.probability]);
    let (case, outcome, p) = (case?, view.outcome?, view.probability?);
    let judged = Judged { case: Case { issued: view.issued_ts, p, happened: outcome == 1 }, others: others(&case) };
    Some((view.event_id.to_owned(), judged))
}

fn score(event: String, mut judged: Vec<Judged>) -> SessionScore {
    judged.sort_by_key(|one| one.case.issued);
    let horizon = ForecastEvent::from_id(&event).and_then(ForecastEvent::horizon).unwrap_or(GRID);
    let cases: Vec<Case> = judged.iter().map(|one| one.case).collect();
    let against = OTHERS.iter().enumerate().map(|(at, name)| ((*name).to_owned(), held_against(&judged, at, horizon)));
    SessionScore {
        n: cases.len(),
        n_eff: n_eff(cases.iter().map(|case| case.issued), horizon),
        base_rate: base_rate(&cases),
        brier: brier(&cases),
        log_score: log_score(&cases).map(|score| score.nats),
        against: against.collect(),
        event,
    }
}

fn held_against(judged: &[Judged], at: usize, horizon: Span) -> AgainstReading {
    let both = || judged.iter().filter_map(|one| Some((one.case, one.others[at]?)));
    let (cases, reference): (Vec<Case>, Vec<f64>) = both().unzip();
    let reference_brier = brier_of_reference(&cases, &reference);
    let sums = both().map(|(case, q)| (case.issued, [case.loss(), case.loss_of(q)]));
    let band = BlockSeries::new(sums, GRID, horizon).resamples(DRAWS, SEED);
    let band = band.and_then(|resamples| resamples.band(|sums| skill(sums[0], sums[1])));
    AgainstReading {
        n: cases.len(),
        skill: brier(&cases).zip(reference_brier).and_then(|(own, other)| skill(own, other)),
        band: band.map(|band| [band.low, band.high]),
        reference_brier,
    }
}
