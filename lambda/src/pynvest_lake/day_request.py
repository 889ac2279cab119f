"""Day requests: events that ask stage 1 or stage 2 to do something with a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

from b3.days import PARTITION_KEY, day_at, parse_day
from b3.ticker import parse_ticker
from pynvest_lake.archive import parse_manifest_key
from pynvest_lake.execution import check_fields
from pynvest_lake.ledger import moment_of

_START = (PARTITION_KEY, "tickers", "source", "remove", "scheduled_at")
_TICKERS = (PARTITION_KEY, "tickers", "source", "only_missing", "old_session", "probe")


@dataclass(frozen=True)
class OldSession:
    """An old session that the site showed.

    Parameters
    ----------
    session
        The session, ``YYYYMMDD``.
    ticker
        The asset whose page shows whether the site has a later session.
    """

    session: int
    ticker: str


@dataclass(frozen=True)
class DayRequest:
    """What an event asks for: a day, and the work to do with this day.

    Parameters
    ----------
    day
        The run day, ``YYYYMMDD``.
    tickers
        The tickers of a partial run; None for all tickers.
    from_pages
        Whether to read the day's archived pages instead of the site.
    remove
        Whether to remove the day.
    scheduled_at
        The time of the schedule; None if a person sent the event.
    manifest
        Hash of the collector's manifest that caused the event; None for other events.
    only_missing
        Whether to queue only the tickers of `DayLedger.to_ask`, and tickers with an old session.
    old_sessions
        The old sessions that the site still showed, one for each late kind.
    """

    day: int
    tickers: tuple[str, ...] | None = None
    from_pages: bool = False
    remove: bool = False
    scheduled_at: datetime | None = None
    manifest: str | None = None
    only_missing: bool = False
    old_sessions: tuple[OldSession, ...] = ()

    @classmethod
    def to_start(cls, event: Mapping[str, Any], now: datetime) -> DayRequest:
        """Read an event that a person, the schedule or S3 (after a collector's upload) sends to stage 1.

        Raises
        ------
        ValueError
            The event has an unknown field, or a field has an invalid value.
        """
        if "Records" in event:
            day, manifest = _manifest(event)
            return cls(day, from_pages=True, manifest=manifest)
        check_fields(event, _START)
        tickers, from_pages = _tickers(event), _from_pages(event)
        remove = _flag(event, "remove")
        scheduled_at = moment_of(event["scheduled_at"], "scheduled_at") if "scheduled_at" in event else None
        if remove and set(event) != {PARTITION_KEY, "remove"}:
            raise ValueError(
                f"event has {', '.join(sorted(event))}, expected only {PARTITION_KEY} and remove"
            )
        if scheduled_at is not None and set(event) != {"scheduled_at"}:
            raise ValueError(f"event has {', '.join(sorted(event))}, expected only scheduled_at")
        if from_pages and tickers is not None:
            raise ValueError("event has source and tickers, expected one: source reads every archived page")
        day = parse_day(event[PARTITION_KEY]) if PARTITION_KEY in event else day_at(scheduled_at or now)
        return cls(day, tickers, from_pages, remove, scheduled_at)

    @classmethod
    def of_tickers(cls, event: Mapping[str, Any], fetch_from: str) -> DayRequest:
        """Read an event of stage 2 that asks for a day's tickers.

        Raises
        ------
        ValueError
            The event has an unknown field, or a field has an invalid value.
        """
        check_fields(event, _TICKERS)
        only_missing = _flag(event, "only_missing")
        return cls(
            parse_day(event.get(PARTITION_KEY)),
            _tickers(event),
            _from_pages(event) or fetch_from == "pages",
            only_missing=only_missing,
            old_sessions=_old_sessions(event.get("old_session"), only_missing=only_missing),
        )


def parse_probe(event: Mapping[str, Any]) -> str | bool | None:
    """Return a probe's ticker, or True for a probe of all kinds of pages; None if the event is no probe.

    Raises
    ------
    ValueError
        The event has a field besides ``probe``, or ``probe`` is neither True nor a ticker.
    """
    if "probe" not in event:
        return None
    check_fields(event, ("probe",))
    return True if event["probe"] is True else parse_ticker(event["probe"])


def _manifest(event: Mapping[str, Any]) -> tuple[int, str]:
    try:
        (record,) = event["Records"]
        key = unquote_plus(record["s3"]["object"]["key"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("event has Records, expected one S3 record of a collector's manifest") from error
    return parse_manifest_key(key)


def _tickers(event: Mapping[str, Any]) -> tuple[str, ...] | None:
    if "tickers" not in event:
        return None
    value = event["tickers"]
    if not isinstance(value, list) or not value:
        raise ValueError(f"tickers is {value!r}, expected a list of tickers, such as ['PETR4', 'HGLG11']")
    return tuple(map(parse_ticker, value))


def _from_pages(event: Mapping[str, Any]) -> bool:
    value = event.get("source")
    if value not in (None, "pages"):
        raise ValueError(f"source is {value!r}, expected 'pages', or no such field to read from the site")
    return value == "pages"


def _flag(event: Mapping[str, Any], name: str) -> bool:
    value = event.get(name, False)
    if not isinstance(value, bool):
        raise ValueError(f"{name} is {value!r}, expected true or false")  # noqa: TRY004 - invalid event
    return value


def _old_sessions(value: Any, *, only_missing: bool) -> tuple[OldSession, ...]:
    if value is None:
        return ()
    # Versions before 1.0.0 send one session without a list.
    sessions = value if isinstance(value, list) else [value]
    for one in sessions:
        if not only_missing or not isinstance(one, Mapping) or set(one) != {"session", "ticker"}:
            raise ValueError(f"old_session is {value!r}, expected session and ticker, with only_missing")
    return tuple(
        OldSession(parse_day(one["session"], "session of old_session"), parse_ticker(one["ticker"]))
        for one in sessions
    )
