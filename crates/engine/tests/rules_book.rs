//! Rule books as people write them: what is accepted, and what is said of each mistake (regimes §12.1).

use barograph_domain::{Axis, RiskRegime, Span};
use barograph_engine::catalogue::Feature;
use barograph_engine::detect::Thresholds;
use barograph_engine::rules::{Enter, Op, RuleBook, Test, Warming};

/// Errors of a book, without the file name.
fn errors(text: &str) -> Vec<String> {
    match RuleBook::parse("book.toml", text) {
        Ok(book) => panic!("accepted: {book:?}"),
        Err(e) => e.to_string().lines().map(|l| l.trim_start_matches("book.toml:").to_owned()).collect(),
    }
}

/// Errors of a book with one rule made of this one clause, or more separated by commas; the clause starts at 4:9.
fn clause_errors(clauses: &str) -> Vec<String> {
    errors(&format!("name = \"mine\"\n[[rule]]\nid = \"HIGH_VOL\"\nall = [ {clauses} ]\n"))
}

fn check(got: &[String], want: &[&str]) {
    assert_eq!(got, want, "\n{}", got.join("\n"));
}

#[test]
fn shipped_books_hold_the_numbers_of_the_specification() {
    for name in RuleBook::SHIPPED {
        let book = RuleBook::shipped(name).unwrap();
        assert_eq!(book.name, name);
        let labels: Vec<RiskRegime> = book.rules().iter().map(|r| r.label).collect();
        assert_eq!(labels, [RiskRegime::SqueezeRisk, RiskRegime::HighVol, RiskRegime::ChopRisk]);
        assert_eq!(book.hysteresis(), matches!(name, "default" | "absolute"));
        let axes = (book.trend().len(), book.volatility().len(), book.heat().len());
        assert_eq!(axes, (4, 3, 5), "the standard axes");
        assert_eq!(book.allow_proxy, name != "seed1-strict");
        let detectors = if name == "default" { Thresholds::default() } else { Thresholds::floors() };
        assert_eq!(book.detectors, detectors, "{name}: what is stated is what the originals say");
    }
    assert!(RuleBook::shipped("seed9").is_none());
    let book = RuleBook::shipped("default").unwrap();
    let mut seen = Vec::new();
    for rule in book.rules() {
        for clause in rule.groups.iter().flat_map(|g| &g.clauses) {
            let Test::Number { op, value, exit } = clause.test else { panic!("numbers only") };
            seen.push(format!(
                "{}{}{} {} {exit} {}",
                if clause.abs { "abs " } else { "" },
                clause.feature.id(),
                op.sign(),
                value,
                clause.scale.unwrap()
            ));
        }
    }
    let want = [
        "abs funding_zscore_24h> 2 1.8 1",
        "funding_pct_30d> 0.95 0.9 0.1",
        "funding_pct_30d< 0.05 0.1 0.1",
        "oi_delta_4h> 0 0 0.05",
        "oi_delta_4h_pct_90d> 0.8 0.75 0.1",
        "oi_delta_4h> 0.1 0.09 0.05",
        "realized_vol_4h_pct_90d< 0.5 0.55 0.1",
        "realized_vol_1h< 0.3 0.33 0.1",
        "realized_vol_1h> 0.8 0.48 0.1",
        "realized_vol_1h_pct_90d> 0.9 0.6 0.1",
        "realized_vol_1h> 1.6 1.44 0.1",
        "realized_vol_4h> 0.5 0.45 0.1",
        "realized_vol_4h_pct_90d> 0.5 0.45 0.1",
        "efficiency_12h< 0.25 0.3 0.05",
        "abs oi_delta_1h< 0.02 0.022 0.01",
    ];
    assert_eq!(seen, want);
}

/// Held counts of a rule are found where its name stands.
#[test]
fn rules_are_counted_at_the_place_of_their_names() {
    let ids = |rules: Vec<&str>| rules.into_iter().map(str::to_owned).collect::<Vec<_>>();
    for name in RuleBook::SHIPPED {
        let book = RuleBook::shipped(name).unwrap();
        let names = book.counted_names();
        assert_eq!(names.len(), book.counted(), "{name}");
        for (axis, rules, resting) in [
            (Axis::Risk, ids(book.risk().rules().iter().map(|r| &*r.id).collect()), "NORMAL"),
            (Axis::Trend, ids(book.trend().rules().iter().map(|r| &*r.id).collect()), "SIDEWAYS"),
            (Axis::Volatility, ids(book.volatility().rules().iter().map(|r| &*r.id).collect()), "STABLE"),
            (Axis::Heat, ids(book.heat().rules().iter().map(|r| &*r.id).collect()), "NEUTRAL"),
        ] {
            let (first, at) = book.counted_at(axis);
            let prefix = if axis == Axis::Risk { String::new() } else { format!("{}.", axis.name()) };
            let want: Vec<String> = rules.iter().map(|id| format!("{prefix}{id}")).collect();
            assert_eq!(names[first..first + rules.len()], want, "{name}");
            assert_eq!(names[at], format!("{}.{resting}", axis.name()), "{name}");
        }
    }
}

#[test]
fn what_is_left_out_takes_the_defaults_and_they_are_the_shipped_numbers() {
    // A wider exit band than the usual one is stated, whatever else is left out.
    let wide = [", exit = 0.48", ", exit = 0.60"];
    let full = RuleBook::shipped_text("default").unwrap();
    let full = wide.iter().fold(full.to_owned(), |text, exit| text.replace(exit, &exit.to_uppercase()));
    let mut bare = String::new();
    let mut rest = &*full;
    // Take every `, exit = x` and `, scale = x` out of the file.
    while let Some(at) = [", exit = ", ", scale = "].iter().filter_map(|k| rest.find(k)).min() {
        bare.push_str(&rest[..at]);
        let tail = &rest[at + 8..];
        rest =
            &tail[tail.find([',', '}']).map_or(tail.len(), |i| if tail[i..].starts_with('}') { i - 1 } else { i })..];
    }
    bare.push_str(rest);
    let bare = bare.replace("min_dwell = \"15m\"\n", "").replace("enter = 2\n", "");
    assert!(!bare.contains("exit") && !bare.contains("scale"), "{bare}");
    let bare = bare.replace("EXIT", "exit");
    // Base rates were measured of the shipped book and go with no copy.
    let mut shipped = RuleBook::shipped("default").unwrap();
    shipped.verdict.base_rates = None;
    assert_eq!(RuleBook::parse("bare.toml", &bare).unwrap(), shipped);
}

#[test]
fn a_book_of_ones_own() {
    let book = RuleBook::parse(
        "mine.toml",
        r#"
name = "mine"
allow_aggressive = true
bias_shift = -1
rule = [{ id = "crowded", label = "SQUEEZE_RISK", any = [
  { feature = "squeeze_direction", op = "in", value = ["LONG_SQUEEZE", "SHORT_SQUEEZE"] },
  { feature = "basis_anomaly", op = "==", value = true },
  { feature = "oi_usd", op = ">=", value = 1e9, scale = 1e8 },
], enter = "immediate", min_dwell = "0s" }]
"#,
    )
    .unwrap();
    let rule = &book.rules()[0];
    assert_eq!((rule.enter, rule.min_dwell, rule.groups.len()), (Enter::Immediate, Span::ZERO, 1));
    assert_eq!(rule.groups[0].clauses[0].test, Test::Codes { mask: 3, list: true });
    assert_eq!(rule.groups[0].clauses[1].test, Test::Codes { mask: 2, list: false });
    assert_eq!(rule.groups[0].clauses[2].test, Test::Number { op: Op::Ge, value: 1e9, exit: 9e8 });
    assert_eq!((book.bias_shift, book.allow_aggressive, book.scale(Feature::OiUsd)), (-1, true, Some(1e8)));
    assert_eq!(book.risk().features(), [Feature::OiUsd, Feature::SqueezeDirection, Feature::BasisAnomaly]);
}

#[test]
fn thresholds_of_the_detectors_are_set_and_checked() {
    let with = |lines: &str| {
        format!(
            "name = \"mine\"\n[detectors]\n{lines}\n[[rule]]\nid = \"HIGH_VOL\"\nall = [{{ feature = \"realized_vol_1h\", op = \">\", value = 0.8 }}]\n"
        )
    };
    let book =
        RuleBook::parse("mine.toml", &with("own_history = false\nburst_count = 12\ncascade_window_h = 2.0")).unwrap();
    assert_eq!(book.detectors.liquidations.burst_count.to_bits(), 12.0_f64.to_bits());
    assert_eq!(book.detectors.liquidations.cascade_window, Span::hours(2));
    assert!(!book.detectors.own_history);
    assert!(
        RuleBook::parse("mine.toml", &with("")).unwrap().detectors.own_history,
        "a market's own history is the default"
    );
    let cases = [
        ("burst_cuont = 5", "3:1: unknown key 'burst_cuont' of detectors — did you mean 'burst_count'?"),
        ("own_histroy = true", "3:1: unknown key 'own_histroy' of detectors — did you mean 'own_history'?"),
        ("burst_count = 0", "3:15: 'burst_count' is 0; it lies between 1 and 10000"),
        ("basis = \"2 %\"", "3:9: 'basis' is a number, not a text"),
        ("own_history = 1", "3:15: 'own_history' is true or false, not a number"),
        ("basis_high = 0.01", "3:14: 'basis_high' is 0.01, below 'basis' of 0.02; it is the second step of the two"),
        ("premium = 0.05", "3:11: 'premium_high' is 0.02, below 'premium' of 0.05; it is the second step of the two"),
    ];
    for (line, want) in cases {
        check(&errors(&with(line)), &[want]);
    }
    let session = |more: &str| with(&format!("\n[[session]]\nname = \"NY\"\n{more}"));
    check(
        &errors(&session("zoen = \"UTC\"\nstart = \"13:00\"\nend = \"21:00\"")),
        &["6:1: unknown key 'zoen' of a session — did you mean 'zone'?"],
    );
    check(
        &errors(
            "name = \"mine\"\ndetectors = 5\n[[rule]]\nid = \"HIGH_VOL\"\nall = [{ feature = \"realized_vol_1h\", op = \">\", value = 0.8 }]\n",
        ),
        &["2:13: 'detectors' is a table such as { burst_count = 5 }"],
    );
}

#[test]
fn cuts_are_asked_for_once_each() {
    let book = RuleBook::shipped("default").unwrap();
    let cuts: Vec<String> =
        book.cuts().iter().map(|c| format!("{} {} {}", c.percentile.id(), c.op.sign(), c.theta)).collect();
    let want = [
        "funding_pct_30d > 0.95",
        "funding_pct_30d > 0.9",
        "funding_pct_30d < 0.05",
        "funding_pct_30d < 0.1",
        "oi_delta_4h_pct_90d > 0.8",
        "oi_delta_4h_pct_90d > 0.75",
        "realized_vol_4h_pct_90d < 0.5",
        "realized_vol_4h_pct_90d < 0.55",
        "realized_vol_1h_pct_90d > 0.9",
        "realized_vol_1h_pct_90d > 0.6",
        "realized_vol_4h_pct_90d > 0.5",
        "realized_vol_4h_pct_90d > 0.45",
    ];
    assert_eq!(cuts, want);
    assert!(RuleBook::shipped("absolute").unwrap().cuts().is_empty());
    let stand_in = &book.rules()[0].groups[2].clauses[0].warming;
    assert!(matches!(stand_in, Warming::Clause(c) if c.feature == Feature::OiDelta4h), "{stand_in:?}");
}

#[test]
fn every_mistake_names_its_place_and_what_was_meant() {
    check(
        &clause_errors(r#"{ feature = "realised_vol_1h", op = ">", value = 0.8 }"#),
        &["4:21: unknown feature 'realised_vol_1h' — did you mean 'realized_vol_1h'?"],
    );
    check(&clause_errors(r#"{ feature = "bananas", op = ">", value = 0.8 }"#), &["4:21: unknown feature 'bananas'"]);
    check(
        &clause_errors(r#"{ feature = "realized_vol_1h", op = ">", valeu = 0.8 }"#),
        &[
            "4:9: a clause needs a value to compare with",
            "4:50: unknown key 'valeu' of a clause — did you mean 'value'?",
        ],
    );
    check(
        &clause_errors(r#"{ feature = "squeeze_direction", op = ">", value = 1 }"#),
        &["4:47: 'squeeze_direction' is no number; compare it with == or in, not '>'"],
    );
    check(
        &clause_errors(r#"{ feature = "squeeze_direction", op = "==", value = "LONG_SQUEZE" }"#),
        &[
            "4:61: 'squeeze_direction' is never 'LONG_SQUEZE'; its words are LONG_SQUEEZE, SHORT_SQUEEZE — did you mean 'LONG_SQUEEZE'?",
        ],
    );
    check(
        &clause_errors(r#"{ feature = "realized_vol_1h", op = ">", value = "80%" }"#),
        &["4:58: 'realized_vol_1h' is a number (annualised fraction); it cannot be compared with a text"],
    );
    check(
        &clause_errors(r#"{ feature = "realized_vol_1h_pct_90d", op = ">", value = 90 }"#),
        &["4:9: 'realized_vol_1h_pct_90d > 90' can never hold: a percentile lies between 0 and 1, so 95 % is 0.95"],
    );
    check(
        &clause_errors(r#"{ feature = "oi_delta_1h", abs = true, op = "<", value = -0.02 }"#),
        &["4:9: 'abs(oi_delta_1h) < -0.02' can never hold: an absolute value is never negative"],
    );
    check(
        &clause_errors(r#"{ feature = "realized_vol_1h", op = "<", value = 0 }"#),
        &["4:9: 'realized_vol_1h < 0' can never hold: the feature has no such values"],
    );
    check(
        &clause_errors(
            r#"{ feature = "funding_zscore_24h", op = ">", value = 2 }, { feature = "funding_zscore_24h", op = "<", value = 1 }"#,
        ),
        &["4:9: rule 'HIGH_VOL' can never hold: its clauses on 'funding_zscore_24h' exclude each other"],
    );
    check(
        &clause_errors(r#"{ feature = "realized_vol_1h", op = ">", value = 0.8, exit = 0.9 }"#),
        &["4:70: exit 0.9 lies above value 0.8; for '>' it lies at or below it"],
    );
    check(
        &clause_errors(r#"{ feature = "realized_vol_1h", op = "<", value = 0.3, exit = 0.2 }"#),
        &["4:70: exit 0.2 lies below value 0.3; for '<' it lies at or above it"],
    );
    check(
        &clause_errors(r#"{ feature = "realized_vol_1h", op = ">", value = 0.8, warming = true }"#),
        &["4:63: 'warming' is for percentiles; 'realized_vol_1h' is none"],
    );
    check(
        &clause_errors(r#"{ feature = "oi_usd", op = ">", value = 1e9 }"#),
        &["4:9: 'oi_usd' has no margin unit of its own; add scale = …"],
    );
    check(
        &clause_errors(r#"{ any = [ { any = [] } ] }"#),
        &["4:21: 'any' cannot be nested here; alternatives go one level deep"],
    );
    check(&clause_errors(""), &["4:7: 'all' has no clause"]);
    check(
        &clause_errors(r#"{ feature = "realized_vol_1h", op = ">", value = inf }"#),
        &[
            "4:58: 'realized_vol_1h' is a number (annualised fraction); it cannot be compared with a number that is not finite",
        ],
    );
}

/// A mistake in one clause: what is written, the word it is found at, and the message.
#[test]
fn every_mistake_in_a_clause_names_its_word() {
    let cases = [
        (
            "5",
            "5",
            "a clause is a table such as { feature = \"realized_vol_1h\", op = \">\", value = 0.80 }, not a number",
        ),
        (r#"{ op = ">", value = 1 }"#, "{", "a clause needs a feature, as in feature = \"realized_vol_1h\""),
        (r#"{ feature = "realized_vol_1h", value = 1 }"#, "{", "a clause needs an op: one of >, >=, <, <=, ==, in"),
        (r#"{ feature = 1, op = ">", value = 1 }"#, "1,", "'feature' is a text, not a number"),
        (
            r#"{ feature = "realized_vol_1h", abs = 1, op = ">", value = 0.8 }"#,
            "1,",
            "'abs' is true or false, not a number",
        ),
        (
            r#"{ feature = "squeeze_direction", abs = true, op = "==", value = "LONG_SQUEEZE" }"#,
            "abs",
            "'squeeze_direction' has no absolute value: it is no number",
        ),
        (
            r#"{ feature = "squeeze_direction", op = "==", value = "LONG_SQUEEZE", exit = 1 }"#,
            "exit",
            "'squeeze_direction' is no number: it has no exit threshold",
        ),
        (
            r#"{ feature = "squeeze_direction", op = "==", value = "LONG_SQUEEZE", scale = 1 }"#,
            "scale",
            "'squeeze_direction' is no number: it has no scale",
        ),
        (
            r#"{ feature = "squeeze_direction", op = "in", value = "LONG_SQUEEZE" }"#,
            "\"LONG_SQUEEZE\"",
            "'in' needs a list, as in value = [\"LONG_SQUEEZE\"]",
        ),
        (
            r#"{ feature = "squeeze_direction", op = "==", value = 3 }"#,
            "3",
            "'squeeze_direction' is a word; it cannot be compared with a number",
        ),
        (
            r#"{ feature = "basis_anomaly", op = "==", value = "yes" }"#,
            "\"yes\"",
            "'basis_anomaly' is true or false; it cannot be compared with a text",
        ),
        (
            r#"{ feature = "realized_vol_1h", op = "in", value = [1] }"#,
            "\"in\"",
            "'realized_vol_1h' is a number; 'in' is for words",
        ),
        (
            r#"{ feature = "realized_vol_1h_pct_90d", op = "==", value = 0.5 }"#,
            "value",
            "'realized_vol_1h_pct_90d' is a percentile; compare it with >, >=, < or <=",
        ),
        (
            r#"{ feature = "realized_vol_1h", op = ">", value = 0.8, exit = "0.7" }"#,
            "\"0.7\"",
            "'exit' is a number, not a text",
        ),
        (
            r#"{ feature = "realized_vol_1h", op = "==", value = 0.8, exit = 0.8 }"#,
            "exit",
            "'==' has no exit threshold",
        ),
        (r#"{ feature = "realized_vol_1h", op = ">", value = 0.8, scale = 0 }"#, "0 }", "'scale' is a number above 0"),
        (
            r#"{ feature = "oi_usd", op = ">", value = 1e9, scale = 1e8 }, { feature = "oi_usd", op = "<", value = 2e9, scale = 1e7 }"#,
            "1e7",
            "scale 10000000 differs from 100000000 stated earlier for 'oi_usd'; a feature has one margin unit",
        ),
        (
            r#"{ feature = "realized_vol_1h_pct_90d", op = ">", value = 0.9, warming = 1 }"#,
            "1 }",
            "'warming' is true, false or a clause, not a number",
        ),
        (
            r#"{ feature = "realized_vol_1h_pct_90d", op = ">", value = 0.9, warming = { feature = "realized_vol_1h", op = ">", value = 0.8, warming = true } }"#,
            "warming = true",
            "a stand-in has no 'warming' of its own",
        ),
        (
            r#"{ feature = "realized_vol_1h_pct_90d", op = ">", value = 0.9, warming = { feature = "realized_vol_4h_pct_90d", op = ">", value = 0.9 } }"#,
            r#"{ feature = "realized_vol_4h"#,
            "a stand-in must not be a percentile: it has no history either",
        ),
        ("{ any = [] }", "[]", "'any' has no clause"),
        ("{ any = 5 }", "5", "'any' is a list of clauses, not a number"),
        (
            r#"{ any = [{ feature = "realized_vol_1h", op = ">", value = 0.8 }], enter = 2 }"#,
            "enter",
            "'enter' does not belong beside 'any'",
        ),
    ];
    for (clauses, word, want) in cases {
        let column = 9 + clauses.find(word).unwrap_or_else(|| panic!("{word} is not in {clauses}"));
        check(&clause_errors(clauses), &[&format!("4:{column}: {want}")]);
    }
}

#[test]
fn every_mistake_in_a_rule_names_its_line() {
    const CLAUSES: &str = r#"[{ feature = "realized_vol_1h", op = ">", value = 0.8 }]"#;
    const NONE: &str = "2:3: a rule book needs at least one [[rule]] of axis \"risk\"";
    let cases: [(String, &[&str]); 11] = [
        (
            format!("id = \"HIGH_VOL\"\nall = {CLAUSES}\nany = {CLAUSES}"),
            &["5:1: a rule has either 'all' or 'any'; put the alternatives inside all as { any = […] }"],
        ),
        ("id = \"HIGH_VOL\"".to_owned(), &["2:1: a condition needs 'all' or 'any' with at least one clause"]),
        ("id = \"HIGH_VOL\"\nany = 5".to_owned(), &["4:7: 'any' is a list of clauses, not a number"]),
        (format!("label = \"HIGH_VOL\"\nall = {CLAUSES}"), &["2:1: a rule needs an id, as in id = \"HIGH_VOL\""]),
        (
            format!("id = \"mine\"\nlabel = \"NORMAL\"\nall = {CLAUSES}"),
            &[NONE, "4:9: no rule can assert NORMAL: it is what remains when no rule holds or none can be judged"],
        ),
        (
            format!("id = \"mine\"\nlabel = \"HIGH_VOLL\"\nall = {CLAUSES}"),
            &[
                NONE,
                "4:9: unknown label 'HIGH_VOLL'; risk labels are CHOP_RISK, SQUEEZE_RISK, HIGH_VOL — did you mean 'HIGH_VOL'?",
            ],
        ),
        (
            format!("id = \"HIGH_VOL\"\naxis = \"rsk\"\nall = {CLAUSES}"),
            &[NONE, "4:8: unknown axis 'rsk' — did you mean 'risk'?"],
        ),
        (
            format!("id = \"HIGH_VOL\"\nall = {CLAUSES}\nmin_dwell = 15"),
            &["5:13: 'min_dwell' is a length of time such as \"15m\", not a number"],
        ),
        (
            format!("id = \"HIGH_VOL\"\nall = {CLAUSES}\nleave = 5\nenter = \"8d\""),
            &["5:9: 'leave' is a length of time such as \"15m\", not a number", "6:9: 'enter' of 8d is longer than 7d"],
        ),
        (
            format!("id = \"HOT\"\naxis = \"heat\"\nall = {CLAUSES}\nleave = \"5h\""),
            &[
                "2:3: a rule book needs at least one [[rule]] of axis \"risk\"",
                "6:1: 'leave' means nothing on the heat axis: none of its labels is calmer",
            ],
        ),
        (
            format!("id = \"HIGH_VOL\"\nall = {CLAUSES}\nmin_dwell = \"8d\""),
            &["5:13: 'min_dwell' of 8d is longer than 7d"],
        ),
    ];
    for (lines, want) in cases {
        check(&errors(&format!("name = \"mine\"\n[[rule]]\n{lines}\n")), want);
    }
    check(&errors("name = \"mine\"\nrule = 5\n"), &["2:8: rules are written as [[rule]] tables"]);
    check(
        &errors("name = \"mine\"\nrule = [5]\n"),
        &["2:1: a rule book needs at least one [[rule]] of axis \"risk\"", "2:9: a rule is a table, not a number"],
    );
    // Ten rules of an axis, each wider than the one before, so that every one of them decides.
    let rule = |n: u32| {
        format!(
            "[[rule]]\nid = \"r{n}\"\naxis = \"trend\"\nlabel = \"UPTREND\"\nall = [{{ feature = \"realized_vol_1h\", op = \">\", value = 0.{} }}]\n",
            99 - n
        )
    };
    let book = |count: u32| {
        let own = format!("name = \"mine\"\n[[rule]]\nid = \"HIGH_VOL\"\nall = {CLAUSES}\n");
        (0..count).map(rule).fold(own, |text, rule| text + &rule)
    };
    assert!(RuleBook::parse("book.toml", &book(9)).is_ok());
    check(&errors(&book(10)), &["2:3: 10 rules of one axis are too many; the limit is 9"]);
    let half = format!("name = \"mine\"\nbias_shift = -0.5\n[[rule]]\nid = \"HIGH_VOL\"\nall = {CLAUSES}\n");
    check(&errors(&half), &["2:14: 'bias_shift' is 0 or -1"]);
}

#[test]
fn mistakes_of_a_whole_book_come_together() {
    check(
        &errors(
            r#"nme = "mine"
freshness = "sead1"
[[rule]]
id = "wild"
axis = "trend"
min_dwell = "soon"
enter = 0
all = [{ feature = "realized_vol_1h", op = "=>", value = 1 }]
[[alert]]
type = "x"
"#,
        ),
        &[
            "1:1: a rule book needs a name, as in name = \"mine\"",
            "1:1: unknown key 'nme' of a rule book — did you mean 'name'?",
            "2:13: 'freshness' is 'sead1'; it is one of default, seed1, seed3, seed4",
            "3:3: a rule book needs at least one [[rule]] of axis \"risk\"",
            "4:6: id 'wild' is no trend label; add label = one of STRONG_UPTREND, UPTREND, DOWNTREND, STRONG_DOWNTREND",
            "6:13: 'min_dwell': 'soon' is not a length of time; write 60s, 15m, 4h or 2d",
            "7:9: 'enter' is \"immediate\", a number of consecutive evaluations from 1 to 1440, or a length of time such as \"2h\"",
            "8:44: unknown op '=>'; it is one of >, >=, <, <=, ==, in",
            "9:1: a condition needs 'all' or 'any' with at least one clause",
            "9:1: an alert rule needs an id, as in id = \"funding_hot\"",
            "10:8: unknown event type 'x'",
        ],
    );
    check(&errors("name = \"mine\"\n"), &["1:1: a rule book needs at least one [[rule]]"]);
    check(&errors("name = \"mine\"\nrule = []\n"), &["2:1: a rule book needs at least one [[rule]] of axis \"risk\""]);
    assert!(errors("name = \n")[0].starts_with("1:"), "{:?}", errors("name = \n"));
}

#[test]
fn a_rule_that_never_decides_is_found() {
    let two = |first: &str, second: &str| {
        format!(
            "name = \"mine\"\n[[rule]]\nid = \"a\"\nlabel = \"HIGH_VOL\"\nall = [{first}]\n[[rule]]\nid = \"b\"\nlabel = \"CHOP_RISK\"\nall = [{second}]\n"
        )
    };
    let vol = |op: &str, x: f64| format!("{{ feature = \"realized_vol_1h\", op = \"{op}\", value = {x} }}");
    let oi = |x: f64| format!("{{ feature = \"oi_delta_1h\", abs = true, op = \"<\", value = {x} }}");
    let told = ["6:1: rule 'b' never decides: whenever it holds, 'a' in line 2 holds first"];
    check(&errors(&two(&vol(">", 0.8), &format!("{}, {}", vol(">", 0.9), oi(0.02)))), &told);
    check(&errors(&two(&oi(0.02), &oi(0.01))), &told);
    check(&errors(&two(&format!("{{ any = [{}, {}] }}", vol(">", 0.8), oi(0.02)), &vol(">=", 1.0))), &told);
    for reachable in [
        two(&vol(">", 0.8), &vol(">", 0.7)),
        two(&format!("{}, {}", vol(">", 0.8), oi(0.02)), &vol(">", 0.9)),
        two(&vol(">", 0.8), &format!("{{ any = [{}, {}] }}", vol(">", 0.9), oi(0.02))),
        two(&oi(0.01), &oi(0.02)),
    ] {
        assert!(RuleBook::parse("book.toml", &reachable).is_ok(), "{reachable}");
    }
    check(
        &errors(&two(&vol(">", 0.8), &vol(">", 0.7)).replace("id = \"b\"", "id = \"a\"")),
        &["6:1: rule id 'a' is used before, in line 2"],
    );
}
