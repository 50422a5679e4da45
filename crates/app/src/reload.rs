//! The configuration file is read again when it changes, so that markets come and go without a restart.

use crate::config::Settings;
use crate::failure::Failure;
use crate::term::plural;
use barograph_live::config::MarketsChange;
use barograph_live::start::Asked;
use barograph_live::{Change, discover};
use barograph_net::Net;
use core::sync::atomic::{AtomicBool, Ordering};
use std::io::Write as _;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

/// How often the file is looked at.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// Which venues and markets the settings name.
pub(crate) type Choose = Box<dyn Fn(&Settings) -> Result<Vec<Asked>, Failure> + Send>;

/// What watches.
pub(crate) struct Watcher {
    pub(crate) settings: Settings,
    pub(crate) choose: Choose,
    pub(crate) net: Arc<Net>,
    /// Ids of the venues listened to, by their numbers in `net`.
    pub(crate) venues: Vec<String>,
    pub(crate) runtime: tokio::runtime::Handle,
    pub(crate) changes: mpsc::SyncSender<Change>,
}

impl Watcher {
    /// Starts looking.
    pub(crate) fn start(self, stop: Arc<AtomicBool>) -> Result<JoinHandle<()>, Failure> {
        let (mut seen, mut gone) = (self.stamp(), false);
        std::thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    std::thread::park_timeout(CHECK_EVERY);
                    let now = self.stamp();
                    if now.is_none() && seen.is_some() {
                        // An editor that saves by renaming is between two steps; or the file is gone for good.
                        std::thread::park_timeout(CHECK_EVERY);
                        if self.stamp().is_none() && !core::mem::replace(&mut gone, true) {
                            let line = "the settings file is gone; everything goes on as it was";
                            drop(writeln!(std::io::stderr(), "barograph: [MKT] {line}"));
                        }
                        continue;
                    }
                    gone = false;
                    if now != seen {
                        seen = now;
                        if let Some(text) = self.reread().err().and_then(Failure::text) {
                            drop(writeln!(std::io::stderr(), "barograph: [MKT] the change is not taken up: {text}"));
                        }
                    }
                }
            })
            .map_err(Failure::broken)
    }

    fn stamp(&self) -> Option<SystemTime> {
        std::fs::metadata(self.settings.file()?).ok()?.modified().ok()
    }

    fn reread(&self) -> Result<(), Failure> {
        let settings = self.settings.reload()?;
        let wanted = (self.choose)(&settings)?;
        let ids: Vec<&str> = wanted.iter().map(|asked| asked.def.id).collect();
        for line in venues_changed(&self.venues, &ids) {
            writeln!(std::io::stderr(), "barograph: [MKT] the change is not taken up: {line}")?;
        }
        for asked in &wanted {
            let Some(index) = self.venues.iter().position(|id| id == asked.def.id) else { continue };
            let index = u8::try_from(index).map_err(Failure::broken)?;
            let all = self.runtime.block_on(discover::list(&self.net, index, asked.def, &asked.endpoints))?;
            let markets = discover::choose(asked.def.id, &all, &asked.choice)?;
            writeln!(
                std::io::stderr(),
                "barograph: [MKT] {}: listening to {} of {} market{}",
                asked.def.id,
                markets.len(),
                all.len(),
                plural(all.len())
            )?;
            let change = MarketsChange { venue: asked.def.id.to_owned(), markets };
            // The process is ending; there is nobody to change.
            drop(self.changes.send(Change::Markets(change)));
        }
        Ok(())
    }
}

/// What there is to say where the venues of the settings are not those that are listened to: those stay until a restart.
fn venues_changed(running: &[String], wanted: &[&str]) -> Vec<String> {
    let new = wanted.iter().filter(|id| !running.iter().any(|r| r == *id));
    let gone = running.iter().filter(|id| !wanted.contains(&id.as_str()));
    new.map(|id| format!("{id} is not connected; restart to add a venue"))
        .chain(gone.map(|id| format!("{id} stays connected until the process ends; restart without it")))
        .collect()
}
