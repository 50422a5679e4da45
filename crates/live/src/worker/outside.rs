//! What a worker needs of the world, and how a range of the journal is asked for.

use crate::Error;
use crate::ranges::RangeAnswer;
use barograph_domain::Ts;
use barograph_lake::journal::Parcel;
use barograph_store::{Reader, Writer};
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// The world of a worker. Every call waits, within a time of its own; what fails is asked for again.
pub trait Outside: Send + Sync {
    /// An entry and its revision; `None` where there is none.
    ///
    /// # Errors
    /// A sentence, where nobody answers; so for every method here.
    fn lease(&self, key: &str) -> Result<Option<(u64, Vec<u8>)>, String>;

    /// Writes an entry where it has the revision `expected` (0: where there is none); its new revision, `None` where it has another.
    ///
    /// # Errors
    /// See [`Self::lease`]; it may be written all the same.
    fn swap_lease(&self, key: &str, expected: u64, value: &[u8]) -> Result<Option<u64>, String>;

    /// The entries whose keys begin so, with their revisions.
    ///
    /// # Errors
    /// See [`Self::lease`].
    fn leases(&self, prefix: &str) -> Result<Vec<(String, u64)>, String>;

    /// Parcels that the broker received since about this moment, and all that follow, until it is dropped.
    fn follow(&self, since: Ts) -> Box<dyn FollowedParcels>;

    /// What the journal holds behind `after`, up to `until` or to its end.
    ///
    /// # Errors
    /// See [`Self::lease`].
    fn range(&self, after: Ts, until: Option<Ts>) -> Result<RangeAnswer, String>;

    /// The newest checkpoint of a group that is whole, with its stamp.
    ///
    /// # Errors
    /// See [`Self::lease`].
    fn checkpoint(&self, group: u16) -> Result<Option<(Ts, Vec<u8>)>, String>;

    /// Removes an entry of one's own, as far as anybody hears of it.
    fn remove(&self, key: &str);

    /// Keeps a checkpoint.
    ///
    /// # Errors
    /// See [`Self::lease`].
    fn keep_checkpoint(&self, group: u16, at: Ts, bytes: &[u8]) -> Result<(), String>;

    /// The store, for reading and for writing one group.
    ///
    /// # Errors
    /// The store is away, or another process writes all markets.
    fn store(&self, group: u16) -> barograph_store::Result<OpenStore>;
}

/// A store, for reading and for writing one group.
pub type OpenStore = (Box<dyn Reader>, Box<dyn Writer>);

/// Parcels as they come.
pub trait FollowedParcels: Send {
    /// The next one, within a time.
    fn next(&mut self, within: Duration) -> Option<Vec<u8>>;
}

/// What is asked of the process that writes the journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Answered {
    /// Stamps later than this.
    pub after: Ts,
    /// Up to this; absent: to the end.
    pub until: Option<Ts>,
}

/// A question as bytes.
#[must_use]
pub fn question(after: Ts, until: Option<Ts>) -> Vec<u8> {
    serde_json::to_vec(&Answered { after, until }).unwrap_or_default()
}

/// A question as it came.
#[must_use]
pub fn read_question(bytes: &[u8]) -> Option<Answered> {
    serde_json::from_slice(bytes).ok()
}

/// What is not a parcel, as bytes.
#[derive(Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
enum Other {
    Nothing,
    Lost { resumes: Option<Ts>, why: String },
    Failed { why: String },
}

/// An answer as bytes: a parcel as it is, anything else as JSON.
#[must_use]
pub fn encode_range(answer: Result<RangeAnswer, Error>) -> Vec<u8> {
    let other = match answer {
        Ok(RangeAnswer::Next(parcel)) => return parcel.bytes().to_vec(),
        Ok(RangeAnswer::Nothing) => Other::Nothing,
        Ok(RangeAnswer::Lost { resumes, why }) => Other::Lost { resumes, why },
        Err(e) => Other::Failed { why: e.to_string() },
    };
    serde_json::to_vec(&other).unwrap_or_default()
}

/// An answer as it came.
///
/// # Errors
/// A sentence, where the journal could not be read, or these are not the bytes of an answer.
pub fn decode_range(bytes: Vec<u8>) -> Result<RangeAnswer, String> {
    if !bytes.starts_with(b"{") {
        return Parcel::of(bytes).map(RangeAnswer::Next).map_err(|e| crate::chain(&e));
    }
    match serde_json::from_slice(&bytes).map_err(|e| format!("the answer for the journal is not one: {e}"))? {
        Other::Nothing => Ok(RangeAnswer::Nothing),
        Other::Lost { resumes, why } => Ok(RangeAnswer::Lost { resumes, why }),
        Other::Failed { why } => Err(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_lake::journal::{ControlRecord, ParcelWriter};

    #[test]
    fn answers_come_back_as_they_were() {
        let mut parcel = ParcelWriter::new(Ts(5));
        parcel.control(Ts(6), &ControlRecord::Tick).unwrap();
        let lost = RangeAnswer::Lost { resumes: Some(Ts(9)), why: "gone".to_owned() };
        for answer in [RangeAnswer::Next(parcel.seal(Ts(7)).unwrap()), RangeAnswer::Nothing, lost] {
            assert_eq!(decode_range(encode_range(Ok(answer.clone()))), Ok(answer));
        }
        assert_eq!(decode_range(encode_range(Err(Error::Failed("no".to_owned())))), Err("no".to_owned()));
        assert!(decode_range(b"BGP".to_vec()).is_err() && decode_range(b"{}".to_vec()).is_err());
        let asked = Answered { after: Ts(1), until: None };
        assert_eq!(read_question(&question(Ts(1), None)), Some(asked));
    }
}
