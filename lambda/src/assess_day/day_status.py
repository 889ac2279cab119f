"""Decides whether a day is settled, and whether the day needs another round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from assess_day.portuguese import ASSETS, OUTCOMES, day_text, number, some
from b3.bounds import REASON_CHARACTERS, printable
from b3.days import date_of
from b3.kind import Kind
from pynvest_lake.ledger import DayLedger, Outcome, moment_of

# S3 events and the message counts of SQS can be late by this many seconds.
GRACE_SECONDS = 600
# Stage 2 takes at most this many seconds to record a listing or an error. Stage 2 requests the listings for
# up to four minutes.
BEGIN_SECONDS = 300
# A listing may be incomplete if it has less than this share of the assets in the previous listing.
LISTING_SHARE = 0.95
# The site counts as refusing AWS only if the site refused at least this many assets.
REFUSED_ASSETS = 3
# After 40 runs of the step Look, the workflow waits ten times as long before each further run.
QUICK_LOOKS = 40
SLOWER = 10


@dataclass(frozen=True)
class DayState:
    """The stored state of a day at one moment.

    Parameters
    ----------
    ledger
        The day's ledger.
    sor_ids
        Ids of the day's SoR objects.
    not_through
        One text for each SoT or Spec table that lacks some of the SoR objects.
    queues
        One text for each queue that has messages, with their approximate numbers.
    newest_object_at
        The time when the day's newest object was written; None if the day has no object.
    fetch_from
        ``site`` if the lake fetches pages from the site, ``pages`` if a collector uploads the pages.
    foreign_keys
        Keys of the day's objects that the lake did not write.
    """

    ledger: DayLedger
    sor_ids: frozenset[str]
    not_through: Sequence[str] = ()
    queues: Sequence[str] = ()
    newest_object_at: datetime | None = None
    fetch_from: str = "site"
    foreign_keys: Sequence[str] = ()

    @property
    def site_refuses(self) -> bool:
        """Return whether the site refuses requests from AWS.

        True if, in the newest round that queued assets, at least three assets were refused and none was read.
        """
        newest = next((one for one in reversed(self.ledger.rounds) if list(one)), None)
        if newest is None or self.fetch_from != "site":
            return False
        said = [
            (asset, entry.outcome) for asset, entry in self.ledger.entries() if entry.round == newest.number
        ]
        refused = {asset for asset, outcome in said if outcome is Outcome.REFUSED}
        return len(refused) >= REFUSED_ASSETS and all(outcome is not Outcome.READ for _, outcome in said)


def waiting_for(state: DayState, now: datetime, patience_seconds: float, started_at: datetime) -> list[str]:
    """Return Portuguese texts about the work still in progress; the list is empty if the day is settled.

    Parameters
    ----------
    patience_seconds
        A sent message is processed, or moved to the dead-letter queue, within this many seconds.
    started_at
        The start of the workflow. In the first minutes after the start, a day without data is not settled.
    """
    ledger = state.ledger
    patience = timedelta(seconds=patience_seconds)
    grace = min(timedelta(seconds=GRACE_SECONDS), patience)
    begun_by = started_at + min(timedelta(seconds=BEGIN_SECONDS), patience)
    # A cleared day has no listing until stage 2 has recorded the new round.
    if ledger.listing is None and not state.sor_ids and now < begun_by:
        return [f"ainda não há listagem de {day_text(date_of(ledger.day))}"]
    quiet_since = [state.newest_object_at, *(written_at for _, written_at in ledger.batches)]
    if ledger.rounds:
        newest = ledger.rounds[-1]
        given_up_at = moment_of(newest.started_at) + patience
        unanswered = [ticker for _, ticker in ledger.unanswered()]
        if unanswered and now < given_up_at:
            said = f"ativos da rodada {newest.number} ainda sem resposta"
            return [f"{said}: {number(len(unanswered))} ({some(unanswered)})"]
        quiet_since.append(given_up_at if unanswered else moment_of(newest.started_at))
    latest = max((moment for moment in quiet_since if moment is not None), default=None)
    if latest is None or now >= latest + grace:
        return []
    # If the day has no listing, all messages in the queues belong to other days.
    return [*state.not_through, *(state.queues if ledger.rounds and ledger.rounds[-1].reason is None else ())]


def reasons_for_a_round(
    state: DayState, earlier_listed: Mapping[Kind, int] | None, old_sessions: Sequence[tuple[int, Kind]]
) -> tuple[str, ...]:
    """Return why a settled day needs another round.

    Parameters
    ----------
    earlier_listed
        The number of assets per kind in the previous full listing; None if no such listing exists.
    old_sessions
        The old sessions, ``YYYYMMDD``, that the site still shows, each with its kind.
    """
    late = [repeated_session(*one) for one in old_sessions]
    return (*_unread(state), *_short_listings(state.ledger, earlier_listed), *late)


def repeated_session(session: int, kind: Kind) -> str:
    """Return the Portuguese text for a site that still shows an old session."""
    return f"o site ainda mostra o pregão de {day_text(date_of(session))} nas páginas de {ASSETS[kind]}"


def no_listing(state: DayState) -> str | None:
    """Return the Portuguese text that says why a day has no listing.

    Return None if the day has a listing, or if the day is older than the ledger.
    """
    ledger = state.ledger
    if ledger.listing is not None or (state.sor_ids and not ledger.rounds):
        return None
    day = day_text(date_of(ledger.day))
    if state.fetch_from == "pages":
        return f"o coletor ainda não enviou as páginas de {day}"
    reason = next((one.reason for one in reversed(ledger.rounds) if one.reason), None)
    if reason is None:
        return f"não há listagem de {day}"
    outcome, _, detail = printable(reason, REASON_CHARACTERS).partition(": ")
    said = f"{OUTCOMES[Outcome.REFUSED]} ({detail})" if outcome == Outcome.REFUSED.value else detail
    return f"não há listagem de {day}: {said}"


def _unread(state: DayState) -> list[str]:
    """Return one text if the listing is missing, or if a round should request assets."""
    if (said := no_listing(state)) is not None:
        return [said]
    asked = [ticker for _, ticker in state.ledger.to_ask(state.sor_ids)]
    if not asked:
        return []
    listed = len(list(state.ledger.listing or ()))
    return [f"ativos a pedir de novo, de {number(listed)} da listagem: {number(len(asked))} ({some(asked)})"]


def _short_listings(ledger: DayLedger, earlier: Mapping[Kind, int] | None) -> list[str]:
    """Return one text for each kind whose listing may be incomplete."""
    listing = ledger.listing
    if listing is None or listing.is_partial:
        return []
    counts = {kind: (len(listing.assets.get(kind, ())), (earlier or {}).get(kind, 0)) for kind in Kind}
    return [
        f"{ASSETS[kind]} na listagem: {number(listed)}"
        + (f"; {number(before)} na anterior" if before else "")
        for kind, (listed, before) in counts.items()
        if not listed or listed < LISTING_SHARE * before
    ]


def look_seconds(looks: int, interval_seconds: float) -> float:
    """Return the seconds to wait after a run of the step Look; `looks` is the number of runs so far."""
    return interval_seconds if looks <= QUICK_LOOKS else SLOWER * interval_seconds
