"""TFRecord shards, read and written without TensorFlow: a length, its checksum, the record, its checksum, and so on.

The format is TensorFlow's (tensorflow/core/lib/io/record_writer.h): both numbers little-endian, both checksums
CRC-32C, rotated and shifted. A record is a tf.train.Example, a protocol buffer of named lists.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import google_crc32c
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

from monet_lib.errors import UserError
from monet_lib.files import disguised, reading

SHARD_ADVICE = "Download it again, or leave it out (--skip-bad); see data/README.md."
HEADER = 12  # bytes before a record: its length and the length's checksum
# tf.train.Example (tensorflow/core/example/example.proto) without its lists of numbers, which are skipped.
SCHEMA = """
name: "example.proto" package: "monet" syntax: "proto3"
message_type { name: "BytesList" field { name: "value" number: 1 type: TYPE_BYTES label: LABEL_REPEATED } }
message_type { name: "Feature" field { name: "bytes_list" number: 1 type: TYPE_MESSAGE type_name: ".monet.BytesList" } }
message_type { name: "Features"
  field { name: "feature" number: 1 type: TYPE_MESSAGE type_name: ".monet.Features.Entry" label: LABEL_REPEATED }
  nested_type { name: "Entry" options { map_entry: true }
    field { name: "key" number: 1 type: TYPE_STRING }
    field { name: "value" number: 2 type: TYPE_MESSAGE type_name: ".monet.Feature" } } }
message_type { name: "Example" field { name: "features" number: 1 type: TYPE_MESSAGE type_name: ".monet.Features" } }
"""


def read_records(file: str | Path, where: Any) -> Iterator[bytes]:
    """Yield the records of the shard `file`, bytes each, each found whole by its checksums.

    Raises UserError, beginning with `where` and the record's number, at the first that isn't: the rest can't be read.
    """
    number = 0
    with reading(where, "shard", SHARD_ADVICE), open(file, "rb") as stream:
        while header := stream.read(HEADER):
            number += 1
            if number == 1:
                _check_kind(header + stream.peek(64)[:64], where)
            at = f"{where}, record {number}"
            (length,) = struct.unpack("<Q", _whole(header, HEADER, at))
            yield _whole(stream.read(length + 4), length + 4, at)


def _whole(data, size, at):
    """`data` without the last four bytes, its checksum. Raises UserError where it is shorter than `size` or damaged."""
    found = "the file ends within it" if len(data) < size else "its checksum is wrong"
    if len(data) < size or masked_checksum(data[:-4]) != data[-4:]:
        raise UserError(f"{at}: {found}; the rest can't be read. {SHARD_ADVICE}")
    return data[:-4]


def write_records(file: str | Path, records: Iterable[bytes]) -> None:
    """Write the shard `file` of these records, bytes each. An OSError passes."""
    with open(file, "wb") as stream:
        for record in records:
            length = struct.pack("<Q", len(record))
            stream.write(length + masked_checksum(length) + record + masked_checksum(record))


def count_records(file: str | Path) -> int:
    """How many records the lengths in a shard tell of, without reading them; of a damaged one, up to the damage."""
    count = 0
    try:
        with open(file, "rb") as stream:
            end = stream.seek(0, 2)
            stream.seek(0)
            while len(header := stream.read(HEADER)) == HEADER:
                (length,) = struct.unpack("<Q", header[:8])
                if stream.tell() + length + 4 > end:
                    break
                stream.seek(length + 4, 1)
                count += 1
    except OSError:  # `read_records` says what is wrong
        pass
    return count


def masked_checksum(data: bytes) -> bytes:
    """The four bytes that follow `data` in a shard: its CRC-32C, rotated right by 15 bits, plus a constant."""
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def parse_example(record: bytes, where: Any) -> dict[str, list[bytes] | None]:
    """{feature: list of bytes} of a serialized tf.train.Example; None for one of numbers. UserError for others."""
    with reading(where, "tf.train.Example", SHARD_ADVICE):
        features = _example().FromString(record).features.feature
        return {name: list(f.bytes_list.value) if f.HasField("bytes_list") else None for name, f in features.items()}


def make_example(features: Mapping[str, bytes]) -> bytes:
    """A serialized tf.train.Example of one value a feature, equal for equal features."""
    example = _example()()
    for name, value in features.items():
        example.features.feature[name].bytes_list.value.append(value)
    return example.SerializeToString(deterministic=True)  # else the features' order may change


def _check_kind(start, where):
    kind = disguised(start)
    if start.startswith(b"\x1f\x8b"):
        kind = "compressed by gzip; write it without compression"
    elif start[:1] == b"\x78" and (start[0] << 8 | start[1]) % 31 == 0 and masked_checksum(start[:8]) != start[8:12]:
        kind = "compressed by zlib; write it without compression"
    if kind:
        raise UserError(f"{where}: {kind}. {SHARD_ADVICE}")


@lru_cache
def _example():
    """The message class of tf.train.Example, in a pool of its own."""
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(text_format.Parse(SCHEMA, descriptor_pb2.FileDescriptorProto()).SerializeToString())
    example = pool.FindMessageTypeByName("monet.Example")
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(example)
    return message_factory.MessageFactory(pool).GetPrototype(example)  # before protobuf 4.22, on older images of Kaggle
