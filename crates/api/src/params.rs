//! Query strings, read strictly: every parameter is known, appears once, and has a value of its kind.
//!
//! Parameters are declared in groups with [`parameters!`]: the fields of a group are what handlers read and what the document lists. A
//! handler takes the groups it knows as [`Params`]; a query that has anything else is refused before the handler runs.

use crate::names::nearest;
use crate::problem::{Problem, ProblemKind};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use barograph_domain::{Span, Ts};
use core::str::FromStr;

/// The groups of parameters that a handler knows, as they were given.
#[derive(Debug)]
pub(crate) struct Params<T>(pub(crate) T);

impl<S: Sync, T: ParameterGroup> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _app: &S) -> Result<Self, Problem> {
        Self::parse(parts.uri.query())
    }
}

impl<T: ParameterGroup> Params<T> {
    /// Reads a raw query string.
    pub(crate) fn parse(raw: Option<&str>) -> Result<Self, Problem> {
        let known = if raw.is_some() { T::names() } else { Vec::new() };
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(raw.unwrap_or_default().as_bytes()) {
            if !known.contains(&name.as_ref()) {
                return Err(unknown(&name, &known));
            }
            if pairs.iter().any(|(seen, _)| *seen == name) {
                return Err(Problem::new(ProblemKind::RepeatedParameter, format!("'{name}' is given more than once"))
                    .value(value.as_ref())
                    .hint(format!("give '{name}' once")));
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(T::read(&pairs)))
    }
}

/// Parameters that belong together.
pub(crate) trait ParameterGroup: Sized {
    /// What a query may have, in the order in which clients hear of them.
    fn names() -> Vec<&'static str>;
    /// The values of a query that has no others.
    fn read(pairs: &[(String, String)]) -> Self;
}

impl ParameterGroup for () {
    fn names() -> Vec<&'static str> {
        Vec::new()
    }
    fn read(_pairs: &[(String, String)]) -> Self {}
}

macro_rules! groups {
    ($($($group:ident)*;)*) => {$(
        impl<$($group: ParameterGroup),*> ParameterGroup for ($($group,)*) {
            fn names() -> Vec<&'static str> {
                [$($group::names()),*].concat()
            }
            fn read(pairs: &[(String, String)]) -> Self {
                ($($group::read(pairs),)*)
            }
        }
    )*};
}

groups! {
    A;
    A B;
    A B C;
    A B C D;
}

/// Declares a group: a struct whose fields are parameters of the query, each with the type that the document gives it.
macro_rules! parameters {
    ($($(#[$doc:meta])* $vis:vis struct $group:ident { $($(#[$about:meta])* $name:ident: $kind:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, utoipa::IntoParams)]
        #[into_params(parameter_in = Query)]
        $vis struct $group {
            $($(#[$about])* #[param(value_type = $kind)] $vis $name: $crate::params::Given,)*
        }

        impl $crate::params::ParameterGroup for $group {
            fn names() -> Vec<&'static str> {
                vec![$($crate::params::bare(stringify!($name))),*]
            }
            fn read(pairs: &[(String, String)]) -> Self {
                Self { $($name: $crate::params::Given::of($crate::params::bare(stringify!($name)), pairs),)* }
            }
        }
    )*};
}
pub(crate) use parameters;

/// The name of a field that had to be written `r#name`.
pub(crate) fn bare(name: &'static str) -> &'static str {
    name.trim_start_matches("r#")
}

/// One parameter; an empty one counts as not given.
#[derive(Debug)]
pub(crate) struct Given {
    name: &'static str,
    text: Option<String>,
}

impl Given {
    pub(crate) fn of(name: &'static str, pairs: &[(String, String)]) -> Self {
        let given = pairs.iter().find(|(n, v)| n == name && !v.is_empty());
        Self { name, text: given.map(|(_, v)| v.clone()) }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn is_given(&self) -> bool {
        self.text.is_some()
    }

    pub(crate) fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// The text, to be taken elsewhere.
    pub(crate) fn owned(self) -> Option<String> {
        self.text
    }

    /// Words separated by commas; none where it is not given.
    pub(crate) fn words(&self) -> impl Iterator<Item = &str> {
        self.text().into_iter().flat_map(|t| t.split(',')).map(str::trim).filter(|w| !w.is_empty())
    }

    /// The text of one that must be there.
    pub(crate) fn need(&self, example: &str) -> Result<&str, Problem> {
        self.text().ok_or_else(|| self.missing().hint(format!("add {}={example}", self.name)))
    }

    fn missing(&self) -> Problem {
        Problem::new(ProblemKind::MissingParameter, format!("'{}' is missing", self.name))
    }

    /// A problem with its value, where there is one.
    pub(crate) fn refused(&self, kind: ProblemKind, why: impl core::fmt::Display, hint: &str) -> Problem {
        Problem::new(kind, format!("{}: {why}", self.name)).value(self.text().unwrap_or_default()).hint(hint)
    }

    /// A switch, off where it is not given; `otherwise` is what leaving it out means.
    pub(crate) fn flag(&self, otherwise: &str) -> Result<bool, Problem> {
        match self.text() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => {
                let hint = format!("write {}=true, or leave it out for {otherwise}", self.name);
                Err(self.refused(ProblemKind::BadRequest, format!("'{other}' is neither true nor false"), &hint))
            }
        }
    }

    /// An instant.
    pub(crate) fn instant(&self) -> Result<Option<Ts>, Problem> {
        let Some(text) = self.text() else { return Ok(None) };
        // A plus sign that was not percent-encoded arrives as a space: "…T14:35:00 01:00" meant an offset.
        let repaired = text.rsplit_once(' ').filter(|(head, _)| head.contains(':')).map(|(h, t)| format!("{h}+{t}"));
        let parsed = Ts::parse(text).or_else(|e| repaired.and_then(|r| Ts::parse(&r).ok()).ok_or(e));
        let hint = "write 2026-02-05T14:35:00Z or milliseconds since 1970";
        parsed.map(Some).map_err(|e| self.refused(ProblemKind::BadTime, e, hint))
    }

    /// An instant that must be there.
    pub(crate) fn need_instant(&self) -> Result<Ts, Problem> {
        self.need("2026-02-05T14:35:00Z")?;
        self.instant()?.ok_or_else(|| self.missing())
    }

    /// A moment of the past, never later than the present: nothing is known of the future.
    fn moment(&self, now: Ts) -> Result<Option<Ts>, Problem> {
        let Some(moment) = self.instant()? else { return Ok(None) };
        let asked = moment.asked_at(now);
        asked.map(Some).map_err(|e| self.refused(ProblemKind::BadTime, e, "ask for a moment up to now"))
    }

    /// A whole number from 1 to `most`.
    pub(crate) fn count<N>(&self, (default, most): (N, N), hint: &str) -> Result<N, Problem>
    where
        N: Copy + FromStr + PartialOrd + From<u8> + core::fmt::Display,
    {
        let Some(text) = self.text() else { return Ok(default) };
        let known = text.parse().ok().filter(|n| (N::from(1)..=most).contains(n));
        known.ok_or_else(|| self.refused(ProblemKind::BadNumber, format!("'{text}' is not between 1 and {most}"), hint))
    }

    /// Rows on a page, from 1 to `most`.
    pub(crate) fn limit(&self, limits: (usize, usize)) -> Result<usize, Problem> {
        self.count(limits, &format!("ask for at most {} and follow next_cursor", limits.1))
    }
}

parameters! {
    /// Which moment.
    pub(crate) struct AsOf {
        /// Answer with what was known then: `known_ts ≤ as_of`. ISO-8601 (UTC where no offset is given) or an epoch number.
        /// A moment that lies ahead is refused; up to a minute ahead means now.
        #[param(example = "2026-02-05T14:35:00Z")]
        as_of: Option<String>,
    }

    /// Which rule book.
    pub(crate) struct RuleBookChoice {
        /// Another stored rule book instead of the configured one.
        #[param(example = "default")]
        book: Option<String>,
    }

    /// Which stretch.
    pub(crate) struct TimeRange {
        /// First instant, included. Left out: from the beginning.
        #[param(example = "2026-02-05T00:00:00Z")]
        start: Option<String>,
        /// Last instant, excluded. Left out: to the newest.
        #[param(example = "2026-02-06T00:00:00Z")]
        end: Option<String>,
    }

    /// Which page.
    pub(crate) struct Paging {
        /// Rows on a page.
        limit: Option<usize>,
        /// `next_cursor` of the page before, with all other parameters as they were.
        cursor: Option<String>,
    }

    /// How dense.
    pub(crate) struct Every {
        /// Keep only rows whose instant is a whole multiple of this many minutes since 1970.
        #[param(example = "5m")]
        every: Option<String>,
    }
}

impl AsOf {
    /// The moment asked about, at most `now`; `None`: now.
    pub(crate) fn moment(&self, now: Ts) -> Result<Option<Ts>, Problem> {
        self.as_of.moment(now)
    }

    /// The same, here or in a body; given in both it must be given once.
    pub(crate) fn or_in_body(&self, body: Option<&str>, now: Ts) -> Result<Option<Ts>, Problem> {
        match (self.as_of.is_given(), body) {
            (true, Some(text)) => {
                Err(Problem::new(ProblemKind::RepeatedParameter, "'as_of' is given in the address and in the body")
                    .value(text)
                    .hint("give 'as_of' once"))
            }
            (false, Some(text)) => {
                let text = Some(text.to_owned()).filter(|t| !t.is_empty());
                Given { name: self.as_of.name, text }.moment(now)
            }
            (_, None) => self.moment(now),
        }
    }
}

impl RuleBookChoice {
    /// Its name; `None`: the configured one.
    pub(crate) fn name(self) -> Option<String> {
        self.book.owned()
    }
}

impl TimeRange {
    /// Both ends, in order.
    pub(crate) fn instants(&self) -> Result<(Option<Ts>, Option<Ts>), Problem> {
        let (start, end) = (self.start.instant()?, self.end.instant()?);
        check_range(start, end)?;
        Ok((start, end))
    }
}

impl Every {
    /// A whole number of minutes.
    pub(crate) fn span(&self) -> Result<Option<Span>, Problem> {
        let Some(text) = self.every.text() else { return Ok(None) };
        let hint = "write a whole number of minutes, as in 5m, 1h or 1d";
        let span = Span::parse(text).map_err(|e| self.every.refused(ProblemKind::BadNumber, e, hint))?;
        if span.0 % Span::mins(1).0 != 0 {
            let why = format!("'{text}' is not a whole number of minutes, and readings are a minute apart");
            return Err(self.every.refused(ProblemKind::BadNumber, why, hint));
        }
        Ok(Some(span))
    }
}

/// What a cursor is bound to: every parameter except the cursor and the page size.
#[derive(Debug)]
pub(crate) struct Bound(String);

impl ParameterGroup for Bound {
    fn names() -> Vec<&'static str> {
        Vec::new()
    }
    fn read(pairs: &[(String, String)]) -> Self {
        let mut bound: Vec<&(String, String)> =
            pairs.iter().filter(|(n, v)| n != "cursor" && n != "limit" && !v.is_empty()).collect();
        bound.sort();
        Self(bound.iter().fold(String::new(), |text, (n, v)| format!("{text}\n{n}={v}")))
    }
}

impl Bound {
    /// With the route's own name.
    pub(crate) fn fingerprint(&self, route: &str) -> String {
        format!("{route}{}", self.0)
    }
}

/// Refuses a word that is no `what`, with the known one that is most like it, or with all.
pub(crate) fn stranger(name: &str, what: &str, word: &str, known: &[&'static str]) -> Problem {
    let all = || known.iter().copied();
    let like = nearest(word, all()).or_else(|| nearest(&word.to_uppercase(), all()));
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

    type All = (TimeRange, Every, Paging, (AsOf, Bound));

    fn asked<T: ParameterGroup>(query: &str) -> T {
        Params::parse(Some(query)).unwrap().0
    }

    fn refused<T: ParameterGroup + core::fmt::Debug>(query: &str) -> Problem {
        Params::<T>::parse(Some(query)).unwrap_err()
    }

    #[test]
    fn strangers_and_repetitions_are_refused_by_name() {
        let p = refused::<All>("as-of=1");
        assert_eq!((p.kind, p.document().hint), (ProblemKind::UnknownParameter, Some("did you mean 'as_of'?")));
        assert_eq!(p.document().candidates, ["start", "end", "every", "limit", "cursor", "as_of"]);
        assert_eq!(refused::<All>("limit=1&limit=2").kind, ProblemKind::RepeatedParameter);
        let p = refused::<()>("x=1");
        assert_eq!(p.document().hint, Some("this address takes no parameters"));
    }

    #[test]
    fn values_are_of_their_kind() {
        let t = Ts::from_civil(2026, 2, 5, 13, 35, 0);
        for text in ["2026-02-05T14:35:00%2B01:00", "2026-02-05T14:35:00+01:00", "1770298500000", "2026-02-05+13:35"] {
            assert_eq!(asked::<TimeRange>(&format!("start={text}")).start.instant(), Ok(Some(t)), "{text}");
        }
        for (query, kind) in [
            ("start=yesterday", ProblemKind::BadTime),
            ("end=2026-13-01", ProblemKind::BadTime),
            ("start=2026-02-05&end=2026-02-05", ProblemKind::BadRange),
            ("start=2026-02-06&end=2026-02-05", ProblemKind::BadRange),
        ] {
            assert_eq!(asked::<TimeRange>(query).instants().unwrap_err().kind, kind, "{query}");
        }
        for query in ["every=90s", "every=0m", "every=often"] {
            assert_eq!(asked::<Every>(query).span().unwrap_err().kind, ProblemKind::BadNumber, "{query}");
        }
        let limit = |query: &str| asked::<Paging>(query).limit.limit((10, 100));
        for query in ["limit=0", "limit=101", "limit=-1", "limit=many"] {
            assert_eq!(limit(query).unwrap_err().kind, ProblemKind::BadNumber, "{query}");
        }
        assert_eq!(limit("limit="), Ok(10));
        assert_eq!(asked::<Every>("every=1h").span(), Ok(Some(Span::hours(1))));
        assert_eq!(asked::<TimeRange>("").start.need_instant().unwrap_err().kind, ProblemKind::MissingParameter);
    }

    #[test]
    fn the_future_is_refused() {
        let now = Ts::from_civil(2026, 2, 5, 0, 0, 0);
        let moment = |query: &str| asked::<AsOf>(query).moment(now);
        assert_eq!(moment("as_of=2030-01-01").unwrap_err().kind, ProblemKind::BadTime);
        assert_eq!(asked::<AsOf>("").or_in_body(Some("2030-01-01"), now).unwrap_err().kind, ProblemKind::BadTime);
        assert_eq!(moment("as_of=2026-02-05T00:00:59Z"), Ok(Some(now)), "a clock that runs fast");
        assert_eq!(moment("as_of=2026-01-01"), Ok(Some(Ts::from_civil(2026, 1, 1, 0, 0, 0))));
        assert_eq!(moment(""), Ok(None));
    }

    #[test]
    fn a_fingerprint_forgets_order_page_size_and_cursor_only() {
        let of = |query: &str| asked::<All>(query).3.1.fingerprint("history");
        assert_eq!(of("start=1&end=2&limit=5&cursor=c"), of("end=2&start=1"));
        assert_ne!(of("start=1"), of("start=2"));
        assert_ne!(asked::<All>("start=1").3.1.fingerprint("metrics"), of("start=1"));
    }
}
