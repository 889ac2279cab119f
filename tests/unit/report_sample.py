"""Make snapshots for the report from the assets of the sample site."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from report.history import AssetHistory
from report.snapshot import Snapshot
from sandbox.site import make_assets

Row = dict[str, Any]

DAY = 20261123
SESSIONS = (20261118, 20261119, DAY)
FOLLOWED = ("HGLG11", "PETR4", "VALE3")


def rows_of(kind: str, day: int = DAY) -> list[Row]:
    """Return the SoT rows of a kind's assets, by ticker."""
    more = {"anomesdia_exec": day, "datetime_exec": datetime(2026, 11, 23, 18, 50, 7, 120000)}
    rows = [asset.expected_sot(day) | more for asset in make_assets(day) if asset.kind == kind]
    return sorted(rows, key=lambda row: str(next(iter(row.values()))))


def judgement(day: int, situation: str, *reasons: str) -> list[Row]:
    """Return the answer of the named quality query for a day."""
    none = {"tabela": None, "coluna": None, "valor": None, "referencia": None, "anomesdia_exec": day}
    verdict = {"situacao": situation, "medida": "dia", "motivo": reasons[0] if reasons else None}
    return [
        none | verdict,
        *(none | {"situacao": "aviso", "medida": "linhas", "motivo": reason} for reason in reasons),
    ]


def histories(sessions: Sequence[int] = SESSIONS) -> list[AssetHistory]:
    """Return the price histories of the followed assets."""
    days = [datetime.strptime(str(session), "%Y%m%d").date() for session in sessions]
    return [
        AssetHistory(ticker, days, {"vlr_cot": [10.0 + place + number for number in range(len(days))]})
        for place, ticker in enumerate(FOLLOWED)
    ]


def sample(
    sessions: Sequence[int] = SESSIONS, quality: Sequence[Row] | None = None, **changed: Any
) -> Snapshot:
    """Make a snapshot of `DAY`. `changed` replaces values in the row of each asset."""
    stocks, funds = ([row | changed for row in rows_of(kind)] for kind in ("acoes", "fiis"))
    return Snapshot(stocks, funds, judgement(DAY, "ok") if quality is None else quality, histories(sessions))
