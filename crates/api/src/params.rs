//! Query strings, read strictly: every parameter is known, appears once, and has a value of its kind.

use crate::names::nearest;
use crate::problem::{Problem, ProblemKind};
use barograph_domain::{Span, Ts};

/// The parameters of one request.
#[derive(Debug)]
pub(crate) struct Params {
    pairs: Vec<(String, String)>,
}

impl Params {
    /// Reads a raw query string against the names a route knows.
    pub(crate) fn parse(raw: Option<&str>, known: &[&str]) -> Result<Self, Problem> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(raw.unwrap_or_default().as_bytes()) {
            if !known.contains(&name.as_ref()) {
                return Err(unknown(&name, known));
            }
            if pairs.iter().any(|(seen, _)| *seen == name) {
                return Err(Problem::new(ProblemKind::RepeatedParameter, format!("'{name}' is given more than once"))
                    .value(value.as_ref())
                    .hint(format!("give '{name}' once")));
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self { pairs })
    }

    /// The text of a parameter; an empty one counts as not given.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.as_str())
    }

    /// The text of a parameter that must be there.
    pub(crate) fn need(&self, name: &str, example: &str) -> Result<&str, Problem> {
        self.text(name).ok_or_else(|| {
            Problem::new(ProblemKind::MissingParameter, format!("'{name}' is missing"))
                .hint(format!("add {name}={example}"))
        })
    }

    /// A switch, off where it is not given; `otherwise` is what leaving it out means.
    pub(crate) fn flag(&self, name: &str, otherwise: &str) -> Result<bool, Problem> {
        match self.text(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => {
                Err(Problem::new(ProblemKind::BadRequest, format!("{name}: '{other}' is neither true nor false"))
                    .value(other)
                    .hint(format!("write {name}=true, or leave it out for {otherwise}")))
            }
        }
    }

    /// An instant.
    pub(crate) fn instant(&self, name: &str) -> Result<Option<Ts>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        // A plus sign that was not percent-encoded arrives as a space: "…T14:35:00 01:00" meant an offset.
        let repaired = text.rsplit_once(' ').filter(|(head, _)| head.contains(':')).map(|(h, t)| format!("{h}+{t}"));
        let parsed = Ts::parse(text).or_else(|e| repaired.and_then(|r| Ts::parse(&r).ok()).ok_or(e));
        parsed.map(Some).map_err(|e| {
            Problem::new(ProblemKind::BadTime, format!("{name}: {e}"))
                .value(text)
                .hint("write 2026-02-05T14:35:00Z or milliseconds since 1970")
        })
    }

    /// An instant that must be there.
    pub(crate) fn need_instant(&self, name: &str) -> Result<Ts, Problem> {
        self.need(name, "2026-02-05T14:35:00Z")?;
        self.instant(name)?.ok_or_else(|| Problem::new(ProblemKind::MissingParameter, format!("'{name}' is missing")))
    }

    /// `as_of`, never later than the present: nothing is known of the future.
    pub(crate) fn as_of(&self, now: Ts) -> Result<Option<Ts>, Problem> {
        let Some(moment) = self.instant("as_of")? else { return Ok(None) };
        moment.asked_at(now).map(Some).map_err(|e| {
            Problem::new(ProblemKind::BadTime, format!("as_of: {e}"))
                .value(self.text("as_of").unwrap_or_default())
                .hint("ask for a moment up to now")
        })
    }

    /// `as_of` of the query or of a body; given in both it must be given once.
    pub(crate) fn either_as_of(&self, body: Option<&str>, now: Ts) -> Result<Option<Ts>, Problem> {
        match (self.text("as_of"), body) {
            (Some(_), Some(text)) => {
                Err(Problem::new(ProblemKind::RepeatedParameter, "'as_of' is given in the address and in the body")
                    .value(text)
                    .hint("give 'as_of' once"))
            }
            (None, Some(text)) => Self { pairs: vec![("as_of".to_owned(), text.to_owned())] }.as_of(now),
            (_, None) => self.as_of(now),
        }
    }

    /// `start` and `end`, in order.
    pub(crate) fn range(&self) -> Result<(Option<Ts>, Option<Ts>), Problem> {
        let (start, end) = (self.instant("start")?, self.instant("end")?);
        check_range(start, end)?;
        Ok((start, end))
    }

    /// `every`: a whole number of minutes.
    pub(crate) fn every(&self) -> Result<Option<Span>, Problem> {
        let Some(text) = self.text("every") else { return Ok(None) };
        let bad = |detail: String| {
            Problem::new(ProblemKind::BadNumber, detail)
                .value(text)
                .hint("write a whole number of minutes, as in 5m, 1h or 1d")
        };
        let span = Span::parse(text).map_err(|e| bad(format!("every: {e}")))?;
        if span.0 % Span::mins(1).0 != 0 {
            return Err(bad(format!(
                "every: '{text}' is not a whole number of minutes, and readings are a minute apart"
            )));
        }
        Ok(Some(span))
    }

    /// `limit`, from 1 to `most`.
    pub(crate) fn limit(&self, default: usize, most: usize) -> Result<usize, Problem> {
        let Some(text) = self.text("limit") else { return Ok(default) };
        match text.parse::<usize>() {
            Ok(n) if (1..=most).contains(&n) => Ok(n),
            _ => Err(Problem::new(ProblemKind::BadNumber, format!("limit: '{text}' is not between 1 and {most}"))
                .value(text)
                .hint(format!("ask for at most {most} and follow next_cursor"))),
        }
    }

    /// What a cursor is bound to: the route's own name and every parameter except the cursor and the page size.
    pub(crate) fn fingerprint(&self, route: &str) -> String {
        let mut bound: Vec<&(String, String)> =
            self.pairs.iter().filter(|(n, v)| n != "cursor" && n != "limit" && !v.is_empty()).collect();
        bound.sort();
        bound.iter().fold(route.to_owned(), |text, (n, v)| format!("{text}\n{n}={v}"))
    }
}

/// Refuses a word that is no `what`, with the known one that is most like it, or with all.
pub(crate) fn stranger(name: &str, what: &str, word: &str, known: &[&'static str]) -> Problem {
    let like = nearest(&word.to_uppercase(), known.iter().copied());
    let hint = like.map_or_else(|| format!("there are {}", known.join(", ")), |like| format!("did you mean {like}?"));
    Problem::new(ProblemKind::BadRequest, format!("{name}: there is no {what} '{word}'"))
        .value(word)
        .hint(hint)
        .candidates(like.map(str::to_owned).into_iter().collect())
}

/// Refuses a range that ends before it begins.
pub(crate) fn check_range(start: Option<Ts>, end: Option<Ts>) -> Result<(), Problem> {
    match (start, end) {
        (Some(s), Some(e)) if e <= s => {
            Err(Problem::new(ProblemKind::BadRange, format!("end {e} is not later than start {s}"))
                .value(e.iso())
                .hint("start is part of the range, end is not: start ≤ timestamp < end"))
        }
        _ => Ok(()),
    }
}

fn unknown(name: &str, known: &[&str]) -> Problem {
    let hint = match (nearest(name, known.iter().copied()), known) {
        (Some(like), _) => format!("did you mean '{like}'?"),
        (None, []) => "this address takes no parameters".to_owned(),
        (None, _) => format!("this address takes {}", known.join(", ")),
    };
    Problem::new(ProblemKind::UnknownParameter, format!("unknown parameter '{name}'"))
        .value(name)
        .hint(hint)
        .candidates(known.iter().map(|k| (*k).to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["start", "end", "every", "limit", "as_of", "cursor"];

    fn params(query: &str) -> Params {
        Params::parse(Some(query), KNOWN).unwrap()
    }

    #[test]
    fn strangers_and_repetitions_are_refused_by_name() {
        let p = Params::parse(Some("as-of=1"), KNOWN).unwrap_err();
        assert_eq!((p.kind, p.document().hint), (ProblemKind::UnknownParameter, Some("did you mean 'as_of'?")));
        let p = Params::parse(Some("limit=1&limit=2"), KNOWN).unwrap_err();
        assert_eq!(p.kind, ProblemKind::RepeatedParameter);
        let p = Params::parse(Some("x=1"), &[]).unwrap_err();
        assert_eq!(p.document().hint, Some("this address takes no parameters"));
    }

    #[test]
    fn values_are_of_their_kind() {
        let t = Ts::from_civil(2026, 2, 5, 13, 35, 0);
        for text in ["2026-02-05T14:35:00%2B01:00", "2026-02-05T14:35:00+01:00", "1770298500000", "2026-02-05+13:35"] {
            assert_eq!(params(&format!("start={text}")).instant("start"), Ok(Some(t)), "{text}");
        }
        for (query, kind) in [
            ("start=yesterday", ProblemKind::BadTime),
            ("end=2026-13-01", ProblemKind::BadTime),
            ("start=2026-02-05&end=2026-02-05", ProblemKind::BadRange),
            ("start=2026-02-06&end=2026-02-05", ProblemKind::BadRange),
        ] {
            assert_eq!(params(query).range().unwrap_err().kind, kind, "{query}");
        }
        for query in ["every=90s", "every=0m", "every=often"] {
            assert_eq!(params(query).every().unwrap_err().kind, ProblemKind::BadNumber, "{query}");
        }
        for query in ["limit=0", "limit=101", "limit=-1", "limit=many"] {
            assert_eq!(params(query).limit(10, 100).unwrap_err().kind, ProblemKind::BadNumber, "{query}");
        }
        assert_eq!(params("limit=").limit(10, 100), Ok(10));
        assert_eq!(params("every=1h").every(), Ok(Some(Span::hours(1))));
        assert_eq!(params("").need_instant("start").unwrap_err().kind, ProblemKind::MissingParameter);
    }

    #[test]
    fn the_future_is_refused() {
        let now = Ts::from_civil(2026, 2, 5, 0, 0, 0);
        assert_eq!(params("as_of=2030-01-01").as_of(now).unwrap_err().kind, ProblemKind::BadTime);
        assert_eq!(params("").either_as_of(Some("2030-01-01"), now).unwrap_err().kind, ProblemKind::BadTime);
        assert_eq!(params("as_of=2026-02-05T00:00:59Z").as_of(now), Ok(Some(now)), "a clock that runs fast");
        assert_eq!(params("as_of=2026-01-01").as_of(now), Ok(Some(Ts::from_civil(2026, 1, 1, 0, 0, 0))));
        assert_eq!(params("").as_of(now), Ok(None));
    }

    #[test]
    fn a_fingerprint_forgets_order_page_size_and_cursor_only() {
        let of = |q: &str| params(q).fingerprint("history");
        assert_eq!(of("start=1&end=2&limit=5&cursor=c"), of("end=2&start=1"));
        assert_ne!(of("start=1"), of("start=2"));
        assert_ne!(params("start=1").fingerprint("metrics"), of("start=1"));
    }
}
