//! What came of it: a line for each mutant, the survivors again, and the share that was noticed.

use super::judge::Outcome;
use super::product::Mutant;

/// Of the mutants that can be noticed, so many in a hundred have to be.
pub(super) const WANTED: usize = 95;

/// A mutant with what the tests said of it, and why nobody can notice it, where that is known.
#[derive(Clone, Debug)]
pub(super) struct Judged<'m> {
    pub(super) mutant: &'m Mutant,
    pub(super) outcome: Outcome,
    pub(super) equivalent: Option<&'m str>,
}

/// One line about a drawn mutant.
pub(super) fn drawn(mutant: &Mutant) -> String {
    format!("{:<11} {:<48} {}", mutant.id, mutant.place().trim_start_matches("crates/"), mutant.change.what)
}

/// The same with what came of it.
pub(super) fn line(judged: &Judged<'_>) -> String {
    let fate = match (&judged.outcome, judged.equivalent) {
        (Outcome::Killed(program, test), None) => format!("killed by {program}, {test}"),
        (Outcome::Killed(program, test), Some(_)) => {
            format!("killed by {program}, {test}, though it is listed as equivalent")
        }
        (Outcome::TimedOut(program), _) => format!("timed out in {program}"),
        (Outcome::Survived(_), Some(reason)) => format!("equivalent: {reason}"),
        (Outcome::Survived(0), None) => "SURVIVED: no test reaches it".to_owned(),
        (Outcome::Survived(n), None) => format!("SURVIVED {n} test programs"),
    };
    format!("{}\n            {fate}", drawn(judged.mutant))
}

/// Counts of one crate or of all.
#[derive(Clone, Copy, Default, Debug)]
struct Counts {
    all: usize,
    killed: usize,
    timed_out: usize,
    equivalent: usize,
    survived: usize,
}

impl Counts {
    fn of<'j>(judged: impl Iterator<Item = &'j Judged<'j>>) -> Self {
        let mut counts = Self::default();
        for j in judged {
            counts.all += 1;
            match (&j.outcome, j.equivalent) {
                (Outcome::Killed(..), _) => counts.killed += 1,
                (Outcome::TimedOut(_), _) => counts.timed_out += 1,
                (Outcome::Survived(_), Some(_)) => counts.equivalent += 1,
                (Outcome::Survived(_), None) => counts.survived += 1,
            }
        }
        counts
    }
    /// Those that can be noticed.
    fn open(self) -> usize {
        self.all - self.equivalent
    }
    fn noticed(self) -> usize {
        self.killed + self.timed_out
    }
    fn row(self, name: &str) -> String {
        format!(
            "{name:<8} {:>7} {:>6} {:>9} {:>8} {:>10}   {}\n",
            self.all,
            self.killed,
            self.timed_out,
            self.survived,
            self.equivalent,
            share(self.noticed(), self.open())
        )
    }
}

fn share(part: usize, whole: usize) -> String {
    if whole == 0 { "—".to_owned() } else { format!("{:.1} %", part as f64 * 100.0 / whole as f64) }
}

/// The table by crate.
pub(super) fn table(judged: &[Judged<'_>], crates: &[&str]) -> String {
    let mut out = "crate    mutants killed timed out survived equivalent   noticed\n".to_owned();
    for name in crates {
        out.push_str(&Counts::of(judged.iter().filter(|j| j.mutant.folder == *name)).row(name));
    }
    let all = Counts::of(judged.iter());
    out.push_str(&all.row("all"));
    let (noticed, open) = (all.noticed(), all.open());
    let share = share(noticed, open);
    out + &format!("\n{noticed} of {open} mutants that can be noticed were: {share}; at least {WANTED} % are wanted\n")
}

/// Were enough of them noticed?
pub(super) fn is_enough(judged: &[Judged<'_>]) -> bool {
    let all = Counts::of(judged.iter());
    all.noticed() * 100 >= all.open() * WANTED
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutants::place::{Change, Kind};

    fn mutant(folder: &'static str) -> Mutant {
        let change = Change::new("`<` becomes `<=`".to_owned(), Kind::Flipped);
        Mutant {
            id: format!("{folder}-1"),
            number: 1,
            folder,
            file: format!("crates/{folder}/src/a.rs"),
            range: 0..1,
            change,
        }
    }

    #[test]
    fn the_share_is_of_those_that_can_be_noticed() {
        let (engine, store) = (mutant("engine"), mutant("store"));
        let killed = || Outcome::Killed("engine::unit".to_owned(), "a".to_owned());
        let judged = |mutant, outcome, equivalent| Judged { mutant, outcome, equivalent };
        let mut all: Vec<_> = (0..18).map(|_| judged(&engine, killed(), None)).collect();
        all.push(judged(&store, Outcome::TimedOut("store::unit".to_owned()), None));
        all.push(judged(&store, Outcome::Survived(3), None));
        all.push(judged(&store, Outcome::Survived(0), Some("the same")));
        assert!(is_enough(&all));
        let text = table(&all, &["engine", "store"]);
        assert!(text.contains("engine        18     18         0        0          0   100.0 %\n"), "{text}");
        assert!(text.contains("store          3      0         1        1          1   50.0 %\n"), "{text}");
        assert!(text.contains("19 of 20 mutants that can be noticed were: 95.0 %"), "{text}");
        all.push(judged(&engine, Outcome::Survived(1), None));
        assert!(!is_enough(&all));
    }

    #[test]
    fn a_line_says_what_became_what_and_by_whom_it_was_noticed() {
        let engine = mutant("engine");
        let line = |outcome, equivalent| line(&Judged { mutant: &engine, outcome, equivalent });
        assert!(
            line(Outcome::Killed("engine::unit".to_owned(), "a::b".to_owned()), None)
                .contains("killed by engine::unit, a::b")
        );
        assert!(line(Outcome::Survived(0), None).contains("no test reaches it"));
        assert!(line(Outcome::Survived(2), Some("never equal")).contains("equivalent: never equal"));
        assert!(line(Outcome::Survived(2), None).starts_with("engine-1    engine/src/a.rs:0"));
    }
}
