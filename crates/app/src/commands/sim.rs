//! `sim`: the built-in venue server by itself, to listen to with `up --endpoint`. It makes up a market from a seed, or plays a
//! capture of a real one.

use crate::cli::Sim;
use crate::clock::now;
use crate::commands::serve::{runtime, stopped};
use crate::failure::Failure;
use barograph_sim::{Recording, Server, SimConfig, Source, Venue, VirtualClock};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;

pub(crate) fn run(args: &Sim) -> Result<(), Failure> {
    if !(barograph_sim::RATE_MIN..=barograph_sim::RATE_MAX).contains(&args.speed) {
        return Err(Failure::usage(format!("speed {}: write a number from 1 to 100", args.speed)));
    }
    let venue = venue(args)?;
    let recording = args.recording.as_deref().map(|path| capture(path, venue, args)).transpose()?;
    let runtime = runtime()?;
    let clock = Arc::new(VirtualClock::new(now(), args.speed));
    let mut config = SimConfig { port: args.port, ..SimConfig::default() };
    config.world.seed = args.seed;
    let of = |served: Venue| if venue == served { args.markets } else { 0 };
    config.world.usdm_markets = of(Venue::BinanceUsdm);
    config.world.spot_markets = of(Venue::BinanceSpot);
    config.world.coinbase_markets = of(Venue::Coinbase);
    config.world.coinex_markets = of(Venue::Coinex);
    if let Some(rate) = args.messages_per_s {
        config.world.messages_per_s = rate;
    }
    let (what, symbols) = match recording {
        Some(recording) => {
            let (frames, skipped) = recording.counts();
            let what = format!("recorded, {frames} frames over {}, {skipped} left out", recording.length().spoken());
            let symbols = recording.markets().join(",");
            config.source = Source::Recorded(recording);
            (what, symbols)
        }
        // The markets that are listened to unless others are named are there, but for Coinbase.
        None => {
            let symbols = if venue == Venue::Coinbase { "BTC-USD" } else { "" };
            (format!("synthetic, seed {}", args.seed), symbols.to_owned())
        }
    };
    runtime.block_on(async {
        let server = Server::start(config, clock).await.map_err(|e| Failure::broken(crate::failure::chain(&e)))?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "the built-in venue server ({what}) answers on http://{}/", server.addr)?;
        let (id, base) = (&venue.prefix()[1..], server.rest_base(venue));
        let choice = if venue == Venue::BinanceUsdm { String::new() } else { format!(" --venue {id}") };
        let symbols = if symbols.is_empty() { String::new() } else { format!(" --symbols {symbols}") };
        writeln!(out, "record it with: barograph up{choice}{symbols} --endpoint {id}={base}")?;
        out.flush()?;
        drop(out);
        stopped().await;
        server.stop().await;
        Ok(())
    })
}

/// The venue that is served.
fn venue(args: &Sim) -> Result<Venue, Failure> {
    let named = |v: &Venue| v.prefix()[1..] == *args.venue;
    Venue::ALL.into_iter().find(named).ok_or_else(|| {
        Failure::usage(format!("venue '{}': write binance-usdm, binance-spot, coinbase or coinex", args.venue))
    })
}

/// Reads a capture of a venue.
fn capture(path: &Path, venue: Venue, args: &Sim) -> Result<Recording, Failure> {
    let failed = |why: &dyn core::fmt::Display| Failure::usage(format!("{}: {why}", path.display()));
    if venue == Venue::Coinex {
        return Err(failed(
            &"captures of coinex are not read; write a --venue that one can be of: binance-usdm, binance-spot or coinbase",
        ));
    }
    let file = std::fs::File::open(path).map_err(|e| failed(&e))?;
    let mut text = String::new();
    match path.extension().and_then(|e| e.to_str()) {
        Some("gz") => flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text),
        Some("zst") => zstd::Decoder::new(file)?.read_to_string(&mut text),
        _ => std::io::BufReader::new(file).read_to_string(&mut text),
    }
    .map_err(|e| failed(&e))?;
    let recording = if text.starts_with('{') {
        Recording::of_cryptofeed(venue, text.lines())
    } else if args.symbol.is_empty() {
        return Err(failed(&"a file of hftbacktest's collector does not name its market; write --symbol"));
    } else {
        Recording::of_hftbacktest(venue, &args.symbol, text.lines())
    }
    .map_err(|e| failed(&crate::failure::chain(&e)))?;
    if recording.is_empty() {
        return Err(failed(&format!("no frame of {} is in it", args.venue)));
    }
    Ok(recording)
}
