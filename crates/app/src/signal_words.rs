//! Which values of a signal an answer is made of, in a sentence.

use barograph_domain::text::number_of;

/// Values of a signal that some rows or minutes could know of.
pub(crate) struct UsedValues<'a> {
    pub(crate) name: &'a str,
    pub(crate) source: &'a str,
    pub(crate) scope: &'a str,
    pub(crate) revisions: u64,
    /// Of them: since when they were known is a statement of their owner.
    pub(crate) stated: u64,
    /// Of them: it is assumed.
    pub(crate) assumed: u64,
    pub(crate) digest: &'a str,
}

impl UsedValues<'_> {
    /// `of` is on what they stood, between commas.
    pub(crate) fn sentence(&self, of: &str) -> String {
        let Self { name, source, scope, revisions, stated, assumed, digest } = self;
        let of = if of.is_empty() { String::new() } else { format!(", {of}") };
        if *revisions == 0 {
            return format!("not of market data alone: {name} ({scope}){of}: no values in this stretch");
        }
        let count = |n: &u64, word: &str| match n {
            0 => String::new(),
            n => format!("; when they became known is {word} for {n} of {revisions}"),
        };
        format!(
            "not of market data alone: {name} from {source} ({scope}){of}, {}{}{}; digest {}",
            number_of(*revisions, "value"),
            count(assumed, "assumed"),
            count(stated, "stated by their owner"),
            digest.get(..16).unwrap_or_default(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_assumed_is_never_put_into_the_mouth_of_the_owner() {
        let used = |revisions, stated, assumed| {
            let digest = "0123456789abcdef0123";
            UsedValues { name: "x.a", source: "desk", scope: "*", revisions, stated, assumed, digest }
                .sentence("on 9 rows")
        };
        for (counts, words) in [
            (
                (90, 0, 87),
                "x.a from desk (*), on 9 rows, 90 values; when they became known is assumed for 87 of 90; digest",
            ),
            (
                (9, 9, 0),
                "9 values; when they became known is stated by their owner for 9 of 9; digest 0123456789abcdef",
            ),
            ((9, 0, 0), "(*), on 9 rows, 9 values; digest"),
            ((0, 0, 0), "x.a (*), on 9 rows: no values in this stretch"),
        ] {
            let text = used(counts.0, counts.1, counts.2);
            assert!(text.contains(words), "{text}");
        }
    }
}
