"""Croissant metadata of an exported set: its files, its records, how to use it, and where each image comes from.

The format is Croissant 1.1 (https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html) with its extension for
responsible AI and the W3C's provenance ontology: a record is an image, of which `prov:wasDerivedFrom` names the
sources and the image of the pose, `prov:wasGeneratedBy` the activity, and `digitalSourceType` says by IPTC's vocabulary
what kind of process made it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import pandas as pd

from reid.datasets.folders import SPLITS
from reid.export import datasheet
from reid.export.hugging_face import LABELS
from reid.export.layout import FOLDER_OF
from reid.files.samples import REAL

CROISSANT = "croissant.json"
CONFORMS_TO = ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]
TERMS = (
    "annotation", "arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "excludes", "extract", "field",
    "fileObject", "fileProperty", "fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5",
    "parentField", "path", "readLines", "recordSet", "references", "regex", "repeated", "replace", "samplingRate",
    "sdVersion", "separator", "source", "subField", "transform", "unArchive", "value",
)  # fmt: skip
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "prov": "http://www.w3.org/ns/prov#",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
} | {term: f"cr:{term}" for term in TERMS}
# Columns of a table of labels: type, and the property of the image that they say.
FIELDS: dict[str, tuple[str | list[str], str | None]] = {
    "file": ("sc:Text", "sc:identifier"),
    "split": (["sc:Text", "cr:Split"], None),
    "identity": ("sc:Integer", None),
    "camera": ("sc:Integer", None),
    "origin": ("sc:Text", None),
    "draw": ("sc:Integer", None),
    "sha256": ("sc:Text", "sc:sha256"),
    "seed": ("sc:Integer", None),
    "weights_sha256": ("sc:Text", None),
    "derived_from": ("sc:Text", "prov:wasDerivedFrom"),
    "generated_by": ("sc:Text", "prov:wasGeneratedBy"),
    "digital_source_type": ("sc:URL", "sc:digitalSourceType"),
}


def croissant(
    entries: pd.DataFrame,
    made: dict[str, Any],
    root: str,
    sources: Sequence[str],
    files: Mapping[str, bytes],
) -> bytes:
    """croissant.json, which mlcroissant reads: a record set for each split, an image and its label a record.

    Args:
        entries: the manifest's.
        made: how the images were generated, as in `members.exported`.
        root: folder of the images, below that of the metadata.
        sources: paths of the archives of the original images.
        files: the tables of labels by their names (`hugging_face.label_tables`).
    """
    row, training = made["row"], entries[entries["split"] == "train"]
    real = int((training["origin"] == REAL).sum())
    originals = ", ".join(PurePath(path).name for path in sources)
    how = " ".join(datasheet.how(entries, made).split())
    metadata = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": row,
        "description": f"A person re-identification data set: {real:,} real and {len(training) - real:,} generated "
        f"training images, and the queries and gallery of {originals}. {how}",
        "license": f"As {originals}, whose terms generated images inherit: DATASHEET.md",
        "citeAs": f"The publications of {originals}, and of the method that DATASHEET.md names",
        "version": f"1.0.0+{hashlib.sha256(b''.join(files.values())).hexdigest()[:12]}",
        "rai:dataCollection": f"Real images were copied from {originals}. {how}",
        "rai:dataCollectionType": ["Secondary Data analysis", "Others"],
        "rai:dataAnnotationProtocol": datasheet.labelled(entries),
        "rai:dataUseCases": [datasheet.USES, datasheet.MEASURING],
        "rai:dataLimitations": datasheet.LIMITATIONS,
        "rai:dataBiases": [datasheet.BIASES],
        "rai:personalSensitiveInformation": [datasheet.PEOPLE],
        "prov:wasDerivedFrom": [{"@type": "prov:Entity", "@id": "original", "prov:label": originals}],
        "prov:wasGeneratedBy": {
            "@type": "prov:Activity",
            "@id": row,
            "prov:label": how,
            "prov:used": {"@id": "original"},
            "prov:value": json.dumps(made, sort_keys=True),
        },
        "distribution": [part for split in SPLITS for part in _distribution(split, root, files[LABELS[split]])],
        "recordSet": [_records(split) for split in SPLITS],
    }
    if "published" in made:
        metadata["datePublished"] = made["published"]
    return (json.dumps(metadata, indent=1) + "\n").encode()


def _distribution(split: str, root: str, table: bytes) -> list[dict[str, Any]]:
    return [
        {
            "@type": "cr:FileObject",
            "@id": f"{split}-labels",
            "name": LABELS[split],
            "contentUrl": LABELS[split],
            "encodingFormat": "application/x-parquet",
            "sha256": hashlib.sha256(table).hexdigest(),
        },
        {
            "@type": "cr:FileSet",
            "@id": f"{split}-images",
            "encodingFormat": ["image/jpeg", "image/png"],
            "includes": [f"{root}/{FOLDER_OF[split]}/*.jpg", f"{root}/{FOLDER_OF[split]}/*.png"],
        },
    ]


def _records(split: str) -> dict[str, Any]:
    def field(name: str, kind: str | list[str], means: str | None, **source: Any) -> dict[str, Any]:
        said = {"equivalentProperty": means} if means else {}
        return {"@type": "cr:Field", "@id": f"{split}/{name}", "name": name, "dataType": kind, **said, **source}

    def column(name: str, **transform: Any) -> dict[str, Any]:
        return {"source": {"fileObject": {"@id": f"{split}-labels"}, "extract": {"column": name}, **transform}}

    def of_file(what: str) -> dict[str, Any]:
        return {"fileSet": {"@id": f"{split}-images"}, "extract": {"fileProperty": what}}

    name = field("file_name", "sc:Text", None, **column("file_name", transform={"regex": "(?:.*/)?(.+)"}))
    fields = [field(column_name, *said, **column(column_name)) for column_name, said in FIELDS.items()]
    for several in (part for part in fields if part["name"] == "derived_from"):
        several |= {"isArray": True, "arrayShape": "-1"} | column("derived_from", transform={"separator": "|"})
    return {
        "@type": "cr:RecordSet",
        "@id": split,
        "name": split,
        "dataType": "prov:Entity",
        "key": {"@id": f"{split}/file"},
        "field": [
            name | {"references": of_file("filename")},
            field("image", "sc:ImageObject", None, source=of_file("content")),
            *fields,
        ],
    }
