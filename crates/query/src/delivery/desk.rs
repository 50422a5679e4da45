//! The desk: one way by which a process writes commands, opened when first needed, and again after a failure.

use super::ask::Wrong;
use barograph_api::NewReceiver;
use barograph_domain::Ts;
use barograph_domain::delivery::{Matcher, Silence};
use barograph_notify::budget::AlertBudget;
use barograph_notify::sample::SampleOutcome;
use barograph_store::{Error, OutboxDesk, Outgoing, ReplayOutcome, Result, StoreTarget, open_desk, open_outbox};
use std::sync::{Arc, Mutex, PoisonError};

/// One receiver of the settings, as much of it as may be shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outlet {
    /// Its name.
    pub name: String,
    /// What it is sent.
    pub format: String,
    /// Host and the last four characters of the path.
    pub address: String,
    /// How many alerts it is sent within a time; `None`: any number.
    pub budget: Option<AlertBudget>,
    /// It was made on the page.
    pub made: bool,
}

/// Receivers of a process that delivers, as far as people change them.
pub trait Outlets: Send + Sync {
    /// All of them, in the order of the settings.
    fn all(&self) -> Vec<Outlet>;
    /// Sends a sample to one; `None` where there is none of that name.
    fn sample(&self, name: &str) -> Option<std::result::Result<SampleOutcome, String>>;
    /// Makes one more.
    fn make(&self, new: &NewReceiver) -> std::result::Result<(), Wrong>;
    /// Removes one that was made so; false where none was.
    fn remove(&self, name: &str) -> std::result::Result<bool, String>;
}

/// What the dispatcher hears after it is stored.
#[derive(Clone, PartialEq, Debug)]
pub enum DeliveryCommand {
    /// One delivery waits again.
    Again(Box<Outgoing>),
    /// Silences have changed: read them.
    Silences,
    /// An endpoint is in use again: forget why it was disabled and since when it fails.
    Enabled(String),
}

/// Why a command was not carried out.
#[derive(Debug)]
pub enum Failed {
    /// The store said no.
    Store(Error),
    /// It is stored, and the dispatcher did not hear: it has ended, or has too much to do.
    Unheard,
}

impl From<Error> for Failed {
    fn from(e: Error) -> Self {
        Self::Store(e)
    }
}

/// Notifies the dispatcher; false when it does not listen.
type Notify = Box<dyn Fn(DeliveryCommand) -> bool + Send + Sync>;
/// Can these matchers be read? The words are those a person sees.
type Understand = fn(&[Matcher]) -> std::result::Result<(), String>;

/// Everything with which a process changes deliveries: the database, the receivers and the dispatcher that hears of it.
pub struct DeliveryDesk {
    target: StoreTarget,
    /// Receivers of this process; `None` where nobody delivers.
    pub outlets: Option<Arc<dyn Outlets>>,
    notify: Notify,
    /// See [`Understand`].
    pub understand: Understand,
    /// Opened with the role, where there is no dispatcher to notify.
    alone: bool,
    writer: Mutex<Option<Box<dyn OutboxDesk>>>,
}

impl core::fmt::Debug for DeliveryDesk {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("DeliveryDesk")
            .field("target", &self.target)
            .field("outlets", &self.outlet_names())
            .finish_non_exhaustive()
    }
}

impl DeliveryDesk {
    /// Beside a dispatcher of this process.
    pub fn beside(target: StoreTarget, outlets: Arc<dyn Outlets>, understand: Understand, notify: Notify) -> Self {
        Self { target, outlets: Some(outlets), notify, understand, alone: false, writer: Mutex::default() }
    }

    /// Where nobody delivers: the first write takes the role, and fails while another process has it.
    pub fn alone(target: StoreTarget, understand: Understand) -> Self {
        Self {
            target,
            outlets: None,
            notify: Box::new(|_wish| true),
            understand,
            alone: true,
            writer: Mutex::default(),
        }
    }

    /// Names of its receivers.
    pub fn outlet_names(&self) -> Vec<String> {
        self.outlets.iter().flat_map(|o| o.all()).map(|o| o.name).collect()
    }

    /// Takes the role of the dispatcher; false when another process has it.
    pub fn claim(&self) -> Result<bool> {
        match self.with(|_writer| Ok(())) {
            Ok(()) => Ok(true),
            Err(Error::Locked { .. }) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Has something sent again.
    pub fn replay(&self, endpoint: &str, message: &str, now: Ts) -> std::result::Result<ReplayOutcome, Failed> {
        let done = self.with(|w| w.replay(endpoint, message, now))?;
        if let ReplayOutcome::Waits(again) = &done {
            self.command(DeliveryCommand::Again(again.clone()))?;
        }
        Ok(done)
    }

    /// Stores a silence; false when one of this id is there.
    pub fn silence(&self, silence: &Silence) -> std::result::Result<bool, Failed> {
        let new = self.with(|w| w.put_silence(silence))?;
        self.command(DeliveryCommand::Silences)?;
        Ok(new)
    }

    /// Ends a silence; false when there is none that would hold.
    pub fn end_silence(&self, id: &str, now: Ts, by: &str) -> std::result::Result<bool, Failed> {
        let ended = self.with(|w| w.end_silence(id, now, by))?;
        if ended {
            self.command(DeliveryCommand::Silences)?;
        }
        Ok(ended)
    }

    /// Uses an endpoint again.
    pub fn enable(&self, name: &str) -> std::result::Result<(), Failed> {
        self.with(|w| w.enable_endpoint(name))?;
        // The dispatcher may have disabled it a moment ago and not have stored that yet: it hears in any case.
        self.command(DeliveryCommand::Enabled(name.to_owned()))
    }

    fn command(&self, command: DeliveryCommand) -> std::result::Result<(), Failed> {
        if (self.notify)(command) { Ok(()) } else { Err(Failed::Unheard) }
    }

    fn with<T>(&self, work: impl FnOnce(&mut dyn OutboxDesk) -> Result<T>) -> Result<T> {
        let mut held = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut writer = match held.take() {
            Some(writer) => writer,
            None if self.alone => open_outbox(&self.target)?,
            None => open_desk(&self.target)?,
        };
        let done = work(&mut *writer);
        if done.is_ok() {
            *held = Some(writer);
        }
        // After a failed write nobody knows what is on disk until it is opened again.
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::ask::{self, NewSilence};
    use barograph_domain::Span;
    use barograph_store::open_reader;

    const NOW: Ts = Ts::from_civil(2026, 2, 5, 12, 0, 0);

    fn silence() -> Silence {
        let new = NewSilence {
            matchers: vec![ask::matcher("venue=bybit").unwrap()],
            author: "ann".to_owned(),
            reason: "work".to_owned(),
            ends_at: None,
            duration: Some("2h".to_owned()),
        };
        ask::silence(&new, NOW, |_matchers| Ok(())).unwrap()
    }

    #[test]
    fn the_dispatcher_is_told_after_the_store() {
        let dir = tempfile::tempdir().unwrap();
        let target = StoreTarget::Folder(dir.path().to_owned());
        let _dispatcher = open_outbox(&target).unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let (heard, place) = (Arc::clone(&told), target.clone());
        let notify: Notify = Box::new(move |command| {
            let stored = open_reader(&place).unwrap().silences(None, None).unwrap().len();
            heard.lock().unwrap().push((command, stored));
            true
        });
        let desk = DeliveryDesk { notify, alone: false, ..DeliveryDesk::alone(target.clone(), |_| Ok(())) };
        assert!(desk.silence(&silence()).unwrap());
        assert!(desk.end_silence(&silence().id, NOW + Span::mins(1), "bob").unwrap());
        assert!(!desk.end_silence(&silence().id, NOW + Span::mins(2), "bob").unwrap());
        desk.enable("phone").unwrap();
        assert_eq!(desk.replay("phone", "msg_none", NOW).unwrap(), ReplayOutcome::Missing);
        let commands = [
            (DeliveryCommand::Silences, 1),
            (DeliveryCommand::Silences, 1),
            (DeliveryCommand::Enabled("phone".to_owned()), 1),
        ];
        assert_eq!(*told.lock().unwrap(), commands);
        let deaf =
            DeliveryDesk { notify: Box::new(|_| false), alone: false, ..DeliveryDesk::alone(target, |_| Ok(())) };
        assert!(matches!(deaf.enable("phone"), Err(Failed::Unheard)));
    }

    #[test]
    fn without_a_dispatcher_the_role_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let target = StoreTarget::Folder(dir.path().to_owned());
        let dispatcher = open_outbox(&target).unwrap();
        let desk = DeliveryDesk::alone(target.clone(), |_| Ok(()));
        assert!(matches!(desk.silence(&silence()), Err(Failed::Store(Error::Locked { role: "delivery", .. }))));
        assert!(!desk.claim().unwrap());
        drop(dispatcher);
        assert!(desk.claim().unwrap() && desk.silence(&silence()).unwrap());
        assert!(matches!(open_outbox(&target).map(drop), Err(Error::Locked { .. })));
    }
}
