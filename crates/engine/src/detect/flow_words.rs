//! What people read of patterns in books and trades: plain words of what happened, with their numbers; the behaviour it is
//! consistent with is said once, by the same sentence as everywhere.

use super::fact::capital;
use super::meaning;
use super::words::{PLAIN, Words};
use barograph_domain::{Alert, Pattern, RiskRegime};

/// Patterns of order flow with their words.
pub(super) static FLOW_WORDS: [(Pattern, Words); 6] = [
    (Pattern::Spoofing, SPOOFING),
    (Pattern::Layering, LAYERING),
    (Pattern::QuoteStuffing, QUOTE_STUFFING),
    (Pattern::WashTrading, WASH_TRADING),
    (Pattern::PumpAndDump, PUMP_AND_DUMP),
    (Pattern::FundingWindowPressure, WINDOW_PRESSURE),
];

/// What is true of all of them: they say how much of what is shown can be trusted, not what the market will do.
const FLOW: Words = Words { risk: |_| RiskRegime::ChopRisk, clears: |_, _| meaning::WHEN_CALM.to_owned(), ..PLAIN };

const SPOOFING: Words = Words {
    title: |_| "Large orders pulled before they traded".to_owned(),
    short: "large orders pulled",
    behaviour: "spoofing",
    fact: |alert| {
        let Some(orders) = measured(alert, "orders") else { return "Large orders came and went.".to_owned() };
        let (side, other) = sides(alert);
        format!(
            "{orders:.0} large {side} orders within {}, {} on average and {} bps from the best {side}, were cancelled \
             after {} on average while traders {other}.",
            (alert.ts - alert.window_from).spoken(),
            base(alert, "size"),
            decimal(alert, "distance_bps"),
            seconds(alert)
        )
    },
    measure: "the number of large orders pulled",
    ..FLOW
};

const LAYERING: Words = Words {
    title: |_| "Stacked orders pulled together".to_owned(),
    short: "stacked orders pulled",
    behaviour: "layering",
    fact: |alert| {
        let Some(stacks) = measured(alert, "stacks") else { return "Stacked orders came and went.".to_owned() };
        let (side, _) = sides(alert);
        format!(
            "{stacks:.0} times within {}, {side} orders at about {:.0} prices, together {}, came at once and were \
             cancelled at once, after {} on average.",
            (alert.ts - alert.window_from).spoken(),
            alert.number("levels").unwrap_or_default(),
            base(alert, "size"),
            seconds(alert)
        )
    },
    measure: "the number of stacks pulled",
    ..FLOW
};

const QUOTE_STUFFING: Words = Words {
    title: |_| "Flood of quote changes".to_owned(),
    short: "flood of quotes",
    behaviour: "quote stuffing",
    fact: |alert| {
        let Some(rate) = measured(alert, "updates_1s") else { return "Quotes changed very often.".to_owned() };
        format!(
            "{rate:.0} changes of the book within 1 s (alert at {:.0}) with {:.0} trades, and the price stood still.",
            alert.number("usual_most_1s").unwrap_or_default(),
            alert.number("trades_1s").unwrap_or_default()
        )
    },
    measure: "the number of changes a second",
    ..FLOW
};

const WASH_TRADING: Words = Words {
    title: |_| "Trades that look self-matched".to_owned(),
    short: "self-matched trades",
    behaviour: "wash trading",
    fact: |alert| {
        let signs = [
            ("wash_pairs", "equal buys and sells cancel each other out"),
            ("wash_digits", "sizes are not spread as sizes usually are"),
            ("wash_volume_z", "volume is high while price and open interest are calm"),
            ("wash_round", "the share of round sizes has changed"),
        ];
        let seen: Vec<&str> = signs.iter().filter(|(name, _)| alert.is(name)).map(|(_, sign)| *sign).collect();
        let hours = alert.number("hours").unwrap_or_default();
        match seen.is_empty() {
            true => "No sign of it in the last hour.".to_owned(),
            false => format!("{}: {hours:.0} hours in a row.", capital(&seen.join("; "))),
        }
    },
    measure: "the number of signs in an hour",
    ..FLOW
};

const PUMP_AND_DUMP: Words = Words {
    title: |alert| match alert.word("phase") {
        Some("DUMP") => "Sharp rise on heavy buying, now given back".to_owned(),
        _ => "Sharp rise on heavy buying".to_owned(),
    },
    short: "sharp rise on heavy buying",
    behaviour: "a pump and dump",
    fact: |alert| {
        let percent = |name: &str| 100.0 * alert.number(name).unwrap_or_default();
        let Some(volume) = measured(alert, "volume_ratio") else { return "A sharp rise is over.".to_owned() };
        let back = match alert.word("phase") {
            Some("DUMP") => format!(" {:.0} % of the rise is gone again.", percent("given_back")),
            _ => String::new(),
        };
        format!(
            "The price rose {:.1} % in 5 min on {volume:.0} times the usual volume, {:.0} % of it bought.{back}",
            percent("rise_5m"),
            percent("buyers")
        )
    },
    measure: "the rise of 5 min",
    risk: |_| RiskRegime::HighVol,
    ..FLOW
};

const WINDOW_PRESSURE: Words = Words {
    title: |_| "Pressure in the last minute before funding".to_owned(),
    short: "pressure before funding",
    behaviour: "pressure on the funding rate",
    fact: |alert| {
        let Some(z) = measured(alert, "volume_z") else {
            return "Trading before funding is as usual again.".to_owned();
        };
        let of_nine = alert.number("of_last_nine").unwrap_or_default();
        format!(
            "Net {} in the last minute before funding was {z:.1}σ from its mean (alert at {:.1}σ), and {:.0} % of the \
             premium's move was undone within 5 min; so in {of_nine:.0} of the last 9 fundings.",
            alert.word("pressure").unwrap_or("trading"),
            alert.statistics.first().map_or(0.0, |s| s.threshold),
            100.0 * alert.number("premium_reverted").unwrap_or_default()
        )
    },
    measure: "the net volume of the minute before funding",
    ..FLOW
};

/// A number of what was found; none where nothing was measured at this record.
fn measured(alert: &Alert, name: &str) -> Option<f64> {
    alert.number(name).filter(|_| !alert.statistics.is_empty())
}

/// The side of the book, and what traders did on the other one.
fn sides(alert: &Alert) -> (&'static str, &'static str) {
    if alert.word("side") == Some("ask") { ("ask", "sold") } else { ("bid", "bought") }
}

fn base(alert: &Alert, name: &str) -> String {
    let qty = alert.number(name).unwrap_or_default();
    let digits = if qty >= 100.0 {
        0
    } else if qty >= 1.0 {
        1
    } else {
        4
    };
    format!("{qty:.digits$} of the base asset")
}

fn decimal(alert: &Alert, name: &str) -> String {
    format!("{:.1}", alert.number(name).unwrap_or_default())
}

fn seconds(alert: &Alert) -> String {
    format!("{:.1} s", alert.number("life_s").unwrap_or_default())
}
