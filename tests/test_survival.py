"""What training does when something breaks around it: one line that names it, and nothing lost."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from conftest import make_data

from monet_lib.errors import UserError
from monet_lib.networks.weights import load_generator
from monet_lib.training import loop, validation
from monet_lib.training.checkpoints import Checkpoints
from monet_lib.training.loop import train
from monet_lib.training.runs import Run


def weights(model):
    return np.concatenate([np.ravel(w) for w in model.get_weights()])


def names(run):
    return sorted(p.name for p in (run / "checkpoints").iterdir())


@pytest.mark.usefixtures("eagerly")
def test_nan_in_the_data_is_named_and_the_run_resumes_without_it(data_folder, nano, tmp_path, monkeypatch):
    config, run, sound = nano.with_(steps=6), tmp_path / "run", loop.training_data
    whole = train(config, data_folder, tmp_path / "whole")

    def damaged(batches, start, stop):
        steps = tf.data.Dataset.range(start, stop)
        return tf.data.Dataset.zip(steps, sound(batches, start, stop)).map(
            lambda step, pair: (tf.where(step == 2, np.nan, pair[0]), pair[1])
        )

    monkeypatch.setattr(loop, "training_data", damaged)
    with pytest.raises(UserError, match=r"run: step 3, loss \w+ is nan. .*the last checkpoint is from before"):
        train(config, data_folder, run)
    assert names(run) == ["step-00000002"]
    assert all(np.isfinite(w).all() for w in load_generator(run / "generator.npz")[0].get_weights())
    monkeypatch.undo()
    np.testing.assert_array_equal(weights(train(config, data_folder, run)), weights(whole))


@pytest.mark.usefixtures("eagerly")
def test_weights_that_are_not_finite_are_not_saved(data_folder, nano, tmp_path):
    """A gradient can overflow under a finite loss: the next step would tell, but the checkpoint comes first."""
    import keras

    class Overflow(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 3:
                variable = self.model.photo_discriminator.trainable_variables[0]
                variable.assign(np.full(variable.shape, np.inf, "float32"))

    with pytest.raises(UserError, match="step 4, weights .* are not finite, and not saved"):
        train(nano.with_(steps=6), data_folder, tmp_path / "run", callbacks=[Overflow()])
    assert names(tmp_path / "run") == ["step-00000002"]


def test_a_full_disk_stops_with_one_line_and_loses_nothing(data_folder, tmp_path):
    """A limit on the size of files stands in for the disk: the kernel refuses the write half-way, as it would there."""
    run = tmp_path / "run"
    command = [sys.executable, "-m", "monet_lib.cli", "train", "--data", str(data_folder), "--profile", "tiny",
               "--steps", "4", "--out", str(run)]  # fmt: skip
    for setting in ("image_size=32", "generator_filters=2", "discriminator_filters=2", "log_every=1",
                    "checkpoint_every=2", "residual_blocks=1"):  # fmt: skip
        command += ["--set", setting]

    resource = pytest.importorskip("resource", reason="Windows knows no limit on the size of files")

    def limited(kilobytes):
        limit = kilobytes * 1024
        return subprocess.run(command, capture_output=True, text=True, preexec_fn=lambda:
                              resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))  # fmt: skip

    full = limited(64)  # room for the generator and the pictures, not for a checkpoint
    assert full.returncode == 2, full.stderr[-2000:]
    told = [line for line in full.stderr.splitlines() if line.startswith("monet: ")]
    assert len(told) == 1, full.stderr
    assert "step-00000002: can't be written" in told[0]
    assert "What was there before is kept" in told[0]
    assert "Traceback" not in full.stderr
    assert names(run) == []
    assert limited(64 * 1024).returncode == 0
    assert names(run) == ["step-00000002", "step-00000004"]


class Killed(BaseException):
    """What nothing in training catches."""


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("moment", ["before it is kept", "before its row"])
@pytest.mark.parametrize("step", [2, 4])
def test_a_kill_around_a_score_loses_neither_it_nor_the_best(nano, tmp_path, monkeypatch, moment, step):
    """Each score is a better one, so that each is kept as the best: of step 2, and of the last step, 4."""
    config = nano.with_(steps=4, holdout_monets=2, holdout_photos=2, validate_every=2)
    real = validation.compare
    monkeypatch.setattr(validation, "compare", lambda network, painted, *others: dataclasses.replace(
        real(network, painted, *others), kid=float(-painted.mean())))  # fmt: skip
    monkeypatch.setattr(validation, "_rank", lambda row: -float(row[0]))
    data = make_data(tmp_path / "data", monets=5)
    train(config, data, tmp_path / "whole")

    def killed(owner, name):
        call = getattr(owner, name)

        def until(self, *args):
            if (args[0] == step) if name == "save_best" else (args[0] == "validation.csv" and len(args[2]) == step / 2):
                raise Killed
            return call(self, *args)

        return until

    owner, name = (Checkpoints, "save_best") if moment == "before it is kept" else (Run, "write_table")
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, killed(owner, name))
        with pytest.raises(Killed):
            train(config, data, tmp_path / "run")
    train(config, data, tmp_path / "run")
    for file in (
        "validation.csv",
        "checkpoints/best/score.json",
        "checkpoints/best/generator.npz",
        "generator.npz",
    ):
        assert (tmp_path / "run" / file).read_bytes() == (tmp_path / "whole" / file).read_bytes(), file
