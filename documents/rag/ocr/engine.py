"""The models that find lines of text in a picture and read them (PP-OCRv6, by RapidOCR), as their wheel brings them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rapidocr import RapidOCR
from rapidocr.main import RapidOCRError

from documents.rag.parsing.pictures import Pixels

_TALL = 1.5
"""From how many times its width a line's height makes it one that runs down or up the page."""

_LEGIBLE = 0.5
"""How confident the recogniser is of a text worth keeping."""

LONGEST = 2_000
"""Pixels of a picture's longer side: some 170 dots an inch on A4, where no error is left; more only takes longer."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text: `box` is its left, top, right and bottom in pixels.

    `turns` is how its text is turned against the page, in quarters clockwise: 1 runs down the page, 2 stands on its
    head, 3 runs up.
    """

    text: str
    box: tuple[float, float, float, float]
    turns: int


class Engine:
    """Reads pictures; takes a second to make."""

    def __init__(self) -> None:
        # By their paths: otherwise it would look for them, and fetch what it doesn't find.
        paths = {f"{task}.model_path": str(_model(name)) for task, name in _MODELS.items()}
        self._ocr = RapidOCR(params=paths | {"Global.log_level": "critical"})

    def lines(self, pixels: Pixels) -> list[Line]:
        """The lines of a picture, of at most LONGEST pixels a side. They are in no order to rely on."""
        padding: dict[str, dict[str, int]] = {}
        # Called as a whole it would turn each line by itself, of which it misjudges some.
        try:
            parts, found = self._ocr.detect_and_crop(pixels, padding)
        except RapidOCRError:  # There is none.
            return []
        _, judged = self._ocr.cls_and_rotate(parts)
        assert found.boxes is not None
        assert judged.cls_res is not None
        turns = _turns([_is_tall(corners) for corners in found.boxes], parts, judged.cls_res)
        read = self._ocr.recognize_txt([np.rot90(part, turn & 2) for part, turn in zip(parts, turns, strict=True)])
        assert read.txts is not None
        boxes = found.boxes - [0, padding["padding_1"]["top"]]
        return [
            _line(text.strip(), corners, turn)
            for corners, turn, text, score in zip(boxes, turns, read.txts, read.scores, strict=True)
            if text.strip() and score >= _LEGIBLE
        ]


def _line(text: str, corners: NDArray[np.float32], turns: int) -> Line:
    left, top = corners.min(axis=0).tolist()
    right, bottom = corners.max(axis=0).tolist()
    return Line(text, (left, top, right, bottom), turns)


def _is_tall(corners: NDArray[np.float32]) -> bool:
    """Whether the line was laid on its left side to be read, which is done by its shape."""
    width = np.linalg.norm(corners[0] - corners[1])
    return bool(np.linalg.norm(corners[0] - corners[3]) >= _TALL * width)


def _turns(tall: Sequence[bool], parts: Sequence[Pixels], judged: Sequence[tuple[str, float]]) -> list[int]:
    """How each line is turned: those of a shape all alike, as most of them are judged to be, the long ones more."""
    votes = {True: 0.0, False: 0.0}
    for is_tall, part, (label, score) in zip(tall, parts, judged, strict=True):
        votes[is_tall] += part.shape[1] * score * (1 if label == "180" else -1)
    return [is_tall + 2 * (votes[is_tall] > 0) for is_tall in tall]


_MODELS = {
    "Det": "PP-OCRv6_det_small.onnx",
    "Cls": "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
    "Rec": "PP-OCRv6_rec_small.onnx",
}


def _model(name: str) -> Path:
    return Path(str(distribution("rapidocr").locate_file(f"rapidocr/models/{name}")))
