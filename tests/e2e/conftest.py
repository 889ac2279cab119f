"""The lake with test-sized timeouts, as fixtures for the tests in this folder."""

from faulty_lake import (  # noqa: F401 - fixtures
    applied_faulty_lake,
    faulty,
    number,
    recent,
    today,
    told_no_more,
)
