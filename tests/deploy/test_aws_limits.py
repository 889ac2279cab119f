"""What is planned and given out is what AWS accepts, and the emulator does not check."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from consumer import PROJECT, Checkout

pytestmark = pytest.mark.terraform

MANAGED_POLICY = 6_144
"""Characters of a managed policy that IAM takes, white space aside (IAM User Guide, "IAM and STS quotas")."""

LONGEST_REGION = "ap-southeast-1"
KEY = "arn:aws:kms:sa-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
LONGEST = f"""
  name_prefix                  = "a2345678-0-2345678-0"
  bucket_names_map             = {{ sor = "{"a" * 63}", sot = "{"b" * 63}", spec = "{"c" * 63}" }}
  sqs_tickers_acoes_queue_name = "{"a" * 76}"
  sqs_tickers_fiis_queue_name  = "{"b" * 76}"
  kms_key_arn                  = "{KEY}"
  bucket_kms_key_arns          = ["{KEY[:-1]}1", "{KEY[:-1]}2", "{KEY[:-1]}3"]
"""


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory, env: dict[str, str]) -> dict[str, str]:
    """Return the policies to attach of a lake with the longest names and every optional key, as planned."""
    directory = tmp_path_factory.mktemp("limits")
    checkout = Checkout(
        directory / "checkout",
        source=str(PROJECT),
        state=Path(directory / "terraform.tfstate"),
        env={**env, "TF_VAR_fundamentus_base_url": "http://127.0.0.1:9"},
        inputs=LONGEST,
    )
    checkout.terraform("init")
    checkout.terraform("plan", "-out=limits.tfplan")
    outputs = json.loads(checkout.terraform("show", "-json", "limits.tfplan"))["planned_values"]["outputs"]
    known = {name: output["value"] for name, output in outputs.items() if "value" in output}
    return {name: value for name, value in known.items() if name.endswith("_policy_json")}


@pytest.mark.parametrize("output", ["operator_policy_json", "reader_policy_json"])
def test_a_policy_to_attach_fits_a_managed_policy_with_the_longest_names(
    policies: dict[str, str], output: str
) -> None:
    policy = policies[output].replace("sa-east-1", LONGEST_REGION)

    assert len(json.dumps(json.loads(policy), separators=(",", ":"))) <= MANAGED_POLICY
