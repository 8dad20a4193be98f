"""``import-pytorch-tabnet``: a run from a model that pytorch-tabnet saved."""

from __future__ import annotations

import argparse
import json

from tabnet_engine.commands.arguments import path_argument
from tabnet_engine.commands.files import check_new_folder

__all__ = ["add_import_pytorch_tabnet"]


def add_import_pytorch_tabnet(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``import-pytorch-tabnet``."""
    parser.set_defaults(command=_import_pytorch_tabnet)
    parser.add_argument("zip", type=path_argument, help="what save_model of pytorch-tabnet 4.1 wrote")
    parser.add_argument("--names", metavar="NAME[,NAME]", help="what its columns are called, in order")
    parser.add_argument("--out", type=path_argument, required=True, help="run folder to write; must not exist")


def _import_pytorch_tabnet(arguments: argparse.Namespace) -> None:
    from tabnet_engine.interop.pytorch_tabnet import import_run

    check_new_folder(arguments.out)
    names = None if arguments.names is None else tuple(arguments.names.split(","))
    run = import_run(arguments.zip, arguments.out, title=arguments.zip.stem, names=names)
    summary = {"run": str(arguments.out), "task": run.manifest.task, "columns": list(run.schema.feature_names)}
    print(json.dumps({**summary, "outputs": list(run.manifest.outputs)}))
