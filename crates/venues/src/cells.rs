//! Text in cells, as spreadsheets and data frames write it.

/// Cells of every line (RFC 4180): quotes hold commas and line ends, two quotes in them are one.
pub(crate) fn records(text: &str) -> Result<Vec<Vec<String>>, String> {
    let (mut list, mut record, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, quoted) {
            ('"', true) if chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            ('"', true) => quoted = false,
            ('"', false) if cell.is_empty() => quoted = true,
            (',', false) => record.push(core::mem::take(&mut cell)),
            ('\r', false) => {}
            ('\n', false) => {
                record.push(core::mem::take(&mut cell));
                list.push(core::mem::take(&mut record));
            }
            (c, _) => cell.push(c),
        }
    }
    if quoted {
        return Err("a quote is opened and never closed".to_owned());
    }
    if !cell.is_empty() || !record.is_empty() {
        record.push(cell);
        list.push(record);
    }
    Ok(list)
}
