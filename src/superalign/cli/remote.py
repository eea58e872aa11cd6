"""What commands without a resumable run share for remote models: their settings, and kept answers."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from superalign.cli.folders import Interrupted
from superalign.errors import EndpointError

if TYPE_CHECKING:
    from superalign.models import LanguageModel

AGAIN = "answers so far are kept; the same command goes on from them"


@contextmanager
def opening(
    overrides: Sequence[str], device: str | None, *work: object
) -> Iterator[Callable[[str], LanguageModel]]:
    """Opens models by name for a piece of ``work``, whose parts are the same when it is done again.

    Remote models' answers lie in the user's cache until the block ends well: a command that was
    interrupted goes on from them when it is given again.

    Raises:
        InputError: a name or a setting.
        StoreError: the same command is running.
        Interrupted: Ctrl-C, with a remote model.
        EndpointError: a remote model cannot be asked any further.
    """
    from superalign.files import storing, take_lock
    from superalign.models import RemoteModel, open_model
    from superalign.models.embedded import cache_folder
    from superalign.models.remote_settings import RemoteSettings
    from superalign.records import content_hash
    from superalign.sections import load_section

    settings = load_section(RemoteSettings, None, list(overrides)).remote
    path = cache_folder() / "answers" / f"{content_hash([str(part) for part in work])}.jsonl"
    lock = path.with_suffix(".lock")
    used: list[str] = []  # names of remote models

    @functools.cache
    def load(name: str) -> LanguageModel:
        model = open_model(name, device=device, remote=settings)
        if isinstance(model, RemoteModel):
            if not used:
                with storing(path):
                    path.parent.mkdir(parents=True, exist_ok=True)
                locked.enter_context(take_lock(lock))
            model.keep_answers(path)
            used.append(name)
        return model

    with ExitStack() as locked:
        try:
            yield load
        except KeyboardInterrupt:
            if used:
                raise Interrupted(AGAIN) from None
            raise
        except EndpointError as error:
            raise EndpointError(f"{error}; {AGAIN}") from None
        for done in (path, lock) if used else ():
            done.unlink(missing_ok=True)
