//! Of which address something was learned: a name in the settings may be given another, of which nothing is known.
//!
//! The mark stands before what was learned, as `@` and the digits of [`Receiver::identity`], because that is the part of a stored
//! state that nobody but the dispatcher reads. What became of the receiver's budget stands between the two, as `$` and JSON
//! without a space.

use crate::receiver::Receiver;
use barograph_domain::delivery::{BudgetUse, EndpointState};

/// Marks what is to be stored.
pub(super) fn seal(receiver: &Receiver, state: &mut EndpointState) {
    let learned = state.learned.take().unwrap_or_default();
    let budget = core::mem::take(&mut state.budget);
    // Ids and numbers: its JSON has no space.
    let budget = if budget == BudgetUse::default() {
        String::new()
    } else {
        serde_json::to_string(&budget).map(|json| format!("${json} ")).unwrap_or_default()
    };
    state.learned = Some(format!("@{} {budget}{learned}", receiver.identity()).trim_end().to_owned());
}

/// What was stored, without its mark; of another address the state to store instead. What has no mark is of an older build and
/// is taken as it is.
pub(super) fn opened(receiver: &Receiver, mut state: EndpointState) -> Result<EndpointState, Box<EndpointState>> {
    let Some(marked) = state.learned.as_deref().and_then(|l| l.strip_prefix('@')) else { return Ok(state) };
    let (mark, learned) = marked.split_once(' ').unwrap_or((marked, ""));
    if mark != receiver.identity() {
        let mut fresh = EndpointState { endpoint: state.endpoint, ..EndpointState::default() };
        seal(receiver, &mut fresh);
        return Err(Box::new(fresh));
    }
    let (budget, learned) = parts(learned);
    state.budget = budget;
    state.learned = (!learned.is_empty()).then(|| learned.to_owned());
    Ok(state)
}

/// What became of the budget, and what was learned.
fn parts(learned: &str) -> (BudgetUse, &str) {
    let (budget, learned) = match learned.strip_prefix('$') {
        Some(rest) => rest.split_once(' ').unwrap_or((rest, "")),
        None => ("", learned),
    };
    (serde_json::from_str(budget).unwrap_or_default(), learned)
}

/// What became of a receiver's budget, by its state as it is stored: for whoever shows it.
#[must_use]
pub fn budget_of(stored: &EndpointState) -> BudgetUse {
    let marked = stored.learned.as_deref().and_then(|l| l.strip_prefix('@'));
    marked.and_then(|m| m.split_once(' ')).map(|(_, learned)| parts(learned).0).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::plain::{JSON, SEED4};
    use barograph_domain::Ts;
    use barograph_domain::delivery::Spent;

    #[test]
    fn a_state_is_that_of_its_address() {
        let receiver = Receiver::new("a", &JSON, "https://hooks.example/one");
        let gone = EndpointState { endpoint: "a".into(), disabled: Some("410".into()), ..EndpointState::default() };
        let spent = vec![Spent { message: "msg_1".into(), delivered_at: Some(Ts(5)) }];
        let used = BudgetUse { spent, held_back: 2, since: Some(Ts(3)) };
        let learned = || [None, Some("-1>-2".to_owned())];
        let budgets = [BudgetUse::default(), used];
        for (learned, budget) in learned().into_iter().flat_map(|l| budgets.clone().map(|b| (l.clone(), b))) {
            let state = EndpointState { learned, budget, ..gone.clone() };
            let mut stored = state.clone();
            seal(&receiver, &mut stored);
            assert_eq!(budget_of(&stored), state.budget);
            assert_eq!(opened(&receiver, stored.clone()), Ok(state));
            for other in [
                Receiver::new("a", &JSON, "https://hooks.example/two"),
                Receiver::new("a", &SEED4, "https://hooks.example/one"),
            ] {
                let fresh = opened(&other, stored.clone()).unwrap_err();
                assert_eq!((&fresh.disabled, fresh.endpoint.as_str()), (&None, "a"));
                assert_eq!(
                    opened(&other, *fresh),
                    Ok(EndpointState { endpoint: "a".into(), ..EndpointState::default() })
                );
            }
        }
        assert_eq!(budget_of(&gone), BudgetUse::default());
        assert_eq!(opened(&receiver, gone.clone()), Ok(gone));
    }
}
