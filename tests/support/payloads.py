# SPDX-License-Identifier: MIT
"""What providers and send APIs say, as the seeds and the providers' documents show it."""

import itertools
import json
from datetime import UTC, datetime, timedelta, timezone

PHONE = "01012345678"  # the seeds'
PHONE_E164 = "+821087654321"
PHONES = [PHONE, "821012345678", PHONE_E164.lstrip("+"), "01087654321"]  # in no log, alert or row
BODY_MARK = "body-mark-5f1c2e"  # stands in bodies where nobody reads it: in no log and no alert

_numbers = itertools.count(1)
_REPORTED = datetime.now(timezone(timedelta(hours=9))) - timedelta(hours=1)


def new_id(name: str = "msg") -> str:
    """Shaped like BizGo's: 32 characters."""
    return f"20260112110003123{name[:8]:x<8}{next(_numbers):07d}"


def reported(seconds: float = 0) -> str:
    """A time as a report says it, so many seconds after REPORTED_AT."""
    return (_REPORTED + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


# When things happened, by a report that says nothing else: an hour before the tests began, so that no deadline has passed since.
REPORTED_AT = reported()


def to_bytes(value) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


# --- BizGo


def bizgo(msg_key: str, code: str, service_type: str = "ALIMTALK", **more) -> dict:
    """A report as the official schema has it."""
    return {
        "msgKey": msg_key,
        "serviceType": service_type,
        "msgType": {"ALIMTALK": "AT", "SMS": "SM"}.get(service_type, ""),
        "sendTime": reported(-2),
        "reportTime": REPORTED_AT,
        "reportType": "0",
        "reportCode": code,
        "reportText": "",
        "mark": BODY_MARK,
        **more,
    }


def bizgo_english_seed(msg_key: str, code: str = "64008", text: str = "No account usage permission") -> dict:
    """The three getters of the English seed's BizgoReportDto."""
    return {"msgKey": msg_key, "reportCode": code, "resultMsg": text}


def bizgo_korean_seed(msg_key: str, code: str = "64008", text: str = "계정 사용 권한 없음") -> dict:
    """What the Korean seed's BizgoWebhookRequest is asked for."""
    return {"msgKey": msg_key, "reportCode": code, "resultMsg": text}


# --- Blux


def blux_event(notification_id: str, delivered: bool = True, **payload) -> dict:
    """The seed's own event."""
    status = "received" if delivered else "receive_failed"
    return {
        "event_type": f"notification:sms:{status}",
        "payload": {
            "application_id": "65f1a2b3c4d5e6f7a8b9c0d1",
            "blux_user_id": "65f1a2b3c4d5e6f7a8b9c0d2",
            "user_id": "user_123",
            "notification_id": notification_id,
            "phone_number": PHONE,
            "status": status,
            "received_at": "2026-05-11T10:23:45.123Z",
            **payload,
        },
    }


def blux(*events: dict) -> dict:
    return {"events": list(events)}


# --- our application


def ago(seconds: float) -> str:
    """A time as a registration says it. One that is older than the provider's expires_after_s would not be taken over."""
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def accepted(provider: str, notification_id: str, **more) -> dict:
    return {"provider": provider, "notification_id": notification_id, **more}


def sent(provider: str, response: dict, **more) -> dict:
    return {"provider": provider, "response": response, **more}
