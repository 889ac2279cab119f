"""B3's trading days. The calendar is used to judge a repeated session, never to skip a run."""

from __future__ import annotations

from b3.days import date_of


def is_trading_day(day: int) -> bool:
    """Return whether B3 trades on a day, ``YYYYMMDD``; correct from 2022 on."""
    # Imported here: this import is slower than all others together, and most days do not need it.
    from holidays.financial.brasil_bolsa_balcao import BrasilBolsaBalcao

    on = date_of(day)
    return on.weekday() < 5 and on not in BrasilBolsaBalcao(years=on.year)
