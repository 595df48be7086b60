import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from inputs import weights

from monet_lib.files import UserError
from monet_lib.model.cyclegan import build
from monet_lib.train.run import SUMS, Checkpoints

# TensorFlow takes it for a pattern and knows only UTF-8; of the systems only Linux has names that are not UTF-8.
NAME = os.fsdecode(b"M\xfcnchen [v2]") if sys.platform == "linux" else "München [v2]"


@pytest.fixture
def kept(nano, tmp_path):
    """Checkpoints of steps 2 and 4 in a folder of a name that TensorFlow does not know as it is."""
    checkpoints = Checkpoints(tmp_path / NAME / "checkpoints", build(nano, 1))
    checkpoints.save(2)
    checkpoints.save(4)
    return checkpoints


def names(kept):
    return sorted(f.name for f in kept.folder.iterdir())


def test_a_run_of_any_name_resumes(kept):
    assert kept.restore() == 4
    assert names(kept) == ["step-00000002", "step-00000004"]


def test_a_checkpoint_of_the_first_version_without_sums_is_read_and_a_cut_one_is_one_line(kept):
    for folder in kept.saved():
        (folder / SUMS).unlink()
    assert kept.restore() == 4
    cut(state_of(kept.folder / "step-00000004"), 500)
    with pytest.raises(UserError, match="step-00000004: not a readable checkpoint .* remove this folder to resume"):
        kept.restore()


def state_of(folder):
    return next(folder.glob("*.data*"))


def cut(file, size):
    file.write_bytes(file.read_bytes()[:size])


@pytest.mark.parametrize(
    ("hurt", "found"),
    [
        (lambda folder: cut(state_of(folder), 0), "the checksum of state.data-00000-of-00001 is wrong"),
        (lambda folder: cut(state_of(folder), -1), "the checksum of state.data-00000-of-00001 is wrong"),
        (lambda folder: (folder / "state.index").unlink(), "state.index is missing"),
        (lambda folder: [file.unlink() for file in folder.iterdir()], "no files in it"),
        *(
            (lambda folder, text=text: (folder / SUMS).write_text(text), f"{SUMS} is damaged")
            for text in ("{", "{}", "[1]")
        ),
    ],
)
def test_a_damaged_checkpoint_is_set_aside_with_the_proof_and_the_one_before_used(kept, capsys, hurt, found):
    hurt(kept.folder / "step-00000004")
    assert kept.restore() == 2
    assert f"step-00000004: damaged ({found})" in capsys.readouterr().out
    assert names(kept) == ["damaged-step-00000004", "step-00000002"]


def test_an_error_of_the_reader_is_no_damage(kept, monkeypatch):
    def read(self, path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tf.train.Checkpoint, "read", read)
    with pytest.raises(UserError, match="step-00000004: can't be read .Permission denied"):
        kept.restore()
    assert names(kept) == ["step-00000002", "step-00000004"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (tf.errors.ResourceExhaustedError(None, None, "x/state; No space left on device"), "No space left .* Free"),
        (tf.errors.UnknownError(None, None, "x/state; Disk quota exceeded"), "Disk quota exceeded.* Free space"),
        (tf.errors.PermissionDeniedError(None, None, "x/state; Permission denied"), "Permission denied.* permissions"),
        (tf.errors.UnknownError(None, None, "x/state; Input/output error"), "Input/output error.* disk or the network"),
        (tf.errors.UnknownError(None, None, "x/state; File too large"), "File too large.* files of this size"),
        (tf.errors.InternalError(None, None, "BundleWriter is closed\nstack"), "BundleWriter is closed.* Look at"),
    ],
)
def test_tensorflows_errors_of_a_disk_are_told_as_they_are(kept, monkeypatch, error, said):
    def write(self, path):
        Path(f"{path}.data-00000-of-00001").write_bytes(b"half")
        raise error

    monkeypatch.setattr(tf.train.Checkpoint, "write", write)
    with pytest.raises(UserError, match=f"step-00000006: can't be written .{said}.* What was there before is kept"):
        kept.save(6)
    assert names(kept) == ["step-00000002", "step-00000004"]


def test_the_best_of_an_earlier_version_is_recovered_and_a_users_copies_stay(kept):
    kept.save_best(2, 0.125)
    for name, copy in (("best", "best.old"), ("step-00000002", "step-00000001.old"), ("step-00000004",) * 2):
        (kept.folder / name).rename(kept.folder / copy)
    shutil.copytree(kept.folder / "step-00000004", kept.folder / "step-00000004.old")
    assert Checkpoints(kept.folder, kept.model).restore() == 4
    assert names(kept) == ["best", "step-00000001.old", "step-00000004", "step-00000004.old"]


def test_the_last_ones_are_never_set_aside_and_ones_set_aside_are_no_new_run(kept):
    for folder in kept.saved():
        cut(state_of(folder), 0)
    with pytest.raises(UserError, match="no whole checkpoint is left .step-00000004: the checksum"):
        kept.restore()
    assert names(kept) == ["step-00000002", "step-00000004"]
    for folder in kept.saved():
        folder.rename(folder.with_name(f"damaged-{folder.name}"))
    with pytest.raises(UserError, match="no whole checkpoint is left"):
        kept.restore()


def test_a_step_can_be_damaged_twice(kept):
    for _ in range(2):
        cut(state_of(kept.folder / "step-00000004"), 0)
        assert kept.restore() == 2
        kept.save(4)
    assert names(kept) == ["damaged-step-00000004", "step-00000002", "step-00000004"]


def test_the_latest_three_are_kept(kept):
    kept.save(6)
    kept.save(8)
    assert names(kept) == ["step-00000004", "step-00000006", "step-00000008"]


def test_copies_beside_the_checkpoints_are_none(kept):
    shutil.copytree(kept.folder / "step-00000002", kept.folder / "step-00000009 (1)")
    shutil.make_archive(str(kept.folder / "step-00000008"), "zip", kept.folder / "step-00000002")
    assert kept.restore() == 4


def test_the_best_is_loaded_on_request(kept):
    model, generator = kept.model, kept.model.monet_generator
    model.generator_optimizer.iterations.assign(2)
    at_two = weights(generator)
    kept.save(2)
    kept.save_best(2, 0.125)
    generator.set_weights([w + 1 for w in generator.get_weights()])
    kept.save(6)
    kept.load(kept.folder / "best")
    assert int(model.step) == 2
    np.testing.assert_array_equal(weights(generator), at_two)
    assert kept.restore() == 6
    np.testing.assert_array_equal(weights(generator), at_two + 1)
