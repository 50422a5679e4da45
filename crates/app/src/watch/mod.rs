//! `watch`: the weather board in a terminal, from the same stream as the page.
//!
//! [`client`] speaks with the server, [`state`] holds what it said, [`keys`] decides what is looked at, [`table`], [`market`] and
//! [`draw`] make text of it. This file joins them: one thread reads the socket, this one keys and clock. The terminal is given
//! back however it ends: a guard, the panic hook of ratatui, and a stop flag for signals.

pub(crate) mod client;
mod draw;
mod keys;
mod market;
pub(crate) mod plain;
mod state;
mod table;
mod wording;

use crate::commands::serve::{runtime, watch_for_stop};
use crate::failure::Failure;
use client::{Follow, ServerTarget, StreamNews};
use keys::{Act, View, WatchPage};
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use state::KnownBoard;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use table::BoardMoment;

/// How long a key waits at most until news are drawn.
const FRAME: Duration = Duration::from_millis(100);
/// Without a tick for so long, what is shown is old.
const STALE: Duration = Duration::from_secs(4);

/// Gives the terminal back.
struct Restore;

impl Drop for Restore {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

/// What came of the server, and when.
struct Link {
    target: ServerTarget,
    follow: Follow,
    board: KnownBoard,
    heard_at: Instant,
    trouble: Option<String>,
}

impl Link {
    fn new(target: &ServerTarget) -> Result<Self, Failure> {
        let follow = Follow::start(target, None)?;
        Ok(Self {
            target: target.clone(),
            follow,
            board: KnownBoard::default(),
            heard_at: Instant::now(),
            trouble: None,
        })
    }

    /// Connects anew, with the market that is looked at.
    fn again(&mut self, view: &View) -> Result<(), Failure> {
        let market = match &view.page {
            WatchPage::Market(market) => Some(market.as_str()),
            WatchPage::Board => None,
        };
        self.board.forget_market(market);
        self.follow = Follow::start(&self.target, market)?;
        Ok(())
    }

    /// Takes in what has come.
    fn listen(&mut self, view: &View) -> Result<(), Failure> {
        while let Ok(heard) = self.follow.heard.try_recv() {
            match heard {
                StreamNews::Lost(why) => self.trouble = Some(why),
                StreamNews::Alerts(alerts) => self.board.remember(alerts),
                StreamNews::Event(event, data) => match self.board.apply(&event, data) {
                    Ok(()) => {
                        self.heard_at = Instant::now();
                        self.trouble = None;
                    }
                    Err(why) => {
                        self.trouble = Some(why);
                        // The thread connects again by itself where the server has ended it.
                        if !matches!(event.as_str(), "lagged" | "closing" | "problem") {
                            self.again(view)?;
                        }
                    }
                },
            }
        }
        Ok(())
    }

    fn moment(&self) -> BoardMoment {
        let silent = self.heard_at.elapsed();
        let since = i64::try_from(silent.as_millis()).unwrap_or(0);
        BoardMoment { now_ms: self.board.now_ms + since, silent_s: (silent >= STALE).then_some(silent.as_secs()) }
    }
}

/// Follows the board until a key or a signal ends it.
pub(crate) fn follow(target: &ServerTarget) -> Result<(), Failure> {
    let runtime = runtime()?;
    let stop = watch_for_stop(&runtime);
    let mut link = Link::new(target)?;
    let palette = wording::Palette::detect();
    let _restore = Restore;
    let mut terminal = ratatui::try_init()?;
    let mut view = View::default();
    while !stop.load(Ordering::Relaxed) {
        link.listen(&view)?;
        let at = link.moment();
        let scene = draw::Picture {
            board: &link.board,
            view: &view,
            at,
            palette,
            address: target.address(),
            trouble: link.trouble.as_deref(),
        };
        terminal.draw(|frame| draw::draw(frame, &scene))?;
        if !event::poll(FRAME)? {
            continue;
        }
        let Event::Key(key) = event::read()? else { continue };
        if key.kind == KeyEventKind::Release {
            continue;
        }
        match view.press(&link.board, key) {
            Act::Nothing => {}
            Act::Follow => link.again(&view)?,
            Act::Quit => break,
        }
    }
    Ok(())
}
