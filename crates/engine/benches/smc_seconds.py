"""Seconds that the five functions of the smartmoneyconcepts package take over the bars of a CSV file, best of three.

The first round, in which its compiled parts warm up, is not counted. Prints one line: seconds <number>.
"""

import sys
import time

import pandas as pd
from smartmoneyconcepts import smc

bars = pd.read_csv(sys.argv[1])


def once():
    began = time.perf_counter()
    smc.fvg(bars)
    swings = smc.swing_highs_lows(bars, 5)
    smc.bos_choch(bars, swings)
    smc.ob(bars, swings)
    smc.liquidity(bars, swings)
    return time.perf_counter() - began


once()
print("seconds", min(once() for _ in range(3)))
