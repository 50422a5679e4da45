//! `tiers`: position tiers of a market, asked of its venue now (R3.8). Nothing is kept.

use super::asking::VenueAsked;
use crate::cli::TiersArgs;
use crate::config::Settings;
use crate::failure::Failure;
use crate::term::{columns, fold, minute};
use barograph_domain::Ts;
use barograph_domain::text::escape_control;
use barograph_engine::explain::significant;
use barograph_net::Clock as _;
use barograph_venues::tiers::{PositionTier, TIER_SOURCES, TierMargin, TierSource, TierUnit};
use std::io::Write as _;

pub(crate) fn run(args: &TiersArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let source = TIER_SOURCES.iter().find(|s| s.venue.id == args.venue).ok_or_else(|| {
        let known: Vec<&str> = TIER_SOURCES.iter().map(|s| s.venue.id).collect();
        Failure::usage(format!(
            "position tiers of '{}' are not read; choose one of {}",
            escape_control(&args.venue),
            known.join(", ")
        ))
    })?;
    if args.margin == TierMargin::Isolated && !source.by_margin {
        return Err(Failure::usage(format!(
            "{} has one list of tiers for cross and isolated positions; leave --margin out",
            source.venue.id
        )));
    }
    let symbol = (source.native)(&args.symbol).ok_or_else(|| {
        Failure::usage(format!("'{}' is no market of {}", escape_control(&args.symbol), source.venue.id))
    })?;
    let asked = VenueAsked::open(source.venue, settings)?;
    let body = asked.body(source.ask(&asked.endpoints, &symbol, args.margin));
    let at = asked.clock.now();
    asked.close();
    let tiers = source.read(&body?, &symbol).map_err(|why| Failure::broken(escape_control(&why)))?;
    let shown = ShownTiers { source, symbol: &symbol, margin: args.margin, at, tiers: &tiers };
    let mut out = std::io::stdout().lock();
    write!(out, "{}", if json { shown.lines() } else { shown.text() })?;
    Ok(out.flush()?)
}

/// The tiers of one market.
struct ShownTiers<'a> {
    source: &'a TierSource,
    symbol: &'a str,
    margin: TierMargin,
    at: Ts,
    tiers: &'a [PositionTier],
}

impl ShownTiers<'_> {
    fn mode(&self) -> Option<&'static str> {
        self.source.by_margin.then_some(match self.margin {
            TierMargin::Cross => "cross",
            TierMargin::Isolated => "isolated",
        })
    }

    fn lines(&self) -> String {
        let market = format!("{}:{}", self.source.venue.id, self.symbol);
        let unit = (self.source.unit)(self.symbol).name();
        let line = |t: &PositionTier| {
            serde_json::json!({
                "market": market, "margin": self.mode(), "known_ts": self.at, "tier": t.tier, "upto": t.upto,
                "unit": unit, "initial_margin": t.initial_margin, "maintenance_margin": t.maintenance_margin,
                "leverage_max": t.leverage_max,
            })
            .to_string()
                + "\n"
        };
        self.tiers.iter().map(line).collect()
    }

    fn text(&self) -> String {
        let unit = match (self.source.unit)(self.symbol) {
            TierUnit::Quote => "value in quote currency",
            TierUnit::Base => "units of the base",
            TierUnit::Contracts => "contracts",
            TierUnit::Unstated => "a unit that the venue's documents do not name for inverse contracts",
        };
        let mode = self.mode().map_or_else(String::new, |mode| format!(", {mode} margin"));
        let (venue, symbol, at) = (self.source.venue.id, self.symbol, minute(self.at));
        let head = format!("Position tiers of {venue}:{symbol}{mode}, as published at {at}");
        let mut text = fold(&head, columns(), "");
        text.push_str("\n\n");
        text.push_str(&format!(
            "{:>4} {:>24} {:>15} {:>19} {:>13}\n",
            "tier", "position up to", "initial margin", "maintenance margin", "most leverage"
        ));
        for t in self.tiers {
            let [initial, maintenance] =
                [t.initial_margin, t.maintenance_margin].map(|m| format!("{} %", significant(m * 100.0, "")));
            let (upto, leverage) = (t.upto, t.leverage_max);
            text.push_str(&format!("{:>4} {upto:>24} {initial:>15} {maintenance:>19} {leverage:>12}x\n", t.tier));
        }
        let meaning = format!(
            "Bounds are in {unit}. Margins are shares of the position's value: below the maintenance margin the venue liquidates. They hold for \
             accounts without terms of their own; the venue may change them at any time."
        );
        text.push('\n');
        text.push_str(&fold(&meaning, columns(), ""));
        text.push('\n');
        text
    }
}
