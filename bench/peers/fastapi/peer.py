# SPDX-License-Identifier: MIT
"""A webhook receiver in Python: FastAPI and confluent-kafka, answering when Kafka has acknowledged the record."""

import asyncio
import os
import threading
from contextlib import asynccontextmanager

import uvicorn
from confluent_kafka import KafkaException, Producer
from fastapi import FastAPI, HTTPException, Request

DEADLINE = 5.0  # seconds, the provider's
TOPIC = os.environ["TOPIC"]

producer = Producer({"bootstrap.servers": os.environ["KAFKA_BOOTSTRAP"], "acks": "all"})


def poll_reports(stop: threading.Event) -> None:
    while not stop.is_set():
        producer.poll(0.1)


@asynccontextmanager
async def lifespan(_: FastAPI):
    stop = threading.Event()
    poller = threading.Thread(target=poll_reports, args=(stop,))
    poller.start()
    yield
    stop.set()
    poller.join()
    producer.flush(1)


app = FastAPI(lifespan=lifespan)


async def send(key: str, value: bytes) -> None:
    """Returns when Kafka has acknowledged the record."""
    loop = asyncio.get_running_loop()
    acknowledged = loop.create_future()

    def settle(error) -> None:
        if acknowledged.done():
            return
        if error:
            acknowledged.set_exception(KafkaException(error))
        else:
            acknowledged.set_result(None)

    producer.produce(TOPIC, value=value, key=key, on_delivery=lambda error, _: loop.call_soon_threadsafe(settle, error))
    await asyncio.wait_for(acknowledged, DEADLINE)


@app.post("/webhook/bizgo")
async def receive(request: Request) -> dict[str, str]:
    report = await request.json()
    if "msgKey" not in report:
        raise HTTPException(400)
    try:
        await send(report["msgKey"], await request.body())
    except (KafkaException, BufferError, asyncio.TimeoutError) as error:
        raise HTTPException(503) from error
    return {"msgKey": report["msgKey"]}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning")
