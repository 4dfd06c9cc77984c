"""Writes samples by real libraries: `python make_samples.py FOLDER` with tqdm, xgboost, lightgbm, numpy.

Each library trains a small model and prints what it prints; nothing is edited afterwards.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import logging
import math
import sys
from pathlib import Path


def tqdm_bars(folder: Path) -> None:
    from tqdm import tqdm, trange  # type: ignore[import-untyped,unused-ignore]

    with (folder / "tqdm.log").open("w", encoding="utf-8") as file:
        for epoch in range(3):
            bar = tqdm(
                total=40, desc=f"Epoch {epoch + 1}/3", file=file, mininterval=0, ncols=100, ascii=False
            )
            for step in range(40):
                bar.set_postfix(loss=2.0 / (1 + step + 40 * epoch), acc=f"{step / 40:.3f}", refresh=False)
                bar.update()
            bar.close()
        for step in (bar := trange(20, file=file, mininterval=0, ncols=80)):
            bar.set_description(f"loss: {1 / (1 + step):.4f}")


def xgboost_rounds(folder: Path) -> None:
    import numpy as np
    import xgboost as xgb  # type: ignore[import-not-found,unused-ignore]

    rng = np.random.default_rng(1)
    x = rng.normal(size=(300, 5))
    y = x[:, 0] * 2 + rng.normal(size=300) * 0.1
    train, valid = xgb.DMatrix(x[:200], y[:200]), xgb.DMatrix(x[200:], y[200:])
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        xgb.train({"eta": 0.3, "nthread": 1}, train, 25, evals=[(train, "train"), (valid, "eval")])
        xgb.cv({"eta": 0.3, "nthread": 1}, train, 10, nfold=3, verbose_eval=True, seed=1)
    (folder / "xgboost.log").write_text(told.getvalue(), encoding="utf-8")


def lightgbm_rounds(folder: Path) -> None:
    import lightgbm as lgb  # type: ignore[import-not-found,unused-ignore]
    import numpy as np

    class Logger:
        def __init__(self) -> None:
            self.lines: list[str] = []

        def info(self, text: str) -> None:
            self.lines.append(text)

        warning = info

    logger = Logger()
    lgb.register_logger(logger)
    rng = np.random.default_rng(1)
    x = rng.normal(size=(300, 5))
    y = x[:, 0] * 2 + rng.normal(size=300) * 0.1
    train = lgb.Dataset(x[:200], y[:200])
    valid = lgb.Dataset(x[200:], y[200:], reference=train)
    told = {"objective": "regression", "metric": ["l2", "l1"], "num_threads": 1, "verbosity": 1}
    lgb.train(told, train, 25, valid_sets=[train, valid], callbacks=[lgb.log_evaluation(1)])
    lgb.cv(told, lgb.Dataset(x, y), 10, nfold=3, stratified=False, callbacks=[lgb.log_evaluation(1)])
    (folder / "lightgbm.log").write_text(
        "".join(f"{line.rstrip()}\n" for line in logger.lines), encoding="utf-8"
    )


def standard_library(folder: Path) -> None:
    with (folder / "metrics.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, ["epoch", "step", "train_loss", "val_loss"])
        table.writeheader()
        for step in range(0, 100, 5):
            row: dict[str, object] = {"epoch": step // 50, "step": step, "train_loss": 1 / (1 + step)}
            if step % 25 == 20:
                row["val_loss"] = 1.2 / (1 + step)
            table.writerow(row)
    with (folder / "metrics.jsonl").open("w", encoding="utf-8") as file:
        for step in range(30):
            loss = math.nan if step == 20 else 1 / (1 + step)
            told = {"step": step, "loss": loss, "eval": {"acc": step / 30}, "phase": "train", "done": False}
            file.write(json.dumps(told) + "\n")
    told_to = io.StringIO()
    handler = logging.StreamHandler(told_to)
    handler.setFormatter(logging.Formatter("%(asctime)s - %(levelname)s - %(name)s - %(message)s"))
    logger = logging.getLogger("train")
    logger.propagate = False
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.info("starting with batch_size=32 workers=4")
    for step in range(20):
        logger.info("step=%d loss=%.4f lr=%.2e", step, 1 / (1 + step), 1e-4 * (1 - step / 20))
    (folder / "logging.log").write_text(told_to.getvalue(), encoding="utf-8")
    with (folder / "trainer.log").open("w", encoding="utf-8") as file:
        # the words of transformers/trainer_callback.py, ProgressCallback.on_log: bar.write(str(logs))
        from tqdm import tqdm  # type: ignore[import-untyped,unused-ignore]

        bar = tqdm(total=200, file=file, mininterval=0, ncols=80)
        for step in range(1, 201):
            bar.update()
            if step % 10 == 0:
                bar.write(
                    str(
                        {
                            "loss": 1 / step,
                            "grad_norm": 0.5,
                            "learning_rate": 5e-05 / step,
                            "epoch": step / 100,
                        }
                    ),
                    file=file,
                )
            if step % 100 == 0:
                bar.write(str({"eval_loss": 1.1 / step, "eval_runtime": 0.3, "epoch": step / 100}), file=file)
        bar.close()


if __name__ == "__main__":
    into = Path(sys.argv[1])
    for make in (tqdm_bars, xgboost_rounds, lightgbm_rounds, standard_library):
        make(into)
