//! Metrics of a worker, in the Prometheus text format 0.0.4.
//!
//! A group is a label: there are as many as `cluster_groups` says, some hundred at most. What belongs to a tenure is shown while the
//! group is held.

use super::stand::{EngineStand, GroupStand, GroupTally, UniverseStand};
use crate::meter::push;
use barograph_domain::{Span, Ts};

/// What a worker with groups counts; `now` is the wall clock, for ages.
#[must_use]
pub fn engine_metrics(stand: &EngineStand, now: Ts) -> String {
    type GroupValue<'a> = &'a dyn Fn(&GroupStand) -> Option<String>;
    let groups = stand.groups();
    let mut out = String::new();
    broker(&mut out, stand.broker.now().is_ok());
    let held = groups.iter().filter(|g| g.is_held()).count();
    family(
        &mut out,
        "barograph_cluster_groups_held",
        "gauge",
        "Groups that this worker holds.",
        Some(held.to_string()),
    );
    let age = |since: Option<Ts>| since.map(|at| (now - at).as_secs_f64().max(0.0).to_string());
    let count = |of: fn(&GroupTally) -> u64| move |g: &GroupStand| Some(of(&g.tally).to_string());
    let families: [(&str, &str, &str, GroupValue<'_>); 10] = [
        ("group_held", "gauge", "Whether this worker holds the group.", &|g| Some(u8::from(g.is_held()).to_string())),
        ("group_token", "gauge", "Fencing token of the tenure.", &|g| g.token.map(|token| token.to_string())),
        ("group_stored_age_seconds", "gauge", "Age of the newest input that is stored with what it made.", &|g| {
            age(g.stored)
        }),
        ("group_checkpoint_age_seconds", "gauge", "Age of the newest checkpoint.", &|g| age(g.checkpoint)),
        ("ranges_fetched_total", "counter", "Pieces of the journal that were fetched.", &count(|t| t.ranges)),
        ("parcels_total", "counter", "Parcels received from the broker.", &count(|t| t.parcels)),
        (
            "parcels_repeated_total",
            "counter",
            "Parcels that held nothing new, and were dropped.",
            &count(|t| t.repeated),
        ),
        ("takeovers_total", "counter", "Takeovers that were begun.", &count(|t| t.takeovers)),
        ("minutes_compared_total", "counter", "Published minutes that were made again.", &count(|t| t.compared)),
        (
            "minutes_different_total",
            "counter",
            "Published minutes that were made again and came out different.",
            &count(|t| t.different),
        ),
    ];
    for (name, kind, help, value) in families {
        let name = format!("barograph_cluster_{name}");
        family(&mut out, &name, kind, help, None);
        for group in &groups {
            if let Some(value) = value(group) {
                push(&mut out, format_args!("{name}{{group=\"{}\"}} {value}\n", group.group));
            }
        }
    }
    out
}

/// What a universe worker counts.
#[must_use]
pub fn universe_metrics(stand: &UniverseStand) -> String {
    let mut out = String::new();
    broker(&mut out, stand.broker.now().is_ok());
    let (token, reach) = (stand.token(), stand.reach());
    // An hour is made once its last minute is stored by all.
    let hour = reach.and_then(|r| r.complete).map(|minute| minute.floor(Span::hours(1)).0 / 1_000_000_000);
    for (name, help, value) in [
        (
            "universe_held",
            "Whether this worker makes hours and the ledger.",
            Some(u8::from(token.is_some()).to_string()),
        ),
        ("universe_token", "Fencing token of the tenure.", token.map(|t| t.to_string())),
        (
            "watermark_timestamp_seconds",
            "End of the newest hour that every group has stored.",
            hour.map(|at| at.to_string()),
        ),
        (
            "made_timestamp_seconds",
            "Minute up to which this worker has made and stored hours and the ledger.",
            stand.made().map(|at| (at.0 / 1_000_000_000).to_string()),
        ),
        (
            "groups_behind",
            "Groups without the newest minute that another has stored.",
            reach.map(|r| r.behind.to_string()),
        ),
    ] {
        family(&mut out, &format!("barograph_cluster_{name}"), "gauge", help, value);
    }
    out
}

fn broker(out: &mut String, answers: bool) {
    let value = Some(u8::from(answers).to_string());
    family(out, "barograph_cluster_broker_answers", "gauge", "Whether the broker answered when last asked.", value);
}

/// The head of a metric, and its value where it has one without labels.
fn family(out: &mut String, name: &str, kind: &str, help: &str, value: Option<String>) {
    push(out, format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    if let Some(value) = value {
        push(out, format_args!("{name} {value}\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::GroupsReach;
    use barograph_cluster::Stage;

    #[test]
    fn a_tenure_is_shown_while_a_group_is_held_and_counts_always_are() {
        let (now, stand) = (Ts::from_secs(1_000), EngineStand::new(2));
        let fresh = engine_metrics(&stand, now);
        assert!(fresh.contains("barograph_cluster_group_held{group=\"1\"} 0\n"), "{fresh}");
        assert!(!fresh.contains("barograph_cluster_group_token{"), "{fresh}");
        let tally = GroupTally { parcels: 7, repeated: 2, takeovers: 1, ..GroupTally::default() };
        let held = GroupStand {
            stage: Stage::Following,
            token: Some(1_700_000_000_123),
            stored: Some(now - Span::millis(1_500)),
            checkpoint: Some(now - Span::secs(60)),
            tally,
            ..GroupStand::watched(1)
        };
        stand.broker.answered(Ok(()));
        stand.comes_round(vec![GroupStand::watched(0), held], true);
        let text = engine_metrics(&stand, now);
        for line in [
            "barograph_cluster_broker_answers 1",
            "barograph_cluster_groups_held 1",
            "barograph_cluster_group_held{group=\"0\"} 0",
            "barograph_cluster_group_held{group=\"1\"} 1",
            "barograph_cluster_group_token{group=\"1\"} 1700000000123",
            "barograph_cluster_group_stored_age_seconds{group=\"1\"} 1.5",
            "barograph_cluster_group_checkpoint_age_seconds{group=\"1\"} 60",
            "barograph_cluster_parcels_total{group=\"0\"} 0",
            "barograph_cluster_parcels_total{group=\"1\"} 7",
            "barograph_cluster_parcels_repeated_total{group=\"1\"} 2",
            "barograph_cluster_takeovers_total{group=\"1\"} 1",
        ] {
            assert_eq!(text.lines().filter(|l| *l == line).count(), 1, "{line}\n{text}");
        }
        for head in text.lines().filter_map(|l| l.strip_prefix("# TYPE ")) {
            let (name, kind) = head.split_once(' ').unwrap();
            assert_eq!(kind == "counter", name.ends_with("_total"), "{head}");
        }
    }

    #[test]
    fn hours_are_complete_up_to_the_last_whole_one() {
        let stand = UniverseStand::default();
        let waiting = universe_metrics(&stand);
        assert!(waiting.contains("barograph_cluster_universe_held 0\n"), "{waiting}");
        assert!(!waiting.contains("\nbarograph_cluster_watermark_timestamp_seconds "), "{waiting}");
        stand.holds(Some(9));
        stand.reads(Some(GroupsReach { complete: Some(Ts::from_secs(7_260)), behind: 2 }));
        stand.has_made(Ts::from_secs(7_200));
        let text = universe_metrics(&stand);
        for line in [
            "barograph_cluster_universe_held 1",
            "barograph_cluster_universe_token 9",
            "barograph_cluster_watermark_timestamp_seconds 7200",
            "barograph_cluster_made_timestamp_seconds 7200",
            "barograph_cluster_groups_behind 2",
        ] {
            assert_eq!(text.lines().filter(|l| *l == line).count(), 1, "{line}\n{text}");
        }
    }
}
