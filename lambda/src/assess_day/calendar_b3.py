"""B3's calendar. The calendar helps to judge a repeated session, but never decides whether a day is run."""

from __future__ import annotations

from b3.days import date_of


def is_trading_day(day: int) -> bool:
    """Return whether a day (``YYYYMMDD``, 2022 or later) is a trading day of B3."""
    # Import `holidays` only when it is needed: this import is slower than all other imports together.
    from holidays.financial.brasil_bolsa_balcao import BrasilBolsaBalcao

    on = date_of(day)
    return on.weekday() < 5 and on not in BrasilBolsaBalcao(years=on.year)
