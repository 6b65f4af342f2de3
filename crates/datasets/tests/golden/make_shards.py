"""Writes shards/*.parquet: two images in the form of Hugging Face's imagenet-1k, in each codec that pyarrow supports.

    python tests/golden/make_shards.py
"""
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

HERE = Path(__file__).parent / "shards"


def encode_image(value):
    out = BytesIO()
    Image.new("RGB", (40, 30), (value,) * 3).save(out, "bmp")  # repetitive, so that it compresses
    return out.getvalue()


def main():
    images = [{"bytes": encode_image(i), "path": f"ILSVRC2012_val_0000000{i}_n03218198.JPEG"} for i in (1, 2)]
    table = pa.table({"image": images, "label": [537, 537]})
    HERE.mkdir(exist_ok=True)
    for codec in ["none", "snappy", "gzip", "lz4", "zstd", "brotli"]:
        pq.write_table(table, HERE / f"{codec}.parquet", compression=codec, write_statistics=False, store_schema=False)


if __name__ == "__main__":
    main()
