"""Other projects' readers, each in a process of its own: `python tests/readers.py NAME FOLDER` prints what it finds.

That is a JSON object of lists of images by split, each image [identity, camera, SHA-256 of the file] and, from readers
of more than file names, its source, the image of its pose, the seed, the SHA-256 of the generator's weights, and its
digital source type. What is not known is null.
"""

import glob
import hashlib
import json
import sys
from pathlib import Path

SET = "market1501/Market-1501-v15.09.15"
KNOWN = ("source", "pose_of", "seed", "weights_sha256", "digital_source_type")


def digest(data):
    return hashlib.sha256(data).hexdigest()


def labels(row):
    """Of a row of a table or a JSON of a shard, where empty texts and -1 stand for what is not known."""
    return [None if row[column] in ("", -1) else row[column] for column in KNOWN]


def torchreid(root):
    """It numbers the training people anew, and leaves out junk."""
    from torchreid.reid.data.datasets.image.market1501 import Market1501

    data = Market1501(root=root)
    return {
        split: [[person, camera + 1, digest(Path(path).read_bytes())] for path, person, camera, *_ in images]
        for split, images in (("train", data.train), ("query", data.query), ("gallery", data.gallery))
    }


def datumaro(root):
    from datumaro.plugins.data_formats.market1501 import Market1501Base

    found = {"train": [], "query": [], "test": []}
    for item in Market1501Base(f"{root}/{SET}"):
        person, camera = int(item.attributes["person_id"]), item.attributes["camera_id"] + 1
        found[item.subset].append([person, camera, digest(Path(item.media.path).read_bytes())])
    return {"gallery" if subset == "test" else subset: images for subset, images in found.items()}


def oml(root):
    """By a table that is made of the manifest, as docs/reuse.md says; it has no word for junk."""
    import pandas as pd
    from oml.datasets import ImageLabeledDataset, ImageQueryGalleryLabeledDataset

    rows = pd.read_parquet(f"{root}/manifest.parquet").query("identity != -1")
    test = rows["split"] != "train"
    table = rows.rename(columns={"image": "path", "identity": "label", "camera": "sequence"})
    table["split"] = rows["split"].where(~test, "validation")
    for split in ("query", "gallery"):
        table[f"is_{split}"] = (rows["split"] == split).where(test, None)
    train = ImageLabeledDataset(table[~test].reset_index(drop=True), dataset_root=root)
    tests = ImageQueryGalleryLabeledDataset(table[test].reset_index(drop=True), dataset_root=root)
    parts = (("train", train, range(len(train))), ("query", tests, tests.get_query_ids().tolist()))
    found = {}
    for split, data, chosen in (*parts, ("gallery", tests, tests.get_gallery_ids().tolist())):
        people, cameras, files = data.get_labels(), data.extra_data["sequence"], data.df["path"]
        assert data[chosen[0]]["input_tensors"].shape[0] == 3
        found[split] = [
            [int(people[row]), int(cameras[row]), digest(Path(root, files[row]).read_bytes())] for row in chosen
        ]
    return found


def webdataset(root):
    """By two processes that share the shards."""
    from torch.utils.data import DataLoader
    from webdataset import WebDataset

    found = {}
    for split in ("train", "query", "gallery"):
        shards = sorted(glob.glob(f"{root}/shards/{split}-*.tar"))
        pairs = WebDataset(shards, shardshuffle=False).to_tuple("jpg", "json")
        found[split] = []
        for image, label in DataLoader(pairs, batch_size=None, num_workers=2):
            row = json.loads(label)
            found[split].append([row["identity"], row["camera"], digest(image), *labels(row)])
    return found


def hugging_face(sets, column="image"):
    import datasets

    found = {}
    for split, rows in sets.items():
        found[split] = []
        for row in rows.cast_column(column, datasets.Image(decode=False)):
            image, label = row[column], row.get("json", row)
            data = image["bytes"] or Path(image["path"]).read_bytes()
            found[split].append([label["identity"], label["camera"], digest(data), *labels(label)])
    return found


def datasets(root):
    from datasets import load_dataset

    return hugging_face(load_dataset(root))


def datasets_of_shards(root):
    from datasets import load_dataset

    files = {split: f"{root}/shards/{split}-*.tar" for split in ("train", "query", "gallery")}
    return hugging_face(load_dataset("webdataset", data_files=files), "jpg")


def mlcroissant(root):
    """It hands out decoded images: the SHA-256 is that of the file which the label names, if its pixels are equal."""
    import mlcroissant
    from PIL import Image

    data = mlcroissant.Dataset(jsonld=f"{root}/croissant.json")
    assert not data.metadata.ctx.issues.errors
    assert not data.metadata.ctx.issues.warnings
    found = {}
    for split in ("train", "query", "gallery"):
        found[split] = []
        for record in data.records(split):
            row = {
                key.split("/")[1]: value.decode() if isinstance(value, bytes) else value
                for key, value in record.items()
            }
            file = Path(root) / row["file"]
            same = Image.open(file).convert("RGB").tobytes() == row["image"].tobytes()
            sources = [source.decode() for source in row["derived_from"] or ()]
            row["source"], row["pose_of"] = sources or (row["file"], None)
            found[split].append(
                [row["identity"], row["camera"], digest(file.read_bytes()) if same else "", *labels(row)]
            )
    return found


READERS = {
    reader.__name__: reader
    for reader in (torchreid, datumaro, oml, webdataset, datasets, datasets_of_shards, mlcroissant)
}

if __name__ == "__main__":
    name, folder = sys.argv[1:]
    json.dump({split: sorted(images, key=repr) for split, images in READERS[name](folder).items()}, sys.stdout)
