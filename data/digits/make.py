"""Makes the .npy files of this directory from the digits that ship with scikit-learn; README.md describes them."""

import json
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import NearestNeighbors

HERE = Path(__file__).parent


def save(name, array, dtype=np.float32):
    np.save(HERE / f"{name}.npy", np.ascontiguousarray(array.astype(dtype)))


def softmax_classifier():
    return LogisticRegression(C=1.0, tol=1e-8, max_iter=10_000)


digits = load_digits()
pixels, labels = digits.data / 16, digits.target
one_hot = np.eye(10)[labels]
train, test = train_test_split(
    np.arange(len(labels)), test_size=450, random_state=0, stratify=labels
)
train, test = np.sort(train), np.sort(test)

save("images", digits.data, np.uint8)
save("labels", labels, np.int64)
save("test_index", test, np.int64)

classifier = softmax_classifier().fit(pixels[train], labels[train])
logits = classifier.decision_function(pixels)
shifted = logits.astype(np.float32).astype(np.float64)
shifted -= shifted.max(1, keepdims=True)
save("logits", logits)
save("log_probabilities", shifted - np.log(np.exp(shifted).sum(1, keepdims=True)))

# The classes of the ten nearest other images: soft labels that the data itself gives.
neighbours = NearestNeighbors(n_neighbors=11).fit(pixels).kneighbors(pixels)[1][:, 1:]
save("soft_targets", one_hot[neighbours].mean(1))

ovr = OneVsRestClassifier(softmax_classifier()).fit(pixels[train], labels[train])
ovr_logits = ovr.decision_function(pixels).astype(np.float32)
save("ovr_logits", ovr_logits)
save("ovr_probabilities", 1 / (1 + np.exp(-ovr_logits.astype(np.float64))))
save("ovr_targets", one_hot)

counts = np.bincount(labels)
save("class_weights", len(labels) / (10 * counts))
save("pos_weight", (len(labels) - counts) / counts)

# The ink of the lower half of an image from the pixels of its upper half.
ink = pixels[:, 32:].sum(1)
save("regression_target", ink)
save("regression_prediction", Ridge(1.0).fit(pixels[train, :32], ink[train]).predict(pixels[:, :32]))

correct = int((classifier.predict(pixels[test]) == labels[test]).sum())
accuracy = {"held_out": len(test), "correct": correct, "accuracy": correct / len(test)}
(HERE / "accuracy.json").write_text(json.dumps(accuracy) + "\n")
print(accuracy)
