//! How many alerts a receiver is sent within a time: `budget = "3/day"` (verification §5).
//!
//! Counted are messages of alerts and of groups of them that say something new. Not counted, and never held back: CRITICAL, notices
//! about positions, watches and the delivery itself, samples, what a person has sent again, and every later word about what was
//! delivered already. The window rolls: at any moment it reaches so far back. What was spent is stored with the endpoint's state.

use barograph_domain::delivery::{BudgetUse, Message, MessageKind, Phase};
use barograph_domain::{Severity, Span, Ts};
use core::fmt;
use std::sync::Arc;

/// Most messages a budget may allow: whoever wants more within a week, a day or an hour wants no budget.
const MOST_MAX: u32 = 100;
const UNITS: [(&str, Span); 3] = [("hour", Span::hours(1)), ("day", Span::days(1)), ("week", Span::days(7))];

/// So many messages within a window that rolls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AlertBudget {
    /// Most messages within the window.
    pub most: u32,
    /// Within so long.
    pub window: Span,
}

impl AlertBudget {
    /// Reads "3/day".
    ///
    /// # Errors
    /// What is wrong, with the nearest form that is right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (number, unit) = parts(text);
        let unit = unit.and_then(|word| UNITS.into_iter().find(|(name, _)| *name == word));
        let exact = unit.zip(number).filter(|((name, _), n)| format!("{n}/{name}") == text);
        match exact {
            Some(((_, window), most @ 1..=MOST_MAX)) => Ok(Self { most, window }),
            Some((_, 0)) => Err("a budget of 0 sends CRITICAL alone; write severity = \"CRITICAL\" instead".to_owned()),
            Some(((name, _), n)) => {
                Err(format!("a budget of {n}/{name} is none; write at most {MOST_MAX}/{name}, or leave it out"))
            }
            None => {
                let name = nearest_unit(text);
                let n = number.unwrap_or(3).clamp(1, MOST_MAX);
                Err(format!("'{text}' is no budget; write {n}/{name}: a number, a slash, and hour, day or week"))
            }
        }
    }

    /// How many messages are left.
    pub(crate) fn left(self, used: &mut BudgetUse, now: Ts) -> usize {
        used.spent.retain(|one| one.delivered_at.is_none_or(|at| at > now - self.window));
        usize::try_from(self.most).unwrap_or(usize::MAX).saturating_sub(used.spent.len())
    }
}

impl fmt::Display for AlertBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS.into_iter().find(|(_, window)| *window == self.window).map_or("day", |(name, _)| name);
        write!(f, "{}/{unit}", self.most)
    }
}

/// Number and unit of a text that may be written in other words.
fn parts(text: &str) -> (Option<u32>, Option<&str>) {
    let digits: String = text.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    (digits.parse().ok(), text.split_once('/').map(|(_, unit)| unit))
}

/// The unit that was meant, by its first letter: "3 per d", "3/daily", "2 / Week".
fn nearest_unit(text: &str) -> &'static str {
    let lower = text.to_lowercase();
    let after = lower.rsplit(|c: char| !c.is_ascii_alphabetic()).find(|word| !word.is_empty()).unwrap_or_default();
    UNITS.into_iter().map(|(name, _)| name).find(|name| after.starts_with(&name[..1])).unwrap_or("day")
}

/// Is it one that a budget may hold back at all? `joined` is what goes with the message of a group.
pub(crate) fn is_limited(message: &Message, joined: &[Arc<Message>]) -> bool {
    let critical = |m: &Message| m.notice.severity == Severity::Critical && m.notice.phase != Phase::Resolved;
    match message.notice.kind {
        MessageKind::Alert => message.notice.phase != Phase::Resolved && !critical(message),
        MessageKind::Group => !joined.iter().any(|m| critical(m)),
        MessageKind::Position | MessageKind::Watch | MessageKind::Delivery | MessageKind::Sample => false,
    }
}

/// What a receiver was not sent, as the next message says it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeldBack {
    /// How many alerts.
    pub count: u32,
    /// When the first of them was held back.
    pub since: Ts,
    /// By which budget.
    pub budget: AlertBudget,
}

impl fmt::Display for HeldBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self.since.floor(Span::mins(1)).to_string();
        // 2026-02-05T09:10:00Z, without seconds.
        let since = since.get(..16).unwrap_or(&since).replace('T', " ");
        write!(f, "{} held back since {since} UTC, by budget {}.", self.count, self.budget)
    }
}

/// The same message with what was held back before it, for the receiver whose budget that was.
pub(crate) fn noted(message: &Message, held: &HeldBack) -> Message {
    let mut out = message.clone();
    let text = &mut out.notice.text;
    *text = format!("{}{}{held}", text.trim_end(), if text.is_empty() { "" } else { " " });
    if let Ok(serde_json::Value::Object(mut event)) = serde_json::from_str(&out.notice.event) {
        let (count, since, budget) = (held.count, held.since.to_string(), held.budget.to_string());
        event.insert("held_back".to_owned(), serde_json::json!({ "count": count, "since": since, "budget": budget }));
        out.notice.event = serde_json::Value::Object(event).to_string();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::delivery::Spent;

    #[test]
    fn budgets_are_read_and_what_is_none_names_the_nearest() {
        for (text, most, window) in
            [("3/day", 3, Span::days(1)), ("1/week", 1, Span::days(7)), ("100/hour", 100, Span::hours(1))]
        {
            let budget = AlertBudget::parse(text).unwrap();
            assert_eq!((budget, budget.to_string().as_str()), (AlertBudget { most, window }, text));
        }
        for (text, says) in [
            ("3 per day", "write 3/day"),
            ("3/daily", "write 3/day"),
            ("5 / Week", "write 5/week"),
            ("2/h", "write 2/hour"),
            ("day", "write 3/day"),
            ("", "write 3/day"),
            ("-1/day", "write 1/day"),
            ("3/month", "write 3/day"),
            ("03/day", "write 3/day"),
            ("0/day", "severity = \"CRITICAL\""),
            ("1000/day", "at most 100/day"),
        ] {
            let why = AlertBudget::parse(text).unwrap_err();
            assert!(why.contains(says), "{text}: {why}");
        }
    }

    #[test]
    fn a_window_rolls() {
        let budget = AlertBudget { most: 2, window: Span::hours(1) };
        let at = |minute: i64| Ts::from_civil(2026, 2, 5, 9, 10, 7) + Span::mins(minute);
        let one = |delivered_at| Spent { message: "a".into(), delivered_at };
        let used = |spent| BudgetUse { spent, ..BudgetUse::default() };
        let delivered = used(vec![one(Some(at(0))), one(Some(at(30)))]);
        let left = |used: &BudgetUse, minute| budget.left(&mut used.clone(), at(minute));
        assert_eq!((left(&delivered, 59), left(&delivered, 60), left(&delivered, 90)), (0, 1, 2));
        assert_eq!(left(&used(vec![one(None)]), 600), 1, "what is under way counts until it has come back");
        let held = HeldBack { count: 2, since: at(0), budget };
        assert_eq!(held.to_string(), "2 held back since 2026-02-05 09:10 UTC, by budget 2/hour.");
    }
}
