//! First pass over one file: what it is, whose, from when to when, in order or not.

use crate::file::{FilePass, FilePlace, Mapper, PlannedFile, ReadStep, RowReader};
use crate::naming::Naming;
use crate::options::ImportOptions;
use crate::sniff::{self, Content};
use barograph_domain::{Metric, Span, StreamDecl, Ts};
use barograph_venues::binance::map::Market;
use barograph_venues::layout::{BarColumns, Format, Layout, Shape};
use barograph_venues::recognise::{self, TableDeclaration};
use barograph_venues::{Hints, RecordingMapper, TableMapper, policy, recording as venue_recording, sample};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// What the scan of a file gives.
pub(crate) struct Scanned {
    pub(crate) file: PlannedFile,
    /// Symbols as the file itself gives them, before the user's `--symbol`.
    pub(crate) own_symbols: Vec<String>,
}

impl Scanned {
    /// The file is read through a column map.
    pub(crate) fn is_mapped(&self) -> bool {
        matches!(&self.file.mapper, Mapper::Table(m) if m.layout().format == Format::Mapped)
    }
}

/// Plans one file.
///
/// # Errors
/// One sentence for this file.
pub(crate) fn scan(place: FilePlace, options: &ImportOptions) -> Result<Scanned, String> {
    options.checked()?;
    let sniffed = sniff::sniff(&place.path, place.member.as_ref())?;
    let hints = hints_of(&place);
    if sniffed.content == Content::Recording {
        return recording(place, &sniffed.lines, &hints, options);
    }
    let asked = TableDeclaration {
        metric: options.metric,
        stamp: options.stamp,
        columns: options.columns.as_ref(),
        venue: options.venue.as_deref(),
        symbol: options.symbol.as_deref(),
    };
    let layout = recognise::recognise(&sniffed.sample, &hints, &asked)?;
    let measured = sample::cadence(&sniffed.sample, &layout);
    let cadence = cadence(&layout, options, &hints, measured)?;
    let infers = matches!(layout.shape, Shape::Funding { metric: Metric::FundingRateSettled, interval_h: None, .. });
    let infer_interval = infers.then_some(cadence);
    let mut mapper = Mapper::Table(Box::new(TableMapper::new(layout, cadence, options.now)));
    let extent = first_pass(&place, sniffed.content, &mut mapper)?;
    let naming = Naming { hints: &hints, options };
    let (decls, own_symbols) = match &mapper {
        Mapper::Table(mapper) => naming.table(mapper)?,
        Mapper::Recording(mapper) => naming.recording(mapper)?,
    };
    Ok(planned(Planned { place, content: sniffed.content, mapper, decls, own_symbols, extent, infer_interval }))
}

/// A raw recording: whose it is follows from its frames.
fn recording(place: FilePlace, lines: &[Vec<u8>], hints: &Hints, options: &ImportOptions) -> Result<Scanned, String> {
    let named = options.venue.as_deref().or(hints.venue.as_deref());
    let market = match named {
        Some(venue) => Market::of(venue)
            .ok_or_else(|| format!("is a raw recording of {venue}; only recordings of Binance are read so far"))?,
        None => venue_recording::guess_market(lines.iter().map(Vec::as_slice))
            .ok_or("is a raw recording, but of no Binance market by its first lines; add --venue if it is one")?,
    };
    let mut mapper = Mapper::Recording(RecordingMapper::new(market, options.now));
    let extent = first_pass(&place, Content::Recording, &mut mapper)?;
    let naming = Naming { hints, options };
    let (decls, own_symbols) = match &mapper {
        Mapper::Recording(mapper) => naming.recording(mapper)?,
        Mapper::Table(mapper) => naming.table(mapper)?,
    };
    let content = Content::Recording;
    Ok(planned(Planned { place, content, mapper, decls, own_symbols, extent, infer_interval: None }))
}

struct Planned {
    place: FilePlace,
    content: Content,
    mapper: Mapper,
    decls: Vec<Option<Vec<StreamDecl>>>,
    own_symbols: Vec<String>,
    extent: Extent,
    infer_interval: Option<Span>,
}

fn planned(p: Planned) -> Scanned {
    let shortest = p.decls.iter().flatten().flatten().map(|d| d.delay).min().unwrap_or_default();
    let ordered = match &p.mapper {
        Mapper::Table(mapper) => mapper.layout().ordered,
        Mapper::Recording(_) => true,
    };
    let bytes = std::fs::metadata(&p.place.path).map_or(0, |m| m.len());
    let file = PlannedFile {
        place: p.place,
        content: p.content,
        mapper: p.mapper,
        decls: p.decls,
        known: (p.extent.first + shortest, p.extent.last + shortest),
        sorted: p.extent.sorted || ordered,
        infer_interval: p.infer_interval,
        bytes,
    };
    Scanned { file, own_symbols: p.own_symbols }
}

fn hints_of(place: &FilePlace) -> Hints {
    let path = std::path::absolute(&place.path).unwrap_or_else(|_| place.path.clone());
    let outer = || Hints::of(&path.to_string_lossy());
    let Some(member) = &place.member else { return outer() };
    // The name inside an archive says at least as much as the archive's own, if it says anything.
    let inner = Hints::of(&path.with_file_name(&member.name).to_string_lossy());
    if inner.symbol.is_some() || inner.pair.is_some() { inner } else { outer() }
}

/// Declared by the user, fixed by the format, measured on the first rows, or said by the name.
fn cadence(layout: &Layout, options: &ImportOptions, hints: &Hints, measured: Option<Span>) -> Result<Span, String> {
    let month = matches!(layout.shape, Shape::Bars { columns: BarColumns { calendar_month: true, .. }, .. });
    let named = hints.cadence;
    let known = match &layout.shape {
        Shape::Trades { .. } | Shape::Liquidations { .. } | Shape::Ticker { .. } => Some(policy::STREAM_CADENCE),
        // Intervals change and every settlement carries its own: measured here, later files would change what earlier ones
        // declared.
        Shape::Funding { metric: Metric::FundingRateSettled, .. } => Some(policy::FUNDING_INTERVAL),
        Shape::Funding { .. } => measured.or(Some(policy::FUNDING_INTERVAL)),
        // The name of a candle file is its timeframe; a hole at the beginning could fool a measurement.
        Shape::Bars { .. } if month => named,
        Shape::Bars { .. } => match (named, measured) {
            (Some(named), Some(measured)) if measured < named && options.cadence.is_none() => {
                return Err(bar_conflict(named, measured));
            }
            (named, measured) => named.or(measured),
        },
        Shape::Values(_) => layout.cadence.or(measured).or(named),
    };
    options.cadence.or(known).ok_or_else(|| {
        "holds too few rows to tell how far apart they are; say --cadence, as in --cadence 1m".to_owned()
    })
}

fn bar_conflict(named: Span, measured: Span) -> String {
    format!(
        "the name says bars of {named}, the rows are {measured} apart; say --cadence {measured} or --cadence {named}"
    )
}

/// From when to when, and whether the rows are in order.
struct Extent {
    first: Ts,
    last: Ts,
    sorted: bool,
}

/// Stamps and keys of all rows. Wrong rows are left to the second pass.
fn first_pass(place: &FilePlace, content: Content, mapper: &mut Mapper) -> Result<Extent, String> {
    let unread = Arc::new(AtomicU64::new(0));
    let mut reader = RowReader::open(place, content, mapper, FilePass::Plan, &unread)?;
    let mut extent: Option<Extent> = None;
    let mut rows = 0_u64;
    let mut wrong = None;
    loop {
        let (line, stamp) = match (reader.step(), &mut *mapper) {
            (ReadStep::End, _) => break,
            (ReadStep::Broken(e), _) => {
                wrong.get_or_insert(e);
                break;
            }
            (ReadStep::Fault { line, text, .. }, _) => {
                wrong.get_or_insert_with(|| format!("line {line}: {text}"));
                continue;
            }
            (ReadStep::Row { line, row, .. }, Mapper::Table(mapper)) => (line, mapper.plan(&row)),
            (ReadStep::Line { line, text, .. }, Mapper::Recording(mapper)) => (line, mapper.plan(text).map(Some)),
            (ReadStep::Row { .. }, Mapper::Recording(_)) | (ReadStep::Line { .. }, Mapper::Table(_)) => continue,
        };
        rows += 1;
        match stamp {
            Ok(None) => {}
            Ok(Some(at)) => {
                let e = extent.get_or_insert(Extent { first: at, last: at, sorted: true });
                e.sorted &= at >= e.last;
                (e.first, e.last) = (e.first.min(at), e.last.max(at));
            }
            Err(reject) => {
                wrong.get_or_insert_with(|| format!("line {line}: {}", reject.reason.spoken()));
            }
        }
    }
    extent.ok_or_else(|| match (rows, wrong) {
        (_, Some(wrong)) => format!("holds no usable row; the first is wrong: {wrong}"),
        (0, None) => "holds a header and no row".to_owned(),
        (_, None) => "holds no row that the filter keeps".to_owned(),
    })
}
