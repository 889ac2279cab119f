"""Every account can read the public parameters that hold the managed layer's ARN.

MiniStack's Parameter Store has only two public parameters, both for machine images. Remove this module when
MiniStack has the parameter ``/aws/service/aws-sdk-pandas/3.16.1/py3.13/x86_64/layer-arn``.
"""

from __future__ import annotations

import re
from typing import Any

from ministack.services import ssm

LAYER = re.compile(r"/aws/service/aws-sdk-pandas/[\d.]+/py3\.(\d+)/x86_64/layer-arn")


def apply() -> None:
    """Add the layer's parameters; each parameter holds the ARN of version 1 of the layer."""
    public_parameter = ssm._public_parameter

    def with_layers(name: str) -> dict[str, Any] | None:
        if named := LAYER.fullmatch(name or ""):
            arn = f"arn:aws:lambda:{ssm.get_region()}:336392948345:layer:AWSSDKPandas-Python3{named[1]}:1"
            ssm._PUBLIC_AMI_PARAMETERS[name] = arn
        found: dict[str, Any] | None = public_parameter(name)
        return found

    ssm._public_parameter = with_layers
