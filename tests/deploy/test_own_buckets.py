"""Consumers name their own buckets for the layers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import boto3
import pytest
from consumer import Checkout, unwrapped

from sandbox.emulator import Emulator

pytestmark = pytest.mark.e2e

OWN = 'resource "aws_s3_bucket" "own" {\n  bucket = "made-by-the-same-apply"\n}\n'
OWN_BUCKETS = "-target=module.pynvest_tools.data.aws_s3_objects.own_bucket_in_this_region"
BUCKETS = (OWN_BUCKETS, "-target=module.pynvest_tools.aws_s3_bucket.this")


def test_buckets_of_another_region_or_account_are_refused(
    env: dict[str, str], emulator: Emulator, tmp_path: Path
) -> None:
    def owner(account: str, region: str) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=emulator.endpoint_url,
            verify=str(emulator.ca_bundle),
            region_name=region,
            aws_access_key_id=account,
            aws_secret_access_key=account,
        )

    def create(s3: Any, name: str) -> None:
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})

    here, elsewhere, stranger = (
        owner("test", "sa-east-1"),
        owner("test", "eu-west-1"),
        owner("999999999999", "sa-east-1"),
    )
    create(here, "own-raw")
    create(elsewhere, "own-curated")
    create(stranger, "own-served")

    names = 'bucket_names_map = { sor = "own-raw", sot = "own-curated", spec = "own-served" }'
    checkout = Checkout(tmp_path / "checkout", env=env, inputs=names)

    said = unwrapped(checkout.terraform("apply", "-auto-approve", OWN_BUCKETS, statuses=(1,)))

    assert sorted(re.findall(r"Error: listing S3 Bucket \((\S+)\) .*? api error (\w+):", said)) == [
        ("own-curated", "PermanentRedirect"),
        ("own-served", "AccessDenied"),
    ]


def test_own_buckets_may_be_created_by_the_same_apply_and_changed_later(
    env: dict[str, str], tmp_path: Path
) -> None:
    name = "aws_s3_bucket.own.bucket"
    inputs = f"""
      name_prefix      = "buckets"
      bucket_names_map = {{ sor = {name}, sot = {name}, spec = {name} }}
    """
    checkout = Checkout(tmp_path / "checkout", env=env, inputs=inputs)
    own = checkout.directory / "own.tf"
    own.write_text(OWN)
    checkout.apply(*BUCKETS)

    own.write_text(OWN.replace("}", '  tags = { owner = "me" }\n}'))

    assert checkout.changes(*BUCKETS) == {"aws_s3_bucket.own": "update"}
