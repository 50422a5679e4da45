//! A range of the journal for those who miss it: what lies behind a stamp, in parcels of bounded size.

use crate::replay::journal_folder;
use crate::{Error, chain};
use barograph_domain::Ts;
use barograph_lake::journal::{self, ControlRecord, EntryKind, JournalReader, Parcel, ParcelWriter, Selection};
use std::path::Path;

/// Where a range that is answered ends at the latest, in unpacked bytes; one entry may be larger.
const PLAIN_BYTES: usize = 4 << 20;

/// What a journal answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RangeAnswer {
    /// What comes next, up to the end of the range or to where the answer is full.
    Next(Parcel),
    /// Nothing more is there yet.
    Nothing,
    /// The journal does not hold what comes next: it was kept long enough, or is damaged. It goes on with the start of a process.
    Lost {
        /// Stamp of that start: nothing before it is there. None is there yet where this is absent.
        resumes: Option<Ts>,
        /// What is wrong, for people.
        why: String,
    },
}

/// What the journal of a data folder holds behind `after`, up to `until`. Nothing later than `synced` is answered: up to there, and no
/// further, everything is in its files. `after` 0 is the beginning.
///
/// # Errors
/// When the journal cannot be read at all.
pub fn range(data: &Path, after: Ts, until: Ts, synced: Ts) -> Result<RangeAnswer, Error> {
    let until = until.min(synced);
    if after >= until {
        return Ok(RangeAnswer::Nothing);
    }
    let root = journal_folder(data);
    let failed = |e: journal::Error| Error::failed(chain(&e));
    if let Some(lost) = forgotten(&root, after, (until, synced))? {
        return Ok(lost);
    }
    let selection = Selection { after: Some(after), until: Some(until), venue: None };
    let mut reader = JournalReader::open_selected(&root, selection).map_err(failed)?;
    let mut parcel = ParcelWriter::new(after);
    loop {
        let entry = match reader.next() {
            Ok(Some(entry)) => entry,
            Ok(None) => return Ok(RangeAnswer::Next(parcel.seal(until).map_err(failed)?)),
            Err(e @ (journal::Error::Damaged { .. } | journal::Error::Missing { .. })) => {
                if !parcel.is_empty() {
                    // What comes before the damage first; asked for what is behind it, this is the answer then.
                    let last = parcel.last();
                    return Ok(RangeAnswer::Next(parcel.seal(last).map_err(failed)?));
                }
                let why = chain(&e);
                return Ok(RangeAnswer::Lost { resumes: next_start(&root, after, synced)?, why });
            }
            Err(e) => return Err(failed(e)),
        };
        // A reply and its body have one stamp and stay together.
        if parcel.plain_bytes() >= PLAIN_BYTES && entry.at > parcel.last() {
            let last = parcel.last();
            return Ok(RangeAnswer::Next(parcel.seal(last).map_err(failed)?));
        }
        match entry.kind {
            EntryKind::Frame { venue, connection, bytes, .. } => parcel.frame(entry.at, venue, connection, bytes),
            EntryKind::Control(record) => parcel.control(entry.at, &record),
        }
        .map_err(failed)?;
    }
}

/// Is what lies behind `after` gone, because a journal is kept for some days only? The start that goes on may lie behind `until`: who
/// has the lines behind a hole asks for the hole alone.
fn forgotten(root: &Path, after: Ts, (until, synced): (Ts, Ts)) -> Result<Option<RangeAnswer>, Error> {
    let failed = |e: journal::Error| Error::failed(chain(&e));
    if after == Ts(0) {
        // From the beginning: that is the start of a process, or the journal is not kept that far back.
        let mut reader = JournalReader::open_selected(root, Selection { until: Some(until), ..Selection::default() })
            .map_err(failed)?;
        let begins = match reader.next() {
            Ok(Some(entry)) => matches!(entry.kind, EntryKind::Control(ControlRecord::Start { .. })),
            Ok(None) | Err(journal::Error::Damaged { .. } | journal::Error::Missing { .. }) => true,
            Err(e) => return Err(failed(e)),
        };
        if begins {
            return Ok(None);
        }
        let resumes = next_start(root, after, synced)?;
        return Ok(Some(RangeAnswer::Lost {
            resumes,
            why: "the journal does not go back to the start of a process".to_owned(),
        }));
    }
    // Whatever is there at or before it shows that the journal reaches back that far.
    let before = Selection { after: None, until: Some(after), venue: None };
    let mut reader = JournalReader::open_selected(root, before).map_err(failed)?;
    let reaches = match reader.next() {
        Ok(first) => first.is_some(),
        // Damage further back is not what was asked about.
        Err(journal::Error::Damaged { .. } | journal::Error::Missing { .. }) => true,
        Err(e) => return Err(failed(e)),
    };
    if reaches {
        return Ok(None);
    }
    let resumes = next_start(root, after, synced)?;
    Ok(Some(RangeAnswer::Lost { resumes, why: format!("the journal is not kept as far back as {after}") }))
}

/// The first start of a process behind a stamp.
fn next_start(root: &Path, after: Ts, until: Ts) -> Result<Option<Ts>, Error> {
    let failed = |e: journal::Error| Error::failed(chain(&e));
    // No venue has this name: control records are read alone.
    let selection = Selection { after: Some(after), until: Some(until), venue: Some("-".to_owned()) };
    let mut reader = JournalReader::open_selected(root, selection).map_err(failed)?;
    loop {
        match reader.next() {
            Ok(Some(entry)) if matches!(entry.kind, EntryKind::Control(ControlRecord::Start { .. })) => {
                return Ok(Some(entry.at));
            }
            Ok(Some(_)) => {}
            Ok(None) => return Ok(None),
            Err(e @ (journal::Error::Damaged { .. } | journal::Error::Missing { .. })) => {
                if !reader.pass_over() {
                    return Err(failed(e));
                }
            }
            Err(e) => return Err(failed(e)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_lake::journal::{JournalConfig, JournalWriter, ParcelEntry};
    use serde_json::json;

    const BEGIN: Ts = Ts::from_civil(2026, 3, 1, 12, 0, 0);

    fn at(n: i64) -> Ts {
        Ts(BEGIN.0 + n * 1_000_000)
    }

    fn start() -> ControlRecord {
        ControlRecord::Start { release: "0".to_owned(), config: json!({}), resumed_from: None }
    }

    /// A start, `frames` frames of 64 KiB, a stop.
    fn recorded(data: &Path, frames: i64) {
        let (mut writer, _) = JournalWriter::open(JournalConfig::new(journal_folder(data)), BEGIN).unwrap();
        writer.control(at(1), &start()).unwrap();
        let key = writer.connection("coinex", "c1", 0, BEGIN).unwrap();
        for n in 0..frames {
            let frame: Vec<u8> = (0_u32..65_536).map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()[2]).collect();
            writer.frame(key, at(10 + n), &frame).unwrap();
        }
        writer.control(at(1_000), &ControlRecord::Stop).unwrap();
        writer.close().unwrap();
    }

    fn stamps(data: &Path, after: Ts, until: Ts) -> (Vec<Ts>, usize) {
        let (mut seen, mut at, mut parcels) = (Vec::new(), after, 0);
        loop {
            match range(data, at, until, until).unwrap() {
                RangeAnswer::Next(parcel) => {
                    assert_eq!(parcel.after(), at);
                    parcel
                        .read(at, |stamp, _: ParcelEntry<'_>| {
                            seen.push(stamp);
                            Ok::<(), journal::Error>(())
                        })
                        .unwrap();
                    (at, parcels) = (parcel.last(), parcels + 1);
                }
                RangeAnswer::Nothing => return (seen, parcels),
                lost @ RangeAnswer::Lost { .. } => panic!("{lost:?}"),
            }
        }
    }

    #[test]
    fn a_range_comes_whole_in_parcels_of_bounded_size() {
        let dir = tempfile::tempdir().unwrap();
        recorded(dir.path(), 200);
        let (all, parcels) = stamps(dir.path(), Ts(0), at(2_000));
        assert_eq!((all.len(), all[0], all[201]), (202, at(1), at(1_000)));
        assert!(parcels >= 3, "{parcels}");
        let (some, _) = stamps(dir.path(), at(20), at(30));
        assert_eq!(some, (21..=30).map(at).collect::<Vec<_>>());
        assert_eq!(range(dir.path(), at(30), at(40), at(30)).unwrap(), RangeAnswer::Nothing, "not synced yet");
    }

    #[test]
    fn what_is_not_kept_is_lost_up_to_the_next_start() {
        let dir = tempfile::tempdir().unwrap();
        recorded(dir.path(), 2);
        let before = Ts(BEGIN.0 - 1_000_000_000);
        // The second one asks for a hole that ends before that start.
        for until in [at(2_000), Ts(before.0 + 1_000)] {
            let answer = range(dir.path(), before, until, at(2_000)).unwrap();
            assert!(matches!(answer, RangeAnswer::Lost { resumes: Some(r), .. } if r == at(1)), "{answer:?}");
        }
    }
}
