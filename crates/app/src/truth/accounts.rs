//! `verify accounts`: a set of fills that names accounts, from its file to the report. Addresses are marked as they are read; nothing
//! behind this file knows one.

use super::accounts_print;
use super::salt::AccountSalt;
use crate::cli::AccountsArgs;
use crate::config::Settings;
use crate::failure::Failure;
use barograph_domain::Ts;
use barograph_domain::text::escape_control;
use barograph_engine::order_flow::FlowThresholds;
use barograph_lake::TextLines;
use barograph_venues::hyperliquid::account_fills::{FillColumns, FillFault};
use barograph_verify::accounts::study::FillsByMarket;
use barograph_verify::accounts::{AccountFill, AccountMark, LinkRule, study};
use std::collections::BTreeMap;

/// What the reading of a file came to.
#[derive(Debug, Default, PartialEq)]
pub(super) struct ReadFills {
    pub(super) by_market: FillsByMarket,
    /// Accounts that are different.
    pub(super) accounts: usize,
    /// Rows that are earlier than one before them; they were put in order.
    pub(super) out_of_order: usize,
    /// Rows that could not be read: how many of each fault, and the first one's line.
    pub(super) rejected: BTreeMap<FillFault, (usize, u64)>,
}

pub(crate) fn run(args: &AccountsArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let shown = escape_control(&args.file.display().to_string()).into_owned();
    let file =
        barograph_lake::unpacked(&args.file).map_err(|e| Failure::usage(format!("{shown} cannot be read: {e}")))?;
    let salt = AccountSalt::get(args.salt.as_deref(), &settings.data)?;
    let fills = read(TextLines::new(file), &|address| salt.mark(address))
        .map_err(|why| Failure::usage(format!("{shown}: {why}")))?;
    let report = study::study(&fills.by_market, &LinkRule::default(), &FlowThresholds::default(), args.trades)
        .map_err(|why| Failure::usage(format!("{shown}: {why}")))?;
    accounts_print::print(&fills, &report, json)
}

struct PricedFill {
    fill: AccountFill,
    price: f64,
}

/// Fills by market, in the order of time; rows that cannot be read are counted by what is wrong with them.
fn read(mut lines: TextLines, mark: &dyn Fn(&str) -> AccountMark) -> Result<ReadFills, String> {
    let mut out = ReadFills::default();
    let (_, header) = lines.next_line()?.ok_or_else(|| "the file is empty".to_owned())?;
    let columns = FillColumns::of(header).map_err(|name| {
        format!(
            "it has no column '{name}'; fills of accounts have time,user,coin,side,px,sz,crossed in their first line"
        )
    })?;
    let mut priced: BTreeMap<String, (u8, Vec<PricedFill>)> = BTreeMap::new();
    let (mut accounts, mut newest) = (std::collections::BTreeSet::new(), Ts::MIN);
    while let Some((number, line)) = lines.next_line()? {
        if line.trim().is_empty() {
            continue;
        }
        let row = match columns.read(line) {
            Ok(row) => row,
            Err(fault) => {
                out.rejected.entry(fault).or_insert((0, number)).0 += 1;
                continue;
            }
        };
        out.out_of_order += usize::from(row.at < newest);
        newest = newest.max(row.at);
        let account = mark(row.user);
        accounts.insert(account);
        let fill = AccountFill { at: row.at, account, side: row.side, ticks: 0, qty: row.qty, took: row.took };
        let of = priced.entry(row.coin.to_owned()).or_default();
        of.0 = of.0.max(row.decimals);
        of.1.push(PricedFill { fill, price: row.price });
    }
    if priced.is_empty() {
        let first = out.rejected.iter().min_by_key(|(_, (_, line))| *line);
        return Err(match first {
            Some((fault, (_, line))) => format!("no row can be read; line {line}: {fault}"),
            None => "it has no row behind its header".to_owned(),
        });
    }
    out.accounts = accounts.len();
    out.by_market = priced.into_iter().map(|(coin, (decimals, fills))| (coin, in_ticks(decimals, fills))).collect();
    Ok(out)
}

/// Prices in the finest decimal that the market's own are written with, in the order of time.
fn in_ticks(decimals: u8, fills: Vec<PricedFill>) -> Vec<AccountFill> {
    let scale = 10_f64.powi(i32::from(decimals));
    #[expect(clippy::cast_possible_truncation, reason = "prices of a market in their own decimals are far below 2^53")]
    let ticks = |price: f64| (price * scale).round() as i64;
    let mut fills: Vec<_> = fills.into_iter().map(|p| AccountFill { ticks: ticks(p.price), ..p.fill }).collect();
    fills.sort_by_key(|f| f.at);
    fills
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Side;
    use std::io::Cursor;

    fn check(text: &str) -> Result<ReadFills, String> {
        read(TextLines::new(Box::new(Cursor::new(text.to_owned()))), &|address| AccountMark(address.len() as u64))
    }

    #[test]
    fn rows_are_put_in_order_and_wrong_ones_are_counted() {
        let text = "time,user,coin,side,px,sz,crossed\n\
            2023-02-27T15:00:02Z,0xaa,ETH,Bid,10.5,1,true\n\
            2023-02-27T15:00:01Z,0xaaa,ETH,Ask,10,2,false\n\
            \n\
            2023-02-27T15:00:03Z,0xaa,ETH,Buy,10,2,false\n\
            2023-02-27T15:00:03Z,0xaa,ETH,Sell,10,2,false\n";
        let read = check(text).unwrap();
        assert_eq!((read.accounts, read.out_of_order, &read.rejected[&FillFault::Side]), (2, 1, &(2, 5)));
        let eth: Vec<_> = read.by_market["ETH"].iter().map(|f| (f.ticks, f.side, f.took)).collect();
        assert_eq!(eth, [(100, Side::Short, false), (105, Side::Long, true)]);
    }

    #[test]
    fn a_file_that_is_something_else_is_refused_without_its_cells() {
        for (text, want) in [
            ("", "the file is empty"),
            ("0xaa,1,2\n", "it has no column 'time'"),
            ("time,user,coin,side,px,sz,crossed\n", "no row behind its header"),
            ("time,user,coin,side,px,sz,crossed\n0xaa,0xaa,ETH,Bid,1,1,true\n", "line 2: 'time' is no moment"),
        ] {
            let why = check(text).unwrap_err();
            assert!(why.contains(want) && !why.contains("0x"), "{why}");
        }
        let endless = format!("time,user,coin,side,px,sz,crossed\n{}", "0xaa".repeat(5 << 20));
        assert_eq!(check(&endless), Err("line 2 is longer than 16 MiB".to_owned()));
    }
}
