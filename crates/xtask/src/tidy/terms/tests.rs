use super::*;

const TABLES: &str = "<!-- words: checked by tidy -->\n| w | m | n | c | u |\n|---|---|---|---|---|\n\
    | `deliver` | hand over | `tell`, `told` | `tell`, `told` | `apart` |\n\
    | `liquidation` | close by the venue | `forced` | `forced close` | — |\n\
    | `rule book` | rules | `Book` | — | — |\n<!-- /words -->\n\
    <!-- types: checked by tidy -->\n| t | i | c |\n|---|---|---|\n| `Error` | why not | `a`, `b` |\n<!-- /types -->\n";

/// What makes the row about `Error` true.
const ERRORS: [(&str, &str); 2] =
    [("crates/a/src/error.rs", "pub enum Error {}"), ("crates/b/src/error.rs", "pub enum Error {}")];

/// Findings of these files, as `place 'what'`.
fn check(files: &[(&str, &str)]) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let files: Vec<_> = [(GLOSSARY, TABLES)].iter().chain(&ERRORS).chain(files).copied().collect();
    for (name, text) in &files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let names: Vec<_> = files.iter().map(|(name, _)| (*name).to_owned()).collect();
    let mut found = super::check(&Tree { root: dir.path(), files: &names }).unwrap();
    found.sort();
    let quoted = |m: &str| m.split('\'').nth(1).unwrap_or_default().to_owned();
    found.iter().map(|f| format!("{} {}", f.place, quoted(&f.message))).collect()
}

#[test]
fn words_of_the_glossary_are_found_in_comments() {
    let text = "//! People are told.\nfn a() {} // Tell, and go on\n/* a forced\n   close */\n/// Forced\n/// closes; a forced\n/// close.\n";
    assert_eq!(
        check(&[("crates/a/src/x.rs", text)]),
        [
            "crates/a/src/x.rs:1 told",
            "crates/a/src/x.rs:2 tell",
            "crates/a/src/x.rs:3 forced close",
            "crates/a/src/x.rs:6 forced close"
        ]
    );
    assert_eq!(check(&[("crates/a/tests/x.rs", "// told")]), ["crates/a/tests/x.rs:1 told"], "tests have comments too");
}

#[test]
fn what_is_said_otherwise_or_is_no_comment_is_right() {
    let right =
        "//! Labels tell alerts apart; the field `told`; a teller.\nconst A: &str = \"told // told\";\nlet told = 1;";
    assert_eq!(check(&[("crates/a/src/x.rs", right)]), [""; 0]);
}

#[test]
fn words_of_the_glossary_are_found_in_names() {
    let text = "pub fn tell_all() {}\npub(crate) struct LastTold;\npub(super) const FORCED: u8 = 1;\npub struct Book;\n\
                fn told() {}\npub struct OrderBook;\npub fn book() {}\npub struct Toll { pub told: u8 }\n\
                #[cfg(test)]\nmod tests { pub fn told() {} }";
    let found = check(&[("crates/a/src/x.rs", text), ("crates/a/benches/x.rs", "pub fn told() {}")]);
    let at = |line: u8, what: &str| format!("crates/a/src/x.rs:{line} {what}");
    assert_eq!(found, [at(1, "tell"), at(2, "told"), at(3, "forced"), at(4, "Book"), at(5, "told")]);
}

#[test]
fn names_are_taken_apart_at_underscores_and_capitals() {
    for (name, want) in [
        ("tell_all", vec!["tell", "all"]),
        ("LastTold", vec!["last", "told"]),
        ("TELL_EVERY", vec!["tell", "every"]),
        ("Side3", vec!["side3"]),
        ("x", vec!["x"]),
    ] {
        assert_eq!(parts(name), want, "{name}");
    }
}

#[test]
fn a_docstring_of_one_word_is_none() {
    let text = "/// What.\npub a: u8,\n/// See the module.\npub struct B;\n/// Which one.\npub c: u8,\n/// `BASE/QUOTE`.\n\
                pub d: u8,\n/// Price.\n/// In quote units.\npub e: u8,\n// Plain.\n";
    assert_eq!(
        check(&[("crates/a/src/x.rs", text)]),
        ["crates/a/src/x.rs:1 What.", "crates/a/src/x.rs:3 See the module."]
    );
    assert_eq!(check(&[("crates/a/tests/x.rs", text)]), [""; 0], "of test code none is asked");
}

#[test]
fn texts_that_are_answered_stay() {
    let document =
        (DOCUMENT, "{ \"description\": \"Why.\", \"description\": \"What people were told, and \\\"when\\\".\" }");
    let text = "/// Why.\npub a: u8,\n/// What people were told, and \"when\".\npub b: u8,";
    let place = "crates/api/src/x.rs";
    assert_eq!(check(&[document, (place, text)]), [""; 0]);
    assert_eq!(check(&[("crates/app/src/cli/x.rs", text)]), [""; 0], "help of the command line");
    assert_eq!(check(&[(place, text)]).len(), 2, "without the document nothing is answered");
    assert_eq!(check(&[document, (place, "/// When.\npub a: u8,")]).len(), 1, "a part of a description is none");
}

#[test]
fn a_name_of_types_in_two_crates_is_one_idea_or_none() {
    let found = |a: &str, b: &str| check(&[("crates/a/src/x.rs", a), ("crates/b/src/y.rs", b)]);
    assert_eq!(found("pub struct Row;", "\npub(crate) enum Row {}"), ["crates/a/src/x.rs:1 Row"]);
    assert_eq!(found("pub(super) struct Row;", "pub type Row = u8;"), [""; 0], "seen in one crate only");
    assert_eq!(found("pub fn row() {}\nstruct Row;", "pub mod row;"), [""; 0]);
    let in_tests = "#[cfg(test)]\nmod rig;";
    let rig = ("crates/a/src/x/rig.rs", "pub(crate) struct Row;");
    assert_eq!(check(&[("crates/a/src/x.rs", in_tests), rig, ("crates/b/src/y.rs", "pub struct Row;")]), [""; 0]);
}

#[test]
fn a_shared_name_is_listed_for_every_crate_that_has_it_and_for_no_other() {
    assert_eq!(check(&[("crates/c/src/x.rs", "pub enum Error {}")]), ["crates/a/src/error.rs:1 Error"]);
    let gone = super::shared(&Types::new(), &Glossary::parse(TABLES).unwrap());
    assert_eq!(gone.len(), 1, "{gone:?}");
    assert!(gone[0].message.starts_with("no type 'Error' in a, b"), "{gone:?}");
}
