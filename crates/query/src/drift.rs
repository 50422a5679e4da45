//! Has the market changed: the newest of what the ledger says once a week and once a day, read from a store (verification §5).

use crate::Error;
use barograph_domain::Span;
use barograph_domain::Ts;
use barograph_domain::drift::{DriftReport, DriftRow, DriftWeek, SkillRow};
use barograph_domain::forecast::{ForecastEvent, GroupSkill, LedgerTick, SymbolGroup};
use barograph_domain::scorecard::SkillVerdict;
use barograph_store::{Range, Reader};
use core::ops::ControlFlow;
use std::collections::BTreeMap;

/// What is read of ticks beside drift: as little as there is.
const SELDOM: [ForecastEvent; 1] = [ForecastEvent::CorrBreak7d];
/// A skill is stated once a day; one older than this is none of now.
const SKILL_FRESH: Span = Span::days(2);

/// Which part of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DriftAsked {
    /// Markets by their full names; empty: all.
    pub markets: Vec<String>,
    /// How many weeks back.
    pub weeks: u32,
    /// As the ledger was known then.
    pub as_of: Option<Ts>,
}

/// Looks up the weeks before `newest`, the last tick of a logic version.
///
/// # Errors
/// When the store cannot be read.
pub fn drift(
    reader: &dyn Reader,
    logic_version: &str,
    book: &str,
    newest: Ts,
    asked: &DriftAsked,
) -> Result<DriftReport, Error> {
    // A market that was away on a Monday has its week judged later, so one week more is looked at.
    let back = Span::days(7 * (i64::from(asked.weeks.max(1)) + 1));
    let range = Range { start: Ts(newest.0.saturating_sub(back.0)), end: Ts::MAX };
    let mut found = Found::default();
    reader.ledger_scan(logic_version, range, &SELDOM, asked.as_of, &mut |tick| {
        found.take(tick, asked);
        ControlFlow::Continue(())
    })?;
    let weeks = usize::try_from(asked.weeks.max(1)).unwrap_or(usize::MAX);
    let mut readings: Vec<DriftRow> = found.readings.into_values().collect();
    for row in &mut readings {
        row.past.drain(..row.past.len().saturating_sub(weeks));
    }
    let beyond = |r: &DriftRow| r.p95.filter(|p| *p > 0.0).map_or(0.0, |p| r.psi / p);
    readings.sort_by(|a, b| {
        let by_word = b.word.cmp(&a.word).then_with(|| beyond(b).total_cmp(&beyond(a)));
        a.market.cmp(&b.market).then(by_word).then_with(|| a.feature.cmp(&b.feature))
    });
    let skills = found.skills.into_values().filter(|s| newest - s.stated < SKILL_FRESH).collect();
    Ok(DriftReport { logic_version: logic_version.to_owned(), book: book.to_owned(), newest, readings, skills })
}

#[derive(Default)]
struct Found {
    readings: BTreeMap<(String, Box<str>), DriftRow>,
    skills: BTreeMap<(ForecastEvent, SymbolGroup), SkillRow>,
}

impl Found {
    fn take(&mut self, tick: &LedgerTick, asked: &DriftAsked) {
        for one in &tick.drift {
            let Some(market) = tick.market(one.market).map(ToString::to_string) else { continue };
            if !asked.markets.is_empty() && !asked.markets.contains(&market) {
                continue;
            }
            let week = DriftWeek { week_ended: tick.ts, psi: one.psi, word: one.word() };
            let key = (market.clone(), one.feature.clone());
            let mut past = self.readings.remove(&key).map(|r| r.past).unwrap_or_default();
            past.push(week);
            let row = DriftRow {
                market,
                feature: one.feature.to_string(),
                week_ended: tick.ts,
                psi: one.psi,
                by_chance: one.by_chance,
                n: one.n,
                reference_n: one.reference,
                weeks: one.weeks,
                p80: one.p80,
                p95: one.p95,
                word: one.word(),
                past,
            };
            self.readings.insert(key, row);
        }
        for one in &tick.skills {
            self.skills.insert((one.event, one.group), skill(tick.ts, one));
        }
    }
}

fn skill(ts: Ts, one: &GroupSkill) -> SkillRow {
    let verdict = SkillVerdict::of_band(one.band.map(|b| b[0]), one.band.map(|b| b[1]));
    SkillRow {
        event: one.event,
        group: one.group.id().to_owned(),
        stated: ts,
        skill: one.skill,
        low: one.band.map(|b| b[0]),
        high: one.band.map(|b| b[1]),
        n: one.n,
        n_eff: one.separate,
        verdict,
    }
}
