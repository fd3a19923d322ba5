"""patient_origin.py PORT: a server that waits for each request's body, however many come at once; /large is large.

A process of its own: what it does costs the client that measures beside it no time of a shared interpreter.
"""
import asyncio
import contextlib
import sys

SMALL, LARGE, PIECE = b"x" * 100, 1_000_000, b"y" * 20_000


async def serve(reader, writer):
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            if b"content-length:" in head:
                await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
            await answer(writer, head.split()[1] == b"/large")
    writer.close()


async def answer(writer, is_large):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (LARGE if is_large else len(SMALL)))
    for piece in [PIECE] * (LARGE // len(PIECE)) if is_large else [SMALL]:
        writer.write(piece)
        await writer.drain()


async def main(port):
    server = await asyncio.start_server(serve, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
