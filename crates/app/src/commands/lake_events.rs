//! `lake export --format hftbacktest-npy`: books and trades as hftbacktest's array of events.

use crate::cli::Export;
use crate::config::Settings;
use crate::failure::Failure;
use barograph_domain::Span;
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
    let mut how = std::fs::OpenOptions::new();
    let file = how.read(true).write(true).create(true).truncate(true).open(&temporary).map_err(|e| {
        Failure::usage(format!("cannot write {}: {e}; choose another place with --out", path.display()))
    })?;
    let (range, base) = ((args.from, args.until), args.base_latency.unwrap_or(Span::ZERO));
    let (report, troubles) =
        match export_events(&market, (&args.sources, args.contract_size), &settings.data, (range, base), file) {
            Ok((report, troubles)) if report.events > 0 => (report, troubles),
            other => {
                std::fs::remove_file(&temporary)?;
                let (_, troubles) = other.map_err(|e| match Failure::from(e) {
                    Failure::Broken(why) => Failure::Broken(format!("{}: {why}", path.display())),
                    e => e,
                })?;
                show(&troubles)?;
                return Err(Failure::No(format!("there is nothing of {market} in that time")));
            }
        };
    super::lake::put_in_place(&temporary, &path)?;
    show(&troubles)?;
    let mut out = std::io::stdout().lock();
    if json {
        let span = report.span.map(|(from, until)| [from, until]);
        let line = serde_json::json!({ "file": path, "events": report.events, "trades": report.trades, "book_losses": report.book_losses, "moved": report.moved, "local_shift_s": report.shift.as_secs_f64(), "span": span, "troubles": troubles });
        writeln!(out, "{line}")?;
    } else {
        writeln!(
            out,
            "{}: {} events, {} of them trades; the book was lost {} times, {} stamps of the venue stepped back and were moved up to the one before",
            path.display(),
            report.events,
            report.trades,
            report.book_losses,
            report.moved
        )?;
        if report.shift > Span::ZERO {
            writeln!(
                out,
                "the recorder's clock was behind the venue's: {} s were added to every local stamp, so that the smallest latency is {} s; \
                 the differences of latencies are what they were",
                report.shift.as_secs_f64(),
                base.as_secs_f64()
            )?;
        }
    }
    Ok(())
}

/// What could not be used, before the result.
fn show(troubles: &[String]) -> std::io::Result<()> {
    troubles.iter().try_for_each(|trouble| writeln!(std::io::stderr(), "barograph: {trouble}"))
}
