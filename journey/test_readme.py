"""The README's commands do what it says: each is taken from it and run."""
import os
import re
import subprocess
import sys

import pytest

from conftest import HOME, Stack, await_that

README = (HOME / "README.md").read_text()
COMMANDS = [line.split("  #")[0].strip()
            for block in re.findall(r"```sh\n(.*?)```", README, re.S) for line in block.splitlines() if line.strip()]
# Run by tests of their own, or, as Kafka's own shell script, a package that nobody has.
# The benchmarks measure for minutes; their rows are run at small scale by BenchmarksIT.
ELSEWHERE = ("./runcast demo", "./verify", "./runcast up", "./runcast bench", "kafka-console-consumer.sh")


def test_the_first_screen_shows_the_two_commands():
    assert "./runcast demo" in README[:2500] and "./verify" in README[:2500]


@pytest.fixture(scope="module")
def readers_stack(stack):
    """What a reader has after the first commands of the README, in its order."""
    played = stack.runcast("play", "local-stack/src/main/resources/demo/conversations.jsonl", "--fast")
    assert "6 executions: 5 COMPLETED, 1 FAILED" in played.stdout
    return stack


@pytest.mark.parametrize("command", [each for each in COMMANDS if not each.startswith(ELSEWHERE)])
def test_a_command_of_the_readme_works_as_it_is_written(readers_stack, command):
    stack = readers_stack
    for written, actual in (("127.0.0.1:8080", "ingest.grpc"), ("127.0.0.1:8090", "api.http"),
                            ("127.0.0.1:8091", "api.grpc"), ("127.0.0.1:9092", "kafka")):
        command = command.replace(written, stack.addresses[actual])
    if command == "python3 examples/report.py":
        command += " " + stack.addresses["ingest.grpc"]
    if "by-hand" in command and "curl http" in command:
        await_that(lambda: stack.ended("by-hand"), 30, "the execution that grpcurl reported")
    path = f"{os.path.dirname(sys.executable)}:{os.environ.get('TOOLS', '')}/bin:{os.environ['PATH']}"
    done = subprocess.run(["bash", "-c", command.replace("curl ", "curl --fail -sS ", 1)
                           if command.startswith("curl") else command],
                          cwd=HOME, env={**stack.environment, "PATH": path}, text=True, capture_output=True, timeout=120)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    assert done.stdout.strip(), command


def test_demo_tells_its_story_to_the_end_and_finds_no_difference(tmp_path):
    demo = Stack(tmp_path).runcast("demo", "--exit")
    assert "nothing differs" in demo.stdout, demo.stdout
    assert "FENCED" in demo.stdout and "none missing, none twice" in demo.stdout
    seconds = float(re.search(r"first live view +([0-9.]+) s", demo.stdout).group(1))
    megabytes = int(re.search(r"resident memory +([0-9]+) MB", demo.stdout).group(1))
    assert 0 < seconds and 0 < megabytes <= 1200
