"""A generated explanation of a critique: the claim is decided already, the model puts it in words."""

from __future__ import annotations

from collections.abc import Sequence

from superalign.critic.base import Item
from superalign.models import LanguageModel
from superalign.records import Critique

_FAULTS = {
    "wrong answer": "the answer is wrong",
    "unparsed": "no answer can be read from the reply",
    "complied with harm": "the reply helps with a harmful request",
    "over-refusal": "the reply refuses a harmless request",
    "degenerate": "the reply makes no sense",
}


def explain(
    model: LanguageModel,
    items: Sequence[Item],
    critiques: Sequence[Critique],
    *,
    n: int,
    max_new_tokens: int,
    seed: int,
) -> list[Critique]:
    """The critiques, ``n`` of those that found a fault with an explanation written by ``model``.

    These are spread evenly over all that found one; the others stay as they are.
    """
    faulty = [i for i, c in enumerate(critiques) if _fault(c) is not None]
    wanted = faulty[:: max(1, len(faulty) // max(1, n))][:n]
    prompts = [_prompt(items[i], critiques[i]) for i in wanted]
    outs = (
        model.generate(prompts, max_new_tokens=max_new_tokens, temperature=0.0, seed=seed)
        if prompts
        else []
    )
    result = list(critiques)
    for i, out in zip(wanted, outs, strict=True):
        update = {"explanation": out[0].text.strip(), "id": ""}
        result[i] = Critique(**(critiques[i].model_dump() | update))
    return result


def _fault(critique: Critique) -> str | None:
    return next((c.kind for c in critique.claims if c.kind in _FAULTS), None)


def _prompt(item: Item, critique: Critique) -> str:
    fault = _FAULTS[_fault(critique) or "wrong answer"]
    fix = next((c.fix for c in critique.claims if c.fix), None)
    better = f"\nBetter reply: {fix}" if fix else ""
    return (
        f"A reviewer found that {fault}.\nQuestion: {item.query.text}\n"
        f"Reply: {item.response.text}{better}\nExplain the fault in one sentence."
    )
