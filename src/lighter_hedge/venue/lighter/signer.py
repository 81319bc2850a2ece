"""Signs with the official SDK's native library, with explicit nonces and nothing else of the SDK.

The SDK's nonce manager loses a nonce with every exception, so it is never asked. A signature takes about 3 ms in
native code that releases the interpreter; one thread does it, so that the event loop goes on.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import msgspec
from pydantic import SecretStr

from lighter_hedge.domain.events import Candidate, Request
from lighter_hedge.domain.units import MarketSpec
from lighter_hedge.venue.errors import KeyRefused, ReadFailed, VenueError
from lighter_hedge.venue.lighter import encode, models
from lighter_hedge.venue.lighter.rest import ReadRefused, Rest
from lighter_hedge.venue.lighter.sdk import load

KEY_HEX_DIGITS = 80
TOKEN_SECONDS = 8 * 3600 - 300
"""The venue takes tokens up to 8 hours ahead; five minutes are left for a clock that is wrong."""
TOKEN_RENEWED_AFTER_SECONDS = 6 * 3600
CHECK_TIMEOUT_SECONDS = 10.0

Signed = tuple[int, str, str, str | None]
"""Transaction type, signed JSON, hash, error: as the SDK returns them."""


class _Stamps(msgspec.Struct):
    """What is read back from the signed JSON."""

    ExpiredAt: int


def wall_ms() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


class Signer:
    """Signs for one API key of one account. Make it with ``Signer.open``, within a running event loop."""

    def __init__(self, client: Any, executor: ThreadPoolExecutor, account_index: int, api_key_index: int) -> None:
        self._client = client
        self._executor = executor
        self._account = account_index
        self._key_index = api_key_index
        self._token = ""
        self._token_until = 0.0

    @classmethod
    async def open(
        cls,
        *,
        base_url: str,
        account_index: int,
        api_key_index: int,
        private_key: SecretStr,
        chain_id: int | None = None,
    ) -> "Signer":
        """Load the native library and register the key with it. Nothing is sent.

        Raises:
            KeyRefused: the key is malformed.
        """
        where = _where(account_index, api_key_index)
        secret = _checked_key(private_key, where)
        executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="signer")
        loop = asyncio.get_running_loop()
        sdk = await loop.run_in_executor(executor, load, "lighter.signer_client")
        refusals: list[str] = []
        client = sdk.SignerClient.__new__(sdk.SignerClient)
        # The constructor would raise with its HTTP session left open; here a refusal is kept instead.
        client.create_client = partial(_register, sdk, client, refusals)
        client.__init__(base_url.rstrip("/"), account_index, {api_key_index: secret}, chain_id=chain_id)
        signer = cls(client, executor, account_index, api_key_index)
        if refusals:
            await signer.close()
            raise KeyRefused(f"the signer refuses {where}: {_without(refusals[0], secret)}")
        return signer

    async def sign(
        self, request: Request, nonce: int, market: MarketSpec, now_ms: Callable[[], int] = wall_ms
    ) -> Candidate:
        """Sign a request under a nonce.

        Raises:
            VenueError: the signer refuses; nothing is sent.
        """
        assert nonce >= 0, "a negative nonce would make the signer ask the venue"
        call = partial(self._sign, encode.encode(request, market), nonce)
        signed_ms = now_ms()
        tx_type, payload, tx_hash, error = await self._run(call)
        if error is not None:
            raise VenueError(f"the signer refuses {request!r}: {error}")
        return Candidate(
            nonce=nonce,
            request=request,
            tx_hash=tx_hash,
            tx_type=tx_type,
            payload=payload,
            signed_ms=signed_ms,
            expires_ms=msgspec.json.decode(payload, type=_Stamps).ExpiredAt,
        )

    async def auth_token(self, fresh: bool = False) -> str:
        """A token for private reads and channels, renewed at six of its eight hours.

        Raises:
            VenueError: the signer refuses.
        """
        now = time.monotonic()
        if fresh or now >= self._token_until:
            make = partial(self._client.create_auth_token_with_expiry, TOKEN_SECONDS, api_key_index=self._key_index)
            token, error = await self._run(make)
            if error is not None:
                raise VenueError(f"the signer refuses a token for {self.where}: {error}")
            self._token, self._token_until = token, now + TOKEN_RENEWED_AFTER_SECONDS
        return self._token

    async def check_key(self, rest: Rest) -> None:
        """Compare our public key with the one that the venue holds.

        Raises:
            KeyRefused: another key, or none at this index.
            ReadFailed: the venue could not be asked.
        """
        try:
            keys = await rest.api_keys(self._account)
        except ReadRefused as error:
            if error.code in models.CODES_UNKNOWN_KEY:
                raise KeyRefused(f"the venue holds no {self.where}: {error}") from None
            raise
        held = sorted(key.api_key_index for key in keys)
        if self._key_index not in held:
            listed = ", ".join(map(str, held)) or "none"
            raise KeyRefused(f"the venue holds no {self.where}; key indexes it holds: {listed}. Register the key first")
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_SECONDS):
                # Blocks in native code with an HTTP client of its own, up to 30 s: never on the event loop.
                refusal = await asyncio.to_thread(self._client.check_client)
        except TimeoutError:
            raise ReadFailed(f"apikeys: the signer heard nothing in {CHECK_TIMEOUT_SECONDS:.0f} s") from None
        if refusal is None:
            return
        if "does not match" not in refusal:
            raise ReadFailed(f"apikeys: the signer could not compare {self.where}: {refusal[:200]}")
        raise KeyRefused(f"the private key is not that of {self.where}: the venue holds another public key there")

    @property
    def where(self) -> str:
        """Which key this is, in words."""
        return _where(self._account, self._key_index)

    async def close(self) -> None:
        """Release the SDK's sockets and the thread."""
        await self._client.close()
        self._executor.shutdown(wait=False)

    async def _run(self, call: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)

    def _sign(self, encoded: encode.Encoded, nonce: int) -> Signed:
        """Runs on the signing thread."""
        arguments = {name: getattr(encoded, name) for name in encoded.__slots__}
        signed: Signed = self._method(encoded)(**arguments, nonce=nonce, api_key_index=self._key_index)
        return signed

    def _method(self, encoded: encode.Encoded) -> Callable[..., Any]:
        match encoded:
            case encode.CreateOrder():
                return self._client.sign_create_order  # type: ignore[no-any-return]
            case encode.CancelOrder():
                return self._client.sign_cancel_order  # type: ignore[no-any-return]
            case encode.CancelAll():
                return self._client.sign_cancel_all_orders  # type: ignore[no-any-return]


def _register(sdk: Any, client: Any, refusals: list[str], api_key_index: int) -> None:
    refusal = sdk.decode_and_free(
        client.signer.CreateClient(
            client.url.encode(),
            client.api_key_dict[api_key_index].encode(),
            client.chain_id,
            api_key_index,
            client.account_index,
        )
    )
    if refusal is not None:
        refusals.append(refusal)


def _checked_key(private_key: SecretStr, where: str) -> str:
    digits = private_key.get_secret_value().strip().removeprefix("0x")
    if len(digits) != KEY_HEX_DIGITS or not all(digit in "0123456789abcdefABCDEF" for digit in digits):
        raise KeyRefused(
            f"the private key of {where} is malformed: it must be {KEY_HEX_DIGITS} hex digits, "
            f"with or without 0x, and has {len(digits)} characters"
        )
    return digits


def _where(account_index: int, api_key_index: int) -> str:
    return f"API key {api_key_index} of account {account_index}"


def _without(text: str, secret: str) -> str:
    return text.replace(secret, "…")
