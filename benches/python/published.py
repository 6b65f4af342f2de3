# Requires what the functions asked for import: numpy, scipy, torch, torchvision.
"""Loads functions of the published code, unchanged, from your clones of its repositories:

    git clone https://github.com/mmoayeri/HardImageNet published/HardImageNet
    git clone https://github.com/mmoayeri/RIVAL10 published/RIVAL10
    PUBLISHED=published python benches/python/masks.py

Only the functions of a file are loaded: its top level opens folders of its authors and needs a GPU.
"""
import ast
import os
import random
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import scipy
import torch
from torchvision import transforms
from torchvision.transforms import functional as TF

NAMES = {"np": np, "scipy": scipy, "torch": torch, "transforms": transforms, "TF": TF, "random": random}


def load(file):
    """Returns the functions of a file such as "HardImageNet/rfs.py", or None if PUBLISHED is not set."""
    if "PUBLISHED" not in os.environ:
        return None
    path = Path(os.environ["PUBLISHED"]) / file
    tree = ast.parse(path.read_text(), path)
    tree.body = [part for part in tree.body if isinstance(part, ast.FunctionDef)]
    scope = dict(NAMES)
    exec(compile(tree, path, "exec"), scope)
    return SimpleNamespace(**scope)
