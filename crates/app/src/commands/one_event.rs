//! `events --id`: one alert, what the market did after it began, and the earlier episodes most like it.

use super::events::in_full;
use crate::clock;
use crate::config::Settings;
use crate::failure::Failure;
use crate::term::{Paint, minus, minute, percent};
use barograph_api::EventView;
use barograph_api::outcome::{AlertOutcomeSpan, SimilarAlert};
use barograph_domain::Ts;
use barograph_query::episode::{FoundAlert, NoEpisode, PREFIX_MIN};
use barograph_query::events::Kept;
use barograph_query::followed::{horizon, liquidated, why};
use barograph_query::render::Books;
use barograph_store::Reader;
use std::io::Write;

pub(super) fn run(
    reader: &dyn Reader,
    id: &str,
    as_of: Option<Ts>,
    settings: &Settings,
    json: bool,
) -> Result<(), Failure> {
    let refused = |why| match why {
        NoEpisode::Unknown => {
            let when = as_of.map_or_else(String::new, |t| format!(" as of {t}"));
            Failure::usage(format!("--id: there is no alert '{id}'{when}; barograph events --long shows their ids"))
        }
        NoEpisode::Short => Failure::usage(format!(
            "--id: '{id}' is too short; write at least {PREFIX_MIN} characters of the id, which barograph events --long shows"
        )),
        NoEpisode::Several => Failure::usage(format!("--id: several alerts begin with '{id}'; write more of it")),
        NoEpisode::Store(e) => e.into(),
    };
    let episode = FoundAlert::find(reader, id.trim(), as_of).map_err(refused)?;
    let kept = Kept::of(&mut Books::default(), &episode.run);
    let now = as_of.unwrap_or_else(|| clock::now_in(&settings.data));
    let event = episode.view(reader, &kept, as_of, now).map_err(refused)?;
    let mut out = std::io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, &event).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        let paint = Paint::detect();
        in_full(&mut out, std::slice::from_ref(&event), paint)?;
        followed(&mut out, &event, paint)?;
    }
    Ok(out.flush()?)
}

fn followed(out: &mut impl Write, event: &EventView, paint: Paint) -> std::io::Result<()> {
    if let Some(outcome) = &event.evidence.outcome {
        writeln!(out, "\n{}", paint.strong(&format!("what followed {}", minute(outcome.from))))?;
        writeln!(out, "{}", paint.faint("  after    farthest price   in ATR   1 h volatility"))?;
        for span in &outcome.spans {
            writeln!(out, "  {:<8} {}", horizon(span.horizon), measured(span))?;
        }
        writeln!(out, "  liquidated in the hour after it: {}", liquidated(outcome))?;
    }
    let similar = event.evidence.similar.as_deref().unwrap_or_default();
    if similar.is_empty() {
        return writeln!(out, "\nno earlier one of this kind in this market");
    }
    writeln!(out, "\n{}", paint.strong("earlier ones of this kind here, the most alike first"))?;
    writeln!(out, "{}", paint.faint("  began              score   5 min       1 h       4 h   alert"))?;
    for one in similar {
        writeln!(out, "{}", line(one))?;
    }
    Ok(())
}

fn measured(span: &AlertOutcomeSpan) -> String {
    let Some(moved) = span.max_move else { return why(span.reason).to_owned() };
    let atr = span.max_move_atr.map_or_else(|| "–".to_owned(), |a| format!("{a:.1}"));
    let vol = span.vol_change.map_or_else(|| "–".to_owned(), |v| minus(&format!("{:+.0} points", v * 100.0)));
    format!("{:>14}   {atr:>6}   {vol}", percent(moved))
}

fn line(one: &SimilarAlert) -> String {
    let moves: Vec<String> =
        one.outcome.spans.iter().map(|s| s.max_move.map_or_else(|| "–".to_owned(), percent)).collect();
    let [a, b, c] = [0, 1, 2].map(|n| moves.get(n).map_or("–", String::as_str));
    let id = one.alert_id.get(..8).unwrap_or(&one.alert_id);
    // Labels that changed have no score.
    let score = if one.anomaly_score > 0.0 { format!("{:.0}", one.anomaly_score) } else { "–".to_owned() };
    format!("  {:<18} {score:>5} {a:>7} {b:>9} {c:>9}   {id}", minute(one.opened_at))
}
