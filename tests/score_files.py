"""Score files of Re-ID networks that were never trained."""

import json

import numpy as np
import pandas as pd

from pipelines import layout

QUERIES = 60


def write(row, seed, rank1, ap, network="ide"):
    """A score file whose queries have these first ranks (1 or 2) and average precisions."""
    path = layout.score(row, network, seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    score = {"rank1": round(100 * float(np.mean(rank1)), 2), "rank5": 80.0, "rank10": 90.0}
    score |= {"mAP": round(100 * float(np.mean(ap)), 2), "mAP_step": 51.0, "cmc": [70.0]}
    file = {"trained_on": {"images": 1234, "generated": 0}, "distances": {"euclidean": score}}
    file |= {"pooling": "single", "learnt_from": None, "queries_without_match": 0, "device": "CPU, 1 threads"}
    file["image_size"] = [128, 64]
    path.write_text(json.dumps(file))
    of_queries = {"query": [f"{n}.jpg" for n in range(QUERIES)], "distance": "euclidean"}
    of_queries |= {"first_rank": np.where(rank1, 1, 2), "ap_trapezoid": ap, "ap_step": np.minimum(ap + 0.01, 1)}
    pd.DataFrame(of_queries).to_parquet(path.with_suffix(".parquet"))
