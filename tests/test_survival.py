"""What training does when something breaks around it: one line that names it, and nothing lost."""

import dataclasses
import itertools

import numpy as np
import pytest
import tensorflow as tf
from inputs import make_data

from monet_lib import cli
from monet_lib.files import UserError
from monet_lib.model.weights import load_generator
from monet_lib.train import loop, validation
from monet_lib.train.checkpoints import Checkpoints
from monet_lib.train.loop import train
from monet_lib.train.run import Run


def weights(model):
    return np.concatenate([np.ravel(w) for w in model.get_weights()])


def names(run):
    return sorted(p.name for p in (run / "checkpoints").iterdir())


@pytest.mark.usefixtures("eagerly")
def test_nan_in_the_data_is_named_and_the_run_resumes_without_it(data_folder, nano, tmp_path, monkeypatch):
    config, run, sound = nano.with_(steps=3, checkpoint_every=1), tmp_path / "run", loop.training_data
    whole = train(config, data_folder, tmp_path / "whole")

    def damaged(batches, start, stop):
        steps = tf.data.Dataset.range(start, stop)
        return tf.data.Dataset.zip(steps, sound(batches, start, stop)).map(
            lambda step, pair: (tf.where(step == 1, np.nan, pair[0]), pair[1])
        )

    monkeypatch.setattr(loop, "training_data", damaged)
    with pytest.raises(UserError, match=r"run: step 2, loss \w+ is nan. .*the last checkpoint is from before"):
        train(config, data_folder, run)
    assert names(run) == ["step-00000001"]
    assert all(np.isfinite(w).all() for w in load_generator(run / "generator.npz")[0].get_weights())
    monkeypatch.undo()
    np.testing.assert_array_equal(weights(train(config, data_folder, run)), weights(whole))


@pytest.mark.usefixtures("eagerly")
def test_weights_that_are_not_finite_are_not_saved(data_folder, nano, tmp_path):
    """A gradient can overflow under a finite loss: the next step would tell, but the checkpoint comes first."""
    import keras

    class Overflow(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1:
                variable = self.model.photo_discriminator.trainable_variables[0]
                variable.assign(np.full(variable.shape, np.inf, "float32"))

    with pytest.raises(UserError, match="step 2, weights .* are not finite, and not saved"):
        train(nano.with_(steps=3, checkpoint_every=1), data_folder, tmp_path / "run", callbacks=[Overflow()])
    assert names(tmp_path / "run") == ["step-00000001"]


@pytest.mark.usefixtures("eagerly")
def test_a_full_disk_stops_with_one_line_and_loses_nothing(data_folder, tmp_path, capsys):
    """A limit on the size of files stands in for the disk: the kernel refuses the write half-way, as it would there."""
    resource = pytest.importorskip("resource", reason="Windows knows no limit on the size of files")
    run = tmp_path / "run"
    command = ["train", "--data", str(data_folder), "--profile", "tiny", "--steps", "2", "--out", str(run)]
    for setting in ("image_size=32", "generator_filters=2", "discriminator_filters=2", "log_every=1",
                    "checkpoint_every=1", "residual_blocks=1"):  # fmt: skip
        command += ["--set", setting]
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, before[1]))  # room for the generator, not for a checkpoint
    try:
        assert cli.main(command) == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    said = capsys.readouterr().err
    told = [line for line in said.splitlines() if line.startswith("monet: ")]
    assert len(told) == 1, said
    assert "step-00000001: can't be written" in told[0]
    assert "What was there before is kept" in told[0]
    assert "Traceback" not in said
    assert names(run) == []
    assert cli.main(command) == 0
    assert names(run) == ["step-00000001", "step-00000002"]


class Killed(BaseException):
    """What nothing in training catches."""


@pytest.mark.usefixtures("eagerly")
def test_a_kill_around_a_score_loses_neither_it_nor_the_best(nano, tmp_path, monkeypatch):
    """Each score is a better one, so that each is kept as the best: of step 1, and of the last step, 2."""
    config = nano.with_(steps=2, holdout_monets=2, holdout_photos=2, validate_every=1, checkpoint_every=1)
    real = validation.compare
    monkeypatch.setattr(validation, "compare", lambda network, painted, *others: dataclasses.replace(
        real(network, painted, *others), kid=float(-painted.mean())))  # fmt: skip
    monkeypatch.setattr(validation, "_rank", lambda row: -float(row[0]))
    data = make_data(tmp_path / "data", monets=5)
    train(config, data, tmp_path / "whole")

    def killed(owner, name, step):
        call = getattr(owner, name)

        def until(self, *args):
            if (args[0] == step) if name == "save_best" else (args[0] == "validation.csv" and len(args[2]) == step):
                raise Killed
            return call(self, *args)

        return until

    before_it_is_kept, before_its_row = (Checkpoints, "save_best"), (Run, "write_table")
    for step, (owner, name) in itertools.product((1, 2), (before_it_is_kept, before_its_row)):
        run = tmp_path / f"{name} {step}"
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, killed(owner, name, step))
            with pytest.raises(Killed):
                train(config, data, run)
        train(config, data, run)
        for file in (
            "validation.csv",
            "checkpoints/best/score.json",
            "checkpoints/best/generator.npz",
            "generator.npz",
        ):
            assert (run / file).read_bytes() == (tmp_path / "whole" / file).read_bytes(), (run.name, file)
