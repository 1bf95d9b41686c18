# SPDX-License-Identifier: MIT
"""Our fake of BizGo's API is read by BizGo's own SDK: what it answers is what BizGo answers, as far as BizGo says. (Of omni, the older API,
BizGo offers no SDK for Python on PyPI.)"""

import bizgo
import pytest

from support.provider_apis import FAULTS, Answer, BizGo, report

ID = "20260112110003123report00000001"


@pytest.fixture
def api():
    with BizGo().running() as running:
        yield running


def client(api: BizGo, key: str = BizGo.API_KEY) -> bizgo.Bizgo:
    return bizgo.Bizgo(key, base_url=api.url, max_retries=0, rate_limit=None)


def test_their_sdk_reads_what_we_make_up(api: BizGo) -> None:
    api.reports = {ID: [report(ID, "63019", reportText="no user"), report(ID, "10000", "SMS", carrier="10001")]}
    with client(api) as sdk:
        first, second = sdk.reports.inquiry(ID)
        assert (first.msg_key, first.service_type, first.report_code, first.report_text) == (ID, "ALIMTALK", "63019", "no user")
        assert (second.msg_key, second.service_type, second.report_code, second.carrier) == (ID, "SMS", "10000", "10001")
        assert second.report_time and second.report_type == "0"
        assert sdk.reports.inquiry("another") == []
    assert api.asked == [ID, "another"]


ERRORS = {
    "429": bizgo.RateLimitError,
    "500": bizgo.APIError,
    "502 of a proxy": bizgo.APIError,
    "no JSON": bizgo.BizgoError,
    "JSON that breaks off": bizgo.BizgoError,
    "cut before the answer": bizgo.BizgoError,
    "half an answer": bizgo.BizgoError,
}


@pytest.mark.parametrize("kind", ERRORS)
def test_their_sdk_takes_our_faults_for_faults(api: BizGo, kind: str) -> None:
    api.fail_always(FAULTS[kind]())
    with client(api) as sdk, pytest.raises(ERRORS[kind]):
        sdk.reports.inquiry(ID)


def test_their_sdk_takes_our_refusal_for_one(api: BizGo) -> None:
    with client(api, "wrong-key") as sdk, pytest.raises(bizgo.AuthenticationError):
        sdk.reports.inquiry(ID)
    api.fail_always(Answer(200, {"common": {"authCode": "A000"}, "data": {"code": "A020"}}))
    with client(api) as sdk, pytest.raises(bizgo.RateLimitError):
        sdk.reports.inquiry(ID)
