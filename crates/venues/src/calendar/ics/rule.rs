//! Repetition rules of iCalendar (RFC 5545 §3.3.10), as far as calendars of releases use them: by the day, week, month and year,
//! every so many of them, so often or until a date, narrowed by month, day of the month, weekday (with its place in the month or year)
//! and place in the set.
//!
//! Rules work on local days, counted since 1970-01-01, and know no zone and no time of day: whoever places the days in a zone
//! keeps the local time of day across a change to daylight saving time. What is left out on purpose is refused by name: rules within
//! a day (hours, minutes, seconds), days of the year and weeks by number.

use barograph_domain::Ts;
use barograph_domain::time::DAY;

/// Most periods (days, weeks, months, years) that the rules of one text may walk through: 4,000 days, the years that a run
/// over files reads, for each of 250 events. What asks for more was not written by a calendar.
pub(super) const PERIODS_MAX: usize = 1_000_000;
/// Most instances that the rules of one text may make.
pub(super) const INSTANCES_MAX: usize = super::EVENTS_MAX;

/// A local day, counted since 1970-01-01.
pub(super) type Day = i64;

/// The local day of a local time.
pub(super) const fn day_of(local: Ts) -> Day {
    local.0.div_euclid(DAY.0)
}

/// What is left of the work that one text may cause.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    pub(super) periods: usize,
    pub(super) instances: usize,
}

impl Default for Allowance {
    fn default() -> Self {
        Self { periods: PERIODS_MAX, instances: INSTANCES_MAX }
    }
}

impl Allowance {
    fn walk(&mut self) -> Result<(), String> {
        self.periods = self.periods.checked_sub(1).ok_or_else(|| {
            format!("the repetitions of this calendar go through more than {PERIODS_MAX} days, weeks, months and years; begin them later, or name each date")
        })?;
        Ok(())
    }

    pub(super) fn make(&mut self) -> Result<(), String> {
        self.instances = self.instances.checked_sub(1).ok_or_else(|| {
            format!("the repetitions of this calendar make more than {INSTANCES_MAX} events in the time that is read; end them with UNTIL or COUNT, or leave some out")
        })?;
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Frequency {
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// The last instance at the latest, as written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Until {
    /// A day: an instance on it counts.
    Date(Day),
    /// A local time in the zone of the event.
    Local(Ts),
    /// An instant.
    Utc(Ts),
}

impl Until {
    /// The last day on which an instance may lie; a day too late where that depends on the zone.
    const fn last_day(self) -> Day {
        match self {
            Self::Date(day) => day,
            Self::Local(at) => day_of(at),
            Self::Utc(at) => day_of(at) + 1,
        }
    }
}

/// A rule that has been read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Rule {
    frequency: Frequency,
    /// At least one.
    interval: i64,
    count: Option<u64>,
    pub(super) until: Option<Until>,
    /// Place in the month or year (0: each of them, negative: from the end) and weekday (0 is Monday).
    by_day: Vec<(i64, i64)>,
    by_month_day: Vec<i64>,
    by_month: Vec<i64>,
    by_set_pos: Vec<i64>,
    week_start: i64,
}

impl Rule {
    /// Reads the value of an `RRULE`.
    ///
    /// # Errors
    /// What of the rule cannot be followed.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut rule = Self {
            frequency: Frequency::Daily,
            interval: 1,
            count: None,
            until: None,
            by_day: Vec::new(),
            by_month_day: Vec::new(),
            by_month: Vec::new(),
            by_set_pos: Vec::new(),
            week_start: 0,
        };
        let mut frequency = None;
        for part in text.trim().split(';').filter(|p| !p.is_empty()) {
            let (name, value) =
                part.split_once('=').ok_or_else(|| format!("'{}' is no part of a repetition", short(part)))?;
            let (name, value) = (name.trim().to_ascii_uppercase(), value.trim().to_ascii_uppercase());
            match name.as_str() {
                "FREQ" => frequency = Some(frequency_of(&value)?),
                "INTERVAL" => rule.interval = i64::from(number::<u32>(&value, "INTERVAL", 1..=u32::MAX)?),
                "COUNT" => rule.count = Some(number(&value, "COUNT", 1..=u64::MAX)?),
                "UNTIL" => rule.until = Some(until(&value)?),
                "BYDAY" => rule.by_day = list(&value, weekday_with_place)?,
                "BYMONTHDAY" => rule.by_month_day = list(&value, |v| signed(v, "BYMONTHDAY", 31))?,
                "BYMONTH" => rule.by_month = list(&value, |v| number(v, "BYMONTH", 1..=12))?,
                "BYSETPOS" => rule.by_set_pos = list(&value, |v| signed(v, "BYSETPOS", 366))?,
                "WKST" => rule.week_start = weekday(&value)?,
                _ => return Err(format!("a repetition with {} is not followed; name each date", short(&name))),
            }
        }
        rule.frequency = frequency.ok_or("a repetition needs FREQ")?;
        rule.checked()
    }

    /// Parts that contradict each other (RFC 5545 §3.3.10).
    fn checked(self) -> Result<Self, String> {
        let places = self.by_day.iter().any(|(place, _)| *place != 0);
        let within = matches!(self.frequency, Frequency::Daily | Frequency::Weekly);
        if self.count.is_some() && self.until.is_some() {
            return Err("a repetition has COUNT or UNTIL, not both".to_owned());
        }
        if places && (within || !self.by_month_day.is_empty()) {
            return Err("BYDAY with a place, as in 1FR, belongs to a month or a year without BYMONTHDAY".to_owned());
        }
        if self.frequency == Frequency::Weekly && !self.by_month_day.is_empty() {
            return Err("a weekly repetition has no BYMONTHDAY".to_owned());
        }
        Ok(self)
    }

    /// Days of its instances from `first` to `last`, both counted, of an event that begins on `start`; `start` is always the first
    /// of all. Days that a month does not have are passed over, as the rules want.
    ///
    /// # Errors
    /// Where it makes or walks through more than is allowed.
    pub(super) fn days(
        &self,
        start: Day,
        (first, last): (Day, Day),
        allowance: &mut Allowance,
    ) -> Result<Vec<Day>, String> {
        let last = self.until.map_or(last, |until| last.min(until.last_day()));
        let mut days = Vec::new();
        let mut left = self.count.unwrap_or(u64::MAX);
        let mut take = |day: Day, allowance: &mut Allowance| -> Result<bool, String> {
            if left == 0 || day > last {
                return Ok(false);
            }
            left -= 1;
            if day >= first {
                allowance.make()?;
                days.push(day);
            }
            Ok(true)
        };
        let mut going_on = take(start, allowance)?;
        // Instances are counted from the start; where they are not, what lies before the time that is read is skipped.
        let mut step = if self.count.is_some() { 0 } else { self.steps_before(start, first) };
        while going_on {
            allowance.walk()?;
            let Some((begin, set)) = self.period(start, step) else { break };
            if begin > last {
                break;
            }
            for day in set.into_iter().filter(|day| *day > start) {
                going_on = going_on && take(day, allowance)?;
            }
            step += 1;
        }
        Ok(days)
    }

    /// Steps that surely end before `first`: a step too few is harmless.
    fn steps_before(&self, start: Day, first: Day) -> i64 {
        let days_most = match self.frequency {
            Frequency::Daily => 1,
            Frequency::Weekly => 7,
            Frequency::Monthly => 31,
            Frequency::Yearly => 366,
        };
        ((first - start) / (days_most * self.interval) - 2).max(0)
    }

    /// The first day of the period `step` steps after that of `start`, and the days the rule takes in it, in order. `None` beyond
    /// the years that instants reach.
    fn period(&self, start: Day, step: i64) -> Option<(Day, Vec<Day>)> {
        let (year, month, day) = civil(start);
        let by = step.checked_mul(self.interval)?;
        let (begin, mut set) = match self.frequency {
            Frequency::Daily => {
                let day = start.checked_add(by)?;
                (day, vec![day])
            }
            Frequency::Weekly => {
                let begin = start - (weekday_of(start) - self.week_start).rem_euclid(7);
                let begin = begin.checked_add(by.checked_mul(7)?)?;
                let own = [(0, weekday_of(start))];
                let wanted = if self.by_day.is_empty() { &own[..] } else { &self.by_day };
                (begin, (begin..begin + 7).filter(|d| on_weekday(wanted, *d)).collect())
            }
            Frequency::Monthly => {
                let months = (year * 12 + month - 1).checked_add(by)?;
                let stretch = month_of(months.div_euclid(12), months.rem_euclid(12) + 1)?;
                (stretch.0, self.in_stretch(stretch, day))
            }
            Frequency::Yearly => {
                let year = year.checked_add(by)?;
                (month_of(year, 1)?.0, self.in_year(year, month, day)?)
            }
        };
        // Beyond the years of instants a day has no date to be compared with.
        (begin <= day_of(Ts::MAX)).then_some(())?;
        set.retain(|d| {
            let (_, month, _) = civil(*d);
            let by_weekday = self.by_day.iter().any(|(place, _)| *place != 0) || on_weekday(&self.by_day, *d);
            let by_date = self.frequency != Frequency::Daily || self.on_month_day(*d);
            by_weekday && by_date && (self.by_month.is_empty() || self.by_month.contains(&month))
        });
        set.sort_unstable();
        set.dedup();
        Some((begin, self.placed(set)))
    }

    /// Days of a year: in each of the months, or by weekdays of the whole year, or the anniversary.
    fn in_year(&self, year: i64, month: i64, day: i64) -> Option<Vec<Day>> {
        let whole = self.by_month.is_empty() && self.by_month_day.is_empty() && !self.by_day.is_empty();
        if whole {
            return Some(self.in_stretch((month_of(year, 1)?.0, month_of(year, 12)?.1), day));
        }
        let months: Vec<i64> = match (self.by_month.is_empty(), self.by_month_day.is_empty()) {
            (false, _) => self.by_month.clone(),
            (true, false) => (1..=12).collect(),
            (true, true) => vec![month],
        };
        let mut set = Vec::new();
        for month in months {
            set.extend(self.in_stretch(month_of(year, month)?, day));
        }
        Some(set)
    }

    /// Days of a month, or of a year: by their number, by weekday, or the day the event began on.
    fn in_stretch(&self, (begin, end): (Day, Day), day: i64) -> Vec<Day> {
        let inside = |d: &Day| (begin..end).contains(d);
        let numbered = |n: i64| if n > 0 { begin + n - 1 } else { end + n };
        if !self.by_month_day.is_empty() {
            return self.by_month_day.iter().map(|n| numbered(*n)).filter(inside).collect();
        }
        if self.by_day.is_empty() {
            return Some(numbered(day)).filter(inside).into_iter().collect();
        }
        let mut set = Vec::new();
        for (place, weekday) in &self.by_day {
            let first = begin + (weekday - weekday_of(begin)).rem_euclid(7);
            let after = end + (weekday - weekday_of(end)).rem_euclid(7);
            match *place {
                0 => set.extend((first..end).step_by(7)),
                n if n > 0 => set.extend(Some(first + 7 * (n - 1)).filter(inside)),
                n => set.extend(Some(after + 7 * n).filter(inside)),
            }
        }
        set
    }

    fn on_month_day(&self, d: Day) -> bool {
        let (year, month, day) = civil(d);
        let length = month_of(year, month).map_or(31, |(begin, end)| end - begin);
        self.by_month_day.is_empty() || self.by_month_day.iter().any(|n| *n == day || *n == day - length - 1)
    }

    /// Those of a period's days that `BYSETPOS` names; all where it is missing.
    fn placed(&self, set: Vec<Day>) -> Vec<Day> {
        if self.by_set_pos.is_empty() {
            return set;
        }
        let count = i64::try_from(set.len()).unwrap_or(i64::MAX);
        let is_named = |at: i64| self.by_set_pos.iter().any(|p| *p == at || *p == at - count - 1);
        (1..).zip(set).filter(|(at, _)| is_named(*at)).map(|(_, day)| day).collect()
    }
}

/// Year, month and day of the month.
fn civil(day: Day) -> (i64, i64, i64) {
    let (year, month, day, ..) = Ts(day.saturating_mul(DAY.0)).civil();
    (year, month, day)
}

/// First day of a month and of the one after it. `None` beyond the years that instants reach.
fn month_of(year: i64, month: i64) -> Option<(Day, Day)> {
    // Nanoseconds in an i64 reach from 1677 to 2262.
    if !(1678..=2261).contains(&year) {
        return None;
    }
    let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    Some((day_of(Ts::from_civil(year, month, 1, 0, 0, 0)), day_of(Ts::from_civil(next_year, next_month, 1, 0, 0, 0))))
}

/// 0 is Monday: 1970-01-01 was a Thursday.
const fn weekday_of(day: Day) -> i64 {
    (day + 3).rem_euclid(7)
}

fn on_weekday(by_day: &[(i64, i64)], day: Day) -> bool {
    by_day.is_empty() || by_day.iter().any(|(_, weekday)| *weekday == weekday_of(day))
}

fn frequency_of(value: &str) -> Result<Frequency, String> {
    match value {
        "DAILY" => Ok(Frequency::Daily),
        "WEEKLY" => Ok(Frequency::Weekly),
        "MONTHLY" => Ok(Frequency::Monthly),
        "YEARLY" => Ok(Frequency::Yearly),
        _ => Err(format!(
            "a repetition with FREQ={} is not followed; write DAILY, WEEKLY, MONTHLY or YEARLY",
            short(value)
        )),
    }
}

fn until(value: &str) -> Result<Until, String> {
    let text = super::spelt_out(value);
    let at = Ts::parse(&text).map_err(|why| format!("UNTIL: {why}"))?;
    Ok(match (text.len(), text.ends_with('Z')) {
        (10, _) => Until::Date(day_of(at)),
        (_, true) => Until::Utc(at),
        (_, false) => Until::Local(at),
    })
}

fn weekday(value: &str) -> Result<i64, String> {
    let at = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"].iter().position(|w| *w == value);
    let at = at.ok_or_else(|| format!("'{}' is no weekday; write MO, TU, WE, TH, FR, SA or SU", short(value)))?;
    Ok(i64::try_from(at).unwrap_or_default())
}

/// `FR`, `1FR`, `-1FR`.
fn weekday_with_place(value: &str) -> Result<(i64, i64), String> {
    let letters = value.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(value.len());
    let (place, name) = value.split_at(letters);
    let place = if place.is_empty() { 0 } else { signed(place, "BYDAY", 53)? };
    Ok((place, weekday(name)?))
}

fn list<T: Ord>(value: &str, one: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    // More parts than a year has days say the same again and again.
    if value.len() > 4 * 366 {
        return Err(format!("'{}' is too long a list", short(value)));
    }
    let mut parts = value.split(',').map(|v| one(v.trim())).collect::<Result<Vec<T>, String>>()?;
    parts.sort();
    parts.dedup();
    Ok(parts)
}

fn number<T: core::str::FromStr + PartialOrd>(
    value: &str,
    name: &str,
    range: core::ops::RangeInclusive<T>,
) -> Result<T, String> {
    let number = value.parse().ok().filter(|n| range.contains(n));
    number.ok_or_else(|| format!("{name}={} is no number that can be followed", short(value)))
}

/// From 1 to `most`, or from the end with a minus.
fn signed(value: &str, name: &str, most: i64) -> Result<i64, String> {
    number(value, name, -most..=most).and_then(|n| if n == 0 { number("0", name, 1..=most) } else { Ok(n) })
}

/// A value for a message: no longer than one reads.
fn short(value: &str) -> String {
    value.chars().take(30).collect()
}
