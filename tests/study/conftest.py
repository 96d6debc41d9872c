import base64
import fcntl
import json
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medaug.data.store import ImageStore, StoreWriter
from medaug.study.choice import ChoiceSettings
from medaug.study.page import make_study
from medaug.task import Task

CLASSES = ("acne", "eczema", "melanoma")
TASK = Task("multiclass", CLASSES, high_risk=("melanoma",))


def make_store(
    path: Path, conditions: list[str], *, synthetic=False, sizes=(8,), channels=3, phantom=False, **columns
) -> ImageStore:
    """A store of which each image shows one condition; its pixels are noise."""
    count = len(conditions)
    content = {
        "image_id": [f"{path.name}-{i}" for i in range(count)],
        "file": [f"private/name-{i}.png" for i in range(count)],
        "patient_id": [f"JANE-DOE-{i}" for i in range(count)],
        "domain": "site",
        "split": "train",
        **{f"label:{name}": [float(c == name) for c in conditions] for name in CLASSES},
        "synthetic": synthetic,
    }
    table = pd.DataFrame({**content, **columns})
    writer = StoreWriter(path, TASK, table, sizes, channels)
    generator = np.random.default_rng(count)
    images = {s: generator.integers(0, 256, (count, s, s, channels), dtype=np.uint8) for s in sizes}
    writer.write(range(count), images)
    return writer.finish({"phantom": phantom})


@pytest.fixture
def new_store(tmp_path):
    return lambda name, *arguments, **options: make_store(tmp_path / name, *arguments, **options)


@pytest.fixture
def stores(new_store):
    """A real and a synthetic store with five images of each condition."""
    return [new_store("real", list(CLASSES) * 5), new_store("synthetic", list(CLASSES) * 5, synthetic=True)]


@pytest.fixture
def study(stores, tmp_path):
    """A finished study of one real and one synthetic image of each condition: its page and its key."""
    page = tmp_path / "study.html"
    diagnoses = tmp_path / "list.csv"
    diagnoses.write_text(
        "condition,class\nLentigo maligna,melanoma\nPompholyx,eczema\nMénière,other\n", "utf-8"
    )
    settings = ChoiceSettings(images_per_class=1, seed=3)
    return page, make_study(page, stores, settings, title="Pilot & more", diagnoses=diagnoses)


class Browser:
    """A headless Chromium, told over a pipe (DevTools protocol) to press real keys and buttons."""

    def __init__(self, program: str, folder: Path) -> None:
        there, self._to = os.pipe()
        self._from, back = os.pipe()
        # Chromium reads commands from descriptor 3 and writes to 4; keep clear of them until it starts.
        high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (there, back)]
        actions = [(os.POSIX_SPAWN_DUP2, end, n) for end, n in zip(high, (3, 4), strict=True)]
        actions += [(os.POSIX_SPAWN_OPEN, n, os.devnull, os.O_RDWR, 0) for n in (0, 1, 2)]
        arguments = [
            *("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"),
            *("--remote-debugging-pipe", f"--user-data-dir={folder / 'profile'}"),
        ]
        self._process = os.posix_spawn(program, [program, *arguments], os.environ, file_actions=actions)
        for end in (there, back, *high):
            os.close(end)
        self._number, self._buffer, self._session, self._context = 0, b"", None, None

    def begin(self, downloads: Path) -> None:
        """Open a tab of its own, with nothing stored and nothing downloaded yet."""
        self.downloads, self.events = downloads, []
        self._context = self.call("Target.createBrowserContext")["browserContextId"]
        own = {"browserContextId": self._context}
        self.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(downloads), **own)
        target = self.call("Target.createTarget", url="about:blank", **own)["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.resize(1280, 800)

    def end(self) -> None:
        """Close the tab and forget what it stored."""
        self._session = None
        self.call("Target.disposeBrowserContext", browserContextId=self._context)

    def call(self, method: str, **parameters):
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def _read(self) -> dict:
        while b"\0" not in self._buffer:
            part = os.read(self._from, 1 << 20)
            assert part, "Chromium has ended"
            self._buffer += part
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def run(self, script: str):
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def open(self, page: Path) -> None:
        """Open a page, or load it anew, and wait until its script has run."""
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=page.as_uri())
        self.wait("location.protocol === 'file:' && document.readyState === 'complete'")

    def wait(self, condition: str, seconds: float = 20.0) -> None:
        end = time.monotonic() + seconds
        while not self.run(f"Boolean({condition})"):
            assert time.monotonic() < end, f"never true: {condition}"
            time.sleep(0.02)

    def resize(self, width: int, height: int) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **metrics)

    def picture(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def type(self, text: str) -> None:
        for letter in text:
            self.press(letter)

    def press(self, *keys: str) -> None:
        codes = {"Enter": 13, "Tab": 9, "ArrowDown": 40, "ArrowUp": 38, "Escape": 27, "Backspace": 8}
        for key in keys:
            event = {"key": key, "windowsVirtualKeyCode": codes.get(key, 0)}
            text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
            self.call("Input.dispatchKeyEvent", type="keyDown", **event, **({"text": text} if text else {}))
            self.call("Input.dispatchKeyEvent", type="keyUp", **event)

    def click(self, element: str) -> None:
        """Click with the mouse into the middle of what a script expression gives."""
        box = self.run(
            f"(e => {{ e.scrollIntoView({{block: 'center'}}); const b = e.getBoundingClientRect();"
            f"return [b.x + b.width / 2, b.y + b.height / 2]; }})({element})"
        )
        place = {"x": box[0], "y": box[1], "button": "left", "clickCount": 1}
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=box[0], y=box[1])
        self.call("Input.dispatchMouseEvent", type="mousePressed", **place)
        self.call("Input.dispatchMouseEvent", type="mouseReleased", **place)

    def downloaded(self) -> list[Path]:
        end = time.monotonic() + 20
        while not (found := sorted(self.downloads.glob("*.json"))):
            assert time.monotonic() < end, "nothing was downloaded"
            time.sleep(0.05)
        return found

    def complaints(self) -> list[dict]:
        """Errors that the page made, and requests that left it."""
        bad = ("Runtime.exceptionThrown", "Log.entryAdded")
        found = [event for event in self.events if event.get("method") in bad]
        asked = [e for e in self.events if e.get("method") == "Network.requestWillBeSent"]
        urls = [e["params"]["request"]["url"] for e in asked]
        return found + [u for u in urls if u.split(":")[0] not in ("file", "data", "blob", "about")]

    def close(self) -> None:
        self.call("Browser.close")
        os.waitpid(self._process, 0)
        os.close(self._to)
        os.close(self._from)


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no Chromium")
    started = Browser(program, tmp_path_factory.mktemp("chromium"))
    yield started
    started.close()


@pytest.fixture
def browser(chromium, tmp_path):
    chromium.begin(tmp_path / "downloads")
    yield chromium
    chromium.end()
