//! Files that grow by whole lines and are never rewritten: a process that dies leaves at most a last line that nobody reads.

use crate::ResearchError;
use serde::{Serialize, de::DeserializeOwned};
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

/// Adds lines and brings them to the disk. What a killed process left unfinished at the end is closed by a line break first.
pub(super) fn append<T: Serialize>(path: &Path, lines: &[T]) -> Result<(), ResearchError> {
    if lines.is_empty() {
        return Ok(());
    }
    let failed = |e: &dyn std::fmt::Display| ResearchError::Failed(format!("cannot write {}: {e}", path.display()));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| failed(&e))?;
    }
    let mut file = OpenOptions::new().create(true).append(true).read(true).open(path).map_err(|e| failed(&e))?;
    let mut text = Vec::new();
    if !ends_whole(&mut file).map_err(|e| failed(&e))? {
        text.push(b'\n');
    }
    for line in lines {
        serde_json::to_writer(&mut text, line).map_err(|e| failed(&e))?;
        text.push(b'\n');
    }
    file.write_all(&text).and_then(|()| file.sync_data()).map_err(|e| failed(&e))
}

fn ends_whole(file: &mut File) -> std::io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == [b'\n'])
}

/// All lines that are whole; none where there is no file. Lines that end before they are over were cut off with their process, and are
/// passed over; any other line that cannot be read is an error.
pub(super) fn lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, ResearchError> {
    let failed = |e: &dyn std::fmt::Display| ResearchError::Failed(format!("cannot read {}: {e}", path.display()));
    // Not as text: a process may have died in the middle of a character.
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(failed(&e)),
    };
    let mut found = Vec::new();
    for (n, line) in text.split(|byte| *byte == b'\n').enumerate() {
        match serde_json::from_slice(line) {
            Ok(line) => found.push(line),
            Err(e) if e.is_eof() => {}
            Err(e) => {
                return Err(failed(&format!("line {} is damaged: {e}; restore a copy, or take the line away", n + 1)));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_cut_off_within_a_character_costs_itself_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.jsonl");
        append(&path, &["why é"]).unwrap();
        let whole = std::fs::read(&path).unwrap();
        let within = whole.iter().position(|byte| *byte == 0xc3).unwrap() + 1;
        OpenOptions::new().append(true).open(&path).unwrap().write_all(&whole[..within]).unwrap();
        assert_eq!(lines::<String>(&path).unwrap(), ["why é"]);
        append(&path, &["again"]).unwrap();
        assert_eq!(lines::<String>(&path).unwrap(), ["why é", "again"]);
    }

    #[test]
    fn a_line_that_was_cut_off_costs_itself_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deeper/log.jsonl");
        assert_eq!(lines::<Vec<u8>>(&path).unwrap(), [[0_u8; 0]; 0]);
        append(&path, &[vec![1_u8, 2], vec![3]]).unwrap();
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"[4, 5").unwrap();
        assert_eq!(lines::<Vec<u8>>(&path).unwrap(), [vec![1, 2], vec![3]]);
        append(&path, &[vec![6_u8]]).unwrap();
        assert_eq!(lines::<Vec<u8>>(&path).unwrap(), [vec![1, 2], vec![3], vec![6]]);
        file.write_all(b"\"no list\"\n").unwrap();
        let refused = lines::<Vec<u8>>(&path).unwrap_err().to_string();
        assert!(refused.contains("line 5"), "{refused}");
    }
}
