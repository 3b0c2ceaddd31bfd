import numpy as np

from reid.training.labelling import label

IDENTITIES = np.array([30, 7, 7, 30, 12, 7])
GENERATED = np.array([False, False, True, True, False, True])


def test_generated_images_have_their_persons_class():
    labels, smoothing, weights, classes = label(IDENTITIES, GENERATED, "inherit", 0.1, 0.25)
    assert weights.tolist() == np.where(GENERATED, 0.25, 1).tolist()
    assert labels.tolist() == [2, 0, 0, 2, 1, 0]
    np.testing.assert_allclose(smoothing, [0, 0, 0.1, 0.1, 0, 0.1])
    assert classes == 3


def test_or_classes_of_their_own():
    labels, _, _, classes = label(IDENTITIES, GENERATED, "separate", 0.0)
    assert labels.tolist() == [2, 0, 3, 5, 1, 3]
    assert classes == 6


def test_real_images_alone_are_labelled_alike_by_every_policy():
    real = np.zeros(6, bool)
    for labelled in ("inherit", "separate"):
        labels, smoothing, weights, classes = label(IDENTITIES, real, labelled, 0.5, 0.25)
        assert (labels.tolist(), classes) == ([2, 0, 0, 2, 1, 0], 3)
        assert not smoothing.any()
        assert (weights == 1).all()
