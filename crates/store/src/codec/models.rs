//! Readings of statistical models: columns of a chunk that most chunks do not have.
//!
//! They stand behind everything else, and only where a row of the chunk has any: chunks without them are as they were before
//! there were models.

use super::bytes::{Input, put_uint};
use super::seq::{Coder, Dictionary, Seq};
use super::{CodecError, ROWS_MAX};
use barograph_domain::{Model, ModelReading, ModelState, Span, Ts};

/// Numbers of one reading.
const FIELDS: usize = 11;
/// Most readings a row can have.
const PLACES_MAX: usize = 64;
/// How each field is written: what kind it is and which parts are there, three probabilities, since, remaining, recent change,
/// hours had and needed, digest, fitted until.
const CODERS: [Coder; FIELDS] = [
    Coder::Runs,
    Coder::Xor,
    Coder::Xor,
    Coder::Xor,
    Coder::Runs,
    Coder::Runs,
    Coder::Xor,
    Coder::Steps,
    Coder::Runs,
    Coder::Runs,
    Coder::Runs,
];

/// The readings of a chunk, column by column.
#[derive(Default)]
pub(super) struct ModelColumns {
    places: Vec<[Seq; FIELDS]>,
    used: usize,
}

impl ModelColumns {
    pub(super) fn put(&mut self, at: usize, readings: &[ModelReading]) -> Result<(), CodecError> {
        if readings.len() > PLACES_MAX {
            return Err(CodecError("has more readings of models than a chunk can hold"));
        }
        while self.places.len() < readings.len() {
            self.places.push([[0; ROWS_MAX]; FIELDS]);
        }
        self.used = self.used.max(readings.len());
        for (place, column) in self.places.iter_mut().enumerate() {
            let fields = readings.get(place).map_or([0; FIELDS], fields);
            for (seq, field) in column.iter_mut().zip(fields) {
                seq[at] = field;
            }
        }
        Ok(())
    }

    /// Appends the columns of `rows` rows, nothing where there are none, and begins anew.
    pub(super) fn write(&mut self, out: &mut Vec<u8>, seen: &mut Dictionary, rows: usize) {
        if self.used > 0 {
            put_uint(out, self.used as u64);
        }
        for place in &self.places[..self.used] {
            for (seq, coder) in place.iter().zip(CODERS) {
                seen.put(out, seq, rows, coder);
            }
        }
        self.used = 0;
    }

    pub(super) fn read(input: &mut Input<'_>, seen: &mut Dictionary, rows: usize) -> Result<Self, CodecError> {
        if input.0.is_empty() {
            return Ok(Self::default());
        }
        let used = input.size(PLACES_MAX)?;
        let mut places = Vec::with_capacity(used);
        for _ in 0..used {
            let mut place = [[0; ROWS_MAX]; FIELDS];
            for seq in &mut place {
                *seq = seen.get(input, rows)?;
            }
            places.push(place);
        }
        Ok(Self { places, used })
    }

    pub(super) fn row(&self, at: usize) -> Result<Vec<ModelReading>, CodecError> {
        let fields = self.places.iter().map(|place| place.map(|seq| seq[at]));
        fields.take_while(|f| f[0] != 0).map(reading).collect()
    }
}

/// Codes of their own, so that a new variant elsewhere cannot shift old ones; 0 is none.
const fn model_code(model: Model) -> u64 {
    match model {
        Model::Hmm => 1,
        Model::Bocpd => 2,
    }
}

const fn state_code(state: Option<ModelState>) -> u64 {
    match state {
        None => 0,
        Some(ModelState::Low) => 1,
        Some(ModelState::Mid) => 2,
        Some(ModelState::High) => 3,
        Some(ModelState::RecentChange) => 4,
        Some(ModelState::Steady) => 5,
    }
}

fn fields(r: &ModelReading) -> [u64; FIELDS] {
    let kind = model_code(r.model)
        | state_code(r.state) << 8
        | u64::from(r.expected_remaining.is_some()) << 16
        | u64::from(r.recent_change.is_some()) << 17
        | u64::from(r.fitted_until.is_some()) << 18;
    let [a, b, c] = r.probabilities.map(f64::to_bits);
    [
        kind,
        a,
        b,
        c,
        r.since.0.cast_unsigned(),
        r.expected_remaining.map_or(0, |s| s.0.cast_unsigned()),
        r.recent_change.map_or(0, f64::to_bits),
        u64::from(r.have),
        u64::from(r.need),
        r.digest,
        r.fitted_until.map_or(0, |t| t.0.cast_unsigned()),
    ]
}

fn reading(
    [kind, a, b, c, since, remaining, recent, have, need, digest, until]: [u64; FIELDS],
) -> Result<ModelReading, CodecError> {
    let has = |bit: u32| kind >> bit & 1 == 1;
    let count = |n: u64| u32::try_from(n).map_err(|_e| CodecError("counts more hours than there are"));
    let model = Model::ALL.into_iter().find(|m| model_code(*m) == kind & 0xff);
    let state = match kind >> 8 & 0xff {
        0 => None,
        code => {
            let known = ModelState::ALL.into_iter().find(|s| state_code(Some(*s)) == code);
            Some(known.ok_or(CodecError("names a state of a model this build does not know"))?)
        }
    };
    Ok(ModelReading {
        model: model.ok_or(CodecError("names a model this build does not know"))?,
        state,
        probabilities: [a, b, c].map(f64::from_bits),
        since: Ts(since.cast_signed()),
        expected_remaining: has(16).then(|| Span(remaining.cast_signed())),
        recent_change: has(17).then(|| f64::from_bits(recent)),
        have: count(have)?,
        need: count(need)?,
        digest,
        fitted_until: has(18).then(|| Ts(until.cast_signed())),
    })
}
