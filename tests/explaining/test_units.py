"""Neurons of a model: what they do on texts, and what changes when one is taken out."""

import numpy as np
import pytest
import torch

from superalign.errors import InputError
from superalign.explaining import recording
from superalign.explaining.recording import Laid
from superalign.explaining.study import Halves, explain, table
from superalign.explaining.units import Units, neurons
from superalign.models import LocalModel
from superalign.tasks.neutral import NEUTRAL_TEXTS


def module_inputs(model: LocalModel, laid: Laid, block: int) -> torch.Tensor:
    """Inputs of a block's down projection, through the module's own forward pass."""
    seen: list[torch.Tensor] = []
    handle = model.module.model.layers[block].mlp.down_proj.register_forward_pre_hook(
        lambda module, args: seen.append(args[0][0].clone())
    )
    with torch.no_grad():
        for row in laid.ids:
            model.module(torch.tensor([list(row)]))
    handle.remove()
    return torch.cat(seen)


def test_activations_are_the_inputs_of_the_down_projection(base: LocalModel) -> None:
    laid = Laid(base, [NEUTRAL_TEXTS[0], NEUTRAL_TEXTS[1][:80], NEUTRAL_TEXTS[2]], 24)
    for block, found in laid.neurons():
        assert found.shape == (laid.texts.tokens, 64)
        torch.testing.assert_close(found, module_inputs(base, laid, block), atol=1e-4, rtol=1e-3)
    assert block == base.depth - 1


def test_texts_that_begin_alike_are_read_whole(base: LocalModel) -> None:
    same = NEUTRAL_TEXTS[0]
    twice, once = (dict(Laid(base, t, 24).neurons())[1] for t in ([same, same + " More."], [same]))
    torch.testing.assert_close(twice[:24], once, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(twice[24:], once, atol=1e-4, rtol=1e-3)


def test_an_adapter_counts_as_part_of_the_model(base: LocalModel) -> None:
    adapter = base.fresh_adapter(rank=2, alpha=4, seed=0)
    for _, b in adapter.parameters.values():
        b.data.normal_(generator=torch.Generator().manual_seed(0))
    adapter.touched()
    texts = NEUTRAL_TEXTS[:2]
    with_it = Laid(base.with_adapter(adapter), texts)
    difference = dict(with_it.neurons())[0] - dict(Laid(base, texts).neurons())[0]
    assert difference.abs().max() > 0.01
    units, plain = (neurons(x, 0, [3]) for x in (with_it, Laid(base, texts)))
    assert (units.writes - plain.writes).abs().max() > 0.01


def test_what_a_neuron_writes_taken_out_is_the_neuron_at_zero(base: LocalModel) -> None:
    """Independent reference: the same through hooks on the module."""
    laid = Laid(base, NEUTRAL_TEXTS[:2], 12)
    units = neurons(laid, 0, [5, 9])
    found = laid.divergences(units.layer, units.parts(laid))
    for n, index in enumerate((5, 9)):
        sign = (
            1
            if torch.allclose(units.writes[n], base.decoder.layers[0].down.weight[:, index])
            else -1
        )

        def silence(module, args, index=index, sign=sign):  # type: ignore[no-untyped-def]
            changed = args[0].clone()
            changed[..., index] -= sign * (sign * changed[..., index]).clamp(min=0)
            return (changed,)

        expected = []
        for row in laid.ids:
            tokens = torch.tensor([list(row)])
            projection = base.module.model.layers[0].mlp.down_proj
            with torch.no_grad():
                whole = torch.log_softmax(base.module(tokens).logits[0], -1)
                handle = projection.register_forward_pre_hook(silence)
                less = torch.log_softmax(base.module(tokens).logits[0], -1)
                handle.remove()
            expected.append((whole.exp() * (whole - less)).sum(-1))
        np.testing.assert_allclose(found[n], torch.cat(expected), atol=1e-5)


def test_taking_out_what_is_not_written_changes_nothing(base: LocalModel) -> None:
    laid = Laid(base, NEUTRAL_TEXTS[:2], 10)
    nothing, something = laid.divergences(1, [torch.zeros(20, 32), torch.ones(20, 32)])
    np.testing.assert_allclose(nothing, 0.0, atol=1e-6)
    assert something.max() > 1e-4
    assert something.min() >= -1e-6


def test_next_words_are_the_mean_rise_of_log_probabilities(base: LocalModel) -> None:
    laid = Laid(base, NEUTRAL_TEXTS[:2], 10)
    added = torch.randn(32, generator=torch.Generator().manual_seed(0))
    rise, nothing = laid.next_words(base.depth, (added, torch.zeros(32)))
    assert nothing.abs().max() == 0
    states = laid.states(base.depth)
    logs = [
        torch.log_softmax(base.module.lm_head(base.module.model.norm(x)), -1)
        for x in (states, states + added)
    ]
    torch.testing.assert_close(rise, (logs[1] - logs[0]).mean(0).detach(), atol=1e-4, rtol=1e-3)


def test_a_planted_unit_of_a_model_is_explained_and_its_effect_is_causal(base: LocalModel) -> None:
    """It fires on one token and writes a great deal: explanation and effect agree."""
    halves = Halves.of(base, NEUTRAL_TEXTS, causal=6)

    def read(laid: Laid) -> np.ndarray:
        words = [w.strip() for row in laid.texts.words for w in row]
        return np.array([[float(w == "the")] for w in words])

    writes = torch.randn(1, 32, generator=torch.Generator().manual_seed(0)) * 10
    [found] = explain(Units(("planted",), 1, read, writes), halves)
    assert "'the'" in found.explanation
    assert found.scored.natural is not None
    assert found.scored.natural > 0.9
    assert found.causal is not None
    assert found.causal_null is not None
    assert found.causal > 0.7
    assert abs(found.causal_null) < 0.3


def test_a_table_by_layer_has_nulls_and_a_rate(base: LocalModel) -> None:
    found = table(base, NEUTRAL_TEXTS[:8], 3, (0, 1), 1, seed=0)
    assert [r["layer"] for r in found["by_layer"]] == [0, 1]
    assert len(found["neurons"]) == 6
    assert found["neurons_per_minute"] > 0
    for row in found["by_layer"]:
        for key in ("natural", "said", "null", "causal", "causal_true", "causal_null"):
            assert {"value", "low", "high", "n"} <= set(row[key])


@pytest.mark.parametrize(("block", "index"), [(2, 0), (-1, 0), (0, 64), (1, -1)])
def test_a_neuron_that_is_not_there_is_named(base: LocalModel, block: int, index: int) -> None:
    with pytest.raises(InputError, match="allowed are 0 to"):
        neurons(Laid(base, NEUTRAL_TEXTS[:1]), block, [index])


def test_too_much_text_at_once_is_refused(
    base: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "BUDGET", 4 * 64 * 20)
    with pytest.raises(InputError, match="allowed are 20 at once"):
        next(Laid(base, NEUTRAL_TEXTS[:1]).neurons())
    with pytest.raises(InputError, match="at least one"):
        Laid(base, [])
