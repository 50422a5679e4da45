"""Count, order and names of the columns, against the table the Rust side is built from."""

import csv
from pathlib import Path

from columns_peer import NAMES


def test_names_and_order_are_those_of_the_catalogue():
    table = Path(__file__).parents[2] / "src" / "columns.tsv"
    with table.open(encoding="utf-8") as lines:
        catalogue = [row["column"] for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)]
    assert len(NAMES) == 197
    assert NAMES == catalogue
