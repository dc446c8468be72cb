"""A short Python file that rebuilds a network, loads its weights and classifies a sample, without this project.

Whatever a person chose (titles, names of classes) is written into it as a Python literal, and nowhere else.
"""

import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import nn

from softmerge_core.export.scaling import Scaling
from softmerge_core.export.source_code import Kind, code_of

FEW = 10  # outputs that the script compares
HEAD = '''"""Rebuild a trained network, load its weights, and classify a sample. Needs {needs}.

    python {script}               # a random sample
    python {script} sample.npy    # a sample of shape {shape}, or several in one array
"""

{imports}

TITLE = {title}
INPUT_SHAPE = {shape}
CLASSES = {classes}
CLASS_NAMES = {names}
'''
UNSCALED = """

def scaled(samples):
    # Samples must be scaled as the training data were; the data do not say how, so nothing is done here.
{seen}    return samples
"""
SCALED = '''
MEAN = torch.tensor({mean})  # of the training data, before they were brought to scale{raw}
SD = torch.tensor({sd})


def scaled(samples):
    """Return raw samples as the network reads them."""
    return (samples - MEAN) / SD
'''
TAIL = '''
def load(folder=Path(__file__).parent):
    """Return the network with its weights, ready to classify."""
    network = {call}
    weights = Path(folder) / "{stem}.pt"
    if weights.is_file():
        state = torch.load(weights, weights_only=True, map_location="cpu")
    else:
        from safetensors.torch import load_file  # pip install safetensors

        state = load_file(Path(folder) / "{stem}.safetensors")
    network.load_state_dict(state)
    return network.eval()


def samples_in(path):
    """Return the samples in an .npy file, one or several, as the network reads them."""
    import numpy

    samples = torch.from_numpy(numpy.load(path, allow_pickle=False).astype("float32"))
    if tuple(samples.shape) == INPUT_SHAPE:
        samples = samples[None]
    if tuple(samples.shape[1:]) != INPUT_SHAPE:
        raise SystemExit(f"{{path}}: expected samples of shape {{INPUT_SHAPE}}, got {{tuple(samples.shape)}}")
    return scaled(samples)


def check(network):
    """Stop unless the network gives what it gave when it was saved, for one fixed input."""
    expected = torch.tensor({expected})
    size = torch.Size(INPUT_SHAPE).numel()
    got = network(torch.linspace(-1, 1, size).reshape(1, *INPUT_SHAPE))[0, : len(expected)]
    if not torch.allclose(got, expected, rtol=1e-3, atol=1e-3):
        raise SystemExit(f"The network is not the one that was saved: expected {{expected}}, got {{got}}")


@torch.inference_mode()
def main():
    network = load()
    check(network)
    random = torch.randn(1, *INPUT_SHAPE, generator=torch.Generator().manual_seed(0))
    samples, what = (samples_in(sys.argv[1]), "sample") if len(sys.argv) > 1 else (random, "random sample")
    shares, found = network(samples).softmax(1).max(1)
    for number, (share, place) in enumerate(zip(shares.tolist(), found.tolist()), 1):
        name = CLASS_NAMES[place] if CLASS_NAMES else f"class {{place}}"
        print(f"{{what}} {{number}}: {{name}} ({{100 * share:.1f}}%)")


if __name__ == "__main__":
    main()
'''


class Seen(NamedTuple):
    """The training inputs as the network saw them: their mean, SD, and range."""

    mean: float
    sd: float
    low: float
    high: float


def script(stem: str, title: str, kind: Kind, network: nn.Module, scaling: Scaling, seen: Seen | None = None) -> str:
    """The text of ``load_<stem>.py`` beside ``<stem>.pt``; ``network`` is the one that is saved there."""
    _, input_shape, classes = kind
    code = code_of(kind)
    needs = "torch and torchvision" if "import torchvision" in code.imports else "torch"
    head = HEAD.format(
        needs=needs,
        script=script_name(stem),
        imports=_imports({"import sys", "from pathlib import Path", "import torch", *code.imports}),
        title=repr(title),
        shape=input_shape,
        classes=classes,
        names=repr(list(scaling.names)) if scaling.names else "None",
    )
    tail = TAIL.format(stem=stem, call=code.call, expected=_expected(network, input_shape))
    return "\n".join([head + _scaling(scaling, seen), "", code.body, "", tail])


def script_name(stem: str) -> str:
    """The name of the script that loads ``<stem>.pt``."""
    return f"load_{stem}.py"


def _imports(lines: Iterable[str]) -> str:
    """Lines in the usual order: Python's own, then the others."""
    ordered = sorted(lines, key=lambda line: (line.startswith("from"), line))
    own = [line for line in ordered if line.split()[1].partition(".")[0] in sys.stdlib_module_names]
    return "\n".join([*own, "", *(line for line in ordered if line not in own)])


def _scaling(scaling: Scaling, seen: Seen | None) -> str:
    if scaling.known:
        raw = f": {scaling.raw}" if scaling.raw else ""
        return SCALED.format(mean=scaling.mean, sd=scaling.sd, raw=raw)
    if seen is None:
        return UNSCALED.format(seen="")
    told = f"mean {seen.mean:.3g} and SD {seen.sd:.3g}, and lay between {seen.low:.3g} and {seen.high:.3g}"
    return UNSCALED.format(seen=f"    # The training inputs had {told}.\n")


@torch.inference_mode()
def _expected(network: nn.Module, input_shape: tuple[int, ...]) -> Sequence[float]:
    """The first outputs for a fixed input, as the script computes them too; none where they are not finite."""
    sample = torch.linspace(-1, 1, torch.Size(input_shape).numel()).reshape(1, *input_shape)
    found = network(sample)[0, :FEW]
    return [float(f"{value:.5g}") for value in found.tolist()] if found.isfinite().all() else []
