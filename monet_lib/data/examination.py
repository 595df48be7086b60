"""Read the images of a set one by one, and say of each what is wrong with it: files and records from anywhere."""

import os
import re
import unicodedata
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from monet_lib.data.images import IMAGE_ADVICE, decode
from monet_lib.data.records import parse_example, read_records
from monet_lib.errors import UserError, counted
from monet_lib.files import reading

LONGEST_NAME = 240  # bytes: with "-udlr.jpg" it is still a file name everywhere
AHEAD = 32  # images that are decoded before they are asked for


def examine(images: Any) -> Iterator[tuple[str, np.ndarray | None, UserError | None]]:
    """Yield (name, image, problem) record by record: uint8 (256, 256, 3) or None, and a UserError or None.

    Decoded in threads, a few ahead of what is asked for.
    """
    with ThreadPoolExecutor(min(8, os.cpu_count() or 2)) as pool:
        work = _records(images) if images.format == "tfrec" else (partial(_file, file) for file in images.files)
        yield from in_order(pool, lambda each: each(), work, AHEAD)


def in_order(pool: Executor, call: Callable[[Any], Any], items: Iterable[Any], ahead: int) -> Iterator[Any]:
    """Yield call(item) of each item in order, computed in the pool, at most `ahead` of them before they are asked for.

    As `Executor.map` with a `buffersize`, which Python has from 3.14 on.
    """
    waiting = deque()
    for item in items:
        waiting.append(pool.submit(call, item))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def plain_name(name: str) -> bool:
    """Whether `name` can be a file's name anywhere: no folder, nothing hidden, no control characters, not too long."""
    return (
        bool(re.fullmatch(r'[^./\\:*?"<>|][^/\\:*?"<>|]*', name))
        and name == name.strip()
        and all(unicodedata.category(character)[0] != "C" for character in name)
        and len(name.encode()) <= LONGEST_NAME
    )


def count_in_name(file: Path) -> int | None:
    """The number of records that a shard's name tells of, or None."""
    match = re.search(r"-(\d{1,9})$", file.stem)
    return int(match[1]) if match else None


def _file(file):
    """What `examine` yields of a file."""
    name, where = _text(os.fsencode(file.stem)), f"{file.parent.name}/{file.name}"
    try:
        with reading(where, "image", IMAGE_ADVICE):
            data = file.read_bytes()
        return name, decode(data, where, ("JPEG", "PNG")), None
    except UserError as problem:
        return name, None, problem


def _records(images):
    """Yield functions that give what `examine` yields: of each record, and of what is wrong with a shard."""
    for file in images.files:
        where, number, named = f"{file.parent.name}/{file.name}", 0, count_in_name(file)
        try:
            for number, record in enumerate(read_records(file, where), 1):
                yield partial(_record, record, f"{file.stem}-{number}", f"{where}, record {number}")
            if number != named and (named is not None or not number):
                promised = "" if named is None else f"named for {counted(named, 'record')}, "
                raise UserError(f"{where}: {promised}holds {number if promised else 'no record'}. {IMAGE_ADVICE}")
        except UserError as problem:
            yield partial(tuple, (None, None, problem))


def _record(record, name, where):
    """What `examine` yields of a record; its name is the record's own where it has one."""
    try:
        features = parse_example(record, where)
        if not features.get("image"):
            held = "holds no bytes" if "image" in features else "is missing"
            raise UserError(f"{where}: no feature 'image' of bytes ({held}). {IMAGE_ADVICE}")
        if features.get("image_name", ()) is None:
            raise UserError(f"{where}: its image_name holds no text. {IMAGE_ADVICE}")
        name = _text(features["image_name"][0]) if features.get("image_name") else name
        return name, decode(features["image"][0], where), None
    except UserError as problem:
        return name, None, problem


def _text(data):
    """A name's bytes as text: UTF-8, or else Latin-1, which old systems wrote."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
