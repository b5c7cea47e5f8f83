"""When two addresses are one mailbox."""


def same_mailbox(address: str) -> str:
    """The address as it is compared: small letters, and without what follows a plus in its local part."""
    local, at, domain = address.strip().lower().rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"
