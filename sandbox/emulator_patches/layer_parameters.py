"""Every account can read the public parameters that hold the managed layer's ARN.

MiniStack has only two public parameters, both for machine images. Remove this module when MiniStack has the
parameter ``/aws/service/aws-sdk-pandas/3.16.1/py3.13/x86_64/layer-arn``.
"""

from __future__ import annotations

import re
from typing import Any

from ministack.services import ssm

LAYER = re.compile(r"/aws/service/aws-sdk-pandas/[\d.]+/py3\.(\d+)/x86_64/layer-arn")


def apply() -> None:
    """Answer with the ARN of the layer's version 1 in AWS's account, because MiniStack lacks the layer."""
    public_parameter = ssm._public_parameter

    def with_layers(name: str) -> dict[str, Any] | None:
        named = LAYER.fullmatch(name or "")
        if not named:
            found: dict[str, Any] | None = public_parameter(name)
            return found
        region = ssm.get_region()
        return {
            "Name": name,
            "Type": "String",
            "Value": f"arn:aws:lambda:{region}:336392948345:layer:AWSSDKPandas-Python3{named[1]}:1",
            "Version": 1,
            "LastModifiedDate": 1728518400,
            "ARN": f"arn:aws:ssm:{region}::parameter{name}",
        }

    ssm._public_parameter = with_layers
