"""What people and programs get wrong, from outside: each is answered, and a run beside it goes on."""
import base64
import errno
import json
import os
import pathlib
import random
import re
import socket
import subprocess
import uuid

import pytest

from conftest import HOME, Stack, await_that

HOSTILE = "\0\u0001\u001b[31m \u202eשלום\u202c العربية $set .a a.$b {\"$where\": 1} \ufeff\u2028\u2029 🚆 </script>"


def grpcurl(stack, method, body, door="ingest.grpc"):
    """(exit code, all that was said) of one call whose request is this text."""
    tool = pathlib.Path(os.environ.get("TOOLS", HOME / "build-support" / ".tools")) / "bin" / "grpcurl"
    done = subprocess.run([tool, "-plaintext", "-d", body, stack.addresses[door], f"runcast.v1.{method}"],
                          capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def batch(execution, request, update, **more):
    return json.dumps({"batch": {"executionId": execution, "writer": {"kind": "WRITER_KIND_RUNNER"},
                                 "requestId": request, "updates": [update], **more}})


COMPLETED = {"phaseChanged": {"phase": "PHASE_COMPLETED"}}


@pytest.fixture(autouse=True)
def a_run_beside_it_goes_on(stack):
    """Before and after: another execution takes an update, and shows it."""
    name = f"beside-{uuid.uuid4()}"
    for number in (1, 2):
        if number == 2:
            yield
        code, said = grpcurl(stack, "IngestService/PublishUpdate", batch(name, f"r{number}", {
            "entryUpserted": {"entry": {"entryId": f"m{number}", "message": {"role": "ROLE_AI", "text": "on"}}}}))
        assert code == 0, said
        await_that(lambda: stack.get(f"/v1/executions/{name}")[1].get("version") == str(number), 30, "the neighbour")


@pytest.mark.parametrize("number", ["9223372036854775808", "-9223372036854775809", "1e30", "0.5", '"x"'])
def test_a_number_that_is_none_of_64_bits_is_refused_before_it_is_sent(stack, number):
    body = batch("numbers", "r1", COMPLETED).replace('"requestId": "r1"', f'"requestId": "r1", "epoch": {number}')
    code, said = grpcurl(stack, "IngestService/PublishUpdate", body)
    assert code != 0 and "epoch" in said or number.strip('"') in said, said
    assert stack.get("/v1/executions/numbers")[0] == 404


def test_an_epoch_of_the_largest_number_is_refused_with_field_value_and_expectation(stack):
    code, said = grpcurl(stack, "IngestService/PublishUpdate",
                         batch("numbers", "r1", COMPLETED, epoch="9223372036854775807"))
    # grpcurl shows error details as base64, since it learns only of the service's own messages.
    details = b"".join(base64.b64decode(value) for value in re.findall(r'"@value": "([^"]*)"', said))
    assert code != 0 and "InvalidArgument" in said and b"EPOCH_AHEAD" in details, said
    assert "epoch: 9223372036854775807 (expected: at most " in said


def test_an_enum_value_nobody_knows_is_refused(stack):
    code, said = grpcurl(stack, "IngestService/PublishUpdate", batch("enums", "r1", {"phaseChanged": {"phase": 99}}))
    assert code != 0 and "InvalidArgument" in said and "phase" in said, said
    assert stack.get("/v1/executions/enums")[0] == 404


def test_ten_thousand_levels_of_json_end_in_an_error_not_in_the_server(stack):
    code, said = grpcurl(stack, "IngestService/PublishUpdate", '{"batch":' * 10_000 + "{}" + "}" * 10_000)
    assert code != 0, said


def test_hostile_text_comes_back_byte_for_byte_from_every_door(stack):
    keys = {"a.b": HOSTILE, "a/$b".replace("$", "-"): "$set", "x": "\0"}
    code, said = grpcurl(stack, "IngestService/PublishUpdate", batch("hostile", "r1", {
        "executionPatched": {"labels": keys, "context": keys}}))
    assert code == 0, said
    for number, body in enumerate((
            {"message": {"role": "ROLE_AI", "text": HOSTILE, "name": "\u202e$a.b\0"}},
            {"toolCall": {"name": "$where.a\0", "arguments": HOSTILE, "result": HOSTILE}})):
        code, said = grpcurl(stack, "IngestService/PublishUpdate", batch("hostile", f"e{number}", {
            "entryUpserted": {"entry": {"entryId": f"e{number}", "state": "ENTRY_STATE_COMPLETED", **body}}}))
        assert code == 0, said
    assert grpcurl(stack, "IngestService/PublishUpdate", batch("hostile", "end", COMPLETED))[0] == 0
    execution = await_that(lambda: stack.ended("hostile"), 30, "the hostile run to end")
    assert execution["attributes"]["labels"] == keys and execution["attributes"]["context"] == keys
    message, call = stack.pages("/v1/executions/hostile/entries", "entries")
    assert message["message"]["text"] == HOSTILE and message["message"]["name"] == "\u202e$a.b\0"
    assert call["toolCall"]["arguments"] == HOSTILE and call["toolCall"]["result"] == HOSTILE
    changes = stack.pages("/v1/executions/hostile/changes", "changes")
    assert [text["text"] for change in changes for text in change["texts"]] == [HOSTILE] * 3
    shown = stack.runcast("get", "hostile").stdout + stack.runcast("watch", "hostile").stdout
    assert "שלום" in shown and "\x1b[31m" not in shown and "\0" not in shown and "\u202e" not in shown


def test_half_a_character_is_refused_or_replaced_before_it_is_sent(stack):
    body = batch("surrogate", "r1", {"entryUpserted": {"entry": {
        "entryId": "m1", "message": {"role": "ROLE_AI", "text": "HALF"}}}}).replace("HALF", "\\ud800")
    code, said = grpcurl(stack, "IngestService/PublishUpdate", body)
    if code == 0:
        await_that(lambda: stack.get("/v1/executions/surrogate")[0] == 200, 30, "it to be stored")
        assert stack.pages("/v1/executions/surrogate/entries", "entries")[0]["message"]["text"] == "\ufffd"
    else:
        assert "surrogate" in said or "UTF" in said or "escape" in said, said


@pytest.mark.parametrize("bytes", [b"\0" * 100, b"GET / HTTP/1.1\r\n\r\n", random.Random(1).randbytes(4096), b"\x16\x03\x01\x02\x00" * 50],
                         ids=["zeros", "HTTP", "noise", "TLS"])
@pytest.mark.parametrize("door", ["ingest.grpc", "api.http", "api.grpc"])
def test_bytes_of_another_protocol_end_that_connection_only(stack, door, bytes):
    host, port = stack.addresses[door].rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        try:
            connection.sendall(bytes)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
        except OSError as ended:
            # The door may end it while it is still being written to; only silence is wrong.
            assert ended.errno in (errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN), ended


def test_garbage_null_values_and_wrong_keys_in_every_topic_hold_up_nobody(own_stack):
    stack = own_stack()
    keys = (b"default/garbage", b"no-slash", b"a/b/c", b"/", b"default/$a.b", b"")
    for topic in ("updates", "heartbeats", "changes", "executions", "rejected", "signals"):
        for partition in range(4):
            # Empty means null, as a key and as a value; a compacted topic takes no record without a key.
            records = [key + b"|" + value for key in keys for value in (b"\xff\x00\x01 nothing that can be read", b"")
                       if key or topic not in ("executions", "signals")]
            subprocess.run(["kcat", "-P", "-b", stack.addresses["kafka"], "-t", f"runcast.{topic}.v1", "-p", str(partition),
                            "-K|", "-Z"], input=b"\n".join(records) + b"\n", check=True, timeout=30)
    found = await_that(lambda: stack.get("/v1/executions/garbage/rejected")[1].get("rejectedUpdates"), 60,
                       "the rejections of what has a key that can be read")
    assert any("bytes that are not a message of runcast.updates.v1" in each["message"] for each in found)
    assert all(each["reason"] == "REJECTION_REASON_INVALID" for each in found)


def up(folder, data, *before):
    stack = Stack(folder)
    return subprocess.run([*before, HOME / "runcast", "up", "--data", str(data)], cwd=HOME, env=stack.environment,
                          text=True, capture_output=True, timeout=170, stdin=subprocess.DEVNULL)


def test_a_data_folder_that_is_read_only_is_refused_with_its_name(tmp_path):
    # Nobody can write there, root included.
    done = up(tmp_path, "/proc/runcast")
    assert done.returncode == 1 and "/proc/runcast" in done.stderr and "(expected: " in done.stderr, done.stderr


def test_a_data_folder_that_is_a_file_is_refused_with_its_name(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("mine")
    done = up(tmp_path, file)
    assert done.returncode == 1 and str(file) in done.stderr and "(expected: " in done.stderr, done.stderr
    assert file.read_text() == "mine"


def test_a_data_folder_that_is_full_ends_the_start_and_leaves_nothing_running(tmp_path):
    """Full for this process: no file may grow beyond 16 KB, as when the disk has no more to give."""
    done = up(tmp_path, tmp_path / "data", "prlimit", "--fsize=16384", "--")
    assert done.returncode not in (0, 2), done.stdout + done.stderr
    log = re.search(r"More is in (\S+)", done.stderr).group(1)
    assert "Kafka did not start" in done.stderr and "File too large" in pathlib.Path(log).read_text(), done.stderr
    left = subprocess.run(["pgrep", "-f", str(tmp_path / "data")], capture_output=True, text=True).stdout
    assert not left, left
    # With room again the same folder starts.
    stack = Stack(tmp_path).start()
    assert stack.stop() in (0, 143)
