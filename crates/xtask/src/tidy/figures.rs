//! The table of figures in docs/trust.md against `bench/targets.toml`: no figure without a promise, no promise without a figure, and
//! the same limit in both. What is wrong with either text is said by [`crate::bench::written::faults`], which its tests show.

use super::{Finding, Tree};
use crate::bench::{targets, written};

const DOCUMENT: &str = "docs/trust.md";

pub(super) fn check(tree: &Tree<'_>) -> Result<Vec<Finding>, String> {
    let promised = match targets::read(&tree.required(targets::FILE)?) {
        Ok(promised) => promised,
        Err(why) => return Ok(vec![Finding::new(targets::FILE, why)]),
    };
    let faults = written::faults(&tree.required(DOCUMENT)?, &promised);
    Ok(faults.into_iter().map(|why| Finding::new(DOCUMENT, why)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_that_nobody_promised_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            std::fs::create_dir_all(dir.path().join(name).parent().unwrap()).unwrap();
            std::fs::write(dir.path().join(name), text).unwrap();
        };
        let found = || check(&Tree { root: dir.path(), files: &[] }).unwrap();
        let promise = "[[figure]]\nid = \"a.b\"\nwhat = \"w\"\nlimit = \"at most 3 s\"\n";
        let readme = "<!-- figures: written by cargo x bench --write -->\n| what | measured | there | limit | at |\n|---|---|---|---|---|\n\
                      | w | 2 s |  | at most 3 s | abc |\n<!-- /figures -->\n";
        write(targets::FILE, promise);
        write(DOCUMENT, readme);
        assert_eq!(found(), []);
        write(DOCUMENT, &readme.replace("| w |", "| other |"));
        assert_eq!(found().len(), 2, "one figure nobody promised, one promise nobody told");
        write(targets::FILE, "nothing");
        assert_eq!(found().len(), 1);
    }
}
