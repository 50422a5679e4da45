//! Keeps the dispatcher's thread going: after an error that a person may mend, or a panic, it begins anew from the store.

use super::run::Runner;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Longer than a request can take, so that what is sent anew cannot cross what was under way.
const REST_FIRST: barograph_domain::Span = barograph_domain::Span::mins(1);
/// What cannot be written is sent again after each beginning, under its id: not often.
const REST_MAX: barograph_domain::Span = barograph_domain::Span::hours(1);

/// Runs until it is stopped.
pub(super) fn watch(mut runner: Runner) {
    let mut rest = REST_FIRST;
    loop {
        let ended = catch_unwind(AssertUnwindSafe(|| runner.run()));
        let why = match ended {
            Ok(None) => return,
            Ok(Some(why)) => why,
            Err(panic) => format!("a mistake in this program: {}", text_of(panic.as_ref())),
        };
        if runner.has_worked() {
            rest = REST_FIRST;
        }
        if !runner.rest(why, rest) {
            return;
        }
        rest = barograph_domain::Span(rest.0 * 2).min(REST_MAX);
        runner.begin_again();
    }
}

fn text_of(panic: &(dyn Any + Send)) -> &str {
    let owned = || panic.downcast_ref::<String>().map(String::as_str);
    panic.downcast_ref::<&str>().copied().or_else(owned).unwrap_or("it does not say what")
}
