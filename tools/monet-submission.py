# %% [markdown]
# # Photos into Monets: train, paint, submit
#
# Press *Save & Run All* and get an `images.zip` that the competition takes: within minutes one that the course's
# trained generator painted, and at the end, if it scores better, one by a generator that was trained here. A CycleGAN
# learns from 300 paintings and all photos, stops in time, and leaves a run that the next version can resume.
#
# [![Open in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/monet-lab/monet-lab/blob/main/kaggle/monet-submission/monet-submission.ipynb)

# %% [markdown]
# ## Configuration
#
# The few things to change. Everything else, with its reasons, is under *Settings, and why*.

# %%
import os
import time
from pathlib import Path

began = time.monotonic()
time_budget_hours = 4.5  # for the whole notebook: training stops in time to paint, to check and to score
epochs = 60  # passes over all photos, at most, over all versions of this notebook
accelerator = "auto"  # as many GPUs as there are and the batch divides among; or "one", "mirrored" (all GPUs)
trained_elsewhere = True  # use networks that were trained before: read the competition's rules; False: none
other_monets = ""  # a folder of more Monets, attached as a data set, to score against; "": the 300 themselves
seed = 0

profile_name = os.environ.get("MONET_PROFILE", "full")  # "full": for a GPU; "tiny": seconds, to try it
input_root = Path(os.environ.get("MONET_INPUT", "/kaggle/input"))  # may be read-only
working = Path(os.environ.get("MONET_WORKING", "/kaggle/working"))
os.chdir(working)

# %% [markdown]
# ## Packages
#
# All of them are Kaggle's. What TensorFlow says while it starts is kept from the notebook.

# %%
import base64
import hashlib
import io
import json
import shutil
import zipfile
from dataclasses import asdict
from types import SimpleNamespace

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
stderr, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
os.dup2(nowhere, 2)
import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from IPython.display import Image as DisplayImage
from IPython.display import display
from PIL import Image
from tqdm.auto import tqdm

os.dup2(stderr, 2)
tf.get_logger().setLevel("ERROR")

# %% [markdown]
# ## The images
#
# Attach the competition *gan-getting-started* (*Add Input*). It is read from its shards: their images are encoded like
# those that Kaggle compares with.

# %%
from monet_lib.config import Config
from monet_lib.data.batches import UnpairedBatches, split, training_data
from monet_lib.model.cyclegan import build
from monet_lib.model.generators import generator_of, with_border
from monet_lib.model.imagenet import pooled_features
from monet_lib.model.optimizers import pick_precision
from monet_lib.paint.painting import JPEG, paint
from monet_lib.score.metrics import scene_kept
from monet_lib.score.networks import graph_network, random_network, trained_network
from monet_lib.score.score import compare, embed
from monet_lib.train.budget import SessionPlan
from monet_lib.train.callbacks import StepCallback
from monet_lib.train.loop import compile_if_quicker, strategy

# /kaggle/input/SLUG, .../competitions/SLUG or .../datasets/OWNER/SLUG, however the images were attached.
places = [file for depth in ("*", "*/*", "*/*/*", "*/*/*/*") for file in input_root.glob(f"{depth}/monet_tfrec")]
if not places:
    raise FileNotFoundError(f"{input_root}: no monet_tfrec in it. Add Input: the competition gan-getting-started.")
root = places[0].parent


def read_set(name):
    """(names, uint8 (n, 256, 256, 3)) of a set's shards; name: "monet" or "photo"."""
    text = tf.io.FixedLenFeature([], tf.string)
    features = {"image": text, "image_name": text}

    def decoded(record):
        found = tf.io.parse_single_example(record, features)
        image = tf.io.decode_jpeg(found["image"], 3, dct_method="INTEGER_ACCURATE")
        return found["image_name"], tf.ensure_shape(image, (256, 256, 3))

    shards = [str(file) for file in sorted(root.glob(f"{name}_tfrec/*.tfrec"))]
    names, images = zip(*tf.data.TFRecordDataset(shards).map(decoded, 4).batch(64).as_numpy_iterator(), strict=True)
    return [name.decode() for part in names for name in part], np.concatenate(images)


monet_names, monets = read_set("monet")
photo_names, photos = read_set("photo")
print(f"{root}: {len(monets)} paintings, {len(photos)} photos")
print(f"tensorflow {tf.__version__}, keras {keras.__version__}")
print("devices:", *(device.name for device in tf.config.list_physical_devices()))


def show(alt, *rows):
    """Display rows of images; alt: the text that says what is to be seen in them."""
    jpeg = io.BytesIO()
    Image.fromarray(np.concatenate([np.concatenate(list(row), 1) for row in rows])).save(jpeg, "JPEG")
    display(DisplayImage(jpeg.getvalue(), alt=alt))


show("Six Monets above six photos", monets[:6], photos[:6])

# %% [markdown]
# ## What scores
#
# Attached as data sets, these are found wherever they lie under the input; the first of them scores:
#
# - `classify_image_graph_def.pb`, the Inception graph of 2015: FID and MiFID as Kaggle computes them.
# - `efficientnet_lite0.npz`, of the course's `models/imagenet`: trained ImageNet features, a proxy; a second
#   discriminator looks through them, too, which is what helped most in the course.
#
# With neither, a small random network stands in: it knows colours and edges, and is a smoke alarm, not a judgement.

# %%
lite0 = next(input_root.rglob("efficientnet_lite0.npz"), None) if trained_elsewhere else None
inception = next(input_root.rglob("classify_image_graph_def.pb"), None)


def trained_arrays(name):
    """The arrays of EfficientNet-Lite0 in the order of use, for the library's `_folded_weights`."""
    with np.load(lite0) as file:
        return [file[key].astype("float32") for key in sorted(file.files)]


if inception:
    network = graph_network(inception.read_bytes())
else:
    network = trained_network("efficientnet-lite0", pooled_features, 224) if lite0 else random_network()
others = [Image.open(file).convert("RGB").resize((256, 256)) for file in sorted(Path(other_monets).glob("*.jpg"))]
seen = embed(monets, network)
real = embed(map(np.asarray, others), network) if other_monets else seen


def quality(generator, zip_file, n=500):
    """(KID, share of the scene that is kept) of n images of a zip, spread evenly; of KID, lower is better."""
    with zipfile.ZipFile(zip_file) as archive:
        names = archive.namelist()
        names = names[:: max(1, len(names) // n)][:n]
        painted = [np.asarray(Image.open(io.BytesIO(archive.read(name)))) for name in names]
    found = compare(network, embed(painted, network), real, seen)
    kept = scene_kept(photos[:32], paint(generator, photos[:32]))
    print(f"{zip_file.name}: {found}\nscene kept {kept:.2f}")
    return found.kid, kept


# %% [markdown]
# ## A zip at once
#
# The course's own trained generator, 0.48 million weights of 8 bits, is text in the next cell. It was trained on this
# competition's images and nothing else. Every photo becomes one JPEG of 256×256 pixels at quality 95; the zip gets its
# name only when it is whole. Kaggle wants 7,000 to 10,000 images: where fewer are attached, mirrored ones fill up.

# %%
course_generator = "GENERATOR_AS_TEXT"

# %%
LEAST, MOST = 7000, 10000  # images that the competition accepts
FLIPS = {"": (1, 1), "-lr": (1, -1), "-ud": (-1, 1), "-udlr": (-1, -1)}  # name's end: down, right
total = max(len(photos), min(LEAST, len(photos) * len(FLIPS)))


def write_zip(generator, path, images=total):
    """Paint `images` photos into the zip `path`, and look at each of them again. Says what is in it."""
    temporary = path.with_name(f".writing-{path.name}")
    with (
        zipfile.ZipFile(temporary, "w") as archive,
        tqdm(total=images, unit="image", disable=images < total) as bar,
    ):
        for start in range(0, images, 16):
            turned = [divmod(place, len(photos)) for place in range(start, min(start + 16, images))]
            ends = [list(FLIPS)[turn] for turn, _ in turned]
            steps = [FLIPS[end] for end in ends]
            batch = [photos[which][::down, ::right] for (_, which), (down, right) in zip(turned, steps, strict=True)]
            for image, end, (_, which) in zip(paint(generator, np.stack(batch)), ends, turned, strict=True):
                jpeg = io.BytesIO()
                Image.fromarray(image).save(jpeg, **JPEG)
                archive.writestr(zipfile.ZipInfo(f"{photo_names[which]}{end}.jpg"), jpeg.getvalue())
                bar.update()
    with zipfile.ZipFile(temporary) as archive:
        names = archive.namelist()
        if len(set(names)) < len(names):
            raise ValueError(f"{len(names) - len(set(names))} photos are named like others: Kaggle would refuse it.")
        for name in names:
            with Image.open(io.BytesIO(archive.read(name))) as image:
                image.load()
                if (image.format, image.mode, image.size) != ("JPEG", "RGB", (256, 256)):
                    raise ValueError(f"{name}: {image.format}, {image.mode}, {image.size}: Kaggle would refuse it.")
    os.replace(temporary, path)
    if images == total:
        enough = "as Kaggle takes them" if LEAST <= total <= MOST else f"and Kaggle wants {LEAST:,} to {MOST:,}"
        print(f"{path.name}: {total} images, each 256x256, {enough}")


def painter_of(weights, settings):
    """The generator of a Config with these weights, and with its border."""
    generator = generator_of(settings)
    generator.set_weights(weights)
    return with_border(generator, settings.border)


zip_file, first_quality = working / "images.zip", None
if trained_elsewhere:
    with np.load(io.BytesIO(base64.b85decode(course_generator)), allow_pickle=False) as arrays:
        names = sorted(name[:-1] for name in arrays.files if name.endswith("q"))
        weights = [arrays[f"{name}q"] * arrays[f"{name}s"] for name in names]
        first = painter_of(weights, Config(**json.loads(str(arrays["config"]))))
    write_zip(first, zip_file)
    print(f"images.zip after {(time.monotonic() - began) / 60:.1f} min")
    first_quality = quality(first, zip_file)
    show("Six photos, and below them their paintings", photos[:6], paint(first, photos[:6]))

# %% [markdown]
# ## Settings, and why
#
# What the course measured (`benchmarks/recipes.md`, on a CPU, 128 px and small networks) decides where it says something;
# scores on the leaderboard (MiFID, lower is better) are what their authors report, and reruns differ by 2 to 3.
#
# | setting | why | evidence |
# |---|---|---|
# | ResNet, generators without norms | learnt most in the same time; paints photos of any size in tiles without seams | measured in the course |
# | feature discriminator, half of the Monet side | frozen ImageNet features tell paintings from photos from the first step on (Sauer et al. 2021) | measured in the course |
# | no differentiable augmentation | hurt before the discriminators knew their 300 paintings by heart | measured in the course |
# | enlarge and convolve in the decoder | transposed convolutions draw checkerboards | measured in the course |
# | cycle weight 10, identity weight 3 | hold the scene and the colours (Zhu et al. 2017) | measured in the course |
# | learning rate 2e-4, then down to 0 within this session | a rate of 2e-3 scored 684; long schedules that fall to zero pay | published; the fall measured in the course |
# | pool of 50 earlier paintings | discriminators can't chase the generator in circles | Zhu et al. 2017; not measured alone |
# | averaged weights (EMA 0.999) paint | calmer than the last step's | usual for GANs |
# | batch of 8 | divides by 1 and 2 devices, so that a run can change the accelerator | not measured |
#
# **Not measured: this whole, as it stands, on Kaggle.** No leaderboard score is promised. What has been run is the
# program: this notebook, to the end, on small settings; its networks and its training are the course's tested library.

# %%
full = {"image_size": 256, "crop": 229, "generator_filters": 64, "residual_blocks": 9, "discriminator_filters": 64}
tiny = {"image_size": 64, "crop": 256, "generator_filters": 8, "residual_blocks": 2, "discriminator_filters": 8}
steps = 8 if profile_name == "tiny" else epochs * len(photos) // 8  # of all versions together
check_every = 4 if profile_name == "tiny" else 1000  # steps from one saved state, and one score, to the next
config = Config(
    profile=profile_name,
    **(tiny if profile_name == "tiny" else full),
    model="resnet",
    norm="none",
    discriminator_norm="instance",
    border=24,
    batch_size=8,
    feature_discriminator=0.5 if lite0 else 0.0,
    cycle_weight=10.0,
    identity_weight=3.0,
    fit_schedule=True,
    steps=steps,
    seed=seed,
    keep=2,
    holdout_monets=min(60, len(monets) // 4),
    holdout_photos=min(200, len(photos) // 4),
    features=network.name,
)
# The library's code for other values of these settings is not in this notebook.
fixed = ("model", "upsample", "residual_output", "rotate", "diff_augment", "tone_weight", "r1_weight", "identity_until")
if changed := [name for name in fixed if getattr(config, name) != getattr(Config(), name)]:
    raise ValueError(f"{', '.join(changed)}: can't be changed in this notebook; monet train of the course can.")
print(f"{config.image_size} px, {config.generator_filters} filters, {pick_precision(config.precision)}")

# %% [markdown]
# ## Train
#
# A run is a folder. Where an earlier version's output is attached as input, its run goes on from the last step saved:
# the same moments, the same order of images. A run can be continued only with the settings it was begun with: where
# they differ, the notebook stops and says in what. Set them back, or detach the earlier output to begin anew.
#
# How long painting, checking and scoring take is measured first, on 64 photos, and a quarter more is kept for the end.
# The seconds of a step are measured while training, and **the learning rates are set to reach zero when the time is used
# up**, so that every version ends with a finished generator; the next version begins at the full rates again.


# %%
run_folder = working / "monet-run"
saves = run_folder / "checkpoints"


def newest(folder):
    """The file state.index of the state of most steps that is saved in `folder`; None where there is none."""
    return max(folder.rglob("step-*/state.index"), key=lambda file: file.parent.name, default=None)


def save(step):
    """Save the run's state and its generator, each under its name only when it is whole. The last two states stay."""
    weights = {f"w{k:03d}": w for k, w in enumerate(model.averaged_generator.get_weights())}
    np.savez(run_folder / ".writing-generator.npz", config=json.dumps(asdict(config)), **weights)
    os.replace(run_folder / ".writing-generator.npz", run_folder / "generator.npz")
    folder, temporary = saves / f"step-{step:08d}", saves / ".writing-state"
    if not folder.exists():
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        state.write(str(temporary / "state"))
        temporary.rename(folder)
    for old in sorted(saves.glob("step-*"))[:-2]:
        shutil.rmtree(old)


class Diary(StepCallback):
    """Every `check_every` steps, and at the end: saves the state, scores held-out photos, and says so in one line."""

    rows, sums = [], {}

    def on_step(self, before, logs):
        for name, loss in logs.items():
            if not np.isfinite(loss):
                raise ArithmeticError(f"step {self.step}: {name} is {loss}. Lower the learning rates.")
            self.sums[name] = self.sums.get(name, 0.0) + float(loss)
        if self.passed(before, check_every):
            self.write(before)

    def on_train_end(self, logs=None):
        if not self.rows or self.rows[-1]["step"] < self.step:
            self.write(self.step - 1)

    def write(self, before):
        save(self.step)
        generator = painter_of(self.model.averaged_generator.get_weights(), config)
        painted = np.concatenate([paint(generator, held_photos[k : k + 8]) for k in range(0, len(held_photos), 8)])
        kid = compare(network, embed(painted, network), held_real, seen).kid
        since = self.step - (self.rows[-1]["step"] if self.rows else self.start)
        row = {"step": self.step, "kid": kid} | {name: value / since for name, value in self.sums.items()}
        self.rows.append(row)
        self.sums.clear()
        tqdm.write("  ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in row.items()))


listed = {
    name: {"count": len(names), "sha256": hashlib.sha256("\n".join(names).encode()).hexdigest()}
    for name, names in (("monet", monet_names), ("photo", photo_names))
}
run = {"config": asdict(config), "data": {"folder": str(root), "format": "tfrec", **listed}}
earlier = newest(run_folder) or newest(input_root)
if earlier:
    before = json.loads((earlier.parents[2] / "config.json").read_text())
    changed = [name for name, value in run["config"].items() if before["config"].get(name) != value]
    changed += [f"images ({name})" for name in listed if before["data"][name] != listed[name]]
    if changed:
        raise ValueError(f"{earlier.parents[2]}: begun with other {', '.join(changed)}. Set them back, or detach it.")
saves.mkdir(parents=True, exist_ok=True)
(run_folder / "config.json").write_text(json.dumps(run, indent=2))

(train_monets, held_monets), (train_photos, held_photos) = (
    [images[places] for places in split(len(images), held, seed)]
    for images, held in ((monets, config.holdout_monets), (photos, config.holdout_photos))
)
held_real = embed(held_monets, network)
with strategy(accelerator, config.batch_size).scope():
    model = build(config, steps)
    parts = (model, model.generator_optimizer, model.discriminator_optimizer)
    variables = {id(v.value): v.value for part in parts for v in part.variables}
    state = tf.train.Checkpoint(variables=list(variables.values()))
    if earlier:
        state.read(str(earlier.with_suffix(""))).assert_consumed()
start = int(earlier.parent.name.removeprefix("step-")) if earlier else 0
print(f"resuming at step {start} of {earlier.parents[2]}" if start else "a new run")

generator, trial = painter_of(model.averaged_generator.get_weights(), config), working / "trial.zip"
write_zip(generator, trial, min(64, total))  # the first one pays for building the graph
timed = [time.monotonic()]
for work in (
    lambda: write_zip(generator, trial, min(64, total)),
    lambda: quality(generator, trial),
    lambda: save(start),
):
    work()
    timed.append(time.monotonic())
trial.unlink()
painting, scoring, saving = np.diff(timed)
reserve = 1.25 * (painting * total / min(64, total) + scoring * min(500, total) / min(64, total) + 2 * saving)
deadline = began + 3600 * time_budget_hours - reserve
print(f"{(deadline - time.monotonic()) / 60:.1f} min to train, {reserve / 60:.1f} min kept for the end")

worth_it = first_quality is None or time.monotonic() < deadline  # else the first zip is all there is time for
if start < steps and worth_it:
    batches = UnpairedBatches(train_monets, train_photos, config)
    diary = Diary(None, start)
    plan = SessionPlan(
        SimpleNamespace(config=config), start, steps, SimpleNamespace(seconds_left=lambda now: deadline - now)
    )
    data = training_data(batches, start, steps)
    compile_if_quicker(model, data, steps - start)
    model.fit(data, shuffle=False, verbose=0, callbacks=[plan, diary])

# %% [markdown]
# ## Look
#
# Losses first: in a healthy run the discriminators stay off zero and the cycle loss falls. Then the distance of painted
# photos to paintings, both kept out of training. Last the paintings, by the newest generator.

# %%
if start < steps and worth_it and len(diary.rows) > 1:
    figure, axes = plt.subplots(1, 2, figsize=(13, 3.6), layout="constrained")
    for name in diary.rows[0]:
        if name != "step":
            axis = axes[1] if name == "kid" else axes[0]
            axis.plot([r["step"] for r in diary.rows], [r[name] for r in diary.rows], label=name.replace("_", " "))
    for axis, label in zip(axes, ("loss", f"KID ({network.name})"), strict=True):
        axis.set(xlabel="training step", ylabel=label)
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=4)
    plt.show()
generator = painter_of(model.averaged_generator.get_weights(), config)
show("Six photos, and below them their paintings", photos[:6], paint(generator, photos[:6]))

# %% [markdown]
# ## Paint all photos, and keep the better zip
#
# The new zip takes the place of the first one only if its KID is lower and the photos can still be recognized in it
# (correlation of the luminance above 0.5).

# %%
new_file = working / "images-new.zip"
if not worth_it:
    print("images.zip: painted by the course's generator; raise time_budget_hours to train")
else:
    write_zip(generator, new_file)
    kid, kept = quality(generator, new_file)
    if first_quality is None or (kid < first_quality[0] and kept > 0.5):
        os.replace(new_file, zip_file)
        print("images.zip: painted by the generator trained here")
    else:
        new_file.unlink()
        print("images.zip: still painted by the course's generator, which scores better")
print(f"{(time.monotonic() - began) / 60:.1f} of {60 * time_budget_hours:.1f} minutes")

# %% [markdown]
# ## Submit, and train on
#
# Under *Output* of the finished version choose `images.zip`, then *Submit*. The score comes after some minutes, under
# *Submissions*. Kaggle is reported to compare with other Monets than these 300, so the scores above are a guide.
#
# To train on: *Add Input*, choose this notebook's own output, and *Save & Run All* again. The new version finds
# the run there and resumes at its last step. `monet translate --run` paints photos of yours with it.
