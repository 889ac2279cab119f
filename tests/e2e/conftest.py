"""The lake with test-sized timeouts, for whatever test of this folder asks for it."""

from faulty_lake import (  # noqa: F401 - fixtures
    applied_faulty_lake,
    faulty,
    number,
    recent,
    today,
    told_no_more,
)
