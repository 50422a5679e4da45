//! `lake export --format hftbacktest-npy`: books and trades as hftbacktest's array of events.

use crate::cli::Export;
use crate::config::Settings;
use crate::failure::Failure;
use barograph_live::replay::journal_folder;
use barograph_research::dataset::export_events;
use std::io::Write as _;

pub(crate) fn run(args: &Export, settings: &Settings, json: bool) -> Result<(), Failure> {
    let market = super::lab::name(&args.symbol, settings)?;
    if args.sources.is_empty() && !journal_folder(&settings.data).is_dir() {
        return Err(Failure::usage(format!(
            "{} holds no journal; give recordings or the folder of a lake with --source",
            settings.data.display()
        )));
    }
    let path = args.out.clone().unwrap_or_else(|| format!("{}.npy", market.symbol.to_lowercase()).into());
    let temporary = path.with_extension("part");
    let file = std::fs::File::create(&temporary).map_err(|e| {
        Failure::usage(format!("cannot write {}: {e}; choose another place with --out", path.display()))
    })?;
    let (report, troubles) = match export_events(&market, &args.sources, &settings.data, (args.from, args.until), file)
    {
        Ok((report, troubles)) if report.events > 0 => (report, troubles),
        other => {
            std::fs::remove_file(&temporary)?;
            show(&other?.1)?;
            return Err(Failure::No(format!("there is nothing of {market} in that time")));
        }
    };
    super::lake::put_in_place(&temporary, &path)?;
    show(&troubles)?;
    let mut out = std::io::stdout().lock();
    if json {
        let span = report.span.map(|(from, until)| [from, until]);
        let line = serde_json::json!({ "file": path, "events": report.events, "trades": report.trades, "book_losses": report.book_losses, "moved": report.moved, "span": span, "troubles": troubles });
        writeln!(out, "{line}")?;
    } else {
        writeln!(
            out,
            "{}: {} events, {} of them trades; the book was lost {} times, {} stamps of the venue were moved so that both clocks rise",
            path.display(),
            report.events,
            report.trades,
            report.book_losses,
            report.moved
        )?;
    }
    Ok(())
}

/// What could not be used, before the result.
fn show(troubles: &[String]) -> std::io::Result<()> {
    troubles.iter().try_for_each(|trouble| writeln!(std::io::stderr(), "barograph: {trouble}"))
}
