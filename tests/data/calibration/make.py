"""Makes scikit-learn.json: logits of a pretended model, and what scikit-learn and SciPy compute of them, for the tests
of crates/evaluate/src/calibration.

    pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1
    python make.py > scikit-learn.json
"""

import json

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, logsumexp, softmax
from sklearn.metrics import log_loss, roc_auc_score, roc_curve

CLASSES = 7
BINS = 15
random = np.random.default_rng(20)


def logits(count, signal):
    """Logits that are too large for how often they are right, in steps of 1/8, so that scores are equal now and then."""
    classes = random.integers(0, CLASSES, count)
    values = random.normal(0, 2.5, (count, CLASSES))
    values[np.arange(count), classes] += signal
    return classes, np.round(values * 8) / 8


def expected_calibration_error(classes, probabilities):
    confidence, first = probabilities.max(axis=1), probabilities.argmax(axis=1)
    number = np.ceil(confidence * BINS).astype(int)
    parts = [number == n for n in range(1, BINS + 1)]
    distance = [abs((first[p] == classes[p]).mean() - confidence[p].mean()) * p.mean() for p in parts if p.any()]
    return float(sum(distance))


classes, known = logits(160, 5.0)
_, outliers = logits(90, 0.0)
everything = np.arange(CLASSES)
loss = lambda t: log_loss(classes, softmax(known / t, axis=1), labels=everything)
temperature = float(minimize_scalar(loss, bounds=(0.01, 100), method="bounded", options={"xatol": 1e-10}).x)
scores = {
    "energy": lambda z: temperature * logsumexp(z / temperature, axis=1),
    "max_logit": lambda z: z.max(axis=1),
    "max_probability": lambda z: np.exp(log_softmax(z / temperature, axis=1).max(axis=1)),
}


def ranking(score):
    is_known = np.r_[np.ones(len(known)), np.zeros(len(outliers))]
    both = np.r_[score(known), score(outliers)]
    fpr, tpr, _ = roc_curve(is_known, both, drop_intermediate=False)
    return {"auroc": float(roc_auc_score(is_known, both)), "fpr_at_95": float(fpr[np.argmax(tpr >= 0.95)])}


print(json.dumps({
    "known": {"classes": classes.tolist(), "logits": known.tolist()},
    "outliers": outliers.tolist(),
    "temperature": temperature,
    "negative_log_likelihood": [loss(1.0), loss(temperature)],
    "expected_calibration_error": [expected_calibration_error(classes, softmax(known / t, axis=1)) for t in (1.0, temperature)],
    "scores": {name: ranking(score) for name, score in scores.items()},
}))
