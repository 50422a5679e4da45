//! The processes of a cluster (`up --role`): one that listens and journals, those that make minutes of its journal, one that makes hours.
//! Where each part stands in the whole is in docs/cluster.md.

mod link;
mod outside;
mod port;
mod serving;

use crate::cli::Up;
use crate::clock::SystemClock;
use crate::commands::serve::{bind, runtime, serve_live, watch_for_stop};
use crate::commands::{serve, up};
use crate::config::Settings;
use crate::failure::Failure;
use crate::role::ClusterRole;
use crate::setup::configured;
use barograph_bus::{Bus, BusOptions, Error as BusError};
use barograph_cluster::{CoursePace, Holder, KeptLimits, TenurePace, WorkerId, WorkerSettings};
use barograph_domain::Ts;
use barograph_domain::text::number_of;
use barograph_engine::models::ModelMarkets;
use barograph_live::delivery::Room;
use barograph_live::recorder::Relayed;
use barograph_live::setup::Setup;
use barograph_live::share::Share;
use barograph_live::start::{LiveRequest, LiveSettings, start};
use barograph_live::worker::{
    EngineStand, RosterPlan, UniversePlan, UniverseStand, WorkerPlan, held, run_groups, run_universe,
};
use barograph_objects::depot::Depot;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use link::BrokerLink;
use outside::ServedOutside;
use port::{WorkerPort, WorkerStand};
use std::io::Write as _;
use std::sync::Arc;

/// Parcels are kept on the broker so long: what a checkpoint lacks is younger.
const PARCELS_KEPT: Duration = Duration::from_secs(30 * 60);
/// And no more of them than this.
const PARCELS_BYTES: i64 = 4 << 30;
/// Shortest and longest wait between checkpoints of a group: what lies behind one is run again at a takeover, within its five seconds. In
/// between it depends on what a checkpoint costs.
const CHECKPOINT_MS: (u64, u64) = (5_000, 60_000);
/// How often a broker that is away at the start is asked again.
const AGAIN: Duration = Duration::from_secs(1);

/// Runs one part of a cluster until SIGINT or SIGTERM.
pub(crate) fn run(role: ClusterRole, args: &Up, settings: &Settings) -> Result<(), Failure> {
    match role {
        ClusterRole::All => up::alone(args, settings),
        ClusterRole::Serve => serving::run(args, settings),
        ClusterRole::Ingest => ingest(args, settings),
        ClusterRole::Engine => engine(args, settings),
        ClusterRole::Universe => universe(args, settings),
    }
}

/// Where the broker is, and what it keeps.
fn bus_options(settings: &Settings) -> Result<BusOptions, Failure> {
    let url = settings.nats_url.clone().ok_or_else(|| {
        Failure::usage("a cluster needs a NATS server: set nats_url, as in nats_url = \"nats://127.0.0.1:4222\"")
    })?;
    let name = settings.cluster_name.clone();
    Ok(BusOptions { url, name, keep: PARCELS_KEPT, keep_bytes: PARCELS_BYTES })
}

/// The broker of the settings. One that is away is waited for: machines start in any order.
fn bus(settings: &Settings, stop: &AtomicBool) -> Result<Arc<Bus>, Failure> {
    let url = settings.nats_url.clone().ok_or_else(|| {
        Failure::usage("a cluster needs a NATS server: set nats_url, as in nats_url = \"nats://127.0.0.1:4222\"")
    })?;
    let options =
        BusOptions { url, name: settings.cluster_name.clone(), keep: PARCELS_KEPT, keep_bytes: PARCELS_BYTES };
    let mut waits = false;
    loop {
        match Bus::open(&options) {
            Ok(bus) => return Ok(Arc::new(bus)),
            Err(e @ BusError::Refused(_)) => return Err(Failure::broken(e)),
            Err(e @ BusError::Away(_)) => {
                if !waits {
                    writeln!(std::io::stderr(), "barograph: {e}; waiting for it")?;
                    waits = true;
                }
                if stop.load(Ordering::Relaxed) {
                    return Err(Failure::Stopped);
                }
                std::thread::sleep(AGAIN);
            }
        }
    }
}

/// The process that listens. Its store is a file beside its journal that stays empty: minutes are made elsewhere.
fn ingest(args: &Up, settings: &Settings) -> Result<(), Failure> {
    let runtime = runtime()?;
    let stop = watch_for_stop(&runtime);
    let settings = Settings { db_url: None, redis: None, onchain: Vec::new(), ..settings.clone() };
    let relayed = Arc::new(Relayed::default());
    let link = BrokerLink::start(&settings, (settings.data.clone(), Arc::clone(&relayed)), Arc::clone(&stop))?;
    let request = LiveRequest {
        // Fits are made where minutes are; they would have to come back into the journal.
        models: ModelMarkets::Off,
        stop,
        ..up::request(args, &settings, Arc::new(SystemClock))?
    };
    let of = settings.clone();
    let live = LiveSettings {
        setup: Box::new(move || {
            Ok(Setup { share: Share::Nothing, ..configured(&of, barograph_venues::policy::text())? })
        }),
        receivers: Box::new(|| Ok(Vec::new())),
        relay: Some((link.onward(), relayed)),
        ..settings.live()
    };
    let again = args.clone();
    let listener = if args.no_serve { None } else { Some(bind(&runtime, settings.listen()?)?) };
    let running = start(&runtime, live, request, || Ok(up::open_store(&settings)?))?;
    let choose = Box::new(move |settings: &Settings| up::asked(&again, settings));
    let door = listener.map(serve::Door::New);
    let served = serve_live(&runtime, &settings, door, running, choose, args.for_time.map(up::real));
    link.end().and(served)
}

/// What workers of both kinds share.
struct Means {
    me: Holder,
    setup: Setup,
    outside: Arc<ServedOutside>,
    stop: Arc<AtomicBool>,
    port: WorkerPort,
    runtime: tokio::runtime::Runtime,
}

fn means(args: &Up, settings: &Settings, stand: WorkerStand) -> Result<Means, Failure> {
    let runtime = runtime()?;
    let stop = watch_for_stop(&runtime);
    if settings.db_url.is_none() {
        return Err(Failure::usage(
            "the workers of a cluster write one PostgreSQL: set db_url, as in db_url = \"postgres://user@host/barograph\"",
        ));
    }
    let place = settings.cluster_objects.as_deref().ok_or_else(|| {
        Failure::usage(
            "workers keep checkpoints where the others find them: set cluster_objects, as in cluster_objects = \
             \"s3://bucket/barograph\", or a folder that all of them have",
        )
    })?;
    let objects = crate::objects::place(place, settings)?;
    let setup = configured(settings, barograph_venues::policy::text())?;
    let port = WorkerPort::open(args, settings, &runtime, (stand, &stop))?;
    end_after(args, &stop);
    let bus = bus(settings, &stop)?;
    let mut seed = [0_u8; 8];
    getrandom::fill(&mut seed).map_err(Failure::broken)?;
    let me = Holder { worker: WorkerId::new(&worker_name(settings)), boot: u64::from_le_bytes(seed) >> 1 };
    let target = crate::commands::target(settings);
    let outside = Arc::new(ServedOutside { bus, depot: Depot::new(objects), target });
    Ok(Means { me, setup, outside, stop, port, runtime })
}

/// The name of this worker: that of the settings, or that of the machine with the number of the process.
fn worker_name(settings: &Settings) -> String {
    settings.cluster_worker.clone().unwrap_or_else(|| {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let host = host.trim();
        let host: String = host.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        format!("{}-{}", if host.is_empty() { "worker" } else { &host }, std::process::id())
    })
}

fn pace(settings: &Settings) -> TenurePace {
    TenurePace::of_ttl(u64::try_from(settings.cluster_lease.0 / 1_000_000).unwrap_or(2_400))
}

/// Makes minutes of the groups that are its share.
fn engine(args: &Up, settings: &Settings) -> Result<(), Failure> {
    let groups = settings.cluster_groups;
    let stand = Arc::new(EngineStand::new(groups));
    let Means { me, setup, outside, stop, port, runtime } =
        means(args, settings, WorkerStand::Engine(Arc::clone(&stand)))?;
    let lease = pace(settings);
    let worker = WorkerPlan {
        me: me.clone(),
        groups,
        room: Some(mailbox(settings, &setup, &runtime)?),
        setup,
        keep: settings.live().keep,
        target: crate::commands::target(settings),
        settings: WorkerSettings {
            lease,
            course: CoursePace {
                kept: KeptLimits { count: 4_096, bytes: 256 << 20 },
                hole_ms: 100,
                silent_ms: 2_500,
                retry_ms: 6_000,
                unstored_max: 4_096,
                checkpoint_pieces: u32::MAX,
                checkpoint_min_ms: CHECKPOINT_MS.0,
                checkpoint_max_ms: CHECKPOINT_MS.1,
                deposit_ms: 20_000,
            },
            beginning: Ts(0),
            release_ms: 10_000,
            load_ms: 5_000,
        },
        outside,
    };
    let plan = RosterPlan { worker, ttl_ms: lease.ttl_ms, stand: Arc::clone(&stand) };
    writeln!(
        std::io::stderr(),
        "{} makes minutes: {} shared among the workers",
        me.worker,
        number_of(u64::from(groups), "group")
    )?;
    watch_stand(stand, Arc::clone(&stop));
    port.begins();
    let ended = run_groups(&plan, &stop);
    port.close(&runtime).and(ended.map_err(Failure::from))
}

/// Prints how many groups are held, when that changes.
fn watch_stand(stand: Arc<EngineStand>, stop: Arc<AtomicBool>) {
    let watch = move || {
        let mut before = usize::MAX;
        while !stop.load(Ordering::Relaxed) {
            let now = held(&stand.groups());
            if now != before {
                drop(writeln!(std::io::stderr(), "barograph: {} here", number_of(now as u64, "group")));
                before = now;
            }
            std::thread::sleep(AGAIN);
        }
    };
    // Without it the lines of the groups themselves show the same.
    drop(std::thread::Builder::new().name("stands".to_owned()).spawn(watch));
}

/// Makes hours and the ledger, and delivers what the groups have to say.
fn universe(args: &Up, settings: &Settings) -> Result<(), Failure> {
    let stand = Arc::new(UniverseStand::default());
    let Means { me, setup, outside, stop, port, runtime } =
        means(args, settings, WorkerStand::Universe(Arc::clone(&stand)))?;
    let clock = crate::clock::shown(Arc::new(SystemClock), &settings.data);
    let target = crate::commands::target(settings);
    let (receivers, book, handle) = (settings.receivers()?, Arc::clone(&setup.book), runtime.handle().clone());
    let room = Arc::new(move || Room::open(receivers.clone(), &target, &book, Arc::clone(&clock), handle.clone()));
    let plan = UniversePlan {
        me,
        groups: settings.cluster_groups,
        setup,
        keep: settings.live().keep,
        // Reading months back at the start takes longer than a group's lease.
        pace: TenurePace::of_ttl(pace(settings).ttl_ms * 2),
        room,
        outside,
        stand,
    };
    port.begins();
    let ended = run_universe(&plan, &stop);
    port.close(&runtime).and(ended.map_err(Failure::from))
}

/// Who writes messages into the outbox and delivers none.
fn mailbox(settings: &Settings, setup: &Setup, runtime: &tokio::runtime::Runtime) -> Result<Arc<Room>, Failure> {
    let clock = crate::clock::shown(Arc::new(SystemClock), &settings.data);
    let target = crate::commands::target(settings);
    Ok(Room::mailbox(settings.receivers()?, &target, &setup.book, clock, runtime.handle().clone())?)
}

/// Ends after `--for`.
fn end_after(args: &Up, stop: &Arc<AtomicBool>) {
    if let Some(limit) = args.for_time.map(up::real) {
        let stop = Arc::clone(stop);
        let wait = move || {
            std::thread::sleep(limit);
            stop.store(true, Ordering::Relaxed);
        };
        drop(std::thread::Builder::new().name("limit".to_owned()).spawn(wait));
    }
}
