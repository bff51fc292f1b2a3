"""The listening half: mutual TLS only, certificates re-read when they change, the gate before every handler."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import grpc

from cleanroom.transport.counters import Counters
from cleanroom.transport.interceptor import Gate, Interceptor
from cleanroom.transport.options import require_compiled_protobuf, server_options
from cleanroom.transport.quotas import workers


def make_server(gate: Gate) -> grpc.Server:
    """A server without ports or services yet; raises StateError when protobuf is not the compiled one."""
    require_compiled_protobuf()
    threads = workers(len(gate.contract.cards), len(gate.contract.auditors))
    return grpc.server(
        ThreadPoolExecutor(max_workers=threads, thread_name_prefix="call"),
        interceptors=(Interceptor(gate),),
        options=server_options(),
        maximum_concurrent_rpcs=threads,
    )


def server_credentials(
    read_pair: Callable[[], tuple[bytes, bytes]], authority_pem: bytes, counters: Counters
) -> grpc.ServerCredentials:
    """Credentials that ask `read_pair` for (key PEM, certificate PEM) at every handshake and count the handshakes.

    A client without a certificate of this authority is refused by the TLS library before any call exists. A pair that
    cannot be read leaves the last good one in use.
    """
    last = read_pair()

    def fetch() -> grpc.ServerCertificateConfiguration | None:
        nonlocal last
        counters.add("handshakes_started_total")
        pair = read_pair()
        if pair == last:
            return None
        last = pair
        return grpc.ssl_server_certificate_configuration([pair], root_certificates=authority_pem)

    first = grpc.ssl_server_certificate_configuration([last], root_certificates=authority_pem)
    return grpc.dynamic_ssl_server_credentials(first, fetch, require_client_authentication=True)
