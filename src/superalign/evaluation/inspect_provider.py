"""Our models inside Inspect: ``inspect eval TASK --model superalign/smollm2`` (or ``run:FOLDER``).

Registered by the entry point ``inspect_ai``; needs the extra ``superalign[inspect]``.
"""

from __future__ import annotations

from typing import Any

from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessageAssistant,
    GenerateConfig,
    ModelAPI,
    ModelOutput,
    ModelUsage,
    modelapi,
)

from superalign.errors import InputError
from superalign.evaluation.batcher import Batcher, Sampling
from superalign.models import LocalModel, load_model
from superalign.models.base import Completion

MOST_CONNECTIONS = 1024
ROLES = {"system", "user", "assistant"}


class SuperalignAPI(ModelAPI):  # type: ignore[misc]
    """A local model behind the batcher.

    The name that Inspect logs and caches under ends in the weights' hash, so that a model trained
    further is another model. Sampled answers depend on what else was asked at the same time; answers
    at temperature 0 do not.
    """

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig | None = None,
        engine: LocalModel | None = None,
        device: str | None = None,
        dtype: str | None = None,
    ) -> None:
        self.engine = engine or load_model(model_name, device=device, dtype=dtype)
        name = f"{model_name}#{self.engine.weight_hash[:8]}"
        super().__init__(name, base_url, api_key, [], config or GenerateConfig())
        self.batcher = Batcher(self.engine)

    async def generate(
        self, input: list[Any], tools: list[Any], tool_choice: Any, config: GenerateConfig
    ) -> ModelOutput:
        """One answer (or ``num_choices``) to a conversation.

        Raises:
            InputError: tools were given; our models call none.
        """
        if tools:
            raise InputError("superalign's Inspect provider has no tools; give the task none")
        chat = [{"role": m.role if m.role in ROLES else "user", "content": m.text} for m in input]
        completions = await self.batcher.generate(chat, _sampling(config))
        read = len(self.engine.encode(chat))
        written = sum(len(c.tokens) for c in completions)
        return ModelOutput(
            model=self.model_name,
            choices=[self._choice(c) for c in completions],
            usage=ModelUsage(input_tokens=read, output_tokens=written, total_tokens=read + written),
        )

    def _choice(self, completion: Completion) -> ChatCompletionChoice:
        message = ChatMessageAssistant(
            content=completion.text, model=self.model_name, source="generate"
        )
        reason = "stop" if completion.finish == "stop" else "max_tokens"
        return ChatCompletionChoice(message=message, stop_reason=reason)

    async def count_text_tokens(self, text: str) -> int:
        """Tokens by the model's own tokenizer, without the network."""
        return len(self.engine.encode_completion(text))

    def max_connections(self) -> int:
        """Requests that may wait at once: all of them, so that they share batches."""
        return MOST_CONNECTIONS

    def max_tokens(self) -> int:
        """Longest answer where the task says nothing."""
        return 256

    async def aclose(self) -> None:
        """Stop the worker thread."""
        self.batcher.close()


@modelapi(name="superalign")  # type: ignore[untyped-decorator]
def superalign() -> type[ModelAPI]:
    """The provider's registration."""
    return SuperalignAPI


def _sampling(config: GenerateConfig) -> Sampling:
    return Sampling(
        n=config.num_choices or 1,
        max_new_tokens=config.max_tokens or 256,
        temperature=1.0 if config.temperature is None else config.temperature,
        top_p=1.0 if config.top_p is None else config.top_p,
        top_k=config.top_k or 0,
        stop=tuple(config.stop_seqs or ()),
        seed=config.seed or 0,
    )
