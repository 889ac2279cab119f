"""The pages that were read, kept in the work bucket: any kept day can be read again without asking the site.

``pages/anomesdia_exec=<day>/<id>.jsonl.gz`` holds the pages of one batch, a line of JSON each. A body is its
bytes read as ISO-8859-1, so that nothing is decoded away. Needs neither pandas nor pyarrow: the collector
writes it too.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pynvest_lake.day import PARTITION_KEY

SUFFIX = ".jsonl.gz"
MANIFEST = "manifest.json"


MAX_OBJECT_BYTES = 64 * 1024 * 1024
"""Of an object, decompressed: 2,500 pages as the site has them. A collector puts 50 into one."""
MAX_LINE_BYTES = 4 * 1024 * 1024 + 64 * 1024
"""A page of 2 MB each byte of which takes two, beside its other fields."""
MAX_LINES = 10_000
"""The most messages that a batch may have."""
MOST_PROBLEMS = 20
"""Of an object, that are named; of others there is the count."""
_PIECE_BYTES = 1024 * 1024


class DamagedArchive(ValueError):  # noqa: N818 - what it is
    """A line or an object of the archive cannot be read; the text names it."""


@dataclass(frozen=True)
class KeptPage:
    """One answer of the site, as it was.

    Parameters
    ----------
    ticker
        The paper whose page it is; None for a listing.
    kind
        ``acoes`` or ``fiis``.
    url
        The address that was asked for.
    fetched_at
        When, in UTC, such as ``2026-11-23T21:45:07Z``.
    status
        The answer's status.
    content_type
        Its header of that name; None where it had none.
    body
        Its bytes.
    """

    ticker: str | None
    kind: str
    url: str
    fetched_at: str
    status: int
    content_type: str | None
    body: bytes

    def to_line(self) -> str:
        """Return the page as a line of JSON."""
        return json.dumps({**vars(self), "body": self.body.decode("iso-8859-1")}, ensure_ascii=False)

    @classmethod
    def from_line(cls, line: str) -> KeptPage:
        """Read a line of JSON.

        Raises
        ------
        DamagedArchive
            It is not what `to_line` writes.
        """
        try:
            values = json.loads(line)
            values["body"] = values["body"].encode("iso-8859-1")
            return cls(**values)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            why = f"{type(error).__name__}: {str(error)[:200]!r}"
            raise DamagedArchive(f"{why}: {line[:100]!r}") from error


@dataclass(frozen=True)
class Kept:
    """The pages of one object of the archive, and what of it could not be read."""

    key: str
    pages: tuple[KeptPage, ...]
    problems: tuple[str, ...]


class Archive:
    """The kept pages of all days, in a bucket.

    Parameters
    ----------
    s3
        S3 client.
    bucket
        The work bucket.
    """

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def put(self, day: int, pages: Iterable[KeptPage]) -> tuple[str, str]:
        """Keep the pages of a batch.

        Returns
        -------
        tuple of str and str
            The object's key and ETag. The same pages make the same object.
        """
        text = "".join(f"{page.to_line()}\n" for page in pages).encode()
        key = f"{prefix(day)}{hashlib.sha256(text).hexdigest()[:32]}{SUFFIX}"
        answer = self._s3.put_object(
            Bucket=self._bucket, Key=key, Body=gzip.compress(text, mtime=0), ContentType="application/gzip"
        )
        return key, answer["ETag"].strip('"')

    def keys(self, day: int) -> list[str]:
        """Return the keys of the objects that hold a day's pages, in order."""
        found = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix(day))
        keys = [item["Key"] for page in found for item in page.get("Contents", [])]
        return [key for key in keys if key.endswith(SUFFIX)]

    def has_manifest(self, day: int) -> bool:
        """Tell whether a collector has said that it brought the day."""
        found = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=f"{prefix(day)}{MANIFEST}", MaxKeys=1)
        return bool(found.get("Contents"))

    def read(self, key: str) -> Kept:
        """Return the pages of an object, and what of it is damaged: the rest counts all the same.

        Raises
        ------
        DamagedArchive
            There is no such object.
        """
        try:
            body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"]
        except self._s3.exceptions.NoSuchKey as error:
            raise DamagedArchive(f"s3://{self._bucket}/{key} is not there any more") from error
        pages: list[KeptPage] = []
        problems: list[str] = []
        for line in _lines(body.iter_chunks(_PIECE_BYTES), problems):
            try:
                pages.append(KeptPage.from_line(line))
            except DamagedArchive as error:
                problems.append(str(error))
        if len(problems) > MOST_PROBLEMS:
            problems[MOST_PROBLEMS:] = [f"{len(problems) - MOST_PROBLEMS} more of its lines are damaged"]
        said = tuple(f"s3://{self._bucket}/{key}: {problem}" for problem in problems)
        return Kept(key, tuple(pages), said)


def prefix(day: int) -> str:
    """Return what the keys of a day's pages start with."""
    return f"pages/{PARTITION_KEY}={day}/"


def _lines(body: Iterable[bytes], problems: list[str]) -> Iterator[str]:
    """Yield the lines of a compressed object as far as it can be read."""
    for count, line in enumerate(filter(None, _split(_unpacked(body, problems)))):
        if count == MAX_LINES:
            problems.insert(0, f"has more than {MAX_LINES} lines, the rest is not read")
            return
        if len(line) > MAX_LINE_BYTES:
            problems.append(f"line {count + 1} has more than {MAX_LINE_BYTES} bytes")
        else:
            yield line.decode("utf-8", errors="replace")


def _split(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield lines; of one that is too long, so much that it can be told.

    Not by splitlines: a body may hold what that takes for the end of a line.
    """
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
        rest = rest[: MAX_LINE_BYTES + 1]
    yield rest


def _unpacked(body: Iterable[bytes], problems: list[str]) -> Iterator[bytes]:
    """Yield what a compressed object holds, in pieces, as far as it can be read."""
    unzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    size = 0
    for packed in body:
        while packed and not unzip.eof:
            try:
                piece = unzip.decompress(packed, _PIECE_BYTES)
            except zlib.error as error:
                problems.insert(0, f"no gzip object: {error}" if not size else "the object breaks off")
                return
            packed = unzip.unconsumed_tail
            size += len(piece)
            if size > MAX_OBJECT_BYTES:
                problems.insert(0, f"holds more than {MAX_OBJECT_BYTES} bytes, the rest is not read")
                return
            yield piece
    if not unzip.eof:
        problems.insert(0, "the object breaks off")
