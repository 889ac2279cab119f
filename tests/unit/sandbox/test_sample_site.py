from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import date

import pytest
import requests

from sandbox.site import make_assets

DAY = 20261123


@pytest.mark.parametrize(
    ("day", "session"),
    [
        (20261128, date(2026, 11, 27)),  # a Saturday
        (20261129, date(2026, 11, 27)),
        (20280229, date(2028, 2, 29)),
        (20261231, date(2026, 12, 31)),
        (20290102, date(2029, 1, 2)),
    ],
)
def test_assets_are_made_for_any_day_and_were_traded_in_its_last_session(day: int, session: date) -> None:
    assets = make_assets(day)
    quoted = {asset: asset.expected_sot()["dt_ult_cot"] for asset in assets}
    traded = {quoted[asset] for asset in assets if asset.variety in ("listed", "real_estate")}
    assert len(assets) == len(make_assets(DAY))
    assert traded == {session}
    assert max(when for when in quoted.values() if when) == session


def test_the_sample_site_ends_with_the_process_that_started_it() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "sandbox.site", "--port", "0", "--day", str(DAY)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        address = process.stdout.readline().split()[-1]
        listed = requests.get(f"{address}/resultado.php", timeout=5).text
        process.stdin.close()
        process.wait(5)
    assert "PETR4" in listed
    assert not re.search("GIPO4|TABA4", listed)  # invented tickers
