"""Puts the peer's own folder on the path, and says where the golden vectors and the recordings are."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
GOLDEN = Path(__file__).resolve().parents[4] / "testdata" / "golden"
