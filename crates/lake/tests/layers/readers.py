"""Reads a lake with Polars, DuckDB and pyarrow, and says what each of them saw.

    python readers.py ROOT EXPECTED

EXPECTED is JSON that the Rust side wrote from its own rows: per table the number of rows, and per column its type, how many cells
are there and the sum of them. Each reader has to see the same; the digest of each hour is computed here from the text in
`layers/digest.rs`, by nobody's code of ours.
"""

import hashlib
import json
import math
import pathlib
import struct
import sys

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

HIVE = {"exchange", "symbol", "timeframe", "year", "month", "day", "hour"}
ARROW = {
    "moment": pa.timestamp("ns", tz="UTC"),
    "f64": pa.float64(),
    "u64": pa.uint64(),
    "u32": pa.uint32(),
    "u16": pa.uint16(),
    "u8": pa.uint8(),
    "bool": pa.bool_(),
    "text": pa.string(),
}
POLARS = {
    "moment": pl.Datetime("ns", "UTC"),
    "f64": pl.Float64,
    "u64": pl.UInt64,
    "u32": pl.UInt32,
    "u16": pl.UInt16,
    "u8": pl.UInt8,
    "bool": pl.Boolean,
    "text": pl.String,
}
# DuckDB has no moment of nanoseconds with a zone: it reads these as its own type with a zone, or as nanoseconds without one.
DUCK = {
    "moment": {"TIMESTAMP WITH TIME ZONE", "TIMESTAMP_NS", "TIMESTAMPTZ_NS", "TIMESTAMP_NS WITH TIME ZONE"},
    "f64": {"DOUBLE"},
    "u64": {"UBIGINT"},
    "u32": {"UINTEGER"},
    "u16": {"USMALLINT"},
    "u8": {"UTINYINT"},
    "bool": {"BOOLEAN"},
    "text": {"VARCHAR"},
}


def same(what, got, want):
    assert got == want, f"{what}: {got!r} instead of {want!r}"


def close(what, got, want):
    assert math.isclose(got or 0.0, want or 0.0, rel_tol=1e-12, abs_tol=1e-12), f"{what}: {got!r} instead of {want!r}"


def pyarrow(table, want):
    data = ds.dataset(table, partitioning=ds.HivePartitioning.discover(infer_dictionary=False), format="parquet")
    assert all(f.endswith(".parquet") for f in data.files), data.files
    rows = data.to_table()
    same("rows", rows.num_rows, want["rows"])
    same("columns", [n for n in rows.schema.names if n not in HIVE], [c["name"] for c in want["columns"]])
    for c in want["columns"]:
        column = rows[c["name"]]
        same(c["name"], column.type, ARROW[c["type"]])
        same(f"{c['name']} there", len(column) - column.null_count, c["there"])
        if c["type"] == "f64":
            close(c["name"], pc.sum(column).as_py(), c["sum"])
    same("symbols", set(rows["symbol"].to_pylist()), set(want["symbols"]))
    some = want["some"]
    wanted = (ds.field("symbol") == some["symbol"]) & (ds.field("hour") == some["hour"])
    same("rows of a partition", data.count_rows(filter=wanted), some["rows"])
    fragments = list(data.get_fragments(filter=wanted))
    assert len(fragments) == some["files"] < len(data.files), (len(fragments), len(data.files))
    return rows


def polars(table, want):
    frame = pl.scan_parquet(f"{table}/**/*.parquet", hive_partitioning=True)
    schema = {k: v for k, v in frame.collect_schema().items() if k not in HIVE}
    same("schema", schema, {c["name"]: POLARS[c["type"]] for c in want["columns"]})
    rows = frame.collect()
    same("rows", rows.height, want["rows"])
    for c in want["columns"]:
        column = rows[c["name"]]
        same(f"{c['name']} there", column.len() - column.null_count(), c["there"])
        if c["type"] == "f64":
            close(c["name"], column.sum(), c["sum"])
    same("symbols", set(rows["symbol"].unique().to_list()), set(want["symbols"]))
    some = want["some"]
    wanted = frame.filter((pl.col("symbol") == some["symbol"]) & (pl.col("hour") == some["hour"]))
    same("rows of a partition", wanted.collect().height, some["rows"])
    # A folder without a pattern: Polars takes every file in it for Parquet unless it is told which names to leave out.
    whole = pl.scan_parquet(table, hive_partitioning=True, hidden_file_prefix="_")
    same("rows by folder", whole.select(pl.len()).collect().item(), want["rows"])
    return (frame.explain(), wanted.explain()), rows


def duck(table, want):
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    view = f"read_parquet('{table}/**/*.parquet', hive_partitioning = true)"
    described = {r[0]: r[1] for r in con.execute(f"DESCRIBE SELECT * FROM {view}").fetchall() if r[0] not in HIVE}
    same("columns", list(described), [c["name"] for c in want["columns"]])
    types = set()
    for c in want["columns"]:
        assert described[c["name"]] in DUCK[c["type"]], (c["name"], described[c["name"]])
        if c["type"] == "moment":
            types.add(described[c["name"]])
        there, total = con.execute(
            f'SELECT count("{c["name"]}"), {"sum" if c["type"] == "f64" else "count"}("{c["name"]}") FROM {view}'
        ).fetchone()
        same(f"{c['name']} there", there, c["there"])
        if c["type"] == "f64":
            close(c["name"], total, c["sum"])
    same("rows", con.execute(f"SELECT count(*) FROM {view}").fetchone()[0], want["rows"])
    symbols = {r[0] for r in con.execute(f"SELECT DISTINCT symbol FROM {view}").fetchall()}
    same("symbols", symbols, set(want["symbols"]))
    some = want["some"]
    where = f"WHERE symbol = '{some['symbol']}' AND hour = {some['hour']}"
    same("rows of a partition", con.execute(f"SELECT count(*) FROM {view} {where}").fetchone()[0], some["rows"])
    # Not `count(*)`, which is answered from footers.
    plan = con.execute(f"EXPLAIN ANALYZE SELECT max(ts) FROM {view} {where}").fetchall()[0][1]
    return plan, types


def ns(table):
    """The moments of a table to the nanosecond, by each reader."""
    arrow = ds.dataset(table, format="parquet").to_table(columns=["ts"])["ts"]
    return sorted(arrow.cast(pa.int64()).to_pylist())


def digest(hour):
    """The content digest of an hour, from its description alone."""
    manifest = json.loads((hour / "_manifest.json").read_text())
    rows = pa.concat_tables([pq.ParquetFile(hour / f["name"]).read() for f in manifest["files"]])
    words = {v: k for k, v in ARROW.items()}
    head, parts = "barograph-lake-rows.1\n", b""
    for field in rows.schema:
        word = words[field.type]
        head += f"{field.name} {word}{'?' if field.nullable else ''}\n"
        cells = rows[field.name]
        if word == "moment":
            cells = cells.cast(pa.int64())
        form = {"moment": "<q", "f64": "<d", "u64": "<Q", "u32": "<I", "u16": "<I", "u8": "<I", "bool": "<?"}.get(word)
        values, nulls = hashlib.sha256(), hashlib.sha256()
        for row, cell in enumerate(cells.to_pylist()):
            if cell is None:
                nulls.update(struct.pack("<Q", row))
            elif form:
                values.update(struct.pack(form, cell))
            else:
                values.update(struct.pack("<I", len(cell.encode())) + cell.encode())
        parts += values.digest() + nulls.digest()
    whole = hashlib.sha256(head.encode() + struct.pack("<Q", rows.num_rows) + parts).hexdigest()
    same(f"digest of {hour}", whole, manifest["content_sha256"])
    same(f"rows of {hour}", rows.num_rows, manifest["rows"])


def main(root, expected):
    for name, want in json.loads(pathlib.Path(expected).read_text()).items():
        table = f"{root}/{name}"
        pyarrow(table, want)
        plan, rows = polars(table, want)
        # A plan names the first of its files and counts the others.
        whole, pruned = plan
        others = want["some"]["files"] - 1
        assert f"{want['files'] - 1} other" in whole, whole
        assert "/hour=14/" in pruned and ("other" not in pruned if others == 0 else f"{others} other" in pruned), pruned
        same("moments", sorted(rows["ts"].cast(pl.Int64).to_list()), ns(table))
        analysed, types = duck(table, want)
        files = f"{want['some']['files']}/{want['files']}"
        assert "Scanning Files" in analysed and files in analysed.replace(" ", ""), analysed
        print(f"{name}: {want['rows']} rows, {len(want['columns'])} columns by pyarrow, Polars and DuckDB ({', '.join(types)}); files {files}")
    hours = [m.parent for m in pathlib.Path(root).glob("**/_manifest.json")]
    for hour in hours:
        digest(hour)
    print(f"{len(hours)} digests")
    print(f"pyarrow {pa.__version__}, polars {pl.__version__}, duckdb {duckdb.__version__}")


main(*sys.argv[1:])
