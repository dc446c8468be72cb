import time

from softmerge_core.experiments.cost import Cost


def test_a_large_tensor_is_seen_in_the_memory_and_waiting_in_the_seconds() -> None:
    with Cost() as cost:
        block = bytearray(64 * 2**20)
        block[:: 2**12] = b"x" * len(block[:: 2**12])  # touched, so that it is really taken
        time.sleep(0.05)
        del block
    assert 50 < cost.memory < 500
    assert cost.seconds >= 0.05
