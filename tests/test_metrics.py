import numpy as np
import pytest
from scipy.linalg import sqrtm

from monet_lib.files import UserError
from monet_lib.score import metrics
from monet_lib.score.metrics import diversity, frechet_distance, kernel_distance, memorization_distance, mifid


def features(rows, columns, seed=0, shift=0.0):
    """Correlated float32 features, as a network gives them."""
    rng = np.random.default_rng([seed, rows])
    mixing = np.random.default_rng(columns).normal(0, columns**-0.5, (columns, columns))
    return (rng.normal(shift, 1, (rows, columns)) @ mixing).astype(np.float32)


def moments(x):
    return x.astype(np.float64).mean(0), np.atleast_2d(np.cov(x.astype(np.float64), rowvar=False))


@pytest.mark.parametrize(("generated", "real", "columns"), [(400, 300, 64), (90, 2000, 64), (65, 66, 64), (30, 40, 1)])
def test_frechet_distance_is_that_of_scipys_matrix_square_root(generated, real, columns):
    g, r = features(generated, columns, 1, 0.3), features(real, columns, 2)
    (mean_g, cov_g), (mean_r, cov_r) = moments(g), moments(r)
    expected = np.sum((mean_g - mean_r) ** 2) + np.trace(cov_g + cov_r - 2 * sqrtm(cov_g @ cov_r).real)
    assert frechet_distance(g, r) == pytest.approx(expected, rel=1e-6)


def test_frechet_distance_with_fewer_images_than_features_is_that_of_the_eigenvalues():
    g, r = features(375, 512, 1, 0.2), features(75, 512, 2)
    (mean_g, cov_g), (mean_r, cov_r) = moments(g), moments(r)
    values, vectors = np.linalg.eigh(cov_r)
    root = vectors[:, -74:] * np.sqrt(values[-74:])  # the other 438 eigenvalues are 0 but for rounding
    trace = np.sqrt(np.linalg.eigvalsh(root.T @ cov_g @ root)).sum()
    expected = np.sum((mean_g - mean_r) ** 2) + np.trace(cov_g) + np.trace(cov_r) - 2 * trace
    assert frechet_distance(g, r) == pytest.approx(expected, rel=1e-6)
    assert frechet_distance(r, g) == pytest.approx(expected, rel=1e-6)


def test_frechet_distance_of_a_set_to_itself_is_zero_in_any_order():
    for seed in range(20):  # what is 0 may come out below 0 by rounding, and is 0 then
        assert 0 <= frechet_distance(features(10, 20, seed), features(10, 20, seed)[::-1]) < 1e-6


def test_kernel_distance_is_the_triple_loop():
    g, r = features(7, 5, 1, 0.5).astype(float), features(7, 5, 2).astype(float)

    def kernel(x, y):
        return (sum(x[k] * y[k] for k in range(5)) / 5 + 1) ** 3

    expected = 0.0
    for i in range(7):
        for j in range(7):
            if i != j:
                expected += (kernel(g[i], g[j]) + kernel(r[i], r[j])) / (7 * 6)
            expected -= 2 * kernel(g[i], r[j]) / (7 * 7)
    mean, deviation = kernel_distance(g, r, subsets=3)
    assert mean == pytest.approx(expected, abs=1e-10)
    assert deviation < 1e-10  # every draw takes all 7


def test_kernel_distance_has_no_bias_and_is_seeded():
    g, r, far = features(400, 16, 1), features(300, 16, 2), features(300, 16, 3, 0.5)
    same, deviation = kernel_distance(g, r, size=100)
    assert abs(same) < deviation
    assert kernel_distance(g, far, size=100)[0] > 20 * abs(same)
    assert kernel_distance(g, r, 10, 50, seed=1) == kernel_distance(g, r, 10, 50, seed=1)
    assert kernel_distance(g, r, 10, 50, seed=1) != kernel_distance(g, r, 10, 50, seed=2)
    with pytest.raises(UserError, match="size >= 2"):
        kernel_distance(g, r, size=1)


def test_memorization_is_the_mean_over_generated_of_the_nearest_training_image(monkeypatch):
    copies, train = np.array([[2.0, 0, 0], [-3, 0, 0]]), np.eye(3)
    # Every generated image copies one painting.
    assert memorization_distance(copies, train) == pytest.approx(0, abs=1e-12)
    # The other orientation asks whether every painting was copied, and two of the three were not.
    assert memorization_distance(train, copies) == pytest.approx(2 / 3)
    assert memorization_distance(np.zeros((2, 3)), train) == pytest.approx(1)
    g, t = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (features(53, 8, 1), features(31, 8, 2)))
    monkeypatch.setattr(metrics, "BLOCK", 70)  # two rows at a time
    assert memorization_distance(g, t) == pytest.approx((1 - np.abs(g @ t.T)).min(1).mean(), rel=1e-5)


def test_mifid_jumps_at_the_threshold():
    assert mifid(50.0, 0.25) == pytest.approx(50)
    assert mifid(50.0, 0.1) == pytest.approx(50)
    assert mifid(50.0, 0.0999) == pytest.approx(500.5, rel=1e-4)
    assert mifid(50.0, 0.2, threshold=0.3) == pytest.approx(250)
    assert mifid(1.0, 0.0) == pytest.approx(1e14)
    with pytest.raises(UserError, match="0 or more"):
        mifid(float("nan"), 0.5)


NAN, INFINITE = np.ones((3, 4)), np.ones((3, 4))
NAN[1, 2], INFINITE[2, 0] = np.nan, np.inf


@pytest.mark.parametrize("function", [frechet_distance, kernel_distance, memorization_distance])
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (NAN, r"NaN or infinity \(row 1\)"),
        (INFINITE, r"NaN or infinity \(row 2\)"),
        (np.ones(4), r"shape \(4,\)"),
        (np.ones((2, 1, 1, 4)), "shape"),
        (np.ones((1, 4)), "1 image. At least 2"),
        (np.ones((0, 4)), "0 images"),
        (np.ones((5, 3)), "features against"),
    ],
)
def test_meaningless_features_are_refused_in_one_line(function, bad, message):
    for pair in ((bad, np.ones((5, 4))), (np.ones((5, 4)), bad)):
        with pytest.raises(UserError, match=message) as caught:
            function(*pair)
        assert "\n" not in str(caught.value)


def test_diversity_is_the_spread_of_coarse_images_over_images():
    """Half the mean squared difference of all pairs is the variance: an independent way to the same number."""
    images = np.random.default_rng(0).normal(size=(6, 16, 24, 3))
    coarse = [x.reshape(8, 2, 8, 3, 3).mean((1, 3)) for x in images]
    pairs = [((a - b) ** 2).mean() for a in coarse for b in coarse]
    assert diversity(images) == pytest.approx(np.sqrt(np.mean(pairs) / 2))
    assert diversity(np.repeat(images[:1], 5, 0)) == pytest.approx(0, abs=1e-12)
    assert diversity(2 * images, images) == pytest.approx(2)
    with pytest.raises(ValueError, match="don't divide"):
        diversity(images[:, :15])
