# Reads an export with hftbacktest's own converter and says what is in it, each event once.
import json
import sys

from hftbacktest.data.utils import binancefutures
from hftbacktest.types import DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT, LOCAL_EVENT, TRADE_EVENT

events = binancefutures.convert(sys.argv[1], opt="mt", buffer_size=2_000_000)
# An event whose two clocks disagree about the order is there once per clock.
events = events[(events["ev"] & LOCAL_EVENT) == LOCAL_EVENT]
kind = events["ev"] & 0xFF
print(
    json.dumps(
        {
            "trades": int((kind == TRADE_EVENT).sum()),
            "quantity": float(events["qty"][kind == TRADE_EVENT].sum()),
            "depth": int((kind == DEPTH_EVENT).sum()),
            "snapshot": int((kind == DEPTH_SNAPSHOT_EVENT).sum()),
        }
    )
)
