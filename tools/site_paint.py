"""The painting page, build/site/paint/: its sources, samples with their paintings, painters, and two runtimes.

Of each painter, an .onnx file that `monet export` wrote, the page gets a network file of 0.6 MB for TensorFlow.js,
which site/paint/network.js reads. The course's painter is models/monet.onnx; models/painters/ may hold others.
site/paint/painters.json gives their order, titles and words by the file's name; the page begins with the first one.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import zlib

import numpy as np
import onnx
from onnx import numpy_helper
from PIL import Image, ImageOps
from site_links import ADDRESS, ROOT, SOURCE

MODELS = ROOT / "models"
PAGE, MODULES = ROOT / "site" / "paint", ROOT / "site" / "node_modules"
ORT = MODULES / "onnxruntime-web" / "dist"
TENSORFLOW = MODULES / "@tensorflow" / "tfjs-backend-wasm" / "dist"
WASM = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
LIGHT = ("tfjs-backend-wasm-simd.wasm", "tfjs-backend-wasm-threaded-simd.wasm")
SOURCES = ("runtime.js", "painters.json", "types.d.ts")  # that the page doesn't load as they are
LEVELS = 719  # of a weight, by output channel: so the file has 0.6 MB, and 1 pixel of 1,000 moves by 2 levels of 255
THUMBNAIL = (192, 144)  # px
CARD = (1200, 630)  # px


def build_paint(out, others=MODELS / "painters"):
    """Write the painting page into the folder `out`, which is emptied first. Returns a one-line summary.

    others: a folder of painters beside the course's, which need not be there.
    """
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(PAGE, out, ignore=lambda _, names: [name for name in names if name in SOURCES])
    (out / "lib").mkdir()
    shutil.copy(MODULES / "img-comparison-slider" / "dist" / "index.js", out / "lib" / "img-comparison-slider.js")
    runtimes(out)
    painters(out, others)
    samples(out / "samples")
    card(out)
    fill(out / "index.html", {"{{source}}": SOURCE, "{{address}}": f"{ADDRESS}paint/"})
    store(out)
    sizes = {kind: sum(f.stat().st_size for f in files_of(out) if (f.parent.name == "ort") == kind) for kind in (0, 1)}
    return f"{out}: {sizes[0] / 1e6:.2f} MB, and {sizes[1] / 1e6:.1f} MB of ONNX Runtime for painters of one's own"


def fill(file, places):
    text = file.read_text()
    for place, value in places.items():
        assert place in text, f"{file}: {place} is missing"
        text = text.replace(place, value)
    file.write_text(text)


def files_of(folder):
    return sorted(file for file in folder.rglob("*") if file.is_file())


def runtimes(out):
    """ONNX Runtime as it comes, and TensorFlow.js bundled with the few operations that network.js calls."""
    (out / "ort").mkdir()
    for name in WASM:
        shutil.copy(ORT / name, out / "ort")
    (out / "tf").mkdir()
    for name in LIGHT:
        shutil.copy(TENSORFLOW / name, out / "tf")
    command = [MODULES / ".bin" / "esbuild", PAGE / "runtime.js", "--bundle", "--format=esm", "--minify",
               "--platform=browser", "--define:global=globalThis", "--log-level=error",
               "--legal-comments=none", "--banner:js=// TensorFlow.js, Copyright Google LLC, Apache-2.0.",
               f"--outfile={out / 'tf' / 'runtime.js'}"]  # fmt: skip
    if subprocess.run(command).returncode:
        sys.exit("esbuild could not bundle site/paint/runtime.js: see above. Are site/'s packages installed? npm ci")


# ---------------------------------------------------------------- painters


def painters(out, others):
    """Write each painter's network file, and painters.json with the bytes that a visitor loads."""
    files = {"course": MODELS / "monet.onnx"} | {file.stem: file for file in sorted(others.glob("*.onnx"))}
    known = {painter["id"]: painter for painter in json.loads((PAGE / "painters.json").read_text())}
    (out / "painters").mkdir()
    listed = []
    for name in sorted(files, key=[*known, *files].index):
        file, data = f"painters/{name}.bin", network_file(onnx.load(files[name]))
        (out / file).write_bytes(data)
        listed.append(
            {"id": name, "title": name, "words": ""} | known.get(name, {}) | {"file": file, "bytes": len(data)}
        )
    runtime = {file.name: file.stat().st_size for file in files_of(out / "tf")}
    (out / "painters.json").write_text(json.dumps({"painters": listed, "runtime": runtime}))


def network_file(model):
    """The bytes of a network file: "MONET1", a header's length (uint32), the header (JSON), the weights by zlib.

    header: config, surroundings (px, or null for the whole picture), changes (whether the steps give a change to the
    photo, see `ChangedImage` in monet_lib/model/layers.py) and steps, the network's operations in their order:
    ["pad", px], ["conv", [h, w, in, out], stride, [top, bottom, left, right] or "same", relu], ["shuffle"],
    ["crop", px], ["keep"], ["add"], ["relu"], ["tanh"], ["norm", channels, epsilon]. weights, in the order of steps:
    for "conv", the scale and bias of each output channel (float32), then the kernel's whole numbers, from 1 to LEVELS:
    their upper eight bits in a byte each, then their lower two bits, four numbers in a byte, filled up to 4 bytes; for
    "norm", scale and shift of each channel (float32). Raises ValueError for an operation of another kind.
    """
    weights = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    nodes = list(model.graph.node)
    for node in nodes:  # half-precision weights are cast before use
        if node.op_type == "Cast" and node.input[0] in weights:
            weights[node.output[0]] = weights[node.input[0]].astype(np.float32)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    steps, data, kept, changes = [], b"", None, False
    start = next(k for k, node in enumerate(nodes) if node.op_type == "Sub" and nodes[k - 1].op_type == "Div")
    x = nodes[start].output[0]
    for node in nodes[start + 1 :]:
        get = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        known = [weights.get(name) for name in node.input]
        if node.op_type == "Transpose":
            break
        if x not in node.input or node.op_type == "Shape":
            continue
        if node.op_type == "Pad" and any(other.op_type == "Add" and x in other.input for other in nodes):
            steps.append(["keep"])
            kept = x
        if node.op_type == "Pad":
            steps.append(["pad", int(known[1][2])])
        elif node.op_type == "Conv":
            kernel = known[1].transpose(2, 3, 1, 0)
            bias = known[2] if len(known) > 2 else np.zeros(kernel.shape[3], np.float32)
            followed = [n.op_type for n in nodes if node.output[0] in n.input]
            if followed == ["DepthToSpace"]:
                # ONNX puts the four pixels of a colour side by side, TensorFlow.js the colours of a pixel.
                order = np.arange(kernel.shape[3]).reshape(-1, 4).T.ravel()
                kernel, bias = kernel[..., order], bias[order]
            top, left, bottom, right = get.get("pads", [0] * 4)
            pads = "same" if get.get("auto_pad") == b"SAME_UPPER" else [top, bottom, left, right]
            stride = get.get("strides", [1, 1])[0]
            steps.append(["conv", list(kernel.shape), stride, pads, followed == ["Relu"]])
            data += packed(kernel, bias)
        elif node.op_type == "InstanceNormalization":
            steps.append(["norm", len(known[1]), round(get["epsilon"], 12)])
            data += np.concatenate(known[1:3]).astype("<f4").tobytes()
        elif node.op_type == "DepthToSpace":
            steps.append(["shuffle"])
        elif node.op_type == "Slice" and known[1] is not None and known[2] is not None:
            steps.append(["crop", int(known[1][0])])
        elif node.op_type == "Slice":
            pass  # back to an odd side: the page's photos have sides that are multiples of 4
        elif node.op_type == "Add" and kept in node.input:
            steps.append(["add"])
        elif node.op_type == "Add":
            changes = True  # the photo, prepared, is added, and a tanh follows
        elif (node.op_type == "Relu" and steps[-1][0] == "conv") or (node.op_type == "Tanh" and changes):
            pass  # is done by the convolution, and after the steps
        elif node.op_type in ("Relu", "Tanh"):
            steps.append([node.op_type.lower()])
        else:
            raise ValueError(f"{node.op_type} is unknown to site/paint/network.js")
        x = node.output[0]
    surroundings = None if metadata["surroundings"] == "whole" else int(metadata["surroundings"])
    settings = json.loads(metadata["config"])
    header = {"config": settings, "surroundings": surroundings, "changes": changes, "steps": steps}
    text = json.dumps(header).encode()
    return b"MONET1" + len(text).to_bytes(4, "little") + text + zlib.compress(data, 9)


def packed(kernel, bias):
    """A convolution's weights (h, w, in, out) and bias (out,) as bytes, whose number is a multiple of 4."""
    most = LEVELS // 2
    scale = np.maximum(np.abs(kernel).max((0, 1, 2)), 1e-12) / most
    numbers = np.rint(kernel / scale).astype(int).ravel() + most + 1
    lower = np.pad(numbers & 3, (0, -len(numbers) % 4)).reshape(-1, 4) << np.array([0, 2, 4, 6])
    parts = [
        np.concatenate([scale, bias]).astype("<f4"),
        (numbers >> 2).astype(np.uint8),
        lower.sum(1).astype(np.uint8),
    ]
    data = b"".join(part.tobytes() for part in parts)
    return data + b"\0" * (-len(data) % 4)


# ---------------------------------------------------------------- pictures


def samples(folder):
    """Each sample's painting by the course's painter, as the page would paint it, and its small picture."""
    sys.path.insert(0, str(ROOT))
    from monet_lib.paint.painting import SHIPPED_PAINTER, Painter, auto_brushes, paint_broadly

    painter, weights = Painter(SHIPPED_PAINTER), SHIPPED_PAINTER.read_bytes()
    cache = ROOT / "build" / "samples"  # paintings take seconds each
    cache.mkdir(parents=True, exist_ok=True)
    for file in sorted(folder.glob("*.jpg")):
        photo = Image.open(file).convert("RGB")
        ImageOps.fit(photo, THUMBNAIL, Image.Resampling.LANCZOS).save(folder / f"{file.stem}-small.jpg", quality=75)
        brushes = auto_brushes(photo.height, photo.width)
        made = cache / f"{hashlib.sha256(weights + file.read_bytes() + str(brushes).encode()).hexdigest()[:16]}.jpg"
        if not made.exists():
            painting = Image.fromarray(paint_broadly(painter, np.asarray(photo), *brushes))
            painting.save(made, quality=80, optimize=True, progressive=True)
        shutil.copy(made, folder / f"{file.stem}-monet.jpg")


def card(out):
    """The picture that a shared link shows: the first sample, half of it painted."""
    first = re.search(r'file: "([^"]+)"', (PAGE / "samples.js").read_text())[1]
    pair = [ImageOps.fit(Image.open(out / "samples" / f"{first}{kind}.jpg"), CARD) for kind in ("", "-monet")]
    pair[1].paste(pair[0].crop((0, 0, CARD[0] // 2, CARD[1])), (0, 0))
    pair[1].paste("white", (CARD[0] // 2 - 2, 0, CARD[0] // 2 + 2, CARD[1]))
    pair[1].save(out / "card.jpg", quality=82, optimize=True)


def store(out):
    """Put the files that the service worker stores, and their version, into sw.js."""
    later = {"sw.js", "card.jpg", *WASM, *(file.name for file in (out / "painters").glob("*"))} - {"course.bin"}
    stored = [file for file in files_of(out) if file.name not in later]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files_of(out))).hexdigest()[:12]
    names = ["./", *(file.relative_to(out).as_posix() for file in stored)]
    fill(out / "sw.js", {'"{{version}}"': json.dumps(f"monet-{digest}"), '["{{files}}"]': json.dumps(names)})
