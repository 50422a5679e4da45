//! Who imports whom: rings point inward, heavy libraries have one home, pure crates stay pure all the way down.
//!
//! The rule is the table in ARCHITECTURE.md ([`super::table`]); the truth is every member's `Cargo.toml`, and for what
//! third-party crates pull in, `Cargo.lock`. Rings are those of its chapter "Rings". Siblings do not know each other, but for
//! rings 1 and 3, whose crates stand one on another: each may import those of its rows above its own.

use super::table::{self, Ring, Row};
use super::{Finding, Tree};
use std::collections::{BTreeMap, BTreeSet};
use toml::{Table, Value};

/// Libraries that take long to build or bring a runtime: each may be used only where the table says.
const HEAVY: [&str; 20] = [
    "arrow",
    "parquet",
    "polars",
    "rusqlite",
    "sqlx",
    "postgres",
    "tokio",
    "hyper",
    "axum",
    "tower",
    "utoipa",
    "reqwest",
    "rustls",
    "tungstenite",
    "clap",
    "datafusion",
    "async-nats",
    "redis",
    "forust-ml",
    "rmcp",
];

/// Third-party libraries that rings 0 and 1 may use: no clock, file, socket, thread or randomness inside.
const PURE: [&str; 11] =
    ["flate2", "libm", "memchr", "postcard", "serde", "serde_json", "sha2", "strsim", "toml_edit", "utoipa", "uuid"];

/// Packages that must not be reachable from a pure crate, however deep.
const IMPURE: [&str; 12] = [
    "chrono",
    "crossbeam-channel",
    "getrandom",
    "jiff",
    "mio",
    "parking_lot",
    "rand",
    "rayon",
    "reqwest",
    "rusqlite",
    "socket2",
    "tokio",
];

/// What a library of the pure list brings only where a feature asks for it, and no pure crate does: random ids, which `rmcp` makes. In
/// builds of the whole workspace they could be made everywhere, so `clippy.toml` forbids them.
const ON_REQUEST: [(&str, &str); 1] = [("uuid", "getrandom")];

/// The rings whose crates stand one on another, in the order of the table.
const STACKED: [Ring; 2] = [Ring::Numbered(1), Ring::Numbered(3)];

/// One member as its manifest describes it.
#[derive(Debug)]
struct Member {
    folder: String,
    package: String,
    /// Ordinary, build and target dependencies: package names.
    uses: BTreeSet<String>,
    /// Dependencies of tests and benches only.
    tests: BTreeSet<String>,
}

pub(super) fn check(tree: &Tree<'_>) -> Result<Vec<Finding>, String> {
    let mut members = Vec::new();
    for name in tree.files.iter().filter(|n| n.starts_with("crates/") && n.ends_with("/Cargo.toml")) {
        let folder = name.split('/').nth(1).unwrap_or_default();
        members.push(member(folder, &tree.required(name)?)?);
    }
    let rows = match table::parse(&tree.required("ARCHITECTURE.md")?) {
        Ok(rows) => rows,
        Err(text) => return Ok(vec![Finding::new("ARCHITECTURE.md", text)]),
    };
    let mut findings = edges(&rows, &members);
    findings.extend(depth(&rows, &members, &lock(&tree.required("Cargo.lock")?)?));
    Ok(findings)
}

fn member(folder: &str, manifest: &str) -> Result<Member, String> {
    let table: Table = manifest.parse().map_err(|e| format!("crates/{folder}/Cargo.toml: {e}"))?;
    let package = table.get("package").and_then(|p| p.get("name")).and_then(Value::as_str).unwrap_or(folder).to_owned();
    let mut uses = BTreeSet::new();
    let targets = table.get("target").and_then(Value::as_table);
    let targets = targets.into_iter().flat_map(|t| t.values().filter_map(Value::as_table));
    for part in std::iter::once(&table).chain(targets) {
        for kind in ["dependencies", "build-dependencies"] {
            uses.extend(packages(part.get(kind)));
        }
    }
    Ok(Member { folder: folder.to_owned(), package, uses, tests: packages(table.get("dev-dependencies")).collect() })
}

/// Package names of a dependency table, renames undone.
fn packages(table: Option<&Value>) -> impl Iterator<Item = String> {
    table
        .and_then(Value::as_table)
        .into_iter()
        .flatten()
        .map(|(key, spec)| spec.get("package").and_then(Value::as_str).unwrap_or(key).to_owned())
}

fn edges(rows: &[Row], members: &[Member]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let folder_of: BTreeMap<_, _> = members.iter().map(|m| (m.package.as_str(), m.folder.as_str())).collect();
    let ring_of: BTreeMap<_, _> = rows.iter().map(|r| (r.folder.as_str(), r.ring)).collect();
    let place_of: BTreeMap<_, _> = rows.iter().enumerate().map(|(at, r)| (r.folder.as_str(), at)).collect();
    for row in rows.iter().filter(|r| members.iter().all(|m| m.folder != r.folder)) {
        findings.push(Finding::new(
            "ARCHITECTURE.md",
            format!("the crate table lists '{}', which does not exist", row.folder),
        ));
    }
    for m in members {
        let place = format!("crates/{}/Cargo.toml", m.folder);
        let Some(row) = rows.iter().find(|r| r.folder == m.folder) else {
            findings
                .push(Finding::new(place, "not in the crate table of ARCHITECTURE.md; give it a ring and a reason"));
            continue;
        };
        let inside = |names: &BTreeSet<String>| -> BTreeSet<&str> {
            names.iter().filter_map(|n| folder_of.get(n.as_str()).copied()).collect()
        };
        let imports = inside(&m.uses);
        let listed: BTreeSet<&str> = row.imports.iter().map(String::as_str).collect();
        for name in imports.symmetric_difference(&listed) {
            let what = if listed.contains(name) { "lists but the crate does not import" } else { "does not list" };
            findings.push(Finding::new(&place, format!("imports '{name}': ARCHITECTURE.md {what} it")));
        }
        // A crate may depend on itself in tests, to turn a feature on.
        let tests = inside(&m.tests);
        for name in imports.union(&tests).filter(|n| **n != m.folder) {
            let ring = ring_of.get(name).copied();
            // What stands beside the product may help to test any part of it.
            let only_tests = !imports.contains(name) && ring == Some(Ring::Beside);
            let below = STACKED.contains(&row.ring)
                && ring == Some(row.ring)
                && place_of.get(name) < place_of.get(m.folder.as_str());
            if !inward(row.ring, ring) && !only_tests && !below {
                findings.push(Finding::new(&place, format!("imports '{name}', which is not in a lower ring")));
            }
        }
        for name in &m.uses {
            findings.extend(third_party(name, m, row, &folder_of).map(|text| Finding::new(&place, text)));
        }
    }
    findings
}

fn inward(from: Ring, to: Option<Ring>) -> bool {
    match (from, to) {
        // The demo runs the venue server; tools may use each other.
        (Ring::Numbered(3) | Ring::Beside, Some(Ring::Beside)) => true,
        (_, None | Some(Ring::Beside)) => false,
        (Ring::Beside, Some(_)) => true,
        (Ring::Under2, Some(Ring::Under2)) => false,
        (Ring::Numbered(a), Some(Ring::Under2)) => a >= 2,
        (Ring::Under2, Some(Ring::Numbered(b))) => b < 2,
        (Ring::Numbered(a), Some(Ring::Numbered(b))) => b < a,
    }
}

fn third_party(name: &str, m: &Member, row: &Row, folder_of: &BTreeMap<&str, &str>) -> Option<String> {
    if folder_of.contains_key(name) {
        return None;
    }
    let heavy = HEAVY.iter().find(|h| name == **h || name.starts_with(&format!("{h}-")));
    if let Some(heavy) = heavy.filter(|h| !row.heavy.iter().any(|r| r == **h)) {
        return Some(format!("uses '{name}': the crate table gives '{heavy}' no home in '{}'", m.folder));
    }
    let pure = matches!(row.ring, Ring::Numbered(0 | 1));
    (pure && !PURE.contains(&name)).then(|| format!("uses '{name}', which is not on the list of pure libraries"))
}

/// Walks `Cargo.lock` from each pure crate's own dependencies.
fn depth(rows: &[Row], members: &[Member], lock: &BTreeMap<String, BTreeSet<String>>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let pure = |m: &&Member| rows.iter().any(|r| r.folder == m.folder && matches!(r.ring, Ring::Numbered(0 | 1)));
    let own: BTreeSet<&str> = members.iter().map(|m| m.package.as_str()).collect();
    for m in members.iter().filter(pure) {
        // Where a name has several versions, the lock says which one the crate means; there its tests' libraries stand too.
        let of_crate: Vec<&str> = lock.get(&m.package).into_iter().flatten().map(String::as_str).collect();
        let uses = m.uses.iter().map(String::as_str).filter(|n| !own.contains(n));
        let mut open: Vec<&str> =
            uses.map(|name| of_crate.iter().copied().filter(|n| named(n) == name).max().unwrap_or(name)).collect();
        let mut seen: BTreeSet<&str> = open.iter().copied().collect();
        while let Some(name) = open.pop() {
            if IMPURE.contains(&named(name)) {
                let place = format!("crates/{}/Cargo.toml", m.folder);
                let name = named(name);
                findings.push(Finding::new(place, format!("reaches '{name}' through its dependencies")));
            }
            for next in lock.get(name).into_iter().flatten() {
                if !ON_REQUEST.contains(&(named(name), named(next))) && seen.insert(next) {
                    open.push(next);
                }
            }
        }
    }
    findings
}

/// The name in an entry of a dependency list, which has a version where there are several.
fn named(entry: &str) -> &str {
    entry.split(' ').next().unwrap_or(entry)
}

/// What each package depends on. A package of which there are several versions is called `name version`, as in the lists of the lock.
fn lock(text: &str) -> Result<BTreeMap<String, BTreeSet<String>>, String> {
    let table: Table = text.parse().map_err(|e| format!("Cargo.lock: {e}"))?;
    let word = |package: &Value, key: &str| package.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let packages = || table.get("package").and_then(Value::as_array).into_iter().flatten();
    let mut versions: BTreeMap<String, usize> = BTreeMap::new();
    for package in packages() {
        *versions.entry(word(package, "name")).or_default() += 1;
    }
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages() {
        let mut name = word(package, "name");
        if versions.get(&name).is_some_and(|n| *n > 1) {
            name = format!("{name} {}", word(package, "version"));
        }
        let needs = package.get("dependencies").and_then(Value::as_array).into_iter().flatten();
        // Two of one version from different places have the place behind it.
        let entry = |text: &str| text.splitn(3, ' ').take(2).collect::<Vec<_>>().join(" ");
        graph.entry(name).or_default().extend(needs.filter_map(Value::as_str).map(entry));
    }
    Ok(graph)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: [(&str, &str, &[&str], &[&str]); 7] = [
        ("domain", "0", &[], &[]),
        ("engine", "1", &["domain"], &[]),
        ("verify", "1", &["domain", "engine"], &[]),
        ("api", "2", &["domain"], &["axum"]),
        ("store", "2", &["domain"], &[]),
        ("query", "3", &["domain", "api", "store"], &[]),
        ("app", "3", &["domain", "engine", "api", "store", "query"], &[]),
    ];

    fn rows() -> Vec<Row> {
        let own = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
        TABLE
            .iter()
            .map(|(folder, ring, imports, heavy)| Row {
                folder: (*folder).to_owned(),
                ring: Ring::Numbered(ring.parse().unwrap()),
                imports: own(imports),
                heavy: own(heavy),
            })
            .collect()
    }

    /// The workspace of [`TABLE`] with further manifest lines for one crate; the findings it gives.
    fn findings(changed: &str, lines: &str) -> Vec<String> {
        let members: Vec<_> = TABLE
            .iter()
            .map(|(folder, _, imports, heavy)| {
                let deps: Vec<_> = imports.iter().chain(*heavy).map(|d| format!("{d} = \"1\"\n")).collect();
                let more = if *folder == changed { lines } else { "" };
                let text = format!("[package]\nname = \"{folder}\"\n[dependencies]\n{}{more}", deps.concat());
                member(folder, &text).unwrap()
            })
            .collect();
        edges(&rows(), &members).into_iter().map(|f| f.to_string()).collect()
    }

    #[test]
    fn the_table_as_it_stands_is_fine() {
        assert_eq!(findings("", ""), [""; 0]);
    }

    #[test]
    fn every_wrong_edge_is_named() {
        let cases = [
            ("domain", "engine = \"1\"", "crates/domain/Cargo.toml: imports 'engine', which is not in a lower ring"),
            ("api", "store = \"1\"", "crates/api/Cargo.toml: imports 'store', which is not in a lower ring"),
            ("engine", "api = \"1\"", "crates/engine/Cargo.toml: imports 'api': ARCHITECTURE.md does not list it"),
            ("engine", "axum = \"1\"", "uses 'axum': the crate table gives 'axum' no home in 'engine'"),
            ("app", "arrow-array = \"1\"", "uses 'arrow-array': the crate table gives 'arrow' no home in 'app'"),
            ("engine", "verify = \"1\"", "crates/engine/Cargo.toml: imports 'verify', which is not in a lower ring"),
            ("query", "app = \"1\"", "crates/query/Cargo.toml: imports 'app', which is not in a lower ring"),
            ("engine", "rand = \"1\"", "uses 'rand', which is not on the list of pure libraries"),
            ("engine", "x = { version = \"1\", package = \"rand\" }", "uses 'rand', which is not on the list"),
            ("engine", "[dev-dependencies]\napi = \"1\"", "imports 'api', which is not in a lower ring"),
            ("engine", "[target.'cfg(unix)'.dependencies]\nrand = \"1\"", "uses 'rand'"),
        ];
        for (folder, lines, want) in cases {
            let got = findings(folder, lines);
            assert!(got.iter().any(|f| f.contains(want)), "{folder} + {lines}: {got:?}");
        }
    }

    #[test]
    fn what_stands_beside_is_for_ring_3_and_for_tests() {
        let mut rows = rows();
        rows.push(Row { folder: "sim".to_owned(), ring: Ring::Beside, imports: Vec::new(), heavy: Vec::new() });
        let members = |lines: &str| {
            let sim = member("sim", "[package]\nname = \"sim\"").unwrap();
            [sim, member("store", &format!("[package]\nname = \"store\"\n{lines}")).unwrap()]
        };
        let named =
            |lines: &str| edges(&rows, &members(lines)).iter().any(|f| f.to_string().contains("imports 'sim', which"));
        assert!(named("[dependencies]\nsim = \"1\""));
        assert!(!named("[dev-dependencies]\nsim = \"1\""));
        assert!(inward(Ring::Numbered(3), Some(Ring::Beside)) && !inward(Ring::Numbered(2), Some(Ring::Beside)));
    }

    #[test]
    fn what_ring_2_shares_stands_between_it_and_the_pure_rings() {
        for (ring, above) in [(0, false), (1, false), (2, true), (3, true)] {
            assert_eq!(inward(Ring::Numbered(ring), Some(Ring::Under2)), above, "{ring}");
            assert_eq!(inward(Ring::Under2, Some(Ring::Numbered(ring))), !above, "{ring}");
        }
        assert!(!inward(Ring::Under2, Some(Ring::Under2)) && !inward(Ring::Under2, Some(Ring::Beside)));
    }

    #[test]
    fn a_listed_import_that_is_gone_is_named() {
        let members = [member("engine", "[package]\nname = \"engine\"").unwrap(), member("domain", "").unwrap()];
        let got: Vec<_> = edges(&rows(), &members).into_iter().map(|f| f.to_string()).collect();
        assert!(
            got.contains(
                &"crates/engine/Cargo.toml: imports 'domain': ARCHITECTURE.md lists but the crate does not import it"
                    .into()
            )
        );
        assert!(got.iter().any(|f| f.contains("lists 'app', which does not exist")));
    }

    #[test]
    fn impurity_is_found_at_any_depth() {
        let lock = lock(
            "[[package]]\nname = \"uuid\"\ndependencies = [\"helper 1.0.0\"]\n\
             [[package]]\nname = \"serde\"\ndependencies = [\"helper 2.0.0\"]\n\
             [[package]]\nname = \"helper\"\nversion = \"1.0.0\"\ndependencies = [\"getrandom 0.2.0\"]\n\
             [[package]]\nname = \"helper\"\nversion = \"2.0.0\"\ndependencies = []",
        )
        .unwrap();
        let with = |dep: &str| vec![member("domain", &format!("[dependencies]\n{dep} = \"1\"")).unwrap()];
        let got = depth(&rows(), &with("uuid"), &lock);
        assert_eq!(got, [Finding::new("crates/domain/Cargo.toml", "reaches 'getrandom' through its dependencies")]);
        assert_eq!(depth(&rows(), &with("serde"), &lock), []);
    }
}
