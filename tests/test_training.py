"""`train`, end to end on small networks: what a run leaves, exact resuming, and one line for what goes wrong."""

import csv
import json
import signal
import subprocess
import sys
import time
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf
from inputs import make_data
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from monet_lib import cli
from monet_lib.data.batches import load_pair
from monet_lib.files import UserError
from monet_lib.model.cyclegan import LOSSES, ConstantThenLinear, CycleGAN, build
from monet_lib.model.generators import generator_of
from monet_lib.model.optimizers import pick_precision
from monet_lib.model.weights import load_generator, load_networks, save_generator, save_networks
from monet_lib.paint import paint
from monet_lib.score.metrics import scene_kept
from monet_lib.train import Run, train
from monet_lib.train.loop import FEW, hold_out
from monet_lib.train.watch import Validator


def weights(model):
    return np.concatenate([np.ravel(w) for w in model.get_weights()])


class At(keras.callbacks.Callback):
    """Calls do(model) at the end of one step of this session."""

    def __init__(self, step, do):
        super().__init__()
        self.at, self.do = step, do

    def on_train_batch_end(self, batch, logs=None):
        if batch + 1 == self.at:
            self.do(self.model)


def ctrl_c(model):
    raise KeyboardInterrupt


def rows(run, table="history.csv"):
    with open(run / table, newline="") as file:
        return list(csv.DictReader(file))


def checkpoints(run):
    return sorted(p.name for p in (run / "checkpoints").iterdir())


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
    assert checkpoints(run) == ["step-00000002", "step-00000003"]
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
    train(config, data_folder, tmp_path / "parts", callbacks=[At(5, ctrl_c)])
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


@pytest.mark.usefixtures("eagerly")
def test_a_loss_that_is_not_finite_stops_training_and_the_run_resumes_from_before(data_folder, nano, tmp_path):
    config, run = nano.with_(steps=4), tmp_path / "run"
    whole = train(config, data_folder, tmp_path / "whole")

    def poison(model):
        variable = model.monet_generator.trainable_variables[0]
        variable.assign(np.full(variable.shape, np.nan, "float32"))

    with pytest.raises(UserError, match=r"run: step 4, loss \w+ is nan. .*the last checkpoint is from before"):
        train(config, data_folder, run, callbacks=[At(3, poison)])
    assert checkpoints(run) == ["step-00000002"]
    assert np.isfinite(weights(load_generator(run / "generator.npz")[0])).all()
    np.testing.assert_array_equal(weights(train(config, data_folder, run)), weights(whole))


@pytest.mark.usefixtures("eagerly")
def test_weights_that_are_not_finite_are_not_saved(data_folder, nano, tmp_path):
    """A gradient can overflow under a finite loss: the next step would tell, but the checkpoint comes first."""

    def overflow(model):
        variable = model.photo_discriminator.trainable_variables[0]
        variable.assign(np.full(variable.shape, np.inf, "float32"))

    with pytest.raises(UserError, match="step 2, weights .* are not finite, and not saved"):
        train(nano.with_(steps=3, checkpoint_every=1), data_folder, tmp_path / "run", callbacks=[At(2, overflow)])
    assert checkpoints(tmp_path / "run") == ["step-00000001"]


@pytest.mark.usefixtures("eagerly")
def test_too_little_memory_is_one_line_and_smaller_settings_may_follow(data_folder, nano, tmp_path):
    for text, told in (
        ("OOM when allocating tensor\n\twith shape[9]", "enough memory .*batch_size .2., image_size .32. or .*ers .2."),
        ("events.v2; No space left on device", "run: can.t be written .No space left on device.. Free space"),
    ):

        def full(model, text=text):
            raise tf.errors.ResourceExhaustedError(None, None, text)

        with pytest.raises(UserError, match=told):
            train(nano.with_(steps=1, batch_size=2), data_folder, tmp_path / "run", callbacks=[At(1, full)])
    assert int(train(nano.with_(steps=1), data_folder, tmp_path / "run").step) == 1


def test_held_out_images_are_never_trained_on(nano, tmp_path, monkeypatch):
    """Each image has a grey of its own, which shows in every crop of it."""
    for name, count in (("monet", 5), ("photo", 6)):
        (tmp_path / f"{name}_jpg").mkdir()
        for k in range(count):
            Image.new("RGB", (256, 256), (20 * k,) * 3).save(tmp_path / f"{name}_jpg" / f"{k}.jpg")
    seen, scored = {}, {}

    def fit(model, data, callbacks, **options):
        monets, photos = zip(*data.as_numpy_iterator(), strict=True)
        seen.update({name: {round((x.mean() + 1) * 127.5 / 20) for x in batch}
                     for name, batch in (("monet", monets), ("photo", photos))})  # fmt: skip
        (validator,) = (callback for callback in callbacks if isinstance(callback, Validator))
        scored["photo"] = {round(x.mean() / 20) for x in validator.photos}

    monkeypatch.setattr(CycleGAN, "fit", fit)
    config = nano.with_(steps=40, holdout_monets=2, holdout_photos=3, validate_every=50)
    train(config, tmp_path, tmp_path / "run")
    assert [len(seen[name]) for name in ("monet", "photo")] == [3, 3]
    assert seen["photo"] | scored["photo"] == set(range(6))
    with pytest.raises(UserError, match="holdout_monets: 5 of 5 leaves none"):
        train(config.with_(holdout_monets=5), tmp_path, tmp_path / "other")


@pytest.mark.usefixtures("eagerly")
def test_the_generator_that_paints_is_the_one_that_is_scored(nano, tmp_path):
    """The averaged one, with its border. The raw one is changed before the score and paints otherwise."""
    config = nano.with_(steps=2, holdout_monets=2, holdout_photos=2, validate_every=2, border=4)
    data, run = make_data(tmp_path / "data", monets=5), tmp_path / "run"

    def change(model):
        model.monet_generator.set_weights([-w for w in model.monet_generator.get_weights()])

    model = train(config, data, run, callbacks=[At(2, change)])
    photos = hold_out(load_pair(data)["photo"][1], "photo", config)[1]
    (row,) = rows(run, "validation.csv")
    for file in (run / "generator.npz", run / "checkpoints" / "best" / "generator.npz"):
        content = scene_kept(photos, paint(load_generator(file)[0], photos))
        assert float(row["content"]) == pytest.approx(content, abs=1e-4)
    raw = scene_kept(photos, paint(model.monet_generator, photos))
    assert abs(raw - float(row["content"])) > 1e-2


@pytest.mark.usefixtures("eagerly")
def test_validation_keeps_the_best_and_can_stop_early(nano, tmp_path):
    config = nano.with_(steps=9, holdout_monets=2, holdout_photos=2, validate_every=1, patience=2, generator_rate=0.0)
    with pytest.raises(UserError, match="validate_every needs images"):
        config.with_(holdout_monets=0)
    run = tmp_path / "run"
    # Nothing is learnt, so the first score stays the best, and two more without a better one end it.
    model = train(config, make_data(tmp_path / "five", monets=5), run)
    scores = rows(run, "validation.csv")
    assert [int(row["step"]) for row in scores] == [1, 2, 3]
    assert len({row["kid"] for row in scores}) == 1
    assert json.loads((run / "checkpoints" / "best" / "score.json").read_text())["step"] == 1
    assert int(model.step) == 3
    assert (run / "validation.png").stat().st_size > 5000


def losses_of(board):
    events = EventAccumulator(str(board / "train"), {"tensors": 0})
    events.Reload()
    return {e.step: float(tf.make_ndarray(e.tensor_proto)) for e in events.Tensors("batch_cycle")}


@pytest.mark.usefixtures("eagerly")
def test_tensorboard_shows_the_losses_of_each_session(data_folder, nano, tmp_path):
    config, run = nano.with_(steps=3), tmp_path / "run"
    train(config, data_folder, run, tensorboard=True, callbacks=[At(2, ctrl_c)])
    train(config, data_folder, run, tensorboard=True)
    first, second, third = (float(row["cycle"]) for row in rows(run))
    board = run / "tensorboard"
    assert losses_of(board / "from-step-00000000") == pytest.approx({1: first, 2: second}, abs=1e-5)
    assert losses_of(board / "from-step-00000002") == pytest.approx({1: third}, abs=1e-5)


def test_without_tensorboard_one_line_says_what_to_do(data_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    assert cli.main(["train", "--data", str(data_folder), "--tensorboard", "--out", str(tmp_path / "run")]) == 2
    assert capsys.readouterr().err == (
        "monet: tensorboard: not installed. Install it: pip install tensorboard, or train without it.\n"
    )
    assert not (tmp_path / "run").exists()


def test_generator_files(nano, tmp_path):
    generator = generator_of(nano)
    save_generator(tmp_path / "g.npz", generator, nano)
    again, config = load_generator(tmp_path / "g.npz")
    assert config == nano
    np.testing.assert_array_equal(weights(again), weights(generator))
    (tmp_path / "g.npz").write_bytes(b"PK")
    with pytest.raises(UserError, match="not a readable generator file"):
        load_generator(tmp_path / "g.npz")
    for config in (np.array([{}], dtype=object), "[]", "{"):  # the first is a pickle
        np.savez(tmp_path / "other.npz", config=config)
        with pytest.raises(UserError, match="other.npz: not a readable generator file"):
            load_generator(tmp_path / "other.npz")
    np.savez(tmp_path / "other.npz", config=json.dumps(nano.settings()), w000=np.zeros(3))
    with pytest.raises(UserError, match="other.npz: .* another network than the config"):
        load_generator(tmp_path / "other.npz")
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
        with pytest.raises(UserError, match="of another network than the config describes"):
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
    first = train(config, data_folder, tmp_path / "run", callbacks=[At(1, ctrl_c)])
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
        pairs = zip(getattr(again, name).get_weights(), getattr(model, name).get_weights(), strict=True)
        for got, right in pairs:  # rounding by at most half a step
            absolute = 2**-24 if name == "monet_generator" else right.std() / 12
            np.testing.assert_allclose(got, right, rtol=2.0**-11, atol=absolute + 2**-24)
    for name in ("monet.npz", "companions.npz"):
        sizes = [(tmp_path / folder / name).stat().st_size for folder in ("half", "whole")]
        assert sizes[0] < sizes[1]


def test_a_file_that_unpacks_to_a_bomb_is_refused(nano, tmp_path):
    save_generator(tmp_path / "g.npz", build(nano, steps=1).monet_generator, nano)
    with zipfile.ZipFile(tmp_path / "g.npz", "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.npy", bytes(1 << 27))
    with pytest.raises(UserError, match="would unpack to .* a bomb"):
        load_generator(tmp_path / "g.npz")
