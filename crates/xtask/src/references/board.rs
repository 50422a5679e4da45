//! What the board's columns are, for readers (`docs/board.md`) and for the page (`web/src/board/columns.ts`): from their declaration.

use barograph_api::board::{CellKind, Column, ColumnSpec, flags};

/// Between these lines of `docs/board.md` stands what is written here.
const BEGIN: &str = "<!-- columns: written by `cargo x gen` from crates/api/src/board/columns.rs -->\n";
const END: &str = "<!-- end of columns -->\n";

/// `docs/board.md` with its table as declared; as it is where it has no place for one.
pub(super) fn document(present: &str) -> String {
    let Some((head, rest)) = present.split_once(BEGIN) else { return present.to_owned() };
    let Some((_, tail)) = rest.split_once(END) else { return present.to_owned() };
    let rows: String = Column::ALL.iter().map(row).collect();
    format!("{head}{BEGIN}| column | what it holds |\n|---|---|\n{rows}{END}{tail}")
}

fn row(spec: &ColumnSpec) -> String {
    let mut text = clause(spec.text);
    if spec.column == Column::Flags {
        let bits: Vec<_> = flags::ALL.iter().map(|(_, bit, text)| format!("{bit} {}", clause(text))).collect();
        text = format!("{text}: {}", bits.join(", "));
    }
    format!("| `{}` | {text} |\n", spec.name)
}

/// A sentence of a comment as it stands in a table.
fn clause(text: &str) -> String {
    let text = text.trim().trim_end_matches('.');
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// The columns and bits as the page knows them.
pub(super) fn module() -> String {
    let mut text = "\
// Written by `cargo x gen` from crates/api/src/board/columns.rs; edit that, not this.

/** The columns of the board, and what a cell of each holds. */
export const COLUMNS = {
"
    .to_owned();
    for spec in Column::ALL {
        let kind = match spec.kind {
            CellKind::Full | CellKind::Reading | CellKind::Whole => "number",
            CellKind::Epoch => "epoch",
            CellKind::Code(_) => "label",
            CellKind::Digits(_) => "timeframes",
        };
        text.push_str(&format!("  {}: '{kind}',\n", spec.name));
    }
    let bits: Vec<_> = flags::ALL.iter().map(|(name, bit, _)| format!("{name}: {bit}")).collect();
    text.push_str("} as const;\n\nexport type Column = keyof typeof COLUMNS;\n\n/** Bits of `flags`. */\n");
    text.push_str(&format!("export const FLAGS = {{ {} }} as const;\n", bits.join(", ")));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_around_the_table_stays() {
        let text = document(&format!("before\n{BEGIN}old\n{END}after\n"));
        assert!(text.starts_with(&format!("before\n{BEGIN}| column |")) && text.ends_with(&format!("|\n{END}after\n")));
        assert!(text.contains("\n| `squeeze` | 0 none, 1 longs are squeezed, 2 shorts |\n"), "{text}");
        assert_eq!(document(&text), text);
        assert_eq!(text.matches("\n| `").count(), Column::ALL.len());
    }
}
