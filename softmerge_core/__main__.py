"""The command line, over the same specs as the pages: ``softmerge --help``, or ``python -m softmerge_core --help``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from softmerge_core.errors import SoftMergeError
from softmerge_core.export.bundle.command import bring, bundle
from softmerge_core.export.command import ALL, CHOICES, export
from softmerge_core.export.predictions import predictions
from softmerge_core.export.replay.command import replay

USAGE_ERROR = 2
INTERRUPTED = 130


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """Print ``message`` and leave with code 2."""
        self.exit(USAGE_ERROR, f"error: {message} (see: {self.prog} --help)\n")


def parser() -> Parser:
    """All commands and their arguments."""
    called = "softmerge" if Path(sys.argv[0]).stem == "softmerge" else "python -m softmerge_core"
    top = Parser(prog=called, description="Merge trained networks by gates.")
    networks = "a file of Python that registers networks of your own (softmerge_core.register_network)"
    top.add_argument("--networks", metavar="FILE.py", help=networks)
    commands = top.add_subparsers(dest="command", required=True)
    start = "start the app; every option of `streamlit run` may follow, such as --server.port 8080"
    app = commands.add_parser("app", help=start, description=start)
    app.add_argument("--networks", metavar="FILE.py", default=argparse.SUPPRESS, help=networks)
    app.add_argument("--folder", metavar="DIR", help="a folder of this machine whose weights files the pages offer")
    merge = commands.add_parser("merge", help="merge as a spec says; print the result as one JSON object")
    merge.add_argument("spec", metavar="SPEC.json", help='a merge spec, or "-" for standard input')
    merge.add_argument("--out", metavar="DIR", required=True, help="the folder that will hold the run")
    compare = commands.add_parser("compare", help="merge in every way; print the table as one JSON object")
    compare.add_argument("spec", metavar="SPEC.json", help='a comparison\'s spec, or "-" for standard input')
    compare.add_argument("--out", metavar="DIR", help="the folder that will hold the run (else it joins the app's)")
    run = commands.add_parser("run", help="run any experiment; print the result as one JSON object")
    run.add_argument("spec", metavar="SPEC.json", help='a spec with its kind, or "-" for standard input')
    run.add_argument("--out", metavar="DIR", help="the folder that will hold the run (else it joins the app's)")
    spec = commands.add_parser("spec", help="print an example spec that runs")
    spec.add_argument("--schema", action="store_true", help="print the JSON schema with every field's help")
    spec.add_argument("--kind", default="merge", help="of which experiment (default: merge)")
    _add_data(commands.add_parser("data", help="your own data files"))
    _add_export(commands.add_parser("export", help="a network as files that load without this project"))
    _add_bundles(commands)
    explaining = commands.add_parser("explain", help="one training step of a merge, as JSON with all its numbers")
    explaining.add_argument("run", metavar="RUN", help="the id or folder of a merge run")
    explaining.add_argument("--step", type=int, required=True, metavar="N", help="which training step; the first is 1")
    told = "instead the history of the gates of this stage up to step N: what moved each of them"
    explaining.add_argument("--stage", default="", metavar="STAGE", help=told)
    explaining.add_argument("--part", default="", help="of very many parts, the one around which they are told")
    _add_zoo(commands.add_parser("zoo", help="the families of trained sources, and your library"))
    return top


def _add_data(parser: argparse.ArgumentParser) -> None:
    """The commands of ``data``."""
    data = parser.add_subparsers(dest="data", required=True)
    adding = data.add_parser("add", help="check a file of samples and keep it for the app; print what is known of it")
    adding.add_argument("file", metavar="FILE.npz", help="plain arrays: train_inputs, train_labels and so on")
    data.add_parser("forms", help="list the forms that `import` reads, as JSON")
    importing = data.add_parser("import", help="make a data file of images, tables or a known data set, and keep it")
    importing.add_argument(
        "form", metavar="FORM", help="such as FashionMNIST, CIFAR-10, images or csv; see: data forms"
    )
    importing.add_argument(
        "place",
        metavar="FOLDER_OR_FILE",
        nargs="?",
        help="where it lies (default: as found here, or downloaded)",
    )
    importing.add_argument("--samples", type=int, metavar="N", help="so many in all (default: all)")
    importing.add_argument("--validation", type=float, metavar="SHARE", help="split off for validation (default: 0.1)")
    importing.add_argument("--seed", type=int, help="fixes which samples are taken and how they are split")
    importing.add_argument("--label", metavar="COLUMN", help="a table's column of labels (default: the last)")
    importing.add_argument("--size", type=int, metavar="PX", help="pixels along each side of pictures")
    importing.add_argument("--name", default="", help="of the data file (default: that of the form or file)")


def _add_export(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``export``."""
    parser.add_argument("what", metavar="RUN", help="the id or folder of a merge run, library/name or family/name")
    parser.add_argument("--out", metavar="DIR", help="the folder that will hold the files (default: a new one here)")
    told = "all: weights, script, card and recipe; zip: the same in one file (default: all)"
    parser.add_argument("--format", choices=CHOICES, default=ALL, help=told)


def _add_bundles(commands: Any) -> None:
    """The commands of whole runs: ``bundle``, ``import``, ``replay`` and ``predictions``."""
    told = "all of a run as one file: settings, seeds, numbers, events, weights, tables, pictures, a script"
    packing = commands.add_parser("bundle", help=told)
    packing.add_argument("run", metavar="RUN", help="the id or folder of a run that has ended")
    packing.add_argument("file", metavar="FILE.zip", nargs="?", help="the bundle (default: a new file here)")
    packing.add_argument("--figures", metavar="DIR", help="a folder of SVG and PNG files to pack along")
    bringing = commands.add_parser("import", help="make a bundle a run again; print it as one JSON object")
    bringing.add_argument("file", metavar="FILE.zip", help="a bundle, from this machine or another one")
    replaying = commands.add_parser("replay", help="a merge as one page of HTML that plays without a network")
    replaying.add_argument("run", metavar="RUN", help="the id or folder of a merge run that has ended")
    replaying.add_argument("file", metavar="FILE.html", help="the page")
    predicting = commands.add_parser("predictions", help="what each network of a merge predicts for each test sample")
    predicting.add_argument("run", metavar="RUN", help="the id or folder of a merge run that has ended")
    predicting.add_argument("file", metavar="FILE", help="a table (.csv), or arrays as runs keep them (.safetensors)")


def _add_zoo(parser: argparse.ArgumentParser) -> None:
    """The commands of ``zoo``."""
    zoo = parser.add_subparsers(dest="zoo", required=True)
    listing = zoo.add_parser("list", help="show the families")
    listing.add_argument("--json", action="store_true", help="everything the manifests say, as JSON")
    building = zoo.add_parser("build", help="train the families again")
    building.add_argument("families", nargs="*", metavar="FAMILY", help="only these (default: all)")
    building.add_argument("--out", metavar="DIR", help="where to (default: over the shipped ones)")
    adding = zoo.add_parser("add", help="keep weights files in your library; print the model, or the list, as JSON")
    adding.add_argument(
        "files", metavar="FILE", nargs="+", help="safetensors, their index, a PyTorch state dict, or a folder of such"
    )
    checking = zoo.add_parser("check", help="say of each weights file what it is, and the layer that does not fit")
    checking.add_argument("files", metavar="FILE", nargs="+", help="as for `zoo add`")
    checking.add_argument("--json", action="store_true", help="as JSON (default: a line a file, parted by tabs)")
    for command in (adding, checking):
        command.add_argument("--network", default="", help="its architecture, by name (default: what its tensors fit)")
        command.add_argument("--like", default="", help="what a file that fits no known network is compared with")
        command.add_argument("--dataset", required=True, help="the data it classifies: a name or an .npz")
    poisoning = zoo.add_parser("poison", help="keep a spoiled copy of a model; print it as one JSON object")
    poisoning.add_argument("model", metavar="MODEL", help="family/name or library/name")
    poisoning.add_argument("--attack", metavar="KIND", required=True, help="what is done to the copy")
    poisoning.add_argument("--strength", type=float, help="how strong the attack is (default: its usual strength)")
    poisoning.add_argument("--seed", type=int, help="starts the noise (default: 0)")
    keeping = zoo.add_parser("keep", help="keep a network that a run made in your library; print it as one JSON object")
    keeping.add_argument("run", metavar="RUN", help="the id or folder of a run")
    keeping.add_argument("--which", default="", metavar="FILE", help="of a run with several networks: the one to keep")
    comparing = zoo.add_parser("compare", help="tell how far apart the weights of models are, as JSON")
    comparing.add_argument("models", metavar="MODEL", nargs="+", help="family/name, library/name or a weights file")
    matching = zoo.add_parser("match", help="find the order of units in which two models are nearest, by weights")
    matching.add_argument("model", metavar="MODEL", help="family/name, library/name or a weights file: stays as it is")
    matching.add_argument("other", metavar="OTHER", help="the model whose units are put in order")
    shuffled = "its units in another order at first: a JSON list for each group (default: as they are)"
    matching.add_argument("--orders", default="", metavar="JSON", help=shuffled)
    matching.add_argument("--seed", type=int, default=0, help="fixes in which order groups are matched (default: 0)")
    for command in (adding, poisoning, keeping):
        command.add_argument("--name", default="", help="in your library; one that is taken gets a number")
    adding.add_argument("--title", default="", help="shown by the app (default: the name of the file)")
    keeping.add_argument("--title", default="", help="shown by the app (default: the title of the run)")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options in ``arguments`` (default: those of this process); only ``app`` may be given unknown ones."""
    top = parser()
    options, unknown = top.parse_known_args(arguments)
    if unknown and options.command != "app":
        top.error(f"unrecognized arguments: {' '.join(unknown)}")
    options.streamlit = unknown
    return options


def dispatch(options: argparse.Namespace) -> None:
    """Do what the options say."""
    from softmerge_core import cli

    cli.name_places(options.networks, getattr(options, "folder", None))
    match options.command:
        case "app":
            cli.app(options.streamlit)
        case "merge":
            cli.merge(options.spec, options.out)
        case "compare":
            cli.compare(options.spec, options.out)
        case "run":
            cli.run(options.spec, options.out)
        case "spec":
            cli.spec(options.schema, options.kind)
        case "export" | "bundle" | "import" | "replay" | "predictions":
            cli.show(_exchange(options))
        case "explain":
            cli.explain(options.run, step=options.step, stage=options.stage, part=options.part)
        case "data":
            _do_data(options)
        case "zoo":
            _do_zoo(options)


def _exchange(options: argparse.Namespace) -> Any:
    """What is made of a run, or of a file that is one, and where; returns what was done."""
    match options.command:
        case "export":
            return export(options.what, options.out, options.format)
        case "bundle":
            return bundle(options.run, options.file, options.figures)
        case "import":
            return bring(options.file)
        case "replay":
            return replay(options.run, options.file)
        case _:
            return predictions(options.run, options.file)


def _do_data(options: argparse.Namespace) -> None:
    from softmerge_core import cli_data

    match options.data:
        case "add":
            cli_data.data_add(options.file)
        case "forms":
            cli_data.data_forms()
        case "import":
            values = {key: getattr(options, key) for key in ("samples", "validation", "seed", "label", "size")}
            cli_data.data_import(options.form, options.place, values, options.name)


def _do_zoo(options: argparse.Namespace) -> None:
    from softmerge_core import cli_zoo as zoo

    match options.zoo:
        case "list":
            zoo.zoo_list(options.json)
        case "add":
            zoo.zoo_add(options.files, options.network, options.dataset, options.name, options.title, options.like)
        case "keep":
            zoo.zoo_keep(options.run, options.which, options.name, options.title)
        case "check":
            zoo.zoo_check(options.files, options.network, options.dataset, options.like, options.json)
        case "compare":
            zoo.zoo_compare(options.models)
        case "match":
            zoo.zoo_match(options.model, options.other, options.orders, options.seed)
        case "poison":
            values = {"kind": options.attack, "strength": options.strength, "seed": options.seed}
            zoo.zoo_poison(options.model, values, options.name)
        case "build":
            zoo.zoo_build(options.families, options.out)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, 2 after an error, 130 when interrupted."""
    try:
        dispatch(parse(arguments))
    except SoftMergeError as error:
        return _fail(str(error), USAGE_ERROR)
    except KeyboardInterrupt:
        return _fail("interrupted; the same command with the same --out goes on", INTERRUPTED)
    except BrokenPipeError:
        return USAGE_ERROR
    except Exception as error:
        return _fail(f"unexpected {type(error).__name__}: {error}", USAGE_ERROR)
    return 0


def _fail(message: str, code: int) -> int:
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
