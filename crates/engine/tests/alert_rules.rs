//! Alert rules of the user's own: how they are read, and how they live through a market's minutes.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use barograph_domain::alert::AlertChange;
use barograph_domain::{Alert, Cell, Kind, Pattern, Reason, Severity, Span, Ts};
use barograph_engine::catalogue::{CATALOGUE, Feature};
use barograph_engine::detect::ruled::RuleWatch;
use barograph_engine::rules::{RuleBook, logic_version};

fn book(alerts: &str) -> Result<RuleBook, String> {
    let text = RuleBook::shipped_text("default").unwrap();
    RuleBook::parse("mine.toml", &format!("{text}\n{alerts}")).map_err(|e| e.to_string())
}

const HOT: &str = r#"
[[alert]]
id = "hot"
all = [{ feature = "realized_vol_1h", op = ">", value = 0.50, exit = 0.40 }]
severity = { MEDIUM = 0.50, HIGH = 0.80 }
pending = "2m"
min_dwell = "4m"
cooldown = "10m"
deliver_within = "10m"
text = "Volatile"
"#;

/// What a rule says of a run of minutes: each reading is a number, or `None` where it cannot be known.
fn told(book: &RuleBook, readings: &[Option<f64>]) -> Vec<(usize, AlertChange, Severity)> {
    let mut watch = RuleWatch::new(book);
    let mut out = Vec::new();
    for (minute, reading) in readings.iter().enumerate() {
        let ts = Ts::from_secs(60 * i64::try_from(minute).unwrap());
        let mut cells = vec![Cell::undefined(Reason::MissingInput); CATALOGUE.len()];
        cells[Feature::RealizedVol1h.index()] =
            reading.map_or(Cell::undefined(Reason::Gap), |x| Cell::ready_at(x, ts, Kind::Measured));
        let mut made: Vec<Alert> = Vec::new();
        watch.step(ts, book, &cells, &mut made);
        out.extend(made.into_iter().map(|a| {
            assert_eq!(a.rule.as_deref(), Some("hot"));
            (minute, a.change, a.severity)
        }));
    }
    out
}

#[test]
fn a_rule_waits_fires_rises_is_suspended_and_ends() {
    use AlertChange::{Closed, Opened, Resumed, Suspended, Updated};
    use Severity::{High, Medium};
    let book = book(HOT).unwrap();
    let (low, mid, hot) = (Some(0.3), Some(0.45), Some(0.6));
    let very = Some(0.9);
    type Case = (&'static str, Vec<Option<f64>>, Vec<(usize, AlertChange, Severity)>);
    let cases: [Case; 7] = [
        ("two minutes without a break before anybody is told", vec![hot, hot, hot], vec![(2, Opened, Medium)]),
        ("a break begins the wait anew", vec![hot, hot, low, hot, hot], vec![]),
        ("an unknown minute is a break", vec![hot, hot, None, hot, hot], vec![]),
        ("it rises", vec![hot, hot, hot, very, hot], vec![(2, Opened, Medium), (3, Updated, High)]),
        (
            "the exit band keeps it, unknown suspends it, it ends below the band",
            vec![hot, hot, hot, mid, None, None, mid, low],
            vec![(2, Opened, Medium), (4, Suspended, Medium), (6, Resumed, Medium), (7, Closed, Medium)],
        ),
        (
            "it stays for its shortest time",
            vec![hot, hot, hot, low, low, low, low],
            vec![(2, Opened, Medium), (6, Closed, Medium)],
        ),
        (
            "it is quiet after its end",
            [vec![hot, hot, hot, low, low, low, low], vec![hot; 11]].concat(),
            vec![(2, Opened, Medium), (6, Closed, Medium), (16, Opened, Medium)],
        ),
    ];
    for (what, readings, want) in cases {
        assert_eq!(told(&book, &readings), want, "{what}");
    }
}

#[test]
fn a_saved_rule_goes_on() {
    let book = book(HOT).unwrap();
    let cells = |x: f64, ts| {
        let mut cells = vec![Cell::undefined(Reason::MissingInput); CATALOGUE.len()];
        cells[Feature::RealizedVol1h.index()] = Cell::ready_at(x, ts, Kind::Measured);
        cells
    };
    let mut watch = RuleWatch::new(&book);
    for minute in 0..12 {
        let ts = Ts(0) + Span::mins(minute);
        let restored: RuleWatch = serde_json::from_str(&serde_json::to_string(&watch).unwrap()).unwrap();
        assert_eq!(restored, watch);
        let (mut a, mut b) = (Vec::new(), Vec::new());
        let mut other = restored;
        let x = if minute < 6 { 0.9 } else { 0.1 };
        watch.step(ts, &book, &cells(x, ts), &mut a);
        other.step(ts, &book, &cells(x, ts), &mut b);
        assert_eq!(a, b);
        assert_eq!(other, watch);
    }
}

#[test]
fn less_is_more_where_the_rule_says_so_and_types_are_the_users() {
    let text = HOT
        .replace("op = \">\", value = 0.50, exit = 0.40", "op = \"<\", value = 0.20, exit = 0.30")
        .replace("MEDIUM = 0.50, HIGH = 0.80", "LOW = 0.20, CRITICAL = 0.05")
        .replace("pending = \"2m\"", "type = \"FUNDING_ANOMALY\"");
    let book = book(&text).unwrap();
    assert_eq!(book.alerts()[0].kind, Pattern::FundingAnomaly);
    let changes = told(&book, &[Some(0.1), Some(0.01), Some(0.25)]);
    assert_eq!(changes, [(0, AlertChange::Opened, Severity::Low), (1, AlertChange::Updated, Severity::Critical)]);
}

#[test]
fn what_is_wrong_with_a_rule_is_said_with_its_place() {
    let cases = [
        ("id = \"hot\"", "id = \"hot one\"", "alert id 'hot one' has 1 to 40 letters"),
        ("id = \"hot\"\n", "", "an alert rule needs an id"),
        ("realized_vol_1h", "realised_vol_1h", "unknown feature 'realised_vol_1h' — did you mean 'realized_vol_1h'"),
        (
            "MEDIUM = 0.50, HIGH = 0.80",
            "MEDIUM = 0.60, HIGH = 0.80",
            "its mildest severity, MEDIUM, cannot begin later, at 0.6",
        ),
        (
            "MEDIUM = 0.50, HIGH = 0.80",
            "MEDIUM = 0.50, HIGH = 0.40",
            "HIGH begins at 0.4, which the milder severity at 0.5 has reached before",
        ),
        ("MEDIUM = 0.50", "MIDDLE = 0.50", "unknown severity 'MIDDLE'"),
        ("pending = \"2m\"", "pending = \"20 years\"", "'pending'"),
        ("pending = \"2m\"", "pending = 2", "'pending' is a length of time such as \"15m\", not a number"),
        ("pending = \"2m\"", "pendign = \"2m\"", "unknown key 'pendign' of an alert rule — did you mean 'pending'"),
        ("pending = \"2m\"", "type = \"CASCADES\"", "unknown event type 'CASCADES'"),
        ("op = \">\", value = 0.50, exit = 0.40", "op = \"<\", value = -1, exit = -0.5", "can never hold"),
    ];
    for (from, to, want) in cases {
        assert!(HOT.contains(from), "{from}");
        match book(&HOT.replacen(from, to, 1)) {
            Ok(_) => panic!("{to} was taken"),
            Err(why) => assert!(why.contains(want) && why.contains("mine.toml:"), "{to}: {why}"),
        }
    }
    let twice = format!("{HOT}{HOT}");
    assert!(book(&twice).unwrap_err().contains("alert id 'hot' is used before"));
}

#[test]
fn rules_count_in_the_logic_version_and_how_long_a_message_lives_does_not() {
    let of = |text: &str| logic_version(&book(text).unwrap(), "");
    let version = of(HOT);
    assert_ne!(version, of(""));
    assert_eq!(
        version,
        of(&HOT.replace("deliver_within = \"10m\"", "deliver_within = \"20m\"").replace("Volatile", "Wild"))
    );
    for (from, to) in [("0.80", "0.81"), ("\"2m\"", "\"3m\""), ("\"4m\"", "\"5m\""), ("exit = 0.40", "exit = 0.41")] {
        assert_ne!(version, of(&HOT.replacen(from, to, 1)), "{from}");
    }
}
