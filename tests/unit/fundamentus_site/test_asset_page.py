from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b3.kind import Kind
from fundamentus_site.asset_page import Indicators, read_asset_page
from fundamentus_site.errors import FundamentusError, LaterSession, LayoutNotRecognized, NoSuchAsset
from fundamentus_site.page import Page
from lake_rows import LABELS, SCHEMAS
from sandbox.site import Cell, SampleAsset, make_assets
from sandbox.site.pages import detail_page

DAY = 20261123
SAO_PAULO = ZoneInfo("America/Sao_Paulo")
EVENING = datetime(2026, 11, 23, 18, 50, 7, tzinfo=SAO_PAULO)
ASSETS = make_assets(DAY, 24, 16)
RENAMED = "Nome novo"


def page(body: bytes, fetched_at: datetime = EVENING) -> Page:
    return Page("http://site/page", 200, "text/html; charset=ISO-8859-1", body, fetched_at)


def read_page(page: Page, ticker: str = "PETR4", kind: Kind = Kind.ACOES, day: int = DAY) -> Indicators:
    return read_asset_page(page, ticker, kind, LABELS[kind], day)


def read(asset: SampleAsset, fetched_at: datetime = EVENING, day: int = DAY) -> Indicators:
    return read_page(page(detail_page(asset), fetched_at), asset.ticker, Kind(asset.kind), day)


def texts(reading: Indicators) -> dict[str, str | None]:
    columns = SCHEMAS[Kind.FIIS if "fii" in reading.texts else Kind.ACOES].arrow.names
    return {column: reading.texts.get(column) for column in columns if not column.startswith("datetime_")}


def of_varieties(*varieties: str) -> list[SampleAsset]:
    found: dict[tuple[str, str], SampleAsset] = {}
    for asset in ASSETS:
        found.setdefault((asset.variety, asset.kind), asset)
    return [asset for (variety, _), asset in found.items() if variety in varieties]


def test_every_label_of_the_sample_pages_has_a_column_and_every_core_label_is_there() -> None:
    for asset in ASSETS:
        reading = read(asset)
        assert (reading.unknown_labels, reading.lacking_core) == ((), ())
        assert texts(reading) == asset.expected_sor()


def test_the_session_is_the_day_that_the_page_names() -> None:
    assert read(ASSETS[0]).session == date(2026, 11, 23)
    assert read(ASSETS[0].with_cell("dt_ult_cot", "02/01/2015", date(2015, 1, 2))).session == date(2015, 1, 2)
    assert read(ASSETS[0].with_cell("dt_ult_cot", "30/02/2026")).session is None


def renamed_in_turn(asset: SampleAsset) -> Iterator[tuple[Cell, SampleAsset]]:
    """Yield each cell that has a label, and a copy of the asset. In this copy, the label is unknown."""
    for t, table in enumerate(asset.tables):
        for r, row in enumerate(table):
            for c, cell in enumerate(row):
                if isinstance(cell, Cell) and cell.label:
                    other = replace(cell, label=RENAMED, column=None, year=None)
                    rows = (*table[:r], (*row[:c], other, *row[c + 1 :]), *table[r + 1 :])
                    yield cell, replace(asset, tables=(*asset.tables[:t], rows, *asset.tables[t + 1 :]))


@pytest.mark.parametrize(
    "asset",
    of_varieties("listed", "delisted", "young", "bank", "label", "real_estate", "financial"),
    ids=lambda asset: f"{asset.kind}-{asset.variety}",
)
def test_a_renamed_label_is_named_and_all_other_cells_are_right(
    asset: SampleAsset,
) -> None:
    kind = Kind(asset.kind)
    turns = list(renamed_in_turn(asset))
    assert len(turns) >= {"acoes": 50, "fiis": 40}[asset.kind]
    for cell, renamed in turns:
        reading = read(renamed)
        expected = renamed.expected_sor()
        if cell.label == kind.identity:  # found by its content, so that the rest of the page is still read
            expected[kind.ticker_column] = asset.ticker
        assert texts(reading) == expected, cell
        assert reading.unknown_labels == (RENAMED,), cell
        assert reading.lacking_core == ((cell.label,) if cell.label in LABELS[kind].core else ()), cell


def test_years_without_a_column_are_no_unknown_labels() -> None:
    (delisted,) = (asset for asset in of_varieties("delisted") if asset.kind == "acoes")
    assert {cell.year for cell in delisted.cells() if cell.year} < set(range(1990, 2021))
    assert read(delisted).unknown_labels == ()


def test_an_unknown_label_without_a_value_is_named() -> None:
    rows = (
        '<tr><td class="label">Novo 1</td></tr>'
        '<tr><td class="label">Novo 2</td><td class="label">Novo 3</td><td class="data">1</td></tr>'
    )
    before, end, after = detail_page(ASSETS[0]).rpartition(b"</table>")
    reading = read_page(page(before + rows.encode() + end + after))
    assert reading.unknown_labels == ("Novo 1", "Novo 2", "Novo 3")
    assert texts(reading) == ASSETS[0].expected_sor()


def test_a_core_label_without_a_value_is_lacking() -> None:
    body = re.sub(
        rb'(<span class="txt">P/L</span></td>)<td.*?</td>', rb"\1", detail_page(ASSETS[0]), flags=re.S
    )
    reading = read_page(page(body))
    assert reading.lacking_core == ("P/L",)
    assert texts(reading) == ASSETS[0].expected_sor() | {"vlr_ind_p_sobre_l": None}


def without_labels(asset: SampleAsset, count: int) -> SampleAsset:
    core = [cell.label for cell in asset.cells() if cell.label in LABELS[Kind(asset.kind)].core]
    for number, label in enumerate(dict.fromkeys(core[2:])):
        if number < count:
            asset = asset.with_label(label, f"Outro {number}")
    return asset


@pytest.mark.parametrize(("kind", "most"), [("acoes", 13), ("fiis", 10)])
def test_a_page_may_lack_at_most_a_third_of_the_core_labels(kind: str, most: int) -> None:
    asset = next(asset for asset in ASSETS if asset.kind == kind)

    reading = read(without_labels(asset, most))
    assert len(reading.lacking_core) == most

    with pytest.raises(
        LayoutNotRecognized,
        match=rf"asked for {asset.ticker} \({kind}\), its page lacks {most + 1} of the .* labels .*; found ",
    ):
        read(without_labels(asset, most + 1))


def test_a_page_with_all_labels_except_papel_renamed_has_another_layout() -> None:
    asset = ASSETS[0]
    for number, label in enumerate({cell.label for cell in asset.cells() if cell.label} - {"Papel"}):
        asset = asset.with_label(label, f"Outro {number}")
    with pytest.raises(LayoutNotRecognized, match="lacks 40 of the 41 labels"):
        read(asset)


def test_a_page_without_an_asset_has_another_layout_unless_it_says_that_none_was_found() -> None:
    with pytest.raises(LayoutNotRecognized, match="tables without indicators"):
        read_page(page(b'<html>Fundamentus<table class="w728"><tr><td></td></tr></table>'))
    with pytest.raises(NoSuchAsset, match="has no asset PETR4"):
        read_page(page(b"<html>Fundamentus<h1>Nenhum papel encontrado</h1>"))


def test_a_page_of_another_asset_is_not_recognized() -> None:
    with pytest.raises(LayoutNotRecognized, match=r"asked for VALE3 \(acoes\), found the page of 'PETR4'"):
        read_page(page(detail_page(ASSETS[0])), "VALE3")


def test_a_page_that_names_no_asset_has_another_layout() -> None:
    asset = ASSETS[0].with_label("Papel", RENAMED)
    body = detail_page(asset).replace(b"      PETR4\n", b"      VALE3\n")
    with pytest.raises(
        LayoutNotRecognized, match=r"PETR4 \(acoes\), expected the label 'Papel', found Nome n"
    ):
        read_page(page(body))


def test_dots_spaces_and_classes_of_a_label_do_not_matter() -> None:
    text = detail_page(ASSETS[0]).decode("iso-8859-1")
    for written, other in {
        '"txt">Patrim. Líq<': '"txt">Patrim. Líq.<',
        '"txt">EV / EBITDA<': '"txt">EV/EBITDA<',
        '"txt">Marg. Bruta<': '"txt">Marg.\n  Bruta<',
        '"txt">Cres. Rec (5a)<': '"txt">Cres.&nbsp;Rec (5a)<',
        'class="label w15"': "",
        'class="label w1"': "",
        'class="data"': "",
    }.items():
        assert written in text
        text = text.replace(written, other)
    assert texts(read_page(page(text.encode()))) == ASSETS[0].expected_sor()


def with_company(written: str) -> Indicators:
    body = detail_page(ASSETS[0]).decode("iso-8859-1").replace("PETROBRAS PN", written)
    return read_page(page(body.encode()))


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("O que &eacute; isto? &amp; C&iacute;a", "O que é isto? & Cía"),
        ("?Papel", "?Papel"),
        ("2026", "2026"),
        ("Cotação", "Cotação"),
        ("<a href='x'>A &lt;b&gt; S.A.</a>", "A <b> S.A."),
        ("A<!-- ? -->B", "AB"),
        ("&nbsp;A&nbsp;B&nbsp;", "A\xa0B"),
    ],
)
def test_a_text_that_looks_like_a_label_or_number_is_read_unchanged(written: str, text: str) -> None:
    assert texts(with_company(written)) == ASSETS[0].expected_sor() | {"nome_empresa": text}


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs"), include_characters="\n\t")))
def test_any_text_is_read_back(text: str) -> None:
    read_back = texts(with_company(html.escape(text)))
    assert read_back == ASSETS[0].expected_sor() | {"nome_empresa": text.strip()}


RESULTS = re.compile(rb'<tr>\s*<td class="nivel1" colspan="4"><span class="txt">Dados demonstrativos.*', re.S)


def results(*rows: str, headings: str = "") -> dict[str, str | None]:
    """Read a page whose table of results contains `rows`, and return the net profits."""
    table = (
        f'<table class="w728">{headings}{"".join(f"<tr>{row}</tr>" for row in rows)}</table></body></html>'
    )
    body = RESULTS.sub(b"</table>" + table.encode("iso-8859-1"), detail_page(ASSETS[0]))
    row = texts(read_page(page(body)))
    return {span: row[f"vlr_lucro_liq_ult_{span}"] for span in ("12m", "3m")}


def cell(label: str, value: str) -> str:
    return f'<td class="label">{label}</td><td class="data">{value}</td>'


def spans(*texts: str) -> str:
    return f"<tr>{''.join(f'<td colspan=2>{text}</td>' for text in texts)}</tr>"


PROFIT = "Lucro Líquido"


def test_without_headings_the_first_value_is_of_twelve_months() -> None:
    assert results(cell(PROFIT, "1") + cell(PROFIT, "2")) == {"12m": "1", "3m": "2"}


def test_headings_in_any_order_decide_the_period_of_a_value() -> None:
    both = cell(PROFIT, "1") + cell(PROFIT, "2")
    assert results(both, headings=spans("Últimos 12 meses", "Últimos 3 meses")) == {"12m": "1", "3m": "2"}
    assert results(both, headings=spans("Últimos 3 meses", "Últimos 12 meses")) == {"12m": "2", "3m": "1"}
    assert results(both, headings=spans("Resultado", "Resultado")) == {"12m": "1", "3m": "2"}


def test_a_single_value_has_the_period_above_it_or_none_without_headings() -> None:
    headings = spans("Últimos 12 meses", "Últimos 3 meses")
    alone = {"12m": "1", "3m": None}
    assert results(cell(PROFIT, "1"), headings=headings) == alone
    assert results(cell(RENAMED, "x") + cell(PROFIT, "1"), headings=headings) == {"12m": None, "3m": "1"}
    assert results(cell(PROFIT, "1") + cell(RENAMED, "x"), headings=headings) == alone
    assert results(cell(PROFIT, "1")) == {"12m": None, "3m": None}


@pytest.mark.parametrize("session", ["24/11/2026", "01/12/2026", "04/01/2027"])
def test_a_page_of_a_session_after_the_run_day_is_refused(session: str) -> None:
    asset = ASSETS[0].with_cell("dt_ult_cot", session)
    with pytest.raises(LaterSession, match=rf"PETR4 \(acoes\) of 23/11/2026, found the session of {session}"):
        read(asset)


@pytest.mark.parametrize(
    ("day", "fetched_at", "taken"),
    [
        (20261123, "2026-11-24T12:59:59+00:00", True),
        (20261123, "2026-11-24T13:00:00+00:00", False),
        (20261127, "2026-11-30T09:59:59-03:00", True),  # a Friday: the next weekday is a Monday
        (20261127, "2026-11-30T10:00:00-03:00", False),
        (20261128, "2026-11-30T09:59:59-03:00", True),
        (20171115, "2017-11-16T09:59:59-02:00", True),  # in summer time
        (20171115, "2017-11-16T10:00:00-02:00", False),
    ],
)
@pytest.mark.parametrize("written", ["-", "", "30/02/2026", "hoje", None])
def test_a_page_without_a_date_is_read_if_it_came_before_the_next_session_opened(
    day: int, fetched_at: str, taken: bool, written: str | None
) -> None:
    undated = ASSETS[0].with_cell("dt_ult_cot", written or "")
    if written is None:
        undated = undated.with_label("Data últ cot", RENAMED)
    moment = datetime.fromisoformat(fetched_at)
    if taken:
        assert read(undated, moment, day).session is None
    else:
        with pytest.raises(
            LaterSession, match=rf"{written!r}, which is not a date, and the page was fetched at 20.* before"
        ):
            read(undated, moment, day)


def test_a_page_of_an_old_session_is_read_at_any_time() -> None:
    assert read(ASSETS[0], datetime.fromisoformat("2031-01-01T00:00:00-03:00"), 20301231).session is not None


@pytest.mark.parametrize(
    ("start", "unknown"),
    [
        ('<table class="x w728 y">', ()),
        ('<table class="w728"><tr></tr><tr><td></td><th></th></tr>', ()),
        ('<table class="w728"><tr><td class="label"></td><td class="data">99</td></tr>', ()),
        ('<table class="w728"><tr><td class="data">P/L</td><td class="data">99</td></tr>', ()),
        ('<table class="w728"><tr><td class="data">P/L <span class="help">?</span></td><td>99</td></tr>', ()),
        ('<table class="w728"><tr><td colspan="2">P/L</td><td>99</td></tr>', ()),
        ('<table class="w728"><tr><td>P/L</td><td><table><tr><td>99</td></tr></table></td></tr>', ()),
        ('<table><tr><td class="label">P/L</td><td>99</td></tr></table><table class="w728">', ()),
        ('<table class="w728"><tr><th class="label w1">\n Novo \n</th><td>99</td></tr>', ("Novo",)),
        ('<table class="w728"><tr><td><span class="help">?</span>Novo</td><td>99</td></tr>', ("Novo",)),
    ],
    ids=[
        "a table of several classes",
        "rows without texts",
        "an empty label",
        "a value like a label",
        "a value with a help mark",
        "a heading like a label",
        "a table within a cell",
        "a table of no indicators",
        "a heading as a label",
        "a label with only a help mark",
    ],
)
def test_other_elements_between_the_indicators_are_no_values(start: str, unknown: tuple[str, ...]) -> None:
    text = detail_page(ASSETS[0]).decode("iso-8859-1")
    reading = read_page(page(text.replace('<table class="w728" cellspacing="0">', start, 1).encode()))
    assert texts(reading) == ASSETS[0].expected_sor()
    assert (reading.unknown_labels, reading.lacking_core) == (unknown, ())


def test_the_first_value_of_a_repeated_label_counts() -> None:
    again = b'<tr><td class="label">P/L</td><td class="data">99</td></tr>'
    before, end, after = detail_page(ASSETS[0]).rpartition(b"</table>")
    assert texts(read_page(page(before + again + end + after))) == ASSETS[0].expected_sor()


CUT = detail_page(ASSETS[0])


@given(
    st.one_of(
        st.binary(),
        st.integers(0, len(CUT)).map(lambda start: CUT[start:]),
        st.integers(0, len(CUT)).map(lambda end: CUT[:end]),
        st.tuples(st.integers(0, len(CUT)), st.integers(0, 2000)).map(
            lambda gap: CUT[: gap[0]] + CUT[sum(gap) :]
        ),
    )
)
def test_a_damaged_body_is_read_correctly_or_refused(body: bytes) -> None:
    expected = ASSETS[0].expected_sor()
    try:
        found = read_page(page(body))
    except FundamentusError as error:
        assert "PETR4" in str(error)
    else:
        lacking = {column for column, text in expected.items() if text is not None} - set(found.texts)
        named = {column for label in found.lacking_core for column in SCHEMAS[Kind.ACOES].labels[label]}
        core = {column.name for column in SCHEMAS[Kind.ACOES].columns if column.core}
        assert lacking & core <= named


def filled(start: bytes, unit: bytes, times: int) -> bytes:
    return b"<html><table class=w728><tr>" + start + unit * times + b"</html>"


NEST = b"<table class=w728><tr><td>"


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (filled(b"", b"<td>", 20_001), "Unavailable: .*more than 20000 elements"),
        (filled(b"", NEST, 7_000), "Unavailable: .*more than 20000 elements"),
        (filled(NEST * 80, b"<td class=label>x<td>y", 9_000), "LayoutNotRecognized: .*lacks 41 of"),
        (filled(NEST * 80, b"<tr><td class=label>x<td>y", 6_000), "LayoutNotRecognized: .*lacks 41 of"),
        (
            filled(b"<td><div><tr>" * 80, b"<td class=label>x<td>y", 9_000),
            "LayoutNotRecognized: .*lacks 41 of",
        ),
        (
            filled(b"<td" + b"".join(b" a%d" % at for at in range(280_000)), b"", 0),
            "Unavailable: .*an element has 280001 attributes",
        ),
        (filled(b"<td class=label>Papel<td>", b"A", 2_000_000), "LayoutNotRecognized: .*lacks 40 of"),
    ],
    ids=["cells", "tables", "nested, a row", "nested, rows", "rows in cells", "attributes", "a long text"],
)
def test_a_hostile_page_is_refused_in_bounded_time(body: bytes, found: str) -> None:
    began = time.process_time()
    with pytest.raises(FundamentusError) as error:
        read_page(page(body))
    assert time.process_time() - began < 5
    assert re.match(found, f"{type(error.value).__name__}: {error.value}")
    assert len(str(error.value)) <= 600


def test_all_unknown_labels_are_counted_and_20_are_recorded_in_short() -> None:
    rows = b"".join(
        b"<tr><td class=label>\x07L%04d %s</td><td>1</td></tr>" % (at, b"x" * 99) for at in range(3000)
    )
    body = detail_page(ASSETS[0]).replace(b"</body>", b"<table class=w728>" + rows + b"</table></body>")

    reading = read_page(page(body))

    assert texts(reading) == ASSETS[0].expected_sor()
    assert reading.unknown_count == 3000
    assert reading.unknown_labels == tuple(f"L{at:04} {'x' * 53}…" for at in range(20))


def test_a_cell_of_more_than_1000_characters_is_another_layout() -> None:
    with pytest.raises(LayoutNotRecognized, match="has 1001 characters, expected 1000 at most"):
        read(ASSETS[0].with_cell("nome_empresa", "A" * 1001))
