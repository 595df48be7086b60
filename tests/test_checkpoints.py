import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from monet_lib.files import UserError
from monet_lib.model.cyclegan import build
from monet_lib.model.generators import generator_of
from monet_lib.model.weights import save_generator
from monet_lib.train.checkpoints import SUMS, Checkpoints
from monet_lib.train.run import Run


@pytest.fixture
def kept(nano, tmp_path):
    """Checkpoints of steps 2 and 4 in a folder whose name TensorFlow takes for a pattern."""
    checkpoints = Checkpoints(tmp_path / "run [v2]" / "checkpoints", build(nano, 1))
    checkpoints.save(2)
    checkpoints.save(4)
    return checkpoints


def names(kept):
    return sorted(f.name for f in kept.folder.iterdir())


def test_a_run_of_any_name_resumes(kept):
    assert kept.restore() == 4
    assert names(kept) == ["step-00000002", "step-00000004"]


@pytest.mark.parametrize("share", [0, 0.02, 0.5, 0.999])
def test_a_cut_checkpoint_is_set_aside_and_the_one_before_used(kept, capsys, share):
    state = next((kept.folder / "step-00000004").glob("*.data*"))
    state.write_bytes(state.read_bytes()[: int(state.stat().st_size * share)])
    assert kept.restore() == 2
    assert "step-00000004: damaged (the checksum of state.data" in capsys.readouterr().out
    assert names(kept) == ["damaged-step-00000004", "step-00000002"]


def test_a_checkpoint_of_the_first_version_without_sums_is_read_and_a_cut_one_is_one_line(kept):
    for folder in kept.saved():
        (folder / SUMS).unlink()
    assert kept.restore() == 4
    state = next((kept.folder / "step-00000004").glob("*.data*"))
    state.write_bytes(state.read_bytes()[:500])
    with pytest.raises(UserError, match="step-00000004: not a readable checkpoint .* remove this folder to resume"):
        kept.restore()


@pytest.mark.parametrize(
    ("hurt", "found"),
    [
        (lambda folder: (folder / "state.index").unlink(), "state.index is missing"),
        (lambda folder: [file.unlink() for file in folder.iterdir()], "no files in it"),
        (lambda folder: (folder / SUMS).write_text("{"), f"{SUMS} is damaged"),
        (lambda folder: (folder / SUMS).write_text("{}"), f"{SUMS} is damaged"),
        (lambda folder: (folder / SUMS).write_text("[1]"), f"{SUMS} is damaged"),
    ],
)
def test_what_proves_a_checkpoint_damaged_is_named(kept, capsys, hurt, found):
    hurt(kept.folder / "step-00000004")
    assert kept.restore() == 2
    assert f"damaged ({found})" in capsys.readouterr().out
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


def test_the_last_ones_are_never_set_aside(kept):
    for folder in kept.saved():
        next(folder.glob("*.data*")).write_bytes(b"")
    with pytest.raises(UserError, match="no whole checkpoint is left .step-00000004: the checksum"):
        kept.restore()
    assert names(kept) == ["step-00000002", "step-00000004"]


def test_ones_set_aside_are_no_new_run(kept):
    for folder in kept.saved():
        folder.rename(folder.with_name(f"damaged-{folder.name}"))
    with pytest.raises(UserError, match="no whole checkpoint is left"):
        kept.restore()


def test_a_step_can_be_damaged_twice(kept):
    for _ in range(2):
        next((kept.folder / "step-00000004").glob("*.data*")).write_bytes(b"")
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


def test_the_best_generator_paints_and_says_so(kept, nano, capsys):
    folder = kept.folder.parent
    best, last = generator_of(nano), generator_of(nano)
    best.set_weights([w + 1 for w in last.get_weights()])
    save_generator(folder / "generator.npz", best, nano)
    kept.save_best(2, 0.125)
    save_generator(folder / "generator.npz", last, nano)
    run = Run(folder, nano, {})
    for got, right in zip(run.generator()[0].get_weights(), best.get_weights(), strict=True):
        np.testing.assert_array_equal(got, right)
    assert "the best generator by validation (step 2, KID 0.12500)" in capsys.readouterr().out
    for got, right in zip(run.last_generator()[0].get_weights(), last.get_weights(), strict=True):
        np.testing.assert_array_equal(got, right)
    assert json.loads((kept.folder / "best" / "score.json").read_text()) == {"step": 2, "score": 0.125}


def test_lines_of_a_table_that_cannot_be_read_are_left_out(nano, tmp_path, capsys):
    run = Run(tmp_path, nano, {})
    run.write_table("history.csv", ["step", "a"], [[1, 0.5], ["x", "x"], [2, ""], [3, 0.25], [4, 0.125]])
    with open(tmp_path / "history.csv", "ab") as file:
        file.write(bytes(200))  # what a power cut leaves on some disks
    assert run.table("history.csv", ["step", "a"], 3) == [["1", "0.5"], ["3", "0.25"]]
    assert "2 lines that can't be read" in capsys.readouterr().out


def test_the_best_is_loaded_on_request(kept):
    model = kept.model
    assert kept.restore_best() == 0
    model.generator_optimizer.iterations.assign(2)
    at_two = [w.numpy() for w in model.monet_generator.trainable_weights]
    kept.save(2)
    kept.save_best(2, 0.125)
    for w in model.monet_generator.trainable_weights:
        w.assign(w + 1.0)
    kept.save(6)
    assert kept.restore_best() == 2
    for w, expected in zip(model.monet_generator.trainable_weights, at_two, strict=True):
        np.testing.assert_array_equal(w.numpy(), expected)
    assert kept.restore() == 6
    for w, expected in zip(model.monet_generator.trainable_weights, at_two, strict=True):
        np.testing.assert_array_equal(w.numpy(), expected + 1.0)
