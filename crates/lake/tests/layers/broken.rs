//! What `check` finds when somebody was at the files.

use crate::layers::support::{book, folder, names, open, push};
use barograph_domain::Span;
use barograph_lake::layers::{HourManifest, LakeConfig, check, compact};
use std::path::{Path, PathBuf};

/// An hour of three parts, closed.
fn lake() -> (tempfile::TempDir, PathBuf, Vec<String>) {
    let root = tempfile::tempdir().unwrap();
    let (mut writer, _) = open(LakeConfig { compact_on_close: false, ..LakeConfig::live(root.path()) });
    (0..75).for_each(|i| push(&mut writer, &book(i, Span::millis(40))));
    writer.into_partition().finish().unwrap();
    assert_eq!(check(root.path()).unwrap(), []);
    let hour = folder(root.path(), 13);
    let parts = names(&hour).into_iter().filter(|n| n.starts_with("part-")).collect();
    (root, hour, parts)
}

fn found(root: &Path) -> String {
    check(root).unwrap().iter().map(|f| format!("{f}\n")).collect()
}

/// Does damage and looks for words in the findings.
fn case(words: &[&str], damage: impl Fn(&Path, &[String])) {
    let (root, hour, parts) = lake();
    assert_eq!(parts.len(), 3);
    damage(&hour, &parts);
    let found = found(root.path());
    for words in words {
        assert!(found.contains(words), "'{words}' is not in:\n{found}");
    }
}

fn edit(hour: &Path, change: impl Fn(&mut HourManifest)) {
    let mut manifest = HourManifest::load(hour).unwrap().unwrap();
    change(&mut manifest);
    std::fs::write(hour.join("_manifest.json"), serde_json::to_vec(&manifest).unwrap()).unwrap();
}

#[test]
fn every_kind_of_damage_is_told() {
    case(&["the manifest is missing: the hour is under way"], |hour, _| {
        std::fs::remove_file(hour.join("_manifest.json")).unwrap();
    });
    case(&["the manifest cannot be used"], |hour, _| std::fs::write(hour.join("_manifest.json"), "{").unwrap());
    case(&["written by a newer release"], |hour, _| edit(hour, |m| m.schema_version += 1));
    case(&["the rows are not those that were written: digest"], |hour, _| {
        edit(hour, |m| m.content_sha256 = "0".repeat(64));
    });
    case(&["75 rows where the manifest says 76"], |hour, _| edit(hour, |m| m.rows += 1));
    case(&["first or last moment differ"], |hour, _| edit(hour, |m| m.last_ts = None));
    case(&["of another hour or market"], |hour, _| edit(hour, |m| m.symbol.push('X')));
    case(&["names it and it is not there", "50 rows where the manifest says 75"], |hour, parts| {
        std::fs::remove_file(hour.join(&parts[1])).unwrap();
    });
    case(&["a temporary file of a write that was cut off"], |hour, _| {
        std::fs::write(hour.join("part-5.parquet.partial"), "PAR1").unwrap();
    });
    case(&["does not name it: overlapping parts"], |hour, parts| {
        std::fs::copy(hour.join(&parts[1]), hour.join("part-0000000000000000001.parquet")).unwrap();
    });
    case(&["torn or damaged", "bytes where the manifest says"], |hour, parts| {
        let bytes = std::fs::read(hour.join(&parts[2])).unwrap();
        std::fs::write(hour.join(&parts[2]), &bytes[..bytes.len() / 2]).unwrap();
    });
    case(&["overlapping parts: its first row belongs before", "the rows are not those"], |hour, _| {
        edit(hour, |m| m.files.swap(1, 2));
    });
}

#[test]
fn a_flipped_bit_is_found_wherever_it_changes_a_row() {
    let (root, hour, parts) = lake();
    let path = hour.join(&parts[0]);
    let whole = std::fs::read(&path).unwrap();
    let mut told = 0;
    for at in (4..whole.len()).step_by(whole.len() / 60) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        std::fs::write(&path, bytes).unwrap();
        told += usize::from(!check(root.path()).unwrap().is_empty());
    }
    // Offsets and statistics that no reader of whole files looks at can change unseen; rows cannot.
    assert!(told >= 40, "{told} of 60");
    std::fs::write(&path, whole).unwrap();
    assert_eq!(check(root.path()).unwrap(), []);
}

#[test]
fn compaction_refuses_rows_that_are_not_those_of_the_manifest() {
    let (root, hour, parts) = lake();
    edit(&hour, |m| m.content_sha256 = "0".repeat(64));
    let report = compact(&LakeConfig::live(root.path()), None).unwrap();
    assert_eq!(report.hours, 0);
    assert!(report.left[0].1.contains("left as it is"), "{report:?}");
    let left: Vec<String> = names(&hour).into_iter().filter(|n| !n.starts_with('_')).collect();
    assert_eq!(left, parts, "the parts are as they were");
}

#[test]
fn compaction_takes_away_what_an_earlier_one_left() {
    let (root, hour, parts) = lake();
    let kept: Vec<Vec<u8>> = parts.iter().map(|p| std::fs::read(hour.join(p)).unwrap()).collect();
    compact(&LakeConfig::live(root.path()), None).unwrap();
    // As if it had been killed before the parts were gone.
    for (name, bytes) in parts.iter().zip(kept) {
        std::fs::write(hour.join(name), bytes).unwrap();
    }
    assert_eq!(check(root.path()).unwrap().len(), 3);
    let report = compact(&LakeConfig::live(root.path()), None).unwrap();
    assert_eq!((report.hours, report.files_removed), (0, 3));
    assert_eq!(check(root.path()).unwrap(), []);
}
