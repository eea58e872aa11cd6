"""Several weak supervisors at once: who is right is estimated, nothing is voted blindly."""

from __future__ import annotations

import numpy as np

from superalign.registry import register_method
from superalign.weak_to_strong.heads import cross_fitted, fit
from superalign.weak_to_strong.labels import WeakLabels
from superalign.weak_to_strong.losses import FLOOR, Array
from superalign.weak_to_strong.method import NotApplicable, Prediction, Setting

EM_STEPS = 50


def dawid_skene(
    votes_AnK: Array, weight_An: Array, steps: int = EM_STEPS, extra_nK: Array | None = None
) -> tuple[Array, Array]:
    """Posterior (n, K) over the true class and each annotator's confusion matrix (A, K, K).

    EM: the posterior is proportional to prior_k Π_a Π_j C_a[k, j]^(v_a[j]) where v_a is annotator
    a's vote (soft votes count fractionally); then prior and C are counted anew, with one count
    spread over each row towards the diagonal. ``extra_nK`` multiplies the posterior as a further,
    fixed source of evidence. Source: Dawid & Skene (1979), Applied Statistics 28:20.
    """
    k = votes_AnK.shape[2]
    posterior = (votes_AnK * weight_An[..., None]).sum(0) + FLOOR
    posterior /= posterior.sum(1, keepdims=True)
    smooth = (0.5 * np.eye(k) + 0.5 / k)[None]
    for _ in range(steps):
        counts = np.einsum("nk,anj,an->akj", posterior, votes_AnK, weight_An) + smooth
        confusion = counts / counts.sum(2, keepdims=True)
        prior = posterior.mean(0)
        logs = np.log(prior + FLOOR) + np.einsum(
            "anj,an,akj->nk", votes_AnK, weight_An, np.log(confusion)
        )
        if extra_nK is not None:
            logs += np.log(extra_nK + FLOOR)
        logs -= logs.max(1, keepdims=True)
        fresh = np.exp(logs)
        fresh /= fresh.sum(1, keepdims=True)
        done = float(np.abs(fresh - posterior).max()) < 1e-6
        posterior = fresh
        if done:
            break
    return posterior, confusion


def _several(setting: Setting) -> tuple[WeakLabels, ...]:
    if len(setting.annotators) < 2:
        raise NotApplicable("needs two supervisors or more")
    return setting.annotators


def _votes(annotators: tuple[WeakLabels, ...]) -> tuple[Array, Array]:
    k = annotators[0].probability.shape[1]
    votes = np.stack([np.eye(k)[a.hard] for a in annotators])
    return votes, np.stack([a.weight for a in annotators])


@register_method("dawid_skene")
class DawidSkene:
    """EM over the supervisors' answers; with the student's cross-fitted answer as one annotator
    more, since two annotators alone cannot tell which of them errs."""

    family = "co-supervision"
    source = "Dawid & Skene (1979); for weak-to-strong arXiv 2402.15505"

    def predict(self, setting: Setting) -> Prediction:
        """Train on the posterior.

        Raises:
            NotApplicable: fewer than two supervisors.
        """
        annotators = _several(setting)
        pooled = np.mean([a.probability for a in annotators], 0)
        own = cross_fitted(setting.plain, pooled, seed=setting.seed)
        votes, weights = _votes(annotators)
        votes = np.concatenate([votes, np.eye(setting.k)[own.argmax(1)][None]])
        weights = np.concatenate([weights, np.ones((1, len(own)))])
        posterior, _ = dawid_skene(votes, weights)
        head = fit(setting.plain, posterior)
        return Prediction(
            head.probabilities(setting.plain.others[0]), sum(a.used for a in annotators)
        )


@register_method("boosted_supervisors")
class BoostedSupervisors:
    """AdaBoost-like weights log((1 − e)/e) for the supervisors, e against the student's answer."""

    family = "co-supervision"
    source = "EnsemW2S, arXiv 2410.04571; AdaBoost, Freund & Schapire (1997)"

    def predict(self, setting: Setting) -> Prediction:
        """Errors are counted against the cross-fitted student taught by all of them.

        Raises:
            NotApplicable: fewer than two supervisors.
        """
        annotators = _several(setting)
        pooled = np.mean([a.probability for a in annotators], 0)
        own = cross_fitted(setting.plain, pooled, seed=setting.seed).argmax(1)
        logs = np.zeros_like(pooled)
        for annotator in annotators:
            error = float(np.clip((annotator.hard != own).mean(), 0.02, 0.5))
            belief = np.log(np.clip(annotator.probability, 0.02, 1))
            logs += np.log((1 - error) / error) * belief * annotator.weight[:, None]
        logs -= logs.max(1, keepdims=True)
        target = np.exp(logs)
        target /= target.sum(1, keepdims=True)
        head = fit(setting.plain, target)
        used = sum(a.used for a in annotators)
        return Prediction(head.probabilities(setting.plain.others[0]), used)
