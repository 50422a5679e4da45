//! Silences and matchers as people write them, read strictly.

pub use barograph_api::NewSilence;
use barograph_domain::delivery::{Compare, Matcher, Silence, message_id};
use barograph_domain::{Pattern, Severity, Span, Ts};
use barograph_notify::labels::{LABELS, Matchers};

/// Longest author and reason, characters.
const TEXT_MAX: usize = 500;
/// Longest value of a matcher, characters: a longer pattern takes long to try.
const VALUE_MAX: usize = 300;
/// Most matchers of a silence.
const MATCHERS_MAX: usize = 20;
/// Longest silence: whoever wants to hear nothing for longer takes the endpoint out.
const LONGEST: Span = Span::days(366);

/// What is wrong with a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wrong {
    /// The field it is in.
    pub field: &'static str,
    /// What was given.
    pub value: String,
    /// Why that cannot be meant, as a sentence.
    pub reason: String,
}

fn wrong(field: &'static str, value: &str, reason: impl Into<String>) -> Wrong {
    Wrong { field, value: value.to_owned(), reason: reason.into() }
}

/// `instrument=~binance-usdm:.*` and its like.
pub fn matcher(text: &str) -> Result<Matcher, Wrong> {
    let how = "write LABEL=VALUE, LABEL!=VALUE, LABEL=~PATTERN or LABEL!~PATTERN";
    let Some(at) = text.find(['=', '!']) else {
        return Err(wrong("match", text, format!("'{text}' compares nothing; {how}")));
    };
    let (label, rest) = text.split_at(at);
    let ops = [("=~", Compare::Matches), ("!~", Compare::DoesNotMatch), ("!=", Compare::IsNot), ("=", Compare::Is)];
    let found = ops.into_iter().find_map(|(sign, op)| rest.strip_prefix(sign).map(|value| (op, value)));
    let Some((op, value)) = found else {
        return Err(wrong("match", text, format!("'{text}' has no comparison; {how}")));
    };
    Ok(Matcher { label: label.trim().to_owned(), op, value: value.trim().trim_matches('"').to_owned() })
}

/// Can these matchers be meant, patterns included?
pub fn understand(matchers: &[Matcher]) -> Result<(), String> {
    let is_pattern = |op| matches!(op, Compare::Matches | Compare::DoesNotMatch);
    match matchers.iter().find(|m| is_pattern(m.op) && m.value.is_empty()) {
        Some(m) => {
            Err(format!("the pattern of '{}' is empty; write {}= for what has no {}", m.label, m.label, m.label))
        }
        None => Matchers::new(matchers).map(drop),
    }
}

/// What can be one of a few words only must be one of them: a typo would silence nothing, and nobody would notice.
fn known_word(m: &Matcher) -> Result<(), Wrong> {
    if !matches!(m.op, Compare::Is | Compare::IsNot) {
        return Ok(());
    }
    let words: Vec<&str> = match m.label.as_str() {
        "severity" => Severity::ALL.iter().map(|s| s.name()).collect(),
        "event_type" => Pattern::ALL.iter().map(|p| p.name()).collect(),
        _ => return Ok(()),
    };
    if words.contains(&m.value.as_str()) {
        return Ok(());
    }
    let like = barograph_api::nearest(&m.value, words.iter().copied());
    let hint = like.map_or_else(|| format!("there are {}", words.join(", ")), |l| format!("did you mean '{l}'?"));
    Err(wrong("matchers", &m.value, format!("'{}' is no {}; {hint}", m.value, m.label)))
}

/// A silence that begins now; `understand` says whether its patterns can be read.
pub fn silence(
    new: &NewSilence,
    now: Ts,
    understand: impl Fn(&[Matcher]) -> Result<(), String>,
) -> Result<Silence, Wrong> {
    for m in &new.matchers {
        if !LABELS.contains(&m.label.as_str()) {
            let like = barograph_api::nearest(&m.label, LABELS);
            let hint =
                like.map_or_else(|| format!("there are {}", LABELS.join(", ")), |l| format!("did you mean '{l}'?"));
            return Err(wrong("matchers", &m.label, format!("there is no label '{}'; {hint}", m.label)));
        }
        known_word(m)?;
        if m.value.chars().count() > VALUE_MAX {
            return Err(wrong(
                "matchers",
                &m.label,
                format!("the value of '{}' has more than {VALUE_MAX} characters", m.label),
            ));
        }
    }
    if new.matchers.is_empty() || new.matchers.len() > MATCHERS_MAX {
        let count = new.matchers.len().to_string();
        return Err(wrong(
            "matchers",
            &count,
            format!("a silence has 1 to {MATCHERS_MAX} matchers, this one has {count}"),
        ));
    }
    understand(&new.matchers).map_err(|reason| wrong("matchers", "", reason))?;
    for (field, text) in [("author", &new.author), ("reason", &new.reason)] {
        let length = text.trim().chars().count();
        if text.chars().any(char::is_control) {
            return Err(wrong(field, text, format!("the {field} of a silence is one line of text")));
        }
        if length == 0 || length > TEXT_MAX {
            return Err(wrong(field, text, format!("the {field} of a silence has 1 to {TEXT_MAX} characters")));
        }
    }
    let ends_at = end(new, now)?;
    let (author, reason) = (new.author.trim().to_owned(), new.reason.trim().to_owned());
    // Two silences of one moment by one author with the same words are one.
    let words = serde_json::to_string(&new.matchers).unwrap_or_default();
    let id = message_id(&format!("silence|{author}|{reason}|{words}|{}", now.0)).replace("msg_", "sil_");
    Ok(Silence { id, matchers: new.matchers.clone(), author, reason, starts_at: now, ends_at, created_at: now })
}

fn end(new: &NewSilence, now: Ts) -> Result<Ts, Wrong> {
    let (field, text, ends_at) = match (&new.ends_at, &new.duration) {
        (Some(text), None) => ("ends_at", text, Ts::parse(text).map_err(|e| wrong("ends_at", text, e.to_string()))?),
        (None, Some(text)) => {
            let span = Span::parse(text).map_err(|e| wrong("duration", text, e.to_string()))?;
            ("duration", text, Ts(now.0.saturating_add(span.0)))
        }
        (Some(text), Some(_)) => return Err(wrong("ends_at", text, "give ends_at or duration, not both")),
        (None, None) => return Err(wrong("duration", "", "say how long: duration, as in 2h, or ends_at")),
    };
    if ends_at <= now {
        return Err(wrong(field, text, format!("the silence would be over at once: it would end at {ends_at}")));
    }
    if ends_at.0.saturating_sub(now.0) > LONGEST.0 {
        return Err(wrong(field, text, format!("a silence lasts at most {} days", LONGEST.0 / Span::days(1).0)));
    }
    Ok(ends_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Ts = Ts::from_civil(2026, 2, 5, 12, 0, 0);

    #[test]
    fn matchers_are_read_as_people_write_them() {
        for (text, label, op, value) in [
            ("venue=bybit", "venue", Compare::Is, "bybit"),
            ("venue != bybit", "venue", Compare::IsNot, "bybit"),
            ("instrument=~binance-usdm:.*", "instrument", Compare::Matches, "binance-usdm:.*"),
            ("symbol!~\"BTC|ETH\"", "symbol", Compare::DoesNotMatch, "BTC|ETH"),
            ("rule=a=b!", "rule", Compare::Is, "a=b!"),
        ] {
            assert_eq!(matcher(text), Ok(Matcher { label: label.into(), op, value: value.into() }), "{text}");
        }
        for text in ["", "venue", "venue!bybit"] {
            assert!(matcher(text).unwrap_err().reason.contains("LABEL=VALUE"), "{text}");
        }
    }

    /// A mistake, the field it is in and what is said of it.
    type Case<'a> = (&'a dyn Fn(&mut NewSilence), &'a str, &'a str);

    #[test]
    fn silences_are_read_strictly() {
        let good = NewSilence {
            matchers: vec![matcher("venue=bybit").unwrap()],
            author: " ann ".to_owned(),
            reason: "work".to_owned(),
            ends_at: None,
            duration: Some("2h".to_owned()),
        };
        let read = |new: &NewSilence| silence(new, NOW, |_| Ok(()));
        let made = read(&good).unwrap();
        assert_eq!((made.author.as_str(), made.starts_at, made.ends_at), ("ann", NOW, NOW + Span::hours(2)));
        let until = NewSilence { duration: None, ends_at: Some("2026-02-05T13:00:00Z".to_owned()), ..good.clone() };
        assert_eq!(read(&until).unwrap().ends_at, NOW + Span::hours(1));
        assert_ne!(read(&NewSilence { reason: "other".to_owned(), ..good.clone() }).unwrap().id, made.id);
        let bad = |change: &dyn Fn(&mut NewSilence)| {
            let mut new = good.clone();
            change(&mut new);
            let found = read(&new).unwrap_err();
            (found.field, found.reason)
        };
        let cases: [Case<'_>; 10] = [
            (&|n| n.author = "a\0b".to_owned(), "author", "one line"),
            (&|n| n.matchers.clear(), "matchers", "1 to 20"),
            (&|n| n.matchers[0].label = "venu".to_owned(), "matchers", "did you mean 'venue'?"),
            (&|n| n.matchers[0].value = "x".repeat(301), "matchers", "more than 300"),
            (&|n| n.author = "  ".to_owned(), "author", "1 to 500"),
            (&|n| n.reason = "x".repeat(501), "reason", "1 to 500"),
            (&|n| n.duration = None, "duration", "say how long"),
            (&|n| n.ends_at = Some("2027-01-01".to_owned()), "ends_at", "not both"),
            (&|n| n.duration = Some("9000h".to_owned()), "duration", "366 days"),
            (&|n| n.duration = Some("soon".to_owned()), "duration", "soon"),
        ];
        for (change, field, words) in cases {
            let (found, reason) = bad(change);
            assert!(found == field && reason.contains(words), "{found}: {reason}");
        }
        let past = NewSilence { duration: None, ends_at: Some("2026-02-05".to_owned()), ..good.clone() };
        assert!(read(&past).unwrap_err().reason.contains("over at once"));
        assert_eq!(silence(&good, NOW, |_| Err("no pattern".to_owned())).unwrap_err().reason, "no pattern");
        let empty = [matcher("venue=bybit").unwrap(), matcher("rule=~").unwrap()];
        assert!(understand(&empty[..1]).is_ok() && understand(&empty).unwrap_err().contains("'rule' is empty"));
    }
}
