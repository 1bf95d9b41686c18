# SPDX-License-Identifier: MIT
"""The picture of the README is taken of data that the query API could give (./dev picture)."""

import json

import pytest
from dashboard.picture import overview
from support import http
from support.api import check_contract

pytestmark = pytest.mark.quick


def test_the_data_of_the_picture_is_what_the_contract_says() -> None:
    headers = {"content-type": "application/json", "cache-control": "no-store"}
    check_contract("/v1/overview", http.Answer(200, headers, json.dumps(overview()).encode()))
