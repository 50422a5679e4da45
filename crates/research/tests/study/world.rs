//! A market in which it is known what follows from what: each second the mid rises or falls by half a basis point times ten, and `ofi` said
//! so a second before in 85 of 100 cases. Forty seconds are recorded of every day, around the settlement of funding at eight.

use barograph_columns::catalogue;
use barograph_domain::random::SplitMix;
use barograph_domain::{InstrumentName, Span, Ts};
use barograph_lab::zoo::Preset;
use barograph_lake::layers::{BookHead, BookWriter, FeatureHead, FeatureWriter, LakeConfig, LakeMarket, ResearchName};
use barograph_research::train::{Lineup, MoneyTerms, RowWeights, StudyRequest, folder_of, usual_limit};
use barograph_study::folds::FoldPlan;
use barograph_study::money::blotter::{FundingPayment, TradeTerms};
use barograph_study::money::fees::TakerFee;
use barograph_study::targets::TargetId;
use std::path::Path;

/// Seconds recorded of a day.
pub(crate) const SECONDS: i32 = 40;
pub(crate) const MARKET: &str = "BTCUSDT";
const STEP: f64 = 0.0005;
const KNOWN: f64 = 0.85;

pub(crate) fn market() -> InstrumentName {
    InstrumentName::new("binance-usdm", MARKET).unwrap()
}

/// The first recorded second of a day.
pub(crate) fn begins(day: i64) -> Ts {
    Ts::from_civil(2025, 12, 8, 7, 59, 50) + Span::days(day)
}

/// Days of a minute each, into a lake.
pub(crate) fn record(lake: &Path, days: core::ops::Range<i64>) {
    record_for(lake, days, SECONDS);
}

/// The same with so many seconds of each; the volatilities rise with them.
pub(crate) fn record_for(lake: &Path, days: core::ops::Range<i64>, seconds: i32) {
    let names: Vec<ResearchName<'_>> =
        catalogue().iter().map(|c| ResearchName { id: c.id, category: c.unit == "category" }).collect();
    let place = || LakeMarket::new("binance-usdm", MARKET);
    let (mut books, _) = BookWriter::open(LakeConfig::import(lake), place()).unwrap();
    let (mut features, _) = FeatureWriter::open(LakeConfig::import(lake), place(), &names).unwrap();
    let mut sequence = 0;
    for day in days {
        let mut random = SplitMix::new(u64::try_from(day).unwrap() + 7);
        let mut mid = 50_000.0;
        let mut rises = random.unit() < 0.5;
        for second in 0..seconds {
            let t = begins(day) + Span::secs(i64::from(second));
            let level = |side: f64| (0..3).map(move |n| (mid + side * (0.5 + f64::from(n)), 5.0));
            sequence += 1;
            let head = BookHead { ts: t - Span::millis(100), known_ts: t, updates: 1, sequence, gap: None };
            books.push(&head, level(-1.0), level(1.0)).unwrap();
            let says = if rises == (random.unit() < KNOWN) { 1.0 } else { -1.0 };
            let value = |id: &str| match id {
                "mid_price" => Some(mid),
                "ofi" => Some(says + 0.2 * (f64::from(second % 7) - 3.0)),
                "imbalance_L1" => Some(f64::from(second % 11) / 11.0),
                "realized_vol_60s" | "realized_vol_300s" | "realized_vol_1800s" => {
                    Some(0.3 + f64::from(second) / 100.0)
                }
                "dq_book_age_ms" => Some(100.0),
                "dq_seconds_since_gap" => Some(1e6),
                _ => None,
            };
            let head =
                FeatureHead { ts: t, known_ts: t + Span::millis(200), row_valid: true, reason_mask: 0, gap: None };
            features.push(&head, catalogue().iter().map(|c| value(c.id)).collect::<Vec<_>>()).unwrap();
            mid *= if rises { 1.0 + STEP } else { 1.0 - STEP };
            rises = random.unit() < 0.5;
        }
    }
    books.into_partition().finish().unwrap();
    features.into_partition().finish().unwrap();
}

pub(crate) fn request(lake: &Path, studies: &Path, models: &[&str], seed: u64) -> StudyRequest {
    let target = TargetId::parse("dir_1s").unwrap();
    let names: Vec<String> = models.iter().map(|m| (*m).to_owned()).collect();
    StudyRequest {
        lake: lake.to_owned(),
        market: market(),
        target,
        plan: FoldPlan { folds: 3, memory: Span::secs(10), train_rows_min: 50, ..FoldPlan::default() },
        preset: Preset::Quick,
        time_limit: usual_limit(Preset::Quick),
        seed,
        weights: RowWeights::Even,
        lineup: Lineup::named(&names).unwrap(),
        folder: folder_of(studies, &market(), target),
    }
}

/// Half a basis point a side, and settlements each eight hours, of one to five basis points by the day.
pub(crate) fn terms(days: i64) -> MoneyTerms {
    let settled = |day: i64, hour: i64| FundingPayment {
        at: begins(day) + Span::millis(10_004) + Span::hours(hour),
        rate: 1e-4 * f64::from(u8::try_from(1 + day % 5).unwrap()),
        mark: None,
    };
    MoneyTerms {
        trade: TradeTerms::new(TakerFee::new("test", 0.5).unwrap()),
        funding: (0..days).flat_map(|day| [-8, 0, 8].map(|hour| settled(day, hour))).collect(),
    }
}
