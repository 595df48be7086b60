"""Read the images of a set one by one, and say of each what is wrong with it: files and records from anywhere."""

import os
import re
import unicodedata
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from monet_lib.data.images import IMAGE_ADVICE, decode
from monet_lib.data.records import parse_example, read_records
from monet_lib.errors import UserError
from monet_lib.files import reading

LONGEST_NAME = 240  # bytes: with "-udlr.jpg" it is still a file name everywhere
AHEAD = 32  # images that are decoded before they are asked for


def examine(images: Any) -> Iterator[tuple[str, np.ndarray | None, UserError | None]]:
    """Yield (name, image, problem) record by record: uint8 (256, 256, 3) or None, and a UserError or None.

    Decoded in threads, a few ahead of what is asked for.
    """
    with ThreadPoolExecutor(min(8, os.cpu_count() or 2)) as pool:
        found = _records(images) if images.format == "tfrec" else _files(images)
        yield from in_order(pool, _examined, found, AHEAD)


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


def _files(images):
    """Yield what `_examined` takes for each file of a folder of images."""
    for file in images.files:
        name, data, problem = _text(os.fsencode(file.stem)), None, None
        where = f"{file.parent.name}/{file.name}"
        try:
            with reading(where, "image", IMAGE_ADVICE):
                data = file.read_bytes()
        except UserError as error:
            problem = error
        yield name, data, where, ("JPEG", "PNG"), problem


def _records(images):
    """Yield what `_examined` takes for each record of the shards, and for what is wrong with a shard."""
    for file in images.files:
        where, number = f"{file.parent.name}/{file.name}", 0
        try:
            for number, record in enumerate(read_records(file, where), 1):
                yield _record(record, f"{file.stem}-{number}", f"{where}, record {number}")
        except UserError as problem:
            yield None, None, where, (), problem
            continue
        named = count_in_name(file)
        if number != named and (named is not None or not number):
            expected = f"named for {named} records, holds {number}" if number or named else "empty, no record in it"
            yield None, None, where, (), UserError(f"{where}: {expected}. {IMAGE_ADVICE}")


def _record(record, name, where):
    try:
        features = parse_example(record, where)
        if not features.get("image"):
            held = "holds no bytes" if "image" in features else "is missing"
            raise UserError(f"{where}: no feature 'image' of bytes ({held}). {IMAGE_ADVICE}")
        if "image_name" in features and features["image_name"] is None:
            raise UserError(f"{where}: its image_name holds no text. {IMAGE_ADVICE}")
    except UserError as problem:
        return name, None, where, (), problem
    named = features.get("image_name")
    return _text(named[0]) if named else name, features["image"][0], where, ("JPEG",), None


def _examined(found):
    name, data, where, formats, problem = found
    try:
        return name, None if problem else decode(data, where, formats), problem
    except UserError as error:
        return name, None, error


def _text(data):
    """A name's bytes as text: UTF-8, or else Latin-1, which old systems wrote."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
