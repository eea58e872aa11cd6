"""Our models under garak: ``python -m superalign.evaluation.garak_target smollm2 --probes PROBES``.

garak asks a local model for one prompt at a time. Here the prompts of a probe (of a turn, where a
probe has turns) are answered together before garak's own loop runs; the loop then finds each answer
ready. Probes, buffs, detectors and reports are garak's own, and so is its command line; only where
the answers come from differs. garak must be importable; it is none of our dependencies.
"""

from __future__ import annotations

import sys
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from types import ModuleType
from typing import Any

from superalign.errors import InputError
from superalign.models import LanguageModel, load_model

NAME = "superalign"  # garak's --target_type
Chat = tuple[tuple[str, str], ...]


class AnswersAhead:
    """Answers made in one batch and handed out one prompt at a time.

    Args:
        model: who answers.
        max_new_tokens: longest answer.
        temperature: of sampling; 0 is greedy.
        seed: of the first batch; each later one takes the next.
    """

    def __init__(
        self, model: LanguageModel, max_new_tokens: int, temperature: float, seed: int
    ) -> None:
        self.model, self.seed = model, seed
        self.sampling: dict[str, Any] = {
            "max_new_tokens": max_new_tokens,
            "temperature": temperature,
        }
        self._ready: defaultdict[tuple[Chat, int], deque[list[str]]] = defaultdict(deque)

    def prepare(self, chats: Sequence[Chat], n: int) -> None:
        """Answer ``chats`` ``n`` times each, in one batch."""
        if not chats:
            return
        prompts = [[{"role": role, "content": text} for role, text in chat] for chat in chats]
        rows = self.model.generate(prompts, n=n, seed=self.seed, **self.sampling)
        self.seed += 1
        for chat, row in zip(chats, rows, strict=True):
            self._ready[chat, n].append([completion.text.strip() for completion in row])

    def take(self, chat: Chat, n: int) -> list[str]:
        """``n`` answers to a chat: the next that were prepared, or new ones."""
        if not self._ready[chat, n]:
            self.prepare([chat], n)
        return self._ready[chat, n].popleft()


def install() -> ModuleType:
    """Make ``--target_type superalign`` known to garak, and let its probes ask in batches.

    Raises:
        InputError: garak is not installed.
    """
    try:
        from garak.attempt import Message
        from garak.generators.base import Generator
        from garak.probes.base import Probe
    except ImportError as error:
        raise InputError(f"garak is not installed here ({error}); pip install garak") from error

    class Superalign(Generator):  # type: ignore[misc]
        """A model of superalign's, named as everywhere: ``smollm2``, a folder, ``run:FOLDER``."""

        __module__ = f"garak.generators.{NAME}"  # where garak looks for its settings
        generator_family_name = NAME
        supports_multiple_generations = True
        parallel_capable = False

        def _load_deps(self) -> None:
            super()._load_deps()
            heat = 1.0 if self.temperature is None else float(self.temperature)
            seed = 0 if self.seed is None else int(self.seed)
            self.ahead = AnswersAhead(load_model(self.name), int(self.max_tokens), heat, seed)

        def prepare(self, conversations: Iterable[Any], n: int) -> None:
            """Answer conversations together."""
            self.ahead.prepare([_chat(c) for c in conversations], n)

        def _call_model(self, prompt: Any, generations_this_call: int = 1) -> list[Any]:
            return [Message(text) for text in self.ahead.take(_chat(prompt), generations_this_call)]

    one_by_one: Callable[[Any, Any], Any] = Probe._execute_all

    def together(self: Any, attempts: Any) -> Any:
        if isinstance(self.generator, Superalign):
            self.generator.prepare([a.prompt for a in attempts], self.generations)
        return one_by_one(self, attempts)

    module = ModuleType(f"garak.generators.{NAME}", Superalign.__doc__)
    vars(module).update(Superalign=Superalign, DEFAULT_CLASS="Superalign", __file__=__file__)
    sys.modules[module.__name__] = module
    Probe._execute_all = together
    return module


def _chat(conversation: Any) -> Chat:
    return tuple((turn.role, turn.content.text or "") for turn in conversation.turns)


def main() -> None:
    """garak's command line with our model as the target."""
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        raise SystemExit("usage: python -m superalign.evaluation.garak_target MODEL [garak's own]")
    try:
        install()
    except InputError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
    from garak.cli import main as garak

    garak(["--target_type", NAME, "--target_name", *sys.argv[1:]])


if __name__ == "__main__":
    main()
