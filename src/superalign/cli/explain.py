"""``superalign explain``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from superalign.cli.folders import new_folder
from superalign.cli.options import Device, Json, Out, Seed, app
from superalign.cli.terminal import Reporter, print_json
from superalign.errors import InputError

if TYPE_CHECKING:
    from superalign.explaining.directions import Direction
    from superalign.models import LocalModel

SHOWN = 24  # features of an autoencoder that are explained


@app.command()
def explain(
    model: Annotated[
        str, typer.Argument(help="model to explain; with --find the folder of an index")
    ],
    find: Annotated[
        str | None, typer.Option(help="search an index: neurons that read all of these words")
    ] = None,
    neurons: Annotated[
        int, typer.Option(min=0, help="random neurons per layer to test, in place of the index")
    ] = 0,
    explainer: Annotated[
        str | None, typer.Option(help="with --neurons: a model that explains and simulates, too")
    ] = None,
    direction: Annotated[
        list[str] | None,
        typer.Option(
            help="in place of neurons: a safetensors file, refusal, change or difference (from the base)"
        ),
    ] = None,
    features: Annotated[
        str | None,
        typer.Option(
            help="sparse-autoencoder features in place of neurons: a safetensors file, or train"
        ),
    ] = None,
    layer: Annotated[
        int | None, typer.Option(min=0, help="blocks after which directions or features lie")
    ] = None,
    base: Annotated[str | None, typer.Option(help="the model it was trained from")] = None,
    texts: Annotated[
        Path | None, typer.Option(help="texts to explain from: .txt by line, or rows with a 'text'")
    ] = None,
    out: Out = None,
    seed: Seed = None,
    device: Device = None,
    json_: Json = False,
) -> None:
    """Say what a model's neurons or directions read, and test how far the words can be trusted."""
    _one_of(
        **{"--find": find, "--neurons": neurons, "--direction": direction, "--features": features}
    )
    _only_with("--neurons", neurons, **{"--explainer": explainer})
    _only_with("--direction", direction, **{"--base": base})
    _only_with("--direction or --features", direction or features, **{"--layer": layer})
    _only_with("--layer", layer is not None, **{"--features": features})
    if find is not None:
        if texts is not None or out is not None:
            raise InputError("--find searches an index that is there; drop --texts and --out")
        _search(Path(model), find, json_)
        return
    from superalign.explaining import command
    from superalign.explaining.index import Index
    from superalign.report.explain_report import said, write_explain_report
    from superalign.report.neuron_pages import write_neuron_pages
    from superalign.validation.audit import open_pair

    path, progress = new_folder("explain", out), Reporter(json_)
    read = command.read_texts(texts)
    suspect, original = open_pair(model, base, device)
    if direction:
        chosen = _directions(direction, layer, suspect, original)
        summary = command.explain_directions(suspect, read, chosen, progress)
    elif features is not None and layer is not None:
        summary = command.explain_features(
            suspect, read, features, layer, SHOWN, path, seed or 0, progress
        )
    elif neurons:
        speaker = _speaker(explainer, device)
        summary = command.explain_sample(suspect, read, neurons, seed or 0, speaker, progress)
    else:
        summary = command.make_index(suspect, read, path, progress)
    settings: dict[str, Any] = {
        "model": model, "neurons": neurons, "explainer": explainer, "direction": direction,
        "features": features, "layer": layer, "base": base, "texts": texts and str(texts), "seed": seed or 0,
        "device": device,
    }  # fmt: skip
    command.write_run(path, settings, summary)
    if direction or features or neurons:
        write_explain_report(summary, path / "report.html")
    else:
        write_neuron_pages(Index(path / command.INDEX), path)
    if json_:
        print_json(summary)
    else:
        print("\n".join([*said(summary), f"report: {path / 'report.html'}"]))


def _one_of(**options: Any) -> None:
    given = [name for name, value in options.items() if value]
    if len(given) > 1:
        raise InputError(f"{' and '.join(given)}: give one of them")


def _only_with(needed: str, there: Any, **options: Any) -> None:
    for name, value in options.items():
        if value is not None and not there:
            raise InputError(f"{name} goes with {needed}")


def _directions(
    names: list[str], layer: int | None, suspect: LocalModel, base: LocalModel | None
) -> list[Direction]:
    from superalign.explaining.directions import read_directions
    from superalign.validation.named_directions import NAMED, named

    found = []
    for name in names:
        if name in NAMED:
            found += named(name, suspect, base)
        else:
            found += read_directions(Path(name), layer)
    return found


def _speaker(explainer: str | None, device: str | None) -> Any:
    if explainer is None:
        return None
    from superalign.explaining.language import LocalSpeaker
    from superalign.models import load_model

    return LocalSpeaker(load_model(explainer, device=device))


def _search(folder: Path, text: str, json_: bool) -> None:
    from superalign.explaining.command import INDEX
    from superalign.explaining.index import Index
    from superalign.report.explain_report import marked

    found = Index(folder / INDEX).find(text)
    if json_:
        print_json({"find": text, "neurons": found})
        return
    for row in found:
        score = "undefined" if row["natural"] is None else f"{row['natural']:.2f}"
        print(f"{row['layer']}:{row['number']}  {score}  {row['explanation']}")
        for excerpt in row["examples"][:2]:
            print(f"    {marked(excerpt)}")
    print(
        f"{len(found)} neurons shown, best explained first" if found else f"nothing reads '{text}'"
    )
