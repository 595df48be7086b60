import hashlib
import io
import tarfile

import keras
import numpy as np
import pytest
import tensorflow as tf
from inputs import jpeg
from PIL import Image

from monet_lib.files import UserError
from monet_lib.score.metrics import frechet_distance, kernel_distance, memorization_distance
from monet_lib.score.scoring import GRAPH, feature_network, find_inception, load_inception, random_network


@pytest.fixture(autouse=True)
def _own_places(tmp_path, monkeypatch):
    monkeypatch.delenv("MONET_INCEPTION", raising=False)
    monkeypatch.setenv("MONET_INPUT", str(tmp_path / "input"))
    monkeypatch.setenv("MONET_CACHE", str(tmp_path / "cache"))


def frozen_graph(width=2048, convolutions=94, answer="pool_3"):
    """A small graph with the node names, operations and quirks of the graph of 2015, as bytes.

    It decodes one JPEG, records shapes with a batch of one, and uses a batch norm that only old versions have.
    """
    ops, rng = tf.raw_ops, np.random.default_rng(0)

    def constant(value, name):
        value = np.asarray(value)
        return tf.constant(value.astype(np.int32 if value.dtype.kind == "i" else np.float32), name=name)

    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.string, [], "DecodeJpeg/contents")
        x = ops.Cast(x=ops.DecodeJpeg(contents=x, channels=3, name="DecodeJpeg"), DstT=tf.float32, name="Cast")
        x = ops.ExpandDims(input=x, axis=constant(0, "ExpandDims/dim"), name="ExpandDims")
        x = ops.ResizeBilinear(images=x, size=constant([299, 299], "ResizeBilinear/size"), name="ResizeBilinear")
        x = ops.Sub(x=x, y=constant(128.0, "Sub/y"), name="Sub")
        x = ops.Mul(x=x, y=constant(1 / 128, "Mul/y"), name="Mul")
        stride, channels = 42, 3  # 299 px to 8 at once
        for k in range(convolutions):
            name, count = f"conv_{k}" if k else "conv", width if k == convolutions - 1 else 6
            size = 3 if k == 0 else 1
            kernel = rng.normal(size=(size, size, channels, count)) / size
            if channels == count:
                kernel = np.linalg.qr(kernel)[0]  # turns and does not shrink: 94 layers still tell images apart
            kernel = constant(kernel, f"{name}/conv2d_params")
            strides = [1, stride, stride, 1]
            x = ops.Conv2D(input=x, filter=kernel, strides=strides, padding="VALID", name=f"{name}/Conv2D")
            stride, channels = 1, count
        x = ops.AvgPool(value=x, ksize=[1, 8, 8, 1], strides=[1] * 4, padding="VALID", name=answer)
        ops.Reshape(tensor=x, shape=constant([1, width], "pool_3/_reshape/shape"), name="pool_3/_reshape")
    graph_def = graph.as_graph_def(add_shapes=True)
    graph_def.versions.producer = 8
    # Put the old batch norm between the first convolution and the second.
    norm = graph_def.node.add(name="conv/batchnorm", op="BatchNormWithGlobalNormalization")
    norm.input.append("conv/Conv2D")
    for name in ("moving_mean", "moving_variance", "beta", "gamma"):
        node = graph_def.node.add(name=f"conv/batchnorm/{name}", op="Const")
        node.attr["dtype"].type = tf.float32.as_datatype_enum
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(rng.uniform(0.5, 1.5, 6).astype(np.float32)))
        norm.input.append(node.name)
    norm.attr["T"].type = tf.float32.as_datatype_enum
    norm.attr["variance_epsilon"].f, norm.attr["scale_after_normalization"].b = 1e-3, True
    for node in graph_def.node:
        if node.name == "conv_1/Conv2D":
            node.input[0] = "conv/batchnorm"
    return graph_def.SerializeToString()


@pytest.fixture(scope="module")
def graph_bytes():
    return frozen_graph()


@pytest.fixture
def as_published(graph_bytes, monkeypatch):
    """Let the small graph's size count as the size of the published file."""
    monkeypatch.setattr("monet_lib.score.scoring.GRAPH_BYTES", len(graph_bytes))
    return graph_bytes


def images(count, size=48, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, 3), np.uint8)


def one_by_one(data, pixels):
    """What the unchanged graph answers to the images, one at a time."""
    graph_def = tf.compat.v1.GraphDef.FromString(data)
    with tf.Graph().as_default() as graph:
        tf.graph_util.import_graph_def(graph_def, name="")
        with tf.compat.v1.Session(graph=graph) as session:
            return np.concatenate([session.run("pool_3/_reshape:0", {"Cast:0": x.astype(np.float32)}) for x in pixels])


def test_the_graph_takes_batches_and_answers_as_for_single_images(tmp_path, as_published):
    (tmp_path / GRAPH).write_bytes(as_published)
    network = feature_network("inception-2015", weights=tmp_path)
    assert (network.name, network.canonical, network.size) == ("inception-2015", True, 299)
    pixels = images(5)
    answers = network(pixels)
    assert answers.shape == (5, 2048)
    assert answers.dtype == np.float32
    np.testing.assert_allclose(answers, one_by_one(as_published, pixels), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(network(pixels[:1]), answers[:1], rtol=1e-4, atol=1e-5)
    assert np.ptp(answers, axis=0).max() > 0.1


@pytest.mark.parametrize(("change", "more_bytes"), [({"width": 64}, 0), ({"convolutions": 3}, 0), ({}, 1)])
def test_a_graph_of_another_shape_or_size_is_a_proxy(tmp_path, monkeypatch, change, more_bytes):
    data = frozen_graph(**change)
    monkeypatch.setattr("monet_lib.score.scoring.GRAPH_BYTES", len(data) + more_bytes)
    (tmp_path / "other.pb").write_bytes(data)
    network = load_inception(tmp_path / "other.pb")
    assert not network.canonical
    assert network.name == f"graph-{hashlib.sha256(data).hexdigest()[:8]}"


def test_files_that_are_no_such_graph_are_refused(tmp_path):
    one_at_a_time = tf.compat.v1.GraphDef.FromString(frozen_graph(8, 2))
    for node in one_at_a_time.node:
        node.name = {"pool_3": "before", "pool_3/_reshape": "pool_3"}.get(node.name, node.name)
        node.input[:] = ["before" if name == "pool_3" else name for name in node.input]
    unknown = tf.compat.v1.GraphDef.FromString(frozen_graph(8, 2))
    unknown.node[-1].op = "NoSuchOperation"
    path = tmp_path / GRAPH
    for data, message in (
        (b"no graph", "not a readable Inception graph"),
        (b"", "no node ExpandDims"),
        (frozen_graph(8, 2, answer="pool_4"), "no node pool_3"),
        (frozen_graph(8, 2)[:-50], "not a readable Inception graph"),
        (unknown.SerializeToString(), "not a readable Inception graph .*NoSuchOperation"),
        (one_at_a_time.SerializeToString(), "can't take two images at once"),
    ):
        path.write_bytes(data)
        with pytest.raises(UserError, match=message) as caught:
            load_inception(path)
        assert "\n" not in str(caught.value)


def test_a_mistake_of_ours_is_not_told_as_a_damaged_graph(tmp_path, graph_bytes, monkeypatch):
    def mistaken(**arguments):
        raise TypeError("Session takes no such argument")

    (tmp_path / GRAPH).write_bytes(graph_bytes)
    monkeypatch.setattr(tf.compat.v1, "Session", mistaken)
    with pytest.raises(TypeError, match="no such argument"):
        load_inception(tmp_path / GRAPH)


def test_the_graph_is_found_in_the_documented_order(tmp_path, monkeypatch, capsys):
    cached, kaggle, named, asked = (
        tmp_path / folder / GRAPH for folder in ("cache", "input/weights", "named", "asked")
    )
    for path in (cached, kaggle, named, asked):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x")
        if path == named:
            monkeypatch.setenv("MONET_INCEPTION", str(named))
        assert find_inception(asked if path == asked else None, url="http://127.0.0.1:9/none") == path
    assert capsys.readouterr().out.splitlines() == [
        f"features: {cached} (downloaded before)",
        f"features: {kaggle} (Kaggle input)",
        f"features: {named} (from MONET_INCEPTION)",
        f"features: {asked} (as asked)",
    ]
    monkeypatch.setenv("MONET_INCEPTION", str(tmp_path / "missing.pb"))
    with pytest.raises(UserError, match=r"missing.pb: no such file"):
        find_inception()


def archive(**members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name.replace("__", "/").replace("PB", GRAPH))
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def test_the_graph_is_downloaded_once_and_kept(tmp_path, as_published, capsys):
    web = tmp_path / "inception.tgz"
    web.write_bytes(archive(LICENSE=b"text", **{"..__..__PB": as_published}))  # the archive's folders are not used
    path = find_inception(url=web.as_uri())
    assert path == tmp_path / "cache" / GRAPH
    web.unlink()
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == [path]
    assert load_inception(path).canonical
    assert find_inception(url=web.as_uri()) == path
    assert "(downloaded before)" in capsys.readouterr().out


def test_a_bad_download_is_refused_and_leaves_nothing(tmp_path, as_published):
    web, size = tmp_path / "inception.tgz", len(as_published)
    for sent, message in (
        (None, "can't be downloaded"),
        (archive(PB=as_published[:-1]), f"{size - 1:,} bytes, not {size:,}"),
        (archive(LICENSE=b"text"), "has 0 bytes"),
        (b"<html>", "can't be downloaded"),
        (archive(PB=as_published)[:-2000], "can't be downloaded"),
    ):
        if sent:
            web.write_bytes(sent)
        with pytest.raises(UserError, match=message) as caught:
            find_inception(url=web.as_uri())
        assert "\n" not in str(caught.value)
        assert list((tmp_path / "cache").iterdir()) == []


def test_keras_inception_is_a_proxy_and_says_when_it_cannot_be_had(monkeypatch):
    def offline(**arguments):
        raise Exception("URL fetch failure on https://storage.googleapis.com: None")

    build = keras.applications.InceptionV3
    monkeypatch.setattr(keras.applications, "InceptionV3", offline)
    with pytest.raises(UserError, match="URL fetch failure.*Go online once"):
        feature_network("keras-inception-v3")
    monkeypatch.setattr(keras.applications, "InceptionV3", lambda **a: build(weights=None, **a))
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        network = feature_network("keras-inception-v3")
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        keras.config.set_dtype_policy("float32")
    assert (network.name, network.canonical) == ("keras-inception-v3", False)
    assert network(images(1)).shape == (1, 2048)


def test_the_random_network_is_seeded_and_takes_any_size():
    network, pixels = random_network(), images(3, 256)
    assert (network.name, network.canonical) == ("random-conv", False)
    assert network(pixels).shape == (3, 224)
    np.testing.assert_array_equal(network(pixels), random_network()(pixels))
    np.testing.assert_allclose(network(pixels[:1]), network(pixels)[:1], rtol=1e-4, atol=1e-5)
    assert random_network(1).name == "random-conv-1"
    assert not np.allclose(network(pixels), random_network(1)(pixels))
    assert network(images(2, 100)).shape == (2, 224)


def test_what_a_network_does_not_take_is_refused():
    network = random_network()
    for wrong in (images(2)[0], images(2).astype(np.float32), images(2)[..., :1], images(0)):
        with pytest.raises(UserError, match=r"needs uint8 images \(batch, h, w, 3\)"):
            network(wrong)
    with pytest.raises(UserError, match="unknown. Choose one of efficientnet-lite0, squeezenet"):
        feature_network("vgg")
    with pytest.raises(UserError, match="only inception-2015 takes a weights file"):
        feature_network("random-conv", weights="x.pb")


def test_real_is_nearer_to_real_than_to_other_images_and_those_nearer_than_noise():
    def features(first, tint):
        drawn = [np.asarray(Image.open(io.BytesIO(jpeg(first + k))), np.float32) for k in range(40)]
        return network(np.clip(np.stack(drawn) * tint, 0, 255).astype(np.uint8))

    network = random_network()
    real, other, noise = features(0, [1, 0.9, 0.7]), features(50, [0.6, 0.7, 0.9]), network(images(40, 256))
    base, fellows = real[1::2], real[::2]
    for distance in (frechet_distance, lambda g, r: kernel_distance(g, r, size=len(r))[0]):
        distances = [distance(x, base) for x in (base, fellows, other, noise)]
        assert (np.diff(distances) > 0).all()
    assert memorization_distance(base, base) < 1e-6 < memorization_distance(fellows, base)
