"""The pages of the sample site, in the layout of the real site and in its encoding (ISO-8859-1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from html.entities import codepoint2name

from sandbox.site.asset import Cell, Heading, Row, SampleAsset, Table, definitions

SITE_NAME = "Fundamentus"
CONTENT_TYPE = "text/html; charset=ISO-8859-1"

_UP, _DOWN, _EVEN = "#306EFF", "#F75D59", "#000000"

# For each kind, a map from the headings of the listing to SoR columns. The real listings have more columns,
# but the lake reads only the price.
_LISTINGS = {
    "acoes": {
        "Cotação": "vlr_cot",
        "P/L": "vlr_ind_p_sobre_l",
        "Div.Yield": "vlr_ind_div_yield",
        "Liq.2meses": "vol_med_neg_2m",
    },
    "fiis": {
        "Segmento": "segmento",
        "Cotação": "vlr_cot",
        "Dividend Yield": "vlr_div_yield",
        "Liquidez": "vol_med_neg_2m",
    },
}


def detail_page(asset: SampleAsset) -> bytes:
    """Return the page with an asset's indicators."""
    titles = definitions(asset.kind)
    tables = "\n".join(_table(table, titles) for table in asset.tables)
    if asset.variety == "text":
        tables = "".join(map(_entity, tables))
    return _document(f"{SITE_NAME} - {asset.ticker} - Detalhes do papel", tables)


def other_layout(asset: SampleAsset) -> bytes:
    """Return an asset's indicators in the site's mobile layout, which has no table."""
    items = "\n".join(
        f"<dt>{escape(cell.label)} <span data-toggle='tooltip'>?</span></dt><dd>{escape(cell.text)}</dd>"
        for cell in asset.cells()
        if cell.label
    )
    return _document(f"{SITE_NAME} - {asset.ticker}", f'<dl class="indicadores">\n{items}\n</dl>')


def listing_page(kind: str, assets: Iterable[SampleAsset], ghosts: Sequence[str] = ()) -> bytes:
    """Return a kind's listing, with the assets in ticker order and the first asset twice.

    Parameters
    ----------
    kind
        ``acoes`` or ``fiis``.
    assets
        The assets to list.
    ghosts
        Listed tickers without a page.
    """
    columns = _LISTINGS[kind]
    rows: dict[str, str] = {}
    for asset in assets:
        cells = asset.cells_by_column()
        texts = [cells[column].text if column in cells else "0" for column in columns.values()]
        name = cells["nome_empresa" if kind == "acoes" else "nome_fii"].text
        rows[asset.ticker] = _listing_row(asset.ticker, name, texts)
    for ticker in ghosts:
        rows[ticker] = _listing_row(ticker, "", ["0,00"] * len(columns))
    order = "".join(
        f'<th><a href="?order={number}">{escape(name)}</a></th>'
        for number, name in enumerate(["Papel", *columns], start=1)
    )
    tickers = sorted(rows)
    body = "\n".join(rows[ticker] for ticker in (*tickers[:1], *tickers))
    return _document(
        f"{SITE_NAME} - Resultado da busca",
        f'<table id="resultado" class="resultado">\n<thead><tr>{order}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody>\n</table>",
    )


def short_text(text: str) -> bytes:
    """Return a page whose only text is `text`."""
    return f"<html><head><title>{text}</title></head><body><h1>{text}</h1></body></html>".encode("iso-8859-1")


def _document(title: str, content: str) -> bytes:
    text = f"""<!DOCTYPE html>
<html lang="pt-BR">
<head>
<meta http-equiv="Content-Type" content="{CONTENT_TYPE}">
<title>{title}</title>
<script>var menu = '?'; if (1 < 2) {{ menu = "<table class=w728>"; }}</script>
</head>
<body>
<!-- Papel? <table class="w728"><tr><td>Papel</td></tr></table> -->
<form action="detalhes.php"><label>Qual papel?</label><input name="papel" title="Papel?"></form>
<div class="conteudo">
{content}
</div>
<p class="rodape">D&uacute;vidas? Dados de exemplo, sem valor para investimentos.</p>
</body>
</html>
"""
    return text.encode("iso-8859-1", "xmlcharrefreplace")


def _table(table: Table, titles: Mapping[str, str]) -> str:
    rows = "\n".join(_row(row, titles) for row in table)
    return f'<table class="w728" cellspacing="0">\n{rows}\n</table>'


def _row(row: Row, titles: Mapping[str, str]) -> str:
    cells = (
        f'<td class="nivel1" colspan="{cell.span}"><span class="txt">{escape(cell.text)}</span></td>'
        if isinstance(cell, Heading)
        else _label(cell, titles) + _value(cell)
        for cell in row
    )
    return f"<tr>\n  {''.join(cells)}\n</tr>"


def _label(cell: Cell, titles: Mapping[str, str]) -> str:
    name = f'<span class="txt">{escape(cell.label)}</span>' if cell.label else ""
    if cell.change:
        return f'<td class="label w1">{name}</td>'
    title = escape(titles.get(cell.label, f"O que é {cell.label}?"))
    return f'<td class="label w15"><span class="help tips" title="{title}">?</span>{name}</td>'


def _value(cell: Cell) -> str:
    if cell.change:
        if not cell.label:
            return '<td class="data w1"></td>'
        color = _EVEN if cell.value is None else _DOWN if cell.text.startswith("-") else _UP
        return f'<td class="data w1"><span class="oscil"><font color="{color}">{cell.text}</font></span></td>'
    return f'<td class="data"><span class="txt">\n      {escape(cell.text)}\n    </span></td>'


def _entity(character: str) -> str:
    name = codepoint2name.get(ord(character)) if ord(character) > 127 else None
    return f"&{name};" if name else character


def _listing_row(ticker: str, name: str, texts: Sequence[str]) -> str:
    link = (
        f'<span class="tips" title="{escape(name)}"><a href="detalhes.php?papel={ticker}">{ticker}</a></span>'
    )
    return f"<tr><td>{link}</td>{''.join(f'<td>{escape(text)}</td>' for text in texts)}</tr>"


WRONG_PAGES = {
    "interstitial": (
        "<!DOCTYPE html><html><head></head><body><title>Um momento</title><h1>www.fundamentus.com.br</h1>"
        "<p>Verificando se a conexão é segura.</p></body></html>"
    ).encode("iso-8859-1"),
    "error_page": short_text("Database error"),
    "not_found": _document(f"{SITE_NAME} - Detalhes", "<h1>Nenhum papel encontrado</h1>"),
    "unrecognizable": _document(
        f"{SITE_NAME} - Resultado da busca",
        '<table id="resultado"><tr><th>Aviso</th></tr><tr><td>Consulta em manutenção</td></tr></table>',
    ),
}
"""Pages without an asset: a waiting page, the web server's default page, the page for an unknown ticker, and
a listing whose table names no asset."""
