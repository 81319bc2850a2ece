"""The fixtures of the integration tests."""

from tests.integration.conftest import _no_proxy, paper

__all__ = ["_no_proxy", "paper"]
