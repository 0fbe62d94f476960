"""The whole product, started as a person starts it, and what the journey's tests share."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request

import pytest

HOME = pathlib.Path(__file__).resolve().parent.parent
READY_SECONDS = 120
QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]


class Stack:
    """One `./runcast up`, in a process of its own with a state folder of its own."""

    def __init__(self, folder, *options):
        self.folder = pathlib.Path(folder)
        self.options = options
        self.environment = {**os.environ, "XDG_STATE_HOME": str(self.folder / "state"), "RUNCAST_DEBUG": "1"}
        for name in ("RUNCAST_SERVER", "RUNCAST_INGEST", "RUNCAST_TOKEN"):
            self.environment.pop(name, None)
        self.addresses = {}
        self.process = None

    def start(self):
        self.log = open(self.folder / "up.log", "ab")
        self.process = subprocess.Popen(
            [HOME / "runcast", "up", "--data", self.folder / "data", *self.options],
            cwd=HOME, env=self.environment, stdout=self.log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        file = self.folder / "state" / "runcast" / "local-stack.properties"
        await_that(lambda: self.process.poll() is not None or self._says_its_pid(file),
                   READY_SECONDS, lambda: f"the stack to be ready:\n{self.output()}")
        assert self.process.poll() is None, self.output()
        self.addresses = properties(file)
        return self

    def _says_its_pid(self, file):
        return file.exists() and properties(file).get("pid") == str(self.process.pid)

    def output(self):
        return (self.folder / "up.log").read_text(errors="replace")[-4000:]

    def stop(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(60)
        return self.process.returncode

    def runcast(self, *words, check=True, **options):
        done = subprocess.run([HOME / "runcast", *map(str, words)], cwd=HOME, env=self.environment, text=True,
                              capture_output=True, timeout=300, stdin=subprocess.DEVNULL, **options)
        assert not check or done.returncode == 0, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def url(self, path):
        return f"http://{self.addresses['api.http']}{path}"

    def get(self, path, **headers):
        """(status, parsed JSON) of a GET."""
        request = urllib.request.Request(self.url(path), headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                body = response.read()
                return response.status, json.loads(body) if body else None
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def pages(self, path, key):
        """All elements of a paged list."""
        token, elements = "", []
        while True:
            status, page = self.get(f"{path}{'&' if '?' in path else '?'}pageSize=200&pageToken={token}")
            assert status == 200, page
            elements += page.get(key, [])
            token = page.get("nextPageToken", "")
            if not token:
                return elements

    def ended(self, execution):
        status, body = self.get(f"/v1/executions/{execution}")
        return status == 200 and "endedAt" in body and body


def properties(file):
    lines = (line.split("=", 1) for line in file.read_text().splitlines() if "=" in line and not line.startswith("#"))
    return {key.strip(): value.strip().replace("\\:", ":") for key, value in lines}


def await_that(condition, seconds, what):
    """The condition's first true value; fails with `what` after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {seconds} s for {what() if callable(what) else what}"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def stack(tmp_path_factory):
    running = Stack(tmp_path_factory.mktemp("stack")).start()
    yield running
    assert running.stop() in (0, 143), running.output()


@pytest.fixture
def own_stack(tmp_path):
    """For tests that stop, kill or configure it."""
    started = []

    def start(*options, folder=tmp_path):
        started.append(Stack(folder, *options))
        return started[-1].start()

    yield start
    for each in started:
        each.stop(signal.SIGKILL)


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        launched = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield launched
        launched.close()
