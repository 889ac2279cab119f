"""The lake with test-sized timeouts, for whatever test of this folder asks for it."""

from faulty_lake import applied_faulty_lake, faulty, number, told_no_more  # noqa: F401 - fixtures
