"""The comparison sees every kind of difference it claims to see."""

import polars as pl
import pytest

from columns_peer import NAMES
from compare import compare

SAME = pl.DataFrame({"ts": [2_000_000_000, 1_000_000_000]} | {n: [2.0, None] for n in NAMES}, strict=False)


@pytest.mark.parametrize(
    ("change", "differing"),
    [
        (pl.lit(None, dtype=pl.Float64), 1),
        (pl.col("ofi").fill_null(0.0), 1),
        (pl.col("ofi") * (1 + 1e-8), 1),
        (pl.col("ofi") * (1 + 1e-10), 0),
        (pl.col("ofi"), 0),
    ],
)
def test_one_changed_column_is_named(change, differing):
    table, _, facts = compare(SAME, SAME.with_columns(change.alias("ofi")))
    assert len(table) == differing and facts["rows"] == 2
    assert all(row[0] == "ofi" for row in table)


def test_missing_rows_and_columns_are_told():
    _, _, facts = compare(SAME.drop("vpin"), SAME[:1])
    assert facts["missing_columns"] == ["vpin"] and facts["only_first"] == 1


def test_datetimes_and_integers_are_the_same_instant():
    stamped = SAME.with_columns(pl.from_epoch("ts", time_unit="ns"))
    table, _, facts = compare(stamped, SAME)
    assert not table and facts["rows"] == 2
