"""Who a certificate says it is: exactly one URI, `cleanroom://<domain>/<role>/<name>`.

The form is that of a SPIFFE X509-SVID with our own scheme. The common name and every other part of a certificate's
subject say nothing about anybody and are never looked at.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from cleanroom.errors import AuthenticationError, CleanroomError, UsageError
from cleanroom.ids import party_name
from cleanroom.question.card import party_domain

Role = Literal["party", "coordinator", "auditor"]
ROLES: tuple[Role, ...] = get_args(Role)
MAX_URI_CHARACTERS = 400
_SCHEME = "cleanroom://"


@dataclass(frozen=True, slots=True)
class Peer:
    """A role and a plain name within the one trust domain of a room."""

    role: Role
    name: str

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise UsageError(f"a role is one of {', '.join(ROLES)}")
        party_name(self.name)

    def uri(self, domain: str) -> str:
        """The one URI of this peer's certificate."""
        return f"{_SCHEME}{party_domain(domain)}/{self.role}/{self.name}"


def peer_of_uri(uri: str, domain: str) -> Peer:
    """The peer that a URI names in `domain`; raises AuthenticationError on any other spelling or domain."""
    prefix = f"{_SCHEME}{domain}/"
    if len(uri) > MAX_URI_CHARACTERS or not uri.startswith(prefix):
        raise AuthenticationError("a certificate belongs to another trust domain")
    role, _, name = uri[len(prefix) :].partition("/")
    for known in ROLES:
        if role == known:
            try:
                return Peer(known, name)
            except CleanroomError as error:
                raise AuthenticationError("a certificate's name is not a plain name") from error
    raise AuthenticationError("a certificate names a role that does not exist")


def coordinator_host(domain: str) -> str:
    """The DNS name in the coordinator's certificate; clients ask for it whatever address they connect to."""
    return f"coordinator.{party_domain(domain)}"
