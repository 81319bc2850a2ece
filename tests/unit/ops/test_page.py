import os
import socket
from pathlib import Path

import pytest

from lighter_hedge.ops import page
from lighter_hedge.ops.exit_codes import ExitCode, OpsError
from lighter_hedge.ops.page import address_of, forget_address, is_free, listening, page_address, write_address


def test_a_taken_port_is_refused_by_name() -> None:
    with listening("127.0.0.1", 0) as bound:
        port = bound.getsockname()[1]
        assert address_of(bound) == f"http://127.0.0.1:{port}"
        assert not is_free("127.0.0.1", port)
        with pytest.raises(OpsError, match=f"127.0.0.1 port {port}") as refused:
            listening("127.0.0.1", port)
    assert refused.value.code is ExitCode.CONFIGURATION
    assert is_free("127.0.0.1", port)


def test_an_address_for_all_is_opened_here_by_its_local_name() -> None:
    with socket.socket() as bound:
        bound.bind(("0.0.0.0", 0))
        assert address_of(bound).startswith("http://127.0.0.1:")


def test_an_address_is_that_of_a_page_that_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert page_address(tmp_path) == ""
    write_address(tmp_path, "http://127.0.0.1:8280")
    monkeypatch.setattr(page, "is_ours", lambda pid: pid == os.getpid())
    assert page_address(tmp_path) == "http://127.0.0.1:8280"
    monkeypatch.setattr(page, "is_ours", lambda _: False)
    assert page_address(tmp_path) == ""
    forget_address(tmp_path)
    forget_address(tmp_path)
    (tmp_path / "web.json").write_text("{")
    assert page_address(tmp_path) == ""
