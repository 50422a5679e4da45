//! The catalogue of what the command line, the settings and the API say of themselves: help texts, meanings of settings, problems and
//! refusals, from the tables that print them. `cargo test -p barograph --bin barograph sentences -- --nocapture` prints it. None uses
//! a private word; the engine's own sentences have a catalogue beside its tests.

use crate::cli::Cli;
use crate::config::KEYS;
use barograph_api::{DeliveryName, ProblemKind, QueryError};
use barograph_domain::advice::ReasonCode;
use barograph_domain::{GapReason, InstrumentName, LevelType, Metric, TradingSession, Ts};
use barograph_testkit::Voice;
use clap::CommandFactory as _;

/// A command's help and that of what is below it.
fn help(voice: &mut Voice, command: &clap::Command) {
    let name = command.get_name();
    voice.check("command", &command.get_about().map_or_else(String::new, ToString::to_string));
    for arg in command.get_arguments() {
        voice.check(&format!("argument of {name}"), &arg.get_help().map_or_else(String::new, ToString::to_string));
    }
    command.get_subcommands().for_each(|below| help(voice, below));
}

fn refusals(voice: &mut Voice) {
    let instrument = InstrumentName::parse("binance-usdm:BTCUSDT").ok();
    let moment = Ts::from_civil(2026, 3, 5, 10, 0, 0);
    let known = || vec!["default".to_owned(), "absolute".to_owned()];
    let mut all = vec![
        QueryError::UnknownSymbol { name: "BTCUSDX".to_owned(), nearest: vec!["BTCUSDT".to_owned()] },
        QueryError::UnknownMetric { name: "price".to_owned(), known: known() },
        QueryError::NotLive { instrument: None },
        QueryError::NotLive { instrument: instrument.clone() },
        QueryError::NoForecasts { as_of: None },
        QueryError::NoForecasts { as_of: Some(moment) },
        QueryError::UnknownPosition { id: "p1".to_owned() },
        QueryError::NotCompared { as_of: None, newest: None },
        QueryError::NotCompared { as_of: Some(moment), newest: None },
        QueryError::NotCompared { as_of: Some(moment), newest: Some(moment) },
        QueryError::NotDelivering,
        QueryError::Unknown { what: DeliveryName::Case, id: "c1".to_owned() },
        QueryError::Unknown { what: DeliveryName::Alert, id: "a1".to_owned() },
    ];
    all.extend(instrument.into_iter().flat_map(|instrument| {
        [(None, None), (Some(moment), None), (Some(moment), Some(moment))]
            .map(|(as_of, first)| QueryError::NothingYet { instrument: instrument.clone(), as_of, first })
    }));
    all.iter().for_each(|error| voice.check("refused", &error.to_string()));
}

#[test]
fn no_text_of_the_program_has_a_private_word() {
    let mut voice = Voice::default();
    help(&mut voice, &Cli::command());
    KEYS.iter().for_each(|key| voice.check("setting", key.meaning));
    ProblemKind::ALL.iter().for_each(|kind| voice.check("problem", kind.title()));
    refusals(&mut voice);
    GapReason::ALL.into_iter().for_each(|reason| voice.check("why data are lost", reason.spoken()));
    LevelType::ALL.into_iter().for_each(|level| voice.check("level", level.spoken()));
    TradingSession::ALL.into_iter().for_each(|session| voice.check("session", session.spoken()));
    ReasonCode::ALL.iter().for_each(|code| voice.check("not checked", code.spoken()));
    Metric::ALL.iter().for_each(|metric| voice.check("metric", metric.spoken()));
    println!("{}", voice.catalogue());
    assert!(voice.len() > 350, "only {} texts: part of the catalogue is gone", voice.len());
    // What a user writes is written as it is: names of labels, patterns and variables among what may be given.
    let faults: Vec<String> =
        voice.faults().into_iter().filter(|fault| !fault.contains("the word of the wire")).collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}
