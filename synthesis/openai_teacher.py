"""A teacher behind any endpoint that speaks OpenAI's chat completions."""

from __future__ import annotations

import asyncio
import os
import re
from io import FileIO
from pathlib import Path
from typing import Any, Literal

import httpx2
import msgspec
from openai import AsyncOpenAI, DefaultAioHttpClient, OpenAIError

from ..errors import UsageError
from .pictures import data_url, is_sent_as_it_is
from .request import Picture, Request
from .teacher import Denied, Overloaded, Reply, Status, Unreachable

_MAX_SAID = 300
_MAX_TEXT = 200_000
"""Characters of an answer that are kept; no question is as long."""
_SECRET = 12
"""Characters from which a key is one: what servers of one's own are given, `none` or `x`, is found
in any answer."""
_DENIED = (401, 402, 403, 404)
_LATER = (408, 409)
_NO_CREDIT = ("insufficient_quota", "billing_hard_limit_reached")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, None: 1.0}


class _Usage(msgspec.Struct):
    prompt_tokens: Any = None
    completion_tokens: Any = None
    prompt_tokens_details: Any = None


class _Message(msgspec.Struct):
    content: Any = None
    """A text, or a list of parts with texts."""
    refusal: str | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None


class Completion(msgspec.Struct):
    """The part of a chat completion that is needed."""

    choices: list[_Choice] = []
    usage: Any = None


class OpenAITeacher:
    """Asks the chat completions of `base_url` (default: $OPENAI_BASE_URL, or OpenAI's own).

    The key is read from the environment variable `key_variable`; servers of one's own often need
    none. `structured`: whether the form of the answer is handed to the server as a JSON schema;
    `auto` does so until the server says that it does not know this.

    Requests go through the HTTP client of the `openai` package with its headers, and not through
    its typed methods: these take longer than all the rest (see tests/benchmarks/ask_teacher.py).
    """

    def __init__(
        self,
        pool: Path,
        *,
        base_url: str | None = None,
        key_variable: str = "OPENAI_API_KEY",
        timeout: float = 600.0,
        connections: int = 256,
        structured: Literal["auto", "on", "off"] = "auto",
    ) -> None:
        base_url = base_url or os.environ.get("OPENAI_BASE_URL")
        key = os.environ.get(key_variable)
        if not key and base_url is None:
            raise UsageError(
                f"No key: set {key_variable}, or name a server of your own with --base-url."
            )
        if key and not (key.isascii() and key.isprintable()):
            raise UsageError(f"{key_variable} is no key: it has characters that none has.")
        self._pool = pool
        self._blob: FileIO | None = None
        self._key = key
        limits = httpx2.Limits(max_connections=connections)
        self._http = DefaultAioHttpClient(timeout=timeout, limits=limits)
        try:
            self.client = AsyncOpenAI(
                api_key=key or "none",
                base_url=base_url,
                http_client=self._http,
                max_retries=0,  # the window retries, and knows about all other requests
                timeout=timeout,
            )
        except (OpenAIError, httpx2.InvalidURL) as error:
            raise UsageError(f"The server cannot be addressed: {error}") from None
        self._url = self.client.base_url.join("chat/completions")
        if self._url.scheme not in ("http", "https") or not self._url.host:
            raise UsageError("--base-url must begin with http:// or https:// and name a server.")
        self._headers = httpx2.Headers(
            {
                "Accept": "application/json",
                "Content-Type": "application/json",
                "User-Agent": self.client.user_agent,
                "Authorization": f"Bearer {key or 'none'}",
            }
        )
        self._extensions = {"timeout": httpx2.Timeout(timeout, connect=30.0).as_dict()}
        self._structured = structured != "off"
        self._forced = structured == "on"
        # what OpenAI's newer models insist on, servers of one's own may not know
        openai = self._url.host == "api.openai.com"
        self._limit_name = "max_completion_tokens" if openai else "max_tokens"

    async def ask(self, request: Request) -> Reply:
        """The reply to one request; raises `Overloaded`, `Unreachable` or `Denied`."""
        while True:
            used = self._structured, self._limit_name
            content = await self.encoded(request)
            try:
                response = await self._http.send(
                    httpx2.Request(
                        "POST",
                        self._url,
                        headers=self._headers,
                        content=content,
                        extensions=self._extensions,
                    )
                )
            except (httpx2.ReadTimeout, httpx2.WriteTimeout, TimeoutError):
                raise Unreachable("no answer in time") from None
            except (httpx2.TransportError, OSError) as error:
                raise Unreachable(f"no connection ({self.redacted(str(error))})") from None
            if response.status_code == 200:
                return self._read(response)
            said, code, parameter = _error(response)
            if response.status_code in (400, 422) and self._adapted(used, said, parameter):
                continue
            return self._failed(response, self.redacted(said), code)

    async def close(self) -> None:
        """Let go of connections and files."""
        if self._blob is not None:
            self._blob.close()
        await self.client.close()

    async def encoded(self, request: Request) -> bytes:
        """The request's body; images that must be scaled are decoded in a thread."""
        picture, side = request.picture, request.teacher.max_side
        if picture is None:
            return msgspec.json.encode(self.body(request, None))
        data = self._read_image(picture)
        if is_sent_as_it_is(picture, side):
            url = data_url(data, picture, side)
        else:
            url = await asyncio.to_thread(data_url, data, picture, side)
        return msgspec.json.encode(self.body(request, url))

    def _read_image(self, picture: Picture) -> bytes:
        if self._blob is None:
            self._blob = (self._pool / "images.bin").open("rb", buffering=0)
        self._blob.seek(picture.offset)
        return self._blob.read(picture.size)

    def body(self, request: Request, url: str | None) -> dict[str, Any]:
        """The body of a chat completion, with the image as the URL given, if there is one."""
        teacher = request.teacher
        first, *later = request.texts()
        content: Any = first
        if url is not None:
            image = {"type": "image_url", "image_url": {"url": url, "detail": teacher.detail}}
            content = [image, {"type": "text", "text": first}]
        messages: list[dict[str, Any]] = [{"role": "user", "content": content}]
        for turn, text in enumerate(later):
            messages.append({"role": "user" if turn % 2 else "assistant", "content": text})
        body = {
            "model": teacher.model,
            "messages": messages,
            "seed": request.seed,
            self._limit_name: teacher.max_tokens,
        }
        if teacher.temperature is not None:
            body["temperature"] = teacher.temperature
        if self._structured and request.prompt.form is not None:
            form = {"name": request.prompt.form.__name__, "strict": True}
            schema = {**form, "schema": request.prompt.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return {**body, **teacher.extra}

    def _adapted(self, used: tuple[bool, str], said: str, parameter: str | None) -> bool:
        """Whether a refused body can be put in another way that says the same."""
        if used != (self._structured, self._limit_name):
            return True  # another request found out in the meantime
        about = f"{parameter or ''} {said}".lower()
        if self._limit_name == "max_tokens" and "max_completion_tokens" in about:
            self._limit_name = "max_completion_tokens"
            return True
        if (
            self._structured
            and not self._forced
            and ("response_format" in about or "json_schema" in about)
        ):
            self._structured = False
            return True
        return False

    def _read(self, response: httpx2.Response) -> Reply:
        try:
            completion = msgspec.json.decode(response.content, type=Completion)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise Unreachable("the answer is not a chat completion") from None
        reply = read_completion(completion)
        wait = _limits_wait(response.headers)
        return msgspec.structs.replace(reply, text=self.redacted(reply.text), wait=wait)

    def _failed(self, response: httpx2.Response, said: str, code: str | None) -> Reply:
        """The reply to a request that the server does not take; raises for all else."""
        status = response.status_code
        wait = _retry_after(response.headers)
        if status == 429:
            if code in _NO_CREDIT:
                raise Denied(f"there is no credit left ({said})")
            raise Overloaded(said, wait or _limits_wait(response.headers) or None)
        if status in _DENIED:
            raise Denied(f"{status}: {said}")
        if status >= 500 or status in _LATER:
            raise (Overloaded if status in (503, 529) else Unreachable)(f"{status}: {said}", wait)
        filtered = code in ("content_filter", "content_policy_violation")
        return Reply(said, Status.FILTERED if filtered else Status.NOT_ACCEPTED)

    def redacted(self, text: str) -> str:
        """`text` without the key, which servers have been seen to quote."""
        secret = self._key is not None and len(self._key) >= _SECRET
        return text.replace(self._key or "", "[key]") if secret else text


def read_completion(completion: Completion) -> Reply:
    """What a chat completion says, and how it ended."""
    tokens = _tokens(completion.usage)
    if not completion.choices:
        return Reply("", Status.INVALID, **tokens)
    choice = completion.choices[0]
    text = _text(choice.message.content)
    if choice.message.refusal:
        return Reply(choice.message.refusal, Status.REFUSED, **tokens)
    if choice.finish_reason == "content_filter":
        return Reply(text, Status.FILTERED, **tokens)
    if choice.finish_reason == "length":
        return Reply(text, Status.TRUNCATED, **tokens)
    return Reply(text, **tokens)


def _tokens(said: Any) -> dict[str, Any]:
    """What a completion took; 0 where the server tells nothing that makes sense."""
    try:
        usage = msgspec.convert(said, _Usage) if said else _Usage()
    except msgspec.ValidationError:
        usage = _Usage()
    details = usage.prompt_tokens_details
    cached = details.get("cached_tokens") if isinstance(details, dict) else 0
    counts = (usage.prompt_tokens, cached, usage.completion_tokens)
    whole = [n if isinstance(n, int) and 0 <= n < 2**40 else 0 for n in counts]
    return {
        "input_tokens": whole[0],
        "cached_tokens": min(whole[1], whole[0]),
        "output_tokens": whole[2],
    }


def _text(content: Any) -> str:
    if isinstance(content, list):
        texts = (part.get("text") for part in content if isinstance(part, dict))
        content = "".join(text for text in texts if isinstance(text, str))
    return content[:_MAX_TEXT] if isinstance(content, str) else ""


class _Error(msgspec.Struct):
    message: str | None = None
    code: str | int | None = None
    type: str | None = None
    param: str | None = None


class _ErrorBody(msgspec.Struct):
    error: _Error | str | None = None
    detail: Any = None
    message: str | None = None


def _error(response: httpx2.Response) -> tuple[str, str | None, str | None]:
    """What an error response says: message, code and parameter, in any of the usual shapes."""
    try:
        body = msgspec.json.decode(response.content, type=_ErrorBody, strict=False)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        body = _ErrorBody(message=response.content[:_MAX_SAID].decode("utf-8", "replace"))
    error = body.error if isinstance(body.error, _Error) else _Error(body.error)
    said = error.message or body.message or (str(body.detail) if body.detail else "no reason given")
    said = " ".join("".join(c if c.isprintable() else " " for c in said).split())[:_MAX_SAID]
    code = str(error.code or error.type) if error.code or error.type else None
    return said, code, error.param


def _retry_after(headers: httpx2.Headers) -> float | None:
    """Seconds that the server asks to wait; of a date nothing is known but that it is later."""
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        return max(0.0, float(headers["retry-after"]))
    except (KeyError, ValueError):
        return None


def _limits_wait(headers: httpx2.Headers) -> float:
    """Seconds until the server's limits on requests and tokens let the next one through."""
    waits = [0.0]
    for what in ("requests", "tokens"):
        if headers.get(f"x-ratelimit-remaining-{what}") == "0":
            parts = _DURATION.findall(headers.get(f"x-ratelimit-reset-{what}", ""))
            waits.append(sum(float(n) * _SECONDS[unit or None] for n, unit in parts))
    return max(waits)
