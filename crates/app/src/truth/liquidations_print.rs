//! The study of thinned liquidations as a table and as one line of JSON. The table is that of docs/order-flow.md.

use super::liquidations::ReadTapes;
use crate::failure::Failure;
use crate::term::number_of;
use barograph_study::liquidations::{BandCheck, TapeLiquidation, ThinnedMinute, ThinningStudy, WithheldBand};
use std::io::Write as _;

/// What a feed is shown to have published in the examples, USD in one minute.
const EXAMPLE_USD: f64 = 1_200_000.0;

pub(super) fn print(read: &ReadTapes, studies: &[ThinningStudy], json: bool) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let all = || read.tapes.values().flatten();
    let (events, usd) = (all().count(), all().map(|t| t.usd).sum::<f64>());
    if json {
        let value = serde_json::json!({
            "tapes": read.tapes.len(), "liquidations": events, "usd": usd, "rejected": read.rejected, "studies": studies,
            "absent": absent(studies),
        });
        writeln!(out, "{value}")?;
        return Ok(());
    }
    if let Some(first) = &read.first_rejected {
        writeln!(
            out,
            "left out: {} without a time or a notional above 0, first {first}",
            number_of(read.rejected, "row")
        )?;
    }
    let stamps = || all().map(|t: &TapeLiquidation| t.at);
    if let Some((from, to)) = stamps().min().zip(stamps().max()) {
        let (tapes, events) = (number_of(read.tapes.len(), "tape"), number_of(events, "liquidation"));
        writeln!(out, "{tapes}, {events} of {:.1} M USD, {from} to {to}\n", usd / 1e6)?;
    }
    writeln!(
        out,
        "| one a second | published in the minute | minutes | fitted on | checked on | published of all, checked days | nothing left out | band holds | below, above | verdict |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|---|---|---|")?;
    for study in studies {
        writeln!(out, "{}", line(study))?;
    }
    writeln!(out, "\nNot in the model, because this command does not read them: {}.", absent(studies).join(", "))?;
    Ok(())
}

/// Columns that no study had.
fn absent(studies: &[ThinningStudy]) -> Vec<&'static str> {
    let fits = || studies.iter().filter_map(|s| s.check.as_ref()).map(|c| &c.fit);
    let all = [
        ("fall of open interest", fits().any(|f| f.with_open_interest)),
        ("one-sided aggressor volume", fits().any(|f| f.with_one_sided)),
    ];
    all.into_iter().filter(|(_, there)| !there).map(|(name, _)| name).collect()
}

fn line(study: &ThinningStudy) -> String {
    let verdict = match (&study.withheld, &study.check) {
        (Some(WithheldBand::TooLittle { fitted, checked }), _) => format!("withheld: {fitted} and {checked} minutes"),
        (Some(WithheldBand::Unsolved), _) | (None, None) => "withheld: no line fits".to_owned(),
        (Some(WithheldBand::DoesNotHold { .. }), _) => "withheld: it does not hold".to_owned(),
        (None, Some(check)) => example(check, study.count_min),
    };
    let least = format!("| {} | {} or more | {} ", study.thinning, study.count_min, study.minutes);
    let Some(c) = &study.check else { return format!("{least}| — | — | — | — | — | — | {verdict} |") };
    let days = |[minutes, days]: [usize; 2]| format!("{minutes} of {}", number_of(days, "day"));
    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    let [below, above] = c.outside.map(percent);
    format!(
        "{least}| {} | {} | {} | {} | {} | {below}, {above} | {verdict} |",
        days(c.fitted),
        days(c.checked),
        percent(c.published),
        percent(c.whole),
        percent(c.held)
    )
}

/// What may be shown of a minute, where the band holds.
fn example(check: &BandCheck, count: u32) -> String {
    let minute = ThinnedMinute {
        from: check.checked_from,
        count,
        usd: EXAMPLE_USD,
        full_usd: EXAMPLE_USD,
        open_interest_drop: None,
        one_sided: None,
    };
    let million = |usd: f64| usd / 1e6;
    match check.fit.band(&minute) {
        Some([low, high]) => {
            let (low, high) = (million(low * EXAMPLE_USD), million(high * EXAMPLE_USD));
            format!("holds: reported {:.1} M, probably {low:.1}–{high:.1} M", million(EXAMPLE_USD))
        }
        None => "holds".to_owned(),
    }
}
