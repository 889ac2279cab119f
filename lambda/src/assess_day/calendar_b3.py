"""B3's trading days, to judge a session that comes again; never to skip a read."""

from __future__ import annotations

from b3.days import date_of


def is_trading_day(day: int) -> bool:
    """Tell whether B3 trades on a day, ``YYYYMMDD``: right from 2022 on."""
    # Here, since it takes longer to import than all else, and most days never ask.
    from holidays.financial.brasil_bolsa_balcao import BrasilBolsaBalcao

    on = date_of(day)
    return on.weekday() < 5 and on not in BrasilBolsaBalcao(years=on.year)
