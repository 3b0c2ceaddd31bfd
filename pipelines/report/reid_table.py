"""The Re-ID table: what each training set is worth, and the published numbers beside it."""

from __future__ import annotations

import pandas as pd

from pipelines.report.published import TABLE_4
from pipelines.report.results import LEVEL, Metrics, Results
from reid.files.samples import REAL


def reid_table(
    results: Results, metrics: Metrics, compared: pd.DataFrame, average_precision: str, published: bool
) -> pd.DataFrame:
    """One line a row; Rank-1 and mAP for each network and distance, as text.

    With several seeds, mean and standard deviation; an asterisk marks what differs from the real row significantly.

    Args:
        results: of `pipelines.report.results.read_results`.
        metrics: means over the seeds.
        compared: of `pipelines.report.results.significance`.
        average_precision: `trapezoid` or `step`: which mAP is shown.
        published: put the paper's numbers behind ours.
    """
    keys = {"Rank-1": "rank1", "mAP": {"trapezoid": "mAP", "step": "mAP_step"}[average_precision]}
    significant = compared[(compared["other"] == REAL) & (compared["p"] < LEVEL)]
    marked = set(zip(*(significant[key] for key in ("row", "network", "distance", "score")), strict=True))
    lines = []
    for row, networks in metrics.items():
        trained_on = next(iter(results[row].values()))[0].file["trained_on"]
        line = {"training set": row, "images": f"{trained_on['images']:,}", "generated": f"{trained_on['generated']:,}"}
        for network, of_distances in networks.items():
            for name, score in of_distances.items():
                theirs = TABLE_4.get((row, network, name)) if published else None
                for place, (title, key) in enumerate(keys.items()):
                    spread = f" ± {score[f'{key}_std']:.1f}" if f"{key}_std" in score else ""
                    mark = "*" if (row, network, name, title) in marked else ""
                    like = key != "mAP_step"  # published mAPs are the trapezoid's
                    paper = f" ({theirs[place]:.1f})" if theirs and like else ""
                    line[f"{network} + {name}: {title}"] = f"{score[key]:.1f}{spread}{mark}{paper}"
        lines.append(line)
    return pd.DataFrame(lines)
