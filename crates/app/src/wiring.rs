//! From settings to what a live process wants to know of them.

use crate::config::Settings;
use crate::setup::configured;
use barograph_live::Keep;
use barograph_live::onchain::OnchainSettings;
use barograph_live::replay::journal_folder;
use barograph_live::start::{Listening, LiveSettings, endpoints};
use barograph_notify::secret::Secret;
use barograph_venues::deribit;
use barograph_venues::onchain::OnchainHost;
use barograph_venues::session::BaseAddresses;

impl Settings {
    /// As far as a live process is concerned. Rule book and receivers are read when it comes to them.
    pub(crate) fn live(&self) -> LiveSettings {
        let (of_setup, of_receivers) = (self.clone(), self.clone());
        LiveSettings {
            data: self.data.clone(),
            target: crate::commands::target(self),
            setup: Box::new(move || Ok(configured(&of_setup, barograph_venues::policy::text())?)),
            receivers: Box::new(move || Ok(of_receivers.receivers()?)),
            default_venue: self.default_venue.as_str().to_owned(),
            listen: Listening {
                metrics: self.metrics.names.clone(),
                ratios: self.metrics.ratios,
                books: self.books,
                backfill: self.backfill,
                poll_every: self.poll_interval,
                polls_every: self.poll_intervals.clone(),
                polls_in_flight_max: self.max_concurrent_checks,
                trade_side_is_maker: self.coinbase_trade_side,
                watch: self.watch.clone(),
                spot_pairs: self.spot_pairs.clone(),
            },
            keep: Keep {
                store: self.retention(),
                books_every: self.book_interval,
                journal: journal_folder(&self.data),
                journal_age: self.keep_journal_days,
                journal_bytes: self.journal_bytes_max(),
            },
            calendar: self.calendar.clone(),
            relay: None,
            redis: self.redis.clone(),
            options: (self.options.clone(), self.options_endpoints()),
            onchain: self.onchain_settings(),
        }
    }

    /// What is fetched of on-chain and sentiment sources, with the keys where they belong.
    pub(crate) fn onchain_settings(&self) -> OnchainSettings {
        let bearer = self.sentiment_key.as_ref().map(|key| Secret::new(&format!("Bearer {}", key.expose())));
        let keys = [
            (OnchainHost::Glassnode, self.glassnode_key.clone()),
            (OnchainHost::Dune, self.dune_key.clone()),
            (OnchainHost::Scored, bearer),
        ];
        OnchainSettings {
            series: self.onchain.clone(),
            bases: self.onchain_endpoints.clone(),
            keys: keys.into_iter().filter_map(|(host, key)| Some((host, key?))).collect(),
            scored: self.sentiment.clone(),
        }
    }

    /// Where options are asked for. An address that cannot be meant is refused where venues are chosen, before this counts.
    fn options_endpoints(&self) -> BaseAddresses {
        endpoints(&deribit::VENUE, &self.endpoints).unwrap_or_else(|_refused| (deribit::VENUE.endpoints)())
    }
}
