//! What a burst that goes on has come to by now (surveillance §4): it is reported again where its score has risen by a step, and
//! near 100 the score rises no more, while every close is stored.

use super::shown::Shown;
use super::thresholds::Thresholds;
use crate::liquidations::recent::MINUTE;
use crate::liquidations::{Close, Made};
use barograph_domain::{Alert, AlertState, Trigger};

/// The newest record of a burst with the sums of its closes in place of those of its moment. `closes` are in order of time and reach
/// from the minute before the burst to now. `None`: it is no burst, it is over, or the record says all that there is.
#[must_use]
pub fn burst_so_far(told: &Alert, closes: &[Close], thresholds: &Thresholds) -> Option<Alert> {
    if told.trigger != Some(Trigger::Burst) || told.state == AlertState::Closed {
        return None;
    }
    let threshold = told.statistics.iter().find(|s| s.decides)?.threshold;
    let own = &closes[closes.partition_point(|c| c.at <= told.opened_at - MINUTE)..];
    let (mut all, mut made) = (Made::default(), None);
    for (i, close) in own.iter().enumerate() {
        all.add(close);
        let in_minute = i + 1 - own.partition_point(|c| c.at <= close.at - MINUTE);
        // As in the record of its end: what comes after the pattern held last is no part of it.
        let in_minute = f64::from(u32::try_from(in_minute).unwrap_or(u32::MAX));
        if in_minute >= threshold || in_minute > threshold * thresholds.keep {
            made = Some(all);
        }
    }
    let known = told.number("count").unwrap_or(0.0);
    let made = made.filter(|made| f64::from(made.count) > known)?;
    let mut shown = Shown::default();
    shown.made(&Made { lower_bound: told.is("lower_bound"), ..made }, thresholds);
    let stays = |name: &str| !shown.data.iter().any(|(new, _)| new == name);
    let rest: Vec<_> = told.data.iter().filter(|(name, _)| stays(name)).cloned().collect();
    shown.data.extend(rest);
    Some(Alert { data: shown.data, ..told.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::plain::detect_cascade_events;
    use crate::liquidations::plain::Closed;
    use barograph_domain::alert::AlertChange;
    use barograph_domain::{Side, Span, Ts};

    /// Twenty-three closes within 44 s, and three single ones behind them.
    fn events() -> Vec<Closed> {
        let at = |s| Ts::from_civil(2026, 2, 5, 12, 0, 5) + Span::secs(s);
        let closes = (0..23).map(|n| (n * 2, if n < 20 { Side::Long } else { Side::Short }));
        let late = [170, 260, 280].map(|s| (s, Side::Short));
        let close = |(s, liquidated_side)| Closed { ts: at(s), liquidated_side, price: 100.0, qty: 10.0 };
        closes.chain(late).map(close).collect()
    }

    fn close(e: &Closed) -> Close {
        Close { at: e.ts, liquidated_side: e.liquidated_side, price: e.price, usd: e.price * e.qty }
    }

    #[test]
    fn a_burst_that_goes_on_is_what_its_end_will_say_of_it() {
        let (events, thresholds) = (events(), Thresholds::default());
        let closes: Vec<Close> = events.iter().map(close).collect();
        let until = events[0].ts + Span::mins(10);
        let records = detect_cascade_events(&events, until, &thresholds);
        let burst = |a: &&Alert| a.trigger == Some(Trigger::Burst);
        let told = records.iter().filter(burst).rfind(|a| a.change != AlertChange::Closed).unwrap();
        let over = records.iter().filter(burst).find(|a| a.change == AlertChange::Closed).unwrap();
        assert_eq!(over.number("count"), Some(23.0), "{over:?}");
        assert!(told.number("count").unwrap() < 15.0, "growth is no record of its own: {told:?}");

        let now = burst_so_far(told, &closes, &thresholds).unwrap();
        let sums = ["count", "total_liquidated_usd", "liquidated_long_usd", "liquidated_short_usd", "span_s"];
        assert_eq!(sums.map(|name| now.number(name)), sums.map(|name| over.number(name)));
        let names = |alert: &Alert| alert.data.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>();
        assert_eq!(names(&now), names(told), "every fact once, in its order");
        let half = burst_so_far(told, &closes[..15], &thresholds).unwrap();
        assert_eq!((half.number("count"), half.number("span_s")), (Some(15.0), Some(28.0)));

        assert_eq!(burst_so_far(over, &closes, &thresholds), None, "over");
        assert_eq!(burst_so_far(told, &closes[..5], &thresholds), None, "the store is behind the record");
    }
}
