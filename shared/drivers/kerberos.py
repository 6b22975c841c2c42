"""Who we are under Kerberos, as SPNEGO (RFC 4559) says it in a header; the extra `kerberos` brings the library.

The ticket is that of this process's user, from `kinit` or a keytab that KRB5_CLIENT_KTNAME names.
"""

from __future__ import annotations

from base64 import b64encode

from shared.errors import CredentialsRefused, ExtraMissing

SPNEGO = "1.3.6.1.5.5.2"


def negotiate(host: str) -> str:
    """The value of `Authorization` for a server; raises ExtraMissing without the library, CredentialsRefused without a ticket."""
    try:
        import gssapi
    except ImportError as error:
        raise ExtraMissing(f"Kerberos needs the library of Python for GSSAPI: install queuecast[kerberos] ({error})") from None
    try:
        name = gssapi.Name(f"HTTP@{host}", gssapi.NameType.hostbased_service)
        context = gssapi.SecurityContext(name=name, mech=gssapi.OID.from_int_seq(SPNEGO), usage="initiate")
        return f"Negotiate {b64encode(context.step()).decode()}"
    except gssapi.exceptions.GSSError as error:
        raise CredentialsRefused(f"no Kerberos ticket for HTTP@{host}: {error}") from error
