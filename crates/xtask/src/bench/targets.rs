//! `bench/targets.toml`: every figure of speed and size that was ever promised, with its limit. Who measures a figure is the
//! first part of its id; what is said of it in docs/trust.md is its line here.

use super::pace::Readings;
use toml::{Table, Value};

/// Where the promises stand.
pub(crate) const FILE: &str = "bench/targets.toml";

/// Beyond its limit by more than this share, a figure is missed.
const SLACK: f64 = 0.1;

/// Which way is good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Better {
    Lower,
    Higher,
}

/// How a measured figure stands to its limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Standing {
    Met,
    /// Beyond the limit by at most a tenth: no machine is measured to the last hundredth.
    Near,
    Missed,
}

/// When the machine's pace is taken for a figure that depends on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PaceTaken {
    /// While it is measured: one core does most of the work.
    Beside,
    /// Just before and after: the work loads all cores, and would slow the yardstick down itself.
    Around,
}

/// A figure as it was measured here, and at the pace of the machine of the limits, where that is known and matters.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct MeasuredFigure {
    pub(crate) here: f64,
    pub(crate) there: Option<f64>,
}

impl MeasuredFigure {
    /// What is held against the limit.
    pub(crate) fn judged(self) -> f64 {
        self.there.unwrap_or(self.here)
    }
}

/// One promise.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Promise {
    pub(crate) id: String,
    pub(crate) what: String,
    pub(crate) better: Better,
    pub(crate) limit: f64,
    pub(crate) unit: String,
    pub(crate) pace: Option<PaceTaken>,
}

impl Promise {
    /// The benchmark that measures it.
    pub(crate) fn bench(&self) -> &str {
        self.id.split_once('.').map_or("", |(bench, _)| bench)
    }

    /// What `here` would be on the machine of the limits, where the yardstick takes `yardstick_us`.
    pub(crate) fn paced(&self, here: f64, readings: &Readings, yardstick_us: f64) -> MeasuredFigure {
        let took = match self.pace {
            None => None,
            Some(PaceTaken::Beside) => readings.beside_us(),
            Some(PaceTaken::Around) => readings.around_us(),
        };
        let there = took.map(|us| match self.better {
            Better::Lower => here * yardstick_us / us,
            Better::Higher => here * us / yardstick_us,
        });
        MeasuredFigure { here, there }
    }

    pub(crate) fn judge(&self, measured: f64) -> Standing {
        // Positive: so much worse than promised, as a share of the limit.
        let beyond = match self.better {
            Better::Lower => measured - self.limit,
            Better::Higher => self.limit - measured,
        };
        if beyond <= 0.0 {
            Standing::Met
        } else if beyond <= SLACK * self.limit.abs() {
            Standing::Near
        } else {
            // What is no number compares with nothing and ends here.
            Standing::Missed
        }
    }

    /// A value with its unit.
    pub(crate) fn show(&self, value: f64) -> String {
        let gap = if self.unit.starts_with('/') { "" } else { " " };
        format!("{}{gap}{}", digits(value), self.unit)
    }

    pub(crate) fn show_there(&self, number: MeasuredFigure) -> String {
        number.there.map_or_else(String::new, |value| self.show(value))
    }

    pub(crate) fn limit_text(&self) -> String {
        let word = match self.better {
            Better::Lower => "at most",
            Better::Higher => "at least",
        };
        format!("{word} {}", self.show(self.limit))
    }
}

/// Three digits that count, thousands apart.
fn digits(value: f64) -> String {
    let decimals = match value.abs() {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.decimals$}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |w| ("-", w));
    let mut grouped = String::new();
    for (n, digit) in whole.chars().enumerate() {
        if n > 0 && (whole.len() - n).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    match fraction.trim_end_matches('0') {
        "" => format!("{sign}{grouped}"),
        fraction => format!("{sign}{grouped}.{fraction}"),
    }
}

/// Reads the promises; each id and each line once.
pub(crate) fn read(text: &str) -> Result<Vec<Promise>, String> {
    let table: Table = text.parse().map_err(|e| format!("{FILE} is not TOML: {e}"))?;
    let listed = table.get("figure").and_then(Value::as_array).ok_or_else(|| format!("{FILE} has no [[figure]]"))?;
    let figures = listed.iter().map(figure).collect::<Result<Vec<_>, _>>()?;
    for (n, one) in figures.iter().enumerate() {
        if let Some(twin) = figures[..n].iter().find(|f| f.id == one.id || f.what == one.what) {
            return Err(format!("{FILE}: '{}' and '{}' share an id or a line", twin.id, one.id));
        }
    }
    Ok(figures)
}

/// Microseconds of the yardstick on the machine of the limits.
pub(crate) fn yardstick_us(text: &str) -> Result<f64, String> {
    let table: Table = text.parse().map_err(|e| format!("{FILE} is not TOML: {e}"))?;
    let found = table.get("machine").and_then(|m| m.get("yardstick_us"));
    let found = found.and_then(|us| us.as_float().or_else(|| Some(f64::from(u32::try_from(us.as_integer()?).ok()?))));
    found.filter(|us| *us > 0.0).ok_or_else(|| format!("{FILE}: [machine] has no yardstick_us above zero"))
}

fn figure(value: &Value) -> Result<Promise, String> {
    let text = |key: &str| {
        let found = value.get(key).and_then(Value::as_str).filter(|t| !t.is_empty() && !t.contains('|'));
        found.map(str::to_owned).ok_or_else(|| format!("{FILE}: a figure has no '{key}', or one with a bar in it"))
    };
    let id = text("id")?;
    let (better, limit, unit) = limit(&text("limit")?).ok_or_else(|| {
        format!("{FILE}: '{id}' has no limit in words; write \"at most 2 s\" or \"at least 1,000/s\"")
    })?;
    let pace = match value.get("pace").map(|p| p.as_str().unwrap_or_default()) {
        None => None,
        Some("beside") => Some(PaceTaken::Beside),
        Some("around") => Some(PaceTaken::Around),
        Some(other) => {
            return Err(format!("{FILE}: '{id}' has pace '{other}'; write beside or around, or leave it out"));
        }
    };
    if !id.contains('.') {
        return Err(format!("{FILE}: '{id}' names no benchmark; write <benchmark>.<figure>"));
    }
    Ok(Promise { id, what: text("what")?, better, limit, unit, pace })
}

/// "at least 1,000/s": which way is good, how much, and in what.
fn limit(words: &str) -> Option<(Better, f64, String)> {
    let (better, rest) = match (words.strip_prefix("at most "), words.strip_prefix("at least ")) {
        (Some(rest), _) => (Better::Lower, rest),
        (_, Some(rest)) => (Better::Higher, rest),
        _ => return None,
    };
    let end = rest.find(|c: char| !(c.is_ascii_digit() || ",.-".contains(c)))?;
    let (number, unit) = rest.split_at(end);
    let number = number.replace(',', "").parse().ok()?;
    Some((better, number, unit.trim_start().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn promise(better: Better, limit: f64, unit: &str) -> Promise {
        Promise { id: "a.b".into(), what: "what".into(), better, limit, unit: unit.into(), pace: None }
    }

    #[test]
    fn a_figure_may_miss_its_limit_by_a_tenth_and_no_more() {
        let time = promise(Better::Lower, 10.0, "s");
        let rate = promise(Better::Higher, 1_000.0, "/s");
        let cases = [
            (&time, 9.0, Standing::Met),
            (&time, 10.0, Standing::Met),
            (&time, 11.0, Standing::Near),
            (&time, 11.01, Standing::Missed),
            (&time, f64::INFINITY, Standing::Missed),
            (&time, f64::NAN, Standing::Missed),
            (&rate, 1_000.0, Standing::Met),
            (&rate, 900.0, Standing::Near),
            (&rate, 899.0, Standing::Missed),
            (&rate, f64::NAN, Standing::Missed),
        ];
        for (figure, measured, verdict) in cases {
            assert_eq!(figure.judge(measured), verdict, "{measured} against {}", figure.limit_text());
        }
    }

    #[test]
    fn a_figure_is_judged_at_the_pace_of_the_machine_of_the_limits() {
        // A machine that takes twice as long alone, and four times beside the work.
        let readings = Readings { around: vec![2_000.0; 9], beside: vec![4_000.0; 9] };
        let of =
            |better, pace, here| Promise { pace, ..promise(better, 1.0, "s") }.paced(here, &readings, 1_000.0).there;
        assert_eq!(of(Better::Lower, Some(PaceTaken::Beside), 8.0), Some(2.0));
        assert_eq!(of(Better::Lower, Some(PaceTaken::Around), 8.0), Some(4.0));
        assert_eq!(of(Better::Higher, Some(PaceTaken::Beside), 8.0), Some(32.0));
        assert_eq!(of(Better::Lower, None, 8.0), None);
        let text = "[machine]\nyardstick_us = 500.0\n";
        assert_eq!(yardstick_us(text), Ok(500.0));
        assert_eq!(yardstick_us(&text.replace("500.0", "515")), Ok(515.0));
        assert!(yardstick_us(&text.replace("500.0", "0.0")).is_err() && yardstick_us("").is_err());
    }

    #[test]
    fn values_are_written_as_people_read_them() {
        let cases = [
            (1_500_000.0, "/s", "1,500,000/s"),
            (0.8, "s", "0.8 s"),
            (87.25, "µs", "87.2 µs"),
            (656.7, "bytes", "657 bytes"),
            (-0.31, "%", "-0.31 %"),
            (1_000.0, "ms", "1,000 ms"),
            (4.0, "messages", "4 messages"),
        ];
        for (value, unit, text) in cases {
            assert_eq!(promise(Better::Lower, 1.0, unit).show(value), text);
        }
        assert_eq!(promise(Better::Higher, 1.5, "s").limit_text(), "at least 1.5 s");
    }

    #[test]
    fn a_promise_without_a_limit_or_made_twice_is_refused() {
        let good = "[[figure]]\nid = \"a.b\"\nwhat = \"w\"\nlimit = \"at most 3,000 s\"\n";
        let first = &read(good).unwrap()[0];
        assert_eq!((first.bench(), first.limit_text()), ("a", "at most 3,000 s".to_owned()));
        assert_eq!(limit("at least -0.31 %"), Some((Better::Higher, -0.31, "%".to_owned())));
        for (from, to, said) in [
            ("limit", "limits", "has no 'limit'"),
            ("at most", "up to", "'a.b' has no limit in words"),
            ("3,000 s", "s", "no limit in words"),
            ("3,000 s", "3", "no limit in words"),
            ("a.b", "ab", "names no benchmark"),
            ("\"w\"", "\"a | b\"", "bar in it"),
            ("s\"\n", "s\"\npace = \"now\"\n", "write beside or around"),
        ] {
            assert!(read(&good.replace(from, to)).unwrap_err().contains(said), "{said}");
        }
        assert!(read(&format!("{good}{good}")).unwrap_err().contains("share"));
    }
}
