//! `similar`: the past hours most like a market's newest minute, and what came of them.

use super::{context, market, reader};
use crate::cli::SimilarArgs;
use crate::config::Settings;
use crate::failure::Failure;
use barograph_domain::similar::{EpisodeView, SimilarView, SpreadView};
use std::io::Write as _;

pub(crate) fn run(args: &SimilarArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let reader = reader(settings)?;
    let market = market(reader.as_ref(), settings, &args.name)?;
    let (lens, rows) = context::newest(reader.as_ref(), settings, &market, args.as_of)?;
    let Some(row) = rows.last() else { return Err(Failure::usage(format!("{market} has no snapshot"))) };
    let found = barograph_query::similar::similar(reader.as_ref(), &lens, row, args.as_of)?;
    let mut out = std::io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, &found).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        write!(out, "{}", text(&found))?;
    }
    Ok(out.flush()?)
}

fn text(found: &SimilarView) -> String {
    let mut out = String::new();
    let mut line = |text: &str| {
        out.push_str(text);
        out.push('\n');
    };
    line(&format!("{} at {}, {}", found.instrument, found.ts, found.raw_label.name()));
    for part in crate::term::fold(&found.sentence, 80, "").lines() {
        line(part);
    }
    if !found.moves.is_empty() {
        line("");
        line("change of price      tenth below   median   tenth above   cases");
        for m in &found.moves {
            for (who, s) in [("similar", &m.similar), ("all hours", &m.all)] {
                line(&format!("{:<4} {who:<12} {}", m.horizon, spread(s)));
            }
        }
        line("");
        line("most similar       label         distance   4 h      24 h     label 4 h later");
        for e in &found.episodes {
            line(&episode(e));
        }
    }
    out
}

fn spread(s: &SpreadView) -> String {
    format!("{:>14} {:>8} {:>13} {:>7}", percent(s.p10), percent(s.p50), percent(s.p90), s.n)
}

fn episode(e: &EpisodeView) -> String {
    let after = e.raw_label_4h_after.map_or("–", |l| l.name());
    let day = e.ts.iso();
    let day = day.get(..16).unwrap_or(&day).replace('T', " ");
    let label = e.raw_label.name();
    format!("{day:<18} {label:<13} {:>8.2}   {:<8} {:<8} {after}", e.distance, percent(e.move_4h), percent(e.move_24h))
}

fn percent(x: Option<f64>) -> String {
    x.map_or_else(|| "–".to_owned(), |x| format!("{:+.1} %", x * 100.0).replace('-', "−"))
}
