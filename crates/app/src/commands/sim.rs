//! `sim`: the built-in venue server by itself, to listen to with `up --endpoint`.

use crate::cli::Sim;
use crate::clock::now;
use crate::commands::serve::{runtime, stopped};
use crate::failure::Failure;
use barograph_sim::{Server, SimConfig, Venue, VirtualClock};
use std::io::Write as _;
use std::sync::Arc;

pub(crate) fn run(args: &Sim) -> Result<(), Failure> {
    if !(barograph_sim::RATE_MIN..=barograph_sim::RATE_MAX).contains(&args.speed) {
        return Err(Failure::usage(format!("speed {}: write a number from 1 to 100", args.speed)));
    }
    let runtime = runtime()?;
    let clock = Arc::new(VirtualClock::new(now(), args.speed));
    let mut config = SimConfig { port: args.port, ..SimConfig::default() };
    config.world.seed = args.seed;
    config.world.usdm_markets = args.markets;
    if let Some(rate) = args.messages_per_s {
        config.world.messages_per_s = rate;
    }
    runtime.block_on(async {
        let server = Server::start(config, clock).await.map_err(|e| Failure::broken(crate::failure::chain(&e)))?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "the built-in venue server (synthetic, seed {}) answers on http://{}/", args.seed, server.addr)?;
        let base = server.rest_base(Venue::BinanceUsdm);
        writeln!(out, "listen to it with: barograph up --endpoint binance-usdm={base}")?;
        out.flush()?;
        drop(out);
        stopped().await;
        server.stop().await;
        Ok(())
    })
}
