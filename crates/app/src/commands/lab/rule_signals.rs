//! The signals that a rule of one's own declares, out of the data folder.

use crate::commands::{reader, target};
use crate::config::Settings;
use crate::failure::Failure;
use barograph_domain::{InstrumentName, Ts};
use barograph_engine::signal_rows::SIGNAL_BEFORE;
use barograph_query::declared::{DeclaredFault, StoredSignal, stored_signal};
use barograph_research::signal_columns::RuleSignal;
use barograph_store::{Range, Reader, StoreTarget};
use barograph_study::money::rule::{DeclaredSignal, TradingRule};

/// Most values of one signal: 46 days of one each second, 128 MB.
const REVISIONS_MAX: usize = 4_000_000;

/// What is stored of every signal that a rule declares, for rows of a stretch.
pub(super) fn rule_signals(
    rule: &TradingRule,
    market: &InstrumentName,
    (from, until): (Option<Ts>, Option<Ts>),
    settings: &Settings,
) -> Result<Vec<RuleSignal>, Failure> {
    if rule.signals().is_empty() {
        return Ok(Vec::new());
    }
    let none = |name: &str| {
        Failure::usage(format!(
            "the rule declares {name}, and the data folder {} has no such signal of {market}; what it has is listed by: barograph signals \
             ls, and more is brought by: barograph signals import FILE",
            settings.data.display()
        ))
    };
    // A folder without a database has none; one that cannot be read is an error.
    if matches!(target(settings), StoreTarget::Folder(data) if !data.join("barograph.db").is_file()) {
        return Err(none(rule.signals()[0].name.as_str()));
    }
    let reader = reader(settings)?;
    let range = Range {
        start: from.map_or(Ts::MIN, |t| Ts(t.0.saturating_sub(SIGNAL_BEFORE.0))),
        end: until.unwrap_or(Ts::MAX),
    };
    let one = |declared: &DeclaredSignal| {
        stored(reader.as_ref(), declared, market, range)?.ok_or_else(|| none(declared.name.as_str()))
    };
    rule.signals().iter().map(one).collect()
}

fn stored(
    reader: &dyn Reader,
    declared: &DeclaredSignal,
    market: &InstrumentName,
    range: Range,
) -> Result<Option<RuleSignal>, Failure> {
    // Which rows there are is not known yet: what none of them can know is left out once they are.
    let found = stored_signal(reader, declared, market, (range, Ts::MAX), REVISIONS_MAX);
    let found = found.map_err(|fault| match fault {
        DeclaredFault::Meant(why) => Failure::usage(why),
        DeclaredFault::Store(e) => e.into(),
    })?;
    Ok(found.map(|StoredSignal { within, scoped, .. }| RuleSignal { declared: declared.clone(), within, scoped }))
}
