//! `collect`: venues (in `live`), or a source of files into the data folder, once or again and again (R1.54, R1.55).

mod live;

use crate::cli::Collect;
use crate::commands::target;
use crate::config::Settings;
use crate::failure::Failure;
use crate::ingest;
use crate::input;
use crate::setup::configured;
use crate::term::number_of;
use barograph_domain::Span;
use barograph_lake::ImportPlan;
use barograph_live::setup::Setup;
use barograph_store::Writer;
use std::io::Write as _;

pub(crate) fn run(args: &Collect, settings: &Settings, json: bool) -> Result<(), Failure> {
    if args.sources.is_empty() {
        if let Some(flag) = args.about_files() {
            return Err(Failure::usage(format!("{flag} is about files; name them with --source PATH")));
        }
        return live::run(args, settings, json);
    }
    // What is wrong from the beginning is refused before a data folder is made.
    let mut first = Some(planned(args, settings)?);
    // Held until the end, so that a second collector is refused at once.
    let mut writer = ingest::open_target(&target(settings))?;
    let mut began = false;
    loop {
        let result = match first.take() {
            Some(first) => once(args, settings, &first, writer.as_mut()),
            None => planned(args, settings).and_then(|again| once(args, settings, &again, writer.as_mut())),
        };
        if !args.continuous {
            return result;
        }
        match result {
            Ok(()) => began = true,
            // A source may be half-written, empty or gone for a moment; the next read finds it again. What is wrong from the
            // beginning is wrong.
            Err(Failure::Broken(text)) => writeln!(std::io::stderr(), "barograph: [MKT] {text}")?,
            Err(Failure::Usage(text)) if began => writeln!(std::io::stderr(), "barograph: [MKT] {text}")?,
            Err(other) => return Err(other),
        }
        std::thread::sleep(interval(args.interval));
    }
}

/// A span as the standard library waits it.
pub(crate) fn interval(span: Span) -> std::time::Duration {
    std::time::Duration::from_nanos(u64::try_from(span.0).unwrap_or(1_000_000_000))
}

fn planned(args: &Collect, settings: &Settings) -> Result<(ImportPlan, Setup), Failure> {
    let options = input::options(&args.declared, None, settings)?;
    let plan = input::plan(&args.sources, &options)?;
    let setup = configured(settings, plan.policy_text().to_owned())?;
    Ok((plan, setup))
}

fn once(
    args: &Collect,
    settings: &Settings,
    (plan, setup): &(ImportPlan, Setup),
    writer: &mut dyn Writer,
) -> Result<(), Failure> {
    let names: Vec<String> = args.sources.iter().map(|p| p.display().to_string()).collect();
    let target = target(settings);
    let ingested = ingest::into_target(&target, writer, plan, &names.join(" "), setup, None)?;
    ingest::print(&ingested)?;
    let pruned = writer.prune(&settings.retention())?;
    if pruned.rows + pruned.points + pruned.books > 0 {
        writeln!(
            std::io::stderr(),
            "retention removed {}, {} and {}",
            number_of(pruned.rows, "minute row"),
            number_of(pruned.points, "live point"),
            number_of(pruned.books, "order book")
        )?;
    }
    input::check_failed(&ingested.report)
}
