"""The data of the asset panels: all indicators, and the history of all assets, compressed for the page."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from report import numbers
from report.history import SERIES, AssetHistory, possible_splits
from report.indicators import indicators_of
from report.snapshot import ListedAsset, Snapshot

KINDS: Mapping[bool, tuple[str, str]] = {False: ("acoes", "nome_papel"), True: ("fiis", "fii")}


def panel_data(snapshot: Snapshot, assets: Sequence[ListedAsset]) -> str:
    """Return the data of the panels: JSON, compressed with gzip, as base64 text.

    The JSON has these parts; `page.js` reads it when the first panel is opened::

        sessions    trading days of all histories, ascending: ["2026-11-19", "2026-11-23"]
        bad         run days whose verdict is not ok: {"2026-11-19": "falha"}
        acoes, fiis for each kind:
          tickers     its assets on the page
          groups      sector or segment of each, or null
          indicators  name, key, title, meaning, section, shown, before, after (see `Indicator`), and
                      values, one per asset
          series      names of the indicators that have a series
          history     by asset, by series: a text with one field per session, separated by commas. A field
                      is the session's value, or "-" for no value. An empty field stands for the value of
                      the previous session. Empty fields at the end are left out. An asset without history
                      has no texts.
          splits      possible splits: {"PETR4": [["2026-11-23", 2.0, 0.5]]}, factors of shares and price

    Parameters
    ----------
    snapshot
        Histories and bad days.
    assets
        The assets of the page.
    """
    histories = {history.ticker: history for history in snapshot.histories}
    sessions = sorted(
        {day for asset in assets if (one := histories.get(asset.ticker)) for day in one.sessions}
    )
    data: dict[str, Any] = {
        "sessions": [day.isoformat() for day in sessions],
        "bad": {_iso(day): situation for day, situation in snapshot.bad_days.items()},
    }
    for is_fund, (kind, ticker) in KINDS.items():
        members = [asset for asset in assets if asset.is_fund == is_fund]
        own = [histories.get(asset.ticker) for asset in members]
        series = [name for name in SERIES[ticker] if any(one and name in one.values for one in own)]
        rows = [asset.row for asset in members]
        data[kind] = {
            "tickers": [asset.ticker for asset in members],
            "groups": [asset.group for asset in members],
            "indicators": [
                {**asdict(one), "values": [_written(row.get(one.name)) for row in rows]}
                for one in indicators_of(ticker, rows)
            ],
            "series": series,
            "history": [[_packed(one, name, sessions) for name in series] if one else [] for one in own],
            "splits": {
                one.ticker: [
                    [split.session.isoformat(), round(split.shares, 4), round(split.price, 4)]
                    for split in found
                ]
                for one in own
                if one and (found := possible_splits(one))
            },
        }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def _packed(history: AssetHistory, name: str, sessions: Iterable[date]) -> str:
    values = dict(zip(history.sessions, history.values.get(name, ()), strict=False))
    fields, last = [], ""
    for day in sessions:
        value = values.get(day)
        field = "-" if value is None else f"{value:.12g}"
        fields.append("" if field == last else field)
        last = field
    return ",".join(fields).rstrip(",")


def _written(value: Any) -> Any:
    """Return a value as the page shows it: a number, or a text with dates in the Brazilian format."""
    if isinstance(value, datetime):
        return f"{numbers.day(value)} {value:%H:%M}"
    return numbers.day(value) if isinstance(value, date) else value


def _iso(day: int) -> str:
    return f"{day // 10000}-{day // 100 % 100:02}-{day % 100:02}"
