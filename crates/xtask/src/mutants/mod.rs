//! `cargo x mutants`: makes the code wrong in a hundred places, one at a time, and asks whether the tests notice.
//!
//! The places are drawn by a seed from the product code of four crates, in equal parts. To compile each alone would take hours; a copy
//! of the workspace ([`copy`]) holds them all, and each test program is compiled once and run with one of them chosen. A mutant first
//! meets the tests of its own crate, then, if it lives, those of the crates above that put it to use ([`ABOVE`]). One that makes tests
//! run for ever counts as noticed. Those that nobody can notice are listed with their reasons in `equivalent.toml`; the share is that of
//! the others. Recordings beside the checkout are not used unless `BAROGRAPH_SHARED_DATA` says where they are.

mod build;
mod changes;
mod copy;
mod equivalent;
mod judge;
mod place;
mod product;
mod programs;
mod report;
mod sites;

use crate::{Args, Failure, args, tree};
use build::{Built, Program};
use copy::{Beds, Standing};
use judge::{Outcome, Tried};
use product::Mutant;
use report::Judged;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The crates whose code is made wrong.
pub(crate) const CRATES: [&str; 4] = ["engine", "venues", "store", "notify"];

/// Tests of crates above that put a crate to use, beside its own.
struct Above {
    folder: &'static str,
    /// Arguments of `cargo test` that choose them.
    tests: &'static [&'static str],
}

const ABOVE: [Above; 4] = [
    // Files become labels, to the last digit, through the real program.
    Above { folder: "engine", tests: &["--package=barograph", "--bin=barograph", "--test=golden_replays"] },
    // `lake` gives it every format as files, `net` runs its sessions over sockets.
    Above {
        folder: "venues",
        tests: &[
            "--package=barograph-lake",
            "--package=barograph-net",
            "--lib",
            "--test=formats",
            "--test=frames",
            "--test=order",
            "--test=typed",
            "--test=rejections",
            "--test=links",
            "--test=level2",
        ],
    },
    // The program writes runs into it and reads them back.
    Above { folder: "store", tests: &["--package=barograph", "--bin=barograph", "--test=golden_replays"] },
    // The program fills its outbox and reads its receivers' settings.
    Above { folder: "notify", tests: &["--package=barograph", "--bin=barograph"] },
];

/// What was asked for.
#[derive(Debug)]
struct Asked {
    seed: u64,
    count: usize,
    crates: Vec<&'static str>,
    /// Show what would be done.
    list: bool,
    /// Only the tests of a mutant's own crate.
    own: bool,
    /// Only these of the drawn ones.
    ids: Vec<String>,
}

impl Asked {
    fn read(mut args: Args) -> Result<Self, Failure> {
        let (list, own) = (args.flag("--list"), args.flag("--own"));
        let seed = args.number("--seed", 1, 0, u64::MAX)?;
        let count = args.number("--count", 100, 1, 4_000)?;
        let crates = match args.value("--only")? {
            None => CRATES.to_vec(),
            Some(name) => vec![CRATES.into_iter().find(|c| *c == name).ok_or_else(|| {
                let known = args::did_you_mean(&name, &CRATES);
                Failure::Usage(format!("--only is '{name}'; write one of {}{known}", CRATES.join(", ")))
            })?],
        };
        let ids = args.names()?;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        Ok(Self { seed, count, crates, list, own, ids })
    }
    /// How many of the mutants fall to the crate at this place of the list.
    fn share(&self, at: usize) -> usize {
        self.count / self.crates.len() + usize::from(at < self.count % self.crates.len())
    }
}

/// Number before the first of a crate's mutants.
fn bases(at: usize) -> u32 {
    u32::try_from(at).unwrap_or_default() * product::PER_CRATE_MAX
}

/// Everything that could be drawn from one crate, in the order of the seed.
struct Deck {
    folder: &'static str,
    share: usize,
    order: Vec<Mutant>,
}

pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let asked = Asked::read(args)?;
    let root = tree::root();
    let listed = tree::text(&root, equivalent::FILE)?.ok_or_else(|| format!("{} is not text", equivalent::FILE))?;
    let listed = equivalent::read(&listed)?;
    let output = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let beds = Beds::below(&output)?;
    let mut decks = Vec::new();
    for (at, folder) in asked.crates.iter().copied().enumerate() {
        let sources = product::sources(&root, folder)?;
        equivalent::check(&listed, &sources, folder)?;
        let places: usize = sources.iter().map(|s| s.places.len()).sum();
        eprintln!("{folder}: {places} places in {} files", sources.len());
        let base = CRATES.iter().position(|c| *c == folder).map_or(0, bases);
        decks.push(Deck { folder, share: asked.share(at), order: product::order(folder, base, asked.seed, &sources) });
    }
    let mut refused = known_refused(&beds);
    if asked.list {
        for mutant in chosen(&decks, &refused) {
            println!("{}", report::drawn(mutant));
        }
        return Ok(());
    }
    let (programs, standing) = compile(&root, &beds, &decks, &mut refused)?;
    let mutants = chosen(&decks, &refused);
    let judged = judge_all(&beds, &asked, &listed, &mutants, &programs, &standing)?;
    print!("\n{}", report::table(&judged, &asked.crates));
    if report::is_enough(&judged) { Ok(()) } else { Err(Failure::Refused) }
}

/// The first of each crate that compile, as many as fall to it.
fn chosen<'d>(decks: &'d [Deck], refused: &BTreeSet<String>) -> Vec<&'d Mutant> {
    let fit = |m: &&Mutant| !refused.contains(&spelled(m));
    decks.iter().flat_map(|d| d.order.iter().filter(fit).take(d.share)).collect()
}

/// How a change is remembered that does not compile.
fn spelled(m: &Mutant) -> String {
    format!("{}\t{}\t{}\t{}", m.file, m.change.text, m.change.what, m.change.nth)
}

fn known_refused(beds: &Beds) -> BTreeSet<String> {
    std::fs::read_to_string(&beds.refused).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Compiles the own tests of the crates, leaving out mutants that do not compile until the others do.
fn compile(
    root: &Path,
    beds: &Beds,
    decks: &[Deck],
    refused: &mut BTreeSet<String>,
) -> Result<(Vec<Program>, Standing), String> {
    let packages: Vec<_> = decks.iter().map(|d| format!("--package=barograph-{}", d.folder)).collect();
    let mut args = vec!["build", "--keep-going", "--tests"];
    args.extend(packages.iter().map(String::as_str));
    loop {
        let mutants = chosen(decks, refused);
        let standing = copy::write(root, beds, &mutants)?;
        match build::build(beds, &args, &standing)? {
            Built::Programs(programs) => return Ok((programs, standing)),
            Built::Refused(numbers) => {
                for m in mutants.iter().filter(|m| numbers.contains(&m.number)) {
                    eprintln!("does not compile, another is drawn: {}", report::drawn(m));
                    refused.insert(spelled(m));
                }
                let lines: Vec<_> = refused.iter().map(String::as_str).collect();
                std::fs::write(&beds.refused, lines.join("\n"))
                    .map_err(|e| format!("cannot write {}: {e}", beds.refused.display()))?;
            }
        }
    }
}

/// Runs them all: first against their own crates, then what lives against the crates above.
fn judge_all<'m>(
    beds: &Beds,
    asked: &Asked,
    listed: &'m [equivalent::Entry],
    mutants: &[&'m Mutant],
    programs: &[Program],
    standing: &Standing,
) -> Result<Vec<Judged<'m>>, String> {
    if let Some(id) = asked.ids.iter().find(|id| mutants.iter().all(|m| m.id != **id)) {
        return Err(format!("no mutant '{id}' was drawn; --list shows those that were"));
    }
    let wanted = |m: &&&Mutant| asked.ids.is_empty() || asked.ids.contains(&m.id);
    let wanted: Vec<&'m Mutant> = mutants.iter().filter(wanted).copied().collect();
    let scratch = judge::scratch();
    let judged = |mutant: &'m Mutant, outcome| {
        let judged = Judged { mutant, outcome, equivalent: equivalent::reason(listed, mutant) };
        println!("{}", report::line(&judged));
        judged
    };
    let (mut all, mut alive) = (Vec::new(), Vec::new());
    for folder in &asked.crates {
        let here: Vec<_> = wanted.iter().filter(|m| m.folder == *folder).copied().collect();
        if here.is_empty() {
            continue;
        }
        let own = programs.iter().filter(|p| p.folder == *folder).cloned().collect();
        let tried = judge::first_runs(beds, &scratch, own)?;
        for mutant in here {
            match judge::outcome(beds, &scratch, &tried, mutant)? {
                Outcome::Survived(n) if !asked.own && equivalent::reason(listed, mutant).is_none() => {
                    eprintln!("{}: lives through its own crate's tests", mutant.id);
                    alive.push((mutant, n));
                }
                outcome => all.push(judged(mutant, outcome)),
            }
        }
    }
    for folder in &asked.crates {
        let here: Vec<_> = alive.iter().filter(|(m, _)| m.folder == *folder).collect();
        if here.is_empty() {
            continue;
        }
        let tried = above(beds, &scratch, folder, standing)?;
        for &(mutant, before) in here {
            let outcome = match judge::outcome(beds, &scratch, &tried, mutant)? {
                Outcome::Survived(n) => Outcome::Survived(n + before),
                noticed => noticed,
            };
            all.push(judged(mutant, outcome));
        }
    }
    drop(std::fs::remove_dir_all(&scratch));
    Ok(all)
}

/// The tests above a crate, compiled and run once.
fn above(beds: &Beds, scratch: &Path, folder: &str, standing: &Standing) -> Result<Vec<Tried>, String> {
    let tests = ABOVE.iter().find(|a| a.folder == folder).map_or(&[][..], |a| a.tests);
    let args: Vec<_> = ["test", "--no-run"].iter().chain(tests).copied().collect();
    match build::build(beds, &args, standing)? {
        Built::Programs(programs) => judge::first_runs(beds, scratch, programs),
        Built::Refused(numbers) => Err(format!("mutants {numbers:?} compile beside their own tests only")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Result<Asked, Failure> {
        Asked::read(Args::new(text.split_whitespace().map(str::to_owned)))
    }

    #[test]
    fn a_hundred_are_shared_out_and_mistakes_are_named() {
        let all = asked("--count 10 --seed 7").unwrap();
        assert_eq!((0..4).map(|at| all.share(at)).collect::<Vec<_>>(), [3, 3, 2, 2]);
        assert_eq!((all.seed, asked("").unwrap().count), (7, 100));
        let one = asked("--only notify engine-3").unwrap();
        assert_eq!((one.crates.clone(), one.share(0), one.ids[0].as_str()), (vec!["notify"], 100, "engine-3"));
        let Err(Failure::Usage(text)) = asked("--only notfy") else { panic!("a crate that is none was taken") };
        assert_eq!(text, "--only is 'notfy'; write one of engine, venues, store, notify; did you mean 'notify'?");
        assert!(matches!(asked("--sed 3"), Err(Failure::Usage(_))));
    }

    #[test]
    fn what_does_not_compile_makes_room_for_the_next() {
        let root = tree::root();
        let order = product::order("notify", bases(3), 1, &product::sources(&root, "notify").unwrap());
        let decks = [Deck { folder: "notify", share: 2, order }];
        let ids = |refused: &BTreeSet<String>| chosen(&decks, refused).iter().map(|m| m.id.clone()).collect::<Vec<_>>();
        let mut refused = BTreeSet::new();
        assert_eq!(ids(&refused), ["notify-1", "notify-2"]);
        refused.insert(spelled(&decks[0].order[0]));
        assert_eq!(ids(&refused), ["notify-2", "notify-3"]);
    }
}
