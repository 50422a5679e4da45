//! `levels`: price levels of one market, now or as of a moment: those around the price, or with `--all` every one.

use crate::cli::Levels;
use crate::clock;
use crate::commands::{listened, own_run, reader, resolve};
use crate::config::Settings;
use crate::failure::Failure;
use crate::term::{Paint, fold, minute, minute_and_age, number_of, percent, price};
use barograph_api::{LevelFilter, LevelView, SeriesWindow};
use barograph_domain::{InstrumentName, LevelType, Span, Ts};
use barograph_query::levels::{RunReach, page};
use barograph_query::recorded::day;
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
        let found = page(reader.as_ref(), &RunReach::of(info), &filter, &window, clock::now_in(&settings.data))?;
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
        let now = clock::now_in(&settings.data);
        let ends = newest.map(|t| listened::ends(reader.as_ref(), settings, &market, t)).transpose()?.flatten();
        let at = match (args.as_of, newest, ends) {
            (Some(moment), ..) => format!("as of {moment}"),
            (None, _, Some(end)) => format!("recorded until {}", day(end)),
            (None, Some(t), None) => format!("at {}", minute_and_age(t, now, FRESH)),
            (None, None, None) => String::new(),
        };
        let (_, rows) = super::context::newest(reader.as_ref(), settings, &market, args.as_of)?;
        let price = rows.last().and_then(|row| row.price);
        let around = Around { price, every_one: args.all };
        print(&mut out, &format!("{market}  {at}"), &around, &mut shown, Paint::detect())?;
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
        (None, _) => format!("no such level of {market} is active; --all shows those that are used up or too old"),
    }
}

/// What of the levels is shown.
struct Around {
    /// The newest price.
    price: Option<f64>,
    every_one: bool,
}

/// Levels on either side of the price.
const EACH_SIDE: usize = 10;

impl Around {
    /// Of levels from the highest down, those that are shown, and how many of them lie above the price.
    fn shown<'a>(&self, levels: &'a [LevelView]) -> (&'a [LevelView], usize) {
        let Some(price) = self.price else { return (levels, levels.len()) };
        let above = levels.partition_point(|l| l.price >= price);
        if self.every_one {
            return (levels, above);
        }
        let from = above.saturating_sub(EACH_SIDE);
        (&levels[from..levels.len().min(above + EACH_SIDE)], above - from)
    }
}

/// From the highest price down, as a chart has them, with the price among them.
fn print(
    out: &mut impl std::io::Write,
    head: &str,
    around: &Around,
    levels: &mut [LevelView],
    paint: Paint,
) -> Result<(), Failure> {
    levels.sort_by(|a, b| b.price.total_cmp(&a.price));
    let (shown, above) = around.shown(levels);
    let count = number_of(levels.len(), "level");
    let of = if shown.len() < levels.len() { format!("{} of {count}", shown.len()) } else { count };
    writeln!(out, "{}  {of}", paint.strong(head))?;
    let prices: Vec<String> = shown.iter().map(|l| price(l.price)).collect();
    let widest = |words: &mut dyn Iterator<Item = usize>, least| words.max().unwrap_or(0).max(least);
    let here = around.price.map(price);
    let written = prices.iter().chain(&here).map(|p| p.chars().count());
    let wide = widest(&mut written.clone(), 5);
    let kind = widest(&mut shown.iter().map(|l| l.level_type.name().len()), 4);
    // The day will do where what became of a level wants room too.
    let fates = shown.iter().any(|l| l.mitigated_at.or(l.swept_at).is_some());
    let known = |t: Ts| if fates { minute(t)[..10].to_owned() } else { minute(t) };
    writeln!(out, " {:>wide$} {:>8} {:<kind$} {:<3} {:>5} {:>3} known", "price", "away", "type", "tf", "str.", "hit")?;
    let mark = |out: &mut dyn std::io::Write| match &here {
        Some(here) => writeln!(out, " {}", paint.strong(&format!("{here:>wide$} ← price"))),
        None => Ok(()),
    };
    for (at, (l, written)) in shown.iter().zip(prices).enumerate() {
        if at == above {
            mark(out)?;
        }
        // A year is said once: most levels end in the year in which they became known.
        let end = |t: Ts| {
            if t.civil().0 == l.known_at.civil().0 { minute(t)[5..].to_owned() } else { minute(t)[..10].to_owned() }
        };
        let fate = match (l.mitigated_at, l.swept_at) {
            (Some(t), _) => format!("  used {}", end(t)),
            (None, Some(t)) => format!("  swept {}", end(t)),
            (None, None) => String::new(),
        };
        let away = around.price.filter(|p| *p > 0.0).map_or_else(String::new, |p| percent(l.price / p - 1.0));
        writeln!(
            out,
            " {written:>wide$} {away:>8} {:<kind$} {:<3} {:>5.3} {:>3} {}{}",
            l.level_type.name(),
            l.timeframe,
            l.strength,
            l.touches,
            known(l.known_at),
            paint.faint(&fate)
        )?;
    }
    if above == shown.len() && above > 0 {
        mark(out)?;
    }
    let more = if shown.len() < levels.len() { "; every level: --all" } else { "" };
    writeln!(out, "{}", paint.faint(&format!("str.: strength from 0 to 1; hit: how often price touched it{more}")))?;
    Ok(())
}
