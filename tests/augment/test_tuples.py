import pytest
import torch

from augment.data.tuples import Tuples, with_further_sources

IDENTITIES = torch.tensor([1, 1, 1, 1, 2, 2, 3])
PAIRS = torch.tensor([[0, 1], [1, 0], [3, 2], [4, 5]])


def draw(sources, seed=0):
    return with_further_sources(PAIRS, IDENTITIES, sources, torch.Generator().manual_seed(seed))


def test_one_source_is_a_pair():
    tuples = with_further_sources(PAIRS, None, 1, torch.Generator())
    assert tuples.sources[:, 0].tolist() == [0, 1, 3, 4]
    assert tuples.targets.tolist() == [1, 0, 2, 5]
    assert tuples.valid.all()


@pytest.mark.parametrize("sources", [2, 3, 6, 9])
def test_further_sources_are_other_images_of_the_person(sources):
    tuples = draw(sources)
    assert tuples.sources.shape == tuples.valid.shape == (4, sources)
    for (source, target), chosen, valid in zip(
        PAIRS.tolist(), tuples.sources.tolist(), tuples.valid.tolist(), strict=True
    ):
        used = [image for image, there in zip(chosen, valid, strict=True) if there]
        others = {image for image in range(7) if IDENTITIES[image] == IDENTITIES[source]} - {source, target}
        assert used[0] == source
        assert len(set(used)) == len(used) == 1 + min(sources - 1, len(others))
        assert set(used[1:]) <= others
        assert {image for image, there in zip(chosen, valid, strict=True) if not there} <= {source}


def test_each_is_as_likely():
    drawn = [draw(2, seed).sources[0, 1].item() for seed in range(200)]
    assert set(drawn) == {2, 3}
    assert 60 < drawn.count(2) < 140


def test_parts_keep_tuples_together():
    tuples = draw(3)
    for part, rows in zip(tuples.split(3), (slice(0, 3), slice(3, 4)), strict=True):
        assert all(torch.equal(ours, whole[rows]) for ours, whole in zip(part, tuples, strict=True))
    assert torch.equal(tuples.part(1, 3).targets, tuples.targets[1:3])
    assert isinstance(tuples.part(0, 1), Tuples)


def test_what_is_missing_is_said():
    with pytest.raises(ValueError, match="at least one source, got 0"):
        draw(0)
    with pytest.raises(ValueError, match="2 sources of one person are needed, and it is not known"):
        with_further_sources(PAIRS, None, 2, torch.Generator())
