#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""McNemar's paired test of qopt against the better peer, sample by sample.

usage: mcnemar.py --zoo ZOO --build BUILD [--rerun] [--peers FILE] MODEL...

Each MODEL is a folder of ZOO. What each peer gets right is kept in FILE
(bench/peer_hits.json); --rerun makes it anew: ONNX Runtime's best setting by
ZOO/peers.json, and NNCF's default in OpenVINO where that can be imported. Needs
numpy; --rerun needs onnx and onnxruntime too. Prints one JSON line a model:
samples that only one of the two gets right, and the exact two-sided probability
of a difference at least as large by chance.
"""

import argparse
import json
import math
import os
import sys
import tempfile

from judge import Object, open_folder

# What peers.json calls them, as ZOO/eval.py does.
SETTINGS = {"minmax": ("ort-int8", "minmax"), "percentile": ("ort-int8", "percentile"),
            "entropy": ("ort-int8", "entropy"), "linear": ("ort-int8-linear", "minmax"),
            "linear-only": ("ort-int8-linear", "minmax"),
            "tensor": ("ort-int8-tensor", "minmax"), "per-tensor": ("ort-int8-tensor", "minmax")}


def probability(first, second):
    """Of a split at least as uneven among first + second fair coins."""
    count, least = first + second, min(first, second)
    tail = sum(math.comb(count, i) for i in range(least + 1))
    return min(1.0, 2 * tail / 2**count)


def hits_of(zoo_eval, folder, run):
    """One truth a sample, and whether it is as the float model decides."""
    import numpy as np
    data, task = folder.ev, folder.meta["task"]
    right, same, sure = [], [], []
    for k in range(folder.n()):
        output = run(folder.sample(data, k))[folder.meta.get("out", 0)]
        if task == "classify":
            logits = data["ref"][k].astype(np.float64)
            shares = np.exp(logits - logits.max())
            real, own = int(logits.argmax()), int(np.ravel(output).argmax())
            right.append(own == (int(data["label"][k]) if "label" in data else real))
            same.append(own == real)
            sure.append(bool(shares.max() / shares.sum() > 0.5))
        elif task == "ctc":
            with open(f"{folder.d}/charset.txt", encoding="utf-8") as file:
                chars = file.read().split("\n")

            def text(ids):
                return "".join(chars[i] for i in zoo_eval.collapse(ids))
            own = text(output.reshape(-1, len(chars)).argmax(1))
            right.append(own == str(data["label"][k]))
            same.append(own == text(data["ref_ids"][k].astype(int)))
        else:
            sys.exit(f"mcnemar: no truth a sample in task {task}")
    return right, same, sure


def to_text(hits):
    return "".join("1" if hit else "0" for hit in hits)


def rerun(zoo_eval, folder, best):
    """What the peers that can be run get right, by their names."""
    engine, calibration = SETTINGS[best]
    found = {f"ORT {best}": to_text(hits_of(
        zoo_eval, folder, zoo_eval.engine(folder, engine, calibration))[0])}
    try:
        import nncf  # noqa: F401
        import openvino  # noqa: F401
    except ImportError:
        print("mcnemar: NNCF is not rerun, it cannot be imported", file=sys.stderr)
        return found
    found["NNCF"] = to_text(hits_of(zoo_eval, folder, zoo_eval.engine(folder, "ov-int8"))[0])
    return found


def compare(zoo_eval, zoo, name, build, peers):
    folder = open_folder(zoo_eval, zoo, name)
    with tempfile.TemporaryDirectory() as work:
        net = Object(folder.d, folder.meta, build, work, [])
        right, same, sure = hits_of(zoo_eval, folder, net)
    result = {"model": name, "n": len(right), "metric": sum(right) / len(right)}
    if any(sure):
        chosen = [a for a, b in zip(same, sure) if b]
        result.update(sure=len(chosen), sure_agreement=sum(chosen) / len(chosen))
    if peers:
        peer = max(peers, key=lambda key: peers[key].count("1"))
        theirs = [c == "1" for c in peers[peer]]
        ours_only = sum(a and not b for a, b in zip(right, theirs))
        theirs_only = sum(b and not a for a, b in zip(right, theirs))
        result.update(peer=peer, peer_metric=sum(theirs) / len(theirs), ours_only=ours_only,
                      theirs_only=theirs_only, p=probability(ours_only, theirs_only))
    return result


def main():
    source = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser()
    parser.add_argument("--zoo", required=True)
    parser.add_argument("--build", required=True)
    parser.add_argument("--rerun", action="store_true")
    parser.add_argument("--peers", default=os.path.join(source, "peer_hits.json"))
    parser.add_argument("models", nargs="+")
    arguments = parser.parse_args()
    try:
        import numpy  # noqa: F401
    except ImportError:
        print("mcnemar: skipped, there is no numpy")
        return
    zoo = os.path.abspath(arguments.zoo)
    sys.path.insert(0, zoo)
    import eval as zoo_eval
    kept = {}
    if os.path.exists(arguments.peers):
        with open(arguments.peers, encoding="utf-8") as file:
            kept = json.load(file)
    with open(os.path.join(zoo, "peers.json"), encoding="utf-8") as file:
        settings = json.load(file)["models"]
    for name in arguments.models:
        if arguments.rerun:
            folder = zoo_eval.Folder(os.path.join(zoo, name))
            kept.setdefault(name, {}).update(
                rerun(zoo_eval, folder, settings[name]["ort_best_is"]))
            with open(arguments.peers, "w", encoding="utf-8") as file:
                json.dump(kept, file, indent=1, sort_keys=True)
                file.write("\n")
        print(json.dumps(compare(zoo_eval, zoo, name, os.path.abspath(arguments.build),
                                 kept.get(name, {}))), flush=True)


if __name__ == "__main__":
    main()
