"""Our models under PyRIT: ``SuperalignTarget(model="smollm2")`` is a target for its attacks.

Written for PyRIT 1.1, which must be importable; it is none of our dependencies. PyRIT sends prompts one by
one, many at a time where an attack's executor allows that; those that arrive together are answered together.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from superalign.errors import InputError
from superalign.evaluation.batcher import Batcher, Sampling
from superalign.models import LanguageModel, open_model

try:
    from pyrit.models import construct_response_from_request
    from pyrit.prompt_target import PromptTarget, TargetCapabilities, TargetConfiguration
except ImportError as error:
    raise InputError(f"PyRIT is not installed here ({error}); pip install pyrit==1.1.0") from error

ROLES = {"system": "system", "developer": "system", "user": "user", "tool": "user"}


class SuperalignTarget(PromptTarget):  # type: ignore[misc]
    """A model of superalign's, local or remote, named as everywhere.

    A prompt that was asked before is sampled anew. An answer that never came has PyRIT's error ``empty``.

    Args:
        model: its name, or the model itself.
        max_new_tokens: longest answer.
        temperature: of sampling; 0 is greedy.
        seed: of the sampling.

    Raises:
        InputError: no such model.
    """

    _DEFAULT_CONFIGURATION = TargetConfiguration(
        capabilities=TargetCapabilities(
            supports_multi_turn=True, supports_editable_history=True, supports_system_prompt=True
        )
    )

    def __init__(
        self,
        *,
        model: str | LanguageModel = "smollm2",
        max_new_tokens: int = 48,
        temperature: float = 1.0,
        seed: int = 0,
    ) -> None:
        engine = open_model(model) if isinstance(model, str) else model
        super().__init__(model_name=engine.name)
        self.engine, self.batcher = engine, Batcher(engine)
        self.sampling: dict[str, Any] = {
            "max_new_tokens": max_new_tokens,
            "temperature": temperature,
        }
        self.seed = seed
        self._asked: Counter[tuple[tuple[str, str], ...]] = Counter()

    async def _send_prompt_to_target_async(
        self, *, normalized_conversation: list[Any]
    ) -> list[Any]:
        turns = [
            (ROLES.get(message.api_role, "assistant"), message.get_value())
            for message in normalized_conversation
        ]
        before = self._asked[tuple(turns)]
        self._asked[tuple(turns)] += 1
        sampling = Sampling(**self.sampling, seed=self.seed + before)
        chat = [{"role": role, "content": text} for role, text in turns]
        [done] = await self.batcher.generate(chat, sampling)
        request = normalized_conversation[-1].message_pieces[0]
        error = "empty" if done.finished is None else "none"
        return [construct_response_from_request(request, [done.text.strip()], error=error)]

    def _build_identifier(self) -> Any:
        """What PyRIT records of the target: also the weights' hash, so that it tells which model it was."""
        own = {**self.sampling, "seed": self.seed, "weight_hash": self.engine.weight_hash}
        return self._create_identifier(params=own)
