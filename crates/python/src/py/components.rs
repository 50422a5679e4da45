//! What a caller hands in piece by piece: a bar, base multipliers, options of liquidity.

use super::convert::{instant, positive, unit_of, wrong};
use crate::columns::check_bar;
use barograph_domain::Ts;
use barograph_engine::context::FrameOptions;
use barograph_engine::features::bars::BarSample;
use barograph_engine::liquidity::{BlockRule, ClusterMethod, ClusterPeaks};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

/// A bar as a mapping or a sequence.
pub(super) fn bar_of(bar: &Bound<'_, PyAny>) -> PyResult<(Ts, BarSample)> {
    let (stamp, prices, volume) = if let Ok(t) = bar.cast::<PyTuple>() {
        (t.get_item(0)?, [1, 2, 3, 4].map(|i| t.get_item(i)), t.get_item(5).ok())
    } else if let Ok(d) = bar.cast::<PyDict>() {
        let stamp = ["timestamp", "date", "open_time", "datetime", "time"];
        let stamp = stamp.iter().find_map(|n| d.get_item(n).ok().flatten());
        let stamp = stamp.ok_or_else(|| wrong("the bar has no timestamp"))?;
        let of = |n: &str| d.get_item(n)?.ok_or_else(|| wrong(format!("the bar has no '{n}'")));
        (stamp, [of("open"), of("high"), of("low"), of("close")], d.get_item("volume")?)
    } else {
        let of = |i: usize| bar.get_item(i);
        (of(0)?, [of(1), of(2), of(3), of(4)], of(5).ok())
    };
    let [open, high, low, close] = prices;
    let (open, high, low, close): (f64, f64, f64, f64) =
        (open?.extract()?, high?.extract()?, low?.extract()?, close?.extract()?);
    let volume = volume.filter(|v| !v.is_none()).map_or(Ok(f64::NAN), |v| v.extract::<f64>())?;
    check_bar((open, high, low, close), volume).map_err(|why| wrong(format!("bar: {why}")))?;
    // Whole numbers, which live feeds send, without asking for anything else first.
    let ts = match stamp.extract::<i64>() {
        Ok(n) => Ts(n * unit_of(n)),
        Err(_) => instant(&stamp)?,
    };
    Ok((ts, BarSample { open, high, low, close, volume: (!volume.is_nan()).then_some(volume), quote_volume: None }))
}

pub(super) fn base_of(base: &Bound<'_, PyAny>) -> PyResult<[f64; 4]> {
    let names = ["ASIAN", "LONDON", "NY", "ROLLOVER"];
    let mut out = barograph_engine::sessions::SEED_BASE;
    match base.cast::<PyDict>() {
        Ok(dict) => {
            for (key, value) in dict {
                let key = key.getattr("value").unwrap_or(key).str()?.to_string();
                let at = names.iter().position(|n| n.eq_ignore_ascii_case(&key));
                let at = at.ok_or_else(|| wrong(format!("no session '{key}': there are {}", names.join(", "))))?;
                out[at] = value.extract()?;
            }
        }
        Err(_) => {
            out = base
                .extract()
                .map_err(|_ignored| wrong("base_multipliers must be a mapping by session, or four numbers"))?;
        }
    }
    for (name, x) in names.iter().zip(out) {
        if !(0.1..=10.0).contains(&x) {
            return Err(wrong(format!("base multiplier of {name} is {x}: it must lie within 0.1 and 10")));
        }
    }
    Ok(out)
}

/// Options of liquidity by name.
pub(super) fn choose(options: &mut FrameOptions, chosen: &Bound<'_, PyDict>) -> PyResult<()> {
    let o = &mut options.liquidity;
    for (key, value) in chosen {
        let key: String = key.extract()?;
        let word = || value.extract::<String>();
        let unknown = |what: &str| wrong(format!("liquidity option {key}: give {what}"));
        match key.as_str() {
            "swing_left" => o.swing_left = value.extract()?,
            "swing_right" => o.swing_right = value.extract()?,
            "cluster_tolerance" => o.cluster_tolerance = positive(&key, value.extract()?)?,
            "half_life" => o.half_life = positive(&key, value.extract()?)?,
            "fvg_min_atr" => o.fvg_min_atr = value.extract()?,
            "cluster_method" => {
                o.cluster_method = match word()?.as_str() {
                    "tolerance" => ClusterMethod::Tolerance,
                    "kde" => ClusterMethod::Kde,
                    _ => return Err(unknown("tolerance or kde")),
                }
            }
            "cluster_peaks" => {
                o.cluster_peaks = match word()?.as_str() {
                    "local" => ClusterPeaks::Local,
                    "swings" => ClusterPeaks::Swings,
                    _ => return Err(unknown("local or swings")),
                }
            }
            "ob_rule" => {
                o.block_rule = match word()?.as_str() {
                    "last_opposite" => BlockRule::LastOpposite,
                    "extreme" => BlockRule::Extreme,
                    _ => return Err(unknown("last_opposite or extreme")),
                }
            }
            _ => {
                let known = "swing_left, swing_right, cluster_tolerance, cluster_method, cluster_peaks, ob_rule, \
                             half_life, fvg_min_atr";
                return Err(wrong(format!("no liquidity option '{key}': there are {known}")));
            }
        }
    }
    if o.swing_left == 0 || o.swing_right == 0 {
        return Err(wrong("swing_left and swing_right must be at least 1"));
    }
    Ok(())
}
