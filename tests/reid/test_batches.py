import torch

from reid.randomness.batches import draw
from reid.randomness.seeds import seed_for


def test_a_pass_has_every_row_once():
    rows = torch.cat([draw(20, iteration, 4, seed=3) for iteration in range(5)])
    assert sorted(rows.tolist()) == list(range(20))


def test_passes_and_seeds_differ():
    first = draw(20, 0, 4, seed=3)
    assert torch.equal(draw(20, 0, 4, seed=3), first)
    assert not torch.equal(draw(20, 5, 4, seed=3), first)
    assert not torch.equal(draw(20, 0, 4, seed=4), first)


def test_what_does_not_fill_a_batch_waits_for_the_next_pass():
    rows = torch.cat([draw(11, iteration, 4, seed=0) for iteration in range(2)])
    assert len(rows.unique()) == 8


def test_seeds_are_fixed_by_their_name_everywhere():
    assert seed_for(0, "pose", "a.jpg", 1) == 7414444883228236031
    assert seed_for(0, "a", 1) != seed_for(0, "a", 11)
    assert 0 <= seed_for("x") < 2**63
