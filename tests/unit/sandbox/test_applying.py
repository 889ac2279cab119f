"""The local run starts the day while ``terraform apply`` runs. In the tests, a script replaces Terraform."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.console import Console
from sandbox.lake import Lake
from sandbox.local import LocalLake
from sandbox.process import group_is_alive
from sandbox.terraform import TerraformFailed

OUTPUTS = {
    "tables": [],
    "quality_table": {
        "layer": "spec",
        "kind": None,
        "bucket": "spec",
        "prefix": "quality/",
        "database": "db_spec",
        "name": "quality",
    },
    "ticker_queues": {},
    "dead_letter_queues": {},
    "failure_queues": {},
    "functions": ["stage-1"],
    "listing_function": "stage-2",
    "start_schedule": "start",
    "dedup_schedule": "dedup",
    "work_bucket": "work",
    "workgroup": "lake",
}
TERRAFORM = """
here="{here}"
case "$2" in
apply)
    echo $$ > "$here/pid"
    say() {{ echo '{{"type":"'$1'","'$2'":{{"action":"create","resource":{{"addr":"'$3'"}}}}}}'; }}
    say planned_change change aws_s3_bucket.work
    say planned_change change module.lake.aws_s3_bucket_lifecycle_configuration.work
    say apply_start hook aws_s3_bucket.work
    say apply_start hook module.lake.aws_s3_bucket_lifecycle_configuration.work
    say apply_complete hook aws_s3_bucket.work
    looks=0  # a test that fails before it settles is not waited for without end
    until [ -e "$here/settled" ]; do
        looks=$((looks + 1))
        [ "$looks" -lt 3000 ] || exit 3
        sleep 0.02
    done
    read status < "$here/settled"
    error='"severity":"error","summary":"the bucket has other rules","detail":""'
    [ "$status" = 0 ] || echo '{{"type":"diagnostic","diagnostic":{{'"$error"'}}}}'
    exit "$status"
    ;;
output)
    # At first as while the state is being written, then as before all outputs are.
    if [ ! -e "$here/asked" ]; then touch "$here/asked"; exit 1; fi
    if [ ! -e "$here/asked-again" ]; then touch "$here/asked-again"; echo "{{}}"; exit 0; fi
    cat "$here/outputs.json"
    ;;
esac
"""


@pytest.fixture
def settle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[int], None]:
    """Replace Terraform with a script. Return a function that ends the script's ``apply`` with a status."""
    command = tmp_path / "bin" / "terraform"
    command.parent.mkdir()
    command.write_text(f"#!/bin/sh\n{TERRAFORM.format(here=tmp_path)}")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}:/usr/bin:/bin")
    (tmp_path / "outputs.json").write_text(
        json.dumps({name: {"value": value} for name, value in OUTPUTS.items()})
    )
    (tmp_path / "terraform.rc").touch()
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(tmp_path / "terraform.rc"))

    def end(status: int) -> None:
        part = tmp_path / "settled.part"
        part.write_text(f"{status}\n")
        part.rename(tmp_path / "settled")

    return end


@pytest.fixture
def local(tmp_path: Path) -> LocalLake:
    return LocalLake(tmp_path / "run", {}, shared_dir=tmp_path)


def test_a_day_begins_before_the_apply_ends(local: LocalLake, settle: Callable[[int], None]) -> None:
    with local.applying(Console()):
        assert local.lake == Lake.from_outputs(OUTPUTS)
        settle(0)  # the block begins before the apply ends


def test_a_terraform_error_during_the_day_is_raised_after_the_day(
    local: LocalLake, settle: Callable[[int], None]
) -> None:
    done = []

    with pytest.raises(TerraformFailed, match="the bucket has other rules"), local.applying(Console()):
        settle(1)
        done.append("the day")

    assert done == ["the day"]


def test_an_early_terraform_error_is_raised_and_no_day_begins(
    local: LocalLake, settle: Callable[[int], None], tmp_path: Path
) -> None:
    (tmp_path / "outputs.json").unlink()
    settle(1)

    with pytest.raises(TerraformFailed, match="the bucket has other rules"), local.applying(Console()):
        pytest.fail("a day began")


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_terraform_is_stopped_when_the_day_fails_or_is_interrupted(
    local: LocalLake, settle: Callable[[int], None], tmp_path: Path, error: type[BaseException]
) -> None:
    with pytest.raises(error, match="the day"), local.applying(Console()):
        group = int((tmp_path / "pid").read_text())
        assert group_is_alive(group)
        raise error("the day")

    assert not group_is_alive(group)
