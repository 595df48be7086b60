import csv
import json
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
from inputs import make_data
from PIL import Image

from monet_lib.files import UserError
from monet_lib.model.cyclegan import LOSSES, ConstantThenLinear, build
from monet_lib.model.generators import generator_of
from monet_lib.model.optimizers import pick_precision
from monet_lib.model.weights import load_generator, load_networks, save_generator, save_networks
from monet_lib.train.checkpoints import Checkpoints
from monet_lib.train.loop import FEW, train
from monet_lib.train.run import Run


def weights(model):
    return np.concatenate([np.ravel(w) for w in model.get_weights()])


class StopAt(keras.callbacks.Callback):
    """Ctrl-C after so many steps."""

    def __init__(self, step):
        super().__init__()
        self.step = step

    def on_train_batch_end(self, batch, logs=None):
        if batch + 1 == self.step:
            raise KeyboardInterrupt


def rows(run):
    with open(run / "history.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_learning_rate_is_constant_then_falls_to_zero():
    rate = ConstantThenLinear(2e-4, 100, 200)
    got = [float(rate(step)) for step in (0, 50, 100, 150, 175, 200, 300)]
    assert got == pytest.approx([2e-4, 2e-4, 2e-4, 1e-4, 0.5e-4, 0, 0], abs=1e-10)


@pytest.mark.usefixtures("eagerly")
def test_a_run_leaves_everything_it_promises(data_folder, nano, tmp_path):
    model = train(nano.with_(steps=3), data_folder, tmp_path / "run")
    run = tmp_path / "run"
    assert [int(row["step"]) for row in rows(run)] == [1, 2, 3]
    assert all(np.isfinite(float(row[name])) for row in rows(run) for name in LOSSES)
    assert [p.name for p in Checkpoints(run / "checkpoints", model).saved()] == ["step-00000002", "step-00000003"]
    with Image.open(run / "grids" / "step-00000003.jpg") as grid:
        # Three paintings and five photos make three rows of six images of 256 px, 4 px apart, under 20 px of labels.
        assert grid.size == (6 * 260 - 4, 20 + 3 * 260 - 4)
    assert (run / "losses.png").stat().st_size > 5000
    generator, config = load_generator(run / "generator.npz")
    assert config == nano.with_(steps=3)
    np.testing.assert_array_equal(weights(generator), weights(model.averaged_generator))
    assert json.loads((run / "config.json").read_text())["data"]["photo"]["count"] == 5


@pytest.mark.parametrize(("model", "steps"), [("resnet", FEW + 1), ("unet", FEW)])
def test_the_same_seed_gives_the_same_weights_and_an_interrupted_run_resumes_exactly(
    data_folder, nano, tmp_path, model, steps, capsys
):
    """With dropout, image pool, augmentation, moving average and decaying rates: every kind of state.

    Of one run the steps are traced, of the other there are too few for that; killed U-Nets of many are in test_kill.py.
    """
    config = nano.with_(model=model, steps=steps, diff_augment="color,translation", checkpoint_every=3)
    whole = train(config, data_folder, tmp_path / "whole")
    assert whole.run_eagerly == (steps == FEW)
    train(config, data_folder, tmp_path / "parts", callbacks=[StopAt(5)])
    assert f"stopped at step 5 of {steps} and saved" in capsys.readouterr().out
    parts = train(config, data_folder, tmp_path / "parts")
    assert "resuming at step 5" in capsys.readouterr().out
    np.testing.assert_array_equal(weights(parts), weights(whole))
    first, second = rows(tmp_path / "whole"), rows(tmp_path / "parts")
    assert [[r[n] for n in LOSSES] for r in first] == [[r[n] for n in LOSSES] for r in second]
    train(config, data_folder, tmp_path / "parts")
    assert f"trained to its last step, {steps}, already" in capsys.readouterr().out


@pytest.mark.usefixtures("eagerly")
def test_another_seed_draws_other_weights_and_other_images(data_folder, nano, tmp_path):
    """Images: from the same weights the first step's losses are others."""
    zero = build(nano, steps=1)
    assert (weights(zero) != weights(build(nano.with_(seed=1), steps=1))).any()
    save_networks(tmp_path, zero, nano)
    config = nano.with_(start_from=str(tmp_path), steps=1)
    for seed in (0, 1):
        train(config.with_(seed=seed), data_folder, tmp_path / f"seed-{seed}")
    first, second = (rows(tmp_path / f"seed-{seed}")[0] for seed in (0, 1))
    assert [first[name] for name in LOSSES] != [second[name] for name in LOSSES]


@pytest.mark.usefixtures("eagerly")
def test_a_damaged_checkpoint_is_passed_over(data_folder, nano, tmp_path, capsys):
    config = nano.with_(steps=2, checkpoint_every=1)
    whole = train(config, data_folder, tmp_path / "run")
    newest = tmp_path / "run" / "checkpoints" / "step-00000002"
    state = next(newest.glob("state.data*"))
    data = bytearray(state.read_bytes())
    data[len(data) // 2] ^= 0xFF
    state.write_bytes(data)
    again = train(config, data_folder, tmp_path / "run")
    out = capsys.readouterr().out
    assert "step-00000002: damaged" in out
    assert "resuming at step 1" in out
    np.testing.assert_array_equal(weights(again), weights(whole))


def test_no_whole_checkpoint_left_is_an_error(nano, tmp_path):
    model = build(nano, 1)
    checkpoints = Checkpoints(tmp_path, model)
    checkpoints.save(1)
    for file in (tmp_path / "step-00000001").iterdir():
        file.write_bytes(b"")
    with pytest.raises(UserError, match="no whole checkpoint is left"):
        checkpoints.restore()


def test_a_full_disk_keeps_the_checkpoint_before(nano, tmp_path, monkeypatch):
    checkpoints = Checkpoints(tmp_path, build(nano, 1))
    checkpoints.save(1)

    def full(path):
        (tmp_path / "half").write_bytes(b"x")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints._checkpoint, "write", full)
    with pytest.raises(UserError, match="step-00000002: can't be written .No space left on device"):
        checkpoints.save(2)
    assert [p.name for p in checkpoints.saved()] == ["step-00000001"]
    assert not list(tmp_path.glob(".writing-*"))


def test_only_the_newest_checkpoints_are_kept_and_the_best(nano, tmp_path):
    checkpoints = Checkpoints(tmp_path, build(nano, 1), keep=2)
    for step in (1, 2, 3):
        checkpoints.save(step)
        if step == 1:
            checkpoints.save_best(step, 0.5)
    assert [p.name for p in checkpoints.saved()] == ["step-00000002", "step-00000003"]
    assert json.loads((tmp_path / "best" / "score.json").read_text()) == {"step": 1, "score": 0.5}
    assert list((tmp_path / "best").glob("state.data*"))


@pytest.mark.usefixtures("eagerly")
def test_a_loss_that_is_not_finite_stops_training(data_folder, nano, tmp_path):
    with pytest.raises(UserError, match=r"step \d+, loss \w+ is (nan|inf)"):
        train(nano.with_(steps=50, generator_rate=1.0, cycle_weight=1e4, checkpoint_every=1000, adversarial="hinge",
                         discriminator_rate=1.0, upsample="transpose", norm="batch"),
              data_folder, tmp_path / "run", callbacks=[Poison()])  # fmt: skip


class Poison(keras.callbacks.Callback):
    def on_train_batch_begin(self, batch, logs=None):
        if batch == 1:
            variable = self.model.monet_generator.trainable_variables[0]
            variable.assign(np.full(variable.shape, np.nan, "float32"))


@pytest.mark.usefixtures("eagerly")
def test_another_run_in_the_folder_is_refused(data_folder, nano, tmp_path):
    train(nano.with_(steps=1), data_folder, tmp_path / "run")
    before = (tmp_path / "run" / "config.json").read_bytes()
    with pytest.raises(UserError, match="holds another run .*seed 0, not 1"):
        train(nano.with_(steps=1, seed=1), data_folder, tmp_path / "run")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    with pytest.raises(UserError, match="exists and is no run"):
        train(nano.with_(steps=1), data_folder, tmp_path / "other")
    assert (tmp_path / "run" / "config.json").read_bytes() == before


@pytest.mark.usefixtures("eagerly")
def test_other_images_are_another_run(data_folder, nano, tmp_path):
    train(nano.with_(steps=1), data_folder, tmp_path / "run")
    (data_folder / "photo_jpg" / "photo00.jpg").unlink()
    with pytest.raises(UserError, match="photo with 5 other images"):
        train(nano.with_(steps=1), data_folder, tmp_path / "run", format="jpg")


def test_holdout_images_are_left_out(data_folder, nano, tmp_path):
    with pytest.raises(UserError, match="holdout_monets: 3 of 3 leaves none"):
        train(nano.with_(steps=1, holdout_monets=3), data_folder, tmp_path / "run")


@pytest.mark.usefixtures("eagerly")
def test_validation_keeps_the_best_and_can_stop_early(nano, tmp_path):
    config = nano.with_(steps=9, holdout_monets=2, holdout_photos=2, validate_every=1, patience=2, generator_rate=0.0)
    with pytest.raises(UserError, match="validate_every needs images"):
        config.with_(holdout_monets=0)
    run = tmp_path / "run"
    # Nothing is learnt, so the first score stays the best, and two more without a better one end it.
    model = train(config, make_data(tmp_path / "five", monets=5), run)
    with open(run / "validation.csv", newline="") as file:
        scores = list(csv.DictReader(file))
    assert [int(row["step"]) for row in scores] == [1, 2, 3]
    assert len({row["kid"] for row in scores}) == 1
    assert json.loads((run / "checkpoints" / "best" / "score.json").read_text())["step"] == 1
    assert int(model.step) == 3
    assert (run / "validation.png").stat().st_size > 5000


def test_generator_files(nano, tmp_path):
    generator = generator_of(nano)
    save_generator(tmp_path / "g.npz", generator, nano)
    again, config = load_generator(tmp_path / "g.npz")
    assert config == nano
    np.testing.assert_array_equal(weights(again), weights(generator))
    (tmp_path / "g.npz").write_bytes(b"PK")
    with pytest.raises(UserError, match="not a readable generator file"):
        load_generator(tmp_path / "g.npz")
    np.savez(tmp_path / "pickled.npz", config=np.array([{}], dtype=object))
    with pytest.raises(UserError, match="not a readable generator file"):
        load_generator(tmp_path / "pickled.npz")
    with pytest.raises(UserError, match="no such file"):
        load_generator(tmp_path / "missing.npz")
    with pytest.raises(UserError, match="no run is there"):
        Run.load(tmp_path)


def test_precision_follows_the_processor(monkeypatch):
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    assert pick_precision("float32") == "float32"
    for flags, expected in (
        ("avx2 avx512_bf16", "mixed_bfloat16"),
        ("amx_bf16", "mixed_bfloat16"),
        ("avx2", "float32"),
    ):
        monkeypatch.setattr("monet_lib.model.optimizers.Path.read_text", lambda self, flags=flags: f"flags : {flags}")
        assert pick_precision() == expected
    monkeypatch.setattr("monet_lib.model.optimizers.Path.read_text", lambda self: "flags : amx_bf16")
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    assert pick_precision() == "float32"


def test_sigterm_saves_like_ctrl_c(data_folder, tmp_path):
    """The real command in a process of its own, stopped as a scheduler stops it."""
    command = [sys.executable, "-m", "monet_lib.cli", "train", "--data", str(data_folder), "--profile", "tiny",
               "--steps", "100000", "--set", "log_every=1", "--set", "image_size=32", "--set", "generator_filters=2",
               "--out", str(tmp_path / "run")]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    history = tmp_path / "run" / "history.csv"
    import time

    while process.poll() is None and not (history.exists() and len(history.read_text().splitlines()) > 3):
        time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    out = process.communicate(timeout=60)[0]
    assert "and saved; the same command resumes it" in out
    assert list((tmp_path / "run" / "checkpoints").glob("step-*"))


def test_trained_networks_can_be_saved_and_loaded(nano, tmp_path):
    trained, model = build(nano.with_(seed=7), steps=1), build(nano, steps=1)
    trained.averaged_generator.set_weights([w + 0.5 for w in trained.averaged_generator.get_weights()])
    save_networks(tmp_path, trained, nano)
    load_networks(tmp_path, model)
    assert_equal(model.monet_generator, trained.averaged_generator)
    assert_equal(model.averaged_generator, trained.averaged_generator)
    for name in ("photo_generator", "monet_discriminator", "photo_discriminator"):
        assert_equal(getattr(model, name), getattr(trained, name))
    for name in ("generator_filters", "discriminator_filters"):
        wider = build(nano.with_(**{name: 2 * getattr(nano, name)}), steps=1)
        with pytest.raises(UserError, match="is another network than the config's"):
            load_networks(tmp_path, wider)
    (tmp_path / "companions.npz").write_bytes(b"not a zip")
    with pytest.raises(UserError, match="companions.npz: not a readable file of networks"):
        load_networks(tmp_path, model)


@pytest.mark.usefixtures("eagerly")
def test_a_run_starts_from_trained_networks_and_resumes_without_them(data_folder, nano, tmp_path):
    """At rates of next to nothing, two steps leave the networks as they came; what is resumed is the run's own."""
    trained = build(nano.with_(seed=7), steps=1)
    (tmp_path / "networks").mkdir()
    save_networks(tmp_path / "networks", trained, nano)
    still = {"generator_rate": 1e-9, "discriminator_rate": 1e-9, "ema": 0.0}
    config = nano.with_(start_from=str(tmp_path / "networks"), steps=2, **still)
    first = train(config, data_folder, tmp_path / "run", callbacks=[StopAt(1)])
    (tmp_path / "networks" / "companions.npz").unlink()
    resumed = train(config, data_folder, tmp_path / "run")
    assert (int(first.step), int(resumed.step)) == (1, 2)
    for name in ("monet_generator", "photo_generator", "monet_discriminator", "photo_discriminator"):
        pairs = zip(getattr(resumed, name).get_weights(), getattr(trained, name).get_weights(), strict=True)
        for got, right in pairs:
            np.testing.assert_allclose(got, right, atol=1e-7)
    with pytest.raises(UserError, match="companions.npz"):
        train(config, data_folder, tmp_path / "another")


def assert_equal(network, expected):
    for got, right in zip(network.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(got, right)


def test_networks_saved_as_halves_take_less_room_and_stay_close(nano, tmp_path):
    model = build(nano, steps=1)
    for folder, half in ((tmp_path / "whole", False), (tmp_path / "half", True)):
        folder.mkdir()
        save_networks(folder, model, nano, half)
    again = build(nano.with_(seed=7), steps=1)
    load_networks(tmp_path / "half", again)
    for name in ("monet_generator", "photo_generator", "monet_discriminator", "photo_discriminator"):
        bits = 10 if name == "monet_generator" else 5  # behind the leading one
        pairs = zip(getattr(again, name).get_weights(), getattr(model, name).get_weights(), strict=True)
        for got, right in pairs:
            np.testing.assert_allclose(got, right, rtol=2.0 ** -(bits + 1), atol=2**-24)
    for name in ("monet.npz", "companions.npz"):
        sizes = [(tmp_path / folder / name).stat().st_size for folder in ("half", "whole")]
        assert sizes[0] < sizes[1]
