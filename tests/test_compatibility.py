"""Runs of version 0.1.0 still resume. The folder was made by that version: four steps of eight, then all eight."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from inputs import weights

from monet_lib.model.weights import load_generator
from monet_lib.train.loop import train
from monet_lib.train.run import Run

OLD = Path(__file__).with_name("data") / "run-0.1.0"


@pytest.mark.usefixtures("eagerly")
def test_a_run_of_the_first_version_resumes_to_the_weights_that_it_would_have_had(data_folder, tmp_path, capsys):
    run = tmp_path / "run"
    shutil.copytree(OLD, run)
    assert int(train(Run.load(run).config, data_folder, run).step) == 8
    assert "resuming at step 4, to step 8" in capsys.readouterr().out
    files = OLD / "generator.npz", OLD / "generator-after-step-8.npz", run / "generator.npz"
    before, wanted, found = (weights(load_generator(file)[0]) for file in files)
    moved = np.linalg.norm(wanted - before)
    # Rounding differs between Adam's formulas and between processors; a lost moment would be off by half the way.
    assert np.linalg.norm(found - wanted) < 0.05 * moved
    assert moved > 0.1
