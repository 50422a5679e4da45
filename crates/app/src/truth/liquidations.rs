//! `verify liquidations`: full tapes of liquidations from their files to the study of what a thinned feed leaves out.

use super::liquidations_print;
use crate::cli::LiquidationsArgs;
use crate::failure::Failure;
use barograph_domain::text::escape_control;
use barograph_lake::table_in::TableIn;
use barograph_study::liquidations::{TapeLiquidation, ThinnedMinute, Thinning, ThinningStudy, minutes, thinning_study};
use barograph_venues::Row;
use std::collections::BTreeMap;
use std::path::Path;

/// Least published liquidations of the minutes that are studied: all, and those in which a feed was likely to leave something out.
const COUNTS_MIN: [u32; 3] = [1, 2, 5];

/// Which tape: files may be of different venues, and a symbol is one market only within its file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TapeOf {
    file: String,
    /// Empty where no column names it.
    symbol: String,
}

/// What reading came to.
#[derive(Debug, Default)]
pub(super) struct ReadTapes {
    /// By file and symbol, each in the order of time.
    pub(super) tapes: BTreeMap<TapeOf, Vec<TapeLiquidation>>,
    /// Rows without a time, or without a notional above 0.
    pub(super) rejected: usize,
    /// The first of them: file and row.
    pub(super) first_rejected: Option<String>,
}

pub(crate) fn run(args: &LiquidationsArgs, json: bool) -> Result<(), Failure> {
    let map = TapeColumns::parse(args.columns.as_deref()).map_err(|why| Failure::usage(format!("--columns: {why}")))?;
    let mut read = ReadTapes::default();
    for path in &args.files {
        let shown = escape_control(&path.display().to_string()).into_owned();
        read_one(path, &shown, &map, &mut read).map_err(|why| Failure::usage(format!("{shown} {why}")))?;
    }
    if read.tapes.is_empty() {
        let first =
            read.first_rejected.map_or_else(String::new, |row| format!("; the first row that cannot be read is {row}"));
        return Err(Failure::usage(format!("there is no liquidation in it{first}")));
    }
    let studies = studies(&read.tapes);
    liquidations_print::print(&read, &studies, json)
}

/// By time; those of one moment stay in the order of their file, because which is last decides a thinning. The tapes of a file that
/// begins with its newest row are reversed first.
fn in_order(tape: &mut [TapeLiquidation], is_newest_first: bool) {
    if is_newest_first {
        tape.reverse();
    }
    tape.sort_by_key(|trade| trade.at);
}

fn studies(tapes: &BTreeMap<TapeOf, Vec<TapeLiquidation>>) -> Vec<ThinningStudy> {
    let of = |thinning| {
        let all: Vec<ThinnedMinute> = tapes.values().flat_map(|tape| minutes(tape, thinning)).collect();
        COUNTS_MIN.map(|count| thinning_study(&all, thinning, count))
    };
    Thinning::ALL.into_iter().flat_map(of).collect()
}

/// Names of the columns that are read.
struct TapeColumns {
    time: String,
    usd: Option<String>,
    price: Option<String>,
    qty: Option<String>,
    symbol: Option<String>,
}

impl TapeColumns {
    fn parse(text: Option<&str>) -> Result<Self, String> {
        // Tardis: its own clock is `local_timestamp`, the venue's is `timestamp`.
        let text = text.unwrap_or("time=timestamp,price=price,qty=amount,symbol=symbol");
        let mut fields: BTreeMap<&str, &str> = BTreeMap::new();
        for pair in text.split(',') {
            let (field, column) = pair.split_once('=').map(|(f, c)| (f.trim(), c.trim())).unwrap_or_default();
            if !matches!(field, "time" | "usd" | "price" | "qty" | "symbol") || column.is_empty() {
                return Err(format!(
                    "'{pair}': write time=…, and usd=… or price=…,qty=…, and symbol=… where there is one"
                ));
            }
            if fields.insert(field, column).is_some() {
                return Err(format!("{field} is named twice"));
            }
        }
        let mut get = |field| fields.remove(field).map(str::to_owned);
        let time = get("time").ok_or("it has no time; write time=<column>")?;
        let of = Self { time, usd: get("usd"), price: get("price"), qty: get("qty"), symbol: get("symbol") };
        if of.usd.is_none() && (of.price.is_none() || of.qty.is_none()) {
            return Err("it has no notional; write usd=<column>, or price=<column>,qty=<column>".to_owned());
        }
        Ok(of)
    }
}

fn read_one(path: &Path, shown: &str, map: &TapeColumns, out: &mut ReadTapes) -> Result<(), String> {
    let table = TableIn::open(path)?;
    let place = |name: &String| {
        let names = || table.names().iter().take(20).map(|n| escape_control(n)).collect::<Vec<_>>().join(", ");
        table
            .place(name)
            .ok_or_else(|| format!("has no column '{name}'; it has {}; say which is what with --columns", names()))
    };
    let time = place(&map.time)?;
    let symbol = map.symbol.as_ref().map(place).transpose()?;
    let [usd, price, qty] = match &map.usd {
        Some(usd) => [Some(place(usd)?), None, None],
        None => [None, map.price.as_ref().map(place).transpose()?, map.qty.as_ref().map(place).transpose()?],
    };
    let notional = |row: &Row<'_>| -> Option<f64> {
        let number = |column: Option<usize>| row.number(column?).ok();
        let usd = if usd.is_some() { number(usd)? } else { number(price)? * number(qty)? };
        Some(usd).filter(|usd| usd.is_finite() && *usd > 0.0)
    };
    let mut tapes: BTreeMap<String, Vec<TapeLiquidation>> = BTreeMap::new();
    let (mut first, mut last) = (None, None);
    table.rows(&mut |number, row| match row.time(time).ok().zip(notional(&row)) {
        Some((at, usd)) => {
            let symbol = symbol.and_then(|at| row.text(at)).map(String::from_utf8_lossy).unwrap_or_default();
            tapes.entry(escape_control(&symbol).into_owned()).or_default().push(TapeLiquidation { at, usd });
            first.get_or_insert(at);
            last = Some(at);
        }
        None => {
            out.rejected += 1;
            out.first_rejected.get_or_insert_with(|| format!("row {number} of {shown}"));
        }
    })?;
    for (symbol, mut tape) in tapes {
        in_order(&mut tape, first > last);
        if out.tapes.insert(TapeOf { file: shown.to_owned(), symbol }, tape).is_some() {
            return Err("is given twice; each liquidation counts once".to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_names_a_time_and_a_notional() {
        for (text, want) in [
            (None, Ok("timestamp")),
            (Some("time=t,usd=v"), Ok("t")),
            (Some("time=t, price=p ,qty=q,symbol=s"), Ok("t")),
            (Some("usd=v"), Err("no time")),
            (Some("time=t,price=p"), Err("no notional")),
            (Some("time=t,usd=v,usd=w"), Err("twice")),
            (Some("time=t,side=v"), Err("'side=v'")),
            (Some("time"), Err("'time'")),
        ] {
            match (TapeColumns::parse(text), want) {
                (Ok(got), Ok(time)) => assert_eq!(got.time, time),
                (Err(why), Err(part)) => assert!(why.contains(part), "{why}"),
                (got, _) => panic!("{text:?}: {:?}", got.map(|m| m.time)),
            }
        }
    }

    #[test]
    fn a_tape_with_its_newest_row_first_is_reversed() {
        use barograph_domain::Ts;
        let tape = |rows: &[(i64, f64)]| -> Vec<TapeLiquidation> {
            rows.iter().map(|(s, usd)| TapeLiquidation { at: Ts::from_secs(*s), usd: *usd }).collect()
        };
        let mut newest_first = tape(&[(9, 1.0), (5, 2.0), (5, 3.0), (1, 4.0)]);
        in_order(&mut newest_first, true);
        assert_eq!(newest_first, tape(&[(1, 4.0), (5, 3.0), (5, 2.0), (9, 1.0)]));
        let mut oldest_first = tape(&[(1, 4.0), (5, 3.0), (5, 2.0), (3, 1.0), (9, 1.0)]);
        in_order(&mut oldest_first, false);
        assert_eq!(oldest_first, tape(&[(1, 4.0), (3, 1.0), (5, 3.0), (5, 2.0), (9, 1.0)]));
    }

    #[test]
    fn rows_become_tapes_by_symbol_and_wrong_ones_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        let text =
            "timestamp,symbol,price,amount\n1700000000000,A,2,3\n1700000000500,B,2,5\n1700000000500,B,2,0\nx,B,2,1\n";
        std::fs::write(&path, text).unwrap();
        let (map, mut read) = (TapeColumns::parse(None).unwrap(), ReadTapes::default());
        read_one(&path, "t.csv", &map, &mut read).unwrap();
        let tape = |symbol: &str| &read.tapes[&TapeOf { file: "t.csv".to_owned(), symbol: symbol.to_owned() }];
        assert_eq!((tape("A")[0].usd, tape("B").len(), read.rejected), (6.0, 1, 2));
        assert_eq!(read.first_rejected.as_deref(), Some("row 4 of t.csv"));
        let other = TapeColumns::parse(Some("time=timestamp,usd=value")).unwrap();
        let why = read_one(&path, "t.csv", &other, &mut read).unwrap_err();
        assert!(why.contains("no column 'value'; it has timestamp, symbol"), "{why}");
    }

    /// Two files of one symbol, both with their newest row first; the second begins where the first ends.
    #[test]
    fn files_are_tapes_of_their_own_in_whatever_order_they_are_given() {
        let folder = tempfile::tempdir().unwrap();
        let header = "timestamp,symbol,price,amount\n";
        // Milliseconds and amounts. In `early` two fall into one millisecond; `late` shares the second of 1 700 000 005 with it.
        let early = "1700000005000,A,1,3\n1700000001000,A,1,2\n1700000001000,A,1,1\n";
        let late = "1700000009000,A,1,9\n1700000005500,A,1,4\n";
        let paths = [("early.csv", early), ("late.csv", late)].map(|(name, rows)| {
            let path = folder.path().join(name);
            std::fs::write(&path, format!("{header}{rows}")).unwrap();
            (path, name)
        });
        let map = TapeColumns::parse(None).unwrap();
        let read = |order: [usize; 2]| {
            let mut read = ReadTapes::default();
            for at in order {
                read_one(&paths[at].0, paths[at].1, &map, &mut read).unwrap();
            }
            read.tapes
        };
        let tapes = read([0, 1]);
        assert_eq!(tapes, read([1, 0]));
        let usd: Vec<Vec<f64>> = tapes.values().map(|tape| tape.iter().map(|t| t.usd).collect()).collect();
        assert_eq!(usd, [vec![1.0, 2.0, 3.0], vec![4.0, 9.0]], "the oldest first, in each file");
        let last =
            |tape: &Vec<TapeLiquidation>| minutes(tape, Thinning::ALL[1]).iter().map(|m| (m.count, m.usd)).collect();
        let thinned: Vec<Vec<(u32, f64)>> = tapes.values().map(last).collect();
        assert_eq!(thinned, [vec![(2, 5.0)], vec![(2, 13.0)]], "one second of two files is two seconds");
        let mut twice = ReadTapes { tapes, ..ReadTapes::default() };
        assert!(read_one(&paths[0].0, paths[0].1, &map, &mut twice).unwrap_err().contains("given twice"));
    }
}
