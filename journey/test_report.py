"""Reporting and reading from outside: no client library, other people's tools."""
import json
import os
import subprocess
import sys

import pytest

from conftest import HOME, await_that

TOOLS = os.environ.get("TOOLS", "")


def run(*words, **options):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=120, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_python_example_reports_an_execution(stack):
    name = run(sys.executable, HOME / "examples" / "report.py", stack.addresses["ingest.grpc"], "from-python").strip()
    assert name == "from-python"
    execution = await_that(lambda: stack.ended(name), 30, "the example's execution to end")
    assert execution["phase"] == "PHASE_COMPLETED" and execution["spec"]["agent"] == "python-script"
    assert "6 bytes of UTF-8." in stack.runcast("watch", name).stdout


def test_grpcurl_lists_the_services_and_reports(stack):
    grpcurl = f"{TOOLS}/bin/grpcurl"
    ingest = stack.addresses["ingest.grpc"]
    services = run(grpcurl, "-plaintext", ingest, "list").split()
    assert {"runcast.v1.IngestService", "grpc.health.v1.Health"} <= set(services)
    assert "runcast.v1.ExecutionService" in run(grpcurl, "-plaintext", stack.addresses["api.grpc"], "list").split()
    batch = {"executionId": "from-grpcurl", "writer": {"kind": "WRITER_KIND_RUNNER"}, "requestId": "r1",
             "updates": [{"phaseChanged": {"phase": "PHASE_COMPLETED", "reason": "by hand"}}]}
    for _ in range(2):
        run(grpcurl, "-plaintext", "-d", json.dumps({"batch": batch}), ingest, "runcast.v1.IngestService/PublishUpdate")
    execution = await_that(lambda: stack.ended("from-grpcurl"), 30, "grpcurl's execution to end")
    assert execution["version"] == "1", "the same request again changes nothing"


@pytest.mark.parametrize("change, complaint", [
    ({"executionId": ""}, "execution_id"), ({"executionId": "a b"}, "execution_id"),
    ({"executionId": "x" * 65}, "execution_id"), ({"requestId": ""}, "request_id"),
    ({"updates": []}, "updates"), ({"writer": {}}, "kind"),
    ({"updates": [{"phaseChanged": {"phase": "PHASE_WAITING_FOR_APPROVAL"}}]}, "phase"),
    ({"updates": [{}]}, "change"),
], ids=lambda value: str(value)[:40])
def test_what_breaks_the_contract_is_refused_with_the_field(stack, change, complaint):
    batch = {"executionId": "refused", "writer": {"kind": "WRITER_KIND_RUNNER"}, "requestId": "r1",
             "updates": [{"phaseChanged": {"phase": "PHASE_RUNNING"}}], **change}
    done = subprocess.run([f"{TOOLS}/bin/grpcurl", "-plaintext", "-d", json.dumps({"batch": batch}),
                           stack.addresses["ingest.grpc"], "runcast.v1.IngestService/PublishUpdate"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and "InvalidArgument" in done.stderr and complaint in done.stderr, done.stderr
    assert stack.get("/v1/executions/refused")[0] == 404


def test_a_kafka_console_consumer_prints_executions_as_json(stack):
    run(sys.executable, HOME / "examples" / "report.py", stack.addresses["ingest.grpc"], "for-analytics")
    await_that(lambda: stack.ended("for-analytics"), 30, "the execution to end")

    def rows():
        out = run("kcat", "-C", "-b", stack.addresses["kafka"], "-t", "runcast.executions.v1", "-e", "-q",
                  "-X", "isolation.level=read_committed")
        return [row for row in map(json.loads, filter(None, out.split("\n")))  # not splitlines: U+2028 is no end of a row
                if row["execution_id"] == "for-analytics" and row["phase"] == "COMPLETED"]
    row = await_that(rows, 30, "the row of the execution")[-1]
    assert row["tenant"] == "default" and isinstance(row["version"], int)
