"""A network between clients and a desk that can be cut: each connection goes on from its client's own address, since that is who a device is."""
import asyncio
import contextlib
import socket


async def narrow_socket(address, port):
    """From this address; it holds little, so that who reads slowly is felt at the other end."""
    s = socket.socket()
    s.setblocking(False)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
    try:
        s.bind((address, 0))
        await asyncio.get_running_loop().sock_connect(s, ("127.0.0.1", port))
    except BaseException:
        s.close()
        raise
    return s


class Wire:
    def __init__(self, client, server):
        self.ends, self.dead = (client, server), False

    def cut(self):
        for end in self.ends:
            end.transport.abort()

    def fall_silent(self):
        """Half-open: both ends believe that it stands, and nothing arrives any more."""
        self.dead = True


class CuttingProxy:
    def __init__(self, port):
        self.to, self.wires = port, set()

    async def start(self):
        self.server = await asyncio.start_server(self.join, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    def close(self):
        self.server.close()
        for wire in list(self.wires):
            wire.cut()

    async def join(self, from_client, to_client):
        try:
            address = to_client.get_extra_info("peername")[0]
            from_server, to_server = await asyncio.open_connection(sock=await narrow_socket(address, self.to))
        except (OSError, TypeError):
            to_client.transport.abort()
            return
        wire = Wire(to_client, to_server)
        self.wires.add(wire)
        await asyncio.wait([asyncio.ensure_future(self.pump(wire, from_client, to_server)),
                            asyncio.ensure_future(self.pump(wire, from_server, to_client))], return_when=asyncio.FIRST_COMPLETED)
        wire.cut()
        self.wires.discard(wire)

    async def pump(self, wire, source, sink):
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                if not wire.dead:
                    sink.write(data)
                    await sink.drain()
