//! A copy of the workspace in which every drawn mutant is compiled in at once, and a file says at run time which one is chosen.
//!
//! It lies in a folder of its own below the build output and stays there: files are written only where they differ, so that a second
//! run of the same draw compiles nothing. Rules about purity do not hold in it.

use super::product::{Mutant, PER_CRATE_MAX};
use super::{CRATES, bases};
use crate::tree;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Where everything of a run lies.
#[derive(Clone, Debug)]
pub(super) struct Beds {
    /// The copied workspace.
    pub(super) copy: PathBuf,
    /// Its build output.
    pub(super) target: PathBuf,
    /// Holds the number of the chosen mutant, or `note`.
    pub(super) chosen: PathBuf,
    /// Numbers of the mutants that were reached, one a line.
    pub(super) reached: PathBuf,
    /// Changes that do not compile, known from earlier runs.
    pub(super) refused: PathBuf,
}

impl Beds {
    pub(super) fn below(output: &Path) -> Result<Self, String> {
        let at = output.join("mutants");
        std::fs::create_dir_all(&at).map_err(|e| format!("cannot make {}: {e}", at.display()))?;
        // The copy is given these paths, and programs in it run elsewhere.
        let at = at.canonicalize().map_err(|e| format!("cannot find {}: {e}", at.display()))?;
        Ok(Self {
            copy: at.join("copy"),
            target: at.join("build"),
            chosen: at.join("chosen"),
            reached: at.join("reached"),
            refused: at.join("refused"),
        })
    }
}

/// Where mutants stand in a file of the copy, in bytes, each with its number.
type Places = Vec<(Range<usize>, u32)>;
/// The same of every file that was rewritten.
pub(super) type Standing = BTreeMap<String, Places>;

/// The crate on which all the others stand; the choosing module is put into it.
const DOMAIN: &str = "crates/domain/src/lib.rs";
const CHOOSER: &str = "crates/domain/src/mutant.rs";

/// Brings the copy up to date with these mutants in it.
pub(super) fn write(root: &Path, beds: &Beds, mutants: &[&Mutant]) -> Result<Standing, String> {
    let names = tree::files(root)?;
    let mut standing = Standing::new();
    for name in &names {
        let bytes = std::fs::read(root.join(name)).map_err(|e| format!("cannot read {name}: {e}"))?;
        let mut here: Vec<_> = mutants.iter().filter(|m| m.file == *name).copied().collect();
        if here.is_empty() && name != DOMAIN {
            put(&beds.copy, name, &bytes)?;
            continue;
        }
        let text = String::from_utf8(bytes).map_err(|e| format!("{name} is not text: {e}"))?;
        here.sort_by_key(|m| m.range.start);
        let (mut text, places) = rewritten(&text, &here)?;
        if name == DOMAIN {
            text.push_str("\n#[doc(hidden)]\n#[allow(missing_docs)]\npub mod mutant;\n");
        }
        put(&beds.copy, name, text.as_bytes())?;
        standing.insert(name.clone(), places);
    }
    put(&beds.copy, CHOOSER, chooser(beds).as_bytes())?;
    forget_others(&beds.copy, &names)?;
    Ok(standing)
}

/// A source with a choice at each of these places, which are in order; and where the choices stand in it.
fn rewritten(text: &str, mutants: &[&Mutant]) -> Result<(String, Places), String> {
    let (mut out, mut places, mut done) = (String::new(), Vec::new(), 0);
    for m in mutants {
        let (Some(before), Some(original)) = (text.get(done..m.range.start), text.get(m.range.clone())) else {
            return Err(format!("{} cannot be placed at {}", m.id, m.place()));
        };
        out.push_str(before);
        let begin = out.len();
        out.push_str(&m.change.either(original, &format!("::barograph_domain::mutant::on({})", m.number)));
        places.push((begin..out.len(), m.number));
        done = m.range.end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    Ok((out, places))
}

fn chooser(beds: &Beds) -> String {
    let path = |p: &Path| format!("{:?}", p.display().to_string());
    include_str!("chooser.txt")
        .replace("@CHOSEN@", &path(&beds.chosen))
        .replace("@REACHED@", &path(&beds.reached))
        .replace("@MOST@", &(bases(CRATES.len()) + PER_CRATE_MAX).to_string())
}

/// Writes a file where it differs: what is unchanged is not compiled again.
fn put(copy: &Path, name: &str, bytes: &[u8]) -> Result<(), String> {
    let path = copy.join(name);
    if std::fs::read(&path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    let written = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&path, bytes));
    written.map_err(|e| format!("cannot write {}: {e}", path.display()))
}

/// Files of an earlier run that are no longer there would still be compiled, or repeated as failures.
fn forget_others(copy: &Path, names: &[String]) -> Result<(), String> {
    let ours: BTreeSet<&str> = names.iter().map(String::as_str).chain([CHOOSER]).collect();
    let stray = |n: &&String| !ours.contains(n.as_str()) && copy.join(n).is_file();
    for name in tree::walk(copy)?.iter().filter(stray) {
        std::fs::remove_file(copy.join(name)).map_err(|e| format!("cannot remove {name}: {e}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutants::{product, sites};

    #[test]
    fn a_source_holds_all_its_mutants_at_once() {
        let text = "fn f(&self) -> bool {\n    self.g(1);\n    a as u8 > 2 && !b.is_empty()\n}\n";
        let places = sites::places(text, &syn::parse_file(text).unwrap());
        let source = product::Source { name: "a.rs".to_owned(), places };
        let pick = |what: &str| {
            let mut all = source.places.iter().flat_map(|p| p.changes.iter().map(move |c| (p, c)));
            let (place, change) = all.find(|(_, c)| c.what == what).unwrap();
            Mutant {
                id: String::new(),
                number: 7,
                folder: "engine",
                file: source.name.clone(),
                range: place.range.clone(),
                change: change.clone(),
            }
        };
        let (removed, turned, flipped) =
            (pick("removed: `self.g(1)`"), pick("`>` becomes `<`"), pick("flipped: `.is_empty(…)`"));
        let (out, places) = rewritten(text, &[&removed, &turned, &flipped]).unwrap();
        let on = "::barograph_domain::mutant::on(7)";
        let want = format!(
            "fn f(&self) -> bool {{\n    if !{on} {{ self.g(1); }};\n    \
             (if {on} {{ (a as u8) < (2) }} else {{ a as u8 > 2 }}) && !({on} ^ (b.is_empty()))\n}}\n"
        );
        assert_eq!(out, want);
        assert_eq!(places.len(), 3);
        assert!(out[places[1].0.clone()].starts_with("(if") && out[places[1].0.clone()].ends_with("2 })"));
        syn::parse_file(&out).unwrap();
    }
}
