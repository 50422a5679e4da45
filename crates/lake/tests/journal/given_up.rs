//! Whoever has a journal played can give up, whatever it holds.

use super::support::{begin, open};
use barograph_domain::{InstrumentName, Span, Ts};
use barograph_lake::Error;
use barograph_lake::export::EventWriter;
use barograph_lake::journal::ControlRecord;
use barograph_lake::recorded::{JournalAudience, play_journal};
use barograph_venues::session::MarketSpec;
use std::fs::File;

/// Listens to nothing, and has had enough after some looks.
struct Impatient {
    looks: u32,
    most: u32,
}

impl JournalAudience for Impatient {
    type Listener = EventWriter<File>;

    fn cares_for(&self, _: &str) -> bool {
        false
    }

    fn listener(&mut self, _: &InstrumentName, _: &MarketSpec, _: bool) -> Result<Option<EventWriter<File>>, Error> {
        Ok(None)
    }

    fn reached(&mut self, _: Ts) -> Result<(), Error> {
        self.looks += 1;
        if self.looks > self.most { Err(Error::Usage("enough".to_owned())) } else { Ok(()) }
    }
}

/// Frames of a venue that nobody asked for, within one second.
#[test]
fn a_journal_of_other_venues_can_be_given_up_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = open(folder.path());
    let config = serde_json::json!({ "venues": [] });
    let start = ControlRecord::Start { release: "t".to_owned(), config, resumed_from: None };
    writer.control(begin(), &start).unwrap();
    let key = writer.connection("okx", "c1", 0, begin()).unwrap();
    for n in 1..=2_500 {
        writer.frame(key, begin() + Span(n * 1_000), b"{}").unwrap();
    }
    writer.close().unwrap();
    let play = |most| {
        let mut audience = Impatient { looks: 0, most };
        let played = play_journal(folder.path(), None, &mut audience);
        (audience.looks, played.map(|p| p.lines).map_err(|e| e.to_string()))
    };
    assert_eq!(play(9), (2, Ok(2_501)));
    let (looks, ended) = play(0);
    assert!(looks == 1 && ended.as_ref().is_err_and(|e| e.contains("enough")), "{looks} {ended:?}");
}
