"""An answer as a web page of its own: one file, without a script, and without anything to be fetched."""

from __future__ import annotations

from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from chat.exporting.exported import Exported
from chat.markdown import render


def page(answer: Exported) -> str:
    text = mark_safe(render(answer.text, answer.numbers, answer.marks))
    return render_to_string("chat/export.html", {"answer": answer, "text": text})
