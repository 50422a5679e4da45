//! What a language model may say of a day: a table of texts with the verdict on each, and what holds for any facts.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

use barograph_domain::Ts;
use barograph_query::narrative::facts::{CHANGE, SECONDS, SHARE};
use barograph_query::narrative::figures::{FigureKind, TextFigure, WrittenNumber, written};
use barograph_query::narrative::own::own;
use barograph_query::narrative::{NarrativeFact, NarrativeFacts, NarrativeFault, NarrativeValue, check, prompt};
use proptest::prelude::*;

fn fact(name: &str, value: NarrativeValue, unit: &'static str, text: &str) -> NarrativeFact {
    NarrativeFact { name: name.to_owned(), value, unit, text: text.to_owned() }
}

/// A day as the table below has it.
fn day() -> NarrativeFacts {
    use NarrativeValue::{Moment, Number, Word};
    let at = |text: &str| Moment(Ts::parse(text).unwrap());
    NarrativeFacts {
        items: vec![
            fact("market", Word, "", "binance-usdm:BTCUSDT"),
            fact("until", at("2026-11-28T14:30:00Z"), "", "as of 2026-11-28 14:30 UTC"),
            fact("window", Number(86_400.0), SECONDS, "the last 24 h"),
            fact("headline", Word, "", "Strong downtrend, −6.1 % in 24 h. No risk rule fires."),
            fact("price", Number(63_120.5), "quote units", "price 63,121"),
            fact("risk_label", Word, "", "risk: high volatility"),
            fact("risk_since", at("2026-11-28T09:05:00Z"), "", "risk since 2026-11-28 09:05 UTC"),
            fact("session", Word, "", "London session"),
            fact("realized_vol_24h", Number(0.694), SHARE, "24 h volatility: 69 %"),
            fact("funding_rate_8h", Number(-0.000_121), SHARE, "funding: −0.0121 % per 8 h"),
            fact("oi_delta_24h", Number(0.0312), CHANGE, "open interest in 24 h: 3.1 %"),
            fact("oi_usd", Number(5_234_000_000.0), "quote units", "open interest: 5.23 B"),
            fact("alerts_opened", Number(3.0), "count", "3 alerts opened"),
            fact("alerts_open", Number(0.0), "count", "none of them still open"),
            fact(
                "alert_1",
                at("2026-11-28T11:02:00Z"),
                "",
                "Liquidation cascade, longs (high) at 2026-11-28 11:02 UTC",
            ),
        ],
    }
}

/// Texts that are made of the day's facts only.
const GOOD: [&str; 36] = [
    "BTCUSDT is in a strong downtrend, down 6.1 % in 24 h, at 63,121.",
    "The price is 63,120.5.",
    "The price is 63,120.50 and open interest 5.23 billion.",
    "The price is about 63.1 k and open interest $5.2 B.",
    "Price: 63\u{202f}121 USD.",
    "It fell 6.1% in 24 hours.",
    "It moved −6.1 percent over 1 day.",
    "It moved -6.1 per cent in 86,400 seconds.",
    "Volatility is 69 %, or 69.4 %.",
    "Funding stands at −0.0121 % per 8 h.",
    "Funding stands at −1.21 bps.",
    "Funding stands at -1.21 basis points per 8-hour period.",
    "Open interest rose 3.1 % (3.12 %).",
    "Open interest is up 3.1 %, while the price is down 6.1 %.",
    "3 alerts opened and 0 of them are still open.",
    "Risk has been at high volatility since 09:05 UTC on 28 November.",
    "Risk has been at high volatility since 9:05 on Nov 28, 2026.",
    "A cascade of longs began at 11:02 on 28th November 2026.",
    "A cascade began at 2026-11-28T11:02:00Z.",
    "A cascade began on November 28 at 11:02.",
    "The London session saw a liquidation cascade.",
    "No risk rule fires.",
    "A first alert came, a second followed.",
    "Longs were liquidated; shorts were not.",
    "It fell.\n\nIt is calm now.",
    "The fall of 6.1 % came in a 24-hour window.",
    "The price is 6.1 % lower.",
    "Price and open interest parted: minus 6.1 % here, plus 3.1 % there.",
    "Funding is negative at 0.0121 % per 8 h.",
    "Funding rose to −0.0121 % per 8 h.",
    "Funding stands below nothing, at 0.0121 %.",
    "It fell −6.1 %.",
    "It fell 6.1 %. Open interest, however, rose by 3.1 %.",
    "The risk label holds since 28 November, as it did “before” – calmly…",
    "It is calm. It is calm. It is calm. It is calm. It is calm.",
    "It fell\n\nit is calm now",
];

/// Texts that are not, each with what is wrong.
fn bad() -> Vec<(String, NarrativeFault)> {
    use NarrativeFault as F;
    let number = |text: &str| F::UnknownNumber(text.to_owned());
    let unread = |text: &str| F::UnreadNumber(text.to_owned());
    let moment = |text: &str| F::UnknownMoment(text.to_owned());
    let long = "It fell. ".repeat(101);
    [
        ("", F::Empty),
        (" \n ", F::Empty),
        ("It fell 6.2 % in 24 h.", number("6.2 %")),
        ("It fell 6 % in 24 h.", number("6 %")),
        ("It fell 61 % in 24 h.", number("61 %")),
        ("It moved +6.1 %.", number("+6.1 %")),
        ("The move of 6.1 % came in 24 h.", F::NoSign("6.1 %".to_owned())),
        ("Funding stands at 0.0121 % per 8 h.", F::NoSign("0.0121 %".to_owned())),
        ("Funding is not negative at 0.0121 %.", F::NoSign("0.0121 %".to_owned())),
        ("Open interest fell. Funding is 0.0121 %.", F::NoSign("0.0121 %".to_owned())),
        ("Funding is positive at 0.0121 %.", F::OtherWay("0.0121 %".to_owned())),
        ("It rose −6.1 %.", F::OtherWay("−6.1 %".to_owned())),
        ("It rose to −6.1 %.", F::OtherWay("−6.1 %".to_owned())),
        ("It is −6.1 % higher.", F::OtherWay("−6.1 %".to_owned())),
        ("It is 6.1 % higher.", F::OtherWay("6.1 %".to_owned())),
        ("It fell, then rose 6.1 %.", F::OtherWay("6.1 %".to_owned())),
        ("Open interest fell +3.1 %.", F::OtherWay("+3.1 %".to_owned())),
        ("Open interest moved minus 3.1 %.", F::OtherWay("3.1 %".to_owned())),
        ("Volatility is at a negative 69 %.", F::OtherWay("69 %".to_owned())),
        ("It rose 6.1 % in 24 h.", F::OtherWay("6.1 %".to_owned())),
        ("Open interest dropped by 3.1 %.", F::OtherWay("3.1 %".to_owned())),
        ("Open interest is down a full 3.1 %.", F::OtherWay("3.1 %".to_owned())),
        ("Open interest moved −3.1 %.", number("−3.1 %")),
        ("The price is 63,000.", number("63,000")),
        ("The price is 63.12.", number("63.12")),
        ("The price is 63 M.", number("63 M")),
        ("The price is 6,312.", number("6,312")),
        ("Volatility is 69.", number("69")),
        ("Volatility is 0.694.", number("0.694")),
        ("Funding is 0.0121.", number("0.0121")),
        ("Funding is 12.1 bps.", number("12.1 bps")),
        ("It moved in 23 h.", number("23 h")),
        ("It moved in 24 days.", number("24 days")),
        ("It moved in 24.", number("24")),
        ("4 alerts opened.", number("4")),
        ("3 % of alerts opened.", number("3 %")),
        ("1 alert is open.", number("1")),
        ("Three alerts opened.", unread("Three")),
        ("One alert opened.", unread("One")),
        ("An alert opened once.", unread("once")),
        ("A third of them are open.", unread("third")),
        ("It fell in a two-hour window.", unread("two-hour")),
        ("Half of them are open.", unread("Half")),
        ("It lost a dozen ticks.", unread("dozen")),
        ("The price is 63.121,5.", unread("63.121,5")),
        ("It fell 6,1 %.", unread("6,1")),
        ("It fell 6.1.2 %.", unread("6.1.2")),
        ("It fell 6.1e0 %.", unread("6.1e0")),
        ("It fell ６ %.", unread("６")),
        ("It fell by ½.", unread("½")),
        ("ETH2 fell.", unread("ETH2")),
        ("The risk label holds since 09:06.", moment("09:06")),
        ("The risk label holds since 29 November.", moment("29 November")),
        ("The risk label holds since 28 November 2025.", moment("28 November 2025")),
        ("The risk label holds since Nov 27.", moment("Nov 27")),
        ("The risk label holds since 2026-11-27.", moment("2026-11-27")),
        ("It was calm in March.", F::UnknownName("March".to_owned())),
        ("ETHUSDT fell.", F::UnknownName("ETHUSDT".to_owned())),
        ("The SEC is to blame.", F::UnknownName("SEC".to_owned())),
        ("It fell with Ether.", F::UnknownName("Ether".to_owned())),
        ("It is time to buy.", F::Advice("buy".to_owned())),
        ("Selling was forced.", F::Advice("selling".to_owned())),
        ("Traders should wait.", F::Advice("should".to_owned())),
        ("Go  long here.", F::Advice("go long".to_owned())),
        ("Best to avoid it.", F::Advice("avoid".to_owned())),
        ("Exit into strength.", F::Advice("exit".to_owned())),
        ("Longs can hedge.", F::Advice("hedge".to_owned())),
        ("Time to reduce longs.", F::Advice("reduce".to_owned())),
        ("Hold on.", F::Advice("hold".to_owned())),
        ("It could recover.", F::Foretold("could".to_owned())),
        ("It may recover.", F::Foretold("may".to_owned())),
        ("May it recover.", F::Foretold("may".to_owned())),
        ("It might recover.", F::Foretold("might".to_owned())),
        ("It would recover.", F::Foretold("would".to_owned())),
        ("What is next is a rebound.", F::Foretold("next".to_owned())),
        ("It will recover.", F::Foretold("will".to_owned())),
        ("A rebound is likely.", F::Foretold("likely".to_owned())),
        ("It fell. See https://example.org.", F::Layout("http".to_owned())),
        ("**It fell.**", F::Layout("**".to_owned())),
        ("It fell, see example.org.", F::Layout("example.org".to_owned())),
        ("It fell, see host.example/x for it.", F::Layout("host.example/x".to_owned())),
        ("It fell, ask x@host.", F::Layout("@".to_owned())),
        ("It fell:\n- longs first", F::Layout("-".to_owned())),
        ("It fell:\n3. longs first", F::Layout("3.".to_owned())),
        ("a) it fell.", F::Layout("a)".to_owned())),
        ("# It fell.", F::Layout("#".to_owned())),
        ("It fell. It rose. It fell. It rose. It fell. It rose.", F::Sentences(6)),
        ("It fell\nit rose\nit fell\nit rose\nit fell\nit rose", F::Sentences(6)),
        ("It is time to b\u{200b}uy.", F::Layout("\\u{200b}".to_owned())),
        ("It \u{202e}fell.", F::Layout("\\u{202e}".to_owned())),
        ("It fe\u{ad}ll.", F::Layout("\\u{ad}".to_owned())),
        ("It fell \u{2713}.", F::Layout("\\u{2713}".to_owned())),
        ("It fell.\u{1b}c", F::Layout("\\u{1b}".to_owned())),
        ("Оно упало.", F::Layout("\\u{41e}".to_owned())),
        (long.as_str(), F::TooLong(909)),
    ]
    .into_iter()
    .map(|(text, fault)| (text.to_owned(), fault))
    .collect()
}

#[test]
fn a_text_of_the_facts_passes() {
    for text in GOOD {
        assert_eq!(check(text, &day()), Ok(()), "{text}");
    }
}

#[test]
fn a_text_with_anything_else_is_refused_for_it() {
    for (text, fault) in bad() {
        let found = check(&text, &day()).unwrap_err();
        assert_eq!(found[..], [fault], "{text}");
    }
}

#[test]
fn our_own_sentences_pass_what_a_model_has_to() {
    let text = own(&day());
    assert_eq!(check(&text, &day()), Ok(()), "{text}");
    assert_eq!(
        text,
        "Strong downtrend, −6.1 % in 24 h. No risk rule fires. In the last 24 h: 3 alerts opened, none of them still open. Newest: \
         Liquidation cascade, longs (high) at 2026-11-28 11:02 UTC. Funding: −0.0121 % per 8 h; open interest in 24 h: 3.1 %; 24 h \
         volatility: 69 %."
    );
}

#[test]
fn a_request_has_the_facts_and_nothing_else() {
    let body = prompt::request("a-model", &day());
    assert_eq!((&body["model"], &body["temperature"]), (&"a-model".into(), &0.into()));
    let sent: serde_json::Value = serde_json::from_str(body["messages"][1]["content"].as_str().unwrap()).unwrap();
    let facts = sent["facts"].as_array().unwrap();
    assert_eq!(sent.as_object().unwrap().len(), 1);
    assert_eq!(facts.len(), day().items.len());
    assert_eq!(
        facts[1],
        serde_json::json!({"name": "until", "value": "2026-11-28T14:30:00Z", "unit": "", "text": "as of 2026-11-28 14:30 UTC"})
    );
    assert_eq!(facts[4]["value"], 63_120.5);
    assert!(facts[0]["value"].is_null());
}

#[test]
fn a_reply_is_read_or_said_to_be_none() {
    let reply = |content: &str| prompt::answer(content.as_bytes());
    assert_eq!(
        reply(r#"{"choices":[{"message":{"content":" It fell. "},"finish_reason":"stop"}]}"#),
        Ok("It fell.".to_owned())
    );
    for (body, why) in [
        ("<html>", "no JSON"),
        ("{}", "no choices[0]"),
        (r#"{"choices":[{"message":{"content":null}}]}"#, "no text"),
        (r#"{"choices":[{"message":{"content":"It f"},"finish_reason":"length"}]}"#, "cut off"),
    ] {
        assert!(reply(body).unwrap_err().contains(why), "{body}");
    }
}

#[test]
fn what_stands_in_a_fact_may_be_repeated() {
    let word = |text: &str| fact("alert_1", NarrativeValue::Word, "", text);
    let facts = NarrativeFacts { items: vec![word("One-sided flow in 牛USDT at x.desk")] };
    assert_eq!(check("The one-sided flow in 牛USDT is at x.desk.", &facts), Ok(()));
    assert_eq!(check("One flow is there.", &facts), Err(vec![NarrativeFault::UnreadNumber("One".to_owned())]));
    // Not so what nobody sees.
    let facts = NarrativeFacts { items: vec![word("a\u{200b}b")] };
    assert_eq!(check("a\u{200b}b", &facts), Err(vec![NarrativeFault::Layout("\\u{200b}".to_owned())]));
}

#[test]
fn a_rise_of_the_headline_is_no_fall() {
    let facts =
        NarrativeFacts { items: vec![fact("headline", NarrativeValue::Word, "", "Strong uptrend, +6.1 % in 24 h.")] };
    assert_eq!(check("It rose 6.1 %.", &facts), Ok(()));
    assert_eq!(check("It fell 6.1 %.", &facts), Err(vec![NarrativeFault::OtherWay("6.1 %".to_owned())]));
}

/// The month of May is no verb.
#[test]
fn a_date_in_may_is_a_date() {
    let at = NarrativeValue::Moment(Ts::parse("2026-05-28T14:30:00Z").unwrap());
    let facts = NarrativeFacts { items: vec![fact("until", at, "", "as of 2026-05-28 14:30 UTC")] };
    assert_eq!(check("It fell on May 28, 2026 and on 28 May.", &facts), Ok(()));
    assert_eq!(check("On 28 May it may fall.", &facts), Err(vec![NarrativeFault::Foretold("may".to_owned())]));
}

/// One number as it is read.
fn figure(text: &str) -> TextFigure {
    match &written(text)[..] {
        [one] => match one.number {
            WrittenNumber::Figure(figure) => figure,
            ref other => panic!("{text}: {other:?}"),
        },
        other => panic!("{text}: {other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Any number that is written with so many decimals is read as itself, whatever stands around it.
    #[test]
    fn a_number_that_is_written_is_read(n in -1e9_f64..1e9, decimals in 0_usize..6, percent: bool) {
        let text = format!("{n:.decimals$}{}", if percent { " %" } else { "" });
        let read = figure(&format!("it is {text} now"));
        prop_assert!((read.value - n).abs() <= read.half * 1.000_001 + 1e-6, "{text}: {read:?}");
        prop_assert_eq!(read.kind, if percent { FigureKind::Percent } else { FigureKind::Plain });
    }

    /// A number that is further than one percent from every fact is refused, in whatever form.
    #[test]
    fn a_number_of_no_fact_is_refused(
        facts in proptest::collection::vec(0.001_f64..1e6, 1..8),
        pick in 0_usize..8,
        factor in prop_oneof![0.01_f64..0.98, 1.02_f64..50.0],
        decimals in 0_usize..4,
        form in 0_usize..4,
    ) {
        let number = facts[pick % facts.len()] * factor;
        let items = facts.iter().map(|f| fact("x", NarrativeValue::Number(*f), "quote units", "a reading")).collect();
        let facts = NarrativeFacts { items };
        let text = format!("{number:.decimals$}");
        let shown: f64 = text.parse().unwrap();
        let is_near = |f: &NarrativeFact| match f.value {
            NarrativeValue::Number(f) => (shown - f).abs() <= 0.0101 * f,
            _ => false,
        };
        prop_assume!(!facts.items.iter().any(is_near));
        let written = [format!("It is {text}."), format!("It rose to {text} now."), format!("({text})"), format!("+{text}, it seems")];
        let found = check(&written[form], &facts);
        prop_assert!(found.is_err(), "{}: {:?}", written[form], facts);
    }

    /// A fact's number, rounded to four digits or more, may be written; so may its text.
    #[test]
    fn a_number_of_a_fact_passes(
        (n, digits) in prop_oneof![
            (0.001_f64..1.0, 7_usize..9),
            (1.0_f64..1e4, 4_usize..7),
            (1e4_f64..1e9, 0_usize..3),
        ],
    ) {
        let facts = NarrativeFacts { items: vec![fact("x", NarrativeValue::Number(n), "quote units", "a reading")] };
        let text = format!("It is {n:.digits$}.");
        prop_assert_eq!(check(&text, &facts), Ok(()), "{}", text);
    }

    /// Nothing that is written makes the checker fail, and what it reads is in the text where it says.
    #[test]
    fn any_text_has_a_verdict(text in "\\PC{0,120}") {
        let _verdict = check(&text, &day());
        for found in written(&text) {
            let there: String = text.chars().skip(found.at).take(found.text.chars().count()).collect();
            prop_assert_eq!(there, found.text);
        }
    }
}
