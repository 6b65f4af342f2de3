"""Prints the short inputs of a folder as lines of hexadecimal digits. These are the part of a corpus that is committed.

    python fuzz/corpus.py TARGET FOLDER
"""
import sys
from pathlib import Path

LONGEST = {"image": 700, "mask": 700, "rle": 200, "polygon": 300, "pickle": 150}
KEPT = 400

target, folder = sys.argv[1:]
inputs = {file.read_bytes() for file in Path(folder).iterdir()}
short = sorted((data for data in inputs if len(data) <= LONGEST[target]), key=lambda data: (len(data), data))
step = max(1, -(-len(short) // KEPT))
print("\n".join(data.hex() for data in short[::step]))
