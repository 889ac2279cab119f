"""What stage 2 is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pynvest_lake.kinds import Kind
from pynvest_lake.settings import SettingError


@dataclass(frozen=True)
class Settings:
    """Where the site is and with what headers it is asked, and the queue of each kind."""

    fundamentus_base_url: str
    fetch_headers: Mapping[str, str]
    tickers_queue_urls: Mapping[Kind, str]

    def __post_init__(self) -> None:
        if lacking := [kind.value for kind in Kind if kind not in self.tickers_queue_urls]:
            raise SettingError(f"environment variable TICKERS_QUEUE_URLS lacks {' and '.join(lacking)}")
