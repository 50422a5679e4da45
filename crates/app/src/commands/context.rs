//! `context`: one market's snapshot, now or as of a moment.

use crate::cli::ContextArgs;
use crate::clock;
use crate::commands::{analyze, collect::interval, listened, own_run, reader, resolve};
use crate::config::Settings;
use crate::failure::Failure;
use crate::term::Paint;
use crate::views;
use barograph_domain::{InstrumentName, MinuteRow, Snapshot, Ts};
use barograph_engine::calendar::BLACKOUT_REASON;
use barograph_live::calendar::of_entries;
use barograph_query::positions::WatchedStops;
use barograph_query::render::{Lens, align};
use barograph_query::service::{lens_of, reach};
use barograph_store::Reader;
use std::io::Write as _;

pub(crate) fn run(args: &ContextArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let (name, alias) = match (&args.name, &args.symbol) {
        (Some(name), _) => (name, false),
        (None, Some(symbol)) => (symbol, true),
        (None, None) => return Err(Failure::usage("say which market, as in: barograph context binance-usdm:BTCUSDT")),
    };
    loop {
        let reader = reader(settings)?;
        let known: Vec<InstrumentName> = reader.instruments(None)?.into_iter().map(|i| i.instrument.name).collect();
        let market = resolve(&known, settings, name, alias)?;
        let found = read(reader.as_ref(), settings, &market, args.as_of)?;
        let mut out = std::io::stdout().lock();
        if json {
            serde_json::to_writer(&mut out, &found.snapshot).map_err(std::io::Error::from)?;
            writeln!(out)?;
        } else {
            // People read the last reading of a recording; programs get what holds now, with the date.
            let last = found.last.filter(|_| !args.now);
            let ended = last.as_ref().map(|s| s.timestamp);
            let news = news(reader.as_ref(), settings, args.as_of.or(ended))?;
            let shown = last.as_ref().unwrap_or(&found.snapshot);
            let end = ended.map(|until| views::Ended {
                until,
                live: views::live_command(&market, settings.default_venue.as_str()),
            });
            write!(out, "{}", views::context(shown, end, news.as_deref(), Paint::detect()))?;
            if args.as_of.is_none() && ended.is_none() && clock::is_simulated(&settings.data) {
                writeln!(out, " simulated clock: times and ages follow the demo, not this machine")?;
            }
        }
        out.flush()?;
        if !args.continuous {
            return Ok(());
        }
        drop(out);
        std::thread::sleep(interval(args.interval));
    }
}

/// The event that new entries wait for, while one of high impact is near; as known at the moment asked about.
fn news(reader: &dyn Reader, settings: &Settings, as_of: Option<Ts>) -> Result<Option<String>, Failure> {
    let Some(calendar) = of_entries(reader.calendar(as_of)?) else { return Ok(None) };
    let near = calendar.blackout(as_of.unwrap_or_else(|| clock::now_in(&settings.data)));
    Ok(near.map(|b| format!("{} in {:.0} min ({BLACKOUT_REASON})", b.event.name, b.minutes)))
}

/// The newest rows of a market under the configured book, and what they are read with; at least one row.
pub(crate) fn newest(
    reader: &dyn Reader,
    settings: &Settings,
    market: &InstrumentName,
    as_of: Option<Ts>,
) -> Result<(Lens, Vec<MinuteRow>), Failure> {
    let runs = reader.runs(None)?;
    let info = own_run(&runs, market, settings, |book| {
        Failure::usage(format!(
            "{market} has points but no context for book '{book}' yet; it comes at the end of a recorded minute, as with: barograph collect, without --no-context; or with files: barograph collect --source PATH"
        ))
    })?;
    let lens = lens_of(reader, info)?;
    let mut rows = reader.latest(&info.spec.key, 2, as_of)?;
    align(&mut rows.rows, &rows.columns);
    let lens = lens.over(&rows);
    match (rows.rows.is_empty(), as_of) {
        (true, Some(t)) => Err(Failure::usage(match reach([info].into_iter()) {
            Some((first, _)) => format!("{market} had no snapshot at {t}; its first was known at {first}"),
            None => format!("{market} had no snapshot at {t}"),
        })),
        (true, None) => Err(Failure::usage(format!(
            "{market} has no snapshot: no minute of it has been computed, or its rows were taken back"
        ))),
        (false, _) => Ok((lens, rows.rows)),
    }
}

/// What a market reads, and the last reading of one that is a recording.
struct Found {
    snapshot: Snapshot,
    /// As it was published, where the recording has an end.
    last: Option<Snapshot>,
}

fn read(
    reader: &dyn Reader,
    settings: &Settings,
    market: &InstrumentName,
    as_of: Option<Ts>,
) -> Result<Found, Failure> {
    let (lens, rows) = newest(reader, settings, market, as_of)?;
    let Some((row, before)) = rows.split_last() else {
        return Err(Failure::usage(format!("{market} has no snapshot")));
    };
    let previous = before.last();
    let lens = lens.holding(WatchedStops::read(reader, as_of)?.held(market, row));
    let chosen = !settings.contest.is_empty();
    let in_use = chosen.then(|| super::contest::in_use(reader, settings)).transpose()?;
    let calls = barograph_query::calls::before(reader, &lens, row, in_use.as_ref())?;
    let lens = lens.stating(calls);
    if let Some(moment) = as_of {
        return Ok(Found { snapshot: lens.as_of(row, previous, moment), last: None });
    }
    let health = Some(analyze::checked(reader, settings, market, None)?.health);
    let ends = listened::ends(reader, settings, market, row.ts)?;
    let now = clock::now_in(&settings.data);
    let snapshot = Snapshot { health, ..lens.at_present_or_end(row, previous, now, || ends.is_none()) };
    Ok(Found { snapshot, last: ends.map(|_| lens.snapshot(row, previous)) })
}
