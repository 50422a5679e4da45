//! What a session was worth: its forecasts against what came, beside those of the rules and of the references on the same cases.

use super::FORECAST;
use super::record::RecordLine;
use crate::ask;
use crate::mask::Mask;
use barograph_api::Inside;
use barograph_api::agent_sessions::{AgainstReading, SessionBasis, SessionReport, SessionScore};
use barograph_domain::forecast::ForecastEvent;
use barograph_domain::{Span, Ts};
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
    let mut by_event: BTreeMap<String, Vec<Judged>> = BTreeMap::new();
    let (mut forecasts, mut unresolved) = (0, 0);
    let mask = basis.mask.as_ref().map(Mask::new);
    for line in lines.iter().filter(|line| line.tool == FORECAST && !line.is_error) {
        forecasts += 1;
        match judged(inside, &line.moved, mask.as_ref()).await? {
            Some((event, judged)) => by_event.entry(event).or_default().push(judged),
            None => unresolved += 1,
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
        unresolved,
        scores: by_event.into_iter().map(|(event, cases)| score(event, cases)).collect(),
    })
}

/// The case that a forecast was of, as the ledger resolved it.
async fn judged(inside: &Inside, moved: &Value, mask: Option<&Mask>) -> Result<Option<(String, Judged)>, String> {
    let text = |name: &str| moved[name].as_str().unwrap_or_default();
    let (mut issued, mut market) = (Ts::parse(text("window_begins"))?, text("market"));
    if let Some(mask) = mask {
        issued = mask.real(issued);
        market = mask.market(market).map_err(|fault| fault.sentence)?;
    }
    let (from, to) = (issued.iso(), (issued + GRID).iso());
    let parameters = [
        ("market", Some(market)),
        ("event", Some(text("on_record"))),
        ("from", Some(from.as_str())),
        ("to", Some(to.as_str())),
    ];
    let found =
        ask::json(inside, &ask::address("/api/v1/forecasts", &parameters), None).await.map_err(|f| f.sentence)?;
    let case = &found["items"][0];
    let (Some(outcome), Some(p)) = (case["outcome"].as_u64(), moved["probability"].as_f64()) else { return Ok(None) };
    let others = OTHERS.map(|(_, field)| case[field].as_f64());
    Ok(Some((text("on_record").to_owned(), Judged { case: Case { issued, p, happened: outcome == 1 }, others })))
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
