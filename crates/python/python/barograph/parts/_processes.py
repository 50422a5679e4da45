"""Partitions on plain processes of this machine: each worker has one partition in hand, so that a worker that dies names it."""

from __future__ import annotations

import json
import os
import pathlib
import queue
import signal
import subprocess
import sys
import threading
from typing import Dict, Iterator, List, Optional, Sequence

from ._partition import Partition
from ._tasks import Outcome, lost


class _Worker:
    """A child in a process group of its own, so that what it has started ends with it."""

    def __init__(self) -> None:
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(p or os.getcwd() for p in sys.path)}
        self._child = subprocess.Popen(
            [sys.executable, "-m", "barograph.parts._worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=env,
            start_new_session=True,
        )

    def do(self, part: Partition, out: pathlib.Path, program: str) -> Optional[Dict[str, str]]:
        """The answer; None where the worker died over it."""
        to, answers = self._child.stdin, self._child.stdout
        assert to is not None and answers is not None
        try:
            to.write(json.dumps({"part": part.record(), "out": str(out), "program": program}) + "\n")
            to.flush()
            line = answers.readline()
        except (OSError, ValueError):
            return None
        if not line.endswith("\n"):
            return None
        answer: Dict[str, str] = json.loads(line)
        return answer

    def end(self) -> int:
        """Ends it and whatever it has started; how it ended."""
        if hasattr(os, "killpg"):
            try:
                os.killpg(self._child.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                # Nothing of the group is left.
                pass
        else:
            self._child.kill()
        code = self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    # What was still to be written has no reader.
                    pass
        return code


def on_processes(parts: Sequence[Partition], out: pathlib.Path, program: str, workers: int) -> Iterator[Outcome]:
    """Outcomes as they come, of any order."""
    waiting: "queue.Queue[Partition]" = queue.Queue()
    outcomes: "queue.Queue[Outcome]" = queue.Queue()
    for part in parts:
        waiting.put(part)
    living: List[_Worker] = []
    lock, stopped = threading.Lock(), threading.Event()

    def begun() -> _Worker:
        with lock:
            if stopped.is_set():
                raise RuntimeError("stopped")
            living.append(_Worker())
            return living[-1]

    def ended(worker: _Worker) -> int:
        with lock:
            if worker in living:
                living.remove(worker)
        return worker.end()

    def loop() -> None:
        worker: Optional[_Worker] = None
        while not stopped.is_set():
            try:
                part = waiting.get_nowait()
            except queue.Empty:
                break
            ends: List[str] = []
            outcome = None
            while outcome is None and len(ends) < 2 and not stopped.is_set():
                try:
                    worker = worker or begun()
                except (OSError, RuntimeError) as e:
                    outcome = Outcome(part, error=f"no worker can be started: {e}")
                    break
                answer = worker.do(part, out, program)
                if answer is None:
                    ends.append(_ending(ended(worker)))
                    worker = None
                else:
                    outcome = Outcome(part, digest=answer.get("digest"), error=answer.get("error"))
            outcomes.put(outcome or Outcome(part, error=lost(ends)))
        if worker is not None:
            ended(worker)

    threads = [threading.Thread(target=loop, daemon=True) for _ in range(min(workers, len(parts)))]
    try:
        for thread in threads:
            thread.start()
        for _ in parts:
            yield outcomes.get()
    finally:
        stopped.set()
        with lock:
            left = list(living)
        for worker in left:
            worker.end()
        for thread in threads:
            thread.join()


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
