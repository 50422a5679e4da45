//! `demo`: the built-in history in, the weather report out, then the API over it.

use crate::builtin::BuiltIn;
use crate::cli::Demo;
use crate::commands::{replay, serve};
use crate::config::Settings;
use crate::failure::Failure;
use crate::ingest;
use crate::input;
use crate::render::Lens;
use crate::report::Reports;
use crate::setup::Setup;
use crate::term::Paint;
use barograph_lake::ImportOptions;
use std::io::{BufWriter, Write as _};

pub(crate) fn run(args: &Demo, settings: &Settings, json: bool) -> Result<(), Failure> {
    if json {
        return Err(Failure::usage("demo prints for people; for JSON lines write: barograph replay --json PATH"));
    }
    let runtime = serve::runtime()?;
    let listener = if args.no_serve { None } else { Some(serve::bind(&runtime, settings.listen()?)?) };
    let mut writer = ingest::open(&settings.data())?;
    let history = BuiltIn::unpack()?;
    let plan = input::plan(&history.paths(), &ImportOptions::new(crate::clock::now()))?;
    let setup = Setup::new(settings, plan.policy_text().to_owned())?;
    {
        let mut err = std::io::stderr().lock();
        writeln!(
            err,
            "built-in history: 3 perpetuals, hourly candles, 8 h funding, hourly open interest of another venue as a proxy"
        )?;
    }
    input::print_declarations(&plan)?;
    let lenses: Vec<Lens> = plan.instruments().iter().map(|i| Lens::new(&setup, i, plan.streams())).collect();
    let mut weather = Reports::new(lenses, None, None);
    replay::through(&plan, &setup, &mut weather, "replaying")?;
    let ingested = ingest::ingest(&settings.data(), &mut writer, &plan, "built-in history", &setup)?;
    // Serving needs no lock.
    drop(writer);
    ingest::print(&ingested)?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    writeln!(out)?;
    weather.print(&mut out, Paint::detect())?;
    out.flush()?;
    drop(out);
    let Some(listener) = listener else { return Ok(()) };
    let moments = weather.moments();
    serve::until_stopped(&runtime, settings, listener, true, |addr| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "\nopen  http://{addr}/            overview")?;
        writeln!(out, "      http://{addr}/docs        every route, to try")?;
        for (name, ts) in &moments {
            writeln!(out, "      http://{addr}/api/v1/markets/{name}/context?as_of={ts}")?;
        }
        writeln!(out, "stop with Ctrl-C; the data stay in {}", settings.data().display())?;
        out.flush()?;
        Ok(())
    })
}
