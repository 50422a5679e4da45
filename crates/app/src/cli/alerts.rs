//! Arguments of `alerts`: what was delivered, silences, and sending something again.

use barograph_domain::Ts;
use clap::{Args, Subcommand};

#[derive(Subcommand, Debug)]
pub(crate) enum Alerts {
    /// Deliveries, newest first
    Ls(Ls),
    /// One message: what it says, to whom it goes, and every try
    Show {
        /// Its id, as `ls` shows it
        message: String,
    },
    /// Send a sample to one receiver and show request and reply; exit 1 when it was not taken
    Test {
        /// Its name in the settings; without it, the names are listed
        name: Option<String>,
    },
    /// Deliver what waits in the outbox, then stop; a process that listens does so by itself
    Deliver {
        /// How long at most
        #[arg(long = "for", value_name = "DURATION", default_value = "10m")]
        limit: String,
    },
    /// What could not be delivered
    Dead {
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Send something again that is dead, expired, held back or superseded
    Replay {
        /// Id of the message
        message: String,
        /// To this endpoint only; every one it did not reach if left out
        #[arg(long)]
        endpoint: Option<String>,
    },
    /// Use a receiver again that refused for good or was not reached for days
    Enable {
        /// Its name in the settings
        name: String,
    },
    /// Silences that hold now or later
    Silences {
        /// Those that are over too
        #[arg(long)]
        all: bool,
        /// As they were known at a moment
        #[arg(long, value_name = "TIME", value_parser = super::values::as_of)]
        as_of: Option<Ts>,
    },
    /// Mute some alerts for a while
    Silence(SilenceArgs),
    /// Hear of it once a market turns: a label, a feature, the price or a signal
    Watch(AlertWatchArgs),
    /// What is watched, and what came true
    Watches,
    /// Remove a watch
    Unwatch {
        /// Its id, as `watches` shows it
        id: String,
    },
    /// End a silence now
    Unsilence {
        /// Its id
        id: String,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Ls {
    /// Only in this state: waiting, grouped, delivered, superseded, held_back, expired or dead
    #[arg(long)]
    pub(crate) state: Option<String>,
    /// Only to this endpoint
    #[arg(long)]
    pub(crate) endpoint: Option<String>,
    /// How many
    #[arg(long, default_value_t = 50)]
    pub(crate) limit: usize,
}

#[derive(Args, Debug)]
pub(crate) struct SilenceArgs {
    /// LABEL=VALUE, !=, =~ (pattern of the whole value) or !~; all must hold. Labels: event_type, instrument, venue, symbol,
    /// severity, axis, rule
    #[arg(long = "match", value_name = "MATCHER", required = true)]
    pub(crate) matchers: Vec<String>,
    /// For how long: 30m, 2h, 7d
    #[arg(long = "for", value_name = "DURATION")]
    pub(crate) duration: Option<String>,
    /// Until when, instead of --for
    #[arg(long, value_name = "TIME", conflicts_with = "duration")]
    pub(crate) until: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Your name, kept with the silence
    #[arg(long, value_name = "NAME")]
    pub(crate) author: String,
}

#[derive(Args, Debug)]
pub(crate) struct AlertWatchArgs {
    /// Which market
    pub(crate) market: String,
    /// AXIS leaves LABEL, AXIS becomes LABEL, AXIS changes; or price, a feature or a signal that is below, above or crosses a number. As in
    /// realized_vol_1h below 72%, x.mood above 0.6, or 'signal x.mood from news within 2h; x.mood.z_7d above 2'
    #[arg(required = true, num_args = 1.., allow_negative_numbers = true)]
    pub(crate) when: Vec<String>,
    /// Every time it turns; once unless set
    #[arg(long)]
    pub(crate) repeat: bool,
    /// What you want to be reminded of then
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    /// Only to this receiver; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) to: Vec<String>,
    /// Only say how often it came true in the last 30 days; watches nothing
    #[arg(long = "try", conflicts_with_all = ["repeat", "note", "to"])]
    pub(crate) only_tried: bool,
}
