"""What commands without a run's folder share for remote models: their settings, and kept answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from superalign.cli.folders import Interrupted
from superalign.errors import EndpointError

if TYPE_CHECKING:
    from superalign.models import LanguageModel

AGAIN = "answers so far are kept; the same command goes on from them"


@contextmanager
def opening(
    name: str, overrides: Sequence[str], device: str | None, *work: object
) -> Iterator[Callable[[], LanguageModel]]:
    """How to open a model for a piece of ``work``, whose parts are the same when it is done again.

    A remote model's answers lie in the user's cache until the block ends well: a command that was
    interrupted goes on from them when it is given again.

    Raises:
        InputError: the name or a setting.
        StoreError: the same command is running.
        Interrupted: Ctrl-C.
        EndpointError: a remote model cannot be asked any further.
    """
    from superalign.files import storing, take_lock
    from superalign.models import open_model
    from superalign.models.embedded import cache_folder
    from superalign.models.names import parse_name
    from superalign.models.remote import keep_answers
    from superalign.models.remote_settings import RemoteSettings
    from superalign.records import content_hash
    from superalign.sections import load_section

    settings = load_section(RemoteSettings, None, list(overrides)).remote
    load = partial(open_model, name, device=device, remote=settings)
    if not parse_name(name).remote:
        yield load
        return
    path = cache_folder() / "answers" / f"{content_hash([name, *map(str, work)])}.jsonl"

    def remembering() -> LanguageModel:
        model = load()
        keep_answers(model, path)
        return model

    with storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_suffix(".lock")
    with take_lock(lock):
        try:
            yield remembering
        except KeyboardInterrupt:
            raise Interrupted(AGAIN) from None
        except EndpointError as error:
            raise EndpointError(f"{error}; {AGAIN}") from None
        for done in (path, lock):
            Path.unlink(done, missing_ok=True)
