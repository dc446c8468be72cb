"""A poisoned copy of any model: the form, and the process of its own that makes it, as that takes torch.

``python -m pages.shared.choose.poison MODEL ATTACK NAME`` (ATTACK as JSON) prints one JSON object: name, or error.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from softmerge_core.attacks import find_attack
from softmerge_core.errors import CheckpointError, SoftMergeError
from softmerge_core.settings import AttackSettings, parse

ROOT = Path(__file__).parents[3]
LIMIT = 120  # seconds; a small model takes about three


def poison(model: str, attack: AttackSettings, name: str) -> str:
    """Keep a spoiled copy of ``model`` in the library; returns its name there, raises CheckpointError."""
    command = [sys.executable, "-m", "pages.shared.choose.poison", model, attack.model_dump_json(), name]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False)
        answer = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise CheckpointError(f"{model}: the copy could not be made") from error
    if "error" in answer:
        raise CheckpointError(answer["error"])
    return str(answer["name"])


def poison_fields(kind: str) -> tuple[list[str], Mapping[str, float]]:
    """(the fields that matter for this kind of attack, their defaults where these are its own)."""
    attack = find_attack(kind)
    fields = [name for name in AttackSettings.model_fields if name not in ("kind", "strength")]
    return (["strength", *fields], {"strength": attack.usual}) if attack.graded else (fields, {})


def main(model: str, attack: str, name: str) -> dict[str, str]:
    """What the process prints."""
    from softmerge_core.zoo import add_poisoned_copy

    try:
        return {"name": add_poisoned_copy(model, parse(AttackSettings, attack, "attack"), name).name}
    except SoftMergeError as error:
        return {"error": str(error)}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
