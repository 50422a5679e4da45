"""Puts the peer's own folder on the path, and says where the golden vectors and the recordings are."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
GOLDEN = Path(os.environ.get("BAROGRAPH_GOLDEN", "/work/shared/spec/golden"))
DATA = Path(os.environ.get("BAROGRAPH_DATA", "/work/shared/data"))
