//! What a session was worth: its forecasts against what came, beside those of the rules and of the references on the same cases.

use super::FORECAST;
use super::record::RecordLine;
use crate::ask;
use crate::mask::Mask;
use barograph_api::Inside;
use barograph_api::agent_sessions::{AgainstReading, SessionBasis, SessionForecast, SessionReport, SessionScore};
use barograph_domain::forecast::ForecastEvent;
use barograph_domain::{InstrumentName, Span, Ts};
use barograph_verify::ledger::GRID;
use barograph_verify::scores::bootstrap::{BlockSeries, DRAWS, SEED};
use barograph_verify::scores::brier::{brier, brier_of_reference, log_score, skill};
use barograph_verify::scores::case::{Case, base_rate, n_eff};
use serde_json::Value;
use std::collections::BTreeMap;

/// A forecast with its outcome, and what others stated of the same case.
struct Judged {
    case: Case,
    others: [Option<f64>; 3],
}

/// Event and market of a forecast.
type CaseName = (String, String);

/// Where its window begins, and its probability.
type Stated = (Ts, Option<f64>);

/// Whom a forecast is held against, and the field of the ledger's forecast that has it.
const OTHERS: [(&str, &str); 3] =
    [("climatology", "climatology"), ("persistence", "persistence"), ("rules", "probability")];

/// Judges the forecasts of a record by the ledger of what is stored, whose digest is this.
///
/// # Errors
/// In plain words: the ledger cannot be read.
pub async fn session_report(
    inside: &Inside,
    (basis, lines, head): (SessionBasis, Vec<RecordLine>, String),
    data_digest: &str,
) -> Result<SessionReport, String> {
    let on_record = forecasts_of(&basis, &lines)?;
    let mut stated: BTreeMap<CaseName, Vec<Stated>> = BTreeMap::new();
    for one in &on_record {
        let case = (one.event.id().to_owned(), one.market.to_string());
        stated.entry(case).or_default().push((one.issued_ts, Some(one.probability)));
    }
    let forecasts = u64::try_from(on_record.len()).unwrap_or(u64::MAX);
    let (mut by_event, mut resolved): (BTreeMap<String, Vec<Judged>>, u64) = (BTreeMap::new(), 0);
    for ((event, market), all) in stated {
        let cases = cases(inside, &market, &event, &all).await?;
        let judged: Vec<Judged> =
            all.iter().filter_map(|(issued, p)| judged(cases.get(issued)?, *issued, *p)).collect();
        resolved += u64::try_from(judged.len()).unwrap_or(u64::MAX);
        if !judged.is_empty() {
            by_event.entry(event).or_default().extend(judged);
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
    Ok(SessionForecast {
        event: ForecastEvent::from_id(text("on_record")).ok_or_else(|| not_known("its event"))?,
        market: InstrumentName::parse(market).map_err(|_e| not_known("its market"))?,
        issued_ts,
        probability: line.moved["probability"].as_f64().ok_or_else(|| not_known("its probability"))?,
        line: line.hash.clone(),
    })
}

/// Cases of the ledger on a page of its route, and how many single ones cost as much to ask for.
const PAGE: i64 = 1_000;
const SINGLES: i64 = 250;

/// What the ledger has of these forecasts, by the moment of issue: page by page where they lie close together, else one by one.
async fn cases(inside: &Inside, market: &str, event: &str, stated: &[Stated]) -> Result<BTreeMap<Ts, Value>, String> {
    let moments = || stated.iter().map(|(issued, _)| *issued);
    let (Some(first), Some(last)) = (moments().min(), moments().max()) else { return Ok(BTreeMap::new()) };
    let pages = (last - first).0 / GRID.0 / PAGE + 1;
    let is_close = usize::try_from(SINGLES * pages).is_ok_and(|singles| singles < stated.len());
    let stretches: Vec<(Ts, Ts)> =
        if is_close { vec![(first, last + GRID)] } else { moments().map(|issued| (issued, issued + GRID)).collect() };
    let mut found = BTreeMap::new();
    for (from, to) in stretches {
        let (from, to, limit, mut cursor) = (from.iso(), to.iso(), PAGE.to_string(), None::<String>);
        loop {
            let parameters = [
                ("market", Some(market)),
                ("event", Some(event)),
                ("from", Some(from.as_str())),
                ("to", Some(to.as_str())),
                ("limit", Some(limit.as_str())),
                ("cursor", cursor.as_deref()),
            ];
            let page = ask::json(inside, &ask::address("/api/v1/forecasts", &parameters), None).await;
            let page = page.map_err(|fault| fault.sentence)?;
            for case in page["items"].as_array().into_iter().flatten() {
                let issued = Ts::parse(case["issued_ts"].as_str().unwrap_or_default())?;
                found.entry(issued).or_insert_with(|| case.clone());
            }
            cursor = page["next_cursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
        }
    }
    Ok(found)
}

/// A forecast beside its case, where that has an outcome.
fn judged(case: &Value, issued: Ts, p: Option<f64>) -> Option<Judged> {
    let outcome = case["outcome"].as_u64()?;
    let others = OTHERS.map(|(_, field)| case[field].as_f64());
    Some(Judged { case: Case { issued, p: p?, happened: outcome == 1 }, others })
}

fn score(event: String, mut judged: Vec<Judged>) -> SessionScore {
    judged.sort_by_key(|one| one.case.issued);
    let horizon = ForecastEvent::from_id(&event).and_then(ForecastEvent::horizon).unwrap_or(GRID);
    let cases: Vec<Case> = judged.iter().map(|one| one.case).collect();
    let against =
        OTHERS.iter().enumerate().map(|(at, (name, _))| ((*name).to_owned(), held_against(&judged, at, horizon)));
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
