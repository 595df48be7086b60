"""A run resumes with other settings where its steps stay the same, and says in words what would change them."""

import json

import numpy as np
import pytest
from inputs import make_data, rows, weights

from monet_lib.files import UserError
from monet_lib.train import train
from monet_lib.train.run import Run


def opened(folder, config, photos=("a", "b"), monets=("c",)):
    return Run.open(folder, config, folder.parent, {"monet": (list(monets), None), "photo": (list(photos), None)})


@pytest.fixture
def run(nano, tmp_path):
    """A run of 9 steps that was trained to step 5."""
    found = opened(tmp_path / "run", nano.with_(steps=9))
    (found.folder / "checkpoints" / "step-00000005").mkdir(parents=True)
    return found


@pytest.mark.parametrize(
    "changes",
    [{"seed": 1}, {"image_size": 64}, {"crop": 64}, {"flip": False}, {"rotate": True}, {"batch_size": 2},
     {"holdout_monets": 1}, {"holdout_photos": 1}, {"model": "unet"}, {"generator_filters": 3}, {"norm": "none"},
     {"adversarial": "hinge"}, {"cycle_weight": 1.0}, {"r1_weight": 1.0}, {"diff_augment": "color"},
     {"generator_rate": 1e-3}, {"beta_1": 0.9}, {"decay_from": 0.1}, {"fit_schedule": True}, {"pool_size": 3},
     {"ema": 0.5}, {"precision": "mixed_bfloat16"}],
    ids=lambda changes: next(iter(changes)),
)  # fmt: skip
def test_other_mathematics_is_refused_and_named(changes, run):
    before = (run.folder / "config.json").read_bytes()
    ((name, value),) = changes.items()
    then = run.config.settings()[name]
    with pytest.raises(UserError, match=f"holds a run that was trained with {name} {then!r}, not {value!r}. Train as"):
        opened(run.folder, run.config.with_(**changes))
    assert (run.folder / "config.json").read_bytes() == before


def test_other_images_and_fewer_steps_are_told_in_words(run):
    with pytest.raises(UserError, match="run: holds a run that was trained on 2 other photos, with seed 0, not 1. "):
        opened(run.folder, run.config.with_(seed=1), photos=["a", "b2"])
    with pytest.raises(UserError, match="trained on 1 other painting, to step 5, not 4"):
        opened(run.folder, run.config.with_(steps=4), monets=["c", "d"])
    with pytest.raises(UserError, match="trained on 2 other photos"):  # another order gives other batches
        opened(run.folder, run.config, photos=["b", "a"])


def test_other_housekeeping_is_taken_over(run, capsys):
    changes = {"keep": 7, "log_every": 3, "patience": 2, "checkpoint_every": 4, "profile": "mine", "epochs": 9,
               "features": "squeezenet", "steps": 12}  # fmt: skip
    again = opened(run.folder, run.config.with_(**changes))
    assert Run.load(run.folder).config == again.config == run.config.with_(**changes)
    assert "12 steps, not 9: the learning rates now fall from step 6 on and reach zero" in capsys.readouterr().out
    opened(run.folder, again.config)
    assert capsys.readouterr().out == ""
    (run.folder / "validation.csv").write_text("step")
    with pytest.raises(UserError, match="with features 'squeezenet', not 'random-conv'"):
        opened(run.folder, again.config.with_(features="random-conv"))


def test_a_run_without_a_step_takes_any_settings(nano, tmp_path):
    opened(tmp_path / "run", nano)
    opened(tmp_path / "run", nano.with_(batch_size=2))
    assert Run.load(tmp_path / "run").config.batch_size == 2


def test_a_folder_of_other_files_is_no_run(nano, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".writing-1234").write_text("left by a killed start")
    assert opened(tmp_path / "run", nano).data == opened(tmp_path / "run", nano).data
    assert [f.name for f in (tmp_path / "run").iterdir()] == ["config.json"]
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    with pytest.raises(UserError, match="exists and is no run"):
        opened(tmp_path / "other", nano)
    assert [f.name for f in (tmp_path / "other").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"config": 1, "data": 2}', '{"config": {}, "data": {"folder": "x"}}']
)
def test_a_missing_and_a_damaged_config_are_one_line(tmp_path, text):
    with pytest.raises(UserError, match="no run is there"):
        Run.load(tmp_path)
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(UserError, match="config.json: not a readable run's config .* Restore it"):
        Run.load(tmp_path)


@pytest.mark.usefixtures("eagerly")
def test_more_steps_give_the_weights_of_a_run_that_was_as_long_from_the_start(nano, tmp_path):
    """Of two steps and of four, the first two are at the full rate: the schedule follows the new length."""
    data = make_data(tmp_path / "data")
    for steps in (2, 4):
        longer = train(nano.with_(steps=steps, keep=steps, log_every=3 - steps // 2), data, tmp_path / "longer")
    whole = train(nano.with_(steps=4), data, tmp_path / "whole")
    np.testing.assert_array_equal(weights(longer), weights(whole))
    assert json.loads((tmp_path / "longer" / "config.json").read_text())["config"]["steps"] == 4
    assert [row["step"] for row in rows(tmp_path / "longer")] == ["2", "3", "4"]
