//! The crate table of ARCHITECTURE.md, which is the rule and the documentation at once.
//!
//! It stands between the two marker comments; columns are crate, ring, imports, heavy dependencies. Names are in
//! backticks, an empty cell is a dash.

/// Markers around the table.
pub(super) const BEGIN: &str = "<!-- crates: checked by tidy -->";
pub(super) const END: &str = "<!-- /crates -->";

/// Where a crate stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ring {
    /// Imports point to a lower number.
    Numbered(u8),
    /// What crates of ring 2 share of the outside world: they and ring 3 may import it, it imports none of them.
    Under2,
    /// A tool beside the product: may import anything; ring 3, other tools and tests may import it.
    Beside,
}

/// One row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Row {
    /// Folder under `crates/`.
    pub(super) folder: String,
    pub(super) ring: Ring,
    /// Folders of the crates it imports.
    pub(super) imports: Vec<String>,
    /// Heavy libraries it may use.
    pub(super) heavy: Vec<String>,
}

/// Reads the table.
pub(super) fn parse(text: &str) -> Result<Vec<Row>, String> {
    let inside = text
        .split_once(BEGIN)
        .and_then(|(_, rest)| rest.split_once(END))
        .map(|(inside, _)| inside)
        .ok_or_else(|| format!("the crate table is missing: put it between '{BEGIN}' and '{END}'"))?;
    let lines = inside.lines().filter(|l| l.starts_with('|'));
    lines.skip(2).map(row).collect()
}

fn row(line: &str) -> Result<Row, String> {
    let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [name, ring, imports, heavy, ..] = cells[..] else {
        return Err(format!("'{line}' has fewer than four cells"));
    };
    let ring = match ring {
        "beside" => Ring::Beside,
        "under 2" => Ring::Under2,
        digit => Ring::Numbered(
            digit.parse().map_err(|_e| format!("'{digit}' is not a ring; write 0 to 3, under 2 or beside"))?,
        ),
    };
    let folder = names(name).pop().ok_or_else(|| format!("'{name}' names no crate; put it in backticks"))?;
    Ok(Row { folder, ring, imports: names(imports), heavy: names(heavy) })
}

/// The texts in backticks, in order.
fn names(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_rows_between_the_markers() {
        let text = format!(
            "| `no` | 0 | — | — |\n{BEGIN}\n| crate | ring | imports | heavy |\n|---|---|---|---|\n\
             | `lake` | 2 | `domain`, `venues` | `arrow` |\n| `xtask` | beside | — | — |\n{END}\n| `no` | 0 | — | — |"
        );
        let rows = parse(&text).unwrap();
        let lake = Row {
            folder: "lake".into(),
            ring: Ring::Numbered(2),
            imports: vec!["domain".into(), "venues".into()],
            heavy: vec!["arrow".into()],
        };
        assert_eq!(rows[0], lake);
        assert_eq!(rows[1].ring, Ring::Beside);
        assert_eq!(rows.len(), 2);
        assert!(parse("no table").unwrap_err().contains("missing"));
        assert!(parse(&text.replace("| 2 |", "| two |")).unwrap_err().contains("'two' is not a ring"));
    }
}
