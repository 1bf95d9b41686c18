# SPDX-License-Identifier: MIT
"""The incident rules over simulated providers: a small part of `./dev bench incidents`, so that a rule that breaks is noticed. Pure: no
server, one small library."""

import subprocess
import sys

import pytest
from support import builds

sys.path.insert(0, str(builds.ROOT / "bench" / "incidents"))

import cases

pytestmark = pytest.mark.quick


@pytest.fixture(scope="module", autouse=True)
def library(tmp_path_factory):
    path = tmp_path_factory.mktemp("rules") / "incidents.so"
    subprocess.run([builds.ROOT / "bench" / "incidents" / "build.sh", path], check=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCHAK_INCIDENTS_LIBRARY", str(path))
        yield


def test_a_month_of_three_providers_has_their_three_incidents_and_no_other():
    table = cases.months(1, seed=7)
    assert table.wrong == []
    assert [row[2] for row in table.rows] == ["1 of 1"] * 3


def test_campaigns_are_no_incident_because_codes_about_the_recipient_are_marked():
    table = cases.campaigns(30, seed=7, rates=(20,))
    assert table.wrong == []
    assert all(int(row[-1]) > 2 for row in table.rows), "without the marks there were false alarms, else this test could not fail"


def test_account_faults_do_not_open_and_close_each_time():
    assert cases.account_faults().wrong == []


def test_a_rotated_secret_is_found_within_two_minutes_and_a_scanner_is_no_incident():
    assert cases.refusing(4, seed=7).wrong == []


def test_a_campaign_that_breaks_off_is_found_at_the_end_of_the_window():
    assert cases.breaks_off(4, seed=7).wrong == []
