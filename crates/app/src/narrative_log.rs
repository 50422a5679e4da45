//! The record of what language models were asked and answered: lines are only ever added, one process at a time, and each is on the
//! disk before its text is printed. What a line holds is known to [`barograph_query::narrative::record`].

use crate::failure::Failure;
use barograph_query::narrative::record::{NarrativeRecord, path};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

/// Opens the record of a data folder for adding to it, and holds it.
pub(crate) fn open(data: &Path) -> Result<File, Failure> {
    let path = path(data);
    let at = |e: std::io::Error| Failure::broken(format!("{}: {e}", path.display()));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(at)?;
    }
    let mut options = File::options();
    let file = options.read(true).append(true).create(true).open(&path).map_err(at)?;
    // An answer takes a minute at most, and the next one waits for it.
    file.lock().map_err(at)?;
    Ok(file)
}

/// Adds a line. What a machine left half written when it stopped is closed by a line's end first, and stays.
pub(crate) fn append(file: &mut File, record: &NarrativeRecord) -> Result<(), Failure> {
    let mut line = Vec::new();
    if file.metadata()?.len() > 0 {
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            line.push(b'\n');
        }
    }
    serde_json::to_writer(&mut line, record).map_err(Failure::broken)?;
    line.push(b'\n');
    file.write_all(&line)?;
    Ok(file.sync_data()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Ts;

    #[test]
    fn lines_are_added_and_a_torn_one_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let record = NarrativeRecord {
            ts: Ts(0),
            market: "x:A".to_owned(),
            minute: Ts(0),
            logic_version: String::new(),
            service: "http://localhost".to_owned(),
            request: serde_json::json!({"model": "m"}),
            answer: None,
            verdict: "unanswered",
            reasons: vec!["no answer in time".to_owned()],
            sha256: "00".to_owned(),
        };
        let mut file = open(folder.path()).unwrap();
        append(&mut file, &record).unwrap();
        file.write_all(b"{\"torn").unwrap();
        append(&mut file, &record).unwrap();
        drop(file);
        let text = std::fs::read_to_string(path(folder.path())).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!((lines.len(), lines[1]), (3, "{\"torn"));
        assert_eq!(lines[0], lines[2]);
        let read: serde_json::Value = serde_json::from_str(lines[2]).unwrap();
        assert_eq!((&read["ts"], &read["reasons"][0]), (&"1970-01-01T00:00:00Z".into(), &"no answer in time".into()));
    }
}
