"""Re-ID data sets by name: each is a function that reads a folder or zip into sample tables.

To add one, write a function `read(path) -> Dataset` and put it into `DATASETS`.
"""

from reid.datasets.deepfashion import read_deepfashion, read_deepfashion_disjoint
from reid.datasets.folders import SPLITS, Dataset, Finding
from reid.datasets.listed import read_listed
from reid.datasets.market1501 import read_dukemtmc, read_market1501
from reid.datasets.msmt17 import read_msmt17
from reid.datasets.prw import read_prw

DATASETS = {
    "market1501": read_market1501,
    "dukemtmc-reid": read_dukemtmc,
    "msmt17": read_msmt17,
    "streets": read_market1501,  # the embedded set has Market-1501's layout
    "prw": read_prw,  # as `python -m pipelines import-prw` writes it
    "listed": read_listed,  # anybody's, with a table of the images
    "deepfashion": read_deepfashion,
    "deepfashion-disjoint": read_deepfashion_disjoint,
}
WITHOUT_QUERIES = ("deepfashion", "deepfashion-disjoint")  # for generators only: the Re-ID stages refuse them

__all__ = ["DATASETS", "SPLITS", "WITHOUT_QUERIES", "Dataset", "Finding"]
