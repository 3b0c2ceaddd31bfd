from collections import Counter

import pytest
import torch

from reid.common.errors import InputError
from reid.training.sampling import SAMPLINGS, balanced, counted, drawn

LABELS = torch.tensor([3, 0, 3, 1, 1, 0, 3, 2, 1, 0] * 20 + [4])  # the last image is the only one of its class


@pytest.mark.parametrize("name", SAMPLINGS)
def test_contract(name):
    rows = SAMPLINGS[name](LABELS, 5, 16, 0)
    assert rows.shape == ((16,) if name in ("single", "balanced") else (32,))
    assert torch.equal(rows, SAMPLINGS[name](LABELS, 5, 16, 0))
    assert not torch.equal(rows, SAMPLINGS[name](LABELS, 5, 16, 1))
    assert not torch.equal(rows, SAMPLINGS[name](LABELS, 6, 16, 0))


def test_balanced_batches_have_four_images_of_each_person():
    """Without repetition where there are four; each of the five people comes once in five batches of one."""
    seen = []
    for iteration in range(50):
        rows = balanced(LABELS, iteration, 4, 0)
        person = int(LABELS[rows[0]])
        assert set(LABELS[rows].tolist()) == {person}
        assert len(set(rows.tolist())) == (1 if person == 4 else 4)
        seen.append(person)
    assert all(sorted(seen[start : start + 5]) == [0, 1, 2, 3, 4] for start in range(0, 50, 5))
    images = {int(row) for iteration in range(200) for row in balanced(LABELS, iteration, 16, 0)}
    assert len(images) > 190, "all of them, sooner or later"
    assert len(set(balanced(torch.tensor([0, 0, 0, 1, 1, 1]), 0, 8, 0).tolist())) == 6, "each before any comes again"


@pytest.mark.parametrize("batch_size", [6, 24])
def test_balanced_batches_that_cannot_be(batch_size):
    with pytest.raises(InputError, match=f"a multiple of 4, and at most 4 times the 5 people .*; got {batch_size}"):
        balanced(LABELS, 0, batch_size, 0)


def pairs(sampling, iteration, count=16):
    first, second = sampling(LABELS, iteration, count, 0).chunk(2)
    return first, second, LABELS[first] == LABELS[second]


def share(sampling, start, count):
    return torch.cat([pairs(sampling, start + i)[2] for i in range(count)]).float().mean()


def test_positive_pairs_become_fewer():
    """By chance 1 / (1 + 1.01^pass), at least a fifth; 201 images are 12.6 passes of 16."""
    passes = 12.5625
    for after in (0, 69, 400):
        expected = 1 / (1 + min(1.01**after, 4))
        assert share(drawn, int(after * passes), 150) == pytest.approx(expected, abs=0.04)


@pytest.mark.parametrize(("epoch", "positive"), [(1, 24), (20, 20), (50, 15), (75, 11), (500, 10), (100_000, 10)])
def test_the_original_counts_its_positive_pairs(epoch, positive):
    """Of 48, as the reference gives them for epochs 1, 20, 50 and 75; later a fifth."""
    first, _, same = pairs(counted, (epoch - 1) * (len(LABELS) // 48), 48)
    only = first == len(LABELS) - 1  # the only image of its class is its own partner
    assert (same & ~only).sum() in (positive, positive - int(only[:positive].sum()))
    assert same[:positive].all()


def test_any_iteration_has_its_pairs():
    for sampling in (drawn, counted):
        assert len(sampling(LABELS[:20], 99_999_999, 16, 0)) == 32


def test_partners_are_any_of_the_class_or_of_another():
    seen = {True: set(), False: set()}
    for iteration in range(600):
        for sampling in (drawn, counted):
            first, second, same = pairs(sampling, iteration)
            if sampling is counted:
                assert not ((first == second) & (first != len(LABELS) - 1)).any(), "never itself"
            for a, b, positive in zip(first.tolist(), second.tolist(), same.tolist(), strict=True):
                if a == 0:
                    seen[positive].add(b)
    people = set(torch.where(LABELS[0] == LABELS)[0].tolist())
    assert seen[True] <= people
    assert len(seen[True]) > 25
    assert not seen[False] & people
    assert len(seen[False]) > 30


def slow_partner(sampling, labels, first):
    """The probability of each second image of a negative pair: an image of another class, the class drawn first in the
    code behind Table 4; any of the images of other classes in the original."""
    others = [image for image in range(len(labels)) if labels[image] != labels[first]]
    if sampling is counted:
        return {image: 1 / len(others) for image in others}
    classes = {int(labels[image]) for image in others}
    return {image: 1 / len(classes) / int((labels == labels[image]).sum()) for image in others}


@pytest.mark.parametrize("sampling", [drawn, counted])
def test_negative_partners_are_as_frequent_as_in_the_recipe(sampling):
    labels = torch.tensor([7, 2, 2, 7, 2, 5, 2, 2])
    found = {image: Counter() for image in range(len(labels))}
    for iteration in range(4000):
        first, second = sampling(labels, iteration, len(labels), 0).chunk(2)
        for a, b in zip(first.tolist(), second.tolist(), strict=True):
            if labels[a] != labels[b]:
                found[a][b] += 1
    for image, counts in found.items():
        expected = slow_partner(sampling, labels, image)
        assert counts.keys() == expected.keys()
        total = counts.total()
        for partner, probability in expected.items():
            deviation = (probability * (1 - probability) / total) ** 0.5
            assert counts[partner] / total == pytest.approx(probability, abs=4 * deviation)


def test_drawn_may_pair_an_image_with_itself():
    assert any((pairs(drawn, i)[0] == pairs(drawn, i)[1]).any() for i in range(300))


def test_first_images_of_the_original_pass_over_all():
    batches = len(LABELS) // 16
    first = torch.cat([pairs(counted, i)[0] for i in range(batches)])
    assert len(first.unique()) == batches * 16


def test_one_person_only():
    for sampling in (drawn, counted):
        with pytest.raises(InputError, match="at least two people"):
            sampling(torch.zeros(40, dtype=torch.long), 0, 16, 0)
