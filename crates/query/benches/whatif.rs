//! A what-if of one threshold over 90 days of minutes: `cargo bench -p barograph-query --bench whatif`. Ten markets unless
//! `WHATIF_MARKETS` says otherwise; figures are for a hundred, since each market is replayed for itself.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and stops when it cannot go on")]

#[expect(dead_code, reason = "a store of rows is wanted here, rows alone are not")]
mod market;

use barograph_domain::whatif::WhatIfRequest;
use barograph_query::service::BookId;
use barograph_query::whatif::{WhatIfLimits, WhatIfQuestion, answer};
use barograph_store::SqliteReader;
use std::time::Instant;

const DAYS: i64 = 90;
const PROMISED: f64 = 100.0;

fn main() {
    let markets = std::env::var("WHATIF_MARKETS").ok().and_then(|n| n.parse::<u64>().ok()).unwrap_or(10);
    let folder = tempfile::tempdir().unwrap();
    market::store(folder.path(), markets, DAYS);
    let reader = SqliteReader::open(folder.path()).unwrap();
    let kept = folder.path().join("whatif");
    let ask = |set: &str| {
        let request = WhatIfRequest { set: vec![set.to_owned()], ..WhatIfRequest::default() };
        let book = BookId::named("default");
        let asked = WhatIfQuestion {
            names: None,
            reader: &reader,
            book: &book,
            default_venue: "binance-usdm",
            kept: Some(&kept),
            limits: WhatIfLimits::SERVED,
            request: &request,
        };
        let begun = Instant::now();
        let view = answer(&asked, &|_, _| {}).unwrap();
        assert_eq!(view.all.minutes_not_as_published, Some(0));
        begun.elapsed().as_secs_f64()
    };
    #[expect(clippy::cast_precision_loss, reason = "a few markets")]
    let times = PROMISED / markets as f64;
    println!("figure whatif_first_s {:.3}", ask("HIGH_VOL.realized_vol_1h=0.9") * times);
    let mut rounds: Vec<f64> = (0..5).map(|n| ask(&format!("HIGH_VOL.realized_vol_1h=0.{}", 91 + n))).collect();
    rounds.sort_by(f64::total_cmp);
    println!("figure whatif_threshold_s {:.3}", rounds[2] * times);
    println!("figure whatif_all_of_risk_s {:.3}", ask("SQUEEZE_RISK.funding_zscore_24h=2.5") * times);
    let bytes: u64 = std::fs::read_dir(&kept)
        .unwrap()
        .flat_map(|run| std::fs::read_dir(run.unwrap().path()).unwrap())
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum();
    #[expect(clippy::cast_precision_loss, reason = "counts of minutes and bytes")]
    let per_minute = bytes as f64 / (markets as f64 * DAYS as f64 * 1_440.0);
    println!("figure whatif_kept_bytes {per_minute:.1}");
}
