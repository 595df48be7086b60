"""A kill around a score loses neither the score nor the best checkpoint."""

import itertools

import pytest
from inputs import make_data

from monet_lib.train import Run, train, watch
from monet_lib.train.run import Checkpoints


class Killed(BaseException):
    """An exception that nothing in training catches."""


@pytest.mark.usefixtures("eagerly")
def test_a_kill_around_a_score_loses_neither_it_nor_the_best(nano, tmp_path, monkeypatch):
    """Each score is a better one, so that each is kept as the best: of step 1, and of the last step, 2."""
    config = nano.with_(steps=2, holdout_monets=2, holdout_photos=2, validate_every=1, checkpoint_every=1)
    monkeypatch.setattr(watch, "rank", lambda row: -float(row[0]))
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
        best = [f"checkpoints/best/{name}" for name in ("score.json", "generator.npz")]
        for file in ("validation.csv", "generator.npz", *best):
            assert (run / file).read_bytes() == (tmp_path / "whole" / file).read_bytes(), (run.name, file)
