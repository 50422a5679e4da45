//! The minutes of one group, made from the lines of another process's journal: what a restart does with a journal on disk, this does
//! with parcels as they come.
//!
//! Until the stamp through which the store has everything, what is made is compared with it and not stored again. Every batch carries the
//! token of the tenure and the stamp it reaches to, so the store refuses it once somebody else owns the group.

use crate::delivery::Room;
use crate::meter::Meter;
use crate::publish::Publisher;
use crate::published::Published;
use crate::replay::{JournalLine, Player};
use crate::setup::Setup;
use crate::storing::{Keep, Order, Storing};
use crate::{Error, chain, checkpoint};
use barograph_domain::{Span, Ts};
use barograph_lake::journal::{ControlRecord, Parcel, ParcelEntry};
use barograph_query::live::board::Board;
use barograph_store::{Reader, StoreTarget, Writer};
use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

/// Retention of the group's markets is looked at this often.
const PRUNE_EVERY: Span = Span::hours(1);

/// What a group's machine is made of.
#[derive(Debug)]
pub struct GroupMeans {
    /// Book and policy, with the group as its share.
    pub setup: Setup,
    /// How long things are kept.
    pub keep: Keep,
    /// Where the store is.
    pub target: StoreTarget,
    /// Who writes messages of alerts, where somebody receives them.
    pub room: Option<Arc<Room>>,
}

/// One tenure of a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GroupTenure {
    /// The group.
    pub group: u16,
    /// What the store knows its owner by.
    pub token: u64,
    /// The store has everything made of inputs up to here.
    pub through: Option<Ts>,
}

/// Minutes, alerts and continuity of one group on their way into the store, under one token.
pub struct GroupMachine {
    player: Player,
    publisher: Publisher,
    storing: Storing,
    means: GroupMeans,
    meter: Arc<Meter>,
    stop: Arc<AtomicBool>,
    through: Ts,
    at: Ts,
    next_books: Ts,
    next_prune: Ts,
    /// Troubles that were handed out.
    named: usize,
}

impl core::fmt::Debug for GroupMachine {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("GroupMachine").field("at", &self.at).field("through", &self.through).finish_non_exhaustive()
    }
}

impl GroupMachine {
    /// Goes on from a checkpoint, or begins; the store knows the token already. The second half: why a checkpoint that was given is not
    /// used.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn begin(
        means: GroupMeans,
        tenure: GroupTenure,
        (reader, writer): (&dyn Reader, Box<dyn Writer>),
        checkpoint: Option<(Ts, &[u8])>,
    ) -> Result<(Self, Option<String>), Error> {
        let meter = Arc::new(Meter::new(&[]));
        let mut publisher = Publisher::new(means.setup.clone(), Arc::new(Board::default()), Arc::clone(&meter));
        let published = Published::load_share(reader, &means.setup.logic_version, means.setup.share)?;
        publisher.keeps(published, means.target.clone());
        publisher.delivers_to(means.room.clone());
        let mut trouble = None;
        let mut core = None;
        if let Some((_, bytes)) = checkpoint {
            match checkpoint::parse(bytes).and_then(|saved| checkpoint::restore(saved, &means.setup, &mut publisher)) {
                Ok(restored) => core = Some(restored),
                Err(why) => trouble = Some(format!("the checkpoint {why}")),
            }
        }
        let stop = Arc::new(AtomicBool::new(false));
        let fence = Some((tenure.group, tenure.token));
        let storing = Storing::fenced(writer, (Arc::clone(&meter), means.keep.clone()), Arc::clone(&stop), fence)?;
        publisher.replays_into(storing.spill(), Arc::clone(&stop));
        // Behind the last line a checkpoint may reach further than the last input: nothing lies between.
        let at = core.as_ref().map_or(Ts(0), |core| checkpoint.map_or(core.at, |(at, _)| at.max(core.at)));
        let through = tenure.through.unwrap_or(Ts(0));
        publisher.reaches(at, false);
        let mut machine = Self {
            next_books: at.ceil(means.keep.books_every),
            // Not in the takeover itself.
            next_prune: through.max(at) + PRUNE_EVERY,
            player: Player::new(core),
            publisher,
            storing,
            means,
            meter,
            stop,
            through,
            at,
            named: 0,
        };
        machine.is_news();
        Ok((machine, trouble))
    }

    /// Everything up to this stamp has been taken.
    #[must_use]
    pub const fn at(&self) -> Ts {
        self.at
    }

    /// Rows made in this tenure.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.meter.rows.load(Ordering::Relaxed)
    }

    /// Published minutes that were made again in this tenure and compared, and those of them that came out otherwise.
    #[must_use]
    pub fn compared(&self) -> (u64, u64) {
        (self.meter.minutes_compared.load(Ordering::Relaxed), self.meter.minutes_other.load(Ordering::Relaxed))
    }

    /// Takes what follows. The parcel begins at or before [`Self::at`].
    ///
    /// # Errors
    /// The store refuses what is written, or the parcel is damaged.
    pub fn take(&mut self, parcel: &Parcel) -> Result<(), Error> {
        let from = self.at;
        parcel.read(from, |at, entry| self.line(at, entry))?;
        self.at = self.at.max(parcel.last());
        // Alerts of the last lines do not wait for the next second.
        if !self.publisher.replaying && !self.publisher.batch.alerts.is_empty() {
            self.store()?;
        }
        Ok(())
    }

    /// Lines up to this stamp are lost for good: nothing is made until a process starts behind them, and a gap is declared then.
    pub fn lost(&mut self, until: Ts, why: &str) {
        self.player.lost(why);
        self.at = self.at.max(until);
    }

    /// What could not be used since this was asked last, each as a sentence.
    pub fn troubles(&mut self) -> Vec<String> {
        let all = &self.player.done.troubles;
        let new = all[self.named.min(all.len())..].to_vec();
        self.named = all.len();
        new
    }

    fn line(&mut self, at: Ts, entry: ParcelEntry<'_>) -> Result<(), Error> {
        let ticks = matches!(entry, ParcelEntry::Control(ControlRecord::Tick | ControlRecord::Stop));
        if let ParcelEntry::Control(ControlRecord::Start { config, .. }) = &entry
            && let Some(other) = config["logic_version"].as_str().filter(|v| *v != self.means.setup.logic_version)
        {
            let own = &self.means.setup.logic_version;
            let why = format!(
                "the node that listens works with {other}, this worker with {own}: give both one release and rule book"
            );
            self.player.core = None;
            self.player.lost(&why);
            self.at = at;
            return Ok(());
        }
        let line = match entry {
            ParcelEntry::Frame { venue, connection, bytes } => JournalLine::Frame { venue, connection, bytes },
            ParcelEntry::Control(record) => JournalLine::Control(record),
        };
        self.player.line(at, line, &self.means.setup, &mut self.publisher)?;
        self.at = at;
        // Who makes nothing of the lines says of no minute that it is stored.
        self.publisher.reaches(at, ticks && self.player.is_whole());
        self.publisher.actions.clear();
        self.is_news();
        if ticks { self.tick(at) } else { Ok(()) }
    }

    /// Once what the store has is passed, everything is news.
    fn is_news(&mut self) {
        if self.publisher.replaying && self.at >= self.through {
            self.publisher.replayed();
        }
    }

    fn tick(&mut self, at: Ts) -> Result<(), Error> {
        self.publisher.ticked();
        if self.publisher.replaying {
            return Ok(());
        }
        self.books(at);
        // Also where nothing was made: how far the store reaches is what hours between the markets wait for.
        self.store()?;
        if at >= self.next_prune && self.storing.has_room() {
            self.storing.send(Order::Prune(at))?;
            self.next_prune = at + PRUNE_EVERY;
        }
        Ok(())
    }

    fn books(&mut self, at: Ts) {
        let Some(core) = &self.player.core else { return };
        if at >= self.next_books {
            self.next_books = (at + Span(1)).ceil(self.means.keep.books_every);
            crate::process::books::books_of(core, at, |sample| self.publisher.book(sample, true));
        }
    }

    fn store(&mut self) -> Result<(), Error> {
        let batch = self.publisher.take(None);
        self.storing.send(Order::Write(Box::new(batch)))
    }

    /// The present state, for whoever goes on with the group, and its stamp. It counts once the store has everything up to there:
    /// [`Self::stored`].
    ///
    /// # Errors
    /// When the store refuses what is written.
    pub fn snapshot(&mut self) -> Result<Option<(Ts, Vec<u8>)>, Error> {
        let whole = self.player.is_whole();
        let packed = match self.player.core.as_mut().filter(|_| whole) {
            Some(core) => Some(checkpoint::pack(core, &mut self.publisher)?),
            None => None,
        };
        // Also while replaying: a gap of this tenure may be in it.
        self.store()?;
        Ok(packed.map(|packed| (self.at, checkpoint::bytes(&packed))))
    }

    /// The store has everything made of inputs up to this stamp.
    #[must_use]
    pub fn stored(&self) -> Ts {
        self.storing.committed()
    }

    /// Ends at once: somebody else owns the group, and the store takes nothing more from here.
    pub fn abandon(self) {
        let Self { publisher, storing, stop, .. } = self;
        stop.store(true, Ordering::Relaxed);
        // A replay's way to the store is in it, and the thread ends with the last of those.
        drop(publisher);
        // What was under way is refused or was in time; either is right.
        drop(storing.finish());
    }

    /// Has the store stopped writing?
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.storing.has_ended()
    }
}

impl From<barograph_lake::journal::Error> for Error {
    fn from(e: barograph_lake::journal::Error) -> Self {
        Self::failed(chain(&e))
    }
}
