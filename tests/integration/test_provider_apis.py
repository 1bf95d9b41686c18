# SPDX-License-Identifier: MIT
"""Our fake of BizGo's API is read by BizGo's own SDK: what it answers is what BizGo answers, as far as BizGo says."""

import pytest

from support.provider_apis import Answer, BizGo, report

sdk = pytest.importorskip("bizgo_sdk_comm")
