"""Watching: over SSE with cuts and resumes, and in a terminal."""
import http.client
import json
import os
import pty
import re
import select
import threading
import time
import urllib.parse

import pytest

import recordings
from conftest import await_that


class Events:
    """A server-sent event stream, read frame by frame (WHATWG HTML, 9.2)."""

    def __init__(self, stack, execution, last_event_id=None, begin_within=None):
        where = urllib.parse.urlsplit(stack.url(f"/v1/executions/{execution}:watch"))
        path = where.path + (f"?beginWithin={begin_within}" if begin_within else "")
        self.connection = http.client.HTTPConnection(where.hostname, where.port, timeout=60)
        headers = {"Accept": "text/event-stream"}
        if last_event_id:
            headers["Last-Event-ID"] = last_event_id
        self.connection.request("GET", path, headers=headers)
        self.response = self.connection.getresponse()
        self.status = self.response.status

    def __iter__(self):
        frame = {}
        for raw in self.response:
            line = raw.decode().rstrip("\n").rstrip("\r")
            if not line and "data" in frame:
                yield frame.get("event"), frame.get("id"), json.loads(frame["data"])
                frame = {}
            elif not line.startswith(":") and line:
                field, _, value = line.partition(":")
                frame[field] = frame.get(field, "") + value.removeprefix(" ")

    def close(self):
        self.connection.close()


def test_a_watch_that_waits_sees_the_execution_from_its_first_version(stack):
    seen = []
    viewer = threading.Thread(target=lambda: seen.extend(Events(stack, "awaited", begin_within="50s")))
    viewer.start()
    assert Events(stack, "awaited").status == 404, "who does not wait is told at once"
    done = stack.runcast("create", "script", "--id", "awaited", "--watch", "--exit-status", "--input",
                         "[{say: one}, {say: two}]")
    assert done.stdout.startswith("awaited is created; it is PENDING.\n") and "ai: two\n" in done.stdout
    viewer.join(60)
    assert seen[0][0] == "snapshot" and seen[0][2]["execution"]["version"] == "1", seen[:1]
    assert seen[-1][0] == "done"
    covered = [1] + [version for event, _, data in seen if event == "change" for version in versions(data)]
    assert covered == list(range(1, int(seen[-1][2]["version"]) + 1)), covered


def versions(change):
    return range(int(change["firstVersion"]), int(change["version"]) + 1)


@pytest.fixture
def running(stack, tmp_path, request):
    """An execution that runs for some seconds, as a person's agent does."""
    name = re.sub(r"[^a-zA-Z0-9]+", "-", request.node.name)[:50].strip("-")
    file = recordings.write(tmp_path / "slow.jsonl", [recordings.conversation(name, 11, turns=8)])
    player = threading.Thread(target=lambda: stack.runcast("play", file, "--speed", 4))
    player.start()
    await_that(lambda: stack.get(f"/v1/executions/{name}")[0] == 200, 60, "the execution to appear")
    yield name
    player.join()


def test_a_watch_that_is_cut_and_resumed_misses_and_repeats_nothing(stack, running):
    covered, cursor, reached, cuts, done = [], None, 0, 0, None
    while done is None:
        events = Events(stack, running, cursor)
        if events.status == 204:  # the cut came between the last change and the end
            done = stack.ended(running)
            break
        assert events.status == 200
        for number, (event, identity, data) in enumerate(events):
            cursor = identity or cursor
            if event == "snapshot":
                assert cuts == 0, "a resumed watch goes on; it does not begin again"
                reached = int(data["execution"]["version"]) if "execution" in data else reached
            elif event == "change":
                covered += versions(data)
            elif event == "done":
                done = data
                break
            if number == 3 and cuts < 20:
                break
        events.close()
        cuts += 1
    assert cuts > 2
    assert covered == list(range(reached + 1, int(done["version"]) + 1))
    assert done["phase"] == "PHASE_COMPLETED"
    after = Events(stack, running, cursor)
    assert after.status == 204, "nothing more can come"


def test_an_ended_execution_is_a_snapshot_and_done(stack, tmp_path):
    stack.runcast("play", recordings.write(tmp_path / "one.jsonl", [recordings.conversation("over", 12)]), "--fast")
    kinds = [event for event, _, _ in Events(stack, "over")]
    assert kinds[-1] == "done" and set(kinds[:-1]) == {"snapshot"}


def test_an_older_cursor_gets_what_came_after_it_and_then_the_end(stack, running):
    events = Events(stack, running)
    old = next(identity for _, identity, _ in events if identity)
    events.close()
    await_that(lambda: stack.ended(running), 60, "the execution to end")
    kinds = [event for event, _, _ in Events(stack, running, old)]
    assert kinds[-1] == "done" and "snapshot" not in kinds and "change" in kinds


def test_an_unknown_execution_is_not_found_and_a_garbled_cursor_is_refused(stack, running):
    status, error = stack.get("/v1/executions/nobody:watch", Accept="text/event-stream")
    assert status == 404 and "nobody" in error["message"]
    events = Events(stack, running, "garbage")
    assert events.status == 400


def test_watch_prints_plain_lines_into_a_pipe(stack, running):
    watched = stack.runcast("watch", running)
    assert "== COMPLETED" in watched.stdout and "\x1b[" not in watched.stdout


def test_watch_draws_in_a_terminal_and_leaves_the_whole_transcript(stack, running):
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(stack.environment, TERM="xterm-256color", COLUMNS="100", LINES="30")
        os.execv(str(stack_home() / "runcast"), ["runcast", "watch", running])
    screen = b""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                piece = os.read(terminal, 65536)
            except OSError:
                break
            if not piece:
                break
            screen += piece
    _, status = os.waitpid(pid, 0)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.decode(errors="replace"))
    assert os.waitstatus_to_exitcode(status) == 0, text
    assert "COMPLETED" in text and "human:" in text and "\x1b[" in screen.decode(errors="replace")


def test_watch_of_the_newest_one(stack, running):
    assert "== COMPLETED" in stack.runcast("watch", "@latest").stdout


def stack_home():
    from conftest import HOME
    return HOME
