"""The ledger of a run day in the work bucket: the listed tickers, the rounds and the outcomes.

``ledger/anomesdia_exec=<day>/`` holds ``listing.json``, ``rounds/<n>.json`` and ``<kind>/<id>.json``. Stage 3
writes one ``<kind>/<id>.json`` for each batch. The outcome of an asset is its highest-ranked entry. The order
of the entries does not matter, so batches can be repeated, be late, or run at the same time.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum
from functools import lru_cache
from typing import Any

from b3.days import PARTITION_KEY
from b3.kind import Kind
from pynvest_lake.aws import list_objects, put_new

AssetKey = tuple[Kind, str]
Prices = Mapping[str, "float | None"]


class Outcome(str, Enum):
    """The outcome of an asset on a day. The members are in the order of their rank, the highest first."""

    READ = "read"
    NO_SUCH_PAPER = "no_such_paper"
    LATER_SESSION = "later_session"
    LAYOUT = "layout"
    FAILED = "failed"
    REFUSED = "refused"

    @property
    def rank(self) -> int:
        """Return the rank: a greater number wins when outcomes are merged."""
        return -list(Outcome).index(self)

    @property
    def final(self) -> bool:
        """Return whether the outcome is final: another request on the same day would not change it."""
        return self in (Outcome.READ, Outcome.NO_SUCH_PAPER, Outcome.LATER_SESSION)


class UnreadableLedger(ValueError):
    """An object of the ledger is not in the format that this module writes. The text names the object."""


def moment_text(moment: datetime) -> str:
    """Return a moment in the format of the ledger and the archive, such as ``2026-11-23T21:45:07Z``."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_of(value: object, name: str = "moment") -> datetime:
    """Read a moment that has a time zone and a year from 2000 to 2099, such as ``2026-11-23T21:45:07Z``.

    Raises
    ------
    ValueError
        The value is not a moment, has no time zone, or has a year outside 2000 to 2099.
    """
    with suppress(ValueError):
        # The collector also runs on Python 3.10, which does not read the letter Z.
        moment = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
        # A moment near the year 1 or 9999 could overflow when it is converted to another zone.
        if moment.tzinfo is not None and 2000 <= moment.year < 2100:
            return moment
    raise ValueError(f"{name} is {value!r}, expected a moment such as 2026-11-23T21:45:00Z")


@dataclass(frozen=True)
class Listing:
    """The tickers to read on a day, by kind, with their prices in the site's listing.

    Parameters
    ----------
    assets
        Ticker and price, by kind.
    is_partial
        Whether the day's run was started with a few tickers only.
    archived
        False if the attempt to archive the listing's pages failed.
    unreadable
        The number of the listing's rows that name no asset, by kind.
    """

    assets: Mapping[Kind, Prices]
    is_partial: bool = False
    archived: bool = True
    unreadable: Mapping[Kind, int] = field(default_factory=dict)

    def united(self, other: Listing) -> Listing:
        """Merge with another listing of the same day. The prices in `other` replace this listing's prices."""
        return Listing(
            {kind: {**self.assets.get(kind, {}), **other.assets.get(kind, {})} for kind in Kind},
            self.is_partial and other.is_partial,
            self.archived and other.archived,
            {**self.unreadable, **other.unreadable},
        )

    def __iter__(self) -> Iterator[AssetKey]:
        """Iterate over the assets."""
        return ((kind, ticker) for kind in Kind for ticker in self.assets.get(kind, ()))

    def to_json(self) -> str:
        """Return the object's body."""
        return json.dumps(
            {
                "trial": self.is_partial,
                "archived": self.archived,
                "papers": {kind.value: dict(self.assets.get(kind, {})) for kind in Kind},
                "unreadable": {kind.value: count for kind, count in self.unreadable.items()},
            }
        )

    @classmethod
    def from_json(cls, body: bytes) -> Listing:
        """Read the object's body."""
        content = json.loads(body)
        assets = {Kind(kind): prices for kind, prices in content["papers"].items()}
        unreadable = {Kind(kind): count for kind, count in content.get("unreadable", {}).items()}
        return cls(assets, content["trial"], content.get("archived", True), unreadable)


@dataclass(frozen=True)
class Round:
    """One round of a day: one call of stage 2 that queued tickers or got no listing.

    Parameters
    ----------
    number
        0 for the first round of the day, 1 for the second round, and so on.
    started_at
        Start of the round, as `moment_text` writes it.
    assets
        The queued tickers, by kind.
    reason
        Why the round had no listing; None if the round had a listing.
    """

    number: int
    started_at: str
    assets: Mapping[Kind, Collection[str]]
    reason: str | None = None

    def __iter__(self) -> Iterator[AssetKey]:
        """Iterate over the assets."""
        return ((kind, ticker) for kind in Kind for ticker in self.assets.get(kind, ()))

    def to_json(self) -> str:
        """Return the object's body."""
        return json.dumps(
            {
                "round": self.number,
                "started_at": self.started_at,
                "papers": {kind.value: sorted(self.assets.get(kind, ())) for kind in Kind},
                "reason": self.reason,
            }
        )

    @classmethod
    def from_json(cls, body: bytes) -> Round:
        """Read the object's body."""
        content = json.loads(body)
        assets = {Kind(kind): tickers for kind, tickers in content["papers"].items()}
        return cls(content["round"], content["started_at"], assets, content["reason"])


@dataclass(frozen=True)
class AssetEntry:
    """The result of one asset in one batch.

    Parameters
    ----------
    outcome
        The outcome of the asset.
    round
        The number of the round that queued the asset.
    why
        Why the asset was not read; None if it was read.
    object
        Id of the SoR object that holds the asset's row, if the asset was read.
    session
        The session that the page shows, ``YYYYMMDD``; None if the page shows no session.
    fetched_at
        When the page was fetched, as `moment_text` writes it; None if there is no page.
    unknown_labels
        The first labels on the page that have no column; None if every label has a column.
    unknown_count
        The number of labels without a column; None if `unknown_labels` names all these labels.
    lacking_labels
        Core labels that the page lacks; None if the page has all of them.
    """

    outcome: Outcome
    round: int = 0
    why: str | None = None
    object: str | None = None
    session: int | None = None
    fetched_at: str | None = None
    unknown_labels: tuple[str, ...] | None = None
    unknown_count: int | None = None
    lacking_labels: tuple[str, ...] | None = None

    @property
    def order(self) -> tuple[Any, ...]:
        """Return a sort key: the outcome's rank, then the time of the page; the other fields break ties."""
        return self.outcome.rank, self.fetched_at or "", self.round, repr(self)


@dataclass(frozen=True)
class BatchEntry:
    """The results of one batch of stage 3.

    Parameters
    ----------
    kind
        The kind of asset.
    assets
        The entry of each asset, by ticker.
    archived
        False if the attempt to archive the batch's pages failed.
    """

    kind: Kind
    assets: Mapping[str, AssetEntry]
    archived: bool = True

    @property
    def id(self) -> str:
        """Return a hash of the whole entry, so that two different entries never overwrite each other."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:32]

    def to_json(self) -> str:
        """Return the object's body."""
        return json.dumps(
            {
                "kind": self.kind.value,
                "papers": {
                    ticker: {name: value for name, value in vars(entry).items() if value is not None}
                    for ticker, entry in sorted(self.assets.items())
                },
                # Versions before 1.0.0 cannot read an entry without the fields ``labels`` and ``lacking``.
                "labels": {},
                "lacking": {},
                "archived": self.archived,
            }
        )

    @classmethod
    def from_json(cls, body: bytes) -> BatchEntry:
        """Read the object's body."""
        content = json.loads(body)
        assets = {ticker: _asset_entry(entry) for ticker, entry in content["papers"].items()}
        return cls(Kind(content["kind"]), assets, content["archived"])


def _asset_entry(content: Mapping[str, Any]) -> AssetEntry:
    labels = {name: tuple(content[name]) for name in ("unknown_labels", "lacking_labels") if name in content}
    return AssetEntry(**{**content, **labels, "outcome": Outcome(content["outcome"])})


@dataclass(frozen=True)
class DayLedger:
    """The whole ledger of one day.

    Parameters
    ----------
    day
        The day, ``YYYYMMDD``.
    listing
        The day's listing; None if the site gave no listing, or if the day is older than the ledger.
    rounds
        The rounds, the earliest first.
    batches
        One pair for each batch: the entry, and the moment when S3 received the entry.
    """

    day: int
    listing: Listing | None
    rounds: tuple[Round, ...]
    batches: tuple[tuple[BatchEntry, datetime], ...]

    @property
    def is_partial(self) -> bool:
        """Return whether the day's run was started with a few tickers only."""
        return self.listing is not None and self.listing.is_partial

    @property
    def next_round(self) -> int:
        """Return the number of the next round; 0 if the day has no round yet."""
        return self.rounds[-1].number + 1 if self.rounds else 0

    def entries(self) -> Iterator[tuple[AssetKey, AssetEntry]]:
        """Iterate over the entries of all batches, each with its asset."""
        return (
            ((batch.kind, ticker), entry)
            for batch, _ in self.batches
            for ticker, entry in batch.assets.items()
        )

    def assets(self, sor_ids: Collection[str]) -> dict[AssetKey, AssetEntry]:
        """Return the highest-ranked entry of each asset; order and number of the entries do not matter.

        An asset counts as read only if its object's id is in `sor_ids`, the ids of the day's SoR objects.
        """
        said: dict[AssetKey, AssetEntry] = {}
        for asset, entry in self.entries():
            if entry.outcome is Outcome.READ and entry.object not in sor_ids:
                continue
            if asset not in said or entry.order > said[asset].order:
                said[asset] = entry
        return said

    def missing(
        self, sor_ids: Collection[str], known: Collection[AssetKey] = ()
    ) -> dict[AssetKey, AssetEntry | None]:
        """Return each listed asset that is neither `READ` nor `NO_SUCH_PAPER`, with its entry or None.

        An asset in `known` had a page before, so it is missing also if it is `NO_SUCH_PAPER`.
        """
        said = self.assets(sor_ids)
        return {
            asset: said.get(asset)
            for asset in self.listing or ()
            if asset not in said
            or said[asset].outcome not in (Outcome.READ, Outcome.NO_SUCH_PAPER)
            or (said[asset].outcome is Outcome.NO_SUCH_PAPER and asset in known)
        }

    def to_ask(self, sor_ids: Collection[str], old_sessions: Collection[int] = ()) -> list[AssetKey]:
        """Return the assets that the next round requests; an asset can occur twice.

        These are the listed assets without a final outcome, the assets in `not_read_again`, and the assets
        that were read with a session in `old_sessions` (``YYYYMMDD``). An asset that was read is left out if
        its page has shown a later session than the day's.
        """
        unread = [
            asset
            for asset, entry in self.missing(sor_ids).items()
            if entry is None or not entry.outcome.final
        ]
        old = [asset for asset, said in self.assets(sor_ids).items() if said.session in old_sessions]
        later = {asset for asset, entry in self.entries() if entry.outcome is Outcome.LATER_SESSION}
        again = [*self.not_read_again(sor_ids), *old]
        return [*unread, *(asset for asset in again if asset not in later)]

    def not_read_again(self, sor_ids: Collection[str]) -> list[AssetKey]:
        """Return the assets that were read, but not in the newest round that queued them."""
        queued_in = {asset: one.number for one in self.rounds for asset in one}
        read_in: dict[AssetKey, int] = {}
        for asset, entry in self.entries():
            if entry.outcome is Outcome.READ and entry.object in sor_ids:
                read_in[asset] = max(entry.round, read_in.get(asset, entry.round))
        return [asset for asset, number in queued_in.items() if read_in.get(asset, number) < number]

    def unanswered(self) -> list[AssetKey]:
        """Return the assets that the newest round queued and that have no entry from this round."""
        if not self.rounds:
            return []
        newest = self.rounds[-1]
        answered = {asset for asset, entry in self.entries() if entry.round == newest.number}
        return [asset for asset in newest if asset not in answered]


class Ledger:
    """The ledger of all days, in the work bucket."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def listing(self, day: int) -> Listing | None:
        """Return a day's listing, or None if the ledger has none."""
        return self._read(day, listing_key(day)).listing

    def rounds(self, day: int) -> tuple[Round, ...]:
        """Return the rounds of a day, the earliest first."""
        return self._read(day, f"{prefix(day)}rounds/").rounds

    def write_listing(self, day: int, listing: Listing) -> None:
        """Write a day's listing."""
        self._put(listing_key(day), listing.to_json())

    def start_round(
        self,
        day: int,
        assets: Mapping[Kind, Collection[str]],
        started_at: datetime,
        *,
        number: int,
        reason: str | None = None,
    ) -> Round:
        """Write a round under `number`, or under the next number that is free."""
        while True:
            begun = Round(number, moment_text(started_at), assets, reason)
            key, body = f"{prefix(day)}rounds/{number}.json", begun.to_json().encode()
            if put_new(self._s3, self._bucket, key, body, "application/json"):
                return begun
            number += 1

    def write_batch(self, day: int, entry: BatchEntry) -> None:
        """Write the entry of a batch."""
        self._put(f"{prefix(day)}{entry.kind.value}/{entry.id}.json", entry.to_json())

    def read(self, day: int) -> DayLedger:
        """Return the whole ledger of a day.

        Raises
        ------
        UnreadableLedger
            An object does not have the format that this module writes.
        """
        return self._read(day, prefix(day))

    def _read(self, day: int, below: str) -> DayLedger:
        listing: Listing | None = None
        rounds, batches = [], []
        for item in list_objects(self._s3, self._bucket, below):
            key = item["Key"]
            try:
                body = _body(self._s3, self._bucket, key, item["ETag"])
            except self._s3.exceptions.NoSuchKey:  # not cached: the object may be written again
                continue
            name = key.removeprefix(prefix(day))
            try:
                if name == "listing.json":
                    listing = Listing.from_json(body)
                elif re.fullmatch(r"rounds/[0-9]+\.json", name):
                    rounds.append(Round.from_json(body))
                else:
                    batches.append((BatchEntry.from_json(body), item["LastModified"]))
            except (ValueError, KeyError, TypeError) as error:
                raise UnreadableLedger(
                    f"s3://{self._bucket}/{key} is no object of the ledger ({type(error).__name__}: {error})"
                ) from error
        return DayLedger(day, listing, tuple(sorted(rounds, key=lambda one: one.number)), tuple(batches))

    def _put(self, key: str, body: str) -> None:
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=body.encode(), ContentType="application/json")


def count_labels(labels_of: Mapping[str, Collection[str] | None]) -> dict[str, tuple[int, str]]:
    """Return for each label the number of assets that have it, and the first ticker.

    `labels_of` has the labels of each asset, by ticker.
    """
    found: dict[str, tuple[int, str]] = {}
    for ticker in sorted(labels_of):
        for label in labels_of[ticker] or ():
            assets, first = found.get(label, (0, ticker))
            found[label] = (assets + 1, first)
    return found


def prefix(day: int) -> str:
    """Return the key prefix of a day's ledger."""
    return f"ledger/{PARTITION_KEY}={day}/"


def listing_key(day: int) -> str:
    """Return the key of a day's listing."""
    return f"{prefix(day)}listing.json"


@lru_cache(maxsize=10_000)
def _body(s3: Any, bucket: str, key: str, etag: str) -> bytes:  # noqa: ARG001 - etag is part of the cache key
    """Return an object's bytes, from a cache: each run of the step Look reads the same objects."""
    body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return body
