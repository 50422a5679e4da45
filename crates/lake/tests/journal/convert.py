# Reads two recordings with hftbacktest's own converter and says whether the arrays are equal.
import sys

import numpy as np
from hftbacktest.data.utils import binancefutures

a, b = (binancefutures.convert(path, opt="mt", buffer_size=2_000_000) for path in sys.argv[1:3])
if a.dtype == b.dtype and len(a) == len(b) > 0 and np.array_equal(a, b):
    print("equal:", len(a), "events")
else:
    print("differs:", len(a), "and", len(b), "events")
    sys.exit(1)
