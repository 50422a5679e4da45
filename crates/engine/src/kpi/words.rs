//! What a report comes to, in plain words: better, worse, or not shown, each with its band and n.

use super::bands::KpiBand;
use super::report::KpiReport;

/// A signed figure with a true minus.
pub(super) fn signed(x: f64, digits: usize) -> String {
    let text = format!("{x:+.digits$}");
    let zero = format!("{:.digits$}", 0.0);
    if text[1..] == zero { zero } else { text.replace('-', "−") }
}

/// "(95 % −0.11 to +0.02, n 512)".
pub(super) fn band(b: &KpiBand, scale: f64, digits: usize) -> String {
    match b.low.zip(b.high) {
        Some((low, high)) => {
            format!("(95 % {} to {}, n {})", signed(low * scale, digits), signed(high * scale, digits), b.n)
        }
        None => format!("(no band: {}, n {})", b.missing.unwrap_or("too little data"), b.n),
    }
}

/// "95 %", "98.75 %".
pub(super) fn percent(share: f64) -> String {
    let text = format!("{:.2}", 100.0 * share);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// What a band that holds zero means.
fn shown(b: &KpiBand) -> &'static str {
    match b.excludes_zero() {
        Some(true) => "",
        Some(false) => "; the band holds zero, so neither is shown",
        None => "; nothing is shown",
    }
}

/// "with context: 0.04 R worse per trade after costs (95 % −0.11 to +0.02, n 512)".
pub(super) fn per_trade(what: &str, b: &KpiBand) -> Option<String> {
    let value = b.value?;
    let size = format!("{:.2}", value.abs());
    let how = if size == "0.00" {
        "no difference".to_owned()
    } else {
        format!("{size} R {} per trade", if value < 0.0 { "worse" } else { "better" })
    };
    Some(format!("{what}: {how} after costs {}{}", band(b, 1.0, 2), shown(b)))
}

fn points(what: &str, b: &KpiBand, good: bool) -> Option<String> {
    let value = 100.0 * b.value?;
    let word = if (value > 0.0) == good { "better" } else { "worse" };
    let how = if format!("{:.1}", value.abs()) == "0.0" {
        "no difference".to_owned()
    } else {
        format!("{} points, {word}", signed(value, 1))
    };
    Some(format!("{what}: {how} {}{}", band(b, 100.0, 1), shown(b)))
}

pub(super) fn sentences(r: &KpiReport) -> Vec<String> {
    let mut out: Vec<String> = r
        .values
        .iter()
        .filter_map(|v| {
            let against = if v.arm.ends_with("left out") { "against all entries" } else { "against plain" };
            per_trade(&format!("{}, {against}", v.arm), v.difference.as_ref()?)
        })
        .collect();
    out.extend(points("win rate of levels as targets, against random moments", &r.targets.difference, true));
    out.extend(points("stop-outs with context, against plain", &r.stop_out.difference, false));
    out.extend(match r.confidence.gap.value {
        Some(_) => points("win rate at confidence above 0.7, against below 0.4", &r.confidence.gap, true),
        None => Some(format!(
            "win rate by confidence: undefined, too few ({} trades in the smaller group, 30 needed)",
            r.confidence.gap.n
        )),
    });
    let ends = r.values.first().zip(r.values.get(1)).and_then(|(plain, context)| {
        let (a, b) = (plain.after_costs.value?, context.after_costs.value?);
        (a < 0.0 && b < 0.0).then(|| {
            format!(
                "after costs the strategy loses either way: {} R plain, {} R with context a trade",
                signed(a, 2),
                signed(b, 2)
            )
        })
    });
    out.extend(ends);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worse_is_called_worse() {
        let b = |value: f64, low, high| KpiBand {
            n: 512,
            value: Some(value),
            low: Some(low),
            high: Some(high),
            missing: None,
        };
        let said = |b: &KpiBand| per_trade("with context", b).unwrap();
        let want = "with context: 0.04 R worse per trade after costs (95 % −0.11 to +0.02, n 512); the band holds zero, so neither is shown";
        assert_eq!(said(&b(-0.04, -0.11, 0.02)), want);
        assert_eq!(
            said(&b(-0.14, -0.2, -0.02)),
            "with context: 0.14 R worse per trade after costs (95 % −0.20 to −0.02, n 512)"
        );
        assert!(said(&b(0.25, 0.1, 0.4)).contains("0.25 R better per trade"), "{}", said(&b(0.25, 0.1, 0.4)));
        assert!(said(&b(0.001, -0.1, 0.1)).contains("no difference"));
        assert_eq!(per_trade("x", &KpiBand::none(0, "no cases")), None);
        // More stop-outs are worse, more targets better.
        let more = b(0.05, 0.01, 0.09);
        assert_eq!(
            points("stop-outs", &more, false).unwrap(),
            "stop-outs: +5.0 points, worse (95 % +1.0 to +9.0, n 512)"
        );
        assert!(points("hits", &more, true).unwrap().contains("better"));
    }
}
