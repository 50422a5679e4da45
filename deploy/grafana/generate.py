#!/usr/bin/env python3
"""Dashboards out of the list of metrics: generate.py [--check] writes dashboards/*.json, generate.py --registry FILE takes up a /metrics text.

registry.json has every metric that a live process or a worker of a cluster shows, with type, labels and help. A metric's type decides its picture: counters are
drawn as rates, histograms as quantiles, gauges as they are, and moments as seconds since or until. BOARDS says where each stands; one that
stands nowhere is an error.
"""

import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
BOARDS = {
    "barograph-overview": ("Barograph: overview", {
        "Is the weather fresh?": ["barograph_snapshot_age_seconds", "barograph_feed_streams", "barograph_rows_published_total"],
        "Does it keep up?": ["barograph_receipt_to_engine_seconds", "barograph_minute_to_readable_seconds", "barograph_minute_features_seconds", "barograph_step_seconds",
                             "barograph_inbox_messages", "barograph_store_queue_batches"],
        "Release": ["barograph_build_info"],
    }),
    "barograph-feeds": ("Barograph: venues and connections", {
        "What comes in": ["barograph_feed_messages_total", "barograph_feed_bytes_total", "barograph_feed_wire_bytes_total", "barograph_feed_facts_total",
                          "barograph_feed_lag_seconds", "barograph_feed_lag_recent_seconds"],
        "What is lost": ["barograph_feed_faults_total", "barograph_feed_reconnects_total", "barograph_feed_connect_failures_total",
                         "barograph_feed_refusals_total", "barograph_feed_budget_left", "barograph_feed_connections", "barograph_stream_live"],
        "Each connection": ["barograph_link_open", "barograph_link_streams", "barograph_link_frames_total", "barograph_link_bytes_total",
                            "barograph_link_openings_total", "barograph_link_losses_total", "barograph_link_compressed",
                            "barograph_link_last_frame_timestamp_seconds", "barograph_link_replaced_at_timestamp_seconds"],
    }),
    "barograph-storage": ("Barograph: journal and store", {
        "Journal": ["barograph_journal_raw_bytes_total", "barograph_journal_bytes_total", "barograph_journal_queue_bytes", "barograph_journal_files"],
        "Store": ["barograph_store_seconds", "barograph_retention_failures_total"],
        "Mirror": ["barograph_mirror_connected", "barograph_mirror_connections_total", "barograph_mirror_failures_total", "barograph_mirror_keys_total"],
    }),
    "barograph-answers": ("Barograph: HTTP and deliveries", {
        "HTTP": ["barograph_http_requests_total", "barograph_http_request_duration_seconds", "barograph_http_connections",
                 "barograph_http_connections_refused_total", "barograph_http_stream_clients", "barograph_http_stream_dropped_total",
                 "barograph_http_incidents_total"],
        "Deliveries": ["barograph_deliveries_total", "barograph_delivery_queue", "barograph_delivery_in_flight", "barograph_delivery_unwritten",
                       "barograph_delivery_seconds", "barograph_delivery_age_seconds", "barograph_delivery_store_failures_total",
                       "barograph_delivery_overflows_total", "barograph_endpoint_disabled"],
    }),
    "barograph-cluster": ("Barograph: cluster", {
        "Who has what": ["barograph_cluster_groups_held", "barograph_cluster_group_held", "barograph_cluster_group_token",
                         "barograph_cluster_takeovers_total", "barograph_cluster_universe_held", "barograph_cluster_universe_token"],
        "How far it is": ["barograph_cluster_group_stored_age_seconds", "barograph_cluster_group_checkpoint_age_seconds",
                          "barograph_cluster_watermark_timestamp_seconds", "barograph_cluster_made_timestamp_seconds",
                          "barograph_cluster_groups_behind"],
        "How inputs come": ["barograph_cluster_broker_answers", "barograph_cluster_parcels_total", "barograph_cluster_parcels_repeated_total",
                            "barograph_cluster_ranges_fetched_total"],
        "Is it the same again?": ["barograph_cluster_minutes_compared_total", "barograph_cluster_minutes_different_total"],
    }),
}
# Where more lines than a person can tell apart would come, the worst are drawn.
MOST = 12
# Where the name says something else than the picture.
TITLES = {
    "barograph_stream_live": "Streams that are not live",
    "barograph_link_last_frame_timestamp_seconds": "Age of the newest message of a link",
    "barograph_link_replaced_at_timestamp_seconds": "Time until a link is replaced",
    "barograph_cluster_group_held": "Groups that nobody holds",
    "barograph_cluster_watermark_timestamp_seconds": "Age of the newest hour that every group has stored",
    "barograph_cluster_made_timestamp_seconds": "Age of the newest minute with hours and ledger",
}
# Where little is bad: the lowest are drawn.
LOW = {"barograph_feed_budget_left", "barograph_link_open"}
# Moments: the one that is past is drawn as its age, the one that comes as what is left. Clocks differ, so both may be below zero.
MOMENTS = {
    "barograph_link_last_frame_timestamp_seconds": ("topk", "time() - min by ({by}) ({of})"),
    "barograph_link_replaced_at_timestamp_seconds": ("bottomk", "min by ({by}) ({of}) - time()"),
    "barograph_cluster_watermark_timestamp_seconds": ("topk", "time() - min by ({by}) ({of})"),
    "barograph_cluster_made_timestamp_seconds": ("topk", "time() - min by ({by}) ({of})"),
}
# Labels of what a healthy process has no sample of.
RARE = {"barograph_feed_faults_total": {"reason", "venue"}}
# The same of what a worker shows of a group while it holds it.
RARE |= {f"barograph_cluster_group_{what}": {"group"} for what in ["token", "stored_age_seconds", "checkpoint_age_seconds"]}
SOURCE = {"type": "prometheus", "uid": "${source}"}


def registry_of(text: str) -> dict:
    """Metrics of an exposition: name to type, help and labels."""
    found: dict[str, dict] = {}
    for line in text.splitlines():
        if head := re.match(r"# (HELP|TYPE) (\S+) (.*)", line):
            found.setdefault(head[2], {"help": "", "labels": [], "type": ""})[head[1].lower()] = head[3]
        elif sample := re.match(r"([a-z_]+)\{(.*)\} ", line):
            name = sample[1]
            while name not in found and "_" in name:
                name = name.rpartition("_")[0]
            labels = set(re.findall(r'(\w+)="', sample[2])) - {"le"}
            found[name]["labels"] = sorted(labels | set(found[name]["labels"]))
    for name, labels in RARE.items():
        found[name]["labels"] = sorted(labels | set(found[name]["labels"]))
    return dict(sorted(found.items()))


def unit(name: str, kind: str) -> str:
    if "bytes" in name:
        return "Bps" if kind == "counter" else "bytes"
    if name.endswith("_seconds"):
        return "s"
    return "cps" if kind == "counter" else "short"


def queries(name: str, metric: dict) -> list[tuple[str, str]]:
    """Expressions, each with the legend of its lines."""
    labels = [label for label in metric["labels"]]
    chosen = '{job=~"$job", instance=~"$instance"}'
    by = ", ".join(labels)
    legend = " ".join(f"{{{{{label}}}}}" for label in labels)
    if metric["type"] == "counter":
        inner = f"sum by ({by or 'instance'}) (rate({name}{chosen}[$__rate_interval]))"
        return [(f"topk({MOST}, {inner})" if labels else inner, legend or "{{instance}}")]
    if metric["type"] == "histogram":
        sums = ", ".join(["le", *[label for label in labels if label != "route"]])
        whose = " ".join(f"{{{{{label}}}}}" for label in labels if label != "route")
        rates = f"sum by ({sums}) (rate({name}_bucket{chosen}[$__rate_interval]))"
        return [(f"histogram_quantile({share}, {rates})", f"p{int(share * 100)} {whose}".strip()) for share in [0.5, 0.95, 0.99]]
    if name == "barograph_stream_live":
        return [(f"topk({MOST}, 1 - min by ({by}) ({name}{chosen}) > 0)", legend)]
    if name == "barograph_cluster_group_held":
        return [(f"topk({MOST}, 1 - max by ({by}) ({name}{chosen}) > 0)", legend)]
    if name in MOMENTS:
        worst, expr = MOMENTS[name]
        return [(f"{worst}({MOST}, {expr.format(by=by or 'instance', of=name + chosen)})", legend or "{{instance}}")]
    if not labels:
        return [(f"{name}{chosen}", "{{instance}}")]
    worst, of_each = ("bottomk", "min") if name in LOW else ("topk", "max")
    return [(f"{worst}({MOST}, {of_each} by ({by}) ({name}{chosen}))", legend)]


def panel(number: int, name: str, metric: dict, place: dict) -> dict:
    title = name.removeprefix("barograph_").removesuffix("_total").replace("_", " ")
    letters = "ABC"
    return {
        "id": number,
        "type": "timeseries",
        "title": TITLES.get(name, title[0].upper() + title[1:]),
        "description": metric["help"],
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {
            "defaults": {"unit": unit(name, metric["type"]), **({} if name in MOMENTS else {"min": 0}), "custom": {"fillOpacity": 8, "lineWidth": 1, "showPoints": "never"}},
            "overrides": [],
        },
        "options": {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True}, "tooltip": {"mode": "multi", "sort": "desc"}},
        "targets": [
            {"refId": letters[at], "datasource": SOURCE, "expr": expr, "legendFormat": legend, "range": True}
            for at, (expr, legend) in enumerate(queries(name, metric))
        ],
    }


def variable(name: str, label: str, query: str) -> dict:
    return {"name": name, "label": label, "type": "query", "datasource": SOURCE, "query": query, "refresh": 2, "includeAll": True, "multi": True,
            "allValue": ".*", "current": {"text": "All", "value": "$__all"}, "sort": 1}


def board(uid: str, registry: dict) -> dict:
    title, rows = BOARDS[uid]
    panels, y, number = [], 0, 0
    for row, names in rows.items():
        number += 1
        panels.append({"id": number, "type": "row", "title": row, "collapsed": False, "gridPos": {"h": 1, "w": 24, "x": 0, "y": y}, "panels": []})
        y += 1
        for at, name in enumerate(names):
            number += 1
            panels.append(panel(number, name, registry[name], {"h": 8, "w": 8, "x": at % 3 * 8, "y": y + at // 3 * 8}))
        y += (len(names) + 2) // 3 * 8
    source = {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus", "refresh": 1}
    some = "barograph_build_info"
    variables = [source, variable("job", "Job", f"label_values({some}, job)"), variable("instance", "Process", f'label_values({some}{{job=~"$job"}}, instance)')]
    return {
        "uid": uid, "title": title, "tags": ["barograph"], "editable": True, "graphTooltip": 1, "refresh": "30s", "schemaVersion": 39, "version": 1,
        "time": {"from": "now-6h", "to": "now"}, "timezone": "utc", "templating": {"list": variables}, "annotations": {"list": []}, "panels": panels,
        "links": [{"type": "dashboards", "title": "Barograph", "tags": ["barograph"], "asDropdown": True, "includeVars": True, "keepTime": True,
                   "icon": "external link", "targetBlank": False, "tooltip": "", "url": ""}],
    }


def lines(value: dict) -> str:
    """JSON with a line for each key, and for each entry of what has several: a change of one panel is a change of one line."""
    parts = []
    for key, part in value.items():
        text = json.dumps(part)
        if isinstance(part, list) and len(part) > 1:
            text = "[\n  " + ",\n  ".join(json.dumps(entry) for entry in part) + "\n ]"
        parts.append(f" {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main() -> None:
    registry_file = HERE / "registry.json"
    if sys.argv[1:2] == ["--registry"]:
        known = json.loads(registry_file.read_text())
        registry = registry_of(pathlib.Path(sys.argv[2]).read_text())
        # What has no value yet shows no labels.
        for name, metric in registry.items():
            metric["labels"] = metric["labels"] or known.get(name, metric)["labels"]
        registry_file.write_text(lines(registry))
    registry = json.loads(registry_file.read_text())
    placed = [name for _, rows in BOARDS.values() for names in rows.values() for name in names]
    if wrong := sorted(set(placed) ^ set(registry)) or len(placed) != len(set(placed)):
        raise SystemExit(f"each metric stands on one board, and only metrics do; not so: {wrong}")
    for uid in BOARDS:
        file, text = HERE / "dashboards" / f"{uid}.json", lines(board(uid, registry))
        if "--check" in sys.argv and (not file.exists() or file.read_text() != text):
            raise SystemExit(f"{file} is not what the list of metrics says; run: make dashboards")
        file.write_text(text)
    print(f"{len(BOARDS)} dashboards, {len(placed)} metrics")


if __name__ == "__main__":
    main()
