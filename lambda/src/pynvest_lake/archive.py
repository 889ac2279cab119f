"""The archive of pages in the work bucket. Stage 3 can read an archived day without requests to the site.

``pages/anomesdia_exec=<day>/<id>.jsonl.gz`` holds the pages of one batch, one line of JSON for each page. The
body's bytes are decoded as ISO-8859-1, which loses no byte. A collector writes ``<hash>.manifest.json`` after
it has uploaded objects of the day. Each object is named by a hash of its content, and no name is written
twice. This module imports neither pandas nor pyarrow, because the collector uses it too.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from b3.bounds import first_of
from b3.brazilian import BRASILIA
from b3.days import PARTITION_KEY, date_of, parse_day
from b3.kind import Kind
from b3.ticker import parse_ticker
from pynvest_lake.aws import list_objects, put_new
from pynvest_lake.ledger import moment_of, moment_text

SUFFIX = ".jsonl.gz"
MANIFEST_SUFFIX = ".manifest.json"
RECEIVED_WITHIN = timedelta(days=8)
"""S3 must receive an object at most this long after its run day. A collector uploads an object at most seven
days after its run day."""

_OBJECT = re.compile(rf"pages/{PARTITION_KEY}=([0-9]{{8}})/[^/]+")
# Older versions wrote one manifest per day, named manifest.json.
_MANIFEST = re.compile(
    rf"pages/{PARTITION_KEY}=([0-9]{{8}})/(?:([0-9a-f]{{32}}){re.escape(MANIFEST_SUFFIX)}|manifest\.json)"
)


MAX_OBJECT_BYTES = 64 * 1024 * 1024
"""Limit of one object, decompressed: some 2,500 pages of the site. A collector's object has 50 pages."""
MAX_LINE_BYTES = 4 * 1024 * 1024 + 64 * 1024
"""Limit of one line: two bytes for each byte of a page of 2 MB, and 64 kB for the other fields."""
MAX_LINES = 10_000
"""Limit of one object's lines: a batch has at most this many messages."""


class DamagedArchive(ValueError):
    """A line or an object of the archive cannot be read. The text names the line or the object."""


@dataclass(frozen=True)
class ArchivedPage:
    """An answer of the site, with the bytes unchanged.

    Parameters
    ----------
    ticker
        The asset of the page; None for a listing.
    kind
        ``acoes`` or ``fiis``.
    url
        The requested address.
    fetched_at
        When the page was fetched, in UTC, such as ``2026-11-23T21:45:07Z``.
    status
        The HTTP status.
    content_type
        The header ``Content-Type``; None if the answer had no such header.
    body
        The bytes of the body.
    """

    ticker: str | None
    kind: str
    url: str
    fetched_at: str
    status: int
    content_type: str | None
    body: bytes

    def __post_init__(self) -> None:
        Kind(self.kind)
        if self.ticker is not None:
            parse_ticker(self.ticker)
        if moment_text(moment_of(self.fetched_at, "fetched_at")) != self.fetched_at:
            raise ValueError(
                f"fetched_at is {self.fetched_at!r}, expected a text such as '2026-11-23T21:45:07Z'"
            )
        for value, expected in ((self.url, str), (self.status, int), (self.content_type or "", str)):
            if not isinstance(value, expected):
                raise TypeError(f"found {value!r}, expected {expected.__name__}")

    @classmethod
    def of(cls, page: Any, kind: Kind, ticker: str | None) -> ArchivedPage:
        """Make an archived page from a `fundamentus_site.page.Page`."""
        fetched_at = moment_text(page.fetched_at)
        return cls(ticker, kind.value, page.url, fetched_at, page.status, page.content_type, page.body)

    @property
    def answer(self) -> dict[str, Any]:
        """Return the fields of the `fundamentus_site.page.Page`."""
        names = ("url", "status", "content_type", "body")
        return {name: getattr(self, name) for name in names} | {"fetched_at": moment_of(self.fetched_at)}

    def to_line(self) -> str:
        """Return the page as a line of JSON."""
        return json.dumps({**vars(self), "body": self.body.decode("iso-8859-1")}, ensure_ascii=False)

    @classmethod
    def from_line(cls, line: str) -> ArchivedPage:
        """Read a line of JSON.

        Raises
        ------
        DamagedArchive
            The line does not have the format that `to_line` writes.
        """
        try:
            values = json.loads(line)
            return cls(**{**values, "body": values["body"].encode("iso-8859-1")})
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            why = f"{type(error).__name__}: {str(error)[:200]!r}"
            raise DamagedArchive(f"{why}: {line[:100]!r}") from error


@dataclass(frozen=True)
class ArchiveObject:
    """The readable pages of one archive object, and the problems of the unreadable parts."""

    pages: tuple[ArchivedPage, ...]
    problems: tuple[str, ...]


class Archive:
    """The archived pages of all days, in the work bucket."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def put(self, day: int, pages: Iterable[ArchivedPage]) -> str:
        """Store the pages of a batch, and return the object's key. The same pages give the same key."""
        text = "".join(f"{page.to_line()}\n" for page in pages).encode()
        key = f"{prefix(day)}{_hash(text)}{SUFFIX}"
        put_new(self._s3, self._bucket, key, gzip.compress(text, mtime=0), "application/gzip")
        return key

    def keep(self, day: int, pages: Collection[ArchivedPage], logger: Any) -> bool:
        """Store pages, and return whether this succeeded. A failure is only logged, not raised."""
        try:
            self.put(day, pages)
        except (ClientError, BotoCoreError) as error:
            logger.warning("pages not kept", extra={"pages": len(pages), "reason": str(error)})
            return False
        return True

    def put_manifest(self, day: int, objects: Iterable[str]) -> bool:
        """Write the manifest of a day; `objects` are the keys of the objects that a collector has uploaded.

        Return False, and write nothing, if a manifest of these objects exists.
        """
        text = json.dumps({PARTITION_KEY: day, "objects": sorted(objects)}, indent=1).encode()
        key = f"{prefix(day)}{_hash(text)}{MANIFEST_SUFFIX}"
        return put_new(self._s3, self._bucket, key, text, "application/json")

    def keys(self, day: int) -> list[str]:
        """Return the keys of the objects that hold a day's pages, sorted."""
        keys = [item["Key"] for item in list_objects(self._s3, self._bucket, prefix(day))]
        return [key for key in keys if key.endswith(SUFFIX)]

    def read(self, key: str) -> ArchiveObject:
        """Return the readable pages of an object, and the problems of its damaged lines.

        If S3 received the object too late (see `RECEIVED_WITHIN`), all pages of the object are ignored.

        Raises
        ------
        DamagedArchive
            The object does not exist.
        """
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key)
        except self._s3.exceptions.NoSuchKey as error:
            raise DamagedArchive(f"s3://{self._bucket}/{key} no longer exists") from error
        if _is_late(key, answer["LastModified"]):
            received = f"S3 received it on {answer['LastModified']:%Y-%m-%d}"
            allowed = f"expected within {RECEIVED_WITHIN.days} days of its day: its pages are ignored"
            return ArchiveObject((), (f"s3://{self._bucket}/{key}: {received}, {allowed}",))
        pages: list[ArchivedPage] = []
        problems: list[str] = []
        for line in _lines(answer["Body"], problems):
            try:
                pages.append(ArchivedPage.from_line(line))
            except DamagedArchive as error:
                problems.append(str(error))
        named = first_of(problems, len(problems))
        said = tuple(f"s3://{self._bucket}/{key}: {problem}" for problem in named)
        return ArchiveObject(tuple(pages), said)


def prefix(day: int) -> str:
    """Return the key prefix of a day's pages."""
    return f"pages/{PARTITION_KEY}={day}/"


def parse_manifest_key(key: str) -> tuple[int, str]:
    """Read a key such as ``pages/anomesdia_exec=20261123/<32 hexadecimal digits>.manifest.json``.

    Returns
    -------
    tuple of int and str
        The day, ``YYYYMMDD``, and the hash. A key of an older collector has no hash: the text ``manifest`` is
        returned instead.

    Raises
    ------
    ValueError
        The key is not a manifest's key, or the day in the key does not exist.
    """
    match = _MANIFEST.fullmatch(key)
    if match is None:
        raise ValueError(
            f"{key[:200]!r} is no manifest of a collector, expected "
            f"pages/{PARTITION_KEY}=YYYYMMDD/<32 hexadecimal digits>{MANIFEST_SUFFIX}"
        )
    return parse_day(int(match[1])), match[2] or "manifest"


def _hash(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:32]


def _is_late(key: str, received: datetime) -> bool:
    """Return whether S3 received an object too late. S3 sets the receipt time: uploaders cannot forge it."""
    match = _OBJECT.fullmatch(key)
    if match is None:
        return False
    return received.astimezone(BRASILIA).date() > date_of(int(match[1])) + RECEIVED_WITHIN


def _lines(body: Any, problems: list[str]) -> Iterator[str]:
    """Yield the lines of a compressed object, up to the first unreadable byte.

    Do not use splitlines: it also splits at other characters that a body may contain.
    """
    count = size = 0
    cut = False
    unzipped = gzip.GzipFile(fileobj=body)
    try:
        while line := unzipped.readline(MAX_LINE_BYTES + 1):
            size += len(line)
            rest_of_cut, cut = cut, not line.endswith(b"\n") and len(line) > MAX_LINE_BYTES
            if size > MAX_OBJECT_BYTES:
                problems.insert(0, f"holds more than {MAX_OBJECT_BYTES} bytes, the rest is not read")
                return
            if rest_of_cut:
                continue
            if count == MAX_LINES:
                problems.insert(0, f"has more than {MAX_LINES} lines, the rest is not read")
                return
            count += 1
            if cut:
                problems.append(f"line {count} has more than {MAX_LINE_BYTES} bytes")
            elif line != b"\n":
                yield line.decode("utf-8", errors="replace").removesuffix("\n")
        if not size:
            problems.append("the object is empty")
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        foreign = isinstance(error, gzip.BadGzipFile) and not size
        problems.insert(0, f"no gzip object: {error}" if foreign else "the object is cut off")
