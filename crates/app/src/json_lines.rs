//! `--json`: one object per line on standard output.

use crate::failure::Failure;
use crate::input::shown;
use crate::run::RunSink;
use barograph_api::EventView;
use barograph_domain::{
    AxisState, InstrumentName, Label, MinuteRow, Snapshot, Span, Status, StatusState, StreamDecl, StreamIndex, Ts,
};
use barograph_engine::AlertOut;
use barograph_query::render::{Lens, features};
use serde::Serialize;
use std::io::Write;

/// A line: its type, whose it is, when, and the rest.
#[derive(Serialize)]
struct Line<'a, T> {
    r#type: &'static str,
    instrument: &'a InstrumentName,
    ts: Ts,
    #[serde(flatten)]
    rest: T,
}

#[derive(Serialize)]
struct Readings {
    values: std::collections::BTreeMap<&'static str, barograph_domain::snapshot::WireValue>,
    computation_version: String,
    source_metrics: Vec<&'static str>,
    readings: std::collections::BTreeMap<&'static str, &'static str>,
}

#[derive(Serialize)]
struct GapLine<'a> {
    stream: String,
    metric: &'static str,
    source: &'a str,
    /// `GAP` where it begins or is reported whole, `LIVE` where one that was open ends.
    state: StatusState,
    from: Ts,
    /// Null while nobody knows.
    until: Option<Ts>,
    known_ts: Ts,
}

#[derive(Serialize)]
struct LabelLine {
    axis: &'static str,
    from: &'static str,
    to: &'static str,
}

#[derive(Serialize)]
struct Rest<'a> {
    #[serde(flatten)]
    snapshot: SnapshotRest<'a>,
}

/// A snapshot without the fields that every line has.
struct SnapshotRest<'a>(&'a Snapshot);

impl Serialize for SnapshotRest<'_> {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        without_instrument(self.0, s)
    }
}

/// An event without them.
struct EventRest(EventView);

impl Serialize for EventRest {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        without_instrument(&self.0, s)
    }
}

fn without_instrument<T: Serialize, S: serde::Serializer>(whole: &T, s: S) -> Result<S::Ok, S::Error> {
    let value = serde_json::to_value(whole).map_err(serde::ser::Error::custom)?;
    let serde_json::Value::Object(mut fields) = value else {
        return Err(serde::ser::Error::custom("not an object"));
    };
    fields.remove("instrument");
    fields.serialize(s)
}

/// Published labels that differ from the minute before, axis by axis.
fn label_changes(before: &MinuteRow, row: &MinuteRow) -> Vec<LabelLine> {
    fn change<L: Label>(axis: &'static str, a: &AxisState<L>, b: &AxisState<L>) -> Option<LabelLine> {
        (a.label != b.label).then(|| LabelLine { axis, from: a.label.word(), to: b.label.word() })
    }
    [
        change("risk", &before.risk, &row.risk),
        change("trend", &before.trend, &row.trend),
        change("volatility", &before.volatility, &row.volatility),
        change("heat", &before.heat, &row.heat),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Writes lines for the minutes asked for.
pub(crate) struct JsonLines<W: Write> {
    out: W,
    lenses: Vec<Lens>,
    streams: Vec<StreamDecl>,
    previous: Vec<Option<MinuteRow>>,
    from: Option<Ts>,
    until: Option<Ts>,
    every: Span,
}

impl<W: Write> JsonLines<W> {
    pub(crate) fn new(
        out: W,
        lenses: Vec<Lens>,
        streams: &[StreamDecl],
        from: Option<Ts>,
        until: Option<Ts>,
        every: Span,
    ) -> Self {
        let previous = vec![None; lenses.len()];
        Self { out, lenses, streams: streams.to_vec(), previous, from, until, every }
    }

    /// Hands everything on to the reader.
    pub(crate) fn finish(&mut self) -> Result<(), Failure> {
        self.out.flush()?;
        Ok(())
    }

    fn event(&mut self, alert: &AlertOut, row: Option<&MinuteRow>) -> Result<(), Failure> {
        let AlertOut { instrument, known } = alert;
        let at = known.alert.ts;
        if !shown(at, self.from, self.until) {
            return Ok(());
        }
        let lens = &self.lenses[*instrument as usize];
        let name = lens.instrument.name.clone();
        // What an hour made comes behind the rows of its minute.
        let row = row.or(self.previous[*instrument as usize].as_ref());
        let minute = row.and_then(|row| lens.minute(&known.alert, row));
        let event =
            barograph_query::events::view(&name, &lens.logic_version, known, lens.book.detectors.keep, minute.as_ref());
        self.line("event", &name, at, EventRest(event))
    }

    fn line<T: Serialize>(
        &mut self,
        r#type: &'static str,
        instrument: &InstrumentName,
        ts: Ts,
        rest: T,
    ) -> Result<(), Failure> {
        let line = Line { r#type, instrument, ts, rest };
        serde_json::to_writer(&mut self.out, &line).map_err(std::io::Error::from)?;
        self.out.write_all(b"\n")?;
        Ok(())
    }
}

impl<W: Write> RunSink for JsonLines<W> {
    fn row(&mut self, row: &MinuteRow) -> Result<(), Failure> {
        let at = row.instrument as usize;
        if !shown(row.ts, self.from, self.until) {
            self.previous[at] = Some(row.clone());
            return Ok(());
        }
        let name = self.lenses[at].instrument.name.clone();
        for change in self.previous[at].as_ref().map_or_else(Vec::new, |before| label_changes(before, row)) {
            self.line("label_change", &name, row.ts, change)?;
        }
        if row.ts.0 % self.every.0 == 0 {
            let snapshot = self.lenses[at].snapshot(row, self.previous[at].as_ref());
            self.line("snapshot", &name, row.ts, Rest { snapshot: SnapshotRest(&snapshot) })?;
            let view = features(row, &self.lenses[at]);
            self.line(
                "features",
                &name,
                row.ts,
                Readings {
                    values: view.values,
                    computation_version: view.computation_version,
                    source_metrics: view.source_metrics,
                    readings: view.readings,
                },
            )?;
        }
        match &mut self.previous[at] {
            Some(previous) => previous.clone_from(row),
            none => *none = Some(row.clone()),
        }
        Ok(())
    }

    fn alert(&mut self, alert: &AlertOut) -> Result<(), Failure> {
        self.event(alert, None)
    }

    fn alert_of(&mut self, alert: &AlertOut, row: &MinuteRow) -> Result<(), Failure> {
        self.event(alert, Some(row))
    }

    fn gap(&mut self, stream: StreamIndex, status: &Status, known_ts: Ts) -> Result<(), Failure> {
        if !shown(known_ts, self.from, self.until) {
            return Ok(());
        }
        let decl = self.streams[stream.index()].clone();
        let rest = GapLine {
            stream: decl.label(),
            metric: decl.metric.name(),
            source: &decl.source,
            state: status.state,
            from: status.from,
            until: (!status.is_open()).then_some(status.until),
            known_ts,
        };
        self.line("gap", &decl.instrument, known_ts, rest)
    }
}
