"""Starting, stopping and being killed; who may see what; what is said when it cannot start."""
import concurrent.futures
import contextlib
import signal
import socket

import recordings
from conftest import HOME, Stack, await_that


def test_all_is_still_there_after_a_stop_and_a_start(own_stack, tmp_path):
    conversations = [recordings.conversation(f"kept-{n}", n) for n in range(3)]
    file = recordings.write(tmp_path / "kept.jsonl", conversations)
    first = own_stack()
    first.runcast("play", file, "--fast")
    assert first.stop() in (0, 143)
    second = own_stack()
    for conversation in conversations:
        name = conversation["conversation_id"]
        assert recordings.seen(second.pages(f"/v1/executions/{name}/entries", "entries")) == recordings.expected(conversation)
    assert "3 already ended" in second.runcast("play", file, "--fast").stdout


def test_what_was_acknowledged_survives_kill_9(own_stack, tmp_path):
    conversations = [recordings.conversation(f"killed-{n}", 100 + n) for n in range(3)]
    file = recordings.write(tmp_path / "killed.jsonl", conversations)
    first = own_stack()
    first.runcast("play", file, "--fast")
    first.stop(signal.SIGKILL)
    second = own_stack()
    for conversation in conversations:
        name = conversation["conversation_id"]
        await_that(lambda: second.ended(name), 60, f"{name} to be repaired")
        assert recordings.seen(second.pages(f"/v1/executions/{name}/entries", "entries")) == recordings.expected(conversation)


def test_another_tenants_execution_is_not_found_on_any_route(own_stack, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("one-secret-of-red red alice operator\none-secret-of-blue blue bob operator\n")
    stack = own_stack("--tokens", str(tokens))
    file = recordings.write(tmp_path / "red.jsonl", [recordings.conversation("of-red", 5)])
    stack.runcast("play", file, "--fast", "--token", "one-secret-of-red")
    red, blue = ({"Authorization": f"Bearer one-secret-of-{name}"} for name in ("red", "blue"))
    assert stack.get("/v1/executions/of-red", **red)[0] == 200
    for route in ("", "/entries", "/changes", "/rejected", ":watch"):
        path = f"/v1/executions/of-red{route}"
        assert stack.get(path, **blue)[0] == 404, path
        assert stack.get(path)[0] == 401, path
    assert stack.get("/v1/executions", **blue)[1].get("executions", []) == []
    refused = stack.runcast("get", "of-red", "--token", "one-secret-of-blue", check=False)
    assert refused.returncode == 4 and "of-red" in refused.stderr


def test_a_taken_port_is_replaced_by_a_free_one_and_said(own_stack):
    with contextlib.ExitStack() as held:
        looks = 0

        def is_taken():
            nonlocal looks
            try:
                held.enter_context(socket.create_server(("127.0.0.1", 8090)))
                return True
            except OSError:
                # Whoever has it for a second has not only looked whether it is free, and is as good.
                looks += 1
                return looks == 20

        await_that(is_taken, 10, "port 8090 to be taken")
        stack = own_stack()
        assert not stack.addresses["api.http"].endswith(":8090")
        assert "8090" in stack.output()
        assert stack.get("/v1/executions")[0] == 200


def refused(tmp_path, *options, data):
    stack = Stack(tmp_path)
    return stack.runcast("up", "--data", data, *options, check=False)


def test_a_data_folder_that_cannot_be_written_is_refused(tmp_path):
    file = tmp_path / "a-file"
    file.write_text("not a folder")
    done = refused(tmp_path, data=file / "data")
    assert done.returncode == 1 and "a-file" in done.stderr + done.stdout


def test_a_data_folder_of_another_version_is_refused(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    (data / "VERSION").write_text("99\n")
    done = refused(tmp_path, data=data)
    assert done.returncode == 1 and "99" in done.stderr + done.stdout and "expected" in done.stderr + done.stdout


def test_a_broker_that_cannot_be_reached_is_named(tmp_path):
    done = refused(tmp_path, "--kafka", "127.0.0.1:9", data=tmp_path / "data")
    assert done.returncode == 1 and "127.0.0.1:9" in done.stderr + done.stdout


def test_a_command_without_a_server_says_how_to_start_one(tmp_path):
    stack = Stack(tmp_path)
    done = stack.runcast("list", "--server", "127.0.0.1:9", check=False)
    assert done.returncode == 69 and "./runcast up" in done.stderr


def test_a_wrong_option_shows_the_usage(tmp_path):
    done = Stack(tmp_path).runcast("play", "--sped", "2", check=False)
    assert done.returncode == 2 and "--sped" in done.stderr


def test_the_commands_work_from_another_folder(stack, tmp_path):
    import subprocess
    done = subprocess.run([HOME / "runcast", "list"], cwd=tmp_path, env=stack.environment, capture_output=True, text=True)
    assert done.returncode == 0 and "EXECUTION" in done.stdout


def test_two_stacks_that_start_at_once_get_ports_of_their_own(tmp_path):
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        folder.mkdir()
    stacks = [Stack(folder) for folder in folders]
    try:
        with concurrent.futures.ThreadPoolExecutor() as starters:
            list(starters.map(Stack.start, stacks))
        one, other = (set(stack.addresses.values()) for stack in stacks)
        assert len(one) > 5 and not one & other, (one, other)
        assert any("another stack is starting" in stack.output() for stack in stacks)
    finally:
        for stack in stacks:
            stack.stop()
