"""``python -m barograph.parts``: plans, and runs of them, without a line of Python."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any, Dict, List, Optional, Sequence

from .._native import FrameError
from ._partition import Partition, PartsError
from ._plan import Stretch, dataset, days, kpi, labels, months, read_plan, studies, whatif, write_plan
from ._run import PLACES, PartsFailed, Result, Run, run


def main(words: Optional[Sequence[str]] = None) -> int:
    """0: all made; 1: some could not be; 2: the question cannot be meant; 130: stopped by Ctrl-C, what was made is kept."""
    given = _parser().parse_args(words)
    try:
        if given.command == "plan":
            write_plan(given.made(given), given.out)
            return 0
        return _run(given)
    except KeyboardInterrupt:
        print("stopped; the same command goes on", file=sys.stderr)
        return 130
    except PartsFailed as e:
        print(f"error: {e}", file=sys.stderr)
        _print(e.run, given.json)
        return 1
    except PartsError as e:
        print(f"error: {e}", file=sys.stderr)
        return 1
    except (FrameError, OSError) as e:
        print(f"error: {e}", file=sys.stderr)
        return 2


def _run(given: argparse.Namespace) -> int:
    plan = read_plan(given.plan)
    done = 0

    def watch(result: Result) -> None:
        nonlocal done
        done += 1
        how = result.error or ("there already" if result.was_there else "made")
        print(f"{done}/{len(plan)} {result.partition.name}: {how}", file=sys.stderr)

    made = run(
        plan,
        given.out,
        on=given.on,
        workers=given.workers,
        program=given.program,
        inputs=given.inputs,
        address=given.address,
        watch=watch,
    )
    _print(made, given.json)
    return 0


def _print(made: Run, as_json: bool) -> None:
    if as_json:
        results = [
            {"partition": r.partition.name, "digest": r.digest, "folder": str(r.folder), "was_there": r.was_there, "error": r.error}
            for r in made.results
        ]
        print(json.dumps({"digest": made.digest, "partitions": results}, indent=1))
        return
    for result in made.results:
        print(f"{result.digest or 'missing':<64}  {result.partition.name}")
    print(f"{made.digest or 'missing':<64}  all {len(made.results)}")


def _dataset(given: argparse.Namespace) -> List[Partition]:
    return dataset({given.market: given.files or []}, tick=given.tick, contract_size=given.contract_size)


def _labels(given: argparse.Namespace) -> List[Partition]:
    return labels(given.lake, given.market, given.target, every=given.every)


def _studies(given: argparse.Namespace) -> List[Partition]:
    settings = {name: getattr(given, name) for name in ("folds", "embargo", "rows_min", "preset", "seed", "models", "weights")}
    return studies(given.lake, given.market, given.target, **{k: v for k, v in settings.items() if v is not None})


def _kpi(given: argparse.Namespace) -> List[Partition]:
    return kpi(given.history, _stretches(given), _grid(given.options), program=given.program, markets=given.market)


def _whatif(given: argparse.Namespace) -> List[Partition]:
    changes = [words.split(",") if words else [] for words in given.set or [""]]
    return whatif(given.data, given.market, _stretches(given), changes, program=given.program, book=given.book, base=given.base)


def _grid(options: Optional[Sequence[str]]) -> List[Dict[str, Any]]:
    """``horizon=24h,strategy=all`` as options of the command."""
    found = []
    for entry in options or [""]:
        pairs = [word.partition("=") for word in entry.split(",") if word]
        if any(not equals for _, equals, _ in pairs):
            raise FrameError(f"'{entry}': write options as in horizon=24h,strategy=volume_vwap")
        found.append({name: value for name, _, value in pairs})
    return found


def _stretches(given: argparse.Namespace) -> List[Stretch]:
    if given.days:
        return days(*given.days)
    return months(*given.months)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m barograph.parts", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    runs = commands.add_parser("run", help="make what is missing of a plan; prints a digest for each partition and one for all")
    runs.add_argument("plan", help="file that plan has written")
    runs.add_argument("--out", required=True, help="folder of the results")
    runs.add_argument("--on", choices=PLACES, default="processes")
    runs.add_argument("--workers", type=int, help="partitions at a time; without it one for each processor")
    runs.add_argument("--address", help="of a Ray cluster: auto, or host:port; without it one begins and ends with the run")
    runs.add_argument("--inputs", choices=("paths", "bytes"), default="paths", help="on Ray: shared paths, or through its object store")
    runs.add_argument("--program", default="barograph", help="the program that kpi and whatif ask, on every node")
    runs.add_argument("--json", action="store_true")

    kinds = commands.add_parser("plan", help="write a plan").add_subparsers(dest="kind", required=True)

    def kind(name: str, made: Any, about: str) -> argparse.ArgumentParser:
        parser = kinds.add_parser(name, help=about)
        parser.add_argument("--out", required=True, help="file of the plan")
        parser.set_defaults(made=made)
        return parser

    one = kind("dataset", _dataset, "the 197 columns of recordings, a lake for each group")
    one.add_argument("--market", required=True)
    one.add_argument("--files", action="append", nargs="+", required=True, help="files of one run; may be repeated")
    one.add_argument("--tick", type=float)
    one.add_argument("--contract-size", type=float)

    one = kind("labels", _labels, "labels of targets, by market and time")
    _of_lake(one)
    one.add_argument("--every", choices=("hour", "day", "month"), default="day")

    one = kind("studies", _studies, "the lab's own models, by market and target")
    _of_lake(one)
    for name, form in (("folds", int), ("embargo", str), ("rows-min", int), ("preset", str), ("seed", int), ("weights", str)):
        one.add_argument(f"--{name}", type=form)
    one.add_argument("--model", dest="models", action="append")

    one = kind("kpi", _kpi, "what context was worth to strategies, by market and time")
    one.add_argument("--history", required=True, help="folder with a folder venue/symbol for each market")
    one.add_argument("--market", action="append")
    one.add_argument("--options", action="append", metavar="NAME=VALUE,…", help="of barograph kpi, as in horizon=24h; may be repeated")
    _of_time(one)

    one = kind("whatif", _whatif, "changed rule books, by market and time")
    one.add_argument("--data", required=True)
    one.add_argument("--market", action="append", required=True)
    one.add_argument("--set", action="append", metavar="RULE.FEATURE=NUMBER,…", help="thresholds changed together; may be repeated")
    one.add_argument("--book")
    one.add_argument("--base")
    _of_time(one)
    return parser


def _of_lake(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lake", required=True)
    parser.add_argument("--market", action="append", required=True)
    parser.add_argument("--target", action="append", required=True)


def _of_time(parser: argparse.ArgumentParser) -> None:
    span = parser.add_mutually_exclusive_group(required=True)
    span.add_argument("--months", nargs=2, metavar=("FIRST", "LAST"), help="as in 2026-01 2026-03, both included")
    span.add_argument("--days", nargs=2, metavar=("FROM", "UNTIL"), help="as in 2026-02-01T00:00:00Z 2026-02-08T00:00:00Z")
    parser.add_argument("--program", default="barograph")


if __name__ == "__main__":
    sys.exit(main())
