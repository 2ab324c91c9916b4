"""Signatures of tokens: PyJWT, with public keys by a library that is here anyway instead of the one that it wants."""

from typing import Any, Final

from jwt import PyJWS, PyJWTError
from jwt.algorithms import Algorithm, HMACAlgorithm

_HASHES: Final = {"HS256": HMACAlgorithm.SHA256, "HS384": HMACAlgorithm.SHA384, "HS512": HMACAlgorithm.SHA512}


class _SharedSecret(HMACAlgorithm):
    """A secret is as long as its workspace chose to make it; a warning at each request would not change that."""

    def check_key_length(self, key: bytes) -> str | None:
        return None


class _PublicKey(Algorithm):
    """Verifies only: whoever holds the private key signs elsewhere. A key is the text of a PEM."""

    def sign(self, msg: bytes, key: Any) -> bytes:
        raise NotImplementedError

    @staticmethod
    def to_jwk(key_obj: Any, as_dict: bool = False) -> Any:
        raise NotImplementedError

    @staticmethod
    def from_jwk(jwk: Any) -> Any:
        raise NotImplementedError

    def check_key_length(self, key: Any) -> str | None:
        return None


# Each imports its part when the first such token comes: most servers see none.


class _Rs256(_PublicKey):
    def prepare_key(self, key: Any) -> Any:
        from Cryptodome.PublicKey import RSA  # noqa: PLC0415

        return RSA.import_key(key)

    def verify(self, msg: bytes, key: Any, sig: bytes) -> bool:
        from Cryptodome.Hash import SHA256  # noqa: PLC0415
        from Cryptodome.Signature import pkcs1_15  # noqa: PLC0415

        return _holds(pkcs1_15.new(key).verify, SHA256.new(msg), sig)


class _Ps256(_Rs256):
    def verify(self, msg: bytes, key: Any, sig: bytes) -> bool:
        from Cryptodome.Hash import SHA256  # noqa: PLC0415
        from Cryptodome.Signature import pss  # noqa: PLC0415

        return _holds(pss.new(key).verify, SHA256.new(msg), sig)


class _Es256(_PublicKey):
    def prepare_key(self, key: Any) -> Any:
        from Cryptodome.PublicKey import ECC  # noqa: PLC0415

        found = ECC.import_key(key)
        if found.curve != "NIST P-256":
            raise ValueError("ES256 takes a key of the curve P-256.")
        return found

    def verify(self, msg: bytes, key: Any, sig: bytes) -> bool:
        from Cryptodome.Hash import SHA256  # noqa: PLC0415
        from Cryptodome.Signature import DSS  # noqa: PLC0415

        # The source of random numbers, which verifying does without, has no type.
        verifier = DSS.new(key, "fips-186-3")  # pyright: ignore[reportUnknownMemberType]
        return _holds(verifier.verify, SHA256.new(msg), sig)


def _holds(verify: Any, digest: Any, sig: bytes) -> bool:
    try:
        verify(digest, sig)
    except ValueError:
        return False
    return True


def holds(token: str, key: str, alg: str) -> bool:
    """Whether a JWT's signature is that of `key` by `alg`."""
    try:
        _JWS.decode_complete(token, key, algorithms=[alg])
    except PyJWTError:
        return False
    return True


def _jws() -> PyJWS:
    """Knows these algorithms and no other, `none` least of all."""
    jws = PyJWS(algorithms=[])
    for name, digest in _HASHES.items():
        jws.register_algorithm(name, _SharedSecret(digest))
    for name, algorithm in (("RS256", _Rs256()), ("PS256", _Ps256()), ("ES256", _Es256())):
        jws.register_algorithm(name, algorithm)
    return jws


_JWS: Final = _jws()
