"""Writes devkit/, a development kit with five classes in the form of ILSVRC2012_devkit_t12, with SciPy.

    python tests/golden/make_devkit.py

meta.mat is compressed like the published file, meta_plain.mat is not. Ids do not follow the order of WordNet ids, as in the
published file, and the last record is not a leaf: its id is above 1000.
"""
from pathlib import Path

import numpy as np
from scipy.io import savemat

HERE = Path(__file__).parent / "devkit"
# ILSVRC2012_ID, WNID, words, gloss, children
SYNSETS = [
    (1, "n02119789", "kit fox, Vulpes macrotis", "small grey fox of southwestern United States", []),
    (2, "n03218198", "dogsled, dog sled, dog sleigh", "a sleigh pulled by dogs", []),
    (3, "n04356056", "sunglasses, dark glasses, shades", "", []),
    (1000, "n07248320", "book jacket, dust cover", "a paper jacket for a book – with its description", []),
    (1001, "n02084071", "dog, domestic dog", "a member of the genus Canis", [1, 2, 300]),
]
FIELDS = ["ILSVRC2012_ID", "WNID", "words", "gloss", "num_children", "children", "wordnet_height"]


def main():
    synsets = np.empty((len(SYNSETS), 1), dtype=[(name, object) for name in FIELDS])
    for i, (number, wnid, words, gloss, children) in enumerate(SYNSETS):
        children = np.array(children, dtype=np.float64).reshape(1, -1)
        synsets[i, 0] = (float(number), wnid, words, gloss, np.uint8(children.size), children, np.int16(-3))
    variables = {"notes": "a variable before", "synsets": synsets}
    for name, compressed in [("meta.mat", True), ("meta_plain.mat", False)]:
        savemat(HERE / name, variables, do_compression=compressed)
        # SciPy writes the current date into the text of the header.
        data = bytearray((HERE / name).read_bytes())
        data[:116] = b"MATLAB 5.0 MAT-file".ljust(116)
        (HERE / name).write_bytes(data)


if __name__ == "__main__":
    main()
