from __future__ import annotations

import gzip
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moto_lake import DAY, WORK_BUCKET, Lake
from pynvest_lake import archive
from pynvest_lake.archive import Archive, DamagedArchive, KeptPage

PAGE = KeptPage(
    ticker="PETR4",
    kind="acoes",
    url="https://site/detalhes.php?papel=PETR4",
    fetched_at="2026-11-23T21:45:07Z",
    status=200,
    content_type="text/html; charset=iso-8859-1",
    body="<html>Cotação\x85\r\n</html>".encode("iso-8859-1"),
)
LISTING = replace(PAGE, ticker=None, url="https://site/resultado.php", content_type=None)


@given(st.binary())
def test_any_bytes_come_back_as_they_were(body: bytes) -> None:
    page = replace(PAGE, body=body)

    assert KeptPage.from_line(page.to_line()) == page
    assert "\n" not in page.to_line()


def test_pages_come_back_as_they_were(lake: Lake) -> None:
    kept = Archive(lake.s3, WORK_BUCKET)

    key, etag = kept.put(DAY, [PAGE, LISTING])

    assert kept.keys(DAY) == [key]
    assert kept.read(key) == archive.Kept(key, (PAGE, LISTING), ())
    assert lake.s3.head_object(Bucket=WORK_BUCKET, Key=key)["ETag"].strip('"') == etag


def test_the_same_pages_make_the_same_object_and_others_another(lake: Lake) -> None:
    kept = Archive(lake.s3, WORK_BUCKET)

    for pages in ([PAGE], [PAGE], [replace(PAGE, fetched_at="2026-11-23T21:45:08Z")]):
        kept.put(DAY, pages)

    assert len(kept.keys(DAY)) == 2


def test_a_damaged_line_costs_itself_alone(lake: Lake) -> None:
    kept = Archive(lake.s3, WORK_BUCKET)
    key, _ = kept.put(DAY, [PAGE, LISTING])
    lines = f"{PAGE.to_line()[:50]}\n{LISTING.to_line()}\n"
    lake.s3.put_object(Bucket=WORK_BUCKET, Key=key, Body=gzip.compress(lines.encode()))

    read = kept.read(key)

    assert read.pages == (LISTING,)
    assert len(read.problems) == 1
    assert key in read.problems[0]


def test_an_object_that_breaks_off_gives_what_can_be_read_and_says_so(lake: Lake) -> None:
    kept = Archive(lake.s3, WORK_BUCKET)
    pages = [replace(PAGE, ticker=f"AAA{number}") for number in range(500)]
    key, _ = kept.put(DAY, pages)
    body = lake.s3.get_object(Bucket=WORK_BUCKET, Key=key)["Body"].read()
    lake.s3.put_object(Bucket=WORK_BUCKET, Key=key, Body=body[: len(body) // 2])

    read = kept.read(key)

    assert 0 < len(read.pages) < len(pages)
    assert list(read.pages) == pages[: len(read.pages)]
    assert any("breaks off" in problem for problem in read.problems)


def test_what_is_no_gzip_object_is_named(lake: Lake) -> None:
    key = f"{archive.prefix(DAY)}0f.jsonl.gz"
    lake.s3.put_object(Bucket=WORK_BUCKET, Key=key, Body=b"garbage")

    read = Archive(lake.s3, WORK_BUCKET).read(key)

    assert (read.pages, len(read.problems)) == ((), 1)
    assert f"{key}: no gzip object" in read.problems[0]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"\0" * 200_000_000, "holds more than 67108864 bytes"),
        (b"x\n" * 20_000, "has more than 10000 lines"),
        (b"[[],[]]" * 1_000_000, "line 2 has more than 4259840 bytes"),
        (b"[" * 100_000, "RecursionError"),
    ],
    ids=["bytes", "lines", "a long line", "nesting"],
)
def test_an_object_that_is_made_to_be_costly_is_read_within_bounds_and_named(
    lake: Lake, content: bytes, found: str
) -> None:
    key = f"{archive.prefix(DAY)}0f.jsonl.gz"
    packed = gzip.compress(PAGE.to_line().encode() + b"\n" + content, compresslevel=1)
    lake.s3.put_object(Bucket=WORK_BUCKET, Key=key, Body=packed)
    tracemalloc.start()
    try:
        read = Archive(lake.s3, WORK_BUCKET).read(key)
        assert tracemalloc.get_traced_memory()[1] < 100 * 1024 * 1024
    finally:
        tracemalloc.stop()

    assert read.pages == (PAGE,)
    assert found in read.problems[0]
    assert len(read.problems) <= 21


def test_of_many_damaged_lines_20_are_named_and_the_rest_counted(lake: Lake) -> None:
    key = f"{archive.prefix(DAY)}0f.jsonl.gz"
    lines = "{\n" * 100 + PAGE.to_line()
    lake.s3.put_object(Bucket=WORK_BUCKET, Key=key, Body=gzip.compress(lines.encode()))

    read = Archive(lake.s3, WORK_BUCKET).read(key)

    assert read.pages == (PAGE,)
    assert len(read.problems) == 21
    assert read.problems[-1].endswith("80 more of its lines are damaged")


def test_an_object_that_is_not_there_is_named(lake: Lake) -> None:
    with pytest.raises(DamagedArchive, match="not there any more"):
        Archive(lake.s3, WORK_BUCKET).read("pages/anomesdia_exec=20261123/0f.jsonl.gz")


@pytest.mark.parametrize(
    "line", ["{", "{}", "[]", '{"body": 1}', PAGE.to_line().replace('"status"', '"statu"')]
)
def test_a_line_that_is_none_is_refused(line: str) -> None:
    with pytest.raises(DamagedArchive):
        KeptPage.from_line(line)


def test_a_manifest_tells_that_a_collector_brought_the_day(lake: Lake) -> None:
    kept = Archive(lake.s3, WORK_BUCKET)
    kept.put(DAY, [PAGE])
    assert not kept.has_manifest(DAY)

    lake.s3.put_object(Bucket=WORK_BUCKET, Key=f"{archive.prefix(DAY)}manifest.json", Body=b"{}")

    assert kept.has_manifest(DAY)
    assert len(kept.keys(DAY)) == 1


def test_the_archive_needs_neither_pandas_nor_pyarrow() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys, pynvest_lake.archive; print(*sys.modules)"],
        cwd=Path(archive.__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )

    assert not set(done.stdout.split()) & {"pandas", "pyarrow", "pynvest"}
