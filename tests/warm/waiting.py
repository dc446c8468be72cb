"""The process that waits with torch loaded, and is forked for whoever asks; see ``tests.warm``."""

import contextlib
import gc
import importlib
import marshal
import os
import runpy
import select
import signal
import socket
import sys
from typing import NoReturn

LOADED = ("torch", "torchvision", "pydantic", "safetensors.torch", "psutil")
Wish = tuple[list[str], dict[str, str], str]  # the program and its arguments, environment, folder


def main(place: str) -> Wish:
    """Fork for each that asks, until the input ends; only a fork returns, with what it was asked to do."""
    for name in LOADED:
        importlib.import_module(name)
    gc.freeze()
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(place)
    listening.listen(64)
    os.write(1, b"ready\n")
    while listening in select.select([listening, 0], [], [])[0]:
        client, _ = listening.accept()
        if not os.fork():
            listening.close()
            return kept(client)
        client.close()
        bury()
    bury()
    os._exit(0)


def bury() -> None:
    """Take note of the children that have ended; one that still works is watched by a process of its own."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def kept(client: socket.socket) -> Wish:
    """Fork once more: the fork returns, and this process tells the client how it has ended."""
    size, streams, *_ = socket.recv_fds(client, 8, 3)
    with client.makefile("rb") as reading:
        wish: Wish = marshal.loads(reading.read(int.from_bytes(size, "big")))
    ending, held = os.pipe()
    job = os.fork()
    if job:
        os.close(held)
        watch(job, ending, client, streams)
    client.close()
    os.close(ending)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    return wish


def watch(job: int, ending: int, client: socket.socket, streams: list[int]) -> NoReturn:
    """Hand the client's signals on until the job ends, and end the job where the client is gone."""
    for stream in streams:
        os.close(stream)
    while ending not in select.select([ending, client], [], [])[0]:
        told = client.recv(1)
        os.kill(job, told[0] if told else signal.SIGKILL)
        if not told:
            break
    code = os.waitstatus_to_exitcode(os.waitpid(job, 0)[1])
    with contextlib.suppress(OSError):
        client.sendall(code.to_bytes(4, "big", signed=True))
    os._exit(0)


def become(wish: Wish) -> None:
    """Do as Python does in that folder with ``-m MODULE``, ``-c CODE`` or a script, and before them perhaps ``-I``."""
    (program, first, *rest), environment, folder = wish
    sys.executable = program  # its own children begin so as well
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    alone = first == "-I"
    option, *arguments = rest if alone else (first, *rest)
    here = {"-m": folder, "-c": ""}.get(option, os.path.dirname(os.path.abspath(option)))
    sys.path[:1] = [] if alone else [here, *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))]
    sys.argv = [option, *arguments[1:]] if option in ("-m", "-c") else [option, *arguments]
    if option == "-m":
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
    elif option == "-c":
        exec(compile(arguments[0], "<string>", "exec"), sys.modules["__main__"].__dict__)
    else:
        runpy.run_path(option, run_name="__main__")


if __name__ == "__main__":
    become(main(sys.argv[1]))
