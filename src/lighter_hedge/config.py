"""Settings of a desk: YAML, environment, secret files, credentials file and command line, validated once and frozen.

What wins, from the strongest: command line, credentials file, environment, secret files, YAML, defaults.
Everything that is wrong is reported at once, with file, line and remedy, and without showing any part of a secret.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit, urlunsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
)

from lighter_hedge.config_checks import PRIVATE_KEY, SECRET_KEYS, check_keys, check_keys_in_yaml, complete_venue
from lighter_hedge.config_operators import AlertSettings, PaperSettings, WebSettings
from lighter_hedge.config_source import (
    ACCOUNTS,
    Item,
    Known,
    Layer,
    Problem,
    item_of,
    merged,
    nested,
    read_credentials,
    read_environment,
    read_overrides,
    read_secret_files,
    read_yaml,
)
from lighter_hedge.domain.states import DeskId, Role

Seconds = Annotated[float, Field(gt=0), AfterValidator(lambda value: _finite(value))]
Bps = Annotated[Decimal, Field(ge=0, le=1000)]
Usd = Annotated[Decimal, Field(gt=0)]


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("must be a finite number")
    return value


def _address(value: str) -> str:
    try:
        well = urlsplit(value).port != 0
    except ValueError:
        well = False
    if not well:
        raise ValueError("is no address of a host and a port")
    return value


def _listed(value: object) -> object:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


class ConfigError(Exception):
    """The settings cannot be used; ``problems`` holds everything that is wrong with them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        assert problems
        self.problems = tuple(problems)
        count = len(self.problems)
        head = f"the configuration has {count} problem{'s' if count > 1 else ''}"
        super().__init__("\n  ".join([head, *map(str, self.problems)]))


class Section(BaseModel):
    """Base of all sections: frozen, nothing unknown, no value in an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class VenueSettings(Section):
    """Where the desk trades."""

    network: Literal["paper", "testnet", "mainnet", "custom"] = "paper"
    base_url: Annotated[str, AfterValidator(_address)] = Field(default="", pattern=r"^https?://[^/\s]+/?$")
    ws_url: Annotated[str, AfterValidator(_address)] = Field(default="", pattern=r"^wss?://\S+$")
    chain_id: int = Field(default=304, gt=0)
    """Signed into every transaction: a wrong one makes every order invalid."""


class AccountSettings(Section):
    """One account and the API key that signs for it. Nothing else may use that key."""

    account_name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*$")
    account_index: int = Field(ge=0)
    api_key_index: int = Field(ge=2, le=254)
    """0 and 1 belong to the venue's own front ends; 255 means all keys."""
    private_key_file: Path | None = None
    private_key: SecretStr = SecretStr("")
    """80 hexadecimal digits without a prefix; empty only where the caller did not ask for keys."""


class Accounts(Section):
    """The desk's two accounts."""

    account_a: AccountSettings
    account_b: AccountSettings


class RedisSettings(Section):
    """The Redis through which A and B talk."""

    url: Annotated[str, AfterValidator(_address)] = Field(
        default="redis://127.0.0.1:6379/0", pattern=r"^(rediss?|unix)://\S+$"
    )

    @property
    def shown(self) -> str:
        """The URL without its password."""
        return without_password(self.url)


class DeskSettings(Section):
    """What the desk trades."""

    market: str = Field(default="BTC", min_length=1)
    quantity: Decimal = Field(default=Decimal("0.0002"), gt=0, allow_inf_nan=False)
    """Size of a quote in the base currency."""
    depth: int = Field(default=1, ge=1, le=100)
    """Price level of A's quote: 1 is the best, our own orders not counted."""
    direction: Literal["long", "short", "alternate"] = "long"


class StrategySettings(Section):
    """How A quotes and B hedges. Times in seconds."""

    retry_times: int = Field(default=3, ge=1, le=100)
    hedge_confirm_timeout: Seconds = 60
    status_interval: Seconds = 10
    maker_order_timeout: Seconds = 30
    requote_bps: Bps = Decimal("0.5")
    requote_seconds_min: Seconds = 5
    slippage_bps_max: Bps = Decimal(20)
    slippage_ladder: Annotated[tuple[Annotated[Decimal, Field(ge=1)], ...], BeforeValidator(_listed)] = Field(
        default=(Decimal(1), Decimal(2), Decimal(4)), min_length=1, max_length=20
    )
    on_unhedged: Literal["pause", "flatten"] = "pause"
    force_close_timeout: Seconds = 30


class LimitSettings(Section):
    """Where the desk stops opening."""

    unhedged_seconds_max: Seconds = 90
    book_age_ms_max: int = Field(default=2000, gt=0)
    residual_usd_max: Usd = Decimal(50)
    daily_loss_usd_max: Usd = Decimal(100)
    orders_per_minute_max: int = Field(default=20, gt=0)
    orders_per_round_max: int = Field(default=50, gt=0)
    notional_per_hour_usd_max: Usd = Decimal(1_000_000)
    price_collar_bps_max: Annotated[Decimal, Field(gt=0, le=5000)] = Decimal(300)


class LogSettings(Section):
    """What is logged, and where."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    dir: Path = Path("logs")


class Settings(Section):
    """Everything that a process of the desk is told. Made by ``load`` alone."""

    venue: VenueSettings
    accounts: Accounts
    redis: RedisSettings = RedisSettings()
    desk: DeskSettings = DeskSettings()
    strategy: StrategySettings = StrategySettings()
    limits: LimitSettings = LimitSettings()
    reconcile_seconds: Seconds = 30
    arm_seconds_max: Seconds = 2
    heartbeat_seconds: Seconds = 1
    heartbeat_seconds_max: Seconds = 3
    self_trade: Literal["cancel_first", "venue_flags"] = "cancel_first"
    read_lag_seconds: Seconds = 10
    log: LogSettings = LogSettings()
    web: WebSettings = WebSettings()
    alerts: AlertSettings = AlertSettings()
    paper: PaperSettings = PaperSettings()

    _file: Path = PrivateAttr(default=Path("config.yaml"))
    _warnings: tuple[str, ...] = PrivateAttr(default=())
    _origins: Mapping[str, str] = PrivateAttr(default_factory=dict)

    @property
    def desk_id(self) -> DeskId:
        """The desk's name, from its accounts and its market."""
        pair = f"{self.accounts.account_a.account_name}_{self.accounts.account_b.account_name}"
        return DeskId(pair=pair, market=self.desk.market)

    def account(self, role: Role) -> AccountSettings:
        """The account of ``role``: A is the maker, B the hedger."""
        return self.accounts.account_a if role is Role.MAKER else self.accounts.account_b

    @property
    def file(self) -> Path:
        """The configuration file, absolute; it need not exist."""
        return self._file

    @property
    def root(self) -> Path:
        """The folder of the configuration file, beside which everything of the desk lies."""
        return self._file.parent

    @property
    def run_dir(self) -> Path:
        """Journals and locks."""
        return self.root / "run"

    @property
    def log_dir(self) -> Path:
        """Log files."""
        return self.root / self.log.dir

    def journal_file(self, role: Role) -> Path:
        """The journal of one side."""
        return self.run_dir / f"journal_{role.letter}.sqlite"

    def log_file(self, role: Role) -> Path:
        """The log of one side."""
        return self.log_dir / f"main_{role.letter}.log"

    def pid_file(self, name: str) -> Path:
        """The pid file of ``A``, ``B`` or ``supervisor``."""
        return self.root / f".pid_{name}"

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was accepted and should be changed: old keys, keys in YAML."""
        return self._warnings

    def shown(self) -> dict[str, tuple[str, str]]:
        """Every setting by dotted key: value with secrets masked, and where it came from."""
        values = dict(_leaves(self.model_dump(), ""))
        return {key: (_masked(key, value), self._origins.get(key, "default")) for key, value in values.items()}


def without_password(url: str) -> str:
    """``url`` with its password masked; nothing but its scheme where one may stand elsewhere in it."""
    parts = urlsplit(url)
    if _leaks(url):
        return f"{parts.scheme}://***"
    if not parts.password:
        return url
    return urlunsplit(parts._replace(netloc=f"{parts.username or ''}:***@{parts.netloc.rpartition('@')[2]}"))


def _leaks(url: str) -> bool:
    """Whether a password may stand where no reader of URLs looks for one: not percent-encoded, or in the query."""
    parts = urlsplit(url)
    return "@" in parts.path + parts.query + parts.fragment or "password" in parts.query.lower()


def load(
    path: Path | None,
    *,
    overrides: Mapping[str, object],
    credentials: Path | None,
    env: Mapping[str, str],
    keys: Collection[Role] = (Role.MAKER, Role.HEDGER),
) -> Settings:
    """Read all sources and validate them together.

    Args:
        path: YAML file; None for defaults alone (then the desk's folder is the current one).
        overrides: dotted key to value, from the command line; None means not given.
        credentials: a paper exchange's credentials file.
        env: environment variables.
        keys: whose private keys must be there. Reading commands need none.

    Raises:
        ConfigError: with every problem found.
    """
    problems: list[Problem] = []
    warnings: list[str] = []
    yaml = {} if path is None else read_yaml(path, KNOWN, problems, warnings)
    if problems and not yaml:
        raise ConfigError(problems)
    environment = read_environment(env, KNOWN, problems)
    flags = read_overrides(overrides, KNOWN)
    root = Path.cwd() if path is None else path.absolute().parent
    plain = merged([yaml, environment, flags])
    secrets = read_secret_files(env, _key_files(plain, root), problems)
    layers = [yaml, secrets, environment]
    if credentials is not None:
        wanted = {n: str(plain[k].value) for n in ACCOUNTS if (k := f"accounts.{n}.api_key_index") in plain}
        layers.append(read_credentials(credentials, wanted, problems))
    layer = merged([*layers, flags])
    check_keys_in_yaml(path, yaml, problems, warnings)
    complete_venue(layer, problems)
    check_keys(layer, keys, problems)
    settings = _validated(layer, problems, "defaults" if path is None else path.name)
    if problems or settings is None:
        raise ConfigError(problems)
    settings._file = (root / "config.yaml") if path is None else path.absolute()
    settings._warnings = tuple(warnings)
    settings._origins = {key: item.origin for key, item in layer.items()}
    return settings


def _key_files(layer: Layer, root: Path) -> dict[str, str]:
    named = {name: layer.get(f"accounts.{name}.private_key_file") for name in ACCOUNTS}
    return {name: str(root / str(item.value)) for name, item in named.items() if item is not None and item.value}


def _validated(layer: Layer, problems: list[Problem], source: str) -> Settings | None:
    try:
        settings = Settings.model_validate(nested(layer))
    except ValidationError as error:
        details = error.errors(include_url=False)
        problems.extend(_problem_of(each["loc"], each["type"], each["msg"], layer, source) for each in details)
        return None
    _check_together(settings, layer, problems)
    return settings


def _problem_of(location: Sequence[object], kind: str, text: str, layer: Layer, source: str) -> Problem:
    key = ".".join(str(part) for part in location)
    item = item_of(layer, location)
    if kind == "missing":
        place = item or Item(value=None, path=source)
        remedy = "write it; config/config.example.yaml shows every key"
        return Problem(path=place.path, line=place.line, message=f"{key} is missing", remedy=remedy)
    assert item is not None, f"only a written value can be wrong: {key}"
    message = text[:1].lower() + text[1:]
    hidden = (
        key in SECRET_KEYS
        or key.startswith(("redis.", "alerts.heartbeat_url"))
        or PRIVATE_KEY.search(str(item.value)) is not None
    )
    got = "" if hidden else f" (got {item.value})"
    remedy = "see config/config.example.yaml" if kind == "string_pattern_mismatch" else f"correct {key}"
    return Problem(path=item.path, line=item.line, message=f"{key}: {message}{got}", remedy=remedy)


def _check_together(settings: Settings, layer: Layer, problems: list[Problem]) -> None:
    """What no single value shows."""
    strategy, limits = settings.strategy, settings.limits
    if limits.unhedged_seconds_max <= strategy.hedge_confirm_timeout:
        _add(
            problems,
            layer,
            "limits.unhedged_seconds_max",
            f"limits.unhedged_seconds_max ({limits.unhedged_seconds_max:g}) must exceed "
            f"strategy.hedge_confirm_timeout ({strategy.hedge_confirm_timeout:g})",
            "raise the first or lower the second",
        )
    a, b = settings.accounts.account_a, settings.accounts.account_b
    if a.account_index == b.account_index:
        _add(
            problems,
            layer,
            "accounts.account_b.account_index",
            f"account_a and account_b are the same account ({a.account_index})",
            "a desk needs two accounts: B must hedge what A fills",
        )
    if a.account_name == b.account_name:
        _add(
            problems,
            layer,
            "accounts.account_b.account_name",
            f"account_a and account_b have the same name ({a.account_name})",
            "give them different names: the desk is called after them",
        )
    if settings.heartbeat_seconds_max <= settings.heartbeat_seconds:
        _add(
            problems,
            layer,
            "heartbeat_seconds_max",
            "heartbeat_seconds_max must exceed heartbeat_seconds",
            "allow at least two heartbeats",
        )
    if _leaks(settings.redis.url):
        _add(
            problems,
            layer,
            "redis.url",
            "redis.url holds a password that is not percent-encoded, or in the query",
            "write it like redis://:p%40ss@host:6379/0",
        )
    if settings.paper.managed and settings.venue.network != "paper":
        _add(
            problems,
            layer,
            "paper.managed",
            f"paper.managed is set, but venue.network is {settings.venue.network}",
            "remove one of them",
        )
    ladder = strategy.slippage_ladder
    reach = strategy.slippage_bps_max * max(ladder)
    if limits.price_collar_bps_max < reach:
        _add(
            problems,
            layer,
            "limits.price_collar_bps_max",
            f"limits.price_collar_bps_max ({limits.price_collar_bps_max}) is less than a hedge may slip ({reach})",
            "raise it, or lower strategy.slippage_bps_max or the last step of strategy.slippage_ladder",
        )
    if list(ladder) != sorted(ladder):
        _add(
            problems, layer, "strategy.slippage_ladder", "strategy.slippage_ladder must rise", "write it like [1, 2, 4]"
        )


def _add(problems: list[Problem], layer: Layer, key: str, message: str, remedy: str) -> None:
    item = layer.get(key) or Item(value=None, path="default")
    problems.append(Problem(path=item.path, line=item.line, message=message, remedy=remedy))


def _leaves(values: Mapping[str, Any], prefix: str) -> list[tuple[str, Any]]:
    result: list[tuple[str, Any]] = []
    for name, value in values.items():
        key = f"{prefix}.{name}" if prefix else name
        result += _leaves(value, key) if isinstance(value, Mapping) else [(key, value)]
    return result


def _masked(key: str, value: Any) -> str:
    if isinstance(value, SecretStr):
        return "********" if value.get_secret_value() else ""
    if key == "redis.url":
        return without_password(value)
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def _known(model: type[BaseModel], prefix: str = "") -> tuple[set[str], set[str]]:
    leaves: set[str] = set()
    sections: set[str] = set()
    for name, field in model.model_fields.items():
        key = f"{prefix}{name}"
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            below, inner = _known(kind, f"{key}.")
            leaves |= below
            sections |= inner | {key}
        else:
            leaves.add(key)
    return leaves, sections


def _all_known() -> Known:
    leaves, sections = _known(Settings)
    return Known(leaves=frozenset(leaves), sections=frozenset(sections))


KNOWN = _all_known()
"""Every key of the present layout."""
