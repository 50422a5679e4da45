//! Logic version, input digest and snapshot id (regimes §12): what a number was made by, and from what.
//!
//! The canonical form is one `key = value` line per fact, keys sorted, numbers in shortest round-trip form, UTF-8, LF.
//! Every feature of the build is listed with its version, because a row holds them all. Texts and the book's name are
//! left out: they change no number.

use super::AlertRule;
use super::book::{Clause, Enter, RuleBook, SessionBase, Test, Warming};
use super::set::{RuleSet, Ruled};
use crate::catalogue::CATALOGUE;
use crate::explain::guidance;
use barograph_domain::{Cell, InstrumentName, Reason, RiskRegime, Span, State, Ts};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use uuid::Uuid;

type Lines = BTreeMap<String, String>;

/// The canonical form of a book together with the import policy (stamps, delays) the caller hands in.
#[must_use]
pub fn canonical(book: &RuleBook, policy: &str) -> String {
    let mut lines = Lines::new();
    settings(book, &mut lines);
    set_lines("rule", book.risk(), &mut lines);
    set_lines("rule.trend", book.trend(), &mut lines);
    set_lines("rule.volatility", book.volatility(), &mut lines);
    set_lines("rule.heat", book.heat(), &mut lines);
    for (i, alert) in book.alerts().iter().enumerate() {
        alert_lines(&format!("alert.{i:02}"), alert, &mut lines);
    }
    for row in book.postures() {
        let key = format!("posture.{}", row.when.axis());
        put(&mut lines, &key, row.when.label(), format!("{} {}", row.bias.name(), row.posture.name()));
    }
    for label in RiskRegime::ALL.into_iter().filter(|_| book.postures().is_empty()) {
        let (bias, posture) = guidance::mapping(label);
        put(&mut lines, "mapping", label.name(), format!("{} {}", bias.name(), posture.name()));
    }
    for spec in CATALOGUE {
        put(&mut lines, "feature", spec.id, spec.version);
    }
    for axis in ["risk", "trend", "volatility", "heat"] {
        put(&mut lines, "classifier", axis, "rules");
    }
    for (i, line) in policy.lines().enumerate() {
        put(&mut lines, "policy", &format!("{i:04}"), line.trim_end());
    }
    lines.iter().fold(String::new(), |mut out, (k, v)| {
        out.push_str(k);
        out.push_str(" = ");
        out.push_str(v);
        out.push('\n');
        out
    })
}

/// The settings of a book that stored readings were made with, by key: under another value of one of them the readings would be
/// others. What rules say, how labels are entered and left, postures, severities and verdicts read what is stored.
pub(crate) fn replayed_as_stored(book: &RuleBook) -> BTreeMap<String, String> {
    let mut lines = Lines::new();
    settings(book, &mut lines);
    let free = ["book.hysteresis", "book.dwell_counts", "book.allow_aggressive", "book.bias_shift"];
    // No reading comes of books and trades.
    let of_words = |key: &str| ["verdict.", "severity.", "order_flow."].iter().any(|table| key.starts_with(table));
    lines.retain(|key, _| !of_words(key) && !free.contains(&key.as_str()));
    lines
}

/// What a comparison is, in words: two clauses of the same key say the same of every reading.
pub(crate) fn clause_key(clause: &Clause) -> String {
    let mut lines = Lines::new();
    clause_lines("", clause, &mut lines);
    lines.retain(|key, _| !key.ends_with(".scale"));
    let words: Vec<String> = lines.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    words.join(" ")
}

fn settings(book: &RuleBook, lines: &mut Lines) {
    put(lines, "book", "allow_proxy", book.allow_proxy);
    put(lines, "book", "freshness", book.freshness.name());
    put(lines, "book", "span_min", book.span_min);
    put(lines, "book", "coverage_min", book.coverage_min);
    put(lines, "book", "hysteresis", book.hysteresis());
    put(
        lines,
        "book",
        "session_base",
        match book.session_base {
            SessionBase::Default => "default",
            SessionBase::Seed => "seed",
        },
    );
    for (session, x) in barograph_domain::TradingSession::ALL.iter().zip(book.session_multipliers) {
        put(lines, "book.session_multiplier", session.name(), x);
    }
    for (session, h) in barograph_domain::TradingSession::ALL.iter().zip(book.sessions.hours) {
        let hours = format!("{} {}-{} {}", h.zone.name(), h.start, h.end, h.weekends);
        put(lines, "book.session", session.name(), hours);
    }
    for (key, value) in book.detectors.lines() {
        put(lines, "detector", key, value);
    }
    // Only what is not the specification's: books from before there were such numbers keep their version.
    for (key, value) in book.order_flow.changed() {
        put(lines, "order_flow", key, value);
    }
    for (key, value) in super::levels::lines(&book.liquidity) {
        put(lines, "liquidity", key, value);
    }
    for (key, value) in book.verdict.lines() {
        put(lines, "verdict", &key, value);
    }
    for (key, value) in super::severity::lines(&book.severity) {
        put(lines, "severity", &key, value);
    }
    for (key, value) in super::drifts::lines(&book.drift_rules) {
        put(lines, "drifts", &key, value);
    }
    put(lines, "book", "trend_tf_ns", book.trend_tf.0);
    put(lines, "book", "allow_aggressive", book.allow_aggressive);
    put(lines, "book", "bias_shift", book.bias_shift);
    put(lines, "book", "dwell_counts", book.dwell.name());
}

fn set_lines<L: Ruled>(prefix: &str, set: &RuleSet<L>, lines: &mut Lines) {
    for (i, rule) in set.rules().iter().enumerate() {
        let key = format!("{prefix}.{i:02}");
        let enter = match rule.enter {
            Enter::Immediate => "immediate".to_owned(),
            Enter::After(n) => n.to_string(),
            Enter::For(span) => format!("{} ns", span.0),
        };
        put(lines, &key, "id", &rule.id);
        put(lines, &key, "label", rule.label.word());
        put(lines, &key, "enter", enter);
        put(lines, &key, "min_dwell_ns", rule.min_dwell.0);
        // Where it is not stated the version is that of books before it could be.
        if rule.leave > Span::ZERO {
            put(lines, &key, "leave_ns", rule.leave.0);
        }
        for (g, group) in rule.groups.iter().enumerate() {
            for (c, clause) in group.clauses.iter().enumerate() {
                clause_lines(&format!("{key}.group.{g:02}.clause.{c:02}"), clause, lines);
            }
        }
    }
}

/// How long messages are worth delivering is left out: it changes no record.
fn alert_lines(key: &str, alert: &AlertRule, lines: &mut Lines) {
    put(lines, key, "id", &alert.id);
    put(lines, key, "type", alert.kind.name());
    put(lines, key, "pending_ns", alert.pending.0);
    put(lines, key, "min_dwell_ns", alert.min_dwell.0);
    put(lines, key, "cooldown_ns", alert.cooldown.0);
    for (severity, from) in &alert.tiers {
        put(lines, key, &format!("severity.{}", severity.name()), from.map_or_else(String::new, |x| x.to_string()));
    }
    for (g, group) in alert.groups.iter().enumerate() {
        for (c, clause) in group.clauses.iter().enumerate() {
            clause_lines(&format!("{key}.group.{g:02}.clause.{c:02}"), clause, lines);
        }
    }
}

fn clause_lines(key: &str, clause: &Clause, lines: &mut Lines) {
    put(lines, key, "feature", clause.feature.id());
    put(lines, key, "abs", clause.abs);
    match clause.test {
        Test::Number { op, value, exit } => {
            put(lines, key, "op", op.sign());
            put(lines, key, "value", value);
            put(lines, key, "exit", exit);
        }
        Test::Codes { mask, .. } => put(lines, key, "codes", mask),
    }
    if let Some(scale) = clause.scale {
        put(lines, key, "scale", scale);
    }
    match &clause.warming {
        Warming::Unknown => {}
        Warming::Always(holds) => put(lines, key, "warming", holds),
        Warming::Clause(stand_in) => clause_lines(&format!("{key}.warming"), stand_in, lines),
    }
}

fn put(lines: &mut Lines, key: &str, field: &str, value: impl core::fmt::Display) {
    lines.insert(format!("{key}.{field}"), value.to_string());
}

/// `v` + release + `+` + the first 12 hex digits of the SHA-256 of [`canonical`].
#[must_use]
pub fn logic_version(book: &RuleBook, policy: &str) -> String {
    let digest = hex(&Sha256::digest(canonical(book, policy).as_bytes()));
    format!("v{}+{}", env!("CARGO_PKG_VERSION"), &digest[..12])
}

/// Bytes of a reading in the digest, seldom more.
const DIGEST_ROOM: usize = 40;

/// SHA-256 over (id, state, value bits) of all readings, in hex.
#[must_use]
pub fn input_digest(cells: &[Cell]) -> String {
    let mut text = Vec::with_capacity(CATALOGUE.len() * DIGEST_ROOM);
    for (spec, cell) in CATALOGUE.iter().zip(cells) {
        let (code, bits) = match cell.state {
            State::Ready => (0_u8, cell.value.to_bits()),
            State::Stale => (1, cell.value.to_bits()),
            State::Warming { .. } => (2, 0),
            State::Undefined(reason) => (16 + reason_code(reason), 0),
        };
        text.extend_from_slice(spec.id.as_bytes());
        text.extend_from_slice(&[0, code]);
        text.extend_from_slice(&bits.to_le_bytes());
    }
    hex(&Sha256::digest(&text))
}

/// Position in the list of reasons; part of the digest, so the list may only grow at its end.
fn reason_code(reason: Reason) -> u8 {
    (0_u8..).zip(Reason::ALL).find(|(_, r)| *r == reason).map_or(u8::MAX - 16, |(i, _)| i)
}

/// The name-based UUID of `barograph` among domain names.
const NAMESPACE: Uuid = Uuid::from_u128(0x53eb_e108_df3f_50ba_9a9a_982b_7695_cbde);

/// Name-based UUID: a replay yields the same id (A08).
#[must_use]
pub fn snapshot_id(instrument: &InstrumentName, ts: Ts, logic_version: &str, input_digest: &str) -> String {
    Uuid::new_v5(&NAMESPACE, format!("{instrument}|{}|{logic_version}|{input_digest}", ts.0).as_bytes()).to_string()
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let mut out = String::with_capacity(bytes.len() * 2);
    for b in bytes {
        out.push(DIGITS[usize::from(b >> 4)]);
        out.push(DIGITS[usize::from(b & 15)]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_names_do_not_count_and_numbers_do() {
        let text = RuleBook::shipped_text("default").unwrap();
        let of = |text: &str| logic_version(&RuleBook::parse("b.toml", text).unwrap(), "bars open 2s");
        let version = of(text);
        let (release, digest) = version.split_once('+').unwrap();
        assert_eq!((release, digest.len()), (concat!("v", env!("CARGO_PKG_VERSION")), 12));
        assert_eq!(
            of(&text.replace("noise, not trend", "whatever").replace("name = \"default\"", "name = \"mine\"")),
            version
        );
        for (from, to) in [
            ("value = 2.0", "value = 2.1"),
            ("exit = 1.8", "exit = 1.7"),
            ("scale = 1.0", "scale = 2.0"),
            ("enter = \"immediate\"", "enter = 1"),
            ("min_dwell = \"15m\"", "min_dwell = \"16m\""),
            ("warming = false", "warming = true"),
            ("span_min = 0.25", "span_min = 0.5"),
            ("hysteresis = true", "hysteresis = true\nallow_aggressive = true"),
            ("hysteresis = true", "hysteresis = true\nbias_shift = -1"),
            ("dwell_counts = \"bars\"", "dwell_counts = \"minutes\""),
            ("leave = \"5h\"", "leave = \"4h\""),
            ("enter = \"4h\"", "enter = \"3h\""),
            ("posture = \"HOLD\"", "posture = \"REDUCE\""),
            ("severity = \"rarity\"", "severity = \"fixed\""),
            (
                "[[rule]]",
                "[[lift]]\npattern = \"REGIME_CHANGE\"\nevent = \"hv_1h\"\nlower = 1.6\nmeasured = \"here\"\n[[rule]]",
            ),
            ("own_history = true", "own_history = false"),
            ("own_history = true", "own_history = true\nburst_count = 6"),
            (
                "[[rule]]",
                "[[alert]]\nid = \"hot\"\nall = [{ feature = \"realized_vol_1h\", op = \">\", value = 0.5 }]\n[[rule]]",
            ),
        ] {
            assert!(text.contains(from), "{from}");
            assert_ne!(of(&text.replacen(from, to, 1)), version, "{from}");
        }
        let book = RuleBook::shipped("default").unwrap();
        assert_ne!(logic_version(&book, "bars close 2s"), version);
    }

    #[test]
    fn the_canonical_form_is_sorted_lines() {
        let text = canonical(&RuleBook::shipped("absolute").unwrap(), "a\r\nb");
        assert!(text.ends_with('\n') && !text.contains('\r'));
        assert!(text.lines().is_sorted());
        for line in [
            "feature.realized_vol_1h = 1",
            "posture.risk.CHOP_RISK = CONSERVATIVE HOLD",
            "posture.volatility.EXTREME = CONSERVATIVE REDUCE",
            "policy.0001 = b",
            "rule.00.group.00.clause.00.value = 2",
            "rule.02.group.01.clause.00.exit = 0.022",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\n{text}");
        }
    }

    #[test]
    fn ids_follow_from_content() {
        let mut cells = vec![Cell::undefined(Reason::Gap); CATALOGUE.len()];
        let empty = input_digest(&cells);
        cells[3] = Cell::ready_at(0.0, Ts(0), barograph_domain::Kind::Measured);
        let zero = input_digest(&cells);
        cells[3].value = -0.0;
        let minus = input_digest(&cells);
        cells[3].state = State::Stale;
        assert!(empty != zero && zero != minus && minus != input_digest(&cells));
        let name = InstrumentName::parse("binance-usdm:BTCUSDT").unwrap();
        assert_eq!(NAMESPACE, Uuid::new_v5(&Uuid::NAMESPACE_DNS, b"barograph"));
        let id = snapshot_id(&name, Ts::from_secs(1_770_302_100), "v0.1.0+0123456789ab", &zero);
        assert_eq!(id, snapshot_id(&name, Ts::from_secs(1_770_302_100), "v0.1.0+0123456789ab", &zero));
        assert_eq!((id.len(), &id[14..15]), (36, "5"));
        assert_ne!(id, snapshot_id(&name, Ts::from_secs(1_770_302_160), "v0.1.0+0123456789ab", &zero));
    }
}
