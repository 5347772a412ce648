"""The process that makes a PDF, for `chat.exporting.pdf`: a Typst template and, by standard input, its data."""

from __future__ import annotations

import resource
import sys
from importlib.resources import files
from pathlib import Path

import typst

ADDRESSES = 2 << 30
"""Bytes of virtual memory, of which some 100 MB are used."""

FONTS = (str(files("noto_cjk_sans_otc")), str(files("fontpkg_noto_sans_arabic") / "files"))


def main(template: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    fonts = typst.Fonts(include_system_fonts=False, font_paths=list(FONTS))
    data = {"answer": sys.stdin.buffer.read().decode()}
    made = typst.compile(Path(template).read_bytes(), font_paths=fonts, ignore_system_fonts=True, sys_inputs=data)
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    main(sys.argv[1])
