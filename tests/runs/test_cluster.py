"""Only who has the key of a cluster can talk to it, and a scheduler that anybody could talk to is refused."""

from pathlib import Path

import pytest
from distributed.security import Security

from softmerge_core.errors import RunError
from softmerge_core.runs import Runner, RunStore
from softmerge_core.runs.cluster import TRUSTED, check_scheduler, credentials
from tests.runs.counting import CountingSpec


@pytest.mark.parametrize(
    "address",
    [
        "tls://elsewhere:8786",
        "tcp://127.0.0.1:8786",
        "127.0.0.1:8786",
        "localhost:8786",
        "tcp://[::1]:8786",
        "tcp://127.1.2.3:1",
    ],
)
def test_an_encrypted_scheduler_or_one_on_this_machine_is_used(address: str) -> None:
    assert check_scheduler(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "tcp://elsewhere:8786",
        "elsewhere:8786",
        "tcp://10.0.0.1:8786",
        "ws://10.0.0.1:8786",
        "tcp://0.0.0.0:8786",
        "tcp://127.0.0.1.elsewhere:8786",
        "tcp://127.0.0.1@elsewhere:8786",
        "tcp://localhost.elsewhere:8786",
        "tcp://[::1:8786",
        "tcp://",
    ],
)
def test_a_scheduler_anybody_could_talk_to_is_refused_unless_told(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RunError, match="expected an encrypted address") as refused:
        check_scheduler(address)
    assert TRUSTED not in str(refused.value)
    monkeypatch.setenv(TRUSTED, "1")
    assert check_scheduler(address) == address


def test_a_run_says_that_its_scheduler_is_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    runner = Runner(RunStore(tmp_path / "runs"), scheduler="tcp://10.0.0.1:8786")
    run_id = runner.submit(CountingSpec())
    runner._lane.submit(lambda: None).result()
    assert "expected an encrypted address" in runner.store.status(run_id).message
    runner.close()
    assert "Traceback" not in caplog.text


def test_the_key_is_handed_on_in_the_environment_alone() -> None:
    security = Security(tls_ca_file="ca\n", tls_client_key="key\n", tls_worker_cert="cert\n")
    found = credentials(security)
    assert found["DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY"] == "key\n"
    assert found["DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION"] == "True"
