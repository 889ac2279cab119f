from __future__ import annotations

import gzip
import json
import tracemalloc
from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace

import boto3
import pytest
import time_machine
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from moto_lake import DAY, REGION, WORK_BUCKET, Lake
from pynvest_lake import archive
from pynvest_lake.archive import Archive, ArchivedPage, ArchiveObject, DamagedArchive, parse_manifest_key
from pynvest_lake.aws import CONFLICTS

PAGE = ArchivedPage(
    ticker="PETR4",
    kind="acoes",
    url="https://site/detalhes.php?papel=PETR4",
    fetched_at="2026-11-23T21:45:07Z",
    status=200,
    content_type="text/html; charset=iso-8859-1",
    body="<html>Cotação\x85\r\n</html>".encode("iso-8859-1"),
)
KEY = f"{archive.prefix(DAY)}0f.jsonl.gz"
LISTING = replace(PAGE, ticker=None, url="https://site/resultado.php", content_type=None)


@given(st.binary())
def test_any_bytes_are_read_back_unchanged(body: bytes) -> None:
    page = replace(PAGE, body=body)

    assert ArchivedPage.from_line(page.to_line()) == page
    assert "\n" not in page.to_line()


def test_pages_are_read_back_unchanged(lake: Lake) -> None:
    key = lake.archive.put(DAY, [PAGE, LISTING])

    assert lake.archive.keys(DAY) == [key]
    assert lake.archive.read(key) == ArchiveObject((PAGE, LISTING), ())


def test_the_same_pages_make_the_same_object_and_other_pages_make_another(lake: Lake) -> None:
    for pages in ([PAGE], [PAGE], [replace(PAGE, fetched_at="2026-11-23T21:45:08Z")]):
        lake.archive.put(DAY, pages)

    assert len(lake.archive.keys(DAY)) == 2


def test_a_truncated_object_gives_its_readable_pages_and_a_problem(lake: Lake) -> None:
    pages = [replace(PAGE, ticker=f"AAA{number}") for number in range(500)]
    key = lake.archive.put(DAY, pages)
    body = lake.s3.get_object(Bucket=WORK_BUCKET, Key=key)["Body"].read()
    lake.s3.put_object(Bucket=WORK_BUCKET, Key=key, Body=body[: len(body) // 2])

    read = lake.archive.read(key)

    assert 0 < len(read.pages) < len(pages)
    assert list(read.pages) == pages[: len(read.pages)]
    assert any("cut off" in problem for problem in read.problems)


@pytest.mark.parametrize(("body", "said"), [(b"garbage", "no gzip object"), (b"", "the object is empty")])
def test_an_object_without_gzip_data_is_named(lake: Lake, body: bytes, said: str) -> None:
    lake.s3.put_object(Bucket=WORK_BUCKET, Key=KEY, Body=body)

    read = lake.archive.read(KEY)

    assert (read.pages, len(read.problems)) == ((), 1)
    assert f"{KEY}: {said}" in read.problems[0]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"\0" * 200_000_000, "holds more than 67108864 bytes"),
        (b"x\n" * 20_000, "has more than 10000 lines"),
        (b"\n" * 20_000, "has more than 10000 lines"),
        (b"[[],[]]" * 1_000_000, "line 2 has more than 4259840 bytes"),
        (b"[" * 100_000, "RecursionError"),
    ],
    ids=["bytes", "lines", "empty lines", "a long line", "nesting"],
)
def test_a_hostile_object_is_read_within_bounds_and_named(lake: Lake, content: bytes, found: str) -> None:
    packed = gzip.compress(PAGE.to_line().encode() + b"\n" + content, compresslevel=1)
    lake.s3.put_object(Bucket=WORK_BUCKET, Key=KEY, Body=packed)
    tracemalloc.start()
    try:
        read = lake.archive.read(KEY)
        assert tracemalloc.get_traced_memory()[1] < 100 * 1024 * 1024
    finally:
        tracemalloc.stop()

    assert read.pages == (PAGE,)
    assert found in read.problems[0]
    assert len(read.problems) <= 21


def test_all_damaged_lines_are_counted_and_20_are_named(lake: Lake) -> None:
    lines = "{\n" * 100 + PAGE.to_line()
    lake.s3.put_object(Bucket=WORK_BUCKET, Key=KEY, Body=gzip.compress(lines.encode()))

    read = lake.archive.read(KEY)

    assert read.pages == (PAGE,)
    assert len(read.problems) == 21
    assert read.problems[-1].endswith("100 in total")


def test_a_missing_object_is_named(lake: Lake) -> None:
    with pytest.raises(DamagedArchive, match="no longer exists"):
        lake.archive.read(KEY)


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "{}",
        "[]",
        '{"body": 1}',
        PAGE.to_line().replace('"status"', '"statu"'),
        *(
            json.dumps({**json.loads(PAGE.to_line()), **wrong})
            for wrong in (
                {"fetched_at": "yesterday"},
                {"fetched_at": 5},
                {"fetched_at": "2026-11-24T00:00:00"},
                {"fetched_at": "2026-11-31T00:00:00Z"},
                {"fetched_at": "0001-01-01T00:00:00+01:00"},
                {"fetched_at": "9999-12-31T23:59:59-01:00"},
                {"kind": "etfs"},
                {"ticker": "../../x"},
                {"ticker": 5},
                {"ticker": [1]},
                {"status": "200"},
                {"content_type": 5},
                {"url": 5},
            )
        ),
    ],
)
def test_an_invalid_line_is_refused(line: str) -> None:
    with pytest.raises(DamagedArchive):
        ArchivedPage.from_line(line)


def test_no_object_is_written_twice(lake: Lake) -> None:
    key = lake.archive.put(DAY, [PAGE])
    lake.s3.put_object(Bucket=WORK_BUCKET, Key=key, Body=b"as it was")

    assert lake.archive.put(DAY, [PAGE]) == key
    assert lake.s3.get_object(Bucket=WORK_BUCKET, Key=key)["Body"].read() == b"as it was"


@pytest.mark.parametrize("conflicts", [1, CONFLICTS])
def test_a_name_conflict_is_retried_a_limited_number_of_times(lake: Lake, conflicts: int) -> None:
    answers = [
        (
            SimpleNamespace(status_code=409),
            {"Error": {"Code": "ConditionalRequestConflict", "Message": "as AWS says it"}},
        )
        for _ in range(conflicts)
    ]
    s3 = boto3.client("s3", region_name=REGION)
    s3.meta.events.register("before-call.s3.PutObject", lambda **_: answers.pop() if answers else None)
    kept = Archive(s3, WORK_BUCKET)

    if conflicts == CONFLICTS:
        with pytest.raises(ClientError, match="ConditionalRequestConflict"):
            kept.put(DAY, [PAGE])
    else:
        assert kept.read(kept.put(DAY, [PAGE])).pages == (PAGE,)
    assert answers == []


@pytest.mark.parametrize(
    ("moment", "counts"), [("2026-12-02T02:59:00+00:00", True), ("2026-12-02T03:00:00+00:00", False)]
)
def test_an_object_received_more_than_eight_days_after_its_day_is_ignored_and_named(
    lake: Lake, moment: str, counts: bool
) -> None:
    with time_machine.travel(datetime.fromisoformat(moment)):
        key = lake.archive.put(DAY, [PAGE])

    read = lake.archive.read(key)

    assert read.pages == ((PAGE,) if counts else ())
    said = f"s3://{WORK_BUCKET}/{key}: S3 received it on 2026-12-02, expected within 8 days of its day"
    assert [said in problem for problem in read.problems] == ([] if counts else [True])


def test_the_same_objects_give_no_second_manifest_and_more_objects_do(lake: Lake) -> None:
    first, second = (lake.archive.put(DAY, [page]) for page in (PAGE, LISTING))

    assert [lake.archive.put_manifest(DAY, objects) for objects in ([first], [first], [second, first])] == [
        True,
        False,
        True,
    ]
    assert sorted(lake.archive.keys(DAY)) == sorted([first, second])
    keys = {
        item["Key"]
        for item in lake.s3.list_objects_v2(Bucket=WORK_BUCKET, Prefix=archive.prefix(DAY))["Contents"]
    } - {first, second}
    assert {day for day, _ in map(parse_manifest_key, keys)} == {DAY}
    assert len({name for _, name in map(parse_manifest_key, keys)}) == 2


def test_a_manifest_of_an_older_collector_has_no_hash() -> None:
    assert parse_manifest_key("pages/anomesdia_exec=20261123/manifest.json") == (20261123, "manifest")


@pytest.mark.parametrize(
    "key",
    [
        f"pages/anomesdia_exec=20261123/{'0' * 32}.manifest.json.bak",
        f"pages/anomesdia_exec=20261123/{'0' * 32}.manifest.json\n",
        f"pages/anomesdia_exec=20261123/{'0' * 31}.manifest.json",
        f"pages/anomesdia_exec=20261123/sub/{'0' * 32}.manifest.json",
        f"other/pages/anomesdia_exec=20261123/{'0' * 32}.manifest.json",
        f"pages/anomesdia_exec=2026112٣/{'0' * 32}.manifest.json",
        "pages/anomesdia_exec=20261123/manifest.json.bak",
        "pages/anomesdia_exec=20261123/.manifest.json",
        "pages/anomesdia_exec=20261131/manifest.json",
        "",
    ],
)
def test_other_keys_are_no_manifests(key: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_manifest_key(key)
