"""Every overlay, as kubectl's own kustomize renders it: valid for six releases of Kubernetes, strictly, and locked as far as can be."""

import pathlib
import shutil
import subprocess
import sys
import tomllib

import kubernetes_validate
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
RELEASES = ["1.32", "1.33", "1.34", "1.35", "1.36", "1.37"]
OVERLAYS = ["single", "postgres", "robson", "cluster"]
# What the original's manifests are named, run and scheduled (docs/spec/requirements.md, R1.60 to R1.62).
JOBS = {"collect-derivatives-metrics": ("*/1 * * * *", "collect_derivatives_metrics"), "generate-market-context": ("*/5 * * * *", "generate_market_context")}

# A cluster's parts: role, kind, how many, and whom each may reach besides DNS and the public internet (docs/cluster.md).
PARTS = {
    "ingest": ("StatefulSet", 1, {4222}),
    "engine": ("Deployment", 3, {4222, 5432}),
    "universe": ("Deployment", 1, {4222, 5432}),
    "serve": ("Deployment", 2, {5432}),
}


def rendered(overlay: str) -> list[dict]:
    kubectl = pathlib.Path(sys.executable).with_name("kubectl")
    command = [str(kubectl if kubectl.exists() else shutil.which("kubectl")), "kustomize", str(ROOT / "deploy/kubernetes/overlays" / overlay)]
    return [one for one in yaml.safe_load_all(subprocess.check_output(command, text=True)) if one]


def pod(thing: dict) -> dict | None:
    if thing["kind"] == "CronJob":
        return thing["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return thing["spec"].get("template", {}).get("spec") if thing["kind"] in ("StatefulSet", "Deployment") else None


def locked(spec: dict, where: str) -> None:
    assert spec["securityContext"]["runAsNonRoot"] and spec["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault", where
    assert spec["automountServiceAccountToken"] is False, where
    for one in spec["containers"]:
        context = one["securityContext"]
        assert context["readOnlyRootFilesystem"] and not context["allowPrivilegeEscalation"], (where, one["name"])
        assert context["capabilities"] == {"drop": ["ALL"]} and "memory" in one["resources"]["limits"], (where, one["name"])
        assert one["image"].startswith("registry.example/barograph:"), (where, one["image"])
        if one.get("ports"):
            assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(one), (where, "a probe is missing")


def named(things: list[dict], space: str) -> None:
    """Whoever answers behind a Service knows the names that a cluster gives it; without that, every request gets 421."""
    settings = {thing["metadata"]["name"]: tomllib.loads(thing["data"]["barograph.toml"]) for thing in things if thing["kind"] == "ConfigMap"}
    for service in [thing for thing in things if thing["kind"] == "Service" and thing["spec"].get("clusterIP") != "None"]:
        chosen = service["spec"]["selector"].items()
        behind = [thing for thing in things if pod(thing) and chosen <= thing["spec"].get("template", thing)["metadata"]["labels"].items()]
        assert len(behind) == 1, (service["metadata"]["name"], [thing["metadata"]["name"] for thing in behind])
        spec = pod(behind[0])
        env = [(one["name"], one.get("value")) for one in spec["containers"][0].get("env", [])]
        told = dict(env).get("BAROGRAPH_HOST_NAMES")
        if told:
            # What is put in has to stand before it.
            assert env.index(("POD_NAMESPACE", None)) < env.index(("BAROGRAPH_HOST_NAMES", told)), env
        else:
            told = next(settings[volume["configMap"]["name"]] for volume in spec["volumes"] if "configMap" in volume)["host_names"]
        name = service["metadata"]["name"]
        wanted = [name, f"{name}.{space}", f"{name}.{space}.svc", f"{name}.{space}.svc.cluster.local"]
        assert told.replace("$(POD_NAMESPACE)", space).split(",") == wanted, (name, told, wanted)


def mounted(spec: dict, where: str) -> None:
    """A file of settings that is named is there, and all containers of a pod read the same one."""
    asked = {one["args"][one["args"].index("--config") + 1] if "--config" in one["args"] else None for one in spec["containers"]}
    assert len(asked) == 1, (where, asked)
    for one in spec["containers"]:
        for file in filter(None, asked):
            assert str(pathlib.PurePosixPath(file).parent) in {mount["mountPath"] for mount in one["volumeMounts"]}, (where, one["name"], file)


def quiet(spec: dict, where: str) -> None:
    """What is secret comes from a secret."""
    for one in spec["containers"]:
        for entry in one.get("env", []):
            if entry["name"].endswith(("_URL", "_SECRET", "_KEY_ID")):
                assert "secretKeyRef" in entry.get("valueFrom", {}), (where, entry["name"])


def parts(things: list[dict]) -> None:
    """A cluster has every part once, each with a budget and with a policy that lets it reach no more than it needs."""
    def chosen(kind: str, where: list[str], labels: dict) -> list[dict]:
        def selector(thing: dict) -> dict:
            found = thing["spec"]
            for key in where:
                found = found[key]
            return found["matchLabels"]

        return [thing for thing in things if thing["kind"] == kind and selector(thing).items() <= labels.items()]

    found = {}
    for thing in things:
        if not (spec := pod(thing)):
            continue
        args, labels = spec["containers"][0]["args"], thing["spec"]["template"]["metadata"]["labels"]
        role = args[args.index("--role") + 1] if "--role" in args else args[0]
        policies, budgets = chosen("NetworkPolicy", ["podSelector"], labels), chosen("PodDisruptionBudget", ["selector"], labels)
        assert len(policies) == 1 and len(budgets) == 1, (role, len(policies), len(budgets))
        egress = policies[0]["spec"]["egress"]
        # Ports without an address are open inside the network as well.
        inside = {port["port"] for rule in egress if "to" not in rule for port in rule["ports"]} - {53, 5353}
        found[role] = (thing["kind"], thing["spec"]["replicas"], inside)
        for rule in egress:
            for to in rule.get("to", []):
                assert to["ipBlock"].get("except"), (role, "private networks are reached by a rule of their own")
    assert found == PARTS, found


def check(binary: str) -> None:
    seen = set()
    for overlay in OVERLAYS:
        things = rendered(overlay)
        for release in RELEASES:
            for thing in things:
                kubernetes_validate.validate(thing, release, strict=True)
        space = next(thing["metadata"]["name"] for thing in things if thing["kind"] == "Namespace")
        kinds = [thing["kind"] for thing in things]
        named(things, space)
        if overlay == "cluster":
            parts(things)
        assert "NetworkPolicy" in kinds and space == ("robson" if overlay == "robson" else "barograph")
        for thing in things:
            name = thing["metadata"]["name"]
            assert thing["kind"] == "Namespace" or thing["metadata"]["namespace"] == space, (overlay, name)
            spec = pod(thing)
            if not spec:
                continue
            locked(spec, f"{overlay}: {name}")
            mounted(spec, f"{overlay}: {name}")
            quiet(spec, f"{overlay}: {name}")
            for one in spec["containers"]:
                # Everything that is run is a command that the program has, with flags that it has.
                command = [binary, *one["args"], "--help"]
                done = subprocess.run(command, capture_output=True, text=True)
                assert done.returncode == 0, (overlay, one["args"], done.stderr)
                seen.add((thing["kind"], one["name"]))
            if thing["kind"] == "CronJob":
                schedule, word = JOBS[name]
                assert thing["spec"]["schedule"] == schedule and spec["containers"][0]["args"][0] == word, name
                assert thing["spec"]["concurrencyPolicy"] == "Forbid", name
    assert {("CronJob", name) for name in JOBS} <= seen, seen
    assert {("StatefulSet", "freshness-monitor"), ("Deployment", "freshness-monitor"), ("Deployment", "barograph")} <= seen, seen
    print(f"Kubernetes: {len(OVERLAYS)} overlays valid for {RELEASES[0]} to {RELEASES[-1]}, strictly")
