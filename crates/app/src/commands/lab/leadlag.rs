//! `lab leadlag`: which of several markets moves first.

use super::{name, root, terms};
use crate::cli::lab::LeadLagArgs;
use crate::config::Settings;
use crate::failure::Failure;
use crate::lab::leadlag;
use crate::progress::{Progress, Unit};
use barograph_research::leadlag::{LeadLagRequest, lead_lag};
use barograph_study::lead_lag::study::STEPS;

pub(super) fn run(args: &LeadLagArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let request = LeadLagRequest {
        lake: root(&args.place, settings),
        markets: args.markets.iter().map(|text| name(text, settings)).collect::<Result<_, _>>()?,
        steps: if args.step.is_empty() { STEPS.to_vec() } else { args.step.clone() },
        skew_bound: args.skew,
        confirm_from: args.confirm_from,
        terms: args.fee.as_ref().map(|fee| terms(fee, &args.order)).transpose()?,
    };
    let mut progress: Option<Progress> = None;
    let report = lead_lag(&request, &mut |done, of| {
        progress.get_or_insert_with(|| Progress::new(of as u64, "comparing", Unit::Steps)).set(done as u64);
    })?;
    drop(progress);
    leadlag::print(&request, &report, json)
}
