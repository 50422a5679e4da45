//! The thread that fits models, one market after the other.
//!
//! What it answers is journalled before it enters (`process`), so a replay never needs this thread. It is asked for one fit at a
//! time: markets that are due together wait for each other, and a fit that was lost with its process is wanted again.

use crate::Error;
use barograph_engine::models::{FitRequest, ModelUpdate, fitting};
use barograph_lake::journal::ControlRecord;
use std::io::Write as _;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;

/// The thread and the ways to it and back.
#[derive(Debug)]
pub(crate) struct Fitter {
    ask: Option<SyncSender<FitRequest>>,
    answers: Receiver<ModelUpdate>,
    thread: Option<JoinHandle<()>>,
    busy: bool,
}

impl Fitter {
    /// Starts the thread; it waits.
    pub(crate) fn start() -> Result<Self, Error> {
        let (ask, asked) = sync_channel::<FitRequest>(1);
        let (answer, answers) = sync_channel(1);
        let work = move || {
            while let Ok(request) = asked.recv() {
                if answer.send(fitting::run(&request)).is_err() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("models".to_owned()).spawn(work).map_err(Error::failed)?;
        Ok(Self { ask: Some(ask), answers, thread: Some(thread), busy: false })
    }

    /// Asks for a fit, where none is under way.
    pub(crate) fn ask(&mut self, request: impl FnOnce() -> Option<FitRequest>) -> Result<(), Error> {
        if self.busy {
            return Ok(());
        }
        if let (Some(ask), Some(request)) = (&self.ask, request()) {
            ask.send(request).map_err(|_e| ended())?;
            self.busy = true;
        }
        Ok(())
    }

    /// The fit that has come, if one has.
    pub(crate) fn answer(&mut self) -> Result<Option<ModelUpdate>, Error> {
        match self.answers.try_recv() {
            Ok(update) => {
                self.busy = false;
                Ok(Some(update))
            }
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(ended()),
        }
    }
}

/// The journal's record of a fit. One that failed is reported: the model in force stays.
pub(crate) fn record(update: &ModelUpdate) -> Result<ControlRecord, Error> {
    if let Err(why) = &update.outcome {
        drop(writeln!(std::io::stderr(), "barograph: [MKT] {} has no new model: {why}", update.instrument));
    }
    Ok(ControlRecord::Model { value: serde_json::to_value(update).map_err(Error::failed)? })
}

fn ended() -> Error {
    Error::failed("the thread that fits models has ended".to_owned())
}

impl Drop for Fitter {
    /// A fit under way is waited for: tenths of a second. It is asked for again after the next start.
    fn drop(&mut self) {
        self.ask = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::InstrumentName;
    use barograph_engine::models::hmm::Window;

    #[test]
    fn one_fit_at_a_time_and_every_question_has_its_answer() {
        let mut fitter = Fitter::start().unwrap();
        let request = |cut_off: i64| {
            let mut window = Window::new(2);
            (0..400).for_each(|i| window.push(Some(&[f64::from(i % 7), f64::from(i * i % 11)])));
            Some(FitRequest { instrument: InstrumentName::new("bybit", "BTCUSDT").unwrap(), cut_off, window })
        };
        for cut_off in [10, 20] {
            fitter.ask(|| request(cut_off)).unwrap();
            fitter.ask(|| panic!("asked while one is under way")).unwrap();
            let update = loop {
                if let Some(update) = fitter.answer().unwrap() {
                    break update;
                }
                std::thread::sleep(std::time::Duration::from_millis(1));
            };
            assert_eq!(update, fitting::run(&request(cut_off).unwrap()));
            fitter.ask(|| None).unwrap();
            assert!(fitter.answer().unwrap().is_none());
        }
    }
}
