# Requires pandas, pyarrow, polars, duckdb.
"""Reads the records of a run with pandas, polars and DuckDB, and compares accuracies from each with scores.json.

    cargo run --release -- demo
    python examples/read_records.py runs/demo/planted-hard/planted_resnet.cue
"""
import json
import sys
from pathlib import Path

import duckdb
import pandas
import polars


def with_pandas(run):
    records = pandas.read_parquet(run / "records")
    good = records[records.error.isna() & records.correct.notna()]
    return good.groupby("condition").correct.mean().to_dict()


def with_polars(run):
    records = polars.scan_parquet(run / "records" / "*.parquet")
    good = records.filter(polars.col("error").is_null() & polars.col("correct").is_not_null())
    means = good.group_by("condition").agg(polars.col("correct").mean()).collect()
    return dict(means.iter_rows())


def with_duckdb(run):
    rows = duckdb.sql(
        f"""SELECT condition, avg(correct::int) FROM '{run}/records/*.parquet'
            WHERE error IS NULL AND correct IS NOT NULL GROUP BY condition"""
    )
    return dict(rows.fetchall())


def sensitivity(run, level):
    """Relative foreground sensitivity, from means over classes."""
    records = pandas.read_parquet(run / "records")
    of = lambda region: records[records.condition == f"{level}:{region}"].groupby("label").correct.mean().mean()
    foreground, background = of("fg"), of("bg")
    mean = (foreground + background) / 2
    return (background - foreground) / (2 * min(mean, 1 - mean)) if 0 < mean < 1 else 0.0


def main():
    run = Path(sys.argv[1])
    scores = {metric["id"]: metric["scores"] for metric in json.loads((run / "scores.json").read_text())["metrics"]}
    expected = {score["condition"]: score["sample_mean"]["value"] for score in scores["accuracy"]}
    found = {read.__name__: read(run) for read in (with_pandas, with_polars, with_duckdb)}
    print(f"{'condition':24}" + "".join(f"{name:>14}" for name in found) + f"{'scores.json':>14}")
    for condition, value in expected.items():
        row = [accuracies[condition] for accuracies in found.values()]
        assert all(abs(accuracy - value) < 1e-9 for accuracy in row), (condition, row, value)
        print(f"{condition:24}" + "".join(f"{accuracy:14.4f}" for accuracy in [*row, value]))
    for score in scores["rfs"]:
        value = sensitivity(run, score["condition"])
        assert abs(value - score["class_mean"]["value"]) < 1e-9, (score, value)
        print(f"RFS {score['condition']:20}{value:14.4f}{score['class_mean']['value']:42.4f}")
    print("all agree")


main()
