//! `levels`: price levels of one market, those that stand or all, now or as of a moment.

use crate::cli::Levels;
use crate::clock;
use crate::commands::{own_run, reader, resolve};
use crate::config::Settings;
use crate::failure::Failure;
use crate::term::{Paint, fold, minute, minute_and_age, number_of, price};
use barograph_api::{LevelFilter, LevelView, SeriesWindow};
use barograph_domain::{InstrumentName, LevelType, Span, Ts};
use barograph_query::levels::page;
use barograph_query::service::reach;
use std::io::Write as _;

/// Levels read at a time.
const PAGE: usize = 5_000;
/// Prices of a process that listens are not older.
const FRESH: Span = Span::mins(5);

pub(crate) fn run(args: &Levels, settings: &Settings, json: bool) -> Result<(), Failure> {
    let reader = reader(settings)?;
    let known: Vec<InstrumentName> = reader.instruments(None)?.into_iter().map(|i| i.instrument.name).collect();
    let market = resolve(&known, settings, &args.name, false)?;
    let runs = reader.runs(args.as_of)?;
    let info = own_run(&runs, &market, settings, |book| {
        Failure::usage(format!("{market} has no levels for book '{book}' yet"))
    })?;
    let filter = LevelFilter { timeframe: args.timeframe, kinds: kinds(&args.kinds)?, active: !args.all };
    let mut window = SeriesWindow { start: None, end: None, every: None, skip: 0, limit: PAGE, as_of: args.as_of };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut shown: Vec<LevelView> = Vec::new();
    loop {
        let found = page(reader.as_ref(), info, &filter, &window, clock::now())?;
        let last = found.items.last().map(|l| l.confirmed_at);
        shown.extend(found.items);
        match last.filter(|_| found.more) {
            // The next page begins with what this one ended with, less what is there of that moment.
            Some(t) => {
                window.skip = shown.iter().rev().take_while(|l| l.confirmed_at == t).count();
                window.start = Some(t);
            }
            None => break,
        }
    }
    if json {
        for level in &shown {
            serde_json::to_writer(&mut out, level).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
    } else if shown.is_empty() {
        let data = reach(reader.runs_of(&market, None)?.iter());
        writeln!(out, "{}", fold(&none(&market, args, data.map(|(first, _)| first)), 80, ""))?;
    } else {
        let newest = info.minutes.map(|(_, last)| last);
        print(&mut out, &market, (newest, args.as_of), &mut shown, Paint::detect())?;
    }
    Ok(out.flush()?)
}

fn kinds(words: &[String]) -> Result<Vec<LevelType>, Failure> {
    let of = |word: &String| {
        LevelType::from_name(&word.to_uppercase().replace('-', "_")).ok_or_else(|| {
            let known = LevelType::ALL.map(LevelType::name);
            let like = barograph_api::nearest(&word.to_uppercase(), known);
            let hint = like.map_or_else(|| format!("there are {}", known.join(", ")), |l| format!("did you mean {l}?"));
            Failure::usage(format!("--type: there is no level type '{word}' — {hint}"))
        })
    };
    words.iter().flat_map(|w| w.split(',')).map(|w| of(&w.trim().to_owned())).collect()
}

/// What there is none of; `first`: when the first minute of the market was known.
fn none(market: &InstrumentName, args: &Levels, first: Option<Ts>) -> String {
    match (args.as_of, first) {
        (Some(moment), Some(first)) if moment < first => {
            format!("no level of {market} was known at {moment}: data begin at {first}")
        }
        (Some(moment), _) => format!("no such level of {market} was known at {moment}"),
        (None, _) if args.all => format!("no such level of {market} is stored"),
        (None, _) => format!("no such level of {market} stands; --all shows those that are used up or too old"),
    }
}

/// From the highest price down, as a chart has them: of the minute up to which prices are known, or of the moment asked for.
fn print(
    out: &mut impl std::io::Write,
    market: &InstrumentName,
    (newest, as_of): (Option<Ts>, Option<Ts>),
    levels: &mut [LevelView],
    paint: Paint,
) -> Result<(), Failure> {
    levels.sort_by(|a, b| b.price.total_cmp(&a.price));
    let at = match (as_of, newest) {
        (Some(moment), _) => format!(" as of {moment}"),
        (None, Some(t)) => format!(" at {}", minute_and_age(t, clock::now(), FRESH)),
        (None, None) => String::new(),
    };
    writeln!(out, "{}  {}{at}", paint.strong(&market.to_string()), number_of(levels.len(), "level"))?;
    let prices: Vec<String> = levels.iter().map(|l| price(l.price)).collect();
    let widest = |words: &mut dyn Iterator<Item = usize>, least| words.max().unwrap_or(0).max(least);
    let wide = widest(&mut prices.iter().map(|p| p.chars().count()), 5);
    let kind = widest(&mut levels.iter().map(|l| l.level_type.name().len()), 4);
    writeln!(out, " {:>wide$} {:<kind$} {:<3} {:>5} {:>3} known", "price", "type", "tf", "str.", "hit")?;
    for (l, price) in levels.iter().zip(prices) {
        // A year is said once: most levels end in the year in which they became known.
        let end = |t: Ts| {
            if t.civil().0 == l.known_at.civil().0 { minute(t)[5..].to_owned() } else { minute(t)[..10].to_owned() }
        };
        let fate = match (l.mitigated_at, l.swept_at) {
            (Some(t), _) => format!("  used up {}", end(t)),
            (None, Some(t)) => format!("  swept {}", end(t)),
            (None, None) => String::new(),
        };
        writeln!(
            out,
            " {price:>wide$} {:<kind$} {:<3} {:>5.3} {:>3} {}{}",
            l.level_type.name(),
            l.timeframe,
            l.strength,
            l.touches,
            minute(l.known_at),
            paint.faint(&fate)
        )?;
    }
    writeln!(out, "{}", paint.faint("str.: strength from 0 to 1; hit: how often price touched it"))?;
    Ok(())
}
