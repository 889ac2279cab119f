from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b3.kind import Kind
from moto_lake import DAY, WORK_BUCKET, Lake
from pynvest_lake import ledger as ledger_module
from pynvest_lake.ledger import (
    AssetEntry,
    BatchEntry,
    DayLedger,
    Listing,
    Outcome,
    Round,
    UnreadableLedger,
)

NOW = datetime(2026, 11, 23, 21, 45, 7, tzinfo=timezone.utc)
LISTING = Listing({Kind.ACOES: {"PETR4": 31.87, "VALE3": None}, Kind.FIIS: {"HGLG11": None}})


def entry(outcome: Outcome = Outcome.READ, **more: object) -> AssetEntry:
    return AssetEntry(outcome, **{"object": "a" if outcome is Outcome.READ else None, **more})  # type: ignore[arg-type]


def batch(**assets: AssetEntry) -> BatchEntry:
    return BatchEntry(Kind.ACOES, assets)


def day_of(
    *batches: BatchEntry, listing: Listing | None = LISTING, rounds: tuple[Round, ...] = ()
) -> DayLedger:
    return DayLedger(DAY, listing, rounds, tuple((one, NOW) for one in batches))


asset_entries = st.builds(
    AssetEntry,
    outcome=st.sampled_from(Outcome),
    round=st.integers(0, 3),
    why=st.none() | st.sampled_from(["why", "why not"]),
    object=st.sampled_from(["a", "b", "gone"]),
    session=st.none() | st.sampled_from([20261120, 20261123]),
    fetched_at=st.none() | st.sampled_from(["2026-11-23T21:45:07Z", "2026-11-23T22:45:07Z"]),
)
batches = st.builds(
    BatchEntry,
    kind=st.sampled_from(Kind),
    assets=st.dictionaries(st.sampled_from(["AAAA3", "BBBB4", "CCCC3"]), asset_entries, min_size=1),
)


@given(st.lists(batches, max_size=12), st.randoms())
def test_order_repetition_and_interleaving_of_entries_change_nothing(
    entries: list[BatchEntry], rng: random.Random
) -> None:
    others = entries + rng.choices(entries, k=len(entries)) if entries else []
    rng.shuffle(others)

    assert day_of(*others).assets({"a", "b"}) == day_of(*entries).assets({"a", "b"})


def test_outcomes_have_this_order_of_rank() -> None:
    assert [outcome.value for outcome in sorted(Outcome, key=lambda outcome: -outcome.rank)] == [
        "read",
        "no_such_paper",
        "later_session",
        "layout",
        "failed",
        "refused",
    ]


def test_the_later_of_two_read_pages_counts() -> None:
    early = entry(fetched_at="2026-11-23T21:45:07Z", object="a")
    late = entry(fetched_at="2026-11-23T22:45:07Z", object="b")

    assert day_of(batch(PETR4=late), batch(PETR4=early)).assets({"a", "b"}) == {(Kind.ACOES, "PETR4"): late}


def test_python_3_10_reads_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    class Python310(datetime):
        @classmethod
        def fromisoformat(cls, text: str) -> datetime:
            if text.endswith("Z"):
                raise ValueError(text)
            return datetime.fromisoformat(text)

    monkeypatch.setattr(ledger_module, "datetime", Python310)

    assert ledger_module.moment_of("2026-11-23T21:45:07Z") == NOW


def test_an_asset_without_its_object_in_sor_does_not_count_as_read() -> None:
    ledger = day_of(batch(PETR4=entry(object="a")), batch(PETR4=entry(Outcome.REFUSED)))

    assert ledger.assets({"a"})[Kind.ACOES, "PETR4"].outcome is Outcome.READ
    assert ledger.assets(set())[Kind.ACOES, "PETR4"].outcome is Outcome.REFUSED


def test_an_asset_is_missing_if_it_is_listed_but_neither_read_nor_unknown_to_the_site() -> None:
    ledger = day_of(
        batch(PETR4=entry(Outcome.NO_SUCH_PAPER), VALE3=entry(Outcome.LATER_SESSION, why="20261124")),
        batch(XXXX3=entry(Outcome.FAILED)),
    )

    missing = ledger.missing({"a"})

    assert set(missing) == {(Kind.ACOES, "VALE3"), (Kind.FIIS, "HGLG11")}
    assert missing[Kind.FIIS, "HGLG11"] is None
    assert ledger.to_ask({"a"}) == [(Kind.FIIS, "HGLG11")]


def test_an_asset_that_was_read_and_could_not_be_read_again_is_asked_for_once_more() -> None:
    asked = {Kind.ACOES: ["PETR4"]}
    rounds = tuple(Round(number, "2026-11-23T21:45:07Z", asked) for number in range(2))
    first, failed = batch(PETR4=entry()), batch(PETR4=entry(Outcome.REFUSED, round=1))
    listing = Listing({Kind.ACOES: {"PETR4": 1.0}})
    ledger = replace(day_of(first, failed), listing=listing, rounds=rounds)
    mended = replace(day_of(first, failed, batch(PETR4=entry(round=1))), listing=listing, rounds=rounds)

    assert ledger.to_ask({"a"}) == [(Kind.ACOES, "PETR4")]
    assert mended.to_ask({"a"}) == replace(ledger, rounds=rounds[:1]).to_ask({"a"}) == []
    assert ledger.missing({"a"}) == {}


def test_an_asset_that_shows_a_later_session_when_it_is_read_again_is_not_asked_for() -> None:
    asked = {Kind.ACOES: ["PETR4"]}
    rounds = tuple(Round(number, "2026-11-23T21:45:07Z", asked) for number in range(2))
    later = batch(PETR4=entry(Outcome.LATER_SESSION, round=1))
    ledger = replace(
        day_of(batch(PETR4=entry()), later), listing=Listing({Kind.ACOES: {"PETR4": 1.0}}), rounds=rounds
    )

    assert ledger.to_ask({"a"}) == []
    assert ledger.not_read_again({"a"}) == [(Kind.ACOES, "PETR4")]


def test_a_round_is_answered_by_entries_of_that_round_only() -> None:
    rounds = (
        Round(0, "2026-11-23T21:45:07Z", {Kind.ACOES: ["PETR4", "VALE3"]}),
        Round(1, "2026-11-23T22:45:07Z", {Kind.ACOES: ["VALE3"]}),
    )
    first = batch(PETR4=entry(), VALE3=entry(Outcome.REFUSED))

    assert day_of(first, rounds=rounds).unanswered() == [(Kind.ACOES, "VALE3")]
    assert day_of(first, batch(VALE3=entry(round=1)), rounds=rounds).unanswered() == []


def test_listings_of_one_day_are_united() -> None:
    later = Listing({Kind.ACOES: {"VALE3": 60.0, "WEGE3": 40.0}})

    united = LISTING.united(later)

    assert united.assets == {
        Kind.ACOES: {"PETR4": 31.87, "VALE3": 60.0, "WEGE3": 40.0},
        Kind.FIIS: {"HGLG11": None},
    }
    assert united.archived
    assert not LISTING.united(replace(later, archived=False)).archived


def test_an_older_listing_without_the_field_archived_is_read() -> None:
    body = b'{"trial": false, "papers": {"acoes": {"PETR4": 31.87}}}'

    assert Listing.from_json(body) == Listing({Kind.ACOES: {"PETR4": 31.87}})


def test_written_objects_are_read_back(lake: Lake) -> None:
    written = BatchEntry(
        Kind.ACOES,
        {
            "PETR4": entry(
                session=20261123,
                fetched_at="2026-11-23T21:45:07Z",
                unknown_labels=("Novo", "Outro"),
                unknown_count=25,
                lacking_labels=("P/L",),
            ),
            "VALE3": entry(Outcome.FAILED, why="x"),
        },
        archived=False,
    )
    lake.ledger.write_listing(DAY, LISTING)
    lake.ledger.start_round(DAY, {Kind.ACOES: ["PETR4"]}, NOW, number=0)
    lake.ledger.write_batch(DAY, written)
    lake.ledger.write_batch(DAY, written)
    lake.ledger.write_batch(DAY + 1, written)

    read = lake.ledger.read(DAY)

    assert read.listing == LISTING == lake.ledger.listing(DAY)
    assert read.rounds == (Round(0, "2026-11-23T21:45:07Z", {Kind.ACOES: ["PETR4"], Kind.FIIS: []}),)
    assert [one for one, _ in read.batches] == [written]


def test_a_round_takes_the_next_free_number(lake: Lake) -> None:
    numbers = [lake.ledger.start_round(DAY, {}, NOW, number=1, reason="site down").number for _ in range(3)]

    assert numbers == [1, 2, 3]
    assert [one.reason for one in lake.ledger.read(DAY).rounds] == ["site down"] * 3


@pytest.mark.parametrize("name", ["listing.json", "rounds/0.json", "acoes/0f.json"])
@pytest.mark.parametrize("body", [b"{", b"{}", b"[]"])
def test_an_invalid_object_of_the_ledger_is_named(lake: Lake, name: str, body: bytes) -> None:
    key = f"ledger/anomesdia_exec={DAY}/{name}"
    lake.s3.put_object(Bucket=WORK_BUCKET, Key=key, Body=body)

    with pytest.raises(UnreadableLedger, match=key):
        lake.ledger.read(DAY)
