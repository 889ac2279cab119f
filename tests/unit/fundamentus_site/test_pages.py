from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b3.kind import Kind
from fundamentus_site.errors import FundamentusError, LayoutNotRecognized, Refused, Unavailable
from fundamentus_site.listing_page import ListingPage, read_listing_page
from fundamentus_site.page import Page, meaning
from sandbox.site import GHOSTS, make_assets
from sandbox.site.pages import listing_page as sample_listing

DAY = 20261123
LATIN_1 = "text/html; charset=ISO-8859-1"


EVENING = datetime(2026, 11, 23, 22, tzinfo=timezone.utc)


def page(body: str | bytes, content_type: str | None = LATIN_1, status: int = 200) -> Page:
    body = body.encode("iso-8859-1") if isinstance(body, str) else body
    return Page("http://site/page", status, content_type, body, EVENING)


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("Últ. Ação".encode(), LATIN_1, "Últ. Ação"),
        ("Últ. Ação".encode(), None, "Últ. Ação"),
        ("Últ. Ação".encode("iso-8859-1"), LATIN_1, "Últ. Ação"),
        ("Últ. Ação".encode("iso-8859-1"), "text/html; charset=UTF-8", "\ufffdlt. A\ufffd\ufffdo"),
        ("Últ. Ação".encode("iso-8859-1"), "text/html", "Últ. Ação"),
        ("Últ. Ação".encode("iso-8859-1"), "text/html; charset=idna", "Últ. Ação"),
        ("Últ. Aç\udcffo".encode(errors="surrogateescape"), "text/html; charset=utf8", "Últ. Aç\ufffdo"),
        (b"R$ 1 \x96 2", LATIN_1, "R$ 1 – 2"),
        (b"R$ 1 \x81 2", LATIN_1, "R$ 1 \x81 2"),
        (b"", LATIN_1, ""),
    ],
)
def test_valid_or_declared_utf_8_is_decoded_as_utf_8_and_other_bytes_as_windows_1252(
    body: bytes, content_type: str | None, text: str
) -> None:
    assert page(body, content_type).text == text


@given(st.binary(), st.one_of(st.none(), st.text(st.characters(codec="ascii")), st.just("x; charset=utf-7")))
def test_any_bytes_can_be_decoded(body: bytes, content_type: str | None) -> None:
    assert isinstance(page(body, content_type).text, str)


def outcome(body: str | bytes, status: int = 200) -> FundamentusError:
    return meaning(page(body, status=status), "the page of PETR4", "no table")


@pytest.mark.parametrize(
    "body",
    [
        "Access denied",
        "<h1>Acesso negado</h1>",
        "<html><title>Access Denied</title><p>No permission for http://www.fundamentus.com.br/detalhes.php</p>",
        "<html><title>Just a moment...</title><h1>www.fundamentus.com.br</h1><p>Verifying you are human</p>",
        "<html><title>Attention Required!</title><p>You are unable to access fundamentus.com.br</p></html>",
        "<html><title>Fundamentus</title><p>Access denied</p></html>",
        "<html><title>Login do Wi-Fi</title><p>Aceite os termos para navegar</p></html>",
        "<html><title>Erro</title><p>fundamentus.com.br e www.fundamentus.com.br demoram</p></html>",
        "<html><script>// Fundamentus</script><p>Aguarde</p></html>",
        "<html><img alt='Fundamentus'><a href='http://fundamentus.com.br'>aqui</a></html>",
    ],
)
def test_a_denial_a_challenge_and_a_page_of_another_site_are_refusals(body: str) -> None:
    error = outcome(body)
    assert type(error) is Refused
    assert str(error).startswith("http://site/page: asked for the page of PETR4, found a ")


@pytest.mark.parametrize(
    "body",
    [
        "<html><title>FUNDAMENTUS - Invista consciente</title></html>",
        "<html><title>Fundamentus - PETR4</title><dl><dt>P/L</dt><dd>1,00</dd></dl></html>",
        "<html><body><h1>Fundamentus.</h1><p>Voltamos logo</p></body></html>",
    ],
)
def test_a_page_with_the_sites_name_is_another_layout_and_no_refusal(body: str) -> None:
    error = outcome(body)
    assert type(error) is LayoutNotRecognized
    assert "found a page of the site with no table" in str(error)


CHALLENGE = "<html><title>Um momento</title><p>www.fundamentus.com.br: verificando ...</p></html>"
STRANGE = "<title>Login do Wi-Fi</title>"


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (403, "Fundamentus", Refused),
        (404, CHALLENGE, Refused),
        (503, CHALLENGE, Refused),
        (404, STRANGE, Refused),
        (503, STRANGE, Unavailable),
        (404, "<title>Fundamentus</title>", Unavailable),
        (204, "", Unavailable),
        (302, "", Unavailable),
        (500, "oops", Unavailable),
    ],
    ids=[
        "403",
        "challenge with 404",
        "challenge with 503",
        "strange page with 404",
        "strange page with 503",
        "page of the site with 404",
        "204",
        "302",
        "500",
    ],
)
def test_a_challenge_is_a_refusal_and_so_is_a_strange_page_unless_the_server_fails(
    status: int, body: str, error: type[FundamentusError]
) -> None:
    found = outcome(body, status)
    assert type(found) is error
    assert f"status {status}" in str(found)


def test_only_status_429_is_a_rate_limit() -> None:
    refusals = [outcome("slow down", status) for status in (429, 403)]
    assert [isinstance(one, Refused) and one.rate_limited for one in refusals] == [True, False]


@pytest.mark.parametrize(
    "body", [b"", b"   ", b'{"papel": "PETR4"}', bytes(range(256)) * 20, b"papel;cotacao\nPETR4;1"]
)
def test_a_body_without_html_is_unavailable(body: bytes) -> None:
    error = outcome(body)
    assert type(error) is Unavailable
    assert "no HTML page" in str(error)


HEADER = "<tr><th>Papel</th><th> Cotação </th><th>P/L</th></tr>"


def row(ticker: str, price: str = "1,00") -> str:
    return f"<tr><td><a href='#'>{ticker}</a></td><td>{price}</td><td>5,0</td></tr>"


def tables(*contents: Sequence[str]) -> str:
    body = "".join(f"<table>{''.join(rows)}</table>" for rows in contents)
    return f"<html><title>Fundamentus</title><body>{body}</body></html>"


@pytest.mark.parametrize("header", [HEADER, HEADER.replace("th>", "td>")])
def test_each_listed_asset_has_its_price_or_none_even_if_its_ticker_has_no_digit(header: str) -> None:
    found = read_listing_page(
        page(tables([header, row("PETR4", "1.031,87"), row("VALE3", ""), row("ABCD", " 9 ")]))
    )
    assert found == ListingPage({"PETR4": "1.031,87", "VALE3": None, "ABCD": "9"})
    assert found.tickers == ["ABCD", "PETR4", "VALE3"]


def test_a_listing_without_a_column_of_prices_has_assets_without_prices() -> None:
    header = HEADER.replace("Cotação", "Preço")
    assert read_listing_page(page(tables([header, row("PETR4")]))) == ListingPage({"PETR4": None})


def test_all_tables_with_assets_count_and_a_repeated_asset_counts_once() -> None:
    found = read_listing_page(
        page(
            tables(
                ["<tr><td><a href='/'>Menu</a></td><td><a href='/x'>Sobre</a></td></tr>"],
                [HEADER, row("MRSA3B", "3"), row("PETR4", "1"), row("MRSA3B", "4")],
                [HEADER.replace("<th>P/L</th>", "").replace("<th>", "<th>P/L</th><th>", 1), row("VALE3")],
                [row("ITUB4")],
            )
        )
    )
    assert found == ListingPage({"MRSA3B": "3", "PETR4": "1", "VALE3": "5,0", "ITUB4": None})


def test_single_unreadable_rows_are_skipped_and_reported() -> None:
    rows = [HEADER, row("PETR4"), "<tr><td>Suspenso</td><td>2,00</td></tr>", row("VALE3"), row("Vale S.A.")]
    found = read_listing_page(page(tables(rows)))
    assert found.tickers == ["PETR4", "VALE3"]
    assert found.unreadable == (
        "row 3 has ['Suspenso', '2,00']",
        "row 5 has ['Vale S.A.', '1,00', '5,0']",
    )


def test_the_error_shows_an_unreadable_row_if_less_than_half_are_readable() -> None:
    assert read_listing_page(page(tables([HEADER, row("PETR4"), row("Vale S.A.")]))).tickers == ["PETR4"]
    with pytest.raises(LayoutNotRecognized, match=r"only 1 of its 3 rows name an asset; row 3 has \['Vale S"):
        read_listing_page(page(tables([HEADER, row("PETR4"), row("Vale S.A."), row("Itaú")])))


def test_a_row_of_a_layout_table_is_no_row_of_an_asset() -> None:
    inner = f"<table>{HEADER}{row('PETR4', '7')}</table>"
    layout = ["<tr><td><a>ABCD3</a></td><td>x</td></tr>", f"<tr><td><a>x</a>{inner}</td><td>y</td></tr>"]
    assert read_listing_page(page(tables(layout))) == ListingPage({"ABCD3": None, "PETR4": "7"})


def test_the_error_shows_a_row_of_a_listing_without_assets() -> None:
    with pytest.raises(
        LayoutNotRecognized, match=r"no row of an asset; for example, row 2 has \['Vale S\.A\.'"
    ):
        read_listing_page(page(tables([HEADER, row("Vale S.A.")])))


@pytest.mark.parametrize("kind", Kind)
def test_the_sample_listings_are_read_completely(kind: Kind) -> None:
    assets = [asset for asset in make_assets(DAY, 60, 40) if asset.kind == kind.value]
    came = page(sample_listing(kind.value, assets, GHOSTS[kind.value]))
    found = read_listing_page(came)

    assert found.tickers == sorted([*(asset.ticker for asset in assets), *GHOSTS[kind.value]])
    assert found.prices == {
        asset.ticker: asset.expected_sor()["vlr_cot"] for asset in assets
    } | dict.fromkeys(GHOSTS[kind.value], "0,00")
    assert found.unreadable == ()


TICKER = st.from_regex(r"[A-Z]{4}[0-9]{1,2}[A-Z]?", fullmatch=True)
JUNK = st.sampled_from(
    [
        "<tr></tr>",
        "<tr><td></td><td></td></tr>",
        "<tr><td colspan=3>Total</td></tr>",
        HEADER,
        "<tr><th scope=row>x</th></tr>",
    ]
)


@given(st.lists(st.lists(st.tuples(TICKER, JUNK), min_size=1), min_size=1, max_size=4))
def test_all_assets_are_found_with_any_elements_between_them(
    contents: list[list[tuple[str, str]]],
) -> None:
    came = page(tables(*([HEADER, *(row(t) + junk for t, junk in rows)] for rows in contents)))
    expected = sorted({ticker for rows in contents for ticker, _ in rows})
    found = read_listing_page(came)
    assert (found.tickers, found.unreadable) == (expected, ())


@given(st.one_of(st.binary(), st.text().map(str.encode)))
def test_any_other_body_is_refused_as_a_listing(body: bytes) -> None:
    with pytest.raises(FundamentusError, match="asked for a listing"):
        read_listing_page(page(body))


def test_all_unreadable_rows_are_counted_and_20_are_recorded_in_short() -> None:
    odd = f"Vale\x07 {'x' * 99}"
    found = read_listing_page(page(tables([HEADER, *([row("PETR4"), row(odd)] * 30)])))
    assert (len(found.unreadable), found.unreadable_count) == (20, 30)
    assert found.unreadable[0] == f"row 3 has ['Vale {'x' * 60}"[:59] + "…"


def test_a_listing_with_too_many_rows_or_elements_is_unavailable() -> None:
    assert len(read_listing_page(page(tables([row(f"A{at:03}3") for at in range(1000)] * 5))).tickers) == 1000
    with pytest.raises(Unavailable, match="found 5001 rows, expected 5000 at most"):
        read_listing_page(page(tables([row("PETR4")] * 5001)))
    with pytest.raises(Unavailable, match="more than 150000 elements"):
        read_listing_page(page(tables(["<tr>" + "<td>x</td>" * 30 + "</tr>"] * 5001)))
