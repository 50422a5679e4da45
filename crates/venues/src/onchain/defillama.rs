//! DefiLlama's charts (onchain §2): TVL of a chain, stablecoins in circulation, volume of decentralised exchanges. Dollars a day, unix seconds.
//!
//! The newest row of a chart is «now», stamped with the moment or with its day: it counts as its day's and stays provisional until that is over.
//! One protocol is read in [`super::protocol`].

use super::{DAY, OnchainBody, OnchainPoint, Quarantine, amount, json, ordered, quarantine, seconds};
use barograph_domain::Ts;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct TvlRow {
    date: Value,
    tvl: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StablecoinRow {
    date: Value,
    #[serde(rename = "totalCirculatingUSD")]
    total_circulating_usd: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VolumeOverview {
    total_data_chart: Vec<(Value, f64)>,
}

/// `/v2/historicalChainTvl[/{chain}]`: total value locked in dollars, without liquid staking and what would count twice.
///
/// # Errors
/// Why the body is not used.
pub fn tvl(body: &[u8], recv: Ts) -> Result<OnchainBody, Quarantine> {
    let rows: Vec<TvlRow> = json(body)?;
    chart(rows.iter().map(|r| (&r.date, r.tvl)), "TVL", recv)
}

/// `/stablecoincharts/{chain|all}`: stablecoins pegged to the dollar that are in circulation, in dollars. Other pegs are left out: a euro
/// is no dollar.
///
/// # Errors
/// Why the body is not used.
pub fn stablecoins(body: &[u8], recv: Ts) -> Result<OnchainBody, Quarantine> {
    let rows: Vec<StablecoinRow> = json(body)?;
    let usd = |row: &StablecoinRow| row.total_circulating_usd.get("peggedUSD").copied();
    // Before the first dollar coin of a chain there are rows without one.
    chart(rows.iter().filter_map(|r| Some((&r.date, usd(r)?))), "the stablecoin supply", recv)
}

/// `/overview/dexs[/{chain}]` with its total chart: volume in dollars of each day.
///
/// # Errors
/// Why the body is not used.
pub fn dex_volume(body: &[u8], recv: Ts) -> Result<OnchainBody, Quarantine> {
    let overview: VolumeOverview = json(body)?;
    chart(overview.total_data_chart.iter().map(|(date, usd)| (date, *usd)), "the volume", recv)
}

pub(super) fn chart<'a>(
    rows: impl Iterator<Item = (&'a Value, f64)>,
    what: &str,
    recv: Ts,
) -> Result<OnchainBody, Quarantine> {
    let mut points = Vec::new();
    for (date, usd) in rows {
        let day = seconds(date, recv)?.floor(DAY);
        points.push(OnchainPoint::of_interval(day, amount(usd, what, day)?, DAY, recv));
    }
    if points.is_empty() {
        return quarantine("it has no rows; is the chain written as DefiLlama writes it, as in Ethereum?");
    }
    Ok(OnchainBody { points: ordered(points), ..OnchainBody::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Thursday, half past three.
    const RECV: Ts = Ts::from_civil(2026, 11, 19, 3, 30, 0);

    fn day(d: i64) -> Ts {
        Ts::from_civil(2026, 11, d, 0, 0, 0)
    }

    fn values(body: &OnchainBody) -> Vec<(Ts, f64, bool)> {
        body.points.iter().map(|p| (p.event_ts, p.value.unwrap(), p.provisional)).collect()
    }

    #[test]
    fn dates_as_numbers_and_as_texts_are_alike_and_the_last_row_is_provisional_until_its_day_is_over() {
        let (d17, d18, now) = (day(17).as_millis() / 1000, day(18).as_millis() / 1000, RECV.as_millis() / 1000);
        let numbers =
            format!(r#"[{{"date":{d17},"tvl":98.5e9}},{{"date":{d18},"tvl":99e9}},{{"date":{now},"tvl":97e9}}]"#);
        let texts = numbers.replace("\"date\":", "\"date\":\"").replace(",\"tvl\"", "\",\"tvl\"");
        let expected = [(day(17), 98.5e9, false), (day(18), 99e9, false), (day(19), 97e9, true)];
        for body in [&numbers, &texts] {
            assert_eq!(values(&tvl(body.as_bytes(), RECV).unwrap()), expected, "{body}");
        }
        let later = tvl(numbers.as_bytes(), day(20)).unwrap();
        assert!(later.points.iter().all(|p| !p.provisional), "its day is over");
        // A row of midnight and one of now are one day; the later counts, in whichever order they come.
        let both = format!(r#"[{{"date":{now},"tvl":7}},{{"date":{},"tvl":5}}]"#, day(19).as_millis() / 1000);
        let reversed = tvl(both.as_bytes(), RECV).unwrap();
        assert_eq!(reversed.points.len(), 1);
        let volume = format!(r#"{{"total24h":1,"totalDataChart":[[{d17},5.5],["{d18}",6]],"protocols":null}}"#);
        assert_eq!(
            values(&dex_volume(volume.as_bytes(), RECV).unwrap()),
            [(day(17), 5.5, false), (day(18), 6.0, false)]
        );
    }

    #[test]
    fn only_dollar_coins_are_counted() {
        let d = day(18).as_millis() / 1000;
        let body = format!(
            r#"[{{"date":"{}","totalCirculating":{{"peggedEUR":1}},"totalCirculatingUSD":{{"peggedEUR":2}}}},
                {{"date":"{d}","totalCirculating":{{"peggedUSD":300,"peggedEUR":50}},"totalCirculatingUSD":{{"peggedUSD":301.5,"peggedEUR":55}}}}]"#,
            d - 86_400
        );
        assert_eq!(values(&stablecoins(body.as_bytes(), RECV).unwrap()), [(day(18), 301.5, false)]);
    }

    #[test]
    fn what_is_no_such_chart_is_quarantined_with_its_reason() {
        let d = day(18).as_millis() / 1000;
        for (body, why) in [
            (String::new(), "the body is empty"),
            ("  <!doctype html><title>502</title>".to_owned(), "is a page (HTML)"),
            (format!(r#"[{{"date":{d},"tvl":98.5}},{{"date":{d},"#), "not what was expected"),
            (format!(r#"[{{"date":{d}}}]"#), "missing field `tvl`"),
            (format!(r#"[{{"date":{d},"tvl":"98"}}]"#), "not what was expected"),
            (format!(r#"[{{"date":{d},"tvl":null}}]"#), "not what was expected"),
            (format!(r#"[{{"date":{d},"tvl":-1}}]"#), "which no amount can be"),
            (format!(r#"[{{"date":{}000,"tvl":1}}]"#, d), "is no time in unix seconds"),
            (r#"[{"date":"2026-11-18","tvl":1}]"#.to_owned(), "is no time in unix seconds"),
            (format!(r#"[{{"date":{},"tvl":1}}]"#, d + 864_000), "lies ahead of our clock"),
            ("[]".to_owned(), "it has no rows"),
            (r#"{"message":"not found"}"#.to_owned(), "not what was expected"),
            ("[[[[[[".repeat(100), "not what was expected"),
            ("null".to_owned(), "not what was expected"),
        ] {
            let refused = tvl(body.as_bytes(), RECV).unwrap_err().0;
            assert!(refused.contains(why), "{body}: {refused}");
        }
        assert!(dex_volume(br#"{"total24h":1}"#, RECV).unwrap_err().0.contains("missing field `totalDataChart`"));
    }
}
