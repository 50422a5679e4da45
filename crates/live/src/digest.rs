//! A hash over everything a run makes: rows, gaps, levels and alerts in order. Texts and JSON (headline and guidance too) follow
//! from these and from the logic version, which is hashed first, so they are covered without being rendered: as long as every
//! field of a row is hashed, which [`row_bytes`] has the compiler see to.

use barograph_domain::alert::{Alert, Datum};
use barograph_domain::{
    AxisState, Cell, HeldBy, Label, MinuteRow, ModelReading, OpenAlerts, OpenExperimental, Pattern, Reason, State,
    Status, StreamIndex, Ts,
};
use barograph_engine::liquidity::Happening;
use barograph_engine::{AlertOut, LevelOut};
use sha2::{Digest as _, Sha256};

/// Running SHA-256 over a run.
#[derive(Debug)]
pub struct RunDigest {
    hash: Sha256,
    buffer: Vec<u8>,
}

/// Bytes gathered before they are hashed.
const CHUNK: usize = 1 << 16;

impl RunDigest {
    /// Begins with the logic version.
    pub fn new(logic_version: &str) -> Self {
        let mut digest = Self { hash: Sha256::new(), buffer: Vec::with_capacity(2 * CHUNK) };
        digest.buffer.extend_from_slice(logic_version.as_bytes());
        digest
    }

    /// A minute.
    pub fn row(&mut self, row: &MinuteRow) {
        row_bytes(row, &mut self.buffer);
        self.flush(CHUNK);
    }

    /// A change of continuity.
    pub fn gap(&mut self, stream: StreamIndex, status: &Status, known_ts: Ts) {
        self.buffer.push(b'g');
        self.buffer.extend_from_slice(&stream.0.to_le_bytes());
        self.buffer.push(status.state as u8);
        for t in [status.from, status.until, known_ts] {
            self.buffer.extend_from_slice(&t.0.to_le_bytes());
        }
        self.flush(CHUNK);
    }

    /// Something that happened to a level.
    pub fn level(&mut self, level: &LevelOut) {
        self.buffer.push(b'l');
        self.buffer.extend_from_slice(&level.instrument.to_le_bytes());
        level_bytes(level, &mut self.buffer);
        self.flush(CHUNK);
    }

    /// A record of an alert.
    pub fn alert(&mut self, alert: &AlertOut) {
        self.buffer.push(b'a');
        self.buffer.extend_from_slice(&alert.instrument.to_le_bytes());
        self.buffer.extend_from_slice(&alert.known.known_at.0.to_le_bytes());
        alert_bytes(&alert.known.alert, &mut self.buffer);
        self.flush(CHUNK);
    }

    fn flush(&mut self, at_least: usize) {
        if self.buffer.len() >= at_least {
            self.hash.update(&self.buffer);
            self.buffer.clear();
        }
    }

    /// 64 hex digits.
    pub fn finish(mut self) -> String {
        self.flush(0);
        self.hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
    }
}

/// Every bit of what models say in a fixed layout; nothing where they are off.
pub(crate) fn model_bytes(models: &[ModelReading], out: &mut Vec<u8>) {
    for m in models {
        out.extend_from_slice(m.model.id().as_bytes());
        out.extend_from_slice(m.state.map_or("", barograph_domain::ModelState::name).as_bytes());
        for p in m.probabilities.into_iter().chain([m.recent_change.unwrap_or(-1.0)]) {
            out.extend_from_slice(&p.to_bits().to_le_bytes());
        }
        let remaining = m.expected_remaining.map_or(-1, |s| s.0);
        for t in [m.since.0, remaining, m.fitted_until.map_or(-1, |t| t.0), m.have.into(), m.need.into()] {
            out.extend_from_slice(&t.to_le_bytes());
        }
        out.extend_from_slice(&m.digest.to_le_bytes());
    }
}

/// Which episodes are open at a row's moment, as far as the row says.
pub(crate) fn open_bytes(open: &OpenAlerts, out: &mut Vec<u8>) {
    out.extend_from_slice(&open.count.to_le_bytes());
    // Rows without experimental alerts have the bytes that they had before these were counted.
    let experimental = open.experimental != OpenExperimental::default();
    out.push(u8::from(open.worst.is_some()) | u8::from(experimental) << 1);
    if let Some(worst) = open.worst {
        text(worst.pattern.name(), out);
        text(worst.severity.name(), out);
        out.extend_from_slice(&worst.rule.map_or(-1, i16::from).to_le_bytes());
    }
    if experimental {
        out.push(open.experimental.count);
        text(open.experimental.first.map_or("", Pattern::name), out);
    }
}

/// Every bit of a row in a fixed layout.
pub fn row_bytes(row: &MinuteRow, out: &mut Vec<u8>) {
    // No rest pattern: a new field does not compile until it is said here.
    let MinuteRow {
        instrument,
        ts,
        cells,
        cuts,
        risk,
        trend,
        volatility,
        heat,
        timeframes,
        held,
        inputs,
        price,
        models,
        open,
    } = row;
    out.push(b'r');
    out.extend_from_slice(&instrument.to_le_bytes());
    out.extend_from_slice(&ts.0.to_le_bytes());
    for cell in cells {
        cell_bytes(cell, out);
    }
    for cut in cuts.iter().chain([price]) {
        out.push(u8::from(cut.is_some()));
        out.extend_from_slice(&cut.unwrap_or(0.0).to_bits().to_le_bytes());
    }
    axis_bytes(risk, out);
    axis_bytes(trend, out);
    axis_bytes(volatility, out);
    axis_bytes(heat, out);
    let t = timeframes;
    out.extend(t.risk.map(|l| l.code()));
    out.extend(t.trend.map(|l| l.code()));
    out.extend(t.volatility.map(|l| l.code()));
    out.extend(t.heat.map(|l| l.code()));
    for held in held {
        out.extend_from_slice(&held.held.to_le_bytes());
        out.extend_from_slice(&held.known.to_le_bytes());
    }
    for input in inputs {
        out.extend_from_slice(input.metric.name().as_bytes());
        out.extend_from_slice(&input.stream.map_or(u16::MAX, |s| s.0).to_le_bytes());
        out.extend_from_slice(&input.anchor.0.to_le_bytes());
        text(input.gap.map_or("", barograph_domain::GapReason::word), out);
    }
    model_bytes(models, out);
    open_bytes(open, out);
}

/// Everything that is said of a level, the numbers bit by bit.
pub fn level_bytes(level: &LevelOut, out: &mut Vec<u8>) {
    let LevelOut { timeframe, change, .. } = level;
    let r = &change.record;
    let (what, broken) = match change.what {
        Happening::Known => (0, false),
        Happening::Revised => (1, false),
        Happening::Touched => (2, false),
        Happening::Swept => (3, false),
        Happening::Mitigated { broken } => (4, broken),
    };
    out.extend([what, u8::from(broken), r.kind.code()]);
    for number in [Some(r.price), Some(r.top), Some(r.bottom), Some(r.named), r.volume, r.rank] {
        out.push(u8::from(number.is_some()));
        out.extend_from_slice(&number.unwrap_or(0.0).to_bits().to_le_bytes());
    }
    for bar in [Some(timeframe.0), Some(change.bar), Some(change.known_at.0), Some(r.known_at.0), Some(r.formed)] {
        out.extend_from_slice(&bar.unwrap_or(i64::MIN).to_le_bytes());
    }
    for bar in [Some(r.confirmed), r.touched, r.swept, r.mitigated] {
        out.extend_from_slice(&bar.unwrap_or(i64::MIN).to_le_bytes());
    }
    for count in [r.touches, r.members, r.revision] {
        out.extend_from_slice(&count.to_le_bytes());
    }
}

fn text(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(&(text.len() as u64).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn number(x: Option<f64>, out: &mut Vec<u8>) {
    out.push(u8::from(x.is_some()));
    out.extend_from_slice(&x.unwrap_or(0.0).to_bits().to_le_bytes());
}

/// Everything that a record of an alert says, the numbers bit by bit.
pub fn alert_bytes(alert: &Alert, out: &mut Vec<u8>) {
    let a = alert;
    text(a.trigger.map_or("", barograph_domain::Trigger::name), out);
    for word in [a.pattern.name(), a.change.name(), a.state.name(), a.severity.name()] {
        text(word, out);
    }
    out.extend_from_slice(&a.revision.to_le_bytes());
    for t in [Some(a.ts), Some(a.opened_at), Some(a.last_seen_at), a.closed_at, Some(a.window_from)] {
        out.extend_from_slice(&t.map_or(i64::MIN, |t| t.0).to_le_bytes());
    }
    number(Some(a.score), out);
    for s in &a.statistics {
        text(&s.name, out);
        text(&s.unit, out);
        [s.value, Some(s.threshold), s.u, Some(f64::from(s.coverage))].into_iter().for_each(|x| number(x, out));
        out.extend_from_slice(&s.reason.map_or(u32::MAX, reason_code).to_le_bytes());
        out.extend([s.kind as u8, u8::from(s.decides), u8::from(s.uncalibrated)]);
    }
    for (name, datum) in &a.data {
        text(name, out);
        match datum {
            Datum::Number(x) => number(Some(*x), out),
            Datum::Word(word) => text(word, out),
            Datum::Words(words) => words.iter().for_each(|w| text(w, out)),
            Datum::Missing(reason) => out.extend_from_slice(&reason_code(*reason).to_le_bytes()),
            Datum::Flag(is) => out.push(u8::from(*is)),
        }
    }
    let rate = &a.base_rate;
    out.extend_from_slice(&rate.fired_90d.to_le_bytes());
    out.extend_from_slice(&rate.fired_30d.to_le_bytes());
    number(Some(rate.known_days), out);
    number(rate.known_days_30d, out);
    number(rate.held_share_90d, out);
    text(a.inhibited_by.map_or("", barograph_domain::Pattern::name), out);
    text(&a.other.as_ref().map_or_else(String::new, ToString::to_string), out);
}

/// Every bit of a reading.
pub fn cell_bytes(cell: &Cell, out: &mut Vec<u8>) {
    let (state, a, b) = match cell.state {
        State::Ready => (0_u8, 0, 0),
        State::Warming { have, need } => (1, have, need),
        State::Stale => (2, 0, 0),
        State::Undefined(reason) => (3, reason_code(reason), 0),
    };
    let mut packed = [0; CELL];
    put(&mut packed, 0, [state]);
    put(&mut packed, 1, a.to_le_bytes());
    put(&mut packed, 5, b.to_le_bytes());
    put(&mut packed, 9, cell.value.to_bits().to_le_bytes());
    put(&mut packed, 17, cell.anchor.0.to_le_bytes());
    put(&mut packed, 25, cell.coverage.to_bits().to_le_bytes());
    put(&mut packed, 29, [cell.kind as u8, u8::from(cell.partial)]);
    put(&mut packed, 31, cell.stream.map_or(u16::MAX, |s| s.0).to_le_bytes());
    out.extend_from_slice(&packed);
}

/// Bytes of a reading.
const CELL: usize = 33;

/// Stores, where appending field by field to the buffer is a call each: a check of causality writes some ten billion fields. One copy,
/// which is one also where nothing is inlined.
#[inline]
fn put<const N: usize>(packed: &mut [u8; CELL], at: usize, bytes: [u8; N]) {
    if let Some(place) = packed.get_mut(at..at + N) {
        place.copy_from_slice(&bytes);
    }
}

fn reason_code(reason: Reason) -> u32 {
    (0_u32..).zip(Reason::ALL).find(|(_, r)| *r == reason).map_or(u32::MAX, |(i, _)| i)
}

fn axis_bytes<L: Label>(axis: &AxisState<L>, out: &mut Vec<u8>) {
    let held_by = match axis.held_by {
        HeldBy::None => 0,
        HeldBy::Hysteresis => 1,
        HeldBy::Dwell => 2,
    };
    out.extend([
        axis.label.code(),
        axis.raw_label.code(),
        axis.candidate.map_or(u8::MAX, Label::code),
        held_by,
        u8::from(axis.stale),
    ]);
    out.extend_from_slice(&axis.since.0.to_le_bytes());
    out.extend_from_slice(&axis.candidate_count.to_le_bytes());
}
