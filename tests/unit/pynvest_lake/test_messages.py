from __future__ import annotations

import json

import pytest

from b3.kind import Kind
from pynvest_lake.messages import MalformedMessage, TickerMessage

GOOD = {"ticker": "PETR4", "kind": "acoes", "anomesdia_exec": 20261123}


def test_a_message_reads_back_as_it_was_written() -> None:
    message = TickerMessage("PETR4", Kind.ACOES, 20261123)

    assert TickerMessage.from_json(message.to_json(), Kind.ACOES) == message


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("PETR4", "JSONDecodeError"),
        ("[]", "expected an object with"),
        (json.dumps({"kind": "acoes", "anomesdia_exec": 20261123}), "expected an object with"),
        (json.dumps(GOOD | {"extra": 1}), "expected only ticker, kind, anomesdia_exec, round"),
        (json.dumps(GOOD | {"round": 1.5}), "float"),
        (json.dumps(GOOD | {"page": {"object": "pages/1"}}), "'fetched_at'"),
        (json.dumps(GOOD | {"page": "pages/1"}), "expected an object with"),
        (json.dumps(GOOD | {"asked_at": "today"}), "asked_at is 'today'"),
        (json.dumps(GOOD | {"ticker": "../etc"}), "ticker is '../etc'"),
        (json.dumps(GOOD | {"ticker": 4}), "ticker is 4"),
        (json.dumps(GOOD | {"kind": "fiis"}), "kind is 'fiis', expected 'acoes'"),
        (json.dumps(GOOD | {"anomesdia_exec": "20261123"}), "anomesdia_exec is '20261123'"),
        (json.dumps(GOOD | {"anomesdia_exec": 20261341}), "expected a day as a number YYYYMMDD"),
        (json.dumps(GOOD | {"anomesdia_exec": True}), "anomesdia_exec is True"),
    ],
)
def test_the_error_for_a_malformed_message_says_what_was_found_or_expected(body: str, said: str) -> None:
    with pytest.raises(MalformedMessage) as error:
        TickerMessage.from_json(body, Kind.ACOES)

    assert said in str(error.value)
