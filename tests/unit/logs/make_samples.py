"""Writes samples by real libraries: `python make_samples.py FOLDER [NAME …]`.

In a new venv: `pip install numpy scipy tqdm lightgbm keras jax transformers structlog logfmter scikit-learn
catboost` and `pip install --no-deps xgboost` (with its dependencies it brings a GPU library of 300 MB).

Each library trains a small model and prints what it prints; nothing is edited afterwards.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import logging
import math
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


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


def keras_fit(folder: Path) -> None:
    os.environ["KERAS_BACKEND"] = "jax"
    import keras  # type: ignore[import-not-found,unused-ignore]
    import numpy as np

    rng = np.random.default_rng(1)
    x = rng.normal(size=(640, 8)).astype("float32")
    y = (x[:, 0] > 0).astype("float32")
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((8,)),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    told = io.StringIO()
    table = keras.callbacks.CSVLogger(str(folder / "keras_csvlogger.csv"))
    with contextlib.redirect_stdout(told):
        model.fit(x, y, validation_split=0.25, epochs=4, batch_size=32, callbacks=[table])
    (folder / "keras3.log").write_text(told.getvalue(), encoding="utf-8")
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        model.fit(x, y, validation_split=0.25, epochs=5, batch_size=32, verbose=2)
    (folder / "keras3_verbose2.log").write_text(told.getvalue(), encoding="utf-8")


def transformers_trainer(folder: Path) -> None:
    """The Trainer's own callback without its Trainer, which would need PyTorch."""
    from transformers.trainer_callback import (  # type: ignore[import-not-found,unused-ignore]
        ProgressCallback,
        TrainerControl,
        TrainerState,
    )

    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        state, control = TrainerState(max_steps=200), TrainerControl()
        callback = ProgressCallback()
        callback.on_train_begin(None, state, control)
        for step in range(1, 201):
            state.global_step = step
            callback.on_step_end(None, state, control)
            if step % 10 == 0:
                logs: dict[str, float] = {
                    "loss": 2 / step,
                    "grad_norm": 0.5 + 1 / step,
                    "learning_rate": 5e-5 * (1 - step / 200),
                    "epoch": step / 100,
                }
                callback.on_log(None, state, control, logs=logs)
            if step % 100 == 0:
                logs = {"eval_loss": 2.2 / step, "eval_runtime": 0.31, "epoch": step / 100}
                callback.on_log(None, state, control, logs=logs)
        logs = {"train_runtime": 4.2, "train_samples_per_second": 380.0, "train_loss": 0.06, "epoch": 2.0}
        callback.on_log(None, state, control, logs=logs)
        callback.on_train_end(None, state, control)
    (folder / "transformers5.log").write_text(told.getvalue(), encoding="utf-8")


def loggers(folder: Path) -> None:
    import structlog  # type: ignore[import-not-found,unused-ignore]
    from logfmter import Logfmter  # type: ignore[import-not-found,unused-ignore]

    with (folder / "structlog.jsonl").open("w", encoding="utf-8") as file:
        structlog.configure(
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso"),
                structlog.processors.JSONRenderer(),
            ],
            logger_factory=structlog.PrintLoggerFactory(file),
        )
        log = structlog.get_logger()
        log.info("starting", batch_size=32)
        for step in range(25):
            log.info("train", step=step, loss=1 / (1 + step), lr=1e-4)
            if step % 10 == 9:
                log.info("validation", step=step, val_loss=1.1 / (1 + step))
    told = io.StringIO()
    handler = logging.StreamHandler(told)
    handler.setFormatter(Logfmter(keys=["at", "when"], mapping={"at": "levelname", "when": "asctime"}))
    logger = logging.getLogger("logfmt")
    logger.propagate = False
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    for step in range(25):
        logger.info({"step": step, "loss": 1 / (1 + step), "acc": step / 25})
    (folder / "logfmter.log").write_text(told.getvalue(), encoding="utf-8")


def sklearn_verbose(folder: Path) -> None:
    import warnings

    import numpy as np
    from sklearn.linear_model import SGDRegressor  # type: ignore[import-not-found,unused-ignore]
    from sklearn.neural_network import MLPRegressor  # type: ignore[import-not-found,unused-ignore]

    rng = np.random.default_rng(1)
    x = rng.normal(size=(300, 5))
    y = x[:, 0] * 2 + rng.normal(size=300) * 0.1
    told = io.StringIO()
    with contextlib.redirect_stdout(told), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        MLPRegressor(max_iter=20, verbose=True, random_state=1).fit(x, y)
    (folder / "sklearn_mlp.log").write_text(told.getvalue(), encoding="utf-8")
    # Cython prints past sys.stdout
    with (folder / "sklearn_sgd.log").open("w", encoding="utf-8") as file, onto(file.fileno()):
        SGDRegressor(max_iter=8, tol=None, verbose=1, random_state=1).fit(x, y)


@contextlib.contextmanager
def onto(file: int) -> Iterator[None]:
    """Standard output of this process, C's included, goes to a file."""
    sys.stdout.flush()
    before = os.dup(1)
    os.dup2(file, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(before, 1)
        os.close(before)


def catboost_rounds(folder: Path) -> None:
    import numpy as np
    from catboost import CatBoostRegressor  # type: ignore[import-not-found,unused-ignore]

    rng = np.random.default_rng(1)
    x = rng.normal(size=(300, 5))
    y = x[:, 0] * 2 + rng.normal(size=300) * 0.1
    told = io.StringIO()
    model = CatBoostRegressor(iterations=20, verbose=1, thread_count=1, allow_writing_files=False)
    model.fit(x[:200], y[:200], eval_set=(x[200:], y[200:]), log_cout=told)
    (folder / "catboost.log").write_text(told.getvalue(), encoding="utf-8")


if __name__ == "__main__":
    into = Path(sys.argv[1])
    for make in (
        tqdm_bars,
        xgboost_rounds,
        lightgbm_rounds,
        standard_library,
        keras_fit,
        transformers_trainer,
        loggers,
        sklearn_verbose,
        catboost_rounds,
    ):
        if len(sys.argv) < 3 or make.__name__ in sys.argv[2:]:
            make(into)
