//! What code and documents refer to is there: sections of `docs/spec` (`features §2.7`) and `docs/sheets` (`okx §3`; in the
//! folder of a venue its own is *the* sheet), ids of requirements (`R4.10`, `A24`) and numbers of decisions (`ADR 21`).
//!
//! Checked are comments of code and the whole text of documents and tables. A word before `§` that is no document has to be one
//! of [`refs::ELSEWHERE`]: standards, books. Words in string literals are left alone; what the catalogue says of its features
//! stands in docs/features.md and is checked there.

mod defined;
mod passages;
mod refs;

use super::{Finding, Tree};
use defined::Spec;
use refs::{Reference, What};

/// Files whose text may refer to the specification.
const ENDS: [&str; 12] =
    [".rs", ".md", ".toml", ".ts", ".tsx", ".mjs", ".js", ".css", ".py", ".sh", ".sql", "Makefile"];

pub(super) fn check(tree: &Tree<'_>) -> Result<Vec<Finding>, String> {
    let spec = Spec::read(tree)?;
    let mut findings = Vec::new();
    for name in tree.having(&ENDS) {
        let Some(text) = tree.text(name)? else { continue };
        for reference in found(name, &text, &spec) {
            let dead = fault(&spec, &reference.what);
            findings.extend(dead.map(|why| Finding::new(format!("{name}:{}", reference.line), why)));
        }
    }
    Ok(findings)
}

/// Every reference of a file.
fn found(name: &str, text: &str, spec: &Spec) -> Vec<Reference> {
    let own = defined::document_at(name);
    let passages = passages::of(name, text);
    passages.iter().flat_map(|words| refs::of(words, own, |word| spec.document(word, name))).collect()
}

/// Why the reference leads nowhere, and what is near.
fn fault(spec: &Spec, what: &What) -> Option<String> {
    match what {
        What::Nameless { number, before } => Some(format!(
            "'{before} §{number}' names no document of {} or {}: write one, as in features §2.7",
            defined::FOLDER,
            defined::SHEETS
        )),
        What::Section { document, number } => (!spec.has_section(document, number)).then(|| {
            let near = spec.sections_near(document, number);
            format!("'{document} §{number}' does not exist in {document}.md; near: {near}")
        }),
        What::Id(id) => (!spec.has_id(id))
            .then(|| format!("'{id}' is defined nowhere in {}; near: {}", defined::FOLDER, spec.ids_near(id))),
        What::Decision(number) => (!spec.has_decision(*number))
            .then(|| format!("'ADR {number}' is not in {}; there are {}", defined::DECISIONS, spec.decisions_near())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEATURES: &str = "# Features\n## 1. Conventions\n### 1.1 Primitives\n## 2. Funding\n### 2.7 Proxies\n\
                            See §2.7, §1 and §9.\n\n| S01 | point |\n|S2 |\n";
    const REQUIREMENTS: &str = "- **R1.1** text\n- **R1.2** text →A01, C02\n- **R4.10** *not built yet*\n\
                                | **A01** | x |\n| **C01** | y |\n";

    const SHEET: &str = "# Venue\n## 3. Limits\n### 3.1 REST\n";

    /// The findings of a tree that has, beside a small specification, the given files; as `file:line 'what'`.
    fn check(files: &[(&str, &str)]) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let spec = [
            ("docs/spec/features.md", FEATURES),
            ("docs/spec/requirements.md", REQUIREMENTS),
            ("docs/sheets/okx.md", SHEET),
            ("docs/sheets/binance_usdm.md", SHEET),
            ("docs/adr/0007-seven.md", "# Seven\n"),
        ];
        let files: Vec<_> = spec.iter().chain(files).collect();
        for (name, text) in &files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let names: Vec<_> = files.iter().map(|(name, _)| (*name).to_owned()).collect();
        let found = super::check(&Tree { root: dir.path(), files: &names }).unwrap();
        let quoted = |m: &str| m.split('\'').nth(1).unwrap_or_default().to_owned();
        found.iter().map(|f| format!("{} {}", f.place, quoted(&f.message))).collect()
    }

    /// What the small specification itself has wrong.
    const OWN: [&str; 2] = ["docs/spec/features.md:6 features §9", "docs/spec/requirements.md:2 C02"];

    fn beside(files: &[(&str, &str)]) -> Vec<String> {
        let mut found = check(files);
        for own in OWN {
            let at = found.iter().position(|f| f == own).unwrap_or_else(|| panic!("{own} in {found:?}"));
            found.remove(at);
        }
        found
    }

    #[test]
    fn the_specification_is_checked_against_itself() {
        assert_eq!(check(&[]), OWN);
    }

    #[test]
    fn living_references_are_no_findings() {
        let living = [
            (
                "a.rs",
                "//! Proxies (features §2.7, R1.1–R1.2; A01, S01). Features §1 to §2 say\n//! more, and `features\n//! §1.1` too.",
            ),
            ("b.rs", "let x = \"features §99 R9.9 C98 okx:C98-USDT %A07\"; // C01, RFC 9110 §8.8 (okx §3.1)"),
            ("c.toml", "# features section 1, features sections 1 and 2 (RFC 8305 §5). 3 more\nx = 1 # R1.1–2"),
            (
                "d.md",
                "[features §2.7](x) and R4.10, A4 paper, sheets USD-M §3.1 and §3, version R1.1.5, 0xA77 c-A77 C#A77",
            ),
            ("crates/venues/src/okx/wire.rs", "//! Messages (sheet §3)."),
            ("crates/venues/tests/binance_session/main.rs", "//! Sheets USD-M §3, and sheet §3.1."),
            ("e.ts", "/** @description A price (features §2, R1.2). */\nconst a = 'A99';"),
            ("f.py", "\"\"\"What features §2.7 says (R1.1).\"\"\""),
            ("g.rs", "//! Why (ADR 7, ADR 0007)."),
        ];
        assert_eq!(beside(&living), [""; 0]);
    }

    #[test]
    fn every_kind_of_dead_reference_is_found_where_it_stands() {
        let cases: [(&str, &str, &[&str]); 20] = [
            ("a.rs", "\n/// Proxies (features §2.8).", &["a.rs:2 features §2.8"]),
            ("a.rs", "//! Of features §1, §7 and\n//! §8.", &["a.rs:1 features §7", "a.rs:2 features §8"]),
            ("a.rs", "//! What features\n//! §3 says.", &["a.rs:2 features §3"]),
            ("a.rs", "//! Features §1–§3 and §1–4.", &["a.rs:1 features §3", "a.rs:1 features §4"]),
            ("a.rs", "let a = 1; // R1.3", &["a.rs:1 R1.3"]),
            ("a.rs", "/// R1.1–R1.4, R1.2–5 and R6.1", &["a.rs:1 R1.4", "a.rs:1 R1.5", "a.rs:1 R6.1"]),
            ("a.rs", "/// (A01, A02; C25)", &["a.rs:1 A02", "a.rs:1 C25"]),
            ("a.rs", "/// S02", &["a.rs:1 S02"]),
            ("a.rs", "/// DESIGN §4", &["a.rs:1 DESIGN §4"]),
            ("a.rs", "/// As (§2.7) has it, plan 5 §2.", &["a.rs:1 As §2.7", "a.rs:1 5 §2"]),
            ("a.md", "# A\nfeatures §5, *R4.9*", &["a.md:2 features §5", "a.md:2 R4.9"]),
            ("CHANGELOG.md", "- A88", &["CHANGELOG.md:1 A88"]),
            ("a.toml", "# features sections 1 and 6", &["a.toml:1 features §6"]),
            ("crates/venues/src/okx/wire.rs", "//! Messages (sheet §4).", &["crates/venues/src/okx/wire.rs:1 okx §4"]),
            ("a.rs", "//! Messages (sheet §3), (okx §5).", &["a.rs:1 sheet §3", "a.rs:1 okx §5"]),
            ("docs/sheets/deribit.md", "## 1. Hosts\nsee §2", &["docs/sheets/deribit.md:2 deribit §2"]),
            ("a.ts", "/**\n * Price (features §2.9).\n */\n// R4.11", &["a.ts:2 features §2.9", "a.ts:4 R4.11"]),
            ("a.py", "# features §4\n", &["a.py:1 features §4"]),
            ("a.rs", "//! Why\n//! (ADR 8).", &["a.rs:2 ADR 8"]),
            (
                "docs/spec/risk.md",
                "## 1. Stop\nsee §2 and features §6",
                &["docs/spec/risk.md:2 risk §2", "docs/spec/risk.md:2 features §6"],
            ),
        ];
        for (name, text, expected) in cases {
            assert_eq!(beside(&[(name, text)]), expected, "{text}");
        }
    }

    #[test]
    fn what_is_near_is_said() {
        let dead = |what| {
            let mut spec = Spec::default();
            spec.add("features", FEATURES);
            spec.add("requirements", REQUIREMENTS);
            fault(&spec, &what).unwrap()
        };
        let section = |number: &str| What::Section { document: "features".into(), number: number.into() };
        assert!(dead(section("2.8")).ends_with("near: §2, §2.7"), "{}", dead(section("2.8")));
        assert!(dead(section("9")).ends_with("near: §1 … §2.7"), "{}", dead(section("9")));
        assert!(dead(What::Id("R1.7".into())).ends_with("near: R1.1 … R1.2"), "{}", dead(What::Id("R1.7".into())));
        assert!(dead(What::Id("R7.7".into())).ends_with("near: nothing"), "{}", dead(What::Id("R7.7".into())));
    }
}
