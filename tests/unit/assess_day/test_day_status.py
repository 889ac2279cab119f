from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from assess_day.day_status import (
    BEGIN_SECONDS,
    GRACE_SECONDS,
    QUICK_LOOKS,
    DayState,
    look_seconds,
    reasons_for_a_round,
    waiting_for,
)
from b3.kind import Kind
from moto_lake import DAY
from pynvest_lake.ledger import AssetEntry, BatchEntry, DayLedger, Listing, Outcome, Round, moment_text

PATIENCE = 2160
START = datetime(2026, 11, 23, 21, 45, tzinfo=timezone.utc)
LISTING = Listing({Kind.ACOES: {"PETR4": 31.87, "VALE3": 60.0}, Kind.FIIS: {"HGLG11": None}})
ROUND = Round(0, moment_text(START), {Kind.ACOES: ["PETR4", "VALE3"], Kind.FIIS: ["HGLG11"]})
READ = AssetEntry(Outcome.READ, object="a")
HGLG11_MISSING = "ativos a pedir de novo, de 3 da listagem: 1 (HGLG11)"


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def waits(day: DayState, now: datetime) -> list[str]:
    """Return what the workflow, which began at `START`, still waits for at the time `now`."""
    return waiting_for(day, now, PATIENCE, START)


def state(
    acoes: dict[str, AssetEntry] | None = None,
    fiis: dict[str, AssetEntry] | None = None,
    *,
    listing: Listing | None = LISTING,
    rounds: tuple[Round, ...] = (ROUND,),
    **more: object,
) -> DayState:
    """Return a day's state. All assets were read 60 seconds after `START`."""
    acoes = {"PETR4": READ, "VALE3": READ} if acoes is None else acoes
    fiis = {"HGLG11": READ} if fiis is None else fiis
    batches = tuple(
        (BatchEntry(kind, assets), after(60))
        for kind, assets in ((Kind.ACOES, acoes), (Kind.FIIS, fiis))
        if assets
    )
    whole = DayState(DayLedger(DAY, listing, rounds, batches), frozenset("a"), (), (), after(50))
    return replace(whole, **more)  # type: ignore[arg-type]


def empty(*rounds: Round, **more: object) -> DayState:
    """Return the state of a day that has no listing and no readings."""
    return state({}, {}, listing=None, rounds=rounds, sor_ids=frozenset(), newest_object_at=None, **more)


def test_a_day_with_all_assets_read_is_settled() -> None:
    assert waits(state(), after(61)) == []
    assert reasons_for_a_round(state(), None, []) == ()


def test_the_workflow_waits_for_unanswered_assets_until_their_messages_expire() -> None:
    unanswered = state(fiis={})

    assert waits(unanswered, after(PATIENCE - 1)) == ["ativos da rodada 0 ainda sem resposta: 1 (HGLG11)"]
    assert waits(unanswered, after(PATIENCE)) == []
    assert reasons_for_a_round(unanswered, None, []) == (HGLG11_MISSING,)


@pytest.mark.parametrize(
    ("outcome", "is_final"),
    [
        *((outcome, True) for outcome in (Outcome.NO_SUCH_PAPER, Outcome.LATER_SESSION)),
        *((outcome, False) for outcome in (Outcome.REFUSED, Outcome.FAILED, Outcome.LAYOUT)),
    ],
)
def test_an_outcome_is_a_reason_for_a_round_unless_it_is_final(outcome: Outcome, is_final: bool) -> None:
    day = state(fiis={"HGLG11": AssetEntry(outcome)})

    assert waits(day, after(61)) == []
    assert reasons_for_a_round(day, None, []) == (() if is_final else (HGLG11_MISSING,))


@pytest.mark.parametrize(
    "more", [{"queues": ("mensagens na fila de ações: 1 à espera",)}, {"not_through": ("1 objeto",)}]
)
def test_nonempty_queues_and_pending_objects_get_ten_more_minutes(more: dict) -> None:
    # All assets were read 60 seconds after `START`.
    day = state(**more)

    assert waits(day, after(59 + GRACE_SECONDS))
    assert not waits(day, after(60 + GRACE_SECONDS))


def test_the_additional_ten_minutes_begin_when_the_messages_of_unanswered_assets_expire() -> None:
    day = state(fiis={}, queues=("mensagens na fila de fundos: 1 à espera",))

    assert waits(day, after(PATIENCE + GRACE_SECONDS - 1))
    assert not waits(day, after(PATIENCE + GRACE_SECONDS))


def test_pending_objects_are_no_reason_for_a_round() -> None:
    day = state(not_through=("1 objeto",))

    assert waits(day, after(3600)) == []
    assert reasons_for_a_round(day, None, []) == ()


def test_a_day_without_a_listing_is_settled_and_a_reason_for_a_round() -> None:
    refused = Round(0, moment_text(START), {}, "refused: status 403")
    day = empty(refused, queues=("mensagens na fila de ações: 1 à espera",))

    assert waits(day, after(BEGIN_SECONDS)) == []
    said = "não há listagem de 23/11/2026: o site recusou o pedido (status 403)"
    assert reasons_for_a_round(day, None, []) == (said,)


def test_a_day_without_a_run_gets_time_and_is_then_a_reason_for_a_round() -> None:
    day = empty()

    assert waits(day, after(BEGIN_SECONDS - 1)) == ["ainda não há listagem de 23/11/2026"]
    assert waits(day, after(BEGIN_SECONDS)) == []
    assert reasons_for_a_round(day, None, []) == ("não há listagem de 23/11/2026",)


@pytest.mark.parametrize("reason", [None, "refused: status 403"])
def test_a_cleared_day_gets_time_until_its_new_round_is_in_the_ledger(
    reason: str | None,
) -> None:
    day = empty(replace(ROUND, reason=reason))
    long_after = timedelta(days=1)

    waiting = waiting_for(day, START + long_after, PATIENCE, START + long_after)

    assert waiting == ["ainda não há listagem de 23/11/2026"]
    begun_by = START + long_after + timedelta(seconds=BEGIN_SECONDS)
    assert waiting_for(day, begun_by, PATIENCE, START + long_after) == []


def test_a_lake_with_a_collector_reports_a_missing_manifest() -> None:
    said = "o coletor ainda não enviou as páginas de 23/11/2026"

    assert reasons_for_a_round(empty(fetch_from="pages"), None, []) == (said,)


def test_a_day_older_than_the_ledger_is_no_reason_for_a_round() -> None:
    assert reasons_for_a_round(state({}, {}, listing=None, rounds=()), None, []) == ()


def test_half_a_listing_is_a_reason_for_a_round() -> None:
    day, before = state(), {Kind.ACOES: 4, Kind.FIIS: 1}

    assert reasons_for_a_round(day, before, []) == ("ações na listagem: 2; 4 na anterior",)
    without_funds = state(listing=Listing({Kind.ACOES: LISTING.assets[Kind.ACOES]}))
    assert reasons_for_a_round(without_funds, None, []) == ("fundos na listagem: 0",)
    partial = replace(day, ledger=replace(day.ledger, listing=replace(LISTING, is_partial=True)))
    assert reasons_for_a_round(partial, before, []) == ()


def test_a_repeated_session_is_a_reason_for_a_round() -> None:
    said = "o site ainda mostra o pregão de 19/11/2026 nas páginas de fundos"

    assert reasons_for_a_round(state(), None, [(20261119, Kind.FIIS)]) == (said,)


@pytest.mark.parametrize(
    ("outcomes", "more", "refuses"),
    [
        ([Outcome.REFUSED] * 3, {}, True),
        ([Outcome.REFUSED] * 2, {}, False),
        ([Outcome.REFUSED] * 3 + [Outcome.READ], {}, False),
        ([Outcome.REFUSED] * 3 + [Outcome.FAILED], {}, True),
        ([Outcome.FAILED] * 4, {}, False),
        ([Outcome.REFUSED] * 3, {"fetch_from": "pages"}, False),
    ],
)
def test_the_site_counts_as_refusing_if_the_newest_round_read_nothing_and_had_three_refusals(
    outcomes: list[Outcome], more: dict[str, str], refuses: bool
) -> None:
    said = {f"AAA{number}": AssetEntry(outcome, 1) for number, outcome in enumerate(outcomes)}
    again = Round(1, moment_text(after(3600)), {Kind.FIIS: list(said)})
    unlisted = Round(2, moment_text(after(7200)), {}, "refused: status 403")

    day = state({"PETR4": READ}, said, rounds=(ROUND, again, unlisted), **more)

    assert day.site_refuses is refuses


def test_status_checks_get_rarer_after_twenty_minutes() -> None:
    waits = [look_seconds(number, 30) for number in range(1, QUICK_LOOKS + 3)]

    assert sum(waits[:QUICK_LOOKS]) == 20 * 60
    assert waits[QUICK_LOOKS:] == [300, 300]
