"""The tests in this folder share a lake with short timeouts."""

from faulty_lake import (  # noqa: F401 - fixtures
    applied_faulty_lake,
    faulty,
    good_today,
    no_other_notice,
    number,
    today_from_pages,
)
