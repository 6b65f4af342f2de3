"""Makes checkpoints in every form in which torch writes them, for the tests of this crate.

    python crates/models/tests/golden/make_checkpoints.py        # torch 2.15

Each holds `Sequential(Conv2d(3, 4, 3), BatchNorm2d(4), Linear(4, 5))` with numbers made from the tensors' names, so that the
tests know what to expect, and what training scripts save with it.
"""

import argparse
import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch

from make import fill

FOLDER = Path(__file__).resolve().parent / "checkpoints"


def strided(tensor):
    """Returns the same values in another order in memory."""
    order = tuple(reversed(range(tensor.dim())))
    return tensor.permute(order).contiguous().permute(order)


def within(tensor):
    """Returns the same values in the middle of a larger, shared storage."""
    storage = torch.cat([torch.full((3,), 7.0), tensor.flatten(), torch.full((2,), 9.0)])
    return storage[3:-2].view(tensor.shape)


def robust(state):
    """Saves like the robustness library: the network twice, and its normalization."""
    model = {f"module.normalizer.{name}": torch.full((3, 1, 1), 0.5) for name in ("new_mean", "new_std")}
    for name, tensor in state.items():
        model[f"module.model.{name}"] = model[f"module.attacker.model.{name}"] = tensor
    model["module.attacker.normalize.new_mean"] = model["module.normalizer.new_mean"]
    return model


def save_repeated():
    """Saves tensors that have more elements than their storages, and one that no memory could hold."""
    state = {
        "0.weight": torch.arange(3.0).view(1, 3, 1, 1).expand(4, 3, 3, 3),
        "0.bias": torch.tensor(0.5).expand(4),
        "1.weight": torch.ones(1).expand(4),
        "1.bias": torch.arange(4.0),
        "1.running_mean": torch.zeros(2, 1).expand(2, 2).diagonal().repeat(2),
        "1.running_var": torch.arange(1.0, 8.0)[::2],
        "2.weight": torch.arange(8.0).unfold(0, 4, 1),
        "2.bias": torch.arange(2.0).view(2, 1).expand(2, 5)[1],
        "loss.mask": torch.ones(1).expand(1 << 40),
    }
    folder = FOLDER.parent / "repeated"
    folder.mkdir(exist_ok=True)
    torch.save(state, folder / "zip.pth", pickle_module=pickle)
    torch.save(state, folder / "old.pth", pickle_module=pickle, _use_new_zipfile_serialization=False)


def save_groups(state):
    """Saves weights under keys, next to numbers and other weights. Those that are meant are the ones of the other files."""
    other = {name: t * 0 for name, t in state.items()}
    groups = {
        "number_beside.pth": {"model": state, "best_acc1": torch.tensor(0.5), "epoch": 3},
        "own_key.pth": {"my_net": state, "optimizer_g": other, "epoch": 3},
        "own_keys.pth": {"generator": state, "critic": other},
        "shadow.pth": {"model": other, "ema": {"decay": torch.tensor(0.9), "shadow": state}},
        "deep.pth": {"state": {"checkpoint": 1, "model": {"state_dict": state}}, "ema": {"decay": 0.9}},
        "nothing.pth": {"epoch": 3, "history": [1.0, 2.0]},
    }
    folder = FOLDER.parent / "groups"
    folder.mkdir(exist_ok=True)
    for name, value in groups.items():
        torch.save(value, folder / name, pickle_module=pickle)


def main():
    FOLDER.mkdir(exist_ok=True)
    model = fill(torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Linear(4, 5)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    optimizer.zero_grad()
    sum(p.sum() for p in model.parameters()).backward()
    state = model.state_dict()  # an OrderedDict with metadata, and the counter of the batch norm
    extras = {
        "epoch": 3,
        "best_acc1": np.float64(0.5),
        "args": argparse.Namespace(lr=0.1, path=Path("x"), layers=[1, 2]),
        "optimizer": optimizer.state_dict(),
        "history": np.arange(3.0),
        "big": 1 << 80,
    }
    half = OrderedDict((name, t.to(torch.bfloat16) if t.is_floating_point() else t) for name, t in state.items())
    parameters = OrderedDict((name, torch.nn.Parameter(t, requires_grad=False)) for name, t in state.items())
    files = {
        "plain.pth": (state, {}),
        "old.pth": (state, {"_use_new_zipfile_serialization": False}),
        "nested.pth": ({**extras, "state_dict": {f"module.{name}": t for name, t in state.items()}}, {}),
        "robust_old.ckpt": ({"model": robust(state), **extras}, {"_use_new_zipfile_serialization": False}),
        "robust.ckpt": ({"model": robust(state), **extras}, {}),
        "averaged.pth": ({"model": {n: t * 0 for n, t in state.items()}, "model_ema": dict(state)}, {}),
        "strided.pth": ({n: strided(t) for n, t in state.items()}, {}),
        "shared_old.pth": ({n: within(t.float()) for n, t in state.items()}, {"_use_new_zipfile_serialization": False}),
        "parameters.pt": (parameters, {}),
        "double.pth": ({n: t.double() for n, t in state.items()}, {}),
        "half.bin": (half, {}),
        "protocol4.pth": ({**extras, "model": state}, {"pickle_protocol": 4}),
        "protocol5_old.pth": (state, {"pickle_protocol": 5, "_use_new_zipfile_serialization": False}),
        "module.pth": (model, {}),
    }
    for name, (value, options) in files.items():
        torch.save(value, FOLDER / name, pickle_module=pickle, **options)
    save_repeated()
    save_groups(state)
    # Like CLIP as OpenAI published it: a program with its weights.
    torch.jit.trace(model.eval(), torch.zeros(1, 3, 3, 6)).save(FOLDER / "script.pt")


if __name__ == "__main__":
    main()
