"""One POST to a receiver, signed as Standard Webhooks 1.0 has it (webhook-id, webhook-timestamp, webhook-signature)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime

import urllib3

from shared.domain.codec import Document

CONNECT_SECONDS, READ_SECONDS = 2.0, 5.0
MAX_TOLD = 200  # characters of what went wrong


def post(url: str, secret: str, notice_id: str, document: Document, now: datetime) -> str:
    """Send the document; "" = it was taken, else what went wrong, without the address. A redirect is not followed.

    Args:
        secret: key of the signature, an HMAC-SHA256 of `id.timestamp.body`.
        notice_id: the same for every try, by which a receiver knows what it has.
    """
    body, timestamp = json.dumps(document, sort_keys=True), str(int(now.timestamp()))
    signed = hmac.new(secret.encode(), f"{notice_id}.{timestamp}.{body}".encode(), hashlib.sha256).digest()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "queuecast",
        "webhook-id": notice_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }
    limits = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
    try:
        answer = urllib3.request("POST", url, body=body, headers=headers, timeout=limits, retries=False, preload_content=False)
    except urllib3.exceptions.HTTPError as error:
        return type(error).__name__
    answer.release_conn()
    return "" if 200 <= answer.status < 300 else f"it answered with status {answer.status}"[:MAX_TOLD]
