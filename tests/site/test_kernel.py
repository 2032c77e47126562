"""The same widgets in JupyterLab, in a real browser, answered by a real Python kernel."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

CODE = """
from vec2gpt.widgets.softmax import softmax_widget
widget = softmax_widget({"mat": 2.0, "sofa": 1.0, "roof": 0.5})
widget
"""
EDIT = """
widget.modules["model"].forward = lambda logits, temperature: (logits * 0 + 0.25, logits.sum(-1) * 0)
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A JupyterLab with one notebook; its address."""
    home = tmp_path_factory.mktemp("lab")
    cells = [new_code_cell(CODE), new_code_cell(EDIT)]
    notebook = new_notebook(
        cells=cells,
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    nbformat.write(notebook, home / "try.ipynb")
    port = free_port()
    options = [
        "--no-browser",
        "--allow-root",
        f"--port={port}",
        "--ServerApp.ip=127.0.0.1",
        "--IdentityProvider.token=",
        "--LabApp.news_url=None",
    ]
    options += [
        "--ServerApp.port_retries=0",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    quiet = {
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "spaces"),
    }
    environment = {k: v for k, v in os.environ.items() if k != "VEC2GPT_SITE"} | quiet
    log = open(home / "log", "w")  # noqa: SIM115
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *options], cwd=home, env=environment, stdout=log, stderr=log
    )
    address = f"http://127.0.0.1:{port}/"
    for _ in range(120):
        try:
            urllib.request.urlopen(address + "api", timeout=1).read()
            break
        except OSError:
            time.sleep(0.5)
    else:
        pytest.fail("JupyterLab did not start:\n" + (home / "log").read_text()[-2000:])
    yield address
    server.terminate()
    server.wait(20)


def test_in_jupyterlab_the_kernel_computes(lab, browser):
    context = browser.new_context(viewport={"width": 1300, "height": 900})
    page = context.new_page()
    errors, foreign = [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.route(
        "**/*",
        lambda route: (
            route.continue_()
            if route.request.url.startswith((lab, "data:", "blob:"))
            else (foreign.append(route.request.url), route.abort())
        ),
    )
    page.goto(lab + "lab/tree/try.ipynb?reset")
    page.get_by_text("| Idle").wait_for(timeout=90_000)  # a cell run before the kernel listens is lost
    page.get_by_text("softmax_widget({").first.click()
    page.keyboard.press("Shift+Enter")
    root = page.locator(".v2g")
    root.wait_for(timeout=90_000)
    page.wait_for_function("document.querySelector('.v2g').dataset.who === 'kernel'", timeout=60_000)
    assert "computed by the Python kernel" in page.locator(".v2g-who").first.inner_text()

    def slide(value: str):
        before = int(root.get_attribute("data-answers") or 0)
        page.locator(".v2g [name=temperature]").fill(value)
        page.wait_for_function(
            f"+(document.querySelector('.v2g').dataset.answers ?? 0) > {before}", timeout=30_000
        )
        return json.loads(
            root.evaluate("root => JSON.stringify([...root.context.result.probabilities.data])")
        )

    assert slide("5")[0] == pytest.approx(0.3907, abs=1e-3)  # softmax([2, 1, ½] / 5)
    assert root.get_attribute("data-problem") is None

    page.keyboard.press("Escape")
    page.get_by_text("widget.modules[").first.click()  # an edited model gives edited answers
    page.keyboard.press("Shift+Enter")
    page.wait_for_timeout(1500)
    assert slide("4") == pytest.approx([0.25, 0.25, 0.25])
    assert not errors, errors
    assert not foreign, foreign
    context.close()
