"""Stored objects, messages, metadata and log fields keep their formats."""

from __future__ import annotations

import gzip
import io
import json
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq
import pytest

from b3.kind import Kind
from moto_lake import DAY, WORK_BUCKET, Lake
from pynvest_lake.contract import SOR_ACOES, SOT_ACOES, SPEC_ATIVOS
from pynvest_lake.ledger import AssetEntry, BatchEntry, Listing, Outcome, Round
from sandbox.site import Fault, make_assets
from world import SCHEDULED, World, make_world

DAY_OF = "anomesdia_exec=20261123"
ID = "[0-9a-f]{32}"


@pytest.fixture
def world(context: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Return a lake with a stopped clock, two stocks and a fund; one of the stocks has no page."""
    with make_world(make_assets(DAY, 2, 1), context, monkeypatch, tick=False) as world:
        yield world


def objects(world: World, prefix: str) -> dict[str, bytes]:
    s3 = world.lake.s3
    listed = s3.list_objects_v2(Bucket=WORK_BUCKET, Prefix=f"{prefix}/").get("Contents", [])
    return {item["Key"]: s3.get_object(Bucket=WORK_BUCKET, Key=item["Key"])["Body"].read() for item in listed}


def shape(value: Any) -> Any:
    """Replace the ids and the site's address in a value with placeholders."""
    if isinstance(value, dict):
        return {name: shape(one) for name, one in value.items()}
    if isinstance(value, list):
        return [shape(one) for one in value]
    return re.sub(r"127\.0\.0\.1:\d+", "SITE", re.sub(ID, "ID", value)) if isinstance(value, str) else value


def start(world: World) -> tuple[str, str, str]:
    """Run stages 1 and 2; return the tickers of a stock, of a stock without a page, and of a fund."""
    read, fund = (
        next(one.ticker for one in world.site.assets.values() if one.kind == kind)
        for kind in ("acoes", "fiis")
    )
    (lost,) = {one.ticker for one in world.site.assets.values()} - {read, fund}
    world.site.set_fault(lost, Fault("not_found"))
    world.pending.append(("start", SCHEDULED))
    world.step()
    world.step()
    world.receive()
    return read, lost, fund


def messages(world: World) -> dict[str, Any]:
    """Return the bodies of the waiting messages, by ticker."""
    return {body["ticker"]: body for name, event in world.pending if name == "messages" for body in event[1]}


def test_a_message_keeps_its_format(world: World) -> None:
    read, _, fund = start(world)
    fields = {"anomesdia_exec": DAY, "round": 0, "asked_at": "2026-11-23T21:45:06Z"}

    assert messages(world)[read] == {"ticker": read, "kind": "acoes", **fields}
    assert messages(world)[fund] == {"ticker": fund, "kind": "fiis", **fields}


def test_the_ledger_keeps_its_format(world: World) -> None:
    read, lost, fund = start(world)
    world.drain()
    ghosts = world.site.ghosts

    ledger = {key.partition("/")[2]: json.loads(body) for key, body in objects(world, "ledger").items()}
    listed = {kind: sorted(ghosts[kind]) for kind in ghosts}
    listed["acoes"] = sorted([read, lost, *listed["acoes"]])
    listed["fiis"] = sorted([fund, *listed["fiis"]])
    listing = ledger.pop(f"{DAY_OF}/listing.json")
    assert set(listing) == {"trial", "archived", "papers", "unreadable"}
    assert listing["unreadable"] == {"acoes": 0, "fiis": 0}
    assert (listing["trial"], listing["archived"]) == (False, True)
    assert {kind: sorted(prices) for kind, prices in listing["papers"].items()} == listed
    assert all(isinstance(price, float) for price in listing["papers"]["acoes"].values())
    assert ledger.pop(f"{DAY_OF}/rounds/0.json") == {
        "round": 0,
        "started_at": "2026-11-23T21:45:06Z",
        "papers": listed,
        "reason": None,
    }
    assert {re.sub(ID, "ID", key) for key in ledger} == {f"{DAY_OF}/acoes/ID.json", f"{DAY_OF}/fiis/ID.json"}
    entry = next(content for content in ledger.values() if read in content["papers"])
    assert set(entry) == {"kind", "papers", "labels", "lacking", "archived"}
    assert (entry["kind"], entry["labels"], entry["lacking"], entry["archived"]) == ("acoes", {}, {}, True)
    assert isinstance(entry["papers"][read].pop("session"), int)
    assert shape(entry["papers"][read]) == {
        "outcome": "read",
        "round": 0,
        "object": "ID",
        "fetched_at": "2026-11-23T21:45:07Z",
    }
    assert shape(entry["papers"][lost]) == {
        "outcome": "no_such_paper",
        "round": 0,
        "why": f"http://SITE/detalhes.php?papel={lost}: the site says that it has no asset {lost}",
        "fetched_at": "2026-11-23T21:45:07Z",
    }


def test_a_ledger_of_an_older_version_is_read(lake: Lake) -> None:
    put = {
        "listing.json": {"trial": False, "archived": True, "papers": {"acoes": {"PETR4": 1.0}, "fiis": {}}},
        "rounds/0.json": {
            "round": 0,
            "started_at": "2026-11-23T21:00:00Z",
            "papers": {"acoes": ["PETR4"], "fiis": []},
            "reason": None,
        },
        f"acoes/{'0' * 32}.json": {
            "kind": "acoes",
            "papers": {
                "PETR4": {
                    "outcome": "read",
                    "round": 0,
                    "why": "why",
                    "object": "1" * 32,
                    "session": DAY,
                    "fetched_at": "2026-11-23T21:00:10Z",
                    "unknown_labels": ["Novo"],
                    "unknown_count": 30,
                    "lacking_labels": ["P/L"],
                }
            },
            "labels": {"Novo": {"papers": 1, "example": "PETR4"}},
            "lacking": {},
            "archived": True,
        },
    }
    for name, content in put.items():
        body = json.dumps(content).encode()
        lake.s3.put_object(Bucket=WORK_BUCKET, Key=f"ledger/{DAY_OF}/{name}", Body=body)

    read = lake.ledger.read(DAY)

    entry = AssetEntry(Outcome.READ, 0, "why", "1" * 32, DAY, "2026-11-23T21:00:10Z", ("Novo",), 30, ("P/L",))
    assert read.listing == Listing({Kind.ACOES: {"PETR4": 1.0}, Kind.FIIS: {}})
    assert read.rounds == (Round(0, "2026-11-23T21:00:00Z", {Kind.ACOES: ["PETR4"], Kind.FIIS: []}),)
    assert [batch for batch, _ in read.batches] == [BatchEntry(Kind.ACOES, {"PETR4": entry})]


def test_the_archive_keeps_its_format(world: World) -> None:
    read, _, _ = start(world)
    world.drain()

    archive = objects(world, "pages")
    lines = [json.loads(line) for body in archive.values() for line in gzip.decompress(body).splitlines()]
    assert {re.sub(ID, "ID", key) for key in archive} == {f"pages/{DAY_OF}/ID.jsonl.gz"}
    page = next(line for line in lines if line["ticker"] == read)
    assert page.pop("body").startswith("<!DOCTYPE html")
    assert shape(page) == {
        "ticker": read,
        "kind": "acoes",
        "url": f"http://SITE/detalhes.php?papel={read}",
        "fetched_at": "2026-11-23T21:45:07Z",
        "status": 200,
        "content_type": "text/html; charset=ISO-8859-1",
    }
    listings = [line for line in lines if line["ticker"] is None]
    assert sorted(line["kind"] for line in listings) == ["acoes", "fiis"]


def test_objects_of_the_tables_keep_their_names_and_metadata(world: World) -> None:
    start(world)
    world.drain()
    sor = {key.rsplit("/", 1)[1].split(".")[0] for key in world.lake.keys(SOR_ACOES)}
    world.pending.append(world.execution())
    world.drain()

    def metadata(table: str) -> tuple[str, dict[bytes, bytes]]:
        (key,) = world.lake.keys(table)
        body = world.lake.s3.get_object(Bucket=world.lake.tables[table].bucket, Key=key)["Body"].read()
        return re.sub(ID, "ID", key), dict(pq.read_metadata(io.BytesIO(body)).metadata or {})

    for table in (SOR_ACOES, SOT_ACOES):
        key, said = metadata(table)
        assert key == f"{table}/{DAY_OF}/ID.part.parquet"
        assert set(said) <= {b"ARROW:schema"}
    key, said = metadata(SPEC_ATIVOS)
    assert key == f"{SPEC_ATIVOS}/{DAY_OF}/ID.compact.parquet"
    assert sor < set(json.loads(said[b"pynvest.folded_ids"]))


def test_the_log_has_the_fields_of_the_documented_queries(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    start(world)
    world.drain()

    fields = {record.message: set(vars(record)) for record in caplog.records}
    names = {"unknown_labels", "lacking_core_labels", "layout", "refused", "later_session"}
    assert names <= fields["batch read"]
    assert {"unreadable_rows", "problems"} <= fields["tickers queued"]
