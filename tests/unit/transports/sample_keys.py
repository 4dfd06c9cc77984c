"""Public keys for tests; their private halves were thrown away."""

from __future__ import annotations

import base64

from x11fwd.transports.known_hosts import HostKey


def _key(line: str) -> HostKey:
    kind, text = line.split()
    return HostKey(kind, base64.b64decode(text))


ED25519 = _key("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICFdX2/bIfVAahlfP4ePtHW7dmSzG0SXHShb8mAiZuDX")
ED25519_OTHER = _key("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILzzV3emaW9sWeSd5qUAK0Q7XRy+x5y7TBxIcrbO+MF6")
RSA = _key(
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQD34vBjfxvwXSTCyWyExUo2nj4dx5+yKNbIuZ6mkYYdsCxXoKXILp/GMwN4"
    "gubn0n9vmFuBKNihT9mc5DxMgHTzxZnTRepeAhFM7yc0CIvIXx/Mfn3GNYkQZld9oBBbOUEUDxwA3Oobm/y5hue9xotXlF+x"
    "n7MBegdmHK7UIns42D4MX8/1laY/Liv5sIn6cbtbdZsfkp222nwgPP0UpD3OJvj7Gqc1XXL2K+UJubmIKf9mK2IGH7vm2LMr"
    "mEAC7qPGD85eShLxFRD3e6lYViLqxVyCTUDLgk4J7YqEM1v10JZ5TiyjguKXHP1LM5MtI1eIxSfKVckIc0sI24lYSzUYvh8k"
    "9lVt5jUnHLzAZ4NWLDiQyzFSWjkYI57+wvNnt86dAbsOvyKES7S34wjNxE8yJVteIFfhtGWU4xSdBKeBNY0ozLVT9iAoMclh"
    "ZsftSpzr2LBVbySjsVjKkgbUILdRFaSDLA3skMpVwf+nQYZ3mepqmkwhTYnqwYudBhBffNE="
)
ECDSA = _key(
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBIOqY1Ohac1ehFtbBn+ilN2O"
    "0MTzKSb2fwLebE1RofQ/oJmWyJhcZb4FFNthocxXoTuKV5E1cYGTTHR/idhgbOg="
)
