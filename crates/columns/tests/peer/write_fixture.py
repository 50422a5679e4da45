"""Writes `fixture/events.txt` and `fixture/rows.csv`, by which `crates/columns/tests/peer_rows.rs` holds the Rust side.

    python write_fixture.py

A synthetic market of two minutes with gaps of both streams; rows have columns 81 to 197 that are ever defined.
"""

from pathlib import Path

import events
from columns_peer import NAMES, columns
from synthetic_market import START, TICK, market

SEED, SECONDS, RATE = 48, 130, 1.5


def main():
    folder = Path(__file__).parent / "fixture"
    folder.mkdir(exist_ok=True)
    states, trades, facts = market(SEED, SECONDS, RATE)
    rows = columns(states, trades, range(START + 1, START + SECONDS), tick=TICK, **facts)
    text = "\n".join(events.lines(states, trades, tick=TICK, **facts))
    (folder / "events.txt").write_text(text + "\n")
    defined = [n for n in NAMES[80:] if rows[n].null_count() < len(rows)]
    lines = [",".join(["second", *defined])]
    for row in rows.select("ts", *defined).iter_rows():
        cells = ["" if v is None else f"{v:.12g}" for v in row[1:]]
        lines.append(",".join([str(row[0] // 1_000_000_000), *cells]))
    (folder / "rows.csv").write_text("\n".join(lines) + "\n")
    print(len(defined), "columns", facts["book_gaps"], facts["trade_gaps"])


if __name__ == "__main__":
    main()
