import csv

import numpy as np
import pytest
import tensorflow as tf
from inputs import make_data
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from monet_lib.cli import main
from monet_lib.files import UserError
from monet_lib.model.cyclegan import LOSSES
from monet_lib.train.callbacks import require_tensorboard
from monet_lib.train.loop import train


def events(run):
    found = EventAccumulator(str(run / "tensorboard"), {"tensors": 0})
    found.Reload()
    return found


def series(found, tag):
    return {e.step: float(tf.make_ndarray(e.tensor_proto)) for e in found.Tensors(tag)}


@pytest.mark.usefixtures("eagerly")
def test_the_event_file_holds_losses_rates_scores_and_grids(nano, tmp_path):
    config = nano.with_(
        steps=4, decay_from=0.0, holdout_monets=2, holdout_photos=2, validate_every=3, discriminator_rate=4e-4
    )
    run = tmp_path / "run"
    train(config, make_data(tmp_path / "five", monets=5), run, tensorboard=True)
    found = events(run)
    with open(run / "history.csv", newline="") as file:
        rows = {int(row["step"]): row for row in csv.DictReader(file)}
    for name in LOSSES:
        written = series(found, f"losses/{name}")
        assert written == pytest.approx({step: float(row[name]) for step, row in rows.items()}, abs=1e-5)
    rates = series(found, "learning rate/generators")
    assert rates == pytest.approx({1: 1.5e-4, 2: 1e-4, 3: 0.5e-4, 4: 0}, abs=1e-9)
    assert series(found, "learning rate/discriminators")[2] == pytest.approx(2e-4)
    with open(run / "validation.csv", newline="") as file:
        (score,) = csv.DictReader(file)
    assert series(found, "validation/kid") == pytest.approx({3: float(score["kid"])}, rel=1e-5)
    (grid,) = [e for e in found.Tensors("photo, painted, cycled") if e.step == 4]
    width, height, png = tf.make_ndarray(grid.tensor_proto)[:3]
    with Image.open(run / "grids" / "step-00000004.jpg") as image:
        assert (int(width), int(height)) == image.size
        apart = np.abs(tf.io.decode_png(png).numpy().astype(int) - np.asarray(image))
        assert apart.mean() < 8, "the same but for what JPEG changes"


def test_without_the_package_one_line_says_what_to_do(data_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("monet_lib.train.callbacks.find_spec", lambda name: None)
    with pytest.raises(UserError, match="tensorboard: not installed. Install it: pip install"):
        require_tensorboard()
    assert main(["train", "--data", str(data_folder), "--tensorboard", "--out", str(tmp_path / "run")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "run").exists()
