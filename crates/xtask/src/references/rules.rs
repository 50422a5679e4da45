//! The table of `[detectors]` in `docs/rules.md`, from the keys that may be set. The rest of that page is written by hand.

use barograph_engine::detect::thresholds::{KEYS, ThresholdKey};

const HEAD: &str = "| key of `[detectors]` | means | range |\n|---|---|---|\n";

/// The page with its table as the code has it.
pub(super) fn document(page: &str) -> String {
    let (before, rest) = page.split_once(HEAD).unwrap_or((page, ""));
    let after = rest.find("\n\n").map_or("", |end| &rest[end + 1..]);
    let rows: String = KEYS.iter().map(row).collect();
    format!("{before}{HEAD}{rows}{after}")
}

fn row(key: &ThresholdKey) -> String {
    let [lo, hi] = [key.range.0, key.range.1].map(number);
    format!("| `{}` | {} | {lo} to {hi} |\n", key.name, key.meaning)
}

/// `0.05`, `10000`, but `1e-6` and `1e15`.
fn number(x: f64) -> String {
    if x == 0.0 || (1e-4..1e6).contains(&x.abs()) { x.to_string() } else { format!("{x:e}") }
}
