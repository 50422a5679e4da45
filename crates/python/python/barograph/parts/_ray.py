"""Partitions as tasks of a Ray cluster. Ray is imported when it is asked for, and never otherwise."""

from __future__ import annotations

import importlib
import json
import os
import pathlib
import sys
from typing import Any, Dict, Iterator, Optional, Sequence, Tuple

from ._kept import Files
from ._partition import Partition, PartsError, digest_of_file
from ._tasks import Outcome, lost
from ._work import do, do_as_bytes

# Ray's smallest is 75 MiB; inputs that travel are added.
_STORE_BYTES = 100 << 20
# Once more after a worker was lost, as on plain processes. What a task itself finds wrong is an answer and is not tried again.
_RETRIES = 1

# Of a cluster that is begun for one run: it listens on loopback, as Ray does by itself elsewhere than on Linux, and its workers have the
# priority of the run, as plain processes have; Ray's own is the lowest but four.
_OWN = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_worker_niceness": "0"}

_Answer = Tuple[Optional[str], Optional[Files], Optional[str]]


def ray_module(is_own: bool) -> Any:
    """Ray, which reports its use to nobody; an error that names what to install where it is missing."""
    # These are read when Ray is imported or starts a cluster.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if is_own and "ray" not in sys.modules:
        for name, value in _OWN.items():
            os.environ.setdefault(name, value)
    try:
        return importlib.import_module("ray")
    except ImportError as e:
        raise PartsError(f"on='ray' needs Ray ({e}); run: pip install 'barograph[ray]', or: pip install ray") from None


def on_ray(
    parts: Sequence[Partition], out: pathlib.Path, program: str, workers: Optional[int], inputs: str, address: Optional[str]
) -> Iterator[Outcome]:
    """Outcomes as they come, of any order."""
    ray = ray_module(address is None)
    travelling = inputs == "bytes"
    is_own = not ray.is_initialized()
    if is_own:
        _begin(ray, workers, address, sum(one.size for part in parts for one in part.inputs) if travelling else 0)
    try:
        window = workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
        task = ray.remote(num_cpus=1, max_retries=_RETRIES, retry_exceptions=False)(_task)
        contents: Dict[str, Any] = {}
        under_way: Dict[Any, Partition] = {}
        waiting = list(reversed(parts))
        places = [os.path.abspath(place) for place in sys.path]
        while waiting or under_way:
            while waiting and len(under_way) < window:
                part = waiting.pop()
                try:
                    sent = _sent(ray, part, contents) if travelling else []
                except PartsError as e:
                    yield Outcome(part, error=str(e))
                    continue
                words = (json.dumps(part.record()), None if travelling else str(out), program, [i.sha256 for i in part.inputs], places)
                under_way[task.remote(*words, *sent)] = part
            if not under_way:
                continue
            ready, _ = ray.wait(list(under_way), num_returns=1)
            for reference in ready:
                yield _outcome(ray, reference, under_way.pop(reference))
    finally:
        if is_own:
            ray.shutdown()


def _begin(ray: Any, workers: Optional[int], address: Optional[str], travelling: int) -> None:
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    if address is not None:
        ray.init(address=address, **quiet)
        return
    # A cluster of this run alone, on loopback.
    ray.init(
        address="local",
        num_cpus=workers,
        include_dashboard=False,
        object_store_memory=_STORE_BYTES + travelling,
        **quiet,
    )


def _sent(ray: Any, part: Partition, contents: Dict[str, Any]) -> "list[Any]":
    """References to the bytes of a partition's inputs, each put into the object store once."""
    for one in part.inputs:
        if one.sha256 in contents:
            continue
        path = pathlib.Path(one.path)
        if not path.is_file() or digest_of_file(path)[0] != one.sha256:
            raise PartsError(f"{path} is not the file that was planned with: plan again")
        contents[one.sha256] = ray.put(path.read_bytes())
    return [contents[one.sha256] for one in part.inputs]


def _task(record: str, out: Optional[str], program: str, digests: Sequence[str], places: Sequence[str], *contents: bytes) -> _Answer:
    """What runs on a node."""
    # Functions of one's own are found where the planner finds them, on nodes that have these folders.
    sys.path.extend(place for place in places if place not in sys.path)
    try:
        part = Partition.of(json.loads(record))
        if out is not None:
            return do(part, pathlib.Path(out), program), None, None
        digest, files = do_as_bytes(part, program, dict(zip(digests, contents)))
        return digest, files, None
    except Exception as e:
        return None, None, f"{type(e).__name__}: {e}"


def _outcome(ray: Any, reference: Any, part: Partition) -> Outcome:
    try:
        digest, files, error = ray.get(reference)
    except ray.exceptions.WorkerCrashedError as e:
        return Outcome(part, error=lost([str(e).splitlines()[0]]))
    except ray.exceptions.RayError as e:
        return Outcome(part, error=f"{type(e).__name__}: {e}")
    return Outcome(part, digest, files, error)
