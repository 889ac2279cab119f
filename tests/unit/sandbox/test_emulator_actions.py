"""A call to Lambda needs the same permission on the emulator as on AWS."""

from __future__ import annotations

import pytest

from sandbox.emulator_patches.actions import of_lambda

FUNCTION = "/2015-03-31/functions/pynvest-lambda-get-tickers"
ASYNCHRONOUS = "/2019-09-25/functions/pynvest-lambda-get-tickers/event-invoke-config"


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("GET", FUNCTION, "GetFunction"),
        ("GET", f"{FUNCTION}/configuration", "GetFunctionConfiguration"),
        ("PUT", f"{FUNCTION}/code", "UpdateFunctionCode"),
        ("POST", f"{FUNCTION}/invocations", "InvokeFunction"),
        ("PUT", ASYNCHRONOUS, "PutFunctionEventInvokeConfig"),
        ("GET", ASYNCHRONOUS, "GetFunctionEventInvokeConfig"),
        ("POST", "/2015-03-31/event-source-mappings/", "CreateEventSourceMapping"),
        ("PUT", "/2015-03-31/event-source-mappings/1-2", "UpdateEventSourceMapping"),
        ("DELETE", "/2018-10-31/layers/pynvest-third-party/versions/1", "DeleteLayerVersion"),
        ("GET", "/2015-03-31/functions/pynvest/no-such-thing", None),
    ],
)  # fmt: skip
def test_a_call_to_lambda_has_the_action_of_its_operation(method: str, path: str, action: str | None) -> None:
    assert of_lambda(method, path) == action
