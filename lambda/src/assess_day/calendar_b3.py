"""B3's trading days, to judge a session that comes again; never to skip a read."""

from __future__ import annotations

from datetime import date


def is_trading_day(day: int) -> bool:
    """Tell whether B3 trades on a day, ``YYYYMMDD``: right from 2022 on."""
    # Here, since it takes longer to import than all else, and most days never ask.
    from holidays.financial.brasil_bolsa_balcao import BrasilBolsaBalcao

    on = date(day // 10_000, day // 100 % 100, day % 100)
    return on.weekday() < 5 and on not in BrasilBolsaBalcao(years=on.year)
