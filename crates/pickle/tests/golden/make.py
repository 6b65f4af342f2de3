# Requires Python 3.8 or later and, for two of the files, numpy.
"""Writes pickles/*.pkl beside this script: the same plain values in every protocol, other kinds of dictionaries, and objects.

    python make.py
"""
import collections
import datetime
import pickle
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent / "pickles"
shared = ["n03218198_1.JPEG", "n03218198_2.JPEG"]
values = {
    537: shared,
    "again": shared,
    "numbers": [0, 1, 255, 256, 65536, -1, 2**31, 2**40, -(2**40), 2**80, 1.5, True, False, None],
    "kinds": ("dog sled", (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), [], {}),
    "many": list(range(1100)),
}
for protocol in range(6):
    (HERE / f"protocol{protocol}.pkl").write_bytes(pickle.dumps(values, protocol))
(HERE / "kinds4.pkl").write_bytes(pickle.dumps([b"bytes", bytearray(b"more"), {7}, frozenset({8})], 5))
ordered = collections.OrderedDict([(537, ["a"]), (379, ["b"])])
lists = collections.defaultdict(list, {537: ["a"], 379: ["b"]})
for protocol in (2, 4):
    (HERE / f"ordered{protocol}.pkl").write_bytes(pickle.dumps(ordered, protocol))
    (HERE / f"default{protocol}.pkl").write_bytes(pickle.dumps(lists, protocol))
    (HERE / f"date{protocol}.pkl").write_bytes(pickle.dumps([datetime.date(2022, 11, 28)], protocol))
    (HERE / f"numpy{protocol}.pkl").write_bytes(pickle.dumps({np.int64(537): ["a"]}, protocol))
