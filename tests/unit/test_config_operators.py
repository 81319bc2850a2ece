import pytest
from pydantic import ValidationError

from lighter_hedge.config_operators import WebSettings


def test_the_page_is_for_this_machine_unless_told_otherwise() -> None:
    assert (WebSettings().host, WebSettings().token_file, WebSettings().read_only) == ("127.0.0.1", None, False)


@pytest.mark.parametrize("port", [-1, 65536])
def test_what_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(ValidationError, match="port"):
        WebSettings(port=port)
