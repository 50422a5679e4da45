"""The research lab from Python: the data set of 197 columns, its targets and purged folds, and the scores of models of your own.

>>> from barograph import lab
>>> lab.record("binance-usdm:BTCUSDT", ["binance-usdm_btcusdt_20240718.gz"], "lake")          # doctest: +SKIP
>>> rows = lab.read_features("lake", "BTCUSDT")                                                 # doctest: +SKIP
>>> folds = lab.folds(rows, "dir_5tick", folds=2, embargo="2s", rows_min=40)                       # doctest: +SKIP
>>> scores = []                                                                                 # doctest: +SKIP
>>> for fold in folds:                                                                          # doctest: +SKIP
...     model.fit(fold.inputs("train").to_pandas(), fold.labels("train"))
...     scores.append(model.predict_proba(fold.inputs("test").to_pandas())[:, 1])
>>> lab.score(folds, scores, model="mine")                                                      # doctest: +SKIP

What every number means is docs/spec/research.md of the repository; the columns are in docs/columns.md. Tables are :class:`Table`: they offer
the Arrow C stream interface, so that Polars and pyarrow share their memory, and have ``to_polars``, ``to_pandas``, ``to_arrow`` and
``write_parquet``. Frames that are given may be Polars, pandas or Arrow. Instants may be datetimes (naive is UTC), ISO text, or numbers since
1970. An absent number is null, never NaN or zero.
"""

from __future__ import annotations

import json
import os
import pathlib
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Union

import numpy as np

from . import _native
from ._frames import arrow
from ._native import FrameError, Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Column",
    "Fold",
    "Folds",
    "Table",
    "Target",
    "backtest",
    "columns",
    "folds",
    "importance",
    "leaderboard",
    "read_features",
    "read_order_book",
    "read_trades",
    "record",
    "score",
    "tables",
    "target_list",
    "targets",
    "train",
]

Path = Union[str, "os.PathLike[str]"]


class Column(NamedTuple):
    """One of the 197 columns of a feature row."""

    number: int
    """Its place from 1 to 197."""
    name: str
    """Its name in a table."""
    group: str
    """structural, dynamic, rolling, advanced, trade flow, derivatives, session, other venues or data quality."""
    unit: str
    """Unit of its numbers."""
    meaning: str
    """How it is computed; the symbols are explained in docs/columns.md."""
    made_of: str
    """Levels of the book, or what else it is made of."""
    window: str
    """How far back it looks."""
    warm_up: str
    """What it needs before there is a number."""
    undefined: str
    """When there is none."""


def columns(group: Optional[str] = None) -> List[Column]:
    """The 197 columns in their order (R5.16), or those of one group."""
    known = [Column(**record) for record in _native.research_columns()]
    if group is None:
        return known
    found = [column for column in known if column.group == group]
    if not found:
        groups = ", ".join(dict.fromkeys(column.group for column in known))
        raise FrameError(f"no group '{group}'; there are {groups}")
    return found


class Target(NamedTuple):
    """Something that can be predicted."""

    name: str
    """As in ``dir_5s``."""
    kind: str
    """binary, classes (0, 1, 2) or regression."""
    horizon_s: Optional[float]
    """Seconds ahead; None where that is counted in changes of the book."""


def target_list() -> List[Target]:
    """Every target (research §1): ``ret_*``, ``dir_*``, ``dir3_*``, the tick-based ones (R5.33), volatility and costs ahead."""
    return [Target(*record) for record in _native.target_names()]


def record(
    market: str,
    files: Sequence[Path],
    lake: Path,
    *,
    tick: Optional[float] = None,
    contract_size: Optional[float] = None,
) -> Dict[str, Any]:
    """Play recordings of a market (``venue:symbol``) into a lake: books, trades and feature rows. As ``barograph lab dataset``.

    Give all files of an hour at once: an hour that an import has closed is not written again. ``tick`` is the smallest step of prices,
    which ``spread_ticks`` needs. ``contract_size`` is what a contract is worth, in base units of a linear contract and quote units of an
    inverse one, of a market counted in contracts whose recording does not hold the venue's list of instruments. Returns what was read and
    written.
    """
    if isinstance(files, (str, os.PathLike)):
        files = [files]
    paths = [os.fspath(f) for f in files]
    done: Dict[str, Any] = _native.record_recording(market, paths, os.fspath(lake), tick, contract_size)
    return done


def tables(lake: Path) -> List[Dict[str, Any]]:
    """What a lake holds: layer, table, market, hours, rows, bytes and gaps, a record for each table of each market."""
    found: List[Dict[str, Any]] = _native.lake_tables(os.fspath(lake))
    return found


def read_features(
    lake: Path, market: str, start: Any = None, end: Any = None, *, columns: Optional[Sequence[str]] = None
) -> Table:
    """Feature rows of a market, one each second, from ``start`` until ``end`` (exclusive): ``ts``, ``known_ts``, ``row_valid``,
    ``reason_mask`` and the 197 columns, or only ``columns``.

    ``market`` is ``venue:symbol``, or a symbol that only one market of the lake answers to.
    """
    return _rows(lake, "features", market, start, end, columns)


def read_order_book(
    lake: Path, market: str, start: Any = None, end: Any = None, *, columns: Optional[Sequence[str]] = None
) -> Table:
    """States of a market's book in the order of receipt, after each update of the venue: ``ts``, ``known_ts``, ``updates``,
    ``sequence``, ``gap``, and price and size of 20 levels a side."""
    return _rows(lake, "orderbook", market, start, end, columns)


def read_trades(
    lake: Path, market: str, start: Any = None, end: Any = None, *, columns: Optional[Sequence[str]] = None
) -> Table:
    """Trades of a market in the order of receipt: ``ts``, ``known_ts``, ``sequence``, ``price``, ``size`` (base), ``is_buy`` (the
    buyer took) and ``gap``."""
    return _rows(lake, "trades", market, start, end, columns)


def _rows(lake: Path, table: str, market: str, start: Any, end: Any, names: Optional[Sequence[str]]) -> Table:
    wanted = None if names is None else [str(name) for name in names]
    return _native.lake_rows(os.fspath(lake), table, market, start, end, wanted)


def targets(rows: Any, target: str) -> Table:
    """Labels of a target over feature rows: ``row`` (number of the row), ``ts``, ``label_end`` (when the label is known) and the target.

    A row has no label where the book could not be used at it or where the horizon ends, where a second is missing, where the data ends
    first, and, of ``dir_*``, where the mid did not move. ``rows`` needs ``ts``, ``mid_price`` and ``dq_seconds_since_gap``.
    """
    return _native.label_rows(arrow(rows), target)


class Fold:
    """One test block and what may be learnt from before it. Row numbers count the rows that the folds were made of, from 0."""

    def __init__(self, folds: "Folds", about: Dict[str, Any]) -> None:
        self._folds = folds
        self.number: int = about["number"]
        self.embargo_s: float = about["embargo_s"]
        self.test_from: str = about["test_from"]
        self.test_to: str = about["test_to"]

    def rows(self, part: str) -> "NDArray[np.int64]":
        """Row numbers of ``train``, of its inner split ``fit`` and ``tune``, or of ``test``."""
        return self._folds._native.rows(self.number, part)

    @property
    def train(self) -> "NDArray[np.int64]":
        """Rows to learn from: their labels are known an embargo before the test block."""
        return self.rows("train")

    @property
    def fit(self) -> "NDArray[np.int64]":
        """The inner split: rows to fit on."""
        return self.rows("fit")

    @property
    def tune(self) -> "NDArray[np.int64]":
        """The inner split: rows for early stopping, calibration and weights."""
        return self.rows("tune")

    @property
    def test(self) -> "NDArray[np.int64]":
        """Rows to judge by."""
        return self.rows("test")

    def labels(self, part: str) -> "NDArray[np.float64]":
        """Labels of a part as models learn them: 0 or 1; classes 0, 1, 2, those of volatility cut by this fold's training rows; numbers."""
        return self._folds._native.values(self.number, part)

    def inputs(self, part: str, *, filled: bool = False, rows: Optional[Sequence[int]] = None) -> Table:
        """Inputs of a part as the models of the lab see them (research §2), by what this fold's training rows taught.

        Prices are basis points from the mid, sizes logarithms of multiples of their median, all clipped to the training quantiles 0.1 % and
        99.9 %; columns that do not vary in training are left out. An absent number stays absent, as trees like it; ``filled`` takes the
        training median and adds ``<name>_missing``. ``rows`` are other rows than the part's, as for predicting rows without a label.
        """
        wanted = None if rows is None else np.ascontiguousarray(rows, dtype=np.int64)
        return self._folds._native.inputs(self.number, part, filled, wanted)

    def __repr__(self) -> str:
        return f"Fold({self.number}, test from {self.test_from} to {self.test_to}, embargo {self.embargo_s:g} s)"


class Folds:
    """Purged walk-forward folds of a target (research §3), in the order of time; made by :func:`folds`.

    The hold-out, the last tenth of the time, is in none of them.
    """

    def __init__(self, native: "_native.PurgedFolds") -> None:
        self._native = native
        self.about: Dict[str, Any] = native.about()
        """Rows, labelled rows, why the others have no label, the share of moves that were zero, where the hold-out begins."""
        self._all = [Fold(self, about) for about in self.about["folds"]]

    @property
    def target(self) -> str:
        """What is predicted."""
        return str(self.about["target"])

    @property
    def kind(self) -> str:
        """binary, classes or regression."""
        return str(self.about["kind"])

    def __len__(self) -> int:
        return len(self._all)

    def __getitem__(self, at: int) -> Fold:
        return self._all[at]

    def __iter__(self) -> Iterator[Fold]:
        return iter(self._all)

    def __repr__(self) -> str:
        return f"Folds({self.target}, {len(self)} folds of {self.about['labelled']} labelled rows)"

    def labels(self) -> Table:
        """All labels, as from :func:`targets`."""
        return self._native.labels()

    def sheet(self) -> Dict[str, Any]:
        """The folds as ``barograph lab train`` writes them into ``folds.json``: row numbers as stretches ``[first, one past the last]``."""
        sheet: Dict[str, Any] = json.loads(self._native.sheet())
        return sheet

    def split(self) -> Iterator["tuple[NDArray[np.int64], NDArray[np.int64]]"]:
        """``(train, test)`` of each fold: what scikit-learn takes as ``cv``, over an array of all rows."""
        for fold in self:
            yield fold.train, fold.test


def folds(
    rows: Any,
    target: str,
    *,
    folds: int = 5,
    embargo: Any = "1h",
    rows_min: int = 100,
    tested_percent: int = 50,
    tuned_percent: int = 20,
    held_out_percent: int = 10,
    rolling: Any = None,
) -> Folds:
    """Divide feature rows for a target as ``barograph lab train`` does: the same settings give the same rows.

    ``embargo``: how far features look back, as ``"1h"``, seconds or a timedelta; nothing this close before a test block is learnt from.
    ``rolling``: how far back training rows go, from the first row on without it. ``rows_min``: least rows that a fold learns from.
    """
    plan: Dict[str, Any] = {
        "folds": folds,
        "embargo": embargo,
        "rows_min": rows_min,
        "tested_percent": tested_percent,
        "tuned_percent": tuned_percent,
        "held_out_percent": held_out_percent,
        "rolling": rolling,
    }
    return Folds(_native.PurgedFolds(arrow(rows), target, **plan))


def score(
    folds: Folds, scores: Sequence[Any], *, model: str = "mine", tune: Optional[Sequence[Any]] = None, trials: int = 1
) -> List[Dict[str, Any]]:
    """Score a model of your own by the metrics of the board (research §5), beside ``prior`` and ``persistence`` on the same rows.

    ``scores`` has, for each fold, what the model says of the test rows in their order: a probability of a yes, three probabilities of
    classes (rows × 3), or a number. With ``tune``, the same of the rows of the inner split, they may be any scores: they are calibrated
    by a logistic curve on those, as models of the lab are; fit the model on ``fit`` then, not on ``train``. ``trials`` are all
    configurations that were tried for the model, whatever came of them. Returns board rows from the best: ``auc`` with its 90 % band,
    ``bss_clim``, ``log_loss``, ``ece``, ``macro_f1``, ``ic``, ``rmse``, ``r2_oos``; None where nothing can be told.
    """
    classes = folds.kind == "classes"
    test = [_three(fold, classes, f"scores of fold {n}") for n, fold in enumerate(scores, 1)]
    tuned = None if tune is None else [_three(fold, classes, f"tune scores of fold {n}") for n, fold in enumerate(tune, 1)]
    return folds._native.score(model, test, tuned, trials)


def _three(values: Any, classes: bool, what: str) -> List[List[float]]:
    array = np.asarray(values, dtype=np.float64)
    if classes:
        if array.ndim != 2 or array.shape[1] != 3:
            raise FrameError(f"{what} have the shape {array.shape}: give three probabilities for each row")
        rows: List[List[float]] = array.tolist()
        return rows
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        hint = "; of probabilities for no and yes give the second column" if array.ndim == 2 and array.shape[1] == 2 else ""
        raise FrameError(f"{what} have the shape {array.shape}: give one number for each row{hint}")
    out = np.zeros((len(array), 3))
    out[:, 0] = array
    return list(out.tolist())


def train(
    lake: Path,
    market: str,
    target: str,
    studies: Path,
    *,
    folds: int = 5,
    embargo: Any = "1h",
    rows_min: int = 100,
    preset: str = "quick",
    seed: int = 1,
    models: Optional[Sequence[str]] = None,
    weights: str = "even",
) -> Dict[str, Any]:
    """Fit the lab's own models on a target, as ``barograph lab train``; the board, as from :func:`leaderboard`.

    Board, folds and fitted models stay in the folder ``studies``, where a second call of the same settings finds them. ``models`` are models
    beside the baselines and the control; without it all of them. ``preset`` (``quick``, ``best``) and ``seed`` decide the result. With
    ``weights="uniqueness"`` a row counts in a fit by how much of its own its label says. What calls were worth after costs is on the boards
    that ``barograph lab train --fee`` makes.
    """
    board: Dict[str, Any] = _native.fit_study(
        _study(lake, market, target, studies, folds, embargo, rows_min, preset, seed, models, weights)
    )
    return board


def importance(
    lake: Path,
    market: str,
    target: str,
    studies: Path,
    *,
    model: str = "gbm",
    folds: int = 5,
    embargo: Any = "1h",
    rows_min: int = 100,
    preset: str = "quick",
    seed: int = 1,
    weights: str = "even",
) -> Dict[str, Any]:
    """What a fitted model goes by (research §9), with the settings of :func:`train`: loss added when a column, or a group of columns that
    move together, is permuted (``columns``, ``groups``), ``mean_abs_shap`` of exact TreeSHAP, ``curves`` of partial dependence."""
    report: Dict[str, Any] = _native.study_importance(
        _study(lake, market, target, studies, folds, embargo, rows_min, preset, seed, None, weights), model
    )
    return report


def _study(
    lake: Path,
    market: str,
    target: str,
    studies: Path,
    folds: int,
    embargo: Any,
    rows_min: int,
    preset: str,
    seed: int,
    models: Optional[Sequence[str]],
    weights: str,
) -> Dict[str, Any]:
    return {
        "lake": os.fspath(lake),
        "market": market,
        "target": target,
        "studies": os.fspath(studies),
        "folds": folds,
        "embargo": embargo,
        "rows_min": rows_min,
        "preset": preset,
        "seed": seed,
        "models": None if models is None else [str(name) for name in models],
        "weights": weights,
    }


def leaderboard(studies: Path, market: str, target: str) -> Dict[str, Any]:
    """The board that ``barograph lab train`` left of a target: ``board`` with the rows of its models, what it was made of, and ``stamp``,
    which stands over a board whose control on permuted labels was not harmless. Its rows have the keys of :func:`score`."""
    venue, colon, symbol = market.partition(":")
    if not colon:
        raise FrameError(f"'{market}' names no venue: write venue:symbol, as in binance-usdm:{market}")
    path = pathlib.Path(studies) / venue / symbol / target / "board.json"
    if not path.is_file():
        raise FrameError(f"there is no {path}; it is made by: barograph lab train {market} --target {target}")
    board: Dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return board


def backtest(
    lake: Path,
    market: str,
    calls: Any,
    horizon: Any,
    *,
    fee: str,
    fee_bps: float,
    delta: float = 0.0,
    notional: float = 10_000.0,
    latency_ms: int = 250,
    renewed: bool = False,
) -> Dict[str, Any]:
    """What probabilities of a rise were worth (research §6): taker fills through the recorded book, the latency, the fee of a tier you name.

    ``calls`` has ``p_up`` and ``ts``, the end of the second (known 200 ms later), or ``known_ts``. Long above ``0.5 + delta``, short below
    ``0.5 - delta``, held for ``horizon``; ``renewed`` holds on while the newest call wants the same. Choose ``delta`` on the tune rows, never
    on these. There is no default fee: ``fee="VIP0", fee_bps=5`` is the taker fee a side. Funding is not charged. ``sharpe_net`` is None
    below 30 days, with the reason in ``no_sharpe``.
    """
    frame = arrow(calls, "calls")
    found: Dict[str, Any] = _native.traded_calls(
        os.fspath(lake),
        market,
        frame,
        horizon,
        fee,
        fee_bps,
        delta=delta,
        notional=notional,
        latency_ms=latency_ms,
        renewed=renewed,
    )
    return found
