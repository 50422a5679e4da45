use super::super::blotter::TradeTerms;
use super::super::books::RecordedBooks;
use super::super::fees::TakerFee;
use super::super::fills::TakerBook;
use super::super::simulator::{LabelTrack, simulate};
use super::*;
use crate::frame::ResearchFrame;
use barograph_domain::{Span, Ts};
use core::cell::RefCell;
use proptest::prelude::*;

fn known() -> RuleVocabulary {
    let words = |of: &[&str]| of.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    RuleVocabulary {
        columns: words(&["ofi", "spread_bps", "mid_price"]),
        axes: vec![("risk".to_owned(), words(&["NORMAL", "HIGH_VOL"]))],
    }
}

/// What a rule wants on rows of `ofi`, with the label HIGH_VOL from the third row on; the fourth has no `spread_bps`.
fn wanted(text: &str, ofi: &[f64]) -> Vec<Stance> {
    let rule = TradingRule::parse(text, &known()).unwrap();
    let n = ofi.len();
    let seconds = || (0..).take(n).map(Ts::from_secs);
    let spread = (0..n).map(|row| (row != 3).then_some(1.0)).collect();
    let columns = vec![("ofi".to_owned(), ofi.iter().map(|v| Some(*v)).collect()), ("spread_bps".to_owned(), spread)];
    let frame = ResearchFrame::new(seconds().collect(), vec![true; n], columns).unwrap();
    let label = |at, of: &str| (Ts::from_secs(at), Some(of.to_owned()));
    let labels = [LabelTrack::new("risk", vec![label(-9, "NORMAL"), label(2, "HIGH_VOL")])];
    let book = TakerBook::new([(99.0, 1e9)], [(101.0, 1e9)]).ok();
    let mut books = RecordedBooks::new(seconds().map(|t| (t, book.clone())).collect(), Span::secs(9));
    let terms = TradeTerms::new(TakerFee::new("test", 1.0).unwrap());
    let seen = RefCell::new(Vec::new());
    let asked = |row: &RuleRow<'_>| {
        let stance = rule.wants(row);
        seen.borrow_mut().push(stance);
        stance
    };
    simulate(&frame, &labels, &terms, &mut books, &[], asked).unwrap();
    seen.into_inner()
}

#[test]
fn the_first_line_that_holds_decides() {
    use Stance::{Flat, Long, Short};
    // The last row is not asked about: whatever is held is left there.
    let ofi = [1.0, -1.0, 1.0, 1.0, 0.0];
    for (text, want) in [
        ("long when ofi > 0; short when ofi < 0", [Long, Short, Long, Long]),
        ("long when ofi > 0\n# a remark\nshort when ofi < 0 # another", [Long, Short, Long, Long]),
        ("long when ofi > 0 and risk is NORMAL; otherwise flat", [Long, Flat, Flat, Flat]),
        ("long when ofi > 0 and risk is not NORMAL", [Flat, Flat, Long, Long]),
        ("long when risk is (NORMAL, HIGH_VOL) and not ofi < 0", [Long, Flat, Long, Long]),
        ("short when ofi < 0; otherwise keep", [Flat, Short, Short, Short]),
        ("long when ofi > 0; keep when spread_bps > 0", [Long, Long, Long, Long]),
        ("flat when ofi < 0; otherwise long", [Long, Flat, Long, Long]),
        ("long when spread_bps <= 1", [Long, Long, Long, Flat]),
        ("long when not spread_bps > 1", [Long, Long, Long, Flat]),
        ("long when spread_bps > 9 or ofi > 0", [Long, Flat, Long, Long]),
        ("long when spread_bps > 9 or spread_bps is missing", [Flat, Flat, Flat, Long]),
        ("long when spread_bps is not missing and risk is not missing", [Long, Long, Long, Flat]),
        ("long when (ofi + 1) * 2 >= 4 and (ofi > 0)", [Long, Flat, Long, Long]),
        ("long when abs(-ofi) = 1 and ofi - 2 - 1 < -3", [Flat, Long, Flat, Flat]),
        ("long when 1 / (ofi - ofi) > 0 or ofi != 1", [Flat, Long, Flat, Flat]),
        ("long when ((ofi)) > 5e-1", [Long, Flat, Long, Long]),
        ("\u{feff}long when ofi > 0\r\nshort when ofi < 0\r\n", [Long, Short, Long, Long]),
        ("\u{feff}\r\n\tlong when ofi > 0 # a remark\r\n\r\notherwise short", [Long, Short, Long, Long]),
    ] {
        assert_eq!(wanted(text, &ofi), want, "{text}");
    }
}

#[test]
fn what_is_wrong_is_pointed_at() {
    for (text, want) in [
        (
            "long when ofy > 0",
            "line 1, character 11: there is no column and no axis 'ofy' — did you mean 'ofi'?\n  long when ofy > 0\n            ^^^",
        ),
        (
            "long when ofi > 0\nshort when risk is HIGHVOL",
            "line 2, character 20: risk has no label 'HIGHVOL'; it has NORMAL, HIGH_VOL — did you mean 'HIGH_VOL'?\n  short when risk is HIGHVOL\n                     ^^^^^^^",
        ),
        ("buy when ofi > 0", "line 1, character 1: a line does not begin with 'buy'; write 'long when CONDITION'"),
        ("long if ofi > 0", "line 1, character 6: 'if' stands where 'when' is expected"),
        ("long when ofi", "line 1, character 14: the line ends where <, <=, >, >=, ==, != or 'is missing'"),
        ("long when ofi > 1.2.3", "line 1, character 17: '1.2.3' is no number"),
        ("long when ofi > 0 spread_bps < 1", "line 1, character 19: 'spread_bps' does not belong here"),
        ("long when (ofi > 0 and ofi < 2", "line 1, character 16: '>' stands where ')' is expected"),
        (
            "\u{feff}long when ofi > 0\r\nlong when ofy > 0\r\n",
            "line 2, character 11: there is no column and no axis 'ofy' — did you mean 'ofi'?\n  long when ofy > 0\n            ^^^",
        ),
        ("otherwise buy", "line 1, character 11: 'buy' stands where flat, keep, long or short is expected"),
        ("otherwise flat; long when ofi > 0", "line 1, character 17: nothing follows 'otherwise'"),
        ("  # nothing", "line 1, character 12: a rule needs at least one line"),
        ("long when ofi > 0; short when risk > 3", "line 1, character 36: '>' stands where 'is' is expected"),
        ("long when ofi > 'a'", "line 1, character 17: ''' stands where a column or a number is expected"),
    ] {
        let faults = TradingRule::parse(text, &known()).unwrap_err();
        assert_eq!(faults.len(), 1, "{text}");
        assert!(faults[0].to_string().starts_with(want), "{text}\n{}", faults[0]);
    }
    let all = TradingRule::parse("long when x > 0\nshort when ofi >\nsell", &known()).unwrap_err();
    assert_eq!(all.iter().map(|f| f.line).collect::<Vec<_>>(), [1, 2, 3], "every line is read");
}

#[test]
fn a_rule_names_the_axes_it_asks_about() {
    let rule = TradingRule::parse("long when risk is NORMAL or not risk is missing", &known()).unwrap();
    assert_eq!((rule.axes(), rule.lines().len()), (vec!["risk"], 1));
    let deep = format!("long when {}ofi > 0{}", "(".repeat(60), ")".repeat(60));
    assert!(TradingRule::parse(&deep, &known()).unwrap_err()[0].why.starts_with("more than 50"));
}

proptest! {
    /// Whatever is written is read or pointed at within its line.
    #[test]
    fn no_text_breaks_the_reading(words in prop::collection::vec(prop_oneof![
        Just("long"), Just("when"), Just("ofi"), Just("risk"), Just("is"), Just("not"), Just("NORMAL"), Just("("), Just(")"), Just("and"),
        Just("or"), Just("<"), Just("-"), Just("2"), Just(";"), Just("\n"), Just("otherwise"), Just("flat"), Just("abs"), Just("é"),
    ], 0..24)) {
        let text = words.join(" ");
        if let Err(faults) = TradingRule::parse(&text, &known()) {
            for fault in faults {
                let line = text.lines().nth(fault.line - 1).unwrap_or_default().chars().count();
                prop_assert!(fault.column - 1 + fault.length <= line.max(1) && !fault.to_string().is_empty());
            }
        }
    }
}

#[test]
fn declared_signals_are_names_like_columns() {
    let text = "signal x.flow from desk within 2h\nsignal deribit.dvol # fetched\nlong when x.flow.z_7d > 2 and deribit.dvol < 0.6";
    let rule = TradingRule::parse(text, &known()).unwrap();
    let [flow, dvol] = rule.signals() else { panic!("two signals") };
    assert_eq!(
        (flow.name.as_str(), flow.source.as_deref(), flow.within),
        ("x.flow", Some("desk"), Some(Span::hours(2)))
    );
    assert_eq!((dvol.name.as_str(), &dvol.source, dvol.within), ("deribit.dvol", &None, None));
    let asked = |signal| SignalNumber::ALL.map(|number| rule.asks_for(signal, number));
    assert_eq!((asked(flow), asked(dvol)), ([false, false, true, false], [true, false, false, false]));
    let missing =
        TradingRule::parse("signal x.a; flat when abs(1 - x.a.delta_24h) is missing or not x.a > 1", &known()).unwrap();
    assert_eq!(SignalNumber::ALL.map(|n| missing.asks_for(&missing.signals()[0], n)), [true, true, false, false]);
}

#[test]
fn what_is_wrong_with_a_declaration_is_pointed_at() {
    for (text, at, words) in [
        ("signal flow; long when ofi > 0", 8, "names begin with 'x.'"),
        ("signal x.a within soon; long when ofi > 0", 8, "soon"),
        ("signal x.a within 0s; long when ofi > 0", 8, "not a positive length"),
        ("signal x.a by desk; long when ofi > 0", 8, "from SOURCE"),
        ("signal x.a within 31d; long when ofi > 0", 8, "within is 30d at most"),
        ("signal x.a from 'desk; long when ofi > 0", 8, "from SOURCE"),
        ("signal x.a from ''; long when ofi > 0", 8, "from SOURCE"),
        (
            "signal x.a; long when x.a.z_7 > 1",
            23,
            "of x.a there are x.a, x.a.delta_24h, x.a.z_7d, x.a.percentile_30d. Another signal has a line above it: signal x.a.z_7",
        ),
        ("signal; long when ofi > 0", 41, "from SOURCE"),
        ("long when x.a.z_7d > 1", 11, "put a line above it: signal x.a"),
        ("long when x.a > 1; signal x.a", 11, "put a line above it: signal x.a"),
        ("signal x.a; signal x.a.z_7d; long when ofi > 0", 20, "the same names"),
        ("signal x.a", 11, "at least one line"),
    ] {
        let faults = TradingRule::parse(text, &known()).unwrap_err();
        assert!(faults[0].why.contains(words), "{text}: {}", faults[0]);
        if faults[0].length > 0 {
            assert_eq!(faults[0].column, at, "{text}");
        }
    }
}

#[test]
fn a_source_stands_between_quotation_marks_where_it_is_more_than_a_word() {
    for source in ["desk", "my desk", "a; b # c", "it's", "say \"x\""] {
        let written = barograph_domain::signal::source_in_rule(source);
        let text = format!("signal x.a from {written} within 30d; long when x.a > 1 # 'and so on");
        let rule = TradingRule::parse(&text, &known()).unwrap();
        assert_eq!(rule.signals()[0].source.as_deref(), Some(source), "{text}");
        assert_eq!((rule.signals()[0].within, rule.lines().len()), (Some(Span::days(30)), 1), "{text}");
    }
}

#[test]
fn a_condition_stands_alone_with_its_signals() {
    let condition = RuleCondition::parse("signal x.a from desk; x.a.z_7d > 2 and risk is NORMAL", &known()).unwrap();
    assert_eq!(SignalNumber::ALL.map(|n| condition.asks_for(&condition.signals[0], n)), [false, false, true, false]);
    let frame = |z| {
        let columns = vec![("x.a.z_7d".to_owned(), [z].into_iter().collect())];
        ResearchFrame::new(vec![Ts::from_secs(9)], vec![true], columns).unwrap()
    };
    let labels = [LabelTrack::new("risk", vec![(Ts::from_secs(9), Some("NORMAL".to_owned()))])];
    let holds = |z, known| condition.when.holds(&RuleRow::of(&frame(z), &labels, 0, Ts::from_secs(known)));
    assert_eq!([holds(Some(3.0), 9), holds(Some(1.0), 9), holds(None, 9)], [Some(true), Some(false), None]);
    assert_eq!([holds(Some(3.0), 8), holds(Some(1.0), 8)], [None, Some(false)], "the label was not known yet");
    for (text, words) in [
        ("signal x.a", "a condition is missing"),
        ("", "a condition is missing"),
        ("x.a > 1", "put a line above it: signal x.a"),
        ("signal x.a; x.a > 1; x.a > 2", "there is one condition"),
        ("signal x.a; x.a > 1 long", "'long' does not belong here"),
        ("signal x.a; long when x.a > 1", "there is no column and no axis 'long'"),
    ] {
        let faults = RuleCondition::parse(text, &known()).unwrap_err();
        assert!(faults[0].why.contains(words), "{text}: {}", faults[0]);
    }
}

#[test]
fn declarations_are_taken_out_of_a_text_and_can_be_read_again() {
    for (text, written, others) in [
        ("signal x.a; x.a above 1", "signal x.a", vec!["x.a above 1"]),
        (
            "signal x.a from 'my; desk' within 120m ; x.a below 2 # why",
            "signal x.a from 'my; desk' within 2h",
            vec!["x.a below 2"],
        ),
        ("signal fng.value within 2d", "signal fng.value within 2d", vec![]),
    ] {
        let (declared, found) = DeclaredSignal::split(text).unwrap();
        assert_eq!((declared[0].written().as_str(), found), (written, others), "{text}");
        assert_eq!(DeclaredSignal::split(written).unwrap().0, declared, "{text}");
    }
    assert_eq!(DeclaredSignal::split("price below 5"), Ok((vec![], vec!["price below 5"])));
    let faults = DeclaredSignal::split("signal x.a for 2h; x.a above 1").unwrap_err();
    assert!(faults[0].why.contains("write 'signal NAME'"), "{}", faults[0]);
}
