"""How an account is reached: region, profile, role; the credentials come from boto3's chain and stay there."""

from __future__ import annotations

import functools
import os
import re
import threading
from dataclasses import dataclass
from typing import Any

from watchband.core.duration import SECOND
from watchband.core.errors import ConfigError, MissingExtraError
from watchband.core.kinds import Duration, SecretText, Url
from watchband.core.params import Maybe, Text, param
from watchband.core.secret import Secret

_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/.+")
SESSION_NAME = "watchband"


@dataclass(frozen=True, kw_only=True)
class AwsAccess:
    """Parameters of everything that speaks to AWS. There is no key among them: boto3 finds credentials by itself."""

    region: str | None = param(None, Maybe(Text("a region, such as eu-west-1")), "Region; none: as boto3 finds it.")
    profile: str | None = param(None, Maybe(Text("the name of a profile")), "Profile of ~/.aws/config; none: default.")
    role_arn: str | None = param(None, Maybe(Text("the ARN of a role")), "A role to assume, say in another account.")
    external_id: Secret | None = param(None, Maybe(SecretText()), "The external id that the role asks for.")
    endpoint_url: str | None = param(
        None, Maybe(Url()), "Another address than AWS's, for all that it speaks to: a VPC endpoint, a test server."
    )
    timeout: int = param(30 * SECOND, Duration(SECOND // 10, 600 * SECOND), "How long an answer may take.")

    def check_access(self) -> None:
        """Refuse what does not fit together.

        Raises
        ------
        ConfigError
            No ARN of a role, or an external id without one.
        """
        if self.role_arn is not None and _ROLE.fullmatch(self.role_arn) is None:
            raise ConfigError(f"'role_arn' must be like arn:aws:iam::111122223333:role/NAME. Got {self.role_arn!r}.")
        if self.external_id is not None and self.role_arn is None:
            raise ConfigError("'external_id' goes with 'role_arn'. Give both or none.")


class AwsSession:
    """Clients of one access. It is safe to use by several threads.

    Parameters
    ----------
    access : AwsAccess
        How the account is reached.
    what : str
        Who asks, for the message where boto3 is missing: ``"The source 'cloudwatch'"``.
    threads : int
        Connections that are kept.

    Raises
    ------
    MissingExtraError
        boto3 is not installed.
    """

    def __init__(self, access: AwsAccess, what: str, threads: int = 1) -> None:
        try:
            import boto3
            import botocore.session
            from botocore.config import Config
        except ImportError:
            raise MissingExtraError(what, "boto3", "aws") from None
        self._access, self._lock = access, threading.Lock()
        core = botocore.session.Session(profile=access.profile)
        core.register_component("data_loader", _loader())
        # Moments as numbers: an answer holds a hundred thousand of them.
        core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_moment)
        seconds = access.timeout / SECOND
        # One try a call: who calls decides about more, by a budget of its own.
        self._config = Config(
            connect_timeout=min(5.0, seconds),
            read_timeout=seconds,
            max_pool_connections=max(1, threads),
            retries={"mode": "standard", "total_max_attempts": 1},
            user_agent_appid="watchband",
        )
        if access.role_arn is not None:
            _assume(core, access, self._config)
        # boto3 looks for AWS_DEFAULT_REGION only; containers and functions have AWS_REGION.
        region = access.region or core.get_config_variable("region") or os.environ.get("AWS_REGION")
        self._session = boto3.session.Session(botocore_session=core, region_name=region)
        self._clients: dict[str, Any] = {}

    @property
    def region(self) -> str | None:
        """The region that is spoken to, by settings, environment or profile."""
        found = self._session.region_name
        return str(found) if found else None

    @property
    def method(self) -> str:
        """Where the credentials were found, in boto3's word: ``env``, ``assume-role``; ``none`` if nowhere."""
        found = self._session.get_credentials()
        return str(found.method) if found else "none"

    def client(self, service: str) -> Any:
        """The client of a service."""
        with self._lock:
            if service not in self._clients:
                given = {"endpoint_url": self._access.endpoint_url, "config": self._config}
                self._clients[service] = self._session.client(service, **given)
            return self._clients[service]

    def close(self) -> None:
        """Let go of connections."""
        with self._lock:
            for client in self._clients.values():
                client.close()


@functools.cache
def _loader() -> Any:
    """The descriptions of services, read once in a process: they are large."""
    import botocore.session

    return botocore.session.Session().get_component("data_loader")


def _moment(value: Any) -> Any:
    from botocore.utils import parse_timestamp

    return float(value) if isinstance(value, int | float) else parse_timestamp(value)


def _assume(core: Any, access: AwsAccess, config: Any) -> None:
    """Credentials of a role, fetched when they are first used, and again before they run out."""
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
    from botocore.exceptions import BotoCoreError

    def create(service: str, **given: Any) -> Any:
        region = access.region or core.get_config_variable("region")
        return core.create_client(
            service, region_name=region, endpoint_url=access.endpoint_url, config=config, **_without(given, "config")
        )

    try:
        source = core.get_credentials()
    except BotoCoreError as error:
        raise ConfigError(f"boto3 cannot read its configuration: {error}") from None
    extra = {"RoleSessionName": SESSION_NAME}
    if access.external_id is not None:
        extra["ExternalId"] = access.external_id.reveal()
    if source is not None:
        fetcher = AssumeRoleCredentialFetcher(create, source, access.role_arn, extra_args=extra)
        core._credentials = DeferredRefreshableCredentials(
            method="assume-role", refresh_using=fetcher.fetch_credentials
        )


def _without(given: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key != name}
