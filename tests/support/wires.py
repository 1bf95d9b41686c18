# SPDX-License-Identifier: MIT
"""A wire on loopback between our services and a server of theirs, which can be cut, at a given word too, or swallow everything."""

import asyncio
import re
import threading

CHUNK = 1 << 18
# What a client of ours sends when it asks for a thing to be made final; after it nobody knows, unless the answer comes.
# Kafka: api key, version, correlation id, client id.
WORDS = {
    "COMMIT": re.compile(rb"Q\x00\x00\x00\x0bCOMMIT\x00"),
    "Produce": re.compile(rb"\x00\x00\x00[\x03-\x0c].{4}\x00\x06dochak", re.DOTALL),
    "TxnOffsetCommit": re.compile(rb"\x00\x1c\x00[\x00-\x05].{4}\x00\x06dochak", re.DOTALL),
    "EndTxn": re.compile(rb"\x00\x1a\x00[\x00-\x05].{4}\x00\x06dochak", re.DOTALL),
}
TAIL = 32  # bytes, more than any of them: a word may come in two pieces


class Ambush:
    """Waits for a client to say the word."""

    def __init__(self, word: str):
        self.word = word
        self.has_struck = False  # it was said, and the connection has ended without the answer


class _Pair:
    """A connection and its other half."""

    def __init__(self, *writers: asyncio.StreamWriter):
        self.writers = writers
        self.ambush: Ambush | None = None  # met; the answer that comes next is the last

    def cut(self) -> None:
        for writer in self.writers:
            writer.transport.abort()


class Wire:
    """Runs on a thread of its own from start() to stop(). upstream may be set later than start()."""

    def __init__(self, port: int):
        self.port = port
        self.upstream = 0
        self.cut_at_word = 0  # connections
        self._pairs: set[_Pair] = set()
        self._ambushes: list[Ambush] = []  # that nobody has walked into
        self._loop = asyncio.new_event_loop()
        self._passes = asyncio.Event()
        self._passes.set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    # --- of any thread

    def start(self) -> "Wire":
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._serve, "127.0.0.1", self.port), self._loop).result(10)
        return self

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def cut(self) -> None:
        """All connections, now."""
        self._loop.call_soon_threadsafe(self._cut_all)

    def swallow(self) -> None:
        """Nothing gets through until pass_on(), and nobody is told."""
        self._loop.call_soon_threadsafe(self._passes.clear)

    def pass_on(self) -> None:
        self._loop.call_soon_threadsafe(self._passes.set)

    def cut_after(self, word: str) -> Ambush:
        """The next time a client says it, it gets there, and the connection is cut in place of the answer."""
        ambush = Ambush(word)
        self._loop.call_soon_threadsafe(self._ambushes.append, ambush)
        return ambush

    def reset(self) -> None:
        """Nothing that somebody may say is waited for any more."""
        self._loop.call_soon_threadsafe(self._ambushes.clear)
        self.cut_at_word = 0

    # --- of the loop

    async def _end(self) -> None:
        self._server.close()
        self._passes.set()
        self._cut_all()
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True)

    def _cut_all(self) -> None:
        for pair in self._pairs:
            pair.cut()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._passes.wait()
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        except OSError:
            writer.transport.abort()
            return
        pair = _Pair(writer, server_writer)
        self._pairs.add(pair)
        try:
            await asyncio.gather(self._forward(pair, reader, server_writer, True), self._forward(pair, server_reader, writer, False))
        except OSError:
            pass
        finally:
            pair.cut()
            self._pairs.discard(pair)
            if pair.ambush:
                pair.ambush.has_struck = True

    def _met(self, said: bytes) -> Ambush | None:
        for ambush in self._ambushes:
            if WORDS[ambush.word].search(said):
                self._ambushes.remove(ambush)
                return ambush
        return None

    async def _forward(self, pair: _Pair, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_client: bool) -> None:
        tail = b""
        while chunk := await reader.read(CHUNK):
            await self._passes.wait()
            if is_client:
                pair.ambush = pair.ambush or self._met(tail + chunk)
                tail = chunk[-TAIL:]
            elif pair.ambush:
                self.cut_at_word += 1
                raise ConnectionResetError
            writer.write(chunk)
            await writer.drain()
        raise ConnectionResetError  # no client and no server of ours goes on after half a close
