//! `verify`: the two promises, checked on anyone's own data and rule book.

use crate::builtin::BuiltIn;
use crate::causality::stamps::Stamps;
use crate::causality::{self, CausalityVerdict, Experiment};
use crate::cli::{DeclaredArgs, Verify};
use crate::config::Settings;
use crate::determinism;
use crate::failure::Failure;
use crate::input;
use crate::progress::{Progress, Unit};
use crate::run::{Run, RunSink};
use crate::setup::configured;
use crate::term::{number_of, plural};
use barograph_domain::{MinuteRow, StreamDecl, StreamIndex, Ts};
use barograph_lake::{ImportOptions, ImportPlan};
use barograph_live::ledger_check::Checked;
use barograph_live::replay::is_listening;
use barograph_live::setup::Setup;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

pub(crate) fn run(command: &Verify, settings: &Settings, json: bool) -> Result<(), Failure> {
    match command {
        Verify::Causality(args) => {
            let input = Input::open(&args.paths, &args.declared, args.source.as_ref(), settings)?;
            let setup = configured(settings, input.plan.policy_text().to_owned())?;
            check_causality(&input.plan, &setup, args.points, args.seed, json)
        }
        Verify::Determinism(args) if args.paths.len() == 1 && barograph_live::replay::was_live(&args.paths[0]) => {
            check_live(&args.paths[0], settings, json)
        }
        Verify::Determinism(args) => {
            let input = Input::open(&args.paths, &args.declared, args.source.as_ref(), settings)?;
            let setup = configured(settings, input.plan.policy_text().to_owned())?;
            check_determinism(&input, &setup, args.seed, json)
        }
        Verify::Forecasts(args) => check_forecasts(args.folder.as_deref(), settings, json),
        Verify::Liquidations(args) => crate::truth::liquidations::run(args, json),
        Verify::Patterns(args) => crate::truth::patterns::run(args, settings, json),
        Verify::Accounts(args) => crate::truth::accounts::run(args, settings, json),
    }
}

/// Files to check; the built-in history where none are named.
struct Input {
    plan: ImportPlan,
    paths: Vec<PathBuf>,
    options: ImportOptions,
    /// Keeps the unpacked files while they are read.
    _built_in: Option<BuiltIn>,
}

impl Input {
    fn open(
        paths: &[PathBuf],
        declared: &DeclaredArgs,
        source: Option<&String>,
        settings: &Settings,
    ) -> Result<Self, Failure> {
        let options = input::options(declared, source, settings)?;
        let built_in = if paths.is_empty() { Some(BuiltIn::unpack()?) } else { None };
        let paths = built_in.as_ref().map_or_else(|| paths.to_vec(), BuiltIn::paths);
        let plan = input::plan(&paths, &options)?;
        input::print_declarations(&plan)?;
        Ok(Self { plan, paths, options, _built_in: built_in })
    }
}

/// The real thing: the whole import and the engine on what was known at a cut. A stream of which nothing was known does not
/// exist then: neither its header nor its file may show that it will begin.
struct Planned<'a> {
    plan: &'a ImportPlan,
    setup: &'a Setup,
    /// When the first point of each stream was known; the run without a cut notes it.
    begun: OnceLock<Vec<Option<Ts>>>,
}

impl Planned<'_> {
    /// Positions of the streams that have begun.
    fn begun_by(&self, cut: Ts) -> Vec<usize> {
        let known = |at: &usize| self.begun.get().is_none_or(|b| b[*at].is_some_and(|t| t <= cut));
        (0..self.plan.streams().len()).filter(known).collect()
    }
}

impl Experiment for Planned<'_> {
    fn run(&self, cut: Option<Ts>, sink: &mut dyn CausalSink) -> Result<(), Failure> {
        let all = self.plan.streams();
        let there = cut.map_or_else(|| (0..all.len()).collect(), |cut| self.begun_by(cut));
        let streams: Vec<StreamDecl> = there.iter().map(|at| all[*at].clone()).collect();
        let index = |at: usize| u16::try_from(at).map_or(StreamIndex(u16::MAX), StreamIndex);
        let back = (streams.len() < all.len()).then(|| there.iter().map(|at| index(*at)).collect());
        let mut run = Run::new(self.setup, self.plan.instruments(), &streams);
        let mut tap = Tap { sink, back, row: None };
        let mut begun = vec![None; all.len()];
        for mut event in self.plan.open(cut) {
            let at = event.stream.index();
            begun[at].get_or_insert(event.recv_ts);
            if tap.back.is_some() {
                let Ok(own) = there.binary_search(&at) else { continue };
                event.stream = index(own);
            }
            run.event(&event, &mut tap)?;
            tap.sink.levels(&run)?;
        }
        if cut.is_none() {
            let _first_run_counts = self.begun.set(begun);
        }
        run.finish(crate::clock::now(), &mut tap)?;
        tap.sink.levels(&run)?;
        cut.map_or(Ok(()), |cut| run.advance(cut, &mut tap))
    }
}

use crate::causality::CausalSink;

struct Tap<'a> {
    sink: &'a mut dyn CausalSink,
    /// The whole import's number of each stream, where the run has fewer.
    back: Option<Vec<StreamIndex>>,
    row: Option<MinuteRow>,
}

/// Numbers the streams of a row as the whole import does.
fn renumber(row: &mut MinuteRow, back: &[StreamIndex]) {
    let cells = row.cells.iter_mut().map(|c| &mut c.stream);
    for slot in cells.chain(row.inputs.iter_mut().map(|i| &mut i.stream)).flatten() {
        *slot = back.get(slot.index()).copied().unwrap_or(*slot);
    }
}

impl RunSink for Tap<'_> {
    fn level(&mut self, level: &barograph_engine::LevelOut) -> Result<(), Failure> {
        self.sink.level(level)
    }
    fn alert(&mut self, alert: &barograph_engine::AlertOut) -> Result<(), Failure> {
        self.sink.alert(alert)
    }
    fn row(&mut self, row: &MinuteRow) -> Result<(), Failure> {
        let Some(back) = &self.back else { return self.sink.row(row) };
        let own = match &mut self.row {
            Some(own) => {
                own.clone_from(row);
                own
            }
            None => self.row.insert(row.clone()),
        };
        renumber(own, back);
        self.sink.row(own)
    }
    fn gap(
        &mut self,
        _stream: barograph_domain::StreamIndex,
        _status: &barograph_domain::Status,
        _known_ts: Ts,
    ) -> Result<(), Failure> {
        Ok(())
    }
}

fn check_causality(plan: &ImportPlan, setup: &Setup, points: u32, seed: u64, json: bool) -> Result<(), Failure> {
    let span = plan.known_span().ok_or_else(|| Failure::usage("there is nothing to cut"))?;
    let lenses: Vec<_> = plan.instruments().iter().map(|i| setup.lens(i, plan.streams())).collect();
    let mut progress = Progress::new(u64::from(points), "cutting", Unit::Steps);
    let stamps = Stamps::of(plan);
    let planned = Planned { plan, setup, begun: OnceLock::new() };
    let verdict = causality::check(&planned, &lenses, span, points, seed, &mut |done| progress.set(u64::from(done)))?;
    drop(progress);
    let mut out = std::io::stdout().lock();
    let CausalityVerdict { rewritten, compared, differences } = verdict;
    let differences = &differences[..differences.len().min(10)];
    let (book, version) = (&setup.book.name, &setup.logic_version);
    if json {
        let value = serde_json::json!({ "rewritten": rewritten, "compared": compared, "points": points, "seed": seed, "book": book, "logic_version": version, "differences": differences, "stamps": stamps });
        writeln!(out, "{value}")?;
    } else {
        stamps.print(&mut out)?;
        for difference in differences {
            writeln!(out, "{difference}")?;
        }
        writeln!(out, "checked at {points} point{}, seed {seed}, book {book}, {version}", plural(points))?;
        writeln!(out, "rewritten readings: {rewritten} of {compared}")?;
    }
    match (rewritten, compared) {
        _ if stamps.contradicted() => Err(Failure::No(
            "the price streams of a market contradict each other about their stamps, see above; say what the stamps mean with --stamp open or --stamp close"
                .to_owned(),
        )),
        (0, 0) => Err(Failure::No("nothing had been published at any of the points; give more of them".to_owned())),
        (0, _) => Ok(()),
        _ => Err(Failure::No("readings changed when later data arrived".to_owned())),
    }
}

/// What a person does where something waits to be computed.
const INTERRUPTED: &str = "an import did not end here; run it again, and it goes on where it stopped";

/// Something stored waits to be computed: minutes or ticks. Where only other books have made any, nothing waits for this one.
fn waits(reader: &dyn barograph_store::Reader, logic: &str) -> Result<bool, Failure> {
    let waits = !reader.dirty(logic)?.is_empty();
    Ok(match reader.ledger_progress(logic)? {
        Some(progress) => waits || progress.dirty_since.is_some(),
        None => waits && reader.runs(None)?.is_empty(),
    })
}

/// The ledger of a folder against its minutes.
fn check_forecasts(folder: Option<&Path>, settings: &Settings, json: bool) -> Result<(), Failure> {
    let reader: Box<dyn barograph_store::Reader> = match folder {
        Some(folder) => Box::new(super::open_reader(folder)?),
        None => super::reader(settings)?,
    };
    let setup = configured(settings, barograph_venues::policy::text())?;
    let mut progress = Progress::new(0, "checking forecasts", Unit::Steps);
    let mut days = 0;
    let is_written = is_listening(folder.unwrap_or(&settings.data));
    let found = barograph_live::ledger_check::run(reader.as_ref(), &setup, is_written, &mut |_| {
        days += 1;
        progress.set(days);
    })?;
    drop(progress);
    let waits = waits(reader.as_ref(), &setup.logic_version)?;
    if found.ticks == 0 && waits {
        return Err(Failure::usage(format!("no forecast is registered there yet: {INTERRUPTED}")));
    }
    if found.ticks == 0 {
        return Err(Failure::usage(format!(
            "no forecast of {} is registered there; what other books and versions have registered is checked with --book and \
             their own release",
            setup.logic_version
        )));
    }
    let contested = crate::contest::check(reader.as_ref(), &setup.logic_version)?;
    let equal = found.is_equal() && contested.iter().all(|c| c.equal == c.heads);
    // A reader that has gone hears nothing more, and the command fails all the same where something differs.
    let said = report_forecasts(&found, &contested, equal, &setup.logic_version, json);
    let judged = found.not_judged.is_none_or(|n| n.ticks < found.ticks);
    if equal && judged {
        said
    } else if equal {
        Err(Failure::No(
            "all minutes have been thinned, and no state of the ledger is saved behind them: nothing was judged again"
                .to_owned(),
        ))
    } else {
        let hint = if waits { format!("; {INTERRUPTED}") } else { String::new() };
        Err(Failure::No(format!("the ledger is not what its minutes give; see above{hint}")))
    }
}

fn report_forecasts(
    found: &Checked,
    contested: &[crate::contest::Again],
    equal: bool,
    logic: &str,
    json: bool,
) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    if json {
        let of = |c: &crate::contest::Again| serde_json::json!({ "classifier": c.who.id(), "heads": c.heads, "heads_equal": c.equal });
        let value = serde_json::json!({
            "contest": contested.iter().map(of).collect::<Vec<_>>(),
            "ticks": found.ticks, "ticks_equal": found.equal, "forecasts": found.forecasts, "outcomes": found.outcomes,
            "heads": found.heads, "heads_equal": found.heads_equal, "scores_sha256": found.scores[0],
            "scores_sha256_made_again": found.scores[1], "logic_version": logic,
            "differences": found.differences, "equal": equal, "open_after": found.open_after,
            "not_judged": found.not_judged.map(|n| serde_json::json!({
                "from": n.from, "until": (n.until < Ts::MAX).then_some(n.until), "ticks": n.ticks, "thinned_until": n.thinned_until,
            })),
        });
        writeln!(out, "{value}")?;
    } else {
        for difference in &found.differences {
            writeln!(out, "{difference}")?;
        }
        let judged = found.ticks - found.not_judged.map_or(0, |n| n.ticks);
        writeln!(out, "ticks equal: {} of {judged}", found.equal)?;
        if let Some(not) = found.not_judged {
            let until = if not.until < Ts::MAX { not.until.to_string() } else { "the newest".to_owned() };
            writeln!(
                out,
                "not judged again: {} from {} to {until}, because minutes before {} have been thinned (keep_minutes_days); of these \
                 the chains alone were made again",
                number_of(not.ticks, "tick"),
                not.from,
                not.thinned_until
            )?;
        }
        writeln!(
            out,
            "in them {} and {}",
            number_of(found.forecasts, "forecast"),
            number_of(found.outcomes, "outcome")
        )?;
        writeln!(out, "heads of chains equal: {} of {}", found.heads_equal, found.heads)?;
        if let Some(ts) = found.open_after {
            writeln!(out, "a process writes here: checked up to {ts}, and the chains of days that are over")?;
        }
        let same = if found.scores[0] == found.scores[1] { "equal" } else { "NOT EQUAL" };
        writeln!(out, "scores {same}: sha256 {}", found.scores[0])?;
        for one in contested {
            writeln!(out, "heads of {} equal: {} of {}", one.who.id(), one.equal, one.heads)?;
        }
        writeln!(out, "{logic}")?;
    }
    Ok(())
}

/// A live data folder: its journal against what it published.
fn check_live(data: &Path, settings: &Settings, json: bool) -> Result<(), Failure> {
    let reader = match settings.db_url {
        Some(_) => super::reader(settings)?,
        None => Box::new(super::open_reader(data)?),
    };
    let found = barograph_live::verify::run(data, reader.as_ref())?;
    let mut out = std::io::stdout().lock();
    let barograph_live::verify::Found { equal, published, alerts_equal, alerts, hours_equal, hours, hash, differences } =
        &found;
    let same = equal == published && alerts_equal == alerts && hours_equal == hours;
    if *published == 0 {
        return Err(Failure::No(
            "no stored snapshot lies within the journal of this folder: nothing was compared".to_owned(),
        ));
    }
    if json {
        let value = serde_json::json!({ "equal": same, "snapshots": published, "equal_snapshots": equal, "alerts": alerts, "equal_alerts": alerts_equal, "hours": hours, "equal_hours": hours_equal, "hash": hash, "differences": differences });
        writeln!(out, "{value}")?;
    } else {
        for difference in differences {
            writeln!(out, "{difference}")?;
        }
        let verdict = if same { "equal" } else { "differs" };
        writeln!(
            out,
            "{verdict}: {equal} of {published} snapshot ids, hash {hash}, {alerts_equal} of {}, {hours_equal} of {} between markets",
            number_of(*alerts, "alert"),
            number_of(*hours, "hour")
        )?;
    }
    if same { Ok(()) } else { Err(Failure::No("the journal gave other snapshots than were published".to_owned())) }
}

fn check_determinism(input: &Input, setup: &Setup, seed: u64, json: bool) -> Result<(), Failure> {
    let straight = determinism::straight(&input.plan, setup)?;
    let mut out = std::io::stdout().lock();
    let mut differs = Vec::new();
    let mut compare = |what: &str, hash: String| -> Result<(), Failure> {
        writeln!(std::io::stderr(), "{what}: {}", if hash == straight.hash { "equal" } else { "differs" })?;
        if hash != straight.hash {
            differs.push(format!("{what} gives {hash}"));
        }
        Ok(())
    };
    compare("random chunks", determinism::chunked(&input.plan, setup, seed, &straight)?)?;
    compare("saved and restored at random points", determinism::restarted(&input.plan, setup, seed)?)?;
    let shuffled = determinism::shuffled_paths(&input.paths, seed)?;
    let plan = input::plan(&shuffled, &input.options)?;
    let same_policy = Setup { logic_version: setup.logic_version.clone(), ..setup.clone() };
    compare("files in another order", determinism::straight(&plan, &same_policy)?.hash)?;
    let (equal, straight) = (differs.is_empty(), &straight.hash);
    if json {
        let value = serde_json::json!({ "equal": equal, "hash": straight, "differs": differs });
        writeln!(out, "{value}")?;
    } else if equal {
        writeln!(out, "equal: {straight}")?;
    } else {
        writeln!(out, "differs: straight gives {straight}, {}", differs.join(", "))?;
    }
    if equal { Ok(()) } else { Err(Failure::No("the same input gave different outputs".to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::{Cell, Kind, Span};
    use barograph_engine::{Feature, rules::RuleBook};
    use std::fmt::Write as _;

    const BEGIN: Ts = Ts::from_civil(2026, 2, 1, 0, 0, 0);
    const HOURS: i64 = 72;
    /// Open interest begins here.
    const LATE: i64 = 36;
    const POINTS: u32 = 12;

    /// Candles of three days, and open interest from the middle of them on.
    fn plan(folder: &Path) -> ImportPlan {
        let (mut candles, mut interest) = ("time,open,high,low,close,volume\n".to_owned(), "time,value\n".to_owned());
        for hour in 0..HOURS {
            let at = BEGIN + Span::hours(hour);
            writeln!(candles, "{at},100,102,99,{},1", 100 + hour % 2).unwrap();
            if hour >= LATE {
                writeln!(interest, "{at},{}", 80_000 + hour).unwrap();
            }
        }
        let mut manifest = "version = 1\n".to_owned();
        for (name, table, metric, stamp, columns) in [
            ("candles.csv", candles, "bar", "open", ["time", "open", "high", "low", "close", "volume"].as_slice()),
            ("interest.csv", interest, "open_interest", "instant", ["time", "value"].as_slice()),
        ] {
            std::fs::write(folder.join(name), table).unwrap();
            let columns: Vec<String> = columns.iter().map(|c| format!("{c} = {c:?}")).collect();
            writeln!(
                manifest,
                "[[file]]\npath = {name:?}\nvenue = \"binance-usdm\"\nsymbol = \"BTCUSDT\"\nmetric = {metric:?}\n\
                 stamp = {stamp:?}\ncadence = \"1h\"\ndelay = \"2s\"\ncolumns = {{ {} }}",
                columns.join(", ")
            )
            .unwrap();
        }
        std::fs::write(folder.join("import.toml"), manifest).unwrap();
        let found = barograph_lake::plan(&[folder.to_path_buf()], &ImportOptions::new(crate::clock::now())).unwrap();
        assert!(found.streams().len() == 2 && found.failed().is_empty(), "{:?}", found.failed());
        found
    }

    /// The real run, of which one reading is how many streams were declared to it, whether anything came of them or not.
    struct Counting<'a>(Planned<'a>);

    impl Experiment for Counting<'_> {
        fn run(&self, cut: Option<Ts>, sink: &mut dyn CausalSink) -> Result<(), Failure> {
            self.0.run(cut, &mut Counted { sink, declared: 0 })
        }
    }

    struct Counted<'a> {
        sink: &'a mut dyn CausalSink,
        declared: u16,
    }

    impl CausalSink for Counted<'_> {
        fn row(&mut self, row: &MinuteRow) -> Result<(), Failure> {
            let mut row = row.clone();
            let declared = Cell::ready_at(f64::from(self.declared), row.ts, Kind::Measured);
            row.cells[Feature::FundingExtremeFlag.index()] = declared;
            self.sink.row(&row)
        }
        fn levels(&mut self, run: &Run) -> Result<(), Failure> {
            self.declared = u16::try_from(run.engine.streams().len()).unwrap();
            self.sink.levels(run)
        }
    }

    /// At a cut a stream of which nothing was known yet is not declared either, so that a reading which changes by its mere
    /// declaration is found; and none of ours does.
    #[test]
    fn a_stream_declared_before_its_first_row_changes_no_reading() {
        let folder = tempfile::tempdir().unwrap();
        let plan = plan(folder.path());
        let text = RuleBook::shipped_text("default").unwrap();
        let setup = Setup::of(RuleBook::parse("default.toml", text).unwrap(), text.to_owned(), String::new());
        let lenses: Vec<_> = plan.instruments().iter().map(|i| setup.lens(i, plan.streams())).collect();
        let planned = || Planned { plan: &plan, setup: &setup, begun: OnceLock::new() };
        let verdict = |experiment: &dyn Experiment| {
            let span = plan.known_span().unwrap();
            causality::check(experiment, &lenses, span, POINTS, 1, &mut |_| {}).ok().unwrap()
        };
        let honest = verdict(&planned());
        assert_eq!((honest.rewritten, honest.differences.as_slice()), (0, &[][..]));
        assert!(honest.compared > 0);
        let found = verdict(&Counting(planned()));
        assert!(found.rewritten > 0, "none of {} is rewritten", found.compared);
        let begins = (BEGIN + Span::hours(LATE + 1)).to_string();
        for difference in &found.differences {
            let (what, cut) = difference.split_once(", cut at ").unwrap();
            // An hour's text has the same reading in it.
            assert!(what.contains("funding_extreme_flag was 1 ") || what.ends_with(" text differs"), "{difference}");
            assert!(cut < begins.as_str(), "once it has begun it is declared: {difference}");
        }
        assert!(found.differences.iter().any(|d| d.contains(" and became 2 ")), "{:?}", found.differences.first());
    }
}
