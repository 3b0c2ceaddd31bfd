"""Training without labels: clusters, reliable images, rounds, the rule that ends them."""

import math

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning

from reid.common.checkpoints import State
from reid.common.errors import InputError
from reid.networks import IDE, StrongBaseline
from reid.training import progressive
from reid.training.progressive import cluster, refine

TRAINING = {"batch_size": 4, "learning_rate": 0.001, "log_every": 2, "checkpoint_every": 1}
COLOURS = torch.tensor([[250, 20, 20], [20, 250, 20], [20, 20, 250]], dtype=torch.uint8)


def make(classes, kind=IDE):
    return kind(classes, "mobilenet-v2", (32, 32), pretrained=False)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return make(5).eval()


@pytest.fixture
def images():
    """Four images of each of three people, who wear one colour each."""
    noise = torch.randint(0, 6, (12, 3, 32, 32), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    return COLOURS.repeat_interleave(4, 0)[:, :, None, None] + noise - 3


def run(network, images, folder, training=TRAINING, **options):
    options = {"clusters": 3, "threshold": 0.5, "rounds": 3, "iterations": 2, "agreement": 1.0, **options}
    return refine(network, make, images, training, State(folder), **options)


def test_clusters_and_their_centres_one_by_one():
    random = np.random.default_rng(0)
    features = np.concatenate([random.normal(mean, 0.6, (20, 6)) for mean in (-2, 0.5, 3)]).astype(np.float32)
    found = cluster(features, 3, 0.8, seed=0)
    for own in range(3):
        members = features[found.clusters == own]
        centre = members[np.argmin(np.linalg.norm(members - members.mean(0), axis=1))]
        expected = [member @ centre / np.linalg.norm(member) / np.linalg.norm(centre) > 0.8 for member in members]
        assert found.reliable[found.clusters == own].tolist() == expected
    assert 0 < found.reliable.sum() < len(features)
    for _ in range(2):  # each is in the cluster whose mean is nearest
        means = np.stack([features[found.clusters == own].mean(0) for own in range(3)])
        assert (np.linalg.norm(features[:, None] - means, axis=2).argmin(1) == found.clusters).all()
    assert (cluster(features, 3, 0.8, seed=0).clusters == found.clusters).all()


def test_the_agreement_of_rounds_is_about_the_features():
    """Of overlapping clusters: of the same features two rounds agree, which k-means from other centres do not."""
    random = np.random.default_rng(0)
    features = random.normal(size=(400, 16)).astype(np.float32)
    first = cluster(features, 30, 0.8, seed=0)
    assert progressive._agreement(first, cluster(features, 30, 0.8, seed=1)) < 0.6
    assert progressive._agreement(first, cluster(features, 30, 0.8, seed=1, before=first.clusters)) > 0.999
    moved = features + random.normal(scale=0.01, size=features.shape).astype(np.float32)
    assert progressive._agreement(first, cluster(moved, 30, 0.8, seed=1, before=first.clusters)) > 0.95
    twice = np.repeat(features[:20], 2, axis=0)
    with pytest.warns(ConvergenceWarning, match="distinct clusters"):
        found = cluster(twice, 30, 0.8, seed=0)
    with pytest.warns(ConvergenceWarning, match="distinct clusters"):
        again = cluster(twice, 30, 0.8, seed=0, before=found.clusters)
    assert len(set(found.clusters)) == len(set(again.clusters)) == 20, "ten are empty"
    others = random.normal(size=features.shape).astype(np.float32)
    assert progressive._agreement(first, cluster(others, 30, 0.8, seed=1, before=first.clusters)) < 0.5


def test_rounds_end_when_the_clusters_stay(network, images, tmp_path):
    seen = []
    found = run(network, images, tmp_path, rounds=9, keep=True, on_round=lambda *line: seen.append((line[0], line[2])))
    assert 2 <= len(found.log) < 9, "people in plain colours are clustered alike in two rounds"
    assert found.log[-1]["agreement"] == 1
    assert math.isnan(found.log[0]["agreement"])
    assert all(line["agreement"] < 1 for line in found.log[1:-1])
    assert [line["round"] for line in found.log] == list(range(1, len(found.log) + 1))
    assert seen == [(line["round"], line["clusters"]) for line in found.log]
    assert found.network.classifier.out_features == found.classes == 3
    assert len(set(found.clusterings[-1].clusters.reshape(3, 4).T[0])) == 3
    assert (found.clusterings[-1].clusters.reshape(3, 4) == found.clusterings[-1].clusters[::4, None]).all()
    assert len(run(network, images, tmp_path / "more", rounds=9, agreement=0.0).log) == 2, "any two are alike enough"


def test_rounds_have_a_constant_rate(network, images, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(progressive, "train", lambda *_, **options: seen.append(options) or [{"loss": 0.0}])
    run(network, images, tmp_path, TRAINING | {"iterations": 1000, "warmup": 100, "decay_at": [1]}, rounds=1)
    assert [(one["iterations"], one["warmup"], one["decay_at"]) for one in seen] == [(2, 0, None)]


def test_each_round_starts_where_it_should(network, images, tmp_path, monkeypatch):
    started = []

    def train(own, *arguments, **options):
        started.append({name: value.clone() for name, value in own.state_dict().items()})
        return trained(own, *arguments, **options)

    trained = progressive.train
    monkeypatch.setattr(progressive, "train", train)
    begun = {name: value.clone() for name, value in network.state_dict().items()}
    for restart in (True, False):
        started.clear()
        monkeypatch.setattr(progressive, "_agreement", lambda *_: 0.0)
        run(network, images, tmp_path / str(restart), restart=restart)
        name = next(name for name, _ in network.named_parameters() if name.startswith("backbone"))
        assert torch.equal(started[0][name], begun[name])
        assert torch.equal(started[1][name], begun[name]) == restart
        assert all(state["classifier.weight"].shape[0] == 3 for state in started)


def test_an_interrupted_run_goes_on(network, images, tmp_path, monkeypatch):
    """Killed in the midst of its second round, it goes on with the round's clusters and what it had learnt."""
    monkeypatch.setattr(progressive, "_agreement", lambda *_: 0.0)
    whole = run(network, images, tmp_path / "whole")
    save, saved = State.save, []

    def dying(state, content):
        save(state, content)
        saved.append(state.folder.name)
        if saved.count("round-02") == 1 and saved[-1] == "round-02":
            raise KeyboardInterrupt

    monkeypatch.setattr(State, "save", dying)
    torch.manual_seed(0)
    with pytest.raises(KeyboardInterrupt):
        run(make(5).eval(), images, tmp_path / "broken")
    calls = []
    monkeypatch.setattr(progressive, "cluster", lambda *given: calls.append(1) or cluster(*given))
    torch.manual_seed(0)
    kept = []
    again = run(make(5).eval(), images, tmp_path / "broken", keep=True, on_round=lambda number, *_: kept.append(number))
    assert len(calls) == 1, "the third round's alone"
    assert kept == [2, 3]
    assert saved.count("round-02") == 2, "its second iteration alone"
    np.testing.assert_equal(again.log, whole.log)
    for name, value in whole.network.state_dict().items():
        assert torch.equal(again.network.state_dict()[name], value), name
    for found, expected in zip(again.clusterings, whole.clusterings, strict=True):
        assert (found.clusters == expected.clusters).all()
        assert (found.reliable == expected.reliable).all()
    assert not list((tmp_path / "broken").glob("round-*")), "finished rounds leave nothing"


def test_what_cannot_be_clustered(network, images, tmp_path):
    with pytest.raises(InputError, match="12 images cannot be in 13 clusters"):
        run(network, images, tmp_path, clusters=13)
    # Each cluster's centre is reliable, so that only few clusters have too few images, and more of them help.
    with pytest.raises(
        InputError, match="round 1: 3 of 12 images are reliable, and a batch holds 4: .*, more `clusters"
    ):
        run(network, images, tmp_path / "few", clusters=3, threshold=1 - 1e-6)
    run(network, images, tmp_path / "enough", clusters=4, threshold=1 - 1e-6)


def test_all_but_the_classifier_goes_on(images, tmp_path, monkeypatch):
    monkeypatch.setattr(progressive, "train", lambda *_, **__: [{"loss": 0.0}])
    torch.manual_seed(0)
    network = make(5, StrongBaseline).eval()
    network.neck.weight.data.fill_(3.0)
    options = {"clusters": 3, "threshold": 0.0, "rounds": 1}
    found = refine(network, lambda n: make(n, StrongBaseline), images, TRAINING, State(tmp_path), **options)
    after, before = found.network.state_dict(), network.state_dict()
    assert all(torch.equal(after[name], before[name]) == (name != "classifier.weight") for name in after)
