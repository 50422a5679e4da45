//! Open alerts in the headline: named, counted, and of experimental ones no more than that.

use crate::headline::{NEAR, scene, state};
use barograph_domain::{HeadlineKind, OpenAlerts, OpenExperimental, Pattern, Severity, TrendRegime};

/// While anything is open the market is not said to be usual, and what is open is named.
#[test]
fn an_open_alert_of_any_weight_is_something() {
    let mut scene = scene("default", &[]);
    scene.alert(Pattern::AlertRule, Severity::Info);
    assert_eq!(scene.said().headline, "Sideways over 50 h, +0.3 % in 24 h. Alert open: own rule (INFO).");
    scene.alert(Pattern::FundingAnomaly, Severity::Info);
    assert_eq!(scene.said().headline, "Sideways over 50 h, +0.3 % in 24 h. 2 alerts open, the worst: own rule (INFO).");
    scene.held = Some(NEAR);
    assert_eq!(scene.said().headline, "Stop 2.5 of your long near: price 2.52. Sideways over 50 h, +0.3 % in 24 h.");
}

/// Experimental alerts are named as that where nothing else is, and counted beside others; no care is asked for because of them.
#[test]
fn experimental_alerts_are_quiet() {
    let mut scene = scene("default", &[]);
    let calm = scene.said();
    let open = |count, first| OpenExperimental { count, first: Some(first) };
    scene.row.open.experimental = open(1, Pattern::Spoofing);
    let shown = scene.said();
    assert_eq!(shown.headline, "Sideways over 50 h, +0.3 % in 24 h. Experimental alert open: large orders pulled.");
    let part = shown.headline_parts.iter().find(|p| p.kind == HeadlineKind::Alerts).unwrap();
    assert_eq!((part.word, part.severity, part.value), (Some("EXPERIMENTAL"), 0, Some(1.0)));
    assert_eq!(shown.guidance, calm.guidance);
    scene.row.open.experimental = open(2, Pattern::Layering);
    let shown = scene.said().headline;
    assert_eq!(
        shown,
        "Sideways over 50 h, +0.3 % in 24 h. 2 experimental alerts open, among them: stacked orders pulled."
    );
    scene.alert(Pattern::LiquidationCascade, Severity::High);
    let shown = scene.said().headline;
    assert!(shown.starts_with("3 alerts open, 2 experimental, the worst: liquidation cascade (HIGH). "), "{shown}");
    // What is not as usual comes first, and leaves them no room.
    scene.row.open = OpenAlerts { experimental: open(1, Pattern::Spoofing), ..OpenAlerts::default() };
    scene.row.trend = state(TrendRegime::StrongUptrend);
    let shown = scene.said().headline;
    assert!(shown.starts_with("Strong uptrend") && !shown.contains("xperimental"), "{shown}");
}
