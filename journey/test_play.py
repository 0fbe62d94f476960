"""Recordings go in; the same conversations come out, byte for byte."""
import json

import pytest

import recordings


def test_every_message_and_tool_call_comes_back_byte_for_byte_and_in_order(stack, tmp_path):
    seed = 20260508
    conversations = [recordings.conversation(f"bytes-{n}", seed + n) for n in range(20)]
    played = stack.runcast("play", recordings.write(tmp_path / "many.jsonl", conversations), "--fast")
    assert "20 COMPLETED" in played.stdout, played.stdout
    for conversation in conversations:
        name = conversation["conversation_id"]
        assert stack.get(f"/v1/executions/{name}")[1]["phase"] == "PHASE_COMPLETED"
        entries = stack.pages(f"/v1/executions/{name}/entries", "entries")
        assert recordings.seen(entries) == recordings.expected(conversation), f"{name}, seed {seed}"
        versions = [int(change["version"]) for change in stack.pages(f"/v1/executions/{name}/changes", "changes")]
        assert versions == list(range(1, len(versions) + 1))
        assert stack.pages(f"/v1/executions/{name}/rejected", "rejectedUpdates") == []


def test_an_execution_that_has_ended_is_left_alone(stack, tmp_path):
    file = recordings.write(tmp_path / "one.jsonl", [recordings.conversation("left-alone", 1)])
    stack.runcast("play", file, "--fast")
    version = stack.get("/v1/executions/left-alone")[1]["version"]
    again = stack.runcast("play", file, "--fast")
    assert "1 already ended" in again.stdout, again.stdout
    status, entries = stack.get("/v1/executions/left-alone")
    assert entries["phase"] == "PHASE_COMPLETED" and entries["version"] == version


def test_runs_and_suffix_make_executions_of_their_own(stack, tmp_path):
    file = recordings.write(tmp_path / "one.jsonl", [recordings.conversation("again", 2)])
    stack.runcast("play", file, "--fast", "--runs", 3, "--suffix", "-x", "--concurrency", 2)
    ids = {execution["executionId"] for execution in stack.pages("/v1/executions", "executions")}
    assert {"again-1-x", "again-2-x", "again-3-x"} <= ids


@pytest.mark.parametrize("content, complaint", [
    ("", "no recording"),
    ("\n\n", "no recording"),
    ('{"conversation_id": "a", "messages": []}\n{"conversation_id": "b", "mess', ":2: not JSON, or cut off"),
    ("hello\n", ":1: not JSON"),
    ("[1]\n", ":1: not an object"),
    ('{"messages": []}\n', ":1: conversation_id: missing"),
    ('{"conversation_id": "a b", "messages": []}\n', ':1: conversation_id: "a b" (expected: '),
    ('{"conversation_id": "a", "messages": [{"role": "wizard", "content": ""}]}\n', 'role: "wizard" (expected: '),
    ('{"conversation_id": "a", "messages": [{"role": "user"}]}\n', "messages[0].content: missing (expected: a string)"),
], ids=["empty", "blank", "truncated", "not JSON", "not an object", "no id", "bad id", "unknown role", "no content"])
def test_a_file_that_is_no_recording_is_refused_with_its_line(stack, tmp_path, content, complaint):
    file = tmp_path / "bad.jsonl"
    file.write_text(content)
    refused = stack.runcast("play", file, "--fast", check=False)
    assert refused.returncode == 1
    assert complaint in refused.stderr, refused.stderr
    assert "Exception" not in refused.stderr.splitlines()[-1]


def test_a_file_that_does_not_exist_is_named(stack, tmp_path):
    refused = stack.runcast("play", tmp_path / "nowhere.jsonl", check=False)
    assert refused.returncode == 1 and "nowhere.jsonl: no such file" in refused.stderr


def test_get_prints_the_same_as_json(stack, tmp_path):
    conversation = recordings.conversation("as-json", 3)
    stack.runcast("play", recordings.write(tmp_path / "one.jsonl", [conversation]), "--fast")
    printed = json.loads(stack.runcast("get", "as-json", "-o", "json").stdout)
    assert printed["execution"]["phase"] == "PHASE_COMPLETED"
    assert recordings.seen(printed["entries"]) == recordings.expected(conversation)
