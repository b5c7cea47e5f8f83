"""Printing in other processes and threads: the same bytes, and bounded memory."""

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from invoicing.documents import render
from tests.builders import documents

PRINT_ONE = """
import django, hashlib
django.setup()
from invoicing.documents import render
from tests.builders import documents
print(hashlib.sha256(render.render_pdf(documents.document())).hexdigest())
"""
PRINT_TEN_THOUSAND_LINES = """
import django, pathlib
django.setup()
from invoicing.documents import render
from tests.builders import documents
lines = tuple(documents.line(position=number) for number in range(1, 10_001))
render.render_pdf(documents.document(lines=lines))
status = dict(line.split(':', 1) for line in pathlib.Path('/proc/self/status').read_text().splitlines())
print(int(status['VmHWM'].split()[0]) // 1024)  # ru_maxrss would count what the parent used before exec
"""


def run_python(program: str, **environment: str) -> str:
    """The output of another Python with this project's settings."""
    settings = {"DJANGO_SETTINGS_MODULE": "billing_ops.settings", **environment}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env=os.environ | settings, check=True, capture_output=True, text=True).stdout.strip()


def test_another_process_prints_the_same_bytes() -> None:
    here = hashlib.sha256(render.render_pdf(documents.document())).hexdigest()
    assert run_python(PRINT_ONE, PYTHONHASHSEED="1") == here  # this one's seed is another


def test_threads_that_print_at_once_do_not_disturb_each_other() -> None:
    numbers = [f"INV-{number}" for number in range(8)]

    def print_one(number: str) -> bytes:
        return render.render_pdf(documents.document(number=number))

    alone = [print_one(number) for number in numbers]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(print_one, numbers)) == alone


def test_ten_thousand_lines_take_less_than_256_mib() -> None:
    assert int(run_python(PRINT_TEN_THOUSAND_LINES)) < 256
