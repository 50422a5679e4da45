//! `demo`: the built-in history in, the lines of 2026-02-05 as they would have been reported, and the report; then a synthetic market
//! live from the built-in venue server, with the API over both.

mod played;
mod weather;

use crate::builtin::BuiltIn;
use crate::cli::{Demo, Up};
use crate::commands::demo::played::{Both, Played, STORY};
use crate::commands::{replay, serve, up};
use crate::config::Settings;
use crate::failure::Failure;
use crate::ingest;
use crate::input;
use crate::report::Reports;
use crate::setup::configured;
use crate::term::{Paint, fold};
use barograph_domain::{InstrumentName, Span, Ts};
use barograph_lake::ImportOptions;
use barograph_live::start::start;
use barograph_net::ClockOf;
use barograph_query::render::Lens;
use barograph_sim::world::episode::{Scheduled, Spell};
use barograph_sim::{Clock as _, Server, SimConfig, Venue, VirtualClock};
use std::io::{BufWriter, Write as _};
use std::sync::Arc;
use weather::WeatherLines;

pub(crate) fn run(args: &Demo, settings: &Settings, json: bool) -> Result<(), Failure> {
    if json {
        return Err(Failure::usage("demo prints for people; for JSON lines write: barograph replay --json PATH"));
    }
    let runtime = serve::runtime()?;
    let listener = if args.no_serve { None } else { Some(serve::bind(&runtime, settings.listen()?)?) };
    // Both halves in one store, or the addresses printed below would lead nowhere.
    let target = super::target(settings);
    let mut writer = ingest::open_target(&target)?;
    // The first market can be asked for while the others are computed.
    let meanwhile = listener.map(|l| serve::Meanwhile::start(&runtime, settings, l)).transpose()?;
    if let Some(meanwhile) = &meanwhile {
        let mut out = std::io::stdout().lock();
        writeln!(out, "open  http://{}/", meanwhile.addr())?;
        writeln!(out, "      The page plays 5 February 2026 as soon as the history is read.")?;
        out.flush()?;
    }
    let history = BuiltIn::unpack()?;
    let plan = input::plan(&history.paths(), &ImportOptions::new(crate::clock::now()))?;
    let setup = configured(settings, plan.policy_text().to_owned())?;
    {
        let mut err = std::io::stderr().lock();
        writeln!(err, "reading the built-in history: 3 perpetuals, hourly candles, 8 h funding,")?;
        writeln!(err, "hourly open interest of Hyperliquid as a proxy")?;
    }
    let lenses: Vec<Lens> = plan.instruments().iter().map(|i| setup.lens(i, plan.streams())).collect();
    let mut weather = Reports::new(lenses, None, None);
    let mut day = Played::default();
    let mut both = Both { reports: &mut weather, day: &mut day, page: meanwhile.as_ref() };
    let ingested = ingest::into_target(&target, writer.as_mut(), &plan, "built-in history", &setup, Some(&mut both))?;
    if !ingested.shown {
        replay::through(&plan, &setup, &mut both, "replaying")?;
    }
    // Serving needs no lock.
    drop(writer);
    // A second time everything is stored already, and nothing was seen of it.
    meanwhile.iter().for_each(|page| page.begin_with(STORY));
    ingest::print(&ingested)?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    writeln!(out)?;
    day.print(&mut out, weather.lenses(), Paint::detect())?;
    writeln!(out)?;
    weather.print(&mut out, Paint::detect())?;
    out.flush()?;
    drop(out);
    let Some(meanwhile) = meanwhile else { return Ok(()) };
    let moments = weather.moments();
    live(&runtime, settings, meanwhile, args, &moments)
}

/// The second half: a synthetic market with books and liquidations, live from the built-in venue server.
fn live(
    runtime: &tokio::runtime::Runtime,
    settings: &Settings,
    meanwhile: serve::Meanwhile,
    args: &Demo,
    moments: &[(InstrumentName, Ts)],
) -> Result<(), Failure> {
    // Some hours ago, or after what an earlier demo has journalled.
    let last = barograph_live::replay::last_stamp(&settings.data)?.unwrap_or(Ts(0));
    let settlement = (crate::clock::now() - BACK).floor(FUNDING_INTERVAL);
    let origin = (settlement - WARM).max(last + Span::secs(1));
    let world = Arc::new(VirtualClock::new(origin, SPEED));
    let mut config = SimConfig { enforce_limits: false, ..SimConfig::default() };
    config.world.seed = args.seed;
    // The first three are named after real ones; synthetic markets shall not be taken for those.
    config.world.usdm_markets = 3 + MARKETS;
    config.world.episodes = EPISODES.iter().map(|(after, episode)| Scheduled::all(*after, *episode)).collect();
    // The second squeeze begins with a funding interval: the running rate is an average over it and shows it at once.
    let second = (origin + WARM).ceil(FUNDING_INTERVAL) - origin;
    config.world.episodes.push(Scheduled::all(second, Spell::SqueezeBuildUp));
    config.world.episodes.push(Scheduled::all(second + SECOND_LASTS, Spell::SqueezeRelease));
    config.world.episodes.push(Scheduled::all(second + SECOND_LASTS + Span::mins(10), Spell::Chop));
    let server = runtime
        .block_on(Server::start(config, Arc::clone(&world) as Arc<dyn barograph_sim::Clock>))
        .map_err(|e| Failure::broken(crate::failure::chain(&e)))?;
    let flags = Up {
        venues: Some("binance-usdm".to_owned()),
        symbols: Some((1..=MARKETS).map(|n| format!("M{n:04}USDT")).collect::<Vec<_>>().join(",")),
        books: Some("on".to_owned()),
        endpoints: Some(format!("binance-usdm={}", server.rest_base(Venue::BinanceUsdm))),
        ..Up::default()
    };
    let settings = settings.with(flags.settings())?;
    let clock = ClockOf::new(Arc::clone(&world), VirtualClock::now, VirtualClock::rate);
    let mut request = up::request(&flags, &settings, Arc::new(clock))?;
    request.stop = serve::watch_for_stop(runtime);
    request.weather = Some(Box::new(WeatherLines::new(Paint::detect()).into_teller()));
    {
        let mut out = std::io::stdout().lock();
        let story = format!(
            "synthetic market, live at {SPEED}× real time (seed {}): a squeeze and a cascade within two minutes; a second \
             squeeze, with enough funding history to classify it, after {:.0}",
            args.seed,
            second.as_secs_f64() / SPEED / 60.0
        );
        writeln!(out, "\n{}", fold(&story, WIDTH, ""))?;
        out.flush()?;
    }
    let running = start(runtime, settings.live(), request, || Ok(up::open_store(&settings)?))?;
    let addr = meanwhile.addr();
    running.service.begin_with(STORY);
    {
        let mut out = std::io::stdout().lock();
        writeln!(out, "open  http://{addr}/")?;
        writeln!(out, "      The page plays 5 February 2026; Now shows the synthetic market.")?;
        writeln!(out, "      Moments worth a look:")?;
        for (name, ts) in moments {
            writeln!(out, "      http://{addr}/m/{name}?as_of={ts}")?;
        }
        writeln!(out, "      http://{addr}/docs  the API, every route to try")?;
        writeln!(out, "stop with Ctrl-C; the data stay in {}", super::target(&settings))?;
        out.flush()?;
    }
    let choose = Box::new(move |settings: &Settings| up::asked(&flags, settings));
    let served = serve::serve_live(runtime, &settings, Some(serve::Door::Open(meanwhile)), running, choose, None);
    runtime.block_on(server.stop());
    served
}

/// Columns of its lines.
const WIDTH: usize = 80;
/// Synthetic markets.
const MARKETS: usize = 3;
/// World seconds per second.
const SPEED: f64 = 20.0;
/// The world's second squeeze is at least this far back, so that the world does not run ahead of the machine's clock within half
/// an hour.
const BACK: Span = Span::hours(5);
/// From the beginning until running funding has windows to be judged by: a quarter of a day, and a little.
const WARM: Span = Span::mins(375);
const FUNDING_INTERVAL: Span = Span::hours(8);
const SECOND_LASTS: Span = Span::mins(60);

/// What happens when, from the beginning of the world.
const EPISODES: [(Span, Spell); 6] = [
    (Span::ZERO, Spell::Chop),
    (Span::mins(4), Spell::SqueezeBuildUp),
    (Span::mins(24), Spell::SqueezeRelease),
    (Span::mins(34), Spell::Cascade),
    (Span::mins(50), Spell::Chop),
    (Span::mins(80), Spell::Quiet),
];
