"""`train`, end to end on small networks: what a run leaves, exact resuming, and one line for what goes wrong."""

import json
import signal
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest
import tensorflow as tf
from inputs import SMALL, At, ctrl_c, make_data, rows, weights
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from monet_lib import cli
from monet_lib.data.batches import hold_out, load_pair
from monet_lib.files import UserError, sha256_of
from monet_lib.model.cyclegan import LOSSES, CycleGAN, build
from monet_lib.model.networks import generator_of
from monet_lib.model.weights import load_generator, load_networks, save_generator, save_networks
from monet_lib.paint import paint
from monet_lib.score.metrics import scene_kept
from monet_lib.train import train
from monet_lib.train.loop import FEW
from monet_lib.train.watch import Validator


def checkpoints(run):
    return sorted(p.name for p in (run / "checkpoints").iterdir())


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
    (tmp_path / "parts" / "generator.npz").unlink()
    train(config, data_folder, tmp_path / "parts")
    assert f"trained to its last step, {steps}, already" in capsys.readouterr().out
    assert sha256_of(tmp_path / "parts" / "generator.npz") == sha256_of(tmp_path / "whole" / "generator.npz")


def filled(network, value):
    """Gives the first weights of the model's network one value."""

    def fill(model):
        variable = getattr(model, network).trainable_variables[0]
        variable.assign(np.full(variable.shape, value, "float32"))

    return fill


@pytest.mark.usefixtures("eagerly")
def test_a_loss_that_is_not_finite_stops_training_and_the_run_resumes_from_before(data_folder, nano, tmp_path):
    config, run = nano.with_(steps=4), tmp_path / "run"
    whole = train(config, data_folder, tmp_path / "whole")
    with pytest.raises(UserError, match=r"run: step 4, loss \w+ is nan. .*the last checkpoint is from before"):
        train(config, data_folder, run, callbacks=[At(3, filled("monet_generator", np.nan))])
    assert checkpoints(run) == ["step-00000002"]
    assert np.isfinite(weights(load_generator(run / "generator.npz")[0])).all()
    np.testing.assert_array_equal(weights(train(config, data_folder, run)), weights(whole))


@pytest.mark.usefixtures("eagerly")
def test_weights_that_are_not_finite_are_not_saved(data_folder, nano, tmp_path):
    """A gradient can overflow under a finite loss: the next step would tell, but the checkpoint comes first."""
    config, overflow = nano.with_(steps=3, checkpoint_every=1), At(2, filled("photo_discriminator", np.inf))
    with pytest.raises(UserError, match="step 2, weights .* are not finite, and not saved"):
        train(config, data_folder, tmp_path / "run", callbacks=[overflow])
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
    generator, file = generator_of(nano), tmp_path / "g.npz"
    save_generator(file, generator, nano)
    again, config = load_generator(file)
    assert config == nano
    np.testing.assert_array_equal(weights(again), weights(generator))
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.npy", bytes(1 << 27))
    with pytest.raises(UserError, match="would unpack to .* a bomb"):
        load_generator(file)
    file.write_bytes(b"PK")
    with pytest.raises(UserError, match="not a readable generator file"):
        load_generator(file)
    for config in (np.array([{}], dtype=object), "[]", "{"):  # the first is a pickle
        np.savez(file, config=config)
        with pytest.raises(UserError, match="g.npz: not a readable generator file"):
            load_generator(file)
    np.savez(file, config=json.dumps(nano.settings()), w000=np.zeros(3))
    with pytest.raises(UserError, match="g.npz: .* another network than the config"):
        load_generator(file)
    file.unlink()
    with pytest.raises(UserError, match="no such file"):
        load_generator(file)


def test_sigterm_saves_like_ctrl_c_and_before_it_a_second_training_is_refused(data_folder, nano, tmp_path):
    """The real command in a process of its own, stopped as a scheduler stops it."""
    command = [sys.executable, "-m", "monet_lib.cli", "train", "--data", str(data_folder), *SMALL, "--steps", "100000",
               "--set", "log_every=1", "--out", str(tmp_path / "run")]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    history = tmp_path / "run" / "history.csv"
    while process.poll() is None and not (history.exists() and len(history.read_text().splitlines()) > 3):
        time.sleep(0.2)
    try:
        with pytest.raises(UserError, match="run: another process is training this run"):
            train(nano, data_folder, tmp_path / "run")
    finally:
        process.send_signal(signal.SIGTERM)
    assert "and saved; the same command resumes it" in process.communicate(timeout=60)[0]
    assert list((tmp_path / "run" / "checkpoints").glob("step-*"))


NETWORKS = ("monet_generator", "photo_generator", "monet_discriminator", "photo_discriminator")


@pytest.mark.parametrize("half", [False, True], ids=["whole", "half"])
def test_trained_networks_can_be_saved_and_loaded(nano, tmp_path, half):
    """As halves they take less room, and are rounded by at most half a step."""
    trained, model = build(nano.with_(seed=7), steps=1), build(nano, steps=1)
    trained.averaged_generator.set_weights([w + 0.5 for w in trained.averaged_generator.get_weights()])
    save_networks(tmp_path, trained, nano)
    sizes = [file.stat().st_size for file in sorted(tmp_path.iterdir())]
    if half:
        save_networks(tmp_path, trained, nano, half)
        assert all(file.stat().st_size < size for file, size in zip(sorted(tmp_path.iterdir()), sizes, strict=True))
    load_networks(tmp_path, model)
    np.testing.assert_array_equal(weights(model.averaged_generator), weights(model.monet_generator))
    for name in NETWORKS:
        saved = trained.averaged_generator if name == "monet_generator" else getattr(trained, name)
        for got, right in zip(getattr(model, name).get_weights(), saved.get_weights(), strict=True):
            absolute = (0 if name == "monet_generator" else right.std() / 12) + 2**-24
            np.testing.assert_allclose(got, right, rtol=half * 2.0**-11, atol=half * absolute, err_msg=name)


def test_networks_of_another_config_and_damaged_files_are_refused(nano, tmp_path):
    save_networks(tmp_path, build(nano, steps=1), nano)
    for name in ("generator_filters", "discriminator_filters"):
        wider = build(nano.with_(**{name: 2 * getattr(nano, name)}), steps=1)
        with pytest.raises(UserError, match="of another network than the config describes"):
            load_networks(tmp_path, wider)
    (tmp_path / "companions.npz").write_bytes(b"not a zip")
    with pytest.raises(UserError, match="companions.npz: not a readable file of networks"):
        load_networks(tmp_path, build(nano, steps=1))


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
    for name in NETWORKS:
        np.testing.assert_allclose(weights(getattr(resumed, name)), weights(getattr(trained, name)), atol=1e-7)
    with pytest.raises(UserError, match="companions.npz"):
        train(config, data_folder, tmp_path / "another")
